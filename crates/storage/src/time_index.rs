//! `.timeindex`: from timestamps to offsets, sparsely.

use crate::index_file::{IndexEntry, IndexFile};

/// One entry: 8 bytes of timestamp, 4 bytes of offset relative to the segment's base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampOffset {
    /// The largest timestamp so far, milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// Last offset of the batch that has it, relative to the segment's base offset.
    pub relative_offset: u32,
}

impl IndexEntry for TimestampOffset {
    const SIZE_BYTES: usize = 12;

    fn relative_offset(&self) -> u32 {
        self.relative_offset
    }

    fn encode(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.timestamp_ms.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.relative_offset.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Self {
        Self {
            timestamp_ms: bytes
                .first_chunk::<8>()
                .map_or(0, |word| i64::from_be_bytes(*word)),
            relative_offset: bytes
                .get(8..)
                .and_then(<[u8]>::first_chunk::<4>)
                .map_or(0, |word| u32::from_be_bytes(*word)),
        }
    }
}

impl TimestampOffset {
    /// Whether this can be the last entry of an index. One that was preallocated and never cut, as
    /// after Kafka was killed, ends with zeros.
    pub fn may_follow(&self, before: Option<&Self>) -> bool {
        self.timestamp_ms >= 0
            && before.is_none_or(|before| {
                before.timestamp_ms < self.timestamp_ms
                    && before.relative_offset <= self.relative_offset
            })
    }
}

/// The time index of one segment.
pub(crate) type TimeIndex = IndexFile<TimestampOffset>;
