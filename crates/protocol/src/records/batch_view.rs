//! One record batch, looked at where it lies.

use bytes::Bytes;

use super::compression::{Compression, UnknownCompression};
use super::header::{
    BATCH_HEADER_SIZE_BYTES, BatchHeader, CRC_COVERED_FROM, HEADER_SIZE_UP_TO_MAGIC_BYTES,
    LOG_OVERHEAD_BYTES, MAGIC_V2, TimestampType,
};

/// Why bytes are not a record batch that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The length field cannot be that of a record batch.
    #[error("record batch has length {length}, less than the smallest possible")]
    LengthTooSmall {
        /// The length field.
        length: i32,
    },
    /// The batch is of the message formats 0 or 1, which Kafka 4 neither reads nor writes.
    #[error(
        "record batch has magic {magic}, a format that is no longer supported; upgrade the client"
    )]
    LegacyMagic {
        /// 0 or 1.
        magic: i8,
    },
    /// The magic is none that ever existed.
    #[error("record batch has unknown magic {magic}")]
    UnknownMagic {
        /// The magic byte.
        magic: i8,
    },
    /// There are fewer bytes than the batch claims to have.
    #[error("record batch claims {claimed_bytes} bytes of which only {available_bytes} are there")]
    Truncated {
        /// The batch's size by its length field, or the least that is needed to read that field.
        claimed_bytes: usize,
        /// The bytes that are there.
        available_bytes: usize,
    },
    /// There are more bytes than the batch claims to have.
    #[error("record batch of {size_bytes} bytes is followed by {trailing_bytes} others")]
    TrailingBytes {
        /// The batch's size by its length field.
        size_bytes: usize,
        /// The bytes behind it.
        trailing_bytes: usize,
    },
    /// The checksum is not that of the bytes.
    #[error("record batch is corrupt: stored CRC {stored:#010x}, computed {computed:#010x}")]
    CrcMismatch {
        /// The CRC field.
        stored: u32,
        /// The CRC-32C of the bytes that are there.
        computed: u32,
    },
}

/// What the first bytes of a batch say of its extent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// The batch is all there and this long.
    Whole { size_bytes: usize },
    /// More bytes are needed than there are; how many is known once the length can be read.
    Partial { claimed_bytes: usize },
}

/// Measures the batch at the front of `bytes` as Kafka's own reader does: lengths and magics that
/// cannot be are errors, too few bytes are not.
pub(super) fn measure(bytes: &[u8]) -> Result<Extent, BatchError> {
    /// The smallest length field of any format: that of an empty message of magic 0.
    const SMALLEST_LENGTH: i32 = 14;

    let Some(length) = bytes.get(8..).and_then(<[u8]>::first_chunk::<4>) else {
        return Ok(Extent::Partial {
            claimed_bytes: LOG_OVERHEAD_BYTES,
        });
    };
    let length = i32::from_be_bytes(*length);
    let claimed_bytes = match usize::try_from(length) {
        Ok(after) if length >= SMALLEST_LENGTH => after.saturating_add(LOG_OVERHEAD_BYTES),
        _ => return Err(BatchError::LengthTooSmall { length }),
    };
    let Some(&magic) = bytes.get(HEADER_SIZE_UP_TO_MAGIC_BYTES - 1) else {
        return Ok(Extent::Partial { claimed_bytes });
    };
    match magic as i8 {
        MAGIC_V2 => {}
        magic @ (0 | 1) => return Err(BatchError::LegacyMagic { magic }),
        magic => return Err(BatchError::UnknownMagic { magic }),
    }
    if claimed_bytes < BATCH_HEADER_SIZE_BYTES {
        return Err(BatchError::LengthTooSmall { length });
    }
    if bytes.len() < claimed_bytes {
        return Ok(Extent::Partial { claimed_bytes });
    }
    Ok(Extent::Whole {
        size_bytes: claimed_bytes,
    })
}

/// The header at the front of `bytes`, the rest of its batch being there or not; `None` if fewer
/// bytes are there than a header has. For those who read a log header by header: the length and
/// the magic are checked as in a [`BatchView`], and nothing else.
pub fn peek_header(bytes: &[u8]) -> Result<Option<BatchHeader>, BatchError> {
    measure(bytes)?;
    Ok(bytes.first_chunk().map(BatchHeader::decode))
}

/// A record batch of magic 2 in the bytes it came in; cloning shares them.
///
/// The length and the magic are known to be right. Nothing else is: not the CRC, and not the
/// records, which are only looked at on demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchView {
    header: BatchHeader,
    bytes: Bytes,
}

