//! OffsetCommit, versions 2 to 10.

use std::sync::Arc;

use ottla_protocol::ErrorCode;
use ottla_protocol::ids::{Offset, TimestampMs};
use ottla_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use ottla_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use ottla_protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};

use crate::classic::heartbeat::session_restart;
use crate::classic::{ClassicGroup, ClassicGroupState};
use crate::decision::{Decision, RequestContext};
use crate::errors::{MemberError, OffsetCommitError};
use crate::offsets::OffsetAndMetadata;
use crate::records::{self, Change, MAX_STRING_BYTES};
use crate::shard::{GroupShard, Occupant};

impl GroupShard {
    /// Decides an OffsetCommit.
    ///
    /// The host has resolved topics: every topic has its name and, as far as it is known, its id, in every version;
    /// topics and partitions that do not exist or may not be read are answered by the host and left out here.
    pub fn offset_commit(
        &self,
        ctx: &RequestContext<'_>,
        request: &OffsetCommitRequest,
    ) -> Decision<OffsetCommitResponse> {
        let group = match self.validate_commit(request) {
            Ok(group) => group,
            Err(error) => {
                return Decision::answer(offset_commit_error(
                    request,
                    error.error_code(ctx.api_version),
                ));
            }
        };
        let group_id: Arc<str> = group.map_or_else(
            || request.group_id.as_str().into(),
            |group| Arc::clone(&group.id),
        );
        let expire_timestamp_ms = (request.retention_time_ms != -1)
            .then(|| ctx.now.0.saturating_add(request.retention_time_ms));
        let mut decision = Decision::answer(OffsetCommitResponse::default());
        let topics = request
            .topics
            .iter()
            .map(|topic| {
                self.commit_topic(
                    &group_id,
                    topic,
                    ctx.now,
                    expire_timestamp_ms,
                    &mut decision,
                )
            })
            .collect();
        let response = OffsetCommitResponse {
            topics,
            ..Default::default()
        };
        decision.outcome.reply = crate::decision::Reply::Now(response);
        // Committing shows that the member is alive.
        if let Some(group) = group.filter(|group| {
            matches!(
                group.state,
                ClassicGroupState::Stable | ClassicGroupState::PreparingRebalance
            )
        }) {
            decision
                .outcome
                .timers
                .extend(session_restart(group, &request.member_id, ctx.now));
        }
        decision
    }

    /// Who may commit: a member of the current generation; and anybody without a member id while nobody else does,
    /// that is for a group without members, which may not exist yet.
    fn validate_commit(
        &self,
        request: &OffsetCommitRequest,
    ) -> Result<Option<&ClassicGroup>, OffsetCommitError> {
        let generation_id = request.generation_id_or_member_epoch;
        let group = match self.occupant(&request.group_id) {
            Occupant::Classic(group) => group,
            Occupant::Foreign(foreign) if foreign.is_empty() && generation_id < 0 => {
                return Ok(None);
            }
            Occupant::Foreign(_) => return Err(MemberError::UnknownMember.into()),
            Occupant::Nobody if generation_id < 0 => return Ok(None),
            Occupant::Nobody => return Err(OffsetCommitError::GroupNotFound),
        };
        let is_empty = group.state == ClassicGroupState::Empty;
        if generation_id < 0 && is_empty {
            return Ok(Some(group));
        }
        let instance_id = request.group_instance_id.as_deref();
        if generation_id >= 0 || !request.member_id.is_empty() || instance_id.is_some() {
            group.validate_generation(&request.member_id, instance_id, generation_id)?;
        } else if !is_empty {
            return Err(MemberError::UnknownMember.into());
        }
        if group.state == ClassicGroupState::CompletingRebalance {
            return Err(OffsetCommitError::RebalanceInProgress);
        }
        Ok(Some(group))
    }

    fn commit_topic(
        &self,
        group_id: &Arc<str>,
        topic: &OffsetCommitRequestTopic,
        now: TimestampMs,
        expire_timestamp_ms: Option<i64>,
        decision: &mut Decision<OffsetCommitResponse>,
    ) -> OffsetCommitResponseTopic {
        let name: Arc<str> = topic.name.as_str().into();
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for partition in &topic.partitions {
            let partition_index = partition.partition_index;
            let error = if self.is_metadata_too_large(partition.committed_metadata.as_deref()) {
                ErrorCode::OffsetMetadataTooLarge
            } else {
                let committed = OffsetAndMetadata {
                    topic_id: topic.topic_id,
                    ..from_request(partition, now, expire_timestamp_ms)
                };
                let record = records::offset_commit(group_id, &name, partition_index, &committed);
                let (group_id, topic) = (Arc::clone(group_id), Arc::clone(&name));
                decision.push(
                    record,
                    Change::OffsetCommitted {
                        group_id,
                        topic,
                        partition: partition_index,
                        committed,
                    },
                );
                ErrorCode::None
            };
            let error_code = error.code();
            partitions.push(OffsetCommitResponsePartition {
                partition_index,
                error_code,
                ..Default::default()
            });
        }
        OffsetCommitResponseTopic {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partitions,
            ..Default::default()
        }
    }

    fn is_metadata_too_large(&self, metadata: Option<&str>) -> bool {
        // The length in UTF-16 units is at most that in bytes, so it is counted only where it can matter.
        metadata.is_some_and(|metadata| {
            metadata.len() > MAX_STRING_BYTES
                || metadata.len() > self.config.offset_metadata_max_bytes
                    && metadata.encode_utf16().count() > self.config.offset_metadata_max_bytes
        })
    }
}

fn from_request(
    partition: &OffsetCommitRequestPartition,
    now: TimestampMs,
    expire_timestamp_ms: Option<i64>,
) -> OffsetAndMetadata {
    OffsetAndMetadata {
        record_offset: Offset(-1),
        committed_offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch.max(-1),
        metadata: partition
            .committed_metadata
            .as_deref()
            .unwrap_or_default()
            .into(),
        commit_timestamp_ms: now.0,
        expire_timestamp_ms,
        topic_id: ottla_protocol::Uuid::ZERO,
    }
}

/// The response that refuses every partition of a request with `error`: the host's answer too, when the shard is
/// loading or gone.
pub fn offset_commit_error(
    request: &OffsetCommitRequest,
    error: ErrorCode,
) -> OffsetCommitResponse {
    let topics = request
        .topics
        .iter()
        .map(|topic| OffsetCommitResponseTopic {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partitions: topic
                .partitions
                .iter()
                .map(|partition| OffsetCommitResponsePartition {
                    partition_index: partition.partition_index,
                    error_code: error.code(),
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
    OffsetCommitResponse {
        topics: topics.collect(),
        ..Default::default()
    }
}
