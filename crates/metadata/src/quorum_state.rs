//! `quorum-state`: the file in which a node remembers the metadata quorum's epoch and its own vote.

use ottla_protocol::Uuid;
use serde::{Deserialize, Serialize};

/// The file's name.
pub const QUORUM_STATE_FILE: &str = "quorum-state";
/// Version of the file in a quorum with dynamic voters (KIP-853).
const DATA_VERSION: i16 = 1;

/// What the file says; -1 and the zero id stand for nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuorumState {
    /// The leader of the epoch.
    pub leader_id: i32,
    /// The epoch.
    pub leader_epoch: i32,
    /// Whom this node voted for in it.
    pub voted_id: i32,
    /// That node's log directory.
    pub voted_directory_id: Uuid,
}

/// The file does not say what it should.
#[derive(Debug, thiserror::Error)]
#[error(
    "not a quorum state: {0}; restore it from a copy, or delete it: a node that is alone finds its epoch in the log"
)]
pub struct QuorumStateError(#[from] serde_json::Error);

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct File {
    leader_id: i32,
    leader_epoch: i32,
    voted_id: i32,
    #[serde(default)]
    voted_directory_id: Option<String>,
    #[serde(rename = "data_version")]
    data_version: i16,
}

impl QuorumState {
    /// The file's text.
    pub fn encode(&self) -> String {
        let file = File {
            leader_id: self.leader_id,
            leader_epoch: self.leader_epoch,
            voted_id: self.voted_id,
            voted_directory_id: Some(self.voted_directory_id.to_string()),
            data_version: DATA_VERSION,
        };
        match serde_json::to_string(&file) {
            Ok(text) => text,
            Err(error) => unreachable!("plain data always has a JSON form: {error}"),
        }
    }

    /// Reads the file's text, of version 0 or 1.
    pub fn decode(text: &str) -> Result<Self, QuorumStateError> {
        let file: File = serde_json::from_str(text)?;
        let directory = file.voted_directory_id.and_then(|id| id.parse().ok());
        Ok(Self {
            leader_id: file.leader_id,
            leader_epoch: file.leader_epoch,
            voted_id: file.voted_id,
            voted_directory_id: directory.unwrap_or(Uuid::ZERO),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the reference release writes it.
    const TEXT: &str = r#"{"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}"#;

    #[test]
    fn is_what_the_reference_writes() {
        let state = QuorumState {
            leader_id: 1,
            leader_epoch: 1,
            voted_id: -1,
            voted_directory_id: Uuid::ZERO,
        };
        assert_eq!(state.encode(), TEXT);
        assert_eq!(QuorumState::decode(TEXT).unwrap(), state);
        assert!(QuorumState::decode("{}").is_err());
    }
}
