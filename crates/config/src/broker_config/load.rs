//! Where a node's static properties come from: a file or the embedded defaults, then the
//! environment, then `--set`; each outweighs the one before.

use std::collections::BTreeMap;

use crate::alter::Scope;
use crate::effect::reason_without_effect;
use crate::error::{ConfigError, ConfigWarning};
use crate::properties::Properties;
use crate::synonyms::listener_override;
use crate::table;
use crate::value::Value;
use crate::values::ConfigMap;

use super::{BrokerConfig, BrokerProperties, QuorumKind};

/// What the names of environment variables begin with that set properties.
pub const ENVIRONMENT_PREFIX: &str = "OTTLA_";

/// What a node is that has no file: alone, broker and controller in one, reachable from its own
/// machine. It listens on a single port: the only voter needs no listener for the metadata quorum.
pub const EMBEDDED_DEFAULTS: [(&str, &str); 5] = [
    ("process.roles", "broker,controller"),
    ("node.id", "1"),
    ("listeners", "PLAINTEXT://localhost:9092"),
    ("controller.listener.names", "CONTROLLER"),
    ("log.dirs", "./ottla-data"),
];

/// Properties that name a metadata quorum.
const QUORUM_PROPERTIES: [&str; 2] = [
    "controller.quorum.bootstrap.servers",
    "controller.quorum.voters",
];

/// Prefixes of properties that plug-ins bring along, so no table knows them.
const PLUG_IN_PREFIXES: [&str; 3] = ["config.providers.", "rlmm.config.", "rsm.config."];

/// The environment variable that sets property `name`, such as `OTTLA_LOG_DIRS`.
pub fn environment_variable(name: &str) -> String {
    format!(
        "{ENVIRONMENT_PREFIX}{}",
        name.replace('.', "_").to_ascii_uppercase()
    )
}

impl BrokerConfig {
    /// The configuration of a node.
    ///
    /// `file`: its properties; without one, [`EMBEDDED_DEFAULTS`]. `environment`: variables, of
    /// which those count that begin with [`ENVIRONMENT_PREFIX`] (see [`environment_variable`]).
    /// `overrides`: `name=value` each, as `--set` takes them.
    ///
    /// # Errors
    /// What Kafka refuses to start with, and security protocols that Ottla does not speak. Unknown
    /// names are warnings, as in Kafka.
    pub fn load(
        file: Option<&Properties>,
        environment: impl IntoIterator<Item = (String, String)>,
        overrides: &[String],
    ) -> Result<(Self, Vec<ConfigWarning>), ConfigError> {
        let mut warnings = Vec::new();
        let mut set = match file {
            Some(file) => from_file(file, &mut warnings),
            None => EMBEDDED_DEFAULTS
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        add_environment(&mut set, environment, &mut warnings);
        for argument in overrides {
            let malformed = || ConfigError::MalformedOverride {
                argument: argument.clone(),
            };
            let (name, value) = argument.split_once('=').ok_or_else(malformed)?;
            let name = name.trim();
            if name.is_empty() {
                return Err(malformed());
            }
            set.insert(name.to_owned(), value.to_owned());
        }
        let names_quorum = QUORUM_PROPERTIES.iter().any(|name| set.contains_key(*name));
        let quorum = match file {
            None if !names_quorum => QuorumKind::Alone,
            _ => QuorumKind::Configured,
        };
        warn_of_properties(&set, &mut warnings);
        add_node_id(&mut set);
        let properties = BrokerProperties {
            static_broker: set,
            ..BrokerProperties::default()
        };
        Ok((Self::from_properties(properties, quorum)?, warnings))
    }
}

/// `node.id` and `broker.id` stand for each other.
fn add_node_id(set: &mut ConfigMap) {
    for (name, synonym) in [("node.id", "broker.id"), ("broker.id", "node.id")] {
        if let (Some(id), false) = (set.get(name).cloned(), set.contains_key(synonym)) {
            set.insert(synonym.to_owned(), id);
        }
    }
}

fn from_file(file: &Properties, warnings: &mut Vec<ConfigWarning>) -> ConfigMap {
    let mut set = ConfigMap::new();
    for entry in file.entries() {
        if set
            .insert(entry.name.clone(), entry.value.clone())
            .is_some()
        {
            warnings.push(ConfigWarning::Repeated {
                name: entry.name.clone(),
                line: entry.line,
            });
        }
    }
    set
}

fn add_environment(
    set: &mut ConfigMap,
    environment: impl IntoIterator<Item = (String, String)>,
    warnings: &mut Vec<ConfigWarning>,
) {
    let by_variable: BTreeMap<String, &'static str> = table::BROKER
        .iter()
        .map(|property| (environment_variable(property.name), property.name))
        .collect();
    for (variable, value) in environment {
        let Some(suffix) = variable.strip_prefix(ENVIRONMENT_PREFIX) else {
            continue;
        };
        match by_variable.get(&variable) {
            Some(name) => drop(set.insert((*name).to_owned(), value)),
            None => {
                let name = suffix.replace('_', ".").to_ascii_lowercase();
                let suggestion = table::BROKER.suggest(&name);
                warnings.push(ConfigWarning::UnknownVariable {
                    variable,
                    suggestion,
                });
            }
        }
    }
}

/// Unknown names, lists with repetitions, and what is set to other than its default without effect.
fn warn_of_properties(set: &ConfigMap, warnings: &mut Vec<ConfigWarning>) {
    for (name, value) in set {
        let base = listener_override(name).unwrap_or(name);
        let Some(property) = table::BROKER.get(base) else {
            if !PLUG_IN_PREFIXES
                .iter()
                .any(|prefix| name.starts_with(prefix))
            {
                let suggestion = table::BROKER.suggest(base);
                warnings.push(ConfigWarning::UnknownProperty {
                    name: name.clone(),
                    suggestion,
                });
            }
            continue;
        };
        if let Ok(Value::List(items)) = property.value_type.parse(property.name, value) {
            let is_repeated = |(index, item)| items.iter().take(index).any(|one| one == item);
            if items.iter().enumerate().any(is_repeated) {
                warnings.push(ConfigWarning::RepeatedListValue {
                    name: property.name,
                });
            }
        }
        let Some(reason) = reason_without_effect(Scope::Broker, name) else {
            continue;
        };
        if property.name != name || property.default_text() != Some(value.trim()) {
            warnings.push(ConfigWarning::NoEffect {
                name: name.clone(),
                reason,
            });
        }
    }
}
