//! OffsetForLeaderEpoch (23): where the log of a past leader epoch ends (KIP-101, KIP-279, KIP-320).

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition,
};
use ottla_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderEpochResponse, OffsetForLeaderTopicResult,
};

use super::{Reply, RequestContext};

/// Answers the largest epoch not above the one asked for, and its end.
pub fn handle(context: &RequestContext, request: OffsetForLeaderEpochRequest) -> Reply<OffsetForLeaderEpochResponse> {
    let topics = request
        .topics
        .into_iter()
        .map(|topic| OffsetForLeaderTopicResult {
            partitions: topic.partitions.iter().map(|partition| find(context, &topic.topic, partition)).collect(),
            topic: topic.topic,
            ..Default::default()
        })
        .collect();
    Reply::Now(OffsetForLeaderEpochResponse { topics, ..Default::default() })
}

fn find(context: &RequestContext, topic: &str, asked: &OffsetForLeaderPartition) -> EpochEndOffset {
    let found = context.broker.partitions.by_topic_name(topic, asked.partition).and_then(|partition| {
        partition.check_leader_epoch(asked.current_leader_epoch)?;
        Ok(partition.end_offset_for_epoch(asked.leader_epoch))
    });
    let partition = asked.partition;
    match found {
        Ok(Some((epoch, end_offset))) => {
            EpochEndOffset { partition, leader_epoch: epoch.0, end_offset: end_offset.0, ..Default::default() }
        }
        // The epoch is in the future, or before all that is known.
        Ok(None) => EpochEndOffset { partition, leader_epoch: -1, end_offset: -1, ..Default::default() },
        Err(code) => {
            let code: ErrorCode = code;
            EpochEndOffset { partition, error_code: code.code(), leader_epoch: -1, end_offset: -1, ..Default::default() }
        }
    }
}
