//! `ottla topic`.

mod describe;

use ottla_client::{Client, error_of};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::create_partitions_request::{
    CreatePartitionsRequest, CreatePartitionsTopic,
};
use ottla_protocol::messages::create_topics_request::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use ottla_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use ottla_protocol::messages::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use serde::Serialize;

use super::offsets::{Isolation, resolve};
use crate::arguments::{ClusterArguments, TopicCommand};
use crate::failure::{Failure, check};
use crate::output::{Format, Row, print_rows};
use crate::position::Position;

/// Runs one subcommand.
pub async fn run(cluster: &ClusterArguments, command: TopicCommand) -> Result<(), Failure> {
    let mut client = super::client(&cluster.connection);
    match command {
        TopicCommand::Create {
            names,
            partitions,
            replication_factor,
            configs,
            if_not_exists,
            validate_only,
        } => {
            let configs: Vec<CreatableTopicConfig> = configs
                .into_iter()
                .map(|(name, value)| CreatableTopicConfig {
                    name,
                    value: Some(value),
                    ..Default::default()
                })
                .collect();
            let topic = |name| CreatableTopic {
                name,
                num_partitions: partitions.unwrap_or(-1),
                replication_factor: replication_factor.unwrap_or(-1),
                configs: configs.clone(),
                ..Default::default()
            };
            let request = CreateTopicsRequest {
                topics: names.into_iter().map(topic).collect(),
                timeout_ms: cluster.connection.timeout_ms(),
                validate_only,
                ..Default::default()
            };
            create(&mut client, cluster, request, if_not_exists).await
        }
        TopicCommand::List { internal } => list(&mut client, cluster, internal).await,
        TopicCommand::Describe { names } => describe::run(&mut client, cluster, &names).await,
        TopicCommand::AddPartitions { name, total } => {
            add_partitions(&mut client, cluster, name, total).await
        }
        TopicCommand::DeleteRecords {
            name,
            partition,
            before,
        } => delete_records(&mut client, cluster, &name, partition, before).await,
        TopicCommand::Delete { names, if_exists } => {
            delete(&mut client, cluster, names, if_exists).await
        }
    }
}

#[derive(Serialize)]
struct TopicRow {
    name: String,
    id: String,
    partitions: i32,
    replication_factor: i32,
    internal: bool,
}

impl Row for TopicRow {
    const HEADINGS: &'static [&'static str] = &["TOPIC", "PARTITIONS", "REPLICAS", "ID"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.partitions.to_string(),
            self.replication_factor.to_string(),
            self.id.clone(),
        ]
    }
}

async fn create(
    client: &mut Client,
    cluster: &ClusterArguments,
    request: CreateTopicsRequest,
    if_not_exists: bool,
) -> Result<(), Failure> {
    let response = client.request_to_controller(&request).await?;
    let mut rows = Vec::new();
    let mut failure = None;
    for topic in response.topics {
        if if_not_exists && error_of(topic.error_code) == Some(ErrorCode::TopicAlreadyExists) {
            continue;
        }
        match check(topic.error_code, topic.error_message, || {
            format!("topic {}", topic.name)
        }) {
            Ok(()) => rows.push(TopicRow {
                name: topic.name,
                id: topic.topic_id.to_string(),
                partitions: topic.num_partitions,
                replication_factor: i32::from(topic.replication_factor),
                internal: false,
            }),
            Err(error) => super::keep_first(&mut failure, error),
        }
    }
    if cluster.format() == Format::Json || !rows.is_empty() {
        print_rows(cluster.format(), &rows)?;
    }
    failure.map_or(Ok(()), Err)
}

async fn list(
    client: &mut Client,
    cluster: &ClusterArguments,
    internal: bool,
) -> Result<(), Failure> {
    let mut rows: Vec<TopicRow> = client
        .metadata(None)
        .await?
        .topics
        .into_iter()
        .filter(|topic| internal || !topic.is_internal)
        .map(|topic| TopicRow {
            partitions: topic.partitions.len() as i32,
            replication_factor: topic
                .partitions
                .first()
                .map_or(0, |partition| partition.replica_nodes.len() as i32),
            id: topic.topic_id.to_string(),
            internal: topic.is_internal,
            name: topic.name.unwrap_or_default(),
        })
        .collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(print_rows(cluster.format(), &rows)?)
}

