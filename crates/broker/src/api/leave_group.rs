//! LeaveGroup (13): members leave a classic group, or an administrator removes them.

use ottla_groups::FailureReply;
use ottla_protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};

use super::{Reply, RequestContext, group_support};

/// Removes the members that are named; each is answered for itself.
pub fn handle(context: &RequestContext, request: LeaveGroupRequest) -> Reply<LeaveGroupResponse> {
    let decided = group_support::decide(context, &request.group_id, |shard, group_context| {
        shard.leave_group(group_context, &request)
    });
    Reply::Now(decided.unwrap_or_else(|code| LeaveGroupResponse::failed(None, code)))
}
