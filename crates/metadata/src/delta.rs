//! Records on top of an image.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ottla_config::ConfigMap;
use ottla_protocol::Uuid;
use ottla_protocol::messages::metadata::{
    BrokerRegistrationChangeRecord, ConfigRecord, MetadataRecord,
};

use crate::image::{BrokerImage, ConfigResource, MetadataImage, PartitionImage, TopicImage};
use crate::retained::Retained;

/// What differs between two images.
#[derive(Clone, Debug, Default)]
pub struct MetadataChanges {
    /// Topics that are new or have other partitions now.
    pub topics: Vec<Arc<TopicImage>>,
    /// Topics that are gone.
    pub deleted_topics: Vec<Arc<TopicImage>>,
    /// Resources whose configuration is another.
    pub configs: BTreeSet<ConfigResource>,
}

/// An image being built from another.
#[derive(Clone, Debug)]
pub struct MetadataDelta {
    image: MetadataImage,
    /// Topics under change.
    topics: HashMap<Uuid, TopicImage>,
    configs: BTreeMap<ConfigResource, ConfigMap>,
    changes: MetadataChanges,
    /// The records of a transaction that has begun and not ended (KIP-868).
    transaction: Option<Vec<MetadataRecord>>,
}

impl MetadataDelta {
    /// Nothing on top of `image`.
    pub fn new(image: &MetadataImage) -> Self {
        Self {
            image: image.clone(),
            topics: HashMap::new(),
            configs: BTreeMap::new(),
            changes: MetadataChanges::default(),
            transaction: None,
        }
    }

    /// Applies the record at `offset`, written in `epoch`. What a record of a later release says
    /// that is not known here changes nothing.
    pub fn apply(&mut self, offset: i64, epoch: i32, record: &MetadataRecord) {
        self.image.offset = offset;
        self.image.epoch = epoch;
        match (record, &mut self.transaction) {
            (MetadataRecord::BeginTransaction(_), _) => self.transaction = Some(Vec::new()),
            (MetadataRecord::AbortTransaction(_), _) => self.transaction = None,
            (MetadataRecord::EndTransaction(_), transaction) => {
                for record in transaction.take().unwrap_or_default() {
                    self.replay(&record);
                }
            }
            (record, Some(transaction)) => transaction.push(record.clone()),
            (record, None) => self.replay(record),
        }
    }

    /// Whether a transaction has begun and not ended: its records do not count, and it must be
    /// aborted before anything else is written.
    pub fn in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    fn replay(&mut self, record: &MetadataRecord) {
        match record {
            MetadataRecord::Topic(topic) => {
                let created = TopicImage {
                    name: topic.name.as_str().into(),
                    id: topic.topic_id,
                    partitions: BTreeMap::new(),
                };
                self.topics.insert(topic.topic_id, created);
            }
            MetadataRecord::Partition(partition) => {
                if let Some(topic) = self.topic_mut(partition.topic_id) {
                    topic.partitions.insert(
                        partition.partition_id,
                        PartitionImage::from_record(partition),
                    );
                }
            }
            MetadataRecord::PartitionChange(change) => {
                let topic = self.topic_mut(change.topic_id);
                if let Some(partition) =
                    topic.and_then(|topic| topic.partitions.get_mut(&change.partition_id))
                {
                    partition.merge(change);
                }
            }
            MetadataRecord::ClearElr(cleared) => self.clear_elr(&cleared.topic_name),
            MetadataRecord::RemoveTopic(removed) => self.remove_topic(removed.topic_id),
            MetadataRecord::Config(config) => self.set_config(config),
            MetadataRecord::FeatureLevel(feature) => {
                let finalized = &mut Arc::make_mut(&mut self.image.features).finalized;
                match feature.feature_level {
                    0 => drop(finalized.remove(&feature.name)),
                    level => drop(finalized.insert(feature.name.clone(), level)),
                }
            }
            MetadataRecord::ProducerIds(ids) => self.image.next_producer_id = ids.next_producer_id,
            MetadataRecord::RegisterBroker(_)
            | MetadataRecord::UnregisterBroker(_)
            | MetadataRecord::FenceBroker(_)
            | MetadataRecord::UnfenceBroker(_)
            | MetadataRecord::BrokerRegistrationChange(_) => self.change_brokers(record),
            other if Retained::concerns(other) => {
                Arc::make_mut(&mut self.image.retained).apply(other)
            }
            _ => {}
        }
    }

