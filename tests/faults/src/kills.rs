//! `kill -9` at random moments under load: what was acknowledged is there afterwards, once, where it was said to be.

use std::collections::{BTreeMap, HashMap};

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ottla_client::{Client, Connection, error_of};
use ottla_protocol::Records;
use ottla_protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use ottla_protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use ottla_protocol::messages::offset_commit_request::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use ottla_protocol::messages::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use ottla_protocol::messages::produce_request::{
    PartitionProduceData, ProduceRequest, TopicProduceData,
};
use ottla_protocol::records::{
    BatchBuilder, Compression, CompressionSpec, Compressor, Decompressor, batches,
};
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::node::Node;
use crate::random::Random;

/// Partitions of the topic.
const PARTITIONS: i32 = 4;
/// The topic.
const TOPIC: &str = "kills";
/// The group.
const GROUP: &str = "kills-group";
/// How long one request may take on a busy machine.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// What the broker has acknowledged.
#[derive(Default)]
struct Acknowledged {
    /// Value by partition and offset.
    records: BTreeMap<(i32, i64), u64>,
    committed: Option<i64>,
}

/// Kills the broker `kills` times. What was checked.
pub async fn run(program: &Path, kills: u32, seed: u64) -> Result<String, Failure> {
    let mut random = Random::new(seed);
    let mut node = Node::new(program)?;
    node.start().await?;
    create_topic(&node, TOPIC).await?;
    let next_value = Arc::new(AtomicU64::new(0));
    let mut acknowledged = Acknowledged::default();
    for kill in 1..=kills {
        let stop = Arc::new(AtomicBool::new(false));
        let mut writers = JoinSet::new();
        for partition in 0..PARTITIONS {
            let codec = Compression::from_id((random.below(5)) as u8).unwrap_or(Compression::None);
            writers.spawn(write(
                node.address(),
                partition,
                codec,
                Arc::clone(&next_value),
                Arc::clone(&stop),
            ));
        }
        let commits = tokio::spawn(commit(
            node.address(),
            i64::from(kill) * 1_000_000,
            Arc::clone(&stop),
        ));
        tokio::time::sleep(Duration::from_millis(20 + random.below(400))).await;
        node.kill().await?;
        stop.store(true, Ordering::Release);
        while let Some(written) = writers.join_next().await {
            acknowledged.records.extend(written.unwrap_or_default());
        }
        acknowledged.committed = commits.await.unwrap_or_default().or(acknowledged.committed);
        node.start().await?;
        verify(&node, kill, &acknowledged).await?;
    }
    Ok(format!(
        "{} acknowledged records over {kills} kills",
        acknowledged.records.len()
    ))
}

async fn connect(address: &str) -> Option<Connection> {
    Connection::connect(address, "faults", REQUEST_TIMEOUT)
        .await
        .ok()
}

/// Makes a topic of its own number of partitions.
pub async fn create_topic(node: &Node, name: &str) -> Result<(), Failure> {
    let mut client = Client::new(&node.address(), "faults", REQUEST_TIMEOUT);
    let topic = CreatableTopic {
        name: name.to_owned(),
        num_partitions: PARTITIONS,
        replication_factor: 1,
        ..Default::default()
    };
    let request = CreateTopicsRequest {
        topics: vec![topic],
        timeout_ms: 30_000,
        ..Default::default()
    };
    let response = client.request(&request).await?;
    for topic in response.topics {
        if let Some(code) = error_of(topic.error_code) {
            return Err(Failure::Refused {
                what: "the topic",
                code,
            });
        }
    }
    client.coordinator(GROUP).await?;
    Ok(())
}

/// Appends batches until the broker is gone. What was acknowledged, and where.
async fn write(
    address: String,
    partition: i32,
    codec: Compression,
    next_value: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
) -> Vec<((i32, i64), u64)> {
    let mut acknowledged = Vec::new();
    let Some(mut connection) = connect(&address).await else {
        return acknowledged;
    };
    let mut compressor = Compressor::new();
    while !stop.load(Ordering::Acquire) {
        let count = 1 + next_value.load(Ordering::Relaxed) % 50;
        let first = next_value.fetch_add(count, Ordering::Relaxed);
        let mut batch = BatchBuilder::new(CompressionSpec::new(codec));
        for value in first..first + count {
            // A timestamp of -1: none.
            if batch
                .append(-1, None, Some(value.to_string().as_bytes()), &[])
                .is_err()
            {
                return acknowledged;
            }
        }
        let Ok(records) = batch.build(0, -1, &mut compressor) else {
            return acknowledged;
        };
        let data = PartitionProduceData {
            index: partition,
            records: Some(Records::from(records)),
            ..Default::default()
        };
        let request = ProduceRequest {
            acks: -1,
            timeout_ms: 30_000,
            transactional_id: None,
            topic_data: vec![TopicProduceData {
                name: TOPIC.to_owned(),
                partition_data: vec![data],
                ..Default::default()
            }],
            ..Default::default()
        };
        let Ok(response) = connection.request_at(&request, 9).await else {
            return acknowledged;
        };
        for done in response
            .responses
            .into_iter()
            .flat_map(|topic| topic.partition_responses)
        {
            if done.error_code == 0 {
                let placed = (first..first + count).zip(done.base_offset..);
                acknowledged.extend(placed.map(|(value, offset)| ((partition, offset), value)));
            }
        }
    }
    acknowledged
}

