//! `.txnindex`: the aborted transactions whose markers are in a segment.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use ottla_protocol::ids::{Offset, ProducerId};

use crate::error::{DiskError, DiskOperation, DiskResult};

/// Bytes of an entry: version, producer id, first, last and last stable offset.
const ENTRY_BYTES: usize = 34;
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

/// The transaction index of one segment: few entries, all in memory, each written at once.
#[derive(Debug)]
pub(crate) struct TransactionIndex {
    path: PathBuf,
    entries: Vec<AbortedTransaction>,
}

impl TransactionIndex {
    /// An index without entries; touches no file.
    pub fn empty(path: PathBuf) -> Self {
        Self {
            path,
            entries: Vec::new(),
        }
    }

    /// Reads the file at `path`, if there is one. Entries behind a damaged one do not count.
    pub fn open(path: PathBuf) -> Result<Self, DiskError> {
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).disk(DiskOperation::Read, &path),
        };
        let entries = bytes.chunks_exact(ENTRY_BYTES).map_while(decode).collect();
        Ok(Self { path, entries })
    }

    /// The entries in the order of their markers.
    pub fn entries(&self) -> &[AbortedTransaction] {
        &self.entries
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: AbortedTransaction) -> Result<(), DiskError> {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)
            .disk(DiskOperation::Open, &self.path)?;
        file.write_all(&encode(entry))
            .disk(DiskOperation::Write, &self.path)?;
        self.entries.push(entry);
        Ok(())
    }

    /// Forgets everything, on disk too.
    pub fn clear(&mut self) -> Result<(), DiskError> {
        self.entries.clear();
        crate::text_file::delete(&self.path)
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

fn decode(bytes: &[u8]) -> Option<AbortedTransaction> {
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
