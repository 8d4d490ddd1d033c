//! Segments and metadata snapshots: batches and their records.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use bytes::Bytes;
use ottla_protocol::records::{BatchError, BatchView, Decompressor};
use serde::Serialize;

use super::Dump;
use super::decode::{self, RecordKind};
use crate::failure::{Failure, FileFault};
use crate::position::time_text;
use crate::record::JsonRecord;

/// Bytes of a batch's base offset and length, which its length does not count.
const LOG_OVERHEAD_BYTES: usize = 12;
/// Bytes read ahead.
const BUFFER_BYTES: usize = 256 * 1024;

#[derive(Serialize)]
struct BatchLine {
    position: u64,
    base_offset: i64,
    last_offset: i64,
    records: i32,
    size_bytes: usize,
    leader_epoch: i32,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    max_timestamp: i64,
    time: String,
    compression: &'static str,
    transactional: bool,
    control: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_horizon_ms: Option<i64>,
    crc_valid: bool,
}

#[derive(Serialize)]
struct DecodedLine {
    offset: i64,
    timestamp: i64,
    #[serde(flatten)]
    record: decode::Decoded,
}

impl Dump {
    /// Shows the batches of a file; a bad one is told and ends it.
    pub(super) fn segment(&mut self, path: &Path, kind: RecordKind) -> Result<(), Failure> {
        let failed = |source| Failure::File {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let mut left = file.metadata().map_err(failed)?.len();
        let mut input = BufReader::with_capacity(BUFFER_BYTES, file);
        let mut decompressor = Decompressor::default();
        let mut position = 0;
        loop {
            let damaged = |fault: FileFault| Failure::Damaged {
                path: path.to_owned(),
                position,
                fault,
            };
            let Some(bytes) = next_batch(&mut input, left).map_err(failed)? else {
                break;
            };
            let batch = BatchView::new(bytes).map_err(|error| damaged(error.into()))?;
            self.line("batch", &batch_line(position, &batch))?;
            if self.records {
                self.batch_records(&batch, kind, &mut decompressor, &damaged)?;
            }
            let size = batch.size_bytes() as u64;
            self.progress
                .add(batch.records_count().unsigned_abs().into(), size);
            position += size;
            left = left.saturating_sub(size);
        }
        if left > 0 {
            self.line("rest", &Rest { position, left })?;
        }
        Ok(())
    }

    fn batch_records(
        &mut self,
        batch: &BatchView,
        kind: RecordKind,
        decompressor: &mut Decompressor,
        damaged: &dyn Fn(FileFault) -> Failure,
    ) -> Result<(), Failure> {
        let records = batch
            .records(decompressor)
            .map_err(|error| damaged(error.into()))?;
        for record in records {
            let record = record.map_err(|error| damaged(error.into()))?;
            let kind = match batch.is_control() {
                true => RecordKind::Control,
                false => kind,
            };
            match decode::decode(kind, &record) {
                None => self.line("record", &JsonRecord::of(None, &record))?,
                Some(Ok(decoded)) => {
                    let line = DecodedLine {
                        offset: record.offset,
                        timestamp: record.timestamp,
                        record: decoded,
                    };
                    self.line("record", &line)?;
                }
                Some(Err(error)) => return Err(damaged(error.into())),
            }
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Rest {
    position: u64,
    #[serde(rename = "bytes_after_the_last_whole_batch")]
    left: u64,
}

/// The bytes of the next batch; `None` when what is `left` is no whole batch.
fn next_batch(input: &mut impl Read, left: u64) -> io::Result<Option<Bytes>> {
    if left < LOG_OVERHEAD_BYTES as u64 {
        return Ok(None);
    }
    let mut head = [0; LOG_OVERHEAD_BYTES];
    input.read_exact(&mut head)?;
    let length = head
        .last_chunk::<4>()
        .map_or(0, |length| i32::from_be_bytes(*length));
    let Ok(length) = u64::try_from(length) else {
        return Ok(Some(Bytes::copy_from_slice(&head)));
    };
    if length == 0 || length > left - LOG_OVERHEAD_BYTES as u64 {
        return Ok(None);
    }
    let mut bytes = head.to_vec();
    input.take(length).read_to_end(&mut bytes)?;
    Ok(Some(bytes.into()))
}

fn batch_line(position: u64, batch: &BatchView) -> BatchLine {
    BatchLine {
        position,
        base_offset: batch.base_offset(),
        last_offset: batch.last_offset(),
        records: batch.records_count(),
        size_bytes: batch.size_bytes(),
        leader_epoch: batch.partition_leader_epoch(),
        producer_id: batch.producer_id(),
        producer_epoch: batch.producer_epoch(),
        base_sequence: batch.base_sequence(),
        max_timestamp: batch.max_timestamp(),
        time: time_text(batch.max_timestamp()),
        compression: batch.compression().map_or("unknown", |codec| codec.name()),
        transactional: batch.is_transactional(),
        control: batch.is_control(),
        delete_horizon_ms: batch.delete_horizon_ms(),
        crc_valid: !matches!(batch.validate_crc(), Err(BatchError::CrcMismatch { .. })),
    }
}
