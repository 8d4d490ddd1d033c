//! The 61 bytes in front of every record batch of magic 2, decoded and encoded.
//!
//! Source: the `RecordBatch` layout of KIP-98. The base offset, the length, the partition leader
//! epoch and the magic stand outside the CRC, so a leader may set them without a checksum.

use super::compression::{Compression, UnknownCompression};

/// Bytes of a record batch before its first record.
pub const BATCH_HEADER_SIZE_BYTES: usize = 61;
/// Bytes of a batch that its length field does not count: the base offset and the length itself.
pub const LOG_OVERHEAD_BYTES: usize = 12;
/// Bytes needed before a batch's magic can be read.
pub const HEADER_SIZE_UP_TO_MAGIC_BYTES: usize = 17;
/// Where the bytes covered by the CRC begin: the attributes.
pub const CRC_COVERED_FROM: usize = 21;
/// The only format that is read and written here.
pub const MAGIC_V2: i8 = 2;
/// The timestamp of a record that carries none, in place of milliseconds.
pub const NO_TIMESTAMP: i64 = -1;
/// The producer id of a batch whose producer is not idempotent.
pub const NO_PRODUCER_ID: i64 = -1;
/// The producer epoch of a batch whose producer is not idempotent.
pub const NO_PRODUCER_EPOCH: i16 = -1;
/// The base sequence of a batch whose producer is not idempotent.
pub const NO_SEQUENCE: i32 = -1;
/// The leader epoch of a batch that no leader has appended yet.
pub const NO_PARTITION_LEADER_EPOCH: i32 = -1;

const COMPRESSION_MASK: i16 = 0b0000_0111;
const TIMESTAMP_TYPE_BIT: i16 = 0b0000_1000;
const TRANSACTIONAL_BIT: i16 = 0b0001_0000;
const CONTROL_BIT: i16 = 0b0010_0000;
const DELETE_HORIZON_BIT: i16 = 0b0100_0000;
const KNOWN_BITS: i16 = 0b0111_1111;

/// Who set the timestamps of a batch (`message.timestamp.type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TimestampType {
    /// The producer, one for each record.
    #[default]
    CreateTime,
    /// The leader, when it appended: every record has the batch's max timestamp.
    LogAppendTime,
}

/// The attributes of a batch (16 bits, of which Kafka uses the low seven).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Attributes(pub i16);

impl Attributes {
    /// The codec of the records. Fails for the ids 5 to 7, which mean nothing.
    pub fn compression(self) -> Result<Compression, UnknownCompression> {
        Compression::from_id((self.0 & COMPRESSION_MASK) as u8)
    }

