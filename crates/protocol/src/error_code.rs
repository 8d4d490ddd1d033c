//! Every error code of the protocol.

use std::fmt;

/// Declares [`ErrorCode`] and its tables from one list: variant, code, Kafka's name, retriable, message.
macro_rules! error_codes {
    ($($variant:ident = $code:literal, $name:literal, $retriable:literal, $message:literal;)+) => {
        /// An error code as it stands in an answer.
        ///
        /// Source: `org.apache.kafka.common.protocol.Errors`; the codes, the names and what is retriable are
        /// Kafka's, the messages are ours.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(i16)]
        pub enum ErrorCode {
            $(#[doc = $message] $variant = $code,)+
        }

        impl ErrorCode {
            /// Every error code, in ascending order of the code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The error of this code, `None` if Kafka declares no such code.
            pub const fn from_code(code: i16) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// Kafka's name, such as `UNKNOWN_TOPIC_OR_PARTITION`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// One sentence for a person, in our own words.
            pub const fn message(self) -> &'static str {
                match self {
                    $(Self::$variant => $message,)+
                }
            }

            /// Whether a client may send the same request again and hope for another answer.
            pub const fn is_retriable(self) -> bool {
                match self {
                    $(Self::$variant => $retriable,)+
                }
            }
        }
    };
}

