//! JoinGroup, versions 0 to 9.

use std::sync::Arc;

use bytes::Bytes;
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::{JoinGroupRequest, JoinGroupResponse};

use crate::classic::group::{ClassicGroup, ClassicGroupState};
use crate::classic::member::{Member, ParkedRequest, copied_protocols};
use crate::classic::transition::{Transition, for_version, join_error, sync_error};
use crate::config::{GroupConfig, MAX_PENDING_MEMBERS, NEW_MEMBER_JOIN_TIMEOUT_MS};
use crate::decision::{Decision, ParkedResponse, RequestContext};
use crate::errors::{JoinGroupError, MemberError};
use crate::foreign::ForeignGroup;
use crate::records::MAX_STRING_BYTES;
use crate::shard::{GroupShard, Occupant};

/// The first version that answers a dynamic member's first JoinGroup with MEMBER_ID_REQUIRED (KIP-394).
const FIRST_VERSION_WITH_KNOWN_MEMBER_ID: i16 = 4;
/// The first version with `skip_assignment` (KIP-814).
const FIRST_VERSION_WITH_SKIP_ASSIGNMENT: i16 = 9;

/// A JoinGroup with what the checks at the door made of it.
struct Join<'a> {
    ctx: &'a RequestContext<'a>,
    request: &'a JoinGroupRequest,
    parked: ParkedRequest,
    rebalance_timeout_ms: i32,
}

impl GroupShard {
    /// Decides a JoinGroup. The answer is parked until the join phase ends, unless it is known at once.
    pub fn join_group(
        &self,
        ctx: &RequestContext<'_>,
        request: &JoinGroupRequest,
    ) -> Decision<JoinGroupResponse> {
        let refuse = |member_id: &str, error: JoinGroupError| {
            let response = join_error(member_id, error.error_code());
            Decision::answer(for_version(response, ctx.api_version))
        };
        if let Err(error) = validate(ctx, request, &self.config) {
            return refuse(&request.member_id, error);
        }
        let (group, foreign) = match self.occupant(&request.group_id) {
            Occupant::Classic(group) => (Some(group.clone()), None),
            Occupant::Foreign(foreign) if foreign.is_empty() => (None, Some(foreign)),
            Occupant::Foreign(_) => return refuse("", JoinGroupError::InconsistentProtocol),
            Occupant::Nobody => (None, None),
        };
        if group.is_none() && !request.member_id.is_empty() {
            let response = join_error(&request.member_id, ErrorCode::UnknownMemberId);
            return Decision::answer(for_version(response, ctx.api_version));
        }
        let is_new_group = group.is_none();
        let group = group.unwrap_or_else(|| {
            ClassicGroup::empty(request.group_id.as_str().into(), Some(ctx.now))
        });
        let mut transition = Transition::new(&self.config, ctx.now, group);
        for (record, change) in foreign.into_iter().flat_map(ForeignGroup::tombstones) {
            transition.push(record, change);
        }
        let rebalance_timeout_ms = if ctx.api_version == 0 {
            request.session_timeout_ms
        } else {
            request.rebalance_timeout_ms
        };
        let parked = ParkedRequest {
            id: ctx.request_id,
            api_version: ctx.api_version,
        };
        let join = Join {
            ctx,
            request,
            parked,
            rebalance_timeout_ms,
        };
        match transition.join(&join) {
            Err(error) => refuse(&request.member_id, error),
            Ok(()) => {
                if is_new_group {
                    transition.push_new_group_record();
                }
                transition.decide(ctx.request_id, |response| match response {
                    ParkedResponse::JoinGroup(response) => Some(response),
                    ParkedResponse::SyncGroup(_) => None,
                })
            }
        }
    }
}

/// What can be told about a JoinGroup without looking at its group.
fn validate(
    ctx: &RequestContext<'_>,
    request: &JoinGroupRequest,
    config: &GroupConfig,
) -> Result<(), JoinGroupError> {
    if request.group_id.is_empty() {
        return Err(JoinGroupError::EmptyGroupId);
    }
    let timeouts = config.group_min_session_timeout_ms..=config.group_max_session_timeout_ms;
    if !timeouts.contains(&request.session_timeout_ms) {
        return Err(JoinGroupError::SessionTimeout);
    }
    let prefix = request
        .group_instance_id
        .as_deref()
        .unwrap_or(ctx.client_id);
    // A hyphen and a UUID of 36 characters follow.
    if prefix.len() + 37 > MAX_STRING_BYTES {
        return Err(JoinGroupError::IdTooLong);
    }
    Ok(())
}

