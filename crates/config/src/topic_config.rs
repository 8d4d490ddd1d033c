//! The effective configuration of one topic: its own properties over the broker's.
//!
//! Source: Kafka's topic configs; each field is named after its property, and units are in the
//! name.

use std::fmt;

use crate::table;
use crate::value::{Value, ValueError};
use crate::values::{ConfigMap, Values};

/// Milliseconds in a minute.
const MS_PER_MINUTE: i64 = 60 * 1000;
/// Milliseconds in an hour.
const MS_PER_HOUR: i64 = 60 * MS_PER_MINUTE;

/// What a topic has where it sets nothing of its own: the broker's properties under the topics'
/// names.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicDefaults {
    values: Values,
}

impl TopicDefaults {
    /// Takes them from a broker's values, its dynamic ones included.
    pub(crate) fn from_broker(broker: &Values) -> Self {
        let mut values = Values::of_defaults(&table::TOPIC);
        for property in table::TOPIC.iter() {
            if let Some(synonym) = property.broker_synonym {
                values.replace(property.name, broker.get(synonym).cloned());
            }
        }
        values.replace("segment.ms", Some(Value::Long(log_roll_ms(broker))));
        values.replace(
            "segment.jitter.ms",
            Some(Value::Long(log_roll_jitter_ms(broker))),
        );
        values.replace("retention.ms", Some(Value::Long(log_retention_ms(broker))));
        values.replace("flush.ms", Some(Value::Long(log_flush_interval_ms(broker))));
        Self { values }
    }

    pub(crate) fn values(&self) -> &Values {
        &self.values
    }

    /// The defaults with the properties of one topic over them. Names that are not topics' are
    /// left out.
    pub(crate) fn with_overrides(&self, overrides: &ConfigMap) -> Result<Values, ValueError> {
        let mut values = self.values.clone();
        for (name, text) in overrides {
            if let Some(property) = table::TOPIC.get(name) {
                values.replace(property.name, Some(property.parse(text)?));
            }
        }
        Ok(values)
    }
}

/// `log.roll.ms`, or `log.roll.hours` in its place.
pub(crate) fn log_roll_ms(broker: &Values) -> i64 {
    let hours = || i64::from(broker.int("log.roll.hours")) * MS_PER_HOUR;
    broker.optional_long("log.roll.ms").unwrap_or_else(hours)
}

/// `log.roll.jitter.ms`, or `log.roll.jitter.hours` in its place.
pub(crate) fn log_roll_jitter_ms(broker: &Values) -> i64 {
    let hours = || i64::from(broker.int("log.roll.jitter.hours")) * MS_PER_HOUR;
    broker
        .optional_long("log.roll.jitter.ms")
        .unwrap_or_else(hours)
}

/// `log.retention.ms`, or `.minutes` or `.hours` in its place; everything negative is -1, no limit.
pub(crate) fn log_retention_ms(broker: &Values) -> i64 {
    let hours = || i64::from(broker.int("log.retention.hours")) * MS_PER_HOUR;
    let minutes = || broker.optional_int("log.retention.minutes");
    let retention_ms = broker.optional_long("log.retention.ms").unwrap_or_else(|| {
        minutes().map_or_else(hours, |minutes| i64::from(minutes) * MS_PER_MINUTE)
    });
    retention_ms.max(-1)
}

/// `log.flush.interval.ms`, or `log.flush.scheduler.interval.ms` in its place.
fn log_flush_interval_ms(broker: &Values) -> i64 {
    let scheduler = || broker.long("log.flush.scheduler.interval.ms");
    broker
        .optional_long("log.flush.interval.ms")
        .unwrap_or_else(scheduler)
}

/// What happens to old segments. Neither: nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// Old segments are compacted.
    pub compact: bool,
    /// Old segments are deleted.
    pub delete: bool,
}

/// The codec of stored batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompressionType {
    /// None.
    Uncompressed,
    /// Gzip.
    Gzip,
    /// Snappy.
    Snappy,
    /// LZ4.
    Lz4,
    /// Zstandard.
    Zstd,
    /// Whatever the producer used.
    Producer,
}

impl CompressionType {
    /// Kafka's name of the codec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uncompressed => "uncompressed",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
            Self::Producer => "producer",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [
            Self::Uncompressed,
            Self::Gzip,
            Self::Snappy,
            Self::Lz4,
            Self::Zstd,
            Self::Producer,
        ]
        .into_iter()
        .find(|compression_type| compression_type.name() == name)
    }
}

impl fmt::Display for CompressionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whose time a record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageTimestampType {
    /// The producer's.
    CreateTime,
    /// That of the append to the log.
    LogAppendTime,
}

