//! The log directories of a broker and the logs in them.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ottla_protocol::Uuid;
use ottla_protocol::ids::{Offset, TopicId, TopicPartition};
use parking_lot::{Mutex, RwLock};
use tracing::{error, info, warn};

use crate::checkpoint::{
    HIGH_WATERMARK_CHECKPOINT, LOG_START_OFFSET_CHECKPOINT, OffsetCheckpoint,
    RECOVERY_POINT_CHECKPOINT, write_offsets,
};
use crate::dir_lock::DirLockError;
use crate::error::DiskError;
use crate::log::Log;
use crate::log_config::LogConfig;
use crate::log_directory::{Contents, DELETE_SUFFIX, LogDirectory, STRAY_SUFFIX};
use crate::log_truncate::TruncateError;
use crate::recovery::{self, Damage, OpenLog, OpenLogError, Shutdown};
use crate::{clean_shutdown, disk};

/// Directory ids below it say that a replica has none. Source: `DirectoryId.reserved`.
const RESERVED_DIRECTORY_IDS: u128 = 100;
/// Threads that close logs when the broker stops.
const CLOSING_THREADS: usize = 8;

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
    /// Two directories hold logs of the same partition.
    #[error("{topic_partition} is in {} and in {}; move one of them away", first.display(), second.display())]
    Duplicate {
        /// The partition.
        topic_partition: TopicPartition,
        /// One of its directories.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
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
    /// Partitions whose deleted logs the checkpoints still name.
    deleted: Mutex<HashSet<TopicPartition>>,
    /// Directories that get new logs only when there are no others.
    cordoned: RwLock<HashSet<PathBuf>>,
    /// One checkpoint at a time: what is written last was also found last.
    checkpointing: Mutex<()>,
    /// Directories of `log.dirs` that could not even be opened.
    unusable: Vec<PathBuf>,
}

