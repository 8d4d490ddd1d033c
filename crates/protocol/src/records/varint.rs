//! Zigzag integers of variable length, as the fields of a record are written.

use super::record::RecordError;

/// Bytes that the fields of a record are read from, front to back: a slice, or a codec's output.
pub(super) trait FieldInput {
    /// The next byte.
    fn byte(&mut self) -> Result<u8, RecordError>;
    /// Passes over `count` bytes, all of which must be there.
    fn skip(&mut self, count: usize) -> Result<(), RecordError>;
    /// Bytes read or passed over so far.
    fn position(&self) -> usize;
}

/// [`FieldInput`] from memory.
pub(super) struct SliceInput<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> SliceInput<'a> {
    pub(super) fn new(bytes: &'a [u8], position: usize) -> Self {
        Self { bytes, position }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.position >= self.bytes.len()
    }
}

impl FieldInput for SliceInput<'_> {
    #[inline(always)]
    fn byte(&mut self) -> Result<u8, RecordError> {
        let byte = *self
            .bytes
            .get(self.position)
            .ok_or(RecordError::Truncated)?;
        self.position += 1;
        Ok(byte)
    }

    #[inline]
    fn skip(&mut self, count: usize) -> Result<(), RecordError> {
        if self.bytes.len() - self.position < count {
            return Err(RecordError::Truncated);
        }
        self.position += count;
        Ok(())
    }

    #[inline]
    fn position(&self) -> usize {
        self.position
    }
}

/// Reads a zigzag integer of at most 5 bytes. Bits beyond the 32nd are dropped, as Kafka does.
#[inline(always)]
pub(super) fn read_varint<I: FieldInput>(input: &mut I) -> Result<i32, RecordError> {
    let first = input.byte()?;
    let raw = if first < 0x80 {
        u32::from(first)
    } else {
        read_rest(input, first, LAST_VARINT_SHIFT)? as u32
    };
    Ok((raw >> 1) as i32 ^ -((raw & 1) as i32))
}

/// Reads a zigzag integer of at most 10 bytes.
#[inline(always)]
pub(super) fn read_varlong<I: FieldInput>(input: &mut I) -> Result<i64, RecordError> {
    let first = input.byte()?;
    let raw = if first < 0x80 {
        u64::from(first)
    } else {
        read_rest(input, first, LAST_VARLONG_SHIFT)?
    };
    Ok((raw >> 1) as i64 ^ -((raw & 1) as i64))
}

/// Where the bits of the last byte of a varint belong.
const LAST_VARINT_SHIFT: u32 = 28;
/// Where the bits of the last byte of a varlong belong.
const LAST_VARLONG_SHIFT: u32 = 63;

/// Reads what follows the `first` byte of an integer, up to the byte for `last_shift`.
#[inline]
fn read_rest<I: FieldInput>(input: &mut I, first: u8, last_shift: u32) -> Result<u64, RecordError> {
    let mut raw = u64::from(first & 0x7f);
    for shift in (7..=last_shift).step_by(7) {
        let byte = input.byte()?;
        raw |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(raw);
        }
    }
    Err(RecordError::VarintTooLong)
}

/// Appends `value` as a zigzag integer of variable length.
pub(super) fn put_varlong(out: &mut Vec<u8>, value: i64) {
    let mut raw = ((value << 1) ^ (value >> 63)) as u64;
    while raw >= 0x80 {
        out.push(raw as u8 | 0x80);
        raw >>= 7;
    }
    out.push(raw as u8);
}

/// Appends `value` as a zigzag integer of variable length.
pub(super) fn put_varint(out: &mut Vec<u8>, value: i32) {
    put_varlong(out, i64::from(value));
}

/// Bytes that [`put_varlong`] appends for `value`; the same for a varint.
pub(super) fn varlong_size(value: i64) -> usize {
    let raw = ((value << 1) ^ (value >> 63)) as u64;
    (64 - (raw | 1).leading_zeros() as usize).div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(value: i64) -> Vec<u8> {
        let mut out = Vec::new();
        put_varlong(&mut out, value);
        assert_eq!(out.len(), varlong_size(value), "size of {value}");
        out
    }

    #[test]
    fn golden_encodings() {
        let check = |value: i64, expected: &[u8]| assert_eq!(encoded(value), expected, "{value}");
        check(0, &[0]);
        check(-1, &[1]);
        check(1, &[2]);
        check(63, &[0x7e]);
        check(-64, &[0x7f]);
        check(64, &[0x80, 1]);
        check(8191, &[0xfe, 0x7f]);
        check(i64::from(i32::MAX), &[0xfe, 0xff, 0xff, 0xff, 0x0f]);
        check(i64::from(i32::MIN), &[0xff, 0xff, 0xff, 0xff, 0x0f]);
        check(
            i64::MIN,
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        );
    }

    #[test]
    fn round_trips_at_every_width() {
        for bit in 0..64 {
            for value in [
                1i64 << bit,
                (1i64 << bit).wrapping_sub(1),
                -(1i64 << (bit % 63)),
            ] {
                let bytes = encoded(value);
                assert_eq!(read_varlong(&mut SliceInput::new(&bytes, 0)), Ok(value));
                if let Ok(narrow) = i32::try_from(value) {
                    assert_eq!(read_varint(&mut SliceInput::new(&bytes, 0)), Ok(narrow));
                }
            }
        }
    }

    #[test]
    fn unending_and_cut_integers_are_refused() {
        let ones = [0xff; 16];
        assert_eq!(
            read_varint(&mut SliceInput::new(&ones, 0)),
            Err(RecordError::VarintTooLong)
        );
        assert_eq!(
            read_varlong(&mut SliceInput::new(&ones, 0)),
            Err(RecordError::VarintTooLong)
        );
        assert_eq!(
            read_varint(&mut SliceInput::new(&ones[..3], 0)),
            Err(RecordError::Truncated)
        );
        assert_eq!(
            read_varlong(&mut SliceInput::new(&[], 0)),
            Err(RecordError::Truncated)
        );
    }
}
