//! ListGroups (16): the groups that this broker coordinates.

use ottla_protocol::messages::{ListGroupsRequest, ListGroupsResponse};

use super::{Reply, RequestContext};

/// Lists the groups of every shard that pass the filters; an error while a shard is loading.
pub fn handle(context: &RequestContext, request: ListGroupsRequest) -> Reply<ListGroupsResponse> {
    let listed = context
        .broker
        .groups
        .read_all(|shard| shard.list_groups(&request));
    Reply::Now(match listed {
        Ok(of_shards) => ListGroupsResponse {
            groups: of_shards.concat(),
            ..Default::default()
        },
        Err(code) => ListGroupsResponse {
            error_code: code.code(),
            ..Default::default()
        },
    })
}
