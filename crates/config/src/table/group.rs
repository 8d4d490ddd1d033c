//! Properties of a group.

use super::row::notation::*;

#[rustfmt::skip]
pub(super) const PROPERTIES: &[Property] = properties! {
    "consumer.assignment.interval.ms": Int = "1000", at_least(0), Medium PerResource <- "group.consumer.assignment.interval.ms", without(Feature::ConsumerGroups);
        "The least time between two assignments of the consumer group."
    "consumer.heartbeat.interval.ms": Int = "5000", at_least(1), Medium PerResource <- "group.consumer.heartbeat.interval.ms", without(Feature::ConsumerGroups);
        "How often members of the consumer group send heartbeats."
    "consumer.session.timeout.ms": Int = "45000", at_least(1), Medium PerResource <- "group.consumer.session.timeout.ms", without(Feature::ConsumerGroups);
        "How long a member of the consumer group may be silent before it is removed."
    "share.assignment.interval.ms": Int = "1000", at_least(0), Medium PerResource <- "group.share.assignment.interval.ms", without(Feature::ShareGroups);
        "The least time between two assignments of the share group."
    "share.auto.offset.reset": String = "latest", AutoOffsetReset, Medium PerResource, without(Feature::ShareGroups);
        "Where the share group starts: latest, earliest, or by_duration: and how long ago."
    "share.delivery.count.limit": Int = "5", at_least(2), Medium PerResource <- "group.share.delivery.count.limit", without(Feature::ShareGroups);
        "How often a record is delivered to the share group before it counts as failed."
    "share.heartbeat.interval.ms": Int = "5000", at_least(1), Medium PerResource <- "group.share.heartbeat.interval.ms", without(Feature::ShareGroups);
        "How often members of the share group send heartbeats."
    "share.isolation.level": String = "read_uncommitted", OneOf(&["read_committed", "read_uncommitted"]), Medium PerResource, without(Feature::ShareGroups);
        "Whether the share group sees records of open and aborted transactions."
    "share.partition.max.record.locks": Int = "2000", at_least(100), Medium PerResource <- "group.share.partition.max.record.locks", without(Feature::ShareGroups);
        "How many records of one partition the share group may hold locked."
    "share.record.lock.duration.ms": Int = "30000", at_least(1000), Medium PerResource <- "group.share.record.lock.duration.ms", without(Feature::ShareGroups);
        "How long a member of the share group keeps a record to itself."
    "share.renew.acknowledge.enable": Boolean = "true", Any, Medium PerResource, without(Feature::ShareGroups);
        "Whether members of the share group may prolong their record locks."
    "share.session.timeout.ms": Int = "45000", at_least(1), Medium PerResource <- "group.share.session.timeout.ms", without(Feature::ShareGroups);
        "How long a member of the share group may be silent before it is removed."
    "streams.assignment.interval.ms": Int = "1000", at_least(0), Medium PerResource <- "group.streams.assignment.interval.ms", without(Feature::StreamsGroups);
        "The least time between two assignments of the streams group."
    "streams.heartbeat.interval.ms": Int = "5000", at_least(1), Medium PerResource <- "group.streams.heartbeat.interval.ms", without(Feature::StreamsGroups);
        "How often members of the streams group send heartbeats."
    "streams.initial.rebalance.delay.ms": Int = "3000", at_least(0), Medium PerResource <- "group.streams.initial.rebalance.delay.ms", without(Feature::StreamsGroups);
        "How long the empty streams group waits for more members before its first assignment."
    "streams.num.standby.replicas": Int = "0", at_least(0), Medium PerResource <- "group.streams.num.standby.replicas", without(Feature::StreamsGroups);
        "How many standby replicas the streams group keeps for each task."
    "streams.session.timeout.ms": Int = "45000", at_least(1), Medium PerResource <- "group.streams.session.timeout.ms", without(Feature::StreamsGroups);
        "How long a member of the streams group may be silent before it is removed."
};
