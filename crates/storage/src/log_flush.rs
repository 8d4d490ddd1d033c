//! When a log's records reach the disk, and how it is closed.

use std::sync::atomic::Ordering;

use ottla_protocol::ids::Offset;

use crate::error::{DiskError, DiskOperation};
use crate::log::Log;
use crate::partition_metadata::PARTITION_METADATA_FILE;
use crate::{disk, producer_snapshot, text_file};

/// What a flush makes durable of the segment that is appended to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ActiveSegment {
    /// Its records: recovery builds the indexes again.
    Records,
    /// Its indexes too, as a clean start trusts them.
    All,
}

impl Log {
    /// Whether a flush is due: by `flush.messages`, `flush.ms`, or because segments were sealed.
    pub fn flush_is_due(&self, now_ms: i64) -> bool {
        let config = self.config.load();
        let unflushed = self.log_end_offset().0 - self.recovery_point().0;
        let waited_ms = now_ms.saturating_sub(self.last_flush_ms.load(Ordering::Relaxed));
        unflushed > 0
            && (unflushed >= config.flush_messages
                || waited_ms >= config.flush_ms
                || self.rolled.load(Ordering::Acquire))
    }

    /// Waits until everything before `offset` is on the disk.
    ///
    /// A failure takes the whole log directory offline: what the failed fsync covered may be lost,
    /// and asking again would only hide that. Who waited for that flush fails with it.
    pub fn flush(&self, offset: Offset, now_ms: i64) -> Result<(), DiskError> {
        if self.recovery_point() >= offset {
            return Ok(());
        }
        let _one_at_a_time = self.flushing.lock();
        if self.recovery_point() >= offset {
            return Ok(());
        }
        self.flush_all(ActiveSegment::Records, now_ms)
    }

    fn flush_all(&self, active: ActiveSegment, now_ms: i64) -> Result<(), DiskError> {
        self.check_online(DiskOperation::Sync)?;
        self.rolled.store(false, Ordering::Release);
        let names_changed = self.names_changed.swap(false, Ordering::AcqRel);
        let end = self.log_end_offset();
        self.sync_files(active, names_changed).inspect_err(|_| {
            self.rolled.store(true, Ordering::Release);
            self.names_changed.fetch_or(names_changed, Ordering::AcqRel);
        })?;
        self.recovery_point.fetch_max(end.0, Ordering::AcqRel);
        self.last_flush_ms.store(now_ms, Ordering::Relaxed);
        Ok(())
    }

    /// Waits until the segments from the recovery point on are on the disk, and the small files if
    /// they changed.
    fn sync_files(&self, active: ActiveSegment, names_changed: bool) -> Result<(), DiskError> {
        let recovery_point = self.recovery_point();
        let segments = self.segments();
        let first = segments
            .partition_point(|segment| segment.base_offset() <= recovery_point)
            .saturating_sub(1);
        for (index, segment) in segments.iter().enumerate().skip(first) {
            let is_active = index + 1 == segments.len();
            self.fail_on_error(match is_active && active == ActiveSegment::Records {
                true => segment.sync_records(),
                false => segment.sync_all(),
            })?;
        }
        if names_changed {
            self.fail_on_error(self.sync_names())?;
        }
        Ok(())
    }

    /// Waits until the small files, and the directory under its name, are on the disk.
    fn sync_names(&self) -> Result<(), DiskError> {
        text_file::sync(&self.directory.join(PARTITION_METADATA_FILE))?;
        self.epochs.write().save_if_changed()?;
        self.epochs.read().sync()?;
        disk::sync_directory(&self.directory)?;
        if !self.name_is_durable.load(Ordering::Acquire) {
            self.directory
                .parent()
                .map_or(Ok(()), disk::sync_directory)?;
            self.name_is_durable.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Writes what a restart needs to know without reading the log again, and flushes.
    ///
    /// Of a log that never had a record nothing is flushed: were its directory lost, it would be made
    /// again as it was.
    pub fn close(&self, now_ms: i64) -> Result<(), DiskError> {
        if self.log_end_offset() == Offset(0) && self.segments().iter().all(|one| !one.is_open()) {
            return Ok(());
        }
        {
            let mut writer = self.writer.lock();
            self.check_online(DiskOperation::Write)?;
            let end = self.log_end_offset();
            if let Some(active) = writer.segments.last() {
                if active.size_bytes() > 0 {
                    self.fail_on_error(active.seal())?;
                }
                if writer.last_snapshot != Some(end) && end.0 > 0 {
                    let written = producer_snapshot::write(&self.directory, end, &writer.producers);
                    self.fail_on_error(written)?;
                    writer.last_snapshot = Some(end);
                }
            }
        }
        let _one_at_a_time = self.flushing.lock();
        self.flush_all(ActiveSegment::All, now_ms)
    }
}
