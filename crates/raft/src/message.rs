//! What nodes say to each other: the parts of Kafka's messages that the rules read.
//!
//! Each variant is one API of the same name, for the one partition of the metadata log. The cluster id, the topic's
//! name and endpoints are the host's to fill in and to check.

use bytes::Bytes;
use ottla_protocol::ErrorCode;
use ottla_protocol::ids::{BrokerId, LeaderEpoch, Offset};

use crate::types::{EpochEnd, ReplicaKey};

/// Consecutive records of one epoch, as one record batch of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The offset of the first record.
    pub base_offset: Offset,
    /// The offset behind the last.
    pub end_offset: Offset,
    /// The epoch of the leader that wrote them.
    pub epoch: LeaderEpoch,
    /// The records; the rules do not look into them.
    pub records: Bytes,
}

/// A request from one node to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// KIP-595, with the pre-vote of KIP-996.
    Vote(VoteRequest),
    /// A leader makes itself known. KIP-595.
    BeginQuorumEpoch {
        /// The leader's epoch.
        epoch: LeaderEpoch,
        /// The leader.
        leader: BrokerId,
        /// Who is meant.
        voter: ReplicaKey,
    },
    /// A leader is no more. KIP-595.
    EndQuorumEpoch {
        /// The epoch that ends.
        epoch: LeaderEpoch,
        /// Its leader.
        leader: BrokerId,
        /// Who should stand next, the best first.
        preferred_successors: Vec<ReplicaKey>,
    },
    /// A replica asks for what comes next, and so says what it has on its disk. KIP-595.
    Fetch(FetchRequest),
    /// A replica asks for a piece of a snapshot. KIP-630.
    FetchSnapshot {
        /// Who asks.
        replica: ReplicaKey,
        /// The epoch it knows.
        epoch: LeaderEpoch,
        /// Which snapshot.
        snapshot: EpochEnd,
        /// From which byte on.
        position: u64,
    },
}

/// Epochs that a node may speak of: there is always a next one.
fn is_epoch(epoch: LeaderEpoch) -> bool {
    (0..i32::MAX).contains(&epoch.0)
}

impl EpochEnd {
    /// Whether a log can end so in `epoch`.
    fn is_valid_in(&self, epoch: LeaderEpoch) -> bool {
        self.end_offset >= Offset(0) && (LeaderEpoch(0)..=epoch).contains(&self.epoch)
    }
}

impl Request {
    /// Whether a node can mean this; INVALID_REQUEST if not.
    pub(crate) fn is_valid(&self) -> bool {
        match self {
            Self::Vote(vote) => {
                // A candidate has raised its epoch, one who asks before has not.
                let is_raised = vote.pre_vote || vote.last.epoch < vote.epoch;
                is_epoch(vote.epoch) && vote.last.is_valid_in(vote.epoch) && is_raised
            }
            Self::BeginQuorumEpoch { epoch, .. } | Self::EndQuorumEpoch { epoch, .. } => {
                is_epoch(*epoch)
            }
            Self::Fetch(fetch) => is_epoch(fetch.epoch) && fetch.fetched.is_valid_in(fetch.epoch),
            Self::FetchSnapshot {
                epoch, snapshot, ..
            } => is_epoch(*epoch) && snapshot.is_valid_in(*epoch),
        }
    }
}

impl Response {
    /// Whether a node can mean this; it is left aside if not.
    pub(crate) fn is_valid(&self) -> bool {
        let epoch = self.verdict.epoch;
        let body = match &self.body {
            ResponseBody::Empty | ResponseBody::Vote { .. } => true,
            ResponseBody::Records { high_watermark, .. } => {
                *high_watermark >= Some(Offset(0)) || high_watermark.is_none()
            }
            ResponseBody::Diverging(theirs) => theirs.is_valid_in(epoch),
            ResponseBody::Snapshot(snapshot) | ResponseBody::SnapshotChunk { snapshot, .. } => {
                snapshot.is_valid_in(epoch) && snapshot.end_offset > Offset(0)
            }
        };
        is_epoch(epoch) && body
    }
}

/// A candidate, or one who would like to be, asks for a vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoteRequest {
    /// The candidate's epoch.
    pub epoch: LeaderEpoch,
    /// The candidate.
    pub candidate: ReplicaKey,
    /// Whose vote it wants.
    pub voter: ReplicaKey,
    /// The last epoch and the end of the candidate's log.
    pub last: EpochEnd,
    /// Whether it only asks what the answer would be.
    pub pre_vote: bool,
}

/// A replica asks for records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchRequest {
    /// Who asks.
    pub replica: ReplicaKey,
    /// The epoch it knows.
    pub epoch: LeaderEpoch,
    /// The fetch offset and the last fetched epoch: the end of its log, durable.
    pub fetched: EpochEnd,
    /// The high watermark it knows. KIP-1166.
    pub high_watermark: Offset,
    /// How long to wait for something new.
    pub max_wait_ms: u64,
}

/// What every answer says: how it went, and who leads as far as the answerer knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `None` if the request was served.
    pub error: ErrorCode,
    /// The answerer's epoch.
    pub epoch: LeaderEpoch,
    /// The leader of that epoch.
    pub leader: Option<BrokerId>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// How it went.
    pub verdict: Verdict,
    /// What was asked for.
    pub body: ResponseBody,
}

/// What was asked for; [`ResponseBody::Empty`] with every error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseBody {
    /// Nothing more to say.
    Empty,
    /// Whether the vote is given.
    Vote {
        /// Whether it is.
        granted: bool,
    },
    /// Fetch: records, none if there was nothing new.
    Records {
        /// The leader's high watermark; `None` (-1) until a record of its own epoch is committed.
        high_watermark: Option<Offset>,
        /// Consecutive batches from the fetch offset on.
        batches: Vec<Batch>,
    },
    /// Fetch: the logs part.
    Diverging(EpochEnd),
    /// Fetch: take this snapshot first.
    Snapshot(EpochEnd),
    /// FetchSnapshot: a piece.
    SnapshotChunk {
        /// Which snapshot.
        snapshot: EpochEnd,
        /// Where the piece begins, in bytes.
        position: u64,
        /// How long the whole is, in bytes.
        size_bytes: u64,
        /// The piece.
        bytes: Bytes,
    },
}
