//! How records are printed.

use std::io::{self, BufWriter, StdoutLock, Write};

use ottla_protocol::records::RecordRef;

use crate::arguments::ConsumeArguments;
use crate::position::time_text;
use crate::record::JsonRecord;

/// Prints records on standard output, as the arguments ask for.
pub struct Printer<'a> {
    arguments: &'a ConsumeArguments,
    out: BufWriter<StdoutLock<'static>>,
}

impl<'a> Printer<'a> {
    /// A printer that holds standard output.
    pub fn new(arguments: &'a ConsumeArguments) -> Self {
        Self {
            arguments,
            out: BufWriter::with_capacity(64 * 1024, io::stdout().lock()),
        }
    }

    /// Prints one record of `partition`.
    pub fn print(&mut self, partition: i32, record: &RecordRef) -> io::Result<()> {
        if self.arguments.json {
            let place = Some((self.arguments.topic.as_str(), partition));
            serde_json::to_writer(&mut self.out, &JsonRecord::of(place, record))?;
            return self.out.write_all(b"\n");
        }
        if self.arguments.verbose {
            let time = time_text(record.timestamp);
            write!(self.out, "{partition}\t{}\t{time}\t", record.offset)?;
            self.headers(record)?;
        }
        let null = self.arguments.null.as_bytes();
        if let Some(separator) = &self.arguments.key_separator {
            self.out.write_all(record.key.as_deref().unwrap_or(null))?;
            self.out.write_all(&separator.0)?;
        }
        self.out
            .write_all(record.value.as_deref().unwrap_or(null))?;
        self.out.write_all(&self.arguments.delimiter.0)
    }

    fn headers(&mut self, record: &RecordRef) -> io::Result<()> {
        let null = self.arguments.null.as_bytes();
        for (index, header) in record.headers.iter().enumerate() {
            if index > 0 {
                self.out.write_all(b",")?;
            }
            self.out.write_all(&header.key)?;
            self.out.write_all(b"=")?;
            self.out
                .write_all(header.value.as_deref().unwrap_or(null))?;
        }
        self.out.write_all(b"\t")
    }

    /// Hands over what was printed, so that a reader sees it and what is committed was printed.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
