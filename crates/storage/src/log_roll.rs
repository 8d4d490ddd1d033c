//! When a log begins a new segment, other than by what is appended.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ottla_protocol::ids::Offset;

use crate::error::{DiskError, DiskOperation};
use crate::log::{Log, Writer};
use crate::producer_snapshot;
use crate::segment::Segment;

impl Log {
    /// Begins a new segment at the end of the log.
    pub fn roll(&self) -> Result<(), DiskError> {
        let mut writer = self.writer.lock();
        self.check_online(DiskOperation::Create)?;
        let end = self.log_end_offset();
        match writer.segments.last() {
            Some(last) if last.base_offset() == end => Ok(()),
            _ => self.roll_at(&mut writer, end),
        }
    }

    /// Begins a new segment if the last one is older than `segment.ms` and only the clock can tell:
    /// its records have no times. The others are judged by their times when they are appended.
    ///
    /// Source: `LogSegment.timeWaitedForRoll`. Differs from Kafka, which asks the clock at the next
    /// append.
    pub fn roll_if_aged(&self, now_ms: i64) -> Result<(), DiskError> {
        let segments = self.segments();
        let Some(active) = segments.last().filter(|active| active.has_no_times()) else {
            return Ok(());
        };
        let since_ms = {
            let mut since = self.active_since.lock();
            if since.0 != active.base_offset() {
                *since = (active.base_offset(), now_ms);
            }
            since.1
        };
        match now_ms.saturating_sub(since_ms) > active.longest_wait_ms(&self.config.load()) {
            true => self.roll(),
            false => Ok(()),
        }
    }

    pub(crate) fn roll_at(
        &self,
        writer: &mut Writer,
        base_offset: Offset,
    ) -> Result<(), DiskError> {
        if let Some(sealed) = writer.segments.last() {
            self.fail_on_error(sealed.seal())?;
            self.fail_on_error(producer_snapshot::write(
                &self.directory,
                base_offset,
                &writer.producers,
            ))?;
            writer.last_snapshot = Some(base_offset);
            self.rolled.store(true, Ordering::Release);
        }
        let segment = Segment::new(&self.directory, base_offset);
        // The file's name keeps the end of the log, should all segments before it go.
        self.fail_on_error(segment.create())?;
        self.names_changed.store(true, Ordering::Release);
        writer.segments.push(Arc::new(segment));
        self.publish(writer);
        Ok(())
    }
}
