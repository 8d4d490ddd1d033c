//! FindCoordinator (10): which broker coordinates a group.

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::find_coordinator_request::FindCoordinatorRequest;
use ottla_protocol::messages::find_coordinator_response::{Coordinator, FindCoordinatorResponse};

use super::{Reply, RequestContext};

/// Key type of a group.
const KEY_TYPE_GROUP: i8 = 0;
/// First version that takes several keys (KIP-699).
const FIRST_VERSION_WITH_BATCHED_KEYS: i16 = 4;

/// Names the coordinators; creates the internal topic when it is not there yet.
pub fn handle(context: &RequestContext, request: FindCoordinatorRequest) -> Reply<FindCoordinatorResponse> {
    let batched = context.version >= FIRST_VERSION_WITH_BATCHED_KEYS;
    let keys = if batched { request.coordinator_keys } else { vec![request.key] };
    let context = context.clone();
    Reply::later(async move {
        let mut coordinators = Vec::with_capacity(keys.len());
        for key in keys {
            coordinators.push(find(&context, request.key_type, key).await);
        }
        if batched {
            return FindCoordinatorResponse { coordinators, ..Default::default() };
        }
        let found = coordinators.pop().unwrap_or_default();
        FindCoordinatorResponse {
            error_code: found.error_code,
            // Kafka names the error that there is not.
            error_message: match found.error_code {
                0 => Some("NONE".to_owned()),
                _ => found.error_message,
            },
            node_id: found.node_id,
            host: found.host,
            port: found.port,
            ..Default::default()
        }
    })
}

async fn find(context: &RequestContext, key_type: i8, key: String) -> Coordinator {
    let located = match key_type {
        KEY_TYPE_GROUP => context.broker.coordinator_of(&key).await,
        // Transactions and share groups are not served yet, so that nobody coordinates them.
        _ => Err(ErrorCode::InvalidRequest),
    };
    let endpoint = located.and_then(|broker_id| {
        let image = context.broker.metadata.image();
        let broker = image.cluster().broker(broker_id);
        let endpoint = broker.and_then(|broker| broker.endpoint(&context.connection.listener));
        endpoint.map(|endpoint| (broker_id, endpoint.clone())).ok_or(ErrorCode::CoordinatorNotAvailable)
    });
    match endpoint {
        Ok((broker_id, endpoint)) => Coordinator {
            key,
            node_id: broker_id.0,
            host: endpoint.host,
            port: i32::from(endpoint.port),
            ..Default::default()
        },
        Err(code) => Coordinator {
            key,
            node_id: -1,
            port: -1,
            error_code: code.code(),
            error_message: Some(code.message().to_owned()),
            ..Default::default()
        },
    }
}