impl BatchView {
    /// A view of `bytes`, which must be exactly one batch.
    pub fn new(bytes: Bytes) -> Result<Self, BatchError> {
        let available_bytes = bytes.len();
        match measure(&bytes)? {
            Extent::Partial { claimed_bytes } => Err(BatchError::Truncated {
                claimed_bytes,
                available_bytes,
            }),
            Extent::Whole { size_bytes } if size_bytes < available_bytes => {
                let trailing_bytes = available_bytes - size_bytes;
                Err(BatchError::TrailingBytes {
                    size_bytes,
                    trailing_bytes,
                })
            }
            Extent::Whole { size_bytes } => {
                let header = bytes.first_chunk().ok_or(BatchError::Truncated {
                    claimed_bytes: size_bytes,
                    available_bytes,
                })?;
                Ok(Self {
                    header: BatchHeader::decode(header),
                    bytes,
                })
            }
        }
    }

    /// The decoded header.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The whole batch.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Everything behind the header: the records, compressed if the attributes say so.
    pub fn payload(&self) -> Bytes {
        self.bytes.slice(BATCH_HEADER_SIZE_BYTES..)
    }

    /// Size of the whole batch in bytes.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Offset of the first record.
    pub fn base_offset(&self) -> i64 {
        self.header.base_offset
    }

    /// Offset of the last record (of the last that the batch ever had, if it was compacted).
    pub fn last_offset(&self) -> i64 {
        self.header.last_offset()
    }

    /// The offset after the last record's.
    pub fn next_offset(&self) -> i64 {
        self.last_offset().wrapping_add(1)
    }

    /// Offset of the last record, relative to the base offset.
    pub fn last_offset_delta(&self) -> i32 {
        self.header.last_offset_delta
    }

    /// Epoch of the leader that appended the batch.
    pub fn partition_leader_epoch(&self) -> i32 {
        self.header.partition_leader_epoch
    }

    /// Version of the format: always 2.
    pub fn magic(&self) -> i8 {
        self.header.magic
    }

    /// The CRC field, unchecked.
    pub fn crc(&self) -> u32 {
        self.header.crc
    }

    /// The attributes' 16 bits.
    pub fn attributes(&self) -> i16 {
        self.header.attributes.0
    }

    /// The codec of the records.
    pub fn compression(&self) -> Result<Compression, UnknownCompression> {
        self.header.attributes.compression()
    }

    /// Who set the timestamps.
    pub fn timestamp_type(&self) -> TimestampType {
        self.header.attributes.timestamp_type()
    }

    /// Whether the batch is part of a transaction.
    pub fn is_transactional(&self) -> bool {
        self.header.attributes.is_transactional()
    }

    /// Whether the batch holds control records.
    pub fn is_control(&self) -> bool {
        self.header.attributes.is_control()
    }

    /// Whether the base timestamp is a delete horizon (KIP-534).
    pub fn has_delete_horizon(&self) -> bool {
        self.header.attributes.has_delete_horizon()
    }

    /// The delete horizon in ms since the epoch, if there is one (KIP-534).
    pub fn delete_horizon_ms(&self) -> Option<i64> {
        self.header.delete_horizon_ms()
    }

    /// What the timestamps of the records are relative to, in ms since the epoch.
    pub fn base_timestamp(&self) -> i64 {
        self.header.base_timestamp
    }

    /// Largest timestamp of the records in ms since the epoch, or -1.
    pub fn max_timestamp(&self) -> i64 {
        self.header.max_timestamp
    }

    /// Id of the idempotent producer, or -1.
    pub fn producer_id(&self) -> i64 {
        self.header.producer_id
    }

    /// Whether an idempotent producer wrote the batch.
    pub fn has_producer_id(&self) -> bool {
        self.header.has_producer_id()
    }

    /// Epoch of the idempotent producer, or -1.
    pub fn producer_epoch(&self) -> i16 {
        self.header.producer_epoch
    }

    /// Sequence of the first record, or -1.
    pub fn base_sequence(&self) -> i32 {
        self.header.base_sequence
    }

    /// Sequence of the last record, or -1.
    pub fn last_sequence(&self) -> i32 {
        self.header.last_sequence()
    }

    /// Number of records as the header says, unchecked.
    pub fn records_count(&self) -> i32 {
        self.header.records_count
    }

    /// The CRC-32C of the bytes that are there.
    pub fn computed_crc(&self) -> u32 {
        crc32c(self.bytes.get(CRC_COVERED_FROM..).unwrap_or_default())
    }

    /// Checks the batch's bytes against its CRC.
    pub fn validate_crc(&self) -> Result<(), BatchError> {
        let (stored, computed) = (self.header.crc, self.computed_crc());
        if stored == computed {
            Ok(())
        } else {
            Err(BatchError::CrcMismatch { stored, computed })
        }
    }
}

/// The checksum of record batches: CRC-32C (Castagnoli).
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes) as u32
}
