//! Metadata (3): brokers, topics and who leads their partitions.

use std::collections::HashSet;

use ottla_metadata::{MetadataImage, PartitionImage, TopicImage};
use ottla_protocol::ids::BrokerId;
use ottla_protocol::messages::metadata_request::{MetadataRequest, MetadataRequestTopic};
use ottla_protocol::messages::metadata_response::{
    MetadataResponse, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use ottla_protocol::ErrorCode;

use super::{Reply, RequestContext, operations};
use crate::internal_topics;

/// First version in which an empty list of topics asks for none, and null for all.
const FIRST_VERSION_WITH_NULL_TOPICS: i16 = 1;
/// First version in which a topic may have no name, and so may be named by its id (KIP-516).
const FIRST_VERSION_WITH_NULL_NAMES: i16 = 12;
/// First version that may forbid to create topics.
const FIRST_VERSION_WITH_AUTO_CREATION_FLAG: i16 = 4;

/// Describes the topics asked for; creates those that are missing if broker and client agree to that.
pub fn handle(context: &RequestContext, request: MetadataRequest) -> Reply<MetadataResponse> {
    let all = match &request.topics {
        None => true,
        Some(topics) => topics.is_empty() && context.version < FIRST_VERSION_WITH_NULL_TOPICS,
    };
    let image = context.broker.metadata.image();
    if all {
        let topics = image.topics().iter().map(|topic| describe(context, &image, topic, &request)).collect();
        return Reply::Now(respond(context, &image, topics, &request));
    }
    let asked = request.topics.clone().unwrap_or_default();
    if context.version < FIRST_VERSION_WITH_NULL_NAMES && asked.iter().any(is_by_id) {
        return Reply::Now(refuse(asked));
    }
    let missing: Vec<String> = missing_names(&image, &asked);
    let creates = context.broker.config().topics.auto_create_topics_enable
        && (request.allow_auto_topic_creation || context.version < FIRST_VERSION_WITH_AUTO_CREATION_FLAG);
    if missing.is_empty() || !creates {
        let topics = find_all(context, &image, &asked, &request);
        return Reply::Now(respond(context, &image, topics, &request));
    }
    let context = context.clone();
    Reply::later(async move {
        for name in missing {
            // A refusal shows when the topic is looked up again.
            let _ = context.broker.auto_create(&name).await;
        }
        let image = context.broker.metadata.image();
        let topics = find_all(&context, &image, &asked, &request);
        respond(&context, &image, topics, &request)
    })
}

fn is_by_id(topic: &MetadataRequestTopic) -> bool {
    topic.name.is_none() || !topic.topic_id.is_zero()
}

/// The answer to a request that may not name topics by their ids yet: nothing but errors.
fn refuse(asked: Vec<MetadataRequestTopic>) -> MetadataResponse {
    let topics = asked.into_iter().map(|topic| MetadataResponseTopic {
        error_code: ErrorCode::InvalidRequest.code(),
        name: Some(topic.name.unwrap_or_default()),
        topic_id: topic.topic_id,
        ..Default::default()
    });
    MetadataResponse { topics: topics.collect(), ..Default::default() }
}

fn missing_names(image: &MetadataImage, asked: &[MetadataRequestTopic]) -> Vec<String> {
    let names = asked.iter().filter(|topic| topic.topic_id.is_zero()).filter_map(|topic| topic.name.clone());
    let is_missing = |name: &String| {
        image.topics().by_name(name).is_none() && !internal_topics::is_internal(name)
    };
    names.filter(is_missing).collect()
}

fn find_all(
    context: &RequestContext,
    image: &MetadataImage,
    asked: &[MetadataRequestTopic],
    request: &MetadataRequest,
) -> Vec<MetadataResponseTopic> {
    let (mut seen, mut named) = (HashSet::new(), HashSet::new());
    let mut found = Vec::with_capacity(asked.len());
    for topic in asked {
        if !named.insert((&topic.name, topic.topic_id)) {
            continue;
        }
        let known = match (&topic.name, topic.topic_id.is_zero()) {
            (_, false) => image.topics().by_id(topic.topic_id).ok_or(ErrorCode::UnknownTopicId),
            (Some(name), true) => image.topics().by_name(name).ok_or_else(|| unknown_name(name)),
            (None, true) => Err(ErrorCode::InvalidTopicException),
        };
        match known {
            // The same topic by name and by id is answered once.
            Ok(known) if !seen.insert(known.id) => {}
            Ok(known) => found.push(describe(context, image, known, request)),
            Err(code) => found.push(MetadataResponseTopic {
                error_code: code.code(),
                name: topic.name.clone().filter(|_| topic.topic_id.is_zero()),
                topic_id: topic.topic_id,
                is_internal: topic.name.as_deref().is_some_and(internal_topics::is_internal),
                topic_authorized_operations: operations::asked(
                    request.include_topic_authorized_operations && topic.topic_id.is_zero(),
                    operations::TOPIC,
                ),
                ..Default::default()
            }),
        }
    }
    found
}

fn unknown_name(name: &str) -> ErrorCode {
    match ottla_metadata::controller::is_topic_name(name) {
        true => ErrorCode::UnknownTopicOrPartition,
        false => ErrorCode::InvalidTopicException,
    }
}

fn describe(
    context: &RequestContext,
    image: &MetadataImage,
    topic: &TopicImage,
    request: &MetadataRequest,
) -> MetadataResponseTopic {
    MetadataResponseTopic {
        name: Some(topic.name.to_string()),
        topic_id: topic.id,
        is_internal: internal_topics::is_internal(&topic.name),
        partitions: topic.partitions.iter().map(|(index, partition)| describe_partition(context, image, *index, partition)).collect(),
        topic_authorized_operations: operations::asked(request.include_topic_authorized_operations, operations::TOPIC),
        ..Default::default()
    }
}

fn describe_partition(
    context: &RequestContext,
    image: &MetadataImage,
    partition_index: i32,
    partition: &PartitionImage,
) -> MetadataResponsePartition {
    let listens = |id: i32| {
        image.cluster().broker(BrokerId(id)).is_some_and(|broker| broker.endpoint(&context.connection.listener).is_some())
    };
    let leader_id = if listens(partition.leader) { partition.leader } else { -1 };
    MetadataResponsePartition {
        error_code: if leader_id < 0 { ErrorCode::LeaderNotAvailable.code() } else { 0 },
        partition_index,
        leader_id,
        leader_epoch: partition.leader_epoch,
        replica_nodes: partition.replicas.clone(),
        isr_nodes: partition.isr.clone(),
        offline_replicas: super::offline_replicas(image, partition),
        ..Default::default()
    }
}

fn respond(
    context: &RequestContext,
    image: &MetadataImage,
    topics: Vec<MetadataResponseTopic>,
    request: &MetadataRequest,
) -> MetadataResponse {
    let brokers = image.cluster().brokers().filter(|broker| !broker.is_fenced()).filter_map(|broker| {
        let endpoint = broker.endpoint(&context.connection.listener)?;
        Some(MetadataResponseBroker {
            node_id: broker.id().0,
            host: endpoint.host.clone(),
            port: i32::from(endpoint.port),
            rack: broker.rack().map(str::to_owned),
            ..Default::default()
        })
    });
    // Clients reach the controller through any broker (KIP-590); this one is as good as another.
    let controller_id = context.broker.id().0;
    MetadataResponse {
        brokers: brokers.collect(),
        cluster_id: Some(context.broker.cluster_id.clone()),
        controller_id,
        topics,
        cluster_authorized_operations: operations::asked(
            request.include_cluster_authorized_operations,
            operations::CLUSTER,
        ),
        ..Default::default()
    }
}
