//! [`Reader`]: a cursor over one frame.

use bytes::Bytes;

use super::{DecodeError, RawTaggedField, Records};
use crate::uuid::Uuid;

/// The longest string that Kafka accepts, in bytes of UTF-8.
const MAX_STRING_LENGTH: usize = i16::MAX as usize;

/// A cursor over the bytes of one message.
///
/// Bytes and records come out as slices of the frame, which stays in memory as long as any of them does. No length
/// that the bytes claim is believed before it is held against what remains.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The whole frame.
    frame: Bytes,
    /// How much of it has been read, never more than all.
    position: usize,
}

impl Reader {
    /// A cursor at the start of `bytes`.
    pub fn new(bytes: Bytes) -> Self {
        Self {
            frame: bytes,
            position: 0,
        }
    }

    /// How many bytes have not been read.
    pub fn remaining(&self) -> usize {
        self.frame.len() - self.position
    }

    /// The bytes not yet read.
    #[inline]
    fn rest(&self) -> &[u8] {
        self.frame.get(self.position..).unwrap_or_default()
    }

    /// The bytes not yet read.
    pub fn into_rest(mut self) -> Bytes {
        self.frame.split_off(self.position)
    }

    /// Checks that everything has been read.
    pub fn expect_end(&self) -> Result<(), DecodeError> {
        match self.remaining() {
            0 => Ok(()),
            remaining => Err(DecodeError::TrailingBytes { remaining }),
        }
    }

