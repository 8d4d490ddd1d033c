//! Makes this broker what the newest metadata says: which partitions it keeps and leads, how topics
//! and the broker itself are configured.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use ottla_config::{BrokerConfig, ConfigMap, TopicConfig, with_stored_dynamic};
use ottla_metadata::{ConfigResource, MetadataChanges, MetadataImage, PartitionImage, TopicImage};
use ottla_protocol::Uuid;
use ottla_protocol::ids::{BrokerId, LeaderEpoch, TopicId, TopicPartition};
use ottla_storage::{LogConfig, LogManager};
use tokio::sync::watch;
use tracing::{error, warn};

use crate::clock::Clock;
use crate::coordinator_host::CoordinatorHost;
use crate::internal_topics::CONSUMER_OFFSETS;
use crate::partition::Partition;
use crate::partitions::{Partitions, TopicPartitions};

/// Where a partition in new metadata comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// It was there before this start, and so was its log.
    Known,
    /// It was made just now.
    Created,
}

/// What a changed configuration of the broker is handed to.
pub type ConfigListener = Box<dyn Fn(&Arc<BrokerConfig>) + Send + Sync>;

/// Applies metadata to this broker.
pub struct MetadataPublisher {
    broker_id: BrokerId,
    clock: Clock,
    image: ArcSwap<MetadataImage>,
    config: ArcSwap<BrokerConfig>,
    configs: watch::Sender<Arc<BrokerConfig>>,
    logs: Arc<LogManager>,
    partitions: Arc<Partitions>,
    groups: Arc<CoordinatorHost>,
    config_listener: std::sync::OnceLock<ConfigListener>,
}

impl MetadataPublisher {
    /// A publisher that has published nothing yet.
    pub fn new(
        config: Arc<BrokerConfig>,
        clock: Clock,
        logs: Arc<LogManager>,
        partitions: Arc<Partitions>,
        groups: Arc<CoordinatorHost>,
    ) -> Self {
        Self {
            broker_id: BrokerId(config.node_id),
            clock,
            image: ArcSwap::from_pointee(MetadataImage::default()),
            configs: watch::Sender::new(Arc::clone(&config)),
            config: ArcSwap::new(config),
            logs,
            partitions,
            groups,
            config_listener: std::sync::OnceLock::new(),
        }
    }

    /// Who is told when the broker's configuration changes; set once.
    pub fn on_config(&self, listener: ConfigListener) {
        let _ = self.config_listener.set(listener);
    }

    /// The newest image.
    pub fn image(&self) -> Arc<MetadataImage> {
        self.image.load_full()
    }

    /// The broker's configuration, dynamic properties included.
    pub fn config(&self) -> Arc<BrokerConfig> {
        self.config.load_full()
    }

    /// As [`MetadataPublisher::config`], for those who wait for changes.
    pub fn configs(&self) -> watch::Receiver<Arc<BrokerConfig>> {
        self.configs.subscribe()
    }

    /// The configuration of a topic in the newest image.
    pub fn topic_config(&self, topic: &str) -> Arc<TopicConfig> {
        let overrides = self
            .image
            .load()
            .configs()
            .of_or_empty(&ConfigResource::Topic(topic.to_owned()));
        Arc::new(effective(&self.config.load(), topic, &overrides))
    }

    /// Publishes the image that the log gave on start: everything in it is new, and logs of topics
    /// that it does not know are strays.
    pub fn publish_first(&self, image: MetadataImage) {
        let changes = MetadataChanges {
            topics: image.topics().iter().cloned().collect(),
            configs: image
                .configs()
                .iter()
                .map(|(resource, _)| resource.clone())
                .collect(),
            ..Default::default()
        };
        self.put_strays_aside(&image);
        self.apply(image, &changes, Origin::Known);
    }

    /// Makes `image` the newest and acts on what changed. Called by the controller's thread alone.
    pub fn publish(&self, image: MetadataImage, changes: &MetadataChanges) {
        self.apply(image, changes, Origin::Created);
    }

