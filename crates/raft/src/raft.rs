//! The node: its inputs, and what happens when time passes.

use ottla_protocol::ErrorCode;
use ottla_protocol::ids::{BrokerId, LeaderEpoch, Offset};

use crate::effect::{CorrelationId, Effect, RequestToken};
use crate::log_shape::{LogShape, WriteId};
use crate::message::{Request, Response, ResponseBody, Verdict};
use crate::requests::Requests;
use crate::role::Role;
use crate::types::{ElectionState, EpochEnd, Now, RaftConfig};

/// What the host has found of the log on start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFound {
    /// As it was left.
    Whole,
    /// Records that had been durable are gone, or damaged and cut off. The node neither stands nor votes until it has
    /// everything that a leader of a later epoch has committed (R9, A29).
    Damaged,
}

/// One node of the quorum.
#[derive(Debug)]
pub struct Raft {
    pub(crate) config: RaftConfig,
    pub(crate) election: ElectionState,
    pub(crate) role: Role,
    pub(crate) log: LogShape,
    pub(crate) high_watermark: Offset,
    pub(crate) requests: Requests,
    /// The epoch in which the log was found damaged, until it is made whole.
    pub(crate) damaged_in: Option<LeaderEpoch>,
    pub(crate) effects: Vec<Effect>,
    polled_at_ms: u64,
}

impl Raft {
    /// A node that starts with what it finds on its disk.
    pub fn start(
        config: RaftConfig,
        found: ElectionState,
        log: LogShape,
        log_found: LogFound,
        now: Now,
    ) -> (Self, Vec<Effect>) {
        let mut election = found;
        if log.last().epoch > election.epoch {
            election = ElectionState {
                epoch: log.last().epoch,
                ..ElectionState::default()
            };
        }
        let mut raft = Self {
            role: Role::Unattached(crate::role::Unattached {
                deadline_ms: now.ms,
            }),
            high_watermark: log.start_offset(),
            requests: Requests::default(),
            damaged_in: (log_found == LogFound::Damaged).then_some(election.epoch),
            effects: Vec::new(),
            polled_at_ms: now.ms,
            election: found,
            config,
            log,
        };
        raft.set_election(election);
        match raft.election.leader {
            // Whatever it promised as a leader, it promises no more in this epoch.
            Some(leader) if leader == raft.config.local.id => raft.become_resigned(now),
            Some(leader) => raft.become_follower(now, raft.election.epoch, leader),
            None => raft.become_unattached(now, raft.election.epoch),
        }
        let effects = raft.finish(now);
        (raft, effects)
    }

    /// Time has passed; at the latest at [`Raft::deadline_ms`].
    pub fn on_tick(&mut self, now: Now) -> Vec<Effect> {
        self.finish(now)
    }

    /// A request has come in.
    pub fn on_request(&mut self, now: Now, token: RequestToken, request: Request) -> Vec<Effect> {
        if !request.is_valid() {
            self.refuse(token, ErrorCode::InvalidRequest);
            return self.finish(now);
        }
        match request {
            Request::Vote(vote) => self.on_vote_request(now, token, &vote),
            Request::BeginQuorumEpoch {
                epoch,
                leader,
                voter,
            } => self.on_begin_quorum_epoch(now, token, epoch, leader, &voter),
            Request::EndQuorumEpoch {
                epoch,
                leader,
                preferred_successors,
            } => self.on_end_quorum_epoch(now, token, epoch, leader, &preferred_successors),
            Request::Fetch(fetch) => self.on_fetch_request(now, token, fetch),
            Request::FetchSnapshot {
                replica,
                epoch,
                snapshot,
                position,
            } => self.on_fetch_snapshot_request(now, token, &replica, epoch, snapshot, position),
        }
        self.finish(now)
    }

    /// An answer has come in. One that nothing waits for any more is left aside.
    pub fn on_response(
        &mut self,
        now: Now,
        from: BrokerId,
        correlation_id: CorrelationId,
        response: Response,
    ) -> Vec<Effect> {
        if self.requests.end(from, correlation_id) && response.is_valid() {
            let verdict = response.verdict;
            if verdict.epoch > self.election.epoch {
                self.observe(now, verdict.epoch, verdict.leader);
            } else {
                self.on_current_response(now, from, response);
            }
        }
        self.finish(now)
    }

    fn on_current_response(&mut self, now: Now, from: BrokerId, response: Response) {
        let Response { verdict, body } = response;
        let is_current = verdict.epoch == self.election.epoch;
        let seeks = self.election.leader.is_none() || matches!(self.role, Role::Unattached(_));
        if is_current && seeks && verdict.leader.is_some() {
            return self.observe(now, verdict.epoch, verdict.leader);
        }
        // What a node of an earlier epoch grants or sends is not for this one.
        if verdict.error != ErrorCode::None || !is_current {
            return self.on_refused(now, from);
        }
        match body {
            ResponseBody::Empty => self.on_acknowledged(from),
            ResponseBody::Vote { granted } => self.on_vote_response(now, from, granted),
            ResponseBody::Records {
                high_watermark,
                batches,
            } => self.on_records(now, from, high_watermark, batches),
            ResponseBody::Diverging(theirs) => self.on_diverging(now, from, theirs),
            ResponseBody::Snapshot(snapshot) => self.on_snapshot_needed(now, from, snapshot),
            ResponseBody::SnapshotChunk {
                snapshot,
                position,
                size_bytes,
                bytes,
            } => self.on_snapshot_chunk(now, from, snapshot, position, size_bytes, bytes),
        }
    }

