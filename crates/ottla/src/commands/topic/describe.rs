//! `ottla topic describe`.

use std::collections::{BTreeMap, BTreeSet};

use ottla_client::Client;
use ottla_protocol::messages::describe_configs_request::{
    DescribeConfigsRequest, DescribeConfigsResource,
};
use ottla_protocol::messages::describe_log_dirs_request::{
    DescribableLogDirTopic, DescribeLogDirsRequest,
};
use ottla_protocol::messages::metadata_response::{
    MetadataResponsePartition, MetadataResponseTopic,
};
use serde::Serialize;

use super::super::keep_first;
use super::super::offsets::{Isolation, resolve};
use crate::arguments::ClusterArguments;
use crate::failure::{Failure, check};
use crate::output::{Format, Row, print_json, print_text, size_text, table};
use crate::position::Position;

/// DescribeConfigs' resource type of a topic.
const RESOURCE_TOPIC: i8 = 2;
/// DescribeConfigs' source of a value that the topic itself sets.
const SOURCE_TOPIC: i8 = 1;

#[derive(Serialize)]
struct TopicDocument {
    name: String,
    id: String,
    internal: bool,
    configs: BTreeMap<String, Option<String>>,
    partitions: Vec<PartitionRow>,
}

#[derive(Serialize)]
struct PartitionRow {
    partition: i32,
    leader: i32,
    leader_epoch: i32,
    replicas: Vec<i32>,
    isr: Vec<i32>,
    log_start_offset: Option<i64>,
    log_end_offset: Option<i64>,
    size_bytes: Option<i64>,
}

impl Row for PartitionRow {
    const HEADINGS: &'static [&'static str] = &[
        "PARTITION",
        "LEADER",
        "EPOCH",
        "REPLICAS",
        "ISR",
        "START",
        "END",
        "SIZE",
    ];
    fn cells(&self) -> Vec<String> {
        let join = |ids: &[i32]| ids.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
        let offset = |offset: Option<i64>| offset.map_or("-".to_owned(), |one| one.to_string());
        let size = self.size_bytes.and_then(|size| u64::try_from(size).ok());
        vec![
            self.partition.to_string(),
            match self.leader {
                -1 => "none".to_owned(),
                leader => leader.to_string(),
            },
            self.leader_epoch.to_string(),
            join(&self.replicas),
            join(&self.isr),
            offset(self.log_start_offset),
            offset(self.log_end_offset),
            size.map_or("-".to_owned(), size_text),
        ]
    }
}

/// Shows `names`, or all topics when there are none.
pub async fn run(
    client: &mut Client,
    cluster: &ClusterArguments,
    names: &[String],
) -> Result<(), Failure> {
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let metadata = client
        .metadata((!names.is_empty()).then_some(&wanted))
        .await?;
    let mut topics = Vec::new();
    let mut failure = None;
    for topic in metadata.topics {
        let name = topic.name.clone().unwrap_or_default();
        match check(topic.error_code, None, || format!("topic {name}")) {
            Ok(()) => topics.push((name, topic)),
            Err(error) => keep_first(&mut failure, error),
        }
    }
    topics.sort_by(|a, b| a.0.cmp(&b.0));
    let mut configs = configs(client, &topics).await?;
    let sizes = sizes(client, &topics).await?;
    let mut documents = Vec::new();
    for (name, topic) in topics {
        let configs = configs.remove(&name).unwrap_or_default();
        documents.push(document(client, name, topic, configs, &sizes).await?);
    }
    print(cluster.format(), &documents)?;
    failure.map_or(Ok(()), Err)
}

fn print(format: Format, documents: &[TopicDocument]) -> Result<(), Failure> {
    if format == Format::Json {
        return Ok(print_json(&documents)?);
    }
    let mut text = String::new();
    for document in documents {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("topic {}, id {}", document.name, document.id));
        for (name, value) in &document.configs {
            let value = value.as_deref().unwrap_or("(hidden)");
            text.push_str(&format!("\n  {name}={value}"));
        }
        text.push('\n');
        let cells: Vec<_> = document.partitions.iter().map(Row::cells).collect();
        text.push_str(&table(PartitionRow::HEADINGS, &cells));
    }
    Ok(print_text(&text)?)
}

