//! One line on the terminal that says how far long work has got.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::output::size_text;

/// Time between two updates of the line.
const INTERVAL: Duration = Duration::from_millis(200);

/// Counts records and bytes, and shows them on standard error when a person is there to see them.
pub struct Progress {
    verb: &'static str,
    started: Instant,
    shown: Instant,
    records: u64,
    bytes: u64,
    visible: bool,
}

impl Progress {
    /// For work that `verb` names, such as `written`. `others` are in the same place as the line
    /// would be: what is typed or printed there would be mixed with it.
    pub fn new(verb: &'static str, others: impl IsTerminal) -> Self {
        let now = Instant::now();
        Self {
            verb,
            started: now,
            shown: now,
            records: 0,
            bytes: 0,
            visible: io::stderr().is_terminal() && !others.is_terminal(),
        }
    }

    /// Adds what was done, and shows the sum from time to time.
    pub fn add(&mut self, records: u64, bytes: u64) {
        self.records += records;
        self.bytes += bytes;
        if self.visible && self.shown.elapsed() >= INTERVAL {
            self.shown = Instant::now();
            // A terminal that is gone is no reason to stop.
            let _ = write!(io::stderr(), "\r\x1b[K{}", self.text());
        }
    }

    /// Ends the line.
    pub fn finish(&self) {
        if self.visible {
            let _ = writeln!(io::stderr(), "\r\x1b[K{}", self.text());
        }
    }

    fn text(&self) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = self.records as f64 / seconds.max(0.001);
        format!(
            "{} records ({}) {} in {seconds:.1} s, {rate:.0} a second",
            self.records,
            size_text(self.bytes),
            self.verb
        )
    }
}
