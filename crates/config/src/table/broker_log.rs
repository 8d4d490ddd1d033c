//! Broker properties of the logs on disk, most of them defaults for topics.

use super::row::notation::*;

#[rustfmt::skip]
pub(super) const PROPERTIES: &[Property] = properties! {
    "compression.gzip.level": Int = "-1", GzipLevel, Medium ClusterWide, ACTS;
        "How hard the broker compresses when it writes gzip itself."
    "compression.lz4.level": Int = "9", between(1.0, 17.0), Medium ClusterWide, ACTS;
        "How hard the broker compresses when it writes lz4 itself."
    "compression.type": String = "producer", OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), High ClusterWide, ACTS;
        "The codec of stored batches; 'producer' keeps what the producer chose."
    "compression.zstd.level": Int = "3", between(-131072.0, 22.0), Medium ClusterWide, ACTS;
        "How hard the broker compresses when it writes zstd itself."
    "cordoned.log.dirs": List = "", LIST_OR_NULL, Medium PerBroker, ACTS;
        "Log directories that get no new partitions; * means all of them."
    "log.cleaner.backoff.ms": Long = "15000", at_least(0), Medium ClusterWide, without(Feature::Compaction);
        "How long an idle cleaner sleeps."
    "log.cleaner.dedupe.buffer.size": Long = "134217728", Any, Medium ClusterWide, without(Feature::Compaction);
        "The memory of all cleaners for the keys they compare."
    "log.cleaner.delete.retention.ms": Long = "86400000", at_least(0), Medium ClusterWide, without(Feature::Compaction);
        "How long a compacted log keeps the marks of deleted keys."
    "log.cleaner.enable": Boolean = "true", Any, Medium ReadOnly, without(Feature::Compaction);
        "Whether compaction runs at all."
    "log.cleaner.io.buffer.load.factor": Double = "0.9", Any, Medium ClusterWide, without(Feature::Compaction);
        "How full a cleaner fills its memory of keys."
    "log.cleaner.io.buffer.size": Int = "524288", at_least(0), Medium ClusterWide, without(Feature::Compaction);
        "The memory of all cleaners for reading and writing."
    "log.cleaner.io.max.bytes.per.second": Double = "1.7976931348623157E308", Any, Medium ClusterWide, without(Feature::Compaction);
        "The most bytes that all cleaners read and write in a second."
    "log.cleaner.max.compaction.lag.ms": Long = "9223372036854775807", at_least(1), Medium ClusterWide, without(Feature::Compaction);
        "How long a record may stay out of compaction."
    "log.cleaner.min.cleanable.ratio": Double = "0.5", between(0.0, 1.0), Medium ClusterWide, without(Feature::Compaction);
        "The share of a log that must be uncompacted before it is cleaned."
    "log.cleaner.min.compaction.lag.ms": Long = "0", at_least(0), Medium ClusterWide, without(Feature::Compaction);
        "How long a record must stay out of compaction."
    "log.cleaner.threads": Int = "1", at_least(0), Medium ClusterWide, without(Feature::Compaction);
        "How many cleaners run."
    "log.cleanup.policy": List = "delete", list_of(&["compact", "delete"]), Medium ClusterWide, without(Feature::Retention);
        "What happens to old segments: delete, compact, both, or nothing."
    "log.dir": List = "/tmp/kafka-logs", NON_EMPTY_LIST, High ReadOnly, ACTS;
        "The directory for the logs, when log.dirs is not set."
    "log.dir.failure.timeout.ms": Long = "30000", at_least(1), Low ReadOnly, without(Feature::Replication);
        "How long a broker with a failed directory tries to tell the controller before it stops."
    "log.dirs": List = null, NON_EMPTY_LIST_OR_NULL, High ReadOnly, ACTS;
        "The directories for the logs."
    "log.flush.interval.messages": Long = "9223372036854775807", at_least(1), High ClusterWide, ACTS;
        "How many records may be unflushed in a log before it is written to the disk."
    "log.flush.interval.ms": Long = null, Any, High ClusterWide, ACTS;
        "How long a record may be unflushed before it is written to the disk."
    "log.flush.offset.checkpoint.interval.ms": Int = "60000", at_least(0), High ReadOnly, ACTS;
        "How often the flushed offsets of all logs are written down, from which recovery starts."
    "log.flush.scheduler.interval.ms": Long = "9223372036854775807", Any, High ReadOnly, ACTS;
        "How often logs are looked at that may need to be flushed."
    "log.flush.start.offset.checkpoint.interval.ms": Int = "60000", at_least(0), High ReadOnly, ACTS;
        "How often the start offsets of all logs are written down."
    "log.index.interval.bytes": Int = "4096", at_least(0), Medium ClusterWide, ACTS;
        "How many bytes of a segment lie between two entries of its offset index."
    "log.index.size.max.bytes": Int = "10485760", at_least(4), Medium ClusterWide, ACTS;
        "The largest size of an index file."
    "log.initial.task.delay.ms": Long = "30000", at_least(0), Low ReadOnly + internal, ACTS;
        "How long after the start the first background work on the logs waits."
    "log.message.timestamp.after.max.ms": Long = "3600000", at_least(0), Medium ClusterWide, ACTS;
        "How far a record's time may lie after the broker's."
    "log.message.timestamp.before.max.ms": Long = "9223372036854775807", at_least(0), Medium ClusterWide, ACTS;
        "How far a record's time may lie before the broker's."
    "log.message.timestamp.type": String = "CreateTime", OneOf(&["CreateTime", "LogAppendTime"]), Medium ClusterWide, ACTS;
        "Whose time a record carries: the producer's or that of the append."
    "log.preallocate": Boolean = "false", Any, Medium ClusterWide, ACTS;
        "Whether a new segment gets its full size on disk at once."
    "log.retention.bytes": Long = "-1", Any, High ClusterWide, without(Feature::Retention);
        "How large a partition may grow before its oldest segments are deleted; -1 is no limit."
    "log.retention.check.interval.ms": Long = "300000", at_least(1), Medium ReadOnly, without(Feature::Retention);
        "How often segments are looked at that may be deleted."
    "log.retention.hours": Int = "168", Any, High ReadOnly, without(Feature::Retention);
        "How long segments are kept, in hours, when neither minutes nor milliseconds are set."
    "log.retention.minutes": Int = null, Any, High ReadOnly, without(Feature::Retention);
        "How long segments are kept, in minutes, when no milliseconds are set."
    "log.retention.ms": Long = null, Any, High ClusterWide, without(Feature::Retention);
        "How long segments are kept; -1 is forever."
    "log.roll.hours": Int = "168", at_least(1), High ReadOnly, ACTS;
        "The greatest age of a segment before a new one starts, in hours, when no milliseconds are set."
    "log.roll.jitter.hours": Int = "0", at_least(0), High ReadOnly, ACTS;
        "How much a segment may start earlier, at random, in hours, when no milliseconds are set."
    "log.roll.jitter.ms": Long = null, Any, High ClusterWide, ACTS;
        "How much a segment may start earlier, at random, so that not all start at once."
    "log.roll.ms": Long = null, Any, High ClusterWide, ACTS;
        "The greatest age of a segment before a new one starts."
    "log.segment.bytes": Int = "1073741824", at_least(1048576), High ClusterWide, ACTS;
        "The greatest size of a segment before a new one starts."
    "log.segment.delete.delay.ms": Long = "60000", at_least(0), High ClusterWide, ACTS;
        "How long a deleted file stays on disk, for those who still read it."
    "message.max.bytes": Int = "1048588", at_least(0), High ClusterWide, ACTS;
        "The largest batch of records that is taken."
    "num.recovery.threads.per.data.dir": Int = "2", at_least(1), High ClusterWide, ACTS;
        "How many logs of a directory are recovered at the same time."
};
