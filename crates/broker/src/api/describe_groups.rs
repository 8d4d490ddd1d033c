//! DescribeGroups (15): classic groups and their members.

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_groups_response::DescribedGroup;
use ottla_protocol::messages::{DescribeGroupsRequest, DescribeGroupsResponse};

use super::{Reply, RequestContext};

/// The operations on a group, as bits at their `AclOperation` codes: READ (3), DELETE (6),
/// DESCRIBE (8), DESCRIBE_CONFIGS (10), ALTER_CONFIGS (11). Without an authorizer all are allowed.
const ALL_GROUP_OPERATIONS: i32 = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;

/// Describes the groups in the order asked for; each may have an error of its own.
pub fn handle(
    context: &RequestContext,
    request: DescribeGroupsRequest,
) -> Reply<DescribeGroupsResponse> {
    let mut groups: Vec<_> = request
        .groups
        .iter()
        .flat_map(|group_id| describe(context, group_id))
        .collect();
    if request.include_authorized_operations {
        for group in groups
            .iter_mut()
            .filter(|group| group.error_code == ErrorCode::None.code())
        {
            group.authorized_operations = ALL_GROUP_OPERATIONS;
        }
    }
    Reply::Now(DescribeGroupsResponse {
        groups,
        ..Default::default()
    })
}

fn describe(context: &RequestContext, group_id: &String) -> Vec<DescribedGroup> {
    let group_ids = std::slice::from_ref(group_id);
    let described = context.broker.groups.read(group_id, |shard| {
        shard.describe_groups(context.version, group_ids)
    });
    described.unwrap_or_else(|code| {
        vec![DescribedGroup {
            group_id: group_id.clone(),
            error_code: code.code(),
            ..Default::default()
        }]
    })
}
