//! IncrementalAlterConfigs (44): changes single properties and log levels (KIP-339, KIP-412).

use ottla_config::{Alteration, Change, Operation};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, IncrementalAlterConfigsRequest,
};
use ottla_protocol::messages::incremental_alter_configs_response::{
    AlterConfigsResourceResponse, IncrementalAlterConfigsResponse,
};

use super::config_changes::{self, ChangeOutcome, ResourceChange};
use super::{Reply, RequestContext};

/// Has the controller change the properties; an unknown operation refuses its whole resource.
pub fn handle(
    context: &RequestContext,
    request: IncrementalAlterConfigsRequest,
) -> Reply<IncrementalAlterConfigsResponse> {
    let mut changes = Vec::new();
    let mut refused = Vec::new();
    for resource in request.resources {
        match alteration(&resource) {
            Some(alteration) => changes.push(ResourceChange {
                resource_type: resource.resource_type,
                resource_name: resource.resource_name,
                alteration,
            }),
            None => refused.push(ChangeOutcome {
                resource_type: resource.resource_type,
                resource_name: resource.resource_name,
                error_code: ErrorCode::InvalidRequest.code(),
                error_message: Some("an operation is none of SET (0), DELETE (1), APPEND (2), SUBTRACT (3)".to_owned()),
            }),
        }
    }
    let broker = context.broker.clone();
    Reply::later(async move {
        let outcomes = config_changes::carry_out(&broker, changes, request.validate_only).await;
        let responses = outcomes.into_iter().chain(refused).map(|outcome| AlterConfigsResourceResponse {
            error_code: outcome.error_code,
            error_message: outcome.error_message,
            resource_type: outcome.resource_type,
            resource_name: outcome.resource_name,
            ..Default::default()
        });
        IncrementalAlterConfigsResponse { responses: responses.collect(), ..Default::default() }
    })
}

fn alteration(resource: &AlterConfigsResource) -> Option<Alteration> {
    let changes = resource.configs.iter().map(|config| {
        Some(Change {
            name: config.name.clone(),
            operation: Operation::from_wire(config.config_operation)?,
            value: config.value.clone(),
        })
    });
    Some(Alteration::Incremental(changes.collect::<Option<_>>()?))
}
