//! A group on its way to its next state.
//!
//! Every request works on a copy of the group and collects what has to be told. The copy becomes the group when the
//! records are in the log, and is dropped when they cannot be: nothing has to be undone.

use std::sync::Arc;

use bytes::Bytes;
use ottla_protocol::ErrorCode;
use ottla_protocol::ids::TimestampMs;
use ottla_protocol::messages::{JoinGroupResponse, SyncGroupResponse};

use crate::classic::ClassicGroup;
use crate::classic::group::ClassicGroupState;
use crate::classic::member::{Member, ParkedRequest};
use crate::config::GroupConfig;
use crate::decision::{
    Batching, Completed, CoordinatorRecord, Decision, Outcome, ParkedResponse, Reply, RequestId,
};
use crate::records::{self, Change};
use crate::timers::{Timer, TimerOp};

/// The next state of one group, being made.
pub(crate) struct Transition<'a> {
    pub config: &'a GroupConfig,
    pub now: TimestampMs,
    pub group: ClassicGroup,
    records: Vec<CoordinatorRecord>,
    changes: Vec<Change>,
    completed: Vec<Completed>,
    timers: Vec<TimerOp>,
}

impl<'a> Transition<'a> {
    pub fn new(config: &'a GroupConfig, now: TimestampMs, group: ClassicGroup) -> Self {
        Self {
            config,
            now,
            group,
            records: Vec::new(),
            changes: Vec::new(),
            completed: Vec::new(),
            timers: Vec::new(),
        }
    }

    /// Writes a record that is not about this group's own metadata.
    pub fn push(&mut self, record: CoordinatorRecord, change: Change) {
        self.records.push(record);
        self.changes.push(change);
    }

    /// Writes the group as it is.
    pub fn push_group_record(&mut self) {
        let members = self.group.members.values();
        let assignments = members
            .map(|member| (&*member.member_id, member.assignment.clone()))
            .collect();
        let record = records::group_metadata(&self.group, &assignments);
        self.push(
            record,
            Change::GroupWritten {
                group_id: self.group.id.clone(),
                value: None,
            },
        );
    }

    /// Writes that the group exists, before it has a generation.
    pub fn push_new_group_record(&mut self) {
        let record = records::new_group(&self.group);
        self.push(
            record,
            Change::GroupWritten {
                group_id: self.group.id.clone(),
                value: None,
            },
        );
    }

    /// Enters `state`.
    pub fn enter(&mut self, state: ClassicGroupState) {
        self.group.state = state;
        self.group.state_timestamp = Some(self.now);
    }

    /// Sets `timer` to fire `delay_ms` from now.
    pub fn schedule(&mut self, timer: Timer, delay_ms: i64) {
        let deadline = TimestampMs(self.now.0.saturating_add(delay_ms.max(0)));
        self.timers.push(TimerOp::Schedule { timer, deadline });
    }

    pub fn cancel(&mut self, timer: Timer) {
        self.timers.push(TimerOp::Cancel(timer));
    }

    pub fn session_timer(&self, member_id: &str) -> Timer {
        Timer::Session {
            group_id: self.group.id.clone(),
            member_id: member_id.to_owned(),
        }
    }

    pub fn join_timer(&self) -> Timer {
        Timer::Join {
            group_id: self.group.id.clone(),
        }
    }

    pub fn sync_timer(&self) -> Timer {
        Timer::Sync {
            group_id: self.group.id.clone(),
        }
    }

    /// Gives a member its whole session timeout again.
    pub fn reschedule_session(&mut self, member_id: &str) {
        if let Some(member) = self.group.members.get(member_id) {
            let timeout_ms = i64::from(member.session_timeout_ms);
            self.schedule(self.session_timer(member_id), timeout_ms);
        }
    }

    /// The member to change.
    pub fn member_mut(&mut self, member_id: &str) -> Option<&mut Member> {
        self.group.members.get_mut(member_id).map(Arc::make_mut)
    }

    /// The ids of all members.
    pub fn member_ids(&self) -> Vec<Arc<str>> {
        self.group.members.keys().cloned().collect()
    }

    /// Answers a JoinGroup.
    pub fn answer_join(&mut self, parked: ParkedRequest, response: JoinGroupResponse) {
        let response = ParkedResponse::JoinGroup(for_version(response, parked.api_version));
        self.completed.push(Completed {
            request_id: parked.id,
            response,
        });
    }

    /// Answers a SyncGroup.
    pub fn answer_sync(&mut self, parked: ParkedRequest, response: SyncGroupResponse) {
        self.completed.push(Completed {
            request_id: parked.id,
            response: ParkedResponse::SyncGroup(response),
        });
    }

    /// Parks the JoinGroup of a member. One that is parked already is from a connection that the member gave up.
    pub fn park_join(&mut self, member_id: &str, parked: ParkedRequest) {
        let Some(member) = self.member_mut(member_id) else {
            return;
        };
        if let Some(superseded) = member.awaiting_join.replace(parked) {
            self.answer_join(
                superseded,
                join_error(member_id, ErrorCode::RebalanceInProgress),
            );
        }
    }

