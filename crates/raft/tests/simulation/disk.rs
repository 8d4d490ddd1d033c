//! A disk that keeps what was synced, and of the rest as much as it likes.

use std::collections::VecDeque;

use bytes::Bytes;
use ottla_protocol::ids::Offset;
use ottla_raft::{Batch, ElectionState, EpochEnd, LogShape, WriteId};

use crate::random::Random;

#[derive(Clone, Debug, Default)]
pub struct Log {
    pub start: EpochEnd,
    pub batches: Vec<Batch>,
    pub snapshot: Option<(EpochEnd, Bytes)>,
}

#[derive(Clone, Debug)]
pub enum Write {
    Append(Batch),
    Truncate(Offset),
    Install(EpochEnd, Bytes),
}

impl Log {
    pub fn end_offset(&self) -> Offset {
        let last = self.batches.last();
        last.map_or(self.start.end_offset, |batch| batch.end_offset)
    }

    pub fn apply(&mut self, write: &Write) {
        match write {
            Write::Append(batch) => {
                assert_eq!(batch.base_offset, self.end_offset(), "appends follow");
                self.batches.push(batch.clone());
            }
            Write::Truncate(end) => self.batches.retain(|batch| batch.end_offset <= *end),
            Write::Install(snapshot, bytes) => {
                self.snapshot = Some((*snapshot, bytes.clone()));
                self.start = *snapshot;
                self.batches.clear();
            }
        }
    }

    pub fn trim(&mut self, snapshot: EpochEnd) {
        self.batches
            .retain(|batch| batch.end_offset > snapshot.end_offset);
        self.start = snapshot;
    }

    pub fn shape(&self) -> LogShape {
        let batches = self
            .batches
            .iter()
            .map(|batch| EpochEnd::new(batch.epoch.0, batch.end_offset.0));
        let snapshot = self.snapshot.as_ref().map(|(id, _)| *id);
        LogShape::new(self.start, batches, snapshot)
    }
}

#[derive(Debug, Default)]
pub struct Disk {
    pub election: ElectionState,
    pub damaged: bool,
    /// As the running node sees it.
    pub log: Log,
    /// As a crash leaves it.
    pub durable: Log,
    pub pending: VecDeque<(WriteId, Write)>,
}

impl Disk {
    pub fn write(&mut self, write_id: WriteId, write: Write) {
        self.log.apply(&write);
        self.pending.push_back((write_id, write));
    }

    /// Everything up to `write_id` reaches the disk.
    pub fn sync(&mut self, write_id: WriteId) {
        while self.pending.front().is_some_and(|(id, _)| *id <= write_id) {
            let (_, write) = self.pending.pop_front().unwrap();
            self.durable.apply(&write);
        }
    }

    /// The process dies: of the writes that were not synced, some of the first have reached the disk.
    pub fn crash(&mut self, random: &mut Random) {
        let kept = random.below(self.pending.len() as u64 + 1) as usize;
        for (_, write) in self.pending.drain(..).take(kept) {
            self.durable.apply(&write);
        }
        self.log = self.durable.clone();
    }

    /// The end of the log is found damaged and cut off.
    pub fn damage(&mut self, random: &mut Random) {
        let kept = random.below(self.log.batches.len() as u64 + 1) as usize;
        self.log.batches.truncate(kept);
        self.durable = self.log.clone();
        self.damaged = true;
    }
}
