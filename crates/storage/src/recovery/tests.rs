use std::path::PathBuf;

use ottla_protocol::Uuid;

use super::*;
use crate::testing::{all_records, append, create};

fn open_alone(directory: &Path, topic_id: u8) -> Result<Log, OpenLogError> {
    let partition = TopicPartition::new("__cluster_metadata", 0);
    let topic_id = TopicId(Uuid([topic_id; 16]));
    Log::open_alone(directory, partition, topic_id, LogConfig::default(), 0)
}

#[test]
fn a_log_alone_is_made_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("a/b");
    for _ in 0..2 {
        let log = open_alone(&directory, 1).unwrap();
        let offsets = (
            log.log_start_offset(),
            log.log_end_offset(),
            log.high_watermark(),
        );
        assert_eq!(offsets, (Offset(0), Offset(0), Offset(0)));
    }
    assert!(matches!(
        open_alone(&directory, 2),
        Err(OpenLogError::OtherTopic { .. })
    ));
}

/// A log of several segments in a folder of its own, closed.
fn closed_log(batches: usize) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("t-0");
    let log = create(&directory);
    for number in 0..batches {
        let epoch = i32::try_from(number).unwrap() / 4;
        let timestamp_ms = i64::try_from(number).unwrap();
        append(&log, epoch, timestamp_ms, &[&[1; 50], &[2; 50]]).unwrap();
    }
    log.close(0).unwrap();
    (folder, directory)
}

fn files(directory: &Path, suffix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut found: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == suffix)
        })
        .collect();
    found.sort();
    found
}

fn open_after(directory: &Path, shutdown: Shutdown) -> Log {
    crate::testing::open(directory, shutdown).unwrap()
}

/// Where the batches of a segment file begin, and where the last one ends.
fn boundaries(segment: &[u8]) -> Vec<usize> {
    let mut boundaries = vec![0];
    let mut position = 0;
    while let Some(header) = ottla_protocol::records::peek_header(&segment[position..]).unwrap() {
        position += header.size_bytes().unwrap();
        boundaries.push(position);
    }
    boundaries
}

#[test]
fn a_file_cut_anywhere_keeps_every_whole_batch_before_the_cut() {
    let (_folder, directory) = closed_log(3);
    let segment = files(&directory, "log").remove(0);
    let whole = std::fs::read(&segment).unwrap();
    let boundaries = boundaries(&whole);
    assert_eq!(boundaries.len(), 4);
    for cut in boundaries[1]..=whole.len() {
        std::fs::write(&segment, &whole[..cut]).unwrap();
        let log = open_after(&directory, Shutdown::Unclean);
        let kept = boundaries.iter().filter(|end| **end <= cut).count() - 1;
        assert_eq!(all_records(&log, 1000).len(), kept * 2, "cut at byte {cut}");
        assert_eq!(log.size_bytes() as usize, boundaries[kept]);
        assert_eq!(log.recovery_point(), log.log_end_offset());
        append(&log, 9, 9, &[b"more"]).unwrap();
        assert_eq!(all_records(&log, 1000).len(), kept * 2 + 1);
    }
}

#[test]
fn a_flipped_bit_ends_the_log_before_its_batch() {
    let (_folder, directory) = closed_log(3);
    let segment = files(&directory, "log").remove(0);
    let whole = std::fs::read(&segment).unwrap();
    let start = boundaries(&whole)[2];
    for byte in start..whole.len() {
        // Every bit of the header, one of each other byte.
        let bits = if byte < start + 61 {
            0..8
        } else {
            byte % 8..byte % 8 + 1
        };
        for bit in bits {
            let mut damaged = whole.clone();
            damaged[byte] ^= 1 << bit;
            std::fs::write(&segment, &damaged).unwrap();
            let log = open_after(&directory, Shutdown::Unclean);
            let found = all_records(&log, 1000);
            // Base offset and leader epoch are outside of the CRC, as in Kafka.
            let is_covered = !(byte < start + 8 || (start + 12..start + 16).contains(&byte));
            assert!(found.len() == 4 || !is_covered, "byte {byte}, bit {bit}");
            assert!(found.len() >= 4, "byte {byte}, bit {bit}");
        }
    }
}

#[test]
fn a_damaged_segment_in_the_middle_ends_the_log() {
    let (_folder, directory) = closed_log(20);
    let segments = files(&directory, "log");
    assert!(segments.len() > 3, "{segments:?}");
    let mut damaged = std::fs::read(&segments[1]).unwrap();
    let second_batch = boundaries(&damaged)[1];
    damaged[second_batch + 70] ^= 1;
    std::fs::write(&segments[1], &damaged).unwrap();
    let log = open_after(&directory, Shutdown::Unclean);
    assert_eq!(files(&directory, "log").len(), 2);
    assert_eq!(files(&directory, "index").len(), 2);
    let end = log.log_end_offset();
    assert_eq!(all_records(&log, 1000).len() as i64, end.0);
    assert_eq!(log.segments()[1].base_offset(), Offset(end.0 - 2));
    assert!(log.latest_epoch() <= log.epoch_of(Offset(end.0 - 1)));
    append(&log, 9, 9, &[b"more"]).unwrap();
    drop(log);
    assert_eq!(
        open_after(&directory, Shutdown::Unclean).log_end_offset(),
        Offset(end.0 + 1)
    );
}

