//! What a leader checks of the records of a produce request before it appends them.
//!
//! The rules are those of Kafka's `LogValidator` for format 2 and of the checks around it. One
//! pass over the records, nothing allocated for any of them; a batch that keeps its codec is
//! neither copied nor compressed again.

use std::ops::ControlFlow;

use bytes::Bytes;

use super::batch_iter::batches;
use super::batch_view::{BatchView, crc32c};
use super::compression::{Compression, CompressionSpec, Compressor, Decompressor};
use super::header::{
    BATCH_HEADER_SIZE_BYTES, BatchHeader, CRC_COVERED_FROM, LOG_OVERHEAD_BYTES, NO_TIMESTAMP,
    TimestampType,
};
use super::patch::{patched_header, with_timestamp};
use super::produce_error::{FaultReason, MAX_RECORD_FAULTS, ProduceError, RecordFault};
use super::walk::RecordNumbers;

/// The first version of Produce in which zstd is allowed (KIP-110).
pub(super) const ZSTD_MIN_PRODUCE_VERSION: i16 = 7;

/// The codec that a topic stores its records in (`compression.type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TopicCompression {
    /// Whichever the producer chose (`producer`).
    #[default]
    Producer,
    /// This one; `uncompressed` is [`CompressionSpec::None`].
    Fixed(CompressionSpec),
}

/// Whether a topic takes records without a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyRule {
    /// It does.
    #[default]
    Optional,
    /// It does not, being compacted (`cleanup.policy`).
    Required,
}

/// The rules for the records of one topic in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProduceRules {
    /// Version of the produce request.
    pub produce_version: i16,
    /// The broker's time, in ms since the epoch.
    pub now_ms: i64,
    /// `max.message.bytes`: the largest batch, in bytes.
    pub max_message_bytes: usize,
    /// `compression.type`.
    pub compression: TopicCompression,
    /// Whether records need a key.
    pub keys: KeyRule,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`: how far a record's time may lie behind the broker's.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`: how far a record's time may lie ahead of the broker's.
    pub timestamp_after_max_ms: i64,
}

/// What became of a batch's bytes while it was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// They are the request's own.
    Untouched,
    /// They are a copy with another timestamp type or max timestamp, as the producer's were wrong.
    Header,
    /// The records were compressed with the topic's codec.
    Recompressed,
}

/// A batch that may be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatedBatch {
    /// The batch, its base offset 0 and its leader epoch not set; see [`Self::header_at`].
    pub batch: BatchView,
    /// The time that replaces those of the records, in ms since the epoch, if the topic's
    /// timestamp type says so. It is not in `batch` yet.
    pub log_append_time: Option<i64>,
    /// The largest timestamp, in ms since the epoch or -1: the log append time if there is one.
    pub max_timestamp: i64,
    /// Offset of the first record that has the max timestamp, relative to the batch's. Kafka's
    /// time index names the batch's last offset instead.
    pub offset_delta_of_max_timestamp: i32,
    /// Number of records, at least 1.
    pub records_count: i32,
    /// Whether the bytes are the request's.
    pub rewrite: Rewrite,
}

impl ValidatedBatch {
    /// The header to append: `batch`'s with its offset, epoch and log append time. `batch`'s
    /// payload goes behind it.
    pub fn header_at(
        &self,
        base_offset: i64,
        partition_leader_epoch: i32,
    ) -> [u8; BATCH_HEADER_SIZE_BYTES] {
        patched_header(
            &self.batch,
            base_offset,
            partition_leader_epoch,
            self.log_append_time,
        )
    }
}

