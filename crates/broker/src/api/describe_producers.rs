//! DescribeProducers (61): the producers whose state a partition keeps (KIP-664).

use ottla_metadata::controller::is_topic_name;
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_producers_request::DescribeProducersRequest;
use ottla_protocol::messages::describe_producers_response::{
    DescribeProducersResponse, PartitionResponse, ProducerState, TopicResponse,
};

use super::{Reply, RequestContext};

/// Describes the producers of every partition asked for.
pub fn handle(context: &RequestContext, request: DescribeProducersRequest) -> Reply<DescribeProducersResponse> {
    let topics = request
        .topics
        .into_iter()
        .map(|topic| TopicResponse {
            partitions: topic
                .partition_indexes
                .iter()
                .map(|&partition_index| describe(context, &topic.name, partition_index))
                .collect(),
            name: topic.name,
            ..Default::default()
        })
        .collect();
    Reply::Now(DescribeProducersResponse { topics, ..Default::default() })
}

fn describe(context: &RequestContext, topic: &str, partition_index: i32) -> PartitionResponse {
    let partition = match is_topic_name(topic) {
        true => context.broker.partitions.by_topic_name(topic, partition_index),
        false => Err(ErrorCode::InvalidTopicException),
    };
    match partition {
        Ok(partition) => PartitionResponse {
            partition_index,
            active_producers: partition
                .active_producers()
                .into_iter()
                .map(|producer| ProducerState {
                    producer_id: producer.producer_id.0,
                    producer_epoch: i32::from(producer.producer_epoch.0),
                    last_sequence: producer.last_sequence,
                    last_timestamp: producer.last_timestamp_ms,
                    coordinator_epoch: producer.coordinator_epoch,
                    current_txn_start_offset: producer.current_transaction_first_offset.map_or(-1, |offset| offset.0),
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        },
        Err(code) => PartitionResponse {
            partition_index,
            error_code: code.code(),
            error_message: Some(code.message().to_owned()).filter(|_| code != ErrorCode::None),
            ..Default::default()
        },
    }
}