async fn add_partitions(
    client: &mut Client,
    cluster: &ClusterArguments,
    name: String,
    total: i32,
) -> Result<(), Failure> {
    let topics = vec![CreatePartitionsTopic {
        name,
        count: total,
        assignments: None,
        ..Default::default()
    }];
    let timeout_ms = cluster.connection.timeout_ms();
    let response = client
        .request_to_controller(&CreatePartitionsRequest {
            topics,
            timeout_ms,
            ..Default::default()
        })
        .await?;
    response.results.into_iter().try_for_each(|topic| {
        check(topic.error_code, topic.error_message, || {
            format!("topic {}", topic.name)
        })
    })
}

#[derive(Serialize)]
struct StartRow {
    topic: String,
    partition: i32,
    log_start_offset: i64,
}

impl Row for StartRow {
    const HEADINGS: &'static [&'static str] = &["TOPIC", "PARTITION", "NEW START"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.topic.clone(),
            self.partition.to_string(),
            self.log_start_offset.to_string(),
        ]
    }
}

async fn delete_records(
    client: &mut Client,
    cluster: &ClusterArguments,
    topic: &str,
    partition: Option<i32>,
    before: Position,
) -> Result<(), Failure> {
    let partitions = match partition {
        Some(partition) => vec![partition],
        None => client.partitions(topic).await?,
    };
    let isolation = Isolation::Uncommitted;
    let offsets = resolve(client, topic, &partitions, before, isolation).await?;
    let mut rows = Vec::new();
    let mut failure = None;
    for (leader, partitions) in client.by_leader(topic, &partitions).await? {
        let deleted = |partition_index: i32| DeleteRecordsPartition {
            partition_index,
            offset: offsets.get(&partition_index).copied().unwrap_or(0),
            ..Default::default()
        };
        let request = DeleteRecordsRequest {
            topics: vec![DeleteRecordsTopic {
                name: topic.to_owned(),
                partitions: partitions.into_iter().map(deleted).collect(),
                ..Default::default()
            }],
            timeout_ms: cluster.connection.timeout_ms(),
            ..Default::default()
        };
        let response = client.request_to(leader, &request).await?;
        let partitions = response
            .topics
            .into_iter()
            .flat_map(|topic| topic.partitions);
        for done in partitions {
            match check(done.error_code, None, || {
                format!("partition {topic}-{}", done.partition_index)
            }) {
                Ok(()) => rows.push(StartRow {
                    topic: topic.to_owned(),
                    partition: done.partition_index,
                    log_start_offset: done.low_watermark,
                }),
                Err(error) => super::keep_first(&mut failure, error),
            }
        }
    }
    rows.sort_by_key(|row| row.partition);
    print_rows(cluster.format(), &rows)?;
    failure.map_or(Ok(()), Err)
}

async fn delete(
    client: &mut Client,
    cluster: &ClusterArguments,
    names: Vec<String>,
    if_exists: bool,
) -> Result<(), Failure> {
    let topics = names
        .iter()
        .map(|name| DeleteTopicState {
            name: Some(name.clone()),
            ..Default::default()
        })
        .collect();
    let request = DeleteTopicsRequest {
        topics,
        topic_names: names,
        timeout_ms: cluster.connection.timeout_ms(),
        ..Default::default()
    };
    let response = client.request_to_controller(&request).await?;
    let mut failure = None;
    for topic in response.responses {
        if if_exists && error_of(topic.error_code) == Some(ErrorCode::UnknownTopicOrPartition) {
            continue;
        }
        let name = topic.name.unwrap_or_default();
        if let Err(error) = check(topic.error_code, topic.error_message, || {
            format!("topic {name}")
        }) {
            super::keep_first(&mut failure, error);
        }
    }
    failure.map_or(Ok(()), Err)
}
