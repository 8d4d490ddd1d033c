//! Why a command failed, and the exit code that says so to scripts.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use ottla_client::{ClientError, error_of};
use ottla_protocol::ErrorCode;

/// A command failed. Exit codes: 1 the cluster refused, 2 usage (by the argument parser),
/// 3 the cluster cannot be reached, 4 a file cannot be read or written, 5 the node cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The cluster cannot be reached, or refused.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A part of a request was refused.
    #[error("{what}: {} ({})", code.name(), message.as_deref().unwrap_or(code.message()))]
    Refused {
        /// What was asked for.
        what: String,
        /// Kafka's error code.
        code: ErrorCode,
        /// The broker's own words, if it gave any.
        message: Option<String>,
    },
    /// Nothing of that name exists.
    #[error("{kind} '{name}' does not exist")]
    Missing {
        /// What kind of thing was asked for.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A file failed.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Standard input or output failed.
    #[error("cannot read or write the terminal or pipe: {0}")]
    Pipe(#[from] io::Error),
    /// An argument has no meaning.
    #[error("{argument}: '{value}' is not {expected}")]
    Argument {
        /// The argument's name.
        argument: &'static str,
        /// What was given.
        value: String,
        /// What is understood.
        expected: &'static str,
    },
    /// The configuration of a node is wrong.
    #[error("{0}")]
    Configuration(#[from] ottla_config::ConfigError),
    /// A file is not a properties file.
    #[error("{}, {source}", path.display())]
    Properties {
        /// The file.
        path: PathBuf,
        /// Where and why not.
        source: ottla_config::PropertiesError,
    },
    /// Records cannot be put together.
    #[error("the records cannot be sent: {0}")]
    Build(#[from] ottla_protocol::records::BuildError),
    /// What a broker or file holds is no batch.
    #[error("not a record batch: {0}")]
    Batch(#[from] ottla_protocol::records::BatchError),
    /// What a broker or file holds are no records.
    #[error("the records of a batch cannot be read: {0}")]
    Records(#[from] ottla_protocol::records::RecordError),
    /// The node did not stop cleanly.
    #[error(transparent)]
    Stop(#[from] ottla_broker::StopError),
    /// The node cannot go on.
    #[error("the node cannot go on and has stopped; see the errors before this one")]
    Broken,
    /// The node cannot start.
    #[error("{0}")]
    Start(#[from] ottla_broker::StartError),
}

impl Failure {
    /// The exit code of this failure.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused { .. }
            | Self::Missing { .. }
            | Self::Client(ClientError::Refused { .. }) => 1,
            Self::Argument { .. } => 2,
            Self::Client(_) => 3,
            Self::File { .. }
            | Self::Pipe(_)
            | Self::Build(_)
            | Self::Batch(_)
            | Self::Records(_) => 4,
            Self::Configuration(_)
            | Self::Properties { .. }
            | Self::Start(_)
            | Self::Stop(_)
            | Self::Broken => 5,
        })
    }
}

/// `Ok` when `code` is 0, else what was refused.
pub fn check(
    code: i16,
    message: Option<String>,
    what: impl FnOnce() -> String,
) -> Result<(), Failure> {
    match error_of(code) {
        None => Ok(()),
        Some(code) => Err(Failure::Refused {
            what: what(),
            code,
            message,
        }),
    }
}
