//! Topics that come, change and go, over kills.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use ottla_client::Connection;
use ottla_protocol::messages::create_topics_request::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use ottla_protocol::messages::describe_configs_request::{
    DescribeConfigsRequest, DescribeConfigsResource,
};
use ottla_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use ottla_protocol::messages::{DeleteTopicsRequest, MetadataRequest};
use ottla_protocol::records::{BatchBuilder, CompressionSpec, Compressor};

use crate::failure::{Failure, granted};
use crate::partition::{produce, read};
use crate::random::Random;

/// Names of topics: few, so that they come back.
const NAMES: u64 = 6;
/// What names begin with.
const PREFIX: &str = "comes-and-goes-";
/// `ConfigResource.Type.TOPIC`.
const TOPIC_RESOURCE: i8 = 2;
/// `AlterConfigOp.OpType.SET`.
const SET: i8 = 0;
const RETENTION: &str = "retention.ms";
const SMALLEST_RETENTION_MS: u64 = 1_000_000_000;

/// What a topic is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Topic {
    partitions: i32,
    retention_ms: u64,
    /// The value of each record in partition 0: no record of a topic of that name before it.
    incarnation: u64,
    /// Records that were acknowledged.
    records: usize,
}

/// Makes, changes and deletes topics.
pub struct Topics {
    random: Random,
    /// As acknowledged.
    topics: BTreeMap<String, Topic>,
    /// The change under way: it may have come to pass.
    pending: Option<(String, Option<Topic>)>,
    changes: u64,
}

impl Topics {
    /// Nothing made yet.
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            topics: BTreeMap::new(),
            pending: None,
            changes: 0,
        }
    }

    /// Changes that were acknowledged.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Changes topics until the broker is gone.
    pub async fn run(
        &mut self,
        connection: &mut Connection,
        stop: &AtomicBool,
    ) -> Result<(), Failure> {
        while !stop.load(Ordering::Acquire) {
            let name = format!("{PREFIX}{}", self.random.below(NAMES));
            let before = self.topics.get(&name).cloned();
            let after = self.next(before.as_ref());
            self.pending = Some((name.clone(), after.clone()));
            match (&before, &after) {
                (None, Some(topic)) => create(connection, &name, topic).await?,
                (Some(_), None) => delete(connection, &name).await?,
                (_, Some(topic)) => alter(connection, &name, topic).await?,
                (None, None) => {}
            }
            self.acknowledge();
            let Some(mut topic) = after else { continue };
            topic.records += 1;
            self.pending = Some((name.clone(), Some(topic.clone())));
            let mut batch = BatchBuilder::new(CompressionSpec::None);
            batch.append(
                -1,
                None,
                Some(topic.incarnation.to_string().as_bytes()),
                &[],
            )?;
            let records = batch.build(0, -1, &mut Compressor::new())?;
            produce(connection, &name, 0, records).await?;
            self.acknowledge();
        }
        Ok(())
    }

    /// What becomes of a topic next.
    fn next(&mut self, before: Option<&Topic>) -> Option<Topic> {
        let retention_ms = SMALLEST_RETENTION_MS + self.random.below(1 << 40);
        match before {
            None => Some(Topic {
                partitions: 1 + self.random.below(4) as i32,
                retention_ms,
                incarnation: self.random.next() >> 1,
                records: 0,
            }),
            Some(_) if self.random.below(2) == 0 => None,
            Some(before) => Some(Topic {
                retention_ms,
                ..before.clone()
            }),
        }
    }

    fn acknowledge(&mut self) {
        if let Some((name, topic)) = self.pending.take() {
            self.set(name, topic);
            self.changes += 1;
        }
    }

    fn set(&mut self, name: String, topic: Option<Topic>) {
        match topic {
            Some(topic) => self.topics.insert(name, topic),
            None => self.topics.remove(&name),
        };
    }

    /// Every topic must be as it was acknowledged; the one that was being changed as before or after.
    pub async fn verify(&mut self, connection: &mut Connection) -> Result<(), Failure> {
        let partitions = partition_counts(connection).await?;
        let pending = self.pending.take();
        for number in 0..NAMES {
            let name = format!("{PREFIX}{number}");
            let found = match partitions.get(&name) {
                Some(&count) => Some(describe(connection, &name, count).await?),
                None => None,
            };
            let known = self.topics.get(&name).cloned();
            let after = pending.as_ref().filter(|(pending, _)| *pending == name);
            let is_known = is_same(&found, &known);
            if !is_known && !after.is_some_and(|(_, after)| is_same(&found, after)) {
                return Err(Failure::History(format!(
                    "topic {name} is {found:?}, and was {known:?}, about to be {after:?}"
                )));
            }
            let found = found.map(|found| Topic {
                // An empty topic does not say whose records it is to hold.
                incarnation: match (found.records, after, &known) {
                    (0, Some((_, Some(after))), _) => after.incarnation,
                    (0, _, Some(known)) => known.incarnation,
                    _ => found.incarnation,
                },
                ..found
            });
            self.set(name, found);
        }
        Ok(())
    }
}

