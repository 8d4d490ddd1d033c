//! InitProducerId (22): an id for an idempotent producer (KIP-98, KIP-360).

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::init_producer_id_request::InitProducerIdRequest;
use ottla_protocol::messages::init_producer_id_response::InitProducerIdResponse;

use super::{Reply, RequestContext};

/// Gives a new id with epoch 0. Transactional producers are refused: this release coordinates no
/// transactions.
pub fn handle(context: &RequestContext, request: InitProducerIdRequest) -> Reply<InitProducerIdResponse> {
    // Id and epoch belong together (KIP-360).
    if (request.producer_id < 0) != (request.producer_epoch < 0) || request.transactional_id.is_some() {
        return Reply::Now(refusal(ErrorCode::InvalidRequest));
    }
    let broker = context.broker.clone();
    Reply::later(async move {
        match broker.producer_ids.next(&broker.controller, broker.id().0).await {
            Ok(producer_id) => {
                InitProducerIdResponse { producer_id: producer_id.0, producer_epoch: 0, ..Default::default() }
            }
            Err(code) => refusal(code),
        }
    })
}

fn refusal(code: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse { error_code: code.code(), producer_id: -1, producer_epoch: -1, ..Default::default() }
}
