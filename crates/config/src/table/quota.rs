//! Quotas of users, client ids, IP addresses and replication.

use super::row::notation::*;

#[rustfmt::skip]
pub(super) const CLIENT_PROPERTIES: &[Property] = properties! {
    "consumer_byte_rate": Long = "9223372036854775807", Any, Medium PerResource, without(Feature::Quotas);
        "How many bytes a second may be fetched."
    "controller_mutation_rate": Double = "2.147483647E9", Any, Medium PerResource, without(Feature::Quotas);
        "How many partitions a second may be created or deleted."
    "producer_byte_rate": Long = "9223372036854775807", Any, Medium PerResource, without(Feature::Quotas);
        "How many bytes a second may be produced."
    "request_percentage": Double = "2.147483647E9", Any, Medium PerResource, without(Feature::Quotas);
        "Which part of the request handlers' time may be used, in percent."
};

#[rustfmt::skip]
pub(super) const IP_PROPERTIES: &[Property] = properties! {
    "connection_creation_rate": Int = "2147483647", at_least(0), Medium PerResource, without(Feature::Quotas);
        "How many connections a second an address may open."
};

/// Properties of a broker that `server.properties` does not know; they can only be set while it
/// runs.
#[rustfmt::skip]
pub(super) const BROKER_PROPERTIES: &[Property] = properties! {
    "follower.replication.throttled.rate": Long = "9223372036854775807", at_least(0), Medium ClusterWide, without(Feature::Quotas);
        "How many bytes a second the throttled replicas of a broker may fetch."
    "leader.replication.throttled.rate": Long = "9223372036854775807", at_least(0), Medium ClusterWide, without(Feature::Quotas);
        "How many bytes a second a broker may send to throttled replicas."
    "replica.alter.log.dirs.io.max.bytes.per.second": Long = "9223372036854775807", at_least(0), Medium ClusterWide, without(Feature::LogDirectoryMoves);
        "How many bytes a second a broker may move between its log directories."
};
