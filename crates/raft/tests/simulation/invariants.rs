//! What must hold between nodes, one function each, with its source.

use std::collections::BTreeMap;

use ottla_protocol::ids::{BrokerId, LeaderEpoch, Offset};
use ottla_raft::{Batch, ElectionState, ReplicaKey};

use crate::disk::{Disk, Log};

/// What has been seen, over all nodes and the whole run.
#[derive(Debug, Default)]
pub struct Ledger {
    leaders: BTreeMap<LeaderEpoch, BrokerId>,
    votes: BTreeMap<(BrokerId, LeaderEpoch), ReplicaKey>,
    /// Committed batches by their first offset.
    pub committed: BTreeMap<Offset, Batch>,
    /// The state behind each committed batch.
    digests: BTreeMap<Offset, u64>,
}

impl Ledger {
    /// At most one leader can be elected in an epoch. Raft, figure 3: Election Safety.
    pub fn election_safety(&mut self, epoch: LeaderEpoch, leader: BrokerId) {
        let known = *self.leaders.entry(epoch).or_insert(leader);
        assert_eq!(known, leader, "two leaders in epoch {epoch}");
    }

    /// A node votes for one candidate in an epoch, whatever it forgets in a crash. Raft 5.2, KIP-595.
    pub fn one_vote_per_epoch(&mut self, node: BrokerId, election: &ElectionState) {
        if let Some(voted) = election.voted {
            let known = *self.votes.entry((node, election.epoch)).or_insert(voted);
            assert_eq!(
                known, voted,
                "node {node} votes twice in {}",
                election.epoch
            );
        }
    }

    /// What was committed is in the log of every later leader. Raft, figure 3: Leader Completeness.
    pub fn leader_completeness(&self, epoch: LeaderEpoch, log: &Log) {
        for batch in self.committed.range(log.start.end_offset..).map(|(_, b)| b) {
            if batch.epoch < epoch {
                assert!(
                    log.batches.contains(batch),
                    "the leader of {epoch} lacks {batch:?}"
                );
            }
        }
        let missing = self.committed.values().next_back();
        if let Some(last) = missing.filter(|last| last.epoch < epoch) {
            assert!(log.end_offset() >= last.end_offset, "a short log leads");
        }
    }

    /// No two nodes apply different records at one offset. Raft, figure 3: State Machine Safety.
    pub fn state_machine_safety(&mut self, node: BrokerId, batch: &Batch, digest: u64) {
        let known = self.committed.entry(batch.base_offset);
        let known = known.or_insert_with(|| batch.clone());
        assert_eq!(known, batch, "node {node} applies something else");
        let known = *self.digests.entry(batch.end_offset).or_insert(digest);
        assert_eq!(known, digest, "node {node} has another state");
    }

    /// A snapshot is the state at its offset. KIP-630.
    pub fn snapshot_is_the_state(&self, end_offset: Offset, digest: u64) {
        let known = self.digests.get(&end_offset).copied();
        assert_eq!(known, Some(digest), "the snapshot at {end_offset} is wrong");
    }
}

/// A vote does not leave before it is on the disk. KIP-595.
pub fn vote_is_durable(disk: &Disk, epoch: LeaderEpoch, candidate: ReplicaKey) {
    assert_eq!(disk.election.epoch, epoch, "a vote of another epoch");
    assert_eq!(disk.election.voted, Some(candidate), "a vote for another");
}

/// The high watermark of a running node does not fall. KIP-595.
pub fn monotone_high_watermark(before: Offset, after: Offset) {
    assert!(after > before, "the high watermark falls or stays: {after}");
}

/// What a leader calls committed is on the disks of a majority. Raft 5.3, R5, A26.
pub fn committed_is_durable(voters: &[&Disk], high_watermark: Offset) {
    let holding = voters
        .iter()
        .filter(|disk| disk.damaged || disk.durable.end_offset() >= high_watermark)
        .count();
    assert!(
        holding > voters.len() / 2,
        "{high_watermark} is on {holding} disks"
    );
}

/// If two logs hold a batch of one offset and epoch, they are the same up to it. Raft, figure 3: Log Matching.
pub fn log_matching(one: &Log, other: &Log) {
    let common = one.batches.iter().rev().find(|batch| {
        let same = |theirs: &&Batch| theirs.base_offset == batch.base_offset;
        let theirs = other.batches.iter().find(same);
        theirs.is_some_and(|theirs| theirs.epoch == batch.epoch)
    });
    let Some(common) = common else { return };
    let start = one.start.end_offset.max(other.start.end_offset);
    let shared = |log: &Log| -> Vec<Batch> {
        let batches = log
            .batches
            .iter()
            .filter(|batch| batch.base_offset >= start && batch.base_offset <= common.base_offset);
        batches.cloned().collect()
    };
    assert_eq!(shared(one), shared(other), "two logs do not match");
}
