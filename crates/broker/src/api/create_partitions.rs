//! CreatePartitions (37).

use ottla_metadata::controller::topics::create_partitions;
use ottla_protocol::messages::create_partitions_request::CreatePartitionsRequest;
use ottla_protocol::messages::create_partitions_response::{CreatePartitionsResponse, CreatePartitionsTopicResult};

use super::{Reply, RequestContext};

/// Has the controller add the partitions.
pub fn handle(context: &RequestContext, request: CreatePartitionsRequest) -> Reply<CreatePartitionsResponse> {
    let broker = context.broker.clone();
    Reply::later(async move {
        let names: Vec<String> = request.topics.iter().map(|topic| topic.name.clone()).collect();
        let decided =
            broker.controller.request(move |image, _, context| create_partitions(image, &request, context)).await;
        decided.unwrap_or_else(|code| CreatePartitionsResponse {
            results: names
                .into_iter()
                .map(|name| CreatePartitionsTopicResult {
                    name,
                    error_code: code.code(),
                    error_message: Some(code.message().to_owned()),
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        })
    })
}
