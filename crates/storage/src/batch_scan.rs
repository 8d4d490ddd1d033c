//! Walking a segment's batches in large steps.

use bytes::Bytes;
use ottla_protocol::ids::Offset;
use ottla_protocol::records::{
    BATCH_HEADER_SIZE_BYTES, BatchError, BatchHeader, BatchView, peek_header,
};

use crate::segment::{Segment, SegmentReadError};

/// Bytes read at a time by those who look at all of the batches.
const CHUNK_BYTES: usize = 256 * 1024;
/// Bytes read at a time by those who only look at a few headers.
const HEADERS_CHUNK_BYTES: usize = 4 * 1024;

/// A position in a segment, moved from batch to batch.
pub(crate) struct BatchScan<'a> {
    segment: &'a Segment,
    position: u64,
    end: u64,
    /// Bytes of the segment from `chunk_position` on.
    chunk: Bytes,
    chunk_position: u64,
    chunk_bytes: usize,
}

impl<'a> BatchScan<'a> {
    /// The batches from `position` to `end`, both in bytes from the segment's beginning.
    pub fn new(segment: &'a Segment, position: u64, end: u64) -> Self {
        Self {
            segment,
            position,
            end,
            chunk: Bytes::new(),
            chunk_position: position,
            chunk_bytes: CHUNK_BYTES,
        }
    }

    /// As [`BatchScan::new`], for a look at a few headers.
    pub fn of_headers(segment: &'a Segment, position: u64, end: u64) -> Self {
        Self {
            chunk_bytes: HEADERS_CHUNK_BYTES,
            ..Self::new(segment, position, end)
        }
    }

    /// Where the next batch begins, or the batches end.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The header of the next batch; `None` at the end. What is not a whole batch is an error.
    pub fn peek(&mut self) -> Result<Option<BatchHeader>, SegmentReadError> {
        let left = self.left();
        if left == 0 {
            return Ok(None);
        }
        let bytes = self.bytes(BATCH_HEADER_SIZE_BYTES)?;
        let header = peek_header(&bytes).map_err(|source| self.corrupt(source))?;
        let claimed_bytes = header
            .and_then(|header| header.size_bytes())
            .unwrap_or(BATCH_HEADER_SIZE_BYTES);
        match header {
            Some(header) if claimed_bytes as u64 <= left => Ok(Some(header)),
            _ => Err(self.corrupt(BatchError::Truncated {
                claimed_bytes,
                available_bytes: usize::try_from(left).unwrap_or(usize::MAX),
            })),
        }
    }

    /// The next batch, of which `header` is the header.
    pub fn batch(&mut self, header: &BatchHeader) -> Result<BatchView, SegmentReadError> {
        let bytes = self.bytes(header.size_bytes().unwrap_or(0))?;
        BatchView::new(bytes).map_err(|source| self.corrupt(source))
    }

    /// Goes on behind the batch of which `header` is the header.
    pub fn skip(&mut self, header: &BatchHeader) {
        self.position += header.size_bytes().unwrap_or(0) as u64;
    }

    /// The next batch, if it is whole, passes its CRC, and does not go back behind `next_offset`;
    /// moves behind it. `None` at the end and at whatever else there is.
    pub fn next_valid(
        &mut self,
        next_offset: Offset,
    ) -> Result<Option<BatchView>, crate::error::DiskError> {
        let found = self.peek().and_then(|header| match header {
            Some(header)
                if header.base_offset >= next_offset.0
                    && header.last_offset() >= header.base_offset =>
            {
                self.batch(&header).map(Some)
            }
            _ => Ok(None),
        });
        let batch = match found {
            Ok(batch) => batch.filter(|batch| batch.validate_crc().is_ok()),
            Err(SegmentReadError::Corrupt { .. }) => None,
            Err(SegmentReadError::Disk(error)) => return Err(error),
        };
        if let Some(batch) = &batch {
            self.skip(batch.header());
        }
        Ok(batch)
    }

    fn left(&self) -> u64 {
        self.end.saturating_sub(self.position)
    }

    /// `length` bytes from the position on, fewer at the end.
    fn bytes(&mut self, length: usize) -> Result<Bytes, SegmentReadError> {
        let length = length.min(usize::try_from(self.left()).unwrap_or(usize::MAX));
        let in_chunk = usize::try_from(self.position - self.chunk_position).unwrap_or(usize::MAX);
        if in_chunk.saturating_add(length) <= self.chunk.len() {
            return Ok(self.chunk.slice(in_chunk..in_chunk + length));
        }
        let wanted = length
            .max(self.chunk_bytes)
            .min(usize::try_from(self.left()).unwrap_or(usize::MAX));
        self.chunk = self.segment.read_at(self.position, wanted)?;
        self.chunk_position = self.position;
        Ok(self.chunk.slice(..length.min(self.chunk.len())))
    }

    fn corrupt(&self, source: BatchError) -> SegmentReadError {
        SegmentReadError::Corrupt {
            path: self.segment.path().to_owned(),
            position: self.position,
            source,
        }
    }
}
