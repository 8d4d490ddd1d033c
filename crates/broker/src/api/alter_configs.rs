//! AlterConfigs (33): replaces whole configurations (KIP-133).

use ottla_config::Alteration;
use ottla_protocol::messages::alter_configs_request::AlterConfigsRequest;
use ottla_protocol::messages::alter_configs_response::{AlterConfigsResourceResponse, AlterConfigsResponse};

use super::config_changes::{self, ResourceChange};
use super::{Reply, RequestContext};

/// Has the controller replace the configurations; log levels cannot be replaced as a whole.
pub fn handle(context: &RequestContext, request: AlterConfigsRequest) -> Reply<AlterConfigsResponse> {
    let changes = request.resources.into_iter().map(|resource| ResourceChange {
        resource_type: resource.resource_type,
        resource_name: resource.resource_name,
        alteration: Alteration::Replace(resource.configs.into_iter().map(|config| (config.name, config.value)).collect()),
    });
    let changes: Vec<_> = changes.collect();
    let broker = context.broker.clone();
    Reply::later(async move {
        let outcomes = config_changes::carry_out(&broker, changes, request.validate_only).await;
        let responses = outcomes.into_iter().map(|outcome| AlterConfigsResourceResponse {
            error_code: outcome.error_code,
            error_message: outcome.error_message,
            resource_type: outcome.resource_type,
            resource_name: outcome.resource_name,
            ..Default::default()
        });
        AlterConfigsResponse { responses: responses.collect(), ..Default::default() }
    })
}
