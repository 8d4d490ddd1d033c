//! `ottla group`.

use std::collections::{BTreeMap, BTreeSet};

use ottla_client::{Client, ClientError, committed_offsets};
use ottla_protocol::messages::ConsumerProtocolAssignment;
use ottla_protocol::messages::delete_groups_request::DeleteGroupsRequest;
use ottla_protocol::messages::describe_groups_request::DescribeGroupsRequest;
use ottla_protocol::messages::describe_groups_response::DescribedGroupMember;
use ottla_protocol::messages::list_groups_request::ListGroupsRequest;
use ottla_protocol::messages::offset_delete_request::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use ottla_protocol::{ErrorCode, Message};
use serde::Serialize;

use super::offsets::{Isolation, resolve};
use super::rewind::{self, Rewind};
use crate::arguments::{ClusterArguments, GroupCommand};
use crate::failure::{Failure, check};
use crate::output::{Format, Row, print_json, print_rows, print_text, table};
use crate::position::Position;

/// Runs one subcommand.
pub async fn run(cluster: &ClusterArguments, command: GroupCommand) -> Result<(), Failure> {
    let mut client = super::client(&cluster.connection);
    match command {
        GroupCommand::List { states } => {
            let rows = list(&mut client, states).await?;
            Ok(print_rows(cluster.format(), &rows)?)
        }
        GroupCommand::Describe { ids } => describe(&mut client, cluster, ids).await,
        GroupCommand::Rewind {
            id,
            topics,
            all_topics: _,
            partitions,
            to,
            shift,
            dry_run,
        } => {
            let rewind = Rewind {
                id,
                topics,
                partitions,
                target: rewind::Target::new(to, shift),
                dry_run,
            };
            rewind::run(&mut client, cluster.format(), &rewind).await
        }
        GroupCommand::DeleteOffsets {
            id,
            topic,
            partitions,
        } => delete_offsets(&mut client, &id, &topic, partitions).await,
        GroupCommand::Delete { ids } => delete(&mut client, ids).await,
    }
}

#[derive(Serialize)]
struct GroupRow {
    id: String,
    kind: String,
    state: String,
    protocol_type: String,
}

impl Row for GroupRow {
    const HEADINGS: &'static [&'static str] = &["GROUP", "KIND", "STATE", "PROTOCOL"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.kind.clone(),
            self.state.clone(),
            self.protocol_type.clone(),
        ]
    }
}

async fn list(client: &mut Client, states: Vec<String>) -> Result<Vec<GroupRow>, Failure> {
    client.metadata(Some(&[])).await?;
    let brokers: Vec<i32> = client.nodes().map(|node| node.id).collect();
    let request = ListGroupsRequest {
        states_filter: states,
        ..Default::default()
    };
    let mut rows = Vec::new();
    for broker in brokers {
        let response = client.request_to(broker, &request).await?;
        check(response.error_code, None, || {
            format!("groups of broker {broker}")
        })?;
        rows.extend(response.groups.into_iter().map(|group| GroupRow {
            id: group.group_id,
            kind: group.group_type,
            state: group.group_state,
            protocol_type: group.protocol_type,
        }));
    }
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(rows)
}

#[derive(Serialize)]
struct MemberRow {
    member_id: String,
    group_instance_id: Option<String>,
    client_id: String,
    host: String,
    assignment: BTreeMap<String, Vec<i32>>,
}

impl MemberRow {
    fn of(member: DescribedGroupMember) -> Self {
        // Only consumers' assignments have this form; others have none that is known here.
        let assignment = ConsumerProtocolAssignment::from_versioned_bytes(member.member_assignment)
            .unwrap_or_default();
        Self {
            member_id: member.member_id,
            group_instance_id: member.group_instance_id,
            client_id: member.client_id,
            host: member.client_host,
            assignment: assignment
                .assigned_partitions
                .into_iter()
                .map(|assigned| (assigned.topic, assigned.partitions))
                .collect(),
        }
    }
}

