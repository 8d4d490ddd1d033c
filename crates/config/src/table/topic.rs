//! Properties of a topic.

use super::row::notation::*;

#[rustfmt::skip]
pub(super) const PROPERTIES: &[Property] = properties! {
    "cleanup.policy": List = "delete", list_of(&["compact", "delete"]), Medium PerResource <- "log.cleanup.policy", without(Feature::Retention);
        "What happens to old segments: delete, compact, both, or nothing."
    "compression.gzip.level": Int = "-1", GzipLevel, Medium PerResource <- "compression.gzip.level", ACTS;
        "How hard the broker compresses when it writes gzip itself."
    "compression.lz4.level": Int = "9", between(1.0, 17.0), Medium PerResource <- "compression.lz4.level", ACTS;
        "How hard the broker compresses when it writes lz4 itself."
    "compression.type": String = "producer", OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), Medium PerResource <- "compression.type", ACTS;
        "The codec of stored batches; 'producer' keeps what the producer chose."
    "compression.zstd.level": Int = "3", between(-131072.0, 22.0), Medium PerResource <- "compression.zstd.level", ACTS;
        "How hard the broker compresses when it writes zstd itself."
    "delete.retention.ms": Long = "86400000", at_least(0), Medium PerResource <- "log.cleaner.delete.retention.ms", without(Feature::Compaction);
        "How long a compacted topic keeps the marks of deleted keys."
    "file.delete.delay.ms": Long = "60000", at_least(0), Medium PerResource <- "log.segment.delete.delay.ms", ACTS;
        "How long a deleted file stays on disk, for those who still read it."
    "flush.messages": Long = "9223372036854775807", at_least(1), Medium PerResource <- "log.flush.interval.messages", ACTS;
        "How many records may be unflushed; 1 makes every write durable before it is acknowledged."
    "flush.ms": Long = "9223372036854775807", at_least(0), Medium PerResource <- "log.flush.interval.ms", ACTS;
        "How long a record may be unflushed before it is written to the disk."
    "follower.replication.throttled.replicas": List = "", ThrottledReplicas, Medium PerResource, without(Feature::Quotas);
        "The replicas whose follower is throttled, as partition:broker, or *."
    "index.interval.bytes": Int = "4096", at_least(0), Medium PerResource <- "log.index.interval.bytes", ACTS;
        "How many bytes of a segment lie between two entries of its offset index."
    "internal.segment.bytes": Int = null, Any, Medium PerResource + internal, ACTS;
        "A segment size without a lower bound, for tests."
    "leader.replication.throttled.replicas": List = "", ThrottledReplicas, Medium PerResource, without(Feature::Quotas);
        "The replicas whose leader is throttled, as partition:broker, or *."
    "local.retention.bytes": Long = "-2", at_least(-2), Medium PerResource <- "log.local.retention.bytes", without(Feature::TieredStorage);
        "How many bytes of a tiered partition stay on the local disk; -2 means as retention.bytes."
    "local.retention.ms": Long = "-2", at_least(-2), Medium PerResource <- "log.local.retention.ms", without(Feature::TieredStorage);
        "How long a tiered segment stays on the local disk; -2 means as retention.ms."
    "max.compaction.lag.ms": Long = "9223372036854775807", at_least(1), Medium PerResource <- "log.cleaner.max.compaction.lag.ms", without(Feature::Compaction);
        "How long a record may stay out of compaction."
    "max.message.bytes": Int = "1048588", at_least(0), Medium PerResource <- "message.max.bytes", ACTS;
        "The largest batch of records that is taken."
    "message.timestamp.after.max.ms": Long = "3600000", at_least(0), Medium PerResource <- "log.message.timestamp.after.max.ms", ACTS;
        "How far a record's time may lie after the broker's."
    "message.timestamp.before.max.ms": Long = "9223372036854775807", at_least(0), Medium PerResource <- "log.message.timestamp.before.max.ms", ACTS;
        "How far a record's time may lie before the broker's."
    "message.timestamp.type": String = "CreateTime", OneOf(&["CreateTime", "LogAppendTime"]), Medium PerResource <- "log.message.timestamp.type", ACTS;
        "Whose time a record carries: the producer's or that of the append."
    "min.cleanable.dirty.ratio": Double = "0.5", between(0.0, 1.0), Medium PerResource <- "log.cleaner.min.cleanable.ratio", without(Feature::Compaction);
        "The share of a log that must be uncompacted before it is cleaned."
    "min.compaction.lag.ms": Long = "0", at_least(0), Medium PerResource <- "log.cleaner.min.compaction.lag.ms", without(Feature::Compaction);
        "How long a record must stay out of compaction."
    "min.insync.replicas": Int = "1", at_least(1), Medium PerResource <- "min.insync.replicas", ACTS;
        "How many replicas must be in sync for a write with acks=all."
    "preallocate": Boolean = "false", Any, Medium PerResource <- "log.preallocate", ACTS;
        "Whether a new segment gets its full size on disk at once."
    "remote.log.copy.disable": Boolean = "false", Any, Medium PerResource, without(Feature::TieredStorage);
        "Whether a tiered topic copies nothing more to remote storage."
    "remote.log.delete.on.disable": Boolean = "false", Any, Medium PerResource, without(Feature::TieredStorage);
        "Whether turning tiering off deletes what is in remote storage."
    "remote.storage.enable": Boolean = "false", Any, Medium PerResource, without(Feature::TieredStorage);
        "Whether the topic is tiered."
    "retention.bytes": Long = "-1", Any, Medium PerResource <- "log.retention.bytes", without(Feature::Retention);
        "How large a partition may grow before its oldest segments are deleted; -1 is no limit."
    "retention.ms": Long = "604800000", at_least(-1), Medium PerResource <- "log.retention.ms", without(Feature::Retention);
        "How long segments are kept; -1 is forever."
    "segment.bytes": Int = "1073741824", at_least(1048576), Medium PerResource <- "log.segment.bytes", ACTS;
        "The greatest size of a segment before a new one starts."
    "segment.index.bytes": Int = "10485760", at_least(4), Medium PerResource <- "log.index.size.max.bytes", ACTS;
        "The largest size of an index file."
    "segment.jitter.ms": Long = "0", at_least(0), Medium PerResource <- "log.roll.jitter.ms", ACTS;
        "How much a segment may start earlier, at random, so that not all start at once."
    "segment.ms": Long = "604800000", at_least(1), Medium PerResource <- "log.roll.ms", ACTS;
        "The greatest age of a segment before a new one starts."
    "unclean.leader.election.enable": Boolean = "false", Any, Medium PerResource <- "unclean.leader.election.enable", without(Feature::Replication);
        "Whether a replica that is not in sync may lead as a last resort, at the price of lost records."
};