    /// Parks the SyncGroup of a member, like [`Self::park_join`].
    pub fn park_sync(&mut self, member_id: &str, parked: ParkedRequest) {
        let Some(member) = self.member_mut(member_id) else {
            return;
        };
        if let Some(superseded) = member.awaiting_sync.replace(parked) {
            self.answer_sync(superseded, sync_error(ErrorCode::RebalanceInProgress));
        }
    }

    /// Answers the parked JoinGroup of a member, if there is one.
    pub fn complete_join(&mut self, member_id: &str, response: JoinGroupResponse) {
        if let Some(parked) = self
            .member_mut(member_id)
            .and_then(|member| member.awaiting_join.take())
        {
            self.answer_join(parked, response);
        }
    }

    /// Answers the parked SyncGroup of a member, if there is one. Whether there was.
    pub fn complete_sync(&mut self, member_id: &str, response: SyncGroupResponse) -> bool {
        let parked = self
            .member_mut(member_id)
            .and_then(|member| member.awaiting_sync.take());
        let was_parked = parked.is_some();
        if let Some(parked) = parked {
            self.answer_sync(parked, response);
        }
        was_parked
    }

    /// Takes a member out of the group, pending or not, and answers what it has parked: UNKNOWN_MEMBER_ID makes a
    /// client that is still there join anew.
    pub fn remove_member(&mut self, member_id: &str) {
        self.complete_join(member_id, join_error("", ErrorCode::UnknownMemberId));
        self.complete_sync(member_id, sync_error(ErrorCode::UnknownMemberId));
        let removed = self.group.members.remove(member_id);
        if let Some(instance_id) = removed
            .as_ref()
            .and_then(|member| member.group_instance_id.as_ref())
        {
            self.group.static_members.remove(instance_id.as_str());
        }
        if self.group.is_leader(member_id) {
            self.group.leader_id = self.group.members.keys().next().cloned();
        }
        let was_pending = self.group.pending_join.remove(member_id);
        self.group.pending_sync.remove(member_id);
        if removed.is_some() || was_pending {
            self.cancel(self.session_timer(member_id));
        }
    }

    /// Tells a member about this generation.
    pub fn current_generation(&self, member_id: &str) -> JoinGroupResponse {
        let is_leader = self.group.is_leader(member_id);
        JoinGroupResponse {
            generation_id: self.group.generation_id,
            protocol_type: self.group.protocol_type.clone(),
            protocol_name: self.group.protocol_name.clone(),
            leader: self
                .group
                .leader_id
                .as_deref()
                .unwrap_or_default()
                .to_owned(),
            member_id: member_id.to_owned(),
            members: if is_leader {
                self.group.members_for_leader()
            } else {
                Vec::new()
            },
            ..Default::default()
        }
    }

    /// The decision of a request that was answered or parked on the way.
    pub fn decide<R>(
        mut self,
        request_id: RequestId,
        unwrap: fn(ParkedResponse) -> Option<R>,
    ) -> Decision<R> {
        let own = self
            .completed
            .iter()
            .position(|completed| completed.request_id == request_id);
        let reply = own.and_then(|index| unwrap(self.completed.remove(index).response));
        let reply = reply.map_or(Reply::Parked(request_id), Reply::Now);
        self.finish(reply)
    }

    /// The decision of a request that is answered with `response`.
    pub fn decide_with<R>(self, response: R) -> Decision<R> {
        self.finish(Reply::Now(response))
    }

    fn finish<R>(self, reply: Reply<R>) -> Decision<R> {
        Decision {
            records: self.records,
            batching: Batching::Atomic,
            changes: self.changes,
            next_group: Some(Box::new(self.group)),
            outcome: Outcome {
                reply,
                completed: self.completed,
                timers: self.timers,
            },
            fired: None,
        }
    }

    /// The timers set so far, and the group: for changes that nobody asked for and that write nothing.
    pub fn into_parts(self) -> (ClassicGroup, Vec<TimerOp>) {
        (self.group, self.timers)
    }
}

/// A JoinGroup response with an error, for the member id the client shall go on with.
pub(crate) fn join_error(member_id: &str, error: ErrorCode) -> JoinGroupResponse {
    JoinGroupResponse {
        error_code: error.code(),
        member_id: member_id.to_owned(),
        protocol_name: None,
        ..Default::default()
    }
}

/// A SyncGroup response with an error.
pub(crate) fn sync_error(error: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse {
        error_code: error.code(),
        assignment: Bytes::new(),
        ..Default::default()
    }
}

/// Before version 7 the protocol name could not be null.
pub(crate) fn for_version(mut response: JoinGroupResponse, api_version: i16) -> JoinGroupResponse {
    if api_version < 7 && response.protocol_name.is_none() {
        response.protocol_name = Some(String::new());
    }
    response
}
