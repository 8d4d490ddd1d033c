//! One partition that this broker keeps: whether it leads it, its log, and who waits for it.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;
use ottla_config::{CompressionType, MessageTimestampType, TopicConfig};
use ottla_protocol::ids::{LeaderEpoch, Offset, TopicPartition};
use ottla_protocol::messages::fetch_request::FetchPartition;
use ottla_protocol::records::{
    BatchBuilder, BatchView, CompressionSpec, Compressor, Decompressor, KeyRule, ProduceError,
    ProduceRules, Rewrite, TimestampType, TopicCompression, ValidatedBatch, validate_produced,
};
use ottla_protocol::{ErrorCode, Records};
use ottla_storage::{ActiveProducer, AppendError, Log, ReadError, SequenceError};
use tracing::error;

use crate::fetch_waiter::Waiters;
pub use crate::partition_io::{
    AppendFailure, Appended, FoundOffset, IsolationLevel, OffsetQuery, PartitionRead, ReadFailure,
    ReadLimits, RecordFailure, RequiredAcks,
};

/// Offset that DeleteRecords takes for the high watermark.
const UP_TO_HIGH_WATERMARK: i64 = -1;
/// Leader epoch of a client that knows none.
const NO_LEADER_EPOCH: i32 = -1;

thread_local! {
    /// Codec contexts are large and reused; a thread validates one batch at a time.
    static CODECS: RefCell<(Decompressor, Compressor)> =
        RefCell::new((Decompressor::default(), Compressor::new()));
}

/// One partition.
pub struct Partition {
    topic_partition: TopicPartition,
    log: Arc<Log>,
    config: ArcSwap<TopicConfig>,
    is_leader: AtomicBool,
    leader_epoch: AtomicI32,
    /// Replicas, this one among them.
    replicas_count: AtomicI32,
    /// Replicas in sync, this one among them.
    isr_size: AtomicI32,
    waiters: Waiters,
}

impl Partition {
    /// A partition that this broker keeps in `log` and does not lead yet.
    pub fn new(topic_partition: TopicPartition, log: Arc<Log>, config: Arc<TopicConfig>) -> Self {
        Self {
            topic_partition,
            log,
            config: ArcSwap::new(config),
            is_leader: AtomicBool::new(false),
            leader_epoch: AtomicI32::new(-1),
            replicas_count: AtomicI32::new(0),
            isr_size: AtomicI32::new(0),
            waiters: Waiters::default(),
        }
    }

    /// The partition's name.
    pub fn topic_partition(&self) -> &TopicPartition {
        &self.topic_partition
    }

    /// Its log.
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// Replaces its topic's configuration.
    pub fn update_config(&self, config: Arc<TopicConfig>) {
        self.config.store(config);
    }

    /// Who waits for something new here.
    pub fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    /// The leader epoch that the metadata names.
    pub fn leader_epoch(&self) -> LeaderEpoch {
        LeaderEpoch(self.leader_epoch.load(Ordering::Acquire))
    }

    /// Leads from now on in `epoch`, alone or with followers.
    pub fn become_leader(&self, epoch: LeaderEpoch, replicas_count: usize, isr_size: usize) {
        let replicas_count = i32::try_from(replicas_count).unwrap_or(i32::MAX);
        self.replicas_count.store(replicas_count, Ordering::Release);
        self.isr_size.store(
            i32::try_from(isr_size).unwrap_or(i32::MAX),
            Ordering::Release,
        );
        self.leader_epoch.store(epoch.0, Ordering::Release);
        self.log.begin_leader_epoch(epoch);
        // The only replica's records are all committed.
        self.log.advance_high_watermark(self.log.log_end_offset());
        self.is_leader.store(true, Ordering::Release);
    }

    /// Leads no longer; those who wait learn it.
    pub fn resign(&self) {
        self.is_leader.store(false, Ordering::Release);
        self.waiters.wake();
    }

    /// Whether this broker leads the partition, and in the epoch that the client knows of (-1: any).
    pub fn check_leader_epoch(&self, current_leader_epoch: i32) -> Result<(), ErrorCode> {
        let epoch = self.leader_epoch().0;
        if current_leader_epoch != NO_LEADER_EPOCH && current_leader_epoch < epoch {
            return Err(ErrorCode::FencedLeaderEpoch);
        }
        if current_leader_epoch > epoch {
            return Err(ErrorCode::UnknownLeaderEpoch);
        }
        self.check_leader()
    }

