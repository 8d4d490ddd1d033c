//! Opening a log: which segments there are, what of them is good, and what its producers did.
//!
//! After a clean stop everything is taken as it is. After an unclean one, every batch past the
//! recovery point is checked; the log ends before the first that is not whole and valid, and what
//! is kept is flushed before anybody reads it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use ottla_protocol::ids::{LeaderEpoch, Offset, TopicId, TopicPartition};
use ottla_protocol::records::{BATCH_HEADER_SIZE_BYTES, BatchView, peek_header};
use tracing::{info, warn};

use crate::checkpoint::CheckpointError;
use crate::error::{DiskError, DiskOperation, DiskResult};
use crate::leader_epochs::LeaderEpochs;
use crate::log::{Log, LogParts, TruncateError, Writer, note_batch};
use crate::log_config::LogConfig;
use crate::partition_metadata::{self, PartitionMetadataError};
use crate::producer_snapshot::{self, SNAPSHOT_SUFFIX};
use crate::producer_state::ProducerState;
use crate::segment::{Segment, SegmentFile, SegmentReadError};

/// Suffixes of files that an interrupted deletion or compaction leaves behind.
const LEFTOVER_SUFFIXES: [&str; 3] = ["deleted", "cleaned", "tmp"];

/// A log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenLogError {
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// `partition.metadata` does not name a topic's id.
    #[error(transparent)]
    PartitionMetadata(#[from] PartitionMetadataError),
    /// A segment could not be read.
    #[error(transparent)]
    Segment(#[from] SegmentReadError),
    /// The directory holds the log of another topic.
    #[error("{} belongs to topic id {found}, not {expected}; move it away", directory.display())]
    OtherTopic {
        /// The log's directory.
        directory: PathBuf,
        /// The topic id that was asked for.
        expected: TopicId,
        /// The topic id in `partition.metadata`.
        found: TopicId,
    },
}

/// How the log was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Flushed and complete.
    Clean,
    /// In the middle of something.
    Unclean,
}

/// What is known of a log before it is opened.
#[derive(Clone, Debug)]
pub(crate) struct OpenLog {
    pub topic_partition: TopicPartition,
    pub config: LogConfig,
    pub shutdown: Shutdown,
    pub recovery_point: Offset,
    pub log_start_offset: Offset,
    pub high_watermark: Offset,
    pub now_ms: i64,
    pub offline: Arc<AtomicBool>,
}

/// Opens the log in `directory`.
pub(crate) fn open(directory: &Path, open: OpenLog) -> Result<Log, OpenLogError> {
    let topic_id = partition_metadata::read(directory)?;
    let (topic_partition, interval) = (
        open.topic_partition.clone(),
        open.config.index_interval_bytes,
    );
    let mut loading = Loading::of(directory, topic_partition, interval)?;
    if open.shutdown == Shutdown::Unclean {
        loading.recover(open.recovery_point)?;
    }
    loading.rebuild_missing_indexes()?;
    let log_end_offset = loading.find_end()?.max(open.log_start_offset);
    let log_start_offset = loading.first_offset().max(open.log_start_offset);
    if loading.segments.is_empty() {
        loading
            .segments
            .push(Arc::new(Segment::new(directory, log_end_offset)));
    }
    let producers = loading.load_producers(log_end_offset)?;
    if let Some(active) = loading.segments.last() {
        active.restore_timestamps()?;
    }
    loading.epochs.truncate_from_end(log_end_offset)?;
    loading.epochs.truncate_from_start(log_start_offset)?;
    let recovered = open.shutdown == Shutdown::Unclean;
    let log = Log::from_parts(LogParts {
        topic_partition: open.topic_partition,
        topic_id,
        directory: directory.to_owned(),
        config: open.config,
        segments: loading.segments,
        producers,
        epochs: loading.epochs,
        log_start_offset,
        log_end_offset,
        recovery_point: if recovered {
            open.recovery_point.min(log_end_offset)
        } else {
            log_end_offset
        },
        high_watermark: open.high_watermark,
        now_ms: open.now_ms,
        offline: open.offline,
    });
    if recovered {
        // Nobody may read a record that a power failure could still take back.
        log.flush(log_end_offset, open.now_ms)?;
    }
    Ok(log)
}

