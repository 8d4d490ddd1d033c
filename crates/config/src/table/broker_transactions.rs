//! Broker properties of transactions and of the memory of producers.

use super::row::notation::*;

#[rustfmt::skip]
pub(super) const PROPERTIES: &[Property] = properties! {
    "add.partitions.to.txn.retry.backoff.max.ms": Int = "100", at_least(0), High ReadOnly, without(Feature::Transactions);
        "The longest wait before a broker asks the transaction coordinator again to add partitions."
    "add.partitions.to.txn.retry.backoff.ms": Int = "20", at_least(1), High ReadOnly, without(Feature::Transactions);
        "The first wait before a broker asks the transaction coordinator again to add partitions."
    "producer.id.expiration.check.interval.ms": Int = "600000", at_least(1), Low ReadOnly + internal, ACTS;
        "How often idle producers are looked for."
    "producer.id.expiration.ms": Int = "86400000", at_least(1), Low ClusterWide, ACTS;
        "How long a partition remembers a producer that has stopped writing."
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": Int = "10000", at_least(1), Low ReadOnly, without(Feature::Transactions);
        "How often transactions are looked for that have timed out."
    "transaction.max.timeout.ms": Int = "900000", at_least(1), High ReadOnly, without(Feature::Transactions);
        "The longest timeout that a transaction may ask for."
    "transaction.partition.verification.enable": Boolean = "true", Any, Low ClusterWide, without(Feature::Transactions);
        "Whether a write is checked to belong to an open transaction."
    "transaction.remove.expired.transaction.cleanup.interval.ms": Int = "3600000", at_least(1), Low ReadOnly, without(Feature::Transactions);
        "How often transactional ids are looked for that have expired."
    "transaction.state.log.load.buffer.size": Int = "5242880", at_least(1), High ReadOnly, without(Feature::Transactions);
        "How many bytes are read at a time when transactions are loaded."
    "transaction.state.log.min.isr": Int = "2", at_least(1), High ReadOnly, without(Feature::Transactions);
        "How many replicas of the transaction topic must be in sync for a write."
    "transaction.state.log.num.partitions": Int = "50", at_least(1), High ReadOnly, without(Feature::Transactions);
        "How many partitions the transaction topic is created with."
    "transaction.state.log.replication.factor": Short = "3", at_least(1), High ReadOnly, without(Feature::Transactions);
        "How many replicas the transaction topic is created with."
    "transaction.state.log.segment.bytes": Int = "104857600", at_least(1), High ReadOnly, without(Feature::Transactions);
        "The segment size that the transaction topic is created with."
    "transaction.two.phase.commit.enable": Boolean = "false", Any, Low ReadOnly, without(Feature::Transactions);
        "Whether transactions may take part in a two-phase commit (KIP-939)."
    "transactional.id.expiration.ms": Int = "604800000", at_least(1), High ReadOnly, without(Feature::Transactions);
        "How long an unused transactional id is remembered."
};
