//! Broker properties of tiered storage (KIP-405).

use super::row::notation::*;

#[rustfmt::skip]
pub(super) const PROPERTIES: &[Property] = properties! {
    "follower.fetch.last.tiered.offset.enable": Boolean = "false", Any, Medium ClusterWide, without(Feature::TieredStorage);
        "Whether a new follower starts at the end of what is in remote storage."
    "log.local.retention.bytes": Long = "-2", at_least(-2), Medium ClusterWide, without(Feature::TieredStorage);
        "How many bytes of a tiered partition stay on the local disk; -2 means as retention.bytes."
    "log.local.retention.ms": Long = "-2", at_least(-2), Medium ClusterWide, without(Feature::TieredStorage);
        "How long a tiered segment stays on the local disk; -2 means as retention.ms."
    "remote.fetch.max.wait.ms": Int = "500", at_least(1), Medium ClusterWide, without(Feature::TieredStorage);
        "How long a Fetch request waits for remote storage."
    "remote.list.offsets.request.timeout.ms": Long = "30000", at_least(1), Medium ClusterWide, without(Feature::TieredStorage);
        "How long a ListOffsets request waits for remote storage."
    "remote.log.index.file.cache.total.size.bytes": Long = "1073741824", at_least(1), Low ClusterWide, without(Feature::TieredStorage);
        "The disk space for indexes fetched from remote storage."
    "remote.log.index.file.cache.ttl.ms": Long = "900000", at_least(-1), Low ReadOnly + internal, without(Feature::TieredStorage);
        "How long an index fetched from remote storage is kept unused; -1 is forever."
    "remote.log.manager.copier.thread.pool.size": Int = "10", at_least(1), Medium ClusterWide, without(Feature::TieredStorage);
        "How many threads copy segments to remote storage."
    "remote.log.manager.copy.max.bytes.per.second": Long = "9223372036854775807", at_least(1), Medium ClusterWide, without(Feature::TieredStorage);
        "The most bytes a second that are copied to remote storage."
    "remote.log.manager.copy.quota.window.num": Int = "11", at_least(1), Medium ReadOnly, without(Feature::TieredStorage);
        "How many samples the limit on copies to remote storage keeps."
    "remote.log.manager.copy.quota.window.size.seconds": Int = "1", at_least(1), Medium ReadOnly, without(Feature::TieredStorage);
        "How long one sample of the limit on copies to remote storage is."
    "remote.log.manager.expiration.thread.pool.size": Int = "10", at_least(1), Medium ClusterWide, without(Feature::TieredStorage);
        "How many threads delete expired segments from remote storage."
    "remote.log.manager.fetch.max.bytes.per.second": Long = "9223372036854775807", at_least(1), Medium ClusterWide, without(Feature::TieredStorage);
        "The most bytes a second that are read from remote storage."
    "remote.log.manager.fetch.quota.window.num": Int = "11", at_least(1), Medium ReadOnly, without(Feature::TieredStorage);
        "How many samples the limit on reads from remote storage keeps."
    "remote.log.manager.fetch.quota.window.size.seconds": Int = "1", at_least(1), Medium ReadOnly, without(Feature::TieredStorage);
        "How long one sample of the limit on reads from remote storage is."
    "remote.log.manager.follower.thread.pool.size": Int = "2", at_least(1), Medium ClusterWide, without(Feature::TieredStorage);
        "How many threads follow what the leaders have copied to remote storage."
    "remote.log.manager.task.interval.ms": Long = "30000", at_least(1), Low ReadOnly, without(Feature::TieredStorage);
        "How often segments to copy to or delete from remote storage are looked for."
    "remote.log.manager.task.retry.backoff.max.ms": Long = "30000", at_least(1), Low ReadOnly + internal, without(Feature::TieredStorage);
        "The longest wait before a remote storage task is tried again."
    "remote.log.manager.task.retry.backoff.ms": Long = "500", at_least(1), Low ReadOnly + internal, without(Feature::TieredStorage);
        "The first wait before a remote storage task is tried again."
    "remote.log.manager.task.retry.jitter": Double = "0.2", between(0.0, 0.5), Low ReadOnly + internal, without(Feature::TieredStorage);
        "How much the wait before a remote storage task is tried again varies."
    "remote.log.manager.thread.pool.size": Int = "2", at_least(1), Medium ReadOnly, without(Feature::TieredStorage);
        "How many threads work for remote storage in general."
    "remote.log.metadata.custom.metadata.max.bytes": Int = "128", at_least(0), Low ReadOnly, without(Feature::TieredStorage);
        "The most bytes of its own that a remote storage plug-in may keep for a segment."
    "remote.log.metadata.manager.class.name": String = "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager", NonEmpty, Medium ReadOnly, JAVA;
        "The Java class that keeps the metadata of remote segments."
    "remote.log.metadata.manager.class.path": String = null, Any, Medium ReadOnly, JAVA;
        "Where the Java class for the metadata of remote segments is found."
    "remote.log.metadata.manager.impl.prefix": String = "rlmm.config.", NonEmpty, Medium ReadOnly, without(Feature::TieredStorage);
        "The prefix of the properties for the keeper of remote segment metadata."
    "remote.log.metadata.manager.listener.name": String = null, NonEmpty, Medium ReadOnly, without(Feature::TieredStorage);
        "The listener over which the keeper of remote segment metadata connects."
    "remote.log.reader.max.pending.tasks": Int = "100", at_least(1), Medium ReadOnly, without(Feature::TieredStorage);
        "How many reads from remote storage may wait."
    "remote.log.reader.threads": Int = "10", at_least(1), Medium ClusterWide, without(Feature::TieredStorage);
        "How many threads read from remote storage."
    "remote.log.storage.manager.class.name": String = null, NonEmpty, Medium ReadOnly, JAVA;
        "The Java class that stores remote segments."
    "remote.log.storage.manager.class.path": String = null, Any, Medium ReadOnly, JAVA;
        "Where the Java class for remote segments is found."
    "remote.log.storage.manager.impl.prefix": String = "rsm.config.", NonEmpty, Medium ReadOnly, without(Feature::TieredStorage);
        "The prefix of the properties for the store of remote segments."
    "remote.log.storage.system.enable": Boolean = "false", Any, Medium ReadOnly, without(Feature::TieredStorage);
        "Whether tiered storage is on."
};
