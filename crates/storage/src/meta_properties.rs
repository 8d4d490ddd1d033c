//! `meta.properties`: which node of which cluster a log directory belongs to.

use std::path::{Path, PathBuf};

use ottla_protocol::Uuid;

use crate::error::DiskError;
use crate::text_file;

/// The file's name.
pub const META_PROPERTIES_FILE: &str = "meta.properties";

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaProperties {
    /// `cluster.id`.
    pub cluster_id: String,
    /// `node.id`.
    pub node_id: i32,
    /// `directory.id` (KIP-858), which directories of older releases lack.
    pub directory_id: Option<Uuid>,
}

/// The file could not be understood.
#[derive(Debug, thiserror::Error)]
pub enum MetaPropertiesError {
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A property is missing or is not what it should be.
    #[error("{}: {property} is missing or wrong; restore the file from a copy, or name another directory in log.dirs", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The property.
        property: &'static str,
    },
}

/// Reads the file of a log directory; `None` when the directory is not formatted.
pub fn read(log_directory: &Path) -> Result<Option<MetaProperties>, MetaPropertiesError> {
    let path = log_directory.join(META_PROPERTIES_FILE);
    let Some(text) = text_file::read(&path)? else {
        return Ok(None);
    };
    let value = |name: &'static str| {
        text.lines()
            .filter_map(|line| line.split_once('='))
            .find(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim())
    };
    let malformed = |property| MetaPropertiesError::Malformed {
        path: path.clone(),
        property,
    };
    if value("version") != Some("1") {
        return Err(malformed("version"));
    }
    let cluster_id = value("cluster.id").ok_or_else(|| malformed("cluster.id"))?;
    let node_id = value("node.id")
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| malformed("node.id"))?;
    let directory_id = match value("directory.id") {
        Some(id) => Some(id.parse().map_err(|_| malformed("directory.id"))?),
        None => None,
    };
    Ok(Some(MetaProperties {
        cluster_id: cluster_id.to_owned(),
        node_id,
        directory_id,
    }))
}

/// Formats a log directory, durably.
pub fn write(log_directory: &Path, properties: &MetaProperties) -> Result<(), DiskError> {
    let mut text = String::from("#\n");
    text.push_str(&format!("cluster.id={}\n", properties.cluster_id));
    if let Some(id) = properties.directory_id {
        text.push_str(&format!("directory.id={id}\n"));
    }
    text.push_str(&format!("node.id={}\nversion=1\n", properties.node_id));
    text_file::replace(&log_directory.join(META_PROPERTIES_FILE), text.as_bytes())
}
