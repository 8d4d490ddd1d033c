//! Record batches of format version 2: what a Produce carries, a log stores and a Fetch returns.
//!
//! - [`batches`] walks the batches of a run of bytes; a [`BatchView`] is one of them, in place.
//! - [`BatchView::records`] walks a batch's records, decompressing if need be.
//! - [`validate_produced`] checks what a producer sent; a [`ValidatedBatch`] may be appended.
//! - [`patched_header`] and its neighbours give a batch its offset and epoch without touching the rest.
//! - [`BatchBuilder`] makes a batch; [`ControlRecordType`] is what a control record says.
//!
//! Bytes may come from anyone: nothing here panics on them, or allocates what they only claim.

mod batch_iter;
mod batch_view;
mod builder;
pub mod compression;
mod control;
mod find;
mod header;
mod patch;
mod produce_error;
mod record;
#[cfg(test)]
mod tests;
mod validate;
mod varint;
mod walk;

pub use batch_iter::{Batches, batches};
pub use batch_view::{BatchError, BatchView, crc32c, peek_header};
pub use builder::{BatchBuilder, BuildError, ProducerFields, RecordHeader};
pub use compression::{
    CompressError, Compression, CompressionSpec, Compressor, DecompressError, Decompressor,
    UnknownCompression,
};
pub use control::{ControlRecordError, ControlRecordType};
pub use find::TimestampAndOffset;
pub use header::{
    Attributes, BATCH_HEADER_SIZE_BYTES, BatchHeader, CRC_COVERED_FROM,
    HEADER_SIZE_UP_TO_MAGIC_BYTES, LOG_OVERHEAD_BYTES, MAGIC_V2, NO_PARTITION_LEADER_EPOCH,
    NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP, TimestampType,
    increment_sequence,
};
pub use patch::{
    patched_header, set_base_offset, set_max_timestamp, set_partition_leader_epoch, with_timestamp,
};
pub use produce_error::{FaultReason, MAX_RECORD_FAULTS, ProduceError, RecordFault};
pub use record::{Header, Headers, HeadersIter, RecordError, RecordIter, RecordRef};
pub use validate::{
    KeyRule, ProduceRules, Rewrite, TopicCompression, ValidatedBatch, validate_produced,
};
