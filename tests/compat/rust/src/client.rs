//! What the checks share: topics, records sent and read back, waiting.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_executor::block_on;
use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{DeliveryResult, Header, Headers, Message, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;

/// Bounds every wait of a check.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// A record to send, and what must come back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    pub partition: i32,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub timestamp_ms: i64,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Record {
    /// A record with a value alone, `i` seconds after the 1,000th of the epoch.
    pub fn of(partition: i32, value: String, i: i64) -> Self {
        Self {
            partition,
            value: Some(value.into_bytes()),
            timestamp_ms: 1_000_000 + 1000 * i,
            ..Self::default()
        }
    }
}

impl From<&OwnedMessage> for Record {
    fn from(message: &OwnedMessage) -> Self {
        let owned = |bytes: &[u8]| bytes.to_vec();
        let headers = message.headers().map(|headers| {
            headers
                .iter()
                .map(|header| (header.key.to_owned(), header.value.map(owned)))
                .collect()
        });
        Self {
            partition: message.partition(),
            key: message.key().map(owned),
            value: message.payload().map(owned),
            timestamp_ms: message.timestamp().to_millis().unwrap_or(-1),
            headers: headers.unwrap_or_default(),
        }
    }
}

/// What became of a record that was sent: its offset, or the error.
pub type Delivery = Result<i64, RDKafkaErrorCode>;

/// What is known of each record.
#[derive(Clone)]
pub struct Deliveries(Arc<Mutex<Vec<Option<Delivery>>>>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, index: usize) {
        let outcome = match result {
            Ok(message) => Ok(message.offset()),
            Err((error, _)) => Err(error.rdkafka_error_code().expect("a code")),
        };
        self.0.lock().unwrap()[index] = Some(outcome);
    }
}

/// The broker under test, and the name of this run.
pub struct Broker {
    bootstrap: String,
    run: String,
}

impl Broker {
    pub fn new(bootstrap: String) -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_nanos();
        Self {
            bootstrap,
            run: format!("{now:x}"),
        }
    }

    pub fn name(&self, name: &str) -> String {
        format!("rust-{name}-{}", self.run)
    }

    pub fn config(&self, settings: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap);
        for (name, value) in settings {
            config.set(*name, *value);
        }
        config
    }

    pub fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.config(&[]).create().expect("an admin client")
    }

    /// Creates a topic and waits until each of its partitions answers.
    pub fn new_topic(&self, name: &str, partitions: i32, configs: &[(&str, &str)]) -> String {
        let topic = self.name(name);
        let mut new = NewTopic::new(&topic, partitions, TopicReplication::Fixed(1));
        for (name, value) in configs {
            new = new.set(name, value);
        }
        let created =
            block_on(self.admin().create_topics([&new], &AdminOptions::new())).expect("an answer");
        assert_eq!(created, [Ok(topic.clone())]);
        let consumer = self.consumer(&[]);
        eventually("the partitions answer", || {
            (0..partitions).all(|partition| {
                consumer
                    .fetch_watermarks(&topic, partition, DEADLINE)
                    .is_ok()
            })
        });
        topic
    }

    /// Sends the records in order and waits for every outcome.
    pub fn produce(
        &self,
        topic: &str,
        records: &[Record],
        settings: &[(&str, &str)],
    ) -> Vec<Delivery> {
        let deliveries = Deliveries(Arc::new(Mutex::new(vec![None; records.len()])));
        let producer: ThreadedProducer<Deliveries> = self
            .config(settings)
            .create_with_context(deliveries.clone())
            .expect("a producer");
        for (index, record) in records.iter().enumerate() {
            let mut to = BaseRecord::with_opaque_to(topic, index)
                .partition(record.partition)
                .timestamp(record.timestamp_ms);
            to.key = record.key.as_deref();
            to.payload = record.value.as_deref();
            if !record.headers.is_empty() {
                to = to.headers(record.headers.iter().fold(
                    OwnedHeaders::new(),
                    |headers, (key, value)| {
                        headers.insert(Header {
                            key,
                            value: value.as_deref(),
                        })
                    },
                ));
            }
            producer
                .send(to)
                .map_err(|(error, _)| error)
                .expect("room in the queue");
        }
        producer.flush(DEADLINE).expect("all sent");
        let outcomes = deliveries.0.lock().unwrap();
        outcomes
            .iter()
            .map(|outcome| (*outcome).expect("an outcome"))
            .collect()
    }

    /// Writes values PREFIX0, PREFIX1, ... one second apart.
    pub fn fill(&self, topic: &str, partition: i32, count: i64, prefix: &str) {
        let records: Vec<_> = (0..count)
            .map(|i| Record::of(partition, format!("{prefix}{i}"), i))
            .collect();
        assert!(self.produce(topic, &records, &[]).iter().all(Result::is_ok));
    }

    pub fn consumer(&self, settings: &[(&str, &str)]) -> BaseConsumer {
        let unused = self.name("unused");
        let mut config = self.config(&[
            ("group.id", &unused),
            ("auto.offset.reset", "earliest"),
            ("enable.auto.commit", "false"),
            ("heartbeat.interval.ms", "200"),
            ("session.timeout.ms", "60000"),
        ]);
        for (name, value) in settings {
            config.set(*name, *value);
        }
        config.create().expect("a consumer")
    }

    /// Reads count records of partitions 0..partitions from the beginning.
    pub fn read_all(&self, topic: &str, partitions: i32, count: usize) -> Vec<OwnedMessage> {
        let consumer = self.consumer(&[]);
        let mut all = TopicPartitionList::new();
        for partition in 0..partitions {
            all.add_partition_offset(topic, partition, Offset::Beginning)
                .expect("a partition");
        }
        consumer.assign(&all).expect("assigned");
        read(&consumer, count)
    }
}

pub fn read(consumer: &BaseConsumer, count: usize) -> Vec<OwnedMessage> {
    let end = Instant::now() + DEADLINE;
    let mut messages = Vec::new();
    while messages.len() < count {
        assert!(Instant::now() < end, "read {} of {count}", messages.len());
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            messages.push(message.expect("no error").detach());
        }
    }
    messages
}

pub fn value(message: &OwnedMessage) -> String {
    String::from_utf8_lossy(message.payload().expect("a value")).into_owned()
}

/// Waits until the condition holds.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < end, "never came true: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