/// The content of every file but the log's own, by name.
fn derived_files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    ["index", "timeindex", "txnindex"]
        .iter()
        .flat_map(|suffix| files(directory, suffix))
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

#[test]
fn indexes_that_are_missing_or_wrong_are_built_again() {
    let (_folder, directory) = closed_log(20);
    let expected = derived_files(&directory);
    let records = all_records(&open_after(&directory, Shutdown::Clean), 1000);
    for suffix in ["index", "timeindex"] {
        for damage in 0..4 {
            for shutdown in [Shutdown::Clean, Shutdown::Unclean] {
                for path in files(&directory, suffix) {
                    let mut bytes = std::fs::read(&path).unwrap();
                    match damage {
                        0 => std::fs::remove_file(&path).unwrap(),
                        1 => bytes.resize(bytes.len() + 120, 0),
                        2 => bytes.push(1),
                        _ => bytes = vec![0xA5; 48],
                    }
                    if damage > 0 {
                        std::fs::write(&path, bytes).unwrap();
                    }
                }
                let log = open_after(&directory, shutdown);
                assert_eq!(
                    derived_files(&directory),
                    expected,
                    "{suffix}, damage {damage}, {shutdown:?}"
                );
                for (offset, timestamp_ms, _) in &records {
                    let found = log.find_by_timestamp(*timestamp_ms, log.log_end_offset());
                    let found = found.unwrap().unwrap();
                    assert_eq!(found.offset.0, offset - offset % 2);
                }
            }
        }
    }
}

#[test]
fn leader_epochs_are_found_in_the_records() {
    let (_folder, directory) = closed_log(20);
    let checkpoint = directory.join("leader-epoch-checkpoint");
    let expected = std::fs::read_to_string(&checkpoint).unwrap();
    for damage in [None, Some(""), Some("0\n9\n")] {
        match damage {
            None => std::fs::remove_file(&checkpoint).unwrap(),
            Some(text) => std::fs::write(&checkpoint, text).unwrap(),
        }
        open_after(&directory, Shutdown::Clean);
        assert_eq!(std::fs::read_to_string(&checkpoint).unwrap(), expected);
    }
}

#[test]
fn a_log_that_ends_before_its_start_begins_there() {
    let (_folder, directory) = closed_log(10);
    let mut how = crate::testing::how(Shutdown::Clean);
    how.log_start_offset = Offset(1000);
    let log = open(&directory, how).unwrap();
    assert_eq!(
        (log.log_start_offset(), log.log_end_offset()),
        (Offset(1000), Offset(1000))
    );
    assert_eq!(files(&directory, "log").len(), 1);
    assert_eq!(
        append(&log, 9, 0, &[b"x"]).unwrap().base_offset,
        Offset(1000)
    );
}

#[test]
fn a_cleaners_work_is_finished_or_thrown_away() {
    let (_folder, directory) = closed_log(20);
    let segments = files(&directory, "log");
    let kept = all_records(&open_after(&directory, Shutdown::Clean), 1000).len();
    let name = |path: &Path, suffix: &str| PathBuf::from(format!("{}.{suffix}", path.display()));
    std::fs::copy(&segments[1], name(&segments[1], "cleaned")).unwrap();
    std::fs::write(name(&segments[0], "deleted"), b"x").unwrap();
    // What was made of the first two segments stands in the place of both.
    let both = [&segments[0], &segments[1]]
        .map(|path| std::fs::read(path).unwrap())
        .concat();
    let log = open_after(&directory, Shutdown::Clean);
    assert_eq!(all_records(&log, 1000).len(), kept);
    drop(log);
    std::fs::write(name(&segments[0], "swap"), both).unwrap();
    let log = open_after(&directory, Shutdown::Clean);
    assert_eq!(all_records(&log, 1000).len(), kept);
    assert_eq!(files(&directory, "log").len(), segments.len() - 1);
    assert!(files(&directory, "swap").is_empty() && files(&directory, "cleaned").is_empty());
}

#[test]
fn stray_snapshots_are_deleted() {
    let (_folder, directory) = closed_log(20);
    for stray in [3, 5, 1_000_000] {
        std::fs::write(
            producer_snapshot::path(&directory, Offset(stray)),
            b"garbage",
        )
        .unwrap();
    }
    let log = open_after(&directory, Shutdown::Unclean);
    let left = producer_snapshot::offsets(&directory).unwrap();
    let bases: Vec<_> = log
        .segments()
        .iter()
        .map(|segment| segment.base_offset())
        .collect();
    let end = log.log_end_offset();
    assert!(
        left.iter()
            .all(|offset| bases.contains(offset) || *offset == end),
        "{left:?}"
    );
}
