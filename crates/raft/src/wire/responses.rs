//! Responses.

use ottla_protocol::ids::{BrokerId, LeaderEpoch, Offset};
use ottla_protocol::messages::{
    self, begin_quorum_epoch_response, end_quorum_epoch_response, fetch_response,
    fetch_snapshot_response, vote_response,
};
use ottla_protocol::records;
use ottla_protocol::{ErrorCode, Records, Uuid};

use super::requests::WireRequest;
use super::{PARTITION, TOPIC, WireError, is_metadata_log, only};
use crate::message::{Batch, Response, ResponseBody, Verdict};
use crate::types::EpochEnd;

/// A response as Kafka's message.
#[derive(Clone, Debug, PartialEq)]
pub enum WireResponse {
    /// Vote.
    Vote(messages::VoteResponse),
    /// BeginQuorumEpoch.
    BeginQuorumEpoch(messages::BeginQuorumEpochResponse),
    /// EndQuorumEpoch.
    EndQuorumEpoch(messages::EndQuorumEpochResponse),
    /// Fetch.
    Fetch(messages::FetchResponse),
    /// FetchSnapshot.
    FetchSnapshot(messages::FetchSnapshotResponse),
}

/// Makes Kafka's message of `response`, which answers `request`, by a node whose log begins at `log_start_offset`.
pub fn encode_response(
    response: &Response,
    request: &WireRequest,
    log_start_offset: Offset,
) -> WireResponse {
    let Verdict {
        error,
        epoch: LeaderEpoch(leader_epoch),
        leader,
    } = response.verdict;
    let error_code = error.code();
    let leader_id = leader.unwrap_or(BrokerId::NONE).0;
    let topic_name = TOPIC.to_owned();
    match request {
        WireRequest::Vote(_) => {
            let partition = vote_response::PartitionData {
                partition_index: PARTITION,
                error_code,
                leader_id,
                leader_epoch,
                vote_granted: response.body == ResponseBody::Vote { granted: true },
                ..Default::default()
            };
            WireResponse::Vote(messages::VoteResponse {
                topics: vec![vote_response::TopicData {
                    topic_name,
                    partitions: vec![partition],
                    ..Default::default()
                }],
                ..Default::default()
            })
        }
        WireRequest::BeginQuorumEpoch(_) => {
            let partition = begin_quorum_epoch_response::PartitionData {
                partition_index: PARTITION,
                error_code,
                leader_id,
                leader_epoch,
                ..Default::default()
            };
            WireResponse::BeginQuorumEpoch(messages::BeginQuorumEpochResponse {
                topics: vec![begin_quorum_epoch_response::TopicData {
                    topic_name,
                    partitions: vec![partition],
                    ..Default::default()
                }],
                ..Default::default()
            })
        }
        WireRequest::EndQuorumEpoch(_) => {
            let partition = end_quorum_epoch_response::PartitionData {
                partition_index: PARTITION,
                error_code,
                leader_id,
                leader_epoch,
                ..Default::default()
            };
            WireResponse::EndQuorumEpoch(messages::EndQuorumEpochResponse {
                topics: vec![end_quorum_epoch_response::TopicData {
                    topic_name,
                    partitions: vec![partition],
                    ..Default::default()
                }],
                ..Default::default()
            })
        }
        WireRequest::Fetch(_) => WireResponse::Fetch(encode_fetch(response, log_start_offset)),
        WireRequest::FetchSnapshot(_) => WireResponse::FetchSnapshot(encode_chunk(response)),
    }
}

