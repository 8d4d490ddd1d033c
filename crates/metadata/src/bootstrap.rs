//! What a freshly formatted cluster begins with.

use ottla_protocol::Uuid;
use ottla_protocol::messages::metadata::{
    BeginTransactionRecord, EndTransactionRecord, FeatureLevelRecord, MetadataRecord,
};
use ottla_protocol::messages::voters_record::{
    Endpoint as VoterEndpoint, KRaftVersionFeature, Voter,
};
use ottla_protocol::messages::{KRaftVersionRecord, VotersRecord};

use crate::image::Endpoint;
use crate::log_codec::ControlRecord;
use crate::snapshot::METADATA_VERSION;

/// The level of metadata.version 4.3-IV0.
pub const METADATA_VERSION_LEVEL: i16 = 30;
/// The lowest level of metadata.version, 3.3-IV3.
pub const MIN_METADATA_VERSION_LEVEL: i16 = 7;
/// The level of kraft.version: voters may change (KIP-853).
pub const KRAFT_VERSION_LEVEL: i16 = 1;
/// The feature that says how the quorum works; its level is in control records.
pub const KRAFT_VERSION: &str = "kraft.version";
/// What the first transaction of the metadata log is called.
const BOOTSTRAP_TRANSACTION: &str = "Bootstrap records";

/// A feature and the levels of it that this broker can work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupportedFeature {
    /// Its name.
    pub name: &'static str,
    /// The lowest level.
    pub min: i16,
    /// The highest level.
    pub max: i16,
}

/// Every feature of the release, at the levels that work: a level above 0 is a promise to clients.
pub const SUPPORTED_FEATURES: [SupportedFeature; 7] = [
    SupportedFeature {
        name: "eligible.leader.replicas.version",
        min: 0,
        max: 0,
    },
    SupportedFeature {
        name: "group.version",
        min: 0,
        max: 0,
    },
    SupportedFeature {
        name: KRAFT_VERSION,
        min: 0,
        max: KRAFT_VERSION_LEVEL,
    },
    SupportedFeature {
        name: METADATA_VERSION,
        min: MIN_METADATA_VERSION_LEVEL,
        max: METADATA_VERSION_LEVEL,
    },
    SupportedFeature {
        name: "share.version",
        min: 0,
        max: 0,
    },
    SupportedFeature {
        name: "streams.version",
        min: 0,
        max: 0,
    },
    SupportedFeature {
        name: "transaction.version",
        min: 0,
        max: 0,
    },
];

/// A feature cannot begin at the level asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeatureError {
    /// No such feature.
    #[error("there is no feature {name}; the features are {}", SUPPORTED_FEATURES.map(|feature| feature.name).join(", "))]
    Unknown {
        /// Its name.
        name: String,
    },
    /// A level that does not work.
    #[error(
        "feature {name} cannot begin at level {level}; this version formats it at {min} to {max}"
    )]
    Level {
        /// The feature.
        name: &'static str,
        /// The level asked for.
        level: i16,
        /// The lowest level that works.
        min: i16,
        /// The highest level that works.
        max: i16,
    },
}

/// The records of `bootstrap.checkpoint`, features at their highest levels.
pub fn bootstrap_records() -> Vec<MetadataRecord> {
    records_at(METADATA_VERSION_LEVEL)
}

/// The records of `bootstrap.checkpoint`: metadata.version at the level in `levels`, or at the
/// highest. The other features have only one level to begin at.
pub fn bootstrap_records_at(levels: &[(String, i16)]) -> Result<Vec<MetadataRecord>, FeatureError> {
    let mut metadata_version = METADATA_VERSION_LEVEL;
    for (name, level) in levels {
        let feature = SUPPORTED_FEATURES
            .iter()
            .find(|feature| feature.name == name)
            .ok_or_else(|| FeatureError::Unknown { name: name.clone() })?;
        // The quorum's own records are of the highest level.
        let min = match feature.name {
            KRAFT_VERSION => feature.max,
            _ => feature.min,
        };
        if !(min..=feature.max).contains(level) {
            return Err(FeatureError::Level {
                name: feature.name,
                level: *level,
                min,
                max: feature.max,
            });
        }
        if feature.name == METADATA_VERSION {
            metadata_version = *level;
        }
    }
    Ok(records_at(metadata_version))
}

fn records_at(metadata_version: i16) -> Vec<MetadataRecord> {
    vec![MetadataRecord::FeatureLevel(FeatureLevelRecord {
        name: METADATA_VERSION.to_owned(),
        feature_level: metadata_version,
        ..Default::default()
    })]
}

/// The records with which the first controller begins the log: `bootstrap` as one transaction.
pub fn first_records(bootstrap: Vec<MetadataRecord>) -> Vec<MetadataRecord> {
    let begin = BeginTransactionRecord {
        name: Some(BOOTSTRAP_TRANSACTION.to_owned()),
        ..Default::default()
    };
    let mut records = vec![MetadataRecord::BeginTransaction(begin)];
    records.extend(bootstrap);
    records.push(MetadataRecord::EndTransaction(
        EndTransactionRecord::default(),
    ));
    records
}

/// The control records that say how the quorum works and who votes: one node.
pub fn quorum_records(
    node_id: i32,
    directory_id: Uuid,
    endpoints: &[Endpoint],
) -> [ControlRecord; 2] {
    let endpoints = endpoints.iter().map(|endpoint| VoterEndpoint {
        name: endpoint.name.clone(),
        host: endpoint.host.clone(),
        port: endpoint.port,
        ..Default::default()
    });
    let voter = Voter {
        voter_id: node_id,
        voter_directory_id: directory_id,
        endpoints: endpoints.collect(),
        kraft_version_feature: KRaftVersionFeature {
            min_supported_version: 0,
            max_supported_version: KRAFT_VERSION_LEVEL,
            ..Default::default()
        },
        ..Default::default()
    };
    [
        ControlRecord::KRaftVersion(KRaftVersionRecord {
            kraft_version: KRAFT_VERSION_LEVEL,
            ..Default::default()
        }),
        ControlRecord::Voters(VotersRecord {
            voters: vec![voter],
            ..Default::default()
        }),
    ]
}
