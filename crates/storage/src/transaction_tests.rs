//! Transactions as consumers that read only committed records see them, across restarts.

use ottla_protocol::ids::{LeaderEpoch, Offset, ProducerId};
use ottla_protocol::records::{
    BatchBuilder, CompressionSpec, Compressor, ControlRecordType, ProducerFields,
};

use crate::log::Log;
use crate::recovery::Shutdown;
use crate::testing::{create, open, validated};

const PRODUCER: i64 = 7;

fn fields(base_sequence: i32) -> ProducerFields {
    ProducerFields {
        producer_id: PRODUCER,
        producer_epoch: 0,
        base_sequence,
    }
}

fn write(log: &Log, sequence: i32) {
    let mut builder = BatchBuilder::new(CompressionSpec::None)
        .with_producer(fields(sequence))
        .with_transactional();
    builder.append(1, None, Some(b"value"), &[]).unwrap();
    let batch = builder.build(0, -1, &mut Compressor::default()).unwrap();
    log.append_as_leader(&validated(batch), LeaderEpoch(0))
        .unwrap();
}

/// Appends a marker.
fn abort(log: &Log) {
    let mut builder = BatchBuilder::control()
        .with_producer(fields(-1))
        .with_transactional();
    let value = [0, 0, 0, 0, 0, 3];
    let key = ControlRecordType::Abort.key();
    builder.append(1, Some(&key), Some(&value), &[]).unwrap();
    let end = log.log_end_offset().0;
    let marker = builder.build(end, 0, &mut Compressor::default()).unwrap();
    // Leaders and followers treat it alike.
    match end % 4 {
        1 => log.append_as_follower(&marker).map(|_| ()),
        _ => log
            .append_as_leader(&validated(marker), LeaderEpoch(0))
            .map(|_| ()),
    }
    .unwrap();
}

#[test]
fn a_marker_counts_once_the_high_watermark_is_past_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = create(&folder.path().join("t-0"));
    write(&log, 0);
    write(&log, 1);
    log.advance_high_watermark(Offset(2));
    assert_eq!(log.last_stable_offset(), Offset(0));
    abort(&log);
    assert_eq!(
        log.last_stable_offset(),
        Offset(0),
        "it could still be lost"
    );
    log.advance_high_watermark(Offset(3));
    assert_eq!(log.last_stable_offset(), Offset(3));
}

#[test]
fn aborted_transactions_are_known_after_either_stop_and_gone_when_cut() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("t-0");
    let mut log = create(&directory);
    // Enough for several segments.
    for number in 0..12 {
        write(&log, number);
        log.advance_high_watermark(log.log_end_offset());
        abort(&log);
        log.advance_high_watermark(log.log_end_offset());
    }
    let expected = log.aborted_transactions(Offset(0), Offset(24));
    assert_eq!(expected.len(), 12);
    assert_eq!(expected[1].producer_id, ProducerId(PRODUCER));
    let offsets = |at: usize| (expected[at].first_offset, expected[at].last_offset);
    assert_eq!(offsets(1), (Offset(2), Offset(3)));
    for shutdown in [Shutdown::Unclean, Shutdown::Clean, Shutdown::Unclean] {
        log.close(0).unwrap();
        log = open(&directory, shutdown).unwrap();
        assert_eq!(log.aborted_transactions(Offset(0), Offset(24)), expected);
        assert_eq!(log.active_producers()[0].coordinator_epoch, 3);
    }
    log.truncate_to(Offset(5)).unwrap();
    assert_eq!(
        log.aborted_transactions(Offset(0), Offset(24)),
        expected[..2]
    );
    assert_eq!(
        log.last_stable_offset(),
        Offset(4),
        "the third is open again"
    );
    log = open(&directory, Shutdown::Unclean).unwrap();
    assert_eq!(log.last_stable_offset(), Offset(4));
}
