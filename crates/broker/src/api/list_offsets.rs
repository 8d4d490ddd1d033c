//! ListOffsets (2): the offset at a time, or at either end of a log.

use std::collections::HashSet;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsRequest};
use ottla_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsResponse, ListOffsetsTopicResponse,
};

use super::{Reply, RequestContext};
use crate::partition::{FoundOffset, IsolationLevel, OffsetQuery};

/// First version that tells the leader epoch (KIP-320).
const FIRST_VERSION_WITH_LEADER_EPOCH: i16 = 4;

/// Looks up every partition; a partition named twice is INVALID_REQUEST.
pub fn handle(context: &RequestContext, request: ListOffsetsRequest) -> Reply<ListOffsetsResponse> {
    let isolation = IsolationLevel::from_code(request.isolation_level);
    let duplicates = duplicates(&request);
    let topics = request
        .topics
        .into_iter()
        .map(|topic| ListOffsetsTopicResponse {
            partitions: topic
                .partitions
                .iter()
                .map(|partition| {
                    let found = match duplicates.contains(&(topic.name.clone(), partition.partition_index)) {
                        true => Err(ErrorCode::InvalidRequest),
                        false => find(context, &topic.name, partition, isolation),
                    };
                    response(context.version, partition.partition_index, found)
                })
                .collect(),
            name: topic.name,
            ..Default::default()
        })
        .collect();
    Reply::Now(ListOffsetsResponse { topics, ..Default::default() })
}

fn duplicates(request: &ListOffsetsRequest) -> HashSet<(String, i32)> {
    let mut seen = HashSet::new();
    let all = request
        .topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|partition| (topic.name.clone(), partition.partition_index)));
    all.filter(|named| !seen.insert(named.clone())).collect()
}

fn find(
    context: &RequestContext,
    topic: &str,
    asked: &ListOffsetsPartition,
    isolation: IsolationLevel,
) -> Result<FoundOffset, ErrorCode> {
    let query = OffsetQuery::from_timestamp(asked.timestamp, context.version)?;
    let partition = context.broker.partitions.by_topic_name(topic, asked.partition_index)?;
    partition.check_leader_epoch(asked.current_leader_epoch)?;
    partition.find_offset(query, isolation)
}

fn response(version: i16, partition_index: i32, found: Result<FoundOffset, ErrorCode>) -> ListOffsetsPartitionResponse {
    match found {
        Ok(found) => ListOffsetsPartitionResponse {
            partition_index,
            timestamp: found.timestamp_ms,
            offset: found.offset,
            leader_epoch: match version >= FIRST_VERSION_WITH_LEADER_EPOCH {
                true => found.leader_epoch,
                false => -1,
            },
            ..Default::default()
        },
        Err(code) => ListOffsetsPartitionResponse {
            partition_index,
            error_code: code.code(),
            timestamp: -1,
            offset: -1,
            ..Default::default()
        },
    }
}