fn encode_fetch(response: &Response, log_start_offset: Offset) -> messages::FetchResponse {
    let verdict = response.verdict;
    let mut partition = fetch_response::PartitionData {
        partition_index: PARTITION,
        error_code: verdict.error.code(),
        high_watermark: -1,
        log_start_offset: log_start_offset.0,
        current_leader: fetch_response::LeaderIdAndEpoch {
            leader_id: verdict.leader.unwrap_or(BrokerId::NONE).0,
            leader_epoch: verdict.epoch.0,
            ..Default::default()
        },
        records: Some(Records::empty()),
        ..Default::default()
    };
    match &response.body {
        ResponseBody::Records {
            high_watermark,
            batches,
        } => {
            partition.high_watermark = high_watermark.map_or(-1, |offset| offset.0);
            let batches = batches.iter().map(|batch| batch.records.clone());
            partition.records = Some(batches.collect());
        }
        ResponseBody::Diverging(theirs) => {
            partition.diverging_epoch.epoch = theirs.epoch.0;
            partition.diverging_epoch.end_offset = theirs.end_offset.0;
        }
        ResponseBody::Snapshot(snapshot) => {
            partition.snapshot_id.epoch = snapshot.epoch.0;
            partition.snapshot_id.end_offset = snapshot.end_offset.0;
        }
        ResponseBody::Empty | ResponseBody::Vote { .. } | ResponseBody::SnapshotChunk { .. } => {}
    }
    messages::FetchResponse {
        responses: vec![fetch_response::FetchableTopicResponse {
            topic: TOPIC.to_owned(),
            topic_id: Uuid::METADATA_TOPIC_ID,
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn encode_chunk(response: &Response) -> messages::FetchSnapshotResponse {
    let verdict = response.verdict;
    let mut partition = fetch_snapshot_response::PartitionSnapshot {
        index: PARTITION,
        error_code: verdict.error.code(),
        current_leader: fetch_snapshot_response::LeaderIdAndEpoch {
            leader_id: verdict.leader.unwrap_or(BrokerId::NONE).0,
            leader_epoch: verdict.epoch.0,
            ..Default::default()
        },
        unaligned_records: Some(Records::empty()),
        ..Default::default()
    };
    if let ResponseBody::SnapshotChunk {
        snapshot,
        position,
        size_bytes,
        bytes,
    } = &response.body
    {
        partition.snapshot_id.end_offset = snapshot.end_offset.0;
        partition.snapshot_id.epoch = snapshot.epoch.0;
        partition.position = i64::try_from(*position).unwrap_or(i64::MAX);
        partition.size = i64::try_from(*size_bytes).unwrap_or(i64::MAX);
        partition.unaligned_records = Some(bytes.clone().into());
    }
    messages::FetchSnapshotResponse {
        topics: vec![fetch_snapshot_response::TopicSnapshot {
            name: TOPIC.to_owned(),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn error(code: i16) -> ErrorCode {
    ErrorCode::from_code(code).unwrap_or(ErrorCode::UnknownServerError)
}

fn verdict(error_code: i16, leader_epoch: i32, leader_id: i32) -> Verdict {
    Verdict {
        error: error(error_code),
        epoch: LeaderEpoch(leader_epoch),
        leader: (leader_id >= 0).then_some(BrokerId(leader_id)),
    }
}

impl WireResponse {
    /// What the message says. The CRC of every batch is checked: what is damaged is not replicated (A29).
    pub fn decode(&self) -> Result<Response, WireError> {
        let code = match self {
            Self::Vote(message) => message.error_code,
            Self::BeginQuorumEpoch(message) => message.error_code,
            Self::EndQuorumEpoch(message) => message.error_code,
            Self::Fetch(message) => message.error_code,
            Self::FetchSnapshot(message) => message.error_code,
        };
        if error(code) != ErrorCode::None {
            return Err(WireError::Refused(error(code)));
        }
        match self {
            Self::Vote(message) => {
                let topic = only(&message.topics)?;
                let part = only(&topic.partitions)?;
                is_metadata_log(topic.topic_name == TOPIC && part.partition_index == PARTITION)?;
                let granted = part.vote_granted;
                Ok(Response {
                    verdict: verdict(part.error_code, part.leader_epoch, part.leader_id),
                    body: ResponseBody::Vote { granted },
                })
            }
            Self::BeginQuorumEpoch(message) => {
                let topic = only(&message.topics)?;
                let part = only(&topic.partitions)?;
                is_metadata_log(topic.topic_name == TOPIC && part.partition_index == PARTITION)?;
                Ok(Response {
                    verdict: verdict(part.error_code, part.leader_epoch, part.leader_id),
                    body: ResponseBody::Empty,
                })
            }
            Self::EndQuorumEpoch(message) => {
                let topic = only(&message.topics)?;
                let part = only(&topic.partitions)?;
                is_metadata_log(topic.topic_name == TOPIC && part.partition_index == PARTITION)?;
                Ok(Response {
                    verdict: verdict(part.error_code, part.leader_epoch, part.leader_id),
                    body: ResponseBody::Empty,
                })
            }
            Self::Fetch(message) => decode_fetch(message),
            Self::FetchSnapshot(message) => decode_chunk(message),
        }
    }
}

fn decode_fetch(message: &messages::FetchResponse) -> Result<Response, WireError> {
    let topic = only(&message.responses)?;
    let part = only(&topic.partitions)?;
    let is_topic = topic.topic_id == Uuid::METADATA_TOPIC_ID || topic.topic == TOPIC;
    is_metadata_log(is_topic && part.partition_index == PARTITION)?;
    let leader = &part.current_leader;
    let (diverging, snapshot) = (&part.diverging_epoch, &part.snapshot_id);
    let verdict = verdict(part.error_code, leader.leader_epoch, leader.leader_id);
    let body = if verdict.error != ErrorCode::None {
        ResponseBody::Empty
    } else if diverging.epoch >= 0 {
        ResponseBody::Diverging(EpochEnd::new(diverging.epoch, diverging.end_offset))
    } else if snapshot.epoch >= 0 || snapshot.end_offset >= 0 {
        ResponseBody::Snapshot(EpochEnd::new(snapshot.epoch, snapshot.end_offset))
    } else {
        let high_watermark = (part.high_watermark >= 0).then_some(Offset(part.high_watermark));
        ResponseBody::Records {
            high_watermark,
            batches: decode_batches(part.records.as_ref())?,
        }
    };
    Ok(Response { verdict, body })
}

/// The whole batches; one that is cut at the end is asked for again.
fn decode_batches(fetched: Option<&Records>) -> Result<Vec<Batch>, WireError> {
    let bytes = fetched.map(Records::to_bytes).unwrap_or_default();
    let mut batches = Vec::new();
    for batch in records::batches(&bytes) {
        let batch = batch?;
        batch.validate_crc()?;
        batches.push(Batch {
            base_offset: Offset(batch.base_offset()),
            end_offset: Offset(batch.next_offset()),
            epoch: LeaderEpoch(batch.partition_leader_epoch()),
            records: batch.bytes().clone(),
        });
    }
    Ok(batches)
}

fn decode_chunk(message: &messages::FetchSnapshotResponse) -> Result<Response, WireError> {
    let topic = only(&message.topics)?;
    let part = only(&topic.partitions)?;
    is_metadata_log(topic.name == TOPIC && part.index == PARTITION)?;
    let leader = &part.current_leader;
    let verdict = verdict(part.error_code, leader.leader_epoch, leader.leader_id);
    let body = if verdict.error == ErrorCode::None {
        let number =
            |value: i64, field| u64::try_from(value).map_err(|_| WireError::Field { field });
        let snapshot = &part.snapshot_id;
        let bytes = part.unaligned_records.as_ref();
        ResponseBody::SnapshotChunk {
            snapshot: EpochEnd::new(snapshot.epoch, snapshot.end_offset),
            position: number(part.position, "position")?,
            size_bytes: number(part.size, "size")?,
            bytes: bytes.map(Records::to_bytes).unwrap_or_default(),
        }
    } else {
        ResponseBody::Empty
    };
    Ok(Response { verdict, body })
}