    fn apply(&self, image: MetadataImage, changes: &MetadataChanges, origin: Origin) {
        self.image.store(Arc::new(image));
        if changes
            .configs
            .iter()
            .any(|resource| matches!(resource, ConfigResource::Broker(_)))
        {
            self.apply_broker_config();
        } else {
            self.apply_topic_configs(changes);
        }
        let mut tables: Vec<(Uuid, Option<TopicPartitions>)> = Vec::new();
        for topic in &changes.deleted_topics {
            self.stop_topic(topic);
            tables.push((topic.id, None));
        }
        if !changes.deleted_topics.is_empty() {
            // Looked up no more before the files go and the name may come back.
            self.partitions.replace(std::mem::take(&mut tables));
            for topic in &changes.deleted_topics {
                for &index in topic.partitions.keys() {
                    self.delete_log(&TopicPartition::new(&*topic.name, index));
                }
            }
            self.forget_offsets(&changes.deleted_topics);
        }
        for topic in &changes.topics {
            tables.push((topic.id, Some(self.keep_topic(topic, origin))));
        }
        self.partitions.replace(tables);
        for topic in changes
            .topics
            .iter()
            .filter(|topic| &*topic.name == CONSUMER_OFFSETS)
        {
            self.coordinate(topic);
        }
    }

    fn keep_topic(&self, topic: &TopicImage, origin: Origin) -> TopicPartitions {
        let config = self.topic_config(&topic.name);
        let known = self.partitions.topic(topic.id);
        let mut by_index = HashMap::with_capacity(topic.partitions.len());
        let mut unavailable = HashSet::new();
        for (&index, image) in &topic.partitions {
            if !image.replicas.contains(&self.broker_id.0) {
                continue;
            }
            let existing = known
                .as_ref()
                .and_then(|known| known.by_index.get(&index).cloned());
            let was_unavailable = known
                .as_ref()
                .is_some_and(|known| known.unavailable.contains(&index));
            let origin = match was_unavailable {
                true => Origin::Known,
                false => origin,
            };
            match existing.or_else(|| self.open(topic, index, origin, &config)) {
                Some(partition) => {
                    self.lead_or_resign(&partition, image);
                    by_index.insert(index, partition);
                }
                None => {
                    unavailable.insert(index);
                }
            }
        }
        TopicPartitions {
            name: Arc::clone(&topic.name),
            by_index,
            unavailable,
        }
    }

    fn open(
        &self,
        topic: &TopicImage,
        index: i32,
        origin: Origin,
        config: &Arc<TopicConfig>,
    ) -> Option<Arc<Partition>> {
        let topic_partition = TopicPartition::new(&*topic.name, index);
        let is_lost = origin == Origin::Known && self.logs.get(&topic_partition).is_none();
        if is_lost
            && self
                .logs
                .may_be_elsewhere(self.assigned_directory(topic, index))
        {
            error!(partition = %topic_partition, "this partition stays unavailable: its log is in a directory that cannot be used, or that is not in log.dirs any more");
            return None;
        }
        if is_lost {
            warn!(partition = %topic_partition, "this partition has no log and begins empty: its files are gone, or the broker stopped right behind its creation");
        }
        let now_ms = self.clock.now_ms();
        match self.logs.create(
            &topic_partition,
            TopicId(topic.id),
            log_config(config),
            now_ms,
        ) {
            Ok(log) => {
                log.update_config(log_config(config));
                Some(Arc::new(Partition::new(
                    topic_partition,
                    log,
                    Arc::clone(config),
                )))
            }
            Err(error) => {
                error!(partition = %topic_partition, %error, "this partition has no log and stays unavailable");
                None
            }
        }
    }

    /// The log directory that the metadata names for this broker's replica.
    fn assigned_directory(&self, topic: &TopicImage, index: i32) -> Option<Uuid> {
        let image = topic.partitions.get(&index)?;
        let is_ours = |id: &i32| *id == self.broker_id.0;
        let at = image.replicas.iter().position(is_ours)?;
        image.directories.get(at).copied()
    }

    fn lead_or_resign(&self, partition: &Partition, image: &PartitionImage) {
        match image.leader == self.broker_id.0 {
            true => partition.become_leader(
                LeaderEpoch(image.leader_epoch),
                image.replicas.len(),
                image.isr.len(),
            ),
            false => partition.resign(),
        }
    }

    fn stop_topic(&self, topic: &TopicImage) {
        for &index in topic.partitions.keys() {
            if let Ok(partition) = self.partitions.by_topic_id(topic.id, index) {
                partition.resign();
            }
            if &*topic.name == CONSUMER_OFFSETS {
                self.groups.unload(index);
            }
        }
    }

    fn delete_log(&self, topic_partition: &TopicPartition) {
        let now_ms = self.clock.now_ms();
        if let Err(error) = self.logs.delete(topic_partition, unique(), now_ms) {
            error!(partition = %topic_partition, %error, "the files of a deleted partition could not be put aside");
        }
    }

