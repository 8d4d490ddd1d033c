//! One partition's log: segments, producers, leader epochs, and the offsets that bound it.
//!
//! Appends take one short lock. Readers take none: they use the published list of segments and
//! offsets that only ever point at bytes already in the files.
//!
//! Invariants (LOG-n), checked after every change in debug builds:
//! LOG-1 `log_start_offset <= high_watermark <= log_end_offset`; LOG-2 segments ascend, the first
//! one begins at or before the log start offset; LOG-3 the recovery point is not past the end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;
use ottla_protocol::ids::{LeaderEpoch, Offset, TopicId, TopicPartition};
use ottla_protocol::records::{
    BATCH_HEADER_SIZE_BYTES, BatchError, BatchHeader, BatchView, ControlRecordType, Decompressor,
    ValidatedBatch, batches,
};
use parking_lot::{Mutex, RwLock};

use crate::error::{DiskError, DiskOperation};
use crate::leader_epochs::LeaderEpochs;
use crate::log_config::LogConfig;
use crate::producer_state::{ActiveProducer, ProducerState, SequenceError};
use crate::segment::Segment;

/// No open transaction.
const NO_UNSTABLE_OFFSET: i64 = i64::MAX;

/// Where an appended batch went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendInfo {
    /// Offset of its first record.
    pub base_offset: Offset,
    /// Offset of its last record.
    pub last_offset: Offset,
    /// The time that replaced the records' own, milliseconds since the epoch, or -1.
    pub log_append_time_ms: i64,
    /// The log start offset at the time of the append.
    pub log_start_offset: Offset,
    /// Whether it had been appended before: nothing was written.
    pub duplicate: bool,
}

/// Why a batch was not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The producer's epoch is old, or a batch of its is missing.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// The batch would not fit into a segment of its own.
    #[error(
        "the batch has {size_bytes} bytes, and a segment at most {segment_bytes} (segment.bytes)"
    )]
    LargerThanSegment {
        /// The batch's size.
        size_bytes: usize,
        /// `segment.bytes`.
        segment_bytes: u32,
    },
    /// The bytes are not whole, valid batches.
    #[error("the records are not batches: {0}")]
    Batch(#[from] BatchError),
    /// The batch does not begin where the log ends.
    #[error("the batch begins at offset {found}, before the end of the log at {log_end_offset}")]
    OffsetBehindEnd {
        /// The batch's first offset.
        found: Offset,
        /// Where the log ends.
        log_end_offset: Offset,
    },
    /// The disk refused; nothing was appended.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The log's directory has failed and takes nothing more.
    #[error("the log directory is offline after a failure of its disk")]
    Offline,
}

/// What the writer alone changes, under the lock.
pub(crate) struct Writer {
    pub segments: Vec<Arc<Segment>>,
    pub producers: ProducerState,
    pub last_snapshot: Option<Offset>,
}

/// One partition's log.
pub struct Log {
    topic_partition: TopicPartition,
    topic_id: Option<TopicId>,
    pub(crate) directory: PathBuf,
    pub(crate) config: ArcSwap<LogConfig>,
    pub(crate) writer: Mutex<Writer>,
    pub(crate) epochs: RwLock<LeaderEpochs>,
    /// What readers see; never holds a segment of which the bytes are not there.
    segments: ArcSwap<Vec<Arc<Segment>>>,
    pub(crate) log_start_offset: AtomicI64,
    pub(crate) log_end_offset: AtomicI64,
    pub(crate) high_watermark: AtomicI64,
    first_unstable_offset: AtomicI64,
    pub(crate) recovery_point: AtomicI64,
    pub(crate) last_flush_ms: AtomicI64,
    /// The segment that is appended to, and since when.
    pub(crate) active_since: Mutex<(Offset, i64)>,
    /// One flush at a time: who waits here often finds that the one before has done its work.
    pub(crate) flushing: Mutex<()>,
    /// Segments were sealed since the last flush.
    pub(crate) rolled: AtomicBool,
    /// Small files or names in the directory changed since the last flush.
    pub(crate) names_changed: AtomicBool,
    /// The directory's own name is on the disk.
    pub(crate) name_is_durable: AtomicBool,
    /// Transactions were completed past the high watermark.
    has_unreplicated: AtomicBool,
    /// The log was deleted: its directory may already be another's.
    retired: AtomicBool,
    offline: Arc<AtomicBool>,
}

