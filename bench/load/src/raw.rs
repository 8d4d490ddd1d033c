//! Produce and Fetch requests written straight to sockets. The requests are built before the
//! clock starts, so the generator costs little more than the copies of the system calls.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::batch;
use crate::error::LoadError;
use crate::measure::{Figures, Meter};
use crate::options::{Consume, Produce};
use crate::payload::Payloads;
use crate::wire::{Connection, Get, Put};

const PRODUCE: i16 = 0;
const FETCH: i16 = 1;
/// Different requests that each producer sends in turn, when its partitions do not ask for more.
const REQUESTS: usize = 16;

/// Sends `options.records` records at least (whole requests) and waits for all answers.
pub fn produce(options: &Produce) -> Result<Figures, LoadError> {
    let per_batch = (options.batch_bytes / (options.record_bytes + 8)).max(1) as u64;
    let per_request = per_batch * width(options) as u64;
    let requests = options.records.div_ceil(per_request);
    let mut producers = Vec::new();
    for index in 0..options.connections {
        let connection = Connection::open(&options.target.broker)?;
        producers.push((
            connection,
            build_requests(options, index, per_batch as i32)?,
        ));
    }
    let meter = Meter::start(options.target.broker_pid)?;
    let left = AtomicU64::new(requests);
    std::thread::scope(|scope| {
        let running: Vec<_> = producers
            .into_iter()
            .map(|(connection, frames)| {
                let left = &left;
                scope.spawn(move || run_producer(options, connection, &frames, left))
            })
            .collect();
        running.into_iter().try_for_each(join)
    })?;
    let records = requests * per_request;
    meter.finish(records, records * options.record_bytes as u64)
}

fn join(thread: std::thread::ScopedJoinHandle<'_, Result<(), LoadError>>) -> Result<(), LoadError> {
    match thread.join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Takes one from what is left; false when nothing is.
fn take(left: &AtomicU64) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
        .is_ok()
}

/// Partitions that one request writes to.
fn width(options: &Produce) -> usize {
    options
        .partitions_per_request
        .clamp(1, options.partitions as usize)
}

fn build_requests(
    options: &Produce,
    producer: usize,
    per_batch: i32,
) -> Result<Vec<Vec<u8>>, LoadError> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis() as i64;
    let mut payloads = Payloads::new(options.record_bytes);
    let partitions = options.partitions as usize;
    let width = width(options);
    let mut partition = producer % partitions;
    let mut frames = Vec::new();
    for _ in 0..REQUESTS.max(partitions.div_ceil(width)) {
        let mut put = Put::request(PRODUCE, 8, frames.len() as i32);
        put.i16(-1)
            .i16(options.acks)
            .i32(30_000)
            .i32(1)
            .string(&options.topic)
            .i32(width as i32);
        for _ in 0..width {
            let batch = batch::build(&mut payloads, per_batch, options.codec, now)?;
            put.i32(partition as i32).bytes(&batch);
            partition = (partition + 1) % partitions;
        }
        frames.push(put.frame());
    }
    Ok(frames)
}

fn run_producer(
    options: &Produce,
    mut connection: Connection,
    frames: &[Vec<u8>],
    left: &AtomicU64,
) -> Result<(), LoadError> {
    let mut in_flight = 0;
    for frame in frames.iter().cycle() {
        if !take(left) {
            break;
        }
        connection.send(frame)?;
        if options.acks == 0 {
            continue;
        }
        in_flight += 1;
        if in_flight == options.in_flight {
            check_produced(connection.receive()?, &options.topic)?;
            in_flight -= 1;
        }
    }
    for _ in 0..in_flight {
        check_produced(connection.receive()?, &options.topic)?;
    }
    Ok(())
}

fn check_produced(answer: &[u8], topic: &str) -> Result<(), LoadError> {
    let mut get = Get::new(answer);
    for _ in 0..get.length()? {
        get.string()?;
        for _ in 0..get.length()? {
            get.i32()?;
            let code = get.i16()?;
            if code != 0 {
                return Err(LoadError::Broker {
                    api: "Produce",
                    topic: topic.to_owned(),
                    code,
                });
            }
            get.take(24)?;
            for _ in 0..get.length()? {
                get.i32()?;
                get.string()?;
            }
            get.string()?;
        }
    }
    Ok(())
}