/// The effective configuration of one topic.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicConfig {
    /// What happens to old segments.
    pub cleanup_policy: CleanupPolicy,
    /// The codec of stored batches.
    pub compression_type: CompressionType,
    /// The gzip level, 1 to 9, or -1 for the library's own choice.
    pub compression_gzip_level: i32,
    /// The lz4 level, 1 to 17.
    pub compression_lz4_level: i32,
    /// The zstd level, -131072 to 22.
    pub compression_zstd_level: i32,
    /// How long a deleted file stays on disk.
    pub file_delete_delay_ms: i64,
    /// How many records may be unflushed.
    pub flush_messages: i64,
    /// How long a record may be unflushed.
    pub flush_ms: i64,
    /// How many bytes lie between two entries of an index.
    pub index_interval_bytes: i32,
    /// How long a record may stay out of compaction.
    pub max_compaction_lag_ms: i64,
    /// The largest batch that is taken.
    pub max_message_bytes: i32,
    /// How far a record's time may lie after the broker's.
    pub message_timestamp_after_max_ms: i64,
    /// How far a record's time may lie before the broker's.
    pub message_timestamp_before_max_ms: i64,
    /// Whose time a record carries.
    pub message_timestamp_type: MessageTimestampType,
    /// How many replicas must be in sync for a write with acks=all.
    pub min_insync_replicas: i32,
    /// Whether a new segment gets its full size at once.
    pub preallocate: bool,
    /// The greatest size of a segment (`internal.segment.bytes` where that is set).
    pub segment_bytes: i32,
    /// The largest size of an index file.
    pub segment_index_bytes: i32,
    /// How much a segment may start earlier, at random.
    pub segment_jitter_ms: i64,
    /// The greatest age of a segment.
    pub segment_ms: i64,
}

impl TopicConfig {
    /// The configuration of a topic that sets `overrides` itself. Unknown names are left out.
    pub fn new(defaults: &TopicDefaults, overrides: &ConfigMap) -> Result<Self, ValueError> {
        Ok(Self::from_values(&defaults.with_overrides(overrides)?))
    }

    /// The configuration of a topic that sets nothing.
    pub fn default_of(defaults: &TopicDefaults) -> Self {
        Self::from_values(defaults.values())
    }

    fn from_values(values: &Values) -> Self {
        let policies = values.list("cleanup.policy");
        let has_policy = |policy: &str| policies.iter().any(|one| one == policy);
        let compression_type = values.string("compression.type");
        Self {
            cleanup_policy: CleanupPolicy {
                compact: has_policy("compact"),
                delete: has_policy("delete"),
            },
            compression_type: CompressionType::from_name(compression_type).unwrap_or_else(|| {
                panic!("{compression_type} has passed the check of its property")
            }),
            compression_gzip_level: values.int("compression.gzip.level"),
            compression_lz4_level: values.int("compression.lz4.level"),
            compression_zstd_level: values.int("compression.zstd.level"),
            file_delete_delay_ms: values.long("file.delete.delay.ms"),
            flush_messages: values.long("flush.messages"),
            flush_ms: values.long("flush.ms"),
            index_interval_bytes: values.int("index.interval.bytes"),
            max_compaction_lag_ms: values.long("max.compaction.lag.ms"),
            max_message_bytes: values.int("max.message.bytes"),
            message_timestamp_after_max_ms: values.long("message.timestamp.after.max.ms"),
            message_timestamp_before_max_ms: values.long("message.timestamp.before.max.ms"),
            message_timestamp_type: match values.string("message.timestamp.type") {
                "LogAppendTime" => MessageTimestampType::LogAppendTime,
                _ => MessageTimestampType::CreateTime,
            },
            min_insync_replicas: values.int("min.insync.replicas"),
            preallocate: values.boolean("preallocate"),
            segment_bytes: values
                .optional_int("internal.segment.bytes")
                .unwrap_or_else(|| values.int("segment.bytes")),
            segment_index_bytes: values.int("segment.index.bytes"),
            segment_jitter_ms: values.long("segment.jitter.ms"),
            segment_ms: values.long("segment.ms"),
        }
    }

    /// The age at which a segment is rolled: a compacted topic must not exceed its compaction lag.
    /// Source: `LogConfig.maxSegmentMs`.
    pub fn max_segment_ms(&self) -> i64 {
        if self.cleanup_policy.compact && self.max_compaction_lag_ms > 0 {
            self.max_compaction_lag_ms.min(self.segment_ms)
        } else {
            self.segment_ms
        }
    }
}

#[cfg(test)]
mod tests;
