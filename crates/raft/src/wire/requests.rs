//! Requests.

use ottla_protocol::Uuid;
use ottla_protocol::ids::{BrokerId, LeaderEpoch, Offset};
use ottla_protocol::messages::{
    self, begin_quorum_epoch_request, end_quorum_epoch_request, fetch_request,
    fetch_snapshot_request, vote_request,
};

use super::{PARTITION, TOPIC, WireError, is_metadata_log, only};
use crate::message::{FetchRequest, Request, VoteRequest};
use crate::types::{EpochEnd, ReplicaKey};

/// A request as Kafka's message.
#[derive(Clone, Debug, PartialEq)]
pub enum WireRequest {
    /// Vote, of version 2.
    Vote(messages::VoteRequest),
    /// BeginQuorumEpoch, of version 1; the leader's endpoints are still missing.
    BeginQuorumEpoch(messages::BeginQuorumEpochRequest),
    /// EndQuorumEpoch, of version 1; the leader's endpoints are still missing.
    EndQuorumEpoch(messages::EndQuorumEpochRequest),
    /// Fetch, of version 17 or later.
    Fetch(messages::FetchRequest),
    /// FetchSnapshot, of version 1.
    FetchSnapshot(messages::FetchSnapshotRequest),
}

fn key(id: i32, directory_id: Uuid) -> ReplicaKey {
    ReplicaKey {
        id: BrokerId(id),
        directory_id,
    }
}

/// Makes Kafka's message of `request`, for a node of `cluster_id`; `max_bytes` limits what a fetch brings.
pub fn encode_request(request: &Request, cluster_id: &str, max_bytes: i32) -> WireRequest {
    let cluster_id = Some(cluster_id.to_owned());
    match request {
        Request::Vote(vote) => WireRequest::Vote(encode_vote(vote, cluster_id)),
        Request::BeginQuorumEpoch {
            epoch,
            leader,
            voter,
        } => {
            let partition = begin_quorum_epoch_request::PartitionData {
                partition_index: PARTITION,
                voter_directory_id: voter.directory_id,
                leader_id: leader.0,
                leader_epoch: epoch.0,
                ..Default::default()
            };
            WireRequest::BeginQuorumEpoch(messages::BeginQuorumEpochRequest {
                cluster_id,
                voter_id: voter.id.0,
                topics: vec![begin_quorum_epoch_request::TopicData {
                    topic_name: TOPIC.to_owned(),
                    partitions: vec![partition],
                    ..Default::default()
                }],
                ..Default::default()
            })
        }
        Request::EndQuorumEpoch {
            epoch,
            leader,
            preferred_successors,
        } => {
            let message = encode_end(*epoch, *leader, preferred_successors, cluster_id);
            WireRequest::EndQuorumEpoch(message)
        }
        Request::Fetch(fetch) => WireRequest::Fetch(encode_fetch(fetch, cluster_id, max_bytes)),
        Request::FetchSnapshot {
            replica,
            epoch,
            snapshot,
            position,
        } => {
            let partition = fetch_snapshot_request::PartitionSnapshot {
                partition: PARTITION,
                current_leader_epoch: epoch.0,
                snapshot_id: fetch_snapshot_request::SnapshotId {
                    end_offset: snapshot.end_offset.0,
                    epoch: snapshot.epoch.0,
                    ..Default::default()
                },
                position: i64::try_from(*position).unwrap_or(i64::MAX),
                replica_directory_id: replica.directory_id,
                ..Default::default()
            };
            WireRequest::FetchSnapshot(messages::FetchSnapshotRequest {
                cluster_id,
                replica_id: replica.id.0,
                max_bytes,
                topics: vec![fetch_snapshot_request::TopicSnapshot {
                    name: TOPIC.to_owned(),
                    partitions: vec![partition],
                    ..Default::default()
                }],
                ..Default::default()
            })
        }
    }
}

