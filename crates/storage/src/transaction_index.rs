//! `.txnindex`: the aborted transactions whose markers are in a segment.

use std::fs::File;
use std::path::{Path, PathBuf};

use ottla_protocol::ids::{Offset, ProducerId};

use crate::disk;
use crate::error::DiskError;

/// Bytes of an entry: version, producer id, first, last and last stable offset.
pub(crate) const ENTRY_BYTES: usize = 34;
/// Version of the entries.
const VERSION: i16 = 0;

/// A transaction that was aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// Whose it was.
    pub producer_id: ProducerId,
    /// Its first record.
    pub first_offset: Offset,
    /// Its marker.
    pub last_offset: Offset,
    /// The last stable offset when the marker was written.
    pub last_stable_offset: Offset,
}

/// The transaction index of one segment: few entries, all in memory; the file follows when the
/// segment is sealed or flushed.
#[derive(Debug)]
pub(crate) struct TransactionIndex {
    path: PathBuf,
    entries: Vec<AbortedTransaction>,
    /// How many of the entries are in the file.
    written: usize,
}

impl TransactionIndex {
    /// An index without entries; touches no file.
    pub fn empty(path: PathBuf) -> Self {
        Self {
            path,
            entries: Vec::new(),
            written: 0,
        }
    }

    /// Reads the file at `path`, if there is one. `None` if it is damaged.
    pub fn open(path: PathBuf) -> Result<Option<Self>, DiskError> {
        let bytes = disk::read_whole(&path)?.unwrap_or_default();
        let chunks = bytes.chunks_exact(ENTRY_BYTES);
        let is_whole = chunks.remainder().is_empty();
        let entries: Option<Vec<_>> = chunks.map(decode).collect();
        Ok(entries.filter(|_| is_whole).map(|entries| Self {
            path,
            written: entries.len(),
            entries,
        }))
    }

    /// The entries in the order of their markers.
    pub fn entries(&self) -> &[AbortedTransaction] {
        &self.entries
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: AbortedTransaction) {
        self.entries.push(entry);
    }

    /// Writes what is only in memory; makes no file as long as there is no entry. The file, if
    /// there is one, for the caller to sync.
    pub fn write(&mut self) -> Result<Option<File>, DiskError> {
        if self.entries.is_empty() {
            return Ok(None);
        }
        let file = disk::open_or_create(&self.path)?;
        let new = self.entries.get(self.written..).unwrap_or_default();
        let bytes: Vec<u8> = new.iter().flat_map(|entry| encode(*entry)).collect();
        if !bytes.is_empty() {
            let at = (self.written * ENTRY_BYTES) as u64;
            disk::write_at(&file, &self.path, at, &bytes, &[])?;
            self.written = self.entries.len();
        }
        Ok(Some(file))
    }

    /// Keeps the entries of markers before `offset`.
    pub fn truncate_to_offset(&mut self, offset: Offset) -> Result<(), DiskError> {
        let kept = self
            .entries
            .partition_point(|entry| entry.last_offset < offset);
        self.entries.truncate(kept);
        if kept < self.written {
            let file = disk::open_or_create(&self.path)?;
            disk::truncate(&file, &self.path, (kept * ENTRY_BYTES) as u64)?;
            self.written = kept;
        }
        Ok(())
    }

    /// Forgets everything, on disk too.
    pub fn clear(&mut self) -> Result<(), DiskError> {
        self.entries.clear();
        self.written = 0;
        disk::delete(&self.path)
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn encode(entry: AbortedTransaction) -> [u8; ENTRY_BYTES] {
    let mut bytes = [0; ENTRY_BYTES];
    bytes[..2].copy_from_slice(&VERSION.to_be_bytes());
    bytes[2..10].copy_from_slice(&entry.producer_id.0.to_be_bytes());
    bytes[10..18].copy_from_slice(&entry.first_offset.0.to_be_bytes());
    bytes[18..26].copy_from_slice(&entry.last_offset.0.to_be_bytes());
    bytes[26..].copy_from_slice(&entry.last_stable_offset.0.to_be_bytes());
    bytes
}

pub(crate) fn decode(bytes: &[u8]) -> Option<AbortedTransaction> {
    let (version, rest) = bytes.split_first_chunk::<2>()?;
    let (words, _) = rest.as_chunks::<8>();
    let [producer_id, first_offset, last_offset, last_stable_offset] = words else {
        return None;
    };
    (i16::from_be_bytes(*version) == VERSION).then(|| AbortedTransaction {
        producer_id: ProducerId(i64::from_be_bytes(*producer_id)),
        first_offset: Offset(i64::from_be_bytes(*first_offset)),
        last_offset: Offset(i64::from_be_bytes(*last_offset)),
        last_stable_offset: Offset(i64::from_be_bytes(*last_stable_offset)),
    })
}
