//! Why the records of a produce request are refused.

use super::batch_view::BatchError;
use super::compression::{CompressError, DecompressError, UnknownCompression};
use super::record::RecordError;
use crate::ErrorCode;

/// Why [`validate_produced`](super::validate_produced) refuses a partition's records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProduceError {
    /// There is not one whole batch.
    #[error("produce request has no whole record batch for the partition")]
    NoBatch,
    /// There is more than one batch.
    #[error("produce request has more than one record batch for the partition")]
    SeveralBatches,
    /// The batch is broken, or of an old format.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The client's version of Produce came before zstd (KIP-110).
    #[error("produce requests below version 7 may not use zstd, this one has version {version}")]
    ZstdTooEarly {
        /// The request's version.
        version: i16,
    },
    /// The batch has an offset already.
    #[error("record batch to append has base offset {base_offset} instead of 0")]
    BaseOffsetNotZero {
        /// The base offset.
        base_offset: i64,
    },
    /// The batch, as sent or as recompressed, is larger than the topic's `max.message.bytes`.
    #[error("record batch has {size_bytes} bytes, more than the limit of {limit_bytes}")]
    BatchTooLarge {
        /// The batch's size.
        size_bytes: usize,
        /// `max.message.bytes`.
        limit_bytes: usize,
    },
    /// The offsets that the header gives room for are not as many as the records it declares.
    #[error("record batch has last offset delta {last_offset_delta} and {records_count} records")]
    CountMismatch {
        /// The last record's offset by the header, relative to the batch's.
        last_offset_delta: i32,
        /// The number of records by the header.
        records_count: i32,
    },
    /// Clients may not write control records.
    #[error("clients may not write control records")]
    ControlBatch,
    /// The batch is part of a transaction that was not begun.
    #[error("no transaction of producer id {producer_id} is open")]
    NoTransaction {
        /// The producer id.
        producer_id: i64,
    },
    /// An idempotent producer gave no sequence.
    #[error("record batch of producer id {producer_id} has base sequence {base_sequence}")]
    NegativeSequence {
        /// The producer id.
        producer_id: i64,
        /// The base sequence.
        base_sequence: i32,
    },
    /// The codec id means nothing.
    #[error(transparent)]
    UnknownCompression(#[from] UnknownCompression),
    /// A record cannot be read, or there are more or fewer than declared.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The offsets of the records do not count up from 0.
    #[error("record {index} of the batch has offset delta {offset_delta}")]
    OffsetsNotSequential {
        /// The record's place in the batch, from 0.
        index: i32,
        /// Its offset, relative to the batch's.
        offset_delta: i32,
    },
    /// Some records break the topic's rules.
    #[error("{} of the batch's records are refused", faults.len())]
    RecordFaults {
        /// One for each such record in order, up to [`MAX_RECORD_FAULTS`].
        faults: Vec<RecordFault>,
    },
    /// The records cannot be put into the topic's codec.
    #[error(transparent)]
    Compress(#[from] CompressError),
}

/// The most faults that are reported of one batch.
pub const MAX_RECORD_FAULTS: usize = 10_000;

/// Why one record is refused (KIP-467); its `Display` is the message for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordFault {
    /// The record's place in the batch, from 0.
    pub index: i32,
    /// What is wrong with it.
    pub reason: FaultReason,
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultReason {
    /// A compacted topic takes only records with a key.
    #[error("a compacted topic does not accept a record without a key")]
    NoKey,
    /// The time is outside what the topic allows.
    #[error("timestamp {timestamp} is outside of the allowed range [{earliest}, {latest}]")]
    TimestampOutOfRange {
        /// The record's, in ms since the epoch.
        timestamp: i64,
        /// The broker's time less `message.timestamp.before.max.ms`.
        earliest: i64,
        /// The broker's time and `message.timestamp.after.max.ms`.
        latest: i64,
    },
    /// Only a leader sets log append times.
    #[error("a producer may not set the timestamp type to LogAppendTime")]
    LogAppendTimeFromProducer,
}

impl std::fmt::Display for RecordFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.reason.fmt(f)
    }
}