/// Makes the directory of a new log. Its first segment is made by the first append.
pub(crate) fn create(
    directory: &Path,
    topic_id: TopicId,
    open: OpenLog,
) -> Result<Log, OpenLogError> {
    fs::create_dir(directory).disk(DiskOperation::Create, directory)?;
    partition_metadata::write(directory, topic_id)?;
    let zero = Offset(0);
    Ok(Log::from_parts(LogParts {
        topic_partition: open.topic_partition,
        topic_id: Some(topic_id),
        directory: directory.to_owned(),
        config: open.config,
        segments: vec![Arc::new(Segment::new(directory, zero))],
        producers: ProducerState::default(),
        epochs: open_epochs(directory)?,
        log_start_offset: zero,
        log_end_offset: zero,
        recovery_point: zero,
        high_watermark: zero,
        now_ms: open.now_ms,
        offline: open.offline,
    }))
}

impl Log {
    /// Opens the log in `directory`, or makes it: one that belongs to no [`LogManager`](crate::LogManager),
    /// such as the metadata log. Every batch in it is checked, as after an unclean stop, and its high
    /// watermark is its end.
    pub fn open_alone(
        directory: &Path,
        topic_partition: TopicPartition,
        topic_id: TopicId,
        config: LogConfig,
        now_ms: i64,
    ) -> Result<Self, OpenLogError> {
        fs::create_dir_all(directory).disk(DiskOperation::Create, directory)?;
        match partition_metadata::read(directory)? {
            None => partition_metadata::write(directory, topic_id)?,
            Some(found) if found != topic_id => {
                return Err(OpenLogError::OtherTopic {
                    directory: directory.to_owned(),
                    expected: topic_id,
                    found,
                });
            }
            Some(_) => {}
        }
        let zero = Offset(0);
        let how = OpenLog {
            topic_partition,
            config,
            shutdown: Shutdown::Unclean,
            recovery_point: zero,
            log_start_offset: zero,
            high_watermark: Offset(i64::MAX),
            now_ms,
            offline: Arc::default(),
        };
        open(directory, how)
    }
}

struct Loading<'a> {
    directory: &'a Path,
    topic_partition: TopicPartition,
    index_interval_bytes: usize,
    segments: Vec<Arc<Segment>>,
    /// Segments whose index files are missing.
    without_indexes: Vec<Arc<Segment>>,
    epochs: LeaderEpochs,
}

impl<'a> Loading<'a> {
    fn of(
        directory: &'a Path,
        topic_partition: TopicPartition,
        index_interval_bytes: usize,
    ) -> Result<Self, OpenLogError> {
        let mut loading = Self {
            directory,
            topic_partition,
            index_interval_bytes,
            segments: Vec::new(),
            without_indexes: Vec::new(),
            epochs: open_epochs(directory)?,
        };
        for base_offset in base_offsets(directory)? {
            let (segment, has_indexes) = Segment::open(directory, base_offset)?;
            let segment = Arc::new(segment);
            if !has_indexes {
                loading.without_indexes.push(Arc::clone(&segment));
            }
            loading.segments.push(segment);
        }
        Ok(loading)
    }

    fn first_offset(&self) -> Offset {
        self.segments
            .first()
            .map_or(Offset(0), |segment| segment.base_offset())
    }

    /// Checks every batch from the recovery point on, and cuts the log before the first bad one.
    fn recover(&mut self, recovery_point: Offset) -> Result<(), OpenLogError> {
        let first = self
            .segments
            .partition_point(|segment| segment.base_offset() <= recovery_point)
            .saturating_sub(1);
        let suspects: Vec<_> = self.segments.iter().skip(first).cloned().collect();
        if suspects.is_empty() {
            return Ok(());
        }
        info!(log = %self.topic_partition, %recovery_point, segments = suspects.len(), "recovering after an unclean stop");
        for (checked, segment) in suspects.iter().enumerate() {
            self.without_indexes
                .retain(|other| !Arc::ptr_eq(other, segment));
            let valid_bytes = self.rebuild(segment)?;
            let size = segment.size_bytes();
            if valid_bytes == size {
                continue;
            }
            warn!(
                log = %self.topic_partition, segment = %segment.path().display(), cut_bytes = size - valid_bytes,
                "the segment's end is not whole, valid batches: cut, and later segments deleted"
            );
            self.cut(segment, valid_bytes)?;
            let kept = first + checked + 1;
            for removed in self.segments.split_off(kept) {
                removed.delete()?;
            }
            break;
        }
        Ok(())
    }

