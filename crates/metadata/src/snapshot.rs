//! An image as records: what a snapshot holds.

use ottla_protocol::messages::metadata::{
    ConfigRecord, FeatureLevelRecord, MetadataRecord, PartitionRecord, ProducerIdsRecord,
    TopicRecord,
};

use crate::image::{MetadataImage, PartitionImage, TopicImage};

/// The feature that says which records there may be; it comes first.
pub(crate) const METADATA_VERSION: &str = "metadata.version";

impl MetadataImage {
    /// The records that make this image from an empty one.
    pub fn to_records(&self) -> Vec<MetadataRecord> {
        let mut records = Vec::new();
        let is_version = |name: &str| name == METADATA_VERSION;
        let feature = |(name, level): (&str, i16)| {
            MetadataRecord::FeatureLevel(FeatureLevelRecord {
                name: name.to_owned(),
                feature_level: level,
                ..Default::default()
            })
        };
        records.extend(
            self.features
                .finalized()
                .filter(|(name, _)| is_version(name))
                .map(feature),
        );
        records.extend(
            self.features
                .finalized()
                .filter(|(name, _)| !is_version(name))
                .map(feature),
        );
        let brokers = self.cluster.brokers();
        records.extend(
            brokers.map(|broker| MetadataRecord::RegisterBroker(broker.registration.clone())),
        );
        self.topics
            .iter()
            .for_each(|topic| push_topic(&mut records, topic));
        for (resource, config) in self.configs.iter() {
            records.extend(config.iter().map(|(name, value)| {
                MetadataRecord::Config(ConfigRecord {
                    resource_type: resource.wire_type(),
                    resource_name: resource.wire_name(),
                    name: name.clone(),
                    value: Some(value.clone()),
                    ..Default::default()
                })
            }));
        }
        if self.next_producer_id > 0 {
            records.push(MetadataRecord::ProducerIds(ProducerIdsRecord {
                broker_id: -1,
                broker_epoch: -1,
                next_producer_id: self.next_producer_id,
                ..Default::default()
            }));
        }
        records.extend(self.retained.records().cloned());
        records
    }
}

fn push_topic(records: &mut Vec<MetadataRecord>, topic: &TopicImage) {
    let record = TopicRecord {
        name: topic.name.to_string(),
        topic_id: topic.id,
        ..Default::default()
    };
    records.push(MetadataRecord::Topic(record));
    for (index, partition) in &topic.partitions {
        records.push(MetadataRecord::Partition(partition_record(
            topic.id, *index, partition,
        )));
    }
}

pub(crate) fn partition_record(
    topic_id: ottla_protocol::Uuid,
    partition_id: i32,
    partition: &PartitionImage,
) -> PartitionRecord {
    let unless_empty = |replicas: &Vec<i32>| (!replicas.is_empty()).then(|| replicas.clone());
    PartitionRecord {
        partition_id,
        topic_id,
        replicas: partition.replicas.clone(),
        isr: partition.isr.clone(),
        removing_replicas: partition.removing_replicas.clone(),
        adding_replicas: partition.adding_replicas.clone(),
        leader: partition.leader,
        leader_recovery_state: partition.leader_recovery_state,
        leader_epoch: partition.leader_epoch,
        partition_epoch: partition.partition_epoch,
        directories: partition.directories.clone(),
        eligible_leader_replicas: unless_empty(&partition.elr),
        last_known_elr: unless_empty(&partition.last_known_elr),
        ..Default::default()
    }
}
