//! Reading a log: by offset, by time.

use std::sync::Arc;

use ottla_protocol::Records;
use ottla_protocol::ids::{LeaderEpoch, Offset};
use ottla_protocol::records::{
    BatchError, BatchView, Decompressor, RecordError, TimestampAndOffset, batches,
};

use crate::error::DiskError;
use crate::log::Log;
use crate::segment::{Segment, SegmentReadError};
use crate::segment_read::SegmentRead;
use crate::transaction_index::AbortedTransaction;

/// Bytes read at a time while looking for a timestamp.
const SCAN_BYTES: usize = 256 * 1024;

/// A log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The offset is before the first or behind the last record there is.
    #[error("offset {asked} is not between {log_start_offset} and {log_end_offset}")]
    OffsetOutOfRange {
        /// The offset asked for.
        asked: Offset,
        /// The log start offset.
        log_start_offset: Offset,
        /// The log end offset.
        log_end_offset: Offset,
    },
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A segment does not hold batches.
    #[error(transparent)]
    Segment(#[from] SegmentReadError),
    /// What is between two segments' ends is not a batch.
    #[error("a batch cannot be read: {0}")]
    Batch(#[from] BatchError),
    /// A batch does not hold records.
    #[error("the records of a batch cannot be read: {0}")]
    Records(#[from] RecordError),
}

/// Whether the first batch is read even if it is larger than the limit (KIP-74).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinimumBatches {
    /// At least one batch, if there is any.
    One,
    /// None, if none fits.
    None,
}

/// A record found by its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampedOffset {
    /// Its timestamp, milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// Its offset.
    pub offset: Offset,
    /// Its leader epoch.
    pub leader_epoch: LeaderEpoch,
}

/// How the batches of one segment are read: offset, bytes at most, whether one in any case, bound.
type ReadSegment =
    fn(&Segment, Offset, usize, bool, Offset) -> Result<SegmentRead, SegmentReadError>;

impl Log {
    /// Whole batches from the one that contains `offset` on: `max_bytes` of them, none that ends at
    /// `upper_bound` or later. Empty at the end of the log.
    pub fn read(
        &self,
        offset: Offset,
        max_bytes: usize,
        minimum: MinimumBatches,
        upper_bound: Offset,
    ) -> Result<Records, ReadError> {
        self.read_by(Segment::read, offset, max_bytes, minimum, upper_bound)
    }

    /// What [`Log::read`] reads, to be sent: many bytes are not read but referred to where they lie.
    pub fn read_to_send(
        &self,
        offset: Offset,
        max_bytes: usize,
        minimum: MinimumBatches,
        upper_bound: Offset,
    ) -> Result<Records, ReadError> {
        self.read_by(Segment::refer, offset, max_bytes, minimum, upper_bound)
    }

    fn read_by(
        &self,
        read: ReadSegment,
        offset: Offset,
        max_bytes: usize,
        minimum: MinimumBatches,
        upper_bound: Offset,
    ) -> Result<Records, ReadError> {
        let (log_start_offset, log_end_offset) = (self.log_start_offset(), self.log_end_offset());
        if offset < log_start_offset || offset > log_end_offset {
            return Err(ReadError::OffsetOutOfRange {
                asked: offset,
                log_start_offset,
                log_end_offset,
            });
        }
        let upper_bound = upper_bound.min(log_end_offset);
        let segments = self.segments();
        Ok(gather(
            &segments,
            offset,
            max_bytes,
            minimum,
            upper_bound,
            read,
        )?)
    }

    /// The aborted transactions that touch the offsets from `from` to before `upper_bound`, by
    /// their first offsets.
    pub fn aborted_transactions(
        &self,
        from: Offset,
        upper_bound: Offset,
    ) -> Vec<AbortedTransaction> {
        let segments = self.segments();
        let first = segments
            .partition_point(|segment| segment.base_offset() <= from)
            .saturating_sub(1);
        let mut aborted: Vec<_> = segments
            .iter()
            .skip(first)
            .flat_map(|segment| segment.aborted_from(from))
            .filter(|transaction| transaction.first_offset < upper_bound)
            .collect();
        aborted.sort_by_key(|transaction| transaction.first_offset);
        aborted
    }