impl LogManager {
    /// Locks the directories and opens every log in them, recovering those of directories that were
    /// not left cleanly.
    pub fn open(options: &LogManagerOptions) -> Result<Self, OpenLogManagerError> {
        let mut directories = Vec::new();
        let mut unusable = Vec::new();
        for path in &options.log_dirs {
            match LogDirectory::open(path) {
                Ok(directory) => directories.push(Arc::new(directory)),
                // One of several directories may fail alone.
                Err(OpenLogManagerError::Disk(error)) if options.log_dirs.len() > 1 => {
                    error!(%error, "the log directory is offline; replace or repair its disk, then restart");
                    unusable.push(path.clone());
                }
                Err(error) => return Err(error),
            }
        }
        if directories.is_empty() {
            return Err(OpenLogManagerError::NoDirectory);
        }
        let manager = Self {
            unusable,
            directories,
            logs: RwLock::default(),
            doomed: Mutex::default(),
            deleted: Mutex::default(),
            cordoned: RwLock::default(),
            checkpointing: Mutex::default(),
        };
        for (directory, loaded) in manager.directories.iter().zip(manager.load_all(options)) {
            match loaded {
                Err(
                    OpenLogManagerError::Disk(error)
                    | OpenLogManagerError::Log {
                        source: OpenLogError::Disk(error),
                        ..
                    },
                ) if manager.directories.len() > 1 => directory.fail(&error),
                loaded => loaded?,
            }
        }
        if manager.directories.iter().all(|one| one.is_offline()) {
            return Err(OpenLogManagerError::NoDirectory);
        }
        // Recovery may have ended logs before what the checkpoints say.
        manager.checkpoint_recovery_points()?;
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

    /// New logs go to other directories than these, as long as there are others (`cordoned.log.dirs`).
    pub fn cordon(&self, directories: impl IntoIterator<Item = PathBuf>) {
        *self.cordoned.write() = directories.into_iter().collect();
    }

    /// The directories of `log.dirs` that cannot be used.
    pub fn unusable_directories(&self) -> impl Iterator<Item = &Path> {
        let offline = self.directories.iter().filter(|one| one.is_offline());
        let unusable = self.unusable.iter().map(PathBuf::as_path);
        unusable.chain(offline.map(|directory| directory.path()))
    }

    /// Whether a log that is not found may be in a directory that cannot be used, or that is no
    /// longer in `log.dirs`. `assigned` is the directory that the metadata names (KIP-858).
    pub fn may_be_elsewhere(&self, assigned: Option<Uuid>) -> bool {
        let mut ids = self.directories.iter().filter_map(|one| one.id());
        let is_gone = assigned
            .filter(|id| u128::from_be_bytes(id.0) >= RESERVED_DIRECTORY_IDS)
            .is_some_and(|id| !ids.any(|other| other == id));
        is_gone || self.unusable_directories().next().is_some()
    }

    /// Makes the log of a new partition, in the directory with the fewest logs that works. The one there is, if
    /// there is one of the same topic; one of another topic is put aside.
    pub fn create(
        &self,
        topic_partition: &TopicPartition,
        topic_id: TopicId,
        config: LogConfig,
        now_ms: i64,
    ) -> Result<Arc<Log>, CreateLogError> {
        if let Some(log) = self.get(topic_partition) {
            match log.topic_id() {
                Some(other) if other != topic_id => self
                    .put_aside(topic_partition, other.0)
                    .map_err(OpenLogError::from)?,
                _ => return Ok(log),
            }
        }
        if self.deleted.lock().contains(topic_partition) {
            // A crash must not let the new log begin with the offsets of the old one.
            self.checkpoint_all().map_err(OpenLogError::from)?;
        }
        let mut logs = self.logs.write();
        if let Some(entry) = logs.get(topic_partition) {
            return Ok(Arc::clone(&entry.log));
        }
        let mut directories: Vec<_> = self.directories.iter().collect();
        directories.retain(|directory| !directory.is_offline());
        let cordoned = self.cordoned.read();
        directories.sort_by_key(|directory| {
            let is_cordoned = cordoned.contains(&directory.path);
            (is_cordoned, directory.logs.load(Ordering::Relaxed))
        });
        drop(cordoned);
        let mut failure = CreateLogError::NoDirectory;
        for directory in directories {
            let open = OpenLog {
                topic_partition: topic_partition.clone(),
                config: config.clone(),
                shutdown: Shutdown::Clean,
                damage: Damage::Cut,
                recovery_point: Offset(0),
                log_start_offset: Offset(0),
                high_watermark: Offset(0),
                now_ms,
                offline: Arc::clone(&directory.offline),
            };
            let path = directory.path.join(topic_partition.to_string());
            match recovery::create(&path, topic_id, open) {
                Ok(log) => {
                    let log = Arc::new(log);
                    directory.logs.fetch_add(1, Ordering::Relaxed);
                    let entry = Entry {
                        log: Arc::clone(&log),
                        directory: Arc::clone(directory),
                    };
                    logs.insert(topic_partition.clone(), entry);
                    return Ok(log);
                }
                Err(error) => {
                    if let OpenLogError::Disk(error) = &error {
                        directory.fail(error);
                    }
                    failure = error.into();
                }
            }
        }
        Err(failure)
    }

    /// Deletes a partition's log: at once for everybody who looks for it, and its files after
    /// `file.delete.delay.ms`. `unique` makes the name of the doomed directory unique.
    pub fn delete(
        &self,
        topic_partition: &TopicPartition,
        unique: Uuid,
        now_ms: i64,
    ) -> Result<(), DiskError> {
        if let Some((log, path)) = self.remove(topic_partition, unique, DELETE_SUFFIX)? {
            let delay_ms = log.config().file_delete_delay_ms;
            self.doomed.lock().push(Doomed {
                path,
                delete_at_ms: now_ms.saturating_add(delay_ms),
            });
        }
        Ok(())
    }

    /// Puts the log aside of a partition that the metadata does not know. Its files stay: it may be
    /// the metadata that is wrong.
    ///
    /// Source: stray partitions in Kafka's `LogManager`.
    pub fn put_aside(
        &self,
        topic_partition: &TopicPartition,
        unique: Uuid,
    ) -> Result<(), DiskError> {
        if let Some((_, path)) = self.remove(topic_partition, unique, STRAY_SUFFIX)? {
            warn!(partition = %topic_partition, path = %path.display(), "this partition belongs to no topic and is put aside; delete its files if nobody misses them");
        }
        Ok(())
    }

    /// Takes the log from everybody who looks for it and gives its directory another name.
    fn remove(
        &self,
        topic_partition: &TopicPartition,
        unique: Uuid,
        suffix: &str,
    ) -> Result<Option<(Arc<Log>, PathBuf)>, DiskError> {
        let Some(entry) = self.logs.write().remove(topic_partition) else {
            return Ok(None);
        };
        entry.directory.logs.fetch_sub(1, Ordering::Relaxed);
        entry.log.retire();
        self.deleted.lock().insert(topic_partition.clone());
        let path = entry
            .directory
            .put_aside_path(topic_partition, unique, suffix);
        disk::rename(entry.log.directory(), &path)
            .inspect_err(|error| entry.directory.fail(error))?;
        Ok(Some((entry.log, path)))
    }

    /// Cuts a partition's log so that it ends at `offset`, as [`Log::truncate_to`] does. The
    /// checkpointed recovery point is lowered first: a crash behind the cut must not find it past
    /// records that were appended since.
    pub fn truncate(
        &self,
        topic_partition: &TopicPartition,
        offset: Offset,
    ) -> Result<(), TruncateError> {
        let Some(log) = self.get(topic_partition) else {
            return Ok(());
        };
        if offset < log.recovery_point() {
            log.lower_recovery_point(offset);
            self.checkpoint_recovery_points()?;
        }
        log.truncate_to(offset)
    }

    /// Deletes the files of logs whose delay is over.
    pub fn delete_doomed(&self, now_ms: i64) {
        // Without the lock: it takes time, and others only want to add to the list.
        let due: Vec<_> = self
            .doomed
            .lock()
            .extract_if(.., |one| one.delete_at_ms <= now_ms)
            .collect();
        for Doomed { path, .. } in due {
            if let Err(error) = disk::delete_directory(&path) {
                warn!(path = %path.display(), %error, "cannot delete the files of a deleted partition; delete them by hand");
            }
        }
    }

    /// Flushes the logs for which it is due, and rolls those of which only the clock tells the age.
    pub fn flush_due(&self, now_ms: i64) {
        for log in self.logs() {
            if !log.is_offline() {
                let _ = log.roll_if_aged(now_ms);
            }
            if !log.is_offline() && log.flush_is_due(now_ms) {
                // A failure is told, and takes the directory offline, where it happens.
                let _ = log.flush(log.log_end_offset(), now_ms);
            }
        }
    }

    /// Writes where recovery may begin, and where the logs start.
    pub fn checkpoint_recovery_points(&self) -> Result<(), DiskError> {
        self.checkpoint(RECOVERY_POINT_CHECKPOINT, |log| Some(log.recovery_point()))?;
        self.checkpoint_log_start_offsets()
    }

    /// Writes where the logs start.
    pub fn checkpoint_log_start_offsets(&self) -> Result<(), DiskError> {
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

    /// Flushes and closes every log, and leaves the mark of a clean stop in every directory that
    /// did not fail. The first failure, if there is one.
    pub fn shut_down(&self, broker_epoch: i64, now_ms: i64) -> Result<(), DiskError> {
        let logs = self.logs();
        let next = AtomicUsize::new(0);
        let first_error: Mutex<Option<DiskError>> = Mutex::default();
        std::thread::scope(|scope| {
            for _ in 0..CLOSING_THREADS.min(logs.len()) {
                scope.spawn(|| {
                    while let Some(log) = logs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if !log.is_offline()
                            && let Err(error) = log.close(now_ms)
                        {
                            // A log that is not whole leaves no mark behind it.
                            log.take_offline();
                            first_error.lock().get_or_insert(error);
                        }
                    }
                });
            }
        });
        let checkpointed = self.checkpoint_all();
        for directory in &self.directories {
            if !directory.is_offline()
                && let Err(error) = clean_shutdown::leave(&directory.path, broker_epoch)
            {
                first_error.lock().get_or_insert(error);
            }
        }
        first_error.into_inner().map_or(checkpointed, Err)
    }

    /// Writes every checkpoint. From then on none of them names a log that was deleted before.
    pub fn checkpoint_all(&self) -> Result<(), DiskError> {
        let deleted = std::mem::take(&mut *self.deleted.lock());
        let written = self
            .checkpoint_recovery_points()
            .and_then(|()| self.checkpoint_high_watermarks());
        if written.is_err() {
            self.deleted.lock().extend(deleted);
        }
        written
    }

    /// Writes an offset of every log to a file in its directory. A directory that fails goes
    /// offline, and the others are written all the same.
    fn checkpoint(
        &self,
        file: &str,
        offset: impl Fn(&Log) -> Option<Offset>,
    ) -> Result<(), DiskError> {
        let _one_at_a_time = self.checkpointing.lock();
        let logs = self.logs_by_directory();
        let mut by_directory: HashMap<&Path, OffsetCheckpoint> = HashMap::new();
        for (directory, log) in &logs {
            if let Some(offset) = offset(log) {
                let offsets = by_directory.entry(&directory.path).or_default();
                offsets.insert(log.topic_partition().clone(), offset);
            }
        }
        let mut result = Ok(());
        for directory in &self.directories {
            if directory.is_offline() {
                continue;
            }
            let offsets = by_directory.remove(directory.path()).unwrap_or_default();
            if let Err(error) = write_offsets(&directory.path.join(file), &offsets) {
                directory.fail(&error);
                result = Err(error);
            }
        }
        result
    }

    /// Opens the logs of all directories at the same time; the outcomes in their order.
    fn load_all(&self, options: &LogManagerOptions) -> Vec<Result<(), OpenLogManagerError>> {
        std::thread::scope(|scope| {
            let load = |directory| scope.spawn(move || self.load(directory, options));
            let loading: Vec<_> = self.directories.iter().map(load).collect();
            let joined = loading.into_iter().map(|thread| thread.join());
            joined
                .map(|loaded| loaded.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    }

    fn load(
        &self,
        directory: &Arc<LogDirectory>,
        options: &LogManagerOptions,
    ) -> Result<(), OpenLogManagerError> {
        let clean = directory.clean_shutdown_epoch.is_some();
        let recovery_points = directory.read_checkpoint(RECOVERY_POINT_CHECKPOINT)?;
        let log_start_offsets = directory.read_checkpoint(LOG_START_OFFSET_CHECKPOINT)?;
        let high_watermarks = directory.read_checkpoint(HIGH_WATERMARK_CHECKPOINT)?;
        let Contents {
            logs: found,
            doomed,
        } = directory.contents()?;
        self.doomed
            .lock()
            .extend(doomed.into_iter().map(|path| Doomed {
                path,
                delete_at_ms: i64::MIN,
            }));
        if !clean && !found.is_empty() {
            info!(directory = %directory.path.display(), logs = found.len(), "the broker was not stopped cleanly: recovering");
        }
        let offset_in = |checkpoint: &OffsetCheckpoint, topic_partition: &TopicPartition| {
            checkpoint
                .get(topic_partition)
                .copied()
                .unwrap_or(Offset(0))
        };
        let how = |topic_partition: &TopicPartition| OpenLog {
            topic_partition: topic_partition.clone(),
            config: options.config.clone(),
            shutdown: if clean {
                Shutdown::Clean
            } else {
                Shutdown::Unclean
            },
            damage: Damage::Cut,
            recovery_point: offset_in(&recovery_points, topic_partition),
            log_start_offset: offset_in(&log_start_offsets, topic_partition),
            high_watermark: offset_in(&high_watermarks, topic_partition),
            now_ms: options.now_ms,
            offline: Arc::clone(&directory.offline),
        };
        let opened = open_in_parallel(&found, options.recovery_threads_per_dir, how);
        let mut logs = self.logs.write();
        for log in opened {
            let log = Arc::new(log?);
            let topic_partition = log.topic_partition().clone();
            directory.logs.fetch_add(1, Ordering::Relaxed);
            let entry = Entry {
                log: Arc::clone(&log),
                directory: Arc::clone(directory),
            };
            if let Some(other) = logs.insert(topic_partition.clone(), entry) {
                return Err(OpenLogManagerError::Duplicate {
                    topic_partition,
                    first: other.log.directory().to_owned(),
                    second: log.directory().to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// Opens the logs of one directory on several threads, in any order.
fn open_in_parallel(
    found: &[(TopicPartition, PathBuf)],
    threads: usize,
    how: impl Fn(&TopicPartition) -> OpenLog + Sync,
) -> Vec<Result<Log, OpenLogManagerError>> {
    let next = AtomicUsize::new(0);
    let opened: Mutex<Vec<_>> = Mutex::default();
    let work = || {
        while let Some((topic_partition, path)) = found.get(next.fetch_add(1, Ordering::Relaxed)) {
            let log = recovery::open(path, how(topic_partition));
            let log = log.map_err(|source| OpenLogManagerError::Log {
                directory: path.clone(),
                source,
            });
            opened.lock().push(log);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, found.len().max(1)) {
            scope.spawn(work);
        }
    });
    opened.into_inner()
}

#[cfg(test)]
mod tests;
