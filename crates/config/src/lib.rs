//! Every property of Kafka's brokers, topics, groups and clients: what it is called, what it takes,
//! what it does, and what follows from what someone set.
//!
//! - [`table`]: one row for each property, in one table for each scope.
//! - [`properties`]: the format of `server.properties` and `meta.properties`.
//! - [`BrokerConfig::load`]: a node's configuration from a file, the environment and `--set`.
//! - [`TopicConfig`]: what holds for one topic.
//! - [`describe_topic`] and its siblings: the answers of DescribeConfigs.
//! - [`reason_without_effect`]: which properties change nothing in this version.
//! - [`validate_alteration`]: the checks of AlterConfigs and IncrementalAlterConfigs.
//!
//! It reads no files and no environment by itself, and does not know who asks.

mod alter;
mod broker_config;
mod describe;
mod duration;
mod effect;
mod error;
mod listeners;
pub mod properties;
mod synonyms;
pub mod table;
mod topic_config;
mod valid;
mod value;
mod values;

pub use alter::{
    AlterError, AlterErrorKind, Alteration, Change, EligibleLeaderReplicas, GroupBound,
    IgnoredProperty, LogLevel, LoggerChange, LoggerError, Operation, Scope, validate_alteration,
    validate_logger_change, validate_new_topic, with_stored_dynamic,
};
pub use broker_config::{
    BackgroundConfig, BrokerConfig, BrokerProperties, EMBEDDED_DEFAULTS, ENVIRONMENT_PREFIX,
    GroupConfig, ListenerConnections, LogConfig, MetadataLogConfig, NetworkConfig, OffsetsConfig,
    ProcessRoles, ProducerConfig, QuorumConfig, QuorumKind, RequestConfig, TopicCreationConfig,
    Voter, environment_variable,
};
pub use describe::{
    ConfigSource, DescribedConfig, Synonym, describe_broker, describe_broker_defaults,
    describe_client_metrics, describe_created_topic, describe_group, describe_loggers,
    describe_topic,
};
pub use effect::reason_without_effect;
pub use error::{ConfigError, ConfigWarning, Conflict, ListenerError};
pub use listeners::{Listener, Listeners, SecurityProtocol};
pub use properties::{Properties, PropertiesError};
pub use topic_config::{
    CleanupPolicy, CompressionType, MessageTimestampType, TopicConfig, TopicDefaults,
};
pub use valid::{InvalidReason, LeastList, ListRule, Valid};
pub use value::{HIDDEN_PASSWORD, Value, ValueError, ValueType};
pub use values::ConfigMap;
