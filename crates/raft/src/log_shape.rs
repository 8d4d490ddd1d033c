//! What the rules need to know of the log: where it begins and ends, which epoch wrote what, what is durable.

use std::collections::VecDeque;

use ottla_protocol::ids::{LeaderEpoch, Offset};

use crate::types::EpochEnd;

/// A write of the log, counted in the order of the effects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WriteId(pub u64);

/// How a fetcher's log compares with ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FetchPosition {
    /// It is a prefix of ours.
    Valid,
    /// It parts from ours; what is ours of the largest epoch that is not above its own ends here.
    Diverging(EpochEnd),
    /// What it needs is no longer in the log; this snapshot has it.
    Snapshot(EpochEnd),
}

/// The log without its records.
#[derive(Clone, Debug, Default)]
pub struct LogShape {
    /// Where it begins, and the epoch of what was before.
    start: EpochEnd,
    /// Epochs with the offset of their first record, ascending in both.
    epochs: Vec<(LeaderEpoch, Offset)>,
    end_offset: Offset,
    durable_end_offset: Offset,
    /// Writes that are not durable yet, and where the log ended after each.
    pending: VecDeque<(WriteId, Offset)>,
    last_write_id: WriteId,
    snapshot: Option<EpochEnd>,
}

impl LogShape {
    /// The log as found on start, all of it durable: what a recovery accepts is synced before it is shown here (A22).
    /// `start` is the end of a snapshot, or zero; `batches` are the epoch and end offset of each batch in order.
    /// A log that ends before its newest snapshot is emptied first and begins at its end: an install was cut short.
    pub fn new(
        start: EpochEnd,
        batches: impl IntoIterator<Item = EpochEnd>,
        snapshot: Option<EpochEnd>,
    ) -> Self {
        let mut log = Self {
            start,
            end_offset: start.end_offset,
            snapshot,
            ..Self::default()
        };
        for batch in batches {
            log.extend(batch);
        }
        log.durable_end_offset = log.end_offset;
        let covered = snapshot.is_none_or(|snapshot| snapshot.end_offset <= log.end_offset);
        assert!(covered, "a log does not end before its snapshot");
        log
    }

    /// The offset of the first record.
    pub fn start_offset(&self) -> Offset {
        self.start.end_offset
    }

    /// The offset behind the last record.
    pub fn end_offset(&self) -> Offset {
        self.end_offset
    }

    /// Up to where it survives a crash.
    pub fn durable_end_offset(&self) -> Offset {
        self.durable_end_offset
    }

    /// The newest snapshot.
    pub fn snapshot(&self) -> Option<EpochEnd> {
        self.snapshot
    }

    /// The epoch of the last record and the end of the log.
    pub fn last(&self) -> EpochEnd {
        EpochEnd {
            epoch: self.epochs.last().map_or(self.start.epoch, |last| last.0),
            end_offset: self.end_offset,
        }
    }

    /// How many writes are not durable yet.
    pub fn pending_writes(&self) -> usize {
        self.pending.len()
    }

    /// Appends a batch of `epoch` that ends at `end_offset`.
    pub(crate) fn append(&mut self, batch: EpochEnd) -> WriteId {
        self.extend(batch);
        self.begin_write()
    }

    fn extend(&mut self, batch: EpochEnd) {
        let last = self.last();
        assert!(batch.end_offset > last.end_offset, "a batch holds records");
        assert!(batch.epoch >= last.epoch, "epochs ascend along the log");
        if self.epochs.last().is_none_or(|last| last.0 < batch.epoch) {
            self.epochs.push((batch.epoch, self.end_offset));
        }
        self.end_offset = batch.end_offset;
    }

    /// Cuts off everything from `end_offset` on.
    pub(crate) fn truncate(&mut self, end_offset: Offset) -> WriteId {
        assert!(
            end_offset >= self.start.end_offset && end_offset < self.end_offset,
            "a truncation shortens the log"
        );
        self.epochs.retain(|(_, first)| *first < end_offset);
        self.end_offset = end_offset;
        self.durable_end_offset = self.durable_end_offset.min(end_offset);
        for (_, pending_end) in &mut self.pending {
            *pending_end = (*pending_end).min(end_offset);
        }
        self.begin_write()
    }

