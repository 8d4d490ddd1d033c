//! A disk that fails at every operation in turn: nothing that was acknowledged and is not past a
//! cut may be lost, and nothing else may be in its place.

use std::path::Path;

use ottla_protocol::ids::Offset;

use crate::disk::failures::{Failure, operations_of, with_failure};
use crate::log::Log;
use crate::recovery::{self, Shutdown};
use crate::testing::{all_records, append, create, how, open};

/// What a run has been told.
#[derive(Debug, Default)]
struct Acknowledged {
    /// Values of the records, by offset.
    values: Vec<Vec<u8>>,
    /// How many of them may be missing: a cut was asked for.
    may_be_cut_to: Option<usize>,
    start: i64,
}

impl Acknowledged {
    fn append(&mut self, log: &Log, count: usize) {
        for _ in 0..count {
            let value = vec![u8::try_from(self.values.len()).unwrap(); 90];
            if let Ok(info) = append(log, 0, 1, &[&value]) {
                assert_eq!(info.base_offset.0, self.values.len() as i64);
                self.values.push(value);
            }
        }
        log.advance_high_watermark(log.log_end_offset());
    }
}

/// Everything that a log does, until an error takes it offline.
fn run(log: &Log, acknowledged: &mut Acknowledged) {
    acknowledged.append(log, 12);
    let _ = log.flush(log.log_end_offset(), 0);
    acknowledged.append(log, 3);
    acknowledged.start = 4;
    let _ = log.delete_records_before(Offset(4));
    if log.is_offline() {
        return;
    }
    acknowledged.may_be_cut_to = Some(8);
    if log.truncate_to(Offset(8)).is_ok() {
        acknowledged.values.truncate(8);
        acknowledged.may_be_cut_to = None;
        acknowledged.append(log, 6);
    }
    let _ = log.close(0);
}

fn check(directory: &Path, acknowledged: &Acknowledged, context: &str) {
    let log =
        open(directory, Shutdown::Unclean).unwrap_or_else(|error| panic!("{context}: {error}"));
    let found = all_records(&log, 1000);
    let least = acknowledged
        .may_be_cut_to
        .unwrap_or(acknowledged.values.len());
    let next = found
        .last()
        .map_or(log.log_start_offset().0, |last| last.0 + 1);
    assert!(
        next as usize >= least.min(acknowledged.values.len()),
        "{context}: {next} of {least}"
    );
    assert!(log.log_start_offset().0 <= acknowledged.start, "{context}");
    for (expected, (offset, _, value)) in (log.log_start_offset().0..).zip(&found) {
        assert_eq!(*offset, expected, "{context}: a hole");
        if let Some(acknowledged) = acknowledged.values.get(*offset as usize) {
            assert_eq!(value, acknowledged, "{context}: offset {offset}");
        }
    }
    append(&log, 0, 1, &[b"goes on"]).unwrap_or_else(|error| panic!("{context}: {error}"));
}

#[test]
fn nothing_is_lost_by_a_failure_at_any_operation() {
    for failure in [Failure::Once, Failure::Full, Failure::Crash] {
        let mut operations = 0;
        loop {
            let folder = tempfile::tempdir().unwrap();
            let directory = folder.path().join("t-0");
            let log = create(&directory);
            let mut acknowledged = Acknowledged::default();
            let ((), reached) = with_failure(operations, failure, || run(&log, &mut acknowledged));
            drop(log);
            check(
                &directory,
                &acknowledged,
                &format!("{failure:?} at operation {operations}"),
            );
            if !reached {
                break;
            }
            operations += 1;
        }
        assert!(operations > 50, "{operations}");
    }
}

#[test]
fn a_start_that_fails_at_any_operation_can_be_repeated() {
    for failure in [Failure::Once, Failure::Crash] {
        for operations in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let directory = folder.path().join("t-0");
            let log = create(&directory);
            let mut acknowledged = Acknowledged::default();
            acknowledged.append(&log, 25);
            drop(log);
            let how = how(Shutdown::Unclean);
            let (opened, reached) =
                with_failure(operations, failure, || recovery::open(&directory, how));
            drop(opened);
            check(
                &directory,
                &acknowledged,
                &format!("{failure:?} at operation {operations}"),
            );
            if !reached {
                assert!(operations > 50, "{operations}");
                break;
            }
        }
    }
}

#[test]
fn a_full_disk_refuses_appends_until_there_is_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = create(&folder.path().join("t-0"));
    for operations in 0..6 {
        let before = log.log_end_offset();
        let (refused, reached) =
            with_failure(operations, Failure::Full, || append(&log, 0, 1, &[b"x"]));
        assert_eq!(reached, refused.is_err());
        assert!(!log.is_offline());
        let expected = before.0 + i64::from(refused.is_ok());
        assert_eq!(log.log_end_offset().0, expected);
    }
    let end = append(&log, 0, 1, &[b"x"]).unwrap().last_offset;
    assert_eq!(all_records(&log, 1000).len() as i64, end.0 + 1);
}

#[test]
fn a_failed_flush_takes_the_directory_offline() {
    let folder = tempfile::tempdir().unwrap();
    let log = create(&folder.path().join("t-0"));
    append(&log, 0, 1, &[b"x"]).unwrap();
    let (flushed, _) = with_failure(0, Failure::Once, || log.flush(log.log_end_offset(), 0));
    assert!(flushed.is_err() && log.is_offline());
    assert_eq!(log.recovery_point(), Offset(0));
    assert!(append(&log, 0, 1, &[b"y"]).is_err());
    assert!(
        log.flush(log.log_end_offset(), 0).is_err(),
        "who waited for it fails with it: a second fsync would say that all is well"
    );
    assert!(log.close(0).is_err());
    assert_eq!(log.recovery_point(), Offset(0));
}

#[test]
fn a_flush_that_lacked_a_descriptor_is_repeated_in_whole() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("t-0");
    let operations = {
        let log = create(&directory);
        append(&log, 0, 1, &[b"x"]).unwrap();
        operations_of(|| log.flush(log.log_end_offset(), 0).unwrap())
    };
    assert!(operations > 3, "{operations}");
    for before in 1..operations {
        std::fs::remove_dir_all(&directory).unwrap();
        let log = create(&directory);
        append(&log, 0, 1, &[b"x"]).unwrap();
        let (flushed, _) = with_failure(before, Failure::NoDescriptor, || log.flush(Offset(1), 0));
        if log.is_offline() {
            // It was not for a descriptor.
            continue;
        }
        assert!(flushed.is_err());
        assert_eq!(log.recovery_point(), Offset(0));
        let again = operations_of(|| log.flush(Offset(1), 0).unwrap());
        assert!(again >= operations - 1, "{again} of {operations}");
        assert_eq!(log.recovery_point(), Offset(1));
    }
}
