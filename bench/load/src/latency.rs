//! End-to-end latency at a fixed rate. Every record carries the moment when it was due, not when
//! it was sent, so a stall counts for all the records that it delayed (no coordinated omission).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::Offset;
use serde::Serialize;

use crate::error::LoadError;
use crate::library::{client_config, consumer};
use crate::measure::{Figures, Meter};
use crate::options::Latency;
use crate::payload::Payloads;
use crate::wire::{Connection, latest_offsets};

/// Longest latency that the histogram holds, in microseconds; longer ones count as this.
const LONGEST_US: u64 = 120_000_000;
/// How long the reader waits for the last records after the last was due.
const GRACE: Duration = Duration::from_secs(30);

/// Cost and latency of one run.
#[derive(Debug, Serialize)]
pub struct LatencyFigures {
    #[serde(flatten)]
    pub cost: Figures,
    /// Records that were due and never read.
    pub missing: u64,
    pub p50_us: u64,
    pub p90_us: u64,
    pub p99_us: u64,
    pub p999_us: u64,
    pub max_us: u64,
}

/// What sender and reader share.
struct Run<'a> {
    options: &'a Latency,
    /// Moment that the times inside records count from.
    epoch: Instant,
    /// Records whose due time comes before this are not counted.
    measured_from_us: u64,
    sent: AtomicU64,
    sender_done: AtomicBool,
}

impl Run<'_> {
    fn now_us(&self) -> u64 {
        self.epoch.elapsed().as_micros() as u64
    }
}

/// Runs the sender and the reader, both through librdkafka.
pub fn run(options: &Latency) -> Result<LatencyFigures, LoadError> {
    if options.record_bytes < 8 {
        return Err(LoadError::Usage(
            "--record-bytes must be at least 8: a record holds its time",
        ));
    }
    let mut connection = Connection::open(&options.target.broker)?;
    let indexes: Vec<i32> = (0..options.partitions).collect();
    let starts: Vec<_> = latest_offsets(&mut connection, &options.topic, &indexes)?
        .into_iter()
        .map(|(partition, _, offset)| (partition, Offset::Offset(offset)))
        .collect();
    let settings = [("fetch.wait.max.ms", "500".to_owned())];
    let reader = consumer(&options.target.broker, &options.topic, &starts, &settings)?;
    let mut config = client_config(&options.target.broker);
    config
        .set("acks", options.acks.to_string())
        .set("compression.codec", options.codec.name())
        .set("linger.ms", options.linger_ms.to_string())
        .set("queue.buffering.max.messages", "1000000");
    let producer = BaseProducer::from_config(&config)?;
    let run = Run {
        options,
        epoch: Instant::now(),
        measured_from_us: options.warm_up_s * 1_000_000,
        sent: AtomicU64::new(0),
        sender_done: AtomicBool::new(false),
    };
    let (meter, histogram) = std::thread::scope(|scope| {
        let sender = scope.spawn(|| send(&run, &producer));
        let receiver = scope.spawn(|| receive(&run, &reader));
        std::thread::sleep(Duration::from_secs(options.warm_up_s));
        let meter = Meter::start(options.target.broker_pid);
        let sent = sender
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        run.sender_done.store(true, Ordering::Release);
        let histogram = receiver
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        sent?;
        Ok::<_, LoadError>((meter?, histogram?))
    })?;
    let due = run.sent.load(Ordering::Relaxed);
    let read = histogram.len();
    Ok(LatencyFigures {
        cost: meter.finish(read, read * options.record_bytes as u64)?,
        missing: due.saturating_sub(read),
        p50_us: histogram.value_at_quantile(0.5),
        p90_us: histogram.value_at_quantile(0.9),
        p99_us: histogram.value_at_quantile(0.99),
        p999_us: histogram.value_at_quantile(0.999),
        max_us: histogram.max(),
    })
}

fn send(run: &Run<'_>, producer: &BaseProducer) -> Result<(), LoadError> {
    let options = run.options;
    let mut payloads = Payloads::new(options.record_bytes);
    let mut value = vec![0; options.record_bytes];
    let total = ((options.warm_up_s + options.seconds) as f64 * options.rate) as u64;
    for number in 0..total {
        let due_us = (number as f64 * 1e6 / options.rate) as u64;
        let now_us = run.now_us();
        if due_us > now_us {
            producer.poll(Duration::ZERO);
            let wait_us = due_us.saturating_sub(run.now_us());
            std::thread::sleep(Duration::from_micros(wait_us));
        }
        value.copy_from_slice(payloads.next_value());
        value[..8].copy_from_slice(&due_us.to_be_bytes());
        let partition = (number % options.partitions as u64) as i32;
        let mut record = BaseRecord::<(), [u8]>::to(&options.topic)
            .partition(partition)
            .payload(&value[..]);
        while let Err((error, back)) = producer.send(record) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(error.into());
            }
            producer.poll(Duration::from_millis(1));
            record = back;
        }
        if due_us >= run.measured_from_us {
            run.sent.fetch_add(1, Ordering::Relaxed);
        }
    }
    producer.flush(GRACE)?;
    Ok(())
}

fn receive(run: &Run<'_>, reader: &BaseConsumer) -> Result<Histogram<u64>, LoadError> {
    let mut histogram = Histogram::new_with_bounds(1, LONGEST_US, 3)
        .map_err(|_| LoadError::Usage("the histogram's bounds"))?;
    let mut done_at = None;
    loop {
        if run.sender_done.load(Ordering::Acquire) {
            let done_at = *done_at.get_or_insert_with(Instant::now);
            if histogram.len() >= run.sent.load(Ordering::Relaxed) || done_at.elapsed() > GRACE {
                return Ok(histogram);
            }
        }
        let Some(message) = reader.poll(Duration::from_millis(100)) else {
            continue;
        };
        let message = message?;
        let now_us = run.now_us();
        let due_us = message
            .payload()
            .and_then(|value| value.get(..8)?.try_into().ok())
            .map(u64::from_be_bytes)
            .ok_or(LoadError::Malformed {
                field: "record value",
            })?;
        if due_us >= run.measured_from_us {
            histogram.saturating_record(now_us.saturating_sub(due_us).max(1));
        }
    }
}
