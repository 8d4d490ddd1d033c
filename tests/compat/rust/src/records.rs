//! Records produced and read back.

use std::time::Duration;

use futures_executor::block_on;
use rdkafka::Message;
use rdkafka::admin::AdminOptions;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;

use crate::client::{Broker, DEADLINE, Record, eventually, read, value};

/// Records with and without keys, values and headers, of many sizes, of bytes that hardly compress in every second
/// one; the last is nearly as large as a broker takes by default.
fn varied(count: usize) -> Vec<Record> {
    let mut state = 7_u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    let mut bytes = |size: usize, noisy: bool| {
        (0..size)
            .map(|_| if noisy { random() as u8 } else { 0 })
            .collect::<Vec<_>>()
    };
    let record = |i: usize| {
        let size = if i == count - 1 {
            900_000
        } else {
            i * 7919 % if i % 100 == 1 { 20_000 } else { 300 }
        };
        let headers = [
            ("h", Some(format!("header {i}").into_bytes())),
            ("h", None),
            ("empty", Some(vec![])),
        ];
        Record {
            partition: (i % 2) as i32,
            key: (i % 7 != 0).then(|| format!("key-{}", i % 50).into_bytes()),
            value: (i % 11 != 0).then(|| bytes(size, i % 2 == 1)),
            timestamp_ms: 1_700_000_000_000 + i as i64,
            headers: headers
                .map(|(key, value)| (key.to_owned(), value))
                .into_iter()
                .filter(|_| i % 3 == 0)
                .collect(),
        }
    };
    (0..count).map(record).collect()
}

pub fn round_trip(broker: &Broker, codec: &str, idempotent: bool) {
    let topic = broker.new_topic(&format!("{codec}-{idempotent}"), 2, &[]);
    let records = varied(2000);
    let idempotent = idempotent.to_string();
    let outcomes = broker.produce(
        &topic,
        &records,
        &[
            ("compression.type", codec),
            ("enable.idempotence", &idempotent),
            ("linger.ms", "5"),
        ],
    );
    assert!(
        outcomes
            .iter()
            .enumerate()
            .all(|(i, outcome)| *outcome == Ok(i as i64 / 2))
    );
    let mut next = [0, 0];
    for message in &broker.read_all(&topic, 2, records.len()) {
        let partition = message.partition() as usize;
        assert_eq!(message.offset(), next[partition]);
        next[partition] += 1;
        let i = message.offset() as usize * 2 + partition;
        assert!(
            Record::from(message) == records[i],
            "record {i} came back as another"
        );
    }
}

pub fn acknowledged(broker: &Broker, acks: &str) {
    let topic = broker.new_topic(&format!("acks-{acks}"), 1, &[]);
    let records: Vec<_> = (0..500)
        .map(|i| Record::of(0, format!("v{i}"), i))
        .collect();
    assert!(
        broker
            .produce(&topic, &records, &[("acks", acks)])
            .iter()
            .all(Result::is_ok)
    );
    for (i, message) in broker.read_all(&topic, 1, 500).iter().enumerate() {
        assert_eq!(value(message), format!("v{i}"));
    }
}

pub fn large(broker: &Broker) {
    let topic = broker.new_topic("large", 1, &[("max.message.bytes", "4000000")]);
    let record = Record::of(0, "x".repeat(3_000_000), 0);
    assert_eq!(
        broker.produce(
            &topic,
            std::slice::from_ref(&record),
            &[("message.max.bytes", "4000000")]
        ),
        [Ok(0)]
    );
    assert!(Record::from(&broker.read_all(&topic, 1, 1)[0]) == record);
}

