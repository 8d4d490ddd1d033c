//! What goes into a partition and comes out of it.

use ottla_protocol::ids::{LeaderEpoch, Offset};
use ottla_protocol::{ErrorCode, Records};
use ottla_storage::{AbortedTransaction, MinimumBatches};

/// How safe records must be before a producer is answered. Source: Produce `acks`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequiredAcks {
    /// Not answered at all (0).
    None,
    /// In the leader's log (1).
    Leader,
    /// In the logs of all in-sync replicas (-1).
    All,
}

impl RequiredAcks {
    /// The wire's number.
    pub fn from_code(code: i16) -> Option<Self> {
        match code {
            0 => Some(Self::None),
            1 => Some(Self::Leader),
            -1 => Some(Self::All),
            _ => None,
        }
    }
}

/// Which records a consumer reads. Source: Fetch `isolation_level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsolationLevel {
    /// All below the high watermark (0).
    ReadUncommitted,
    /// Those below the last stable offset (1).
    ReadCommitted,
}

impl IsolationLevel {
    /// The wire's number; whatever is not 1 reads everything, as in Kafka.
    pub fn from_code(code: i8) -> Self {
        if code == 1 {
            Self::ReadCommitted
        } else {
            Self::ReadUncommitted
        }
    }
}

/// Records that were appended.
#[derive(Clone, Copy, Debug)]
pub struct Appended {
    /// Offset of the first one.
    pub base_offset: Offset,
    /// The time that replaced theirs, milliseconds since the epoch, or -1.
    pub log_append_time_ms: i64,
    /// The log start offset.
    pub log_start_offset: Offset,
}

/// A record that is the reason why its batch was refused (KIP-467).
#[derive(Clone, Debug)]
pub struct RecordFailure {
    /// Its index in the batch.
    pub index: i32,
    /// Why.
    pub message: Option<String>,
}

/// Records that were not appended.
#[derive(Clone, Debug)]
pub struct AppendFailure {
    /// Kafka's code.
    pub code: ErrorCode,
    /// What to tell the client beyond the code.
    pub message: Option<String>,
    /// The records at fault.
    pub record_errors: Vec<RecordFailure>,
    /// The log start offset, or -1.
    pub log_start_offset: i64,
}

impl AppendFailure {
    /// A failure of which the code says it all.
    pub fn of(code: ErrorCode) -> Self {
        Self {
            code,
            message: None,
            record_errors: Vec::new(),
            log_start_offset: -1,
        }
    }

    /// A failure with words of its own.
    pub(crate) fn with_message(code: ErrorCode, message: String) -> Self {
        Self {
            message: Some(message),
            ..Self::of(code)
        }
    }
}

/// How much may be read.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimits {
    /// Bytes of records.
    pub max_bytes: usize,
    /// Whether the first batch is read even if it is larger (KIP-74).
    pub minimum: MinimumBatches,
}

/// What was read.
#[derive(Debug)]
pub struct PartitionRead {
    /// Whole batches.
    pub records: Records,
    /// The high watermark.
    pub high_watermark: Offset,
    /// The last stable offset.
    pub last_stable_offset: Offset,
    /// The log start offset.
    pub log_start_offset: Offset,
    /// Where the reader's log and this one part, if it asked and they do (KIP-595).
    pub diverging_epoch: Option<(LeaderEpoch, Offset)>,
    /// The aborted transactions among the records, for a reader of committed ones.
    pub aborted_transactions: Vec<AbortedTransaction>,
}

/// Nothing was read.
#[derive(Clone, Copy, Debug)]
pub struct ReadFailure {
    /// Kafka's code.
    pub code: ErrorCode,
    /// The log start offset, or -1.
    pub log_start_offset: i64,
}

impl ReadFailure {
    /// A failure of which the code says it all.
    pub fn of(code: ErrorCode) -> Self {
        Self {
            code,
            log_start_offset: -1,
        }
    }
}

/// What ListOffsets asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetQuery {
    /// The end of what the reader may read (-1).
    Latest,
    /// The log start offset (-2), which is also the first local one (-4).
    Earliest,
    /// The record with the largest timestamp (-3).
    MaxTimestamp,
    /// What only tiered partitions have (-5, -6).
    Tiered,
    /// The first record of this time or later, milliseconds since the epoch.
    Time(i64),
}

impl OffsetQuery {
    /// The wire's timestamp, as `version` of ListOffsets understands it.
    pub fn from_timestamp(timestamp: i64, version: i16) -> Result<Self, ErrorCode> {
        let (query, first_version) = match timestamp {
            -1 => (Self::Latest, 1),
            -2 => (Self::Earliest, 1),
            -3 => (Self::MaxTimestamp, 7),
            -4 => (Self::Earliest, 8),
            -5 => (Self::Tiered, 9),
            -6 => (Self::Tiered, 11),
            time if time >= 0 => (Self::Time(time), 1),
            _ => return Err(ErrorCode::UnsupportedVersion),
        };
        if version >= first_version {
            Ok(query)
        } else {
            Err(ErrorCode::UnsupportedVersion)
        }
    }
}

/// What ListOffsets answers; -1 stands for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundOffset {
    /// The record's timestamp, milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// The offset.
    pub offset: i64,
    /// Leader epoch of the record at the offset.
    pub leader_epoch: i32,
}

impl FoundOffset {
    /// No such record.
    pub(crate) const NOTHING: Self = Self {
        timestamp_ms: -1,
        offset: -1,
        leader_epoch: -1,
    };
}
