//! The follower: fetches, cuts its log where it parts from the leader's, takes snapshots.

use bytes::Bytes;
use ottla_protocol::ids::{BrokerId, Offset};

use crate::effect::{Effect, Fault};
use crate::message::{Batch, Request};
use crate::raft::Raft;
use crate::role::{Follower, Role};
use crate::types::{EpochEnd, Now};

impl Raft {
    /// Asks the leader for more, once everything it has sent is on the disk: a fetch says so.
    pub(crate) fn fetch(&mut self, now: Now) {
        let Role::Follower(follower) = &self.role else {
            return;
        };
        let to = follower.leader;
        if self.log.pending_writes() > 0 || !self.requests.is_free(to, now.ms) {
            return;
        }
        match follower.snapshot {
            None => self.send_fetch(now, to),
            Some((snapshot, position)) => {
                let request = Request::FetchSnapshot {
                    replica: self.config.local,
                    epoch: self.election.epoch,
                    snapshot,
                    position,
                };
                self.send(now, to, request);
            }
        }
    }

    /// The follower of `from`, whom it has just answered.
    fn follower_of(&mut self, now: Now, from: BrokerId) -> Option<&mut Follower> {
        let deadline_ms = now.ms + self.config.timeouts.fetch_ms;
        match &mut self.role {
            Role::Follower(follower) if follower.leader == from => {
                follower.deadline_ms = deadline_ms;
                follower.has_fetched = true;
                Some(follower)
            }
            _ => None,
        }
    }

    pub(crate) fn on_records(
        &mut self,
        now: Now,
        from: BrokerId,
        high_watermark: Option<Offset>,
        batches: Vec<Batch>,
    ) {
        if self.follower_of(now, from).is_none() {
            return;
        }
        for batch in batches {
            let last = self.log.last();
            let follows = batch.base_offset == last.end_offset
                && batch.end_offset > batch.base_offset
                && (last.epoch..=self.election.epoch).contains(&batch.epoch);
            if !follows {
                let end_offset = last.end_offset;
                return self.fault(
                    now,
                    from,
                    Fault::BadBatches {
                        leader: from,
                        end_offset,
                    },
                );
            }
            let write_id = self.log.append(EpochEnd {
                epoch: batch.epoch,
                end_offset: batch.end_offset,
            });
            self.effects.push(Effect::Append { write_id, batch });
        }
        if let Some(high_watermark) = high_watermark
            && let Role::Follower(follower) = &mut self.role
        {
            follower.told_high_watermark = high_watermark;
            self.follow_high_watermark();
        }
    }

    /// What is committed and on this disk is handed on; what is only in memory is not. The leader tells its high
    /// watermark only to one whose log is a prefix of its own.
    pub(crate) fn follow_high_watermark(&mut self) {
        let Role::Follower(follower) = &self.role else {
            return;
        };
        let told = follower.told_high_watermark;
        let durable = self.log.durable_end_offset();
        self.raise_high_watermark(told.min(durable));
        let has_all = told > Offset(0) && told <= durable;
        if has_all && Some(self.election.epoch) > self.damaged_in {
            self.damaged_in = None;
        }
    }

    /// Cuts the log by epoch, never by the high watermark (R4).
    pub(crate) fn on_diverging(&mut self, now: Now, from: BrokerId, theirs: EpochEnd) {
        if self.follower_of(now, from).is_none() {
            return;
        }
        let Some(end_offset) = self.log.truncation_point(theirs) else {
            let end_offset = self.log.end_offset();
            return self.fault(
                now,
                from,
                Fault::BadBatches {
                    leader: from,
                    end_offset,
                },
            );
        };
        if end_offset < self.high_watermark {
            return self.committed_lost(now, from);
        }
        let write_id = self.log.truncate(end_offset);
        self.effects.push(Effect::Truncate {
            write_id,
            end_offset,
        });
    }

    fn committed_lost(&mut self, now: Now, leader: BrokerId) {
        let fault = Fault::CommittedLost {
            leader,
            epoch: self.election.epoch,
            high_watermark: self.high_watermark,
        };
        self.fault(now, leader, fault);
    }

    fn fault(&mut self, now: Now, from: BrokerId, fault: Fault) {
        self.requests
            .pause(from, now.ms + self.config.timeouts.fetch_ms);
        self.effects.push(Effect::Fault(fault));
    }

    pub(crate) fn on_snapshot_needed(&mut self, now: Now, from: BrokerId, snapshot: EpochEnd) {
        let is_behind = snapshot.end_offset < self.high_watermark;
        let Some(follower) = self.follower_of(now, from) else {
            return;
        };
        if is_behind {
            return self.committed_lost(now, from);
        }
        follower.snapshot = Some((snapshot, 0));
    }

    pub(crate) fn on_snapshot_chunk(
        &mut self,
        now: Now,
        from: BrokerId,
        snapshot: EpochEnd,
        position: u64,
        size_bytes: u64,
        bytes: Bytes,
    ) {
        let Some(follower) = self.follower_of(now, from) else {
            return;
        };
        // An answer to something else, or one that brings nothing on.
        let next_position = position.saturating_add(bytes.len() as u64);
        let is_next = follower.snapshot == Some((snapshot, position));
        if !is_next || next_position > size_bytes || (bytes.is_empty() && size_bytes > position) {
            follower.snapshot = None;
            return;
        }
        let is_whole = next_position == size_bytes;
        follower.snapshot = (!is_whole).then_some((snapshot, next_position));
        self.effects.push(Effect::WriteSnapshot {
            snapshot,
            position,
            bytes,
        });
        if is_whole {
            let write_id = self.log.install(snapshot);
            self.effects
                .push(Effect::InstallSnapshot { write_id, snapshot });
        }
    }
}
