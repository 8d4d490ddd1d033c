//! The log directories of a broker and the logs in them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ottla_protocol::Uuid;
use ottla_protocol::ids::{Offset, TopicId, TopicPartition};
use parking_lot::{Mutex, RwLock};
use tracing::{error, info, warn};

use crate::checkpoint::{
    CheckpointError, HIGH_WATERMARK_CHECKPOINT, LOG_START_OFFSET_CHECKPOINT, OffsetCheckpoint,
    RECOVERY_POINT_CHECKPOINT, read_offsets, write_offsets,
};
use crate::clean_shutdown;
use crate::dir_lock::{DirLock, DirLockError};
use crate::error::{DiskError, DiskOperation, DiskResult};
use crate::log::Log;
use crate::log_config::LogConfig;
use crate::recovery::{self, OpenLog, OpenLogError, Shutdown};
use crate::text_file;

/// What the directory of a deleted log ends with until its files are gone.
const DELETE_SUFFIX: &str = "-delete";
/// Directories that are not logs of partitions: the metadata log has its own host.
const METADATA_LOG_DIRECTORY: &str = "__cluster_metadata-0";

/// How to open the logs.
#[derive(Clone, Debug)]
pub struct LogManagerOptions {
    /// `log.dirs`.
    pub log_dirs: Vec<PathBuf>,
    /// `num.recovery.threads.per.data.dir`.
    pub recovery_threads_per_dir: usize,
    /// What holds for logs until their topics' configurations are known.
    pub config: LogConfig,
    /// The time, milliseconds since the epoch.
    pub now_ms: i64,
}

/// The logs could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenLogManagerError {
    /// No log directory can be used.
    #[error("no directory in log.dirs can be used; see the errors before this one")]
    NoDirectory,
    /// Another process uses a directory.
    #[error(transparent)]
    Lock(#[from] DirLockError),
    /// A log directory failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A log could not be opened.
    #[error("cannot open the log in {}: {source}", directory.display())]
    Log {
        /// The log's directory.
        directory: PathBuf,
        /// Why.
        source: OpenLogError,
    },
}

/// A new log could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateLogError {
    /// Every log directory is offline.
    #[error("every log directory is offline after failures of their disks")]
    NoDirectory,
    /// The files could not be made.
    #[error(transparent)]
    Open(#[from] OpenLogError),
}

/// One log directory.
#[derive(Debug)]
pub struct LogDirectory {
    path: PathBuf,
    offline: Arc<AtomicBool>,
    logs: AtomicUsize,
    /// Whether it was left cleanly, and the broker epoch that the mark named.
    clean_shutdown_epoch: Option<i64>,
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

    /// Broker epoch of its clean stop; `None` after an unclean one.
    pub fn clean_shutdown_epoch(&self) -> Option<i64> {
        self.clean_shutdown_epoch
    }

    fn open(path: &Path) -> Result<Self, OpenLogManagerError> {
        fs::create_dir_all(path).disk(DiskOperation::Create, path)?;
        let lock = DirLock::take(path)?;
        Ok(Self {
            path: path.to_owned(),
            offline: Arc::default(),
            logs: AtomicUsize::new(0),
            clean_shutdown_epoch: clean_shutdown::take(path)?,
            _lock: lock,
        })
    }
}

struct Entry {
    log: Arc<Log>,
    directory: Arc<LogDirectory>,
}

/// A deleted log whose files are still there.
struct Doomed {
    path: PathBuf,
    delete_at_ms: i64,
}

/// All logs of a broker.
pub struct LogManager {
    directories: Vec<Arc<LogDirectory>>,
    logs: RwLock<HashMap<TopicPartition, Entry>>,
    doomed: Mutex<Vec<Doomed>>,
}

impl LogManager {
    /// Locks the directories and opens every log in them, recovering those of directories that were
    /// not left cleanly.
    pub fn open(options: &LogManagerOptions) -> Result<Self, OpenLogManagerError> {
        let mut directories = Vec::new();
        for path in &options.log_dirs {
            match LogDirectory::open(path) {
                Ok(directory) => directories.push(Arc::new(directory)),
                // One of several directories may fail alone.
                Err(OpenLogManagerError::Disk(error)) if options.log_dirs.len() > 1 => {
                    error!(%error, "the log directory is offline; replace or repair its disk, then restart");
                }
                Err(error) => return Err(error),
            }
        }
        if directories.is_empty() {
            return Err(OpenLogManagerError::NoDirectory);
        }
        let manager = Self {
            directories,
            logs: RwLock::default(),
            doomed: Mutex::default(),
        };
        for directory in &manager.directories {
            manager.load(directory, options)?;
        }
        Ok(manager)
    }

    /// The log of a partition.
    pub fn get(&self, topic_partition: &TopicPartition) -> Option<Arc<Log>> {
        self.logs
            .read()
            .get(topic_partition)
            .map(|entry| Arc::clone(&entry.log))
    }

    /// All logs.
    pub fn logs(&self) -> Vec<Arc<Log>> {
        self.logs
            .read()
            .values()
            .map(|entry| Arc::clone(&entry.log))
            .collect()
    }

