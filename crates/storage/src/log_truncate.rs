//! Cutting a log at either end.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ottla_protocol::ids::Offset;

use crate::error::{DiskError, DiskOperation};
use crate::log::{Log, Writer};
use crate::producer_snapshot;
use crate::producer_state::ProducerState;
use crate::recovery::load_producers;
use crate::segment::{Segment, SegmentReadError};

/// A log could not be cut.
#[derive(Debug, thiserror::Error)]
pub enum TruncateError {
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The records before the cut could not be read.
    #[error(transparent)]
    Read(#[from] SegmentReadError),
}

impl Log {
    /// Deletes whole segments before `offset`, from which on records may be read (KIP-107). The new
    /// log start offset.
    pub fn delete_records_before(&self, offset: Offset) -> Result<Offset, DiskError> {
        // The directory keeps its name until the files are gone.
        let _no_retirement = self.flushing.lock();
        self.check_online(DiskOperation::Delete)?;
        let (start, removed) = self.raise_log_start(offset)?;
        // Without the lock: a large file takes its time to go.
        for segment in removed {
            self.fail_on_error(self.delete_segment(&segment))?;
        }
        Ok(start)
    }

    /// Moves the log start offset up to `offset`. It, and the segments that nobody reads any more.
    fn raise_log_start(&self, offset: Offset) -> Result<(Offset, Vec<Arc<Segment>>), DiskError> {
        let mut writer = self.writer.lock();
        let bounded = offset.0.min(self.high_watermark().0);
        self.log_start_offset.fetch_max(bounded, Ordering::AcqRel);
        let start = self.log_start_offset();
        self.fail_on_error(self.epochs.write().truncate_from_start(start))?;
        // The newest segment stays: it holds the end of the log.
        let is_dead = |pair: &&[Arc<Segment>]| pair[1].base_offset() <= start;
        let dead = writer.segments.windows(2).take_while(is_dead).count();
        let removed: Vec<_> = writer.segments.drain(..dead).collect();
        self.publish(&writer);
        self.check_invariants(&writer);
        Ok((start, removed))
    }

    /// Cuts the log so that it ends at `offset`, or before the batch that contains it: what a
    /// follower does that diverged from its leader.
    ///
    /// A log of a [`LogManager`](crate::LogManager) is cut by [`LogManager::truncate`](crate::LogManager::truncate),
    /// which lowers the checkpointed recovery point first.
    pub fn truncate_to(&self, offset: Offset) -> Result<(), TruncateError> {
        let mut writer = self.writer.lock();
        self.check_online(DiskOperation::Truncate)?;
        if offset >= self.log_end_offset() {
            return Ok(());
        }
        let before_first = |first: &Arc<Segment>| first.base_offset() > offset;
        if writer.segments.first().is_none_or(before_first) {
            return Ok(self.restart_at(&mut writer, offset)?);
        }
        self.lower_offsets(offset);
        let kept = writer
            .segments
            .partition_point(|segment| segment.base_offset() < offset)
            .max(1);
        self.offline_on_error(self.drop_segments(&mut writer, kept))?;
        let cut = writer
            .segments
            .last()
            .map(|last| last.truncate_to_offset(offset));
        let end = match cut {
            Some(end) => end.map_err(|error| self.read_failed(error))?,
            None => offset,
        };
        self.lower_offsets(end);
        self.offline_on_error(self.epochs.write().truncate_from_end(end))?;
        self.offline_on_error(producer_snapshot::delete_after(&self.directory, end))?;
        writer.producers = load_producers(&self.directory, &writer.segments, end)
            .map_err(|error| self.read_failed(error))?;
        writer.producers.settle(self.high_watermark());
        writer.last_snapshot = None;
        self.publish_first_unstable(&writer);
        self.check_invariants(&writer);
        Ok(())
    }

    /// Forgets every record; the next one gets `offset`. What a follower does that is so far behind
    /// that its leader has deleted what would come next.
    pub fn truncate_fully_and_start_at(&self, offset: Offset) -> Result<(), DiskError> {
        let mut writer = self.writer.lock();
        self.check_online(DiskOperation::Truncate)?;
        self.restart_at(&mut writer, offset)
    }

    /// Lowers the recovery point, so that recovery checks everything from `offset` on.
    pub(crate) fn lower_recovery_point(&self, offset: Offset) {
        self.recovery_point.fetch_min(offset.0, Ordering::AcqRel);
    }

    fn restart_at(&self, writer: &mut Writer, offset: Offset) -> Result<(), DiskError> {
        self.lower_offsets(Offset(0));
        self.offline_on_error(self.drop_segments(writer, 0))?;
        self.offline_on_error(self.epochs.write().clear())?;
        self.offline_on_error(producer_snapshot::delete_all(&self.directory))?;
        let segment = Segment::new(&self.directory, offset);
        self.offline_on_error(segment.create())?;
        writer.segments.push(Arc::new(segment));
        writer.producers = ProducerState::default();
        writer.last_snapshot = None;
        self.publish(writer);
        self.publish_first_unstable(writer);
        // Raised in this order, so that start <= high watermark <= end holds for every reader.
        self.log_end_offset.store(offset.0, Ordering::Release);
        self.high_watermark.store(offset.0, Ordering::Release);
        self.log_start_offset.store(offset.0, Ordering::Release);
        self.check_invariants(writer);
        Ok(())
    }

    /// Lowers every offset of the log to `offset`, before what lies behind it goes.
    fn lower_offsets(&self, offset: Offset) {
        self.recovery_point.fetch_min(offset.0, Ordering::AcqRel);
        self.log_start_offset.fetch_min(offset.0, Ordering::AcqRel);
        self.high_watermark.fetch_min(offset.0, Ordering::AcqRel);
        self.log_end_offset.fetch_min(offset.0, Ordering::AcqRel);
    }

    /// Keeps the first `kept` segments. The newest goes first, and durably before an older one is
    /// cut, so that no crash leaves a hole.
    fn drop_segments(&self, writer: &mut Writer, kept: usize) -> Result<(), DiskError> {
        let kept = kept.min(writer.segments.len());
        let removed = writer.segments.split_off(kept);
        self.publish(writer);
        for segment in removed.iter().rev() {
            self.delete_segment(segment)?;
        }
        self.names_changed.store(true, Ordering::Release);
        match removed.is_empty() {
            true => Ok(()),
            false => crate::disk::sync_directory(&self.directory),
        }
    }

    /// Deletes a segment's files, and the snapshot of the producers where it begins.
    fn delete_segment(&self, segment: &Segment) -> Result<(), DiskError> {
        segment.delete()?;
        crate::disk::delete(&producer_snapshot::path(
            &self.directory,
            segment.base_offset(),
        ))
    }

    /// Passes `result` on; any error takes the directory offline, as files are half cut.
    fn offline_on_error<T>(&self, result: Result<T, DiskError>) -> Result<T, DiskError> {
        self.fail_on_error(result)
            .inspect_err(|_| self.take_offline())
    }

    /// Takes the directory offline if the disk was the reason.
    fn read_failed(&self, error: SegmentReadError) -> TruncateError {
        if let SegmentReadError::Disk(_) = &error {
            self.take_offline();
        }
        error.into()
    }
}
