use super::*;
use crate::disk::failures::{Failure, with_failure};
use crate::testing::{all_records, append, small_segments};

fn options(log_dirs: &[&Path]) -> LogManagerOptions {
    LogManagerOptions {
        log_dirs: log_dirs.iter().map(|path| path.to_path_buf()).collect(),
        recovery_threads_per_dir: 2,
        config: small_segments(),
        now_ms: 0,
    }
}

fn partition() -> TopicPartition {
    TopicPartition::new("t", 0)
}

fn create(manager: &LogManager, id: u8) -> Arc<Log> {
    let id = TopicId(Uuid([id; 16]));
    manager
        .create(&partition(), id, small_segments(), 0)
        .unwrap()
}

fn fill(log: &Log, batches: usize) {
    for _ in 0..batches {
        append(log, 0, 1, &[&[1; 200]]).unwrap();
    }
    log.advance_high_watermark(log.log_end_offset());
}

#[test]
fn logs_come_back_after_either_stop() {
    let folder = tempfile::tempdir().unwrap();
    for stop_cleanly in [true, false, true, false] {
        let manager = LogManager::open(&options(&[folder.path()])).unwrap();
        let log = create(&manager, 1);
        let before = log.log_end_offset().0;
        assert_eq!(all_records(&log, 1000).len() as i64, before);
        fill(&log, 7);
        if stop_cleanly {
            manager.shut_down(5, 0).unwrap();
        }
        drop((log, manager));
        let manager = LogManager::open(&options(&[folder.path()])).unwrap();
        let epoch = manager.directories()[0].clean_shutdown_epoch();
        assert_eq!(epoch, stop_cleanly.then_some(5));
        assert_eq!(create(&manager, 1).log_end_offset().0, before + 7);
    }
}

#[test]
fn a_new_topic_of_the_same_name_begins_anew_whenever_the_broker_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let manager = LogManager::open(&options(&[folder.path()])).unwrap();
    let old = create(&manager, 1);
    fill(&old, 20);
    old.delete_records_before(Offset(15)).unwrap();
    old.flush(old.log_end_offset(), 0).unwrap();
    manager.checkpoint_recovery_points().unwrap();
    manager.checkpoint_high_watermarks().unwrap();
    manager.delete(&partition(), Uuid([9; 16]), 0).unwrap();
    assert!(
        append(&old, 0, 1, &[b"late"]).is_err(),
        "the directory is not its own any more"
    );
    let new = create(&manager, 2);
    fill(&new, 3);
    drop((old, new, manager));
    let manager = LogManager::open(&options(&[folder.path()])).unwrap();
    let log = create(&manager, 2);
    assert_eq!(
        (log.log_start_offset(), log.log_end_offset()),
        (Offset(0), Offset(3))
    );
    manager.delete_doomed(0);
    let names = std::fs::read_dir(folder.path()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().ends_with("-delete")
    });
    assert_eq!(names.count(), 0);
}

#[test]
fn a_log_of_another_topic_gives_way() {
    let folder = tempfile::tempdir().unwrap();
    let manager = LogManager::open(&options(&[folder.path()])).unwrap();
    fill(&create(&manager, 1), 3);
    let log = create(&manager, 2);
    assert_eq!(log.log_end_offset(), Offset(0));
    assert_eq!(log.topic_id(), Some(TopicId(Uuid([2; 16]))));
}

#[test]
fn the_longest_name_can_be_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let manager = LogManager::open(&options(&[folder.path()])).unwrap();
    let long = TopicPartition::new("x".repeat(249), 12345);
    manager
        .create(&long, TopicId(Uuid([1; 16])), small_segments(), 0)
        .unwrap();
    manager.delete(&long, Uuid([9; 16]), 0).unwrap();
    drop(manager);
    let manager = LogManager::open(&options(&[folder.path()])).unwrap();
    assert!(manager.get(&long).is_none());
}

