//! Control records: markers that a broker or a controller writes and consumers never see.

use super::builder::{BatchBuilder, BuildError};

/// The version of the key of every control record.
const KEY_VERSION: i16 = 0;

/// What a control record means: the second half of its key, the first being a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ControlRecordType {
    /// The producer's transaction is aborted (KIP-98).
    Abort,
    /// The producer's transaction is committed (KIP-98).
    Commit,
    /// A new leader of the metadata log, its value a `LeaderChangeMessage` (KIP-595).
    LeaderChange,
    /// The first record of a snapshot, its value a `SnapshotHeaderRecord` (KIP-630).
    SnapshotHeader,
    /// The last record of a snapshot, its value a `SnapshotFooterRecord` (KIP-630).
    SnapshotFooter,
    /// The version of the metadata log's protocol, its value a `KRaftVersionRecord` (KIP-853).
    KraftVersion,
    /// The voters of the metadata log, its value a `VotersRecord` (KIP-853).
    KraftVoters,
    /// A type that is not known here, to be skipped.
    Unknown(i16),
}

/// Why a control record's key cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlRecordError {
    /// The key is null or shorter than its two fields.
    #[error("control record has a key of {length} bytes, too few for a version and a type")]
    KeyTooShort {
        /// The key's bytes.
        length: usize,
    },
    /// The version is negative.
    #[error("control record has key version {version}")]
    InvalidKeyVersion {
        /// The version.
        version: i16,
    },
}

impl ControlRecordType {
    /// The number in a key.
    pub fn id(self) -> i16 {
        match self {
            Self::Abort => 0,
            Self::Commit => 1,
            Self::LeaderChange => 2,
            Self::SnapshotHeader => 3,
            Self::SnapshotFooter => 4,
            Self::KraftVersion => 5,
            Self::KraftVoters => 6,
            Self::Unknown(id) => id,
        }
    }

    /// The type of that number.
    pub fn from_id(id: i16) -> Self {
        match id {
            0 => Self::Abort,
            1 => Self::Commit,
            2 => Self::LeaderChange,
            3 => Self::SnapshotHeader,
            4 => Self::SnapshotFooter,
            5 => Self::KraftVersion,
            6 => Self::KraftVoters,
            id => Self::Unknown(id),
        }
    }

    /// The type that a control record's key names. Keys of later versions are read as far as they
    /// are known.
    pub fn from_key(key: &[u8]) -> Result<Self, ControlRecordError> {
        let &[v1, v0, t1, t0, ..] = key else {
            return Err(ControlRecordError::KeyTooShort { length: key.len() });
        };
        let version = i16::from_be_bytes([v1, v0]);
        if version < 0 {
            return Err(ControlRecordError::InvalidKeyVersion { version });
        }
        Ok(Self::from_id(i16::from_be_bytes([t1, t0])))
    }

    /// The key of a control record of this type.
    pub fn key(self) -> [u8; 4] {
        let [v1, v0] = KEY_VERSION.to_be_bytes();
        let [t1, t0] = self.id().to_be_bytes();
        [v1, v0, t1, t0]
    }
}

impl BatchBuilder {
    /// Adds a control record with the encoded message that belongs to its type. The builder must
    /// be one for control records ([`BatchBuilder::control`]).
    pub fn append_control(
        &mut self,
        timestamp: i64,
        control_type: ControlRecordType,
        value: &[u8],
    ) -> Result<(), BuildError> {
        self.append(timestamp, Some(&control_type.key()), Some(value), &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_round_trip() {
        for id in -1..8 {
            let control_type = ControlRecordType::from_id(id);
            assert_eq!(control_type.id(), id);
            assert_eq!(
                ControlRecordType::from_key(&control_type.key()),
                Ok(control_type)
            );
        }
    }

    #[test]
    fn keys_that_cannot_be_read() {
        let check = |key: &[u8], expected| assert_eq!(ControlRecordType::from_key(key), expected);
        check(&[], Err(ControlRecordError::KeyTooShort { length: 0 }));
        check(
            &[0, 0, 0],
            Err(ControlRecordError::KeyTooShort { length: 3 }),
        );
        check(
            &[0xff, 0xff, 0, 1],
            Err(ControlRecordError::InvalidKeyVersion { version: -1 }),
        );
        check(&[0, 9, 0, 1, 7], Ok(ControlRecordType::Commit));
    }
}
