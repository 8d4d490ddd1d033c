//! [`Writer`]: a message as a list of segments.

use bytes::{BufMut, Bytes, BytesMut};

use super::{EncodeError, RawTaggedField, Records, Segment, Segments};
use crate::uuid::Uuid;

/// The longest string that Kafka accepts, in bytes of UTF-8.
const MAX_STRING_LENGTH: usize = i16::MAX as usize;

/// A chunk of records below this size in bytes is copied: another segment would cost more.
const MIN_SHARED_CHUNK: usize = 512;

/// The room in bytes that a writer starts with; most messages fit.
const INITIAL_CAPACITY: usize = 512;

/// The size in bytes of the length in front of a frame.
const FRAME_LENGTH_SIZE: usize = 4;

/// Collects an encoded message: what is written into it goes to its own buffer, records are only referred to.
#[derive(Debug, Default)]
pub struct Writer {
    /// The first segment, still open for the frame's length; none as long as no chunk was shared.
    head: Option<BytesMut>,
    /// The segments between `head` and `buffer`.
    segments: Segments,
    /// The last segment.
    buffer: BytesMut,
    /// The total size of `head` and `segments`.
    sealed_size: usize,
    /// How many tagged fields are open; their size is not known yet, so nothing is shared inside them.
    open_tagged_fields: usize,
    /// Whether the message begins with the length of the rest.
    framed: bool,
}

