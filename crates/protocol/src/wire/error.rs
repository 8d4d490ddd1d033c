//! What can be wrong with bytes, and with a message for a version.

use thiserror::Error;

/// Why bytes could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The bytes end before the value does.
    #[error("{needed} more bytes expected, {remaining} remain")]
    UnexpectedEnd {
        /// How many bytes the value needs.
        needed: usize,
        /// How many were left.
        remaining: usize,
    },
    /// An array claims more elements than what remains could hold.
    #[error("an array claims {count} elements, but only {remaining} bytes remain")]
    ArrayTooLong {
        /// The number of elements claimed.
        count: usize,
        /// How many bytes were left.
        remaining: usize,
    },
    /// A length below -1, or a string longer than 32767 bytes.
    #[error("{length} is not a valid length")]
    InvalidLength {
        /// The length found.
        length: i64,
    },
    /// A null where the schema allows none.
    #[error("{field} must not be null in this version")]
    UnexpectedNull {
        /// The message and field, or the kind of value.
        field: &'static str,
    },
    /// A variable-length integer that does not end within 5 (32 bits) or 10 (64 bits) bytes.
    #[error("a variable-length integer is too long")]
    VarintTooLong,
    /// A string that is not UTF-8.
    #[error("a string is not valid UTF-8")]
    InvalidUtf8,
    /// The message does not exist at this version.
    #[error("{message} has no version {version}")]
    UnsupportedVersion {
        /// The message's name.
        message: &'static str,
        /// The version asked for, or found in front of the message.
        version: i16,
    },
    /// A stored record of a type that this release does not know.
    #[error("unknown record type {record_type}")]
    UnknownRecordType {
        /// The type found.
        record_type: i16,
    },
    /// A stored record in a frame of an unknown version.
    #[error("unknown frame version {frame_version}")]
    UnknownFrameVersion {
        /// The frame version found; 1 is the only one there is.
        frame_version: u32,
    },
    /// Bytes are left over after the message.
    #[error("{remaining} bytes are left after the end of the message")]
    TrailingBytes {
        /// How many.
        remaining: usize,
    },
}

/// Why a message could not be encoded at a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// The message does not exist at this version.
    #[error("{message} has no version {version}")]
    UnsupportedVersion {
        /// The message's name.
        message: &'static str,
        /// The version asked for.
        version: i16,
    },
    /// A field that the version lacks, and that must not be dropped silently, is set.
    #[error("{field} is set, but version {version} does not have it")]
    FieldNotInVersion {
        /// The message and field.
        field: &'static str,
        /// The version asked for.
        version: i16,
    },
    /// A field is null in a version that does not allow it.
    #[error("{field} must not be null in version {version}")]
    UnexpectedNull {
        /// The message and field.
        field: &'static str,
        /// The version asked for.
        version: i16,
    },
    /// A string longer than 32767 bytes.
    #[error("a string of {length} bytes is longer than 32767")]
    StringTooLong {
        /// The string's length in bytes.
        length: usize,
    },
    /// Bytes, records or an array whose length does not fit into 31 bits.
    #[error("a length of {length} does not fit into 31 bits")]
    TooLong {
        /// The length in bytes or elements.
        length: usize,
    },
}
