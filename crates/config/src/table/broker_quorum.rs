//! Properties of the node itself and of the metadata quorum and its log.

use super::row::notation::*;

#[rustfmt::skip]
pub(super) const PROPERTIES: &[Property] = properties! {
    "broker.heartbeat.interval.ms": Int = "2000", Any, Medium ReadOnly, without(Feature::Quorum);
        "How often a broker tells the controller that it lives."
    "broker.id": Int = "-1", Any, High ReadOnly, ACTS;
        "The older name of node.id; both must agree when both are set."
    "broker.rack": String = null, Any, Medium ReadOnly, ACTS;
        "The rack or zone of the broker, told to clients and used to spread replicas."
    "broker.session.timeout.ms": Int = "9000", Any, Medium ReadOnly, without(Feature::Quorum);
        "How long a broker may be silent before the controller fences it."
    "controller.listener.names": List = required, NON_EMPTY_LIST, High ReadOnly, ACTS;
        "The listeners that the controllers use, by name; brokers use the first."
    "controller.performance.always.log.threshold.ms": Long = "2000", at_least(0), Medium ReadOnly + internal, INTERNALS;
        "Controller events slower than this are always logged."
    "controller.performance.sample.period.ms": Long = "60000", at_least(100), Medium ReadOnly + internal, INTERNALS;
        "How often the slowest controller event is logged."
    "controller.quorum.append.linger.ms": Int = "25", at_least(0), Medium ReadOnly, INTERNALS;
        "How long the quorum's leader gathers records before it writes them to disk."
    "controller.quorum.auto.join.enable": Boolean = "false", Any, Low ReadOnly, without(Feature::Quorum);
        "Whether a new controller asks by itself to become a voter."
    "controller.quorum.bootstrap.servers": List = "", QuorumBootstrapServers, High ReadOnly, ACTS;
        "Where to ask who leads the metadata quorum."
    "controller.quorum.election.backoff.max.ms": Int = "1000", at_least(0), High ReadOnly, without(Feature::Quorum);
        "The longest wait before a lost election is tried again."
    "controller.quorum.election.timeout.ms": Int = "1000", at_least(0), High ReadOnly, without(Feature::Quorum);
        "How long a candidate waits for votes."
    "controller.quorum.fetch.max.bytes": Int = "1048576", at_least(1), Low ReadOnly, without(Feature::Quorum);
        "The most bytes of the metadata log in one answer to another node."
    "controller.quorum.fetch.snapshot.max.bytes": Int = "1048576", at_least(1), Low ReadOnly, without(Feature::Quorum);
        "The most bytes of a metadata snapshot in one answer to another node."
    "controller.quorum.fetch.timeout.ms": Int = "2000", at_least(0), High ReadOnly, without(Feature::Quorum);
        "How long a voter goes without hearing from the leader before it stands for election."
    "controller.quorum.request.timeout.ms": Int = "2000", at_least(0), Medium ReadOnly, without(Feature::Quorum);
        "How long a request between quorum nodes may take."
    "controller.quorum.retry.backoff.ms": Int = "20", at_least(0), Low ReadOnly, without(Feature::Quorum);
        "The wait before a request between quorum nodes is sent again."
    "controller.quorum.voters": List = "", QuorumVoters, High ReadOnly, ACTS;
        "The voters of a metadata quorum that never changes, as id@host:port."
    "controller.quota.window.num": Int = "11", at_least(1), Low ReadOnly, without(Feature::Quotas);
        "How many samples the quota on metadata changes keeps."
    "controller.quota.window.size.seconds": Int = "1", at_least(1), Low ReadOnly, without(Feature::Quotas);
        "How long one sample of the quota on metadata changes is."
    "controller.socket.timeout.ms": Int = "30000", Any, Medium ReadOnly, without(Feature::Quorum);
        "How long a broker waits on its channel to the controller."
    "initial.broker.registration.timeout.ms": Int = "60000", Any, Medium ReadOnly, without(Feature::Quorum);
        "How long a starting broker tries to register with the controllers before it gives up."
    "internal.metadata.delete.delay.millis": Long = "60000", Any, Low ReadOnly + internal, INTERNALS;
        "How long a replaced file of the metadata log stays on disk."
    "internal.metadata.log.segment.bytes": Int = null, Any, Low ReadOnly + internal, ACTS;
        "A size of metadata log segments without a lower bound, for tests."
    "internal.metadata.max.batch.size.in.bytes": Int = "8388608", Any, Low ReadOnly + internal, INTERNALS;
        "The largest batch that is written to the metadata log."
    "metadata.log.dir": String = null, Any, High ReadOnly, ACTS;
        "The directory for the metadata log; the first log directory when not set."
    "metadata.log.max.record.bytes.between.snapshots": Long = "20971520", at_least(1), High ReadOnly, ACTS;
        "How many bytes of metadata records may follow a snapshot before the next one is made."
    "metadata.log.max.snapshot.interval.ms": Long = "3600000", at_least(0), High ReadOnly, ACTS;
        "How long records may wait for a snapshot of the metadata."
    "metadata.log.segment.bytes": Int = "1073741824", at_least(8388608), High ReadOnly, ACTS;
        "The greatest size of a segment of the metadata log."
    "metadata.log.segment.ms": Long = "604800000", Any, High ReadOnly, ACTS;
        "The greatest age of a segment of the metadata log."
    "metadata.max.idle.interval.ms": Int = "500", at_least(0), Low ReadOnly, without(Feature::Quorum);
        "How often an idle controller writes a record that does nothing, to prove that it leads."
    "metadata.max.retention.bytes": Long = "104857600", Any, High ReadOnly, INTERNALS;
        "How large the metadata log and its snapshots may grow before the oldest go."
    "metadata.max.retention.ms": Long = "604800000", Any, High ReadOnly, INTERNALS;
        "How long segments and snapshots of the metadata log are kept."
    "node.id": Int = required, at_least(0), High ReadOnly, ACTS;
        "The number of this node, unique in the cluster."
    "process.roles": List = required, non_empty_list_of(&["broker", "controller"]), High ReadOnly, ACTS;
        "What this node is: broker, controller or both."
};
