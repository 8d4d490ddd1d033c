//! What the leader knows of the replicas, for DescribeQuorum.

use ottla_protocol::ids::{LeaderEpoch, Offset};

use crate::raft::Raft;
use crate::role::{Progress, Role};
use crate::types::{Now, ReplicaKey};

/// The quorum as its leader sees it. Source: KIP-595, DescribeQuorumResponse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumDescription {
    /// The leader's epoch.
    pub epoch: LeaderEpoch,
    /// `None` (-1) until a record of the epoch is committed.
    pub high_watermark: Option<Offset>,
    /// The voters by id, the leader itself among them.
    pub voters: Vec<ReplicaDescription>,
    /// Everybody else who has fetched lately.
    pub observers: Vec<ReplicaDescription>,
}

/// How far one replica has come. Times are those of [`Now::ms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaDescription {
    /// The replica.
    pub key: ReplicaKey,
    /// Where its log ends.
    pub log_end_offset: Offset,
    /// When it last fetched.
    pub last_fetch_ms: Option<u64>,
    /// When it last had everything.
    pub last_caught_up_ms: Option<u64>,
}

impl Raft {
    /// Describes the quorum; `None` if this node does not lead it.
    pub fn describe(&self, now: Now) -> Option<QuorumDescription> {
        let Role::Leader(leader) = &self.role else {
            return None;
        };
        let describe = |key: &ReplicaKey, progress: &Progress| ReplicaDescription {
            key: *key,
            log_end_offset: progress.end_offset,
            last_fetch_ms: progress.last_fetch_ms,
            last_caught_up_ms: progress.last_caught_up_ms,
        };
        let own = Progress {
            end_offset: self.log.end_offset(),
            last_fetch_ms: Some(now.ms),
            last_caught_up_ms: Some(now.ms),
            begin_at_ms: 0,
        };
        let voters = self.config.voters.iter();
        let observers = leader.observers.iter();
        Some(QuorumDescription {
            epoch: self.election.epoch,
            high_watermark: leader.is_active.then_some(self.high_watermark),
            voters: voters
                .map(|key| describe(key, leader.voters.get(&key.id).unwrap_or(&own)))
                .collect(),
            observers: observers
                .map(|(key, progress)| describe(key, progress))
                .collect(),
        })
    }
}
