//! What is sent from the files against what is read from them.

use std::os::fd::AsFd;

use ottla_protocol::Records;
use ottla_protocol::ids::Offset;
use ottla_protocol::records::batches;
use ottla_protocol::wire::Segment;
use proptest::prelude::*;

use crate::log_config::LogConfig;
use crate::log_read::MinimumBatches;
use crate::recovery;
use crate::testing::{append, create};

/// The bytes that a socket would get.
fn sent(records: &Records) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in records.chunks() {
        match chunk {
            Segment::Bytes(chunk) => bytes.extend_from_slice(chunk),
            Segment::File(range) => {
                let mut read = vec![0; range.len()];
                let count = rustix::io::pread(range.file().as_fd(), &mut *read, range.position());
                assert_eq!(count, Ok(range.len()));
                bytes.extend_from_slice(&read);
            }
        }
    }
    bytes
}

fn lies_in_a_file(records: &Records) -> bool {
    let mut chunks = records.chunks().iter();
    chunks.any(|chunk| matches!(chunk, Segment::File(_)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn what_is_sent_is_what_would_be_read(
        sizes in prop::collection::vec(prop_oneof![3 => 1_usize..6_000, 1 => 1_usize..90_000], 1..40),
        reads in prop::collection::vec((0_usize..60, 0_usize..60, 0_usize..400_000), 1..20),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let log = create(&folder.path().join("t-0"));
        log.update_config(LogConfig { segment_bytes: 300_000, index_interval_bytes: 4096, ..LogConfig::default() });
        for (index, size) in sizes.iter().enumerate() {
            let value = vec![index as u8; *size];
            append(&log, 0, 0, &[&value, b"second"]).unwrap();
        }
        let end = log.log_end_offset();
        let everything = log.read_to_send(Offset(0), usize::MAX, MinimumBatches::One, end).unwrap();
        let whole = log.read(Offset(0), usize::MAX, MinimumBatches::One, end).unwrap();
        prop_assert_eq!(sent(&everything), whole.to_bytes());
        if whole.len() > 300_000 {
            prop_assert!(lies_in_a_file(&everything));
        }
        for (from, bound, max_bytes) in reads {
            let (from, bound) = (Offset(from as i64).min(end), Offset(bound as i64).min(end));
            for minimum in [MinimumBatches::One, MinimumBatches::None] {
                let referred = log.read_to_send(from, max_bytes, minimum, bound).unwrap();
                let read = log.read(from, max_bytes, minimum, bound).unwrap();
                let (referred, read) = (sent(&referred), read.to_bytes());
                // A read gives up on what its one look at the file did not reach.
                prop_assert!(referred.starts_with(&read));
                prop_assert!(!read.is_empty() || referred.is_empty() || minimum == MinimumBatches::None);
                let count = batches(&referred.clone().into()).map(Result::unwrap).count();
                prop_assert!(referred.len() <= max_bytes || (count == 1 && minimum == MinimumBatches::One));
            }
        }
    }
}

#[test]
fn an_index_that_is_wrong_only_costs_time() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("t-0");
    let log = create(&directory);
    log.update_config(LogConfig {
        index_interval_bytes: 4096,
        ..LogConfig::default()
    });
    for index in 0..40_u8 {
        append(&log, 0, 0, &[&[index; 5000]]).unwrap();
    }
    let end = log.log_end_offset();
    let expected = log.read(Offset(3), 120_000, MinimumBatches::One, end);
    let expected = expected.unwrap().to_bytes();
    log.close(0).unwrap();
    drop(log);
    // Every position is a byte off: no batch begins there.
    let path = directory.join("00000000000000000000.index");
    let mut index = std::fs::read(&path).unwrap();
    index
        .iter_mut()
        .skip(7)
        .step_by(8)
        .for_each(|byte| *byte ^= 1);
    std::fs::write(&path, index).unwrap();
    let how = crate::testing::how(recovery::Shutdown::Clean);
    let log = recovery::open(&directory, how).unwrap();
    let found = log.read_to_send(Offset(3), 120_000, MinimumBatches::One, end);
    let found = found.unwrap();
    assert!(lies_in_a_file(&found));
    assert_eq!(sent(&found), expected);
}
