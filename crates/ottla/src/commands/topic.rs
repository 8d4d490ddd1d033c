//! `ottla topic`.

use ottla_client::Client;
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
use ottla_protocol::messages::metadata_response::MetadataResponseTopic;
use serde::Serialize;

use crate::arguments::{ClusterArguments, TopicCommand};
use crate::failure::{Failure, check};
use crate::output::{Row, print_rows};

/// Runs one subcommand.
pub async fn run(cluster: &ClusterArguments, command: TopicCommand) -> Result<(), Failure> {
    let mut client = super::client(cluster);
    match command {
        TopicCommand::Create {
            names,
            partitions,
            replication_factor,
            configs,
            validate_only,
        } => {
            let topic = |name| CreatableTopic {
                name,
                num_partitions: partitions.unwrap_or(-1),
                replication_factor: replication_factor.unwrap_or(-1),
                configs: configs
                    .iter()
                    .map(|(name, value)| CreatableTopicConfig {
                        name: name.clone(),
                        value: Some(value.clone()),
                        ..Default::default()
                    })
                    .collect(),
                ..Default::default()
            };
            create(
                &mut client,
                cluster,
                names.into_iter().map(topic).collect(),
                validate_only,
            )
            .await
        }
        TopicCommand::List { internal } => list(&mut client, cluster, internal).await,
        TopicCommand::Describe { names } => describe(&mut client, cluster, &names).await,
        TopicCommand::AddPartitions { name, total } => {
            add_partitions(&mut client, cluster, name, total).await
        }
        TopicCommand::DeleteRecords {
            name,
            partition,
            before,
        } => delete_records(&mut client, cluster, name, partition, before).await,
        TopicCommand::Delete { names } => delete(&mut client, cluster, names).await,
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

#[derive(Serialize)]
struct PartitionRow {
    topic: String,
    partition: i32,
    leader: i32,
    leader_epoch: i32,
    replicas: Vec<i32>,
    isr: Vec<i32>,
}

impl Row for PartitionRow {
    const HEADINGS: &'static [&'static str] =
        &["TOPIC", "PARTITION", "LEADER", "EPOCH", "REPLICAS", "ISR"];
    fn cells(&self) -> Vec<String> {
        let join = |ids: &[i32]| ids.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
        vec![
            self.topic.clone(),
            self.partition.to_string(),
            self.leader.to_string(),
            self.leader_epoch.to_string(),
            join(&self.replicas),
            join(&self.isr),
        ]
    }
}

async fn create(
    client: &mut Client,
    cluster: &ClusterArguments,
    topics: Vec<CreatableTopic>,
    validate_only: bool,
) -> Result<(), Failure> {
    let timeout_ms = super::timeout_ms(cluster);
    let request = CreateTopicsRequest {
        topics,
        timeout_ms,
        validate_only,
        ..Default::default()
    };
    let response = client.request_to_controller(&request).await?;
    let mut rows = Vec::new();
    let mut failure = None;
    for topic in response.topics {
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
    print_rows(cluster.format(), &rows);
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
    print_rows(cluster.format(), &rows);
    Ok(())
}

async fn describe(
    client: &mut Client,
    cluster: &ClusterArguments,
    names: &[String],
) -> Result<(), Failure> {
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let response = client
        .metadata((!names.is_empty()).then_some(&wanted))
        .await?;
    let mut rows = Vec::new();
    let mut failure = None;
    for topic in response.topics {
        let name = topic.name.clone().unwrap_or_default();
        match check(topic.error_code, None, || format!("topic {name}")) {
            Ok(()) => rows.extend(partition_rows(name, topic)),
            Err(error) => super::keep_first(&mut failure, error),
        }
    }
    rows.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    print_rows(cluster.format(), &rows);
    failure.map_or(Ok(()), Err)
}

fn partition_rows(
    name: String,
    topic: MetadataResponseTopic,
) -> impl Iterator<Item = PartitionRow> {
    topic
        .partitions
        .into_iter()
        .map(move |partition| PartitionRow {
            topic: name.clone(),
            partition: partition.partition_index,
            leader: partition.leader_id,
            leader_epoch: partition.leader_epoch,
            replicas: partition.replica_nodes,
            isr: partition.isr_nodes,
        })
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
        ..Default::default()
    }];
    let timeout_ms = super::timeout_ms(cluster);
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

async fn delete_records(
    client: &mut Client,
    cluster: &ClusterArguments,
    name: String,
    partition: i32,
    before: i64,
) -> Result<(), Failure> {
    let leader = super::leader_of(client, &name, partition).await?;
    let partitions = vec![DeleteRecordsPartition {
        partition_index: partition,
        offset: before,
        ..Default::default()
    }];
    let topics = vec![DeleteRecordsTopic {
        name: name.clone(),
        partitions,
        ..Default::default()
    }];
    let request = DeleteRecordsRequest {
        topics,
        timeout_ms: super::timeout_ms(cluster),
        ..Default::default()
    };
    let response = client.request_to(leader, &request).await?;
    response
        .topics
        .into_iter()
        .flat_map(|topic| topic.partitions)
        .try_for_each(|done| {
            check(done.error_code, None, || {
                format!("partition {name}-{partition}")
            })?;
            println!(
                "{name}-{partition} now begins at offset {}",
                done.low_watermark
            );
            Ok(())
        })
}

async fn delete(
    client: &mut Client,
    cluster: &ClusterArguments,
    names: Vec<String>,
) -> Result<(), Failure> {
    let timeout_ms = super::timeout_ms(cluster);
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
        timeout_ms,
        ..Default::default()
    };
    let response = client.request_to_controller(&request).await?;
    let mut failure = None;
    for topic in response.responses {
        let name = topic.name.unwrap_or_default();
        if let Err(error) = check(topic.error_code, topic.error_message, || {
            format!("topic {name}")
        }) {
            super::keep_first(&mut failure, error);
        }
    }
    failure.map_or(Ok(()), Err)
}
