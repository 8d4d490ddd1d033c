//! The records of `__consumer_offsets`: what this shard writes and what it reads back.
//!
//! A key is a 16-bit type and a body, a value a 16-bit version and a body. The versions written are those of Kafka
//! 4.3: GroupMetadataValue 3, OffsetCommitValue 4, or 1 with an explicit expiry (OffsetCommit before version 5).
//! Records of consumer (KIP-848), share (KIP-932) and streams (KIP-1071) groups are not interpreted: see
//! [`crate::foreign`].

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use ottla_protocol::messages::group::group_metadata_value::{GroupMetadataValue, MemberMetadata};
use ottla_protocol::messages::group::offset_commit_value::OffsetCommitValue;
use ottla_protocol::messages::group::{GroupMetadataKey, OffsetCommitKey};
use ottla_protocol::wire::Reader;
use ottla_protocol::{DecodeError, Message, Uuid};

use crate::classic::ClassicGroup;
use crate::decision::CoordinatorRecord;
use crate::foreign::ForeignKey;
use crate::offsets::OffsetAndMetadata;

/// The key types of offsets as Kafka writes them now, and as it wrote them once.
const OFFSET_COMMIT_KEY: i16 = 1;
const LEGACY_OFFSET_COMMIT_KEY: i16 = 0;
const GROUP_METADATA_KEY: i16 = 2;

const GROUP_METADATA_VALUE_VERSION: i16 = 3;
const OFFSET_COMMIT_VALUE_VERSION: i16 = 4;
/// The only version with an expire timestamp.
const OFFSET_COMMIT_VALUE_VERSION_WITH_EXPIRY: i16 = 1;

/// The longest string that a record (or any message of Kafka's) can hold, in bytes of UTF-8.
pub(crate) const MAX_STRING_BYTES: usize = i16::MAX as usize;

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The key is damaged.
    #[error("decode key of type {key_type}: {source}")]
    Key {
        /// The record's type.
        key_type: i16,
        /// What is wrong.
        source: DecodeError,
    },
    /// The key is too short to have a type.
    #[error("a key of {size_bytes} bytes has no type")]
    NoKeyType {
        /// The key's size.
        size_bytes: usize,
    },
    /// The value is damaged, or of a version newer than the newest known.
    #[error("decode value of a record of type {key_type}: {source}")]
    Value {
        /// The record's type.
        key_type: i16,
        /// What is wrong.
        source: DecodeError,
    },
}

/// What one record does to a shard.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// An offset is committed.
    OffsetCommitted {
        group_id: Arc<str>,
        topic: Arc<str>,
        partition: i32,
        committed: OffsetAndMetadata,
    },
    /// A committed offset is gone.
    OffsetDeleted {
        group_id: Arc<str>,
        topic: Arc<str>,
        partition: i32,
    },
    /// A classic group is as the value says. The shard that decided the record holds the group already.
    GroupWritten {
        group_id: Arc<str>,
        value: Option<Box<GroupMetadataValue>>,
    },
    /// A classic group is gone.
    GroupDeleted { group_id: Arc<str> },
    /// Something about a group of another kind is written or gone.
    Foreign { key: ForeignKey, live: bool },
    /// A record of a type that this version does not know.
    Unknown { key_type: i16 },
}

impl Change {
    /// Whether the change is about a committed offset only.
    pub fn is_offset(&self) -> bool {
        matches!(
            self,
            Self::OffsetCommitted { .. } | Self::OffsetDeleted { .. }
        )
    }
}

/// Encodes a key of one of this crate's types.
fn key(key_type: i16, key: &impl Message) -> Bytes {
    // The type stands where other stored messages have their version, and the body has one version, 0.
    let mut writer = ottla_protocol::Writer::new();
    writer.put_i16(key_type);
    key.encode(&mut writer, 0)
        .expect("the strings of a key were checked when its request came");
    writer.into_bytes()
}

fn value(value: &impl Message, version: i16) -> Option<Bytes> {
    Some(
        value
            .to_versioned_bytes(version)
            .expect("the strings of a value were checked when its request came"),
    )
}

fn offset_commit_key(group_id: &str, topic: &str, partition: i32) -> Bytes {
    let fields = OffsetCommitKey {
        group: group_id.into(),
        topic: topic.into(),
        partition,
        ..Default::default()
    };
    key(OFFSET_COMMIT_KEY, &fields)
}

fn group_metadata_key(group_id: &str) -> Bytes {
    key(
        GROUP_METADATA_KEY,
        &GroupMetadataKey {
            group: group_id.into(),
            ..Default::default()
        },
    )
}

