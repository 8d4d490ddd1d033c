//! Why a fault test fails.

use std::io;

use ottla_client::{ClientError, ConnectError, RequestError, error_of};
use ottla_protocol::ErrorCode;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("the broker is not ready; its log ends with\n{0}")]
    NotReady(String),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("{what} was refused: {code:?}")]
    Refused { what: &'static str, code: ErrorCode },
    #[error("a batch that was read is damaged: {0}")]
    Batch(#[from] ottla_protocol::records::BatchError),
    #[error("records that were read are damaged: {0}")]
    Records(#[from] ottla_protocol::records::RecordError),
    #[error("records cannot be put together: {0}")]
    Build(#[from] ottla_protocol::records::BuildError),
    #[error("{0}")]
    History(String),
    #[error("after kill {kill}: {failure}")]
    After { kill: u32, failure: Box<Failure> },
    #[error("memory grew from {before} to {after} KiB")]
    Memory { before: u64, after: u64 },
    #[error("{after} sockets stay open, {before} were at first")]
    Connections { before: usize, after: usize },
    #[error("the broker's log: {0}")]
    Log(String),
}

/// Nothing, if none of `codes` is an error; else the first, as the refusal of `what`.
pub fn granted(what: &'static str, codes: impl IntoIterator<Item = i16>) -> Result<(), Failure> {
    match codes.into_iter().find_map(error_of) {
        None => Ok(()),
        Some(code) => Err(Failure::Refused { what, code }),
    }
}