    /// Builds the indexes of a segment again from its batches. How many of its bytes are good.
    fn rebuild(&mut self, segment: &Segment) -> Result<u64, OpenLogError> {
        segment.clear_indexes()?;
        let mut producers = self.producers_before(segment)?;
        let mut position = 0;
        let mut next_offset = segment.base_offset();
        while let Some(batch) = valid_batch_at(segment, position, next_offset)? {
            segment.index(batch.header(), position, self.index_interval_bytes)?;
            self.epochs.assign(
                LeaderEpoch(batch.partition_leader_epoch()),
                Offset(batch.base_offset()),
            )?;
            if let Some(aborted) = note_batch(&mut producers, &batch) {
                segment.note_aborted(aborted)?;
            }
            position += batch.size_bytes() as u64;
            next_offset = Offset(batch.next_offset());
        }
        segment.seal()?;
        Ok(position)
    }

    /// The state of the producers where `segment` begins.
    fn producers_before(&self, segment: &Segment) -> Result<ProducerState, OpenLogError> {
        let mut producers = ProducerState::default();
        let base_offset = segment.base_offset();
        if let Some(found) = producer_snapshot::read(self.directory, base_offset)? {
            return Ok(found);
        }
        for earlier in self
            .segments
            .iter()
            .filter(|earlier| earlier.base_offset() < base_offset)
        {
            replay(earlier, earlier.base_offset(), base_offset, &mut producers)?;
        }
        Ok(producers)
    }

    fn cut(&self, segment: &Segment, valid_bytes: u64) -> Result<(), OpenLogError> {
        // The indexes were built from the good bytes only.
        Ok(segment.truncate(valid_bytes)?)
    }

    fn rebuild_missing_indexes(&mut self) -> Result<(), OpenLogError> {
        for segment in std::mem::take(&mut self.without_indexes) {
            if segment.size_bytes() > 0 {
                warn!(segment = %segment.path().display(), "an index is missing and is built again");
                self.rebuild(&segment)?;
            }
        }
        Ok(())
    }

    /// The offset behind the last batch.
    fn find_end(&self) -> Result<Offset, OpenLogError> {
        let Some(last) = self.segments.last() else {
            return Ok(Offset(0));
        };
        let mut position = last.last_indexed_position()?;
        let mut end = last.base_offset();
        while let Some(header) = peek_at(last, position)? {
            let Some(size_bytes) = header.size_bytes() else {
                break;
            };
            end = Offset(header.last_offset() + 1);
            position += size_bytes as u64;
        }
        Ok(end)
    }

    /// The state of the producers at the end of the log: the newest snapshot, and what follows it.
    fn load_producers(&self, end: Offset) -> Result<ProducerState, OpenLogError> {
        let mut from = self.first_offset();
        let mut producers = ProducerState::default();
        for offset in snapshot_offsets(self.directory)?.into_iter().rev() {
            if offset > end {
                crate::text_file::delete(&producer_snapshot::path(self.directory, offset))?;
            } else if let Some(found) = producer_snapshot::read(self.directory, offset)? {
                (producers, from) = (found, offset);
                break;
            }
        }
        for segment in &self.segments {
            replay(segment, from, end, &mut producers)?;
        }
        Ok(producers)
    }
}

/// Cuts the log's last segment at `offset` and builds what depends on it again.
pub(crate) fn truncate_segments(
    log: &Log,
    writer: &mut Writer,
    offset: Offset,
) -> Result<(), TruncateError> {
    let interval = log.config.load().index_interval_bytes;
    for snapshot in snapshot_offsets(log.directory()).unwrap_or_default() {
        if snapshot > offset {
            crate::text_file::delete(&producer_snapshot::path(log.directory(), snapshot))?;
        }
    }
    let mut producers = ProducerState::default();
    let Some((last, earlier)) = writer.segments.split_last() else {
        return Ok(());
    };
    for segment in earlier {
        replay(segment, segment.base_offset(), offset, &mut producers)?;
    }
    let mut position = 0;
    last.clear_indexes()?;
    while let Some(header) = peek_at(last, position)? {
        let Some(size_bytes) = header
            .size_bytes()
            .filter(|_| header.last_offset() < offset.0)
        else {
            break;
        };
        let batch = BatchView::new(last.read_at(position, size_bytes)?).map_err(|source| {
            SegmentReadError::Corrupt {
                path: last.path().to_owned(),
                position,
                source,
            }
        })?;
        last.index(&header, position, interval)?;
        if let Some(aborted) = note_batch(&mut producers, &batch) {
            last.note_aborted(aborted)?;
        }
        position += size_bytes as u64;
    }
    last.truncate(position)?;
    writer.producers = producers;
    Ok(())
}

