//! What AlterConfigs and IncrementalAlterConfigs share: stored configurations are the controller's,
//! log levels this broker's own.

use std::collections::HashMap;

use ottla_config::{
    AlterErrorKind, Alteration, Change, LoggerChange, Operation, Scope, reason_without_effect,
    validate_logger_change,
};
use ottla_metadata::ConfigResource;
use ottla_metadata::controller::configs::{Refusal, alter_configs};
use ottla_protocol::ErrorCode;
use tracing::warn;

use crate::broker::Broker;

/// Resource type of a broker's log levels.
const BROKER_LOGGER: i8 = 8;

/// What is to be done to one resource.
pub struct ResourceChange {
    /// The wire's type.
    pub resource_type: i8,
    /// The wire's name.
    pub resource_name: String,
    /// What is to be done.
    pub alteration: Alteration,
}

/// What came of it.
pub struct ChangeOutcome {
    /// The wire's type.
    pub resource_type: i8,
    /// The wire's name.
    pub resource_name: String,
    /// Kafka's code.
    pub error_code: i16,
    /// Why, if it was refused.
    pub error_message: Option<String>,
}

/// Carries out the changes; each is answered for itself. A resource named twice is refused.
pub async fn carry_out(
    broker: &Broker,
    changes: Vec<ResourceChange>,
    validate_only: bool,
) -> Vec<ChangeOutcome> {
    let mut times: HashMap<(i8, String), usize> = HashMap::new();
    for change in &changes {
        *times
            .entry((change.resource_type, change.resource_name.clone()))
            .or_default() += 1;
    }
    let mut outcomes = Vec::with_capacity(changes.len());
    for change in changes {
        let is_named_once =
            times.get(&(change.resource_type, change.resource_name.clone())) == Some(&1);
        let ResourceChange {
            resource_type,
            resource_name,
            alteration,
        } = change;
        let result = match is_named_once {
            true => {
                carry_out_one(
                    broker,
                    resource_type,
                    &resource_name,
                    alteration,
                    validate_only,
                )
                .await
            }
            false => Err(refusal("the request names this resource more than once")),
        };
        outcomes.push(ChangeOutcome {
            resource_type,
            resource_name,
            error_code: result.as_ref().err().map_or(0, |(code, _)| code.code()),
            error_message: result.err().map(|(_, message)| message),
        });
    }
    outcomes
}

async fn carry_out_one(
    broker: &Broker,
    resource_type: i8,
    resource_name: &str,
    alteration: Alteration,
    validate_only: bool,
) -> Result<(), Refusal> {
    if resource_type == BROKER_LOGGER {
        return change_loggers(broker, resource_name, &alteration, validate_only);
    }
    let resource = ConfigResource::from_wire(resource_type, resource_name);
    let resource = resource.ok_or_else(|| {
        refusal("there is no such type of resource, or its name is not a broker's id")
    })?;
    match &resource {
        ConfigResource::Broker(Some(id)) if *id != broker.id() => {
            return Err(refusal(
                "the configuration of a broker is changed by that broker: name its id and ask it",
            ));
        }
        ConfigResource::Group(name)
        | ConfigResource::ClientMetrics(name)
        | ConfigResource::Topic(name)
            if name.is_empty() =>
        {
            return Err(refusal("the resource's name is empty"));
        }
        ConfigResource::Topic(name) if !ottla_metadata::controller::is_topic_name(name) => {
            return Err((
                ErrorCode::InvalidTopicException,
                format!("'{name}' is no name of a topic"),
            ));
        }
        _ => {}
    }
    let (scope, names) = (scope(&resource), names(&alteration));
    let alterations = vec![(resource, alteration)];
    let decided = broker
        .controller
        .request(move |image, _, context| {
            alter_configs(image, &alterations, validate_only, context)
        })
        .await
        .map_err(|code| (code, code.message().to_owned()))?;
    decided.into_iter().next().unwrap_or(Ok(()))?;
    if !validate_only {
        warn_without_effect(scope, resource_name, names.iter().map(String::as_str));
    }
    Ok(())
}

/// Tells the operator which of the properties that were just set change nothing.
pub(super) fn warn_without_effect<'a>(
    scope: Scope,
    resource: &str,
    properties: impl Iterator<Item = &'a str>,
) {
    for property in properties {
        if let Some(reason) = reason_without_effect(scope, property) {
            warn!(
                resource,
                property, "a property was set that has no effect: {reason}"
            );
        }
    }
}

fn scope(resource: &ConfigResource) -> Scope {
    match resource {
        ConfigResource::Topic(_) => Scope::Topic,
        ConfigResource::Broker(Some(_)) => Scope::Broker,
        ConfigResource::Broker(None) => Scope::BrokerDefault,
        ConfigResource::Group(_) => Scope::Group,
        ConfigResource::ClientMetrics(_) => Scope::ClientMetrics,
    }
}

/// The properties that an alteration sets.
fn names(alteration: &Alteration) -> Vec<String> {
    match alteration {
        Alteration::Incremental(changes) => {
            let sets = |change: &&Change| change.operation != Operation::Delete;
            let set = changes.iter().filter(sets);
            set.map(|change| change.name.clone()).collect()
        }
        Alteration::Replace(properties) => {
            properties.iter().map(|(name, _)| name.clone()).collect()
        }
    }
}

fn change_loggers(
    broker: &Broker,
    name: &str,
    alteration: &Alteration,
    validate_only: bool,
) -> Result<(), Refusal> {
    if name.parse() != Ok(broker.id().0) {
        return Err(refusal(
            "the log levels of a broker are changed by that broker: name its id and ask it",
        ));
    }
    let Alteration::Incremental(changes) = alteration else {
        return Err(refusal(
            "log levels cannot be replaced as a whole; change them one by one",
        ));
    };
    let mut valid = Vec::with_capacity(changes.len());
    for change in changes {
        let checked = validate_logger_change(change, |logger| broker.loggers.exists(logger));
        valid.push(checked.map_err(|error| {
            let code = match error.kind() {
                AlterErrorKind::InvalidConfig => ErrorCode::InvalidConfig,
                AlterErrorKind::InvalidRequest => ErrorCode::InvalidRequest,
            };
            (code, error.to_string())
        })?);
    }
    for change in valid.into_iter().filter(|_| !validate_only) {
        match change {
            LoggerChange::Set { logger, level } => broker.loggers.set(&logger, Some(level.name())),
            LoggerChange::Unset { logger } => broker.loggers.set(&logger, None),
        }
    }
    Ok(())
}

fn refusal(message: &str) -> Refusal {
    (ErrorCode::InvalidRequest, message.to_owned())
}
