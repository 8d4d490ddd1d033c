//! The leader: appends, answers fetches, counts what is durable where, and resigns when it is alone.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ottla_protocol::ErrorCode;
use ottla_protocol::ids::{BrokerId, LeaderEpoch, Offset};
use ottla_protocol::messages::LeaderChangeMessage;
use ottla_protocol::messages::leader_change_message::Voter;

use crate::effect::{Effect, RequestToken};
use crate::log_shape::FetchPosition;
use crate::message::{Batch, FetchRequest, Request, ResponseBody};
use crate::raft::Raft;
use crate::role::{
    Leader, MAX_OBSERVERS, OBSERVER_SESSION_TIMEOUT_MS, Parked, Progress, Role, Vote,
};
use crate::types::{ElectionState, EpochEnd, Now, ReplicaKey};

/// Above this many appends that are not durable yet, [`Raft::append`] refuses.
pub const MAX_PENDING_WRITES: usize = 1024;

/// Why nothing was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// This node does not lead in that epoch.
    #[error("this node does not lead the metadata quorum in epoch {epoch}")]
    NotLeader {
        /// The epoch that was asked for.
        epoch: LeaderEpoch,
    },
    /// It leads, but no record of its epoch is committed yet: it may not know all that is (R2).
    #[error("the leader of epoch {epoch} is not active yet")]
    NotActive {
        /// The epoch.
        epoch: LeaderEpoch,
    },
    /// The disk does not keep up; try again when a write is done.
    #[error("{MAX_PENDING_WRITES} appends wait for the disk")]
    Busy,
    /// There are no records.
    #[error("there are no records to append")]
    Empty,
}

impl Raft {
    /// Appends one batch of `record_count` records that were decided on in `epoch`. It is committed once the high
    /// watermark is at its end, which is the returned offset; it is lost if the epoch changes before.
    pub fn append(
        &mut self,
        now: Now,
        epoch: LeaderEpoch,
        record_count: u32,
        records: Bytes,
    ) -> Result<(Offset, Vec<Effect>), AppendError> {
        let Role::Leader(leader) = &self.role else {
            return Err(AppendError::NotLeader { epoch });
        };
        if epoch != self.election.epoch {
            return Err(AppendError::NotLeader { epoch });
        }
        if !leader.is_active {
            return Err(AppendError::NotActive { epoch });
        }
        if self.log.pending_writes() >= MAX_PENDING_WRITES {
            return Err(AppendError::Busy);
        }
        if record_count == 0 {
            return Err(AppendError::Empty);
        }
        let base_offset = self.log.end_offset();
        let end_offset = Offset(base_offset.0 + i64::from(record_count));
        let write_id = self.log.append(EpochEnd { epoch, end_offset });
        let batch = Batch {
            base_offset,
            end_offset,
            epoch,
            records,
        };
        self.effects.push(Effect::Append { write_id, batch });
        self.serve_parked();
        let effects = self.on_tick(now);
        Ok((end_offset, effects))
    }

    pub(crate) fn become_leader(&mut self, now: Now) {
        let Role::Candidate(campaign) = &self.role else {
            unreachable!("only a candidate is elected");
        };
        let votes = campaign.votes.iter();
        let granting: Vec<BrokerId> = votes
            .filter(|(_, vote)| **vote == Vote::Granted)
            .map(|(id, _)| *id)
            .collect();
        let epoch = self.election.epoch;
        self.set_election(ElectionState {
            leader: Some(self.config.local.id),
            ..self.election
        });
        let base_offset = self.log.end_offset();
        let others = self.other_voters().into_iter();
        self.set_role(Role::Leader(Leader {
            epoch_start_offset: base_offset,
            is_active: false,
            check_quorum_deadline_ms: self.check_quorum_deadline_ms(now),
            heard: BTreeSet::new(),
            voters: others.map(|id| (id, Progress::default())).collect(),
            observers: BTreeMap::new(),
            parked: BTreeMap::new(),
        }));
        let end_offset = Offset(base_offset.0 + 1);
        let write_id = self.log.append(EpochEnd { epoch, end_offset });
        self.effects.push(Effect::AppendLeaderChange {
            write_id,
            base_offset,
            epoch,
            message: self.leader_change_message(&granting),
        });
    }

    fn leader_change_message(&self, granting: &[BrokerId]) -> LeaderChangeMessage {
        let voter = |key: &ReplicaKey| Voter {
            voter_id: key.id.0,
            voter_directory_id: key.directory_id,
            ..Voter::default()
        };
        let voters = &self.config.voters;
        let granting = voters.iter().filter(|key| granting.contains(&key.id));
        LeaderChangeMessage {
            version: 1,
            leader_id: self.config.local.id.0,
            voters: voters.iter().map(voter).collect(),
            granting_voters: granting.map(voter).collect(),
            ..LeaderChangeMessage::default()
        }
    }

