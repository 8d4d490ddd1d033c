//! The classic group protocol: JoinGroup, SyncGroup, Heartbeat, LeaveGroup.
//!
//! - [`group`]: the group's state and the questions asked of it.
//! - [`member`]: one member.
//! - [`transition`]: a group on its way to its next state, with what has to be told about it.
//! - [`rebalance`]: the phases that all requests share: preparing, completing the join phase, timeouts.
//! - [`join`], [`sync`], [`heartbeat`], [`leave`]: one request each.

pub(crate) mod group;
pub(crate) mod heartbeat;
pub(crate) mod join;
pub(crate) mod leave;
pub(crate) mod member;
pub(crate) mod rebalance;
pub(crate) mod sync;
pub(crate) mod transition;

pub(crate) use group::ClassicGroup;
pub use group::ClassicGroupState;