impl Row for MemberRow {
    const HEADINGS: &'static [&'static str] =
        &["MEMBER", "INSTANCE", "CLIENT", "HOST", "PARTITIONS"];
    fn cells(&self) -> Vec<String> {
        let topic = |(topic, partitions): (&String, &Vec<i32>)| {
            let partitions: Vec<String> = partitions.iter().map(i32::to_string).collect();
            format!("{topic}:{}", partitions.join(","))
        };
        let assignment: Vec<String> = self.assignment.iter().map(topic).collect();
        vec![
            self.member_id.clone(),
            self.group_instance_id.clone().unwrap_or_default(),
            self.client_id.clone(),
            self.host.clone(),
            assignment.join(" "),
        ]
    }
}

#[derive(Serialize)]
struct OffsetRow {
    topic: String,
    partition: i32,
    committed_offset: Option<i64>,
    log_end_offset: Option<i64>,
    lag: Option<i64>,
    metadata: Option<String>,
    member_id: Option<String>,
}

impl Row for OffsetRow {
    const HEADINGS: &'static [&'static str] =
        &["TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "MEMBER"];
    fn cells(&self) -> Vec<String> {
        let offset = |offset: Option<i64>| offset.map_or("-".to_owned(), |one| one.to_string());
        vec![
            self.topic.clone(),
            self.partition.to_string(),
            offset(self.committed_offset),
            offset(self.log_end_offset),
            offset(self.lag),
            self.member_id.clone().unwrap_or_default(),
        ]
    }
}

#[derive(Serialize)]
struct GroupDocument {
    id: String,
    state: String,
    protocol_type: String,
    assignor: String,
    members: Vec<MemberRow>,
    offsets: Vec<OffsetRow>,
}

async fn describe(
    client: &mut Client,
    cluster: &ClusterArguments,
    ids: Vec<String>,
) -> Result<(), Failure> {
    let ids = match ids.is_empty() {
        false => ids,
        true => {
            let groups = list(client, Vec::new()).await?;
            groups.into_iter().map(|group| group.id).collect()
        }
    };
    let mut documents = Vec::new();
    let mut failure = None;
    for id in ids {
        match document(client, id).await {
            Ok(document) => documents.push(document),
            Err(error @ Failure::Client(ClientError::Refused { .. })) => {
                super::keep_first(&mut failure, error);
            }
            Err(error) => return Err(error),
        }
    }
    if cluster.format() == Format::Json {
        print_json(&documents)?;
        return failure.map_or(Ok(()), Err);
    }
    let text: Vec<String> = documents.iter().map(GroupDocument::text).collect();
    print_text(&text.join("\n"))?;
    failure.map_or(Ok(()), Err)
}

impl GroupDocument {
    fn text(&self) -> String {
        let assignor = match self.assignor.as_str() {
            "" => String::new(),
            assignor => format!(", assignor {assignor}"),
        };
        let count = self.members.len();
        let members = if count == 1 { "member" } else { "members" };
        let mut text = format!(
            "group {}: {}, {count} {members}{assignor}\n",
            self.id, self.state
        );
        if count > 0 {
            let members: Vec<_> = self.members.iter().map(Row::cells).collect();
            text.push_str(&format!("\n{}", table(MemberRow::HEADINGS, &members)));
        }
        if !self.offsets.is_empty() {
            let offsets: Vec<_> = self.offsets.iter().map(Row::cells).collect();
            text.push_str(&format!("\n{}", table(OffsetRow::HEADINGS, &offsets)));
        }
        text
    }
}

async fn document(client: &mut Client, id: String) -> Result<GroupDocument, Failure> {
    let coordinator = client.coordinator(&id).await?;
    let request = DescribeGroupsRequest {
        groups: vec![id.clone()],
        ..Default::default()
    };
    let response = client.request_to(coordinator, &request).await?;
    let group = response.groups.into_iter().next().unwrap_or_default();
    check(group.error_code, group.error_message, || {
        format!("group {id}")
    })?;
    let members: Vec<MemberRow> = group.members.into_iter().map(MemberRow::of).collect();
    let offsets = offset_rows(client, &id, &members).await?;
    if group.group_state == "Dead" && offsets.is_empty() {
        // How brokers before DescribeGroups version 6 say that there is no such group.
        check(ErrorCode::GroupIdNotFound.code(), None, || {
            format!("group {id}")
        })?;
    }
    Ok(GroupDocument {
        id,
        state: group.group_state,
        protocol_type: group.protocol_type,
        assignor: group.protocol_data,
        members,
        offsets,
    })
}