    /// The first record with a timestamp of at least `timestamp_ms`, before `upper_bound`.
    pub fn find_by_timestamp(
        &self,
        timestamp_ms: i64,
        upper_bound: Offset,
    ) -> Result<Option<TimestampedOffset>, ReadError> {
        let start = self.log_start_offset();
        let segments = self.segments();
        for (index, segment) in segments.iter().enumerate() {
            let may_hold = segment
                .max_timestamp()?
                .is_none_or(|(largest, _)| largest >= timestamp_ms);
            if segment.size_bytes() == 0 || !may_hold {
                continue;
            }
            let from = segment.offset_before_time(timestamp_ms)?.max(start);
            let behind = segments.get(index..).unwrap_or_default();
            let found = scan(behind, from, upper_bound, |batch, decompressor| {
                batch.find_by_timestamp(decompressor, timestamp_ms, start.0)
            })?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The first record with the largest timestamp of all, before `upper_bound` (KIP-734). As in
    /// Kafka it is found as long as it is in a file, even before the log start offset.
    pub fn find_max_timestamp(
        &self,
        upper_bound: Offset,
    ) -> Result<Option<TimestampedOffset>, ReadError> {
        let mut largest: Option<(i64, Offset)> = None;
        let segments = self.segments();
        for segment in segments.iter() {
            if segment.size_bytes() > 0
                && let Some((timestamp_ms, offset)) = segment.max_timestamp()?
                && largest.is_none_or(|(largest, _)| timestamp_ms > largest)
            {
                largest = Some((timestamp_ms, offset));
            }
        }
        let Some((timestamp_ms, last_offset_of_batch)) = largest else {
            return Ok(None);
        };
        scan(
            &segments,
            last_offset_of_batch,
            upper_bound,
            |batch, decompressor| {
                if batch.max_timestamp() < timestamp_ms {
                    Ok(None)
                } else {
                    batch.find_max_timestamp(decompressor)
                }
            },
        )
    }
}

/// Walks the batches of `segments` from `from` on until `look` finds something. The log start offset
/// may rise meanwhile: the segments are still there.
fn scan(
    segments: &[Arc<Segment>],
    from: Offset,
    upper_bound: Offset,
    look: impl Fn(&BatchView, &mut Decompressor) -> Result<Option<TimestampAndOffset>, RecordError>,
) -> Result<Option<TimestampedOffset>, ReadError> {
    let mut decompressor = Decompressor::default();
    let mut position = from;
    while position < upper_bound {
        let minimum = MinimumBatches::One;
        let read = Segment::read;
        let chunk = gather(segments, position, SCAN_BYTES, minimum, upper_bound, read)?.to_bytes();
        if chunk.is_empty() {
            return Ok(None);
        }
        for batch in batches(&chunk) {
            let batch = batch?;
            position = Offset(batch.next_offset());
            if let Some(found) = look(&batch, &mut decompressor)? {
                return Ok(Some(TimestampedOffset {
                    timestamp_ms: found.timestamp,
                    offset: Offset(found.offset),
                    leader_epoch: LeaderEpoch(batch.partition_leader_epoch()),
                }));
            }
        }
    }
    Ok(None)
}

/// Whole batches of `segments` from the one that contains `offset` on; see [`Log::read`].
fn gather(
    segments: &[Arc<Segment>],
    offset: Offset,
    max_bytes: usize,
    minimum: MinimumBatches,
    upper_bound: Offset,
    read: ReadSegment,
) -> Result<Records, SegmentReadError> {
    let mut records = Records::empty();
    if offset >= upper_bound {
        return Ok(records);
    }
    let first = segments
        .partition_point(|segment| segment.base_offset() <= offset)
        .saturating_sub(1);
    for segment in segments.iter().skip(first) {
        if segment.base_offset() >= upper_bound {
            break;
        }
        let left = max_bytes.saturating_sub(records.len());
        let at_least_one = minimum == MinimumBatches::One && records.is_empty();
        if left == 0 && !at_least_one {
            break;
        }
        let read = read(segment, offset, left, at_least_one, upper_bound)?;
        records.push(read.batches);
        // What does not fit here hides what comes behind it.
        if !read.reaches_end {
            break;
        }
    }
    Ok(records)
}
