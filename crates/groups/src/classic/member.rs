//! One member of a classic group.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use ottla_protocol::messages::join_group_request::JoinGroupRequestProtocol;

use crate::decision::RequestId;

/// A request whose answer waits for other members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ParkedRequest {
    /// The host's id of the request.
    pub id: RequestId,
    /// The version that the answer will be encoded in.
    pub api_version: i16,
}

/// A protocol (an assignor, for consumers) that a member offers, with the metadata it gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemberProtocol {
    /// Such as `range`.
    pub name: String,
    /// For consumers a `ConsumerProtocolSubscription`; opaque otherwise.
    pub metadata: Bytes,
}

/// A member, and what it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub member_id: Arc<str>,
    /// Set for static members (KIP-345).
    pub group_instance_id: Option<String>,
    pub client_id: String,
    /// As Java prints an address without a name: `/127.0.0.1`.
    pub client_host: String,
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    /// In the member's order of preference.
    pub protocols: Arc<[MemberProtocol]>,
    pub assignment: Bytes,
    /// The JoinGroup that waits for the join phase to end.
    pub awaiting_join: Option<ParkedRequest>,
    /// The SyncGroup that waits for the leader's assignment.
    pub awaiting_sync: Option<ParkedRequest>,
    /// Whether the member has not been told its member id by a finished JoinGroup yet. Such a member cannot send
    /// heartbeats, so a parked JoinGroup does not keep it alive for ever.
    pub is_new: bool,
}

impl Member {
    /// Whether an expired session is to be ignored: a parked request shows that the member is there.
    pub fn has_satisfied_heartbeat(&self) -> bool {
        !self.is_new && (self.awaiting_join.is_some() || self.awaiting_sync.is_some())
    }

    /// Whether the member has given a `group.instance.id`.
    pub fn is_static(&self) -> bool {
        self.group_instance_id.is_some()
    }

    /// The metadata given with `protocol`, if the member offers it.
    pub fn metadata(&self, protocol: &str) -> Option<&Bytes> {
        self.protocols
            .iter()
            .find(|offered| offered.name == protocol)
            .map(|offered| &offered.metadata)
    }

    /// The first of the member's protocols that is among `candidates`.
    pub fn vote<'a>(&'a self, candidates: &BTreeSet<&str>) -> Option<&'a str> {
        self.protocols
            .iter()
            .map(|offered| offered.name.as_str())
            .find(|name| candidates.contains(name))
    }

    /// Whether `protocols` are the ones the member gave before, with the same metadata, in the same order.
    pub fn matches(&self, protocols: &[JoinGroupRequestProtocol]) -> bool {
        self.protocols.len() == protocols.len()
            && self
                .protocols
                .iter()
                .zip(protocols)
                .all(|(own, given)| own.name == given.name && own.metadata == given.metadata)
    }
}

/// Copies the protocols of a request, so that a member does not keep the request's whole frame in memory.
pub(crate) fn copied_protocols(protocols: &[JoinGroupRequestProtocol]) -> Arc<[MemberProtocol]> {
    protocols
        .iter()
        .map(|protocol| MemberProtocol {
            name: protocol.name.clone(),
            metadata: Bytes::copy_from_slice(&protocol.metadata),
        })
        .collect()
}
