//! What DescribeConfigs answers: each property with its value, who set it, and what else would
//! have.
//!
//! Source: the answers of the reference release, entry for entry; the documentation is our own, and
//! entries come in the order of their names.

use std::collections::BTreeSet;

use crate::broker_config::BrokerConfig;
use crate::synonyms::{broker_and_listener_synonyms, broker_synonyms, listener_override};
use crate::table::{self, Property, Table};
use crate::value::{Value, ValueError, ValueType};
use crate::values::ConfigMap;

/// Who set a value. Source: protocol field `ConfigSource` of DescribeConfigsResponse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConfigSource {
    /// The topic itself.
    DynamicTopic,
    /// The running broker alone.
    DynamicBroker,
    /// The running brokers, all of them.
    DynamicDefaultBroker,
    /// What the broker was started with.
    StaticBroker,
    /// Nobody.
    Default,
    /// A logger of the broker.
    DynamicBrokerLogger,
    /// The client metrics subscription itself.
    ClientMetrics,
    /// The group itself.
    Group,
}

impl ConfigSource {
    /// The number of the source on the wire.
    pub fn wire_id(self) -> i8 {
        match self {
            Self::DynamicTopic => 1,
            Self::DynamicBroker => 2,
            Self::DynamicDefaultBroker => 3,
            Self::StaticBroker => 4,
            Self::Default => 5,
            Self::DynamicBrokerLogger => 6,
            Self::ClientMetrics => 7,
            Self::Group => 8,
        }
    }

    /// The name that Kafka's clients give to the source, such as `DYNAMIC_TOPIC_CONFIG`.
    pub fn name(self) -> &'static str {
        match self {
            Self::DynamicTopic => "DYNAMIC_TOPIC_CONFIG",
            Self::DynamicBroker => "DYNAMIC_BROKER_CONFIG",
            Self::DynamicDefaultBroker => "DYNAMIC_DEFAULT_BROKER_CONFIG",
            Self::StaticBroker => "STATIC_BROKER_CONFIG",
            Self::Default => "DEFAULT_CONFIG",
            Self::DynamicBrokerLogger => "DYNAMIC_BROKER_LOGGER_CONFIG",
            Self::ClientMetrics => "DYNAMIC_CLIENT_METRICS_CONFIG",
            Self::Group => "DYNAMIC_GROUP_CONFIG",
        }
    }
}

/// A place where a value comes or could come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synonym {
    /// The property's name there.
    pub name: String,
    /// Its value there; `None` when it must not be shown.
    pub value: Option<String>,
    /// Who set it.
    pub source: ConfigSource,
}

/// One entry of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedConfig {
    /// The property, or the logger.
    pub name: String,
    /// Its value; `None` when there is none or it must not be shown.
    pub value: Option<String>,
    /// Who set it.
    pub source: ConfigSource,
    /// Whether it must not be shown.
    pub is_sensitive: bool,
    /// Whether it cannot be changed while the broker runs.
    pub read_only: bool,
    /// Its type; `None` when it is unknown.
    pub value_type: Option<ValueType>,
    /// What it is for; `None` for what no table knows.
    pub documentation: Option<&'static str>,
    /// Where its value comes from, strongest first.
    pub synonyms: Vec<Synonym>,
}

impl DescribedConfig {
    /// The `ConfigType` of the wire, 0 when it is unknown.
    pub fn wire_type(&self) -> i8 {
        self.value_type.map_or(0, ValueType::wire_id)
    }
}

/// Describes a topic that sets `overrides` itself.
pub fn describe_topic(
    broker: &BrokerConfig,
    overrides: &ConfigMap,
) -> Result<Vec<DescribedConfig>, ValueError> {
    let values = broker.topic_defaults.with_overrides(overrides)?;
    let described = table::TOPIC
        .iter()
        .filter(|property| is_shown(property, overrides));
    Ok(described
        .map(|property| {
            // Kafka shows what is for its own tests as it was written.
            let own = overrides
                .get(property.name)
                .filter(|_| property.is_internal);
            let value = own
                .cloned()
                .or_else(|| values.get(property.name).map(Value::to_string));
            let mut synonyms = match property.broker_synonym {
                Some(name) => broker_chain(broker, name, Visibility::Shown),
                None => Vec::new(),
            };
            if overrides.contains_key(property.name) {
                synonyms.insert(
                    0,
                    synonym(property.name, &value, ConfigSource::DynamicTopic),
                );
            }
            dynamic_entry(property, value, synonyms)
        })
        .collect())
}

