//! One segment of a log: a file of record batches and its indexes.
//!
//! One writer appends, under the log's lock; readers never wait for it: they see the bytes below
//! [`Segment::size_bytes`], which grows only after the bytes are in the file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use ottla_protocol::ids::Offset;
use ottla_protocol::records::{
    BATCH_HEADER_SIZE_BYTES, BatchError, BatchHeader, NO_TIMESTAMP, batches,
};
use parking_lot::RwLock;

use crate::batch_scan::BatchScan;
use crate::disk;
use crate::error::{DiskError, DiskOperation};
use crate::log_config::LogConfig;
use crate::offset_index::{OffsetIndex, OffsetPosition, relative};
use crate::time_index::{TimeIndex, TimestampOffset};
use crate::transaction_index::{AbortedTransaction, TransactionIndex};

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
    /// Those that can be built again.
    pub const INDEXES: [Self; 3] = [Self::OffsetIndex, Self::TimeIndex, Self::TransactionIndex];

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
    /// Opened when it is first needed, made by the first append.
    file: OnceLock<Arc<File>>,
    /// The log is no more: its file may not be opened, as the name may be another's by now.
    retired: AtomicBool,
    size_bytes: AtomicU64,
    /// The file has room behind its end.
    is_preallocated: AtomicBool,
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
            retired: AtomicBool::new(false),
            size_bytes: AtomicU64::new(0),
            is_preallocated: AtomicBool::new(false),
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

    /// The segment in the files of `directory`. Its indexes are taken as they are; `false` when one
    /// of them is missing or cannot be right.
    pub(crate) fn open(directory: &Path, base_offset: Offset) -> Result<(Self, bool), DiskError> {
        let segment = Self::new(directory, base_offset);
        let size_bytes = disk::size_bytes(segment.file()?, &segment.path)?;
        segment.size_bytes.store(size_bytes, Ordering::Release);
        let mut indexes = segment.indexes.write();
        let offsets = OffsetIndex::open(indexes.offsets.path().to_owned(), |before, last| {
            last.may_follow(before, size_bytes)
        })?;
        let times = TimeIndex::open(indexes.times.path().to_owned(), |before, last| {
            last.may_follow(before)
        })?;
        let transactions = TransactionIndex::open(indexes.transactions.path().to_owned())?;
        let complete = offsets.is_some() && times.is_some() && transactions.is_some();
        if let (Some(offsets), Some(times), Some(transactions)) = (offsets, times, transactions) {
            indexes.offsets = offsets;
            indexes.times = times;
            indexes.transactions = transactions;
        }
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

    pub(crate) fn file(&self) -> Result<&Arc<File>, DiskError> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let file = Arc::new(disk::open_or_create(&self.path)?);
        // Only now: it is the old name's file if the log was not retired before it was opened.
        if self.retired.load(Ordering::Acquire) {
            return Err(DiskError::offline(DiskOperation::Open, &self.path));
        }
        Ok(self.file.get_or_init(|| file))
    }

    /// Closes the file until it is needed again: an idle segment holds no descriptor. All that was
    /// written must be on the disk.
    pub(crate) fn release(&mut self) {
        self.file.take();
    }

    /// Lets nobody open the file any more; who has it open reads on.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// Whether the segment file was opened: the first append makes it.
    pub(crate) fn is_open(&self) -> bool {
        self.file.get().is_some()
    }

    /// Makes the segment file if there is none, so that its name keeps the base offset.
    pub(crate) fn create(&self) -> Result<(), DiskError> {
        self.file().map(|_| ())
    }

    /// Takes room for `size_bytes` on the disk, behind the end of the file: to readers, and after a
    /// crash, the file is what it is without (Kafka makes it longer and cuts it later). Where the
    /// disk has no such room or cannot keep it, the appends find out.
    pub(crate) fn preallocate(&self, size_bytes: u32) -> Result<(), DiskError> {
        let taken = disk::preallocate(self.file()?, u64::from(size_bytes));
        self.is_preallocated.store(taken, Ordering::Relaxed);
        Ok(())
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
        if let Err(error) = disk::write_at(file, &self.path, position, encoded_header, payload) {
            // What cannot be cut off would be taken for records by a restart.
            disk::truncate(file, &self.path, position)?;
            return Err(error);
        }
        self.index(header, position, index_interval_bytes);
        let size_bytes = encoded_header.len() + payload.len();
        self.size_bytes
            .store(position + size_bytes as u64, Ordering::Release);
        Ok(())
    }

    /// Adds the batch at `position` to the indexes, if enough bytes lie before it.
    ///
    /// Source: `LogSegment.append`.
    pub(crate) fn index(&self, header: &BatchHeader, position: u64, index_interval_bytes: usize) {
        let last_offset = Offset(header.last_offset());
        let mut indexes = self.indexes.write();
        if position == 0 {
            indexes.first_timestamp_ms = Some(header.max_timestamp);
        }
        indexes.note_timestamp(header);
        if indexes.bytes_since_entry > index_interval_bytes
            && let (Some(relative_offset), Ok(position)) = (
                relative(self.base_offset, last_offset),
                u32::try_from(position),
            )
        {
            indexes.offsets.push(OffsetPosition {
                relative_offset,
                position,
            });
            indexes.push_time(self.base_offset);
            indexes.bytes_since_entry = 0;
        }
        indexes.bytes_since_entry += header.size_bytes().unwrap_or(0);
    }

    /// Notes an aborted transaction whose marker is in this segment.
    pub(crate) fn note_aborted(&self, aborted: AbortedTransaction) {
        self.indexes.write().transactions.push(aborted);
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
            || waited_ms > self.longest_wait_ms(config)
            || indexes.offsets.size_bytes() + 8 > config.segment_index_bytes
            || indexes.times.size_bytes() + 2 * 12 > config.segment_index_bytes
    }

    /// Whether its records have no times, so that only the clock can tell their age.
    pub(crate) fn has_no_times(&self) -> bool {
        let first_timestamp_ms = self.indexes.read().first_timestamp_ms;
        self.size_bytes() > 0 && first_timestamp_ms.is_none_or(|first| first < 0)
    }

    /// How much younger than the first record the last may be, milliseconds.
    pub(crate) fn longest_wait_ms(&self, config: &LogConfig) -> i64 {
        config.segment_ms - self.jitter_ms(config)
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

    /// `length` bytes at `position`, fewer at the end of the file.
    pub(crate) fn read_at(&self, position: u64, length: usize) -> Result<Bytes, DiskError> {
        disk::read_at(self.file()?, &self.path, position, length)
    }

    /// The batches from `position` on, which must be where one begins.
    pub(crate) fn scan_from(&self, position: u64) -> BatchScan<'_> {
        BatchScan::new(self, position, self.size_bytes())
    }

    /// The segment's largest timestamp and the last offset of its batch.
    pub(crate) fn max_timestamp(&self) -> Result<Option<(i64, Offset)>, DiskError> {
        let indexes = self.indexes.read();
        if indexes.max_timestamp.is_some() {
            return Ok(indexes.max_timestamp);
        }
        let entry = match indexes.times.last() {
            // The segment is being deleted; its records can still be read.
            Err(error) if error.is_not_found() => None,
            entry => entry?,
        };
        Ok(entry.map(|entry| {
            (
                entry.timestamp_ms,
                Offset(self.base_offset.0 + i64::from(entry.relative_offset)),
            )
        }))
    }

    /// Completes and writes the indexes: the segment takes no more records.
    pub(crate) fn seal(&self) -> Result<(), DiskError> {
        if self.is_preallocated.swap(false, Ordering::Relaxed) {
            disk::truncate(self.file()?, &self.path, self.size_bytes())?;
        }
        let mut indexes = self.indexes.write();
        indexes.push_time(self.base_offset);
        indexes.offsets.write()?;
        indexes.times.write()?;
        indexes.transactions.write()?;
        indexes.offsets.release();
        indexes.times.release();
        Ok(())
    }

    /// Waits until the records are on the disk. That is enough for the segment that is appended to:
    /// recovery builds its indexes again.
    pub(crate) fn sync_records(&self) -> Result<(), DiskError> {
        match self.file.get() {
            Some(file) => disk::sync(file, &self.path),
            None => Ok(()),
        }
    }

    /// Waits until records and indexes are on the disk.
    pub(crate) fn sync_all(&self) -> Result<(), DiskError> {
        if self.file.get().is_none() {
            return Ok(());
        }
        self.sync_records()?;
        let mut indexes = self.indexes.write();
        let offsets = indexes.offsets.write_to_sync()?;
        let times = indexes.times.write_to_sync()?;
        let transactions = indexes.transactions.write()?;
        drop(indexes);
        // Appends and reads go on meanwhile.
        disk::sync(&offsets, &self.path)?;
        disk::sync(&times, &self.path)?;
        transactions.map_or(Ok(()), |file| disk::sync(&file, &self.path))
    }

    /// Cuts the file to `size_bytes`; its indexes must not reach further.
    pub(crate) fn truncate(&self, size_bytes: u64) -> Result<(), DiskError> {
        disk::truncate(self.file()?, &self.path, size_bytes)?;
        self.size_bytes.store(size_bytes, Ordering::Release);
        Ok(())
    }

    /// Cuts the segment before the batch that contains `offset`. Where the log ends now: `offset`,
    /// or the first offset of that batch.
    pub(crate) fn truncate_to_offset(&self, offset: Offset) -> Result<Offset, SegmentReadError> {
        let mut scan = self.scan_from(self.position_before(offset)?);
        let mut end = offset;
        while let Some(header) = scan.peek()? {
            if header.last_offset() >= offset.0 {
                end = offset.min(Offset(header.base_offset));
                break;
            }
            scan.skip(&header);
        }
        let size_bytes = scan.position();
        {
            let mut indexes = self.indexes.write();
            let target = relative(self.base_offset, offset).unwrap_or(0);
            indexes.offsets.truncate_to_offset(target)?;
            indexes.times.truncate_to_offset(target)?;
            indexes.transactions.truncate_to_offset(offset)?;
            indexes.bytes_since_entry = 0;
            indexes.max_timestamp = None;
        }
        self.truncate(size_bytes)?;
        self.restore_timestamps()?;
        Ok(end)
    }

    /// The offset behind the last batch, found from the last index entry on.
    pub(crate) fn next_offset(&self) -> Result<Offset, SegmentReadError> {
        let last = self.indexes.read().offsets.last()?;
        let last = last.map_or(0, |entry| i64::from(entry.relative_offset));
        let last = Offset(self.base_offset.0 + last);
        let mut scan = self.scan_from(self.position_before(last)?);
        let mut end = self.base_offset;
        while let Some(header) = scan.peek()? {
            end = Offset(header.last_offset() + 1);
            scan.skip(&header);
        }
        Ok(end)
    }

    /// Whether no valid batch begins behind `position`, where none does: a write that was not finished
    /// looks like that, and damage to what was written does not.
    pub(crate) fn is_torn_at(&self, position: u64) -> Result<bool, DiskError> {
        let length = usize::try_from(self.size_bytes() - position).unwrap_or(usize::MAX);
        let rest = self.read_at(position, length)?;
        Ok((1..rest.len()).all(|begin| {
            let next = batches(&rest.slice(begin..)).next();
            !next.is_some_and(|next| next.is_ok_and(|batch| batch.validate_crc().is_ok()))
        }))
    }

    /// The offset behind the last batch of the segment file at `path`, whatever its name.
    pub(crate) fn end_of_file(
        path: &Path,
        base_offset: Offset,
    ) -> Result<Offset, SegmentReadError> {
        let mut segment = Self::new(Path::new(""), base_offset);
        segment.path = path.to_owned();
        let size_bytes = disk::size_bytes(segment.file()?, path)?;
        segment.size_bytes.store(size_bytes, Ordering::Release);
        segment.next_offset()
    }

    /// Forgets the indexes, which are to be built again.
    pub(crate) fn clear_indexes(&self) -> Result<(), DiskError> {
        let mut indexes = self.indexes.write();
        indexes.offsets.clear()?;
        indexes.times.clear()?;
        indexes.transactions.clear()?;
        indexes.bytes_since_entry = 0;
        indexes.max_timestamp = None;
        indexes.first_timestamp_ms = None;
        Ok(())
    }

    /// What a restart or a truncation forgets of the segment that goes on: its first and largest
    /// timestamp.
    pub(crate) fn restore_timestamps(&self) -> Result<(), SegmentReadError> {
        let first = self.scan_from(0).peek()?;
        let (last_time, last_offset) = {
            let indexes = self.indexes.read();
            (indexes.times.last()?, indexes.offsets.last()?)
        };
        let indexed_to = last_offset.map_or(0, |entry| i64::from(entry.relative_offset));
        let indexed_to = Offset(self.base_offset.0 + indexed_to);
        let mut scan = self.scan_from(self.position_before(indexed_to)?);
        let mut largest = last_time.map(|entry| {
            let offset = self.base_offset.0 + i64::from(entry.relative_offset);
            (entry.timestamp_ms, Offset(offset))
        });
        while let Some(header) = scan.peek()? {
            if largest.is_none_or(|(timestamp_ms, _)| header.max_timestamp > timestamp_ms) {
                largest = Some((header.max_timestamp, Offset(header.last_offset())));
            }
            scan.skip(&header);
        }
        let mut indexes = self.indexes.write();
        indexes.first_timestamp_ms = first.map(|header| header.max_timestamp);
        indexes.max_timestamp = largest;
        Ok(())
    }

    /// Deletes the segment's files; readers that hold it go on reading.
    pub(crate) fn delete(&self) -> Result<(), DiskError> {
        if self.size_bytes() > 0 && self.file().is_err() {
            self.retire();
        }
        let indexes = self.indexes.read();
        // The records last: indexes without them are deleted by the next start.
        for path in [
            indexes.offsets.path(),
            indexes.times.path(),
            indexes.transactions.path(),
            self.path.as_path(),
        ] {
            disk::delete(path)?;
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
    fn note_timestamp(&mut self, header: &BatchHeader) {
        let largest = self.max_timestamp;
        if largest.is_none_or(|(timestamp, _)| header.max_timestamp > timestamp) {
            self.max_timestamp = Some((header.max_timestamp, Offset(header.last_offset())));
        }
    }

    /// Adds the largest timestamp so far to the time index, if it is larger than the last entry's.
    fn push_time(&mut self, base_offset: Offset) {
        let Some((timestamp_ms, offset)) = self.max_timestamp else {
            return;
        };
        // An entry that cannot be read is followed by one at worst too many.
        let last = self.times.last().ok().flatten();
        let last_ms = last.map_or(NO_TIMESTAMP, |last| last.timestamp_ms);
        if timestamp_ms > last_ms
            && let Some(relative_offset) = relative(base_offset, offset)
        {
            self.times.push(TimestampOffset {
                timestamp_ms,
                relative_offset,
            });
        }
    }
}
