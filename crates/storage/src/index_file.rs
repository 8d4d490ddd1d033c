//! Entries of fixed size, in the order of their offsets: a file, and the newest ones in memory.
//!
//! New entries are written out in blocks, when the segment is sealed and when it is flushed. A
//! crash loses only entries of a segment past the recovery point, whose indexes are rebuilt anyway.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk;
use crate::error::{DiskError, DiskOperation, DiskResult};

/// Entries kept in memory before they are written in one go.
const BLOCK_ENTRIES: usize = 512;
/// Bytes of the largest entry.
const MAX_ENTRY_BYTES: usize = 16;

/// An entry as it stands in the file.
pub(crate) trait IndexEntry: Copy {
    /// Bytes of an entry in the file.
    const SIZE_BYTES: usize;
    /// The file's bytes; only the first `SIZE_BYTES` count.
    fn encode(self) -> [u8; MAX_ENTRY_BYTES];
    /// The entry in `bytes`, which are `SIZE_BYTES` long.
    fn decode(bytes: &[u8]) -> Self;
    /// The entry's offset, relative to the segment's base.
    fn relative_offset(&self) -> u32;
}

/// One index of one segment.
#[derive(Debug)]
pub(crate) struct IndexFile<E> {
    path: PathBuf,
    /// Opened when it is first needed.
    file: Option<Arc<File>>,
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

    /// The index in the file at `path`; `None` when there is no file, or it does not end with a
    /// whole entry for which `is_plausible` holds, given the one before it.
    pub fn open(
        path: PathBuf,
        is_plausible: impl Fn(Option<&E>, &E) -> bool,
    ) -> Result<Option<Self>, DiskError> {
        let Some(file) = disk::open(&path)? else {
            return Ok(None);
        };
        let size_bytes = disk::size_bytes(&file, &path)?;
        let written = usize::try_from(size_bytes).unwrap_or(usize::MAX);
        let mut index = Self::empty(path);
        index.written = written / E::SIZE_BYTES;
        if let Some(last) = index.len().checked_sub(1) {
            let before_last = last
                .checked_sub(1)
                .map(|index_of| index.read(&file, index_of))
                .transpose()?;
            let last = index.read(&file, last)?;
            if !is_plausible(before_last.as_ref(), &last) {
                return Ok(None);
            }
        }
        Ok((written % E::SIZE_BYTES == 0).then_some(index))
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.written + self.tail.len()
    }

    /// Size of the file once all is written, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.len() * E::SIZE_BYTES
    }

    /// The last entry.
    pub fn last(&self) -> Result<Option<E>, DiskError> {
        match (self.tail.last(), self.written.checked_sub(1)) {
            (Some(last), _) => Ok(Some(*last)),
            (None, None) => Ok(None),
            (None, Some(last)) => {
                let file = self.readable()?;
                Ok(Some(self.read(&file, last)?))
            }
        }
    }

    /// The last entry for which `is_before` holds; it must hold for a prefix of the entries.
    pub fn last_where(&self, is_before: impl Fn(&E) -> bool) -> Result<Option<E>, DiskError> {
        let in_memory = self.tail.partition_point(&is_before);
        if let Some(index) = in_memory.checked_sub(1) {
            return Ok(Some(self.tail[index]));
        }
        if self.written == 0 {
            return Ok(None);
        }
        let file = self.readable()?;
        let (mut low, mut high) = (0, self.written);
        let mut found = None;
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.read(&file, middle)?;
            if is_before(&entry) {
                found = Some(entry);
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(found)
    }

    /// Adds an entry. If it cannot be written now, it stays in memory until the index is written.
    pub fn push(&mut self, entry: E) {
        self.tail.push(entry);
        if self.tail.len().is_multiple_of(BLOCK_ENTRIES) {
            let _ = self.write();
        }
    }

    /// Writes what is only in memory; makes the file if there is none.
    pub fn write(&mut self) -> Result<(), DiskError> {
        let mut bytes = Vec::with_capacity(self.tail.len() * E::SIZE_BYTES);
        for entry in &self.tail {
            bytes.extend_from_slice(&entry.encode()[..E::SIZE_BYTES]);
        }
        let at = (self.written * E::SIZE_BYTES) as u64;
        let file = self.writable()?;
        disk::write_at(&file, &self.path, at, &bytes, &[])?;
        self.written += self.tail.len();
        self.tail.clear();
        Ok(())
    }

    /// Writes what is only in memory. The file, for the caller to sync without the index's lock.
    pub fn write_to_sync(&mut self) -> Result<Arc<File>, DiskError> {
        self.write()?;
        self.writable()
    }

    /// Keeps the entries of offsets before `relative_offset`.
    pub fn truncate_to_offset(&mut self, relative_offset: u32) -> Result<(), DiskError> {
        let is_before = |entry: &E| entry.relative_offset() < relative_offset;
        self.tail.truncate(self.tail.partition_point(is_before));
        let mut kept = self.written;
        if kept > 0 {
            let file = self.readable()?;
            while kept > 0 && !is_before(&self.read(&file, kept - 1)?) {
                kept -= 1;
            }
        }
        self.keep_written(kept)
    }

    /// Forgets every entry.
    pub fn clear(&mut self) -> Result<(), DiskError> {
        self.tail.clear();
        self.written = 0;
        // What is not a whole entry goes too.
        match disk::open(&self.path)? {
            None => Ok(()),
            Some(_) => disk::truncate(&*self.writable()?, &self.path, 0),
        }
    }

    fn keep_written(&mut self, kept: usize) -> Result<(), DiskError> {
        if kept < self.written {
            let file = self.writable()?;
            disk::truncate(&file, &self.path, (kept * E::SIZE_BYTES) as u64)?;
            self.written = kept;
        }
        Ok(())
    }

    /// Closes the file until it is needed again, and gives memory back.
    pub fn release(&mut self) {
        self.file = None;
        self.tail.shrink_to_fit();
    }

    fn read(&self, file: &File, index: usize) -> Result<E, DiskError> {
        let mut buffer = [0; MAX_ENTRY_BYTES];
        let bytes = &mut buffer[..E::SIZE_BYTES];
        disk::read_exact_at(file, &self.path, (index * E::SIZE_BYTES) as u64, bytes)?;
        Ok(E::decode(bytes))
    }

    fn readable(&self) -> Result<Arc<File>, DiskError> {
        if let Some(file) = &self.file {
            return Ok(Arc::clone(file));
        }
        match disk::open(&self.path)? {
            Some(file) => Ok(Arc::new(file)),
            None => Err(io::Error::from(ErrorKind::NotFound)).disk(DiskOperation::Open, &self.path),
        }
    }

    fn writable(&mut self) -> Result<Arc<File>, DiskError> {
        let file = match self.file.take() {
            Some(file) => file,
            None => Arc::new(disk::open_or_create(&self.path)?),
        };
        Ok(Arc::clone(self.file.insert(file)))
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
