//! One segment of a log: a file of record batches and its indexes.
//!
//! One writer appends, under the log's lock; readers never wait for it: they see the bytes below
//! [`Segment::size_bytes`], which grows only after the bytes are in the file.

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use ottla_protocol::ids::Offset;
use ottla_protocol::records::{BATCH_HEADER_SIZE_BYTES, BatchError, BatchHeader, peek_header};
use parking_lot::RwLock;

use crate::error::{DiskError, DiskOperation, DiskResult};
use crate::log_config::LogConfig;
use crate::offset_index::{OffsetIndex, OffsetPosition, relative};
use crate::time_index::{TimeIndex, TimestampOffset};
use crate::transaction_index::{AbortedTransaction, TransactionIndex};

/// Bytes read beyond what was asked for, to reach the batch from the index entry before it.
const READ_SLACK_BYTES: usize = 8 * 1024;

/// A segment could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SegmentReadError {
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// What is in the file is not a batch.
    #[error("{}, byte {position}: {source}", path.display())]
    Corrupt {
        /// The segment file.
        path: PathBuf,
        /// Where.
        position: u64,
        /// What is wrong.
        source: BatchError,
    },
}

/// The files of a segment, by what is in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SegmentFile {
    Log,
    OffsetIndex,
    TimeIndex,
    TransactionIndex,
}

impl SegmentFile {
    /// The part of the name behind the base offset.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::OffsetIndex => "index",
            Self::TimeIndex => "timeindex",
            Self::TransactionIndex => "txnindex",
        }
    }

    /// The path of a segment's file.
    pub fn path(self, directory: &Path, base_offset: Offset) -> PathBuf {
        directory.join(format!("{:020}.{}", base_offset.0, self.suffix()))
    }
}

#[derive(Debug)]
pub(crate) struct Indexes {
    pub offsets: OffsetIndex,
    pub times: TimeIndex,
    pub transactions: TransactionIndex,
    bytes_since_entry: usize,
    /// The largest timestamp so far and the last offset of its batch.
    max_timestamp: Option<(i64, Offset)>,
    /// The largest timestamp of the first batch: the segment's age counts from it.
    first_timestamp_ms: Option<i64>,
}

/// One segment.
#[derive(Debug)]
pub struct Segment {
    base_offset: Offset,
    path: PathBuf,
    /// Made by the first append.
    file: OnceLock<File>,
    size_bytes: AtomicU64,
    pub(crate) indexes: RwLock<Indexes>,
}

impl Segment {
    /// A segment without records; touches no file.
    pub(crate) fn new(directory: &Path, base_offset: Offset) -> Self {
        let path = |file: SegmentFile| file.path(directory, base_offset);
        Self {
            base_offset,
            path: path(SegmentFile::Log),
            file: OnceLock::new(),
            size_bytes: AtomicU64::new(0),
            indexes: RwLock::new(Indexes {
                offsets: OffsetIndex::empty(path(SegmentFile::OffsetIndex)),
                times: TimeIndex::empty(path(SegmentFile::TimeIndex)),
                transactions: TransactionIndex::empty(path(SegmentFile::TransactionIndex)),
                bytes_since_entry: 0,
                max_timestamp: None,
                first_timestamp_ms: None,
            }),
        }
    }

    /// The segment in the files of `directory`; its indexes are taken as they are, and are missing
    /// (`false`) when a file of theirs is.
    pub(crate) fn open(directory: &Path, base_offset: Offset) -> Result<(Self, bool), DiskError> {
        let segment = Self::new(directory, base_offset);
        let file = segment.file()?;
        let size_bytes = file
            .metadata()
            .disk(DiskOperation::Open, &segment.path)?
            .len();
        segment.size_bytes.store(size_bytes, Ordering::Release);
        let mut indexes = segment.indexes.write();
        let offsets = OffsetIndex::open(indexes.offsets.path().to_owned())?;
        let times = TimeIndex::open(indexes.times.path().to_owned())?;
        let complete = offsets.is_some() && times.is_some();
        if let (Some(offsets), Some(times)) = (offsets, times) {
            indexes.offsets = offsets;
            indexes.times = times;
        }
        indexes.transactions = TransactionIndex::open(indexes.transactions.path().to_owned())?;
        drop(indexes);
        Ok((segment, complete))
    }

    /// Offset that the file is named after.
    pub fn base_offset(&self) -> Offset {
        self.base_offset
    }

