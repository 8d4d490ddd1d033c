//! The lock that keeps a second process out of a log directory.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use crate::error::{DiskError, DiskOperation, DiskResult};

/// The file's name.
const LOCK_FILE: &str = ".lock";

/// The directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum DirLockError {
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Another process holds it.
    #[error("{} is in use by another broker; stop that one, or choose another directory in log.dirs", path.display())]
    Held {
        /// The directory.
        path: PathBuf,
    },
}

/// A locked directory; dropping it, or the end of the process, unlocks it.
#[derive(Debug)]
pub struct DirLock {
    _file: File,
}

impl DirLock {
    /// Locks `log_directory`. Source: Kafka's `FileLock` on `.lock`, which a JVM takes by `fcntl`;
    /// both kinds are taken, so that brokers of both makes keep each other out.
    pub fn take(log_directory: &Path) -> Result<Self, DirLockError> {
        let path = log_directory.join(LOCK_FILE);
        let options = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let file = options.disk(DiskOperation::Open, &path)?;
        let held = || DirLockError::Held {
            path: log_directory.to_owned(),
        };
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| held())?;
        rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| held())?;
        Ok(Self { _file: file })
    }
}