/// What a log is made of when it is opened; see `recovery`.
pub(crate) struct LogParts {
    pub topic_partition: TopicPartition,
    pub topic_id: Option<TopicId>,
    pub directory: PathBuf,
    pub config: LogConfig,
    pub segments: Vec<Arc<Segment>>,
    pub producers: ProducerState,
    pub epochs: LeaderEpochs,
    pub log_start_offset: Offset,
    pub log_end_offset: Offset,
    pub recovery_point: Offset,
    pub high_watermark: Offset,
    pub now_ms: i64,
    /// Shared by all logs of a log directory: set once when its disk fails.
    pub offline: Arc<AtomicBool>,
}

impl Log {
    pub(crate) fn from_parts(parts: LogParts) -> Self {
        let first_unstable = parts
            .producers
            .first_unstable_offset()
            .map_or(NO_UNSTABLE_OFFSET, |offset| offset.0);
        let high_watermark = parts
            .high_watermark
            .0
            .clamp(parts.log_start_offset.0, parts.log_end_offset.0);
        let active = parts
            .segments
            .last()
            .map_or(Offset(0), |one| one.base_offset());
        let log = Self {
            active_since: Mutex::new((active, parts.now_ms)),
            topic_partition: parts.topic_partition,
            topic_id: parts.topic_id,
            directory: parts.directory,
            config: ArcSwap::from_pointee(parts.config),
            segments: ArcSwap::from_pointee(parts.segments.clone()),
            writer: Mutex::new(Writer {
                segments: parts.segments,
                producers: parts.producers,
                last_snapshot: None,
            }),
            epochs: RwLock::new(parts.epochs),
            log_start_offset: AtomicI64::new(parts.log_start_offset.0),
            log_end_offset: AtomicI64::new(parts.log_end_offset.0),
            high_watermark: AtomicI64::new(high_watermark),
            first_unstable_offset: AtomicI64::new(first_unstable),
            recovery_point: AtomicI64::new(parts.recovery_point.0.min(parts.log_end_offset.0)),
            last_flush_ms: AtomicI64::new(parts.now_ms),
            flushing: Mutex::new(()),
            rolled: AtomicBool::new(false),
            names_changed: AtomicBool::new(true),
            name_is_durable: AtomicBool::new(false),
            has_unreplicated: AtomicBool::new(true),
            retired: AtomicBool::new(false),
            offline: parts.offline,
        };
        log.settle_transactions();
        log.check_invariants(&log.writer.lock());
        log
    }

    /// The partition.
    pub fn topic_partition(&self) -> &TopicPartition {
        &self.topic_partition
    }

    /// The topic's id; directories of very old releases have none.
    pub fn topic_id(&self) -> Option<TopicId> {
        self.topic_id
    }

    /// The log's own directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The first offset that may be read.
    pub fn log_start_offset(&self) -> Offset {
        Offset(self.log_start_offset.load(Ordering::Acquire))
    }

    /// The offset that the next record gets.
    pub fn log_end_offset(&self) -> Offset {
        Offset(self.log_end_offset.load(Ordering::Acquire))
    }

    /// The end of what consumers may read.
    pub fn high_watermark(&self) -> Offset {
        Offset(self.high_watermark.load(Ordering::Acquire))
    }

    /// The end of what consumers that read only committed records may read.
    pub fn last_stable_offset(&self) -> Offset {
        let first_unstable = self.first_unstable_offset.load(Ordering::Acquire);
        let first_unstable = first_unstable.max(self.log_start_offset().0);
        Offset(self.high_watermark().0.min(first_unstable))
    }