#[test]
fn a_partition_in_two_directories_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a"), folder.path().join("b"));
    for directory in [&first, &second] {
        create(&LogManager::open(&options(&[directory])).unwrap(), 1);
    }
    let opened = LogManager::open(&options(&[&first, &second]));
    assert!(matches!(opened, Err(OpenLogManagerError::Duplicate { .. })));
}

#[test]
fn one_directory_of_two_may_be_unusable() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (folder.path().join("good"), folder.path().join("bad"));
    std::fs::write(&bad, "not a directory").unwrap();
    let manager = LogManager::open(&options(&[&bad, &good])).unwrap();
    assert_eq!(manager.directories().len(), 1);
    create(&manager, 1);
    assert!(LogManager::open(&options(&[&bad])).is_err());
}

#[test]
fn a_cut_log_is_recovered_from_the_cut() {
    let folder = tempfile::tempdir().unwrap();
    let manager = LogManager::open(&options(&[folder.path()])).unwrap();
    let log = create(&manager, 1);
    fill(&log, 20);
    log.flush(log.log_end_offset(), 0).unwrap();
    manager.checkpoint_recovery_points().unwrap();
    manager.truncate(&partition(), Offset(5)).unwrap();
    let text = std::fs::read_to_string(folder.path().join(RECOVERY_POINT_CHECKPOINT)).unwrap();
    assert_eq!(text, "0\n1\nt 0 5\n");
    assert_eq!(log.log_end_offset(), Offset(5));
}

#[test]
fn a_stray_log_is_put_aside_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let manager = LogManager::open(&options(&[folder.path()])).unwrap();
    let log = create(&manager, 1);
    fill(&log, 3);
    manager.put_aside(&partition(), Uuid([9; 16])).unwrap();
    assert!(manager.get(&partition()).is_none() && log.is_offline());
    let stray = folder.path().join(format!("t-0.{}-stray", "09".repeat(16)));
    let records = stray.join("00000000000000000000.log");
    assert!(std::fs::metadata(&records).unwrap().len() > 0);
    // A topic of the same name does not see it, nor does another start.
    assert_eq!(create(&manager, 2).log_end_offset(), Offset(0));
    drop((log, manager));
    let manager = LogManager::open(&options(&[folder.path()])).unwrap();
    assert_eq!(manager.logs().len(), 1);
    manager.delete_doomed(i64::MAX);
    assert!(records.exists());
}

#[test]
fn deleted_records_stay_deleted_when_the_broker_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let manager = LogManager::open(&options(&[folder.path()])).unwrap();
    let log = create(&manager, 1);
    fill(&log, 20);
    log.delete_records_before(Offset(11)).unwrap();
    manager.checkpoint_log_start_offsets().unwrap();
    drop((log, manager));
    let manager = LogManager::open(&options(&[folder.path()])).unwrap();
    let log = create(&manager, 1);
    assert_eq!(
        (log.log_start_offset(), log.log_end_offset()),
        (Offset(11), Offset(20))
    );
}

#[test]
fn a_directory_that_fails_gives_its_place_to_another() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a"), folder.path().join("b"));
    let manager = LogManager::open(&options(&[&first, &second])).unwrap();
    assert!(!manager.may_be_elsewhere(None));
    let (log, _) = with_failure(0, Failure::Once, || create(&manager, 1));
    assert!(log.directory().starts_with(&second));
    assert!(manager.may_be_elsewhere(None));
    // What is not found may be in the directory that is gone.
    std::fs::remove_dir_all(&first).unwrap();
    std::fs::write(&first, "not a directory").unwrap();
    drop((log, manager));
    let manager = LogManager::open(&options(&[&first, &second])).unwrap();
    assert!(manager.may_be_elsewhere(None));
}

