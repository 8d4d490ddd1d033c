//! Topics are created, grow and are deleted.

mod create;
mod delete;
mod grow;

pub use create::create_topics;
pub use delete::delete_topics;
pub use grow::create_partitions;

use ottla_protocol::ids::BrokerId;
use ottla_protocol::{ErrorCode, Uuid};

use super::names::NameError;
use super::placement::PlacementError;
use crate::image::{MetadataImage, PartitionImage};

/// Partitions that one request may create.
const MAX_PARTITIONS_PER_REQUEST: usize = 10_000;

/// Why a topic is not created, changed or deleted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
enum TopicError {
    #[error("the request names this topic more than once")]
    Duplicate,
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("the metadata log cannot be created as a topic")]
    Prohibited,
    #[error("Topic '{0}' already exists.")]
    Exists(String),
    #[error("the number of partitions must be larger than 0, not {0}")]
    Partitions(i32),
    #[error(transparent)]
    Placement(#[from] PlacementError),
    #[error(
        "replicas are assigned, so leave the number of partitions and the replication factor at -1"
    )]
    AssignmentAndCounts,
    #[error("the assignment of partition {partition} is wrong: {reason}")]
    Assignment {
        partition: i32,
        reason: AssignmentFault,
    },
    #[error("the assigned partitions are not numbered from 0 without gaps")]
    AssignmentGaps,
    #[error("{given} assignments are given for {added} new partitions")]
    AssignmentCount { given: usize, added: i64 },
    #[error(transparent)]
    Config(#[from] ottla_config::AlterError),
    #[error("the request would create more than {MAX_PARTITIONS_PER_REQUEST} partitions; split it")]
    TooMany,
    #[error("no topic has this name or id")]
    Unknown { by_id: bool },
    #[error("a topic is named by its name or by its id, not by both and not by neither")]
    NameAndId,
    #[error("delete.topic.enable is false")]
    DeletionDisabled,
    #[error("the topic has {current} partitions, and the request asks for {wanted}")]
    NotMore { current: i32, wanted: i32 },
}

/// What is wrong with the brokers that a partition is assigned to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum AssignmentFault {
    #[error("it names no broker")]
    Empty,
    #[error("it names broker {0} twice")]
    Repeated(i32),
    #[error("broker {0} is not registered")]
    UnknownBroker(i32),
    #[error("it has another number of replicas than the others")]
    Uneven,
    #[error("the partition is assigned twice")]
    Twice,
}

impl TopicError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Duplicate | Self::AssignmentAndCounts | Self::NameAndId | Self::Prohibited => {
                ErrorCode::InvalidRequest
            }
            Self::Name(_) => ErrorCode::InvalidTopicException,
            Self::Exists(_) => ErrorCode::TopicAlreadyExists,
            Self::Partitions(_) | Self::NotMore { .. } => ErrorCode::InvalidPartitions,
            Self::Placement(_) => ErrorCode::InvalidReplicationFactor,
            Self::Assignment { .. } | Self::AssignmentGaps | Self::AssignmentCount { .. } => {
                ErrorCode::InvalidReplicaAssignment
            }
            Self::Config(error) => super::configs::alter_code(error),
            Self::TooMany => ErrorCode::PolicyViolation,
            Self::Unknown { by_id: true } => ErrorCode::UnknownTopicId,
            Self::Unknown { by_id: false } => ErrorCode::UnknownTopicOrPartition,
            Self::DeletionDisabled => ErrorCode::TopicDeletionDisabled,
        }
    }
}

/// A new partition kept by `replicas`: the unfenced ones are in sync, the first of them leads.
fn new_partition(image: &MetadataImage, replicas: Vec<i32>) -> PartitionImage {
    let is_active = |id: &&i32| {
        image
            .cluster()
            .broker(BrokerId(**id))
            .is_some_and(|broker| !broker.is_fenced())
    };
    let active: Vec<i32> = replicas.iter().filter(is_active).copied().collect();
    let isr = if active.is_empty() {
        replicas.clone()
    } else {
        active.clone()
    };
    PartitionImage {
        leader: active.first().copied().unwrap_or(crate::image::NO_LEADER),
        isr,
        elr: Vec::new(),
        last_known_elr: Vec::new(),
        removing_replicas: Vec::new(),
        adding_replicas: Vec::new(),
        leader_recovery_state: 0,
        leader_epoch: 0,
        partition_epoch: 0,
        directories: replicas.iter().map(|id| directory_of(image, *id)).collect(),
        replicas,
    }
}

/// The log directory of a new replica: the broker's only one, or none yet (KIP-858).
fn directory_of(image: &MetadataImage, broker_id: i32) -> Uuid {
    /// `DirectoryId.UNASSIGNED`.
    const UNASSIGNED: Uuid = Uuid::ZERO;
    let broker = image.cluster().broker(BrokerId(broker_id));
    match broker.map(|broker| broker.registration.log_dirs.as_slice()) {
        Some([only]) => *only,
        _ => UNASSIGNED,
    }
}

/// Checks the brokers of one partition's assignment.
fn check_assignment(image: &MetadataImage, brokers: &[i32]) -> Result<(), AssignmentFault> {
    if brokers.is_empty() {
        return Err(AssignmentFault::Empty);
    }
    for (index, id) in brokers.iter().enumerate() {
        if brokers[..index].contains(id) {
            return Err(AssignmentFault::Repeated(*id));
        }
        if image.cluster().broker(BrokerId(*id)).is_none() {
            return Err(AssignmentFault::UnknownBroker(*id));
        }
    }
    Ok(())
}
