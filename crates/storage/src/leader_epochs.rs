//! Where each leader epoch of a partition begins (KIP-101).

use std::path::{Path, PathBuf};

use ottla_protocol::ids::{LeaderEpoch, Offset};

use crate::checkpoint::{self, CheckpointError, LEADER_EPOCH_CHECKPOINT};
use crate::error::DiskError;

/// The epochs of one partition, ascending in epoch and start offset, mirrored in a file.
#[derive(Debug)]
pub(crate) struct LeaderEpochs {
    path: PathBuf,
    entries: Vec<(LeaderEpoch, Offset)>,
    /// The file says the same.
    is_saved: bool,
}

impl LeaderEpochs {
    /// The epochs in the checkpoint of `directory`; `None` if there is none.
    pub fn open(directory: &Path) -> Result<Option<Self>, CheckpointError> {
        let mut epochs = Self::empty(directory);
        let Some(entries) = checkpoint::read_leader_epochs(&epochs.path)? else {
            return Ok(None);
        };
        for (epoch, start_offset) in entries {
            epochs.insert(epoch, start_offset);
        }
        epochs.is_saved = true;
        Ok(Some(epochs))
    }

    /// No epoch; touches no file.
    pub fn empty(directory: &Path) -> Self {
        Self {
            path: directory.join(LEADER_EPOCH_CHECKPOINT),
            entries: Vec::new(),
            is_saved: true,
        }
    }

    /// The newest epoch.
    pub fn latest(&self) -> Option<LeaderEpoch> {
        self.entries.last().map(|(epoch, _)| *epoch)
    }

    /// The epoch of the record at `offset`.
    pub fn epoch_of(&self, offset: Offset) -> Option<LeaderEpoch> {
        let count = self
            .entries
            .partition_point(|(_, start_offset)| *start_offset <= offset);
        count.checked_sub(1).map(|index| self.entries[index].0)
    }

    /// Whether `epoch` is the newest one, in the checkpoint too.
    pub fn has_saved(&self, epoch: LeaderEpoch) -> bool {
        self.is_saved && self.latest() == Some(epoch)
    }

    /// Notes that `epoch` begins at `start_offset`, in memory alone; nothing happens if it is known
    /// already.
    pub fn begin(&mut self, epoch: LeaderEpoch, start_offset: Offset) {
        let is_known =
            |(last, start): &(LeaderEpoch, Offset)| *last == epoch && *start <= start_offset;
        if epoch.0 >= 0 && !self.entries.last().is_some_and(is_known) {
            self.insert(epoch, start_offset);
            self.is_saved = false;
        }
    }

    /// Notes that `epoch` begins at `start_offset`, in the checkpoint too. After an error nothing
    /// has changed.
    pub fn assign(&mut self, epoch: LeaderEpoch, start_offset: Offset) -> Result<(), DiskError> {
        let before = (self.entries.clone(), self.is_saved);
        self.begin(epoch, start_offset);
        self.save_if_changed()
            .inspect_err(|_| (self.entries, self.is_saved) = before)
    }

    /// Notes the epoch of a batch found in the log, if it is a newer one.
    pub fn assign_found(
        &mut self,
        epoch: LeaderEpoch,
        base_offset: Offset,
    ) -> Result<(), DiskError> {
        match self.latest().is_none_or(|latest| epoch > latest) {
            true => self.assign(epoch, base_offset),
            false => Ok(()),
        }
    }

    /// Forgets every epoch.
    pub fn clear(&mut self) -> Result<(), DiskError> {
        self.entries.clear();
        self.save()
    }

