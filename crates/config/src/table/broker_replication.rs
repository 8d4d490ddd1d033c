//! Broker properties of replication and leadership.

use super::row::notation::*;

#[rustfmt::skip]
pub(super) const PROPERTIES: &[Property] = properties! {
    "alter.log.dirs.replication.quota.window.num": Int = "11", at_least(1), Low ReadOnly, without(Feature::LogDirectoryMoves);
        "How many samples the quota on moves between log directories keeps."
    "alter.log.dirs.replication.quota.window.size.seconds": Int = "1", at_least(1), Low ReadOnly, without(Feature::LogDirectoryMoves);
        "How long one sample of the quota on moves between log directories is."
    "auto.leader.rebalance.enable": Boolean = "true", Any, High ReadOnly, without(Feature::Replication);
        "Whether leadership moves back to the preferred replicas by itself."
    "controlled.shutdown.enable": Boolean = "true", Any, Medium ReadOnly, without(Feature::Replication);
        "Whether a stopping broker hands its leaderships over first."
    "default.replication.factor": Int = "1", Any, Medium ReadOnly, ACTS;
        "How many replicas a topic gets that is created without a number."
    "leader.imbalance.check.interval.seconds": Long = "300", at_least(1), High ReadOnly, without(Feature::Replication);
        "How often the controller looks for partitions that their preferred replica does not lead."
    "min.insync.replicas": Int = "1", at_least(1), High ClusterWide, ACTS;
        "How many replicas must be in sync for a write with acks=all."
    "num.replica.alter.log.dirs.threads": Int = null, Any, High ReadOnly, THREADS;
        "How many threads move replicas between log directories."
    "num.replica.fetchers": Int = "1", at_least(1), High ClusterWide, THREADS;
        "How many threads fetch from each other broker."
    "replica.fetch.backoff.ms": Int = "1000", at_least(0), Medium ReadOnly, without(Feature::Replication);
        "How long a follower waits after an error before it fetches again."
    "replica.fetch.max.bytes": Int = "1048576", at_least(0), Medium ReadOnly, without(Feature::Replication);
        "How many bytes of one partition a follower asks for at a time."
    "replica.fetch.min.bytes": Int = "1", Any, High ReadOnly, without(Feature::Replication);
        "How many bytes a follower waits for."
    "replica.fetch.response.max.bytes": Int = "10485760", at_least(0), Medium ReadOnly, without(Feature::Replication);
        "How many bytes a follower asks for in one answer."
    "replica.fetch.wait.max.ms": Int = "500", Any, High ReadOnly, without(Feature::Replication);
        "How long a follower's request waits for data."
    "replica.high.watermark.checkpoint.interval.ms": Long = "5000", Any, High ReadOnly, ACTS;
        "How often the high watermarks of all partitions are written down."
    "replica.lag.time.max.ms": Long = "30000", Any, High ReadOnly, without(Feature::Replication);
        "How long a follower may lag before it is out of sync."
    "replica.selector.class": String = null, Any, Medium ReadOnly, JAVA;
        "The Java class that picks the replica a consumer reads from."
    "replica.socket.receive.buffer.bytes": Int = "65536", Any, High ReadOnly, without(Feature::Replication);
        "The receive buffer of a follower's connection."
    "replica.socket.timeout.ms": Int = "30000", Any, High ReadOnly, without(Feature::Replication);
        "How long a follower's request may take."
    "replication.quota.window.num": Int = "11", at_least(1), Low ReadOnly, without(Feature::Quotas);
        "How many samples the quotas on replication keep."
    "replication.quota.window.size.seconds": Int = "1", at_least(1), Low ReadOnly, without(Feature::Quotas);
        "How long one sample of the quotas on replication is."
    "unclean.leader.election.enable": Boolean = "false", Any, High ClusterWide, without(Feature::Replication);
        "Whether a replica that is not in sync may lead as a last resort, at the price of lost records."
    "unclean.leader.election.interval.ms": Long = "300000", at_least(1), Medium ReadOnly + internal, without(Feature::Replication);
        "How often partitions are looked for that need an unclean election."
};
