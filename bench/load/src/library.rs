//! Produce and consume through librdkafka, as applications do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, FromClientConfig, FromClientConfigAndContext};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::error::LoadError;
use crate::measure::{Figures, Meter};
use crate::options::{Consume, Produce};
use crate::payload::Payloads;
use crate::raw::share_of;

/// Records between two calls that serve delivery reports.
const POLL_EVERY: u64 = 256;

/// Settings that every client here has.
pub fn client_config(broker: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", broker)
        .set("socket.nagle.disable", "true");
    config
}

/// Counts deliveries and failures.
#[derive(Default)]
struct Deliveries {
    delivered: AtomicU64,
    failed: AtomicU64,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let counter = if result.is_ok() {
            &self.delivered
        } else {
            &self.failed
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Sends `options.records` records and waits until all are acknowledged.
pub fn produce(options: &Produce) -> Result<Figures, LoadError> {
    let mut config = client_config(&options.target.broker);
    config
        .set("acks", options.acks.to_string())
        .set("compression.codec", options.codec.name())
        .set("batch.size", options.batch_bytes.to_string())
        .set("linger.ms", options.linger_ms.to_string())
        .set("queue.buffering.max.messages", "200000")
        .set("queue.buffering.max.kbytes", "65536");
    let mut producers = Vec::new();
    for _ in 0..options.connections {
        producers.push(BaseProducer::from_config_and_context(
            &config,
            Deliveries::default(),
        )?);
    }
    let timeout = Duration::from_secs(options.target.timeout_s);
    let meter = Meter::start(options.target.broker_pid)?;
    let share = options.records / options.connections as u64;
    let delivered = std::thread::scope(|scope| {
        let running: Vec<_> = producers
            .iter()
            .enumerate()
            .map(|(index, producer)| {
                scope.spawn(move || run_producer(options, producer, index as u64, share, timeout))
            })
            .collect();
        let mut delivered = 0;
        for thread in running {
            delivered += thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        Ok::<u64, LoadError>(delivered)
    })?;
    meter.finish(delivered, delivered * options.record_bytes as u64)
}

fn run_producer(
    options: &Produce,
    producer: &BaseProducer<Deliveries>,
    index: u64,
    records: u64,
    timeout: Duration,
) -> Result<u64, LoadError> {
    let mut payloads = Payloads::new(options.record_bytes);
    let partitions = options.partitions as u64;
    // Runs of records for one partition, as the default partitioners of clients make them.
    let run = (options.batch_bytes / options.record_bytes).max(1) as u64;
    for number in 0..records {
        let partition = (index + number / run) % partitions;
        let mut record = BaseRecord::<(), [u8]>::to(&options.topic)
            .partition(partition as i32)
            .payload(payloads.next_value());
        while let Err((error, back)) = producer.send(record) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(error.into());
            }
            producer.poll(Duration::from_millis(10));
            record = back;
        }
        if number % POLL_EVERY == 0 {
            producer.poll(Duration::ZERO);
        }
    }
    producer.flush(timeout)?;
    let deliveries = producer.context();
    if deliveries.failed.load(Ordering::Relaxed) > 0 {
        return Err(LoadError::Library(KafkaError::MessageProduction(
            RDKafkaErrorCode::MessageTimedOut,
        )));
    }
    Ok(deliveries.delivered.load(Ordering::Relaxed))
}

/// A consumer that reads `partitions` of a topic from the given offset on, without a group.
pub fn consumer(
    broker: &str,
    topic: &str,
    partitions: &[(i32, Offset)],
    settings: &[(&str, String)],
) -> Result<BaseConsumer, LoadError> {
    let mut config = client_config(broker);
    config
        .set("group.id", "ottla-load")
        .set("enable.auto.commit", "false");
    for (name, value) in settings {
        config.set(*name, value);
    }
    let consumer = BaseConsumer::from_config(&config)?;
    let mut list = TopicPartitionList::new();
    for &(partition, offset) in partitions {
        list.add_partition_offset(topic, partition, offset)?;
    }
    consumer.assign(&list)?;
    Ok(consumer)
}

/// Reads `options.records` records in all, starting over at the end of what is assigned.
pub fn consume(options: &Consume) -> Result<Figures, LoadError> {
    let meter = Meter::start(options.target.broker_pid)?;
    let share = options.records / options.connections as u64;
    let (records, bytes) = std::thread::scope(|scope| {
        let running: Vec<_> = (0..options.connections)
            .map(|index| scope.spawn(move || run_consumer(options, index, share)))
            .collect();
        let mut total = (0, 0);
        for thread in running {
            let (records, bytes) = thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            total = (total.0 + records, total.1 + bytes);
        }
        Ok::<(u64, u64), LoadError>(total)
    })?;
    meter.finish(records, bytes)
}

fn run_consumer(options: &Consume, index: usize, records: u64) -> Result<(u64, u64), LoadError> {
    let assigned: Vec<_> = share_of(options.partitions, options.connections, index)
        .into_iter()
        .map(|partition| (partition, Offset::Beginning))
        .collect();
    let settings = [
        ("enable.partition.eof", "true".to_owned()),
        (
            "max.partition.fetch.bytes",
            options.partition_max_bytes.to_string(),
        ),
        ("queued.max.messages.kbytes", "65536".to_owned()),
    ];
    let consumer = consumer(&options.target.broker, &options.topic, &assigned, &settings)?;
    let timeout = Duration::from_secs(options.target.timeout_s);
    let (mut read, mut bytes) = (0, 0);
    while read < records {
        match consumer.poll(timeout) {
            Some(Ok(message)) => {
                read += 1;
                bytes += message.payload_len() as u64;
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                consumer.seek(&options.topic, partition, Offset::Beginning, timeout)?;
            }
            Some(Err(error)) => return Err(error.into()),
            None => {
                return Err(LoadError::TimedOut {
                    what: "records",
                    waited_s: options.target.timeout_s,
                });
            }
        }
    }
    Ok((read, bytes))
}
