//! A group with a member, and the offsets that it commits, over kills.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use ottla_client::{Connection, error_of};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::join_group_request::{JoinGroupRequest, JoinGroupRequestProtocol};
use ottla_protocol::messages::offset_commit_request::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use ottla_protocol::messages::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use ottla_protocol::messages::sync_group_request::{SyncGroupRequest, SyncGroupRequestAssignment};
use ottla_protocol::messages::{DescribeGroupsRequest, HeartbeatRequest};

use crate::failure::{Failure, granted};

/// Offsets committed before the group is rebalanced.
const COMMITS_PER_GENERATION: i64 = 100;
/// How long a group may be loaded.
const LOAD_ATTEMPTS: u32 = 600;

/// The only member of a group.
pub struct Member {
    topic: &'static str,
    partitions: i32,
    group: String,
    member_id: String,
    generation_id: i32,
    assignment: Bytes,
    /// Whether the broker's last answer about the group arrived.
    settled: bool,
    committed: i64,
    /// The offset that was sent last.
    sent: i64,
}

impl Member {
    /// A member that has not joined yet.
    pub fn new(topic: &'static str, partitions: i32, group: &str) -> Self {
        Self {
            topic,
            partitions,
            group: group.to_owned(),
            member_id: String::new(),
            generation_id: -1,
            assignment: Bytes::new(),
            settled: false,
            committed: -1,
            sent: -1,
        }
    }

    /// Joins and commits, again and again, until the broker is gone.
    pub async fn run(
        &mut self,
        connection: &mut Connection,
        stop: &AtomicBool,
    ) -> Result<(), Failure> {
        while !stop.load(Ordering::Acquire) {
            self.settled = false;
            self.join(connection).await?;
            self.settled = true;
            for _ in 0..COMMITS_PER_GENERATION {
                self.sent += 1;
                self.commit(connection).await?;
                self.committed = self.sent;
            }
        }
        Ok(())
    }

    async fn join(&mut self, connection: &mut Connection) -> Result<(), Failure> {
        let mut joined = self.ask_to_join(connection).await?;
        if error_of(joined.error_code) == Some(ErrorCode::UnknownMemberId) {
            // The answer that gave the id was lost before the group was kept.
            self.member_id.clear();
            joined = self.ask_to_join(connection).await?;
        }
        if error_of(joined.error_code) == Some(ErrorCode::MemberIdRequired) {
            self.member_id = joined.member_id;
            joined = self.ask_to_join(connection).await?;
        }
        granted("to join", [joined.error_code])?;
        self.member_id = joined.member_id;
        self.generation_id = joined.generation_id;
        self.assignment = Bytes::from(format!("generation {}", self.generation_id));
        let request = SyncGroupRequest {
            group_id: self.group.clone(),
            generation_id: self.generation_id,
            member_id: self.member_id.clone(),
            assignments: vec![SyncGroupRequestAssignment {
                member_id: self.member_id.clone(),
                assignment: self.assignment.clone(),
                ..Default::default()
            }],
            ..Default::default()
        };
        granted(
            "to sync",
            [connection.request_at(&request, 3).await?.error_code],
        )
    }

    async fn ask_to_join(
        &self,
        connection: &mut Connection,
    ) -> Result<ottla_protocol::messages::JoinGroupResponse, Failure> {
        let request = JoinGroupRequest {
            group_id: self.group.clone(),
            session_timeout_ms: 300_000,
            rebalance_timeout_ms: 300_000,
            member_id: self.member_id.clone(),
            protocol_type: "consumer".to_owned(),
            protocols: vec![JoinGroupRequestProtocol {
                name: "range".to_owned(),
                ..Default::default()
            }],
            ..Default::default()
        };
        Ok(connection.request_at(&request, 5).await?)
    }

    async fn commit(&self, connection: &mut Connection) -> Result<(), Failure> {
        let partitions = (0..self.partitions).map(|partition_index| OffsetCommitRequestPartition {
            partition_index,
            committed_offset: self.sent,
            ..Default::default()
        });
        let request = OffsetCommitRequest {
            group_id: self.group.clone(),
            generation_id_or_member_epoch: self.generation_id,
            member_id: self.member_id.clone(),
            topics: vec![OffsetCommitRequestTopic {
                name: self.topic.to_owned(),
                partitions: partitions.collect(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let response = connection.request_at(&request, 8).await?;
        let mut answers = response.topics.iter().flat_map(|topic| &topic.partitions);
        answers.try_for_each(|answer| granted("a commit", [answer.error_code]))
    }

    /// The group must be as the broker said, and its offsets what was committed last.
    pub async fn verify(&mut self, connection: &mut Connection) -> Result<(), Failure> {
        let wrong = |what: String| Failure::History(format!("group {}: {what}", self.group));
        let found = self.offsets(connection).await?;
        let first = found.first().copied().unwrap_or(-1);
        if found.iter().any(|offset| *offset != first) || found.len() != self.partitions as usize {
            return Err(wrong(format!("half a commit is there: {found:?}")));
        }
        if first != self.committed && first != self.sent {
            return Err(wrong(format!(
                "{} was committed, {first} is there",
                self.committed
            )));
        }
        (self.committed, self.sent) = (first, first);
        if !self.settled {
            return Ok(());
        }
        let request = HeartbeatRequest {
            group_id: self.group.clone(),
            generation_id: self.generation_id,
            member_id: self.member_id.clone(),
            ..Default::default()
        };
        granted(
            "a heartbeat",
            [connection.request_at(&request, 3).await?.error_code],
        )?;
        let request = DescribeGroupsRequest {
            groups: vec![self.group.clone()],
            ..Default::default()
        };
        let described = connection.request_at(&request, 4).await?.groups;
        let is_kept = described.iter().all(|group| {
            group.group_state == "Stable"
                && group.members.iter().any(|member| {
                    member.member_id == self.member_id
                        && member.member_assignment == self.assignment
                })
        });
        match is_kept {
            true => Ok(()),
            false => Err(wrong(format!("it is not as it was: {described:?}"))),
        }
    }

    /// What is committed for each partition, once the group is loaded.
    async fn offsets(&self, connection: &mut Connection) -> Result<Vec<i64>, Failure> {
        let request = OffsetFetchRequest {
            groups: vec![OffsetFetchRequestGroup {
                group_id: self.group.clone(),
                topics: Some(vec![OffsetFetchRequestTopics {
                    name: self.topic.to_owned(),
                    partition_indexes: (0..self.partitions).collect(),
                    ..Default::default()
                }]),
                ..Default::default()
            }],
            ..Default::default()
        };
        for _ in 0..LOAD_ATTEMPTS {
            let response = connection.request_at(&request, 8).await?;
            let group = response.groups.into_iter().next().unwrap_or_default();
            match error_of(group.error_code) {
                Some(ErrorCode::CoordinatorLoadInProgress | ErrorCode::NotCoordinator) => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                _ => {
                    granted("an offset fetch", [group.error_code])?;
                    let partitions = group.topics.into_iter().flat_map(|topic| topic.partitions);
                    return Ok(partitions.map(|found| found.committed_offset).collect());
                }
            }
        }
        Err(Failure::History(format!(
            "group {} is never loaded",
            self.group
        )))
    }
}
