//! Reading whole batches of a segment, for consumers and followers.

use std::sync::Arc;

use bytes::Bytes;
use ottla_protocol::ids::Offset;
use ottla_protocol::records::{BATCH_HEADER_SIZE_BYTES, BatchError, BatchHeader, peek_header};
use ottla_protocol::wire::{FileRange, Segment as Piece};

use crate::batch_scan::BatchScan;
use crate::segment::{Segment, SegmentReadError};

/// Bytes read beyond what was asked for, to reach the batch from the index entry before it.
const READ_SLACK_BYTES: usize = 8 * 1024;

/// From this many bytes on, batches are left in the file for the system to send from there: copying
/// them twice costs more than looking for where they end.
const MIN_REFERRED_BYTES: usize = 32 * 1024;

/// What was read of a segment.
#[derive(Debug)]
pub(crate) struct SegmentRead {
    /// Whole batches.
    pub batches: Piece,
    /// Whether the segment holds nothing behind them.
    pub reaches_end: bool,
}

impl Segment {
    /// Whole batches from the one that contains `offset` (or follows it) on: at most `max_bytes` of
    /// them, the first one in any case if `at_least_one`, none that ends at `upper_bound` or later.
    pub(crate) fn read(
        &self,
        offset: Offset,
        max_bytes: usize,
        at_least_one: bool,
        upper_bound: Offset,
    ) -> Result<SegmentRead, SegmentReadError> {
        let hint = self.position_hint(offset)?;
        self.read_from(hint, offset, max_bytes, at_least_one, upper_bound)
    }

    /// [`Segment::read`], beginning to look at `hint`.
    fn read_from(
        &self,
        hint: u64,
        offset: Offset,
        max_bytes: usize,
        at_least_one: bool,
        upper_bound: Offset,
    ) -> Result<SegmentRead, SegmentReadError> {
        let size = self.size_bytes();
        let left =
            |position: u64| usize::try_from(size.saturating_sub(position)).unwrap_or(usize::MAX);
        let mut position = hint;
        while left(position) >= BATCH_HEADER_SIZE_BYTES {
            let wanted = max_bytes
                .saturating_add(READ_SLACK_BYTES)
                .min(left(position));
            let chunk = self.read_at(position, wanted)?;
            if position > 0 && position == hint && !self.begins_batch_of(&chunk, offset) {
                return self.read_from(0, offset, max_bytes, at_least_one, upper_bound);
            }
            let skipped = self.skip_before(&chunk, position, offset)?;
            let Some(first) = self.header_in(&chunk, position, skipped)? else {
                if skipped == 0 {
                    break;
                }
                // All of the chunk lies before the offset: go on behind it.
                position += skipped as u64;
                continue;
            };
            let end = self.end_of_batches(&chunk, position, skipped, max_bytes, upper_bound)?;
            if end > skipped || !at_least_one || first.last_offset() >= upper_bound.0 {
                return Ok(SegmentRead {
                    batches: chunk.slice(skipped..end).into(),
                    reaches_end: left(position + end as u64) == 0,
                });
            }
            // The first batch is larger than what was asked for.
            return self.read_one(position + skipped as u64, &first, size);
        }
        Ok(SegmentRead {
            batches: Bytes::new().into(),
            reaches_end: true,
        })
    }

    /// As [`Segment::read`], but many bytes are only referred to.
    pub(crate) fn refer(
        &self,
        offset: Offset,
        max_bytes: usize,
        at_least_one: bool,
        upper_bound: Offset,
    ) -> Result<SegmentRead, SegmentReadError> {
        let size = self.size_bytes();
        let hint = self.position_hint(offset)?;
        if max_bytes < MIN_REFERRED_BYTES || size.saturating_sub(hint) < MIN_REFERRED_BYTES as u64 {
            return self.read_from(hint, offset, max_bytes, at_least_one, upper_bound);
        }
        let mut scan = BatchScan::of_headers(self, self.position_before(offset)?, size);
        while let Some(header) = scan.peek()?
            && header.last_offset() < offset.0
        {
            scan.skip(&header);
        }
        let start = scan.position();
        let end = self.end_before(
            start,
            start.saturating_add(max_bytes as u64),
            upper_bound,
            size,
        )?;
        let length = usize::try_from(end - start).unwrap_or(0);
        if length < MIN_REFERRED_BYTES {
            return self.read_from(hint, offset, max_bytes, at_least_one, upper_bound);
        }
        let file = Arc::<std::fs::File>::clone(self.file()?);
        Ok(SegmentRead {
            batches: FileRange::new(file, start, length).into(),
            reaches_end: end == size,
        })
    }

    /// Where the last batch from `start` on ends that ends at `limit` in bytes at the latest, and
    /// before `upper_bound`.
    fn end_before(
        &self,
        start: u64,
        limit: u64,
        upper_bound: Offset,
        size: u64,
    ) -> Result<u64, SegmentReadError> {
        let base_offset = self.base_offset().0;
        let near = self.position_where(|entry| {
            u64::from(entry.position) <= limit
                && base_offset + i64::from(entry.relative_offset) < upper_bound.0
        })?;
        let mut scan = BatchScan::of_headers(self, near.max(start), size);
        let mut end = near.max(start);
        while let Some(header) = scan.peek()? {
            scan.skip(&header);
            if scan.position() > limit || header.last_offset() >= upper_bound.0 {
                break;
            }
            end = scan.position();
        }
        Ok(end)
    }

    fn read_one(
        &self,
        position: u64,
        header: &BatchHeader,
        size: u64,
    ) -> Result<SegmentRead, SegmentReadError> {
        let claimed_bytes = header.size_bytes().unwrap_or(usize::MAX);
        let available_bytes = usize::try_from(size.saturating_sub(position)).unwrap_or(usize::MAX);
        if claimed_bytes > available_bytes {
            return Err(SegmentReadError::Corrupt {
                path: self.path().to_owned(),
                position,
                source: BatchError::Truncated {
                    claimed_bytes,
                    available_bytes,
                },
            });
        }
        Ok(SegmentRead {
            batches: self.read_at(position, claimed_bytes)?.into(),
            reaches_end: claimed_bytes == available_bytes,
        })
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
            path: self.path().to_owned(),
            position: position + at as u64,
            source,
        })
    }
}
