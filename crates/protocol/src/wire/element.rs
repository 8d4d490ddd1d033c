//! [`Element`]: what an array may hold.

use super::{DecodeError, EncodeError, Reader, Writer};
use crate::uuid::Uuid;

/// How much memory an array may take, in bytes, before its first element is decoded.
const MAX_INITIAL_ARRAY_SIZE: usize = 64 * 1024;

/// A value that an array may hold: a primitive or a struct.
pub trait Element: Sized {
    /// The fewest bytes that the value takes in any version; never 0.
    const MIN_SIZE: usize;

    /// Reads one value of a message at `version`.
    fn read(r: &mut Reader, version: i16, flexible: bool) -> Result<Self, DecodeError>;

    /// Writes the value into a message at `version`.
    fn write(&self, w: &mut Writer, version: i16, flexible: bool) -> Result<(), EncodeError>;
}

/// Implements [`Element`] for a type of fixed size.
macro_rules! fixed_size_element {
    ($type:ty, $size:literal, $read:ident, $write:ident) => {
        impl Element for $type {
            const MIN_SIZE: usize = $size;

            #[inline]
            fn read(r: &mut Reader, _version: i16, _flexible: bool) -> Result<Self, DecodeError> {
                r.$read()
            }

            #[inline]
            fn write(
                &self,
                w: &mut Writer,
                _version: i16,
                _flexible: bool,
            ) -> Result<(), EncodeError> {
                w.$write(*self);
                Ok(())
            }
        }
    };
}

fixed_size_element!(i8, 1, i8, put_i8);
fixed_size_element!(i16, 2, i16, put_i16);
fixed_size_element!(i32, 4, i32, put_i32);
fixed_size_element!(i64, 8, i64, put_i64);
fixed_size_element!(Uuid, 16, uuid, put_uuid);

impl Element for String {
    const MIN_SIZE: usize = 1;

    fn read(r: &mut Reader, _version: i16, flexible: bool) -> Result<Self, DecodeError> {
        r.string(flexible)
    }

    fn write(&self, w: &mut Writer, _version: i16, flexible: bool) -> Result<(), EncodeError> {
        w.put_string(self, flexible)
    }
}

/// Reads an array that must not be null.
pub fn read_array<T: Element>(
    r: &mut Reader,
    version: i16,
    flexible: bool,
) -> Result<Vec<T>, DecodeError> {
    read_nullable_array(r, version, flexible)?
        .ok_or(DecodeError::UnexpectedNull { field: "an array" })
}

/// Reads an array or null. Memory grows with what is decoded, not with what the bytes claim.
pub fn read_nullable_array<T: Element>(
    r: &mut Reader,
    version: i16,
    flexible: bool,
) -> Result<Option<Vec<T>>, DecodeError> {
    let Some(count) = r.array_len(flexible, T::MIN_SIZE)? else {
        return Ok(None);
    };
    let mut elements =
        Vec::with_capacity(count.min(MAX_INITIAL_ARRAY_SIZE / size_of::<T>().max(1)));
    for _ in 0..count {
        elements.push(T::read(r, version, flexible)?);
    }
    Ok(Some(elements))
}

/// Writes an array.
pub fn write_array<T: Element>(
    elements: &[T],
    w: &mut Writer,
    version: i16,
    flexible: bool,
) -> Result<(), EncodeError> {
    w.put_length(Some(elements.len()), flexible)?;
    for element in elements {
        element.write(w, version, flexible)?;
    }
    Ok(())
}

/// Writes an array or null.
pub fn write_nullable_array<T: Element>(
    elements: Option<&[T]>,
    w: &mut Writer,
    version: i16,
    flexible: bool,
) -> Result<(), EncodeError> {
    match elements {
        Some(elements) => write_array(elements, w, version, flexible),
        None => w.put_length(None, flexible),
    }
}

/// Reads a struct or null: a byte that is negative for null, then the struct.
pub fn read_nullable_struct<T: Element>(
    r: &mut Reader,
    version: i16,
    flexible: bool,
) -> Result<Option<Box<T>>, DecodeError> {
    if r.i8()? < 0 {
        return Ok(None);
    }
    Ok(Some(Box::new(T::read(r, version, flexible)?)))
}

/// Writes a struct or null.
pub fn write_nullable_struct<T: Element>(
    value: Option<&T>,
    w: &mut Writer,
    version: i16,
    flexible: bool,
) -> Result<(), EncodeError> {
    match value {
        Some(value) => {
            w.put_i8(1);
            value.write(w, version, flexible)
        }
        None => {
            w.put_i8(-1);
            Ok(())
        }
    }
}

/// Reads a struct or null from a tagged field: there a varint that is 0 for null stands in front of the struct.
pub fn read_tagged_nullable_struct<T: Element>(
    r: &mut Reader,
    version: i16,
    flexible: bool,
) -> Result<Option<Box<T>>, DecodeError> {
    if r.uvarint()? == 0 {
        return Ok(None);
    }
    Ok(Some(Box::new(T::read(r, version, flexible)?)))
}

/// Writes a struct or null into a tagged field.
pub fn write_tagged_nullable_struct<T: Element>(
    value: Option<&T>,
    w: &mut Writer,
    version: i16,
    flexible: bool,
) -> Result<(), EncodeError> {
    w.put_uvarint(value.is_some().into());
    value.map_or(Ok(()), |value| value.write(w, version, flexible))
}

/// The value of a field that `version` does not allow to be null.
#[inline]
pub fn required<T>(value: Option<T>, field: &'static str, version: i16) -> Result<T, EncodeError> {
    value.ok_or(EncodeError::UnexpectedNull { field, version })
}