    /// The largest epoch not above `epoch`, and where it ends: the start of the next, or
    /// `log_end_offset`. `None` if `epoch` is in the future or before all that is known.
    ///
    /// Source: `LeaderEpochFileCache.endOffsetFor`, KIP-279.
    pub fn end_offset_for(
        &self,
        epoch: LeaderEpoch,
        log_end_offset: Offset,
    ) -> Option<(LeaderEpoch, Offset)> {
        let latest = self.latest()?;
        if epoch == latest {
            return Some((latest, log_end_offset));
        }
        if epoch.0 < 0 || epoch > latest {
            return None;
        }
        let above = self.entries.partition_point(|(known, _)| *known <= epoch);
        let end_offset = self
            .entries
            .get(above)
            .map(|(_, start_offset)| *start_offset)?;
        match above.checked_sub(1) {
            Some(index) => Some((self.entries[index].0, end_offset)),
            // Asked about an epoch before the first one known: it ended where that one begins.
            None => Some((epoch, end_offset)),
        }
    }

    /// Forgets epochs that begin at or after `end_offset`.
    pub fn truncate_from_end(&mut self, end_offset: Offset) -> Result<(), DiskError> {
        let before = self.entries.len();
        self.entries
            .retain(|(_, start_offset)| *start_offset < end_offset);
        if self.entries.len() == before {
            Ok(())
        } else {
            self.save()
        }
    }

    /// Lets the first epoch begin at `start_offset`, forgetting those that ended before.
    pub fn truncate_from_start(&mut self, start_offset: Offset) -> Result<(), DiskError> {
        let covered = self
            .entries
            .partition_point(|(_, start)| *start <= start_offset);
        if covered == 0 || (covered == 1 && self.entries[0].1 == start_offset) {
            return Ok(());
        }
        self.entries.drain(..covered - 1);
        self.entries[0].1 = start_offset;
        self.save()
    }

    /// Waits until the checkpoint is on the disk.
    pub fn sync(&self) -> Result<(), DiskError> {
        crate::text_file::sync(&self.path)
    }

    fn insert(&mut self, epoch: LeaderEpoch, start_offset: Offset) {
        // A newer epoch that begins at or before an older one supersedes it.
        while self
            .entries
            .last()
            .is_some_and(|(last, start)| *last >= epoch || *start >= start_offset)
        {
            self.entries.pop();
        }
        self.entries.push((epoch, start_offset));
    }

    /// Writes the checkpoint, if it says something else.
    pub fn save_if_changed(&mut self) -> Result<(), DiskError> {
        match self.is_saved {
            true => Ok(()),
            false => self.save(),
        }
    }

    fn save(&mut self) -> Result<(), DiskError> {
        checkpoint::write_leader_epochs(&self.path, &self.entries)?;
        self.is_saved = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(entries: &[(i32, i64)]) -> (tempfile::TempDir, LeaderEpochs) {
        let folder = tempfile::tempdir().unwrap();
        let mut epochs = LeaderEpochs::empty(folder.path());
        for (epoch, start) in entries {
            epochs.assign(LeaderEpoch(*epoch), Offset(*start)).unwrap();
        }
        (folder, epochs)
    }

    #[test]
    fn ends_of_epochs() {
        let (_folder, epochs) = epochs(&[(2, 5), (4, 10), (7, 20)]);
        for (asked, expected) in [
            (7, Some((7, 25))),
            (8, None),
            (-1, None),
            (6, Some((4, 20))),
            (4, Some((4, 20))),
            (3, Some((2, 10))),
            (2, Some((2, 10))),
            (1, Some((1, 5))),
        ] {
            let found = epochs.end_offset_for(LeaderEpoch(asked), Offset(25));
            assert_eq!(
                found.map(|(epoch, end)| (epoch.0, end.0)),
                expected,
                "epoch {asked}"
            );
        }
    }

    #[test]
    fn truncation_at_either_end_is_remembered() {
        let (folder, mut epochs) = epochs(&[(2, 5), (4, 10), (7, 20)]);
        epochs.truncate_from_end(Offset(20)).unwrap();
        epochs.truncate_from_start(Offset(12)).unwrap();
        let reopened = LeaderEpochs::open(folder.path()).unwrap().unwrap();
        assert_eq!(reopened.entries, [(LeaderEpoch(4), Offset(12))]);
        assert_eq!(reopened.epoch_of(Offset(11)), None);
        assert_eq!(reopened.epoch_of(Offset(12)), Some(LeaderEpoch(4)));
    }
}
