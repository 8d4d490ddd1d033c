//! Changes of the properties of a resource: what AlterConfigs, IncrementalAlterConfigs and the
//! configs of CreateTopics ask for, checked, and what the resource sets afterwards.
//!
//! Source: the answers of the reference release. Whether the resource exists, and whether its name
//! is a valid one, is up to the caller.

mod broker;
mod client_metrics;
mod error;
mod group;
mod logger;
mod topic;

use std::collections::BTreeSet;

use crate::broker_config::BrokerConfig;
use crate::error::ConfigError;
use crate::table;
use crate::value::ValueType;
use crate::values::ConfigMap;

pub use error::{AlterError, AlterErrorKind, GroupBound};
pub use logger::{LogLevel, LoggerChange, LoggerError, validate_logger_change};

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A topic.
    Topic,
    /// One broker: the one whose configuration is given.
    Broker,
    /// The defaults of all brokers: resource BROKER with an empty name.
    BrokerDefault,
    /// A group.
    Group,
    /// A client metrics subscription.
    ClientMetrics,
}

/// What IncrementalAlterConfigs does to one property. Source: protocol field `ConfigOperation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Sets it.
    Set,
    /// Lets its default count again.
    Delete,
    /// Adds values to a list, if it does not have them.
    Append,
    /// Takes values out of a list.
    Subtract,
}

impl Operation {
    /// The operation of this number on the wire.
    pub fn from_wire(id: i8) -> Option<Self> {
        match id {
            0 => Some(Self::Set),
            1 => Some(Self::Delete),
            2 => Some(Self::Append),
            3 => Some(Self::Subtract),
            _ => None,
        }
    }

    /// Kafka's name of the operation, such as `APPEND`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Set => "SET",
            Self::Delete => "DELETE",
            Self::Append => "APPEND",
            Self::Subtract => "SUBTRACT",
        }
    }
}

/// One change of IncrementalAlterConfigs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The property.
    pub name: String,
    /// What is done to it.
    pub operation: Operation,
    /// The value; a deletion needs none.
    pub value: Option<String>,
}

/// What a request asks to be done to one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alteration {
    /// IncrementalAlterConfigs: these changes, the rest stays.
    Incremental(Vec<Change>),
    /// AlterConfigs and CreateTopics: these properties and no others.
    Replace(Vec<(String, Option<String>)>),
}

/// Whether the cluster's feature `eligible.leader.replicas.version` is on (KIP-966), which guards
/// `min.insync.replicas`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EligibleLeaderReplicas {
    /// It is.
    Enabled,
    /// It is not.
    Disabled,
}

/// Checks `alteration` of a resource that sets `current`, and gives what it sets afterwards.
///
/// `broker` is the configuration of the broker that answers: topics and groups inherit from it.
/// The values given are kept as they were written; reading them again is up to the readers.
///
/// # Errors
/// What the reference release refuses, with its error code ([`AlterError::kind`]).
pub fn validate_alteration(
    broker: &BrokerConfig,
    scope: Scope,
    current: &ConfigMap,
    alteration: &Alteration,
    eligible_leader_replicas: EligibleLeaderReplicas,
) -> Result<ConfigMap, AlterError> {
    check_names_and_nulls(alteration)?;
    let altered = altered(scope, current, alteration)?;
    match scope {
        Scope::Topic => topic::check(broker, &altered)?,
        Scope::Group => group::check(broker, &altered)?,
        Scope::ClientMetrics => client_metrics::check(&altered)?,
        Scope::Broker | Scope::BrokerDefault => {
            // What became invalid since it was stored does not stand in the way of other changes.
            let (valid, _) = broker::without_invalid(scope, current);
            broker::check(broker, scope, &self::altered(scope, &valid, alteration)?)?;
            if eligible_leader_replicas == EligibleLeaderReplicas::Enabled {
                broker::check_min_insync_replicas(scope, current, &altered)?;
            }
        }
    }
    Ok(altered)
}

/// Checks the properties that CreateTopics gives to a new topic, and gives what it sets. When a
/// name occurs twice, the last one counts.
///
/// # Errors
/// As [`validate_alteration`]; all of them are INVALID_CONFIG here.
pub fn validate_new_topic<'a>(
    broker: &BrokerConfig,
    properties: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
) -> Result<ConfigMap, AlterError> {
    let mut set = ConfigMap::new();
    let mut nulls = BTreeSet::new();
    for (name, value) in properties {
        match value {
            Some(value) => {
                nulls.remove(name);
                set.insert(name.to_owned(), value.to_owned());
            }
            None => drop(nulls.insert(name.to_owned())),
        }
    }
    if !nulls.is_empty() {
        return Err(AlterError::NullTopicValue {
            names: nulls.into_iter().collect(),
        });
    }
    topic::check(broker, &set)?;
    Ok(set)
}