error_codes! {
    UnknownServerError = -1, "UNKNOWN_SERVER_ERROR", false,
        "The broker failed in a way that has no error code of its own; its log says how.";
    None = 0, "NONE", false,
        "The operation succeeded.";
    OffsetOutOfRange = 1, "OFFSET_OUT_OF_RANGE", false,
        "The offset lies before the log's start or past its end.";
    CorruptMessage = 2, "CORRUPT_MESSAGE", true,
        "The record batch is damaged, oversized, or has no key although the topic is compacted.";
    UnknownTopicOrPartition = 3, "UNKNOWN_TOPIC_OR_PARTITION", true,
        "The broker has no such topic or partition.";
    InvalidFetchSize = 4, "INVALID_FETCH_SIZE", false,
        "The number of bytes asked for is not allowed.";
    LeaderNotAvailable = 5, "LEADER_NOT_AVAILABLE", true,
        "The partition has no leader at the moment.";
    NotLeaderOrFollower = 6, "NOT_LEADER_OR_FOLLOWER", true,
        "The broker is not the leader (or, where any replica would do, not a replica) of the partition.";
    RequestTimedOut = 7, "REQUEST_TIMED_OUT", true,
        "The operation did not finish within its timeout.";
    BrokerNotAvailable = 8, "BROKER_NOT_AVAILABLE", false,
        "The broker cannot be reached.";
    ReplicaNotAvailable = 9, "REPLICA_NOT_AVAILABLE", true,
        "The broker's replica of the partition is not ready.";
    MessageTooLarge = 10, "MESSAGE_TOO_LARGE", false,
        "The record batch is larger than the topic allows.";
    StaleControllerEpoch = 11, "STALE_CONTROLLER_EPOCH", false,
        "Another controller has taken over since.";
    OffsetMetadataTooLarge = 12, "OFFSET_METADATA_TOO_LARGE", false,
        "The metadata string committed with the offset is too long.";
    NetworkException = 13, "NETWORK_EXCEPTION", true,
        "The connection broke before the answer arrived.";
    CoordinatorLoadInProgress = 14, "COORDINATOR_LOAD_IN_PROGRESS", true,
        "The coordinator is still reading its log; try again soon.";
    CoordinatorNotAvailable = 15, "COORDINATOR_NOT_AVAILABLE", true,
        "There is no coordinator to serve this at the moment.";
    NotCoordinator = 16, "NOT_COORDINATOR", true,
        "Another broker is the coordinator.";
    InvalidTopicException = 17, "INVALID_TOPIC_EXCEPTION", false,
        "The topic's name is not allowed, or the operation is not allowed on this topic.";
    RecordListTooLarge = 18, "RECORD_LIST_TOO_LARGE", false,
        "The record batch is larger than a whole log segment.";
    NotEnoughReplicas = 19, "NOT_ENOUGH_REPLICAS", true,
        "Too few replicas are in sync, so nothing was written.";
    NotEnoughReplicasAfterAppend = 20, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", true,
        "The records were written, but too few replicas were in sync.";
    InvalidRequiredAcks = 21, "INVALID_REQUIRED_ACKS", false,
        "The acks of a produce request may only be -1, 0 or 1.";
    IllegalGeneration = 22, "ILLEGAL_GENERATION", false,
        "The group is at another generation.";
    InconsistentGroupProtocol = 23, "INCONSISTENT_GROUP_PROTOCOL", false,
        "The member shares no protocol with the others of its group, or offered none.";
    InvalidGroupId = 24, "INVALID_GROUP_ID", false,
        "The group id is not allowed.";
    UnknownMemberId = 25, "UNKNOWN_MEMBER_ID", false,
        "The group has no such member.";
    InvalidSessionTimeout = 26, "INVALID_SESSION_TIMEOUT", false,
        "The session timeout lies outside group.min.session.timeout.ms and group.max.session.timeout.ms.";
    RebalanceInProgress = 27, "REBALANCE_IN_PROGRESS", false,
        "The group is rebalancing; join it again.";
    InvalidCommitOffsetSize = 28, "INVALID_COMMIT_OFFSET_SIZE", false,
        "The offset commit is too large to be stored.";
    TopicAuthorizationFailed = 29, "TOPIC_AUTHORIZATION_FAILED", false,
        "The principal may not do this to the topic.";
    GroupAuthorizationFailed = 30, "GROUP_AUTHORIZATION_FAILED", false,
        "The principal may not do this to the group.";
    ClusterAuthorizationFailed = 31, "CLUSTER_AUTHORIZATION_FAILED", false,
        "The principal may not do this to the cluster.";
    InvalidTimestamp = 32, "INVALID_TIMESTAMP", false,
        "A record's timestamp is further from the broker's clock than the topic allows.";
    UnsupportedSaslMechanism = 33, "UNSUPPORTED_SASL_MECHANISM", false,
        "The broker does not offer this SASL mechanism.";
    IllegalSaslState = 34, "ILLEGAL_SASL_STATE", false,
        "The request does not belong at this point of the SASL exchange.";
    UnsupportedVersion = 35, "UNSUPPORTED_VERSION", false,
        "The broker does not speak this version of the API.";
    TopicAlreadyExists = 36, "TOPIC_ALREADY_EXISTS", false,
        "A topic of this name exists.";
    InvalidPartitions = 37, "INVALID_PARTITIONS", false,
        "The number of partitions is not allowed.";
    InvalidReplicationFactor = 38, "INVALID_REPLICATION_FACTOR", false,
        "The replication factor is below 1 or above the number of usable brokers.";
    InvalidReplicaAssignment = 39, "INVALID_REPLICA_ASSIGNMENT", false,
        "The replica assignment is not allowed.";
    InvalidConfig = 40, "INVALID_CONFIG", false,
        "The configuration is not valid.";
    NotController = 41, "NOT_CONTROLLER", true,
        "Another node is the active controller.";
    InvalidRequest = 42, "INVALID_REQUEST", false,
        "The request contradicts itself or the protocol.";
    UnsupportedForMessageFormat = 43, "UNSUPPORTED_FOR_MESSAGE_FORMAT", false,
        "The log's record format cannot serve this request.";
    PolicyViolation = 44, "POLICY_VIOLATION", false,
        "The cluster's policy refuses the request.";
    OutOfOrderSequenceNumber = 45, "OUT_OF_ORDER_SEQUENCE_NUMBER", false,
        "The producer's sequence number does not follow the last one.";
    DuplicateSequenceNumber = 46, "DUPLICATE_SEQUENCE_NUMBER", false,
        "A batch with this sequence number was written before.";
    InvalidProducerEpoch = 47, "INVALID_PRODUCER_EPOCH", false,
        "The producer's epoch is out of date.";
    InvalidTxnState = 48, "INVALID_TXN_STATE", false,
        "The transaction's state does not allow the operation.";
    InvalidProducerIdMapping = 49, "INVALID_PRODUCER_ID_MAPPING", false,
        "The producer id is not the one assigned to the transactional id.";
    InvalidTransactionTimeout = 50, "INVALID_TRANSACTION_TIMEOUT", false,
        "The transaction timeout exceeds transaction.max.timeout.ms.";
    ConcurrentTransactions = 51, "CONCURRENT_TRANSACTIONS", true,
        "Another operation on the same transaction is still running.";
    TransactionCoordinatorFenced = 52, "TRANSACTION_COORDINATOR_FENCED", false,
        "The sender of the transaction marker is no longer the producer's coordinator.";
    TransactionalIdAuthorizationFailed = 53, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", false,
        "The principal may not use the transactional id.";
    SecurityDisabled = 54, "SECURITY_DISABLED", false,
        "The cluster runs without an authorizer.";
    OperationNotAttempted = 55, "OPERATION_NOT_ATTEMPTED", false,
        "Another part of the request failed, so this part was not tried.";
    KafkaStorageError = 56, "KAFKA_STORAGE_ERROR", true,
        "The disk that holds the log failed.";
    LogDirNotFound = 57, "LOG_DIR_NOT_FOUND", false,
        "The broker has no such log directory.";
    SaslAuthenticationFailed = 58, "SASL_AUTHENTICATION_FAILED", false,
        "The SASL credentials were refused.";
    UnknownProducerId = 59, "UNKNOWN_PRODUCER_ID", false,
        "The broker remembers nothing about this producer id.";
    ReassignmentInProgress = 60, "REASSIGNMENT_IN_PROGRESS", false,
        "The partition's replicas are being reassigned.";
    DelegationTokenAuthDisabled = 61, "DELEGATION_TOKEN_AUTH_DISABLED", false,
        "Delegation tokens are switched off.";
    DelegationTokenNotFound = 62, "DELEGATION_TOKEN_NOT_FOUND", false,
        "There is no such delegation token.";
    DelegationTokenOwnerMismatch = 63, "DELEGATION_TOKEN_OWNER_MISMATCH", false,
        "The principal neither owns nor may renew the delegation token.";
    DelegationTokenRequestNotAllowed = 64, "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", false,
        "Delegation tokens cannot be requested over this kind of connection.";
    DelegationTokenAuthorizationFailed = 65, "DELEGATION_TOKEN_AUTHORIZATION_FAILED", false,
        "The principal may not use the delegation token.";
    DelegationTokenExpired = 66, "DELEGATION_TOKEN_EXPIRED", false,
        "The delegation token has expired.";
    InvalidPrincipalType = 67, "INVALID_PRINCIPAL_TYPE", false,
        "The principal is of a type that is not supported.";
    NonEmptyGroup = 68, "NON_EMPTY_GROUP", false,
        "The group still has members.";
    GroupIdNotFound = 69, "GROUP_ID_NOT_FOUND", false,
        "There is no such group.";
    FetchSessionIdNotFound = 70, "FETCH_SESSION_ID_NOT_FOUND", true,
        "The broker has no such fetch session.";
    InvalidFetchSessionEpoch = 71, "INVALID_FETCH_SESSION_EPOCH", true,
        "The fetch session is at another epoch.";
    ListenerNotFound = 72, "LISTENER_NOT_FOUND", true,
        "The partition's leader has no listener of the name the request came through.";
    TopicDeletionDisabled = 73, "TOPIC_DELETION_DISABLED", false,
        "Deleting topics is switched off.";
    FencedLeaderEpoch = 74, "FENCED_LEADER_EPOCH", true,
        "The leader epoch of the request is older than the partition's.";
    UnknownLeaderEpoch = 75, "UNKNOWN_LEADER_EPOCH", true,
        "The leader epoch of the request is newer than any the broker knows.";
    UnsupportedCompressionType = 76, "UNSUPPORTED_COMPRESSION_TYPE", false,
        "The version of the request does not allow the compression type.";
    StaleBrokerEpoch = 77, "STALE_BROKER_EPOCH", false,
        "The broker has registered again since.";
    OffsetNotAvailable = 78, "OFFSET_NOT_AVAILABLE", true,
        "The new leader does not know its high watermark yet.";
    MemberIdRequired = 79, "MEMBER_ID_REQUIRED", false,
        "Join again with the member id that was just assigned.";
    PreferredLeaderNotAvailable = 80, "PREFERRED_LEADER_NOT_AVAILABLE", true,
        "The preferred leader cannot lead at the moment.";
    GroupMaxSizeReached = 81, "GROUP_MAX_SIZE_REACHED", false,
        "The group is full.";
    FencedInstanceId = 82, "FENCED_INSTANCE_ID", false,
        "Another member has taken over this group.instance.id.";
    EligibleLeadersNotAvailable = 83, "ELIGIBLE_LEADERS_NOT_AVAILABLE", true,
        "No replica is eligible to lead the partition.";
    ElectionNotNeeded = 84, "ELECTION_NOT_NEEDED", true,
        "The partition already has the leader that was asked for.";
    NoReassignmentInProgress = 85, "NO_REASSIGNMENT_IN_PROGRESS", false,
        "The partition is not being reassigned.";
    GroupSubscribedToTopic = 86, "GROUP_SUBSCRIBED_TO_TOPIC", false,
        "The group still consumes the topic, so its offsets cannot be deleted.";
    InvalidRecord = 87, "INVALID_RECORD", false,
        "A record breaks a rule of its topic.";
    UnstableOffsetCommit = 88, "UNSTABLE_OFFSET_COMMIT", true,
        "An open transaction may still change the committed offset.";
    ThrottlingQuotaExceeded = 89, "THROTTLING_QUOTA_EXCEEDED", true,
        "The quota is used up; wait before trying again.";
    ProducerFenced = 90, "PRODUCER_FENCED", false,
        "A newer producer uses the same transactional id.";
    ResourceNotFound = 91, "RESOURCE_NOT_FOUND", false,
        "The resource does not exist.";
    DuplicateResource = 92, "DUPLICATE_RESOURCE", false,
        "The request names the same resource twice.";
    UnacceptableCredential = 93, "UNACCEPTABLE_CREDENTIAL", false,
        "The credential does not meet the requirements.";
    InconsistentVoterSet = 94, "INCONSISTENT_VOTER_SET", false,
        "The sender or the receiver is not one of the voters.";
    InvalidUpdateVersion = 95, "INVALID_UPDATE_VERSION", false,
        "The feature cannot be set to this version.";
    FeatureUpdateFailed = 96, "FEATURE_UPDATE_FAILED", false,
        "The features could not be updated.";
    PrincipalDeserializationFailure = 97, "PRINCIPAL_DESERIALIZATION_FAILURE", false,
        "The principal of a forwarded request could not be read.";
    SnapshotNotFound = 98, "SNAPSHOT_NOT_FOUND", false,
        "There is no such snapshot.";
    PositionOutOfRange = 99, "POSITION_OUT_OF_RANGE", false,
        "The position lies outside the snapshot.";
    UnknownTopicId = 100, "UNKNOWN_TOPIC_ID", true,
        "The broker has no topic of this id.";
    DuplicateBrokerRegistration = 101, "DUPLICATE_BROKER_REGISTRATION", false,
        "Another live broker is registered under this id.";
    BrokerIdNotRegistered = 102, "BROKER_ID_NOT_REGISTERED", false,
        "No broker is registered under this id.";
    InconsistentTopicId = 103, "INCONSISTENT_TOPIC_ID", true,
        "The request's topic id is not that of the broker's log.";
    InconsistentClusterId = 104, "INCONSISTENT_CLUSTER_ID", false,
        "The request is meant for another cluster.";
    TransactionalIdNotFound = 105, "TRANSACTIONAL_ID_NOT_FOUND", false,
        "There is no such transactional id.";
    FetchSessionTopicIdError = 106, "FETCH_SESSION_TOPIC_ID_ERROR", true,
        "The fetch session mixes requests with and without topic ids.";
    IneligibleReplica = 107, "INELIGIBLE_REPLICA", false,
        "The new ISR holds a replica that may not be in it.";
    NewLeaderElected = 108, "NEW_LEADER_ELECTED", false,
        "The partition was changed as asked and got a new leader by it.";
    OffsetMovedToTieredStorage = 109, "OFFSET_MOVED_TO_TIERED_STORAGE", false,
        "The offset is only in remote storage now.";
    FencedMemberEpoch = 110, "FENCED_MEMBER_EPOCH", false,
        "The coordinator has fenced the member; it must drop its partitions and join again.";
    UnreleasedInstanceId = 111, "UNRELEASED_INSTANCE_ID", false,
        "Another member still holds this group.instance.id.";
    UnsupportedAssignor = 112, "UNSUPPORTED_ASSIGNOR", false,
        "The group does not support the assignor or its version.";
    StaleMemberEpoch = 113, "STALE_MEMBER_EPOCH", false,
        "The member must learn its new epoch by a heartbeat and try again.";
    MismatchedEndpointType = 114, "MISMATCHED_ENDPOINT_TYPE", false,
        "The request was meant for the other kind of node, broker or controller.";
    UnsupportedEndpointType = 115, "UNSUPPORTED_ENDPOINT_TYPE", false,
        "This kind of endpoint is not supported.";
    UnknownControllerId = 116, "UNKNOWN_CONTROLLER_ID", false,
        "There is no controller of this id.";
    UnknownSubscriptionId = 117, "UNKNOWN_SUBSCRIPTION_ID", false,
        "The telemetry subscription has changed or never existed.";
    TelemetryTooLarge = 118, "TELEMETRY_TOO_LARGE", false,
        "The pushed telemetry is larger than the broker accepts.";
    InvalidRegistration = 119, "INVALID_REGISTRATION", false,
        "The controller refuses the registration.";
    TransactionAbortable = 120, "TRANSACTION_ABORTABLE", false,
        "The transaction failed and can be aborted; the transactional id stays usable.";
    InvalidRecordState = 121, "INVALID_RECORD_STATE", false,
        "The record is not in a state that the acknowledgement fits.";
    ShareSessionNotFound = 122, "SHARE_SESSION_NOT_FOUND", true,
        "The broker has no such share session.";
    InvalidShareSessionEpoch = 123, "INVALID_SHARE_SESSION_EPOCH", true,
        "The share session is at another epoch.";
    FencedStateEpoch = 124, "FENCED_STATE_EPOCH", false,
        "The share group's state is at another epoch.";
    InvalidVoterKey = 125, "INVALID_VOTER_KEY", false,
        "The voter's id and directory are not those of the receiver.";
    DuplicateVoter = 126, "DUPLICATE_VOTER", false,
        "The node is a voter already.";
    VoterNotFound = 127, "VOTER_NOT_FOUND", false,
        "The node is not a voter.";
    InvalidRegularExpression = 128, "INVALID_REGULAR_EXPRESSION", false,
        "The regular expression does not compile.";
    RebootstrapRequired = 129, "REBOOTSTRAP_REQUIRED", false,
        "The client's view of the cluster is too old; start over from the bootstrap servers.";
    StreamsInvalidTopology = 130, "STREAMS_INVALID_TOPOLOGY", false,
        "The streams topology is not valid.";
    StreamsInvalidTopologyEpoch = 131, "STREAMS_INVALID_TOPOLOGY_EPOCH", false,
        "The epoch of the streams topology is not valid.";
    StreamsTopologyFenced = 132, "STREAMS_TOPOLOGY_FENCED", false,
        "The group has a newer streams topology.";
    ShareSessionLimitReached = 133, "SHARE_SESSION_LIMIT_REACHED", true,
        "The broker holds as many share sessions as it may.";
}

impl ErrorCode {
    /// The number on the wire.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// Whether the operation succeeded.
    pub const fn is_none(self) -> bool {
        matches!(self, Self::None)
    }
}

impl From<ErrorCode> for i16 {
    fn from(error: ErrorCode) -> Self {
        error.code()
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_variants_map_both_ways_without_gaps() {
        for (index, error) in ErrorCode::ALL.iter().enumerate() {
            assert_eq!(error.code(), index as i16 - 1);
            assert_eq!(ErrorCode::from_code(error.code()), Some(*error));
        }
        assert_eq!(ErrorCode::from_code(-2), None);
        assert_eq!(ErrorCode::from_code(ErrorCode::ALL.len() as i16 - 1), None);
    }

    #[test]
    fn names_are_kafkas() {
        assert_eq!(
            ErrorCode::UnknownTopicOrPartition.name(),
            "UNKNOWN_TOPIC_OR_PARTITION"
        );
        assert_eq!(ErrorCode::None.to_string(), "NONE");
        assert!(ErrorCode::NotLeaderOrFollower.is_retriable());
        assert!(!ErrorCode::UnknownMemberId.is_retriable());
    }
}