fn encode_vote(vote: &VoteRequest, cluster_id: Option<String>) -> messages::VoteRequest {
    let partition = vote_request::PartitionData {
        partition_index: PARTITION,
        replica_epoch: vote.epoch.0,
        replica_id: vote.candidate.id.0,
        replica_directory_id: vote.candidate.directory_id,
        voter_directory_id: vote.voter.directory_id,
        last_offset_epoch: vote.last.epoch.0,
        last_offset: vote.last.end_offset.0,
        pre_vote: vote.pre_vote,
        ..Default::default()
    };
    messages::VoteRequest {
        cluster_id,
        voter_id: vote.voter.id.0,
        topics: vec![vote_request::TopicData {
            topic_name: TOPIC.to_owned(),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn encode_end(
    epoch: LeaderEpoch,
    leader: BrokerId,
    successors: &[ReplicaKey],
    cluster_id: Option<String>,
) -> messages::EndQuorumEpochRequest {
    let candidate = |key: &ReplicaKey| end_quorum_epoch_request::ReplicaInfo {
        candidate_id: key.id.0,
        candidate_directory_id: key.directory_id,
        ..Default::default()
    };
    let partition = end_quorum_epoch_request::PartitionData {
        partition_index: PARTITION,
        leader_id: leader.0,
        leader_epoch: epoch.0,
        preferred_successors: successors.iter().map(|key| key.id.0).collect(),
        preferred_candidates: successors.iter().map(candidate).collect(),
        ..Default::default()
    };
    messages::EndQuorumEpochRequest {
        cluster_id,
        topics: vec![end_quorum_epoch_request::TopicData {
            topic_name: TOPIC.to_owned(),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn encode_fetch(
    fetch: &FetchRequest,
    cluster_id: Option<String>,
    max_bytes: i32,
) -> messages::FetchRequest {
    let partition = fetch_request::FetchPartition {
        partition: PARTITION,
        current_leader_epoch: fetch.epoch.0,
        fetch_offset: fetch.fetched.end_offset.0,
        last_fetched_epoch: fetch.fetched.epoch.0,
        partition_max_bytes: max_bytes,
        replica_directory_id: fetch.replica.directory_id,
        high_watermark: fetch.high_watermark.0,
        ..Default::default()
    };
    messages::FetchRequest {
        cluster_id,
        replica_state: fetch_request::ReplicaState {
            replica_id: fetch.replica.id.0,
            ..Default::default()
        },
        max_wait_ms: i32::try_from(fetch.max_wait_ms).unwrap_or(i32::MAX),
        max_bytes,
        topics: vec![fetch_request::FetchTopic {
            topic: TOPIC.to_owned(),
            topic_id: Uuid::METADATA_TOPIC_ID,
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

impl WireRequest {
    /// What the message says to the node `local` of `cluster_id`. What its numbers mean, the rules look at.
    pub fn decode(&self, cluster_id: &str, local: BrokerId) -> Result<Request, WireError> {
        let theirs = match self {
            Self::Vote(message) => &message.cluster_id,
            Self::BeginQuorumEpoch(message) => &message.cluster_id,
            Self::EndQuorumEpoch(message) => &message.cluster_id,
            Self::Fetch(message) => &message.cluster_id,
            Self::FetchSnapshot(message) => &message.cluster_id,
        };
        // One that does not name its cluster is believed to be of ours.
        if let Some(theirs) = theirs.as_ref().filter(|theirs| *theirs != cluster_id) {
            let theirs = theirs.clone();
            return Err(WireError::ClusterId { theirs });
        }
        match self {
            Self::Vote(message) => decode_vote(message, local),
            Self::BeginQuorumEpoch(message) => decode_begin(message, local),
            Self::EndQuorumEpoch(message) => decode_end(message),
            Self::Fetch(message) => decode_fetch(message),
            Self::FetchSnapshot(message) => decode_fetch_snapshot(message),
        }
    }
}

/// Who is meant: version 0 does not say it.
fn voter(id: i32, directory_id: Uuid, local: BrokerId) -> ReplicaKey {
    key(if id < 0 { local.0 } else { id }, directory_id)
}

fn decode_vote(message: &messages::VoteRequest, local: BrokerId) -> Result<Request, WireError> {
    let topic = only(&message.topics)?;
    let partition = only(&topic.partitions)?;
    is_metadata_log(topic.topic_name == TOPIC && partition.partition_index == PARTITION)?;
    Ok(Request::Vote(VoteRequest {
        epoch: LeaderEpoch(partition.replica_epoch),
        candidate: key(partition.replica_id, partition.replica_directory_id),
        voter: voter(message.voter_id, partition.voter_directory_id, local),
        last: EpochEnd::new(partition.last_offset_epoch, partition.last_offset),
        pre_vote: partition.pre_vote,
    }))
}

fn decode_begin(
    message: &messages::BeginQuorumEpochRequest,
    local: BrokerId,
) -> Result<Request, WireError> {
    let topic = only(&message.topics)?;
    let partition = only(&topic.partitions)?;
    is_metadata_log(topic.topic_name == TOPIC && partition.partition_index == PARTITION)?;
    Ok(Request::BeginQuorumEpoch {
        epoch: LeaderEpoch(partition.leader_epoch),
        leader: BrokerId(partition.leader_id),
        voter: voter(message.voter_id, partition.voter_directory_id, local),
    })
}

fn decode_end(message: &messages::EndQuorumEpochRequest) -> Result<Request, WireError> {
    let topic = only(&message.topics)?;
    let partition = only(&topic.partitions)?;
    is_metadata_log(topic.topic_name == TOPIC && partition.partition_index == PARTITION)?;
    let candidates = partition.preferred_candidates.iter();
    let mut successors: Vec<ReplicaKey> = candidates
        .map(|candidate| key(candidate.candidate_id, candidate.candidate_directory_id))
        .collect();
    // Version 0 names them without their directories.
    if successors.is_empty() {
        let ids = partition.preferred_successors.iter();
        successors = ids.map(|id| key(*id, Uuid::ZERO)).collect();
    }
    Ok(Request::EndQuorumEpoch {
        epoch: LeaderEpoch(partition.leader_epoch),
        leader: BrokerId(partition.leader_id),
        preferred_successors: successors,
    })
}

fn decode_fetch(message: &messages::FetchRequest) -> Result<Request, WireError> {
    let topic = only(&message.topics)?;
    let partition = only(&topic.partitions)?;
    let is_topic = topic.topic_id == Uuid::METADATA_TOPIC_ID || topic.topic == TOPIC;
    is_metadata_log(is_topic && partition.partition == PARTITION)?;
    // Up to version 14 the id stands in a field of its own.
    let replica_id = match message.replica_state.replica_id {
        id if id < 0 => message.replica_id,
        id => id,
    };
    let max_wait_ms = u64::try_from(message.max_wait_ms);
    Ok(Request::Fetch(FetchRequest {
        replica: key(replica_id, partition.replica_directory_id),
        epoch: LeaderEpoch(partition.current_leader_epoch),
        fetched: EpochEnd::new(partition.last_fetched_epoch, partition.fetch_offset),
        high_watermark: Offset(partition.high_watermark),
        max_wait_ms: max_wait_ms.map_err(|_| WireError::Field {
            field: "max wait time",
        })?,
    }))
}

fn decode_fetch_snapshot(message: &messages::FetchSnapshotRequest) -> Result<Request, WireError> {
    let topic = only(&message.topics)?;
    let partition = only(&topic.partitions)?;
    is_metadata_log(topic.name == TOPIC && partition.partition == PARTITION)?;
    let snapshot = &partition.snapshot_id;
    let position = u64::try_from(partition.position);
    Ok(Request::FetchSnapshot {
        replica: key(message.replica_id, partition.replica_directory_id),
        epoch: LeaderEpoch(partition.current_leader_epoch),
        snapshot: EpochEnd::new(snapshot.epoch, snapshot.end_offset),
        position: position.map_err(|_| WireError::Field { field: "position" })?,
    })
}
