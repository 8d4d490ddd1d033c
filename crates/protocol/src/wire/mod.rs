//! The primitives of Kafka's encoding, and the traits that the generated messages implement.
//!
//! `flexible` tells the two encodings of strings, bytes and arrays apart: since KIP-482 a message has a first flexible
//! version, from which on lengths are varints ("compact") and every struct ends with tagged fields.

pub(crate) mod api_table;
pub mod catalogue;
mod element;
mod error;
pub(crate) mod json;
mod reader;
mod records;
mod segment;
pub(crate) mod stored;
mod writer;

pub use element::{
    Element, read_array, read_nullable_array, read_nullable_struct, read_tagged_nullable_struct,
    required, write_array, write_nullable_array, write_nullable_struct,
    write_tagged_nullable_struct,
};
pub use error::{DecodeError, EncodeError};
pub use reader::Reader;
pub use records::Records;
pub use segment::{FileRange, Segment, Segments};
pub use writer::{TaggedField, Writer};

use bytes::Bytes;

use crate::ApiKey;

/// A tagged field whose tag the schema does not declare for the version at hand. Kept, so that it survives decoding
/// and encoding again.
///
/// Differs from Kafka: a version outside of the flexible encoding drops these fields, where Kafka refuses to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawTaggedField {
    /// The tag.
    pub tag: u32,
    /// The value, uninterpreted.
    pub data: Bytes,
}

/// A message: a whole request, response, header, or the value of a stored record.
pub trait Message: Element + Default {
    /// Kafka's name, such as `ProduceRequest`.
    const NAME: &'static str;
    /// The oldest version that can be decoded and encoded.
    const MIN_VERSION: i16;
    /// The newest version that can be decoded and encoded.
    const MAX_VERSION: i16;
    /// The first version in the flexible encoding, `i16::MAX` if there is none.
    const FIRST_FLEXIBLE_VERSION: i16;

    /// Reads the message; what follows it stays in `r`.
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        if !(Self::MIN_VERSION..=Self::MAX_VERSION).contains(&version) {
            return Err(DecodeError::UnsupportedVersion {
                message: Self::NAME,
                version,
            });
        }
        Self::read(r, version, version >= Self::FIRST_FLEXIBLE_VERSION)
    }

    /// Writes the message.
    ///
    /// A field that `version` lacks is left out if the schema calls it ignorable or its value is the default, and is
    /// an error otherwise. After an error `w` holds a part of the message and is of no use.
    fn encode(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if !(Self::MIN_VERSION..=Self::MAX_VERSION).contains(&version) {
            return Err(EncodeError::UnsupportedVersion {
                message: Self::NAME,
                version,
            });
        }
        self.write(w, version, version >= Self::FIRST_FLEXIBLE_VERSION)
    }

    /// Reads a message that fills `bytes` exactly.
    fn from_bytes(bytes: Bytes, version: i16) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let message = Self::decode(&mut r, version)?;
        r.expect_end()?;
        Ok(message)
    }

    /// The encoded message, in one piece.
    fn to_bytes(&self, version: i16) -> Result<Bytes, EncodeError> {
        let mut w = Writer::new();
        self.encode(&mut w, version)?;
        Ok(w.into_bytes())
    }

    /// Reads a message that fills `bytes` after a leading 16-bit version, as coordinators store their values and
    /// consumers their subscriptions.
    fn from_versioned_bytes(bytes: Bytes) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let version = r.i16()?;
        let message = Self::decode(&mut r, version)?;
        r.expect_end()?;
        Ok(message)
    }

    /// A 16-bit version and the message encoded at that version.
    fn to_versioned_bytes(&self, version: i16) -> Result<Bytes, EncodeError> {
        let mut w = Writer::new();
        w.put_i16(version);
        self.encode(&mut w, version)?;
        Ok(w.into_bytes())
    }
}

/// A request, tied to the API it belongs to and to its response.
pub trait Request: Message {
    /// The API of the request.
    const API_KEY: ApiKey;
    /// What answers it.
    type Response: Message;
}
