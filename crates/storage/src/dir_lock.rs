//! The lock that keeps a second process out of a log directory.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rustix::fs::FlockOperation;
use rustix::io::Errno;

use crate::disk;
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

/// The directories that this process holds, by device and inode: closing any descriptor of a file
/// gives up all of a process's `fcntl` locks on it, so the file of one must not be opened again.
static HELD: Mutex<BTreeSet<(u64, u64)>> = Mutex::new(BTreeSet::new());

/// A locked directory; dropping it, or the end of the process, unlocks it.
#[derive(Debug)]
pub struct DirLock {
    _file: File,
    identity: (u64, u64),
}

impl DirLock {
    /// Locks `log_directory`. Source: Kafka's `FileLock` on `.lock`, which a JVM takes by `fcntl`;
    /// both kinds are taken, so that brokers of both makes keep each other out.
    pub fn take(log_directory: &Path) -> Result<Self, DirLockError> {
        let metadata = std::fs::metadata(log_directory).disk(DiskOperation::Open, log_directory)?;
        let identity = (metadata.dev(), metadata.ino());
        let held = || DirLockError::Held {
            path: log_directory.to_owned(),
        };
        if !HELD.lock().insert(identity) {
            return Err(held());
        }
        let path = log_directory.join(LOCK_FILE);
        let locked = disk::open_or_create(&path).map_err(DirLockError::from);
        let locked = locked.and_then(|file| {
            lock(&file, &path).map_err(|error| match error {
                Some(error) => error.into(),
                None => held(),
            })?;
            Ok(file)
        });
        match locked {
            Ok(file) => Ok(Self {
                _file: file,
                identity,
            }),
            Err(error) => {
                HELD.lock().remove(&identity);
                Err(error)
            }
        }
    }
}

impl Drop for DirLock {
    fn drop(&mut self) {
        HELD.lock().remove(&self.identity);
    }
}

/// Locks the file in both ways; `Err(None)` if another process has it.
fn lock(file: &File, path: &Path) -> Result<(), Option<DiskError>> {
    let exclusive = FlockOperation::NonBlockingLockExclusive;
    let locked =
        rustix::fs::flock(file, exclusive).and_then(|()| rustix::fs::fcntl_lock(file, exclusive));
    match locked {
        Err(Errno::AGAIN | Errno::ACCESS) => Err(None),
        locked => locked.disk(DiskOperation::Lock, path).map_err(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_held_once() {
        let folder = tempfile::tempdir().unwrap();
        let lock = DirLock::take(folder.path()).unwrap();
        let again = DirLock::take(folder.path());
        assert!(matches!(again, Err(DirLockError::Held { .. })));
        drop(lock);
        DirLock::take(folder.path()).unwrap();
    }
}
