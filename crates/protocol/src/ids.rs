//! Newtypes for Kafka's ids and offsets.
//!
//! Messages hold raw integers, as the wire does; everything that reasons about them uses these types.

use std::fmt;

use crate::uuid::Uuid;

/// Declares a newtype over an integer with a public `.0`.
macro_rules! id {
    ($(#[$doc:meta])+ $name:ident($raw:ty)) => {
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $raw);

        impl From<$raw> for $name {
            fn from(raw: $raw) -> Self {
                Self(raw)
            }
        }

        impl From<$name> for $raw {
            fn from(id: $name) -> $raw {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// The position of a record in a partition's log, counted in records.
    Offset(i64)
}

id! {
    /// How often a partition, or the metadata quorum, has changed its leader.
    LeaderEpoch(i32)
}

id! {
    /// The `node.id` of a broker or controller.
    BrokerId(i32)
}

id! {
    /// The number of a partition within its topic, from 0.
    PartitionId(i32)
}

id! {
    /// The id the cluster gave to an idempotent or transactional producer.
    ProducerId(i64)
}

id! {
    /// How often a producer id has changed hands; a smaller epoch is fenced.
    ProducerEpoch(i16)
}

id! {
    /// The number an idempotent producer gives to a record, per partition, from 0 and wrapping after 2^31 - 1.
    Sequence(i32)
}

id! {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    TimestampMs(i64)
}

impl LeaderEpoch {
    /// No epoch is known; -1 on the wire.
    pub const NONE: Self = Self(-1);
}

impl BrokerId {
    /// No broker, for instance the leader of an offline partition; -1 on the wire.
    pub const NONE: Self = Self(-1);
}

impl ProducerId {
    /// The producer is not idempotent; -1 on the wire.
    pub const NONE: Self = Self(-1);
}

impl ProducerEpoch {
    /// The producer is not idempotent; -1 on the wire.
    pub const NONE: Self = Self(-1);
}

impl Sequence {
    /// The producer is not idempotent; -1 on the wire.
    pub const NONE: Self = Self(-1);

    /// The sequence `records` further on: after 2^31 - 1 comes 0. `records` must not be negative.
    ///
    /// Source: `DefaultRecordBatch.incrementSequence`.
    #[must_use]
    pub const fn wrapping_add(self, records: i32) -> Self {
        assert!(records >= 0, "a sequence only moves forward");
        Self(((self.0 as i64 + records as i64) & 0x7fff_ffff) as i32)
    }
}

impl TimestampMs {
    /// The record has no timestamp; -1 on the wire.
    pub const NONE: Self = Self(-1);
}

/// The id a topic keeps for as long as it exists; a topic created again under the same name gets another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(pub Uuid);

impl TopicId {
    /// The topic's id is not known.
    pub const ZERO: Self = Self(Uuid::ZERO);
}

impl From<Uuid> for TopicId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl From<TopicId> for Uuid {
    fn from(id: TopicId) -> Self {
        id.0
    }
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One partition of a topic, by the topic's name. Displayed as Kafka does: `name-0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: String,
    /// The partition within the topic.
    pub partition: PartitionId,
}

impl TopicPartition {
    /// The partition `partition` of `topic`.
    pub fn new(topic: impl Into<String>, partition: impl Into<PartitionId>) -> Self {
        Self {
            topic: topic.into(),
            partition: partition.into(),
        }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_wraps_to_zero() {
        assert_eq!(Sequence(5).wrapping_add(3), Sequence(8));
        assert_eq!(Sequence(i32::MAX).wrapping_add(1), Sequence(0));
        assert_eq!(Sequence(i32::MAX - 1).wrapping_add(4), Sequence(2));
        assert_eq!(Sequence::NONE.wrapping_add(1), Sequence(0));
    }

    #[test]
    fn a_topic_partition_reads_like_its_directory() {
        assert_eq!(TopicPartition::new("orders", 7).to_string(), "orders-7");
    }
}