    fn check_leader(&self) -> Result<(), ErrorCode> {
        if !self.is_leader.load(Ordering::Acquire) {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        match self.log.is_offline() {
            true => Err(ErrorCode::KafkaStorageError),
            false => Ok(()),
        }
    }

    /// Validates and appends what a producer sent.
    pub fn append(
        &self,
        records: &Bytes,
        acks: RequiredAcks,
        produce_version: i16,
        now_ms: i64,
    ) -> Result<Appended, AppendFailure> {
        self.check_leader().map_err(AppendFailure::of)?;
        let config = self.config.load();
        // More than there are replicas is not asked for.
        let min_isr = config
            .min_insync_replicas
            .min(self.replicas_count.load(Ordering::Acquire));
        if acks == RequiredAcks::All && self.isr_size.load(Ordering::Acquire) < min_isr {
            return Err(AppendFailure::of(ErrorCode::NotEnoughReplicas));
        }
        let rules = produce_rules(&config, produce_version, now_ms);
        let validated = CODECS.with_borrow_mut(|(decompressor, compressor)| {
            validate_produced(records, &rules, decompressor, compressor)
        });
        let validated = validated.map_err(|error| self.refusal(&error, produce_version))?;
        let appended = self.log.append_as_leader(&validated, self.leader_epoch());
        let appended = appended.map_err(|error| self.append_failure(error))?;
        self.commit_and_flush(now_ms)?;
        Ok(Appended {
            base_offset: appended.base_offset,
            log_append_time_ms: appended.log_append_time_ms,
            log_start_offset: appended.log_start_offset,
        })
    }

    /// Appends records of a coordinator; the offset of the first one.
    pub fn append_internal(
        &self,
        builder: BatchBuilder,
        now_ms: i64,
    ) -> Result<Offset, AppendFailure> {
        self.check_leader().map_err(AppendFailure::of)?;
        let records_count = builder.records_count();
        let built = CODECS.with_borrow_mut(|(_, compressor)| builder.build(0, -1, compressor));
        let batch = built.ok().and_then(|bytes| BatchView::new(bytes).ok());
        let batch = batch.ok_or_else(|| AppendFailure::of(ErrorCode::RecordListTooLarge))?;
        if batch.size_bytes() > usize::try_from(self.config.load().max_message_bytes).unwrap_or(0) {
            return Err(AppendFailure::of(ErrorCode::RecordListTooLarge));
        }
        let validated = ValidatedBatch {
            max_timestamp: batch.max_timestamp(),
            batch,
            log_append_time: None,
            offset_delta_of_max_timestamp: 0,
            records_count,
            rewrite: Rewrite::Untouched,
        };
        let appended = self.log.append_as_leader(&validated, self.leader_epoch());
        let appended = appended.map_err(|error| self.append_failure(error))?;
        self.commit_and_flush(now_ms)?;
        Ok(appended.base_offset)
    }

    /// Flushes if it is due, and moves the high watermark to what was the end before, as the only
    /// replica may: nobody reads what a flush that is due has not made durable.
    fn commit_and_flush(&self, now_ms: i64) -> Result<(), AppendFailure> {
        let end = self.log.log_end_offset();
        if self.log.config().flush_messages != i64::MAX && self.log.flush_is_due(now_ms) {
            // The other tasks of this thread go on elsewhere meanwhile.
            let flushed = tokio::task::block_in_place(|| self.log.flush(end, now_ms));
            flushed.map_err(|_| AppendFailure::of(ErrorCode::KafkaStorageError))?;
        }
        if self.log.advance_high_watermark(end) {
            self.waiters.wake();
        }
        Ok(())
    }

    fn refusal(&self, error: &ProduceError, produce_version: i16) -> AppendFailure {
        let record_errors = error
            .record_faults()
            .iter()
            .map(|fault| RecordFailure {
                index: fault.index,
                message: Some(fault.to_string()),
            })
            .collect();
        AppendFailure {
            code: error.error_code(),
            message: Some(error.to_string()),
            record_errors,
            log_start_offset: match error.is_before_log(produce_version) {
                true => -1,
                false => self.log.log_start_offset().0,
            },
        }
    }

    fn append_failure(&self, error: AppendError) -> AppendFailure {
        match error {
            AppendError::Sequence(sequence) => AppendFailure {
                log_start_offset: self.log.log_start_offset().0,
                ..AppendFailure::with_message(
                    match sequence {
                        SequenceError::StaleEpoch { .. } => ErrorCode::InvalidProducerEpoch,
                        SequenceError::OutOfOrder { .. } => ErrorCode::OutOfOrderSequenceNumber,
                    },
                    sequence.to_string(),
                )
            },
            AppendError::LargerThanSegment { .. } => {
                AppendFailure::with_message(ErrorCode::RecordListTooLarge, error.to_string())
            }
            AppendError::Batch(batch) => {
                AppendFailure::with_message(ErrorCode::CorruptMessage, batch.to_string())
            }
            AppendError::OffsetBehindEnd { .. } => AppendFailure::of(ErrorCode::UnknownServerError),
            AppendError::Disk(disk) => {
                error!(partition = %self.topic_partition, error = %disk, "records refused");
                AppendFailure::with_message(ErrorCode::KafkaStorageError, disk.to_string())
            }
            AppendError::Offline => AppendFailure::of(ErrorCode::KafkaStorageError),
        }
    }

    /// Reads what a consumer asks for.
    pub fn read(
        &self,
        request: &FetchPartition,
        isolation: IsolationLevel,
        limits: ReadLimits,
    ) -> Result<PartitionRead, ReadFailure> {
        // In a fetch, whatever is negative is no epoch.
        self.check_leader_epoch(request.current_leader_epoch.max(NO_LEADER_EPOCH))
            .map_err(ReadFailure::of)?;
        let log = &self.log;
        let upper_bound = self.upper_bound(isolation);
        let offset = Offset(request.fetch_offset);
        let mut read = PartitionRead {
            records: Records::empty(),
            high_watermark: log.high_watermark(),
            last_stable_offset: log.last_stable_offset(),
            log_start_offset: log.log_start_offset(),
            diverging_epoch: None,
            aborted_transactions: Vec::new(),
        };
        if request.last_fetched_epoch >= 0 {
            if offset < read.log_start_offset {
                return Err(self.read_failure(ErrorCode::OffsetOutOfRange));
            }
            read.diverging_epoch =
                self.divergence(LeaderEpoch(request.last_fetched_epoch), offset)?;
            if read.diverging_epoch.is_some() {
                return Ok(read);
            }
        }
        if offset > upper_bound {
            return match offset > log.log_end_offset() {
                true => Err(self.read_failure(ErrorCode::OffsetOutOfRange)),
                false => Ok(read),
            };
        }
        read.records = log
            .read_to_send(offset, limits.max_bytes, limits.minimum, upper_bound)
            .map_err(|error| self.read_error(&error))?;
        if isolation == IsolationLevel::ReadCommitted && !read.records.is_empty() {
            read.aborted_transactions = log.aborted_transactions(offset, upper_bound);
        }
        Ok(read)
    }

    fn upper_bound(&self, isolation: IsolationLevel) -> Offset {
        match isolation {
            IsolationLevel::ReadUncommitted => self.log.high_watermark(),
            IsolationLevel::ReadCommitted => self.log.last_stable_offset(),
        }
    }

    fn divergence(
        &self,
        last_fetched: LeaderEpoch,
        offset: Offset,
    ) -> Result<Option<(LeaderEpoch, Offset)>, ReadFailure> {
        let Some((epoch, end_offset)) = self.log.end_offset_for_epoch(last_fetched) else {
            return Err(self.read_failure(ErrorCode::OffsetOutOfRange));
        };
        Ok((epoch < last_fetched || end_offset < offset).then_some((epoch, end_offset)))
    }

    fn read_failure(&self, code: ErrorCode) -> ReadFailure {
        ReadFailure {
            code,
            log_start_offset: -1,
        }
    }

    fn read_error(&self, error: &ReadError) -> ReadFailure {
        if let ReadError::OffsetOutOfRange { .. } = error {
            return self.read_failure(ErrorCode::OffsetOutOfRange);
        }
        error!(partition = %self.topic_partition, %error, "records cannot be read; check the disk, and the segment with `ottla log dump`");
        self.read_failure(read_error_code(error))
    }

    /// Answers ListOffsets.
    pub fn find_offset(
        &self,
        query: OffsetQuery,
        isolation: IsolationLevel,
    ) -> Result<FoundOffset, ErrorCode> {
        let (log, upper_bound) = (&self.log, self.upper_bound(isolation));
        let at_end = |offset: Offset, leader_epoch: i32| FoundOffset {
            timestamp_ms: -1,
            offset: offset.0,
            leader_epoch,
        };
        let found = match query {
            OffsetQuery::Latest => return Ok(at_end(upper_bound, self.leader_epoch().0)),
            OffsetQuery::Earliest => {
                let start = log.log_start_offset();
                // An empty log begins with the epoch of its leader.
                let epoch = log.epoch_of(start);
                let epoch =
                    epoch.or_else(|| (start == log.log_end_offset()).then(|| self.leader_epoch()));
                return Ok(at_end(start, epoch.map_or(-1, |epoch| epoch.0)));
            }
            OffsetQuery::Tiered => return Ok(FoundOffset::NOTHING),
            OffsetQuery::MaxTimestamp => log.find_max_timestamp(upper_bound),
            OffsetQuery::Time(time) => log.find_by_timestamp(time, upper_bound),
        };
        match found {
            Ok(found) => Ok(found.map_or(FoundOffset::NOTHING, |found| FoundOffset {
                timestamp_ms: found.timestamp_ms,
                offset: found.offset.0,
                leader_epoch: found.leader_epoch.0,
            })),
            Err(error) => Err(self.read_error(&error).code),
        }
    }

    /// The largest epoch not above `leader_epoch` and where it ends (KIP-101).
    pub fn end_offset_for_epoch(&self, leader_epoch: i32) -> Option<(LeaderEpoch, Offset)> {
        match leader_epoch == self.leader_epoch().0 {
            true => Some((self.leader_epoch(), self.log.log_end_offset())),
            false => self.log.end_offset_for_epoch(LeaderEpoch(leader_epoch)),
        }
    }

    /// Deletes the records before `offset`, -1 for all. The new log start offset (KIP-107).
    pub fn delete_records(&self, offset: i64) -> Result<Offset, ErrorCode> {
        self.check_leader()?;
        let high_watermark = self.log.high_watermark();
        let before = if offset == UP_TO_HIGH_WATERMARK {
            high_watermark
        } else {
            Offset(offset)
        };
        if before.0 < 0 || before > high_watermark {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        let policy = self.config.load().cleanup_policy;
        if policy.compact && !policy.delete {
            return Err(ErrorCode::PolicyViolation);
        }
        let deleted = self.log.delete_records_before(before);
        self.waiters.wake();
        deleted.map_err(|_| ErrorCode::KafkaStorageError)
    }

    /// The producers whose state is kept (KIP-664).
    pub fn active_producers(&self) -> Vec<ActiveProducer> {
        self.log.active_producers()
    }
}

fn read_error_code(error: &ReadError) -> ErrorCode {
    match error {
        ReadError::OffsetOutOfRange { .. } => ErrorCode::OffsetOutOfRange,
        ReadError::Disk(_) | ReadError::Segment(ottla_storage::SegmentReadError::Disk(_)) => {
            ErrorCode::KafkaStorageError
        }
        ReadError::Segment(_) | ReadError::Batch(_) | ReadError::Records(_) => {
            ErrorCode::CorruptMessage
        }
    }
}

fn produce_rules(config: &TopicConfig, produce_version: i16, now_ms: i64) -> ProduceRules {
    ProduceRules {
        produce_version,
        now_ms,
        max_message_bytes: usize::try_from(config.max_message_bytes).unwrap_or(0),
        compression: topic_compression(config),
        keys: if config.cleanup_policy.compact {
            KeyRule::Required
        } else {
            KeyRule::Optional
        },
        timestamp_type: match config.message_timestamp_type {
            MessageTimestampType::CreateTime => TimestampType::CreateTime,
            MessageTimestampType::LogAppendTime => TimestampType::LogAppendTime,
        },
        timestamp_before_max_ms: config.message_timestamp_before_max_ms,
        timestamp_after_max_ms: config.message_timestamp_after_max_ms,
    }
}

fn topic_compression(config: &TopicConfig) -> TopicCompression {
    TopicCompression::Fixed(match config.compression_type {
        CompressionType::Producer => return TopicCompression::Producer,
        CompressionType::Uncompressed => CompressionSpec::None,
        CompressionType::Gzip => CompressionSpec::Gzip {
            level: config.compression_gzip_level,
        },
        CompressionType::Snappy => CompressionSpec::Snappy,
        CompressionType::Lz4 => CompressionSpec::Lz4,
        CompressionType::Zstd => CompressionSpec::Zstd {
            level: config.compression_zstd_level,
        },
    })
}
