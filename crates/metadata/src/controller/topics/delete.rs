//! DeleteTopics. Source: `ReplicationControlManager.deleteTopics`, `ControllerApis.deleteTopics`.

use std::collections::{HashMap, HashSet};

use ottla_protocol::Uuid;
use ottla_protocol::messages::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use ottla_protocol::messages::delete_topics_response::{
    DeletableTopicResult, DeleteTopicsResponse,
};
use ottla_protocol::messages::metadata::{MetadataRecord, RemoveTopicRecord};

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
    let mut times: HashMap<_, usize> = HashMap::new();
    for state in &asked {
        *times.entry((&state.name, state.topic_id)).or_default() += 1;
    }
    let found = |state: &DeleteTopicState| match times.get(&(&state.name, state.topic_id)) {
        Some(1) => find(image, state),
        _ => Err(TopicError::Duplicate),
    };
    // By its name and by its id.
    let mut times_found: HashMap<Uuid, usize> = HashMap::new();
    for id in asked.iter().filter_map(|state| found(state).ok()) {
        *times_found.entry(id).or_default() += 1;
    }
    let (mut records, mut responses) = (Vec::new(), Vec::with_capacity(asked.len()));
    let (mut answered, mut answered_ids) = (HashSet::new(), HashSet::new());
    for state in &asked {
        if !answered.insert((&state.name, state.topic_id)) {
            continue;
        }
        let response = match found(state) {
            Ok(topic_id) if !answered_ids.insert(topic_id) => continue,
            Ok(topic_id) if times_found.get(&topic_id) != Some(&1) => DeletableTopicResult {
                topic_id,
                name: name_of(image, topic_id),
                ..refused(state, &TopicError::Duplicate)
            },
            Ok(_) if !context.config.topics.delete_topic_enable => {
                refused(state, &TopicError::DeletionDisabled)
            }
            Ok(topic_id) => {
                records.push(MetadataRecord::RemoveTopic(RemoveTopicRecord {
                    topic_id,
                    ..Default::default()
                }));
                DeletableTopicResult {
                    topic_id,
                    name: name_of(image, topic_id),
                    ..Default::default()
                }
            }
            Err(error) => refused(state, &error),
        };
        responses.push(response);
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

fn name_of(image: &MetadataImage, topic_id: Uuid) -> Option<String> {
    let topic = image.topics().by_id(topic_id)?;
    Some(topic.name.to_string())
}

fn refused(state: &DeleteTopicState, error: &TopicError) -> DeletableTopicResult {
    DeletableTopicResult {
        name: state.name.clone(),
        topic_id: state.topic_id,
        error_code: error.code().code(),
        error_message: Some(error.to_string()),
        ..Default::default()
    }
}
