//! Heartbeat, versions 0 to 4.

use std::sync::Arc;

use ottla_protocol::ErrorCode;
use ottla_protocol::ids::TimestampMs;
use ottla_protocol::messages::{HeartbeatRequest, HeartbeatResponse};

use crate::classic::group::{ClassicGroup, ClassicGroupState};
use crate::decision::{Decision, RequestContext};
use crate::errors::{HeartbeatError, MemberError};
use crate::shard::{GroupShard, Occupant};
use crate::timers::{Timer, TimerOp};

impl GroupShard {
    /// Decides a Heartbeat: the member's session starts anew, and a member that has to join again is told so.
    pub fn heartbeat(
        &self,
        ctx: &RequestContext<'_>,
        request: &HeartbeatRequest,
    ) -> Decision<HeartbeatResponse> {
        let answer = |error: ErrorCode| {
            Decision::answer(HeartbeatResponse {
                error_code: error.code(),
                ..Default::default()
            })
        };
        let group = match self.validate_heartbeat(request) {
            Ok(group) => group,
            Err(error) => return answer(error.error_code()),
        };
        let error = match group.state {
            ClassicGroupState::PreparingRebalance => ErrorCode::RebalanceInProgress,
            ClassicGroupState::Empty
            | ClassicGroupState::CompletingRebalance
            | ClassicGroupState::Stable => ErrorCode::None,
        };
        let mut decision = answer(error);
        decision
            .outcome
            .timers
            .extend(session_restart(group, &request.member_id, ctx.now));
        decision
    }

    fn validate_heartbeat(
        &self,
        request: &HeartbeatRequest,
    ) -> Result<&ClassicGroup, HeartbeatError> {
        if request.group_id.is_empty() {
            return Err(HeartbeatError::EmptyGroupId);
        }
        let Occupant::Classic(group) = self.occupant(&request.group_id) else {
            return Err(MemberError::UnknownMember.into());
        };
        let instance_id = request.group_instance_id.as_deref();
        group.validate_generation(&request.member_id, instance_id, request.generation_id)?;
        Ok(group)
    }
}

/// Gives a member its whole session timeout again; nothing for who is not a member.
pub(crate) fn session_restart(
    group: &ClassicGroup,
    member_id: &str,
    now: TimestampMs,
) -> Option<TimerOp> {
    let member = group.members.get(member_id)?;
    let timer = Timer::Session {
        group_id: Arc::clone(&group.id),
        member_id: member_id.to_owned(),
    };
    let deadline = TimestampMs(now.0.saturating_add(i64::from(member.session_timeout_ms)));
    Some(TimerOp::Schedule { timer, deadline })
}
