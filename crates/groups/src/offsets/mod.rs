//! Committed offsets.
//!
//! - [`store`]: the offsets of a shard, and those of transactions that have not ended.
//! - [`commit`], [`fetch`], [`delete`], [`expire`]: what requests and time do with them.

pub(crate) mod commit;
pub(crate) mod delete;
pub(crate) mod expire;
pub(crate) mod fetch;
pub(crate) mod store;

pub(crate) use store::{OffsetAndMetadata, OffsetStore};