pub fn refused(broker: &Broker) {
    let topic = broker.new_topic("refused", 1, &[("max.message.bytes", "2000")]);
    let outcomes = broker.produce(&topic, &[Record::of(0, "x".repeat(5000), 0)], &[]);
    assert_eq!(outcomes, [Err(RDKafkaErrorCode::MessageSizeTooLarge)]);
    assert_eq!(
        broker.produce(&topic, &[Record::of(0, "small".into(), 0)], &[]),
        [Ok(0)]
    );
    let outcomes = broker.produce(&topic, &[Record::of(3, "v".into(), 0)], &[]);
    assert_eq!(outcomes, [Err(RDKafkaErrorCode::UnknownPartition)]);
    let consumer = broker.consumer(&[]);
    let absent = format!("{topic}-absent");
    assert!(consumer.fetch_watermarks(&absent, 0, DEADLINE).is_err());
    consumer.subscribe(&[&absent]).expect("subscribed");
    let mut error = None;
    eventually("the absent topic is reported", || {
        error = consumer
            .poll(Duration::from_millis(100))
            .and_then(Result::err);
        error.is_some()
    });
    assert_eq!(
        error.expect("an error").rdkafka_error_code(),
        Some(RDKafkaErrorCode::UnknownTopicOrPartition)
    );
}

pub fn auto_create(broker: &Broker) {
    assert_eq!(
        broker.produce(&broker.name("auto"), &[Record::of(0, "v".into(), 0)], &[]),
        [Ok(0)]
    );
}

fn assign(consumer: &BaseConsumer, topic: &str, offset: Offset) {
    let mut one = TopicPartitionList::new();
    one.add_partition_offset(topic, 0, offset)
        .expect("a partition");
    consumer.assign(&one).expect("assigned");
}

pub fn seek(broker: &Broker) {
    let topic = broker.new_topic("seek", 1, &[]);
    broker.fill(&topic, 0, 1000, "v");
    let consumer = broker.consumer(&[]);
    assign(&consumer, &topic, Offset::Offset(700));
    assert_eq!(value(&read(&consumer, 1)[0]), "v700");
    for (to, want) in [
        (Offset::Beginning, "v0"),
        (Offset::Offset(999), "v999"),
        (Offset::OffsetTail(3), "v997"),
    ] {
        consumer.seek(&topic, 0, to, DEADLINE).expect("sought");
        assert_eq!(value(&read(&consumer, 1)[0]), want);
    }
    let at = |i: i64| {
        let mut times = TopicPartitionList::new();
        times
            .add_partition_offset(&topic, 0, Offset::Offset(1_000_000 + 1000 * i - 1))
            .expect("a partition");
        consumer
            .offsets_for_times(times, DEADLINE)
            .expect("offsets")
            .elements()[0]
            .offset()
    };
    for i in [0, 1, 499, 999] {
        assert_eq!(at(i), Offset::Offset(i));
    }
    assert_eq!(at(1000), Offset::End);
    assert_eq!(
        consumer.fetch_watermarks(&topic, 0, DEADLINE),
        Ok((0, 1000))
    );
    let mut before = TopicPartitionList::new();
    before
        .add_partition_offset(&topic, 0, Offset::Offset(400))
        .expect("a partition");
    block_on(broker.admin().delete_records(&before, &AdminOptions::new())).expect("deleted");
    assert_eq!(
        consumer.fetch_watermarks(&topic, 0, DEADLINE),
        Ok((400, 1000))
    );
    assert_eq!(broker.read_all(&topic, 1, 600)[0].offset(), 400);
    assign(&consumer, &topic, Offset::Offset(7)); // Out of range: to the start.
    assert_eq!(read(&consumer, 1)[0].offset(), 400);
}

pub fn pause(broker: &Broker) {
    let topic = broker.new_topic("pause", 2, &[]);
    broker.fill(&topic, 0, 100, "v");
    broker.fill(&topic, 1, 100, "v");
    let consumer = broker.consumer(&[]);
    let (mut all, mut first) = (TopicPartitionList::new(), TopicPartitionList::new());
    all.add_partition_range(&topic, 0, 1);
    all.set_all_offsets(Offset::Beginning).expect("offsets");
    first.add_partition(&topic, 0);
    consumer.assign(&all).expect("assigned");
    consumer.pause(&first).expect("paused");
    assert!(
        read(&consumer, 100)
            .iter()
            .all(|message| message.partition() == 1)
    );
    consumer.resume(&first).expect("resumed");
    assert!(
        read(&consumer, 100)
            .iter()
            .all(|message| message.partition() == 0)
    );
}
