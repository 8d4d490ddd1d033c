//! One of the directories in `log.dirs`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ottla_protocol::Uuid;
use ottla_protocol::ids::TopicPartition;
use tracing::{error, warn};

use crate::checkpoint::{CheckpointError, OffsetCheckpoint, read_offsets};
use crate::clean_shutdown;
use crate::dir_lock::DirLock;
use crate::disk::{self, Entry};
use crate::error::DiskError;
use crate::log_manager::OpenLogManagerError;
use crate::meta_properties;

/// What the directory of a deleted log ends with until its files are gone.
pub(crate) const DELETE_SUFFIX: &str = "-delete";
/// What the directory of a log ends with of which the metadata knows nothing.
pub(crate) const STRAY_SUFFIX: &str = "-stray";
/// Directories that are not logs of partitions: the metadata log has its own host.
const METADATA_LOG_DIRECTORY: &str = "__cluster_metadata-0";
/// Bytes that a file's name may have.
const MAX_NAME_BYTES: usize = 255;

/// What is in a log directory.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// Partitions' logs.
    pub logs: Vec<(TopicPartition, PathBuf)>,
    /// What is left of deleted ones.
    pub doomed: Vec<PathBuf>,
}

/// One log directory.
#[derive(Debug)]
pub struct LogDirectory {
    pub(crate) path: PathBuf,
    /// `directory.id`, if the directory is formatted.
    id: Option<Uuid>,
    pub(crate) offline: Arc<AtomicBool>,
    pub(crate) logs: AtomicUsize,
    /// Whether it was left cleanly, and the broker epoch that the mark named.
    pub(crate) clean_shutdown_epoch: Option<i64>,
    _lock: DirLock,
}

impl LogDirectory {
    /// Its path, as in `log.dirs`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether its disk has failed.
    pub fn is_offline(&self) -> bool {
        self.offline.load(Ordering::Acquire)
    }

    /// Its `directory.id` (KIP-858).
    pub fn id(&self) -> Option<Uuid> {
        self.id
    }

    /// Broker epoch of its clean stop; `None` after an unclean one.
    pub fn clean_shutdown_epoch(&self) -> Option<i64> {
        self.clean_shutdown_epoch
    }

    /// Makes the directory if there is none, locks it, and takes its mark of a clean stop away.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenLogManagerError> {
        disk::create_directories(path)?;
        let lock = DirLock::take(path)?;
        let properties = meta_properties::read(path).ok().flatten();
        Ok(Self {
            path: path.to_owned(),
            id: properties.and_then(|properties| properties.directory_id),
            offline: Arc::default(),
            logs: AtomicUsize::new(0),
            clean_shutdown_epoch: clean_shutdown::take(path)?,
            _lock: lock,
        })
    }

    /// Takes the directory offline, for good, unless it is only full.
    pub(crate) fn fail(&self, error: &DiskError) {
        if !error.is_passing() && !self.offline.swap(true, Ordering::AcqRel) {
            error!(directory = %self.path.display(), %error, "the log directory goes offline; replace or repair its disk, then restart");
        }
    }

    /// What is in the directory.
    pub(crate) fn contents(&self) -> Result<Contents, DiskError> {
        let mut contents = Contents::default();
        for Entry { name, is_directory } in disk::entries(&self.path)? {
            if name == METADATA_LOG_DIRECTORY || !is_directory {
                continue;
            }
            let path = self.path.join(&name);
            if name.ends_with(DELETE_SUFFIX) {
                contents.doomed.push(path);
                continue;
            }
            if name.ends_with(STRAY_SUFFIX) {
                warn!(path = %path.display(), "this partition belongs to no topic; delete its files if nobody misses them");
                continue;
            }
            match partition_of(&name) {
                Some(topic_partition) => contents.logs.push((topic_partition, path)),
                None => {
                    warn!(path = %path.display(), "this is not a partition's directory and is left alone");
                }
            }
        }
        Ok(contents)
    }

    /// The offsets in a checkpoint file. A damaged one is as good as none: recovery only takes longer.
    pub(crate) fn read_checkpoint(&self, file: &str) -> Result<OffsetCheckpoint, DiskError> {
        let path = self.path.join(file);
        match read_offsets(&path) {
            Ok(offsets) => Ok(offsets),
            Err(CheckpointError::Disk(error)) => Err(error),
            Err(error @ CheckpointError::Malformed { .. }) => {
                warn!(%error, "the checkpoint is deleted and done without");
                disk::delete(&path)?;
                Ok(OffsetCheckpoint::new())
            }
        }
    }

    /// Where the files go of a log that is no partition's any more. `unique` keeps the names apart;
    /// the topic's is cut if the whole would be too long for a file's name.
    ///
    /// Source: `UnifiedLog.logDeleteDirName`, `logStrayDirName`.
    pub(crate) fn put_aside_path(
        &self,
        topic_partition: &TopicPartition,
        unique: Uuid,
        suffix: &str,
    ) -> PathBuf {
        let hex = unique
            .as_bytes()
            .iter()
            .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let tail = format!("-{}.{hex}{suffix}", topic_partition.partition);
        let topic = topic_partition.topic.as_str();
        let kept = topic.len().min(MAX_NAME_BYTES.saturating_sub(tail.len()));
        self.path
            .join(format!("{}{tail}", topic.get(..kept).unwrap_or_default()))
    }
}

/// Whether the directory at `path` holds logs of partitions, the metadata log among them. No lock is
/// needed; a directory that does not exist holds none.
pub fn holds_logs(path: &Path) -> Result<bool, DiskError> {
    match disk::entries(path) {
        Ok(entries) => Ok(entries
            .iter()
            .any(|entry| entry.is_directory && partition_of(&entry.name).is_some())),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

/// The partition whose log is in a directory of this name.
fn partition_of(name: &str) -> Option<TopicPartition> {
    let (topic, partition) = name.rsplit_once('-')?;
    let partition: i32 = partition.parse().ok().filter(|partition| *partition >= 0)?;
    (!topic.is_empty()).then(|| TopicPartition::new(topic, partition))
}
