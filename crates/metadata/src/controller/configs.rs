//! Configurations are changed. Source: `ConfigurationControlManager`, KIP-339.

use std::collections::BTreeMap;

use ottla_config::{
    AlterError, AlterErrorKind, Alteration, ConfigMap, EligibleLeaderReplicas, Scope,
    validate_alteration,
};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::metadata::{ConfigRecord, MetadataRecord};

use super::{Decision, DecisionContext};
use crate::image::{ConfigResource, MetadataImage};

/// The feature that guards `min.insync.replicas` (KIP-966).
const ELIGIBLE_LEADER_REPLICAS: &str = "eligible.leader.replicas.version";

/// Why a configuration is not changed: Kafka's code, and words.
pub type Refusal = (ErrorCode, String);

/// Changes the configurations of several resources; each is answered for itself.
pub fn alter_configs(
    image: &MetadataImage,
    alterations: &[(ConfigResource, Alteration)],
    validate_only: bool,
    context: &DecisionContext<'_>,
) -> Decision<Vec<Result<(), Refusal>>> {
    let mut records = Vec::new();
    let mut response = Vec::with_capacity(alterations.len());
    for (resource, alteration) in alterations {
        let altered = alter(image, resource, alteration, context);
        response.push(altered.map(|altered| records.extend(altered)));
    }
    if validate_only {
        records.clear();
    }
    Decision { records, response }
}

fn alter(
    image: &MetadataImage,
    resource: &ConfigResource,
    alteration: &Alteration,
    context: &DecisionContext<'_>,
) -> Result<Vec<MetadataRecord>, Refusal> {
    if let ConfigResource::Topic(name) = resource
        && image.topics().by_name(name).is_none()
    {
        return Err((
            ErrorCode::UnknownTopicOrPartition,
            format!("topic '{name}' does not exist"),
        ));
    }
    let current = image.configs().of_or_empty(resource);
    let elr = match image.features().level(ELIGIBLE_LEADER_REPLICAS) {
        0 => EligibleLeaderReplicas::Disabled,
        _ => EligibleLeaderReplicas::Enabled,
    };
    let altered = validate_alteration(context.config, scope(resource), &current, alteration, elr)
        .map_err(|error| (alter_code(&error), error.to_string()))?;
    Ok(differences(resource, &current, &altered))
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

/// The code that a refused change is answered with.
pub(super) fn alter_code(error: &AlterError) -> ErrorCode {
    match error.kind() {
        AlterErrorKind::InvalidConfig => ErrorCode::InvalidConfig,
        AlterErrorKind::InvalidRequest => ErrorCode::InvalidRequest,
    }
}

fn differences(
    resource: &ConfigResource,
    current: &ConfigMap,
    altered: &ConfigMap,
) -> Vec<MetadataRecord> {
    let removed = current
        .keys()
        .filter(|name| !altered.contains_key(*name))
        .map(|name| (name, None));
    let set = altered
        .iter()
        .filter(|(name, value)| current.get(*name) != Some(value))
        .map(|(name, value)| (name, Some(value)));
    let changes: BTreeMap<&String, Option<&String>> = removed.chain(set).collect();
    let record = |(name, value): (&String, Option<&String>)| {
        MetadataRecord::Config(ConfigRecord {
            resource_type: resource.wire_type(),
            resource_name: resource.wire_name(),
            name: name.clone(),
            value: value.cloned(),
            ..Default::default()
        })
    };
    changes.into_iter().map(record).collect()
}