    fn on_refused(&mut self, now: Now, from: BrokerId) {
        self.requests
            .pause(from, now.ms + self.config.timeouts.retry_backoff_ms);
        match &mut self.role {
            Role::Prospective(_) | Role::Candidate(_) => self.on_vote_response(now, from, false),
            // Whatever was wrong with a piece of a snapshot, a fetch says what is right.
            Role::Follower(follower) => follower.snapshot = None,
            _ => {}
        }
    }

    /// A request could not be sent, or its connection was lost. What was under way goes on when it is back.
    pub fn on_request_failed(
        &mut self,
        now: Now,
        to: BrokerId,
        correlation_id: CorrelationId,
    ) -> Vec<Effect> {
        if self.requests.end(to, correlation_id) {
            self.requests
                .pause(to, now.ms + self.config.timeouts.retry_backoff_ms);
        }
        self.finish(now)
    }

    /// The answer refuses the whole message, or cannot be understood. The reference release answers so a FetchSnapshot
    /// that it has an error for.
    pub fn on_request_refused(
        &mut self,
        now: Now,
        from: BrokerId,
        correlation_id: CorrelationId,
    ) -> Vec<Effect> {
        if self.requests.end(from, correlation_id) {
            self.on_refused(now, from);
        }
        self.finish(now)
    }

    /// Every write of the log up to `write_id` is on the disk.
    pub fn on_written(&mut self, now: Now, write_id: WriteId) -> Vec<Effect> {
        self.log.written(write_id);
        if matches!(self.role, Role::Leader(_)) {
            self.update_leader_high_watermark();
        } else if let Some(snapshot) = self.log.snapshot() {
            // A snapshot holds only what is committed.
            self.raise_high_watermark(snapshot.end_offset.min(self.log.durable_end_offset()));
        }
        self.follow_high_watermark();
        self.finish(now)
    }

    /// The host has made a snapshot of everything before `snapshot`, which is committed, and it is durable.
    pub fn on_snapshot_taken(&mut self, now: Now, end_offset: Offset) -> Vec<Effect> {
        assert!(end_offset <= self.high_watermark, "only what is committed");
        assert!(end_offset >= self.log.start_offset(), "only what is there");
        self.log.add_snapshot(EpochEnd {
            epoch: self.log.epoch_before(end_offset),
            end_offset,
        });
        self.finish(now)
    }

    /// The host has deleted the log before `start_offset`, which a snapshot covers.
    pub fn on_log_trimmed(&mut self, now: Now, start_offset: Offset) -> Vec<Effect> {
        let covered = self.log.snapshot().map(|snapshot| snapshot.end_offset);
        assert!(Some(start_offset) <= covered, "a snapshot has what is gone");
        assert!(start_offset >= self.log.start_offset(), "only forward");
        self.log.trim(EpochEnd {
            epoch: self.log.epoch_before(start_offset),
            end_offset: start_offset,
        });
        self.finish(now)
    }

    /// The node is to stop: a leader resigns, and tells the others.
    pub fn on_shutdown(&mut self, now: Now) -> Vec<Effect> {
        if matches!(self.role, Role::Leader(_)) {
            self.become_resigned(now);
        }
        self.finish(now)
    }

    /// When [`Raft::on_tick`] is due; `None` while there is nothing to wait for.
    pub fn deadline_ms(&self) -> Option<u64> {
        let role = match &self.role {
            Role::Unattached(unattached) => self.is_voter().then_some(unattached.deadline_ms),
            Role::Prospective(campaign) | Role::Candidate(campaign) => Some(campaign.deadline_ms),
            Role::Leader(leader) => self.leader_deadline_ms(leader),
            Role::Follower(follower) => Some(follower.deadline_ms),
            Role::Resigned(resigned) => Some(resigned.deadline_ms),
        };
        let requests = self.requests.deadline_ms(self.polled_at_ms);
        [role, requests].into_iter().flatten().min()
    }

    /// The epoch and its leader, as `quorum-state` has them.
    pub fn election(&self) -> ElectionState {
        self.election
    }

    /// Up to where the log is committed, as far as this node knows. Never falls while the node runs.
    pub fn high_watermark(&self) -> Offset {
        self.high_watermark
    }

    /// The log as the rules see it.
    pub fn log(&self) -> &LogShape {
        &self.log
    }

