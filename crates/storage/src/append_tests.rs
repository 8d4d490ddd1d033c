//! What an append answers, and when it begins a new segment.

use ottla_protocol::ids::{LeaderEpoch, Offset};
use ottla_protocol::records::ProducerFields;

use crate::log::{AppendError, Log};
use crate::log_config::LogConfig;
use crate::log_read::MinimumBatches;
use crate::producer_state::SequenceError;
use crate::recovery::{self, Shutdown};
use crate::testing::{all_records, append, batch_of, create, how, small_segments, validated};

fn with_config(config: LogConfig) -> (tempfile::TempDir, Log) {
    let folder = tempfile::tempdir().unwrap();
    let log = create(&folder.path().join("t-0"));
    log.update_config(config);
    (folder, log)
}

fn base_offsets(log: &Log) -> Vec<i64> {
    let segments = log.segments();
    segments.iter().map(|one| one.base_offset().0).collect()
}

fn produce(log: &Log, epoch: i16, sequence: i32, values: &[&[u8]]) -> Result<i64, AppendError> {
    let producer = ProducerFields {
        producer_id: 7,
        producer_epoch: epoch,
        base_sequence: sequence,
    };
    let batch = validated(batch_of(1234, Some(producer), values));
    let info = log.append_as_leader(&batch, LeaderEpoch(0))?;
    let time_ms = if info.duplicate { 1234 } else { -1 };
    assert_eq!(info.log_append_time_ms, time_ms);
    Ok(info.base_offset.0)
}

#[test]
fn a_batch_that_no_segment_can_hold_is_refused() {
    let (_folder, log) = with_config(small_segments());
    append(&log, 0, 1, &[b"x"]).unwrap();
    let refused = append(&log, 0, 1, &[&[0; 1000]]);
    assert!(
        matches!(refused, Err(AppendError::LargerThanSegment { segment_bytes: 1000, size_bytes }) if size_bytes > 1000)
    );
    assert_eq!(log.log_end_offset(), Offset(1));
    // One that just fits gets a segment of its own.
    let overhead = log.size_bytes() as usize - 1;
    append(&log, 0, 1, &[&vec![0; 1000 - overhead - 4]]).unwrap();
    assert_eq!(base_offsets(&log), [0, 1]);
}

#[test]
fn segments_are_rolled_by_the_times_of_the_records() {
    let config = LogConfig {
        segment_ms: 100,
        ..LogConfig::default()
    };
    let (_folder, log) = with_config(config);
    for timestamp_ms in [1000, 1100, 500, 1101, 1150, 1202] {
        append(&log, 0, timestamp_ms, &[b"x"]).unwrap();
    }
    assert_eq!(
        base_offsets(&log),
        [0, 3, 5],
        "more than 100 ms after the first"
    );
}

#[test]
fn segments_without_times_are_rolled_by_the_clock() {
    let config = LogConfig {
        segment_ms: 100,
        ..LogConfig::default()
    };
    let (_folder, log) = with_config(config);
    let at = |now_ms| {
        log.roll_if_aged(now_ms).unwrap();
        base_offsets(&log)
    };
    assert_eq!(at(1000), [0], "nothing is in it");
    append(&log, 0, -1, &[b"x"]).unwrap();
    assert_eq!(at(100), [0]);
    assert_eq!(at(101), [0, 1]);
    append(&log, 0, -1, &[b"x"]).unwrap();
    assert_eq!(at(150), [0, 1], "it is first seen here");
    assert_eq!(at(250), [0, 1]);
    assert_eq!(at(251), [0, 1, 2]);
    append(&log, 0, 5, &[b"x"]).unwrap();
    assert_eq!(at(10_000), [0, 1, 2], "the records have times");
}

#[test]
fn jitter_rolls_earlier_and_not_everywhere_alike() {
    let waits = |name: &str| {
        let folder = tempfile::tempdir().unwrap();
        let log = create(&folder.path().join(name));
        log.update_config(LogConfig {
            segment_ms: 1000,
            segment_jitter_ms: 900,
            ..LogConfig::default()
        });
        let mut now_ms = 0;
        while log.segments().len() == 1 {
            append(&log, 0, now_ms, &[b"x"]).unwrap();
            now_ms += 10;
        }
        now_ms
    };
    let waited: Vec<_> = (0..8).map(|index| waits(&format!("t-{index}"))).collect();
    assert!(
        waited.iter().all(|waited| (100..=1020).contains(waited)),
        "{waited:?}"
    );
    assert!(waited.iter().any(|other| *other != waited[0]), "{waited:?}");
}

#[test]
fn a_full_index_rolls_too() {
    let config = LogConfig {
        index_interval_bytes: 0,
        segment_index_bytes: 5 * 12,
        ..LogConfig::default()
    };
    let (_folder, log) = with_config(config);
    for number in 0..12 {
        append(&log, 0, number, &[b"x"]).unwrap();
    }
    // The time index keeps one entry for the end of its segment: 4 of 5, and the first batch has none.
    assert_eq!(base_offsets(&log), [0, 5, 10]);
}

