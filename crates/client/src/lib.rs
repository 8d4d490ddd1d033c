//! A small Kafka client: what brokers say to each other and what the command line needs.
//!
//! - [`Connection`]: one socket, versions negotiated, one request at a time in order.
//! - [`Client`]: bootstrap addresses, the cluster's metadata, a connection for each broker, and
//!   requests sent to the broker that can answer them: any one, a partition's leader, a group's
//!   coordinator, the controller.
//!
//! It retries nothing by itself, except that it looks for the right broker again when asked to
//! ([`Client::refresh`]); it knows nothing of batching, groups or background work.

mod client;
mod connection;
mod partitioner;

pub use client::{Client, ClientError, Node, error_of};
pub use connection::{ConnectError, Connection, RequestError};
pub use partitioner::partition_of;