    /// Whether this node leads.
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// Whether the log was found damaged and is not whole again. The host remembers it over a restart.
    pub fn is_damaged(&self) -> bool {
        self.damaged_in.is_some()
    }

    pub(crate) fn is_voter(&self) -> bool {
        self.config.voters.contains(&self.config.local)
    }

    pub(crate) fn other_voters(&self) -> Vec<BrokerId> {
        let voters = self.config.voters.iter().map(|voter| voter.id);
        voters.filter(|id| *id != self.config.local.id).collect()
    }

    /// Does what time asks for, and hands out the effects.
    fn finish(&mut self, now: Now) -> Vec<Effect> {
        self.polled_at_ms = now.ms;
        self.requests.expire(now.ms);
        self.expire_role(now);
        self.send_due(now);
        if cfg!(debug_assertions) {
            self.check_invariants();
        }
        std::mem::take(&mut self.effects)
    }

    fn expire_role(&mut self, now: Now) {
        match &self.role {
            Role::Unattached(unattached) if unattached.deadline_ms <= now.ms => {
                if self.may_stand() {
                    self.become_prospective(now);
                } else {
                    self.become_unattached(now, self.election.epoch);
                }
            }
            Role::Prospective(campaign) if campaign.deadline_ms <= now.ms => self.give_up(now),
            Role::Candidate(campaign) if campaign.deadline_ms <= now.ms => {
                self.become_prospective(now);
            }
            Role::Follower(follower) if follower.deadline_ms <= now.ms => {
                if self.may_stand() {
                    self.become_prospective(now);
                } else {
                    self.become_unattached(now, self.election.epoch);
                }
            }
            // It cannot vote in an epoch that was its own.
            Role::Resigned(resigned) if resigned.deadline_ms <= now.ms => {
                self.become_unattached(now, LeaderEpoch(self.election.epoch.0 + 1));
            }
            Role::Leader(_) => self.expire_leader(now),
            _ => {}
        }
    }

    fn send_due(&mut self, now: Now) {
        match &self.role {
            Role::Unattached(_) if !self.may_stand() => self.look_for_leader(now),
            Role::Unattached(_) => {}
            Role::Prospective(_) | Role::Candidate(_) => self.ask_for_votes(now),
            Role::Leader(_) => self.announce_epoch(now),
            Role::Follower(_) => self.fetch(now),
            Role::Resigned(_) => self.announce_end(now),
        }
    }

    pub(crate) fn send(&mut self, now: Now, to: BrokerId, request: Request) {
        let correlation_id = self.requests.begin(to, now.ms, &self.config.timeouts);
        self.effects.push(Effect::SendRequest {
            to,
            correlation_id,
            request,
        });
    }

    /// What an answer says of us.
    pub(crate) fn verdict(&self, error: ErrorCode) -> Verdict {
        let has_resigned = matches!(self.role, Role::Resigned(_));
        Verdict {
            error,
            epoch: self.election.epoch,
            leader: self.election.leader.filter(|_| !has_resigned),
        }
    }

    pub(crate) fn answer(&mut self, token: RequestToken, error: ErrorCode, body: ResponseBody) {
        let verdict = self.verdict(error);
        self.effects.push(Effect::SendResponse {
            token,
            response: Response { verdict, body },
        });
    }

    pub(crate) fn refuse(&mut self, token: RequestToken, error: ErrorCode) {
        self.answer(token, error, ResponseBody::Empty);
    }

    /// Raises the high watermark, if `to` is above it.
    pub(crate) fn raise_high_watermark(&mut self, to: Offset) {
        if to > self.high_watermark {
            self.high_watermark = to;
            self.effects.push(Effect::AdvanceHighWatermark(to));
        }
    }

    /// RAFT-1 to RAFT-3.
    fn check_invariants(&self) {
        self.log.check_invariants();
        // RAFT-2: what is committed is in the log or in its snapshot; no record is of an epoch to come.
        assert!(self.log.start_offset() <= self.high_watermark || self.log.pending_writes() > 0);
        assert!(self.high_watermark <= self.log.end_offset());
        assert!(self.log.last().epoch <= self.election.epoch);
        // RAFT-3: the role is what quorum-state says.
        let local = self.config.local;
        let (leader, voted) = (self.election.leader, self.election.voted);
        match &self.role {
            Role::Unattached(_) | Role::Prospective(_) => assert_ne!(leader, Some(local.id)),
            Role::Candidate(_) => assert!(leader.is_none() && voted == Some(local)),
            Role::Leader(state) => {
                assert!(leader == Some(local.id) && voted == Some(local));
                assert_eq!(self.log.last().epoch, self.election.epoch);
                let active = self.high_watermark > state.epoch_start_offset;
                assert_eq!(state.is_active, active);
            }
            Role::Follower(follower) => {
                assert!(leader == Some(follower.leader) && follower.leader != local.id);
            }
            Role::Resigned(_) => assert_eq!(leader, Some(local.id)),
        }
    }
}
