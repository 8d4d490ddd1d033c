//! `.index`: from offsets to positions in the segment file, sparsely.

use ottla_protocol::ids::Offset;

use crate::index_file::{IndexEntry, IndexFile};

/// One entry: 4 bytes of offset relative to the segment's base, 4 bytes of position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetPosition {
    /// Last offset of the batch at `position`, relative to the segment's base offset.
    pub relative_offset: u32,
    /// Where the batch begins in the segment file, bytes.
    pub position: u32,
}

impl IndexEntry for OffsetPosition {
    const SIZE_BYTES: usize = 8;

    fn relative_offset(&self) -> u32 {
        self.relative_offset
    }

    fn encode(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&self.relative_offset.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.position.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Self {
        let word = |at: usize| {
            bytes
                .get(at..)
                .and_then(<[u8]>::first_chunk::<4>)
                .map_or(0, |word| u32::from_be_bytes(*word))
        };
        Self {
            relative_offset: word(0),
            position: word(4),
        }
    }
}

impl OffsetPosition {
    /// Whether this can be the last entry of an index of a segment of `segment_bytes`. An index
    /// that was preallocated and never cut, as after Kafka was killed, ends with zeros.
    pub fn may_follow(&self, before: Option<&Self>, segment_bytes: u64) -> bool {
        let is_later = before.is_none_or(|before| {
            before.relative_offset < self.relative_offset && before.position < self.position
        });
        is_later && self.position > 0 && u64::from(self.position) < segment_bytes
    }
}

/// The offset index of one segment.
pub(crate) type OffsetIndex = IndexFile<OffsetPosition>;

/// `offset` relative to `base_offset`, if an index can hold it.
pub(crate) fn relative(base_offset: Offset, offset: Offset) -> Option<u32> {
    u32::try_from(offset.0.checked_sub(base_offset.0)?)
        .ok()
        .filter(|relative| *relative <= i32::MAX as u32)
}
