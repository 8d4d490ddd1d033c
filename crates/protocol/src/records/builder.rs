//! Makes a record batch.

use bytes::Bytes;

use super::batch_view::crc32c;
use super::compression::{CompressError, CompressionSpec, Compressor};
use super::header::{
    Attributes, BATCH_HEADER_SIZE_BYTES, BatchHeader, CRC_COVERED_FROM, LOG_OVERHEAD_BYTES,
    MAGIC_V2, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP, TimestampType,
};
use super::varint::{put_varint, put_varlong, varlong_size};

/// Why a batch cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A field or the batch is larger than its length field can say.
    #[error("record batch would have a field of {size_bytes} bytes, more than a length can say")]
    TooLarge {
        /// Bytes of the field.
        size_bytes: usize,
    },
    /// The offsets of the records do not ascend.
    #[error("record with offset delta {offset_delta} comes after {last_offset_delta}")]
    OffsetsNotAscending {
        /// The record's offset, relative to the batch's.
        offset_delta: i32,
        /// The offset of the record before it.
        last_offset_delta: i32,
    },
    /// The records cannot be compressed.
    #[error(transparent)]
    Compress(#[from] CompressError),
}

/// A header of a record to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHeader<'a> {
    /// The key.
    pub key: &'a str,
    /// The value, or null.
    pub value: Option<&'a [u8]>,
}

/// Who writes a batch, for the broker's check against duplicates (KIP-98).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerFields {
    /// The producer id, or -1.
    pub producer_id: i64,
    /// The producer epoch, or -1.
    pub producer_epoch: i16,
    /// The sequence of the first record, or -1.
    pub base_sequence: i32,
}

impl ProducerFields {
    /// A producer that is not idempotent.
    pub const NONE: Self = Self {
        producer_id: NO_PRODUCER_ID,
        producer_epoch: NO_PRODUCER_EPOCH,
        base_sequence: NO_SEQUENCE,
    };
}

/// Collects records into one batch.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    spec: CompressionSpec,
    attributes: Attributes,
    producer: ProducerFields,
    log_append_time: Option<i64>,
    base_timestamp: Option<i64>,
    max_timestamp: i64,
    last_offset_delta: Option<i32>,
    records_count: i32,
    /// The records, not compressed, behind room for the header.
    bytes: Vec<u8>,
}

impl BatchBuilder {
    /// An empty batch of an ordinary producer, to be compressed as `spec` says.
    pub fn new(spec: CompressionSpec) -> Self {
        Self {
            spec,
            attributes: Attributes::default().with_compression(spec.compression()),
            producer: ProducerFields::NONE,
            log_append_time: None,
            base_timestamp: None,
            max_timestamp: NO_TIMESTAMP,
            last_offset_delta: None,
            records_count: 0,
            bytes: vec![0; BATCH_HEADER_SIZE_BYTES],
        }
    }

    /// An empty batch of control records, which are not compressed.
    pub fn control() -> Self {
        let builder = Self::new(CompressionSpec::None);
        Self {
            attributes: builder.attributes.with_control(),
            ..builder
        }
    }

    /// The batch as one of an idempotent producer.
    pub fn with_producer(self, producer: ProducerFields) -> Self {
        Self { producer, ..self }
    }

    /// The batch as part of its producer's transaction.
    pub fn with_transactional(self) -> Self {
        Self {
            attributes: self.attributes.with_transactional(),
            ..self
        }
    }

    /// The batch with a time that stands for every record's, in ms since the epoch.
    pub fn with_log_append_time(self, time: i64) -> Self {
        let attributes = self
            .attributes
            .with_timestamp_type(TimestampType::LogAppendTime);
        Self {
            attributes,
            log_append_time: Some(time),
            ..self
        }
    }

    /// The batch with a time, in ms since the epoch, after which a cleaner may drop its tombstones
    /// or its marker (KIP-534). The timestamps are then relative to it. It must be set before the
    /// first record.
    pub fn with_delete_horizon(self, time: i64) -> Self {
        assert_eq!(
            self.records_count, 0,
            "a delete horizon is set before the first record"
        );
        let attributes = self.attributes.with_delete_horizon();
        Self {
            attributes,
            base_timestamp: Some(time),
            ..self
        }
    }

