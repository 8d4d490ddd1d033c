//! Which properties say the same in other words.

/// The properties of a broker that stand for `name`, `name` among them, in the order in which they
/// count. Listener overrides are not looked at. Source: the behaviour of DescribeConfigs.
pub(crate) fn broker_synonyms(name: &str) -> Vec<&str> {
    match name {
        "log.roll.ms" | "log.roll.hours" => vec!["log.roll.ms", "log.roll.hours"],
        "log.roll.jitter.ms" | "log.roll.jitter.hours" => {
            vec!["log.roll.jitter.ms", "log.roll.jitter.hours"]
        }
        "log.flush.interval.ms" => {
            vec!["log.flush.interval.ms", "log.flush.scheduler.interval.ms"]
        }
        "log.retention.ms" | "log.retention.minutes" | "log.retention.hours" => {
            vec![
                "log.retention.ms",
                "log.retention.minutes",
                "log.retention.hours",
            ]
        }
        _ => vec![name],
    }
}

/// Properties that may be set for a SASL mechanism of a listener:
/// `listener.name.{listener}.{mechanism}.{property}`.
const PER_MECHANISM: [&str; 5] = [
    "sasl.jaas.config",
    "sasl.login.callback.handler.class",
    "sasl.login.class",
    "sasl.server.callback.handler.class",
    "connections.max.reauth.ms",
];

/// The property that `listener.name.{listener}.{property}` overrides for one listener.
pub(crate) fn listener_override(name: &str) -> Option<&str> {
    let (_, base) = name.strip_prefix("listener.name.")?.split_once('.')?;
    let per_mechanism = PER_MECHANISM
        .into_iter()
        .find(|property| base.ends_with(property));
    Some(per_mechanism.unwrap_or(base))
}

/// As [`broker_synonyms`], with the property that a listener override overrides.
pub(crate) fn broker_and_listener_synonyms(name: &str) -> Vec<&str> {
    match listener_override(name) {
        Some(base) => vec![name, base],
        None => broker_synonyms(name),
    }
}
