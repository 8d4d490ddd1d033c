//! The small files of a log for tools that show them: what is in the bytes, whatever it means.

use ottla_protocol::ids::Offset;

use crate::index_file::IndexEntry;
pub use crate::offset_index::OffsetPosition;
pub use crate::time_index::TimestampOffset;
use crate::transaction_index::{self, AbortedTransaction};

/// Entries of an index, and how many bytes are left behind the last whole one.
pub struct Entries<E> {
    /// The entries, in the order of the file.
    pub entries: Vec<E>,
    /// Bytes of one entry.
    pub entry_bytes: usize,
    /// Bytes behind the last whole entry.
    pub torn_bytes: usize,
}

/// The entries of an `.index` file.
pub fn offset_index(bytes: &[u8]) -> Entries<OffsetPosition> {
    index(bytes)
}

/// The entries of a `.timeindex` file.
pub fn time_index(bytes: &[u8]) -> Entries<TimestampOffset> {
    index(bytes)
}

/// The entries of a `.txnindex` file; those of a version that is not known are left out.
pub fn transaction_index(bytes: &[u8]) -> Entries<AbortedTransaction> {
    let entry_bytes = transaction_index::ENTRY_BYTES;
    let chunks = bytes.chunks_exact(entry_bytes);
    Entries {
        torn_bytes: chunks.remainder().len(),
        entry_bytes,
        entries: chunks.filter_map(transaction_index::decode).collect(),
    }
}

/// The base offset that a file's name says: `00000000000000000042.index`.
pub fn base_offset(file_name: &str) -> Option<Offset> {
    let digits = file_name.split('.').next()?;
    digits.parse().ok().map(Offset)
}

fn index<E: IndexEntry>(bytes: &[u8]) -> Entries<E> {
    let chunks = bytes.chunks_exact(E::SIZE_BYTES);
    Entries {
        torn_bytes: chunks.remainder().len(),
        entry_bytes: E::SIZE_BYTES,
        entries: chunks.map(E::decode).collect(),
    }
}