fn is_same(found: &Option<Topic>, expected: &Option<Topic>) -> bool {
    match (found, expected) {
        (Some(found), Some(expected)) => {
            let is_right_record = found.records == 0 || found.incarnation == expected.incarnation;
            is_right_record
                && (found.partitions, found.retention_ms, found.records)
                    == (expected.partitions, expected.retention_ms, expected.records)
        }
        (None, None) => true,
        _ => false,
    }
}

async fn create(connection: &mut Connection, name: &str, topic: &Topic) -> Result<(), Failure> {
    let request = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: name.to_owned(),
            num_partitions: topic.partitions,
            replication_factor: 1,
            configs: vec![CreatableTopicConfig {
                name: RETENTION.to_owned(),
                value: Some(topic.retention_ms.to_string()),
                ..Default::default()
            }],
            ..Default::default()
        }],
        timeout_ms: 30_000,
        ..Default::default()
    };
    let response = connection.request_at(&request, 7).await?;
    granted(
        "a new topic",
        response.topics.iter().map(|topic| topic.error_code),
    )
}

async fn delete(connection: &mut Connection, name: &str) -> Result<(), Failure> {
    let request = DeleteTopicsRequest {
        topic_names: vec![name.to_owned()],
        timeout_ms: 30_000,
        ..Default::default()
    };
    let response = connection.request_at(&request, 5).await?;
    granted(
        "the end of a topic",
        response.responses.iter().map(|topic| topic.error_code),
    )
}

async fn alter(connection: &mut Connection, name: &str, topic: &Topic) -> Result<(), Failure> {
    let request = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: TOPIC_RESOURCE,
            resource_name: name.to_owned(),
            configs: vec![AlterableConfig {
                name: RETENTION.to_owned(),
                config_operation: SET,
                value: Some(topic.retention_ms.to_string()),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let response = connection.request_at(&request, 1).await?;
    granted(
        "a configuration",
        response.responses.iter().map(|one| one.error_code),
    )
}

async fn partition_counts(connection: &mut Connection) -> Result<BTreeMap<String, i32>, Failure> {
    let request = MetadataRequest {
        topics: None,
        ..Default::default()
    };
    let response = connection.request_at(&request, 9).await?;
    let topics = response.topics.into_iter();
    Ok(topics
        .filter_map(|topic| Some((topic.name?, topic.partitions.len() as i32)))
        .collect())
}

async fn describe(
    connection: &mut Connection,
    name: &str,
    partitions: i32,
) -> Result<Topic, Failure> {
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: TOPIC_RESOURCE,
            resource_name: name.to_owned(),
            configuration_keys: Some(vec![RETENTION.to_owned()]),
            ..Default::default()
        }],
        ..Default::default()
    };
    let response = connection.request_at(&request, 4).await?;
    granted(
        "a description",
        response.results.iter().map(|one| one.error_code),
    )?;
    let mut configs = response.results.into_iter().flat_map(|one| one.configs);
    let retention = configs.find_map(|config| config.value?.parse().ok());
    let values = read(connection, name, 0, 0).await?;
    let incarnation = values.first().copied().unwrap_or(0);
    if values.iter().any(|value| *value != incarnation) {
        return Err(Failure::History(format!(
            "topic {name} mixes records: {values:?}"
        )));
    }
    Ok(Topic {
        partitions,
        retention_ms: retention.unwrap_or(0),
        incarnation,
        records: values.len(),
    })
}
