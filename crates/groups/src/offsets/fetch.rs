//! OffsetFetch, one group at a time; versions before 8 ask for one group.

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use ottla_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};

use crate::offsets::OffsetAndMetadata;
use crate::records::is_mismatched_topic_id;
use crate::shard::GroupShard;

/// Whether offsets of transactions that have not ended matter to a fetch (KIP-447).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stability {
    /// The last committed offsets are asked for (`require_stable` is false).
    LastCommitted,
    /// A partition for which a transaction is about to commit an offset is answered UNSTABLE_OFFSET_COMMIT.
    RequireStable,
}

/// A partition without a committed offset.
const INVALID_OFFSET: i64 = -1;

impl GroupShard {
    /// Reads committed offsets. Every partition that is asked for is answered, in order; with no topics at all, every
    /// partition that has an offset is. Who asks need not be a member, nor the group exist.
    ///
    /// The host has given every topic its name, and its id as far as it is known; the response has both. With
    /// `topics: None` the topic ids are those that the offsets were committed with, perhaps zero.
    pub fn offset_fetch(
        &self,
        request: &OffsetFetchRequestGroup,
        stability: Stability,
    ) -> OffsetFetchResponseGroup {
        let topics = match &request.topics {
            Some(topics) => topics
                .iter()
                .map(|topic| self.fetch_topic(&request.group_id, topic, stability))
                .collect(),
            None => self.fetch_all(&request.group_id, stability),
        };
        OffsetFetchResponseGroup {
            group_id: request.group_id.clone(),
            topics,
            ..Default::default()
        }
    }

    fn fetch_topic(
        &self,
        group_id: &str,
        topic: &OffsetFetchRequestTopics,
        stability: Stability,
    ) -> OffsetFetchResponseTopics {
        let partitions = topic.partition_indexes.iter().map(|partition| {
            if stability == Stability::RequireStable
                && self.offsets.has_pending(group_id, &topic.name, *partition)
            {
                return unstable(*partition);
            }
            let committed = self
                .offsets
                .get(group_id, &topic.name, *partition)
                .filter(|committed| !is_mismatched_topic_id(committed.topic_id, topic.topic_id));
            answer(*partition, committed)
        });
        OffsetFetchResponseTopics {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partitions: partitions.collect(),
            ..Default::default()
        }
    }

    fn fetch_all(&self, group_id: &str, stability: Stability) -> Vec<OffsetFetchResponseTopics> {
        let Some(topics) = self.offsets.group(group_id) else {
            return Vec::new();
        };
        let response = topics.iter().map(|(topic, offsets)| {
            let partitions = offsets.iter().map(|(partition, committed)| {
                let is_pending = stability == Stability::RequireStable
                    && self.offsets.has_pending(group_id, topic, *partition);
                if is_pending {
                    unstable(*partition)
                } else {
                    answer(*partition, Some(committed))
                }
            });
            OffsetFetchResponseTopics {
                name: topic.to_string(),
                topic_id: offsets
                    .values()
                    .map(|committed| committed.topic_id)
                    .max()
                    .unwrap_or_default(),
                partitions: partitions.collect(),
                ..Default::default()
            }
        });
        response.collect()
    }
}

fn answer(
    partition_index: i32,
    committed: Option<&OffsetAndMetadata>,
) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions {
        partition_index,
        committed_offset: committed.map_or(INVALID_OFFSET, |committed| committed.committed_offset),
        committed_leader_epoch: committed.map_or(-1, |committed| committed.leader_epoch),
        metadata: Some(
            committed.map_or_else(String::new, |committed| committed.metadata.to_string()),
        ),
        ..Default::default()
    }
}

fn unstable(partition_index: i32) -> OffsetFetchResponsePartitions {
    let error_code = ErrorCode::UnstableOffsetCommit.code();
    OffsetFetchResponsePartitions {
        error_code,
        ..answer(partition_index, None)
    }
}