    /// Puts `snapshot` in the place of everything. Nothing of it counts as durable before the write is.
    pub(crate) fn install(&mut self, snapshot: EpochEnd) -> WriteId {
        self.start = snapshot;
        self.epochs.clear();
        self.end_offset = snapshot.end_offset;
        self.durable_end_offset = self.durable_end_offset.min(snapshot.end_offset);
        self.pending.clear();
        self.snapshot = Some(snapshot);
        self.begin_write()
    }

    fn begin_write(&mut self) -> WriteId {
        self.last_write_id.0 += 1;
        self.pending
            .push_back((self.last_write_id, self.end_offset));
        self.last_write_id
    }

    /// Every write up to `write_id` is durable.
    pub(crate) fn written(&mut self, write_id: WriteId) {
        while let Some((id, end_offset)) = self.pending.front().copied()
            && id <= write_id
        {
            self.pending.pop_front();
            self.durable_end_offset = self.durable_end_offset.max(end_offset);
        }
    }

    /// A snapshot of what is before its end was made.
    pub(crate) fn add_snapshot(&mut self, snapshot: EpochEnd) {
        self.snapshot = self.snapshot.max(Some(snapshot));
    }

    /// What is before `start`, the end of a snapshot, is gone.
    pub(crate) fn trim(&mut self, start: EpochEnd) {
        let kept = self
            .epochs
            .iter()
            .rposition(|(_, first)| *first <= start.end_offset)
            .unwrap_or(0);
        self.epochs.drain(..kept);
        if let Some((_, first)) = self.epochs.first_mut() {
            *first = (*first).max(start.end_offset);
        }
        if self.end_offset == start.end_offset {
            self.epochs.clear();
        }
        self.start = start;
    }

    /// The epoch of the record before `offset`, which lies in the log.
    pub(crate) fn epoch_before(&self, offset: Offset) -> LeaderEpoch {
        let before = self.epochs.iter().rev().find(|(_, first)| *first < offset);
        before.map_or(self.start.epoch, |(epoch, _)| *epoch)
    }

    /// The largest epoch that is not above `epoch`, and where it ends. Source: KIP-279.
    pub(crate) fn end_of_epoch(&self, epoch: LeaderEpoch) -> EpochEnd {
        let above = self.epochs.partition_point(|(known, _)| *known <= epoch);
        let Some(index) = above.checked_sub(1) else {
            return self.start;
        };
        let next = self.epochs.get(above).map(|(_, first)| *first);
        EpochEnd {
            epoch: self.epochs[index].0,
            end_offset: next.unwrap_or(self.end_offset),
        }
    }

    /// What to tell one who has `fetched`. Source: KIP-595 and KIP-630.
    pub(crate) fn compare(&self, fetched: EpochEnd) -> FetchPosition {
        if let Some(snapshot) = self.snapshot {
            let start = self.start;
            let at_start = fetched.end_offset == start.end_offset;
            if start.end_offset > Offset(0)
                && (fetched.end_offset < start.end_offset
                    || fetched.epoch < start.epoch
                    || (at_start && fetched.epoch != start.epoch))
            {
                return FetchPosition::Snapshot(snapshot);
            }
        }
        if fetched == EpochEnd::default() && self.start == EpochEnd::default() {
            return FetchPosition::Valid;
        }
        let ours = self.end_of_epoch(fetched.epoch);
        if ours.epoch == fetched.epoch && ours.end_offset >= fetched.end_offset {
            FetchPosition::Valid
        } else {
            FetchPosition::Diverging(ours)
        }
    }

    /// Where to cut our log when the leader's ends at `theirs`; `None` if that would cut nothing off.
    pub(crate) fn truncation_point(&self, theirs: EpochEnd) -> Option<Offset> {
        let ours = self.end_of_epoch(theirs.epoch);
        let point = if ours.epoch == theirs.epoch {
            ours.end_offset.min(theirs.end_offset)
        } else {
            ours.end_offset
        };
        (point < self.end_offset).then_some(point)
    }