/// What CreateTopics answers of a new topic that sets `overrides`: values as they were written, no
/// synonyms, and whoever set a property counts even under another unit.
pub fn describe_created_topic(
    broker: &BrokerConfig,
    overrides: &ConfigMap,
) -> Vec<DescribedConfig> {
    let defaults = broker.topic_defaults.values();
    let described = table::TOPIC
        .iter()
        .filter(|property| is_shown(property, overrides));
    described
        .map(|property| match overrides.get(property.name) {
            Some(text) => DescribedConfig {
                source: ConfigSource::DynamicTopic,
                ..dynamic_entry(property, Some(text.clone()), Vec::new())
            },
            None => {
                let names = property
                    .broker_synonym
                    .map(broker_synonyms)
                    .unwrap_or_default();
                let is_named =
                    |layer: &ConfigMap| names.iter().any(|name| layer.contains_key(*name));
                let setter = layers(broker)
                    .into_iter()
                    .find(|(layer, _)| is_named(layer));
                let value = defaults.get(property.name).map(Value::to_string);
                DescribedConfig {
                    source: setter.map_or(ConfigSource::Default, |(_, source)| source),
                    ..dynamic_entry(property, value, Vec::new())
                }
            }
        })
        .collect()
}

/// Describes a group that sets `overrides` itself.
pub fn describe_group(
    broker: &BrokerConfig,
    overrides: &ConfigMap,
) -> Result<Vec<DescribedConfig>, ValueError> {
    table::GROUP
        .iter()
        .map(|property| {
            let inherited = property
                .broker_synonym
                .and_then(|name| broker.values().get(name));
            let value = match (overrides.get(property.name), inherited) {
                (Some(text), _) => Some(property.parse(text)?.to_string()),
                (None, Some(value)) => Some(value.to_string()),
                (None, None) => property.default_text().map(str::to_owned),
            };
            let default = property.default_text().map(str::to_owned);
            let mut synonyms = match property.broker_synonym {
                Some(name) => broker_chain(broker, name, Visibility::Shown),
                None => vec![synonym(property.name, &default, ConfigSource::Default)],
            };
            if overrides.contains_key(property.name) {
                synonyms.insert(0, synonym(property.name, &value, ConfigSource::Group));
            }
            Ok(dynamic_entry(property, value, synonyms))
        })
        .collect()
}

/// Describes a client metrics subscription that sets `overrides`.
pub fn describe_client_metrics(overrides: &ConfigMap) -> Result<Vec<DescribedConfig>, ValueError> {
    table::CLIENT_METRICS
        .iter()
        .map(|property| {
            let (value, synonyms) = match overrides.get(property.name) {
                Some(text) => {
                    let value = Some(property.parse(text)?.to_string());
                    let own = synonym(property.name, &value, ConfigSource::ClientMetrics);
                    (value, vec![own])
                }
                None => (property.default_text().map(str::to_owned), Vec::new()),
            };
            Ok(dynamic_entry(property, value, synonyms))
        })
        .collect()
}

/// Describes the broker itself: resource BROKER with its id as name.
pub fn describe_broker(broker: &BrokerConfig) -> Vec<DescribedConfig> {
    let set = broker.effective();
    let known = table::BROKER
        .iter()
        .filter(|property| !property.is_internal);
    let names: BTreeSet<&str> = known
        .map(|property| property.name)
        .chain(set.keys().map(String::as_str))
        .collect();
    let entry = |name: &str| {
        let property = broker_property(name);
        let parsed = table::BROKER
            .get(name)
            .filter(|property| !property.is_internal);
        let value = match parsed {
            Some(property) => broker.values().get(property.name).map(Value::to_string),
            None => set.get(name).cloned(),
        };
        broker_entry(
            name,
            value,
            broker_chain(broker, name, visibility(property)),
        )
    };
    names.into_iter().map(entry).collect()
}

/// Describes the dynamic defaults of all brokers: resource BROKER with an empty name. Only what is
/// set is shown.
pub fn describe_broker_defaults(broker: &BrokerConfig) -> Vec<DescribedConfig> {
    let defaults = &broker.properties().dynamic_default;
    let entry = |(name, value): (&String, &String)| {
        let mut synonyms = broker_chain(broker, name, visibility(broker_property(name)));
        synonyms.retain(|synonym| synonym.source == ConfigSource::DynamicDefaultBroker);
        broker_entry(name, Some(value.clone()), synonyms)
    };
    defaults.iter().map(entry).collect()
}

