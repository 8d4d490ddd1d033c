//! One partition of `__consumer_offsets` as replicated state.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use ottla_protocol::ErrorCode;
use ottla_protocol::ids::{Offset, ProducerId, TimestampMs};

use crate::classic::transition::{Transition, join_error, sync_error};
use crate::classic::{ClassicGroup, ClassicGroupState};
use crate::config::GroupConfig;
use crate::decision::{Completed, Decision, Outcome, ParkedResponse};
use crate::foreign::{ForeignGroup, ForeignGroups};
use crate::offsets::OffsetStore;
use crate::offsets::store::TransactionResult;
use crate::records::{self, Change, ReplayError};
use crate::timers::{Timer, TimerOp};

/// The group coordinator for the groups of one partition of `__consumer_offsets`.
///
/// See the crate's documentation for how a host runs it.
#[derive(Debug)]
pub struct GroupShard {
    pub(crate) config: GroupConfig,
    pub(crate) groups: BTreeMap<Arc<str>, ClassicGroup>,
    pub(crate) foreign: ForeignGroups,
    pub(crate) offsets: OffsetStore,
}

/// Who has a group id.
pub(crate) enum Occupant<'a> {
    Classic(&'a ClassicGroup),
    Foreign(&'a ForeignGroup),
    Nobody,
}

/// What a record that was read back turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// It changed the shard.
    Applied,
    /// Its type is not known to this version; it stays in the log.
    UnknownType(i16),
}

impl GroupShard {
    /// An empty shard, to be filled by [`Self::replay`] before anything is decided.
    pub fn new(config: GroupConfig) -> Self {
        Self {
            config,
            groups: BTreeMap::new(),
            foreign: ForeignGroups::default(),
            offsets: OffsetStore::default(),
        }
    }

    /// Takes over a changed configuration, for decisions from now on.
    pub fn set_config(&mut self, config: GroupConfig) {
        self.config = config;
    }

    /// Takes in a record of the log at `offset`, in the log's order, while the shard is loaded. `producer_id` is that of
    /// the record's batch if it is transactional, else [`ProducerId::NONE`].
    ///
    /// A damaged record changes nothing; the host says so and goes on or gives up.
    pub fn replay(
        &mut self,
        offset: Offset,
        producer_id: ProducerId,
        key: Bytes,
        value: Option<Bytes>,
    ) -> Result<Replayed, ReplayError> {
        let change = records::decode(key, value)?;
        if let Change::Unknown { key_type } = change {
            return Ok(Replayed::UnknownType(key_type));
        }
        self.change(offset, producer_id, change);
        Ok(Replayed::Applied)
    }

    /// Takes in the marker that ends a transaction, from the log or when it is appended.
    pub fn replay_end_transaction(&mut self, producer_id: ProducerId, result: TransactionResult) {
        self.offsets.end_transaction(producer_id, result);
    }

    /// Ends the loading: sessions of all members start, groups that cannot go on as they were written rebalance.
    ///
    /// The log has a group only as it was when it was last stable or empty. A rebalance that was under way starts again
    /// by itself: members of the lost generation are refused with ILLEGAL_GENERATION or UNKNOWN_MEMBER_ID and join, and
    /// those that do not come lose their session.
    pub fn load_finished(&mut self, now: TimestampMs) -> Vec<TimerOp> {
        let deadline = TimestampMs(
            now.0
                .saturating_add(self.config.offsets_retention_check_interval_ms),
        );
        let mut timers = vec![TimerOp::Schedule {
            timer: Timer::OffsetExpiry,
            deadline,
        }];
        for group in self.groups.values_mut() {
            let empty = ClassicGroup::empty(Arc::clone(&group.id), None);
            let mut transition =
                Transition::new(&self.config, now, std::mem::replace(group, empty));
            for member_id in transition.member_ids() {
                transition.reschedule_session(&member_id);
            }
            let is_settled =
                transition.group.protocol_name.is_some() && transition.group.leader_id.is_some();
            let is_too_large = transition.group.members.len() > self.config.group_max_size;
            if transition.group.state == ClassicGroupState::Stable && (!is_settled || is_too_large)
            {
                transition.prepare_rebalance();
            }
            let set;
            (*group, set) = transition.into_parts();
            timers.extend(set);
        }
        self.check_in_debug();
        timers
    }