    /// All logs with the directories that they are in.
    pub fn logs_by_directory(&self) -> Vec<(Arc<LogDirectory>, Arc<Log>)> {
        self.logs
            .read()
            .values()
            .map(|entry| (Arc::clone(&entry.directory), Arc::clone(&entry.log)))
            .collect()
    }

    /// The log directories that could be opened.
    pub fn directories(&self) -> &[Arc<LogDirectory>] {
        &self.directories
    }

    /// Makes the log of a new partition, in the directory with the fewest logs. The one there is, if
    /// there is one of the same topic.
    pub fn create(
        &self,
        topic_partition: &TopicPartition,
        topic_id: TopicId,
        config: LogConfig,
        now_ms: i64,
    ) -> Result<Arc<Log>, CreateLogError> {
        let mut logs = self.logs.write();
        if let Some(entry) = logs.get(topic_partition)
            && entry.log.topic_id().is_none_or(|id| id == topic_id)
        {
            return Ok(Arc::clone(&entry.log));
        }
        let directory = self
            .directories
            .iter()
            .filter(|directory| !directory.is_offline())
            .min_by_key(|directory| directory.logs.load(Ordering::Relaxed))
            .ok_or(CreateLogError::NoDirectory)?;
        let open = OpenLog {
            topic_partition: topic_partition.clone(),
            config,
            shutdown: Shutdown::Clean,
            recovery_point: Offset(0),
            log_start_offset: Offset(0),
            high_watermark: Offset(0),
            now_ms,
            offline: Arc::clone(&directory.offline),
        };
        let log = Arc::new(recovery::create(
            &directory.path.join(topic_partition.to_string()),
            topic_id,
            open,
        )?);
        directory.logs.fetch_add(1, Ordering::Relaxed);
        logs.insert(
            topic_partition.clone(),
            Entry {
                log: Arc::clone(&log),
                directory: Arc::clone(directory),
            },
        );
        Ok(log)
    }

    /// Deletes a partition's log: at once for everybody who looks for it, and its files after
    /// `file.delete.delay.ms`. `unique` makes the name of the doomed directory unique.
    pub fn delete(
        &self,
        topic_partition: &TopicPartition,
        unique: Uuid,
        now_ms: i64,
    ) -> Result<(), DiskError> {
        let Some(entry) = self.logs.write().remove(topic_partition) else {
            return Ok(());
        };
        entry.directory.logs.fetch_sub(1, Ordering::Relaxed);
        let unique = unique
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        let path = entry
            .directory
            .path
            .join(format!("{topic_partition}.{unique}{DELETE_SUFFIX}"));
        fs::rename(entry.log.directory(), &path)
            .disk(DiskOperation::Rename, entry.log.directory())?;
        let delete_at_ms = now_ms.saturating_add(entry.log.config().file_delete_delay_ms);
        self.doomed.lock().push(Doomed { path, delete_at_ms });
        Ok(())
    }

    /// Deletes the files of logs whose delay is over.
    pub fn delete_doomed(&self, now_ms: i64) {
        let mut doomed = self.doomed.lock();
        doomed.retain(|one| {
            if one.delete_at_ms > now_ms {
                return true;
            }
            if let Err(error) = fs::remove_dir_all(&one.path) {
                warn!(path = %one.path.display(), %error, "cannot delete the files of a deleted partition; delete them by hand");
            }
            false
        });
    }

    /// Flushes the logs for which it is due.
    pub fn flush_due(&self, now_ms: i64) {
        for log in self.logs() {
            if !log.is_offline() && log.flush_is_due(now_ms) {
                // A failure is told, and takes the directory offline, where it happens.
                let _ = log.flush(log.log_end_offset(), now_ms);
            }
        }
    }

    /// Writes where recovery may begin, and where the logs start.
    pub fn checkpoint_recovery_points(&self) -> Result<(), DiskError> {
        self.checkpoint(RECOVERY_POINT_CHECKPOINT, |log| Some(log.recovery_point()))?;
        self.checkpoint(LOG_START_OFFSET_CHECKPOINT, |log| {
            let start = log.log_start_offset();
            let first = log
                .segments()
                .first()
                .map_or(start, |segment| segment.base_offset());
            (start > first).then_some(start)
        })
    }

    /// Writes the high watermarks.
    pub fn checkpoint_high_watermarks(&self) -> Result<(), DiskError> {
        self.checkpoint(HIGH_WATERMARK_CHECKPOINT, |log| Some(log.high_watermark()))
    }

    /// Flushes and closes every log, and leaves the mark of a clean stop. Logs of several threads a
    /// directory are closed at once.
    pub fn shut_down(&self, broker_epoch: i64, now_ms: i64) -> Result<(), DiskError> {
        for log in self.logs() {
            if !log.is_offline() {
                log.close(now_ms)?;
            }
        }
        self.checkpoint_recovery_points()?;
        self.checkpoint_high_watermarks()?;
        for directory in &self.directories {
            if !directory.is_offline() {
                clean_shutdown::leave(&directory.path, broker_epoch)?;
            }
        }
        Ok(())
    }