/// Reads `options.records` records in all, starting over at the end of a partition.
pub fn consume(options: &Consume) -> Result<Figures, LoadError> {
    let meter = Meter::start(options.target.broker_pid)?;
    let read = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..options.connections)
            .map(|index| {
                let read = &read;
                scope.spawn(move || run_consumer(options, index, read))
            })
            .collect();
        running.into_iter().try_for_each(join)
    })?;
    let records = read.into_inner();
    meter.finish(records, records * options.record_bytes as u64)
}

/// The partitions that consumer `index` of `consumers` reads.
pub fn share_of(partitions: i32, consumers: usize, index: usize) -> Vec<i32> {
    let consumers = consumers as i32;
    if partitions < consumers {
        return vec![index as i32 % partitions];
    }
    (0..partitions)
        .filter(|partition| partition % consumers == index as i32)
        .collect()
}

fn run_consumer(options: &Consume, index: usize, read: &AtomicU64) -> Result<(), LoadError> {
    let mut connection = Connection::open(&options.target.broker)?;
    let mut positions: Vec<(i32, i64)> = share_of(options.partitions, options.connections, index)
        .into_iter()
        .map(|partition| (partition, 0))
        .collect();
    while read.load(Ordering::Relaxed) < options.records {
        let mut put = connection.request(FETCH, 11);
        put.i32(-1)
            .i32(500)
            .i32(1)
            .i32(50 << 20)
            .i8(0)
            .i32(0)
            .i32(-1);
        put.i32(1)
            .string(&options.topic)
            .i32(positions.len() as i32);
        for &(partition, offset) in &positions {
            put.i32(partition)
                .i32(-1)
                .i64(offset)
                .i64(-1)
                .i32(options.partition_max_bytes);
        }
        put.i32(0).string("");
        let count = advance(connection.call(put)?, &options.topic, &mut positions)?;
        read.fetch_add(count, Ordering::Relaxed);
        // The next request begins after the partitions that were served now, as clients do it.
        let turn = positions.len().min(1);
        positions.rotate_left(turn);
    }
    Ok(())
}

/// Moves each position past what was read and returns the number of records; a position at the
/// log's end goes back to the beginning.
fn advance(answer: &[u8], topic: &str, positions: &mut [(i32, i64)]) -> Result<u64, LoadError> {
    let mut get = Get::new(answer);
    get.i32()?;
    let code = get.i16()?;
    get.i32()?;
    let mut count = 0;
    let broken = |code| LoadError::Broker {
        api: "Fetch",
        topic: topic.to_owned(),
        code,
    };
    if code != 0 {
        return Err(broken(code));
    }
    for _ in 0..get.length()? {
        get.string()?;
        for _ in 0..get.length()? {
            let (partition, code) = (get.i32()?, get.i16()?);
            if code != 0 {
                return Err(broken(code));
            }
            let high_watermark = get.i64()?;
            get.take(16)?;
            for _ in 0..get.length()? {
                get.take(16)?;
            }
            get.i32()?;
            let records = get.bytes()?;
            let Some(position) = positions.iter_mut().find(|(index, _)| *index == partition) else {
                return Err(LoadError::Malformed { field: "partition" });
            };
            if let Some(next) = batch::next_offset(records) {
                count += (next - position.1).max(0) as u64;
                position.1 = next;
            }
            if position.1 >= high_watermark {
                position.1 = 0;
            }
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_a_consumer() {
        assert_eq!(share_of(5, 2, 0), [0, 2, 4]);
        assert_eq!(share_of(5, 2, 1), [1, 3]);
        assert_eq!(share_of(2, 3, 2), [0]);
    }

    #[test]
    fn nothing_is_taken_below_zero() {
        let left = AtomicU64::new(1);
        assert!(take(&left));
        assert!(!take(&left));
    }
}