#[test]
fn offsets_too_far_from_a_segments_first_begin_the_next() {
    let (_folder, log) = with_config(LogConfig::default());
    append(&log, 0, 1, &[b"x"]).unwrap();
    let far = i64::from(i32::MAX);
    for base_offset in [far, far + 1] {
        let mut bytes = bytes::BytesMut::from(&batch_of(1, None, &[b"x"])[..]);
        ottla_protocol::records::set_base_offset(&mut bytes, base_offset).unwrap();
        ottla_protocol::records::set_partition_leader_epoch(&mut bytes, 0).unwrap();
        log.append_as_follower(&bytes.freeze()).unwrap();
    }
    assert_eq!(base_offsets(&log), [0, far + 1]);
    let found = all_records(&log, 1000);
    let offsets: Vec<_> = found.iter().map(|record| record.0).collect();
    assert_eq!(offsets, [0, far, far + 1]);
}

#[test]
fn a_changed_configuration_acts_on_the_next_append() {
    let (_folder, log) = with_config(LogConfig::default());
    append(&log, 0, 1, &[&[0; 600]]).unwrap();
    append(&log, 0, 1, &[&[0; 600]]).unwrap();
    assert_eq!(base_offsets(&log), [0]);
    log.update_config(small_segments());
    append(&log, 0, 1, &[b"x"]).unwrap();
    assert_eq!(base_offsets(&log), [0, 2]);
}

#[test]
fn a_duplicate_is_answered_as_the_first_time_also_after_a_restart() {
    let (folder, mut log) = with_config(small_segments());
    let directory = folder.path().join("t-0");
    for number in 0..6 {
        assert_eq!(
            produce(&log, 0, number, &[b"x"]).unwrap(),
            i64::from(number)
        );
    }
    for number in 1..6 {
        assert_eq!(
            produce(&log, 0, number, &[b"x"]).unwrap(),
            i64::from(number)
        );
    }
    assert!(matches!(
        produce(&log, 0, 0, &[b"x"]),
        Err(AppendError::Sequence(SequenceError::OutOfOrder {
            last: 5,
            found: 0,
            ..
        }))
    ));
    assert_eq!(log.log_end_offset(), Offset(6));
    // A snapshot holds the last batch of a producer; what follows the snapshot is read again.
    for shutdown in [Shutdown::Unclean, Shutdown::Clean] {
        if shutdown == Shutdown::Clean {
            log.close(0).unwrap();
        }
        drop(log);
        log = recovery::open(&directory, how(shutdown)).unwrap();
        assert_eq!(produce(&log, 0, 5, &[b"x"]).unwrap(), 5, "{shutdown:?}");
        assert_eq!(log.log_end_offset(), Offset(6));
    }
    assert_eq!(produce(&log, 0, 6, &[b"x"]).unwrap(), 6);
}

#[test]
fn sequences_wrap_inside_a_batch() {
    let (_folder, log) = with_config(LogConfig::default());
    let values: &[&[u8]] = &[b"a", b"b", b"c"];
    assert_eq!(produce(&log, 0, i32::MAX - 1, values).unwrap(), 0);
    assert_eq!(produce(&log, 0, 1, &[b"d"]).unwrap(), 3);
    assert_eq!(produce(&log, 0, i32::MAX - 1, values).unwrap(), 0);
    assert_eq!(log.log_end_offset(), Offset(4));
}

#[test]
fn an_epoch_without_records_is_known() {
    let (folder, log) = with_config(LogConfig::default());
    log.begin_leader_epoch(LeaderEpoch(2));
    assert_eq!(log.epoch_of(Offset(0)), Some(LeaderEpoch(2)));
    append(&log, 2, 1, &[b"x"]).unwrap();
    log.begin_leader_epoch(LeaderEpoch(5));
    log.begin_leader_epoch(LeaderEpoch(5));
    let ended = log.end_offset_for_epoch(LeaderEpoch(4));
    assert_eq!(ended, Some((LeaderEpoch(2), Offset(1))));
    let checkpoint = folder.path().join("t-0/leader-epoch-checkpoint");
    let saved = || std::fs::read_to_string(&checkpoint).unwrap();
    assert_eq!(saved(), "0\n1\n2 0\n");
    append(&log, 5, 1, &[b"y"]).unwrap();
    assert_eq!(saved(), "0\n2\n2 0\n5 1\n");
}

#[test]
fn the_record_with_the_largest_time_is_found_before_the_log_start_too() {
    let (_folder, log) = with_config(LogConfig::default());
    for timestamp_ms in [3, 9, 5] {
        append(&log, 0, timestamp_ms, &[b"x"]).unwrap();
        log.advance_high_watermark(log.log_end_offset());
    }
    log.delete_records_before(Offset(2)).unwrap();
    let found = log.find_max_timestamp(Offset(3)).unwrap().unwrap();
    assert_eq!((found.offset, found.timestamp_ms), (Offset(1), 9));
    assert!(log.find_max_timestamp(Offset(1)).unwrap().is_none());
}

#[test]
fn a_search_by_time_never_fails_while_records_are_deleted() {
    const BATCHES: i64 = 300;
    let (_folder, log) = with_config(small_segments());
    for number in 0..BATCHES {
        append(&log, 0, number, &[&[1; 100]]).unwrap();
        log.advance_high_watermark(log.log_end_offset());
    }
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for offset in 0..BATCHES {
                log.delete_records_before(Offset(offset)).unwrap();
            }
        });
        while log.log_start_offset().0 < BATCHES - 1 {
            let found = log.find_by_timestamp(0, Offset(BATCHES)).unwrap();
            assert!(found.is_some());
            let start = log.log_start_offset();
            let read = log.read(start, 1000, MinimumBatches::One, Offset(BATCHES));
            assert!(read.is_ok() || log.log_start_offset() > start);
        }
    });
}
