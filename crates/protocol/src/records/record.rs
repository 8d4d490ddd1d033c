//! One record of a batch, and the walk over all of them.

use bytes::Bytes;

use super::batch_view::BatchView;
use super::compression::{DecompressError, Decompressor, UnknownCompression};
use super::header::TimestampType;
use super::varint::{FieldInput, SliceInput, read_varint, read_varlong};

/// Why the records of a batch cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes end inside a record, or before the last one.
    #[error("records end before the number that the batch declares")]
    Truncated,
    /// An integer of variable length does not end where its type must.
    #[error("record has an integer that does not end")]
    VarintTooLong,
    /// A record's fields take more or fewer bytes than its length says.
    #[error("record declares {declared_bytes} bytes but its fields take {read_bytes}")]
    LengthMismatch {
        /// The record's length field.
        declared_bytes: i32,
        /// Bytes of its fields.
        read_bytes: usize,
    },
    /// A record declares fewer than no headers.
    #[error("record declares {count} headers")]
    NegativeHeaderCount {
        /// The field.
        count: i32,
    },
    /// A header has no key.
    #[error("record has a header with a key of length {length}")]
    NullHeaderKey {
        /// The field.
        length: i32,
    },
    /// The batch declares fewer than no records.
    #[error("record batch declares {count} records")]
    NegativeRecordCount {
        /// The field.
        count: i32,
    },
    /// There are bytes behind the last record that the batch declares.
    #[error("record batch has bytes after its last declared record")]
    TrailingBytes,
    /// The codec is none that exists.
    #[error(transparent)]
    UnknownCompression(#[from] UnknownCompression),
    /// The records cannot be decompressed.
    #[error(transparent)]
    Decompress(#[from] DecompressError),
}

/// Where a field of variable length lies in the bytes that the record was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) length: usize,
}

impl Span {
    fn of(self, bytes: &Bytes) -> Bytes {
        bytes.slice(self.start..self.start + self.length)
    }
}

/// A record's fields: its numbers, and where the rest lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordFields {
    pub(super) timestamp_delta: i64,
    pub(super) offset_delta: i32,
    pub(super) key: Option<Span>,
    pub(super) value: Option<Span>,
    pub(super) headers_count: i32,
    pub(super) headers: Span,
}

/// Reads one record, passing over its key, value and headers.
#[inline]
pub(super) fn read_record<I: FieldInput>(input: &mut I) -> Result<RecordFields, RecordError> {
    let declared_bytes = read_varint(input)?;
    let body_start = input.position();
    input.byte()?; // The record's attributes, of which none is in use.
    let timestamp_delta = read_varlong(input)?;
    let offset_delta = read_varint(input)?;
    let key = read_span(input)?;
    let value = read_span(input)?;
    let headers_count = read_varint(input)?;
    if headers_count < 0 {
        return Err(RecordError::NegativeHeaderCount {
            count: headers_count,
        });
    }
    let headers_start = input.position();
    for _ in 0..headers_count {
        let length = read_varint(input)?;
        let key_bytes =
            usize::try_from(length).map_err(|_| RecordError::NullHeaderKey { length })?;
        input.skip(key_bytes)?;
        read_span(input)?;
    }
    let end = input.position();
    let read_bytes = end - body_start;
    if usize::try_from(declared_bytes) != Ok(read_bytes) {
        return Err(RecordError::LengthMismatch {
            declared_bytes,
            read_bytes,
        });
    }
    let headers = Span {
        start: headers_start,
        length: end - headers_start,
    };
    Ok(RecordFields {
        timestamp_delta,
        offset_delta,
        key,
        value,
        headers_count,
        headers,
    })
}

/// Reads a length and passes over as many bytes. Any negative length is null, as for Kafka.
#[inline]
fn read_span<I: FieldInput>(input: &mut I) -> Result<Option<Span>, RecordError> {
    let Ok(length) = usize::try_from(read_varint(input)?) else {
        return Ok(None);
    };
    let start = input.position();
    input.skip(length)?;
    Ok(Some(Span { start, length }))
}

