//! Produce (0): appends record batches to partitions that this broker leads.

use bytes::Bytes;
use indexmap::IndexMap;
use ottla_protocol::messages::produce_request::{PartitionProduceData, ProduceRequest};
use ottla_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, PartitionProduceResponse, ProduceResponse, TopicProduceResponse,
};
use ottla_protocol::records::peek_header;
use ottla_protocol::{ErrorCode, Records, Uuid};

use super::{Reply, RequestContext};
use crate::internal_topics;
use crate::partition::{AppendFailure, Appended, RequiredAcks};

/// First version whose topics are named by id (KIP-516).
const FIRST_VERSION_WITH_TOPIC_IDS: i16 = 13;

/// Appends, and answers when the records are as safe as `acks` asks.
pub fn handle(context: &RequestContext, request: ProduceRequest) -> Reply<ProduceResponse> {
    let acks = RequiredAcks::from_code(request.acks);
    let stray_transaction = request.transactional_id.is_none()
        && request.topic_data.iter().flat_map(|topic| &topic.partition_data).any(is_transactional);
    // Of a partition that is named twice, the last records count, as in Kafka.
    let mut topics: IndexMap<(String, Uuid), IndexMap<i32, Bytes>> = IndexMap::new();
    for topic in request.topic_data {
        for data in topic.partition_data {
            let place = topics.entry((topic.name.clone(), topic.topic_id)).or_default();
            place.insert(data.index, data.records.unwrap_or_default().to_bytes());
        }
    }
    let mut failed = false;
    let mut responses = Vec::with_capacity(topics.len());
    for ((name, topic_id), partitions) in topics {
        let mut partition_responses = Vec::with_capacity(partitions.len());
        for (index, records) in partitions {
            let outcome = match stray_transaction {
                true => Err(AppendFailure::of(ErrorCode::TransactionalIdAuthorizationFailed)),
                false => append(context, acks, &name, topic_id, index, &records),
            };
            failed |= outcome.is_err();
            partition_responses.push(partition_response(index, outcome));
        }
        responses.push(TopicProduceResponse { name, topic_id, partition_responses, ..Default::default() });
    }
    match acks {
        // The producer waits for nothing: the end of the connection is all that can tell it.
        Some(RequiredAcks::None) if failed => Reply::Close,
        Some(RequiredAcks::None) => Reply::Silent,
        _ => Reply::Now(ProduceResponse { responses, ..Default::default() }),
    }
}

/// Whether the records claim to be part of a transaction. Only those of a request that names the
/// transaction may.
fn is_transactional(data: &PartitionProduceData) -> bool {
    let records = data.records.as_ref().map(Records::to_bytes).unwrap_or_default();
    matches!(peek_header(&records), Ok(Some(header)) if header.attributes.is_transactional())
}

fn append(
    context: &RequestContext,
    acks: Option<RequiredAcks>,
    topic: &str,
    topic_id: Uuid,
    index: i32,
    records: &Bytes,
) -> Result<Appended, AppendFailure> {
    let partitions = &context.broker.partitions;
    let partition = match context.version >= FIRST_VERSION_WITH_TOPIC_IDS {
        true => partitions.by_topic_id(topic_id, index),
        false => partitions.by_topic_name(topic, index),
    };
    let partition = partition.map_err(AppendFailure::of)?;
    let acks = acks.ok_or_else(|| AppendFailure::of(ErrorCode::InvalidRequiredAcks))?;
    if internal_topics::is_internal(&partition.topic_partition().topic) {
        return Err(AppendFailure::of(ErrorCode::InvalidTopicException));
    }
    partition.append(records, acks, context.version, context.broker.clock.now_ms())
}

fn partition_response(index: i32, outcome: Result<Appended, AppendFailure>) -> PartitionProduceResponse {
    match outcome {
        Ok(appended) => PartitionProduceResponse {
            index,
            base_offset: appended.base_offset.0,
            log_append_time_ms: appended.log_append_time_ms,
            log_start_offset: appended.log_start_offset.0,
            ..Default::default()
        },
        Err(failure) => PartitionProduceResponse {
            index,
            error_code: failure.code.code(),
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: failure.log_start_offset,
            record_errors: failure
                .record_errors
                .into_iter()
                .map(|error| BatchIndexAndErrorMessage {
                    batch_index: error.index,
                    batch_index_error_message: error.message,
                    ..Default::default()
                })
                .collect(),
            error_message: failure.message,
            ..Default::default()
        },
    }
}