    /// Everything before it is on the disk.
    pub fn recovery_point(&self) -> Offset {
        Offset(self.recovery_point.load(Ordering::Acquire))
    }

    /// Whether the disk has failed, or the log was deleted: nothing is appended any more.
    pub fn is_offline(&self) -> bool {
        self.offline.load(Ordering::Acquire) || self.retired.load(Ordering::Acquire)
    }

    /// Ends every change, before the directory gets another name. What has begun is waited for: it
    /// knows the files by their old names.
    pub(crate) fn retire(&self) {
        let _no_flush = self.flushing.lock();
        let writer = self.writer.lock();
        self.retired.store(true, Ordering::Release);
        writer.segments.iter().for_each(|one| one.retire());
    }

    /// An error if nothing may be changed any more. Who holds the writer's lock or `flushing` can rely
    /// on it until the lock is given back.
    pub(crate) fn check_online(&self, operation: DiskOperation) -> Result<(), DiskError> {
        match self.is_offline() {
            true => Err(DiskError::offline(operation, &self.directory)),
            false => Ok(()),
        }
    }

    /// Takes the log's directory offline.
    pub(crate) fn take_offline(&self) {
        self.offline.store(true, Ordering::Release);
    }

    /// Bytes of all segment files.
    pub fn size_bytes(&self) -> u64 {
        self.segments()
            .iter()
            .map(|segment| segment.size_bytes())
            .sum()
    }

    /// The configuration that holds now.
    pub fn config(&self) -> Arc<LogConfig> {
        self.config.load_full()
    }

    /// Replaces the configuration; the next append acts on it.
    pub fn update_config(&self, config: LogConfig) {
        self.config.store(Arc::new(config));
    }

    /// The segments as readers see them.
    pub(crate) fn segments(&self) -> Arc<Vec<Arc<Segment>>> {
        self.segments.load_full()
    }

    /// The producers whose state is kept.
    pub fn active_producers(&self) -> Vec<ActiveProducer> {
        self.writer.lock().producers.active()
    }

    /// Forgets producers that have not written for `expiration_ms`.
    pub fn expire_producers(&self, now_ms: i64, expiration_ms: i64) {
        self.writer.lock().producers.expire(now_ms, expiration_ms);
    }

