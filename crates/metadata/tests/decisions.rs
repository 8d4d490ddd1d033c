//! Random decisions: what they make of the image is what its snapshot makes of an empty one, and
//! what the whole log makes of it.

use ottla_config::{BrokerConfig, ConfigMap};
use ottla_metadata::controller::brokers::{self, Registration};
use ottla_metadata::controller::topics::{create_partitions, create_topics, delete_topics};
use ottla_metadata::controller::{DecisionContext, producer_ids};
use ottla_metadata::{MetadataDelta, MetadataImage};
use ottla_protocol::messages::create_partitions_request::{
    CreatePartitionsRequest, CreatePartitionsTopic,
};
use ottla_protocol::messages::create_topics_request::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use ottla_protocol::messages::delete_topics_request::DeleteTopicsRequest;
use ottla_protocol::messages::metadata::MetadataRecord;
use ottla_protocol::{ErrorCode, Uuid};
use proptest::prelude::*;

/// What a step asks for; topics are numbered.
#[derive(Clone, Debug)]
enum Step {
    Create {
        topic: u8,
        partitions: i32,
        replicas: i16,
    },
    Grow {
        topic: u8,
        total: i32,
    },
    Delete {
        topic: u8,
    },
    ProducerIds,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0u8..6, -1i32..8, -1i16..4).prop_map(|(topic, partitions, replicas)| Step::Create {
            topic,
            partitions,
            replicas
        }),
        (0u8..6, 0i32..12).prop_map(|(topic, total)| Step::Grow { topic, total }),
        (0u8..6).prop_map(|topic| Step::Delete { topic }),
        Just(Step::ProducerIds),
        Just(Step::Restart),
    ]
}

struct Cluster {
    config: BrokerConfig,
    image: MetadataImage,
    log: Vec<MetadataRecord>,
    random: u64,
}

impl Cluster {
    fn new() -> Self {
        let (config, _) = BrokerConfig::load(None, ConfigMap::new(), &[]).unwrap();
        let mut cluster = Self {
            config,
            image: MetadataImage::default(),
            log: Vec::new(),
            random: 1,
        };
        cluster.take(Step::Restart);
        cluster
    }

    fn take(&mut self, step: Step) {
        let name = |topic: u8| format!("topic-{topic}");
        let mut state = self.random;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            u128::from(state)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
                .to_be_bytes()
        };
        let mut context = DecisionContext {
            config: &self.config,
            random: &mut random,
        };
        let records = match step {
            Step::Create {
                topic,
                partitions,
                replicas,
            } => {
                let config = CreatableTopicConfig {
                    name: "retention.ms".to_owned(),
                    value: Some("1000".to_owned()),
                    ..Default::default()
                };
                let topic = CreatableTopic {
                    name: name(topic),
                    num_partitions: partitions,
                    replication_factor: replicas,
                    configs: vec![config],
                    ..Default::default()
                };
                let request = CreateTopicsRequest {
                    topics: vec![topic],
                    ..Default::default()
                };
                create_topics(&self.image, &request, &mut context).records
            }
            Step::Grow { topic, total } => {
                let topic = CreatePartitionsTopic {
                    name: name(topic),
                    count: total,
                    assignments: None,
                    ..Default::default()
                };
                let request = CreatePartitionsRequest {
                    topics: vec![topic],
                    ..Default::default()
                };
                create_partitions(&self.image, &request, &mut context).records
            }
            Step::Delete { topic } => {
                let request = DeleteTopicsRequest {
                    topic_names: vec![name(topic)],
                    ..Default::default()
                };
                delete_topics(&self.image, &request, &context).records
            }
            Step::ProducerIds => producer_ids::allocate(&self.image, 1, 0).records,
            Step::Restart => {
                let registration = Registration {
                    broker_id: 1,
                    incarnation_id: Uuid::from_u128(9),
                    endpoints: Vec::new(),
                    rack: None,
                    log_dirs: vec![Uuid::from_u128(77)],
                };
                brokers::register(&self.image, &registration, self.log.len() as i64).records
            }
        };
        self.random = state;
        self.apply(records);
    }

    fn apply(&mut self, records: Vec<MetadataRecord>) {
        let before = self.image.clone();
        let mut delta = MetadataDelta::new(&self.image);
        for record in records {
            delta.apply(self.log.len() as i64, 1, &record);
            self.log.push(record);
        }
        self.image = delta.finish().0;
        self.image.check_invariants();
        for topic in before.topics().iter() {
            for (index, partition) in &topic.partitions {
                let after = self
                    .image
                    .topics()
                    .by_id(topic.id)
                    .and_then(|topic| topic.partitions.get(index));
                assert!(
                    after.is_none_or(|after| after.partition_epoch >= partition.partition_epoch),
                    "META-3"
                );
            }
        }
    }
}

