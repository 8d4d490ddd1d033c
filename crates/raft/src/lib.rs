//! KRaft: the consensus on the metadata log, as a pure reactor. No I/O, nothing asynchronous, no clock and no
//! randomness of its own. Sources: KIP-595, KIP-630, KIP-853 (voter keys), KIP-996 (pre-vote).
//!
//! # How a host runs a node
//!
//! [`Raft::start`] with what is on the disk; then every request, answer, failed request and finished write goes in by
//! a method `on_…` together with the time and a fresh random number ([`Now`]), and [`Raft::on_tick`] at the latest at
//! [`Raft::deadline_ms`]. Each gives [`Effect`]s, to be done in order; after [`Effect::PersistElection`] nothing is done
//! before that is on the disk, so no answer leaves without the promise behind it. Writes of the log finish later and
//! come back through [`Raft::on_written`].
//!
//! A leader that may decide says [`Effect::LeaderActive`]; then [`Raft::append`]. What
//! [`Effect::AdvanceHighWatermark`] has passed is committed; nothing else may be acted on.
//!
//! # Where things are
//!
//! `raft` (entry point, inputs, time), `role` (what a node is), `election` (votes and changes of role), `leader`,
//! `follower`, `log_shape` (epochs, ends, what is durable), `requests` (what is under way to whom), `message` and
//! `effect` (what comes in and goes out), `describe` (DescribeQuorum), `types`;
//! `wire` turns what is said into Kafka's messages and back.
//!
//! # Invariants
//!
//! RAFT-1: the log's offsets and epochs ascend, and what is durable is part of it. RAFT-2: what is committed is in the
//! log or its snapshot, and no record is of an epoch to come. RAFT-3: the role is what `quorum-state` says. Checked
//! after every input in debug builds. What holds between nodes is checked by `tests/simulation.rs`.
//!
//! # What it does not know
//!
//! What records say, addresses, the cluster's id, connections, files. The voters never change while a node runs: the
//! changes of KIP-853 are not here.

mod describe;
mod effect;
mod election;
mod follower;
mod leader;
mod log_shape;
mod message;
mod raft;
mod requests;
mod role;
mod types;
pub mod wire;

#[cfg(test)]
mod tests;

pub use describe::{QuorumDescription, ReplicaDescription};
pub use effect::{CorrelationId, Effect, Fault, RequestToken};
pub use leader::{AppendError, MAX_PENDING_WRITES};
pub use log_shape::{LogShape, WriteId};
pub use message::{Batch, FetchRequest, Request, Response, ResponseBody, Verdict, VoteRequest};
pub use raft::{LogFound, Raft};
pub use types::{ElectionState, EpochEnd, Now, RaftConfig, ReplicaKey, Timeouts, VoterSet};
