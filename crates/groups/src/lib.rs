//! Classic consumer groups and committed offsets: the group coordinator for one partition of `__consumer_offsets`, as
//! replicated state. No I/O, nothing asynchronous, no clock and no randomness of its own.
//!
//! # How a host runs a shard
//!
//! Load: [`GroupShard::new`], [`GroupShard::replay`] for every record of the partition in order, then
//! [`GroupShard::load_finished`]. Serve, under one lock per shard: a method named after the API takes a request and
//! gives a [`Decision`]; the host appends its `records`; on success it calls [`GroupShard::apply`], else
//! [`Decision::append_failed`]. Either gives an [`Outcome`]: timers to set at once, and replies to send when the log is
//! committed up to where it ended then. Reads ([`GroupShard::offset_fetch`], [`GroupShard::list_groups`],
//! [`GroupShard::describe_groups`]) answer directly and wait for the same. A timer that fires is one more request:
//! [`GroupShard::on_timer`]. Losing the partition: [`GroupShard::unload`].
//!
//! # What happens when an append fails
//!
//! Nothing has changed. Kafka changes a classic group in memory before the append and repairs it afterwards if that
//! fails. Here a request works on a copy of its group (cheap: members are shared), members that are joining included,
//! and the copy takes effect in `apply`. So a failed LeaveGroup leaves the member in, a failed SyncGroup of a leader
//! leaves the followers parked until the leader tries again or the sync timer ends the generation, and a timer fires
//! again after [`TIMER_RETRY_BACKOFF_MS`].
//!
//! # Where things are
//!
//! `shard` (entry point, life of a shard), `decision` (what goes in and out), `classic/` (one file per request of the
//! classic protocol), `offsets/` (commit, fetch, delete, expire), `describe` (list, describe), `records` (the bytes of
//! the log), `foreign` (groups of other kinds: tolerated, not served), `timers`, `errors` (every error code),
//! `consumer_protocol`, `partition` (which shard has a group).
//!
//! # Invariants
//!
//! GROUP-1 to GROUP-5 are checked by `ClassicGroup::check_invariants` after every change in debug builds. GROUP-6:
//! every parked request is answered once. GROUP-7: within a generation, an assignment has one owner: nobody gets it
//! but the member that the leader named. GROUP-8: replaying the records gives the durable state of the live shard.
//!
//! # What it does not know
//!
//! Authorization, throttling, topic ids and whether topics exist (the host resolves them), how records are batched,
//! the high watermark.

mod classic;
mod config;
mod consumer_protocol;
mod decision;
mod describe;
mod errors;
mod foreign;
mod offsets;
mod partition;
mod records;
mod shard;
mod timers;

pub use classic::ClassicGroupState;
pub use config::{GroupConfig, MAX_PENDING_MEMBERS, NEW_MEMBER_JOIN_TIMEOUT_MS};
pub use consumer_protocol::{
    PROTOCOL_TYPE as CONSUMER_PROTOCOL_TYPE, assigned_partitions, subscribed_topics,
};
pub use decision::{
    Batching, Completed, CoordinatorRecord, Decision, Outcome, ParkedResponse, Reply,
    RequestContext, RequestId, TIMER_RETRY_BACKOFF_MS,
};
pub use errors::{FailureReply, append_error_code};
pub use offsets::commit::offset_commit_error;
pub use offsets::expire::MAX_EXPIRY_RECORDS;
pub use offsets::fetch::Stability;
pub use offsets::store::TransactionResult;
pub use partition::partition_for;
pub use records::ReplayError;
pub use shard::{GroupShard, Replayed};
pub use timers::{Timer, TimerOp};