    /// Ends the shard: another broker coordinates its groups now, or it will be loaded again. Every parked request is
    /// answered NOT_COORDINATOR; timers are to be forgotten.
    pub fn unload(&mut self) -> Vec<Completed> {
        let mut completed = Vec::new();
        for group in std::mem::take(&mut self.groups).into_values() {
            for member in group.members.values() {
                if let Some(parked) = member.awaiting_join {
                    let response = join_error(&member.member_id, ErrorCode::NotCoordinator);
                    let response = ParkedResponse::JoinGroup(response);
                    completed.push(Completed {
                        request_id: parked.id,
                        response,
                    });
                }
                if let Some(parked) = member.awaiting_sync {
                    let response = ParkedResponse::SyncGroup(sync_error(ErrorCode::NotCoordinator));
                    completed.push(Completed {
                        request_id: parked.id,
                        response,
                    });
                }
            }
        }
        self.foreign = ForeignGroups::default();
        self.offsets = OffsetStore::default();
        completed
    }

    /// Makes a decision true, after its records were appended at `base_offset` and the offsets that follow. Without
    /// records the offset does not matter.
    ///
    /// Replies may be sent once the log is committed up to its end as it was when this returned: what was decided may
    /// depend on records before its own.
    pub fn apply<R>(&mut self, base_offset: Offset, decision: Decision<R>) -> Outcome<R> {
        for (offset, change) in (base_offset.0..).zip(decision.changes) {
            self.change(Offset(offset), ProducerId::NONE, change);
        }
        if let Some(group) = decision.next_group {
            if cfg!(debug_assertions) {
                group.check_invariants();
            }
            self.groups.insert(Arc::clone(&group.id), *group);
        }
        decision.outcome
    }

    /// Decides what follows from a timer that fired.
    pub fn on_timer(&self, now: TimestampMs, timer: Timer) -> Decision<()> {
        let (Timer::Session { group_id, .. } | Timer::Join { group_id } | Timer::Sync { group_id }) =
            &timer
        else {
            return Decision {
                fired: Some((timer, now)),
                ..self.expire_offsets(now)
            };
        };
        let Some(group) = self.groups.get(group_id) else {
            return Decision::answer(());
        };
        let mut transition = Transition::new(&self.config, now, group.clone());
        match &timer {
            Timer::Session { member_id, .. } => transition.on_session_timeout(member_id),
            Timer::Join { .. } => transition.on_join_timeout(),
            Timer::Sync { .. } => transition.on_sync_timeout(),
            Timer::OffsetExpiry => {}
        }
        Decision {
            fired: Some((timer, now)),
            ..transition.decide_with(())
        }
    }

    /// Who has `group_id`. A classic group stands before what is left of another kind.
    pub(crate) fn occupant(&self, group_id: &str) -> Occupant<'_> {
        if let Some(group) = self.groups.get(group_id) {
            return Occupant::Classic(group);
        }
        self.foreign
            .get(group_id)
            .map_or(Occupant::Nobody, Occupant::Foreign)
    }

    fn change(&mut self, offset: Offset, producer_id: ProducerId, change: Change) {
        match change {
            Change::OffsetCommitted {
                group_id,
                topic,
                partition,
                mut committed,
            } => {
                if matches!(self.occupant(&group_id), Occupant::Nobody) {
                    // Whoever commits without being a member of anything makes a simple group.
                    self.groups.insert(
                        Arc::clone(&group_id),
                        ClassicGroup::empty(Arc::clone(&group_id), None),
                    );
                }
                committed.record_offset = offset;
                self.offsets
                    .put(producer_id, group_id, topic, partition, committed);
            }
            Change::OffsetDeleted {
                group_id,
                topic,
                partition,
            } => self.offsets.remove(&group_id, &topic, partition),
            Change::GroupWritten {
                group_id,
                value: Some(value),
            } => {
                let group = ClassicGroup::from_record(Arc::clone(&group_id), *value);
                self.groups.insert(group_id, group);
            }
            Change::GroupDeleted { group_id } => {
                self.groups.remove(&group_id);
            }
            Change::Foreign { key, live } => {
                // A group without members may have become one of another kind: the last record says what it is now.
                let classic = self.groups.get(&key.group_id);
                if live && classic.is_some_and(|group| group.members.is_empty()) {
                    self.groups.remove(&key.group_id);
                }
                self.foreign.replay(key, live);
            }
            Change::GroupWritten { value: None, .. } | Change::Unknown { .. } => {}
        }
    }

    fn check_in_debug(&self) {
        if cfg!(debug_assertions) {
            self.check_invariants();
        }
    }

    /// Asserts what must hold between decisions, in every group; see `ClassicGroup::check_invariants`.
    pub fn check_invariants(&self) {
        for group in self.groups.values() {
            group.check_invariants();
        }
    }
}