    /// Bytes that readers may read.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes.load(Ordering::Acquire)
    }

    /// The segment file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn file(&self) -> Result<&File, DiskError> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&self.path)
            .disk(DiskOperation::Open, &self.path)?;
        Ok(self.file.get_or_init(|| file))
    }

    /// Makes the segment file if there is none, so that its name keeps the base offset.
    pub(crate) fn create(&self) -> Result<(), DiskError> {
        self.file().map(|_| ())
    }

    /// Appends one batch, given as header and payload. After an error nothing of it is visible, and
    /// what was written of it is cut off again.
    pub(crate) fn append(
        &self,
        encoded_header: &[u8; BATCH_HEADER_SIZE_BYTES],
        header: &BatchHeader,
        payload: &[u8],
        index_interval_bytes: usize,
    ) -> Result<(), DiskError> {
        let position = self.size_bytes.load(Ordering::Relaxed);
        let file = self.file()?;
        if let Err(error) = write_all_at(file, encoded_header, payload, position) {
            // The next append writes over the rest; cutting it only gives a full disk its space back.
            let _ = file.set_len(position);
            return Err(error).disk(DiskOperation::Write, &self.path);
        }
        self.index(header, position, index_interval_bytes)?;
        let size_bytes = encoded_header.len() + payload.len();
        self.size_bytes
            .store(position + size_bytes as u64, Ordering::Release);
        Ok(())
    }

    /// Adds the batch at `position` to the indexes, if enough bytes lie before it.
    pub(crate) fn index(
        &self,
        header: &BatchHeader,
        position: u64,
        index_interval_bytes: usize,
    ) -> Result<(), DiskError> {
        let last_offset = Offset(header.last_offset());
        let mut indexes = self.indexes.write();
        indexes
            .first_timestamp_ms
            .get_or_insert(header.max_timestamp);
        if indexes
            .max_timestamp
            .is_none_or(|(timestamp, _)| header.max_timestamp > timestamp)
        {
            indexes.max_timestamp = Some((header.max_timestamp, last_offset));
        }
        if indexes.bytes_since_entry > index_interval_bytes
            && let (Some(relative_offset), Ok(position)) = (
                relative(self.base_offset, last_offset),
                u32::try_from(position),
            )
        {
            indexes.offsets.push(OffsetPosition {
                relative_offset,
                position,
            })?;
            indexes.push_time(self.base_offset)?;
            indexes.bytes_since_entry = 0;
        }
        indexes.bytes_since_entry += header.size_bytes().unwrap_or(0);
        Ok(())
    }

    /// Notes an aborted transaction whose marker is in this segment.
    pub(crate) fn note_aborted(&self, aborted: AbortedTransaction) -> Result<(), DiskError> {
        self.indexes.write().transactions.push(aborted)
    }

    /// Whether a batch of `size_bytes` that ends at `last_offset` belongs into the next segment.
    ///
    /// Source: `LogSegment.shouldRoll`.
    pub(crate) fn should_roll(
        &self,
        config: &LogConfig,
        size_bytes: usize,
        last_offset: Offset,
        timestamp_ms: i64,
    ) -> bool {
        let size = self.size_bytes.load(Ordering::Relaxed);
        if relative(self.base_offset, last_offset).is_none() {
            return true;
        }
        if size == 0 {
            return false;
        }
        let indexes = self.indexes.read();
        let waited_ms = match indexes.first_timestamp_ms.filter(|first| *first >= 0) {
            Some(first) => timestamp_ms.saturating_sub(first),
            None => 0,
        };
        size + size_bytes as u64 > u64::from(config.segment_bytes)
            || waited_ms > config.segment_ms - self.jitter_ms(config)
            || indexes.offsets.size_bytes() + 8 > config.segment_index_bytes
            || indexes.times.size_bytes() + 12 > config.segment_index_bytes
    }

    /// How much earlier than `segment.ms` this segment is rolled: the same for the same segment,
    /// and spread over the jitter for different ones.
    fn jitter_ms(&self, config: &LogConfig) -> i64 {
        let range = config.segment_jitter_ms.min(config.segment_ms);
        if range <= 0 {
            return 0;
        }
        let name = self.path.as_os_str().as_encoded_bytes();
        let hash = name.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        (hash % range as u64) as i64
    }

    /// Where to begin to look for the batch that contains `offset`.
    fn position_before(&self, offset: Offset) -> Result<u64, DiskError> {
        let Some(target) = relative(self.base_offset, offset) else {
            return Ok(0);
        };
        let indexes = self.indexes.read();
        let entry = indexes
            .offsets
            .last_where(|entry| entry.relative_offset <= target)?;
        Ok(entry.map_or(0, |entry| u64::from(entry.position)))
    }

    /// Whole batches from the one that contains `offset` (or follows it) on: at most `max_bytes` of
    /// them, the first one in any case if `at_least_one`, none that ends at `upper_bound` or later.
    pub(crate) fn read(
        &self,
        offset: Offset,
        max_bytes: usize,
        at_least_one: bool,
        upper_bound: Offset,
    ) -> Result<Bytes, SegmentReadError> {
        let size = self.size_bytes();
        let mut position = self.position_before(offset)?;
        let left =
            |position: u64| usize::try_from(size.saturating_sub(position)).unwrap_or(usize::MAX);
        loop {
            if left(position) < BATCH_HEADER_SIZE_BYTES {
                return Ok(Bytes::new());
            }
            let wanted = max_bytes
                .saturating_add(READ_SLACK_BYTES)
                .min(left(position));
            let chunk = self.read_at(position, wanted)?;
            let skipped = self.skip_before(&chunk, position, offset)?;
            let Some(first) = self.header_in(&chunk, position, skipped)? else {
                // All of the chunk lies before the offset: go on behind it.
                if skipped == 0 {
                    return Ok(Bytes::new());
                }
                position += skipped as u64;
                continue;
            };
            let end = self.end_of_batches(&chunk, position, skipped, max_bytes, upper_bound)?;
            if end > skipped || !at_least_one || first.last_offset() >= upper_bound.0 {
                return Ok(chunk.slice(skipped..end));
            }
            // The first batch is larger than what was asked for.
            position += skipped as u64;
            let size_bytes = first.size_bytes().unwrap_or(usize::MAX);
            return match size_bytes <= left(position) {
                true => Ok(self.read_at(position, size_bytes)?),
                false => Ok(Bytes::new()),
            };
        }
    }

    /// How many bytes of `chunk` hold batches that end before `offset`.
    fn skip_before(
        &self,
        chunk: &Bytes,
        position: u64,
        offset: Offset,
    ) -> Result<usize, SegmentReadError> {
        let mut at = 0;
        while let Some(header) = self.header_in(chunk, position, at)? {
            if header.last_offset() >= offset.0 {
                break;
            }
            at = at.saturating_add(header.size_bytes().unwrap_or(usize::MAX));
        }
        Ok(at)
    }

    /// Where the batches in `chunk` end that fit into `max_bytes` from `start` and end before `upper_bound`.
    fn end_of_batches(
        &self,
        chunk: &Bytes,
        position: u64,
        start: usize,
        max_bytes: usize,
        upper_bound: Offset,
    ) -> Result<usize, SegmentReadError> {
        let limit = chunk.len().min(start.saturating_add(max_bytes));
        let mut end = start;
        while let Some(header) = self.header_in(chunk, position, end)? {
            let next = end.saturating_add(header.size_bytes().unwrap_or(usize::MAX));
            if next > limit || header.last_offset() >= upper_bound.0 {
                break;
            }
            end = next;
        }
        Ok(end)
    }

    fn header_in(
        &self,
        chunk: &Bytes,
        position: u64,
        at: usize,
    ) -> Result<Option<BatchHeader>, SegmentReadError> {
        let Some(bytes) = chunk.get(at..) else {
            return Ok(None);
        };
        peek_header(bytes).map_err(|source| SegmentReadError::Corrupt {
            path: self.path.clone(),
            position: position + at as u64,
            source,
        })
    }

    /// `length` bytes at `position`, fewer at the end of the file.
    pub(crate) fn read_at(&self, position: u64, length: usize) -> Result<Bytes, DiskError> {
        let file = self.file()?;
        let mut bytes: Vec<u8> = Vec::with_capacity(length);
        while bytes.len() < length {
            let at = position + bytes.len() as u64;
            match rustix::io::pread(file, rustix::buffer::spare_capacity(&mut bytes), at) {
                Ok(0) => break,
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error).disk(DiskOperation::Read, &self.path),
            }
        }
        bytes.truncate(length);
        Ok(Bytes::from(bytes))
    }

    /// The segment's largest timestamp and the last offset of its batch.
    pub(crate) fn max_timestamp(&self) -> Result<Option<(i64, Offset)>, DiskError> {
        let indexes = self.indexes.read();
        if indexes.max_timestamp.is_some() {
            return Ok(indexes.max_timestamp);
        }
        let entry = indexes.times.last()?;
        Ok(entry.map(|entry| {
            (
                entry.timestamp_ms,
                Offset(self.base_offset.0 + i64::from(entry.relative_offset)),
            )
        }))
    }

    /// An offset at or before the first batch with a timestamp of at least `timestamp_ms`.
    pub(crate) fn offset_before_time(&self, timestamp_ms: i64) -> Result<Offset, DiskError> {
        let indexes = self.indexes.read();
        let entry = indexes
            .times
            .last_where(|entry| entry.timestamp_ms < timestamp_ms)?;
        Ok(Offset(
            self.base_offset.0 + entry.map_or(0, |entry| i64::from(entry.relative_offset)),
        ))
    }

    /// Completes and writes the indexes: the segment takes no more records.
    pub(crate) fn seal(&self) -> Result<(), DiskError> {
        let mut indexes = self.indexes.write();
        indexes.push_time(self.base_offset)?;
        indexes.offsets.write()?;
        indexes.times.write()?;
        indexes.offsets.release();
        indexes.times.release();
        Ok(())
    }

    /// Waits until records and indexes are on the disk.
    pub(crate) fn sync(&self) -> Result<(), DiskError> {
        if self.size_bytes() == 0 && self.file.get().is_none() {
            return Ok(());
        }
        self.file()?
            .sync_data()
            .disk(DiskOperation::Sync, &self.path)?;
        let mut indexes = self.indexes.write();
        indexes.offsets.sync()?;
        indexes.times.sync()
    }

    /// Cuts the file to `size_bytes`; its indexes must not reach further.
    pub(crate) fn truncate(&self, size_bytes: u64) -> Result<(), DiskError> {
        self.file()?
            .set_len(size_bytes)
            .disk(DiskOperation::Truncate, &self.path)?;
        self.size_bytes.store(size_bytes, Ordering::Release);
        Ok(())
    }

    /// Position of the last batch that the offset index names, or 0.
    pub(crate) fn last_indexed_position(&self) -> Result<u64, DiskError> {
        let entry = self.indexes.read().offsets.last()?;
        Ok(entry.map_or(0, |entry| u64::from(entry.position)))
    }

    /// Forgets the indexes, which are to be built again.
    pub(crate) fn clear_indexes(&self) -> Result<(), DiskError> {
        let mut indexes = self.indexes.write();
        indexes.offsets.truncate(0)?;
        indexes.times.truncate(0)?;
        indexes.transactions.clear()?;
        indexes.bytes_since_entry = 0;
        indexes.max_timestamp = None;
        indexes.first_timestamp_ms = None;
        Ok(())
    }

    /// What a restart forgets of the segment that goes on: its first and largest timestamp.
    pub(crate) fn restore_timestamps(&self) -> Result<(), DiskError> {
        let first = match self.size_bytes() {
            0 => None,
            _ => peek_header(&self.read_at(0, BATCH_HEADER_SIZE_BYTES)?)
                .ok()
                .flatten(),
        };
        let largest = self.max_timestamp()?;
        let mut indexes = self.indexes.write();
        indexes.first_timestamp_ms = first.map(|header| header.max_timestamp);
        indexes.max_timestamp = largest;
        Ok(())
    }

    /// Deletes the segment's files; readers that hold it go on reading.
    pub(crate) fn delete(&self) -> Result<(), DiskError> {
        let indexes = self.indexes.read();
        for path in [
            self.path.as_path(),
            indexes.offsets.path(),
            indexes.times.path(),
            indexes.transactions.path(),
        ] {
            crate::text_file::delete(path)?;
        }
        Ok(())
    }

    /// Entries of the transaction index that touch offsets from `from` on.
    pub(crate) fn aborted_from(&self, from: Offset) -> Vec<AbortedTransaction> {
        let indexes = self.indexes.read();
        indexes
            .transactions
            .entries()
            .iter()
            .filter(|entry| entry.last_offset >= from)
            .copied()
            .collect()
    }
}

impl Indexes {
    /// Adds the largest timestamp so far to the time index, if it is larger than the last entry's.
    fn push_time(&mut self, base_offset: Offset) -> Result<(), DiskError> {
        let Some((timestamp_ms, offset)) = self.max_timestamp else {
            return Ok(());
        };
        let is_larger = self
            .times
            .last()?
            .is_none_or(|last| timestamp_ms > last.timestamp_ms);
        match relative(base_offset, offset) {
            Some(relative_offset) if is_larger => self.times.push(TimestampOffset {
                timestamp_ms,
                relative_offset,
            }),
            _ => Ok(()),
        }
    }
}

fn write_all_at(file: &File, header: &[u8], payload: &[u8], position: u64) -> io::Result<()> {
    let total = header.len() + payload.len();
    let mut written = 0;
    while written < total {
        let header_left = header.get(written..).unwrap_or_default();
        let payload_left = &payload[written.saturating_sub(header.len())..];
        let parts = [IoSlice::new(header_left), IoSlice::new(payload_left)];
        match rustix::io::pwritev(file, &parts, position + written as u64) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => written += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
