//! Changes of the levels of loggers: resource BROKER_LOGGER (KIP-412).

use thiserror::Error;

use super::{AlterErrorKind, Change, Operation};

/// The logger that stands for all loggers without a level of their own.
pub const ROOT_LOGGER: &str = "root";

/// How much a logger says. Source: Kafka's `LogLevelConfig`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// What helps to find faults.
    Debug,
    /// What happens.
    Info,
    /// What may need attention.
    Warn,
    /// What needs attention.
    Error,
    /// What ends the broker.
    Fatal,
}

impl LogLevel {
    /// All levels, in the order of their names.
    pub const ALL: [Self; 6] = [
        Self::Debug,
        Self::Error,
        Self::Fatal,
        Self::Info,
        Self::Trace,
        Self::Warn,
    ];

    /// Kafka's name of the level, such as `INFO`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }

    /// The level of this very name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// What is done to a logger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoggerChange {
    /// It gets a level of its own.
    Set {
        /// The logger.
        logger: String,
        /// The level.
        level: LogLevel,
    },
    /// It takes the level of the loggers above it.
    Unset {
        /// The logger.
        logger: String,
    },
}

/// Why a change of a logger is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoggerError {
    /// Levels are no lists.
    #[error("{operation} operation is not allowed for the BROKER_LOGGER resource")]
    NotAList {
        /// The operation.
        operation: &'static str,
    },
    /// The broker has no such logger.
    #[error("Logger {logger} does not exist!")]
    UnknownLogger {
        /// The logger.
        logger: String,
    },
    /// There is no such level.
    #[error(
        "cannot set the level of logger {logger} to {level}; use DEBUG, ERROR, FATAL, INFO, \
         TRACE or WARN"
    )]
    UnknownLevel {
        /// The logger.
        logger: String,
        /// The level asked for.
        level: String,
    },
    /// The level of the root logger cannot be taken away.
    #[error("the level of the root logger cannot be removed")]
    RootLevelNeeded,
}

impl LoggerError {
    /// The error code of the refusal.
    pub fn kind(&self) -> AlterErrorKind {
        match self {
            Self::NotAList { .. } | Self::RootLevelNeeded => AlterErrorKind::InvalidRequest,
            Self::UnknownLogger { .. } | Self::UnknownLevel { .. } => AlterErrorKind::InvalidConfig,
        }
    }
}

/// Checks one change of IncrementalAlterConfigs on a logger. `is_logger` says whether a name is
/// that of a logger of this broker; the root logger always is.
pub fn validate_logger_change(
    change: &Change,
    is_logger: impl Fn(&str) -> bool,
) -> Result<LoggerChange, LoggerError> {
    let logger = change.name.clone();
    if matches!(change.operation, Operation::Append | Operation::Subtract) {
        return Err(LoggerError::NotAList {
            operation: change.operation.name(),
        });
    }
    if logger != ROOT_LOGGER && !is_logger(&logger) {
        return Err(LoggerError::UnknownLogger { logger });
    }
    if change.operation == Operation::Delete {
        return match logger.as_str() {
            ROOT_LOGGER => Err(LoggerError::RootLevelNeeded),
            _ => Ok(LoggerChange::Unset { logger }),
        };
    }
    let level = change.value.as_deref().unwrap_or_default();
    match LogLevel::from_name(level) {
        Some(level) => Ok(LoggerChange::Set { logger, level }),
        None => Err(LoggerError::UnknownLevel {
            logger,
            level: level.to_owned(),
        }),
    }
}
