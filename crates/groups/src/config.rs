//! The properties that decisions about classic groups and offsets depend on.

/// How long a new member's JoinGroup may stay parked before it must come again, in milliseconds: it has no member id
/// to send heartbeats with.
///
/// Source: `GroupCoordinatorConfig.CLASSIC_GROUP_NEW_MEMBER_JOIN_TIMEOUT_MS`.
pub const NEW_MEMBER_JOIN_TIMEOUT_MS: i32 = 5 * 60 * 1000;

/// The most members of one group that have been given a member id and have not come back with it yet (KIP-394). More
/// are told to try again (COORDINATOR_LOAD_IN_PROGRESS) until some come or expire.
///
/// Differs from Kafka, where a client that never comes back can make as many as it likes.
pub const MAX_PENDING_MEMBERS: usize = 1_000;

/// The broker's configuration of groups, by Kafka's names. `Default` is Kafka's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupConfig {
    /// `group.min.session.timeout.ms`.
    pub group_min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`.
    pub group_max_session_timeout_ms: i32,
    /// `group.max.size`, in members.
    pub group_max_size: usize,
    /// `group.initial.rebalance.delay.ms`.
    pub group_initial_rebalance_delay_ms: i32,
    /// `offset.metadata.max.bytes`; like Kafka, compared with the length in UTF-16 units.
    pub offset_metadata_max_bytes: usize,
    /// `offsets.retention.minutes`, in milliseconds.
    pub offsets_retention_ms: i64,
    /// `offsets.retention.check.interval.ms`.
    pub offsets_retention_check_interval_ms: i64,
}

impl Default for GroupConfig {
    fn default() -> Self {
        Self {
            group_min_session_timeout_ms: 6_000,
            group_max_session_timeout_ms: 1_800_000,
            group_max_size: i32::MAX as usize,
            group_initial_rebalance_delay_ms: 3_000,
            offset_metadata_max_bytes: 4_096,
            offsets_retention_ms: 10_080 * 60 * 1000,
            offsets_retention_check_interval_ms: 600_000,
        }
    }
}
