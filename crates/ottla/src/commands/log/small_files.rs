//! Everything beside the segments: indexes, snapshots of producers, checkpoints.

use std::io::{self, ErrorKind};
use std::path::Path;

use bytes::Bytes;
use ottla_protocol::Message;
use ottla_protocol::messages::producer_snapshot::ProducerSnapshot;
use ottla_storage::inspect::{self, Entries};
use serde::Serialize;
use serde_json::Value;

use super::Dump;
use crate::failure::{Failure, FileFault};
use crate::position::time_text;

#[derive(Serialize)]
struct OffsetIndexLine {
    offset: i64,
    position: u32,
}

#[derive(Serialize)]
struct TimeIndexLine {
    timestamp: i64,
    time: String,
    offset: i64,
}

#[derive(Serialize)]
struct TransactionLine {
    producer_id: i64,
    first_offset: i64,
    last_offset: i64,
    last_stable_offset: i64,
}

#[derive(Serialize)]
struct OffsetLine<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
}

#[derive(Serialize)]
struct EpochLine {
    epoch: i32,
    start_offset: i64,
}

impl Dump {
    pub(super) fn offset_index(&mut self, path: &Path) -> Result<(), Failure> {
        let base = base_offset(path);
        let index = inspect::offset_index(&read(path)?);
        for entry in &index.entries {
            let line = OffsetIndexLine {
                offset: base + i64::from(entry.relative_offset),
                position: entry.position,
            };
            self.line("entry", &line)?;
        }
        whole(path, &index)
    }

    pub(super) fn time_index(&mut self, path: &Path) -> Result<(), Failure> {
        let base = base_offset(path);
        let index = inspect::time_index(&read(path)?);
        for entry in &index.entries {
            let line = TimeIndexLine {
                timestamp: entry.timestamp_ms,
                time: time_text(entry.timestamp_ms),
                offset: base + i64::from(entry.relative_offset),
            };
            self.line("entry", &line)?;
        }
        whole(path, &index)
    }

    pub(super) fn transaction_index(&mut self, path: &Path) -> Result<(), Failure> {
        let index = inspect::transaction_index(&read(path)?);
        for entry in &index.entries {
            let line = TransactionLine {
                producer_id: entry.producer_id.0,
                first_offset: entry.first_offset.0,
                last_offset: entry.last_offset.0,
                last_stable_offset: entry.last_stable_offset.0,
            };
            self.line("aborted", &line)?;
        }
        whole(path, &index)
    }

    pub(super) fn producer_snapshot(&mut self, path: &Path) -> Result<(), Failure> {
        let bytes = Bytes::from(read(path)?);
        let snapshot =
            ProducerSnapshot::from_versioned_bytes(bytes).map_err(|error| Failure::Damaged {
                path: path.to_owned(),
                position: 0,
                fault: error.into(),
            })?;
        for producer in &snapshot.producer_entries {
            self.line("producer", producer)?;
        }
        Ok(())
    }

    pub(super) fn offset_checkpoint(&mut self, path: &Path) -> Result<(), Failure> {
        self.checkpoint(path, |dump, line| {
            let mut words = line.rsplitn(3, ' ');
            let offset = words.next().and_then(|word| word.parse().ok());
            let partition = words.next().and_then(|word| word.parse().ok());
            let (Some(offset), Some(partition), Some(topic)) = (offset, partition, words.next())
            else {
                return Ok(false);
            };
            let line = OffsetLine {
                topic,
                partition,
                offset,
            };
            dump.line("checkpoint", &line).map(|()| true)
        })
    }

    pub(super) fn epoch_checkpoint(&mut self, path: &Path) -> Result<(), Failure> {
        self.checkpoint(path, |dump, line| {
            let words = line.split_once(' ');
            let parsed = words.and_then(|(epoch, start_offset)| {
                Some(EpochLine {
                    epoch: epoch.parse().ok()?,
                    start_offset: start_offset.parse().ok()?,
                })
            });
            match parsed {
                Some(line) => dump.line("epoch", &line).map(|()| true),
                None => Ok(false),
            }
        })
    }

    /// A version, a count, and that many lines, of which `show` says whether it understands them.
    fn checkpoint(
        &mut self,
        path: &Path,
        mut show: impl FnMut(&mut Self, &str) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let text = read_text(path)?;
        if text.is_empty() {
            // Kafka makes the file before it has anything to write.
            return Ok(());
        }
        let mut lines = text.lines();
        let version = lines.next();
        let count: Option<usize> = lines.next().and_then(|line| line.parse().ok());
        if version != Some("0") || count.is_none() {
            return Err(malformed(
                path,
                "it does not begin with version 0 and a count",
            ));
        }
        let mut shown = 0;
        for line in lines {
            if !show(self, line)? {
                return Err(malformed(path, &format!("not understood: {line}")));
            }
            shown += 1;
        }
        if count != Some(shown) {
            return Err(malformed(path, "there are not as many lines as it says"));
        }
        Ok(())
    }

    pub(super) fn properties(&mut self, path: &Path) -> Result<(), Failure> {
        let mut fields = serde_json::Map::new();
        for line in read_text(path)?.lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((name, value)) = line.split_once(['=', ':']) else {
                return Err(malformed(path, &format!("not understood: {line}")));
            };
            let value = Value::String(value.trim().replace("\\=", "="));
            fields.insert(name.trim().to_owned(), value);
        }
        self.line("properties", &fields)
    }

    pub(super) fn json(&mut self, path: &Path) -> Result<(), Failure> {
        let text = read_text(path)?;
        let value: Value =
            serde_json::from_str(&text).map_err(|error| malformed(path, &error.to_string()))?;
        self.line("state", &value)
    }
}

fn base_offset(path: &Path) -> i64 {
    let name = path.file_name().and_then(|name| name.to_str());
    name.and_then(inspect::base_offset)
        .map_or(0, |offset| offset.0)
}

fn whole<E>(path: &Path, index: &Entries<E>) -> Result<(), Failure> {
    match index.torn_bytes {
        0 => Ok(()),
        _ => Err(Failure::Damaged {
            path: path.to_owned(),
            position: (index.entries.len() * index.entry_bytes) as u64,
            fault: FileFault::Torn {
                entry_bytes: index.entry_bytes,
            },
        }),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|source| Failure::File {
        path: path.to_owned(),
        source,
    })
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let bytes = read(path)?;
    String::from_utf8(bytes).map_err(|_| malformed(path, "it is not text"))
}

fn malformed(path: &Path, reason: &str) -> Failure {
    Failure::File {
        path: path.to_owned(),
        source: io::Error::new(ErrorKind::InvalidData, reason),
    }
}
