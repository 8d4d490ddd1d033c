//! `ottla`: the broker and the command line, in one program.
//!
//! - `start` runs a node ([`commands::start`]); `format` prepares its directories.
//! - `topic`, `produce`, `consume`, `group`, `config`, `cluster` ask a running cluster.
//! - `log` reads files.
//!
//! Every command is one file in `commands/`; [`arguments`] is what they take, [`position`],
//! [`record`], [`output`] and [`progress`] how people write and read it.

mod arguments;
mod commands;
mod failure;
mod output;
mod position;
mod progress;
mod record;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    match commands::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of our output has seen enough.
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(words) = failure.words() {
                // When standard error is closed too, the exit code says it alone.
                let _ = writeln!(std::io::stderr(), "ottla: {words}");
            }
            failure.exit_code()
        }
    }
}
