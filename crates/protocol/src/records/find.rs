//! Records found by their time, for ListOffsets.

use std::ops::ControlFlow;

use super::batch_view::BatchView;
use super::compression::Decompressor;
use super::record::RecordError;
use super::walk::RecordNumbers;

/// A record's place and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampAndOffset {
    /// The record's time in ms since the epoch, or -1.
    pub timestamp: i64,
    /// The record's offset.
    pub offset: i64,
}

impl BatchView {
    /// The first record of the batch with a time of at least `timestamp` (ms since the epoch) and
    /// an offset of at least `starting_offset`.
    pub fn find_by_timestamp(
        &self,
        decompressor: &mut Decompressor,
        timestamp: i64,
        starting_offset: i64,
    ) -> Result<Option<TimestampAndOffset>, RecordError> {
        if self.max_timestamp() < timestamp || self.last_offset() < starting_offset {
            return Ok(None);
        }
        self.find_first(decompressor, |found| {
            found.timestamp >= timestamp && found.offset >= starting_offset
        })
    }

    /// The first record of the batch that has the batch's max timestamp (KIP-734).
    pub fn find_max_timestamp(
        &self,
        decompressor: &mut Decompressor,
    ) -> Result<Option<TimestampAndOffset>, RecordError> {
        self.find_first(decompressor, |found| {
            found.timestamp == self.max_timestamp()
        })
    }

    fn find_first(
        &self,
        decompressor: &mut Decompressor,
        matches: impl Fn(&TimestampAndOffset) -> bool,
    ) -> Result<Option<TimestampAndOffset>, RecordError> {
        let mut first = None;
        self.walk(
            decompressor,
            |RecordNumbers {
                 offset_delta,
                 timestamp,
                 ..
             }| {
                let offset = self.base_offset().wrapping_add(i64::from(offset_delta));
                let found = TimestampAndOffset { timestamp, offset };
                if matches(&found) {
                    first = Some(found);
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            },
        )?;
        Ok(first)
    }
}
