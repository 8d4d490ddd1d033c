//! Kafka's checkpoint files: a version, a count, and that many lines.
//!
//! A damaged file is an error of its own kind: the caller decides whether it can do without.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ottla_protocol::ids::{LeaderEpoch, Offset, TopicPartition};

use crate::error::DiskError;
use crate::text_file;

/// Where recovery may begin: every record before it is on the disk.
pub const RECOVERY_POINT_CHECKPOINT: &str = "recovery-point-offset-checkpoint";
/// The high watermarks.
pub const HIGH_WATERMARK_CHECKPOINT: &str = "replication-offset-checkpoint";
/// The log start offsets.
pub const LOG_START_OFFSET_CHECKPOINT: &str = "log-start-offset-checkpoint";
/// The leader epochs of one partition.
pub const LEADER_EPOCH_CHECKPOINT: &str = "leader-epoch-checkpoint";

/// The only version of these files.
const VERSION: &str = "0";

/// A checkpoint could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A line is not what it should be.
    #[error("{}, line {line}: not a checkpoint", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

/// The offsets of many partitions, of one log directory.
pub type OffsetCheckpoint = BTreeMap<TopicPartition, Offset>;

/// Reads the offsets in `path`; none when there is no file.
pub fn read_offsets(path: &Path) -> Result<OffsetCheckpoint, CheckpointError> {
    read(path, |line| {
        let mut words = line.split(' ');
        let topic = words.next()?;
        let partition: i32 = words.next()?.parse().ok()?;
        let offset: i64 = words.next()?.parse().ok()?;
        words
            .next()
            .is_none()
            .then(|| (TopicPartition::new(topic, partition), Offset(offset)))
    })
    .map(|entries| entries.into_iter().flatten().collect())
}

/// Replaces the offsets in `path`.
pub fn write_offsets(path: &Path, offsets: &OffsetCheckpoint) -> Result<(), DiskError> {
    let mut text = format!("{VERSION}\n{}\n", offsets.len());
    for (topic_partition, offset) in offsets {
        let _ = writeln!(
            text,
            "{} {} {offset}",
            topic_partition.topic, topic_partition.partition
        );
    }
    text_file::replace(path, text.as_bytes())
}

/// Reads the leader epochs in `path` and where each begins; `None` when there is no file.
pub fn read_leader_epochs(
    path: &Path,
) -> Result<Option<Vec<(LeaderEpoch, Offset)>>, CheckpointError> {
    read(path, |line| {
        let (epoch, start_offset) = line.split_once(' ')?;
        Some((
            LeaderEpoch(epoch.parse().ok()?),
            Offset(start_offset.parse().ok()?),
        ))
    })
}

/// Replaces the leader epochs in `path`, without waiting for the disk: those of records past the
/// recovery point are found again in the records.
pub fn write_leader_epochs(path: &Path, epochs: &[(LeaderEpoch, Offset)]) -> Result<(), DiskError> {
    let mut text = format!("{VERSION}\n{}\n", epochs.len());
    for (epoch, start_offset) in epochs {
        let _ = writeln!(text, "{epoch} {start_offset}");
    }
    text_file::replace_unsynced(path, text.as_bytes())
}

fn read<T>(
    path: &Path,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<Vec<T>>, CheckpointError> {
    let Some(text) = text_file::read(path)? else {
        return Ok(None);
    };
    let malformed = |line| CheckpointError::Malformed {
        path: path.to_owned(),
        line,
    };
    let mut lines = text.lines();
    if lines.next() != Some(VERSION) {
        return Err(malformed(1));
    }
    let count: usize = lines
        .next()
        .and_then(|line| line.parse().ok())
        .ok_or_else(|| malformed(2))?;
    let mut entries = Vec::new();
    for (index, line) in lines.enumerate() {
        entries.push(parse(line).ok_or_else(|| malformed(index + 3))?);
    }
    match entries.len() == count {
        true => Ok(Some(entries)),
        false => Err(malformed(entries.len() + 3)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_survive_and_look_like_kafkas() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(RECOVERY_POINT_CHECKPOINT);
        assert_eq!(read_offsets(&path).unwrap(), OffsetCheckpoint::new());
        let offsets = OffsetCheckpoint::from([
            (TopicPartition::new("a", 1), Offset(7)),
            (TopicPartition::new("b-c", 0), Offset(0)),
        ]);
        write_offsets(&path, &offsets).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "0\n2\na 1 7\nb-c 0 0\n"
        );
        assert_eq!(read_offsets(&path).unwrap(), offsets);
    }

    #[test]
    fn damage_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        for (text, line) in [
            ("", 1),
            ("1\n0\n", 1),
            ("0\nx\n", 2),
            ("0\n1\na 0\n", 3),
            ("0\n2\na 0 1\n", 4),
        ] {
            std::fs::write(&path, text).unwrap();
            match read_offsets(&path) {
                Err(CheckpointError::Malformed { line: found, .. }) => {
                    assert_eq!(found, line, "{text:?}")
                }
                other => panic!("{text:?} gave {other:?}"),
            }
        }
    }
}
