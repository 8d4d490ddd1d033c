//! Elections: who stands, who votes for whom, and the changes of role.

use std::collections::{BTreeMap, BTreeSet};

use ottla_protocol::ErrorCode;
use ottla_protocol::ids::{BrokerId, LeaderEpoch, Offset};

use crate::effect::{Effect, Fault, RequestToken};
use crate::message::{FetchRequest, Request, ResponseBody, VoteRequest};
use crate::raft::Raft;
use crate::role::{Campaign, Follower, Resigned, Role, Unattached, Vote};
use crate::types::{ElectionState, Now, ReplicaKey};

impl Raft {
    /// Whether this node may be elected.
    pub(crate) fn may_stand(&self) -> bool {
        self.is_voter() && self.damaged_in.is_none()
    }

    /// Makes `election` durable before anything that follows from it.
    pub(crate) fn set_election(&mut self, election: ElectionState) {
        let before = std::mem::replace(&mut self.election, election);
        if before == election {
            return;
        }
        assert!(election.epoch >= before.epoch, "epochs do not go back");
        let same_epoch = election.epoch == before.epoch;
        assert!(
            !same_epoch || before.voted.is_none() || election.voted == before.voted,
            "a node votes once in an epoch"
        );
        self.effects.push(Effect::PersistElection(election));
        if (before.epoch, before.leader) != (election.epoch, election.leader) {
            self.effects.push(Effect::LeaderChanged {
                epoch: election.epoch,
                leader: election.leader,
            });
        }
    }

    /// Leaves the role; what waits for a leader's answer gets one, and what was asked is forgotten.
    pub(crate) fn set_role(&mut self, role: Role) {
        self.requests.clear();
        if let Role::Leader(leader) = std::mem::replace(&mut self.role, role) {
            for parked in leader.parked.into_values() {
                self.refuse(parked.token, ErrorCode::NotLeaderOrFollower);
            }
        }
    }

    fn election_deadline_ms(&self, now: Now) -> u64 {
        let election_ms = self.config.timeouts.election_ms;
        now.ms + election_ms + u64::from(now.random) % election_ms.max(1)
    }

    /// Waits for a leader of `epoch`.
    pub(crate) fn become_unattached(&mut self, now: Now, epoch: LeaderEpoch) {
        if epoch > self.election.epoch {
            self.set_election(ElectionState {
                epoch,
                ..ElectionState::default()
            });
        }
        let deadline_ms = self.election_deadline_ms(now);
        self.set_role(Role::Unattached(Unattached { deadline_ms }));
    }

    pub(crate) fn become_follower(&mut self, now: Now, epoch: LeaderEpoch, leader: BrokerId) {
        let voted = self.election.voted.filter(|_| epoch == self.election.epoch);
        self.set_election(ElectionState {
            epoch,
            leader: Some(leader),
            voted,
        });
        self.set_role(Role::Follower(Follower {
            leader,
            deadline_ms: now.ms + self.config.timeouts.fetch_ms,
            has_fetched: false,
            told_high_watermark: Offset(0),
            snapshot: None,
        }));
    }

    pub(crate) fn become_prospective(&mut self, now: Now) {
        let campaign = self.new_campaign(now);
        self.set_role(Role::Prospective(campaign));
        self.count_votes(now);
    }

    fn become_candidate(&mut self, now: Now) {
        self.set_election(ElectionState {
            epoch: LeaderEpoch(self.election.epoch.0 + 1),
            leader: None,
            voted: Some(self.config.local),
        });
        let campaign = self.new_campaign(now);
        self.set_role(Role::Candidate(campaign));
        self.count_votes(now);
    }

    fn new_campaign(&self, now: Now) -> Campaign {
        Campaign {
            deadline_ms: self.election_deadline_ms(now),
            votes: BTreeMap::from([(self.config.local.id, Vote::Granted)]),
        }
    }

