//! Why a command failed, and the exit code that says so to scripts.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use ottla_client::{ClientError, error_of};
use ottla_protocol::ErrorCode;

/// A command failed. Exit codes: 1 the cluster refused, 2 usage (also by the argument parser),
/// 3 the cluster cannot be reached, 4 a file cannot be read or written, 5 the node cannot start or
/// stop, 130 interrupted.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The cluster cannot be reached, or refused.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Nothing of that name exists.
    #[error("{kind} '{name}' does not exist")]
    Missing {
        /// What kind of thing was asked for.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// No table has the property.
    #[error("there is no property '{name}'{}", suggestion.map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    UnknownProperty {
        /// The name.
        name: String,
        /// A known name that is near to it.
        suggestion: Option<&'static str>,
    },
    /// A file failed.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line of the input is no record.
    #[error("{}, line {line}: {fault}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        fault: LineFault,
    },
    /// A file of a log is not what its name says.
    #[error("{}, byte {position}: {fault}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        position: u64,
        /// What is wrong with it.
        fault: FileFault,
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
    /// What a broker sent is no batch.
    #[error("not a record batch: {0}")]
    Batch(#[from] ottla_protocol::records::BatchError),
    /// What a broker sent are no records.
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
    /// Someone pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

/// Why a line is no record.
#[derive(Debug, thiserror::Error)]
pub enum LineFault {
    /// The key ends nowhere.
    #[error("no key separator in it")]
    NoKeySeparator,
    /// Not JSON, or not a record.
    #[error("not a record in JSON: {0}")]
    Json(serde_json::Error),
    /// Bytes that are no base64.
    #[error("not base64: {0}")]
    Base64(base64::DecodeError),
    /// Too long to be a record.
    #[error("longer than {max_bytes} bytes; is it the right --delimiter?")]
    TooLong {
        /// The longest line, bytes.
        max_bytes: usize,
    },
}

/// Why a file of a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// Not a batch.
    #[error("not a record batch: {0}")]
    Batch(#[from] ottla_protocol::records::BatchError),
    /// Not records.
    #[error("the batch's records cannot be read: {0}")]
    Records(#[from] ottla_protocol::records::RecordError),
    /// Not the message that belongs there.
    #[error("cannot be decoded: {0}")]
    Decode(#[from] ottla_protocol::DecodeError),
    /// Not whole entries.
    #[error("the file ends in the middle of an entry of {entry_bytes} bytes")]
    Torn {
        /// Bytes of an entry.
        entry_bytes: usize,
    },
    /// No file of a log has this name.
    #[error("not a file of a log by its name; see `ottla log dump --help` for those there are")]
    UnknownKind,
}

impl Failure {
    /// Whether the reader of our output has gone.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Pipe(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// What to tell a person, with what to do about it; `None` when there is nothing to say.
    pub fn words(&self) -> Option<String> {
        let advice = match self {
            Self::Interrupted => return None,
            Self::Client(ClientError::Refused { code, .. }) => advice(*code),
            _ => None,
        };
        Some(match advice {
            Some(advice) => format!("{self}; {advice}"),
            None => self.to_string(),
        })
    }

    /// The exit code of this failure.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Missing { .. }
            | Self::UnknownProperty { .. }
            | Self::Client(ClientError::Refused { .. } | ClientError::NoPartition { .. }) => 1,
            Self::Argument { .. } => 2,
            Self::Client(_) => 3,
            Self::File { .. }
            | Self::Line { .. }
            | Self::Damaged { .. }
            | Self::Pipe(_)
            | Self::Build(_)
            | Self::Batch(_)
            | Self::Records(_) => 4,
            Self::Configuration(_)
            | Self::Properties { .. }
            | Self::Start(_)
            | Self::Stop(_)
            | Self::Broken => 5,
            Self::Interrupted => 130,
        })
    }
}

/// What to do about a refusal.
fn advice(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::UnknownTopicOrPartition => {
            Some("`ottla topic list` shows the topics, `ottla topic create` makes one")
        }
        ErrorCode::GroupIdNotFound => Some("`ottla group list` shows the groups"),
        ErrorCode::NonEmptyGroup
        | ErrorCode::UnknownMemberId
        | ErrorCode::GroupSubscribedToTopic => {
            Some("the group must have no members for that: stop them first")
        }
        ErrorCode::MessageTooLarge => {
            Some("raise max.message.bytes with `ottla config set topic`, or write shorter records")
        }
        ErrorCode::InvalidConfig => {
            Some("`ottla config explain` says what properties there are and what they take")
        }
        ErrorCode::TopicAlreadyExists => Some("--if-not-exists takes it as it is"),
        _ => None,
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
        Some(code) => Err(ClientError::Refused {
            what: what(),
            code,
            message,
        }
        .into()),
    }
}
