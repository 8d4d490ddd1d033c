//! Records that are kept and written into snapshots, though nothing here acts on them.

use std::collections::BTreeMap;

use ottla_protocol::Uuid;
use ottla_protocol::messages::metadata::MetadataRecord;

/// What makes two records be about the same thing; ordered as Kafka writes snapshots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Controller(i32),
    Quota(Vec<(String, Option<String>)>, String),
    Acl(Uuid),
    Scram(String, i8),
    Token(String),
}

/// The records, by what they are about.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Retained {
    records: BTreeMap<Key, MetadataRecord>,
}

impl Retained {
    /// Keeps, replaces or forgets what `record` is about.
    pub fn apply(&mut self, record: &MetadataRecord) {
        let (key, keep) = match record {
            MetadataRecord::RegisterController(controller) => {
                (Key::Controller(controller.controller_id), true)
            }
            MetadataRecord::ClientQuota(quota) => {
                let entity = quota.entity.iter();
                let entity = entity
                    .map(|part| (part.entity_type.clone(), part.entity_name.clone()))
                    .collect();
                (Key::Quota(entity, quota.key.clone()), !quota.remove)
            }
            MetadataRecord::AccessControlEntry(acl) => (Key::Acl(acl.id), true),
            MetadataRecord::RemoveAccessControlEntry(acl) => (Key::Acl(acl.id), false),
            MetadataRecord::UserScramCredential(scram) => {
                (Key::Scram(scram.name.clone(), scram.mechanism), true)
            }
            MetadataRecord::RemoveUserScramCredential(scram) => {
                (Key::Scram(scram.name.clone(), scram.mechanism), false)
            }
            MetadataRecord::DelegationToken(token) => (Key::Token(token.token_id.clone()), true),
            MetadataRecord::RemoveDelegationToken(token) => {
                (Key::Token(token.token_id.clone()), false)
            }
            _ => return,
        };
        match keep {
            true => drop(self.records.insert(key, record.clone())),
            false => drop(self.records.remove(&key)),
        }
    }

    /// Whether `record` is one of those that are kept here.
    pub fn concerns(record: &MetadataRecord) -> bool {
        matches!(
            record,
            MetadataRecord::RegisterController(_)
                | MetadataRecord::ClientQuota(_)
                | MetadataRecord::AccessControlEntry(_)
                | MetadataRecord::RemoveAccessControlEntry(_)
                | MetadataRecord::UserScramCredential(_)
                | MetadataRecord::RemoveUserScramCredential(_)
                | MetadataRecord::DelegationToken(_)
                | MetadataRecord::RemoveDelegationToken(_)
        )
    }

    /// The records, in the order of a snapshot.
    pub fn records(&self) -> impl Iterator<Item = &MetadataRecord> {
        self.records.values()
    }
}
