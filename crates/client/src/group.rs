//! A member of a classic consumer group that reads one topic, assigned by ranges as Kafka's clients
//! do by default, so that it can share a group with them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ottla_protocol::messages::consumer_protocol_assignment::TopicPartition;
use ottla_protocol::messages::heartbeat_request::HeartbeatRequest;
use ottla_protocol::messages::join_group_request::{JoinGroupRequest, JoinGroupRequestProtocol};
use ottla_protocol::messages::join_group_response::{JoinGroupResponse, JoinGroupResponseMember};
use ottla_protocol::messages::leave_group_request::{LeaveGroupRequest, MemberIdentity};
use ottla_protocol::messages::sync_group_request::{SyncGroupRequest, SyncGroupRequestAssignment};
use ottla_protocol::messages::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use ottla_protocol::{ErrorCode, Message, Request};

use crate::client::{Client, ClientError, error_of};
use crate::connection::RequestError;
use crate::group_offsets::{Committer, commit_offsets, committed_offsets};

/// The type of the protocol of consumers.
const PROTOCOL_TYPE: &str = "consumer";
/// The name of the assignor: Kafka's default, which every client knows.
const ASSIGNOR: &str = "range";
/// Version of subscriptions and assignments: topics and partitions, nothing else.
const CONSUMER_PROTOCOL_VERSION: i16 = 0;
/// How long the coordinator waits for a sign of life, milliseconds.
const SESSION_TIMEOUT_MS: i32 = 45_000;
/// How long the coordinator waits for members to join again, milliseconds.
const REBALANCE_TIMEOUT_MS: i32 = 60_000;
/// Time between two signs of life.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(3);
/// Time before another attempt when the coordinator is not ready.
const RETRY_BACKOFF: Duration = Duration::from_millis(100);
/// The last version of LeaveGroup that names a single member.
const LAST_VERSION_WITH_ONE_LEAVER: i16 = 2;

/// Whether a member may go on with its partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Member,
    /// It must commit and join again.
    Rebalancing,
}

/// One member of a group.
pub struct GroupMember {
    group_id: String,
    topic: String,
    member_id: String,
    generation_id: i32,
    last_heartbeat: Instant,
}

impl GroupMember {
    /// A member that has not joined yet.
    pub fn new(group_id: &str, topic: &str) -> Self {
        Self {
            group_id: group_id.to_owned(),
            topic: topic.to_owned(),
            member_id: String::new(),
            generation_id: -1,
            last_heartbeat: Instant::now(),
        }
    }

    /// Joins, again if need be, until the group agrees on who reads what. The partitions that this
    /// member may read.
    ///
    /// # Errors
    /// The group refuses this member, such as one of another protocol, or the coordinator is gone
    /// for longer than the client's time limit.
    pub async fn join(&mut self, client: &mut Client) -> Result<Vec<i32>, ClientError> {
        let deadline = Instant::now() + client.request_timeout();
        loop {
            let error = match self.try_join(client).await {
                Ok(partitions) => return Ok(partitions),
                Err(error) => error,
            };
            let code = match &error {
                ClientError::Refused { code, .. } => Some(*code),
                _ => None,
            };
            match code {
                // The id to join with came with the refusal (KIP-394), or the group moved on.
                Some(ErrorCode::MemberIdRequired | ErrorCode::RebalanceInProgress) => {}
                Some(ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration) => {
                    self.member_id.clear();
                }
                _ if error.is_passing() && Instant::now() < deadline => {
                    client.refresh();
                    tokio::time::sleep(RETRY_BACKOFF).await;
                }
                _ => return Err(error),
            }
        }
    }

