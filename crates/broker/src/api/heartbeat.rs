//! Heartbeat (12): a member of a classic group is alive.

use ottla_groups::FailureReply;
use ottla_protocol::messages::{HeartbeatRequest, HeartbeatResponse};

use super::{Reply, RequestContext, group_support};

/// Prolongs the member's session; REBALANCE_IN_PROGRESS tells it to join again.
pub fn handle(context: &RequestContext, request: HeartbeatRequest) -> Reply<HeartbeatResponse> {
    let decided = group_support::decide(context, &request.group_id, |shard, group_context| {
        shard.heartbeat(group_context, &request)
    });
    Reply::Now(decided.unwrap_or_else(|code| HeartbeatResponse::failed(None, code)))
}
