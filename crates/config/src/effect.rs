//! Which properties change nothing when they are set, and why.

use crate::alter::Scope;
use crate::describe::broker_property;
use crate::synonyms::listener_override;
use crate::table::{self, Effect, Reason};

/// Properties that act when they are set for one listener. Kafka has no others that do, apart from
/// those of TLS, SASL and its thread pools.
const PER_LISTENER: [&str; 2] = ["max.connections", "max.connection.creation.rate"];

/// Why a property changes nothing on a resource of this kind; `None` if it acts or is unknown.
pub fn reason_without_effect(scope: Scope, name: &str) -> Option<Reason> {
    let property = match scope {
        Scope::Topic => table::TOPIC.get(name),
        Scope::Broker | Scope::BrokerDefault => broker_property(name),
        Scope::Group => table::GROUP.get(name),
        Scope::ClientMetrics => table::CLIENT_METRICS.get(name),
    };
    match property?.effect {
        Effect::Accepted(reason) => Some(reason),
        Effect::Acts => match listener_override(name) {
            Some(base) if !PER_LISTENER.contains(&base) => Some(Reason::ListenerOverride),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests;
