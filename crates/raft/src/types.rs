//! Who is in the quorum, what a node remembers, and how long it waits.

use std::collections::BTreeMap;

use ottla_protocol::Uuid;
use ottla_protocol::ids::{BrokerId, LeaderEpoch, Offset};

/// The time and a fresh random number: what every input brings with it.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Milliseconds of a clock that never goes back.
    pub ms: u64,
    /// Uniformly random; used for one timeout at most.
    pub random: u32,
}

/// A node and the log directory that it keeps its log in. Source: KIP-853.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaKey {
    /// `node.id`.
    pub id: BrokerId,
    /// The directory; [`Uuid::ZERO`] when it is not known, as with static voters.
    pub directory_id: Uuid,
}

impl ReplicaKey {
    /// Whether `other` is this replica. A directory that either side does not know is no difference.
    pub fn matches(&self, other: &Self) -> bool {
        let unknown = self.directory_id.is_zero() || other.directory_id.is_zero();
        self.id == other.id && (unknown || self.directory_id == other.directory_id)
    }
}

/// The voters. Never changes while a node runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoterSet(BTreeMap<BrokerId, ReplicaKey>);

impl VoterSet {
    /// The set of `voters`; of two with one id the last counts.
    ///
    /// # Panics
    /// If there are none: a quorum of nobody decides nothing.
    pub fn new(voters: impl IntoIterator<Item = ReplicaKey>) -> Self {
        let voters: BTreeMap<_, _> = voters.into_iter().map(|key| (key.id, key)).collect();
        assert!(!voters.is_empty(), "a quorum has at least one voter");
        Self(voters)
    }

    /// Whether this very replica, its directory included, is a voter. A voter whose directory the set names is not
    /// mistaken for a node that has its id and does not say its directory.
    pub fn contains(&self, replica: &ReplicaKey) -> bool {
        self.0.get(&replica.id).is_some_and(|voter| {
            voter.directory_id.is_zero() || voter.directory_id == replica.directory_id
        })
    }

    /// The voter with this id.
    pub fn get(&self, id: BrokerId) -> Option<&ReplicaKey> {
        self.0.get(&id)
    }

    /// The voters by id.
    pub fn iter(&self) -> impl Iterator<Item = &ReplicaKey> {
        self.0.values()
    }

    /// How many voters are more than half.
    pub fn majority(&self) -> usize {
        self.0.len() / 2 + 1
    }
}

/// An epoch and an offset: of a snapshot, of the end of a log, of where two logs part. The offset excludes: the epoch
/// is that of the record before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct EpochEnd {
    /// The epoch of the last record before `end_offset`; 0 if there is none.
    pub epoch: LeaderEpoch,
    /// The offset behind that record.
    pub end_offset: Offset,
}

impl EpochEnd {
    /// `epoch` that ends at `end_offset`.
    pub fn new(epoch: i32, end_offset: i64) -> Self {
        Self {
            epoch: LeaderEpoch(epoch),
            end_offset: Offset(end_offset),
        }
    }
}

/// What the file `quorum-state` holds: a promise that must survive a crash. Source: KIP-595, `QuorumStateData`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ElectionState {
    /// The epoch.
    pub epoch: LeaderEpoch,
    /// Its leader, once known.
    pub leader: Option<BrokerId>,
    /// Whom this node voted for in it.
    pub voted: Option<ReplicaKey>,
}

/// How long the node waits, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// `controller.quorum.election.timeout.ms`: how long an election may last, at least; up to twice that.
    pub election_ms: u64,
    /// `controller.quorum.fetch.timeout.ms`: how long a follower goes without its leader.
    pub fetch_ms: u64,
    /// `controller.quorum.election.backoff.max.ms`: the longest a successor waits that is not the first.
    pub election_backoff_max_ms: u64,
    /// `controller.quorum.request.timeout.ms`: how long an answer may take.
    pub request_ms: u64,
    /// `controller.quorum.retry.backoff.ms`: the pause before a request is sent again.
    pub retry_backoff_ms: u64,
    /// How long a leader may hold a fetch that it has nothing for. Less than `request_ms`.
    pub fetch_max_wait_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            election_ms: 1000,
            fetch_ms: 2000,
            election_backoff_max_ms: 1000,
            request_ms: 2000,
            retry_backoff_ms: 20,
            fetch_max_wait_ms: 500,
        }
    }
}

/// Who this node is and whom it decides with.
#[derive(Clone, Debug)]
pub struct RaftConfig {
    /// This node. An observer if it is not among `voters`.
    pub local: ReplicaKey,
    /// The voters.
    pub voters: VoterSet,
    /// How long to wait.
    pub timeouts: Timeouts,
}
