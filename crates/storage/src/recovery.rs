//! Opening a log: which segments there are, what of them is good, and what its producers did.
//!
//! After a clean stop everything is taken as it is. After an unclean one, every batch past the
//! recovery point is checked; the log ends before the first that is not whole and valid, and what
//! is kept is flushed before anybody reads it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ottla_protocol::ids::{LeaderEpoch, Offset, TopicId, TopicPartition};
use tracing::{debug, warn};

use crate::checkpoint::CheckpointError;
use crate::error::DiskError;
use crate::leader_epochs::LeaderEpochs;
use crate::log::{Log, LogParts, note_batch};
use crate::log_config::LogConfig;
use crate::partition_metadata::{self, PartitionMetadataError};
use crate::producer_state::ProducerState;
use crate::segment::{Segment, SegmentReadError};
use crate::{disk, leftovers, producer_snapshot};

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
    /// A log that may not be cut has records behind damage.
    #[error("{}, byte {position}: damaged, and records that were acknowledged follow; restore the file from a copy", path.display())]
    DamagedInside {
        /// The segment file.
        path: PathBuf,
        /// Where the damage begins.
        position: u64,
    },
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

/// What becomes of a log that is damaged before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// It is cut there, as Kafka does; replicas have the rest.
    Cut,
    /// It is not opened: nobody else has what follows.
    Refuse,
}

/// What is known of a log before it is opened.
#[derive(Clone, Debug)]
pub(crate) struct OpenLog {
    pub topic_partition: TopicPartition,
    pub config: LogConfig,
    pub shutdown: Shutdown,
    pub damage: Damage,
    pub recovery_point: Offset,
    pub log_start_offset: Offset,
    pub high_watermark: Offset,
    pub now_ms: i64,
    pub offline: Arc<AtomicBool>,
}

