//! How stored records are shown as JSON: bytes in base64, as Kafka's own tools show them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serializer;

/// Bytes as a base64 string.
pub(crate) fn bytes<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

/// Bytes as a base64 string, or null.
pub(crate) fn nullable_bytes<S: Serializer>(
    value: &Option<Bytes>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => bytes(value, serializer),
        None => serializer.serialize_none(),
    }
}