/// A new member id: the instance or client id, a hyphen, and a random UUID as Java prints it.
fn generate_member_id(ctx: &RequestContext<'_>, group_instance_id: Option<&str>) -> String {
    let mut random = ctx.random;
    random[6] = random[6] & 0x0f | 0x40;
    random[8] = random[8] & 0x3f | 0x80;
    let bits = u128::from_be_bytes(random);
    let prefix = group_instance_id.unwrap_or(ctx.client_id);
    format!(
        "{prefix}-{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        bits >> 96,
        bits >> 80 & 0xffff,
        bits >> 64 & 0xffff,
        bits >> 48 & 0xffff,
        bits & 0xffff_ffff_ffff
    )
}

impl Transition<'_> {
    fn join(&mut self, join: &Join<'_>) -> Result<(), JoinGroupError> {
        let member_id = join.request.member_id.as_str();
        if !self.accepts(member_id) {
            self.remove_member(member_id);
            self.maybe_complete_join_phase();
            self.answer_join(join.parked, join_error("", ErrorCode::GroupMaxSizeReached));
            return Ok(());
        }
        if !self
            .group
            .supports_protocols(&join.request.protocol_type, &join.request.protocols)
        {
            return Err(JoinGroupError::InconsistentProtocol);
        }
        if member_id.is_empty() {
            return self.join_new_member(join);
        }
        let instance_id = join.request.group_instance_id.as_deref();
        if instance_id.is_none() && self.group.pending_join.contains(member_id) {
            self.add_member(join, member_id.into());
            return Ok(());
        }
        self.group.validate_member(member_id, instance_id)?;
        self.join_existing_member(join)
    }

    /// Whether there is room, by `group.max.size`. While members join, those that have joined count, so that the last
    /// ones to come are turned away from a group that is already too large.
    fn accepts(&self, member_id: &str) -> bool {
        let member = self.group.members.get(member_id);
        let max_size = self.config.group_max_size;
        match self.group.state {
            ClassicGroupState::Empty => true,
            ClassicGroupState::PreparingRebalance => {
                member.is_some_and(|member| member.awaiting_join.is_some())
                    || self.group.awaiting_join_count() < max_size
            }
            ClassicGroupState::CompletingRebalance | ClassicGroupState::Stable => {
                member.is_some() || self.group.members.len() < max_size
            }
        }
    }

    fn join_new_member(&mut self, join: &Join<'_>) -> Result<(), JoinGroupError> {
        let instance_id = join.request.group_instance_id.as_deref();
        let new_member_id: Arc<str> = generate_member_id(join.ctx, instance_id).into();
        if let Some(old_member_id) = instance_id
            .and_then(|id| self.group.static_members.get(id))
            .cloned()
        {
            self.replace_static_member(join, &old_member_id, new_member_id);
        } else if instance_id.is_none()
            && join.ctx.api_version >= FIRST_VERSION_WITH_KNOWN_MEMBER_ID
        {
            if self.group.pending_join.len() >= MAX_PENDING_MEMBERS {
                return Err(JoinGroupError::TooManyPending);
            }
            self.group.pending_join.insert(new_member_id.clone());
            self.schedule(
                self.session_timer(&new_member_id),
                i64::from(join.request.session_timeout_ms),
            );
            self.answer_join(
                join.parked,
                join_error(&new_member_id, ErrorCode::MemberIdRequired),
            );
        } else {
            self.add_member(join, new_member_id);
        }
        Ok(())
    }

    fn add_member(&mut self, join: &Join<'_>, member_id: Arc<str>) {
        let request = join.request;
        let member = Member {
            member_id: member_id.clone(),
            group_instance_id: request.group_instance_id.clone(),
            client_id: join.ctx.client_id.to_owned(),
            client_host: join.ctx.client_host.to_owned(),
            rebalance_timeout_ms: join.rebalance_timeout_ms,
            session_timeout_ms: request.session_timeout_ms,
            protocols: copied_protocols(&request.protocols),
            assignment: Bytes::new(),
            awaiting_join: Some(join.parked),
            awaiting_sync: None,
            is_new: true,
        };
        if let Some(initial) = &mut self.group.initial_rebalance {
            initial.new_member_added = true;
        }
        if self.group.members.is_empty() {
            self.group.protocol_type = Some(request.protocol_type.clone());
        }
        if let Some(instance_id) = &member.group_instance_id {
            self.group
                .static_members
                .insert(instance_id.as_str().into(), member_id.clone());
        }
        self.group
            .leader_id
            .get_or_insert_with(|| member_id.clone());
        self.group.pending_join.remove(&member_id);
        self.schedule(
            self.session_timer(&member_id),
            i64::from(NEW_MEMBER_JOIN_TIMEOUT_MS),
        );
        self.group.members.insert(member_id, Arc::new(member));
        self.rebalance_or_complete_join();
    }

    /// Takes over what a member says of itself when it joins again.
    fn update_member(&mut self, join: &Join<'_>, member_id: &str) {
        let protocols = copied_protocols(&join.request.protocols);
        if let Some(member) = self.member_mut(member_id) {
            member.protocols = protocols;
            member.rebalance_timeout_ms = join.rebalance_timeout_ms;
            member.session_timeout_ms = join.request.session_timeout_ms;
        }
    }

    fn join_existing_member(&mut self, join: &Join<'_>) -> Result<(), JoinGroupError> {
        let member_id = join.request.member_id.as_str();
        let member = self
            .group
            .members
            .get(member_id)
            .ok_or(MemberError::UnknownMember)?;
        let is_unchanged = member.matches(&join.request.protocols);
        // Who only missed the answer to its JoinGroup is told it again. A leader that joins a stable group wants a
        // rebalance: what it assigns has changed, not what it is.
        let is_told_again = match self.group.state {
            ClassicGroupState::Empty => return Err(MemberError::UnknownMember.into()),
            ClassicGroupState::PreparingRebalance => false,
            ClassicGroupState::CompletingRebalance => is_unchanged,
            ClassicGroupState::Stable => is_unchanged && !self.group.is_leader(member_id),
        };
        if is_told_again {
            let response = self.current_generation(member_id);
            self.answer_join(join.parked, response);
        } else {
            self.update_member(join, member_id);
            self.rejoin(join, member_id);
        }
        Ok(())
    }

    /// Parks the JoinGroup of a member and goes on with the rebalance that it is part of, or starts one.
    fn rejoin(&mut self, join: &Join<'_>, member_id: &str) {
        self.park_join(member_id, join.parked);
        self.rebalance_or_complete_join();
    }

    /// A static member has come back without its member id, after a restart: it gets a new one, and whoever uses the
    /// old one is fenced.
    fn replace_static_member(
        &mut self,
        join: &Join<'_>,
        old_member_id: &str,
        new_member_id: Arc<str>,
    ) {
        let fenced = join_error(old_member_id, ErrorCode::FencedInstanceId);
        self.complete_join(old_member_id, fenced);
        self.complete_sync(old_member_id, sync_error(ErrorCode::FencedInstanceId));
        let was_leader = self.group.is_leader(old_member_id);
        let Some(mut member) = self.group.members.remove(old_member_id) else {
            return;
        };
        self.cancel(self.session_timer(old_member_id));
        self.group.pending_sync.remove(old_member_id);
        let replaced = Arc::make_mut(&mut member);
        replaced.member_id = new_member_id.clone();
        replaced.is_new = false;
        replaced.client_id = join.ctx.client_id.to_owned();
        replaced.client_host = join.ctx.client_host.to_owned();
        if let Some(instance_id) = &replaced.group_instance_id {
            self.group
                .static_members
                .insert(instance_id.as_str().into(), new_member_id.clone());
        }
        self.group.members.insert(new_member_id.clone(), member);
        if was_leader {
            self.group.leader_id = Some(new_member_id.clone());
        }
        self.update_member(join, &new_member_id);
        self.reschedule_session(&new_member_id);
        let keeps_protocol = self.group.select_protocol() == self.group.protocol_name;
        if self.group.state == ClassicGroupState::Stable && keeps_protocol {
            self.answer_replaced_member(join, old_member_id, was_leader, &new_member_id);
        } else {
            // While the assignment is awaited the leader may be assigning to the old member id, so all join again
            // (KAFKA-9801).
            self.rejoin(join, &new_member_id);
        }
    }

    /// Nothing that matters to the others has changed: the group is written with the new member id, and the member
    /// goes on with its assignment.
    fn answer_replaced_member(
        &mut self,
        join: &Join<'_>,
        old_member_id: &str,
        was_leader: bool,
        new_member_id: &str,
    ) {
        self.group.subscribed_topics = self.group.compute_subscribed_topics();
        self.push_group_record();
        let mut response = self.current_generation(new_member_id);
        if join.ctx.api_version >= FIRST_VERSION_WITH_SKIP_ASSIGNMENT {
            response.skip_assignment = was_leader;
        } else if was_leader {
            // The old id makes the member a follower, so that it does not assign anew; skip_assignment says so openly.
            response.leader = old_member_id.to_owned();
            response.members = Vec::new();
        }
        self.answer_join(join.parked, response);
    }
}
