//! The configuration of one node, as the broker uses it.

mod checks;
mod load;
mod parts;

use std::fmt;

use crate::error::ConfigError;
use crate::listeners::Listeners;
use crate::topic_config::TopicDefaults;
use crate::values::{ConfigMap, Values};

pub use load::{EMBEDDED_DEFAULTS, ENVIRONMENT_PREFIX, environment_variable};
pub use parts::{
    BackgroundConfig, GroupConfig, ListenerConnections, LogConfig, MetadataLogConfig,
    NetworkConfig, OffsetsConfig, ProducerConfig, QuorumConfig, RequestConfig, TopicCreationConfig,
    Voter,
};

/// What a node is. Source: `process.roles`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessRoles {
    /// It keeps partitions and serves clients.
    pub broker: bool,
    /// It takes part in the metadata quorum.
    pub controller: bool,
}

/// Where a node's metadata quorum comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuorumKind {
    /// Nothing names a quorum: the node is the only voter, and needs no controller listener.
    Alone,
    /// `controller.quorum.bootstrap.servers` or `controller.quorum.voters` name it.
    Configured,
}

/// Who set a property of a broker, from the strongest to the weakest. `Debug` shows only the names,
/// for values may be secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BrokerProperties {
    /// The dynamic properties of this broker.
    pub dynamic_broker: ConfigMap,
    /// The dynamic properties of all brokers.
    pub dynamic_default: ConfigMap,
    /// What the node was started with: file, environment and command line.
    pub static_broker: ConfigMap,
}

/// The configuration of one node.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerConfig {
    /// `node.id`.
    pub node_id: i32,
    /// `process.roles`.
    pub process_roles: ProcessRoles,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// The addresses of the node.
    pub listeners: Listeners,
    /// Connections and sockets.
    pub network: NetworkConfig,
    /// Limits of requests.
    pub requests: RequestConfig,
    /// The metadata quorum.
    pub quorum: QuorumConfig,
    /// The metadata log.
    pub metadata_log: MetadataLogConfig,
    /// The logs of partitions, as far as no topic says otherwise.
    pub log: LogConfig,
    /// How topics come and go.
    pub topics: TopicCreationConfig,
    /// Classic groups.
    pub groups: GroupConfig,
    /// Committed offsets and their topic.
    pub offsets: OffsetsConfig,
    /// The memory of producers.
    pub producers: ProducerConfig,
    /// Work that is done from time to time.
    pub background: BackgroundConfig,
    /// What topics have where they set nothing themselves.
    pub topic_defaults: TopicDefaults,
    properties: BrokerProperties,
    values: Values,
}

impl BrokerConfig {
    /// The same node with other dynamic properties: `dynamic_default` those of all brokers
    /// (resource BROKER with an empty name), `dynamic_broker` those of this one. Listeners change
    /// too, if the properties say so; whether that can take effect while running is up to the
    /// caller.
    pub fn with_dynamic(
        &self,
        dynamic_default: &ConfigMap,
        dynamic_broker: &ConfigMap,
    ) -> Result<Self, ConfigError> {
        let properties = BrokerProperties {
            dynamic_broker: dynamic_broker.clone(),
            dynamic_default: dynamic_default.clone(),
            static_broker: self.properties.static_broker.clone(),
        };
        Self::from_properties(properties, self.quorum.kind)
    }

    /// Who set which property.
    pub fn properties(&self) -> &BrokerProperties {
        &self.properties
    }

    /// What is set in the end, by whoever set it.
    pub(crate) fn effective(&self) -> ConfigMap {
        self.properties.effective()
    }

    /// The effective values of all properties.
    pub(crate) fn values(&self) -> &Values {
        &self.values
    }

    fn from_properties(
        properties: BrokerProperties,
        quorum: QuorumKind,
    ) -> Result<Self, ConfigError> {
        let set = properties.effective();
        let values = checks::parse(&set)?;
        let process_roles = ProcessRoles::from_values(&values);
        checks::check_quorum(&values, process_roles, quorum)?;
        checks::check_log(&values)?;
        checks::check_groups(&values)?;
        checks::check_network(&values)?;
        let listeners = Listeners::build(&values, &set, process_roles, quorum)?;
        Ok(Self {
            node_id: values.int("node.id"),
            process_roles,
            rack: values.optional_string("broker.rack").map(str::to_owned),
            network: NetworkConfig::from_values(&values, &set, &listeners)?,
            listeners,
            requests: RequestConfig::from_values(&values),
            quorum: QuorumConfig::from_values(&values, quorum),
            metadata_log: MetadataLogConfig::from_values(&values),
            log: LogConfig::from_values(&values),
            topics: TopicCreationConfig::from_values(&values),
            groups: GroupConfig::from_values(&values),
            offsets: OffsetsConfig::from_values(&values),
            producers: ProducerConfig::from_values(&values),
            background: BackgroundConfig::from_values(&values),
            topic_defaults: TopicDefaults::from_broker(&values),
            properties,
            values,
        })
    }
}

impl ProcessRoles {
    fn from_values(values: &Values) -> Self {
        let roles = values.list("process.roles");
        let has_role = |role: &str| roles.iter().any(|one| one == role);
        Self {
            broker: has_role("broker"),
            controller: has_role("controller"),
        }
    }
}

impl fmt::Debug for BrokerProperties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrokerProperties")
            .field("dynamic_broker", &self.dynamic_broker.keys())
            .field("dynamic_default", &self.dynamic_default.keys())
            .field("static_broker", &self.static_broker.keys())
            .finish()
    }
}

impl BrokerProperties {
    /// What is set in the end. A dynamic property also puts away the static ones that say the same
    /// in other words: a dynamic `log.retention.ms` a static `log.retention.minutes`.
    fn effective(&self) -> ConfigMap {
        let mut result = self.static_broker.clone();
        for layer in [&self.dynamic_default, &self.dynamic_broker] {
            for (name, value) in layer {
                for synonym in crate::synonyms::broker_synonyms(name) {
                    result.remove(synonym);
                }
                result.insert(name.clone(), value.clone());
            }
        }
        result
    }
}

#[cfg(test)]
mod tests;
