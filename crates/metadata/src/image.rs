//! What the records up to an offset say.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use ottla_config::ConfigMap;
use ottla_protocol::Uuid;
use ottla_protocol::ids::BrokerId;
use ottla_protocol::messages::metadata::{
    PartitionChangeRecord, PartitionRecord, RegisterBrokerRecord,
};

use crate::retained::Retained;

/// A partition without a leader.
pub const NO_LEADER: i32 = -1;
/// PartitionChangeRecord's leader when it does not change.
pub const NO_LEADER_CHANGE: i32 = -2;

/// One partition. Source: PartitionRecord.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionImage {
    /// The brokers that keep it, the preferred leader first.
    pub replicas: Vec<i32>,
    /// The replicas in sync.
    pub isr: Vec<i32>,
    /// Replicas that may lead although they are not in sync (KIP-966).
    pub elr: Vec<i32>,
    /// The last replicas known to have all records (KIP-966).
    pub last_known_elr: Vec<i32>,
    /// Replicas that a reassignment takes away.
    pub removing_replicas: Vec<i32>,
    /// Replicas that a reassignment adds.
    pub adding_replicas: Vec<i32>,
    /// The leader, or -1.
    pub leader: i32,
    /// 0 recovered, 1 recovering from an unclean election.
    pub leader_recovery_state: i8,
    /// Counts leaders.
    pub leader_epoch: i32,
    /// Counts changes.
    pub partition_epoch: i32,
    /// The log directory of each replica.
    pub directories: Vec<Uuid>,
}

impl PartitionImage {
    /// The partition that `record` begins.
    pub(crate) fn from_record(record: &PartitionRecord) -> Self {
        Self {
            replicas: record.replicas.clone(),
            isr: record.isr.clone(),
            elr: record.eligible_leader_replicas.clone().unwrap_or_default(),
            last_known_elr: record.last_known_elr.clone().unwrap_or_default(),
            removing_replicas: record.removing_replicas.clone(),
            adding_replicas: record.adding_replicas.clone(),
            leader: record.leader,
            leader_recovery_state: record.leader_recovery_state,
            leader_epoch: record.leader_epoch,
            partition_epoch: record.partition_epoch,
            directories: record.directories.clone(),
        }
    }

    /// Applies what `record` changes. Source: `PartitionRegistration.merge`.
    pub(crate) fn merge(&mut self, record: &PartitionChangeRecord) {
        let set = |field: &mut Vec<i32>, value: &Option<Vec<i32>>| {
            if let Some(value) = value {
                field.clone_from(value);
            }
        };
        set(&mut self.replicas, &record.replicas);
        set(&mut self.isr, &record.isr);
        set(&mut self.elr, &record.eligible_leader_replicas);
        set(&mut self.last_known_elr, &record.last_known_elr);
        set(&mut self.removing_replicas, &record.removing_replicas);
        set(&mut self.adding_replicas, &record.adding_replicas);
        if let Some(directories) = &record.directories {
            self.directories.clone_from(directories);
        }
        if record.leader != NO_LEADER_CHANGE {
            self.leader = record.leader;
            self.leader_epoch = self.leader_epoch.saturating_add(1);
        }
        if record.leader_recovery_state >= 0 {
            self.leader_recovery_state = record.leader_recovery_state;
        }
        self.partition_epoch = self.partition_epoch.saturating_add(1);
    }

    fn check_invariants(&self) {
        assert!(
            self.leader == NO_LEADER || self.isr.contains(&self.leader),
            "META-1: {self:?}"
        );
        assert!(
            self.isr
                .iter()
                .all(|replica| self.replicas.contains(replica)),
            "META-2: {self:?}"
        );
    }
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicImage {
    /// Its name.
    pub name: Arc<str>,
    /// Its id.
    pub id: Uuid,
    /// Its partitions by index.
    pub partitions: BTreeMap<i32, PartitionImage>,
}

/// All topics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicsImage {
    pub(crate) by_name: imbl::OrdMap<Arc<str>, Arc<TopicImage>>,
    pub(crate) names: imbl::HashMap<Uuid, Arc<str>>,
}