/// A row for each partition that has a committed offset or a member that reads it.
async fn offset_rows(
    client: &mut Client,
    id: &str,
    members: &[MemberRow],
) -> Result<Vec<OffsetRow>, Failure> {
    let mut readers: BTreeMap<(&str, i32), &str> = BTreeMap::new();
    for member in members {
        for (topic, partitions) in &member.assignment {
            for &partition in partitions {
                readers.insert((topic, partition), &member.member_id);
            }
        }
    }
    let committed = committed_offsets(client, id).await?;
    let mut wanted: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
    let known = committed
        .iter()
        .map(|one| (one.topic.as_str(), one.partition));
    for (topic, partition) in known.chain(readers.keys().copied()) {
        wanted.entry(topic).or_default().insert(partition);
    }
    let mut rows = Vec::new();
    for (topic, partitions) in wanted {
        let asked: Vec<i32> = partitions.iter().copied().collect();
        let latest = Position::Latest;
        let ends = match resolve(client, topic, &asked, latest, Isolation::Uncommitted).await {
            // The topic or the partition is gone, its offsets are not yet.
            Err(Failure::Client(ClientError::Refused { .. } | ClientError::NoPartition { .. })) => {
                BTreeMap::new()
            }
            ends => ends?,
        };
        rows.extend(partitions.into_iter().map(|partition| {
            let committed = committed
                .iter()
                .find(|one| one.topic == topic && one.partition == partition);
            let end = ends.get(&partition).copied();
            let offset = committed.map(|one| one.offset);
            OffsetRow {
                topic: topic.to_owned(),
                partition,
                committed_offset: offset,
                log_end_offset: end,
                lag: end.zip(offset).map(|(end, offset)| (end - offset).max(0)),
                metadata: committed
                    .and_then(|one| one.metadata.clone())
                    .filter(|text| !text.is_empty()),
                member_id: readers.get(&(topic, partition)).map(|&id| id.to_owned()),
            }
        }));
    }
    Ok(rows)
}

async fn delete_offsets(
    client: &mut Client,
    id: &str,
    topic: &str,
    partitions: Vec<i32>,
) -> Result<(), Failure> {
    let partitions = match partitions.is_empty() {
        false => partitions,
        true => committed_offsets(client, id)
            .await?
            .into_iter()
            .filter(|one| one.topic == topic)
            .map(|one| one.partition)
            .collect(),
    };
    if partitions.is_empty() {
        return Err(Failure::Missing {
            kind: "committed offset",
            name: format!("of group {id} for topic {topic}"),
        });
    }
    let coordinator = client.coordinator(id).await?;
    let partition = |partition_index| OffsetDeleteRequestPartition {
        partition_index,
        ..Default::default()
    };
    let request = OffsetDeleteRequest {
        group_id: id.to_owned(),
        topics: vec![OffsetDeleteRequestTopic {
            name: topic.to_owned(),
            partitions: partitions.into_iter().map(partition).collect(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let response = client.request_to(coordinator, &request).await?;
    check(response.error_code, None, || format!("group {id}"))?;
    let mut partitions = response
        .topics
        .into_iter()
        .flat_map(|topic| topic.partitions);
    partitions.try_for_each(|partition| {
        check(partition.error_code, None, || {
            format!("group {id}, {topic}-{}", partition.partition_index)
        })
    })
}

async fn delete(client: &mut Client, ids: Vec<String>) -> Result<(), Failure> {
    let mut failure = None;
    for id in ids {
        let coordinator = client.coordinator(&id).await?;
        let request = DeleteGroupsRequest {
            groups_names: vec![id.clone()],
            ..Default::default()
        };
        for result in client.request_to(coordinator, &request).await?.results {
            if let Err(error) = check(result.error_code, None, || format!("group {id}")) {
                super::keep_first(&mut failure, error);
            }
        }
    }
    failure.map_or(Ok(()), Err)
}