    /// Half as long again as a follower goes without its leader. Source: `LeaderState.CHECK_QUORUM_TIMEOUT_FACTOR`.
    fn check_quorum_deadline_ms(&self, now: Now) -> u64 {
        now.ms + self.config.timeouts.fetch_ms * 3 / 2
    }

    pub(crate) fn leader_deadline_ms(&self, leader: &Leader) -> Option<u64> {
        let parked = leader.parked.values().map(|parked| parked.deadline_ms);
        let begins = leader.voters.values().map(|voter| voter.begin_at_ms);
        let alone = leader.voters.is_empty();
        let check_quorum = (!alone).then_some(leader.check_quorum_deadline_ms);
        parked.chain(begins).chain(check_quorum).min()
    }

    pub(crate) fn expire_leader(&mut self, now: Now) {
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        if !leader.voters.is_empty() && leader.check_quorum_deadline_ms <= now.ms {
            return self.become_resigned(now);
        }
        let waited = leader
            .parked
            .extract_if(.., |_, parked| parked.deadline_ms <= now.ms);
        let waited: Vec<Parked> = waited.map(|(_, parked)| parked).collect();
        for parked in waited {
            self.send_records(&parked);
        }
    }

    /// Makes the leader known to voters that do not fetch.
    pub(crate) fn announce_epoch(&mut self, now: Now) {
        let every_ms = (self.config.timeouts.fetch_ms / 2).max(1);
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        let mut due = Vec::new();
        for (id, voter) in &mut leader.voters {
            if voter.begin_at_ms <= now.ms {
                voter.begin_at_ms = now.ms + every_ms;
                due.push(*id);
            }
        }
        for to in due {
            let voter = self.config.voters.get(to).copied();
            if let Some(voter) = voter.filter(|_| self.requests.is_free(to, now.ms)) {
                let request = Request::BeginQuorumEpoch {
                    epoch: self.election.epoch,
                    leader: self.config.local.id,
                    voter,
                };
                self.send(now, to, request);
            }
        }
    }

    /// Whether a request that only the leader of `epoch` may serve is to be refused.
    fn refusal(&self, epoch: LeaderEpoch) -> Option<ErrorCode> {
        if epoch < self.election.epoch {
            Some(ErrorCode::FencedLeaderEpoch)
        } else if epoch > self.election.epoch {
            Some(ErrorCode::UnknownLeaderEpoch)
        } else if !self.is_leader() {
            Some(ErrorCode::NotLeaderOrFollower)
        } else {
            None
        }
    }

    pub(crate) fn on_fetch_request(&mut self, now: Now, token: RequestToken, fetch: FetchRequest) {
        if let Some(error) = self.refusal(fetch.epoch) {
            return self.refuse(token, error);
        }
        self.hear(now, &fetch.replica);
        match self.log.compare(fetch.fetched) {
            FetchPosition::Diverging(ours) => {
                self.answer(token, ErrorCode::None, ResponseBody::Diverging(ours));
            }
            FetchPosition::Snapshot(snapshot) => {
                self.answer(token, ErrorCode::None, ResponseBody::Snapshot(snapshot));
            }
            FetchPosition::Valid => {
                self.note_progress(now, &fetch);
                self.update_leader_high_watermark();
                self.serve_or_park(now, token, fetch);
            }
        }
    }

    pub(crate) fn on_fetch_snapshot_request(
        &mut self,
        now: Now,
        token: RequestToken,
        replica: &ReplicaKey,
        epoch: LeaderEpoch,
        snapshot: EpochEnd,
        position: u64,
    ) {
        if let Some(error) = self.refusal(epoch) {
            return self.refuse(token, error);
        }
        self.hear(now, replica);
        if self.log.snapshot() != Some(snapshot) {
            return self.refuse(token, ErrorCode::SnapshotNotFound);
        }
        let verdict = self.verdict(ErrorCode::None);
        self.effects.push(Effect::SendSnapshotChunk {
            token,
            verdict,
            snapshot,
            position,
        });
    }