    async fn try_join(&mut self, client: &mut Client) -> Result<Vec<i32>, ClientError> {
        let coordinator = client.coordinator(&self.group_id).await?;
        let joined = self.join_group(client, coordinator).await?;
        self.generation_id = joined.generation_id;
        let leads = joined.leader == joined.member_id && !joined.skip_assignment;
        let assignments = match leads {
            true => assign(client, &joined.members).await?,
            false => Vec::new(),
        };
        let request = SyncGroupRequest {
            group_id: self.group_id.clone(),
            generation_id: self.generation_id,
            member_id: self.member_id.clone(),
            protocol_type: Some(PROTOCOL_TYPE.to_owned()),
            protocol_name: Some(ASSIGNOR.to_owned()),
            assignments,
            ..Default::default()
        };
        let synced = self.patiently(client, coordinator, &request).await?;
        self.check(synced.error_code)?;
        self.last_heartbeat = Instant::now();
        let assigned =
            ConsumerProtocolAssignment::from_versioned_bytes(synced.assignment).unwrap_or_default();
        let mine = assigned.assigned_partitions.into_iter();
        Ok(mine
            .filter(|assigned| assigned.topic == self.topic)
            .flat_map(|assigned| assigned.partitions)
            .collect())
    }

    async fn join_group(
        &mut self,
        client: &mut Client,
        coordinator: i32,
    ) -> Result<JoinGroupResponse, ClientError> {
        let subscription = ConsumerProtocolSubscription {
            topics: vec![self.topic.clone()],
            ..Default::default()
        };
        let request = JoinGroupRequest {
            group_id: self.group_id.clone(),
            session_timeout_ms: SESSION_TIMEOUT_MS,
            rebalance_timeout_ms: REBALANCE_TIMEOUT_MS,
            member_id: self.member_id.clone(),
            protocol_type: PROTOCOL_TYPE.to_owned(),
            protocols: vec![JoinGroupRequestProtocol {
                name: ASSIGNOR.to_owned(),
                metadata: versioned(&subscription)?,
                ..Default::default()
            }],
            ..Default::default()
        };
        let joined = self.patiently(client, coordinator, &request).await?;
        self.member_id.clone_from(&joined.member_id);
        self.check(joined.error_code)?;
        Ok(joined)
    }

    /// Sends a request whose answer waits for the other members.
    async fn patiently<Q: Request>(
        &self,
        client: &mut Client,
        coordinator: i32,
        request: &Q,
    ) -> Result<Q::Response, ClientError> {
        let limit = client.request_timeout()
            + Duration::from_millis(REBALANCE_TIMEOUT_MS.unsigned_abs().into());
        let connection = client.node(coordinator).await?;
        let version = connection
            .version_of::<Q>()
            .ok_or(RequestError::Unsupported { api: Q::API_KEY })?;
        Ok(connection.request_within(request, version, limit).await?)
    }

    /// Gives the coordinator a sign of life, if one is due.
    ///
    /// # Errors
    /// The coordinator cannot be asked.
    pub async fn heartbeat(&mut self, client: &mut Client) -> Result<Standing, ClientError> {
        if self.last_heartbeat.elapsed() < HEARTBEAT_INTERVAL {
            return Ok(Standing::Member);
        }
        let coordinator = client.coordinator(&self.group_id).await?;
        let request = HeartbeatRequest {
            group_id: self.group_id.clone(),
            generation_id: self.generation_id,
            member_id: self.member_id.clone(),
            ..Default::default()
        };
        let response = client.request_to(coordinator, &request).await?;
        self.last_heartbeat = Instant::now();
        match error_of(response.error_code) {
            None => Ok(Standing::Member),
            Some(
                ErrorCode::RebalanceInProgress
                | ErrorCode::UnknownMemberId
                | ErrorCode::IllegalGeneration,
            ) => Ok(Standing::Rebalancing),
            Some(_) => self.check(response.error_code).map(|()| Standing::Member),
        }
    }

    /// What the group has committed for those of `partitions` for which it has.
    ///
    /// # Errors
    /// As [`committed_offsets`].
    pub async fn committed(
        &self,
        client: &mut Client,
        partitions: &[i32],
    ) -> Result<BTreeMap<i32, i64>, ClientError> {
        let committed = committed_offsets(client, &self.group_id).await?;
        Ok(committed
            .into_iter()
            .filter(|one| one.topic == self.topic && partitions.contains(&one.partition))
            .map(|one| (one.partition, one.offset))
            .collect())
    }

    /// Commits where this member has got to.
    ///
    /// # Errors
    /// As [`commit_offsets`]: the member is no longer one when it waited too long.
    pub async fn commit(
        &self,
        client: &mut Client,
        offsets: &BTreeMap<i32, i64>,
    ) -> Result<(), ClientError> {
        let committer = Committer::Member {
            member_id: &self.member_id,
            generation_id: self.generation_id,
        };
        commit_offsets(client, &self.group_id, committer, &self.topic, offsets).await
    }

