//! What a node is at the moment, and what it keeps only while it is that.

use std::collections::{BTreeMap, BTreeSet};

use ottla_protocol::ids::{BrokerId, Offset};

use crate::effect::RequestToken;
use crate::message::FetchRequest;
use crate::types::{EpochEnd, ReplicaKey};

/// The roles of KIP-595, with Prospective of KIP-996. A node that has voted is Unattached, and its election state says
/// for whom.
#[derive(Debug)]
pub(crate) enum Role {
    /// Knows no leader; waits for one, or for its time to stand.
    Unattached(Unattached),
    /// Asks whether it would be elected.
    Prospective(Campaign),
    /// Stands for election in its own epoch.
    Candidate(Campaign),
    /// Leads.
    Leader(Leader),
    /// Follows the leader of the election state.
    Follower(Follower),
    /// Led, and leads no more in the same epoch.
    Resigned(Resigned),
}

#[derive(Debug)]
pub(crate) struct Unattached {
    pub deadline_ms: u64,
}

#[derive(Debug)]
pub(crate) struct Campaign {
    pub deadline_ms: u64,
    /// The answers of the voters so far, one's own included.
    pub votes: BTreeMap<BrokerId, Vote>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vote {
    Granted,
    Refused,
}

impl Campaign {
    pub fn count(&self, vote: Vote) -> usize {
        self.votes.values().filter(|given| **given == vote).count()
    }
}

#[derive(Debug)]
pub(crate) struct Leader {
    /// The offset of the LeaderChange record.
    pub epoch_start_offset: Offset,
    /// Whether that is committed.
    pub is_active: bool,
    /// By when a majority must have fetched.
    pub check_quorum_deadline_ms: u64,
    /// Voters that have fetched since that was last so.
    pub heard: BTreeSet<BrokerId>,
    /// The other voters.
    pub voters: BTreeMap<BrokerId, Progress>,
    /// Everybody else who fetches; at most [`MAX_OBSERVERS`].
    pub observers: BTreeMap<ReplicaKey, Progress>,
    /// Fetches that wait for something new, one per replica.
    pub parked: BTreeMap<ReplicaKey, Parked>,
}

/// Above this many observers the progress of a new one is not kept, and its fetches do not wait.
pub(crate) const MAX_OBSERVERS: usize = 1000;
/// How long an observer that does not fetch is remembered. Source: `LeaderState.OBSERVER_SESSION_TIMEOUT_MS`.
pub(crate) const OBSERVER_SESSION_TIMEOUT_MS: u64 = 300_000;

/// How far a replica has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    /// What it has on its disk, as far as its fetches said in this epoch.
    pub end_offset: Offset,
    /// When it last fetched.
    pub last_fetch_ms: Option<u64>,
    /// When it last had everything.
    pub last_caught_up_ms: Option<u64>,
    /// When the leader makes itself known to it again, unless it fetches.
    pub begin_at_ms: u64,
}

#[derive(Debug)]
pub(crate) struct Parked {
    pub token: RequestToken,
    pub fetch: FetchRequest,
    pub deadline_ms: u64,
}

#[derive(Debug)]
pub(crate) struct Follower {
    pub leader: BrokerId,
    /// When the leader is given up, unless it answers.
    pub deadline_ms: u64,
    /// Whether it has answered, and has not ended its epoch.
    pub has_fetched: bool,
    /// The high watermark that the leader has told; this node's follows it when the records are on the disk.
    pub told_high_watermark: Offset,
    /// The snapshot that is being fetched, and how many bytes of it are there.
    pub snapshot: Option<(EpochEnd, u64)>,
}

#[derive(Debug)]
pub(crate) struct Resigned {
    pub deadline_ms: u64,
    /// The voters by how far they have come, the best first.
    pub preferred_successors: Vec<ReplicaKey>,
    /// Those that know that the epoch has ended.
    pub told: BTreeSet<BrokerId>,
}
