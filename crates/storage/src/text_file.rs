//! Small files that are replaced whole: checkpoints, properties, markers.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::{DiskError, DiskOperation, DiskResult};

/// Replaces the file at `path` so that after a crash it is either the old one or the new one.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), DiskError> {
    let temporary = temporary_path(path);
    let mut file = File::create(&temporary).disk(DiskOperation::Create, &temporary)?;
    file.write_all(content)
        .disk(DiskOperation::Write, &temporary)?;
    file.sync_all().disk(DiskOperation::Sync, &temporary)?;
    fs::rename(&temporary, path).disk(DiskOperation::Rename, path)?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// Replaces the file at `path` at once for readers, without waiting for the disk.
pub fn replace_unsynced(path: &Path, content: &[u8]) -> Result<(), DiskError> {
    let temporary = temporary_path(path);
    fs::write(&temporary, content).disk(DiskOperation::Write, &temporary)?;
    fs::rename(&temporary, path).disk(DiskOperation::Rename, path)
}

/// Waits until the file, if there is one, is on the disk.
pub fn sync(path: &Path) -> Result<(), DiskError> {
    match File::open(path) {
        Ok(file) => file.sync_all().disk(DiskOperation::Sync, path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).disk(DiskOperation::Open, path),
    }
}

/// Writes a file whose loss in a crash does no harm.
pub fn write(path: &Path, content: &[u8]) -> Result<(), DiskError> {
    fs::write(path, content).disk(DiskOperation::Write, path)
}

/// The file's text, `None` when there is no file. Bytes that are not UTF-8 become U+FFFD.
pub fn read(path: &Path) -> Result<Option<String>, DiskError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).disk(DiskOperation::Read, path),
    }
}

/// Deletes the file if it is there.
pub fn delete(path: &Path) -> Result<(), DiskError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).disk(DiskOperation::Delete, path)
        }
        _ => Ok(()),
    }
}

/// Makes the entries of a directory durable.
pub fn sync_directory(path: &Path) -> Result<(), DiskError> {
    let directory = File::open(path).disk(DiskOperation::Open, path)?;
    directory.sync_all().disk(DiskOperation::Sync, path)
}

fn temporary_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    name.into()
}
