//! What a group may set: within the bounds that the broker sets for all groups.

use crate::broker_config::BrokerConfig;
use crate::table;
use crate::values::{ConfigMap, Values};

use super::{AlterError, GroupBound};

use GroupBound::{AtLeast, AtMost};

/// Properties of groups and the properties of the broker that bound them.
const BOUNDS: [(&str, GroupBound, &str); 23] = [
    (
        "consumer.heartbeat.interval.ms",
        AtLeast,
        "group.consumer.min.heartbeat.interval.ms",
    ),
    (
        "consumer.heartbeat.interval.ms",
        AtMost,
        "group.consumer.max.heartbeat.interval.ms",
    ),
    (
        "consumer.session.timeout.ms",
        AtLeast,
        "group.consumer.min.session.timeout.ms",
    ),
    (
        "consumer.session.timeout.ms",
        AtMost,
        "group.consumer.max.session.timeout.ms",
    ),
    (
        "consumer.assignment.interval.ms",
        AtLeast,
        "group.consumer.min.assignment.interval.ms",
    ),
    (
        "consumer.assignment.interval.ms",
        AtMost,
        "group.consumer.max.assignment.interval.ms",
    ),
    (
        "share.heartbeat.interval.ms",
        AtLeast,
        "group.share.min.heartbeat.interval.ms",
    ),
    (
        "share.heartbeat.interval.ms",
        AtMost,
        "group.share.max.heartbeat.interval.ms",
    ),
    (
        "share.session.timeout.ms",
        AtLeast,
        "group.share.min.session.timeout.ms",
    ),
    (
        "share.session.timeout.ms",
        AtMost,
        "group.share.max.session.timeout.ms",
    ),
    (
        "share.record.lock.duration.ms",
        AtLeast,
        "group.share.min.record.lock.duration.ms",
    ),
    (
        "share.record.lock.duration.ms",
        AtMost,
        "group.share.max.record.lock.duration.ms",
    ),
    (
        "share.delivery.count.limit",
        AtLeast,
        "group.share.min.delivery.count.limit",
    ),
    (
        "share.delivery.count.limit",
        AtMost,
        "group.share.max.delivery.count.limit",
    ),
    (
        "share.partition.max.record.locks",
        AtLeast,
        "group.share.min.partition.max.record.locks",
    ),
    (
        "share.partition.max.record.locks",
        AtMost,
        "group.share.max.partition.max.record.locks",
    ),
    (
        "share.assignment.interval.ms",
        AtMost,
        "group.share.max.assignment.interval.ms",
    ),
    (
        "streams.heartbeat.interval.ms",
        AtLeast,
        "group.streams.min.heartbeat.interval.ms",
    ),
    (
        "streams.heartbeat.interval.ms",
        AtMost,
        "group.streams.max.heartbeat.interval.ms",
    ),
    (
        "streams.session.timeout.ms",
        AtLeast,
        "group.streams.min.session.timeout.ms",
    ),
    (
        "streams.session.timeout.ms",
        AtMost,
        "group.streams.max.session.timeout.ms",
    ),
    (
        "streams.assignment.interval.ms",
        AtMost,
        "group.streams.max.assignment.interval.ms",
    ),
    (
        "streams.num.standby.replicas",
        AtMost,
        "group.streams.max.standby.replicas",
    ),
];

/// Session timeouts and the heartbeat intervals that must be shorter.
const HEARTBEATS: [(&str, &str); 3] = [
    (
        "consumer.session.timeout.ms",
        "consumer.heartbeat.interval.ms",
    ),
    ("share.session.timeout.ms", "share.heartbeat.interval.ms"),
    (
        "streams.session.timeout.ms",
        "streams.heartbeat.interval.ms",
    ),
];

pub(super) fn check(broker: &BrokerConfig, altered: &ConfigMap) -> Result<(), AlterError> {
    if let Some(name) = altered.keys().find(|name| table::GROUP.get(name).is_none()) {
        return Err(AlterError::UnknownGroupConfig { name: name.clone() });
    }
    let values = effective(broker, altered)?;
    for (name, bound, bound_name) in BOUNDS {
        let (value, limit) = (values.int(name), broker.values().int(bound_name));
        let is_within = match bound {
            AtLeast => value >= limit,
            AtMost => value <= limit,
        };
        if !is_within {
            return Err(AlterError::GroupBound {
                name,
                bound,
                bound_name,
            });
        }
    }
    for (session_timeout, heartbeat_interval) in HEARTBEATS {
        if values.int(session_timeout) <= values.int(heartbeat_interval) {
            return Err(AlterError::GroupHeartbeat {
                session_timeout,
                heartbeat_interval,
            });
        }
    }
    Ok(())
}

/// What the group sets over what the broker has for all groups.
fn effective(broker: &BrokerConfig, altered: &ConfigMap) -> Result<Values, AlterError> {
    let mut values = Values::of_defaults(&table::GROUP);
    for property in table::GROUP.iter() {
        if let Some(synonym) = property.broker_synonym {
            values.replace(property.name, broker.values().get(synonym).cloned());
        }
        if let Some(text) = altered.get(property.name) {
            values.replace(
                property.name,
                Some(property.parse(text).map_err(AlterError::Value)?),
            );
        }
    }
    Ok(values)
}