    /// RAFT-1: the log's own order.
    pub(crate) fn check_invariants(&self) {
        assert!(self.start.end_offset <= self.end_offset);
        assert!(self.durable_end_offset <= self.end_offset);
        assert!(
            self.epochs
                .is_sorted_by(|one, next| one.0 < next.0 && one.1 < next.1)
        );
        if let Some((epoch, first)) = self.epochs.first() {
            assert!(*epoch >= self.start.epoch && *first >= self.start.end_offset);
        }
        assert!(
            self.epochs
                .last()
                .is_none_or(|last| last.1 < self.end_offset)
        );
        if self.start.end_offset > Offset(0) {
            let snapshot = self
                .snapshot
                .expect("a log that begins late has a snapshot");
            assert!(snapshot.end_offset >= self.start.end_offset);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(batches: &[(i32, i64)]) -> LogShape {
        let batches = batches
            .iter()
            .map(|(epoch, end)| EpochEnd::new(*epoch, *end));
        LogShape::new(EpochEnd::default(), batches, None)
    }

    #[test]
    fn an_epoch_ends_where_the_next_begins() {
        let log = log(&[(1, 3), (1, 5), (4, 9)]);
        let check = |asked, epoch, end| {
            assert_eq!(
                log.end_of_epoch(LeaderEpoch(asked)),
                EpochEnd::new(epoch, end)
            );
        };
        check(0, 0, 0);
        check(1, 1, 5);
        check(3, 1, 5);
        check(4, 4, 9);
        check(7, 4, 9);
    }

    #[test]
    fn a_fetcher_is_told_where_it_diverges() {
        let log = log(&[(1, 3), (1, 5), (4, 9)]);
        let check = |epoch, end, expected| {
            assert_eq!(log.compare(EpochEnd::new(epoch, end)), expected);
        };
        check(0, 0, FetchPosition::Valid);
        check(1, 5, FetchPosition::Valid);
        check(4, 9, FetchPosition::Valid);
        check(1, 6, FetchPosition::Diverging(EpochEnd::new(1, 5)));
        check(2, 7, FetchPosition::Diverging(EpochEnd::new(1, 5)));
        check(4, 10, FetchPosition::Diverging(EpochEnd::new(4, 9)));
    }

    #[test]
    fn what_is_trimmed_is_in_the_snapshot() {
        let mut log = log(&[(1, 3), (1, 5), (4, 9)]);
        log.add_snapshot(EpochEnd::new(4, 7));
        log.trim(EpochEnd::new(4, 7));
        log.check_invariants();
        let snapshot = FetchPosition::Snapshot(EpochEnd::new(4, 7));
        assert_eq!(log.compare(EpochEnd::default()), snapshot);
        assert_eq!(log.compare(EpochEnd::new(1, 8)), snapshot);
        assert_eq!(log.compare(EpochEnd::new(4, 7)), FetchPosition::Valid);
        assert_eq!(log.compare(EpochEnd::new(4, 9)), FetchPosition::Valid);
    }

    #[test]
    fn a_log_trimmed_to_its_end_keeps_its_epoch() {
        let mut log = log(&[(1, 3), (4, 9)]);
        log.add_snapshot(EpochEnd::new(4, 9));
        log.trim(EpochEnd::new(4, 9));
        log.check_invariants();
        assert_eq!(log.last(), EpochEnd::new(4, 9));
        log.append(EpochEnd::new(4, 10));
        log.check_invariants();
        assert_eq!(log.compare(EpochEnd::new(4, 9)), FetchPosition::Valid);
    }

    #[test]
    fn a_truncated_write_does_not_become_durable() {
        let mut log = log(&[(1, 3)]);
        let first = log.append(EpochEnd::new(1, 10));
        log.truncate(Offset(5));
        let last = log.append(EpochEnd::new(2, 8));
        log.written(first);
        assert_eq!(log.durable_end_offset(), Offset(5));
        log.written(last);
        assert_eq!(log.durable_end_offset(), Offset(8));
    }

    #[test]
    fn a_follower_is_cut_by_epoch() {
        let log = log(&[(1, 5), (3, 9)]);
        let check = |epoch, end, expected: Option<i64>| {
            let point = log.truncation_point(EpochEnd::new(epoch, end));
            assert_eq!(point, expected.map(Offset));
        };
        check(1, 4, Some(4));
        check(2, 8, Some(5));
        check(3, 7, Some(7));
        check(3, 9, None);
        check(0, 0, Some(0));
    }
}