/// A tagged field being written; see [`Writer::begin_tagged`].
#[derive(Debug)]
#[must_use = "the field's size is only written by `end_tagged`"]
pub struct TaggedField {
    /// Where the value starts in the buffer.
    start: usize,
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Self {
            buffer: BytesMut::with_capacity(INITIAL_CAPACITY),
            ..Self::default()
        }
    }

    /// A writer whose result begins with the length of all that follows, in 4 bytes, as frames on a connection do.
    pub fn framed() -> Self {
        let mut w = Self {
            framed: true,
            ..Self::default()
        };
        w.put_i32(0);
        w
    }

    /// How many bytes were written, the length of a frame included.
    pub fn len(&self) -> usize {
        self.sealed_size + self.buffer.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The message in segments, none of them empty.
    pub fn into_segments(mut self) -> Segments {
        let size = self.len();
        let mut segments = std::mem::take(&mut self.segments);
        let tail = std::mem::take(&mut self.buffer);
        let mut head = match self.head {
            None => tail,
            Some(head) => {
                push(&mut segments, tail);
                head
            }
        };
        if self.framed {
            let length = (size - FRAME_LENGTH_SIZE) as u32;
            head[..FRAME_LENGTH_SIZE].copy_from_slice(&length.to_be_bytes());
        }
        if !head.is_empty() {
            segments.insert(0, head.freeze().into());
        }
        segments
    }

    /// The message in one piece; copied if there are several segments, all of which must be in memory.
    pub fn into_bytes(self) -> Bytes {
        let mut joined = Records::empty();
        self.into_segments()
            .into_iter()
            .for_each(|segment| joined.push(segment));
        joined.to_bytes()
    }

    /// Closes the buffer so that a segment can follow it.
    fn seal(&mut self) {
        let sealed = self.buffer.split();
        self.sealed_size += sealed.len();
        match self.head {
            None => self.head = Some(sealed),
            Some(_) => push(&mut self.segments, sealed),
        }
    }

    /// Appends a chunk without copying it, unless it is small.
    fn put_chunk(&mut self, chunk: &Segment) {
        if let Segment::Bytes(bytes) = chunk
            && (bytes.len() < MIN_SHARED_CHUNK || self.open_tagged_fields > 0)
        {
            self.buffer.put_slice(bytes);
            return;
        }
        assert!(
            self.open_tagged_fields == 0,
            "no schema has records in a tagged field"
        );
        self.seal();
        self.sealed_size += chunk.len();
        self.segments.push(chunk.clone());
    }

    /// A boolean: one byte, 0 or 1.
    #[inline]
    pub fn put_bool(&mut self, value: bool) {
        self.buffer.put_u8(value.into());
    }

    /// A signed 8-bit integer.
    #[inline]
    pub fn put_i8(&mut self, value: i8) {
        self.buffer.put_i8(value);
    }

    /// A signed 16-bit integer, big-endian as all integers of fixed size.
    #[inline]
    pub fn put_i16(&mut self, value: i16) {
        self.buffer.put_i16(value);
    }

    /// An unsigned 16-bit integer.
    #[inline]
    pub fn put_u16(&mut self, value: u16) {
        self.buffer.put_u16(value);
    }

    /// A signed 32-bit integer.
    #[inline]
    pub fn put_i32(&mut self, value: i32) {
        self.buffer.put_i32(value);
    }

    /// An unsigned 32-bit integer.
    #[inline]
    pub fn put_u32(&mut self, value: u32) {
        self.buffer.put_u32(value);
    }

    /// A signed 64-bit integer.
    #[inline]
    pub fn put_i64(&mut self, value: i64) {
        self.buffer.put_i64(value);
    }

    /// A 64-bit floating point number.
    #[inline]
    pub fn put_f64(&mut self, value: f64) {
        self.buffer.put_f64(value);
    }

    /// A UUID.
    #[inline]
    pub fn put_uuid(&mut self, value: Uuid) {
        self.buffer.put_slice(value.as_bytes());
    }

    /// An unsigned variable-length integer, 7 bits a byte, the lowest first.
    #[inline]
    pub fn put_uvarint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.buffer.put_u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.buffer.put_u8(value as u8);
    }

    /// A signed variable-length integer of up to 5 bytes, zigzag-encoded.
    #[inline]
    pub fn put_varint(&mut self, value: i32) {
        self.put_uvarint((value << 1 ^ value >> 31) as u32);
    }

    /// A signed variable-length integer of up to 10 bytes, zigzag-encoded.
    #[inline]
    pub fn put_varlong(&mut self, value: i64) {
        let mut zigzag = (value << 1 ^ value >> 63) as u64;
        while zigzag >= 0x80 {
            self.buffer.put_u8(zigzag as u8 | 0x80);
            zigzag >>= 7;
        }
        self.buffer.put_u8(zigzag as u8);
    }

    /// Bytes without a length in front.
    #[inline]
    pub fn put_slice(&mut self, bytes: &[u8]) {
        self.buffer.put_slice(bytes);
    }

    /// The length in front of bytes, records or an array; `None` is null.
    #[inline]
    pub fn put_length(&mut self, length: Option<usize>, flexible: bool) -> Result<(), EncodeError> {
        let Some(length) = length else {
            self.put_null_length(flexible);
            return Ok(());
        };
        let length = i32::try_from(length).map_err(|_| EncodeError::TooLong { length })?;
        if flexible {
            self.put_uvarint(length as u32 + 1);
        } else {
            self.put_i32(length);
        }
        Ok(())
    }

    fn put_null_length(&mut self, flexible: bool) {
        if flexible {
            self.put_uvarint(0);
        } else {
            self.put_i32(-1);
        }
    }

    /// A string that is not null.
    #[inline]
    pub fn put_string(&mut self, string: &str, flexible: bool) -> Result<(), EncodeError> {
        let length = string.len();
        if length > MAX_STRING_LENGTH {
            return Err(EncodeError::StringTooLong { length });
        }
        if flexible {
            self.put_uvarint(length as u32 + 1);
        } else {
            self.put_i16(length as i16);
        }
        self.buffer.put_slice(string.as_bytes());
        Ok(())
    }

    /// A string or null.
    #[inline]
    pub fn put_nullable_string(
        &mut self,
        string: Option<&str>,
        flexible: bool,
    ) -> Result<(), EncodeError> {
        match string {
            Some(string) => self.put_string(string, flexible)?,
            None if flexible => self.put_uvarint(0),
            None => self.put_i16(-1),
        }
        Ok(())
    }

    /// Bytes that are not null.
    #[inline]
    pub fn put_bytes(&mut self, bytes: &[u8], flexible: bool) -> Result<(), EncodeError> {
        self.put_length(Some(bytes.len()), flexible)?;
        self.buffer.put_slice(bytes);
        Ok(())
    }

    /// Bytes or null.
    #[inline]
    pub fn put_nullable_bytes(
        &mut self,
        bytes: Option<&Bytes>,
        flexible: bool,
    ) -> Result<(), EncodeError> {
        match bytes {
            Some(bytes) => self.put_bytes(bytes, flexible),
            None => self.put_length(None, flexible),
        }
    }

    /// Records that are not null. Their chunks become segments of their own, uncopied unless they are small.
    pub fn put_records(&mut self, records: &Records, flexible: bool) -> Result<(), EncodeError> {
        self.put_length(Some(records.len()), flexible)?;
        records
            .chunks()
            .iter()
            .for_each(|chunk| self.put_chunk(chunk));
        Ok(())
    }

    /// Records or null.
    pub fn put_nullable_records(
        &mut self,
        records: Option<&Records>,
        flexible: bool,
    ) -> Result<(), EncodeError> {
        match records {
            Some(records) => self.put_records(records, flexible),
            None => self.put_length(None, flexible),
        }
    }

    /// Starts the tagged field `tag`; its value follows, then [`Writer::end_tagged`].
    pub fn begin_tagged(&mut self, tag: u32) -> TaggedField {
        self.put_uvarint(tag);
        // Room for a size below 128, which nearly all are; `end_tagged` makes more where needed.
        self.buffer.put_u8(0);
        self.open_tagged_fields += 1;
        TaggedField {
            start: self.buffer.len(),
        }
    }

    /// Ends a tagged field by writing its size in front of its value.
    pub fn end_tagged(&mut self, field: TaggedField) {
        self.open_tagged_fields -= 1;
        let value_end = self.buffer.len();
        let mut size = (value_end - field.start) as u32;
        let extra = (size.max(1).ilog2() / 7) as usize;
        self.buffer.put_bytes(0, extra);
        self.buffer
            .copy_within(field.start..value_end, field.start + extra);
        for byte in &mut self.buffer[field.start - 1..field.start + extra] {
            let more = if size >= 0x80 { 0x80 } else { 0 };
            *byte = (size & 0x7f) as u8 | more;
            size >>= 7;
        }
    }

    /// The number of a struct's tagged fields: `declared` ones, which the caller writes next, and `unknown` ones,
    /// which go through [`Writer::put_raw_tagged_fields`] after that.
    pub fn put_tagged_fields_count(
        &mut self,
        declared: u32,
        unknown: &[RawTaggedField],
    ) -> Result<(), EncodeError> {
        let length = unknown.len();
        let unknown = i32::try_from(length).map_err(|_| EncodeError::TooLong { length })?;
        self.put_uvarint(declared + unknown as u32);
        Ok(())
    }

    /// Tagged fields that were kept uninterpreted, without their number.
    pub fn put_raw_tagged_fields(&mut self, fields: &[RawTaggedField]) -> Result<(), EncodeError> {
        for field in fields {
            let length = field.data.len();
            let size = i32::try_from(length).map_err(|_| EncodeError::TooLong { length })?;
            self.put_uvarint(field.tag);
            self.put_uvarint(size as u32);
            self.put_slice(&field.data);
        }
        Ok(())
    }
}