    /// Adds a record with the next offset and its time in ms since the epoch (or -1).
    pub fn append(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[RecordHeader<'_>],
    ) -> Result<(), BuildError> {
        let offset_delta = match self.last_offset_delta {
            None => 0,
            Some(last) => last.checked_add(1).ok_or(BuildError::TooLarge {
                size_bytes: self.bytes.len(),
            })?,
        };
        self.append_at(offset_delta, timestamp, key, value, headers)
    }

    /// Adds a record with an offset relative to the batch's, which must be above the one before.
    /// A batch that fails to take a record is as it was.
    pub fn append_at(
        &mut self,
        offset_delta: i32,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[RecordHeader<'_>],
    ) -> Result<(), BuildError> {
        if let Some(last_offset_delta) = self.last_offset_delta.filter(|&last| offset_delta <= last)
        {
            return Err(BuildError::OffsetsNotAscending {
                offset_delta,
                last_offset_delta,
            });
        }
        let base_timestamp = self.base_timestamp.unwrap_or(timestamp);
        let timestamp_delta = timestamp.wrapping_sub(base_timestamp);
        let size_bytes = body_size_bytes(offset_delta, timestamp_delta, key, value, headers);
        let body_bytes =
            i32::try_from(size_bytes).map_err(|_| BuildError::TooLarge { size_bytes })?;
        self.bytes
            .reserve(varlong_size(i64::from(body_bytes)) + size_bytes);
        put_varint(&mut self.bytes, body_bytes);
        self.bytes.push(0);
        put_varlong(&mut self.bytes, timestamp_delta);
        put_varint(&mut self.bytes, offset_delta);
        put_field(&mut self.bytes, key);
        put_field(&mut self.bytes, value);
        put_varlong(&mut self.bytes, headers.len() as i64);
        for header in headers {
            put_field(&mut self.bytes, Some(header.key.as_bytes()));
            put_field(&mut self.bytes, header.value);
        }
        self.base_timestamp = Some(base_timestamp);
        self.max_timestamp = self.max_timestamp.max(timestamp);
        self.last_offset_delta = Some(offset_delta);
        self.records_count += 1;
        Ok(())
    }

    /// Makes the batch reach to this offset, relative to its own, though its last records are gone,
    /// as those of a compacted batch are.
    pub fn extend_to(&mut self, last_offset_delta: i32) {
        self.last_offset_delta = self.last_offset_delta.max(Some(last_offset_delta));
    }

    /// Number of records so far.
    pub fn records_count(&self) -> i32 {
        self.records_count
    }

    /// Bytes of the batch so far, before compression.
    pub fn uncompressed_size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The batch, with the offset of its first record and the epoch of the leader that appends it
    /// (-1 for a producer).
    pub fn build(
        self,
        base_offset: i64,
        partition_leader_epoch: i32,
        compressor: &mut Compressor,
    ) -> Result<Bytes, BuildError> {
        let mut bytes = if self.spec == CompressionSpec::None {
            self.bytes
        } else {
            let mut out = vec![0; BATCH_HEADER_SIZE_BYTES];
            compressor.compress(self.spec, &self.bytes[BATCH_HEADER_SIZE_BYTES..], &mut out)?;
            out
        };
        let size_bytes = bytes.len();
        let length = i32::try_from(size_bytes - LOG_OVERHEAD_BYTES)
            .map_err(|_| BuildError::TooLarge { size_bytes })?;
        let mut header = BatchHeader {
            base_offset,
            length,
            partition_leader_epoch,
            magic: MAGIC_V2,
            crc: 0,
            attributes: self.attributes,
            last_offset_delta: self.last_offset_delta.unwrap_or(0),
            base_timestamp: self.base_timestamp.unwrap_or(NO_TIMESTAMP),
            max_timestamp: self.log_append_time.unwrap_or(self.max_timestamp),
            producer_id: self.producer.producer_id,
            producer_epoch: self.producer.producer_epoch,
            base_sequence: self.producer.base_sequence,
            records_count: self.records_count,
        };
        bytes[..BATCH_HEADER_SIZE_BYTES].copy_from_slice(&header.encode());
        header.crc = crc32c(&bytes[CRC_COVERED_FROM..]);
        bytes[..BATCH_HEADER_SIZE_BYTES].copy_from_slice(&header.encode());
        Ok(bytes.into())
    }
}

/// Bytes of a record behind its length.
fn body_size_bytes(
    offset_delta: i32,
    timestamp_delta: i64,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[RecordHeader<'_>],
) -> usize {
    let headers_bytes: usize = headers
        .iter()
        .map(|header| field_size(Some(header.key.as_bytes())) + field_size(header.value))
        .sum();
    1 + varlong_size(timestamp_delta)
        + varlong_size(i64::from(offset_delta))
        + field_size(key)
        + field_size(value)
        + varlong_size(headers.len() as i64)
        + headers_bytes
}

/// Bytes of a length and of what has that length.
fn field_size(field: Option<&[u8]>) -> usize {
    field.map_or(1, |bytes| varlong_size(bytes.len() as i64) + bytes.len())
}

/// Appends a length, -1 for null, and what has that length.
fn put_field(out: &mut Vec<u8>, field: Option<&[u8]>) {
    match field {
        None => put_varint(out, -1),
        Some(bytes) => {
            put_varlong(out, bytes.len() as i64);
            out.extend_from_slice(bytes);
        }
    }
}
