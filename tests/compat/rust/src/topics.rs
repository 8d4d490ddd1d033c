//! Topics and their configuration.

use futures_executor::block_on;
use rdkafka::admin::{
    AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::types::RDKafkaErrorCode;

use crate::client::{Broker, DEADLINE, eventually};

pub fn topics(broker: &Broker) {
    let (admin, options) = (broker.admin(), AdminOptions::new());
    let topic = broker.new_topic("topics", 3, &[("retention.ms", "3600000")]);
    let partitions = || {
        let metadata = admin
            .inner()
            .fetch_metadata(None, DEADLINE)
            .expect("metadata");
        metadata
            .topics()
            .iter()
            .find(|found| found.name() == topic)
            .map_or(0, |found| found.partitions().len())
    };
    assert_eq!(partitions(), 3);
    let create = |name: &str, replicas, options: &AdminOptions| {
        let new = NewTopic::new(name, 1, TopicReplication::Fixed(replicas));
        block_on(admin.create_topics([&new], options))
            .expect("an answer")
            .remove(0)
            .map_err(|(_, code)| code)
    };
    assert_eq!(
        create(&topic, 1, &options),
        Err(RDKafkaErrorCode::TopicAlreadyExists)
    );
    assert_eq!(
        create("bad name!", 1, &options),
        Err(RDKafkaErrorCode::InvalidTopic)
    );
    assert_eq!(
        create(&format!("{topic}x"), 7, &options),
        Err(RDKafkaErrorCode::InvalidReplicationFactor)
    );
    let checked = format!("{topic}y");
    assert_eq!(
        create(&checked, 1, &AdminOptions::new().validate_only(true)),
        Ok(checked.clone())
    );
    let grow = |to| {
        let new = NewPartitions::new(&topic, to);
        block_on(admin.create_partitions([&new], &options))
            .expect("an answer")
            .remove(0)
            .map_err(|(_, code)| code)
    };
    assert_eq!(grow(5), Ok(topic.clone()));
    eventually("5 partitions", || partitions() == 5);
    assert_eq!(grow(4), Err(RDKafkaErrorCode::InvalidPartitions));
    let delete = |name: &str| {
        block_on(admin.delete_topics(&[name], &options))
            .expect("an answer")
            .remove(0)
            .map_err(|(_, code)| code)
    };
    assert_eq!(delete(&topic), Ok(topic.clone()));
    eventually("the topic is gone", || partitions() == 0);
    for absent in [&topic, &checked] {
        assert_eq!(
            delete(absent),
            Err(RDKafkaErrorCode::UnknownTopicOrPartition)
        );
    }
}

pub fn configs(broker: &Broker) {
    let (admin, options) = (broker.admin(), AdminOptions::new());
    let topic = broker.new_topic("configs", 1, &[]);
    let is = |resource: ResourceSpecifier<'_>, name: &str, want: &str| {
        let described = block_on(admin.describe_configs([&resource], &options))
            .expect("an answer")
            .remove(0);
        described
            .expect("described")
            .get(name)
            .expect("the config")
            .value
            .as_deref()
            == Some(want)
    };
    let alter = |name, value| {
        let alter = AlterConfig::new(ResourceSpecifier::Topic(&topic)).set(name, value);
        block_on(admin.alter_configs([&alter], &options))
            .expect("an answer")
            .remove(0)
            .map_err(|(_, code)| code)
    };
    assert!(is(
        ResourceSpecifier::Topic(&topic),
        "retention.ms",
        "604800000"
    ));
    assert!(alter("retention.ms", "7200000").is_ok());
    eventually("altered", || {
        is(ResourceSpecifier::Topic(&topic), "retention.ms", "7200000")
    });
    // The library does not hand the refusal of a resource on; what counts is that nothing changes.
    let _ = alter("segment.bytes", "many");
    assert!(is(
        ResourceSpecifier::Topic(&topic),
        "retention.ms",
        "7200000"
    ));
    assert!(is(ResourceSpecifier::Broker(1), "node.id", "1"));
}
