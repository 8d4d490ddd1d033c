//! What the tests of this crate share.

use std::path::Path;

use bytes::Bytes;
use ottla_protocol::Uuid;
use ottla_protocol::ids::{LeaderEpoch, Offset, TopicId, TopicPartition};
use ottla_protocol::records::{
    BatchBuilder, BatchView, CompressionSpec, Compressor, Decompressor, ProducerFields, Rewrite,
    ValidatedBatch, batches,
};

use crate::log::{AppendError, AppendInfo, Log};
use crate::log_config::LogConfig;
use crate::log_read::MinimumBatches;
use crate::recovery::{self, OpenLog, OpenLogError, Shutdown};

/// Segments of a few batches.
pub(crate) fn small_segments() -> LogConfig {
    LogConfig {
        segment_bytes: 1000,
        index_interval_bytes: 200,
        ..LogConfig::default()
    }
}

/// How to open the log of partition `t-0`.
pub(crate) fn how(shutdown: Shutdown) -> OpenLog {
    OpenLog {
        topic_partition: TopicPartition::new("t", 0),
        config: small_segments(),
        shutdown,
        damage: crate::recovery::Damage::Cut,
        recovery_point: Offset(0),
        log_start_offset: Offset(0),
        high_watermark: Offset(i64::MAX),
        now_ms: 0,
        offline: Default::default(),
    }
}

pub(crate) fn create(directory: &Path) -> Log {
    let id = TopicId(Uuid([7; 16]));
    recovery::create(directory, id, how(Shutdown::Clean)).unwrap()
}

pub(crate) fn open(directory: &Path, shutdown: Shutdown) -> Result<Log, OpenLogError> {
    recovery::open(directory, how(shutdown))
}

/// A batch of one record for each value, at the given time, as a client sends it.
pub(crate) fn batch_of(
    timestamp_ms: i64,
    producer: Option<ProducerFields>,
    values: &[&[u8]],
) -> Bytes {
    let mut builder = BatchBuilder::new(CompressionSpec::None);
    if let Some(producer) = producer {
        builder = builder.with_producer(producer);
    }
    for value in values {
        builder
            .append(timestamp_ms, None, Some(value), &[])
            .unwrap();
    }
    builder.build(0, -1, &mut Compressor::default()).unwrap()
}

pub(crate) fn validated(batch: Bytes) -> ValidatedBatch {
    let batch = BatchView::new(batch).unwrap();
    ValidatedBatch {
        log_append_time: None,
        max_timestamp: batch.max_timestamp(),
        offset_delta_of_max_timestamp: 0,
        records_count: batch.records_count(),
        rewrite: Rewrite::Untouched,
        batch,
    }
}

pub(crate) fn append(
    log: &Log,
    epoch: i32,
    timestamp_ms: i64,
    values: &[&[u8]],
) -> Result<AppendInfo, AppendError> {
    let batch = validated(batch_of(timestamp_ms, None, values));
    log.append_as_leader(&batch, LeaderEpoch(epoch))
}

/// Every batch from the log start offset on, read in steps of `max_bytes`.
pub(crate) fn all_batches(log: &Log, max_bytes: usize) -> Vec<BatchView> {
    let mut found = Vec::new();
    let mut next = log.log_start_offset();
    loop {
        let records = log
            .read(next, max_bytes, MinimumBatches::One, log.log_end_offset())
            .unwrap();
        let before = found.len();
        for batch in batches(&records.to_bytes()) {
            let batch = batch.unwrap();
            batch.validate_crc().unwrap();
            next = Offset(batch.next_offset());
            found.push(batch);
        }
        if found.len() == before {
            return found;
        }
    }
}

/// Every record from the log start offset on: offset, timestamp, value.
pub(crate) fn all_records(log: &Log, max_bytes: usize) -> Vec<(i64, i64, Vec<u8>)> {
    let mut decompressor = Decompressor::default();
    let mut found = Vec::new();
    for batch in all_batches(log, max_bytes) {
        for record in batch.records(&mut decompressor).unwrap() {
            let record = record.unwrap();
            let value = record.value.map(|value| value.to_vec()).unwrap_or_default();
            if record.offset >= log.log_start_offset().0 {
                found.push((record.offset, record.timestamp, value));
            }
        }
    }
    found
}
