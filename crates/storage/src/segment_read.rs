//! Reading whole batches of a segment, for consumers and followers.

use bytes::Bytes;
use ottla_protocol::ids::Offset;
use ottla_protocol::records::{BATCH_HEADER_SIZE_BYTES, BatchError, BatchHeader, peek_header};

use crate::segment::{Segment, SegmentReadError};

/// Bytes read beyond what was asked for, to reach the batch from the index entry before it.
const READ_SLACK_BYTES: usize = 8 * 1024;

/// What was read of a segment.
#[derive(Debug, Default)]
pub(crate) struct SegmentRead {
    /// Whole batches.
    pub batches: Bytes,
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
        let size = self.size_bytes();
        let left =
            |position: u64| usize::try_from(size.saturating_sub(position)).unwrap_or(usize::MAX);
        let mut position = if size == 0 {
            0
        } else {
            self.position_before(offset)?
        };
        while left(position) >= BATCH_HEADER_SIZE_BYTES {
            let wanted = max_bytes
                .saturating_add(READ_SLACK_BYTES)
                .min(left(position));
            let chunk = self.read_at(position, wanted)?;
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
                    batches: chunk.slice(skipped..end),
                    reaches_end: left(position + end as u64) == 0,
                });
            }
            // The first batch is larger than what was asked for.
            return self.read_one(position + skipped as u64, &first, size);
        }
        Ok(SegmentRead {
            batches: Bytes::new(),
            reaches_end: true,
        })
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
            batches: self.read_at(position, claimed_bytes)?,
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