    fn forget_offsets(&self, deleted: &[Arc<TopicImage>]) {
        let partitions: Vec<TopicPartition> = deleted
            .iter()
            .flat_map(|topic| {
                topic
                    .partitions
                    .keys()
                    .map(|&index| TopicPartition::new(&*topic.name, index))
            })
            .collect();
        self.groups
            .decide_in_all(|shard, _| shard.partitions_deleted(&partitions));
    }

    fn coordinate(&self, topic: &TopicImage) {
        self.groups.set_partitions(topic.partitions.len() as i32);
        for (&index, image) in &topic.partitions {
            let partition = self.partitions.by_topic_id(topic.id, index);
            match partition {
                Ok(partition) if image.leader == self.broker_id.0 => {
                    self.groups.load(index, partition)
                }
                _ => self.groups.unload(index),
            }
        }
    }

    fn put_strays_aside(&self, image: &MetadataImage) {
        for log in self.logs.logs() {
            let topic_partition = log.topic_partition();
            let topic = image.topics().by_name(&topic_partition.topic);
            let belongs = topic.is_some_and(|topic| {
                topic.partitions.contains_key(&topic_partition.partition.0)
                    && log.topic_id().is_none_or(|id| id.0 == topic.id)
            });
            if !belongs && let Err(error) = self.logs.put_aside(topic_partition, unique()) {
                error!(partition = %topic_partition, %error, "the files of a partition that belongs to no topic could not be put aside");
            }
        }
    }

    fn apply_broker_config(&self) {
        let image = self.image.load();
        let stored = |id| image.configs().of_or_empty(&ConfigResource::Broker(id));
        match with_stored_dynamic(
            &self.config.load(),
            &stored(None),
            &stored(Some(self.broker_id)),
        ) {
            Ok((config, ignored)) => {
                for property in ignored {
                    warn!(property = property.name, error = %property.error, "a stored property of the broker is left out");
                }
                let config = Arc::new(config);
                self.config.store(Arc::clone(&config));
                if let Some(listener) = self.config_listener.get() {
                    listener(&config);
                }
                self.configs.send_replace(config);
            }
            Err(error) => {
                warn!(%error, "the stored properties of the broker do not fit together and are left out")
            }
        }
        // The broker's properties are the defaults of every topic.
        self.update_topics(|_| true);
    }

    fn apply_topic_configs(&self, changes: &MetadataChanges) {
        let changed: HashSet<&str> = changes
            .configs
            .iter()
            .filter_map(|resource| match resource {
                ConfigResource::Topic(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        if !changed.is_empty() {
            self.update_topics(|name| changed.contains(name));
        }
    }

    fn update_topics(&self, is_concerned: impl Fn(&str) -> bool) {
        let mut configs: HashMap<String, Arc<TopicConfig>> = HashMap::new();
        for partition in self.partitions.all() {
            let topic = &partition.topic_partition().topic;
            if !is_concerned(topic) {
                continue;
            }
            let config = configs
                .entry(topic.clone())
                .or_insert_with(|| self.topic_config(topic));
            partition.update_config(Arc::clone(config));
            partition.log().update_config(log_config(config));
        }
    }
}

/// What makes the name of a directory that is put aside unique.
fn unique() -> Uuid {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Uuid::from_u128(u128::from_be_bytes(bytes)),
        Err(_) => Uuid::ZERO,
    }
}

fn effective(broker: &BrokerConfig, topic: &str, overrides: &ConfigMap) -> TopicConfig {
    TopicConfig::new(&broker.topic_defaults, overrides).unwrap_or_else(|error| {
        warn!(topic, %error, "the stored configuration of a topic is invalid: its defaults hold");
        TopicConfig::default_of(&broker.topic_defaults)
    })
}

/// What a log needs of its topic's configuration.
pub fn log_config(config: &TopicConfig) -> LogConfig {
    let bytes = |value: i32| usize::try_from(value).unwrap_or(0);
    LogConfig {
        segment_bytes: u32::try_from(config.segment_bytes).unwrap_or(u32::MAX),
        segment_ms: config.max_segment_ms(),
        segment_jitter_ms: config.segment_jitter_ms,
        segment_index_bytes: bytes(config.segment_index_bytes),
        index_interval_bytes: bytes(config.index_interval_bytes),
        flush_messages: config.flush_messages,
        flush_ms: config.flush_ms,
        file_delete_delay_ms: config.file_delete_delay_ms,
        preallocate: config.preallocate,
    }
}
