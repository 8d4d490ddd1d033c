//! The offsets of a shard. Changed by records alone, its own after they are appended or those read back.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ottla_protocol::Uuid;
use ottla_protocol::ids::{Offset, ProducerId};
use ottla_protocol::messages::group::offset_commit_value::OffsetCommitValue;

/// What was committed for a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OffsetAndMetadata {
    /// Where the record of the commit is in `__consumer_offsets`; set when it is known.
    pub record_offset: Offset,
    pub committed_offset: i64,
    /// -1 when the client gave none.
    pub leader_epoch: i32,
    pub metadata: Box<str>,
    pub commit_timestamp_ms: i64,
    /// Set by clients that name a retention time of their own (OffsetCommit before version 5).
    pub expire_timestamp_ms: Option<i64>,
    /// Zero when it was not known. A topic of the same name with another id is another topic.
    pub topic_id: Uuid,
}

impl OffsetAndMetadata {
    /// As a record has it.
    pub fn from_record(value: OffsetCommitValue) -> Self {
        Self {
            record_offset: Offset(-1),
            committed_offset: value.offset,
            leader_epoch: value.leader_epoch,
            metadata: value.metadata.into(),
            commit_timestamp_ms: value.commit_timestamp,
            expire_timestamp_ms: (value.expire_timestamp != -1).then_some(value.expire_timestamp),
            topic_id: value.topic_id,
        }
    }
}

/// Offsets of one group: by topic, by partition.
pub(crate) type GroupOffsets = BTreeMap<Arc<str>, BTreeMap<i32, OffsetAndMetadata>>;

/// Offsets by group. Nothing empty is kept in it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Offsets(HashMap<Arc<str>, GroupOffsets>);

impl Offsets {
    fn get(&self, group_id: &str, topic: &str, partition: i32) -> Option<&OffsetAndMetadata> {
        self.0.get(group_id)?.get(topic)?.get(&partition)
    }

    fn put(
        &mut self,
        group_id: Arc<str>,
        topic: Arc<str>,
        partition: i32,
        committed: OffsetAndMetadata,
    ) {
        self.0
            .entry(group_id)
            .or_default()
            .entry(topic)
            .or_default()
            .insert(partition, committed);
    }

    fn remove(&mut self, group_id: &str, topic: &str, partition: i32) {
        let Some(topics) = self.0.get_mut(group_id) else {
            return;
        };
        let Some(partitions) = topics.get_mut(topic) else {
            return;
        };
        partitions.remove(&partition);
        if partitions.is_empty() {
            topics.remove(topic);
        }
        if topics.is_empty() {
            self.0.remove(group_id);
        }
    }
}

/// All committed offsets of a shard, and those that wait for the end of their transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct OffsetStore {
    committed: Offsets,
    /// By the producer whose transaction they belong to.
    pending: BTreeMap<ProducerId, Offsets>,
}

impl OffsetStore {
    /// What is committed for a partition.
    pub fn get(&self, group_id: &str, topic: &str, partition: i32) -> Option<&OffsetAndMetadata> {
        self.committed.get(group_id, topic, partition)
    }

    /// All that is committed for a group.
    pub fn group(&self, group_id: &str) -> Option<&GroupOffsets> {
        self.committed.0.get(group_id)
    }

    /// All that is committed for a group, with the id under which it is kept.
    pub fn group_entry(&self, group_id: &str) -> Option<(&Arc<str>, &GroupOffsets)> {
        self.committed.0.get_key_value(group_id)
    }

    /// All groups that have committed offsets.
    pub fn groups(&self) -> impl Iterator<Item = (&Arc<str>, &GroupOffsets)> {
        self.committed.0.iter()
    }

    /// Whether a transaction that has not ended commits an offset for the partition.
    pub fn has_pending(&self, group_id: &str, topic: &str, partition: i32) -> bool {
        self.pending
            .values()
            .any(|offsets| offsets.get(group_id, topic, partition).is_some())
    }

    /// Whether a transaction that has not ended commits offsets for the group.
    pub fn has_open_transactions(&self, group_id: &str) -> bool {
        self.pending
            .values()
            .any(|offsets| offsets.0.contains_key(group_id))
    }

    /// The partitions for which transactions that have not ended commit offsets, of all groups; one may come twice.
    pub fn pending(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>, i32)> {
        self.pending
            .values()
            .flat_map(|offsets| offsets.0.iter())
            .flat_map(|(group_id, topics)| {
                topics.iter().flat_map(move |(topic, partitions)| {
                    partitions.keys().map(move |p| (group_id, topic, *p))
                })
            })
    }

    /// A commit, within the transaction of `producer_id` unless that is [`ProducerId::NONE`].
    pub fn put(
        &mut self,
        producer_id: ProducerId,
        group_id: Arc<str>,
        topic: Arc<str>,
        partition: i32,
        committed: OffsetAndMetadata,
    ) {
        let offsets = if producer_id == ProducerId::NONE {
            &mut self.committed
        } else {
            self.pending.entry(producer_id).or_default()
        };
        offsets.put(group_id, topic, partition, committed);
    }

    /// A tombstone: what is committed is gone, and what transactions were about to commit.
    pub fn remove(&mut self, group_id: &str, topic: &str, partition: i32) {
        self.committed.remove(group_id, topic, partition);
        for offsets in self.pending.values_mut() {
            offsets.remove(group_id, topic, partition);
        }
        self.pending.retain(|_, offsets| !offsets.0.is_empty());
    }

    /// The end of a transaction: its offsets count, unless a later record has been committed meanwhile, or are dropped.
    ///
    /// The comparison of record offsets keeps the result the same after `__consumer_offsets` was compacted.
    pub fn end_transaction(&mut self, producer_id: ProducerId, result: TransactionResult) {
        let Some(offsets) = self.pending.remove(&producer_id) else {
            return;
        };
        if result == TransactionResult::Abort {
            return;
        }
        for (group_id, topics) in offsets.0 {
            for (topic, partitions) in topics {
                for (partition, offset) in partitions {
                    let current = self.committed.get(&group_id, &topic, partition);
                    if current.is_none_or(|current| offset.record_offset > current.record_offset) {
                        self.committed
                            .put(group_id.clone(), topic.clone(), partition, offset);
                    }
                }
            }
        }
    }
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionResult {
    /// What it wrote counts.
    Commit,
    /// What it wrote does not.
    Abort,
}
