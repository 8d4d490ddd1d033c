//! One pass over the numbers of a batch's records, with nothing allocated for any of them.

use std::ops::ControlFlow;

use super::batch_view::BatchView;
use super::compression::{Compression, Decompressor};
use super::header::BATCH_HEADER_SIZE_BYTES;
use super::record::{RecordError, RecordFields, read_record};
use super::varint::{FieldInput, SliceInput};

/// What a pass tells of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordNumbers {
    /// The record's place in the batch, from 0.
    pub(super) index: i32,
    /// The record's offset, relative to the batch's.
    pub(super) offset_delta: i32,
    /// The record's time in ms since the epoch, or -1; the batch's if the leader set it.
    pub(super) timestamp: i64,
    /// Whether the key is not null.
    pub(super) has_key: bool,
}

impl BatchView {
    /// Shows `visit` each record in turn, until it breaks off. A compressed payload is
    /// decompressed piece by piece, no further than is asked for. A pass that comes to the end
    /// checks that nothing follows the last record.
    pub(super) fn walk(
        &self,
        decompressor: &mut Decompressor,
        mut visit: impl FnMut(RecordNumbers) -> ControlFlow<()>,
    ) -> Result<(), RecordError> {
        let count = self.records_count();
        if count < 0 {
            return Err(RecordError::NegativeRecordCount { count });
        }
        if count == 0 {
            return Ok(());
        }
        let payload = self
            .bytes()
            .get(BATCH_HEADER_SIZE_BYTES..)
            .unwrap_or_default();
        let is_at_end = match self.compression()? {
            Compression::None => {
                let mut input = SliceInput::new(payload, 0);
                if self.walk_input(&mut input, &mut visit)?.is_break() {
                    return Ok(());
                }
                input.is_at_end()
            }
            compression => {
                let mut input = decompressor.stream(compression, payload)?;
                if self.walk_input(&mut input, &mut visit)?.is_break() {
                    return Ok(());
                }
                input.is_at_end()?
            }
        };
        if is_at_end {
            Ok(())
        } else {
            Err(RecordError::TrailingBytes)
        }
    }

    fn walk_input<I: FieldInput>(
        &self,
        input: &mut I,
        visit: &mut impl FnMut(RecordNumbers) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, RecordError> {
        let log_append_time = self.log_append_time();
        for index in 0..self.records_count() {
            let RecordFields {
                timestamp_delta,
                offset_delta,
                key,
                ..
            } = read_record(input)?;
            let timestamp = match log_append_time {
                Some(time) => time,
                None => self.base_timestamp().wrapping_add(timestamp_delta),
            };
            let has_key = key.is_some();
            if visit(RecordNumbers {
                index,
                offset_delta,
                timestamp,
                has_key,
            })
            .is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