/// Opens the log in `directory`.
pub(crate) fn open(directory: &Path, open: OpenLog) -> Result<Log, OpenLogError> {
    let topic_id = partition_metadata::read(directory)?;
    let base_offsets = leftovers::clean_up(directory)?;
    let mut loading = Loading::of(directory, &open, &base_offsets)?;
    let recovered = open.shutdown == Shutdown::Unclean || loading.ends_torn()?;
    if recovered {
        loading.recover(open.recovery_point)?;
    }
    loading.rebuild_indexes()?;
    let log_end_offset = loading.find_end(open.log_start_offset)?;
    let log_start_offset = loading.first_offset().max(open.log_start_offset);
    loading.find_epochs()?;
    loading.epochs.truncate_from_end(log_end_offset)?;
    loading.epochs.truncate_from_start(log_start_offset)?;
    producer_snapshot::delete_after(directory, log_end_offset)?;
    let base_offsets: Vec<_> = loading
        .segments
        .iter()
        .map(|segment| segment.base_offset())
        .collect();
    producer_snapshot::delete_strays(directory, &base_offsets)?;
    let producers = load_producers(directory, &loading.segments, log_end_offset)?;
    if let Some(active) = loading.segments.last() {
        active.restore_timestamps()?;
    }
    if !recovered {
        let segments = loading.segments.iter_mut();
        segments.filter_map(Arc::get_mut).for_each(Segment::release);
    }
    let log = Log::from_parts(LogParts {
        topic_partition: open.topic_partition.clone(),
        topic_id,
        directory: directory.to_owned(),
        config: open.config.clone(),
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
        offline: Arc::clone(&open.offline),
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
    disk::create_directory(directory)?;
    partition_metadata::write(directory, topic_id).inspect_err(|_| {
        // Another attempt must find nothing in its way.
        let _ = disk::delete_directory(directory);
    })?;
    let zero = Offset(0);
    Ok(Log::from_parts(LogParts {
        topic_partition: open.topic_partition,
        topic_id: Some(topic_id),
        directory: directory.to_owned(),
        config: open.config,
        segments: vec![Arc::new(Segment::new(directory, zero))],
        producers: ProducerState::default(),
        epochs: LeaderEpochs::empty(directory),
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
        disk::create_directories(directory)?;
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
            damage: Damage::Refuse,
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
    topic_partition: &'a TopicPartition,
    index_interval_bytes: usize,
    damage: Damage,
    segments: Vec<Arc<Segment>>,
    /// Segments whose index files are missing or wrong.
    without_indexes: Vec<Arc<Segment>>,
    epochs: LeaderEpochs,
    /// Whether the leader epochs have to be found in the records.
    without_epochs: bool,
}

impl<'a> Loading<'a> {
    fn of(
        directory: &'a Path,
        open: &'a OpenLog,
        base_offsets: &[Offset],
    ) -> Result<Self, OpenLogError> {
        let epochs = open_epochs(directory)?;
        let mut loading = Self {
            directory,
            topic_partition: &open.topic_partition,
            index_interval_bytes: open.config.index_interval_bytes,
            damage: open.damage,
            segments: Vec::new(),
            without_indexes: Vec::new(),
            without_epochs: epochs.is_none(),
            epochs: epochs.unwrap_or_else(|| LeaderEpochs::empty(directory)),
        };
        for base_offset in base_offsets {
            let (segment, has_indexes) = Segment::open(directory, *base_offset)?;
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

    /// Whether the last segment does not end with a whole batch, which a clean stop never leaves.
    fn ends_torn(&self) -> Result<bool, OpenLogError> {
        match self.segments.last().map(|last| last.next_offset()) {
            Some(Err(error @ SegmentReadError::Corrupt { .. })) => {
                warn!(%error, "the log was damaged after a clean stop: recovering");
                Ok(true)
            }
            Some(Err(error)) => Err(error.into()),
            Some(Ok(_)) | None => Ok(false),
        }
    }

    /// Checks every batch from the recovery point on, and cuts the log before the first bad one.
    fn recover(&mut self, recovery_point: Offset) -> Result<(), OpenLogError> {
        let first = self
            .segments
            .partition_point(|segment| segment.base_offset() <= recovery_point)
            .saturating_sub(1);
        let suspects: Vec<_> = self.segments.iter().skip(first).cloned().collect();
        let Some(oldest) = suspects.first() else {
            return Ok(());
        };
        debug!(log = %self.topic_partition, %recovery_point, segments = suspects.len(), "checking batches");
        let mut producers = load_producers(self.directory, &self.segments, oldest.base_offset())?;
        for (checked, segment) in suspects.iter().enumerate() {
            self.without_indexes
                .retain(|other| !Arc::ptr_eq(other, segment));
            let valid_bytes = self.rebuild(segment, &mut producers)?;
            let size = segment.size_bytes();
            if valid_bytes == size {
                continue;
            }
            let is_last = checked + 1 == suspects.len();
            if self.damage == Damage::Refuse && !(is_last && segment.is_torn_at(valid_bytes)?) {
                return Err(OpenLogError::DamagedInside {
                    path: segment.path().to_owned(),
                    position: valid_bytes,
                });
            }
            warn!(
                log = %self.topic_partition, segment = %segment.path().display(), cut_bytes = size - valid_bytes,
                "the segment's end is not whole, valid batches: cut, and later segments deleted"
            );
            self.delete_segments(first + checked + 1)?;
            segment.truncate(valid_bytes)?;
            break;
        }
        Ok(())
    }

    /// Keeps the first `kept` segments. The newest goes first, and durably before an older one is
    /// cut, so that no crash leaves a hole.
    fn delete_segments(&mut self, kept: usize) -> Result<(), OpenLogError> {
        let removed = self.segments.split_off(kept);
        for segment in removed.iter().rev() {
            segment.delete()?;
            self.without_indexes
                .retain(|other| !Arc::ptr_eq(other, segment));
        }
        if !removed.is_empty() {
            disk::sync_directory(self.directory)?;
        }
        Ok(())
    }

    /// Builds the indexes of a segment again from its batches, moving `producers` from its beginning
    /// to its end. How many of its bytes are good.
    fn rebuild(
        &mut self,
        segment: &Segment,
        producers: &mut ProducerState,
    ) -> Result<u64, OpenLogError> {
        segment.clear_indexes()?;
        let mut scan = segment.scan_from(0);
        let mut position = 0;
        let mut next_offset = segment.base_offset();
        while let Some(batch) = scan.next_valid(next_offset)? {
            segment.index(batch.header(), position, self.index_interval_bytes);
            self.epochs.assign_found(
                LeaderEpoch(batch.partition_leader_epoch()),
                Offset(batch.base_offset()),
            )?;
            if let Some(aborted) = note_batch(producers, batch.header(), &batch) {
                segment.note_aborted(aborted);
            }
            position = scan.position();
            next_offset = Offset(batch.next_offset());
        }
        segment.seal()?;
        Ok(position)
    }

    fn rebuild_indexes(&mut self) -> Result<(), OpenLogError> {
        for segment in std::mem::take(&mut self.without_indexes) {
            if segment.size_bytes() > 0 {
                warn!(segment = %segment.path().display(), "an index is missing or wrong, and is built again");
            }
            let mut producers =
                load_producers(self.directory, &self.segments, segment.base_offset())?;
            self.rebuild(&segment, &mut producers)?;
        }
        Ok(())
    }

    /// The offset behind the last batch. Leaves at least one segment.
    fn find_end(&mut self, log_start_offset: Offset) -> Result<Offset, OpenLogError> {
        if let Some(last) = self.segments.last() {
            let end = last.next_offset()?;
            if end >= log_start_offset {
                return Ok(end);
            }
            warn!(
                log = %self.topic_partition, log_end_offset = %end, %log_start_offset,
                "the log ends before its log start offset, so every segment is deleted"
            );
            self.delete_segments(0)?;
            self.epochs.clear()?;
            producer_snapshot::delete_all(self.directory)?;
        }
        let segment = Segment::new(self.directory, log_start_offset);
        if log_start_offset > Offset(0) {
            segment.create()?;
        }
        self.segments.push(Arc::new(segment));
        Ok(log_start_offset)
    }

    /// Takes the leader epochs from the records, if their checkpoint could not be used.
    fn find_epochs(&mut self) -> Result<(), OpenLogError> {
        if !std::mem::take(&mut self.without_epochs) {
            return Ok(());
        }
        for segment in &self.segments {
            let mut scan = segment.scan_from(0);
            while let Some(header) = scan.peek()? {
                let epoch = LeaderEpoch(header.partition_leader_epoch);
                self.epochs
                    .assign_found(epoch, Offset(header.base_offset))?;
                scan.skip(&header);
            }
        }
        Ok(())
    }
}

/// The state of the producers at `end`: the newest snapshot before it, and what follows that.
pub(crate) fn load_producers(
    directory: &Path,
    segments: &[Arc<Segment>],
    end: Offset,
) -> Result<ProducerState, SegmentReadError> {
    let mut from = Offset(0);
    let mut producers = ProducerState::default();
    let snapshots = producer_snapshot::offsets(directory)?;
    for offset in snapshots.into_iter().rev().filter(|offset| *offset <= end) {
        if let Some(found) = producer_snapshot::read(directory, offset)? {
            (producers, from) = (found, offset);
            break;
        }
        warn!(directory = %directory.display(), %offset, "a snapshot of the producers is damaged and is deleted");
        disk::delete(&producer_snapshot::path(directory, offset))?;
    }
    for (index, segment) in segments.iter().enumerate() {
        let next = segments.get(index + 1);
        let is_before = next.is_some_and(|next| next.base_offset() <= from);
        if !is_before && segment.base_offset() < end {
            replay(segment, from, end, &mut producers)?;
        }
    }
    Ok(producers)
}

/// Applies the batches of `segment` from `from` to before `end`.
fn replay(
    segment: &Segment,
    from: Offset,
    end: Offset,
    producers: &mut ProducerState,
) -> Result<(), SegmentReadError> {
    let mut scan = segment.scan_from(segment.position_before(from)?);
    while let Some(header) = scan.peek()? {
        if header.base_offset >= end.0 {
            break;
        }
        if header.base_offset >= from.0 && header.has_producer_id() {
            note_batch(producers, &header, &scan.batch(&header)?);
        }
        scan.skip(&header);
    }
    Ok(())
}

/// The leader epochs in their checkpoint; `None` if there is no such file, or it is damaged.
fn open_epochs(directory: &Path) -> Result<Option<LeaderEpochs>, DiskError> {
    match LeaderEpochs::open(directory) {
        Ok(epochs) => Ok(epochs),
        Err(CheckpointError::Disk(error)) => Err(error),
        Err(error @ CheckpointError::Malformed { .. }) => {
            warn!(%error, "the leader epochs are taken from the records instead");
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests;
