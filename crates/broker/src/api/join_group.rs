//! JoinGroup (11): become a member of a classic group, or stay one in its next generation.

use ottla_groups::FailureReply;
use ottla_protocol::messages::{JoinGroupRequest, JoinGroupResponse};

use super::{Reply, RequestContext, group_support};

/// Answers when the join phase ends, or at once with a member id to come back with or an error.
pub fn handle(context: &RequestContext, request: JoinGroupRequest) -> Reply<JoinGroupResponse> {
    let member_id = request.member_id.clone();
    group_support::decide_or_park(
        context,
        &request.group_id,
        |shard, group_context| shard.join_group(group_context, &request),
        move |code| JoinGroupResponse {
            member_id,
            ..JoinGroupResponse::failed(None, code)
        },
    )
}
