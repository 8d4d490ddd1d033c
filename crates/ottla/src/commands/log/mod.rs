//! `ottla log`: what is in the files of a broker's directories.

mod decode;
mod segment;
mod small_files;

use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use self::decode::RecordKind;
use crate::arguments::LogCommand;
use crate::failure::{Failure, FileFault};
use crate::output::Format;
use crate::progress::Progress;

/// Runs one subcommand.
pub fn run(command: LogCommand) -> Result<(), Failure> {
    let LogCommand::Dump {
        paths,
        records,
        json,
    } = command;
    let mut dump = Dump {
        out: BufWriter::new(io::stdout().lock()),
        format: Format::of_flag(json),
        records,
        progress: Progress::new("shown", io::stdout()),
    };
    let mut failure = None;
    for path in &paths {
        match files(path) {
            Ok(files) => {
                for file in files {
                    match dump.file(&file) {
                        Err(closed) if closed.is_closed_pipe() => return Err(closed),
                        Err(error) => super::keep_first(&mut failure, error),
                        Ok(()) => {}
                    }
                }
            }
            Err(error) => super::keep_first(&mut failure, error),
        }
    }
    dump.out.flush()?;
    dump.progress.finish();
    failure.map_or(Ok(()), Err)
}

/// The file itself, or the files of a directory that can be shown, in the order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |source| Failure::File {
        path: path.to_owned(),
        source,
    };
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() && FileKind::of(&path).is_some() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// What a file is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileKind {
    /// Batches; the records have this form.
    Segment(RecordKind),
    OffsetIndex,
    TimeIndex,
    TransactionIndex,
    ProducerSnapshot,
    /// `topic partition offset` lines.
    OffsetCheckpoint,
    /// `epoch offset` lines.
    EpochCheckpoint,
    /// Lines of `name=value` or `name: value`.
    Properties,
    /// One JSON document.
    Json,
}

impl FileKind {
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let known = match name {
            "recovery-point-offset-checkpoint"
            | "replication-offset-checkpoint"
            | "log-start-offset-checkpoint"
            | "cleaner-offset-checkpoint" => Some(Self::OffsetCheckpoint),
            "leader-epoch-checkpoint" => Some(Self::EpochCheckpoint),
            "partition.metadata" | "meta.properties" => Some(Self::Properties),
            "quorum-state" | ".kafka_cleanshutdown" => Some(Self::Json),
            _ => None,
        };
        known.or_else(|| match name.rsplit('.').next()? {
            "log" => Some(Self::Segment(RecordKind::of(path))),
            "checkpoint" => Some(Self::Segment(RecordKind::Metadata)),
            "index" => Some(Self::OffsetIndex),
            "timeindex" => Some(Self::TimeIndex),
            "txnindex" => Some(Self::TransactionIndex),
            "snapshot" => Some(Self::ProducerSnapshot),
            _ => None,
        })
    }
}

/// Where everything is printed.
struct Dump {
    out: BufWriter<StdoutLock<'static>>,
    format: Format,
    /// Whether each record is shown.
    records: bool,
    progress: Progress,
}

impl Dump {
    fn file(&mut self, path: &Path) -> Result<(), Failure> {
        let Some(kind) = FileKind::of(path) else {
            return Err(Failure::Damaged {
                path: path.to_owned(),
                position: 0,
                fault: FileFault::UnknownKind,
            });
        };
        match self.format {
            Format::Table => writeln!(self.out, "{}", path.display())?,
            Format::Json => self.line("file", &path.display().to_string())?,
        }
        match kind {
            FileKind::Segment(kind) => self.segment(path, kind),
            FileKind::OffsetIndex => self.offset_index(path),
            FileKind::TimeIndex => self.time_index(path),
            FileKind::TransactionIndex => self.transaction_index(path),
            FileKind::ProducerSnapshot => self.producer_snapshot(path),
            FileKind::OffsetCheckpoint => self.offset_checkpoint(path),
            FileKind::EpochCheckpoint => self.epoch_checkpoint(path),
            FileKind::Properties => self.properties(path),
            FileKind::Json => self.json(path),
        }
    }

    /// One line of `kind`: `{"kind": {...}}`, or `name: value` pairs.
    fn line<T: Serialize>(&mut self, kind: &str, line: &T) -> Result<(), Failure> {
        let value = serde_json::to_value(line).map_err(io::Error::from)?;
        match (self.format, &value) {
            (Format::Json, _) => {
                let mut object = serde_json::Map::new();
                object.insert(kind.to_owned(), value);
                writeln!(self.out, "{}", Value::Object(object))?;
            }
            (Format::Table, Value::Object(fields)) => {
                let mut separator = if kind == "record" { "  | " } else { "" };
                for (name, value) in fields {
                    write!(self.out, "{separator}{name}: ")?;
                    match value {
                        Value::String(text) if is_plain(text) => write!(self.out, "{text}")?,
                        other => write!(self.out, "{other}")?,
                    }
                    separator = " ";
                }
                writeln!(self.out)?;
            }
            (Format::Table, other) => writeln!(self.out, "{other}")?,
        }
        Ok(())
    }
}

/// Whether a text needs no quotes to be told from what stands beside it.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
