//! Small files that are replaced whole: checkpoints, properties, markers.

use std::path::{Path, PathBuf};

use ottla_protocol::ids::Offset;

use crate::disk;
use crate::error::DiskError;

/// Replaces the file at `path` so that after a crash it is either the old one or the new one.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), DiskError> {
    let temporary = temporary_path(path);
    let file = disk::write_whole(&temporary, content)?;
    disk::sync(&file, &temporary)?;
    disk::rename(&temporary, path)?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// Replaces the file at `path` at once for readers, without waiting for the disk.
pub fn replace_unsynced(path: &Path, content: &[u8]) -> Result<(), DiskError> {
    let temporary = temporary_path(path);
    disk::write_whole(&temporary, content)?;
    disk::rename(&temporary, path)
}

/// Waits until the file, if there is one, is on the disk.
pub fn sync(path: &Path) -> Result<(), DiskError> {
    match disk::open(path)? {
        Some(file) => disk::sync(&file, path),
        None => Ok(()),
    }
}

/// Writes a file whose loss in a crash does no harm.
pub fn write(path: &Path, content: &[u8]) -> Result<(), DiskError> {
    disk::write_whole(path, content).map(|_| ())
}

/// The file's text, `None` when there is no file. Bytes that are not UTF-8 become U+FFFD.
pub fn read(path: &Path) -> Result<Option<String>, DiskError> {
    let content = disk::read_whole(path)?;
    Ok(content.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// Deletes the file if it is there.
pub fn delete(path: &Path) -> Result<(), DiskError> {
    disk::delete(path)
}

/// Makes the entries of a directory durable.
pub fn sync_directory(path: &Path) -> Result<(), DiskError> {
    disk::sync_directory(path)
}

/// The offset in a name that is 20 digits and `suffix`, as Kafka names the files of a log.
pub(crate) fn numbered(name: &str, suffix: &str) -> Option<Offset> {
    let digits = name.strip_suffix(suffix)?.strip_suffix('.')?;
    let is_offset = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_offset.then(|| digits.parse().ok().map(Offset))?
}

fn temporary_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    name.into()
}
