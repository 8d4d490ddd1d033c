//! Fields read from a payload while it is decompressed.

use super::PayloadReader;
use crate::records::record::RecordError;
use crate::records::varint::FieldInput;

/// [`FieldInput`] from a codec's output, of which one chunk is in memory at a time.
pub(in crate::records) struct StreamInput<'a> {
    reader: PayloadReader<'a>,
    chunk: &'a mut [u8],
    /// What of the chunk is to be read yet.
    start: usize,
    end: usize,
    /// Bytes of all chunks before this one.
    passed: usize,
}

impl<'a> StreamInput<'a> {
    pub(super) fn new(reader: PayloadReader<'a>, chunk: &'a mut [u8]) -> Self {
        Self {
            reader,
            chunk,
            start: 0,
            end: 0,
            passed: 0,
        }
    }

    /// Whether the payload has no more bytes.
    pub(in crate::records) fn is_at_end(&mut self) -> Result<bool, RecordError> {
        Ok(self.start == self.end && !self.refill()?)
    }

    /// Replaces the chunk, which has been read, by the next; false if there is none.
    fn refill(&mut self) -> Result<bool, RecordError> {
        self.passed += self.end;
        self.start = 0;
        self.end = 0;
        self.end = self.reader.read(self.chunk)?;
        Ok(self.end > 0)
    }
}

impl FieldInput for StreamInput<'_> {
    #[inline]
    fn byte(&mut self) -> Result<u8, RecordError> {
        if self.start == self.end && !self.refill()? {
            return Err(RecordError::Truncated);
        }
        let byte = *self.chunk.get(self.start).ok_or(RecordError::Truncated)?;
        self.start += 1;
        Ok(byte)
    }

    #[inline]
    fn skip(&mut self, mut count: usize) -> Result<(), RecordError> {
        while count > self.end - self.start {
            count -= self.end - self.start;
            if !self.refill()? {
                return Err(RecordError::Truncated);
            }
        }
        self.start += count;
        Ok(())
    }

    #[inline]
    fn position(&self) -> usize {
        self.passed + self.start
    }
}
