//! Entries of fixed size, in the order of their offsets: a file, and the newest ones in memory.
//!
//! New entries are written out in blocks, when the segment is sealed and when it is flushed. A
//! crash loses only entries of a segment past the recovery point, whose indexes are rebuilt anyway.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::error::{DiskError, DiskOperation, DiskResult};

/// Entries kept in memory before they are written in one go.
const BLOCK_ENTRIES: usize = 512;

/// An entry as it stands in the file.
pub(crate) trait IndexEntry: Copy {
    /// Bytes of an entry in the file.
    const SIZE_BYTES: usize;
    /// The file's bytes; only the first `SIZE_BYTES` count.
    fn encode(self) -> [u8; 16];
    /// The entry in `bytes`, which are `SIZE_BYTES` long.
    fn decode(bytes: &[u8]) -> Self;
}

/// One index of one segment.
#[derive(Debug)]
pub(crate) struct IndexFile<E> {
    path: PathBuf,
    /// Opened when it is first needed.
    file: Option<File>,
    /// Entries in the file.
    written: usize,
    /// Entries behind those in the file.
    tail: Vec<E>,
}

impl<E: IndexEntry> IndexFile<E> {
    /// An index without entries; touches no file.
    pub fn empty(path: PathBuf) -> Self {
        Self {
            path,
            file: None,
            written: 0,
            tail: Vec::new(),
        }
    }

    /// The index in the file at `path`; a part of an entry at its end does not count. `None` when
    /// there is no file.
    pub fn open(path: PathBuf) -> Result<Option<Self>, DiskError> {
        match std::fs::metadata(&path) {
            Ok(metadata) => {
                let written = usize::try_from(metadata.len()).unwrap_or(usize::MAX) / E::SIZE_BYTES;
                Ok(Some(Self {
                    path,
                    file: None,
                    written,
                    tail: Vec::new(),
                }))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).disk(DiskOperation::Open, &path),
        }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.written + self.tail.len()
    }

    /// Size of the file once all is written, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.len() * E::SIZE_BYTES
    }

    /// The entry at `index`, which must exist.
    pub fn get(&self, index: usize) -> Result<E, DiskError> {
        if let Some(entry) = index
            .checked_sub(self.written)
            .and_then(|index| self.tail.get(index))
        {
            return Ok(*entry);
        }
        let mut buffer = [0; 16];
        let bytes = &mut buffer[..E::SIZE_BYTES];
        let at = (index * E::SIZE_BYTES) as u64;
        match &self.file {
            Some(file) => file.read_exact_at(bytes, at),
            None => File::open(&self.path).and_then(|file| file.read_exact_at(bytes, at)),
        }
        .disk(DiskOperation::Read, &self.path)?;
        Ok(E::decode(bytes))
    }

    /// The last entry.
    pub fn last(&self) -> Result<Option<E>, DiskError> {
        self.len()
            .checked_sub(1)
            .map(|index| self.get(index))
            .transpose()
    }

    /// The last entry for which `is_before` holds; it must hold for a prefix of the entries.
    pub fn last_where(&self, is_before: impl Fn(&E) -> bool) -> Result<Option<E>, DiskError> {
        let (mut low, mut high) = (0, self.len());
        let mut found = None;
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.get(middle)?;
            if is_before(&entry) {
                found = Some(entry);
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(found)
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: E) -> Result<(), DiskError> {
        self.tail.push(entry);
        if self.tail.len() >= BLOCK_ENTRIES {
            self.write()
        } else {
            Ok(())
        }
    }

    /// Writes what is only in memory; makes the file if there is none.
    pub fn write(&mut self) -> Result<(), DiskError> {
        let mut bytes = Vec::with_capacity(self.tail.len() * E::SIZE_BYTES);
        for entry in &self.tail {
            bytes.extend_from_slice(&entry.encode()[..E::SIZE_BYTES]);
        }
        let at = (self.written * E::SIZE_BYTES) as u64;
        let path = self.path.clone();
        self.writable()?
            .write_all_at(&bytes, at)
            .disk(DiskOperation::Write, &path)?;
        self.written += self.tail.len();
        self.tail.clear();
        Ok(())
    }

    /// Waits until the file is on the disk.
    pub fn sync(&mut self) -> Result<(), DiskError> {
        self.write()?;
        let path = self.path.clone();
        self.writable()?
            .sync_data()
            .disk(DiskOperation::Sync, &path)
    }

    /// Keeps the first `len` entries.
    pub fn truncate(&mut self, len: usize) -> Result<(), DiskError> {
        self.tail.truncate(len.saturating_sub(self.written));
        if len < self.written {
            self.written = len;
            let path = self.path.clone();
            self.writable()?
                .set_len((len * E::SIZE_BYTES) as u64)
                .disk(DiskOperation::Truncate, &path)?;
        }
        Ok(())
    }

    /// Closes the file until it is needed again, and gives memory back.
    pub fn release(&mut self) {
        self.file = None;
        self.tail.shrink_to_fit();
    }

    fn writable(&mut self) -> Result<&File, DiskError> {
        let file = match self.file.take() {
            Some(file) => file,
            None => OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&self.path)
                .disk(DiskOperation::Open, &self.path)?,
        };
        Ok(self.file.insert(file))
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
