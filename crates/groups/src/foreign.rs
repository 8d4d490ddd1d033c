//! Groups of other kinds than classic: consumer groups (KIP-848), share groups (KIP-932), streams groups (KIP-1071).
//!
//! This crate does not serve them yet. It knows from the keys of their records that they exist and whether they have
//! members, so that a classic group never takes the place of one that is in use, and so that a log which the reference
//! broker wrote loses nothing: their values stay in the log, unread. What serves them later replaces this module,
//! beside [`crate::classic`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use ottla_protocol::DecodeError;
use ottla_protocol::wire::Reader;

use crate::decision::CoordinatorRecord;
use crate::records::Change;

/// The kinds of groups that are not classic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForeignKind {
    Consumer,
    Share,
    Streams,
}

impl ForeignKind {
    /// The group type as ListGroups gives it, which is the protocol type too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Share => "share",
            Self::Streams => "streams",
        }
    }

    /// The kind that a record of `key_type` belongs to, and whether such a record stands for a member.
    fn of_key_type(key_type: i16) -> Option<(Self, bool)> {
        match key_type {
            3..=8 | 16 => Some((Self::Consumer, key_type == 5)),
            10..=15 => Some((Self::Share, key_type == 10)),
            17..=23 => Some((Self::Streams, key_type == 19)),
            _ => None,
        }
    }
}

/// The key of a record about such a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ForeignKey {
    pub kind: ForeignKind,
    pub group_id: Arc<str>,
    /// Whether the record stands for a member.
    pub is_member: bool,
    /// The whole key.
    pub bytes: Bytes,
}

impl ForeignKey {
    /// Reads what all these keys begin with, the group id; `None` for unknown types.
    pub fn decode(
        key_type: i16,
        key: &Bytes,
        body: &mut Reader,
    ) -> Result<Option<Self>, DecodeError> {
        let Some((kind, is_member)) = ForeignKind::of_key_type(key_type) else {
            return Ok(None);
        };
        let group_id = body.string(false)?.into();
        Ok(Some(Self {
            kind,
            group_id,
            is_member,
            bytes: Bytes::copy_from_slice(key),
        }))
    }
}

/// Such a group: the keys of its records that are not deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ForeignGroup {
    group_id: Arc<str>,
    pub kind: ForeignKind,
    members: BTreeSet<Bytes>,
    others: BTreeSet<Bytes>,
}

impl ForeignGroup {
    /// Whether the group has no members.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The name of its state as ListGroups gives it, as far as is known here.
    pub fn state_name(&self) -> &'static str {
        if self.is_empty() { "Empty" } else { "Stable" }
    }

    /// Tombstones for all its records, those about members first.
    pub fn tombstones(&self) -> impl Iterator<Item = (CoordinatorRecord, Change)> {
        let members = self.members.iter().map(|bytes| (bytes, true));
        members
            .chain(self.others.iter().map(|bytes| (bytes, false)))
            .map(|(bytes, is_member)| {
                let (kind, group_id, bytes) = (self.kind, self.group_id.clone(), bytes.clone());
                let record = CoordinatorRecord {
                    key: bytes.clone(),
                    value: None,
                };
                (
                    record,
                    Change::Foreign {
                        key: ForeignKey {
                            kind,
                            group_id,
                            is_member,
                            bytes,
                        },
                        live: false,
                    },
                )
            })
    }
}

/// The groups that are not classic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ForeignGroups {
    groups: BTreeMap<Arc<str>, ForeignGroup>,
}

impl ForeignGroups {
    /// The group called `group_id`, if it is not a classic one.
    pub fn get(&self, group_id: &str) -> Option<&ForeignGroup> {
        self.groups.get(group_id)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &ForeignGroup)> {
        self.groups.iter()
    }

    /// Takes note of a record, or of its tombstone.
    pub fn replay(&mut self, key: ForeignKey, live: bool) {
        if live {
            let group_id = key.group_id;
            let group = self
                .groups
                .entry(group_id.clone())
                .or_insert_with(|| ForeignGroup {
                    group_id,
                    kind: key.kind,
                    members: BTreeSet::new(),
                    others: BTreeSet::new(),
                });
            group.kind = key.kind;
            let keys = if key.is_member {
                &mut group.members
            } else {
                &mut group.others
            };
            keys.insert(key.bytes);
        } else if let Some(group) = self.groups.get_mut(&key.group_id) {
            group.members.remove(&key.bytes);
            group.others.remove(&key.bytes);
            if group.members.is_empty() && group.others.is_empty() {
                self.groups.remove(&key.group_id);
            }
        }
    }
}
