//! Broker properties of the group coordinator: classic and consumer groups, committed offsets.

use super::row::notation::*;

#[rustfmt::skip]
pub(super) const PROPERTIES: &[Property] = properties! {
    "group.consumer.assignment.interval.ms": Int = "1000", at_least(0), Medium ClusterWide, without(Feature::ConsumerGroups);
        "The least time between two assignments of a consumer group."
    "group.consumer.assignors": List = "uniform,range", NON_EMPTY_LIST, Medium ReadOnly, without(Feature::ConsumerGroups);
        "The assignors for consumer groups; the first one is the default."
    "group.consumer.heartbeat.interval.ms": Int = "5000", at_least(1), Medium ReadOnly, without(Feature::ConsumerGroups);
        "How often members of a consumer group send heartbeats."
    "group.consumer.max.assignment.interval.ms": Int = "15000", at_least(0), Medium ReadOnly, without(Feature::ConsumerGroups);
        "The greatest assignment interval that a consumer group may set."
    "group.consumer.max.heartbeat.interval.ms": Int = "15000", at_least(1), Medium ReadOnly, without(Feature::ConsumerGroups);
        "The greatest heartbeat interval that a consumer group may set."
    "group.consumer.max.session.timeout.ms": Int = "60000", at_least(1), Medium ReadOnly, without(Feature::ConsumerGroups);
        "The greatest session timeout that a consumer group may set."
    "group.consumer.max.size": Int = "2147483647", at_least(1), Medium ReadOnly, without(Feature::ConsumerGroups);
        "How many members one consumer group may have."
    "group.consumer.migration.policy": String = "bidirectional", OneOfIgnoringCase(&["DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"]), Medium ReadOnly, without(Feature::ConsumerGroups);
        "In which direction a group may move between the classic and the consumer protocol."
    "group.consumer.min.assignment.interval.ms": Int = "0", at_least(0), Medium ReadOnly, without(Feature::ConsumerGroups);
        "The least assignment interval that a consumer group may set."
    "group.consumer.min.heartbeat.interval.ms": Int = "5000", at_least(1), Medium ReadOnly, without(Feature::ConsumerGroups);
        "The least heartbeat interval that a consumer group may set."
    "group.consumer.min.session.timeout.ms": Int = "45000", at_least(1), Medium ReadOnly, without(Feature::ConsumerGroups);
        "The least session timeout that a consumer group may set."
    "group.consumer.regex.refresh.interval.ms": Int = "600000", at_least(10000), Medium ReadOnly + internal, without(Feature::ConsumerGroups);
        "How often a regular expression subscription is matched against the topics again."
    "group.consumer.session.timeout.ms": Int = "45000", at_least(1), Medium ReadOnly, without(Feature::ConsumerGroups);
        "How long a member of a consumer group may be silent before it is removed."
    "group.coordinator.append.linger.ms": Int = "-1", at_least(-1), Medium ReadOnly, INTERNALS;
        "How long the group coordinator gathers records before it writes them; -1 adapts."
    "group.coordinator.background.threads": Int = "2", at_least(1), High ReadOnly, THREADS;
        "How many threads do the group coordinator's background work."
    "group.coordinator.cached.buffer.max.bytes": Int = "1048588", at_least(524288), Medium ClusterWide, INTERNALS;
        "How large a write buffer the group coordinator keeps for reuse."
    "group.coordinator.rebalance.protocols": List = "classic,consumer,streams", non_empty_list_of(&["consumer", "classic", "share", "streams"]), Medium ReadOnly, without(Feature::ConsumerGroups);
        "The group protocols that are offered; classic is always one of them."
    "group.coordinator.threads": Int = "4", at_least(1), High ReadOnly, THREADS;
        "How many threads run the group coordinator."
    "group.initial.rebalance.delay.ms": Int = "3000", Any, Medium ReadOnly, ACTS;
        "How long an empty classic group waits for more members before its first assignment."
    "group.max.session.timeout.ms": Int = "1800000", Any, Medium ReadOnly, ACTS;
        "The greatest session timeout that a classic member may ask for."
    "group.max.size": Int = "2147483647", at_least(1), Medium ReadOnly, ACTS;
        "How many members one classic group may have."
    "group.min.session.timeout.ms": Int = "6000", Any, Medium ReadOnly, ACTS;
        "The least session timeout that a classic member may ask for."
    "offset.metadata.max.bytes": Int = "4096", Any, High ReadOnly, ACTS;
        "The longest text a consumer may store with a committed offset."
    "offsets.commit.timeout.ms": Int = "5000", at_least(1), High ReadOnly, without(Feature::Replication);
        "How long an offset commit may wait for its replicas."
    "offsets.load.buffer.size": Int = "5242880", at_least(1), High ReadOnly, INTERNALS;
        "How many bytes are read at a time when offsets are loaded."
    "offsets.retention.check.interval.ms": Long = "600000", at_least(1), High ReadOnly, ACTS;
        "How often expired offsets are looked for."
    "offsets.retention.minutes": Int = "10080", at_least(1), High ReadOnly, ACTS;
        "How long the offsets of an empty group are kept."
    "offsets.topic.compression.codec": Int = "0", Any, High ReadOnly, ACTS;
        "The codec of the offsets topic, as its number."
    "offsets.topic.num.partitions": Int = "50", at_least(1), High ReadOnly, ACTS;
        "How many partitions the offsets topic is created with."
    "offsets.topic.replication.factor": Short = "3", at_least(1), High ReadOnly, ACTS;
        "How many replicas the offsets topic is created with."
    "offsets.topic.segment.bytes": Int = "104857600", at_least(1), High ReadOnly, ACTS;
        "The segment size that the offsets topic is created with."
};
