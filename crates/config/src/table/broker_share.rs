//! Broker properties of share groups and their coordinator (KIP-932).

use super::row::notation::*;

#[rustfmt::skip]
pub(super) const PROPERTIES: &[Property] = properties! {
    "group.share.assignment.interval.ms": Int = "1000", at_least(0), Medium ClusterWide, without(Feature::ShareGroups);
        "The least time between two assignments of a share group."
    "group.share.assignors": List = "simple", NON_EMPTY_LIST, Medium ReadOnly, without(Feature::ShareGroups);
        "The assignors for share groups; the first one is the default."
    "group.share.delivery.count.limit": Int = "5", between(2.0, 10.0), Medium ReadOnly, without(Feature::ShareGroups);
        "How often a record is delivered to a share group before it counts as failed."
    "group.share.heartbeat.interval.ms": Int = "5000", at_least(1), Medium ReadOnly, without(Feature::ShareGroups);
        "How often members of a share group send heartbeats."
    "group.share.initialize.retry.interval.ms": Int = "30000", at_least(1), Low ReadOnly + internal, without(Feature::ShareGroups);
        "The wait before the state of a share partition is set up again after a failure."
    "group.share.max.assignment.interval.ms": Int = "15000", at_least(0), Medium ReadOnly, without(Feature::ShareGroups);
        "The greatest assignment interval that a share group may set."
    "group.share.max.delivery.count.limit": Int = "10", between(5.0, 25.0), Medium ReadOnly, without(Feature::ShareGroups);
        "The greatest delivery count limit that a share group may set."
    "group.share.max.heartbeat.interval.ms": Int = "15000", at_least(1), Medium ReadOnly, without(Feature::ShareGroups);
        "The greatest heartbeat interval that a share group may set."
    "group.share.max.partition.max.record.locks": Int = "4000", between(2000.0, 10000.0), Medium ReadOnly, without(Feature::ShareGroups);
        "The greatest number of locked records per partition that a share group may set."
    "group.share.max.record.lock.duration.ms": Int = "60000", between(30000.0, 3600000.0), Medium ReadOnly, without(Feature::ShareGroups);
        "The longest record lock that a share group may set."
    "group.share.max.session.timeout.ms": Int = "60000", at_least(1), Medium ReadOnly, without(Feature::ShareGroups);
        "The greatest session timeout that a share group may set."
    "group.share.max.share.sessions": Int = "2000", at_least(1), Medium ReadOnly, without(Feature::ShareGroups);
        "How many share sessions one broker keeps."
    "group.share.max.size": Int = "200", between(1.0, 1000.0), Medium ReadOnly, without(Feature::ShareGroups);
        "How many members one share group may have."
    "group.share.min.assignment.interval.ms": Int = "0", at_least(0), Medium ReadOnly, without(Feature::ShareGroups);
        "The least assignment interval that a share group may set."
    "group.share.min.delivery.count.limit": Int = "2", between(2.0, 5.0), Medium ReadOnly, without(Feature::ShareGroups);
        "The least delivery count limit that a share group may set."
    "group.share.min.heartbeat.interval.ms": Int = "5000", at_least(1), Medium ReadOnly, without(Feature::ShareGroups);
        "The least heartbeat interval that a share group may set."
    "group.share.min.partition.max.record.locks": Int = "100", between(100.0, 2000.0), Medium ReadOnly, without(Feature::ShareGroups);
        "The least number of locked records per partition that a share group may set."
    "group.share.min.record.lock.duration.ms": Int = "15000", between(1000.0, 30000.0), Medium ReadOnly, without(Feature::ShareGroups);
        "The shortest record lock that a share group may set."
    "group.share.min.session.timeout.ms": Int = "45000", at_least(1), Medium ReadOnly, without(Feature::ShareGroups);
        "The least session timeout that a share group may set."
    "group.share.partition.max.record.locks": Int = "2000", between(100.0, 10000.0), Medium ReadOnly, without(Feature::ShareGroups);
        "How many records of one partition a share group may hold locked."
    "group.share.persister.class.name": String = "org.apache.kafka.server.share.persister.DefaultStatePersister", Any, Medium ReadOnly + internal, JAVA;
        "The Java class that stores the state of share groups."
    "group.share.record.lock.duration.ms": Int = "30000", between(1000.0, 3600000.0), Medium ReadOnly, without(Feature::ShareGroups);
        "How long a member of a share group keeps a record to itself."
    "group.share.session.timeout.ms": Int = "45000", at_least(1), Medium ReadOnly, without(Feature::ShareGroups);
        "How long a member of a share group may be silent before it is removed."
    "share.coordinator.append.linger.ms": Int = "-1", at_least(-1), Medium ReadOnly, without(Feature::ShareGroups);
        "How long the share coordinator gathers records before it writes them; -1 adapts."
    "share.coordinator.cached.buffer.max.bytes": Int = "1048588", at_least(524288), Medium ClusterWide, without(Feature::ShareGroups);
        "How large a write buffer the share coordinator keeps for reuse."
    "share.coordinator.cold.partition.snapshot.interval.ms": Int = "300000", at_least(1), Low ReadOnly + internal, without(Feature::ShareGroups);
        "How often share partitions without changes are written in full."
    "share.coordinator.load.buffer.size": Int = "5242880", at_least(1), High ReadOnly, without(Feature::ShareGroups);
        "How many bytes are read at a time when share state is loaded."
    "share.coordinator.snapshot.update.records.per.snapshot": Int = "500", between(0.0, 500.0), Medium ReadOnly, without(Feature::ShareGroups);
        "How many changes of a share partition are written before it is written in full."
    "share.coordinator.state.topic.compression.codec": Int = "0", Any, High ReadOnly, without(Feature::ShareGroups);
        "The codec of the share state topic, as its number."
    "share.coordinator.state.topic.min.isr": Short = "2", at_least(1), High ReadOnly, without(Feature::ShareGroups);
        "How many replicas of the share state topic must be in sync for a write."
    "share.coordinator.state.topic.num.partitions": Int = "50", at_least(1), High ReadOnly, without(Feature::ShareGroups);
        "How many partitions the share state topic is created with."
    "share.coordinator.state.topic.prune.interval.ms": Int = "300000", at_least(1), Low ReadOnly + internal, without(Feature::ShareGroups);
        "How often records that no longer count are removed from the share state topic."
    "share.coordinator.state.topic.replication.factor": Short = "3", at_least(1), High ReadOnly, without(Feature::ShareGroups);
        "How many replicas the share state topic is created with."
    "share.coordinator.state.topic.segment.bytes": Int = "104857600", at_least(1), High ReadOnly, without(Feature::ShareGroups);
        "The segment size that the share state topic is created with."
    "share.coordinator.threads": Int = "1", at_least(1), Medium ReadOnly, without(Feature::ShareGroups);
        "How many threads run the share coordinator."
    "share.coordinator.write.timeout.ms": Int = "5000", at_least(1), High ReadOnly, without(Feature::ShareGroups);
        "How long a write of share state may wait for its replicas."
    "share.fetch.purgatory.purge.interval.requests": Int = "1000", Any, Medium ReadOnly, without(Feature::ShareGroups);
        "How many finished ShareFetch requests may stay in their waiting list."
};
