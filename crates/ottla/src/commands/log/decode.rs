//! What the records of the brokers' own topics say.

use std::path::Path;

use bytes::Bytes;
use ottla_protocol::messages::group::{GroupRecordKey, GroupRecordValue};
use ottla_protocol::messages::metadata::MetadataRecord;
use ottla_protocol::messages::transaction::{TransactionRecordKey, TransactionRecordValue};
use ottla_protocol::messages::{
    EndTxnMarker, KRaftVersionRecord, LeaderChangeMessage, SnapshotFooterRecord,
    SnapshotHeaderRecord, VotersRecord,
};
use ottla_protocol::records::{ControlRecordType, RecordRef};
use ottla_protocol::{DecodeError, Message, Reader};
use serde::Serialize;
use serde_json::Value;

/// The form of a log's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// Whatever clients wrote.
    Plain,
    /// Records of the metadata log.
    Metadata,
    /// Groups and their offsets.
    Groups,
    /// Transactions.
    Transactions,
    /// Markers and the quorum's own records.
    Control,
}

impl RecordKind {
    /// By the directory that a segment is in.
    pub fn of(path: &Path) -> Self {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let directory = absolute
            .parent()
            .and_then(Path::file_name)
            .and_then(|name| name.to_str())
            .and_then(|name| name.rsplit_once('-'));
        match directory.map(|(topic, _)| topic) {
            Some("__cluster_metadata") => Self::Metadata,
            Some("__consumer_offsets") => Self::Groups,
            Some("__transaction_state") => Self::Transactions,
            _ => Self::Plain,
        }
    }
}

/// A record that has a schema.
#[derive(Debug, Serialize)]
pub struct Decoded {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Part>,
    /// `None` for a tombstone.
    payload: Option<Part>,
}

/// A key or a value.
#[derive(Debug, Serialize)]
struct Part {
    r#type: String,
    version: i16,
    data: Value,
}

impl Part {
    /// `name` as in `TopicRecord`; Kafka's tools write `TOPIC_RECORD`.
    fn new(name: &str, version: i16, data: &impl Serialize) -> Self {
        let mut screaming = String::new();
        for character in name.chars() {
            if character.is_uppercase() && !screaming.is_empty() {
                screaming.push('_');
            }
            screaming.extend(character.to_uppercase());
        }
        Self {
            r#type: screaming,
            version,
            data: serde_json::to_value(data).unwrap_or_default(),
        }
    }
}

/// What `record` says; `None` when it has no schema, or one of a later release.
pub fn decode(kind: RecordKind, record: &RecordRef) -> Option<Result<Decoded, DecodeError>> {
    let key = record.key.clone().unwrap_or_default();
    let value = record.value.clone();
    let decoded = match kind {
        RecordKind::Plain => return None,
        RecordKind::Metadata => metadata(value.unwrap_or_default()),
        RecordKind::Groups => group(key, value),
        RecordKind::Transactions => transaction(key, value),
        RecordKind::Control => control(&key, value.unwrap_or_default()).transpose()?,
    };
    match decoded {
        Err(DecodeError::UnknownRecordType { .. }) => None,
        decoded => Some(decoded),
    }
}

fn metadata(value: Bytes) -> Result<Decoded, DecodeError> {
    let (record, version) = MetadataRecord::decode_value_and_version(value)?;
    Ok(Decoded {
        key: None,
        payload: Some(Part::new(record.name(), version, &record)),
    })
}

fn group(key: Bytes, value: Option<Bytes>) -> Result<Decoded, DecodeError> {
    let key = GroupRecordKey::decode(key)?;
    let value = value.map(|value| {
        let version = version_of(&value)?;
        let record = GroupRecordValue::decode(key.record_type(), value)?;
        Ok(Part::new(record.name(), version, &record))
    });
    Ok(Decoded {
        payload: value.transpose()?,
        key: Some(Part::new(key.name(), key.record_type(), &key)),
    })
}

fn transaction(key: Bytes, value: Option<Bytes>) -> Result<Decoded, DecodeError> {
    let key = TransactionRecordKey::decode(key)?;
    let value = value.map(|value| {
        let version = version_of(&value)?;
        let record = TransactionRecordValue::decode(key.record_type(), value)?;
        Ok(Part::new(record.name(), version, &record))
    });
    Ok(Decoded {
        payload: value.transpose()?,
        key: Some(Part::new(key.name(), key.record_type(), &key)),
    })
}

/// The version in front of a coordinator's value, and of a control record's.
fn version_of(value: &Bytes) -> Result<i16, DecodeError> {
    Reader::new(value.clone()).i16()
}

fn control(key: &[u8], value: Bytes) -> Result<Option<Decoded>, DecodeError> {
    let payload = match ControlRecordType::from_key(key) {
        Ok(kind @ (ControlRecordType::Commit | ControlRecordType::Abort)) => {
            let version = version_of(&value)?;
            let marker = EndTxnMarker::from_versioned_bytes(value)?;
            let name = match kind {
                ControlRecordType::Commit => "Commit",
                _ => "Abort",
            };
            Part::new(name, version, &marker)
        }
        Ok(ControlRecordType::LeaderChange) => quorum::<LeaderChangeMessage>(value)?,
        Ok(ControlRecordType::SnapshotHeader) => quorum::<SnapshotHeaderRecord>(value)?,
        Ok(ControlRecordType::SnapshotFooter) => quorum::<SnapshotFooterRecord>(value)?,
        Ok(ControlRecordType::KraftVersion) => quorum::<KRaftVersionRecord>(value)?,
        Ok(ControlRecordType::KraftVoters) => quorum::<VotersRecord>(value)?,
        _ => return Ok(None),
    };
    Ok(Some(Decoded {
        key: None,
        payload: Some(payload),
    }))
}

/// A record of the quorum, whose first field is its version.
fn quorum<M: Message + Serialize>(value: Bytes) -> Result<Part, DecodeError> {
    let version = version_of(&value)?;
    let record = M::decode(&mut Reader::new(value), version)?;
    let name = M::NAME.replace("KRaft", "Kraft");
    Ok(Part::new(&name, version, &record))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Part, RecordKind};

    #[test]
    fn names_are_those_of_kafkas_tools() {
        for (name, expected) in [
            ("TopicRecord", "TOPIC_RECORD"),
            ("NoOpRecord", "NO_OP_RECORD"),
            ("Abort", "ABORT"),
        ] {
            assert_eq!(Part::new(name, 0, &0).r#type, expected);
        }
    }

    #[test]
    fn the_directory_tells_the_kind() {
        for (path, expected) in [
            ("/d/__consumer_offsets-12/0.log", RecordKind::Groups),
            ("__cluster_metadata-0/0.log", RecordKind::Metadata),
            ("/d/__transaction_state-0/0.log", RecordKind::Transactions),
            ("/d/orders-0/0.log", RecordKind::Plain),
            ("/d/__consumer_offsets/0.log", RecordKind::Plain),
        ] {
            assert_eq!(RecordKind::of(Path::new(path)), expected, "{path}");
        }
    }
}
