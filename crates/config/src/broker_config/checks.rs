//! What must hold among the properties of a node.
//!
//! Source: what Kafka refuses to start with. Properties that Kafka loads classes by are not
//! checked.

use crate::error::{ConfigError, Conflict};
use crate::table;
use crate::topic_config::{log_retention_ms, log_roll_jitter_ms, log_roll_ms};
use crate::valid::parse_voter;
use crate::values::{ConfigMap, Values};

use super::{ProcessRoles, QuorumKind};

/// Bytes that one log cleaner needs at least.
const MIN_DEDUPE_BUFFER_BYTES: i64 = 1024 * 1024;
/// The greatest number of a codec.
const MAX_COMPRESSION_CODEC: i32 = 4;

/// Parses the properties of a node.
pub(super) fn parse(set: &ConfigMap) -> Result<Values, ConfigError> {
    let values = Values::parse(&table::BROKER, set)?;
    let (node_id, broker_id) = (values.int("node.id"), values.int("broker.id"));
    if node_id != broker_id {
        return Err(Conflict::NodeIdAndBrokerId { node_id, broker_id }.into());
    }
    Ok(values)
}

pub(super) fn check_quorum(
    values: &Values,
    roles: ProcessRoles,
    quorum: QuorumKind,
) -> Result<(), Conflict> {
    let node_id = values.int("node.id");
    let voters = values.list("controller.quorum.voters");
    let voter_ids: Vec<i32> = voters
        .iter()
        .filter_map(|voter| parse_voter(voter))
        .map(|(id, _, _)| id)
        .collect();
    let has_servers = !values
        .list("controller.quorum.bootstrap.servers")
        .is_empty();
    let is_alone = quorum == QuorumKind::Alone && roles.controller;
    if voter_ids.is_empty() && !has_servers && !is_alone {
        return Err(Conflict::NoQuorum);
    }
    match roles.controller {
        true if !voter_ids.is_empty() && !voter_ids.contains(&node_id) => {
            Err(Conflict::ControllerIsNotAVoter { node_id })
        }
        false if voter_ids.contains(&node_id) => Err(Conflict::BrokerIsAVoter { node_id }),
        _ => Ok(()),
    }
}

pub(super) fn check_log(values: &Values) -> Result<(), Conflict> {
    if log_roll_ms(values) < 1 {
        return Err(Conflict::LogRollMs);
    }
    if log_roll_jitter_ms(values) < 0 {
        return Err(Conflict::LogRollJitterMs);
    }
    if log_retention_ms(values) == 0 {
        return Err(Conflict::LogRetentionMs);
    }
    let cleaner_threads = i64::from(values.int("log.cleaner.threads"));
    let buffer_bytes = values.long("log.cleaner.dedupe.buffer.size");
    let bytes_per_cleaner = buffer_bytes.checked_div(cleaner_threads).unwrap_or(0);
    if bytes_per_cleaner <= MIN_DEDUPE_BUFFER_BYTES {
        return Err(Conflict::LogCleanerDedupeBufferSize);
    }
    for name in [
        "offsets.topic.compression.codec",
        "share.coordinator.state.topic.compression.codec",
    ] {
        let codec = values.int(name);
        if !(0..=MAX_COMPRESSION_CODEC).contains(&codec) {
            return Err(Conflict::UnknownCompressionCodec { name, codec });
        }
    }
    check_cordoned(values)
}

fn check_cordoned(values: &Values) -> Result<(), Conflict> {
    let cordoned = values
        .optional_list("cordoned.log.dirs")
        .unwrap_or_default();
    if cordoned.iter().any(|directory| directory == "*") {
        return match cordoned {
            [_] => Ok(()),
            _ => Err(Conflict::CordonedLogDirWildcard),
        };
    }
    let log_dirs = super::parts::log_dirs(values);
    match cordoned
        .iter()
        .find(|directory| !log_dirs.contains(directory))
    {
        Some(directory) => Err(Conflict::CordonedLogDir {
            directory: directory.clone(),
        }),
        None => Ok(()),
    }
}

