//! `ottla log`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use ottla_protocol::records::{BatchView, Decompressor, batches};
use serde::Serialize;

use crate::arguments::LogCommand;
use crate::failure::Failure;

/// Runs one subcommand.
pub fn run(command: LogCommand) -> Result<(), Failure> {
    let LogCommand::Dump {
        files,
        records,
        json,
    } = command;
    let mut decompressor = Decompressor::default();
    for path in files {
        match dump(&path, records, json, &mut decompressor) {
            // The reader of our output has seen enough.
            Err(Failure::Pipe(error)) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            result => result?,
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct BatchLine {
    position: usize,
    base_offset: i64,
    last_offset: i64,
    records: i32,
    size_bytes: usize,
    leader_epoch: i32,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    max_timestamp: i64,
    compression: &'static str,
    transactional: bool,
    control: bool,
    crc_valid: bool,
}

#[derive(Serialize)]
struct RecordLine {
    offset: i64,
    timestamp: i64,
    key: Option<String>,
    value: Option<String>,
    headers: usize,
}

fn dump(
    path: &Path,
    with_records: bool,
    json: bool,
    decompressor: &mut Decompressor,
) -> Result<(), Failure> {
    let file = |source| Failure::File {
        path: PathBuf::from(path),
        source,
    };
    let bytes = Bytes::from(std::fs::read(path).map_err(file)?);
    let mut out = io::BufWriter::new(io::stdout().lock());
    if !json {
        writeln!(out, "{}", path.display())?;
    }
    let mut walk = batches(&bytes);
    let mut position = 0;
    for batch in walk.by_ref() {
        let batch = batch.map_err(|error| {
            file(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("at byte {position}: {error}"),
            ))
        })?;
        write_line(&mut out, json, &batch_line(position, &batch))?;
        if with_records {
            for record in batch.records(decompressor)? {
                let record = record?;
                let text = |bytes: &Option<Bytes>| {
                    bytes
                        .as_deref()
                        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
                };
                let line = RecordLine {
                    offset: record.offset,
                    timestamp: record.timestamp,
                    key: text(&record.key),
                    value: text(&record.value),
                    headers: record.headers.len(),
                };
                write_line(&mut out, json, &line)?;
            }
        }
        position += batch.size_bytes();
    }
    if walk.remaining_bytes() > 0 {
        writeln!(
            out,
            "{} bytes after the last whole batch",
            walk.remaining_bytes()
        )?;
    }
    Ok(out.flush()?)
}

fn batch_line(position: usize, batch: &BatchView) -> BatchLine {
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
        compression: batch.compression().map_or("unknown", |codec| codec.name()),
        transactional: batch.is_transactional(),
        control: batch.is_control(),
        crc_valid: batch.validate_crc().is_ok(),
    }
}

/// One line: JSON, or `name: value` pairs.
fn write_line<T: Serialize>(out: &mut impl Write, json: bool, line: &T) -> Result<(), Failure> {
    let value = serde_json::to_value(line).map_err(io::Error::from)?;
    match (&value, json) {
        (serde_json::Value::Object(fields), false) => {
            let pairs: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}: {value}"))
                .collect();
            writeln!(out, "{}", pairs.join(" "))?;
        }
        _ => writeln!(out, "{value}")?,
    }
    Ok(())
}
