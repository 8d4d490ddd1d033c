//! `partition.metadata`: which topic a directory belongs to (KIP-516).

use std::path::{Path, PathBuf};

use ottla_protocol::ids::TopicId;

use crate::error::DiskError;
use crate::text_file;

/// The file's name.
pub const PARTITION_METADATA_FILE: &str = "partition.metadata";

/// The file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PartitionMetadataError {
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// It does not say `version: 0` and `topic_id: ...`.
    #[error("{} does not name a topic's id; restore it from a copy, or delete it: then the directory's name tells the topic", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// The topic id in `directory`; `None` when there is no file or an empty one, as in directories of very old releases.
pub fn read(directory: &Path) -> Result<Option<TopicId>, PartitionMetadataError> {
    let path = directory.join(PARTITION_METADATA_FILE);
    let Some(text) = text_file::read(&path)? else {
        return Ok(None);
    };
    if text.is_empty() {
        // The power failed before it was written: nothing else in the directory was flushed either.
        return Ok(None);
    }
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    let topic_id = value("topic_id")
        .and_then(|id| id.parse().ok())
        .map(TopicId);
    match (value("version"), topic_id) {
        (Some("0"), Some(topic_id)) => Ok(Some(topic_id)),
        _ => Err(PartitionMetadataError::Malformed { path }),
    }
}

/// Writes the topic id into `directory`; durable once the log's first flush has synced it.
pub fn write(directory: &Path, topic_id: TopicId) -> Result<(), DiskError> {
    let text = format!("version: 0\ntopic_id: {topic_id}");
    text_file::replace_unsynced(&directory.join(PARTITION_METADATA_FILE), text.as_bytes())
}
