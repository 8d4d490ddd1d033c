//! ListOffsets (2): the offset at a time, or at either end of a log.

use indexmap::IndexMap;
use indexmap::map::Entry;
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsRequest};
use ottla_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsResponse, ListOffsetsTopicResponse,
};

use super::{Reply, RequestContext};
use crate::partition::{FoundOffset, IsolationLevel, OffsetQuery};

/// First version that tells the leader epoch (KIP-320).
const FIRST_VERSION_WITH_LEADER_EPOCH: i16 = 4;

/// Looks up every partition, off the runtime's threads where records must be read for it: their times
/// may be anywhere in a log.
pub fn handle(context: &RequestContext, request: ListOffsetsRequest) -> Reply<ListOffsetsResponse> {
    let mut asked = request.topics.iter().flat_map(|topic| &topic.partitions);
    let reads_records = asked.any(|asked| {
        matches!(
            OffsetQuery::from_timestamp(asked.timestamp, context.version),
            Ok(OffsetQuery::Time(_) | OffsetQuery::MaxTimestamp)
        )
    });
    if !reads_records {
        return Reply::Now(find_all(context, &request));
    }
    let context = context.clone();
    Reply::later(super::blocking(move || find_all(&context, &request)))
}

/// A partition that is named twice is answered once, with INVALID_REQUEST.
fn find_all(context: &RequestContext, request: &ListOffsetsRequest) -> ListOffsetsResponse {
    let isolation = IsolationLevel::from_code(request.isolation_level);
    let mut topics: IndexMap<String, IndexMap<i32, Result<FoundOffset, ErrorCode>>> = IndexMap::new();
    for topic in &request.topics {
        for asked in &topic.partitions {
            match topics.entry(topic.name.clone()).or_default().entry(asked.partition_index) {
                Entry::Vacant(place) => {
                    place.insert(find(context, &topic.name, asked, isolation));
                }
                Entry::Occupied(mut found) => {
                    *found.get_mut() = Err(ErrorCode::InvalidRequest);
                }
            }
        }
    }
    let topics = topics.into_iter().map(|(name, partitions)| ListOffsetsTopicResponse {
        name,
        partitions: partitions.into_iter().map(|(index, found)| response(context.version, index, found)).collect(),
        ..Default::default()
    });
    ListOffsetsResponse { topics: topics.collect(), ..Default::default() }
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