/// Checks what a client sent for one partition, which must be one batch, and brings it into the
/// topic's codec. Bytes of a second batch that are too few for one are ignored, as Kafka does.
///
/// Source: KIP-98, KIP-467 and `LogValidator`. Differs from Kafka: offsets inside the batch that
/// do not count up from 0 are refused whatever the codecs; Kafka appends them as they are when
/// there is no compression, renumbers them when it recompresses, and fails otherwise.
pub fn validate_produced(
    records: &Bytes,
    rules: &ProduceRules,
    decompressor: &mut Decompressor,
    compressor: &mut Compressor,
) -> Result<ValidatedBatch, ProduceError> {
    let batch = single_batch(records, rules)?;
    check_header(&batch, rules)?;
    let source = batch.compression()?;
    let times = check_records(&batch, rules, decompressor)?;

    let records_count = batch.records_count();
    let recompressed = match rules.compression {
        TopicCompression::Fixed(spec) if spec.compression() != source => {
            Some(recompress(&batch, spec, decompressor, compressor)?)
        }
        TopicCompression::Fixed(_) | TopicCompression::Producer => None,
    };
    let (batch, mut rewrite) = match recompressed {
        Some(batch) => (batch, Rewrite::Recompressed),
        None => (batch, Rewrite::Untouched),
    };
    check_size(batch.size_bytes(), rules)?;

    if rules.timestamp_type == TimestampType::LogAppendTime {
        return Ok(ValidatedBatch {
            batch,
            log_append_time: Some(rules.now_ms),
            max_timestamp: rules.now_ms,
            offset_delta_of_max_timestamp: 0,
            records_count,
            rewrite,
        });
    }
    let header = with_timestamp(
        batch.header(),
        TimestampType::CreateTime,
        times.max_timestamp,
    );
    let batch = if header == *batch.header() {
        batch
    } else {
        if rewrite == Rewrite::Untouched {
            rewrite = Rewrite::Header;
        }
        BatchView::new([&header.encode()[..], &batch.payload()].concat().into())?
    };
    Ok(ValidatedBatch {
        batch,
        log_append_time: None,
        max_timestamp: times.max_timestamp,
        offset_delta_of_max_timestamp: times.offset_delta,
        records_count,
        rewrite,
    })
}

/// The one batch of a partition in a produce request.
fn single_batch(records: &Bytes, rules: &ProduceRules) -> Result<BatchView, ProduceError> {
    let mut batches = batches(records);
    let batch = batches.next().ok_or(ProduceError::NoBatch)??;
    let version = rules.produce_version;
    if version < ZSTD_MIN_PRODUCE_VERSION && batch.compression() == Ok(Compression::Zstd) {
        return Err(ProduceError::ZstdTooEarly { version });
    }
    match batches.next() {
        None => Ok(batch),
        Some(Ok(_)) => Err(ProduceError::SeveralBatches),
        Some(Err(error)) => Err(error.into()),
    }
}

/// What can be told of a batch without its records, in Kafka's order.
fn check_header(batch: &BatchView, rules: &ProduceRules) -> Result<(), ProduceError> {
    let base_offset = batch.base_offset();
    if base_offset != 0 {
        return Err(ProduceError::BaseOffsetNotZero { base_offset });
    }
    check_size(batch.size_bytes(), rules)?;
    batch.validate_crc()?;
    batch.compression()?;
    let (last_offset_delta, records_count) = (batch.last_offset_delta(), batch.records_count());
    if records_count <= 0 || last_offset_delta != records_count - 1 {
        return Err(ProduceError::CountMismatch {
            last_offset_delta,
            records_count,
        });
    }
    if batch.is_control() {
        return Err(ProduceError::ControlBatch);
    }
    if batch.is_transactional() && batch.has_producer_id() {
        // It would never end: nobody has a transaction open here.
        let producer_id = batch.producer_id();
        return Err(ProduceError::NoTransaction { producer_id });
    }
    let (producer_id, base_sequence) = (batch.producer_id(), batch.base_sequence());
    if batch.has_producer_id() && base_sequence < 0 {
        return Err(ProduceError::NegativeSequence {
            producer_id,
            base_sequence,
        });
    }
    Ok(())
}

fn check_size(size_bytes: usize, rules: &ProduceRules) -> Result<(), ProduceError> {
    let limit_bytes = rules.max_message_bytes;
    if size_bytes > limit_bytes {
        return Err(ProduceError::BatchTooLarge {
            size_bytes,
            limit_bytes,
        });
    }
    Ok(())
}

/// The largest timestamp of a batch's records, and where it is first.
struct MaxTimestamp {
    max_timestamp: i64,
    offset_delta: i32,
}