/// A stored property that a broker leaves out.
#[derive(Clone, Debug, PartialEq)]
pub struct IgnoredProperty {
    /// Its name.
    pub name: String,
    /// Why it is left out.
    pub error: AlterError,
}

/// The configuration of a broker with the dynamic properties that the metadata log holds: those of
/// all brokers (resource BROKER with an empty name) and those of this one.
///
/// What was valid when it was set may not be any more, after a change of the static properties or
/// of the version. Such properties are left out, and come back for the log; the rest counts.
///
/// # Errors
/// The properties contradict each other or the static ones. The caller keeps the configuration it
/// has.
pub fn with_stored_dynamic(
    broker: &BrokerConfig,
    dynamic_default: &ConfigMap,
    dynamic_broker: &ConfigMap,
) -> Result<(BrokerConfig, Vec<IgnoredProperty>), ConfigError> {
    let (default, mut ignored) = broker::without_invalid(Scope::BrokerDefault, dynamic_default);
    let (own, ignored_of_own) = broker::without_invalid(Scope::Broker, dynamic_broker);
    ignored.extend(ignored_of_own);
    Ok((broker.with_dynamic(&default, &own)?, ignored))
}

fn check_names_and_nulls(alteration: &Alteration) -> Result<(), AlterError> {
    let pairs: Vec<(&String, bool)> = match alteration {
        Alteration::Incremental(changes) => changes
            .iter()
            .map(|one| {
                (
                    &one.name,
                    one.value.is_none() && one.operation != Operation::Delete,
                )
            })
            .collect(),
        Alteration::Replace(properties) => properties
            .iter()
            .map(|(name, value)| (name, value.is_none()))
            .collect(),
    };
    let mut names = BTreeSet::new();
    for (name, _) in &pairs {
        if !names.insert(*name) {
            return Err(AlterError::DuplicateName {
                name: (*name).clone(),
            });
        }
    }
    let nulls: Vec<String> = pairs
        .into_iter()
        .filter(|(_, is_null)| *is_null)
        .map(|(name, _)| name.clone())
        .collect();
    if nulls.is_empty() {
        Ok(())
    } else {
        Err(AlterError::NullValue { names: nulls })
    }
}

fn altered(
    scope: Scope,
    current: &ConfigMap,
    alteration: &Alteration,
) -> Result<ConfigMap, AlterError> {
    match alteration {
        Alteration::Incremental(changes) => apply(scope, current, changes),
        Alteration::Replace(properties) => Ok(properties
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
            .collect()),
    }
}

fn apply(scope: Scope, current: &ConfigMap, changes: &[Change]) -> Result<ConfigMap, AlterError> {
    let mut altered = current.clone();
    for change in changes {
        let name = change.name.clone();
        match (change.operation, &change.value) {
            (Operation::Set, Some(value)) => drop(altered.insert(name, value.clone())),
            (Operation::Append | Operation::Subtract, Some(value)) => {
                let list = altered_list(scope, &altered, change, value)?;
                altered.insert(name, list);
            }
            (Operation::Delete, _) | (_, None) => drop(altered.remove(&name)),
        }
    }
    Ok(altered)
}

/// A list with `value`'s items added or taken away. A list that is not set starts from its default,
/// not from what the broker sets for it.
fn altered_list(
    scope: Scope,
    altered: &ConfigMap,
    change: &Change,
    value: &str,
) -> Result<String, AlterError> {
    let property = match scope {
        Scope::Topic => table::TOPIC.get(&change.name),
        Scope::Broker | Scope::BrokerDefault => match table::BROKER.get(&change.name) {
            Some(property) => Some(property),
            None => {
                return Err(AlterError::UnknownBrokerConfig {
                    name: change.name.clone(),
                });
            }
        },
        // Kafka treats no property of these as a list.
        Scope::Group | Scope::ClientMetrics => None,
    };
    let not_a_list = || AlterError::NotAList {
        name: change.name.clone(),
        operation: change.operation.name(),
    };
    let property = property
        .filter(|property| property.value_type == ValueType::List)
        .ok_or_else(not_a_list)?;
    let before = altered
        .get(&change.name)
        .map(String::as_str)
        .or(property.default_text());
    let mut items: Vec<&str> = before
        .unwrap_or_default()
        .split(',')
        .filter(|item| !item.is_empty())
        .collect();
    for item in value.split(',') {
        let position = items.iter().position(|present| *present == item);
        match (change.operation, position) {
            (Operation::Append, None) => items.push(item),
            (Operation::Subtract, Some(position)) => drop(items.remove(position)),
            _ => {}
        }
    }
    Ok(items.join(","))
}

#[cfg(test)]
mod tests;
