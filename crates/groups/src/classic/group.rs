//! A classic group: its state, and the questions that requests ask of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use ottla_protocol::ids::TimestampMs;
use ottla_protocol::messages::group::group_metadata_value::GroupMetadataValue;
use ottla_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use ottla_protocol::messages::join_group_response::JoinGroupResponseMember;

use crate::classic::member::{Member, MemberProtocol};
use crate::consumer_protocol::{PROTOCOL_TYPE, subscribed_topics};
use crate::errors::MemberError;

/// The states of a classic group. Kafka's fifth, `Dead`, is a group that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassicGroupState {
    /// No members; perhaps offsets, perhaps members that have been given an id and have not come back yet.
    Empty,
    /// Members are joining, or being waited for.
    PreparingRebalance,
    /// All have joined; the leader's assignment is awaited.
    CompletingRebalance,
    /// Every member has an assignment, or can fetch it.
    Stable,
}

impl ClassicGroupState {
    /// Kafka's name of the state, as ListGroups and DescribeGroups give it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

impl fmt::Display for ClassicGroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The waiting for the first members of a group that was empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InitialRebalance {
    /// How long the running delay is.
    pub delay_ms: i64,
    /// How much longer the delay may become.
    pub remaining_ms: i64,
    /// Whether a member came during the running delay.
    pub new_member_added: bool,
}

/// A classic group, durable state and soft state together. Cloning costs one reference per member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClassicGroup {
    pub id: Arc<str>,
    pub state: ClassicGroupState,
    /// When the state was entered; unknown for groups read from old records.
    pub state_timestamp: Option<TimestampMs>,
    pub protocol_type: Option<String>,
    /// The protocol of this generation.
    pub protocol_name: Option<String>,
    pub generation_id: i32,
    pub leader_id: Option<Arc<str>>,
    pub members: BTreeMap<Arc<str>, Arc<Member>>,
    /// Member ids by `group.instance.id`.
    pub static_members: BTreeMap<Arc<str>, Arc<str>>,
    /// Member ids given out with MEMBER_ID_REQUIRED and not come back yet (KIP-394).
    pub pending_join: BTreeSet<Arc<str>>,
    /// Members that have not sent the SyncGroup of this generation.
    pub pending_sync: BTreeSet<Arc<str>>,
    /// What this generation's members subscribe to; `None` when that cannot be known.
    pub subscribed_topics: Option<Arc<BTreeSet<String>>>,
    /// Set while a group that was empty waits for its first members.
    pub initial_rebalance: Option<InitialRebalance>,
}

impl ClassicGroup {
    /// A group without members. What only has committed offsets ("simple group") stays like this.
    pub fn empty(id: Arc<str>, now: Option<TimestampMs>) -> Self {
        Self {
            id,
            state: ClassicGroupState::Empty,
            state_timestamp: now,
            protocol_type: None,
            protocol_name: None,
            generation_id: 0,
            leader_id: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending_join: BTreeSet::new(),
            pending_sync: BTreeSet::new(),
            subscribed_topics: None,
            initial_rebalance: None,
        }
    }

    /// The group as a stored record describes it: Stable, or Empty without members.
    pub fn from_record(id: Arc<str>, value: GroupMetadataValue) -> Self {
        let mut group = Self::empty(id, None);
        group.state_timestamp = (value.current_state_timestamp != -1)
            .then_some(TimestampMs(value.current_state_timestamp));
        group.protocol_type =
            Some(value.protocol_type).filter(|protocol_type| !protocol_type.is_empty());
        group.generation_id = value.generation;
        for stored in value.members {
            // A damaged record may name a member or an instance twice: the first one stands.
            let member_id: Arc<str> = stored.member_id.into();
            if group.members.contains_key(&member_id) {
                continue;
            }
            let group_instance_id = stored
                .group_instance_id
                .filter(|instance_id| !group.static_members.contains_key(instance_id.as_str()));
            let rebalance_timeout_ms = if stored.rebalance_timeout == -1 {
                stored.session_timeout
            } else {
                stored.rebalance_timeout
            };
            let protocols = value.protocol.iter().map(|name| MemberProtocol {
                name: name.clone(),
                metadata: bytes::Bytes::copy_from_slice(&stored.subscription),
            });
            let member = Member {
                member_id,
                group_instance_id,
                client_id: stored.client_id,
                client_host: stored.client_host,
                rebalance_timeout_ms,
                session_timeout_ms: stored.session_timeout,
                protocols: protocols.collect(),
                assignment: bytes::Bytes::copy_from_slice(&stored.assignment),
                awaiting_join: None,
                awaiting_sync: None,
                is_new: false,
            };
            if let Some(instance_id) = &member.group_instance_id {
                group
                    .static_members
                    .insert(instance_id.as_str().into(), member.member_id.clone());
            }
            group
                .members
                .insert(member.member_id.clone(), Arc::new(member));
        }
        group.leader_id = value
            .leader
            .map(Arc::from)
            .filter(|leader| group.members.contains_key(leader));
        group.protocol_name = value.protocol;
        if !group.members.is_empty() {
            group.state = ClassicGroupState::Stable;
        }
        group.subscribed_topics = group.compute_subscribed_topics();
        group
    }