/// Pairs of INT properties of which the first must not exceed the second.
const ORDERED: [(&str, &str); 32] = [
    (
        "group.consumer.min.heartbeat.interval.ms",
        "group.consumer.max.heartbeat.interval.ms",
    ),
    (
        "group.consumer.min.heartbeat.interval.ms",
        "group.consumer.heartbeat.interval.ms",
    ),
    (
        "group.consumer.heartbeat.interval.ms",
        "group.consumer.max.heartbeat.interval.ms",
    ),
    (
        "group.consumer.min.session.timeout.ms",
        "group.consumer.max.session.timeout.ms",
    ),
    (
        "group.consumer.min.session.timeout.ms",
        "group.consumer.session.timeout.ms",
    ),
    (
        "group.consumer.session.timeout.ms",
        "group.consumer.max.session.timeout.ms",
    ),
    (
        "group.consumer.min.assignment.interval.ms",
        "group.consumer.max.assignment.interval.ms",
    ),
    (
        "group.consumer.min.assignment.interval.ms",
        "group.consumer.assignment.interval.ms",
    ),
    (
        "group.consumer.assignment.interval.ms",
        "group.consumer.max.assignment.interval.ms",
    ),
    (
        "group.share.min.heartbeat.interval.ms",
        "group.share.max.heartbeat.interval.ms",
    ),
    (
        "group.share.min.heartbeat.interval.ms",
        "group.share.heartbeat.interval.ms",
    ),
    (
        "group.share.heartbeat.interval.ms",
        "group.share.max.heartbeat.interval.ms",
    ),
    (
        "group.share.min.session.timeout.ms",
        "group.share.max.session.timeout.ms",
    ),
    (
        "group.share.min.session.timeout.ms",
        "group.share.session.timeout.ms",
    ),
    (
        "group.share.session.timeout.ms",
        "group.share.max.session.timeout.ms",
    ),
    (
        "group.share.min.assignment.interval.ms",
        "group.share.max.assignment.interval.ms",
    ),
    (
        "group.share.min.assignment.interval.ms",
        "group.share.assignment.interval.ms",
    ),
    (
        "group.share.assignment.interval.ms",
        "group.share.max.assignment.interval.ms",
    ),
    (
        "group.share.min.record.lock.duration.ms",
        "group.share.record.lock.duration.ms",
    ),
    (
        "group.share.record.lock.duration.ms",
        "group.share.max.record.lock.duration.ms",
    ),
    (
        "group.share.delivery.count.limit",
        "group.share.max.delivery.count.limit",
    ),
    (
        "group.share.min.delivery.count.limit",
        "group.share.delivery.count.limit",
    ),
    (
        "group.share.partition.max.record.locks",
        "group.share.max.partition.max.record.locks",
    ),
    (
        "group.share.min.partition.max.record.locks",
        "group.share.partition.max.record.locks",
    ),
    (
        "group.streams.min.heartbeat.interval.ms",
        "group.streams.max.heartbeat.interval.ms",
    ),
    (
        "group.streams.min.heartbeat.interval.ms",
        "group.streams.heartbeat.interval.ms",
    ),
    (
        "group.streams.heartbeat.interval.ms",
        "group.streams.max.heartbeat.interval.ms",
    ),
    (
        "group.streams.min.session.timeout.ms",
        "group.streams.max.session.timeout.ms",
    ),
    (
        "group.streams.min.session.timeout.ms",
        "group.streams.session.timeout.ms",
    ),
    (
        "group.streams.session.timeout.ms",
        "group.streams.max.session.timeout.ms",
    ),
    (
        "group.streams.num.standby.replicas",
        "group.streams.max.standby.replicas",
    ),
    ("replica.fetch.wait.max.ms", "replica.socket.timeout.ms"),
];

pub(super) fn check_groups(values: &Values) -> Result<(), Conflict> {
    for (left, right) in ORDERED {
        if values.int(left) > values.int(right) {
            return Err(Conflict::MustNotExceed { left, right });
        }
    }
    let replica_lag_time_max_ms = values.long("replica.lag.time.max.ms");
    if i64::from(values.int("replica.fetch.wait.max.ms")) > replica_lag_time_max_ms {
        let (left, right) = ("replica.fetch.wait.max.ms", "replica.lag.time.max.ms");
        return Err(Conflict::MustNotExceed { left, right });
    }
    let protocols = values.list("group.coordinator.rebalance.protocols");
    if !protocols.iter().any(|protocol| protocol == "classic") {
        return Err(Conflict::ClassicProtocolDisabled);
    }
    Ok(())
}

pub(super) fn check_network(values: &Values) -> Result<(), Conflict> {
    let queued_bytes = values.long("queued.max.request.bytes");
    if queued_bytes > 0 && queued_bytes < i64::from(values.int("socket.request.max.bytes")) {
        return Err(Conflict::QueuedMaxRequestBytes);
    }
    let has_overrides = !values.string("max.connections.per.ip.overrides").is_empty();
    if values.int("max.connections.per.ip") == 0 && !has_overrides {
        return Err(Conflict::NoConnections);
    }
    let max_idle_ms = values.long("connections.max.idle.ms");
    let delay_ms = i64::from(values.int("connection.failed.authentication.delay.ms"));
    if max_idle_ms >= 0 && delay_ms >= max_idle_ms {
        return Err(Conflict::FailedAuthenticationDelay);
    }
    Ok(())
}
