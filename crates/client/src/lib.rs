//! A small Kafka client: what brokers say to each other and what the command line needs.
//!
//! - [`Connection`]: one socket, versions negotiated, one request at a time in order.
//! - [`Client`]: bootstrap addresses, the cluster's metadata, a connection for each broker, and
//!   requests sent to the broker that can answer them: any one, a partition's leader, a group's
//!   coordinator, the controller.
//!
//! - [`GroupMember`]: one member of a classic consumer group; [`committed_offsets`], [`commit_offsets`].
//!
//! It retries nothing by itself, except that it looks for the right broker again when asked to
//! ([`Client::refresh`]) and that a member joins again; it knows nothing of batching or background work.

mod client;
mod connection;
mod group;
mod group_offsets;
mod partitioner;

pub use client::{Client, ClientError, Node, error_of};
pub use connection::{ConnectError, Connection, RequestError};
pub use group::{GroupMember, Standing};
pub use group_offsets::{CommittedOffset, Committer, commit_offsets, committed_offsets};
pub use partitioner::partition_of;
