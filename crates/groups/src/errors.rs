//! What is refused and why, and the one place where that becomes a Kafka error code.

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::delete_groups_response::DeletableGroupResult;
use ottla_protocol::messages::offset_fetch_response::OffsetFetchResponseGroup;
use ottla_protocol::messages::{
    HeartbeatResponse, JoinGroupResponse, LeaveGroupResponse, OffsetCommitResponse,
    OffsetDeleteResponse, SyncGroupResponse,
};
use thiserror::Error;

/// Why a member is not who it says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum MemberError {
    #[error("the group has no such member")]
    UnknownMember,
    #[error("another member took over the group instance id")]
    FencedInstance,
    #[error("the member speaks of another generation")]
    IllegalGeneration,
}

impl MemberError {
    pub fn error_code(self) -> ErrorCode {
        match self {
            Self::UnknownMember => ErrorCode::UnknownMemberId,
            Self::FencedInstance => ErrorCode::FencedInstanceId,
            Self::IllegalGeneration => ErrorCode::IllegalGeneration,
        }
    }
}

/// Why a JoinGroup is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum JoinGroupError {
    #[error("a group needs an id")]
    EmptyGroupId,
    #[error(
        "the session timeout is outside group.min.session.timeout.ms and group.max.session.timeout.ms"
    )]
    SessionTimeout,
    #[error("a member id made of this client or instance id would be too long to be stored")]
    IdTooLong,
    #[error("the member's protocols do not fit the group's")]
    InconsistentProtocol,
    #[error("too many members have been given an id and have not come back with it")]
    TooManyPending,
    #[error(transparent)]
    Member(#[from] MemberError),
}

impl JoinGroupError {
    pub fn error_code(self) -> ErrorCode {
        match self {
            Self::EmptyGroupId => ErrorCode::InvalidGroupId,
            Self::SessionTimeout => ErrorCode::InvalidSessionTimeout,
            Self::IdTooLong => ErrorCode::InvalidRequest,
            // Every client takes this as: the same coordinator, a little later.
            Self::TooManyPending => ErrorCode::CoordinatorLoadInProgress,
            Self::InconsistentProtocol => ErrorCode::InconsistentGroupProtocol,
            Self::Member(error) => error.error_code(),
        }
    }
}

/// Why a SyncGroup is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum SyncGroupError {
    #[error("a group needs an id")]
    EmptyGroupId,
    #[error(transparent)]
    Member(#[from] MemberError),
    #[error("the member believes in another protocol than the group selected")]
    InconsistentProtocol,
    #[error("the members are joining again")]
    RebalanceInProgress,
}

impl SyncGroupError {
    pub fn error_code(self) -> ErrorCode {
        match self {
            Self::EmptyGroupId => ErrorCode::InvalidGroupId,
            Self::Member(error) => error.error_code(),
            Self::InconsistentProtocol => ErrorCode::InconsistentGroupProtocol,
            Self::RebalanceInProgress => ErrorCode::RebalanceInProgress,
        }
    }
}

/// Why a Heartbeat is answered with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum HeartbeatError {
    #[error("a group needs an id")]
    EmptyGroupId,
    #[error(transparent)]
    Member(#[from] MemberError),
}

impl HeartbeatError {
    pub fn error_code(self) -> ErrorCode {
        match self {
            Self::EmptyGroupId => ErrorCode::InvalidGroupId,
            Self::Member(error) => error.error_code(),
        }
    }
}

/// Why an OffsetCommit is refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum OffsetCommitError {
    #[error("there is no such group")]
    GroupNotFound,
    #[error(transparent)]
    Member(#[from] MemberError),
    #[error("the leader's assignment is awaited")]
    RebalanceInProgress,
}

impl OffsetCommitError {
    /// The code depends on the version of the request: before version 9 clients do not know GROUP_ID_NOT_FOUND.
    pub fn error_code(self, api_version: i16) -> ErrorCode {
        match self {
            Self::GroupNotFound if api_version >= 9 => ErrorCode::GroupIdNotFound,
            Self::GroupNotFound => ErrorCode::IllegalGeneration,
            Self::Member(error) => error.error_code(),
            Self::RebalanceInProgress => ErrorCode::RebalanceInProgress,
        }
    }
}

