//! `tidy`: the rules of this repository that the compiler does not check.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use thiserror::Error;

use crate::generate::{self, GenerateError};
use crate::repository;

mod config_fields;
mod layers;
mod source;
mod words;

/// Something that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The file, from the top of the repository.
    pub file: String,
    /// The line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// The rule, and what to do about it.
    pub problem: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.problem)
    }
}

/// Why the rules could not be checked, or that some are broken.
#[derive(Debug, Error)]
pub enum TidyError {
    #[error("running {program}: {source}")]
    Run {
        program: &'static str,
        source: io::Error,
    },
    #[error("{program} failed: {message}")]
    Failed {
        program: &'static str,
        message: String,
    },
    #[error("cargo metadata is not JSON: {0}")]
    Metadata(#[from] serde_json::Error),
    #[error(transparent)]
    Generate(#[from] GenerateError),
    #[error("{0} violations")]
    Violations(usize),
}

/// Checks every rule and prints what breaks them.
pub fn run() -> Result<(), Box<dyn std::error::Error>> {
    let violations = violations()?;
    for violation in &violations {
        eprintln!("{violation}");
    }
    match violations.len() {
        0 => Ok(()),
        count => Err(TidyError::Violations(count).into()),
    }
}

/// Everything that breaks a rule, in order of the files.
pub fn violations() -> Result<Vec<Violation>, TidyError> {
    let mut violations = layers::check(&cargo_metadata()?);
    violations.extend(stale_generated_files()?);
    let mut sources = BTreeMap::new();
    for path in tracked_files()? {
        // A file that cannot be read as text, or is gone from the work tree, has no lines to check.
        let Ok(text) = fs::read_to_string(repository().join(&path)) else {
            continue;
        };
        violations.extend(words::check(&path, &text));
        if path.ends_with(".rs") && !text.starts_with(generate::HEADER) {
            violations.extend(source::check(&path, &text));
            if !source::is_test_file(&path) {
                sources.insert(path, text);
            }
        }
    }
    violations.extend(config_fields::check(&sources));
    violations.sort();
    Ok(violations)
}

fn stale_generated_files() -> Result<Vec<Violation>, TidyError> {
    let differences = generate::differences(&generate::formatted()?)?;
    let directory = generate::messages_directory();
    let directory = directory
        .strip_prefix(repository())
        .unwrap_or(&directory)
        .to_owned();
    let violation = |path: PathBuf| Violation {
        file: directory.join(path).display().to_string(),
        line: 0,
        problem: "not what the schemas say; run `cargo xtask generate`".to_owned(),
    };
    Ok(differences.into_iter().map(violation).collect())
}

/// The paths of all files under version control, from the top of the repository.
fn tracked_files() -> Result<Vec<String>, TidyError> {
    let listing = output("git", &["ls-files", "-z"], &repository())?;
    Ok(listing
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect())
}

fn cargo_metadata() -> Result<serde_json::Value, TidyError> {
    let arguments = [
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--offline",
    ];
    Ok(serde_json::from_str(&output(
        "cargo",
        &arguments,
        &repository(),
    )?)?)
}

fn output(
    program: &'static str,
    arguments: &[&str],
    directory: &Path,
) -> Result<String, TidyError> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .output()
        .map_err(|source| TidyError::Run { program, source })?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(TidyError::Failed { program, message });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_is_tidy() {
        let violations = super::violations().unwrap();
        let report: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert!(report.is_empty(), "\n{}\n", report.join("\n"));
    }
}
