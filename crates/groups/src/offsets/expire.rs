//! The end of offsets and groups that nobody uses (KIP-211), and of groups that are deleted.

use std::collections::BTreeSet;
use std::sync::Arc;

use ottla_protocol::ErrorCode;
use ottla_protocol::ids::TimestampMs;
use ottla_protocol::messages::delete_groups_response::DeletableGroupResult;

use crate::classic::{ClassicGroup, ClassicGroupState};
use crate::decision::{Batching, Decision, Reply};
use crate::errors::DeleteError;
use crate::offsets::OffsetAndMetadata;
use crate::offsets::delete::push_tombstone;
use crate::records::{self, Change};
use crate::shard::{GroupShard, Occupant};
use crate::timers::{Timer, TimerOp};

/// The most records that one look for what has expired writes. If there is more, the next look follows at once.
pub const MAX_EXPIRY_RECORDS: usize = 10_000;

impl GroupShard {
    /// The expiry timer fired.
    pub(crate) fn expire_offsets(&self, now: TimestampMs) -> Decision<()> {
        let mut decision = Decision::answer(());
        decision.batching = Batching::Splittable;
        for group in self.groups.values() {
            if decision.records.len() >= MAX_EXPIRY_RECORDS {
                break;
            }
            let all_expired = self.expire_group_offsets(group, now, &mut decision);
            let is_unused =
                group.state == ClassicGroupState::Empty && group.pending_join.is_empty();
            if all_expired && is_unused {
                let group_id = Arc::clone(&group.id);
                decision.push(
                    records::group_tombstone(&group_id),
                    Change::GroupDeleted { group_id },
                );
            }
        }
        let is_cut_short = decision.records.len() >= MAX_EXPIRY_RECORDS;
        let delay_ms = if is_cut_short {
            0
        } else {
            self.config.offsets_retention_check_interval_ms
        };
        let deadline = TimestampMs(now.0.saturating_add(delay_ms));
        decision.outcome.timers.push(TimerOp::Schedule {
            timer: Timer::OffsetExpiry,
            deadline,
        });
        decision
    }

    /// Deletes the offsets of a group that have expired. Whether the group has none left, nor any on their way.
    fn expire_group_offsets(
        &self,
        group: &ClassicGroup,
        now: TimestampMs,
        decision: &mut Decision<()>,
    ) -> bool {
        let Some(topics) = self.offsets.group(&group.id) else {
            return !self.offsets.has_open_transactions(&group.id);
        };
        let Some(retention_start) = retention_start(group) else {
            return false;
        };
        let mut all_expired = true;
        for (topic, offsets) in topics {
            let is_subscribed = group.is_subscribed_to(topic);
            for (partition, committed) in offsets {
                let is_expired = !is_subscribed
                    && decision.records.len() < MAX_EXPIRY_RECORDS
                    && self.is_expired(committed, retention_start(committed), now)
                    && !self.offsets.has_pending(&group.id, topic, *partition);
                if is_expired {
                    push_tombstone(decision, &group.id, topic, *partition);
                }
                all_expired &= is_expired;
            }
        }
        all_expired && !self.offsets.has_open_transactions(&group.id)
    }

    fn is_expired(
        &self,
        committed: &OffsetAndMetadata,
        retention_start_ms: i64,
        now: TimestampMs,
    ) -> bool {
        match committed.expire_timestamp_ms {
            Some(expire_timestamp_ms) => now.0 >= expire_timestamp_ms,
            None => now.0.saturating_sub(retention_start_ms) >= self.config.offsets_retention_ms,
        }
    }

    /// Decides a DeleteGroups for the groups of this shard.
    pub fn delete_groups(&self, group_ids: &[String]) -> Decision<Vec<DeletableGroupResult>> {
        let mut decision = Decision::answer(Vec::new());
        let mut results = Vec::with_capacity(group_ids.len());
        let mut deleted = BTreeSet::new();
        for group_id in group_ids {
            let result = match self.validate_delete(group_id) {
                Ok(()) => {
                    if deleted.insert(group_id) {
                        self.delete_group(group_id, &mut decision);
                    }
                    ErrorCode::None
                }
                Err(error) => error.error_code(),
            };
            let (group_id, error_code) = (group_id.clone(), result.code());
            results.push(DeletableGroupResult {
                group_id,
                error_code,
                ..Default::default()
            });
        }
        decision.outcome.reply = Reply::Now(results);
        decision
    }

    fn validate_delete(&self, group_id: &str) -> Result<(), DeleteError> {
        match self.occupant(group_id) {
            Occupant::Classic(group) if group.state != ClassicGroupState::Empty => {
                Err(DeleteError::NonEmptyGroup)
            }
            Occupant::Foreign(foreign) if !foreign.is_empty() => Err(DeleteError::NonEmptyGroup),
            Occupant::Classic(_) | Occupant::Foreign(_) => Ok(()),
            Occupant::Nobody => Err(DeleteError::GroupNotFound),
        }
    }

    fn delete_group<R>(&self, group_id: &str, decision: &mut Decision<R>) {
        let mut offsets: BTreeSet<(&Arc<str>, &Arc<str>, i32)> = self
            .offsets
            .pending()
            .filter(|(owner, _, _)| &***owner == group_id)
            .collect();
        if let Some((owner, topics)) = self.offsets.group_entry(group_id) {
            for (topic, partitions) in topics {
                offsets.extend(
                    partitions
                        .keys()
                        .map(|partition| (owner, topic, *partition)),
                );
            }
        }
        for (group_id, topic, partition) in offsets {
            push_tombstone(decision, group_id, topic, partition);
        }
        match self.occupant(group_id) {
            Occupant::Classic(group) => {
                for member_id in group.pending_join.iter().map(ToString::to_string) {
                    let timer = Timer::Session {
                        group_id: Arc::clone(&group.id),
                        member_id,
                    };
                    decision.outcome.timers.push(TimerOp::Cancel(timer));
                }
                let group_id = Arc::clone(&group.id);
                decision.push(
                    records::group_tombstone(&group_id),
                    Change::GroupDeleted { group_id },
                );
            }
            Occupant::Foreign(foreign) => {
                for (record, change) in foreign.tombstones() {
                    decision.push(record, change);
                }
            }
            Occupant::Nobody => {}
        }
    }
}

/// From when on an offset of the group counts as unused: since the group became empty, or for what a stable group of
/// consumers does not read and for groups that only have offsets, since the commit. `None`: offsets stay.
fn retention_start(group: &ClassicGroup) -> Option<impl Fn(&OffsetAndMetadata) -> i64> {
    let since = match (group.protocol_type.is_some(), group.state) {
        (false, _) => None,
        (true, ClassicGroupState::Empty) => group.state_timestamp,
        (true, ClassicGroupState::Stable)
            if group.uses_consumer_protocol() && group.subscribed_topics.is_some() =>
        {
            None
        }
        (true, _) => return None,
    };
    Some(move |committed: &OffsetAndMetadata| {
        since.map_or(committed.commit_timestamp_ms, |since| since.0)
    })
}