/// Describes the loggers of a broker, given their names and levels.
pub fn describe_loggers(loggers: &ConfigMap) -> Vec<DescribedConfig> {
    let entry = |(name, level): (&String, &String)| DescribedConfig {
        name: name.clone(),
        value: Some(level.clone()),
        source: ConfigSource::DynamicBrokerLogger,
        is_sensitive: false,
        read_only: false,
        value_type: None,
        documentation: None,
        synonyms: Vec::new(),
    };
    loggers.iter().map(entry).collect()
}

/// Whether a value may be shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Visibility {
    Shown,
    Hidden,
}

/// What no table knows may be a secret.
fn visibility(property: Option<&Property>) -> Visibility {
    match property {
        Some(property) if !property.is_sensitive() => Visibility::Shown,
        _ => Visibility::Hidden,
    }
}

/// Properties for Kafka's own tests are shown when they are set.
fn is_shown(property: &Property, set: &ConfigMap) -> bool {
    !property.is_internal || set.contains_key(property.name)
}

fn synonym(name: &str, value: &Option<String>, source: ConfigSource) -> Synonym {
    Synonym {
        name: name.to_owned(),
        value: value.clone(),
        source,
    }
}

/// The row that says what a broker's property is: its own, or that of what a listener overrides.
pub(crate) fn broker_property(name: &str) -> Option<&'static Property> {
    let tables: [&Table; 2] = [&table::BROKER, &table::BROKER_QUOTA];
    let find = |name: &str| tables.into_iter().find_map(|table| table.get(name));
    find(name).or_else(|| listener_override(name).and_then(find))
}

/// The properties that someone set, strongest first.
fn layers(broker: &BrokerConfig) -> [(&ConfigMap, ConfigSource); 3] {
    let properties = broker.properties();
    [
        (&properties.dynamic_broker, ConfigSource::DynamicBroker),
        (
            &properties.dynamic_default,
            ConfigSource::DynamicDefaultBroker,
        ),
        (&properties.static_broker, ConfigSource::StaticBroker),
    ]
}

/// Everywhere a broker's property is set, strongest first, beginning where it has this very name.
fn broker_chain(broker: &BrokerConfig, name: &str, visibility: Visibility) -> Vec<Synonym> {
    let shown = |text: &str| (visibility == Visibility::Shown).then(|| text.to_owned());
    let names = broker_and_listener_synonyms(name);
    let set = layers(broker).into_iter().flat_map(|(layer, source)| {
        names.iter().filter_map(move |name| {
            layer
                .get(*name)
                .map(|text| synonym(name, &shown(text), source))
        })
    });
    let defaults = names.iter().filter_map(|name| {
        let text = table::BROKER.get(name)?.default_text()?;
        Some(synonym(name, &shown(text), ConfigSource::Default))
    });
    set.chain(defaults)
        .skip_while(|synonym| synonym.name != name)
        .collect()
}

fn source_of(synonyms: &[Synonym]) -> ConfigSource {
    synonyms
        .first()
        .map_or(ConfigSource::Default, |synonym| synonym.source)
}

/// An entry of something that can be changed at any time.
fn dynamic_entry(
    property: &'static Property,
    value: Option<String>,
    synonyms: Vec<Synonym>,
) -> DescribedConfig {
    DescribedConfig {
        name: property.name.to_owned(),
        value,
        source: source_of(&synonyms),
        is_sensitive: property.is_sensitive(),
        read_only: false,
        value_type: Some(property.value_type),
        documentation: Some(property.doc),
        synonyms,
    }
}

fn broker_entry(name: &str, value: Option<String>, synonyms: Vec<Synonym>) -> DescribedConfig {
    let property = broker_property(name);
    let is_sensitive = visibility(property) == Visibility::Hidden;
    // A listener override counts as read-only even where it can be changed.
    let is_dynamic = property.is_some_and(|property| {
        property.name == name && property.update != table::UpdateMode::ReadOnly
    });
    DescribedConfig {
        name: name.to_owned(),
        value: value.filter(|_| !is_sensitive),
        source: source_of(&synonyms),
        is_sensitive,
        read_only: !is_dynamic,
        value_type: property.map(|property| property.value_type),
        documentation: property.map(|property| property.doc),
        synonyms,
    }
}

#[cfg(test)]
mod tests;