impl TopicsImage {
    /// The topic of this name.
    pub fn by_name(&self, name: &str) -> Option<&Arc<TopicImage>> {
        self.by_name.get(name)
    }

    /// The topic of this id.
    pub fn by_id(&self, id: Uuid) -> Option<&Arc<TopicImage>> {
        self.by_name.get(self.names.get(&id)?)
    }

    /// All topics by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<TopicImage>> {
        self.by_name.values()
    }

    /// The topics from `name` on, by name.
    pub fn iter_from<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Arc<TopicImage>> {
        let bounds = (Bound::Included(name), Bound::Unbounded);
        self.by_name.range::<_, str>(bounds).map(|(_, topic)| topic)
    }

    /// Number of topics.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is no topic.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    pub(crate) fn put(&mut self, topic: Arc<TopicImage>) {
        self.names.insert(topic.id, Arc::clone(&topic.name));
        self.by_name.insert(Arc::clone(&topic.name), topic);
    }

    pub(crate) fn remove(&mut self, id: Uuid) -> Option<Arc<TopicImage>> {
        self.by_name.remove(&self.names.remove(&id)?)
    }
}

/// Where a broker or controller listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The listener's name.
    pub name: String,
    /// The host that clients are told.
    pub host: String,
    /// The port that clients are told.
    pub port: u16,
    /// How it is secured, by Kafka's number.
    pub security_protocol: i16,
}

/// One registered broker.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerImage {
    /// Its record, kept up to date.
    pub registration: RegisterBrokerRecord,
    /// Where it listens.
    pub endpoints: Vec<Endpoint>,
}

impl BrokerImage {
    pub(crate) fn new(registration: RegisterBrokerRecord) -> Self {
        let endpoints = registration.end_points.iter().map(|endpoint| Endpoint {
            name: endpoint.name.clone(),
            host: endpoint.host.clone(),
            port: endpoint.port,
            security_protocol: endpoint.security_protocol,
        });
        Self {
            endpoints: endpoints.collect(),
            registration,
        }
    }

    /// Its id.
    pub fn id(&self) -> BrokerId {
        BrokerId(self.registration.broker_id)
    }

    /// Its epoch: the offset of its registration.
    pub fn broker_epoch(&self) -> i64 {
        self.registration.broker_epoch
    }

    /// Whether clients are kept away from it.
    pub fn is_fenced(&self) -> bool {
        self.registration.fenced
    }

    /// Its rack.
    pub fn rack(&self) -> Option<&str> {
        self.registration.rack.as_deref()
    }

    /// Where it listens under this name.
    pub fn endpoint(&self, listener: &str) -> Option<&Endpoint> {
        self.endpoints
            .iter()
            .find(|endpoint| endpoint.name == listener)
    }
}

/// All registered brokers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterImage {
    pub(crate) brokers: BTreeMap<i32, Arc<BrokerImage>>,
}

impl ClusterImage {
    /// All brokers by id, fenced ones too.
    pub fn brokers(&self) -> impl Iterator<Item = &Arc<BrokerImage>> {
        self.brokers.values()
    }

    /// One broker.
    pub fn broker(&self, id: BrokerId) -> Option<&Arc<BrokerImage>> {
        self.brokers.get(&id.0)
    }
}

/// The finalized feature levels (KIP-584).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeaturesImage {
    pub(crate) finalized: BTreeMap<String, i16>,
}

impl FeaturesImage {
    /// Name and level of each finalized feature.
    pub fn finalized(&self) -> impl Iterator<Item = (&str, i16)> {
        self.finalized
            .iter()
            .map(|(name, level)| (name.as_str(), *level))
    }

    /// The level of a feature, 0 when it is not finalized.
    pub fn level(&self, name: &str) -> i16 {
        self.finalized.get(name).copied().unwrap_or(0)
    }
}

/// What a configuration belongs to. Source: `ConfigResource.Type`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigResource {
    /// A topic (2).
    Topic(String),
    /// A broker, or all brokers (4).
    Broker(Option<BrokerId>),
    /// A client metrics subscription (16).
    ClientMetrics(String),
    /// A group (32).
    Group(String),
}

