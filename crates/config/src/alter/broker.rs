//! What brokers may be changed to while they run.

use crate::broker_config::BrokerConfig;
use crate::describe::broker_property;
use crate::error::ListenerError;
use crate::synonyms::listener_override;
use crate::table::{self, UpdateMode};
use crate::values::ConfigMap;

use super::{AlterError, IgnoredProperty, Scope};

/// Thread pools: a change may at most halve or double them.
const THREAD_POOLS: [&str; 10] = [
    "background.threads",
    "log.cleaner.threads",
    "num.io.threads",
    "num.network.threads",
    "num.recovery.threads.per.data.dir",
    "num.replica.fetchers",
    "remote.log.manager.copier.thread.pool.size",
    "remote.log.manager.expiration.thread.pool.size",
    "remote.log.manager.follower.thread.pool.size",
    "remote.log.reader.threads",
];

/// Properties of listeners that may have a default for all brokers.
const CLUSTER_LEVEL_OF_LISTENERS: [&str; 3] = [
    "max.connections",
    "max.connection.creation.rate",
    "num.network.threads",
];

/// Properties that only change for one listener. Source: Kafka's reconfigurable TLS properties.
const ONLY_OF_LISTENERS: [&str; 10] = [
    "ssl.key.password",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
];

/// Checks what one broker, or all of them, would set while running.
pub(super) fn check(
    broker: &BrokerConfig,
    scope: Scope,
    altered: &ConfigMap,
) -> Result<(), AlterError> {
    check_each(scope, altered)?;
    let properties = broker.properties();
    let changed = match scope {
        Scope::BrokerDefault => broker.with_dynamic(altered, &properties.dynamic_broker),
        _ => broker.with_dynamic(&properties.dynamic_default, altered),
    };
    let changed = changed.map_err(AlterError::Broker)?;
    check_listeners(broker, &changed)?;
    check_thread_pools(broker, &changed)
}

/// What clients were told of must stay; other listeners may come and go.
fn check_listeners(before: &BrokerConfig, after: &BrokerConfig) -> Result<(), AlterError> {
    let remains = |name: &String| {
        after
            .listeners
            .listeners
            .iter()
            .any(|one| one.name == *name)
    };
    let mut advertised = before.listeners.advertised.iter().map(|one| &one.name);
    match advertised.find(|name| !remains(name)) {
        Some(name) => {
            let name = name.clone();
            let error = ListenerError::AdvertisedButNotListenedOn { name };
            Err(AlterError::Broker(error.into()))
        }
        None => Ok(()),
    }
}

/// Checks the properties one by one: whether they may be set there, and to that value.
fn check_each(scope: Scope, altered: &ConfigMap) -> Result<(), AlterError> {
    let names_where = |is_wrong: &dyn Fn(&str) -> bool| -> Vec<String> {
        altered
            .keys()
            .filter(|name| is_wrong(name))
            .cloned()
            .collect()
    };
    let names = names_where(&is_read_only);
    if !names.is_empty() {
        return Err(AlterError::NotDynamic { names });
    }
    let names = names_where(&|name| ONLY_OF_LISTENERS.contains(&name));
    if !names.is_empty() {
        return Err(AlterError::NeedsListener { names });
    }
    for (name, text) in altered {
        let is_dynamic = |property: &&table::Property| property.update != UpdateMode::ReadOnly;
        if let Some(property) = broker_property(name).filter(is_dynamic) {
            property.parse(text).map_err(AlterError::BrokerValue)?;
        }
    }
    let names = names_where(&is_of_one_broker);
    if scope == Scope::BrokerDefault && !names.is_empty() {
        return Err(AlterError::NeedsBroker { names });
    }
    Ok(())
}

/// The dynamic properties that the metadata log holds, without those that cannot be set there: they
/// were written by another version. Each of those comes with why it is left out.
pub(super) fn without_invalid(
    scope: Scope,
    stored: &ConfigMap,
) -> (ConfigMap, Vec<IgnoredProperty>) {
    let mut kept = ConfigMap::new();
    let mut ignored = Vec::new();
    for (name, text) in stored {
        let one = ConfigMap::from([(name.clone(), text.clone())]);
        match check_each(scope, &one) {
            Ok(()) => kept.extend(one),
            Err(error) => ignored.push(IgnoredProperty {
                name: name.clone(),
                error,
            }),
        }
    }
    (kept, ignored)
}

fn is_read_only(name: &str) -> bool {
    table::BROKER
        .get(name)
        .is_some_and(|property| property.update == UpdateMode::ReadOnly)
}

fn is_of_one_broker(name: &str) -> bool {
    match listener_override(name) {
        Some(base) => !CLUSTER_LEVEL_OF_LISTENERS.contains(&base),
        None => table::BROKER
            .get(name)
            .is_some_and(|property| property.update == UpdateMode::PerBroker),
    }
}

fn check_thread_pools(before: &BrokerConfig, after: &BrokerConfig) -> Result<(), AlterError> {
    for name in THREAD_POOLS {
        let (current, value) = (before.values().int(name), after.values().int(name));
        let is_near = value >= current / 2 && value <= current.saturating_mul(2);
        if !is_near {
            return Err(AlterError::ThreadCount {
                name,
                value,
                current,
            });
        }
    }
    Ok(())
}

/// With eligible leader replicas, `min.insync.replicas` is one for the whole cluster (KIP-966).
pub(super) fn check_min_insync_replicas(
    scope: Scope,
    current: &ConfigMap,
    altered: &ConfigMap,
) -> Result<(), AlterError> {
    let before = current.get("min.insync.replicas");
    let after = altered.get("min.insync.replicas");
    match scope {
        Scope::BrokerDefault if before.is_some() && after.is_none() => {
            Err(AlterError::DefaultMinInsyncReplicas)
        }
        Scope::Broker if before != after => Err(AlterError::BrokerMinInsyncReplicas),
        _ => Ok(()),
    }
}
