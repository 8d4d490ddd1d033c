//! The broker: sockets, requests, and the hosts of everything that decides.
//!
//! - [`Node`]: a node from start to stop (`node.rs`); [`format`] prepares its directories (`directories.rs`).
//! - `net/`: listeners and connections, `network.rs`: which there are; `api/`: the table of requests, one file for each.
//! - `partitions.rs`, `partition.rs`, `partition_io.rs`: what this broker keeps and leads; `fetch_session.rs`,
//!   `fetch_waiter.rs`: consumers that wait.
//! - `coordinator_host.rs`: groups; `controller_host.rs`, `raft_host.rs`: the cluster's metadata;
//!   `metadata_publisher.rs`: what this broker makes of it.
//! - `background.rs`: what happens from time to time.
//!
//! Rules live in the crates below; this one joins them to sockets, disks and clocks.

mod api;
mod background;
mod broker;
mod clock;
mod controller_host;
mod coordinator_host;
mod directories;
mod fetch_session;
mod fetch_waiter;
mod group_timers;
mod internal_topics;
mod loggers;
mod metadata_publisher;
mod net;
mod network;
mod node;
mod partition;
mod partition_io;
mod partitions;
mod producer_ids;
mod raft_host;

pub use directories::{FormatReport, FormatRequest, format, random_id};
pub use loggers::LogLevels;
pub use node::{Node, StartError, StopError};