fn replay(records: &[MetadataRecord]) -> MetadataImage {
    let mut delta = MetadataDelta::new(&MetadataImage::default());
    for (offset, record) in records.iter().enumerate() {
        delta.apply(offset as i64, 1, record);
    }
    delta.finish().0
}

/// Offset and epoch belong to the log, not to what it says.
fn same(one: &MetadataImage, other: &MetadataImage) -> bool {
    one.to_records() == other.to_records()
}

proptest! {
    #[test]
    fn decisions_log_and_snapshot_agree(steps in proptest::collection::vec(step(), 1..40)) {
        let mut cluster = Cluster::new();
        for step in steps {
            cluster.take(step);
        }
        prop_assert!(same(&replay(&cluster.log), &cluster.image));
        prop_assert!(same(&replay(&cluster.image.to_records()), &cluster.image));
    }
}

/// The code with which creating this topic is answered in a cluster that has `topic-0`.
fn create(name: &str, partitions: i32, replicas: i16, config: Option<(&str, &str)>) -> ErrorCode {
    let mut cluster = Cluster::new();
    cluster.take(Step::Create {
        topic: 0,
        partitions: 1,
        replicas: 1,
    });
    let config = config.map(|(name, value)| CreatableTopicConfig {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        ..Default::default()
    });
    let topic = CreatableTopic {
        name: name.to_owned(),
        num_partitions: partitions,
        replication_factor: replicas,
        configs: config.into_iter().collect(),
        ..Default::default()
    };
    let mut random = || [7; 16];
    let mut context = DecisionContext {
        config: &cluster.config,
        random: &mut random,
    };
    let request = CreateTopicsRequest {
        topics: vec![topic],
        ..Default::default()
    };
    let response = create_topics(&cluster.image, &request, &mut context).response;
    ErrorCode::from_code(response.topics[0].error_code).unwrap()
}

#[test]
fn topics_that_are_refused() {
    for (name, partitions, replicas, config, expected) in [
        ("new", 3, 1, None, ErrorCode::None),
        ("new", -1, -1, None, ErrorCode::None),
        ("new", 0, 1, None, ErrorCode::InvalidPartitions),
        ("new", 1, 2, None, ErrorCode::InvalidReplicationFactor),
        ("new", 1, 0, None, ErrorCode::InvalidReplicationFactor),
        ("topic-0", 1, 1, None, ErrorCode::TopicAlreadyExists),
        ("a b", 1, 1, None, ErrorCode::InvalidTopicException),
        ("", 1, 1, None, ErrorCode::InvalidTopicException),
        (
            "new",
            1,
            1,
            Some(("retention.ms", "x")),
            ErrorCode::InvalidConfig,
        ),
        (
            "new",
            1,
            1,
            Some(("no.such.property", "1")),
            ErrorCode::InvalidConfig,
        ),
    ] {
        assert_eq!(
            create(name, partitions, replicas, config),
            expected,
            "{name:?} {partitions} {replicas} {config:?}"
        );
    }
}
