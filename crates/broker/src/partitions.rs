//! The partitions that this broker keeps, by topic.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use ottla_protocol::{ErrorCode, Uuid};
use parking_lot::Mutex;

use crate::partition::Partition;

/// The partitions of one topic on this broker.
#[derive(Clone, Default)]
pub struct TopicPartitions {
    /// The topic's name.
    pub name: Arc<str>,
    /// By index.
    pub by_index: HashMap<i32, Arc<Partition>>,
    /// Those that have no log: it could not be made, or is in a directory that cannot be used.
    pub unavailable: HashSet<i32>,
}

impl TopicPartitions {
    fn get(&self, index: i32) -> Result<Arc<Partition>, ErrorCode> {
        match self.by_index.get(&index) {
            Some(partition) => Ok(Arc::clone(partition)),
            None if self.unavailable.contains(&index) => Err(ErrorCode::KafkaStorageError),
            None => Err(ErrorCode::UnknownTopicOrPartition),
        }
    }
}

#[derive(Default)]
struct Tables {
    by_id: HashMap<Uuid, Arc<TopicPartitions>>,
    ids_by_name: HashMap<Arc<str>, Uuid>,
}

/// All partitions of this broker. Lookups take no lock; changes replace the tables.
#[derive(Default)]
pub struct Partitions {
    tables: ArcSwap<Tables>,
    changing: Mutex<()>,
}

impl Partitions {
    /// The partition `index` of the topic with this id. UNKNOWN_TOPIC_ID if there is no such topic,
    /// KAFKA_STORAGE_ERROR if the partition's log cannot be used.
    pub fn by_topic_id(&self, id: Uuid, index: i32) -> Result<Arc<Partition>, ErrorCode> {
        let tables = self.tables.load();
        let topic = tables.by_id.get(&id).ok_or(ErrorCode::UnknownTopicId)?;
        topic.get(index)
    }

    /// The partition `index` of the topic with this name.
    pub fn by_topic_name(&self, name: &str, index: i32) -> Result<Arc<Partition>, ErrorCode> {
        let tables = self.tables.load();
        let topic = tables
            .ids_by_name
            .get(name)
            .and_then(|id| tables.by_id.get(id));
        topic.ok_or(ErrorCode::UnknownTopicOrPartition)?.get(index)
    }

    /// The partitions of the topic with this id, if this broker keeps any.
    pub fn topic(&self, id: Uuid) -> Option<Arc<TopicPartitions>> {
        self.tables.load().by_id.get(&id).cloned()
    }

    /// All partitions.
    pub fn all(&self) -> Vec<Arc<Partition>> {
        let tables = self.tables.load();
        tables
            .by_id
            .values()
            .flat_map(|topic| topic.by_index.values().cloned())
            .collect()
    }

    /// Puts whole topics in the place of what was known of them; `None` removes one.
    pub fn replace(&self, topics: Vec<(Uuid, Option<TopicPartitions>)>) {
        let _one_at_a_time = self.changing.lock();
        let current = self.tables.load();
        let mut tables = Tables {
            by_id: current.by_id.clone(),
            ids_by_name: current.ids_by_name.clone(),
        };
        for (id, topic) in topics {
            if let Some(old) = tables.by_id.remove(&id)
                && tables.ids_by_name.get(&old.name) == Some(&id)
            {
                tables.ids_by_name.remove(&old.name);
            }
            if let Some(topic) = topic {
                tables.ids_by_name.insert(Arc::clone(&topic.name), id);
                tables.by_id.insert(id, Arc::new(topic));
            }
        }
        self.tables.store(Arc::new(tables));
    }
}
