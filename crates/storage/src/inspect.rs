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

/// Kafka preallocates the indexes of the segment that it writes: the zeros at the end are no entries.
fn index<E: IndexEntry>(bytes: &[u8]) -> Entries<E> {
    let chunks = bytes.chunks_exact(E::SIZE_BYTES);
    let torn_bytes = chunks.remainder().len();
    let is_used = |chunk: &&[u8]| chunk.iter().any(|byte| *byte != 0);
    let used = chunks.clone().rposition(|chunk| is_used(&chunk));
    Entries {
        torn_bytes,
        entry_bytes: E::SIZE_BYTES,
        entries: chunks
            .take(used.map_or(0, |last| last + 1))
            .map(E::decode)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{OffsetPosition, offset_index};

    #[test]
    fn zeros_at_the_end_are_no_entries() {
        let entry = |relative_offset, position| OffsetPosition {
            relative_offset,
            position,
        };
        let mut bytes = vec![0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 1, 0];
        assert_eq!(offset_index(&bytes).entries, [entry(0, 7), entry(9, 256)]);
        bytes.resize(8 * 1000 + 3, 0);
        let index = offset_index(&bytes);
        assert_eq!(index.entries, [entry(0, 7), entry(9, 256)]);
        assert_eq!(index.torn_bytes, 3);
        assert_eq!(offset_index(&[0; 64]).entries, []);
        assert_eq!(offset_index(&[]).entries, []);
    }
}