fn check_records(
    batch: &BatchView,
    rules: &ProduceRules,
    decompressor: &mut Decompressor,
) -> Result<MaxTimestamp, ProduceError> {
    let mut max = MaxTimestamp {
        max_timestamp: NO_TIMESTAMP,
        offset_delta: 0,
    };
    let mut faults = Vec::new();
    let mut disorder = None;
    let batch_timestamp_type = batch.timestamp_type();
    batch.walk(decompressor, |record| {
        let RecordNumbers {
            index,
            offset_delta,
            timestamp,
            ..
        } = record;
        if offset_delta != index {
            disorder = Some(ProduceError::OffsetsNotSequential {
                index,
                offset_delta,
            });
            return ControlFlow::Break(());
        }
        if timestamp > max.max_timestamp {
            max = MaxTimestamp {
                max_timestamp: timestamp,
                offset_delta,
            };
        }
        if let Some(reason) = record_fault(&record, batch_timestamp_type, rules)
            && faults.len() < MAX_RECORD_FAULTS
        {
            faults.push(RecordFault { index, reason });
        }
        ControlFlow::Continue(())
    })?;
    if let Some(disorder) = disorder {
        return Err(disorder);
    }
    if faults.is_empty() {
        Ok(max)
    } else {
        Err(ProduceError::RecordFaults { faults })
    }
}

/// What is wrong with a record by the topic's rules, if anything.
fn record_fault(
    record: &RecordNumbers,
    batch_timestamp_type: TimestampType,
    rules: &ProduceRules,
) -> Option<FaultReason> {
    if rules.keys == KeyRule::Required && !record.has_key {
        return Some(FaultReason::NoKey);
    }
    let timestamp = record.timestamp;
    if rules.timestamp_type == TimestampType::CreateTime && timestamp != NO_TIMESTAMP {
        // In 128 bits, as both the limits and the timestamp may be any.
        let behind_ms = i128::from(rules.now_ms) - i128::from(timestamp);
        let is_out_of_range = behind_ms > i128::from(rules.timestamp_before_max_ms)
            || -behind_ms > i128::from(rules.timestamp_after_max_ms);
        return is_out_of_range.then(|| FaultReason::TimestampOutOfRange {
            timestamp,
            earliest: rules.now_ms.saturating_sub(rules.timestamp_before_max_ms),
            latest: rules.now_ms.saturating_add(rules.timestamp_after_max_ms),
        });
    }
    (batch_timestamp_type == TimestampType::LogAppendTime)
        .then_some(FaultReason::LogAppendTimeFromProducer)
}

/// The batch with its records in another codec. Records do not name their codec, so their bytes
/// are the same.
fn recompress(
    batch: &BatchView,
    spec: CompressionSpec,
    decompressor: &mut Decompressor,
    compressor: &mut Compressor,
) -> Result<BatchView, ProduceError> {
    let records = decompressor
        .decompress(batch.compression()?, &batch.payload())
        .map_err(super::record::RecordError::from)?;
    let mut bytes = Vec::with_capacity(BATCH_HEADER_SIZE_BYTES + records.len() / 2);
    bytes.resize(BATCH_HEADER_SIZE_BYTES, 0);
    compressor.compress(spec, &records, &mut bytes)?;
    let too_large = ProduceError::BatchTooLarge {
        size_bytes: bytes.len(),
        limit_bytes: i32::MAX as usize,
    };
    let length = i32::try_from(bytes.len() - LOG_OVERHEAD_BYTES).map_err(|_| too_large)?;
    let attributes = batch
        .header()
        .attributes
        .known()
        .with_compression(spec.compression());
    let mut header = BatchHeader {
        length,
        attributes,
        ..*batch.header()
    };
    bytes[..BATCH_HEADER_SIZE_BYTES].copy_from_slice(&header.encode());
    header.crc = crc32c(&bytes[CRC_COVERED_FROM..]);
    bytes[..BATCH_HEADER_SIZE_BYTES].copy_from_slice(&header.encode());
    Ok(BatchView::new(bytes.into())?)
}