    /// Who set the timestamps.
    pub fn timestamp_type(self) -> TimestampType {
        if self.0 & TIMESTAMP_TYPE_BIT == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    /// Whether the batch is part of a transaction.
    pub fn is_transactional(self) -> bool {
        self.0 & TRANSACTIONAL_BIT != 0
    }

    /// Whether the batch holds control records, which consumers skip.
    pub fn is_control(self) -> bool {
        self.0 & CONTROL_BIT != 0
    }

    /// Whether the base timestamp is the time after which a cleaner may drop the batch's
    /// tombstones or marker (KIP-534).
    pub fn has_delete_horizon(self) -> bool {
        self.0 & DELETE_HORIZON_BIT != 0
    }

    /// These attributes with another codec.
    pub fn with_compression(self, compression: Compression) -> Self {
        Self((self.0 & !COMPRESSION_MASK) | i16::from(compression.id()))
    }

    /// These attributes with another timestamp type.
    pub fn with_timestamp_type(self, timestamp_type: TimestampType) -> Self {
        match timestamp_type {
            TimestampType::CreateTime => Self(self.0 & !TIMESTAMP_TYPE_BIT),
            TimestampType::LogAppendTime => Self(self.0 | TIMESTAMP_TYPE_BIT),
        }
    }

    /// These attributes marked as part of a transaction.
    pub fn with_transactional(self) -> Self {
        Self(self.0 | TRANSACTIONAL_BIT)
    }

    /// These attributes marked as control records.
    pub fn with_control(self) -> Self {
        Self(self.0 | CONTROL_BIT)
    }

    /// These attributes marked as having a delete horizon.
    pub fn with_delete_horizon(self) -> Self {
        Self(self.0 | DELETE_HORIZON_BIT)
    }

    /// These attributes without the bits that have no meaning, as Kafka writes them whenever it
    /// rewrites a header.
    pub fn known(self) -> Self {
        Self(self.0 & KNOWN_BITS)
    }
}

/// A batch's header, decoded. Numbers are those of the wire; nothing is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record; 0 in a produce request.
    pub base_offset: i64,
    /// Bytes of the batch after this field: its whole size less [`LOG_OVERHEAD_BYTES`].
    pub length: i32,
    /// Epoch of the leader that appended the batch; set by that leader.
    pub partition_leader_epoch: i32,
    /// Version of the format.
    pub magic: i8,
    /// CRC-32C of everything from the attributes on.
    pub crc: u32,
    /// Codec, timestamp type and flags.
    pub attributes: Attributes,
    /// Offset of the last record, relative to the base offset.
    pub last_offset_delta: i32,
    /// What the timestamps of the records are relative to, in ms since the epoch; the delete
    /// horizon if the attributes say so.
    pub base_timestamp: i64,
    /// Largest timestamp of the records, in ms since the epoch, or [`NO_TIMESTAMP`].
    pub max_timestamp: i64,
    /// Id of the idempotent producer, or [`NO_PRODUCER_ID`].
    pub producer_id: i64,
    /// Epoch of the idempotent producer, or [`NO_PRODUCER_EPOCH`].
    pub producer_epoch: i16,
    /// Sequence of the first record, or [`NO_SEQUENCE`].
    pub base_sequence: i32,
    /// Number of records.
    pub records_count: i32,
}

impl BatchHeader {
    /// Decodes a header. It never fails: whether the numbers make sense is for the caller to ask.
    pub fn decode(bytes: &[u8; BATCH_HEADER_SIZE_BYTES]) -> Self {
        let mut fields = Fields { rest: bytes };
        Self {
            base_offset: i64::from_be_bytes(fields.take()),
            length: i32::from_be_bytes(fields.take()),
            partition_leader_epoch: i32::from_be_bytes(fields.take()),
            magic: i8::from_be_bytes(fields.take()),
            crc: u32::from_be_bytes(fields.take()),
            attributes: Attributes(i16::from_be_bytes(fields.take())),
            last_offset_delta: i32::from_be_bytes(fields.take()),
            base_timestamp: i64::from_be_bytes(fields.take()),
            max_timestamp: i64::from_be_bytes(fields.take()),
            producer_id: i64::from_be_bytes(fields.take()),
            producer_epoch: i16::from_be_bytes(fields.take()),
            base_sequence: i32::from_be_bytes(fields.take()),
            records_count: i32::from_be_bytes(fields.take()),
        }
    }

    /// The header's bytes, its CRC as the field says.
    pub fn encode(&self) -> [u8; BATCH_HEADER_SIZE_BYTES] {
        let mut bytes = [0; BATCH_HEADER_SIZE_BYTES];
        bytes[0..8].copy_from_slice(&self.base_offset.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.length.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.partition_leader_epoch.to_be_bytes());
        bytes[16..17].copy_from_slice(&self.magic.to_be_bytes());
        bytes[17..21].copy_from_slice(&self.crc.to_be_bytes());
        bytes[21..23].copy_from_slice(&self.attributes.0.to_be_bytes());
        bytes[23..27].copy_from_slice(&self.last_offset_delta.to_be_bytes());
        bytes[27..35].copy_from_slice(&self.base_timestamp.to_be_bytes());
        bytes[35..43].copy_from_slice(&self.max_timestamp.to_be_bytes());
        bytes[43..51].copy_from_slice(&self.producer_id.to_be_bytes());
        bytes[51..53].copy_from_slice(&self.producer_epoch.to_be_bytes());
        bytes[53..57].copy_from_slice(&self.base_sequence.to_be_bytes());
        bytes[57..61].copy_from_slice(&self.records_count.to_be_bytes());
        bytes
    }