/// The record of a committed offset.
pub(crate) fn offset_commit(
    group_id: &str,
    topic: &str,
    partition: i32,
    committed: &OffsetAndMetadata,
) -> CoordinatorRecord {
    let version = match committed.expire_timestamp_ms {
        Some(_) => OFFSET_COMMIT_VALUE_VERSION_WITH_EXPIRY,
        None => OFFSET_COMMIT_VALUE_VERSION,
    };
    let fields = OffsetCommitValue {
        offset: committed.committed_offset,
        leader_epoch: committed.leader_epoch,
        metadata: committed.metadata.to_string(),
        commit_timestamp: committed.commit_timestamp_ms,
        expire_timestamp: committed.expire_timestamp_ms.unwrap_or(-1),
        topic_id: committed.topic_id,
        ..Default::default()
    };
    CoordinatorRecord {
        key: offset_commit_key(group_id, topic, partition),
        value: value(&fields, version),
    }
}

/// The record that deletes a committed offset.
pub(crate) fn offset_tombstone(group_id: &str, topic: &str, partition: i32) -> CoordinatorRecord {
    CoordinatorRecord {
        key: offset_commit_key(group_id, topic, partition),
        value: None,
    }
}

/// The record of a classic group with its members' `assignments`, by member id.
pub(crate) fn group_metadata(
    group: &ClassicGroup,
    assignments: &BTreeMap<&str, Bytes>,
) -> CoordinatorRecord {
    let protocol = group.protocol_name.as_deref().unwrap_or_default();
    let members = group.members.values().map(|member| MemberMetadata {
        member_id: member.member_id.to_string(),
        group_instance_id: member.group_instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        rebalance_timeout: member.rebalance_timeout_ms,
        session_timeout: member.session_timeout_ms,
        subscription: member.metadata(protocol).cloned().unwrap_or_default(),
        assignment: assignments
            .get(&*member.member_id)
            .cloned()
            .unwrap_or_default(),
        ..Default::default()
    });
    let fields = GroupMetadataValue {
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        generation: group.generation_id,
        protocol: group.protocol_name.clone(),
        leader: group.leader_id.as_deref().map(str::to_owned),
        current_state_timestamp: group.state_timestamp.map_or(-1, |at| at.0),
        members: members.collect(),
        ..Default::default()
    };
    CoordinatorRecord {
        key: group_metadata_key(&group.id),
        value: value(&fields, GROUP_METADATA_VALUE_VERSION),
    }
}

/// The record that makes a new group known before it has any generation.
pub(crate) fn new_group(group: &ClassicGroup) -> CoordinatorRecord {
    group_metadata(
        &ClassicGroup::empty(group.id.clone(), group.state_timestamp),
        &BTreeMap::new(),
    )
}

/// The record that deletes a classic group.
pub(crate) fn group_tombstone(group_id: &str) -> CoordinatorRecord {
    CoordinatorRecord {
        key: group_metadata_key(group_id),
        value: None,
    }
}

/// Reads a record back.
pub(crate) fn decode(key: Bytes, value: Option<Bytes>) -> Result<Change, ReplayError> {
    let size_bytes = key.len();
    let mut reader = Reader::new(key.clone());
    let key_type = reader
        .i16()
        .map_err(|_| ReplayError::NoKeyType { size_bytes })?;
    let on_key = |source| ReplayError::Key { key_type, source };
    let on_value = |source| ReplayError::Value { key_type, source };
    match key_type {
        LEGACY_OFFSET_COMMIT_KEY | OFFSET_COMMIT_KEY => {
            let fields = OffsetCommitKey::decode(&mut reader, 0).map_err(on_key)?;
            let (group_id, topic, partition) =
                (fields.group.into(), fields.topic.into(), fields.partition);
            Ok(match value {
                Some(value) => {
                    let fields =
                        OffsetCommitValue::from_versioned_bytes(value).map_err(on_value)?;
                    let committed = OffsetAndMetadata::from_record(fields);
                    Change::OffsetCommitted {
                        group_id,
                        topic,
                        partition,
                        committed,
                    }
                }
                None => Change::OffsetDeleted {
                    group_id,
                    topic,
                    partition,
                },
            })
        }
        GROUP_METADATA_KEY => {
            let group_id = GroupMetadataKey::decode(&mut reader, 0)
                .map_err(on_key)?
                .group
                .into();
            Ok(match value {
                Some(value) => {
                    let fields =
                        GroupMetadataValue::from_versioned_bytes(value).map_err(on_value)?;
                    Change::GroupWritten {
                        group_id,
                        value: Some(Box::new(fields)),
                    }
                }
                None => Change::GroupDeleted { group_id },
            })
        }
        _ => Ok(
            match ForeignKey::decode(key_type, &key, &mut reader).map_err(on_key)? {
                Some(key) => Change::Foreign {
                    key,
                    live: value.is_some(),
                },
                None => Change::Unknown { key_type },
            },
        ),
    }
}

/// An absent topic id is stored as zero.
pub(crate) fn is_mismatched_topic_id(stored: Uuid, asked: Uuid) -> bool {
    !stored.is_zero() && !asked.is_zero() && stored != asked
}