#[test]
fn a_log_that_could_not_be_made_can_be_made_later() {
    let folder = tempfile::tempdir().unwrap();
    let manager = LogManager::open(&options(&[folder.path()])).unwrap();
    let id = TopicId(Uuid([1; 16]));
    for operations in 0.. {
        let make = || {
            manager
                .create(&partition(), id, small_segments(), 0)
                .map(|_| ())
        };
        let (made, reached) = with_failure(operations, Failure::Full, make);
        assert_eq!(made.is_err(), reached, "operation {operations}");
        assert!(!manager.may_be_elsewhere(None));
        if !reached {
            assert!(operations > 2, "{operations}");
            break;
        }
    }
    fill(&manager.get(&partition()).unwrap(), 1);
}

#[test]
fn checkpoints_written_at_the_same_time_are_whole() {
    const ROUNDS: usize = 30;
    let folder = tempfile::tempdir().unwrap();
    let manager = LogManager::open(&options(&[folder.path()])).unwrap();
    for index in 0..50 {
        let topic_partition = TopicPartition::new("t", index);
        let id = TopicId(Uuid([1; 16]));
        manager
            .create(&topic_partition, id, small_segments(), 0)
            .unwrap();
    }
    manager.checkpoint_recovery_points().unwrap();
    let path = folder.path().join(RECOVERY_POINT_CHECKPOINT);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    manager.checkpoint_recovery_points().unwrap();
                    let found = crate::checkpoint::read_offsets(&path).unwrap();
                    assert_eq!(found.len(), 50);
                }
            });
        }
    });
}

#[test]
fn a_log_may_be_in_a_directory_that_was_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let id = Uuid([1; 16]);
    let properties = crate::meta_properties::MetaProperties {
        cluster_id: "c".to_owned(),
        node_id: 1,
        directory_id: Some(id),
    };
    crate::meta_properties::write(folder.path(), &properties).unwrap();
    let manager = LogManager::open(&options(&[folder.path()])).unwrap();
    for (assigned, expected) in [
        (None, false),
        (Some(Uuid::ZERO), false),
        (Some(Uuid::from_u128(2)), false),
        (Some(id), false),
        (Some(Uuid([2; 16])), true),
    ] {
        assert_eq!(manager.may_be_elsewhere(assigned), expected, "{assigned:?}");
    }
}

#[test]
fn a_log_may_be_deleted_whatever_is_done_to_it() {
    const ROUNDS: usize = 60;
    let folder = tempfile::tempdir().unwrap();
    let manager = LogManager::open(&options(&[folder.path()])).unwrap();
    let rounds = AtomicUsize::new(0);
    let goes_on =
        || rounds.load(Ordering::Acquire) < ROUNDS && !manager.directories()[0].is_offline();
    let keep_changing = |change: fn(&Log) -> Result<(), DiskError>| {
        while goes_on() {
            if let Some(log) = manager.get(&partition()) {
                // A log that is deleted refuses it, and that is all.
                let _ = change(&log);
            }
        }
    };
    let keep_changing = &keep_changing;
    std::thread::scope(|scope| {
        scope.spawn(move || keep_changing(|log| log.flush(log.log_end_offset(), 0)));
        scope.spawn(move || keep_changing(Log::roll));
        scope.spawn(move || {
            keep_changing(|log| log.delete_records_before(log.log_end_offset()).map(|_| ()))
        });
        while goes_on() {
            let round = rounds.load(Ordering::Acquire) as u8;
            let id = TopicId(Uuid([round + 1; 16]));
            if let Ok(log) = manager.create(&partition(), id, small_segments(), 0) {
                for _ in 0..8 {
                    let _ = append(&log, 0, 1, &[&[1; 200]]);
                    log.advance_high_watermark(log.log_end_offset());
                }
            }
            let _ = manager.delete(&partition(), id.0, 0);
            rounds.fetch_add(1, Ordering::AcqRel);
        }
    });
    assert!(!manager.directories()[0].is_offline());
    assert!(!folder.path().join("t-0").exists());
}
