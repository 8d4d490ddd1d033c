//! What can end a run of the load generator.

use std::io;

use rdkafka::error::KafkaError;

/// Why a run of the load generator ended without figures.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A socket or a file under /proc failed.
    #[error("{action}: {source}")]
    Io {
        action: &'static str,
        source: io::Error,
    },
    /// librdkafka refused a setting or a call.
    #[error("librdkafka: {0}")]
    Library(#[from] KafkaError),
    /// The broker answered with an error code where success is needed.
    #[error("the broker answered {api} for '{topic}' with error code {code}")]
    Broker {
        api: &'static str,
        topic: String,
        code: i16,
    },
    /// An answer ended before its fields did, or does not belong to the request.
    #[error("the broker's answer cannot be read: {field}")]
    Malformed { field: &'static str },
    /// Something did not happen in time.
    #[error("waited {waited_s} s for {what}")]
    TimedOut { what: &'static str, waited_s: u64 },
    /// The command line asks for something that cannot be.
    #[error("{0}")]
    Usage(&'static str),
}

impl LoadError {
    /// For `map_err` on an I/O result: says what was being done.
    pub fn io(action: &'static str) -> impl FnOnce(io::Error) -> LoadError {
        move |source| LoadError::Io { action, source }
    }
}
