//! [`Segment`]: a piece of a message on its way out.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

/// The pieces of an encoded message, in order. Most messages have one.
pub type Segments = SmallVec<[Segment; 2]>;

/// A piece of a message: bytes that are here, or where they lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Bytes in memory.
    Bytes(Bytes),
    /// Bytes in a file, for the system to send from there.
    File(FileRange),
}

impl Segment {
    /// The size in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::File(range) => range.len(),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Bytes> for Segment {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<FileRange> for Segment {
    fn from(range: FileRange) -> Self {
        Self::File(range)
    }
}

/// Bytes of an open file, which must not change while this exists. Nothing here reads them.
#[derive(Clone)]
pub struct FileRange {
    file: Arc<dyn AsFd + Send + Sync>,
    position: u64,
    length: usize,
}

impl FileRange {
    /// `length` bytes of `file` from `position` on, both in bytes.
    pub fn new(file: Arc<dyn AsFd + Send + Sync>, position: u64, length: usize) -> Self {
        Self {
            file,
            position,
            length,
        }
    }

    /// The file.
    pub fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Where the bytes begin in the file.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The size in bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Leaves out the first `count` bytes, at most all of them.
    pub fn advance(&mut self, count: usize) {
        let count = count.min(self.length);
        self.position += count as u64;
        self.length -= count;
    }
}

impl fmt::Debug for FileRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileRange")
            .field("position", &self.position)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// Equal are the same bytes of the same open file.
impl PartialEq for FileRange {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::addr_eq(Arc::as_ptr(&self.file), Arc::as_ptr(&other.file))
            && (self.position, self.length) == (other.position, other.length)
    }
}

impl Eq for FileRange {}
