//! DeleteTopics (20), by name and by id.

use ottla_metadata::controller::topics::delete_topics;
use ottla_protocol::messages::delete_topics_request::DeleteTopicsRequest;
use ottla_protocol::messages::delete_topics_response::{DeletableTopicResult, DeleteTopicsResponse};

use super::{Reply, RequestContext};

/// Has the controller delete the topics.
pub fn handle(context: &RequestContext, request: DeleteTopicsRequest) -> Reply<DeleteTopicsResponse> {
    let broker = context.broker.clone();
    Reply::later(async move {
        let by_state = request.topics.iter().map(|state| (state.name.clone(), state.topic_id));
        let by_name = request.topic_names.iter().map(|name| (Some(name.clone()), ottla_protocol::Uuid::ZERO));
        let asked: Vec<_> = by_state.chain(by_name).collect();
        let decided = broker.controller.request(move |image, _, context| delete_topics(image, &request, context)).await;
        decided.unwrap_or_else(|code| DeleteTopicsResponse {
            responses: asked
                .into_iter()
                .map(|(name, topic_id)| DeletableTopicResult {
                    name,
                    topic_id,
                    error_code: code.code(),
                    error_message: Some(code.message().to_owned()),
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        })
    })
}
