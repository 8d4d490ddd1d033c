//! Why a fault test fails.

use std::io;

use ottla_client::{ClientError, RequestError};
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
    Request(#[from] RequestError),
    #[error("{what} was refused: {code:?}")]
    Refused { what: &'static str, code: ErrorCode },
    #[error("a batch that was read is damaged: {0}")]
    Batch(#[from] ottla_protocol::records::BatchError),
    #[error("records that were read are damaged: {0}")]
    Records(#[from] ottla_protocol::records::RecordError),
    #[error(
        "after kill {kill}: partition {partition}, offset {offset}: {value} was acknowledged, {found:?} is there"
    )]
    Lost {
        kill: u32,
        partition: i32,
        offset: i64,
        value: u64,
        found: Option<u64>,
    },
    #[error("after kill {kill}: partition {partition}: {value} is there twice")]
    Twice {
        kill: u32,
        partition: i32,
        value: u64,
    },
    #[error("after kill {kill}: partition {partition}: offset {found} follows {expected} records")]
    Gap {
        kill: u32,
        partition: i32,
        expected: i64,
        found: i64,
    },
    #[error("after kill {kill}: offset {committed} was committed and {found} is there")]
    Commit {
        kill: u32,
        committed: i64,
        found: i64,
    },
    #[error("memory grew from {before} to {after} KiB")]
    Memory { before: u64, after: u64 },
    #[error("{after} sockets stay open, {before} were at first")]
    Connections { before: usize, after: usize },
    #[error("the broker's log: {0}")]
    Log(String),
}