    /// The next image, and what differs.
    pub fn finish(mut self) -> (MetadataImage, MetadataChanges) {
        for (_, topic) in self.topics {
            let topic = Arc::new(topic);
            self.image.topics.put(Arc::clone(&topic));
            self.changes.topics.push(topic);
        }
        for (resource, config) in self.configs {
            match config.is_empty() {
                true => drop(self.image.configs.by_resource.remove(&resource)),
                false => drop(
                    self.image
                        .configs
                        .by_resource
                        .insert(resource.clone(), Arc::new(config)),
                ),
            }
            self.changes.configs.insert(resource);
        }
        if cfg!(debug_assertions) {
            self.image.check_invariants();
        }
        (self.image, self.changes)
    }

    fn topic_mut(&mut self, id: Uuid) -> Option<&mut TopicImage> {
        if !self.topics.contains_key(&id) {
            let topic = self.image.topics.by_id(id)?;
            self.topics.insert(id, TopicImage::clone(topic));
        }
        self.topics.get_mut(&id)
    }

    /// Forgets the eligible leader replicas of a topic, or of all when the name is empty (KIP-966).
    fn clear_elr(&mut self, name: &str) {
        let is_meant = |topic: &TopicImage| name.is_empty() || &*topic.name == name;
        let stored = self.image.topics.iter().map(|topic| &**topic);
        let ids: Vec<Uuid> = stored
            .chain(self.topics.values())
            .filter(|topic| is_meant(topic))
            .map(|topic| topic.id)
            .collect();
        for id in ids {
            for partition in self
                .topic_mut(id)
                .into_iter()
                .flat_map(|topic| topic.partitions.values_mut())
            {
                partition.elr.clear();
                partition.last_known_elr.clear();
            }
        }
    }

    fn remove_topic(&mut self, id: Uuid) {
        let under_change = self.topics.remove(&id).map(Arc::new);
        let Some(removed) = self.image.topics.remove(id).or(under_change) else {
            return;
        };
        let resource = ConfigResource::Topic(removed.name.to_string());
        self.configs.insert(resource, ConfigMap::new());
        self.changes.deleted_topics.push(removed);
    }

    fn set_config(&mut self, record: &ConfigRecord) {
        let Some(resource) = ConfigResource::from_wire(record.resource_type, &record.resource_name)
        else {
            return;
        };
        let stored = &self.image.configs;
        let config = self
            .configs
            .entry(resource)
            .or_insert_with_key(|resource| ConfigMap::clone(&stored.of_or_empty(resource)));
        match &record.value {
            Some(value) => drop(config.insert(record.name.clone(), value.clone())),
            None => drop(config.remove(&record.name)),
        }
    }

    fn change_brokers(&mut self, record: &MetadataRecord) {
        let brokers = &mut Arc::make_mut(&mut self.image.cluster).brokers;
        let mut fence = |id: i32, fenced: bool| {
            if let Some(broker) = brokers.get_mut(&id) {
                Arc::make_mut(broker).registration.fenced = fenced;
            }
        };
        match record {
            MetadataRecord::FenceBroker(fenced) => fence(fenced.id, true),
            MetadataRecord::UnfenceBroker(unfenced) => fence(unfenced.id, false),
            MetadataRecord::RegisterBroker(registration) => {
                brokers.insert(
                    registration.broker_id,
                    Arc::new(BrokerImage::new(registration.clone())),
                );
            }
            MetadataRecord::UnregisterBroker(removed) => drop(brokers.remove(&removed.broker_id)),
            MetadataRecord::BrokerRegistrationChange(change) => {
                if let Some(broker) = brokers.get_mut(&change.broker_id) {
                    merge_registration(&mut Arc::make_mut(broker).registration, change);
                }
            }
            _ => {}
        }
    }
}

/// Source: `ClusterDelta.changeBroker`: 1 sets, -1 clears, 0 leaves as it is.
fn merge_registration(
    registration: &mut ottla_protocol::messages::metadata::RegisterBrokerRecord,
    change: &BrokerRegistrationChangeRecord,
) {
    let set = |field: &mut bool, change: i8| match change {
        1 => *field = true,
        -1 => *field = false,
        _ => {}
    };
    set(&mut registration.fenced, change.fenced);
    set(
        &mut registration.in_controlled_shutdown,
        change.in_controlled_shutdown,
    );
    if !change.log_dirs.is_empty() {
        registration.log_dirs.clone_from(&change.log_dirs);
    }
    if change.cordoned_log_dirs.is_some() {
        registration
            .cordoned_log_dirs
            .clone_from(&change.cordoned_log_dirs);
    }
}
