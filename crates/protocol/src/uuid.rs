//! [`Uuid`], written as Kafka writes it.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The alphabet of url-safe base64 (RFC 4648, section 5).
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The length of a UUID's text: 128 bits, 6 to a character.
const TEXT_LENGTH: usize = 22;

/// A 128-bit id. Its text is url-safe base64 without padding, 22 characters long.
///
/// Source: `org.apache.kafka.common.Uuid`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

/// Why a text is not a [`Uuid`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParseUuidError {
    /// Not 22 characters, nor 24 of which the last two are padding.
    #[error("a UUID has 22 characters, not {length}")]
    Length {
        /// The length found, in bytes.
        length: usize,
    },
    /// A character outside of the url-safe base64 alphabet.
    #[error("the byte at position {position} is not url-safe base64")]
    Character {
        /// Position of the first such byte, from 0.
        position: usize,
    },
}

impl Uuid {
    /// All bits zero: no id.
    pub const ZERO: Self = Self([0; 16]);

    /// The id of the topic `__cluster_metadata`.
    pub const METADATA_TOPIC_ID: Self = Self::from_u128(1);

    /// The id with these bits, the most significant first on the wire.
    pub const fn from_u128(bits: u128) -> Self {
        Self(bits.to_be_bytes())
    }

    /// Makes an id (UUID version 4) of 16 random bytes that the caller supplies.
    ///
    /// `None` if Kafka would not use it: its text begins with a dash, which command lines take for an option.
    /// Draw again then.
    ///
    /// Source: `Uuid.randomUuid`.
    pub fn from_random(random: [u8; 16]) -> Option<Self> {
        let mut bytes = random;
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let starts_with_dash = bytes[0] >> 2 == 62;
        (!starts_with_dash).then_some(Self(bytes))
    }

    /// Whether this is [`Uuid::ZERO`].
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// The bytes, as on the wire.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl serde::Serialize for Uuid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = u128::from_be_bytes(self.0);
        let mut text = [0; TEXT_LENGTH];
        for (index, character) in text.iter_mut().enumerate() {
            // The last character holds the remaining 2 bits at its upper end.
            let sextet = if index + 1 < TEXT_LENGTH {
                bits >> (122 - 6 * index)
            } else {
                bits << 4
            };
            *character = ALPHABET[(sextet & 63) as usize];
        }
        f.pad(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Uuid {
    type Err = ParseUuidError;

    fn from_str(text: &str) -> Result<Self, ParseUuidError> {
        let characters = text.strip_suffix("==").unwrap_or(text).as_bytes();
        if characters.len() != TEXT_LENGTH {
            return Err(ParseUuidError::Length { length: text.len() });
        }
        let mut bits = 0u128;
        for (position, character) in characters.iter().enumerate() {
            let sextet = match character {
                b'A'..=b'Z' => character - b'A',
                b'a'..=b'z' => character - b'a' + 26,
                b'0'..=b'9' => character - b'0' + 52,
                b'-' => 62,
                b'_' => 63,
                _ => return Err(ParseUuidError::Character { position }),
            };
            bits = if position + 1 < TEXT_LENGTH {
                bits << 6 | sextet as u128
            } else {
                bits << 2 | (sextet >> 4) as u128
            };
        }
        Ok(Self::from_u128(bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_kafkas() {
        // From org.apache.kafka.common.Uuid: ZERO_UUID, METADATA_TOPIC_ID, and a random one.
        assert_eq!(Uuid::ZERO.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(
            Uuid::METADATA_TOPIC_ID.to_string(),
            "AAAAAAAAAAAAAAAAAAAAAQ"
        );
        let mixed = Uuid::from_u128(0x0123_4567_89ab_cdef_fedc_ba98_7654_3210);
        assert_eq!(mixed.to_string(), "ASNFZ4mrze_-3LqYdlQyEA");
        assert_eq!("ASNFZ4mrze_-3LqYdlQyEA".parse(), Ok(mixed));
        assert_eq!("ASNFZ4mrze_-3LqYdlQyEA==".parse(), Ok(mixed));
    }

    #[test]
    fn bad_text_is_refused() {
        assert_eq!(
            "".parse::<Uuid>(),
            Err(ParseUuidError::Length { length: 0 })
        );
        assert_eq!(
            "ASNFZ4mrze_-3LqYdlQyEAA".parse::<Uuid>(),
            Err(ParseUuidError::Length { length: 23 })
        );
        assert_eq!(
            "ASNFZ4mrze/-3LqYdlQyEA".parse::<Uuid>(),
            Err(ParseUuidError::Character { position: 10 })
        );
    }

    #[test]
    fn a_random_id_is_version_4_and_never_starts_with_a_dash() {
        let id = Uuid::from_random([0; 16]).unwrap();
        assert_eq!(id.0[6], 0x40);
        assert_eq!(id.0[8], 0x80);
        assert_eq!(Uuid::from_random([0xf8; 16]), None);
    }
}
