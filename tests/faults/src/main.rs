//! Faults on the real binary: `kill -9` under load, hostile bytes, no more open files.
//!
//! `ottla-faults BROKER [--kills N] [--frames N] [--seed S]`: BROKER is the program to test. Each part
//! prints its checks; the last line is `N passed, N failed`, and the exit code is 1 if any failed.

mod corpus;
mod descriptors;
mod failure;
mod frames;
#[path = "../../../crates/protocol/tests/golden_file/mod.rs"]
mod golden_file;
mod kills;
mod members;
mod node;
mod partition;
mod random;
mod topics;
mod writer;

use std::path::PathBuf;
use std::process::ExitCode;

/// What the command line asks for.
struct Arguments {
    broker: PathBuf,
    kills: u32,
    frames: u32,
    seed: u64,
}

fn arguments() -> Option<Arguments> {
    let mut words = std::env::args().skip(1);
    let mut arguments = Arguments {
        broker: words.next()?.into(),
        kills: 10,
        frames: 10_000,
        seed: 1,
    };
    while let Some(word) = words.next() {
        let value = words.next()?;
        match word.as_str() {
            "--kills" => arguments.kills = value.parse().ok()?,
            "--frames" => arguments.frames = value.parse().ok()?,
            "--seed" => arguments.seed = value.parse().ok()?,
            _ => return None,
        }
    }
    Some(arguments)
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!("usage: ottla-faults BROKER [--kills N] [--frames N] [--seed S]");
        return ExitCode::from(2);
    };
    let (mut passed, mut failed) = (0, 0);
    let parts = [
        (
            "kill -9 under load",
            kills::run(&arguments.broker, arguments.kills, arguments.seed).await,
        ),
        (
            "hostile frames",
            frames::run(&arguments.broker, arguments.frames, arguments.seed).await,
        ),
        (
            "no more open files",
            descriptors::run(&arguments.broker).await,
        ),
    ];
    for (name, result) in parts {
        match result {
            Ok(checks) => {
                println!("ok      {name}: {checks}");
                passed += 1;
            }
            Err(failure) => {
                println!("FAILED  {name} (seed {}): {failure}", arguments.seed);
                failed += 1;
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
