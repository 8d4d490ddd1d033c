//! The macros behind the families of stored records, and their frame.

use bytes::Bytes;

use super::{DecodeError, Reader, Writer};

/// The only version of the frame around records of the metadata log.
const FRAME_VERSION: u32 = 1;

/// Reads the frame in front of a record of the metadata log: its type and its version.
///
/// Source: `AbstractApiMessageSerde.read`.
pub(crate) fn read_frame(r: &mut Reader) -> Result<(i16, i16), DecodeError> {
    let frame_version = r.uvarint()?;
    if frame_version != FRAME_VERSION {
        return Err(DecodeError::UnknownFrameVersion { frame_version });
    }
    Ok((frame_number(r)?, frame_number(r)?))
}

fn frame_number(r: &mut Reader) -> Result<i16, DecodeError> {
    let number = r.uvarint()?;
    i16::try_from(number).map_err(|_| DecodeError::InvalidLength {
        length: number.into(),
    })
}

/// Writes the frame in front of a record of the metadata log.
pub(crate) fn write_frame(w: &mut Writer, record_type: i16, version: i16) {
    w.put_uvarint(FRAME_VERSION);
    w.put_uvarint(record_type as u32);
    w.put_uvarint(version as u32);
}

/// Reads the 16-bit type or version in front of a coordinator's key or value.
pub(crate) fn read_prefix(bytes: Bytes) -> Result<(i16, Reader), DecodeError> {
    let mut r = Reader::new(bytes);
    Ok((r.i16()?, r))
}

/// Declares the enum of a family, with what all kinds of families share.
macro_rules! record_enum {
    ($(#[$doc:meta])+ $enum:ident { $($type:literal => $variant:ident($message:ident),)+ }) => {
        $(#[$doc])+
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        #[serde(untagged)]
        #[allow(clippy::large_enum_variant, reason = "records are handled one at a time")]
        pub enum $enum {
            $(#[doc = concat!("Type ", $type, ".")] $variant($message),)+
        }

        impl $enum {
            /// The number of the record's type.
            pub const fn record_type(&self) -> i16 {
                match self {
                    $(Self::$variant(_) => $type,)+
                }
            }

            /// Kafka's name of the message.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => stringify!($message),)+
                }
            }

            /// The newest version of the message.
            pub const fn max_version(&self) -> i16 {
                match self {
                    $(Self::$variant(_) => <$message as $crate::Message>::MAX_VERSION,)+
                }
            }

            /// Reads the body of a record whose type and version are known, up to the end of the bytes.
            fn decode_body(
                mut r: $crate::Reader,
                record_type: i16,
                version: i16,
            ) -> Result<Self, $crate::DecodeError> {
                let record = match record_type {
                    $($type => Self::$variant($crate::Message::decode(&mut r, version)?),)+
                    _ => return Err($crate::DecodeError::UnknownRecordType { record_type }),
                };
                r.expect_end()?;
                Ok(record)
            }

            fn encode_body(&self, w: &mut $crate::Writer, version: i16) -> Result<(), $crate::EncodeError> {
                match self {
                    $(Self::$variant(message) => $crate::Message::encode(message, w, version),)+
                }
            }
        }

        $(impl From<$message> for $enum {
            fn from(message: $message) -> Self {
                Self::$variant(message)
            }
        })+
    };
}

/// Declares a family whose values stand in a frame with type and version: the metadata log, and remote log metadata.
macro_rules! framed_records {
    ($enum:ident { $($table:tt)+ }) => {
        $crate::wire::stored::record_enum! {
            /// Any record of the family. On disk: a frame version, the type and the version as varints, the body.
            $enum { $($table)+ }
        }

        impl $enum {
            /// Reads the value of a stored record.
            pub fn decode_value(value: bytes::Bytes) -> Result<Self, $crate::DecodeError> {
                Ok(Self::decode_value_and_version(value)?.0)
            }

            /// Reads the value of a stored record, and the version it was stored in.
            pub fn decode_value_and_version(value: bytes::Bytes) -> Result<(Self, i16), $crate::DecodeError> {
                let mut r = $crate::Reader::new(value);
                let (record_type, version) = $crate::wire::stored::read_frame(&mut r)?;
                Ok((Self::decode_body(r, record_type, version)?, version))
            }

            /// The value to store, in the newest version of the message.
            pub fn encode_value(&self) -> Result<bytes::Bytes, $crate::EncodeError> {
                self.encode_value_at(self.max_version())
            }

            /// The value to store, in the given version of the message.
            pub fn encode_value_at(&self, version: i16) -> Result<bytes::Bytes, $crate::EncodeError> {
                let mut w = $crate::Writer::new();
                $crate::wire::stored::write_frame(&mut w, self.record_type(), version);
                self.encode_body(&mut w, version)?;
                Ok(w.into_bytes())
            }
        }
    };
}

/// Declares the keys of a coordinator's records.
macro_rules! coordinator_keys {
    ($enum:ident { $($table:tt)+ }) => {
        $crate::wire::stored::record_enum! {
            /// The key of any record of the family. On disk: the type in 16 bits, the body in version 0.
            $enum { $($table)+ }
        }

        impl $enum {
            /// Reads the key of a stored record. A type that is unknown is
            /// [`DecodeError::UnknownRecordType`](crate::DecodeError): a newer release wrote it, and it is skipped.
            pub fn decode(key: bytes::Bytes) -> Result<Self, $crate::DecodeError> {
                let (record_type, r) = $crate::wire::stored::read_prefix(key)?;
                Self::decode_body(r, record_type, 0)
            }

            /// The key to store.
            pub fn encode(&self) -> Result<bytes::Bytes, $crate::EncodeError> {
                let mut w = $crate::Writer::new();
                w.put_i16(self.record_type());
                self.encode_body(&mut w, 0)?;
                Ok(w.into_bytes())
            }
        }
    };
}

/// Declares the values of a coordinator's records.
macro_rules! coordinator_values {
    ($enum:ident { $($table:tt)+ }) => {
        $crate::wire::stored::record_enum! {
            /// The value of any record of the family. On disk: the version in 16 bits, the body in that version; the
            /// type stands in the key.
            $enum { $($table)+ }
        }

        impl $enum {
            /// Reads the value of a stored record whose key has the type `record_type`.
            pub fn decode(record_type: i16, value: bytes::Bytes) -> Result<Self, $crate::DecodeError> {
                let (version, r) = $crate::wire::stored::read_prefix(value)?;
                Self::decode_body(r, record_type, version)
            }

            /// The value to store, in the given version of the message.
            pub fn encode(&self, version: i16) -> Result<bytes::Bytes, $crate::EncodeError> {
                let mut w = $crate::Writer::new();
                w.put_i16(version);
                self.encode_body(&mut w, version)?;
                Ok(w.into_bytes())
            }
        }
    };
}

pub(crate) use {coordinator_keys, coordinator_values, framed_records, record_enum};