impl ConfigResource {
    /// The resource of a type's number and a name, if it can have a stored configuration.
    pub fn from_wire(resource_type: i8, name: &str) -> Option<Self> {
        match resource_type {
            2 => Some(Self::Topic(name.to_owned())),
            4 if name.is_empty() => Some(Self::Broker(None)),
            4 => name.parse().ok().map(|id| Self::Broker(Some(BrokerId(id)))),
            16 => Some(Self::ClientMetrics(name.to_owned())),
            32 => Some(Self::Group(name.to_owned())),
            _ => None,
        }
    }

    /// The type's number.
    pub fn wire_type(&self) -> i8 {
        match self {
            Self::Topic(_) => 2,
            Self::Broker(_) => 4,
            Self::ClientMetrics(_) => 16,
            Self::Group(_) => 32,
        }
    }

    /// The resource's name, empty for all brokers.
    pub fn wire_name(&self) -> String {
        match self {
            Self::Topic(name) | Self::ClientMetrics(name) | Self::Group(name) => name.clone(),
            Self::Broker(id) => id.map(|id| id.to_string()).unwrap_or_default(),
        }
    }
}

/// The stored configurations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfigsImage {
    pub(crate) by_resource: imbl::OrdMap<ConfigResource, Arc<ConfigMap>>,
}

impl ConfigsImage {
    /// The configuration of a resource, if it has any.
    pub fn of(&self, resource: &ConfigResource) -> Option<&Arc<ConfigMap>> {
        self.by_resource.get(resource)
    }

    /// The configuration of a resource, empty if it has none.
    pub fn of_or_empty(&self, resource: &ConfigResource) -> Arc<ConfigMap> {
        self.of(resource).cloned().unwrap_or_default()
    }

    /// All configurations.
    pub fn iter(&self) -> impl Iterator<Item = (&ConfigResource, &Arc<ConfigMap>)> {
        self.by_resource.iter()
    }
}

/// Everything that the records up to an offset say.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataImage {
    pub(crate) offset: i64,
    pub(crate) epoch: i32,
    pub(crate) features: Arc<FeaturesImage>,
    pub(crate) cluster: Arc<ClusterImage>,
    pub(crate) topics: TopicsImage,
    pub(crate) configs: ConfigsImage,
    pub(crate) next_producer_id: i64,
    pub(crate) retained: Arc<Retained>,
}

impl Default for MetadataImage {
    fn default() -> Self {
        Self {
            offset: -1,
            epoch: -1,
            features: Arc::default(),
            cluster: Arc::default(),
            topics: TopicsImage::default(),
            configs: ConfigsImage::default(),
            next_producer_id: 0,
            retained: Arc::default(),
        }
    }
}

impl MetadataImage {
    /// Offset of the last record that is part of it, or -1.
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// Epoch of the last record that is part of it, or -1.
    pub fn epoch(&self) -> i32 {
        self.epoch
    }

    /// The finalized features.
    pub fn features(&self) -> &FeaturesImage {
        &self.features
    }

    /// The brokers.
    pub fn cluster(&self) -> &ClusterImage {
        &self.cluster
    }

    /// The topics.
    pub fn topics(&self) -> &TopicsImage {
        &self.topics
    }

    /// The stored configurations.
    pub fn configs(&self) -> &ConfigsImage {
        &self.configs
    }

    /// The first producer id that no block holds yet.
    pub fn next_producer_id(&self) -> i64 {
        self.next_producer_id
    }

    /// Asserts META-1, META-2 and META-4.
    pub fn check_invariants(&self) {
        assert_eq!(self.topics.by_name.len(), self.topics.names.len(), "META-4");
        for topic in self.topics.iter() {
            assert_eq!(
                self.topics.names.get(&topic.id),
                Some(&topic.name),
                "META-4"
            );
            topic
                .partitions
                .values()
                .for_each(PartitionImage::check_invariants);
        }
    }
}