    /// Leaves the group, so that the others need not wait for this member.
    ///
    /// # Errors
    /// The coordinator cannot be asked, or refuses.
    pub async fn leave(self, client: &mut Client) -> Result<(), ClientError> {
        let coordinator = client.coordinator(&self.group_id).await?;
        let version = client
            .node(coordinator)
            .await?
            .version_of::<LeaveGroupRequest>();
        let alone = version.is_some_and(|version| version <= LAST_VERSION_WITH_ONE_LEAVER);
        let mut request = LeaveGroupRequest {
            group_id: self.group_id.clone(),
            ..Default::default()
        };
        match alone {
            true => request.member_id.clone_from(&self.member_id),
            false => request.members.push(MemberIdentity {
                member_id: self.member_id.clone(),
                ..Default::default()
            }),
        }
        let response = client.request_to(coordinator, &request).await?;
        self.check(response.error_code)
    }

    fn check(&self, code: i16) -> Result<(), ClientError> {
        match error_of(code) {
            None => Ok(()),
            Some(code) => Err(ClientError::Refused {
                what: format!("group {}", self.group_id),
                code,
                message: None,
            }),
        }
    }
}

/// Who reads what, decided by the leader of the group: each member's share, by ranges of each topic.
async fn assign(
    client: &mut Client,
    members: &[JoinGroupResponseMember],
) -> Result<Vec<SyncGroupRequestAssignment>, ClientError> {
    let mut readers: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for member in members {
        let subscription =
            ConsumerProtocolSubscription::from_versioned_bytes(member.metadata.clone())
                .unwrap_or_default();
        for topic in subscription.topics {
            readers.entry(topic).or_default().push(&member.member_id);
        }
    }
    let mut shares: BTreeMap<&str, Vec<TopicPartition>> = members
        .iter()
        .map(|member| (member.member_id.as_str(), Vec::new()))
        .collect();
    for (topic, mut readers) in readers {
        readers.sort_unstable();
        let partitions = client.partitions(&topic).await.unwrap_or_default();
        for (reader, partitions) in readers.iter().zip(ranges(&partitions, readers.len())) {
            let share = TopicPartition {
                topic: topic.clone(),
                partitions,
                ..Default::default()
            };
            shares.entry(reader).or_default().push(share);
        }
    }
    shares
        .into_iter()
        .map(|(member_id, assigned_partitions)| {
            let assignment = ConsumerProtocolAssignment {
                assigned_partitions,
                ..Default::default()
            };
            Ok(SyncGroupRequestAssignment {
                member_id: member_id.to_owned(),
                assignment: versioned(&assignment)?,
                ..Default::default()
            })
        })
        .collect()
}

/// `partitions` cut into `count` ranges, the first ones larger by one where it does not come out even.
fn ranges(partitions: &[i32], count: usize) -> Vec<Vec<i32>> {
    let (least, larger) = (partitions.len() / count, partitions.len() % count);
    let mut rest = partitions;
    (0..count)
        .map(|index| {
            let (range, after) = rest.split_at(least + usize::from(index < larger));
            rest = after;
            range.to_vec()
        })
        .collect()
}

fn versioned<M: Message>(message: &M) -> Result<Bytes, ClientError> {
    let api = JoinGroupRequest::API_KEY;
    message
        .to_versioned_bytes(CONSUMER_PROTOCOL_VERSION)
        .map_err(|source| RequestError::Encode { api, source }.into())
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn partitions_are_shared_as_the_range_assignor_does() {
        let expect = |partitions: &[i32], count, expected: &[&[i32]]| {
            assert_eq!(
                ranges(partitions, count),
                expected,
                "{partitions:?} {count}"
            );
        };
        expect(&[0, 1, 2, 3, 4], 2, &[&[0, 1, 2], &[3, 4]]);
        expect(&[0, 1, 2], 3, &[&[0], &[1], &[2]]);
        expect(&[0], 2, &[&[0], &[]]);
        expect(&[], 1, &[&[]]);
    }
}