    /// Leads no more, and says who should, the one with the longest log first.
    pub(crate) fn become_resigned(&mut self, now: Now) {
        let mut successors = Vec::new();
        if let Role::Leader(leader) = &self.role {
            let others = self.config.voters.iter();
            successors = others
                .filter_map(|key| Some((leader.voters.get(&key.id)?.end_offset, *key)))
                .collect();
            successors.sort_by(|one, other| other.cmp(one));
        }
        self.set_role(Role::Resigned(Resigned {
            deadline_ms: self.election_deadline_ms(now),
            preferred_successors: successors.into_iter().map(|(_, key)| key).collect(),
            told: BTreeSet::new(),
        }));
        self.effects.push(Effect::LeaderChanged {
            epoch: self.election.epoch,
            leader: None,
        });
    }

    /// The pre-vote failed: back to the leader, if there is one, or to waiting.
    pub(crate) fn give_up(&mut self, now: Now) {
        match self.election.leader {
            Some(leader) => self.become_follower(now, self.election.epoch, leader),
            None => self.become_unattached(now, self.election.epoch),
        }
    }

    /// Somebody says that `leader` leads in `epoch`.
    pub(crate) fn observe(&mut self, now: Now, epoch: LeaderEpoch, leader: Option<BrokerId>) {
        let leader = leader.filter(|leader| *leader != self.config.local.id);
        if epoch > self.election.epoch {
            return match leader {
                Some(leader) => self.become_follower(now, epoch, leader),
                None => self.become_unattached(now, epoch),
            };
        }
        let Some(other) = leader.filter(|_| epoch == self.election.epoch) else {
            return;
        };
        match self.election.leader {
            Some(known) if known != other => self.effects.push(Effect::Fault(Fault::TwoLeaders {
                epoch,
                known,
                other,
            })),
            _ if matches!(self.role, Role::Follower(_)) => {}
            _ => self.become_follower(now, epoch, other),
        }
    }

    pub(crate) fn on_vote_request(&mut self, now: Now, token: RequestToken, vote: &VoteRequest) {
        if !vote.voter.matches(&self.config.local) {
            return self.refuse(token, ErrorCode::InvalidVoterKey);
        }
        if vote.epoch < self.election.epoch {
            return self.refuse(token, ErrorCode::FencedLeaderEpoch);
        }
        if vote.epoch > self.election.epoch {
            self.become_unattached(now, vote.epoch);
        }
        let granted = self.would_grant(vote);
        if granted && !vote.pre_vote && self.election.voted.is_none() {
            self.set_election(ElectionState {
                voted: Some(vote.candidate),
                ..self.election
            });
            self.become_unattached(now, vote.epoch);
        }
        self.answer(token, ErrorCode::None, ResponseBody::Vote { granted });
    }

    /// Whether to vote for a candidate of the current epoch. Source: Raft 5.2 and 5.4.1, KIP-996.
    fn would_grant(&self, vote: &VoteRequest) -> bool {
        let up_to_date = vote.last >= self.log.last();
        if self.damaged_in.is_some() {
            return false;
        }
        if vote.pre_vote {
            return match &self.role {
                Role::Leader(_) => false,
                Role::Follower(follower) => up_to_date && !follower.has_fetched,
                _ => up_to_date,
            };
        }
        match (self.election.voted, self.election.leader) {
            (Some(voted), _) => voted == vote.candidate,
            (None, Some(_)) => false,
            (None, None) => up_to_date,
        }
    }

    pub(crate) fn on_vote_response(&mut self, now: Now, from: BrokerId, granted: bool) {
        let (Role::Prospective(campaign) | Role::Candidate(campaign)) = &mut self.role else {
            return;
        };
        let vote = if granted {
            Vote::Granted
        } else {
            Vote::Refused
        };
        campaign.votes.insert(from, vote);
        self.count_votes(now);
    }

    fn count_votes(&mut self, now: Now) {
        let (Role::Prospective(campaign) | Role::Candidate(campaign)) = &self.role else {
            return;
        };
        let majority = self.config.voters.majority();
        let others_needed = self.config.voters.iter().count() - majority + 1;
        let is_won = campaign.count(Vote::Granted) >= majority;
        let is_lost = campaign.count(Vote::Refused) >= others_needed;
        let is_candidate = matches!(self.role, Role::Candidate(_));
        match (is_candidate, is_won) {
            (false, true) => self.become_candidate(now),
            (true, true) => self.become_leader(now),
            (false, false) if is_lost => self.give_up(now),
            // A candidate that lost waits for its time to run out, and so for another to try.
            _ => {}
        }
    }

