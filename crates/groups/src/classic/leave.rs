//! LeaveGroup, versions 0 to 5.

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::leave_group_request::MemberIdentity;
use ottla_protocol::messages::leave_group_response::MemberResponse;
use ottla_protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};

use crate::classic::group::ClassicGroupState;
use crate::classic::transition::Transition;
use crate::decision::{Decision, RequestContext};
use crate::errors::MemberError;
use crate::shard::{GroupShard, Occupant};

/// The first version that names several members, by member id or instance id.
const FIRST_VERSION_WITH_MEMBERS: i16 = 3;

impl GroupShard {
    /// Decides a LeaveGroup. Each member named is answered for itself.
    pub fn leave_group(
        &self,
        ctx: &RequestContext<'_>,
        request: &LeaveGroupRequest,
    ) -> Decision<LeaveGroupResponse> {
        if request.group_id.is_empty() {
            let error_code = ErrorCode::InvalidGroupId.code();
            return Decision::answer(LeaveGroupResponse {
                error_code,
                ..Default::default()
            });
        }
        let single = [MemberIdentity {
            member_id: request.member_id.clone(),
            ..Default::default()
        }];
        let leaving = if ctx.api_version < FIRST_VERSION_WITH_MEMBERS {
            &single[..]
        } else {
            &request.members[..]
        };
        let Occupant::Classic(group) = self.occupant(&request.group_id) else {
            let unknown = |member| member_response(member, Err(MemberError::UnknownMember));
            return Decision::answer(response(
                ctx.api_version,
                leaving.iter().map(unknown).collect(),
            ));
        };
        let mut transition = Transition::new(&self.config, ctx.now, group.clone());
        let members: Vec<MemberResponse> = leaving
            .iter()
            .map(|member| member_response(member, transition.leave(member)))
            .collect();
        if members
            .iter()
            .any(|member| member.error_code == ErrorCode::None.code())
        {
            match transition.group.state {
                ClassicGroupState::Stable | ClassicGroupState::CompletingRebalance => {
                    transition.prepare_rebalance()
                }
                ClassicGroupState::PreparingRebalance => transition.maybe_complete_join_phase(),
                ClassicGroupState::Empty => {}
            }
        }
        transition.decide_with(response(ctx.api_version, members))
    }
}

/// Before version 3 there is one member, whose error is the response's.
fn response(api_version: i16, members: Vec<MemberResponse>) -> LeaveGroupResponse {
    if api_version >= FIRST_VERSION_WITH_MEMBERS {
        return LeaveGroupResponse {
            members,
            ..Default::default()
        };
    }
    let error_code = members
        .first()
        .map_or(ErrorCode::None.code(), |member| member.error_code);
    LeaveGroupResponse {
        error_code,
        ..Default::default()
    }
}

fn member_response(member: &MemberIdentity, result: Result<(), MemberError>) -> MemberResponse {
    let error = result.map_or_else(MemberError::error_code, |()| ErrorCode::None);
    MemberResponse {
        member_id: member.member_id.clone(),
        group_instance_id: member.group_instance_id.clone(),
        error_code: error.code(),
        ..Default::default()
    }
}

impl Transition<'_> {
    /// Lets one member go. An administrator names a static member by its instance id alone.
    fn leave(&mut self, member: &MemberIdentity) -> Result<(), MemberError> {
        let instance_id = member.group_instance_id.as_deref();
        if member.member_id.is_empty() {
            let member_id = instance_id
                .and_then(|id| self.group.static_members.get(id))
                .cloned();
            self.remove_member(&member_id.ok_or(MemberError::UnknownMember)?);
            return Ok(());
        }
        if !self.group.pending_join.contains(member.member_id.as_str()) {
            self.group.validate_member(&member.member_id, instance_id)?;
        }
        self.remove_member(&member.member_id);
        Ok(())
    }
}
