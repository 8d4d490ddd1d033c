//! A record as a JSON object: what `consume --json` and `log dump --json` print and `produce --json` reads.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ottla_protocol::records::RecordRef;
use serde::{Deserialize, Deserializer, Serialize};

/// Bytes: text where they are UTF-8, else `{"base64": "..."}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Text {
    /// UTF-8.
    Plain(String),
    /// Anything else.
    Encoded {
        /// The bytes in base64, with padding.
        base64: String,
    },
}

impl Text {
    /// The form of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Plain(text.to_owned()),
            Err(_) => Self::Encoded {
                base64: STANDARD.encode(bytes),
            },
        }
    }

    /// The bytes; an error when they are not base64.
    pub fn bytes(self) -> Result<Vec<u8>, base64::DecodeError> {
        match self {
            Self::Plain(text) => Ok(text.into_bytes()),
            Self::Encoded { base64 } => STANDARD.decode(base64),
        }
    }
}

/// A record. Where it was is read and not used: it is written anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonRecord {
    /// The topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<i32>,
    /// The offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// Milliseconds since the epoch; now when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
    /// The key.
    #[serde(default)]
    pub key: Option<Text>,
    /// The value; null is a tombstone, and must be said.
    #[serde(deserialize_with = "must_be_said")]
    pub value: Option<Text>,
    /// Names and values, in order; a name may come twice.
    #[serde(default)]
    pub headers: Vec<(String, Option<Text>)>,
}

impl JsonRecord {
    /// The form of a record of `place`: its topic and partition, if they are known.
    pub fn of(place: Option<(&str, i32)>, record: &RecordRef) -> Self {
        let headers = record.headers.iter().map(|header| {
            (
                String::from_utf8_lossy(&header.key).into_owned(),
                header.value.as_deref().map(Text::of),
            )
        });
        Self {
            topic: place.map(|(topic, _)| topic.to_owned()),
            partition: place.map(|(_, partition)| partition),
            offset: Some(record.offset),
            timestamp: Some(record.timestamp),
            key: record.key.as_deref().map(Text::of),
            value: record.value.as_deref().map(Text::of),
            headers: headers.collect(),
        }
    }
}

fn must_be_said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    Option::deserialize(deserializer)
}

#[cfg(test)]
mod tests {
    use super::{JsonRecord, Text};

    #[test]
    fn bytes_survive() {
        for bytes in [&b""[..], b"text", b"\xff\x00", "\u{e9}\n".as_bytes()] {
            let json = serde_json::to_string(&Text::of(bytes)).unwrap();
            let text: Text = serde_json::from_str(&json).unwrap();
            assert_eq!(text.bytes().unwrap(), bytes, "{json}");
        }
    }

    #[test]
    fn records_say_what_they_mean() {
        for (json, is_record) in [
            (r#"{"value": "v"}"#, true),
            (r#"{"value": null, "key": "k"}"#, true),
            (
                r#"{"value": "v", "headers": [["a", null], ["a", "b"]]}"#,
                true,
            ),
            (
                r#"{"value": {"base64": "/w=="}, "offset": 3, "partition": 1}"#,
                true,
            ),
            (r#"{"key": "k"}"#, false),
            (r#"{"value": "v", "keys": "k"}"#, false),
            (r#"{"value": 1}"#, false),
            (r#""v""#, false),
        ] {
            let parsed = serde_json::from_str::<JsonRecord>(json);
            assert_eq!(parsed.is_ok(), is_record, "{json}: {parsed:?}");
        }
    }
}