    pub(crate) fn ask_for_votes(&mut self, now: Now) {
        let (Role::Prospective(campaign) | Role::Candidate(campaign)) = &self.role else {
            return;
        };
        let pre_vote = matches!(self.role, Role::Prospective(_));
        let answered: BTreeSet<BrokerId> = campaign.votes.keys().copied().collect();
        for to in self.other_voters() {
            let Some(voter) = self.config.voters.get(to).copied() else {
                continue;
            };
            if !answered.contains(&to) && self.requests.is_free(to, now.ms) {
                let vote = VoteRequest {
                    epoch: self.election.epoch,
                    candidate: self.config.local,
                    voter,
                    last: self.log.last(),
                    pre_vote,
                };
                self.send(now, to, Request::Vote(vote));
            }
        }
    }

    pub(crate) fn on_begin_quorum_epoch(
        &mut self,
        now: Now,
        token: RequestToken,
        epoch: LeaderEpoch,
        leader: BrokerId,
        voter: &ReplicaKey,
    ) {
        if !voter.matches(&self.config.local) {
            return self.refuse(token, ErrorCode::InvalidVoterKey);
        }
        if epoch < self.election.epoch {
            return self.refuse(token, ErrorCode::FencedLeaderEpoch);
        }
        self.observe(now, epoch, Some(leader));
        self.refuse(token, ErrorCode::None);
    }

    pub(crate) fn on_end_quorum_epoch(
        &mut self,
        now: Now,
        token: RequestToken,
        epoch: LeaderEpoch,
        leader: BrokerId,
        preferred_successors: &[ReplicaKey],
    ) {
        if epoch < self.election.epoch {
            return self.refuse(token, ErrorCode::FencedLeaderEpoch);
        }
        self.observe(now, epoch, Some(leader));
        let local = self.config.local;
        let place = preferred_successors
            .iter()
            .position(|key| key.matches(&local));
        let backoff_max_ms = self.config.timeouts.election_backoff_max_ms.max(1);
        // The first stands at once, the others one after the other, spread a little.
        let wait_ms = match place {
            Some(0) => 0,
            Some(place) => {
                let slot_ms = backoff_max_ms / preferred_successors.len() as u64;
                slot_ms * place as u64 + u64::from(now.random) % slot_ms.max(1)
            }
            None => backoff_max_ms,
        };
        if let Role::Follower(follower) = &mut self.role
            && follower.leader == leader
        {
            follower.has_fetched = false;
            follower.deadline_ms = follower.deadline_ms.min(now.ms + wait_ms);
        }
        self.refuse(token, ErrorCode::None);
    }

    pub(crate) fn announce_end(&mut self, now: Now) {
        let Role::Resigned(resigned) = &self.role else {
            return;
        };
        let successors = resigned.preferred_successors.clone();
        let told = resigned.told.clone();
        for to in self.other_voters() {
            if !told.contains(&to) && self.requests.is_free(to, now.ms) {
                let request = Request::EndQuorumEpoch {
                    epoch: self.election.epoch,
                    leader: self.config.local.id,
                    preferred_successors: successors.clone(),
                };
                self.send(now, to, request);
            }
        }
    }

    /// A BeginQuorumEpoch or EndQuorumEpoch has arrived.
    pub(crate) fn on_acknowledged(&mut self, from: BrokerId) {
        if let Role::Resigned(resigned) = &mut self.role {
            resigned.told.insert(from);
        }
    }

    /// One that is not elected asks any voter for the leader, by a fetch.
    pub(crate) fn look_for_leader(&mut self, now: Now) {
        let voters = self.other_voters();
        if voters.is_empty() || voters.iter().any(|to| self.requests.is_asked(*to)) {
            return;
        }
        let to = voters[now.random as usize % voters.len()];
        if self.requests.is_free(to, now.ms) {
            self.send_fetch(now, to);
        }
    }

    pub(crate) fn send_fetch(&mut self, now: Now, to: BrokerId) {
        let fetch = FetchRequest {
            replica: self.config.local,
            epoch: self.election.epoch,
            fetched: self.log.last(),
            high_watermark: self.high_watermark,
            max_wait_ms: self.config.timeouts.fetch_max_wait_ms,
        };
        self.send(now, to, Request::Fetch(fetch));
    }
}