/// A record, its bytes shared with the batch or with the batch's decompressed payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRef {
    /// The record's offset in its partition.
    pub offset: i64,
    /// The record's time in ms since the epoch, or -1: its own, or the batch's for
    /// [`TimestampType::LogAppendTime`].
    pub timestamp: i64,
    /// The key, if it is not null.
    pub key: Option<Bytes>,
    /// The value, if it is not null (a tombstone).
    pub value: Option<Bytes>,
    /// The headers, in order.
    pub headers: Headers,
}

/// The headers of a record, decoded as they are walked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    bytes: Bytes,
    count: usize,
}

impl Headers {
    /// Number of headers.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The headers, in order; the same key may come more than once.
    pub fn iter(&self) -> HeadersIter {
        HeadersIter {
            bytes: self.bytes.clone(),
            position: 0,
        }
    }

    /// The encoded headers, without their count.
    pub fn encoded(&self) -> &Bytes {
        &self.bytes
    }
}

impl IntoIterator for &Headers {
    type Item = Header;
    type IntoIter = HeadersIter;

    fn into_iter(self) -> HeadersIter {
        self.iter()
    }
}

/// A header of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The key: UTF-8 by the protocol, not checked.
    pub key: Bytes,
    /// The value, if it is not null.
    pub value: Option<Bytes>,
}

/// Walks the headers of one record.
#[derive(Clone, Debug)]
pub struct HeadersIter {
    bytes: Bytes,
    position: usize,
}

impl Iterator for HeadersIter {
    type Item = Header;

    fn next(&mut self) -> Option<Header> {
        // The bytes were walked when the record was read, so nothing here can fail.
        let mut input = SliceInput::new(&self.bytes, self.position);
        if input.is_at_end() {
            return None;
        }
        let key = read_span(&mut input).ok()??;
        let value = read_span(&mut input).ok()?;
        self.position = input.position();
        Some(Header {
            key: key.of(&self.bytes),
            value: value.map(|span| span.of(&self.bytes)),
        })
    }
}

/// Walks the records of one batch. After an error it ends.
#[derive(Clone, Debug)]
pub struct RecordIter {
    payload: Bytes,
    position: usize,
    left: i32,
    base_offset: i64,
    base_timestamp: i64,
    log_append_time: Option<i64>,
}

impl RecordIter {
    fn read_next(&mut self) -> Result<RecordRef, RecordError> {
        let mut input = SliceInput::new(&self.payload, self.position);
        let fields = read_record(&mut input)?;
        self.position = input.position();
        self.left -= 1;
        if self.left == 0 && !input.is_at_end() {
            return Err(RecordError::TrailingBytes);
        }
        let timestamp = self.base_timestamp.wrapping_add(fields.timestamp_delta);
        Ok(RecordRef {
            offset: self
                .base_offset
                .wrapping_add(i64::from(fields.offset_delta)),
            timestamp: self.log_append_time.unwrap_or(timestamp),
            key: fields.key.map(|span| span.of(&self.payload)),
            value: fields.value.map(|span| span.of(&self.payload)),
            headers: Headers {
                bytes: fields.headers.of(&self.payload),
                count: usize::try_from(fields.headers_count).unwrap_or(0),
            },
        })
    }
}

impl Iterator for RecordIter {
    type Item = Result<RecordRef, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let record = self.read_next();
        if record.is_err() {
            self.left = 0;
        }
        Some(record)
    }
}

impl std::iter::FusedIterator for RecordIter {}

impl BatchView {
    /// The batch's records, in order. A compressed payload is decompressed whole, to no more than
    /// the decompressor's limit; the records share it.
    pub fn records(&self, decompressor: &mut Decompressor) -> Result<RecordIter, RecordError> {
        let count = self.records_count();
        if count < 0 {
            return Err(RecordError::NegativeRecordCount { count });
        }
        let compression = self.compression()?;
        let payload = if count == 0 {
            Bytes::new()
        } else {
            decompressor.decompress(compression, &self.payload())?
        };
        Ok(RecordIter {
            payload,
            position: 0,
            left: count,
            base_offset: self.base_offset(),
            base_timestamp: self.base_timestamp(),
            log_append_time: self.log_append_time(),
        })
    }

    /// The time that stands for every record's own, if the leader set one.
    pub(super) fn log_append_time(&self) -> Option<i64> {
        match self.timestamp_type() {
            TimestampType::CreateTime => None,
            TimestampType::LogAppendTime => Some(self.max_timestamp()),
        }
    }
}
