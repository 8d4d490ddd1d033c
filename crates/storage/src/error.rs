//! How the disk fails.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

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
#[error("cannot {operation} {}: {source}{}", path.display(), remedy(source))]
pub struct DiskError {
    /// What was being done.
    pub operation: DiskOperation,
    /// To which file or directory.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// What a person can do about it.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "; let the user that runs the broker read and write it, or name another directory in log.dirs"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "; mount the file system for writing, or name another directory in log.dirs"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "; a file stands where a directory is to be: move it away, or name another directory in log.dirs"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room",
        _ => "",
    }
}

impl DiskError {
    /// What is asked of a directory that is offline after a failure: a failed fsync is not tried
    /// again, as the system may say that it worked and have dropped the data.
    pub(crate) fn offline(operation: DiskOperation, path: &Path) -> Self {
        Self {
            operation,
            path: path.to_owned(),
            source: io::Error::other("the log directory is offline after an earlier failure"),
        }
    }

    /// Whether there is no such file.
    pub(crate) fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }

    /// Whether the same may well work later, as nothing is broken: the disk, or a quota on it, is
    /// full, or too many files are open. Never so for a flush: what it covered may be lost.
    pub fn is_passing(&self) -> bool {
        let is_short = matches!(
            self.source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        );
        let errno = Errno::from_io_error(&self.source);
        let has_no_descriptor = matches!(errno, Some(Errno::MFILE | Errno::NFILE));
        (is_short || has_no_descriptor) && self.operation != DiskOperation::Sync
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
