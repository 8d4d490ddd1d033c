//! The phases of a rebalance: preparing it, ending the join phase, and the timeouts of both.

use std::sync::Arc;

use bytes::Bytes;
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::SyncGroupResponse;

use crate::classic::group::{ClassicGroupState, InitialRebalance};
use crate::classic::transition::{Transition, sync_error};

impl Transition<'_> {
    /// Starts a rebalance, or if one is being prepared, looks whether its join phase can end.
    pub fn rebalance_or_complete_join(&mut self) {
        if self.group.state == ClassicGroupState::PreparingRebalance {
            self.maybe_complete_join_phase();
        } else {
            self.prepare_rebalance();
        }
    }

    /// Starts a rebalance: everybody has to join again.
    pub fn prepare_rebalance(&mut self) {
        if self.group.state == ClassicGroupState::CompletingRebalance {
            self.reset_assignments();
        }
        self.group.pending_sync.clear();
        self.cancel(self.sync_timer());
        let was_empty = self.group.state == ClassicGroupState::Empty;
        self.enter(ClassicGroupState::PreparingRebalance);
        if was_empty {
            let delay_ms = i64::from(self.config.group_initial_rebalance_delay_ms.max(0));
            let remaining_ms = (self.group.rebalance_timeout_ms() - delay_ms).max(0);
            self.group.initial_rebalance = Some(InitialRebalance {
                delay_ms,
                remaining_ms,
                new_member_added: false,
            });
            self.schedule(self.join_timer(), delay_ms);
        } else if self.group.has_all_members_joined() {
            self.complete_join_phase();
        } else {
            self.schedule(self.join_timer(), self.group.rebalance_timeout_ms());
        }
    }

    /// Members that wait for an assignment join again instead.
    fn reset_assignments(&mut self) {
        for member_id in self.member_ids() {
            if let Some(member) = self.member_mut(&member_id) {
                member.assignment = Bytes::new();
            }
            if self.complete_sync(&member_id, sync_error(ErrorCode::RebalanceInProgress)) {
                self.reschedule_session(&member_id);
            }
        }
    }

    /// Ends the join phase if nobody is waited for. An initial rebalance always waits for its delay.
    pub fn maybe_complete_join_phase(&mut self) {
        if self.group.state == ClassicGroupState::PreparingRebalance
            && self.group.initial_rebalance.is_none()
            && self.group.has_all_members_joined()
        {
            self.complete_join_phase();
        }
    }

    /// The join timer fired.
    pub fn on_join_timeout(&mut self) {
        if self.group.state != ClassicGroupState::PreparingRebalance {
            return;
        }
        match self.group.initial_rebalance {
            Some(initial) if initial.new_member_added && initial.remaining_ms != 0 => {
                let next = InitialRebalance {
                    delay_ms: i64::from(self.config.group_initial_rebalance_delay_ms.max(0))
                        .min(initial.remaining_ms),
                    remaining_ms: (initial.remaining_ms - initial.delay_ms).max(0),
                    new_member_added: false,
                };
                self.group.initial_rebalance = Some(next);
                self.schedule(self.join_timer(), next.delay_ms);
            }
            _ => self.complete_join_phase(),
        }
    }

    /// Ends the join phase: dynamic members that did not come are out, the others learn of the new generation.
    pub fn complete_join_phase(&mut self) {
        self.cancel(self.join_timer());
        self.group.initial_rebalance = None;
        let absent: Vec<Arc<str>> = self
            .group
            .members
            .values()
            .filter(|member| member.awaiting_join.is_none() && !member.is_static())
            .map(|member| member.member_id.clone())
            .collect();
        for member_id in absent {
            self.remove_member(&member_id);
        }
        if self.group.members.is_empty() {
            self.become_empty();
        } else if self.elect_joined_leader() {
            self.next_generation();
        } else {
            // Only static members are left and none has come: their sessions end first, or one of them comes.
            self.schedule(self.join_timer(), self.group.rebalance_timeout_ms());
        }
    }

    /// A leader that did not come is replaced by a member that did. Whether there is a leader that came.
    fn elect_joined_leader(&mut self) -> bool {
        let has_joined = |id: &Arc<str>| {
            self.group
                .members
                .get(id)
                .is_some_and(|member| member.awaiting_join.is_some())
        };
        if self.group.leader_id.as_ref().is_some_and(has_joined) {
            return true;
        }
        let mut members = self.group.members.values();
        let joined = members
            .find(|member| member.awaiting_join.is_some())
            .map(|member| member.member_id.clone());
        let elected = joined.is_some();
        if elected {
            self.group.leader_id = joined;
        }
        elected
    }

    fn bump_generation(&mut self) {
        // A group that lives through 2^31 generations starts over; no client compares generations by size.
        self.group.generation_id = self.group.generation_id.checked_add(1).unwrap_or(1);
        self.group.pending_sync.clear();
    }

    fn become_empty(&mut self) {
        self.bump_generation();
        self.group.protocol_name = None;
        self.group.leader_id = None;
        self.group.subscribed_topics = self.group.compute_subscribed_topics();
        self.enter(ClassicGroupState::Empty);
        self.push_group_record();
    }

    fn next_generation(&mut self) {
        self.bump_generation();
        let protocol = self.group.select_protocol();
        assert!(
            protocol.is_some(),
            "members without a common protocol were let into group {}",
            self.group.id
        );
        self.group.protocol_name = protocol;
        self.group.subscribed_topics = self.group.compute_subscribed_topics();
        self.enter(ClassicGroupState::CompletingRebalance);
        for member_id in self.member_ids() {
            let response = self.current_generation(&member_id);
            self.complete_join(&member_id, response);
            if let Some(member) = self.member_mut(&member_id) {
                member.is_new = false;
            }
            self.reschedule_session(&member_id);
            self.group.pending_sync.insert(member_id);
        }
        self.schedule(self.sync_timer(), self.group.rebalance_timeout_ms());
    }

    /// The assignments of the members are known: those that wait for them get them.
    pub fn propagate_assignments(&mut self) {
        for member_id in self.member_ids() {
            let response = self.current_assignment(&member_id);
            if self.complete_sync(&member_id, response) {
                // The session may have run out while the request was parked, which does not count.
                self.reschedule_session(&member_id);
            }
        }
    }

    /// Tells a member its assignment.
    pub fn current_assignment(&self, member_id: &str) -> SyncGroupResponse {
        SyncGroupResponse {
            protocol_type: self.group.protocol_type.clone(),
            protocol_name: self.group.protocol_name.clone(),
            assignment: self
                .group
                .members
                .get(member_id)
                .map(|m| m.assignment.clone())
                .unwrap_or_default(),
            ..Default::default()
        }
    }

    /// The sync timer fired: members that joined and then did not ask for their assignment are out.
    pub fn on_sync_timeout(&mut self) {
        use ClassicGroupState::{CompletingRebalance, Stable};
        let is_running = matches!(self.group.state, CompletingRebalance | Stable);
        if !is_running || self.group.pending_sync.is_empty() {
            return;
        }
        for member_id in std::mem::take(&mut self.group.pending_sync) {
            self.remove_member(&member_id);
        }
        self.prepare_rebalance();
    }

    /// A member's session ended, or a new member did not come back with its id in time.
    pub fn on_session_timeout(&mut self, member_id: &str) {
        if self.group.pending_join.contains(member_id) {
            self.remove_member(member_id);
            if self.group.state == ClassicGroupState::PreparingRebalance
                && self.group.has_all_members_joined()
            {
                self.complete_join_phase();
            }
            return;
        }
        let Some(member) = self.group.members.get(member_id) else {
            return;
        };
        if member.has_satisfied_heartbeat() {
            return;
        }
        self.remove_member(member_id);
        match self.group.state {
            ClassicGroupState::Stable | ClassicGroupState::CompletingRebalance => {
                self.prepare_rebalance()
            }
            ClassicGroupState::PreparingRebalance if self.group.has_all_members_joined() => {
                self.complete_join_phase()
            }
            ClassicGroupState::PreparingRebalance | ClassicGroupState::Empty => {}
        }
    }
}
