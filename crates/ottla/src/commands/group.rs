//! `ottla group`.

use std::collections::BTreeMap;

use ottla_client::Client;
use ottla_protocol::messages::delete_groups_request::DeleteGroupsRequest;
use ottla_protocol::messages::describe_groups_request::DescribeGroupsRequest;
use ottla_protocol::messages::list_groups_request::ListGroupsRequest;
use ottla_protocol::messages::offset_commit_request::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use ottla_protocol::messages::offset_fetch_request::{OffsetFetchRequest, OffsetFetchRequestGroup};
use ottla_protocol::messages::offset_fetch_response::OffsetFetchResponseGroup;
use serde::Serialize;

use super::offsets::{Position, resolve};
use crate::arguments::{ClusterArguments, GroupCommand};
use crate::failure::{Failure, check};
use crate::output::{Format, Row, print_json, print_rows};

/// The newest version of OffsetFetch and OffsetCommit that names topics by name.
const LAST_VERSION_WITH_TOPIC_NAMES: i16 = 9;

/// Runs one subcommand.
pub async fn run(cluster: &ClusterArguments, command: GroupCommand) -> Result<(), Failure> {
    let mut client = super::client(cluster);
    match command {
        GroupCommand::List => list(&mut client, cluster).await,
        GroupCommand::Describe { ids } => describe(&mut client, cluster, ids).await,
        GroupCommand::Rewind {
            id,
            topic,
            partitions,
            to,
            dry_run,
        } => {
            rewind(
                &mut client,
                cluster,
                Rewind {
                    id,
                    topic,
                    partitions,
                    to: to.parse()?,
                    dry_run,
                },
            )
            .await
        }
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

async fn list(client: &mut Client, cluster: &ClusterArguments) -> Result<(), Failure> {
    client.metadata(Some(&[])).await?;
    let brokers: Vec<i32> = client.nodes().map(|node| node.id).collect();
    let mut rows = Vec::new();
    for broker in brokers {
        let response = client
            .request_to(broker, &ListGroupsRequest::default())
            .await?;
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
    print_rows(cluster.format(), &rows);
    Ok(())
}

#[derive(Serialize)]
struct MemberRow {
    member_id: String,
    group_instance_id: Option<String>,
    client_id: String,
    host: String,
}

impl Row for MemberRow {
    const HEADINGS: &'static [&'static str] = &["MEMBER", "INSTANCE", "CLIENT", "HOST"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.member_id.clone(),
            self.group_instance_id.clone().unwrap_or_default(),
            self.client_id.clone(),
            self.host.clone(),
        ]
    }
}

#[derive(Serialize)]
struct OffsetRow {
    topic: String,
    partition: i32,
    committed_offset: i64,
    log_end_offset: i64,
    lag: i64,
    metadata: Option<String>,
}

impl Row for OffsetRow {
    const HEADINGS: &'static [&'static str] = &["TOPIC", "PARTITION", "COMMITTED", "END", "LAG"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.topic.clone(),
            self.partition.to_string(),
            self.committed_offset.to_string(),
            self.log_end_offset.to_string(),
            self.lag.to_string(),
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
    let mut documents = Vec::new();
    for id in ids {
        documents.push(document(client, id).await?);
    }
    if cluster.format() == Format::Json {
        print_json(&documents);
        return Ok(());
    }
    for document in documents {
        println!(
            "group {}: {}, {}\n",
            document.id, document.state, document.assignor
        );
        print_rows(Format::Table, &document.members);
        println!();
        print_rows(Format::Table, &document.offsets);
        println!();
    }
    Ok(())
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
    let members = group
        .members
        .into_iter()
        .map(|member| MemberRow {
            member_id: member.member_id,
            group_instance_id: member.group_instance_id,
            client_id: member.client_id,
            host: member.client_host,
        })
        .collect();
    let committed = committed(client, coordinator, &id).await?;
    let offsets = offset_rows(client, committed).await?;
    Ok(GroupDocument {
        id,
        state: group.group_state,
        protocol_type: group.protocol_type,
        assignor: group.protocol_data,
        members,
        offsets,
    })
}

async fn committed(
    client: &mut Client,
    coordinator: i32,
    id: &str,
) -> Result<OffsetFetchResponseGroup, Failure> {
    let groups = vec![OffsetFetchRequestGroup {
        group_id: id.to_owned(),
        topics: None,
        ..Default::default()
    }];
    let request = OffsetFetchRequest {
        groups,
        ..Default::default()
    };
    let connection = client.node(coordinator).await?;
    let response = connection
        .request_at(&request, LAST_VERSION_WITH_TOPIC_NAMES)
        .await
        .map_err(ottla_client::ClientError::Request)?;
    let group = response.groups.into_iter().next().unwrap_or_default();
    check(group.error_code, None, || format!("offsets of group {id}"))?;
    Ok(group)
}

async fn offset_rows(
    client: &mut Client,
    group: OffsetFetchResponseGroup,
) -> Result<Vec<OffsetRow>, Failure> {
    let mut rows = Vec::new();
    for topic in group.topics {
        let partitions: Vec<i32> = topic
            .partitions
            .iter()
            .map(|partition| partition.partition_index)
            .collect();
        let ends = resolve(client, &topic.name, &partitions, Position::Latest).await?;
        rows.extend(topic.partitions.into_iter().map(|partition| {
            let log_end_offset = ends.get(&partition.partition_index).copied().unwrap_or(-1);
            OffsetRow {
                topic: topic.name.clone(),
                partition: partition.partition_index,
                committed_offset: partition.committed_offset,
                log_end_offset,
                lag: (log_end_offset - partition.committed_offset).max(0),
                metadata: partition.metadata,
            }
        }));
    }
    rows.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    Ok(rows)
}

struct Rewind {
    id: String,
    topic: String,
    partitions: Vec<i32>,
    to: Position,
    dry_run: bool,
}

#[derive(Serialize)]
struct RewoundRow {
    topic: String,
    partition: i32,
    offset: i64,
}

impl Row for RewoundRow {
    const HEADINGS: &'static [&'static str] = &["TOPIC", "PARTITION", "NEW OFFSET"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.topic.clone(),
            self.partition.to_string(),
            self.offset.to_string(),
        ]
    }
}

