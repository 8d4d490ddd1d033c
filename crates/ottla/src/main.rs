//! `ottla`: the broker and the command line, in one program.
//!
//! - `start` runs a node ([`commands::start`]); `format` prepares its directories.
//! - `topic`, `produce`, `consume`, `group`, `config`, `cluster` ask a running cluster.
//! - `log` reads files.
//!
//! Every command is one file in `commands/`; [`arguments`] is what they take.

mod arguments;
mod commands;
mod failure;
mod output;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    match commands::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("ottla: {failure}");
            failure.exit_code()
        }
    }
}
