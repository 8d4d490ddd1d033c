//! The topics that brokers keep for themselves.

/// The committed offsets and metadata of consumer groups.
pub const CONSUMER_OFFSETS: &str = "__consumer_offsets";
/// The state of transactions.
pub const TRANSACTION_STATE: &str = "__transaction_state";
/// The state of share groups.
pub const SHARE_GROUP_STATE: &str = "__share_group_state";

/// Whether clients may not write to, delete or trim `topic`.
pub fn is_internal(topic: &str) -> bool {
    matches!(
        topic,
        CONSUMER_OFFSETS | TRANSACTION_STATE | SHARE_GROUP_STATE
    )
}
