//! `.kafka_cleanshutdown`: the mark that a log directory needs no recovery.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::DiskError;
use crate::text_file;

/// The file's name.
pub const CLEAN_SHUTDOWN_FILE: &str = ".kafka_cleanshutdown";
/// The broker epoch of a mark that names none.
pub const UNKNOWN_BROKER_EPOCH: i64 = -1;

#[derive(Deserialize, Serialize)]
struct Mark {
    version: i32,
    #[serde(rename = "brokerEpoch")]
    broker_epoch: i64,
}

/// Takes the mark away, durably, before anything else changes in the directory. The broker epoch
/// that it names, [`UNKNOWN_BROKER_EPOCH`] if it names none; `None` when there was no mark.
pub fn take(log_directory: &Path) -> Result<Option<i64>, DiskError> {
    let path = log_directory.join(CLEAN_SHUTDOWN_FILE);
    let Some(text) = text_file::read(&path)? else {
        return Ok(None);
    };
    text_file::delete(&path)?;
    text_file::sync_directory(log_directory)?;
    let mark: Option<Mark> = serde_json::from_str(&text).ok();
    Ok(Some(
        mark.map_or(UNKNOWN_BROKER_EPOCH, |mark| mark.broker_epoch),
    ))
}

/// Leaves the mark, as the last thing done in the directory (KIP-966).
pub fn leave(log_directory: &Path, broker_epoch: i64) -> Result<(), DiskError> {
    let text = format!("{{\"version\":0,\"brokerEpoch\":{broker_epoch}}}");
    text_file::replace(&log_directory.join(CLEAN_SHUTDOWN_FILE), text.as_bytes())
}