async fn rewind(
    client: &mut Client,
    cluster: &ClusterArguments,
    rewind: Rewind,
) -> Result<(), Failure> {
    let partitions = match rewind.partitions.is_empty() {
        false => rewind.partitions,
        true => client
            .topic(&rewind.topic)
            .await?
            .partitions
            .iter()
            .map(|found| found.partition_index)
            .collect(),
    };
    let offsets = resolve(client, &rewind.topic, &partitions, rewind.to).await?;
    if !rewind.dry_run {
        commit(client, &rewind.id, &rewind.topic, &offsets).await?;
    }
    let row = |(&partition, &offset): (&i32, &i64)| RewoundRow {
        topic: rewind.topic.clone(),
        partition,
        offset,
    };
    print_rows(
        cluster.format(),
        &offsets.iter().map(row).collect::<Vec<_>>(),
    );
    Ok(())
}

async fn commit(
    client: &mut Client,
    id: &str,
    topic: &str,
    offsets: &BTreeMap<i32, i64>,
) -> Result<(), Failure> {
    let coordinator = client.coordinator(id).await?;
    let partition =
        |(&partition_index, &committed_offset): (&i32, &i64)| OffsetCommitRequestPartition {
            partition_index,
            committed_offset,
            ..Default::default()
        };
    let topics = vec![OffsetCommitRequestTopic {
        name: topic.to_owned(),
        partitions: offsets.iter().map(partition).collect(),
        ..Default::default()
    }];
    let request = OffsetCommitRequest {
        group_id: id.to_owned(),
        topics,
        ..Default::default()
    };
    let connection = client.node(coordinator).await?;
    let response = connection
        .request_at(&request, LAST_VERSION_WITH_TOPIC_NAMES)
        .await
        .map_err(ottla_client::ClientError::Request)?;
    response
        .topics
        .into_iter()
        .flat_map(|topic| topic.partitions)
        .try_for_each(|partition| {
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
