//! DescribeTopicPartitions (75): topics page by page (KIP-966).

use std::collections::BTreeSet;

use ottla_metadata::{MetadataImage, PartitionImage, TopicImage};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_topic_partitions_request::DescribeTopicPartitionsRequest;
use ottla_protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponse, DescribeTopicPartitionsResponsePartition,
    DescribeTopicPartitionsResponseTopic,
};

use super::{Reply, RequestContext, operations};
use crate::internal_topics;

/// Describes topics by name, from the cursor on, until the limit of partitions is reached.
pub fn handle(
    context: &RequestContext,
    request: DescribeTopicPartitionsRequest,
) -> Reply<DescribeTopicPartitionsResponse> {
    if let Some(cursor) = &request.cursor {
        let mut named = request.topics.iter();
        let is_named = request.topics.is_empty() || named.any(|topic| topic.name == cursor.topic_name);
        if cursor.partition_index < 0 || !is_named {
            return Reply::Now(refuse(request));
        }
    }
    let image = context.broker.metadata.image();
    let limit = request.response_partition_limit.min(context.broker.config().requests.max_request_partition_size_limit);
    let mut left = usize::try_from(limit).unwrap_or(0).max(1);
    let (first_topic, first_partition) = match &request.cursor {
        Some(cursor) => (cursor.topic_name.as_str(), cursor.partition_index),
        None => ("", 0),
    };
    let names: BTreeSet<&str> = match request.topics.is_empty() {
        true => image.topics().iter_from(first_topic).map(|topic| &*topic.name).collect(),
        false => request.topics.iter().map(|topic| topic.name.as_str()).filter(|name| *name >= first_topic).collect(),
    };
    let mut response = DescribeTopicPartitionsResponse { next_cursor: None, ..Default::default() };
    for name in names {
        let from = if name == first_topic { first_partition } else { 0 };
        if left == 0 {
            response.next_cursor = Some(cursor(name, from));
            break;
        }
        let Some(topic) = image.topics().by_name(name) else {
            response.topics.push(unknown(name));
            continue;
        };
        let described = describe(&image, topic, from, left);
        left -= described.partitions.len();
        let next = from + described.partitions.len() as i32;
        response.topics.push(described);
        if topic.partitions.range(next..).next().is_some() {
            response.next_cursor = Some(cursor(name, next));
            break;
        }
    }
    Reply::Now(response)
}

/// The answer to a cursor that stands nowhere: nothing but errors.
fn refuse(request: DescribeTopicPartitionsRequest) -> DescribeTopicPartitionsResponse {
    let topics = request.topics.into_iter().map(|topic| DescribeTopicPartitionsResponseTopic {
        error_code: ErrorCode::InvalidRequest.code(),
        name: Some(topic.name),
        ..Default::default()
    });
    DescribeTopicPartitionsResponse { topics: topics.collect(), next_cursor: None, ..Default::default() }
}

fn cursor(topic_name: &str, partition_index: i32) -> Box<Cursor> {
    Box::new(Cursor { topic_name: topic_name.to_owned(), partition_index, ..Default::default() })
}

fn unknown(name: &str) -> DescribeTopicPartitionsResponseTopic {
    let code = match ottla_metadata::controller::is_topic_name(name) {
        true => ErrorCode::UnknownTopicOrPartition,
        false => ErrorCode::InvalidTopicException,
    };
    DescribeTopicPartitionsResponseTopic {
        error_code: code.code(),
        name: Some(name.to_owned()),
        is_internal: internal_topics::is_internal(name),
        topic_authorized_operations: operations::TOPIC,
        ..Default::default()
    }
}

fn describe(image: &MetadataImage, topic: &TopicImage, from: i32, limit: usize) -> DescribeTopicPartitionsResponseTopic {
    let partition = |(index, partition): (&i32, &PartitionImage)| DescribeTopicPartitionsResponsePartition {
        error_code: if partition.leader < 0 { ErrorCode::LeaderNotAvailable.code() } else { 0 },
        partition_index: *index,
        leader_id: partition.leader,
        leader_epoch: partition.leader_epoch,
        replica_nodes: partition.replicas.clone(),
        isr_nodes: partition.isr.clone(),
        eligible_leader_replicas: Some(partition.elr.clone()),
        last_known_elr: Some(partition.last_known_elr.clone()),
        offline_replicas: super::offline_replicas(image, partition),
        ..Default::default()
    };
    DescribeTopicPartitionsResponseTopic {
        name: Some(topic.name.to_string()),
        topic_id: topic.id,
        is_internal: internal_topics::is_internal(&topic.name),
        partitions: topic.partitions.range(from..).take(limit).map(partition).collect(),
        topic_authorized_operations: operations::TOPIC,
        ..Default::default()
    }
}