/// Commits ascending offsets until the broker is gone. The last one that was acknowledged.
async fn commit(address: String, from: i64, stop: Arc<AtomicBool>) -> Option<i64> {
    let mut connection = connect(&address).await?;
    let mut acknowledged = None;
    for committed_offset in from.. {
        if stop.load(Ordering::Acquire) {
            break;
        }
        let partition = OffsetCommitRequestPartition {
            committed_offset,
            ..Default::default()
        };
        let topic = OffsetCommitRequestTopic {
            name: TOPIC.to_owned(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request = OffsetCommitRequest {
            group_id: GROUP.to_owned(),
            topics: vec![topic],
            ..Default::default()
        };
        let Ok(response) = connection.request_at(&request, 8).await else {
            break;
        };
        if response
            .topics
            .iter()
            .flat_map(|topic| &topic.partitions)
            .all(|done| done.error_code == 0)
        {
            acknowledged = Some(committed_offset);
        }
    }
    acknowledged
}

async fn verify(node: &Node, kill: u32, acknowledged: &Acknowledged) -> Result<(), Failure> {
    let mut client = Client::new(&node.address(), "faults", REQUEST_TIMEOUT);
    let connection = client.any().await?;
    for partition in 0..PARTITIONS {
        let found = read_all(connection, kill, partition).await?;
        let mut seen = HashMap::new();
        for (&offset, &value) in &found {
            if seen.insert(value, offset).is_some() {
                return Err(Failure::Twice {
                    kill,
                    partition,
                    value,
                });
            }
        }
        for (&(_, offset), &value) in acknowledged
            .records
            .range((partition, 0)..(partition + 1, 0))
        {
            let found = found.get(&offset).copied();
            if found != Some(value) {
                return Err(Failure::Lost {
                    kill,
                    partition,
                    offset,
                    value,
                    found,
                });
            }
        }
    }
    let Some(committed) = acknowledged.committed else {
        return Ok(());
    };
    let topic = OffsetFetchRequestTopics {
        name: TOPIC.to_owned(),
        partition_indexes: vec![0],
        ..Default::default()
    };
    let group = OffsetFetchRequestGroup {
        group_id: GROUP.to_owned(),
        topics: Some(vec![topic]),
        ..Default::default()
    };
    let response = connection
        .request_at(
            &OffsetFetchRequest {
                groups: vec![group],
                ..Default::default()
            },
            8,
        )
        .await?;
    let partitions = response
        .groups
        .into_iter()
        .flat_map(|group| group.topics)
        .flat_map(|topic| topic.partitions);
    let found = partitions
        .map(|partition| partition.committed_offset)
        .next()
        .unwrap_or(-1);
    // One more may have been written without its answer having come through.
    if found == committed || found == committed + 1 {
        Ok(())
    } else {
        Err(Failure::Commit {
            kill,
            committed,
            found,
        })
    }
}

/// Every record of a partition, by offset; offsets must be dense.
async fn read_all(
    connection: &mut Connection,
    kill: u32,
    partition: i32,
) -> Result<BTreeMap<i64, u64>, Failure> {
    let mut found = BTreeMap::new();
    let mut decompressor = Decompressor::default();
    let mut position = 0;
    loop {
        let asked = FetchPartition {
            partition,
            fetch_offset: position,
            partition_max_bytes: 1 << 20,
            ..Default::default()
        };
        let topic = FetchTopic {
            topic: TOPIC.to_owned(),
            partitions: vec![asked],
            ..Default::default()
        };
        let request = FetchRequest {
            max_bytes: 1 << 24,
            session_epoch: -1,
            topics: vec![topic],
            ..Default::default()
        };
        let response = connection.request_at(&request, 11).await?;
        let data = response
            .responses
            .into_iter()
            .flat_map(|topic| topic.partitions)
            .next()
            .unwrap_or_default();
        if let Some(code) = error_of(data.error_code) {
            return Err(Failure::Refused {
                what: "a fetch",
                code,
            });
        }
        let records = data.records.unwrap_or_default().to_bytes();
        if records.is_empty() {
            return Ok(found);
        }
        for batch in batches(&records) {
            let batch = batch?;
            batch.validate_crc()?;
            for record in batch.records(&mut decompressor)? {
                let record = record?;
                if record.offset < position {
                    continue;
                }
                if record.offset != position {
                    return Err(Failure::Gap {
                        kill,
                        partition,
                        expected: position,
                        found: record.offset,
                    });
                }
                let value = record
                    .value
                    .as_deref()
                    .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
                found.insert(record.offset, value.unwrap_or(u64::MAX));
                position += 1;
            }
        }
    }
}
