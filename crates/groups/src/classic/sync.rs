//! SyncGroup, versions 0 to 5.

use std::collections::HashMap;

use bytes::Bytes;
use ottla_protocol::messages::{SyncGroupRequest, SyncGroupResponse};

use crate::classic::group::{ClassicGroup, ClassicGroupState};
use crate::classic::member::ParkedRequest;
use crate::classic::transition::{Transition, sync_error};
use crate::decision::{Decision, ParkedResponse, RequestContext};
use crate::errors::{MemberError, SyncGroupError};
use crate::shard::{GroupShard, Occupant};

impl GroupShard {
    /// Decides a SyncGroup. A follower's answer is parked until the leader's assignment is there.
    pub fn sync_group(
        &self,
        ctx: &RequestContext<'_>,
        request: &SyncGroupRequest,
    ) -> Decision<SyncGroupResponse> {
        let group = match self.validate_sync(request) {
            Ok(group) => group,
            Err(error) => return Decision::answer(sync_error(error.error_code())),
        };
        let mut transition = Transition::new(&self.config, ctx.now, group.clone());
        let parked = ParkedRequest {
            id: ctx.request_id,
            api_version: ctx.api_version,
        };
        transition.sync(request, parked);
        transition.decide(ctx.request_id, |response| match response {
            ParkedResponse::SyncGroup(response) => Some(response),
            ParkedResponse::JoinGroup(_) => None,
        })
    }

    fn validate_sync(&self, request: &SyncGroupRequest) -> Result<&ClassicGroup, SyncGroupError> {
        if request.group_id.is_empty() {
            return Err(SyncGroupError::EmptyGroupId);
        }
        let Occupant::Classic(group) = self.occupant(&request.group_id) else {
            return Err(MemberError::UnknownMember.into());
        };
        group.validate_generation(
            &request.member_id,
            request.group_instance_id.as_deref(),
            request.generation_id,
        )?;
        let differs = |given: &Option<String>, own: &Option<String>| {
            given.is_some() && own.is_some() && given != own
        };
        if differs(&request.protocol_type, &group.protocol_type)
            || differs(&request.protocol_name, &group.protocol_name)
        {
            return Err(SyncGroupError::InconsistentProtocol);
        }
        match group.state {
            ClassicGroupState::Empty => Err(MemberError::UnknownMember.into()),
            ClassicGroupState::PreparingRebalance => Err(SyncGroupError::RebalanceInProgress),
            ClassicGroupState::CompletingRebalance | ClassicGroupState::Stable => Ok(group),
        }
    }
}

impl Transition<'_> {
    fn sync(&mut self, request: &SyncGroupRequest, parked: ParkedRequest) {
        let member_id = request.member_id.as_str();
        self.group.pending_sync.remove(member_id);
        if self.group.pending_sync.is_empty() {
            self.cancel(self.sync_timer());
        }
        if self.group.state == ClassicGroupState::Stable {
            let response = self.current_assignment(member_id);
            self.answer_sync(parked, response);
            return;
        }
        self.park_sync(member_id, parked);
        if self.group.is_leader(member_id) {
            self.assign(request);
        }
    }

    /// The leader has spoken: the generation is written, and everybody who waits gets an assignment. Members that the
    /// leader left out get none, ids that are no members are ignored.
    fn assign(&mut self, request: &SyncGroupRequest) {
        let assignments: HashMap<&str, &Bytes> = request
            .assignments
            .iter()
            .map(|given| (given.member_id.as_str(), &given.assignment))
            .collect();
        for member_id in self.member_ids() {
            let assignment = assignments
                .get(&*member_id)
                .map(|given| Bytes::copy_from_slice(given));
            if let Some(member) = self.member_mut(&member_id) {
                member.assignment = assignment.unwrap_or_default();
            }
        }
        self.push_group_record();
        self.propagate_assignments();
        self.enter(ClassicGroupState::Stable);
    }
}
