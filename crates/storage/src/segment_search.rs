//! Where in a segment to begin to look for an offset or a time. An index is only a hint: what it says
//! is held against the batch that it points at.

use ottla_protocol::ids::Offset;
use ottla_protocol::records::{BATCH_HEADER_SIZE_BYTES, peek_header};

use crate::error::DiskError;
use crate::offset_index::{OffsetPosition, relative};
use crate::segment::{Segment, SegmentReadError};
use crate::time_index::TimestampOffset;

impl Segment {
    /// Where to begin to look for the batch that contains `offset`, by the offset index.
    pub(crate) fn position_before(&self, offset: Offset) -> Result<u64, DiskError> {
        match relative(self.base_offset(), offset) {
            Some(target) => self.position_where(|entry| entry.relative_offset <= target),
            None => Ok(0),
        }
    }

    /// Where the last batch in the offset index begins for which `is_before` holds, which must hold
    /// for a prefix of the entries; 0 if there is none.
    pub(crate) fn position_where(
        &self,
        is_before: impl Fn(&OffsetPosition) -> bool,
    ) -> Result<u64, DiskError> {
        let Some(entry) = self.index_entry_where(is_before)? else {
            return Ok(0);
        };
        let position = u64::from(entry.position);
        let last_offset = Offset(self.base_offset().0 + i64::from(entry.relative_offset));
        let header = self.read_at(position, BATCH_HEADER_SIZE_BYTES)?;
        Ok(match self.begins_batch_of(&header, last_offset) {
            true => position,
            false => 0,
        })
    }

    /// The position of [`Segment::position_before`], if the index is right. Who reads from there
    /// asks [`Segment::begins_batch_of`] of what it finds, and begins at 0 if it is not.
    pub(crate) fn position_hint(&self, offset: Offset) -> Result<u64, DiskError> {
        let Some(target) = relative(self.base_offset(), offset) else {
            return Ok(0);
        };
        let entry = self.index_entry_where(|entry| entry.relative_offset <= target)?;
        Ok(entry.map_or(0, |entry| u64::from(entry.position)))
    }

    fn index_entry_where(
        &self,
        is_before: impl Fn(&OffsetPosition) -> bool,
    ) -> Result<Option<OffsetPosition>, DiskError> {
        match self.indexes.read().offsets.last_where(is_before) {
            // The segment is being deleted; its records can still be read.
            Err(error) if error.is_not_found() => Ok(None),
            entry => entry,
        }
    }

    /// Whether `bytes` begin with the header of a batch of this segment that begins at `last_offset`
    /// at the latest.
    pub(crate) fn begins_batch_of(&self, bytes: &[u8], last_offset: Offset) -> bool {
        matches!(
            peek_header(bytes),
            Ok(Some(header)) if header.base_offset >= self.base_offset().0 && header.base_offset <= last_offset.0
        )
    }

    /// An offset at or before the first batch with a timestamp of at least `timestamp_ms`.
    pub(crate) fn offset_before_time(&self, timestamp_ms: i64) -> Result<Offset, SegmentReadError> {
        let entry = {
            let indexes = self.indexes.read();
            let is_before = |entry: &TimestampOffset| entry.timestamp_ms < timestamp_ms;
            match indexes.times.last_where(is_before) {
                Err(error) if error.is_not_found() => None,
                entry => entry?,
            }
        };
        let Some(entry) = entry else {
            return Ok(self.base_offset());
        };
        let offset = Offset(self.base_offset().0 + i64::from(entry.relative_offset));
        let mut scan = self.scan_from(self.position_before(offset)?);
        while let Some(header) = scan.peek()? {
            if header.last_offset() >= offset.0 {
                let agrees = header.max_timestamp == entry.timestamp_ms;
                return Ok(if agrees { offset } else { self.base_offset() });
            }
            scan.skip(&header);
        }
        Ok(self.base_offset())
    }
}
