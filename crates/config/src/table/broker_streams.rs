//! Broker properties of streams groups (KIP-1071).

use super::row::notation::*;

#[rustfmt::skip]
pub(super) const PROPERTIES: &[Property] = properties! {
    "group.streams.assignment.interval.ms": Int = "1000", at_least(0), Medium ClusterWide, without(Feature::StreamsGroups);
        "The least time between two assignments of a streams group."
    "group.streams.heartbeat.interval.ms": Int = "5000", at_least(1), Medium ReadOnly, without(Feature::StreamsGroups);
        "How often members of a streams group send heartbeats."
    "group.streams.initial.rebalance.delay.ms": Int = "3000", at_least(0), Medium ReadOnly, without(Feature::StreamsGroups);
        "How long an empty streams group waits for more members before its first assignment."
    "group.streams.max.assignment.interval.ms": Int = "15000", at_least(0), Medium ReadOnly, without(Feature::StreamsGroups);
        "The greatest assignment interval that a streams group may set."
    "group.streams.max.heartbeat.interval.ms": Int = "15000", at_least(1), Medium ReadOnly, without(Feature::StreamsGroups);
        "The greatest heartbeat interval that a streams group may set."
    "group.streams.max.session.timeout.ms": Int = "60000", at_least(1), Medium ReadOnly, without(Feature::StreamsGroups);
        "The greatest session timeout that a streams group may set."
    "group.streams.max.size": Int = "2147483647", at_least(1), Medium ReadOnly, without(Feature::StreamsGroups);
        "How many members one streams group may have."
    "group.streams.max.standby.replicas": Int = "2", at_least(0), Medium ReadOnly, without(Feature::StreamsGroups);
        "The most standby replicas that a streams group may set for a task."
    "group.streams.min.assignment.interval.ms": Int = "0", at_least(0), Medium ReadOnly, without(Feature::StreamsGroups);
        "The least assignment interval that a streams group may set."
    "group.streams.min.heartbeat.interval.ms": Int = "5000", at_least(1), Medium ReadOnly, without(Feature::StreamsGroups);
        "The least heartbeat interval that a streams group may set."
    "group.streams.min.session.timeout.ms": Int = "45000", at_least(1), Medium ReadOnly, without(Feature::StreamsGroups);
        "The least session timeout that a streams group may set."
    "group.streams.num.standby.replicas": Int = "0", at_least(0), Medium ReadOnly, without(Feature::StreamsGroups);
        "How many standby replicas a streams group keeps for each task."
    "group.streams.session.timeout.ms": Int = "45000", at_least(1), Medium ReadOnly, without(Feature::StreamsGroups);
        "How long a member of a streams group may be silent before it is removed."
};
