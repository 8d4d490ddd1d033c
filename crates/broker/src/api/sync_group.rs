//! SyncGroup (14): the leader hands out assignments, the members fetch theirs.

use ottla_groups::FailureReply;
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::{SyncGroupRequest, SyncGroupResponse};

use super::{Reply, RequestContext, group_support};

/// First version in which a member must say which protocol it believes in (KIP-559).
const FIRST_VERSION_WITH_MANDATORY_PROTOCOL: i16 = 5;

/// Answers when the leader's assignment is there, or at once with an error.
pub fn handle(context: &RequestContext, request: SyncGroupRequest) -> Reply<SyncGroupResponse> {
    let names_protocol = request.protocol_type.is_some() && request.protocol_name.is_some();
    if context.version >= FIRST_VERSION_WITH_MANDATORY_PROTOCOL && !names_protocol {
        return Reply::Now(SyncGroupResponse::failed(
            None,
            ErrorCode::InconsistentGroupProtocol,
        ));
    }
    group_support::decide_or_park(
        context,
        &request.group_id,
        |shard, group_context| shard.sync_group(group_context, &request),
        |code| SyncGroupResponse::failed(None, code),
    )
}
