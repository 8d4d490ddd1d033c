//! OffsetDelete, and the offsets of partitions that are gone.

use std::collections::BTreeSet;
use std::sync::Arc;

use ottla_protocol::ErrorCode;
use ottla_protocol::ids::TopicPartition;
use ottla_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use ottla_protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};

use crate::classic::ClassicGroupState;
use crate::decision::{Batching, Decision, Reply};
use crate::errors::DeleteError;
use crate::records::{self, Change};
use crate::shard::{GroupShard, Occupant};

impl GroupShard {
    /// Decides an OffsetDelete: offsets of topics that the group does not read.
    pub fn offset_delete(&self, request: &OffsetDeleteRequest) -> Decision<OffsetDeleteResponse> {
        let is_subscribed = match self.validate_offset_delete(&request.group_id) {
            Ok(is_subscribed) => is_subscribed,
            Err(error) => {
                let error_code = error.error_code().code();
                return Decision::answer(OffsetDeleteResponse {
                    error_code,
                    ..Default::default()
                });
            }
        };
        let mut decision = Decision::answer(OffsetDeleteResponse::default());
        let mut topics = Vec::with_capacity(request.topics.len());
        let mut deleted = BTreeSet::new();
        for topic in &request.topics {
            let error = if is_subscribed(&topic.name) {
                ErrorCode::GroupSubscribedToTopic
            } else {
                ErrorCode::None
            };
            for partition in topic
                .partitions
                .iter()
                .map(|partition| partition.partition_index)
            {
                let has_offset = self
                    .offsets
                    .get(&request.group_id, &topic.name, partition)
                    .is_some()
                    || self
                        .offsets
                        .has_pending(&request.group_id, &topic.name, partition);
                if error.is_none() && has_offset && deleted.insert((&topic.name, partition)) {
                    push_tombstone(
                        &mut decision,
                        &request.group_id.as_str().into(),
                        &topic.name.as_str().into(),
                        partition,
                    );
                }
            }
            let partitions =
                topic
                    .partitions
                    .iter()
                    .map(|partition| OffsetDeleteResponsePartition {
                        partition_index: partition.partition_index,
                        error_code: error.code(),
                        ..Default::default()
                    });
            let (name, partitions) = (topic.name.clone(), partitions.collect());
            topics.push(OffsetDeleteResponseTopic {
                name,
                partitions,
                ..Default::default()
            });
        }
        decision.outcome.reply = Reply::Now(OffsetDeleteResponse {
            topics,
            ..Default::default()
        });
        decision
    }

    /// Checks that offsets of the group may be deleted, and gives the test for topics it reads.
    fn validate_offset_delete(
        &self,
        group_id: &str,
    ) -> Result<impl Fn(&str) -> bool + '_, DeleteError> {
        if group_id.is_empty() {
            return Err(DeleteError::EmptyGroupId);
        }
        let group = match self.occupant(group_id) {
            Occupant::Classic(group) => {
                if group.state != ClassicGroupState::Empty && !group.uses_consumer_protocol() {
                    return Err(DeleteError::NonEmptyGroup);
                }
                Some(group)
            }
            // What its members read is not known here.
            Occupant::Foreign(foreign) if !foreign.is_empty() => {
                return Err(DeleteError::NonEmptyGroup);
            }
            Occupant::Foreign(_) => None,
            Occupant::Nobody => return Err(DeleteError::GroupNotFound),
        };
        Ok(move |topic: &str| group.is_some_and(|group| group.is_subscribed_to(topic)))
    }

    /// Decides what follows from the deletion of partitions: their offsets are deleted in all groups.
    pub fn partitions_deleted(&self, partitions: &[TopicPartition]) -> Decision<()> {
        let gone: BTreeSet<(&str, i32)> = partitions
            .iter()
            .map(|partition| (partition.topic.as_str(), partition.partition.0))
            .collect();
        let mut found: BTreeSet<(&Arc<str>, &Arc<str>, i32)> = BTreeSet::new();
        for (group_id, topics) in self.offsets.groups() {
            for (topic, offsets) in topics {
                let gone = offsets
                    .keys()
                    .filter(|partition| gone.contains(&(&**topic, **partition)));
                found.extend(gone.map(|partition| (group_id, topic, *partition)));
            }
        }
        found.extend(
            self.offsets
                .pending()
                .filter(|(_, topic, partition)| gone.contains(&(&***topic, *partition))),
        );
        let mut decision = Decision::answer(());
        decision.batching = Batching::Splittable;
        for (group_id, topic, partition) in found {
            push_tombstone(&mut decision, group_id, topic, partition);
        }
        decision
    }
}

/// Adds the deletion of an offset to a decision.
pub(crate) fn push_tombstone<R>(
    decision: &mut Decision<R>,
    group_id: &Arc<str>,
    topic: &Arc<str>,
    partition: i32,
) {
    let record = records::offset_tombstone(group_id, topic, partition);
    let (group_id, topic) = (Arc::clone(group_id), Arc::clone(topic));
    decision.push(
        record,
        Change::OffsetDeleted {
            group_id,
            topic,
            partition,
        },
    );
}
