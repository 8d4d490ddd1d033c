//! Chores of this repository, run as `cargo xtask CHORE`.
//!
//! - `import-schemas --jars DIR`: takes over the message definitions of a Kafka release.
//! - `generate`: makes the Rust of `crates/protocol/src/messages` from the schemas.
//! - `tidy`: checks the rules that the compiler does not; also a test.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod generate;
mod import;
mod names;
mod schema;
mod schema_text;
mod tidy;

/// How the chores are called.
const USAGE: &str = "usage: cargo xtask import-schemas --jars DIR | generate | tidy";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["import-schemas", "--jars", directory] => import::run(Path::new(directory)),
        ["generate"] => generate::run(),
        ["tidy"] => tidy::run(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The top folder of the repository.
fn repository() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .parent()
        .expect("xtask lies in the repository")
        .to_owned()
}

/// The folder of the schemas, one folder in it for each family of messages.
fn schemas() -> PathBuf {
    repository().join("crates/protocol/schemas")
}