    /// The next `N` bytes.
    #[inline]
    fn take<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let Some(&bytes) = self.rest().first_chunk::<N>() else {
            return Err(self.unexpected_end(N));
        };
        self.position += N;
        Ok(bytes)
    }

    /// The error of a value that needs more bytes than remain.
    #[cold]
    fn unexpected_end(&self, needed: usize) -> DecodeError {
        DecodeError::UnexpectedEnd {
            needed,
            remaining: self.remaining(),
        }
    }

    /// The next `length` bytes, as a slice of the frame.
    #[inline]
    fn slice(&mut self, length: usize) -> Result<Bytes, DecodeError> {
        if length > self.remaining() {
            return Err(self.unexpected_end(length));
        }
        let start = self.position;
        self.position += length;
        Ok(self.frame.slice(start..self.position))
    }

    /// A boolean: one byte, anything but 0 is true.
    #[inline]
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.i8()? != 0)
    }

    /// A signed 8-bit integer.
    #[inline]
    pub fn i8(&mut self) -> Result<i8, DecodeError> {
        Ok(i8::from_be_bytes(self.take()?))
    }

    /// A signed 16-bit integer, big-endian as all integers of fixed size.
    #[inline]
    pub fn i16(&mut self) -> Result<i16, DecodeError> {
        Ok(i16::from_be_bytes(self.take()?))
    }

    /// An unsigned 16-bit integer.
    #[inline]
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.take()?))
    }

    /// A signed 32-bit integer.
    #[inline]
    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        Ok(i32::from_be_bytes(self.take()?))
    }

    /// An unsigned 32-bit integer.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.take()?))
    }

    /// A signed 64-bit integer.
    #[inline]
    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        Ok(i64::from_be_bytes(self.take()?))
    }

    /// A 64-bit floating point number.
    #[inline]
    pub fn f64(&mut self) -> Result<f64, DecodeError> {
        Ok(f64::from_be_bytes(self.take()?))
    }

    /// A UUID.
    #[inline]
    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        Ok(Uuid(self.take()?))
    }

    /// An unsigned variable-length integer of at most 5 bytes, 7 bits a byte, the lowest first.
    #[inline]
    pub fn uvarint(&mut self) -> Result<u32, DecodeError> {
        match self.rest().first() {
            Some(&byte) if byte < 0x80 => {
                self.position += 1;
                Ok(byte.into())
            }
            _ => self.long_uvarint(),
        }
    }

    fn long_uvarint(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let [byte] = self.take()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::VarintTooLong)
    }

    /// A signed variable-length integer of at most 5 bytes, zigzag-encoded.
    #[inline]
    pub fn varint(&mut self) -> Result<i32, DecodeError> {
        let zigzag = self.uvarint()?;
        Ok((zigzag >> 1) as i32 ^ -((zigzag & 1) as i32))
    }

    /// A signed variable-length integer of at most 10 bytes, zigzag-encoded.
    #[inline]
    pub fn varlong(&mut self) -> Result<i64, DecodeError> {
        let mut zigzag = 0;
        for shift in (0..70).step_by(7) {
            let [byte] = self.take()?;
            zigzag |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64));
            }
        }
        Err(DecodeError::VarintTooLong)
    }

    /// The length in front of bytes, records or an array; `None` is null.
    #[inline]
    fn length(&mut self, flexible: bool) -> Result<Option<usize>, DecodeError> {
        if flexible {
            return Ok((self.uvarint()? as usize).checked_sub(1));
        }
        // Whatever is negative is null, as in Kafka.
        Ok(usize::try_from(self.i32()?).ok())
    }

    /// The length in front of a string; `None` is null.
    #[inline]
    fn string_length(&mut self, flexible: bool) -> Result<Option<usize>, DecodeError> {
        if flexible {
            let length = (self.uvarint()? as usize).checked_sub(1);
            return match length {
                Some(length) if length > MAX_STRING_LENGTH => Err(DecodeError::InvalidLength {
                    length: length as i64,
                }),
                _ => Ok(length),
            };
        }
        Ok(usize::try_from(self.i16()?).ok())
    }

    /// A string that must not be null.
    #[inline]
    pub fn string(&mut self, flexible: bool) -> Result<String, DecodeError> {
        self.nullable_string(flexible)?
            .ok_or(DecodeError::UnexpectedNull { field: "a string" })
    }

    /// A string or null. Differs from Kafka, which replaces what is not UTF-8: here that is an error.
    #[inline]
    pub fn nullable_string(&mut self, flexible: bool) -> Result<Option<String>, DecodeError> {
        let Some(length) = self.string_length(flexible)? else {
            return Ok(None);
        };
        let Some(bytes) = self.rest().get(..length) else {
            return Err(self.unexpected_end(length));
        };
        let string = std::str::from_utf8(bytes)
            .map_err(|_| DecodeError::InvalidUtf8)?
            .to_owned();
        self.position += length;
        Ok(Some(string))
    }

    /// Bytes that must not be null, as a slice of the frame.
    #[inline]
    pub fn bytes(&mut self, flexible: bool) -> Result<Bytes, DecodeError> {
        self.nullable_bytes(flexible)?
            .ok_or(DecodeError::UnexpectedNull {
                field: "a field of bytes",
            })
    }

    /// Bytes or null, as a slice of the frame.
    #[inline]
    pub fn nullable_bytes(&mut self, flexible: bool) -> Result<Option<Bytes>, DecodeError> {
        match self.length(flexible)? {
            Some(length) => self.slice(length).map(Some),
            None => Ok(None),
        }
    }

    /// Record batches or null, as a slice of the frame; what is in them is not looked at.
    #[inline]
    pub fn records(&mut self, flexible: bool) -> Result<Option<Records>, DecodeError> {
        Ok(self.nullable_bytes(flexible)?.map(Records::from))
    }

    /// Record batches that must not be null.
    #[inline]
    pub fn non_null_records(&mut self, flexible: bool) -> Result<Records, DecodeError> {
        self.bytes(flexible).map(Records::from)
    }

    /// The number of elements of an array, `None` for null.
    ///
    /// An error if that many elements of at least `min_element_size` bytes (not 0) cannot follow. The caller still
    /// must not reserve memory for all of them at once: an element may take more room in memory than on the wire.
    #[inline]
    pub fn array_len(
        &mut self,
        flexible: bool,
        min_element_size: usize,
    ) -> Result<Option<usize>, DecodeError> {
        let Some(count) = self.length(flexible)? else {
            return Ok(None);
        };
        if count > self.remaining() / min_element_size {
            return Err(DecodeError::ArrayTooLong {
                count,
                remaining: self.remaining(),
            });
        }
        Ok(Some(count))
    }

    /// The tag and the size in bytes of the next tagged field.
    ///
    /// As in Kafka, the size only serves to step over a field whose tag is unknown.
    #[inline]
    pub fn tag(&mut self) -> Result<(u32, u32), DecodeError> {
        Ok((self.uvarint()?, self.uvarint()?))
    }

    /// The value of a tagged field that is not interpreted.
    pub fn raw_tagged_field(&mut self, tag: u32, size: u32) -> Result<RawTaggedField, DecodeError> {
        Ok(RawTaggedField {
            tag,
            data: self.slice(size as usize)?,
        })
    }

    /// The tagged fields of a struct that declares none; there are none at all outside of the flexible encoding.
    #[inline]
    pub fn tagged_fields(&mut self, flexible: bool) -> Result<Vec<RawTaggedField>, DecodeError> {
        if !flexible {
            return Ok(Vec::new());
        }
        let count = self.uvarint()?;
        let mut fields = Vec::new();
        for _ in 0..count {
            let (tag, size) = self.tag()?;
            fields.push(self.raw_tagged_field(tag, size)?);
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &[u8]) -> Reader {
        Reader::new(Bytes::copy_from_slice(bytes))
    }

    #[test]
    fn variable_length_integers_end_in_time() {
        assert_eq!(reader(&[0xac, 2]).uvarint(), Ok(300));
        assert_eq!(
            reader(&[0xff, 0xff, 0xff, 0xff, 0x0f]).uvarint(),
            Ok(u32::MAX)
        );
        assert_eq!(
            reader(&[0xff; 6]).uvarint(),
            Err(DecodeError::VarintTooLong)
        );
        assert_eq!(
            reader(&[0xff, 0xff, 0xff, 0xff, 0x0f]).varint(),
            Ok(i32::MIN)
        );
        let lowest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(reader(&lowest).varlong(), Ok(i64::MIN));
        assert_eq!(
            reader(&[0xff; 11]).varlong(),
            Err(DecodeError::VarintTooLong)
        );
        assert_eq!(
            reader(&[0x80]).uvarint(),
            Err(DecodeError::UnexpectedEnd {
                needed: 1,
                remaining: 0
            })
        );
    }

    #[test]
    fn lengths_are_held_against_what_remains() {
        let too_long = DecodeError::ArrayTooLong {
            count: 4,
            remaining: 12,
        };
        let array = [[0, 0, 0, 4], [0; 4], [0; 4], [0; 4]].concat();
        assert_eq!(reader(&array).array_len(false, 4), Err(too_long));
        assert_eq!(reader(&array).array_len(false, 3), Ok(Some(4)));
        let huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
        let end = DecodeError::UnexpectedEnd {
            needed: u32::MAX as usize - 1,
            remaining: 0,
        };
        assert_eq!(reader(&huge).nullable_bytes(true), Err(end));
        assert_eq!(
            reader(&huge).tagged_fields(true),
            Err(DecodeError::UnexpectedEnd {
                needed: 1,
                remaining: 0
            })
        );
    }

    #[test]
    fn negative_lengths_are_null() {
        assert_eq!(reader(&[0xff, 0xff]).nullable_string(false), Ok(None));
        assert_eq!(reader(&[0xff, 0xfe]).nullable_string(false), Ok(None));
        assert!(matches!(
            reader(&[0xff, 0xfe]).string(false),
            Err(DecodeError::UnexpectedNull { .. })
        ));
        assert_eq!(reader(&[0]).nullable_string(true), Ok(None));
        assert!(matches!(
            reader(&[0]).string(true),
            Err(DecodeError::UnexpectedNull { .. })
        ));
        assert_eq!(
            reader(&[0x81, 0x80, 2]).string(true),
            Err(DecodeError::InvalidLength { length: 32_768 })
        );
        assert_eq!(
            reader(&[2, 0xff]).string(true),
            Err(DecodeError::InvalidUtf8)
        );
    }

    #[test]
    fn bytes_are_slices_of_the_frame() {
        let frame = Bytes::from(vec![4, 1, 2, 3]);
        let bytes = Reader::new(frame.clone()).bytes(true).unwrap();
        assert_eq!(bytes.as_ptr(), frame[1..].as_ptr());
    }
}
