//! Measurements that take a moment instead of a load: when a broker first answers, and how long
//! new partitions take.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::error::LoadError;
use crate::options::{Partitions, Target};
use crate::wire::{self, Connection};

/// Pause between two attempts to connect.
const CONNECT_PAUSE: Duration = Duration::from_micros(300);
/// Pause between two looks at a topic that is not complete.
const TOPIC_PAUSE: Duration = Duration::from_millis(5);

/// When something happened, and how long that took.
#[derive(Debug, Serialize)]
pub struct Moment {
    /// The system's monotonic clock, in seconds, which other processes read too.
    pub monotonic_s: f64,
    /// Since this command started.
    pub seconds: f64,
    /// Sum of the partitions' log end offsets, where a topic was asked for.
    pub log_end_offsets: Option<i64>,
}

fn moment(start: Instant, log_end_offsets: Option<i64>) -> Moment {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Moment {
        monotonic_s: now.tv_sec as f64 + now.tv_nsec as f64 / 1e9,
        seconds: start.elapsed().as_secs_f64(),
        log_end_offsets,
    }
}

/// Tries again and again until a Metadata answer names a broker.
pub fn first_metadata(target: &Target) -> Result<Moment, LoadError> {
    let start = Instant::now();
    connect_until_metadata(target, start)?;
    Ok(moment(start, None))
}

fn connect_until_metadata(target: &Target, start: Instant) -> Result<Connection, LoadError> {
    let timeout = Duration::from_secs(target.timeout_s);
    while start.elapsed() < timeout {
        if let Ok(mut connection) = Connection::open(&target.broker)
            && let Ok((1.., _)) = wire::metadata(&mut connection, None)
        {
            return Ok(connection);
        }
        std::thread::sleep(CONNECT_PAUSE);
    }
    Err(LoadError::TimedOut {
        what: "a Metadata answer",
        waited_s: target.timeout_s,
    })
}

/// Creates the topic, then waits as `await_partitions` does.
pub fn create_partitions(options: &Partitions) -> Result<Moment, LoadError> {
    let mut connection = Connection::open(&options.target.broker)?;
    let start = Instant::now();
    wire::create_topic(&mut connection, &options.topic, options.partitions, &[])?;
    finish(options, &mut connection, start)
}

/// Waits, from before the broker answers at all, until every partition answers ListOffsets.
pub fn await_partitions(options: &Partitions) -> Result<Moment, LoadError> {
    let start = Instant::now();
    let mut connection = connect_until_metadata(&options.target, start)?;
    finish(options, &mut connection, start)
}

fn finish(
    options: &Partitions,
    connection: &mut Connection,
    start: Instant,
) -> Result<Moment, LoadError> {
    let timeout = Duration::from_secs(options.target.timeout_s);
    let count = options.partitions as usize;
    let sum = wire::await_topic(connection, &options.topic, count, timeout, TOPIC_PAUSE)?;
    Ok(moment(start, Some(sum)))
}