    /// Whether the group's members speak the consumers' protocol, so that their subscriptions can be read.
    pub fn uses_consumer_protocol(&self) -> bool {
        self.protocol_type.as_deref() == Some(PROTOCOL_TYPE)
    }

    /// Whether the group reads `topic`, as far as is known: a consumer group whose subscriptions are unknown may.
    pub fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.subscribed_topics {
            Some(topics) => topics.contains(topic),
            None => self.uses_consumer_protocol(),
        }
    }

    /// Whether `member_id` leads the group.
    pub fn is_leader(&self, member_id: &str) -> bool {
        self.leader_id.as_deref() == Some(member_id)
    }

    /// The longest rebalance timeout of the members, in milliseconds; 0 without members.
    pub fn rebalance_timeout_ms(&self) -> i64 {
        self.members
            .values()
            .map(|member| i64::from(member.rebalance_timeout_ms))
            .max()
            .unwrap_or(0)
            .max(0)
    }

    /// How many members have a JoinGroup parked.
    pub fn awaiting_join_count(&self) -> usize {
        self.members
            .values()
            .filter(|member| member.awaiting_join.is_some())
            .count()
    }

    /// Whether nobody is waited for in the join phase.
    pub fn has_all_members_joined(&self) -> bool {
        self.pending_join.is_empty()
            && self
                .members
                .values()
                .all(|member| member.awaiting_join.is_some())
    }

    /// Whether a member that speaks `protocol_type` and offers `protocols` fits in.
    pub fn supports_protocols(
        &self,
        protocol_type: &str,
        protocols: &[JoinGroupRequestProtocol],
    ) -> bool {
        if self.state == ClassicGroupState::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && protocols
                .iter()
                .any(|offered| self.all_members_support(&offered.name))
    }

    fn all_members_support(&self, protocol: &str) -> bool {
        self.members
            .values()
            .all(|member| member.metadata(protocol).is_some())
    }

    /// The protocol for the members as they are: the one with most votes among those that all of them support. A tie
    /// goes to what the leader prefers, where Kafka leaves it open. `None` when they have none in common.
    pub fn select_protocol(&self) -> Option<String> {
        let first = self.members.values().next()?;
        let candidates: BTreeSet<&str> = first
            .protocols
            .iter()
            .map(|offered| offered.name.as_str())
            .filter(|name| self.all_members_support(name))
            .collect();
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for vote in self
            .members
            .values()
            .filter_map(|member| member.vote(&candidates))
        {
            *votes.entry(vote).or_default() += 1;
        }
        let most = votes.values().copied().max()?;
        votes.retain(|_, count| *count == most);
        let winners: BTreeSet<&str> = votes.into_keys().collect();
        let leader = self
            .leader_id
            .as_ref()
            .and_then(|id| self.members.get(id))
            .unwrap_or(first);
        leader
            .vote(&winners)
            .or_else(|| winners.first().copied())
            .map(str::to_owned)
    }

    /// What the members subscribe to with the selected protocol: `None` when the group does not use the consumers'
    /// protocol or a subscription cannot be read.
    pub fn compute_subscribed_topics(&self) -> Option<Arc<BTreeSet<String>>> {
        if !self.uses_consumer_protocol() {
            return None;
        }
        let mut topics = BTreeSet::new();
        if !self.members.is_empty() {
            let protocol = self.protocol_name.as_deref()?;
            for member in self.members.values() {
                topics.extend(subscribed_topics(member.metadata(protocol)?.clone())?);
            }
        }
        Some(Arc::new(topics))
    }

    /// Checks who sends a request: the member must exist, and a static one must own its instance id.
    pub fn validate_member(
        &self,
        member_id: &str,
        group_instance_id: Option<&str>,
    ) -> Result<(), MemberError> {
        if let Some(instance_id) = group_instance_id {
            match self.static_members.get(instance_id) {
                None => return Err(MemberError::UnknownMember),
                Some(owner) if **owner != *member_id => return Err(MemberError::FencedInstance),
                Some(_) => {}
            }
        }
        if self.members.contains_key(member_id) {
            Ok(())
        } else {
            Err(MemberError::UnknownMember)
        }
    }

    /// [`Self::validate_member`], and the generation must be the current one.
    pub fn validate_generation(
        &self,
        member_id: &str,
        group_instance_id: Option<&str>,
        generation_id: i32,
    ) -> Result<(), MemberError> {
        self.validate_member(member_id, group_instance_id)?;
        if generation_id == self.generation_id {
            Ok(())
        } else {
            Err(MemberError::IllegalGeneration)
        }
    }

    /// The members as the leader is told of them.
    pub fn members_for_leader(&self) -> Vec<JoinGroupResponseMember> {
        let protocol = self.protocol_name.as_deref().unwrap_or_default();
        self.members
            .values()
            .map(|member| JoinGroupResponseMember {
                member_id: member.member_id.to_string(),
                group_instance_id: member.group_instance_id.clone(),
                metadata: member.metadata(protocol).cloned().unwrap_or_default(),
                ..Default::default()
            })
            .collect()
    }

    /// Asserts what must hold between decisions. Called after every change in debug builds.
    ///
    /// GROUP-1: a static member is a member and the only owner of its instance id. GROUP-2: requests are parked only
    /// in the phase that answers them. GROUP-3: a pending member is not a member yet. GROUP-4: an empty group has no
    /// members, a stable one has. GROUP-5: a leader is a member.
    pub fn check_invariants(&self) {
        use ClassicGroupState::{CompletingRebalance, Empty, PreparingRebalance, Stable};
        for (instance_id, member_id) in &self.static_members {
            let owner = self
                .members
                .get(member_id)
                .and_then(|member| member.group_instance_id.as_deref());
            assert_eq!(
                owner,
                Some(&**instance_id),
                "GROUP-1: {} maps to {member_id}",
                self.id
            );
        }
        let statics = self
            .members
            .values()
            .filter(|member| member.is_static())
            .count();
        assert_eq!(statics, self.static_members.len(), "GROUP-1: {}", self.id);
        for member in self.members.values() {
            assert!(
                member.awaiting_join.is_none() || self.state == PreparingRebalance,
                "GROUP-2: {} has a parked JoinGroup in {}",
                self.id,
                self.state
            );
            assert!(
                member.awaiting_sync.is_none() || self.state == CompletingRebalance,
                "GROUP-2: {} has a parked SyncGroup in {}",
                self.id,
                self.state
            );
            assert!(
                !self.pending_join.contains(&member.member_id),
                "GROUP-3: {}",
                self.id
            );
        }
        assert!(
            self.pending_sync
                .iter()
                .all(|id| self.members.contains_key(id)),
            "GROUP-3: {}",
            self.id
        );
        assert!(
            self.state != Empty || self.members.is_empty(),
            "GROUP-4: {} is empty with members",
            self.id
        );
        assert!(
            !matches!(self.state, CompletingRebalance | Stable) || !self.members.is_empty(),
            "GROUP-4: {} is {} without members",
            self.id,
            self.state
        );
        if let Some(leader) = &self.leader_id {
            assert!(
                self.members.contains_key(leader),
                "GROUP-5: {} is led by {leader}",
                self.id
            );
        }
    }
}