fn push(segments: &mut Segments, bytes: BytesMut) {
    if !bytes.is_empty() {
        segments.push(bytes.freeze().into());
    }
}

#[cfg(test)]
mod tests {
    use super::super::FileRange;
    use super::*;

    fn joined(segments: &Segments) -> Vec<u8> {
        segments.iter().flat_map(bytes).copied().collect()
    }

    fn bytes(segment: &Segment) -> &Bytes {
        match segment {
            Segment::Bytes(bytes) => bytes,
            Segment::File(range) => panic!("{range:?}"),
        }
    }

    #[test]
    fn large_chunks_are_shared_and_small_ones_copied() {
        let large = Bytes::from(vec![7; MIN_SHARED_CHUNK]);
        let small = Bytes::from_static(b"small");
        let records: Records = [large.clone(), small, large.clone()].into_iter().collect();
        let mut w = Writer::framed();
        w.put_i16(1);
        w.put_records(&records, true).unwrap();
        w.put_i16(2);
        let size = w.len();
        let segments = w.into_segments();
        let lengths: Vec<usize> = segments.iter().map(Segment::len).collect();
        assert_eq!(lengths, [8, MIN_SHARED_CHUNK, 5, MIN_SHARED_CHUNK, 2]);
        assert_eq!(bytes(&segments[1]).as_ptr(), large.as_ptr());
        assert_eq!(joined(&segments).len(), size);
        assert_eq!(joined(&segments)[..4], (size as u32 - 4).to_be_bytes());
    }

    #[test]
    fn what_lies_in_a_file_is_only_referred_to() {
        let file = std::sync::Arc::new(std::fs::File::open("/dev/null").unwrap());
        let range = Segment::from(FileRange::new(file, 5, 3));
        let mut records = Records::empty();
        records.push(range.clone());
        for mut w in [Writer::new(), Writer::framed()] {
            let before = w.len();
            w.put_records(&records, true).unwrap();
            w.put_i8(9);
            assert_eq!(w.len(), before + 5);
            let segments = w.into_segments();
            assert_eq!(segments[1], range);
            assert_eq!(bytes(&segments[2]), &[9][..]);
        }
    }

    #[test]
    fn an_empty_frame_is_its_length() {
        assert_eq!(joined(&Writer::framed().into_segments()), [0; 4]);
        assert!(Writer::new().into_segments().is_empty());
    }

    #[test]
    fn a_tagged_fields_size_takes_as_many_bytes_as_it_needs() {
        for (length, size) in [
            (0, &[0][..]),
            (127, &[127]),
            (128, &[0x80, 1]),
            (20_000, &[0xa0, 0x9c, 1]),
        ] {
            let value = vec![9; length];
            let mut w = Writer::new();
            let field = w.begin_tagged(3);
            w.put_slice(&value);
            w.end_tagged(field);
            w.put_i8(5);
            assert_eq!(w.into_bytes(), [&[3], size, &value, &[5]].concat());
        }
    }

    #[test]
    fn variable_length_integers_are_protobufs() {
        let check = |write: &dyn Fn(&mut Writer), expected: &[u8]| {
            let mut w = Writer::new();
            write(&mut w);
            assert_eq!(w.into_bytes(), expected);
        };
        check(&|w| w.put_uvarint(300), &[0xac, 2]);
        check(
            &|w| w.put_uvarint(u32::MAX),
            &[0xff, 0xff, 0xff, 0xff, 0x0f],
        );
        check(&|w| w.put_varint(-1), &[1]);
        check(&|w| w.put_varint(i32::MIN), &[0xff, 0xff, 0xff, 0xff, 0x0f]);
        check(&|w| w.put_varlong(1), &[2]);
        check(
            &|w| w.put_varlong(i64::MIN),
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        );
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let mut w = Writer::new();
        assert_eq!(w.put_string(&"x".repeat(32_767), true), Ok(()));
        let refused = Err(EncodeError::StringTooLong { length: 32_768 });
        assert_eq!(w.put_string(&"x".repeat(32_768), true), refused);
    }
}
