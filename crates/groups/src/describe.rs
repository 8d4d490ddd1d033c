//! ListGroups and DescribeGroups: what there is to see of the groups of a shard.

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::ListGroupsRequest;
use ottla_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use ottla_protocol::messages::list_groups_response::ListedGroup;

use crate::classic::member::Member;
use crate::classic::{ClassicGroup, ClassicGroupState};
use crate::shard::{GroupShard, Occupant};

/// The type of classic groups as ListGroups gives it.
const CLASSIC: &str = "classic";
/// The state in which DescribeGroups shows what does not exist.
const DEAD: &str = "Dead";
/// The first version of DescribeGroups that says GROUP_ID_NOT_FOUND (KIP-1043).
const FIRST_VERSION_WITH_GROUP_ID_NOT_FOUND: i16 = 6;

impl GroupShard {
    /// The groups that pass the filters, which do not mind upper and lower case; an empty filter passes all.
    pub fn list_groups(&self, request: &ListGroupsRequest) -> Vec<ListedGroup> {
        let classic = self.groups.values().map(|group| ListedGroup {
            group_id: group.id.to_string(),
            protocol_type: group.protocol_type.clone().unwrap_or_default(),
            group_state: group.state.name().to_owned(),
            group_type: CLASSIC.to_owned(),
            ..Default::default()
        });
        let foreign = self.foreign.iter().map(|(group_id, group)| ListedGroup {
            group_id: group_id.to_string(),
            protocol_type: group.kind.name().to_owned(),
            group_state: group.state_name().to_owned(),
            group_type: group.kind.name().to_owned(),
            ..Default::default()
        });
        classic
            .chain(foreign)
            .filter(|group| passes(&request.states_filter, &group.group_state))
            .filter(|group| passes(&request.types_filter, &group.group_type))
            .collect()
    }

    /// Describes classic groups; what is not one is described as dead. The host adds authorized operations.
    pub fn describe_groups(&self, api_version: i16, group_ids: &[String]) -> Vec<DescribedGroup> {
        let describe = |group_id: &String| match self.occupant(group_id) {
            Occupant::Classic(group) => described(group),
            Occupant::Foreign(_) => unknown(
                api_version,
                group_id,
                format!("Group {group_id} is not a classic group."),
            ),
            Occupant::Nobody => unknown(
                api_version,
                group_id,
                format!("Group {group_id} not found."),
            ),
        };
        group_ids.iter().map(describe).collect()
    }
}

fn passes(filter: &[String], name: &str) -> bool {
    filter.is_empty()
        || filter
            .iter()
            .any(|wanted| wanted.trim().eq_ignore_ascii_case(name))
}

fn described(group: &ClassicGroup) -> DescribedGroup {
    // Before a generation is complete, its protocol and what members said of it mean nothing yet.
    let protocol = group
        .protocol_name
        .as_deref()
        .filter(|_| group.state == ClassicGroupState::Stable);
    DescribedGroup {
        group_id: group.id.to_string(),
        group_state: group.state.name().to_owned(),
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        protocol_data: protocol.unwrap_or_default().to_owned(),
        members: group
            .members
            .values()
            .map(|member| described_member(member, protocol))
            .collect(),
        ..Default::default()
    }
}

fn described_member(member: &Member, protocol: Option<&str>) -> DescribedGroupMember {
    DescribedGroupMember {
        member_id: member.member_id.to_string(),
        group_instance_id: member.group_instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        member_metadata: protocol
            .and_then(|protocol| member.metadata(protocol))
            .cloned()
            .unwrap_or_default(),
        member_assignment: member.assignment.clone(),
        ..Default::default()
    }
}

fn unknown(api_version: i16, group_id: &str, message: String) -> DescribedGroup {
    let mut group = DescribedGroup {
        group_id: group_id.to_owned(),
        group_state: DEAD.to_owned(),
        ..Default::default()
    };
    if api_version >= FIRST_VERSION_WITH_GROUP_ID_NOT_FOUND {
        group.error_code = ErrorCode::GroupIdNotFound.code();
        group.error_message = Some(message);
    }
    group
}
