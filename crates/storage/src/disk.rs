//! Every operation on files and directories of this crate, each with its error.
//!
//! Nothing else here calls the system, so that a test can let any of them fail; see `failures`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, IoSlice, Read};
use std::path::Path;

use bytes::Bytes;

use crate::error::{DiskError, DiskOperation, DiskResult};

#[cfg(test)]
pub(crate) mod failures;

#[cfg(test)]
use failures::{before, before_write};

/// Outside of tests only the disk itself fails.
#[cfg(not(test))]
#[inline(always)]
fn before(_operation: DiskOperation, _path: &Path) -> Result<(), DiskError> {
    Ok(())
}

/// Outside of tests only the disk itself fails.
#[cfg(not(test))]
#[inline(always)]
fn before_write(
    _file: &File,
    _path: &Path,
    _position: u64,
    _first: &[u8],
) -> Result<(), DiskError> {
    Ok(())
}

/// Opens a file for reading and writing, and makes it if there is none.
pub(crate) fn open_or_create(path: &Path) -> Result<File, DiskError> {
    before(DiskOperation::Open, path)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).disk(DiskOperation::Open, path)
}

/// Opens a file for reading; `None` when there is none.
pub(crate) fn open(path: &Path) -> Result<Option<File>, DiskError> {
    before(DiskOperation::Open, path)?;
    found(File::open(path)).disk(DiskOperation::Open, path)
}

/// The size of an open file, in bytes.
pub(crate) fn size_bytes(file: &File, path: &Path) -> Result<u64, DiskError> {
    before(DiskOperation::Read, path)?;
    let metadata = file.metadata().disk(DiskOperation::Read, path)?;
    Ok(metadata.len())
}

/// All of a small file; `None` when there is none.
pub(crate) fn read_whole(path: &Path) -> Result<Option<Vec<u8>>, DiskError> {
    let Some(mut file) = open(path)? else {
        return Ok(None);
    };
    let mut content = Vec::new();
    before(DiskOperation::Read, path)?;
    file.read_to_end(&mut content)
        .disk(DiskOperation::Read, path)?;
    Ok(Some(content))
}

/// `length` bytes at `position`, fewer at the end of the file.
pub(crate) fn read_at(
    file: &File,
    path: &Path,
    position: u64,
    length: usize,
) -> Result<Bytes, DiskError> {
    before(DiskOperation::Read, path)?;
    let mut bytes: Vec<u8> = Vec::with_capacity(length);
    while bytes.len() < length {
        let at = position + bytes.len() as u64;
        match rustix::io::pread(file, rustix::buffer::spare_capacity(&mut bytes), at) {
            Ok(0) => break,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).disk(DiskOperation::Read, path),
        }
    }
    bytes.truncate(length);
    Ok(Bytes::from(bytes))
}

/// Fills `bytes` from `position` on; a file that ends before is an error.
pub(crate) fn read_exact_at(
    file: &File,
    path: &Path,
    position: u64,
    bytes: &mut [u8],
) -> Result<(), DiskError> {
    before(DiskOperation::Read, path)?;
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, position).disk(DiskOperation::Read, path)
}

/// Writes `first` and then `second` at `position`. After an error a part of them may be there.
pub(crate) fn write_at(
    file: &File,
    path: &Path,
    position: u64,
    first: &[u8],
    second: &[u8],
) -> Result<(), DiskError> {
    before_write(file, path, position, first)?;
    write_all_at(file, first, second, position).disk(DiskOperation::Write, path)
}

fn write_all_at(file: &File, first: &[u8], second: &[u8], position: u64) -> io::Result<()> {
    let total = first.len() + second.len();
    let mut written = 0;
    while written < total {
        let first_left = first.get(written..).unwrap_or_default();
        let second_left = &second[written.saturating_sub(first.len())..];
        let parts = [IoSlice::new(first_left), IoSlice::new(second_left)];
        match rustix::io::pwritev(file, &parts, position + written as u64) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => written += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Writes a small file anew.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<File, DiskError> {
    before(DiskOperation::Create, path)?;
    let file = File::create(path).disk(DiskOperation::Create, path)?;
    write_at(&file, path, 0, content, &[])?;
    Ok(file)
}

/// Cuts a file to `size_bytes`.
pub(crate) fn truncate(file: &File, path: &Path, size_bytes: u64) -> Result<(), DiskError> {
    before(DiskOperation::Truncate, path)?;
    file.set_len(size_bytes).disk(DiskOperation::Truncate, path)
}

/// Takes room for a file without making it longer; false where that cannot be had.
pub(crate) fn preallocate(file: &File, size_bytes: u64) -> bool {
    use rustix::fs::{FallocateFlags, fallocate};
    fallocate(file, FallocateFlags::KEEP_SIZE, 0, size_bytes).is_ok()
}

/// Waits until a file's content is on the disk.
pub(crate) fn sync(file: &File, path: &Path) -> Result<(), DiskError> {
    before(DiskOperation::Sync, path)?;
    file.sync_data().disk(DiskOperation::Sync, path)
}

/// Waits until the names in a directory are on the disk.
pub(crate) fn sync_directory(path: &Path) -> Result<(), DiskError> {
    before(DiskOperation::Sync, path)?;
    let directory = File::open(path).disk(DiskOperation::Open, path)?;
    directory.sync_all().disk(DiskOperation::Sync, path)
}

/// Renames a file or directory, replacing a file that has the new name.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), DiskError> {
    before(DiskOperation::Rename, from)?;
    fs::rename(from, to).disk(DiskOperation::Rename, from)
}

/// Deletes a file, if it is there.
pub(crate) fn delete(path: &Path) -> Result<(), DiskError> {
    before(DiskOperation::Delete, path)?;
    found(fs::remove_file(path))
        .disk(DiskOperation::Delete, path)
        .map(|_| ())
}

/// Deletes a directory with all that is in it.
pub(crate) fn delete_directory(path: &Path) -> Result<(), DiskError> {
    before(DiskOperation::Delete, path)?;
    found(fs::remove_dir_all(path))
        .disk(DiskOperation::Delete, path)
        .map(|_| ())
}

/// Makes a directory, which must not exist.
pub(crate) fn create_directory(path: &Path) -> Result<(), DiskError> {
    before(DiskOperation::Create, path)?;
    fs::create_dir(path).disk(DiskOperation::Create, path)
}

/// Makes a directory and those above it, where there are none.
pub(crate) fn create_directories(path: &Path) -> Result<(), DiskError> {
    before(DiskOperation::Create, path)?;
    fs::create_dir_all(path).disk(DiskOperation::Create, path)
}

/// What a directory holds.
pub(crate) struct Entry {
    pub name: String,
    pub is_directory: bool,
}

/// The entries of a directory whose names are UTF-8; Kafka's all are.
pub(crate) fn entries(directory: &Path) -> Result<Vec<Entry>, DiskError> {
    before(DiskOperation::Read, directory)?;
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory).disk(DiskOperation::Read, directory)? {
        let entry = entry.disk(DiskOperation::Read, directory)?;
        let is_directory = entry.path().is_dir();
        if let Ok(name) = entry.file_name().into_string() {
            entries.push(Entry { name, is_directory });
        }
    }
    Ok(entries)
}

/// "Not found" is no error.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
