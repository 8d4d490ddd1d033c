//! Broker properties of listeners and connections.

use super::row::notation::*;

#[rustfmt::skip]
pub(super) const PROPERTIES: &[Property] = properties! {
    "advertised.listeners": List = null, NON_EMPTY_LIST_OR_NULL, High ReadOnly, ACTS;
        "The addresses that clients are told to connect to, when they differ from the ones listened on."
    "connections.max.idle.ms": Long = "600000", Any, Medium ReadOnly, ACTS;
        "How long a connection may be silent before it is closed."
    "early.start.listeners": List = null, LIST_OR_NULL, High ReadOnly, without(Feature::Authorization);
        "Listeners that take requests before the authorizer has started."
    "inter.broker.listener.name": String = null, Any, Medium ReadOnly, ACTS;
        "The listener that brokers use among themselves, by name."
    "listener.security.protocol.map": String = "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT", Any, Low PerBroker, ACTS;
        "Which security protocol each listener name speaks."
    "listeners": List = "PLAINTEXT://:9092", NON_EMPTY_LIST, High PerBroker, ACTS;
        "The addresses to listen on, as NAME://host:port."
    "max.connection.creation.rate": Int = "2147483647", at_least(0), Medium ClusterWide, ACTS;
        "The most new connections in a second."
    "max.connections": Int = "2147483647", at_least(0), Medium ClusterWide, ACTS;
        "The most open connections."
    "max.connections.per.ip": Int = "2147483647", at_least(0), Medium ClusterWide, ACTS;
        "The most open connections from one address."
    "max.connections.per.ip.overrides": String = "", Any, Medium ClusterWide, ACTS;
        "Other limits for some addresses or hosts, as host:count."
    "queued.max.request.bytes": Long = "-1", Any, Medium ReadOnly, ACTS;
        "The most bytes of requests that wait to be handled; -1 is no limit."
    "queued.max.requests": Int = "500", at_least(1), High ReadOnly, THREADS;
        "How many requests may wait to be handled."
    "request.timeout.ms": Int = "30000", Any, High ReadOnly, without(Feature::Replication);
        "How long a request to another node may take."
    "socket.connection.setup.timeout.max.ms": Long = "30000", Any, Medium ReadOnly, without(Feature::Replication);
        "The longest wait for a connection to another node to be set up."
    "socket.connection.setup.timeout.ms": Long = "10000", Any, Medium ReadOnly, without(Feature::Replication);
        "The first wait for a connection to another node to be set up."
    "socket.listen.backlog.size": Int = "50", at_least(1), Medium ReadOnly, ACTS;
        "How many connections may wait to be accepted."
    "socket.receive.buffer.bytes": Int = "102400", Any, High ReadOnly, ACTS;
        "The receive buffer of a client's connection. -1, or not to set it at all, leaves its size to the system."
    "socket.request.max.bytes": Int = "104857600", at_least(1), High ReadOnly, ACTS;
        "The largest request that is taken."
    "socket.send.buffer.bytes": Int = "102400", Any, High ReadOnly, ACTS;
        "The send buffer of a client's connection. -1, or not to set it at all, leaves its size to the system."
};
