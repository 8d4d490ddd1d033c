//! CreateTopics (19).

use ottla_config::Scope;
use ottla_metadata::controller::topics::create_topics;
use ottla_protocol::messages::create_topics_request::CreateTopicsRequest;
use ottla_protocol::messages::create_topics_response::{CreatableTopicResult, CreateTopicsResponse};

use super::config_changes::warn_without_effect;
use super::{Reply, RequestContext};

/// Has the controller create the topics.
pub fn handle(context: &RequestContext, request: CreateTopicsRequest) -> Reply<CreateTopicsResponse> {
    let broker = context.broker.clone();
    Reply::later(async move {
        if !request.validate_only {
            for topic in &request.topics {
                let properties = topic.configs.iter().map(|config| config.name.as_str());
                warn_without_effect(Scope::Topic, &topic.name, properties);
            }
        }
        let names: Vec<String> = request.topics.iter().map(|topic| topic.name.clone()).collect();
        let decided = broker.controller.request(move |image, _, context| create_topics(image, &request, context)).await;
        decided.unwrap_or_else(|code| CreateTopicsResponse {
            topics: names
                .into_iter()
                .map(|name| CreatableTopicResult {
                    name,
                    error_code: code.code(),
                    error_message: Some(code.message().to_owned()),
                    configs: Some(Vec::new()),
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        })
    })
}
