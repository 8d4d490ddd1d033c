//! DeleteGroups (42): delete groups without members, and their offsets.

use std::collections::HashSet;

use ottla_protocol::messages::delete_groups_response::DeletableGroupResult;
use ottla_protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse};

use super::{Reply, RequestContext, group_support};

/// Deletes each group in its own shard; a group named twice is answered once.
pub fn handle(
    context: &RequestContext,
    request: DeleteGroupsRequest,
) -> Reply<DeleteGroupsResponse> {
    let mut seen = HashSet::new();
    let distinct = request
        .groups_names
        .iter()
        .filter(|group_id| seen.insert(group_id.as_str()));
    let results = distinct
        .flat_map(|group_id| delete(context, group_id))
        .collect();
    Reply::Now(DeleteGroupsResponse {
        results,
        ..Default::default()
    })
}

fn delete(context: &RequestContext, group_id: &String) -> Vec<DeletableGroupResult> {
    let group_ids = std::slice::from_ref(group_id);
    let decided =
        group_support::decide(context, group_id, |shard, _| shard.delete_groups(group_ids));
    decided.unwrap_or_else(|code| {
        vec![DeletableGroupResult {
            group_id: group_id.clone(),
            error_code: code.code(),
            ..Default::default()
        }]
    })
}