/// Why a group, or its offsets, cannot be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum DeleteError {
    #[error("a group needs an id")]
    EmptyGroupId,
    #[error("there is no such group")]
    GroupNotFound,
    #[error("the group has members")]
    NonEmptyGroup,
}

impl DeleteError {
    pub fn error_code(self) -> ErrorCode {
        match self {
            Self::EmptyGroupId => ErrorCode::InvalidGroupId,
            Self::GroupNotFound => ErrorCode::GroupIdNotFound,
            Self::NonEmptyGroup => ErrorCode::NonEmptyGroup,
        }
    }
}

/// What clients of the group APIs are told when the coordinator's log could not be written, or not in time.
///
/// Source: `CoordinatorOperationExceptionHelper.handleOperationException`.
pub fn append_error_code(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::NotEnoughReplicasAfterAppend
        | ErrorCode::RequestTimedOut => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge
        | ErrorCode::RecordListTooLarge
        | ErrorCode::InvalidFetchSize => ErrorCode::UnknownServerError,
        other => other,
    }
}

/// A response that can say that what it answers did not happen: the append failed, the wait for the high watermark did,
/// or the shard is loading (COORDINATOR_LOAD_IN_PROGRESS) or somewhere else (NOT_COORDINATOR).
pub trait FailureReply: Sized {
    /// The response with `error`. `planned` is what would have been answered, if that was known; a response that names
    /// what was asked for takes it from there.
    fn failed(planned: Option<Self>, error: ErrorCode) -> Self;
}

impl FailureReply for () {
    fn failed(_: Option<Self>, _: ErrorCode) -> Self {}
}

impl FailureReply for JoinGroupResponse {
    fn failed(_: Option<Self>, error: ErrorCode) -> Self {
        Self {
            error_code: error.code(),
            ..Default::default()
        }
    }
}

impl FailureReply for SyncGroupResponse {
    fn failed(_: Option<Self>, error: ErrorCode) -> Self {
        Self {
            error_code: error.code(),
            ..Default::default()
        }
    }
}

impl FailureReply for HeartbeatResponse {
    /// While the shard is loaded, members are told to go on: their sessions begin when it is.
    fn failed(_: Option<Self>, error: ErrorCode) -> Self {
        let error = match error {
            ErrorCode::CoordinatorLoadInProgress => ErrorCode::None,
            other => other,
        };
        Self {
            error_code: error.code(),
            ..Default::default()
        }
    }
}

impl FailureReply for LeaveGroupResponse {
    fn failed(_: Option<Self>, error: ErrorCode) -> Self {
        Self {
            error_code: error.code(),
            ..Default::default()
        }
    }
}

impl FailureReply for OffsetCommitResponse {
    fn failed(planned: Option<Self>, error: ErrorCode) -> Self {
        let mut response = planned.unwrap_or_default();
        for partition in response
            .topics
            .iter_mut()
            .flat_map(|topic| &mut topic.partitions)
        {
            partition.error_code = error.code();
        }
        response
    }
}

impl FailureReply for OffsetDeleteResponse {
    fn failed(_: Option<Self>, error: ErrorCode) -> Self {
        Self {
            error_code: error.code(),
            ..Default::default()
        }
    }
}

impl FailureReply for Vec<DeletableGroupResult> {
    fn failed(planned: Option<Self>, error: ErrorCode) -> Self {
        let mut results = planned.unwrap_or_default();
        for result in &mut results {
            result.error_code = error.code();
        }
        results
    }
}

impl FailureReply for OffsetFetchResponseGroup {
    /// A fetch writes nothing; this is for one whose wait for the high watermark ended badly. Consumers before 3.9 do
    /// not know COORDINATOR_NOT_AVAILABLE here.
    fn failed(planned: Option<Self>, error: ErrorCode) -> Self {
        let error = match error {
            ErrorCode::CoordinatorNotAvailable => ErrorCode::NotCoordinator,
            other => other,
        };
        let group_id = planned.map(|group| group.group_id).unwrap_or_default();
        Self {
            group_id,
            error_code: error.code(),
            ..Default::default()
        }
    }
}
