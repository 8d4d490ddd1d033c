//! DeleteTopics. Source: `ReplicationControlManager.deleteTopics`, `ControllerApis.deleteTopics`.

use std::collections::HashMap;

use ottla_protocol::messages::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use ottla_protocol::messages::delete_topics_response::{
    DeletableTopicResult, DeleteTopicsResponse,
};
use ottla_protocol::messages::metadata::{MetadataRecord, RemoveTopicRecord};
use ottla_protocol::{ErrorCode, Uuid};

use super::TopicError;
use crate::controller::{Decision, DecisionContext};
use crate::image::MetadataImage;

/// Deletes the topics that the request names, by name or by id; each is answered for itself.
pub fn delete_topics(
    image: &MetadataImage,
    request: &DeleteTopicsRequest,
    context: &DecisionContext<'_>,
) -> Decision<DeleteTopicsResponse> {
    let by_name = request.topic_names.iter().map(|name| DeleteTopicState {
        name: Some(name.clone()),
        ..Default::default()
    });
    // Versions before 6 only have the names, later ones only the states.
    let asked: Vec<DeleteTopicState> = match request.topics.is_empty() {
        true => by_name.collect(),
        false => request.topics.clone(),
    };
    let found: Vec<_> = asked.iter().map(|state| find(image, state)).collect();
    let mut times_named: HashMap<Uuid, usize> = HashMap::new();
    for id in found.iter().flatten() {
        *times_named.entry(*id).or_default() += 1;
    }
    let mut records = Vec::new();
    let mut responses = Vec::with_capacity(asked.len());
    for (state, found) in asked.iter().zip(found) {
        let deleted = found.and_then(|id| match times_named.get(&id) {
            Some(1) if !context.config.topics.delete_topic_enable => {
                Err(TopicError::DeletionDisabled)
            }
            Some(1) => Ok(id),
            _ => Err(TopicError::Duplicate),
        });
        if let Ok(topic_id) = deleted {
            records.push(MetadataRecord::RemoveTopic(RemoveTopicRecord {
                topic_id,
                ..Default::default()
            }));
        }
        responses.push(response(image, state, deleted));
    }
    Decision {
        records,
        response: DeleteTopicsResponse {
            responses,
            ..Default::default()
        },
    }
}

fn find(image: &MetadataImage, state: &DeleteTopicState) -> Result<Uuid, TopicError> {
    match (&state.name, state.topic_id.is_zero()) {
        (Some(name), true) => image
            .topics()
            .by_name(name)
            .map(|topic| topic.id)
            .ok_or(TopicError::Unknown { by_id: false }),
        (None, false) => image
            .topics()
            .by_id(state.topic_id)
            .map(|topic| topic.id)
            .ok_or(TopicError::Unknown { by_id: true }),
        _ => Err(TopicError::NameAndId),
    }
}

fn response(
    image: &MetadataImage,
    state: &DeleteTopicState,
    deleted: Result<Uuid, TopicError>,
) -> DeletableTopicResult {
    match deleted {
        Ok(topic_id) => DeletableTopicResult {
            name: image
                .topics()
                .by_id(topic_id)
                .map(|topic| topic.name.to_string()),
            topic_id,
            error_message: None,
            error_code: ErrorCode::None.code(),
            ..Default::default()
        },
        Err(error) => DeletableTopicResult {
            name: state.name.clone(),
            topic_id: state.topic_id,
            error_code: error.code().code(),
            error_message: Some(error.to_string()),
            ..Default::default()
        },
    }
}