    /// The newest leader epoch in the log.
    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.epochs.read().latest()
    }

    /// The leader epoch of the record at `offset`.
    pub fn epoch_of(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.epochs.read().epoch_of(offset)
    }

    /// The largest epoch not above `epoch` and where it ends (KIP-101, KIP-279).
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        self.epochs
            .read()
            .end_offset_for(epoch, self.log_end_offset())
    }

    /// Notes that this node leads in `epoch`, whose records begin at the end of the log. The
    /// checkpoint says so from the epoch's first record on: one without records is nothing that a
    /// crash could lose.
    pub fn begin_leader_epoch(&self, epoch: LeaderEpoch) {
        let _writer = self.writer.lock();
        self.epochs.write().begin(epoch, self.log_end_offset());
    }

    /// Appends a batch of a client or coordinator, giving it the next offsets.
    pub fn append_as_leader(
        &self,
        batch: &ValidatedBatch,
        leader_epoch: LeaderEpoch,
    ) -> Result<AppendInfo, AppendError> {
        let header = batch.batch.header();
        let mut writer = self.writer.lock();
        if self.is_offline() {
            return Err(AppendError::Offline);
        }
        if header.has_producer_id()
            && let Some(duplicate) = writer.producers.check(header)?
        {
            return Ok(AppendInfo {
                base_offset: duplicate.base_offset,
                last_offset: duplicate.last_offset,
                // Its own time, even where producers set the times: as Kafka answers.
                log_append_time_ms: duplicate.timestamp_ms,
                log_start_offset: self.log_start_offset(),
                duplicate: true,
            });
        }
        let segment_bytes = self.config.load().segment_bytes;
        if batch.batch.size_bytes() > segment_bytes as usize {
            return Err(AppendError::LargerThanSegment {
                size_bytes: batch.batch.size_bytes(),
                segment_bytes,
            });
        }
        let base_offset = self.log_end_offset();
        let encoded = batch.header_at(base_offset.0, leader_epoch.0);
        let header = BatchHeader::decode(&encoded);
        let payload = batch
            .batch
            .bytes()
            .get(BATCH_HEADER_SIZE_BYTES..)
            .unwrap_or_default();
        self.append_batch(&mut writer, &encoded, &header, payload)?;
        let aborted = note_batch(&mut writer.producers, &header, &batch.batch);
        if let (Some(aborted), Some(segment)) = (aborted, writer.segments.last()) {
            segment.note_aborted(aborted);
        }
        self.finish_append(&mut writer, &header);
        Ok(AppendInfo {
            base_offset,
            last_offset: Offset(header.last_offset()),
            log_append_time_ms: batch.log_append_time.unwrap_or(-1),
            log_start_offset: self.log_start_offset(),
            duplicate: false,
        })
    }

    /// Appends batches that have their offsets and epochs already: a leader's, or the metadata
    /// log's own. The offset behind the last of them.
    pub fn append_as_follower(&self, records: &Bytes) -> Result<Offset, AppendError> {
        let mut writer = self.writer.lock();
        for batch in batches(records) {
            let batch = batch?;
            batch.validate_crc()?;
            if self.is_offline() {
                return Err(AppendError::Offline);
            }
            let (found, log_end_offset) = (Offset(batch.base_offset()), self.log_end_offset());
            let last_offset = Offset(batch.last_offset());
            if found < log_end_offset || last_offset < found {
                return Err(AppendError::OffsetBehindEnd {
                    found: found.min(last_offset),
                    log_end_offset,
                });
            }
            let header = *batch.header();
            let payload = batch
                .bytes()
                .get(BATCH_HEADER_SIZE_BYTES..)
                .unwrap_or_default();
            self.append_batch(&mut writer, &header.encode(), &header, payload)?;
            let aborted = note_batch(&mut writer.producers, &header, &batch);
            if let (Some(aborted), Some(segment)) = (aborted, writer.segments.last()) {
                segment.note_aborted(aborted);
            }
            self.finish_append(&mut writer, &header);
        }
        Ok(self.log_end_offset())
    }

    fn assign_epoch(&self, epoch: LeaderEpoch, start_offset: Offset) -> Result<(), DiskError> {
        self.names_changed.store(true, Ordering::Release);
        self.fail_on_error(self.epochs.write().assign(epoch, start_offset))
    }

    fn append_batch(
        &self,
        writer: &mut Writer,
        encoded: &[u8; BATCH_HEADER_SIZE_BYTES],
        header: &BatchHeader,
        payload: &[u8],
    ) -> Result<(), AppendError> {
        let config = self.config.load();
        let size_bytes = encoded.len() + payload.len();
        let last_offset = Offset(header.last_offset());
        let rolls = |segment: &Arc<Segment>| {
            segment.should_roll(&config, size_bytes, last_offset, header.max_timestamp)
        };
        if writer.segments.last().is_none_or(rolls) {
            self.roll_at(writer, Offset(header.base_offset))?;
        }
        let epoch = LeaderEpoch(header.partition_leader_epoch);
        if !self.epochs.read().has_saved(epoch) {
            self.assign_epoch(epoch, Offset(header.base_offset))?;
        }
        let Some(segment) = writer.segments.last() else {
            unreachable!("a log always has a segment to append to");
        };
        if config.preallocate && segment.size_bytes() == 0 {
            segment.preallocate(config.segment_bytes)?;
        }
        let appended = segment.append(encoded, header, payload, config.index_interval_bytes);
        Ok(self.fail_on_error(appended)?)
    }

    fn finish_append(&self, writer: &mut Writer, header: &BatchHeader) {
        self.publish_first_unstable(writer);
        self.log_end_offset
            .store(header.last_offset() + 1, Ordering::Release);
        self.check_invariants(writer);
    }

    pub(crate) fn publish_first_unstable(&self, writer: &Writer) {
        let first_unstable = writer.producers.first_unstable_offset();
        let first_unstable = first_unstable.map_or(NO_UNSTABLE_OFFSET, |offset| offset.0);
        self.first_unstable_offset
            .store(first_unstable, Ordering::Release);
        self.has_unreplicated
            .store(writer.producers.has_unreplicated(), Ordering::Release);
    }

    /// Forgets completed transactions whose markers the high watermark has passed.
    fn settle_transactions(&self) {
        if self.has_unreplicated.load(Ordering::Acquire) {
            let mut writer = self.writer.lock();
            writer.producers.settle(self.high_watermark());
            self.publish_first_unstable(&writer);
        }
    }

    /// Lets readers see the writer's segments.
    pub(crate) fn publish(&self, writer: &Writer) {
        self.segments.store(Arc::new(writer.segments.clone()));
    }

    /// Raises the high watermark to `offset`; it never falls and never passes the end of the log.
    pub fn advance_high_watermark(&self, offset: Offset) -> bool {
        let bounded = offset.0.min(self.log_end_offset().0);
        let is_new = self.high_watermark.fetch_max(bounded, Ordering::AcqRel) < bounded;
        if is_new {
            self.settle_transactions();
        }
        is_new
    }

    /// Passes `result` on; an error takes the log's directory offline, for good. A full disk alone
    /// does not, nor a lack of descriptors: nothing is lost, and there may be room again.
    pub(crate) fn fail_on_error<T>(&self, result: Result<T, DiskError>) -> Result<T, DiskError> {
        if let Err(error) = &result
            && !error.is_passing()
            && !self.offline.swap(true, Ordering::AcqRel)
        {
            tracing::error!(log = %self.topic_partition, %error, "the log directory goes offline; replace or repair its disk, then restart");
        }
        result
    }

    pub(crate) fn check_invariants(&self, writer: &Writer) {
        if cfg!(debug_assertions) {
            let (start, end) = (self.log_start_offset(), self.log_end_offset());
            assert!(
                start <= self.high_watermark() && self.high_watermark() <= end,
                "LOG-1 of {}",
                self.topic_partition
            );
            let ascending = writer
                .segments
                .windows(2)
                .all(|pair| pair[0].base_offset() < pair[1].base_offset());
            assert!(ascending, "LOG-2 of {}", self.topic_partition);
            assert!(
                writer
                    .segments
                    .first()
                    .is_none_or(|first| first.base_offset() <= start),
                "LOG-2 of {}",
                self.topic_partition
            );
            assert!(
                self.recovery_point() <= end,
                "LOG-3 of {}",
                self.topic_partition
            );
        }
    }
}

/// What a batch, appended with `header`, does to the state of its producer. The aborted transaction, if it is a marker that ends one.
pub(crate) fn note_batch(
    producers: &mut ProducerState,
    header: &BatchHeader,
    batch: &BatchView,
) -> Option<crate::transaction_index::AbortedTransaction> {
    if !header.has_producer_id() {
        return None;
    }
    if !header.attributes.is_control() {
        producers.append_data(header, header.max_timestamp);
        return None;
    }
    let record = batch
        .records(&mut Decompressor::default())
        .ok()?
        .next()?
        .ok()?;
    let marker = ControlRecordType::from_key(record.key.as_deref()?).ok()?;
    // EndTransactionMarker: version i16, coordinator epoch i32.
    let epoch = record
        .value
        .as_deref()
        .and_then(|value| value.get(2..)?.first_chunk::<4>().copied());
    match marker {
        ControlRecordType::Commit | ControlRecordType::Abort => {
            producers.append_marker(header, marker, epoch.map_or(-1, i32::from_be_bytes))
        }
        _ => None,
    }
}
