//! Why a change of properties is refused.

use thiserror::Error;

use crate::error::ConfigError;
use crate::value::ValueError;

/// The error code that a refusal is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlterErrorKind {
    /// INVALID_CONFIG.
    InvalidConfig,
    /// INVALID_REQUEST.
    InvalidRequest,
}

/// How a group's property must stand to one of the broker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBound {
    /// It must be at least that.
    AtLeast,
    /// It must be at most that.
    AtMost,
}

/// Why a change of properties is refused.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum AlterError {
    /// A property occurs twice.
    #[error("property {name} occurs more than once in the request")]
    DuplicateName {
        /// The property.
        name: String,
    },
    /// A property is set to nothing.
    #[error("Null value not supported for: {}", names.join(", "))]
    NullValue {
        /// The properties.
        names: Vec<String>,
    },
    /// A property of a new topic is set to nothing.
    #[error("Null value not supported for topic configs: {}", names.join(","))]
    NullTopicValue {
        /// The properties.
        names: Vec<String>,
    },
    /// No topic has such a property.
    #[error("Unknown topic config name: {name}")]
    UnknownTopicConfig {
        /// The property.
        name: String,
    },
    /// No group has such a property.
    #[error("Unknown group config name: {name}")]
    UnknownGroupConfig {
        /// The property.
        name: String,
    },
    /// No client metrics subscription has such a property.
    #[error("Unknown client metrics configuration: {name}")]
    UnknownClientMetricsConfig {
        /// The property.
        name: String,
    },
    /// No broker has such a property, so it cannot be a list.
    #[error("Unknown config name: {name}")]
    UnknownBrokerConfig {
        /// The property.
        name: String,
    },
    /// Only lists can be added to and taken from.
    #[error("Can't {operation} to key {name} because its type is not LIST.")]
    NotAList {
        /// The property.
        name: String,
        /// The operation.
        operation: &'static str,
    },
    /// A property of a topic, group or subscription does not take its value.
    #[error(transparent)]
    Value(ValueError),
    /// A property of a broker does not take its value.
    #[error(transparent)]
    BrokerValue(ValueError),
    /// The broker could not run with the properties.
    #[error(transparent)]
    Broker(ConfigError),
    /// Properties of a broker that only a restart changes.
    #[error("Cannot update these configs dynamically: [{}]", names.join(", "))]
    NotDynamic {
        /// The properties.
        names: Vec<String>,
    },
    /// Properties of a broker that can only be changed for a listener.
    #[error(
        "set these security configs for a listener, as listener.name.{{listener}}.{{name}}: [{}]",
        names.join(", ")
    )]
    NeedsListener {
        /// The properties.
        names: Vec<String>,
    },
    /// Properties that can only be changed for one broker.
    #[error(
        "Cannot update these configs at default cluster level, broker id must be specified: [{}]",
        names.join(", ")
    )]
    NeedsBroker {
        /// The properties.
        names: Vec<String>,
    },
    /// The size of a thread pool would change too much at once.
    #[error(
        "{name} can be changed at most to half or double of its current value {current}, not to \
         {value}"
    )]
    ThreadCount {
        /// The property.
        name: &'static str,
        /// The value asked for.
        value: i32,
        /// The value before.
        current: i32,
    },
    /// `min.insync.replicas` of one broker, while eligible leader replicas are on.
    #[error("Broker-level min.insync.replicas cannot be altered while ELR is enabled.")]
    BrokerMinInsyncReplicas,
    /// `min.insync.replicas` of all brokers would be removed, while eligible leader replicas are
    /// on.
    #[error("Cluster-level min.insync.replicas cannot be removed while ELR is enabled.")]
    DefaultMinInsyncReplicas,
    /// A record would have to be compacted before it may be.
    #[error(
        "min.compaction.lag.ms ({min_compaction_lag_ms}) must not be greater than \
         max.compaction.lag.ms ({max_compaction_lag_ms})"
    )]
    CompactionLag {
        /// `min.compaction.lag.ms`.
        min_compaction_lag_ms: i64,
        /// `max.compaction.lag.ms`.
        max_compaction_lag_ms: i64,
    },
    /// The broker has no tiered storage.
    #[error("remote.storage.enable needs tiered storage, which is disabled on this broker")]
    TieredStorageDisabled,
    /// A property of a group is out of the broker's bounds.
    #[error("{name} must be {} {bound_name}", bound_text(*bound))]
    GroupBound {
        /// The property.
        name: &'static str,
        /// How it must stand to the bound.
        bound: GroupBound,
        /// The property that is the bound.
        bound_name: &'static str,
    },
    /// Members would be given up before they send a heartbeat.
    #[error("{session_timeout} must be greater than {heartbeat_interval}")]
    GroupHeartbeat {
        /// The property with the session timeout.
        session_timeout: &'static str,
        /// The property with the heartbeat interval.
        heartbeat_interval: &'static str,
    },
    /// The interval of a client metrics subscription is out of bounds.
    #[error(
        "Invalid value {interval_ms} for interval.ms, interval must be between 100 and 3600000 \
         (1 hour)"
    )]
    ClientMetricsInterval {
        /// The interval.
        interval_ms: i32,
    },
    /// A client matching pattern is not `selector=pattern` with a known selector.
    #[error("Illegal client matching pattern: {pattern}")]
    ClientMetricsMatch {
        /// The pattern.
        pattern: String,
    },
}

impl AlterError {
    /// The error code of the refusal.
    pub fn kind(&self) -> AlterErrorKind {
        match self {
            Self::DuplicateName { .. }
            | Self::NullValue { .. }
            | Self::UnknownClientMetricsConfig { .. }
            | Self::BrokerValue(_)
            | Self::Broker(_)
            | Self::NotDynamic { .. }
            | Self::NeedsListener { .. }
            | Self::NeedsBroker { .. }
            | Self::ThreadCount { .. }
            | Self::ClientMetricsInterval { .. } => AlterErrorKind::InvalidRequest,
            Self::NullTopicValue { .. }
            | Self::UnknownTopicConfig { .. }
            | Self::UnknownGroupConfig { .. }
            | Self::UnknownBrokerConfig { .. }
            | Self::NotAList { .. }
            | Self::Value(_)
            | Self::BrokerMinInsyncReplicas
            | Self::DefaultMinInsyncReplicas
            | Self::CompactionLag { .. }
            | Self::TieredStorageDisabled
            | Self::GroupBound { .. }
            | Self::GroupHeartbeat { .. }
            | Self::ClientMetricsMatch { .. } => AlterErrorKind::InvalidConfig,
        }
    }
}

fn bound_text(bound: GroupBound) -> &'static str {
    match bound {
        GroupBound::AtLeast => "greater than or equal to",
        GroupBound::AtMost => "less than or equal to",
    }
}
