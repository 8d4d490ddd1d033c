//! Deadlines as data: the shard says when to call it back, the host owns the clock.

use std::sync::Arc;

use ottla_protocol::ids::TimestampMs;

/// What a deadline is for. Equal timers are one timer: setting it again moves its deadline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The session of a member, or the time a new member has to come back with the member id it was given (KIP-394).
    Session {
        /// The group.
        group_id: Arc<str>,
        /// The member.
        member_id: String,
    },
    /// The end of a group's join phase.
    Join {
        /// The group.
        group_id: Arc<str>,
    },
    /// The time until which every member has to send its SyncGroup.
    Sync {
        /// The group.
        group_id: Arc<str>,
    },
    /// The next look for offsets and groups to expire (KIP-211).
    OffsetExpiry,
}

/// A change to the host's timers.
///
/// The host fires a timer by [`GroupShard::on_timer`](crate::GroupShard::on_timer) in the same order as it takes
/// decisions, removes it before that, and never fires one that was cancelled or moved later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimerOp {
    /// Fires `timer` once at `deadline`, instead of when it would have fired before.
    Schedule {
        /// Which.
        timer: Timer,
        /// When.
        deadline: TimestampMs,
    },
    /// Forgets `timer`, if it is set.
    Cancel(Timer),
}