    fn checkpoint(
        &self,
        file: &str,
        offset: impl Fn(&Log) -> Option<Offset>,
    ) -> Result<(), DiskError> {
        let mut by_directory: HashMap<PathBuf, OffsetCheckpoint> = self
            .directories
            .iter()
            .map(|directory| (directory.path.clone(), OffsetCheckpoint::new()))
            .collect();
        for (directory, log) in self.logs_by_directory() {
            if let (Some(offsets), Some(offset)) =
                (by_directory.get_mut(&directory.path), offset(&log))
            {
                offsets.insert(log.topic_partition().clone(), offset);
            }
        }
        for directory in &self.directories {
            if !directory.is_offline()
                && let Some(offsets) = by_directory.get(&directory.path)
            {
                write_offsets(&directory.path.join(file), offsets)?;
            }
        }
        Ok(())
    }

    fn load(
        &self,
        directory: &Arc<LogDirectory>,
        options: &LogManagerOptions,
    ) -> Result<(), OpenLogManagerError> {
        let clean = directory.clean_shutdown_epoch.is_some();
        let recovery_points = read_checkpoint(directory, RECOVERY_POINT_CHECKPOINT)?;
        let log_start_offsets = read_checkpoint(directory, LOG_START_OFFSET_CHECKPOINT)?;
        let high_watermarks = read_checkpoint(directory, HIGH_WATERMARK_CHECKPOINT)?;
        let found = self.find_logs(directory)?;
        if !clean && !found.is_empty() {
            info!(directory = %directory.path.display(), logs = found.len(), "the broker was not stopped cleanly: recovering");
        }
        let offset_in = |checkpoint: &OffsetCheckpoint, topic_partition| {
            checkpoint
                .get(topic_partition)
                .copied()
                .unwrap_or(Offset(0))
        };
        let next = AtomicUsize::new(0);
        let opened: Mutex<Vec<Result<Log, OpenLogManagerError>>> = Mutex::default();
        let work = || {
            while let Some((topic_partition, path)) =
                found.get(next.fetch_add(1, Ordering::Relaxed))
            {
                let open = OpenLog {
                    topic_partition: topic_partition.clone(),
                    config: options.config.clone(),
                    shutdown: if clean {
                        Shutdown::Clean
                    } else {
                        Shutdown::Unclean
                    },
                    recovery_point: offset_in(&recovery_points, topic_partition),
                    log_start_offset: offset_in(&log_start_offsets, topic_partition),
                    high_watermark: offset_in(&high_watermarks, topic_partition),
                    now_ms: options.now_ms,
                    offline: Arc::clone(&directory.offline),
                };
                let log = recovery::open(path, open);
                opened
                    .lock()
                    .push(log.map_err(|source| OpenLogManagerError::Log {
                        directory: path.clone(),
                        source,
                    }));
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..options
                .recovery_threads_per_dir
                .clamp(1, found.len().max(1))
            {
                scope.spawn(work);
            }
        });
        let mut logs = self.logs.write();
        for log in opened.into_inner() {
            let log = Arc::new(log?);
            directory.logs.fetch_add(1, Ordering::Relaxed);
            logs.insert(
                log.topic_partition().clone(),
                Entry {
                    log,
                    directory: Arc::clone(directory),
                },
            );
        }
        Ok(())
    }

    /// The logs in a directory. Dooms what is left of deleted ones.
    fn find_logs(
        &self,
        directory: &LogDirectory,
    ) -> Result<Vec<(TopicPartition, PathBuf)>, DiskError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&directory.path).disk(DiskOperation::Read, &directory.path)? {
            let path = entry.disk(DiskOperation::Read, &directory.path)?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if name == METADATA_LOG_DIRECTORY || !path.is_dir() {
                continue;
            }
            if name.ends_with(DELETE_SUFFIX) {
                self.doomed.lock().push(Doomed {
                    path,
                    delete_at_ms: i64::MIN,
                });
                continue;
            }
            let partition = name.rsplit_once('-').and_then(|(topic, partition)| {
                let partition: i32 = partition.parse().ok().filter(|partition| *partition >= 0)?;
                Some(TopicPartition::new(topic, partition))
            });
            match partition {
                Some(topic_partition) => found.push((topic_partition, path)),
                None => {
                    warn!(path = %path.display(), "this is not a partition's directory and is left alone")
                }
            }
        }
        Ok(found)
    }
}

/// A damaged checkpoint is as good as none: recovery only takes longer.
fn read_checkpoint(directory: &LogDirectory, file: &str) -> Result<OffsetCheckpoint, DiskError> {
    match read_offsets(&directory.path.join(file)) {
        Ok(offsets) => Ok(offsets),
        Err(CheckpointError::Disk(error)) => Err(error),
        Err(error @ CheckpointError::Malformed { .. }) => {
            warn!(%error, "doing without the checkpoint");
            text_file::delete(&directory.path.join(file))?;
            Ok(OffsetCheckpoint::new())
        }
    }
}
