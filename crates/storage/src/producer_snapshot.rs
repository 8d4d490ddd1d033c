//! `.snapshot` files: the state of a partition's producers at an offset.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use ottla_protocol::Message;
use ottla_protocol::ids::Offset;
use ottla_protocol::messages::producer_snapshot::{
    ProducerEntry as SnapshotEntry, ProducerSnapshot,
};
use ottla_protocol::records::crc32c;

use crate::disk;
use crate::error::DiskError;
use crate::producer_state::{BatchMetadata, ProducerEntry, ProducerState};
use crate::text_file;

/// Version of the file.
const VERSION: i16 = 1;
/// What the CRC covers begins here, behind version and CRC.
const CRC_COVERED_FROM: usize = 6;
/// The file's suffix.
pub(crate) const SNAPSHOT_SUFFIX: &str = "snapshot";

/// A snapshot's path.
pub(crate) fn path(directory: &Path, offset: Offset) -> PathBuf {
    directory.join(format!("{:020}.{SNAPSHOT_SUFFIX}", offset.0))
}

/// Writes the state at `offset`. A snapshot lost in a crash costs time, not correctness.
pub(crate) fn write(
    directory: &Path,
    offset: Offset,
    state: &ProducerState,
) -> Result<(), DiskError> {
    let mut producer_entries: Vec<SnapshotEntry> = state
        .entries()
        .map(|(id, entry)| encode(id, entry))
        .collect();
    producer_entries.sort_by_key(|entry| entry.producer_id);
    let snapshot = ProducerSnapshot {
        producer_entries,
        ..Default::default()
    };
    let path = path(directory, offset);
    let Ok(bytes) = snapshot.to_versioned_bytes(VERSION) else {
        unreachable!("every field of a snapshot exists in version {VERSION}");
    };
    let mut bytes = bytes.to_vec();
    let crc = crc32c(&bytes[CRC_COVERED_FROM..]);
    bytes[2..CRC_COVERED_FROM].copy_from_slice(&crc.to_be_bytes());
    text_file::write(&path, &bytes)
}

/// Reads the state at `offset`; `None` when there is no snapshot or it is damaged.
pub(crate) fn read(directory: &Path, offset: Offset) -> Result<Option<ProducerState>, DiskError> {
    let path = path(directory, offset);
    let Some(bytes) = disk::read_whole(&path)?.map(Bytes::from) else {
        return Ok(None);
    };
    let covered = bytes.get(CRC_COVERED_FROM..).unwrap_or_default();
    let crc = crc32c(covered);
    let Ok(snapshot) = ProducerSnapshot::from_versioned_bytes(bytes) else {
        return Ok(None);
    };
    if snapshot.crc != crc {
        return Ok(None);
    }
    let mut state = ProducerState::default();
    for entry in snapshot.producer_entries {
        let (producer_id, entry) = decode(entry);
        state.restore(producer_id, entry);
    }
    Ok(Some(state))
}

/// The offsets of the snapshots in `directory`, ascending.
pub(crate) fn offsets(directory: &Path) -> Result<Vec<Offset>, DiskError> {
    let entries = disk::entries(directory)?;
    let mut offsets: Vec<_> = entries
        .iter()
        .filter_map(|entry| text_file::numbered(&entry.name, SNAPSHOT_SUFFIX))
        .collect();
    offsets.sort();
    Ok(offsets)
}

/// Deletes snapshots of offsets behind `end`.
pub(crate) fn delete_after(directory: &Path, end: Offset) -> Result<(), DiskError> {
    delete_where(directory, |offset| offset > end)
}

/// Deletes every snapshot.
pub(crate) fn delete_all(directory: &Path) -> Result<(), DiskError> {
    delete_where(directory, |_| true)
}

/// Deletes what no later start will need: all but those where a segment begins and, behind the last
/// segment's beginning, the newest.
///
/// Source: `ProducerStateManager.removeStraySnapshots`.
pub(crate) fn delete_strays(directory: &Path, base_offsets: &[Offset]) -> Result<(), DiskError> {
    let strays: Vec<_> = offsets(directory)?
        .into_iter()
        .filter(|offset| !base_offsets.contains(offset))
        .collect();
    let last_base_offset = base_offsets.iter().max();
    let newest = strays
        .last()
        .copied()
        .filter(|newest| last_base_offset.is_none_or(|last| newest > last));
    delete_where(directory, |offset| {
        strays.contains(&offset) && Some(offset) != newest
    })
}

fn delete_where(directory: &Path, is_doomed: impl Fn(Offset) -> bool) -> Result<(), DiskError> {
    for offset in offsets(directory)? {
        if is_doomed(offset) {
            disk::delete(&path(directory, offset))?;
        }
    }
    Ok(())
}

fn encode(producer_id: i64, entry: &ProducerEntry) -> SnapshotEntry {
    let last = entry.batches.back();
    SnapshotEntry {
        producer_id,
        epoch: entry.epoch,
        last_sequence: last.map_or(-1, |batch| batch.last_sequence),
        last_offset: last.map_or(-1, |batch| batch.last_offset.0),
        offset_delta: last.map_or(0, |batch| batch.offset_delta),
        timestamp: entry.last_timestamp_ms,
        coordinator_epoch: entry.coordinator_epoch,
        current_txn_first_offset: entry
            .current_transaction_first_offset
            .map_or(-1, |offset| offset.0),
        ..Default::default()
    }
}

fn decode(entry: SnapshotEntry) -> (i64, ProducerEntry) {
    // Sequences wrap, so the first of a batch may be above its last.
    let first_sequence = entry.last_sequence.wrapping_sub(entry.offset_delta) & i32::MAX;
    let batch = (entry.last_sequence >= 0).then_some(BatchMetadata {
        first_sequence,
        last_sequence: entry.last_sequence,
        last_offset: Offset(entry.last_offset),
        offset_delta: entry.offset_delta,
        timestamp_ms: entry.timestamp,
    });
    let restored = ProducerEntry {
        epoch: entry.epoch,
        batches: batch.into_iter().collect(),
        last_timestamp_ms: entry.timestamp,
        coordinator_epoch: entry.coordinator_epoch,
        current_transaction_first_offset: (entry.current_txn_first_offset >= 0)
            .then_some(Offset(entry.current_txn_first_offset)),
    };
    (entry.producer_id, restored)
}