    /// A replica shows that it follows. Once a majority has, the check begins anew.
    fn hear(&mut self, now: Now, replica: &ReplicaKey) {
        let deadline_ms = self.check_quorum_deadline_ms(now);
        let begin_at_ms = now.ms + self.config.timeouts.fetch_ms / 2;
        let is_voter = self.config.voters.contains(replica);
        let others_needed = self.config.voters.majority() - 1;
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        if !is_voter {
            return;
        }
        if let Some(voter) = leader.voters.get_mut(&replica.id) {
            voter.last_fetch_ms = Some(now.ms);
            voter.begin_at_ms = begin_at_ms;
            leader.heard.insert(replica.id);
        }
        if leader.heard.len() >= others_needed {
            leader.heard.clear();
            leader.check_quorum_deadline_ms = deadline_ms;
        }
    }

    /// What a replica asks for, it has everything before, on its disk.
    fn note_progress(&mut self, now: Now, fetch: &FetchRequest) {
        let is_voter = self.config.voters.contains(&fetch.replica);
        let is_caught_up = fetch.fetched.end_offset == self.log.end_offset();
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        let progress = if is_voter {
            leader.voters.get_mut(&fetch.replica.id)
        } else {
            leader.observers.retain(|_, observer| {
                let last_fetch_ms = observer.last_fetch_ms.unwrap_or_default();
                last_fetch_ms + OBSERVER_SESSION_TIMEOUT_MS > now.ms
            });
            let is_known = leader.observers.contains_key(&fetch.replica);
            let has_room = is_known || leader.observers.len() < MAX_OBSERVERS;
            has_room.then(|| leader.observers.entry(fetch.replica).or_default())
        };
        if let Some(progress) = progress {
            progress.end_offset = fetch.fetched.end_offset;
            progress.last_fetch_ms = Some(now.ms);
            if is_caught_up {
                progress.last_caught_up_ms = Some(now.ms);
            }
        }
    }

    fn serve_or_park(&mut self, now: Now, token: RequestToken, fetch: FetchRequest) {
        let deadline_ms = now.ms + fetch.max_wait_ms.min(self.config.timeouts.request_ms);
        let parked = Parked {
            token,
            deadline_ms,
            fetch,
        };
        let has_news = self.has_news(&parked.fetch);
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        let replica = parked.fetch.replica;
        // Of two fetches of one replica the first is answered: it waits for it no more.
        let earlier = leader.parked.remove(&replica);
        let is_full = leader.parked.len() >= MAX_OBSERVERS;
        if has_news || is_full || parked.fetch.max_wait_ms == 0 {
            self.send_records(&parked);
        } else {
            leader.parked.insert(replica, parked);
        }
        if let Some(earlier) = earlier {
            self.send_records(&earlier);
        }
    }

    fn has_news(&self, fetch: &FetchRequest) -> bool {
        let committed = self.known_high_watermark();
        self.log.end_offset() > fetch.fetched.end_offset
            || committed.is_some_and(|committed| committed > fetch.high_watermark)
    }

    /// The high watermark to tell others: none before a record of this epoch is committed.
    fn known_high_watermark(&self) -> Option<Offset> {
        let Role::Leader(leader) = &self.role else {
            return None;
        };
        leader.is_active.then_some(self.high_watermark)
    }

    fn send_records(&mut self, parked: &Parked) {
        let effect = Effect::SendRecords {
            token: parked.token,
            verdict: self.verdict(ErrorCode::None),
            fetch_offset: parked.fetch.fetched.end_offset,
            high_watermark: self.known_high_watermark(),
        };
        self.effects.push(effect);
    }

    fn serve_parked(&mut self) {
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        let all = std::mem::take(&mut leader.parked);
        let (news, rest): (BTreeMap<_, _>, BTreeMap<_, _>) = all
            .into_iter()
            .partition(|(_, parked)| self.has_news(&parked.fetch));
        for parked in news.values() {
            self.send_records(parked);
        }
        if let Role::Leader(leader) = &mut self.role {
            leader.parked = rest;
        }
    }

    /// What a majority has on its disks is committed, once that includes a record of this epoch. Source: Raft 5.4.2.
    pub(crate) fn update_leader_high_watermark(&mut self) {
        let Role::Leader(leader) = &self.role else {
            return;
        };
        let ends = leader.voters.values().map(|voter| voter.end_offset);
        let mut ends: Vec<Offset> = ends.chain([self.log.durable_end_offset()]).collect();
        ends.sort_by(|one, other| other.cmp(one));
        let committed = ends[self.config.voters.majority() - 1];
        if committed <= leader.epoch_start_offset || committed <= self.high_watermark {
            return;
        }
        assert!(committed <= self.log.end_offset());
        let is_first = !leader.is_active;
        self.raise_high_watermark(committed);
        if let Role::Leader(leader) = &mut self.role {
            leader.is_active = true;
        }
        if is_first {
            self.effects.push(Effect::LeaderActive(self.election.epoch));
        }
        self.serve_parked();
    }
}