/// Applies the batches of `segment` from `from` to before `end`.
fn replay(
    segment: &Segment,
    from: Offset,
    end: Offset,
    producers: &mut ProducerState,
) -> Result<(), SegmentReadError> {
    let mut position = 0;
    while let Some(header) = peek_at(segment, position)? {
        let Some(size_bytes) = header.size_bytes().filter(|_| header.base_offset < end.0) else {
            break;
        };
        if header.base_offset >= from.0 && header.has_producer_id() {
            let batch =
                BatchView::new(segment.read_at(position, size_bytes)?).map_err(|source| {
                    SegmentReadError::Corrupt {
                        path: segment.path().to_owned(),
                        position,
                        source,
                    }
                })?;
            note_batch(producers, &batch);
        }
        position += size_bytes as u64;
    }
    Ok(())
}

fn peek_at(
    segment: &Segment,
    position: u64,
) -> Result<Option<ottla_protocol::records::BatchHeader>, SegmentReadError> {
    let bytes = segment.read_at(position, BATCH_HEADER_SIZE_BYTES)?;
    peek_header(&bytes).map_err(|source| SegmentReadError::Corrupt {
        path: segment.path().to_owned(),
        position,
        source,
    })
}

/// The batch at `position`, if it is whole, passes its CRC and does not go back in offsets.
fn valid_batch_at(
    segment: &Segment,
    position: u64,
    next_offset: Offset,
) -> Result<Option<BatchView>, DiskError> {
    let head = segment.read_at(position, BATCH_HEADER_SIZE_BYTES)?;
    let left = segment.size_bytes().saturating_sub(position);
    let size_bytes = match peek_header(&head) {
        Ok(Some(header)) if header.base_offset >= next_offset.0 => header.size_bytes(),
        _ => None,
    };
    let Some(size_bytes) = size_bytes.filter(|size| *size as u64 <= left) else {
        return Ok(None);
    };
    let bytes: Bytes = segment.read_at(position, size_bytes)?;
    Ok(BatchView::new(bytes)
        .ok()
        .filter(|batch| batch.validate_crc().is_ok() && batch.last_offset_delta() >= 0))
}

fn open_epochs(directory: &Path) -> Result<LeaderEpochs, DiskError> {
    match LeaderEpochs::open(directory) {
        Ok(epochs) => Ok(epochs),
        Err(CheckpointError::Disk(error)) => Err(error),
        Err(error @ CheckpointError::Malformed { .. }) => {
            warn!(%error, "the leader epochs are taken from the records instead");
            Ok(LeaderEpochs::empty(directory))
        }
    }
}

/// The base offsets of the segments in `directory`, ascending. Deletes what is left over from
/// interrupted work on the way.
fn base_offsets(directory: &Path) -> Result<Vec<Offset>, DiskError> {
    let mut offsets = Vec::new();
    for name in file_names(directory)? {
        let suffix = name.rsplit('.').next().unwrap_or_default();
        if LEFTOVER_SUFFIXES.contains(&suffix) {
            crate::text_file::delete(&directory.join(&name))?;
        } else if suffix == SegmentFile::Log.suffix()
            && let Some(offset) = leading_offset(&name)
        {
            offsets.push(offset);
        }
    }
    offsets.sort();
    Ok(offsets)
}

fn snapshot_offsets(directory: &Path) -> Result<Vec<Offset>, DiskError> {
    let names = file_names(directory)?;
    let is_snapshot = |name: &&String| name.ends_with(SNAPSHOT_SUFFIX);
    let mut offsets: Vec<_> = names
        .iter()
        .filter(is_snapshot)
        .filter_map(|name| leading_offset(name))
        .collect();
    offsets.sort();
    Ok(offsets)
}

fn leading_offset(name: &str) -> Option<Offset> {
    let (digits, _) = name.split_once('.')?;
    digits
        .parse()
        .ok()
        .filter(|offset| *offset >= 0)
        .map(Offset)
}

fn file_names(directory: &Path) -> Result<Vec<String>, DiskError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).disk(DiskOperation::Read, directory)? {
        let entry = entry.disk(DiskOperation::Read, directory)?;
        if let Ok(name) = entry.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