    /// Size of the whole batch in bytes, the header included; `None` if the length field is
    /// negative.
    pub fn size_bytes(&self) -> Option<usize> {
        usize::try_from(self.length)
            .ok()?
            .checked_add(LOG_OVERHEAD_BYTES)
    }

    /// Offset of the last record (of the last that the batch ever had, if it was compacted).
    pub fn last_offset(&self) -> i64 {
        self.base_offset
            .wrapping_add(i64::from(self.last_offset_delta))
    }

    /// Sequence of the last record, or [`NO_SEQUENCE`]. Sequences wrap from 2^31 - 1 to 0.
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence == NO_SEQUENCE {
            return NO_SEQUENCE;
        }
        increment_sequence(self.base_sequence, self.last_offset_delta)
    }

    /// Whether an idempotent producer wrote the batch.
    pub fn has_producer_id(&self) -> bool {
        self.producer_id > NO_PRODUCER_ID
    }

    /// The time in ms since the epoch after which a cleaner may drop the batch's tombstones or
    /// marker, if one is set (KIP-534).
    pub fn delete_horizon_ms(&self) -> Option<i64> {
        self.attributes
            .has_delete_horizon()
            .then_some(self.base_timestamp)
    }
}

/// The sequence `increment` after `sequence`: sequences wrap from 2^31 - 1 to 0, and are never
/// negative for inputs that are not.
pub fn increment_sequence(sequence: i32, increment: i32) -> i32 {
    let sum = i64::from(sequence) + i64::from(increment);
    let wrapped = if sum > i64::from(i32::MAX) {
        sum - (1 << 31)
    } else {
        sum
    };
    wrapped as i32
}

/// Takes fields of fixed size from the front of a header, whose size makes that infallible.
struct Fields<'a> {
    rest: &'a [u8],
}

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self
            .rest
            .split_first_chunk::<N>()
            .expect("the fields of a header add up to its size");
        self.rest = rest;
        *field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encode_inverts_decode() {
        let mut bytes = [0u8; BATCH_HEADER_SIZE_BYTES];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = (index as u8).wrapping_mul(37).wrapping_add(11);
        }
        assert_eq!(BatchHeader::decode(&bytes).encode(), bytes);
    }

    #[test]
    fn sequences_wrap_to_zero() {
        let check = |sequence, increment, expected| {
            assert_eq!(increment_sequence(sequence, increment), expected);
        };
        check(0, 0, 0);
        check(5, 7, 12);
        check(i32::MAX, 0, i32::MAX);
        check(i32::MAX, 1, 0);
        check(i32::MAX - 1, 4, 2);
        check(i32::MAX, i32::MAX, i32::MAX - 1);
    }

    #[test]
    fn attributes_by_bit() {
        let plain = Attributes(0);
        assert_eq!(plain.compression(), Ok(Compression::None));
        assert_eq!(plain.timestamp_type(), TimestampType::CreateTime);
        let full = plain
            .with_compression(Compression::Zstd)
            .with_timestamp_type(TimestampType::LogAppendTime)
            .with_transactional()
            .with_control()
            .with_delete_horizon();
        assert_eq!(full, Attributes(0b111_1100));
        assert!(full.is_transactional() && full.is_control() && full.has_delete_horizon());
        assert_eq!(Attributes(0x7fff).known(), Attributes(0x7f));
        assert!(Attributes(5).compression().is_err());
    }
}
