//! How the disk fails.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What was being done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskOperation {
    /// Creating a file or directory.
    Create,
    /// Opening a file or directory.
    Open,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Waiting for what was written to be on the disk.
    Sync,
    /// Renaming.
    Rename,
    /// Cutting a file.
    Truncate,
    /// Deleting.
    Delete,
    /// Locking against other processes.
    Lock,
}

impl fmt::Display for DiskOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Open => "open",
            Self::Read => "read",
            Self::Write => "write",
            Self::Sync => "sync",
            Self::Rename => "rename",
            Self::Truncate => "truncate",
            Self::Delete => "delete",
            Self::Lock => "lock",
        })
    }
}

/// The disk refused an operation.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {}: {source}", path.display())]
pub struct DiskError {
    /// What was being done.
    pub operation: DiskOperation,
    /// To which file or directory.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl DiskError {
    /// Whether there is no such file.
    pub(crate) fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }

    /// Whether the disk, or a quota on it, is full.
    pub fn is_full(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }
}

/// Gives an I/O error its operation and path.
pub(crate) trait DiskResult<T> {
    fn disk(self, operation: DiskOperation, path: &Path) -> Result<T, DiskError>;
}

impl<T, E: Into<io::Error>> DiskResult<T> for Result<T, E> {
    fn disk(self, operation: DiskOperation, path: &Path) -> Result<T, DiskError> {
        self.map_err(|source| DiskError {
            operation,
            path: path.to_owned(),
            source: source.into(),
        })
    }
}