async fn document(
    client: &mut Client,
    name: String,
    topic: MetadataResponseTopic,
    configs: BTreeMap<String, Option<String>>,
    sizes: &BTreeMap<(String, i32), i64>,
) -> Result<TopicDocument, Failure> {
    let led: Vec<i32> = topic
        .partitions
        .iter()
        .filter(|partition| partition.leader_id >= 0)
        .map(|partition| partition.partition_index)
        .collect();
    let isolation = Isolation::Uncommitted;
    let starts = resolve(client, &name, &led, Position::Earliest, isolation).await?;
    let ends = resolve(client, &name, &led, Position::Latest, isolation).await?;
    let row = |partition: MetadataResponsePartition| PartitionRow {
        partition: partition.partition_index,
        leader: partition.leader_id,
        leader_epoch: partition.leader_epoch,
        replicas: partition.replica_nodes,
        isr: partition.isr_nodes,
        log_start_offset: starts.get(&partition.partition_index).copied(),
        log_end_offset: ends.get(&partition.partition_index).copied(),
        size_bytes: sizes
            .get(&(name.clone(), partition.partition_index))
            .copied(),
    };
    let mut partitions: Vec<PartitionRow> = topic.partitions.into_iter().map(row).collect();
    partitions.sort_by_key(|partition| partition.partition);
    Ok(TopicDocument {
        id: topic.topic_id.to_string(),
        internal: topic.is_internal,
        configs,
        partitions,
        name,
    })
}

/// What each of the topics sets itself.
async fn configs(
    client: &mut Client,
    topics: &[(String, MetadataResponseTopic)],
) -> Result<BTreeMap<String, BTreeMap<String, Option<String>>>, Failure> {
    let resource = |(name, _): &(String, _)| DescribeConfigsResource {
        resource_type: RESOURCE_TOPIC,
        resource_name: name.clone(),
        ..Default::default()
    };
    let request = DescribeConfigsRequest {
        resources: topics.iter().map(resource).collect(),
        ..Default::default()
    };
    let mut found = BTreeMap::new();
    for result in client.request(&request).await?.results {
        check(result.error_code, result.error_message, || {
            format!("configuration of topic {}", result.resource_name)
        })?;
        let own = result
            .configs
            .into_iter()
            .filter(|config| config.config_source == SOURCE_TOPIC)
            .map(|config| (config.name, config.value));
        found.insert(result.resource_name, own.collect());
    }
    Ok(found)
}

/// The size of each partition at its leader, bytes.
async fn sizes(
    client: &mut Client,
    topics: &[(String, MetadataResponseTopic)],
) -> Result<BTreeMap<(String, i32), i64>, Failure> {
    let asked = topics.iter().map(|(name, topic)| DescribableLogDirTopic {
        topic: name.clone(),
        partitions: topic
            .partitions
            .iter()
            .map(|partition| partition.partition_index)
            .collect(),
        ..Default::default()
    });
    let request = DescribeLogDirsRequest {
        topics: Some(asked.collect()),
        ..Default::default()
    };
    let leaders: BTreeMap<(&str, i32), i32> = topics
        .iter()
        .flat_map(|(name, topic)| {
            let partitions = topic.partitions.iter();
            partitions.map(|one| ((name.as_str(), one.partition_index), one.leader_id))
        })
        .collect();
    let brokers: BTreeSet<i32> = leaders.values().copied().filter(|id| *id >= 0).collect();
    let mut sizes = BTreeMap::new();
    for broker in brokers {
        let response = client.request_to(broker, &request).await?;
        for topic in response.results.into_iter().flat_map(|one| one.topics) {
            for partition in topic.partitions {
                let index = partition.partition_index;
                let leads = leaders.get(&(topic.name.as_str(), index)) == Some(&broker);
                if leads && !partition.is_future_key {
                    sizes.insert((topic.name.clone(), index), partition.partition_size);
                }
            }
        }
    }
    Ok(sizes)
}