impl FaultReason {
    fn is_timestamp(self) -> bool {
        match self {
            Self::NoKey => false,
            Self::TimestampOutOfRange { .. } | Self::LogAppendTimeFromProducer => true,
        }
    }
}

impl ProduceError {
    /// The error code of the partition in the produce response.
    ///
    /// Source: the reference broker's answers. Differs from Kafka where a batch is
    /// larger decompressed than the broker's limit, which Kafka has not: the code makes a producer
    /// split the batch.
    pub fn error_code(&self) -> ErrorCode {
        match self {
            Self::NoBatch
            | Self::SeveralBatches
            | Self::BaseOffsetNotZero { .. }
            | Self::CountMismatch { .. }
            | Self::ControlBatch
            | Self::NegativeSequence { .. }
            | Self::OffsetsNotSequential { .. } => ErrorCode::InvalidRecord,
            Self::NoTransaction { .. } => ErrorCode::InvalidProducerIdMapping,
            Self::Batch(error) => batch_error_code(error),
            Self::ZstdTooEarly { .. } => ErrorCode::UnsupportedCompressionType,
            Self::BatchTooLarge { .. } => ErrorCode::MessageTooLarge,
            Self::UnknownCompression(UnknownCompression { .. }) => ErrorCode::UnknownServerError,
            Self::Record(error) => record_error_code(error),
            Self::RecordFaults { faults } => {
                if faults.iter().any(|fault| fault.reason.is_timestamp()) {
                    ErrorCode::InvalidTimestamp
                } else {
                    ErrorCode::InvalidRecord
                }
            }
            Self::Compress(CompressError::Failed { .. }) => ErrorCode::UnknownServerError,
        }
    }

    /// Whether Kafka refuses such records before it knows of the partition's log, so that the answer to a Produce of
    /// `version` has no log start offset. Source: the reference broker's answers.
    pub fn is_before_log(&self, version: i16) -> bool {
        match self {
            Self::NoBatch
            | Self::SeveralBatches
            | Self::Batch(_)
            | Self::ZstdTooEarly { .. }
            | Self::BatchTooLarge { .. } => true,
            Self::UnknownCompression(_) => version < super::validate::ZSTD_MIN_PRODUCE_VERSION,
            Self::BaseOffsetNotZero { .. }
            | Self::CountMismatch { .. }
            | Self::ControlBatch
            | Self::NegativeSequence { .. }
            | Self::OffsetsNotSequential { .. }
            | Self::Record(_)
            | Self::RecordFaults { .. }
            | Self::NoTransaction { .. }
            | Self::Compress(_) => false,
        }
    }

    /// The faults of single records, for the response's `record_errors` (KIP-467).
    pub fn record_faults(&self) -> &[RecordFault] {
        match self {
            Self::RecordFaults { faults } => faults,
            _ => &[],
        }
    }
}

fn batch_error_code(error: &BatchError) -> ErrorCode {
    match error {
        BatchError::LegacyMagic { .. } => ErrorCode::InvalidRecord,
        BatchError::LengthTooSmall { .. }
        | BatchError::UnknownMagic { .. }
        | BatchError::Truncated { .. }
        | BatchError::TrailingBytes { .. }
        | BatchError::CrcMismatch { .. } => ErrorCode::CorruptMessage,
    }
}

fn record_error_code(error: &RecordError) -> ErrorCode {
    match error {
        RecordError::Truncated
        | RecordError::VarintTooLong
        | RecordError::LengthMismatch { .. }
        | RecordError::NegativeHeaderCount { .. }
        | RecordError::NullHeaderKey { .. }
        | RecordError::NegativeRecordCount { .. }
        | RecordError::TrailingBytes => ErrorCode::InvalidRecord,
        RecordError::UnknownCompression(_) => ErrorCode::UnknownServerError,
        RecordError::Decompress(DecompressError::LimitExceeded { .. }) => {
            ErrorCode::MessageTooLarge
        }
        RecordError::Decompress(_) => ErrorCode::UnknownServerError,
    }
}
