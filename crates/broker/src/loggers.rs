//! The levels of the log lines, as Kafka's broker-logger resource shows and changes them (KIP-412).

use std::collections::BTreeMap;

use ottla_config::ConfigMap;
use parking_lot::Mutex;

/// The logger that all others follow.
pub const ROOT_LOGGER: &str = "root";
/// The loggers there are beside the root: the crates of the broker.
const LOGGERS: [&str; 5] = [
    "ottla_broker",
    "ottla_config",
    "ottla_groups",
    "ottla_metadata",
    "ottla_storage",
];

/// Changes the levels of the program's log lines.
pub struct LogLevels {
    apply: Box<dyn Fn(&str) -> bool + Send + Sync>,
}

impl LogLevels {
    /// `apply` takes directives such as `info,ottla_storage=debug`; false if it cannot.
    pub fn new(apply: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self {
            apply: Box::new(apply),
        }
    }
}

/// The loggers and their levels.
pub struct Loggers {
    levels: LogLevels,
    set: Mutex<BTreeMap<String, String>>,
}

impl Loggers {
    /// Every logger at INFO.
    pub fn new(levels: LogLevels) -> Self {
        Self {
            levels,
            set: Mutex::default(),
        }
    }

    /// Whether there is such a logger.
    pub fn exists(&self, name: &str) -> bool {
        name == ROOT_LOGGER || LOGGERS.contains(&name)
    }

    /// Every logger with its level, by Kafka's names of levels.
    pub fn all(&self) -> ConfigMap {
        let set = self.set.lock();
        let root = set.get(ROOT_LOGGER).map_or("INFO", String::as_str);
        let level = |name: &str| set.get(name).map_or(root, String::as_str).to_owned();
        std::iter::once(ROOT_LOGGER)
            .chain(LOGGERS)
            .map(|name| (name.to_owned(), level(name)))
            .collect()
    }

    /// Sets the level of a logger, or lets it follow the root again (`None`).
    pub fn set(&self, name: &str, level: Option<&str>) {
        let mut set = self.set.lock();
        match level {
            Some(level) => drop(set.insert(name.to_owned(), level.to_owned())),
            None => drop(set.remove(name)),
        }
        let directive = |(name, level): (&String, &String)| match name.as_str() {
            ROOT_LOGGER => directive_level(level).to_owned(),
            name => format!("{name}={}", directive_level(level)),
        };
        let mut directives: Vec<String> = set.iter().map(directive).collect();
        if !set.contains_key(ROOT_LOGGER) {
            directives.push("info".to_owned());
        }
        if !(self.levels.apply)(&directives.join(",")) {
            tracing::error!(logger = name, "the level of a logger could not be changed");
        }
    }
}

fn directive_level(level: &str) -> &'static str {
    match level {
        "OFF" => "off",
        "FATAL" | "ERROR" => "error",
        "WARN" => "warn",
        "DEBUG" => "debug",
        "TRACE" => "trace",
        _ => "info",
    }
}
