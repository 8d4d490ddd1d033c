//! Against bytes that the reference broker's classes made, and against bytes that nobody should
//! have made.

use bytes::{Bytes, BytesMut};

use super::*;

mod codecs;
mod hostile;
mod model;
mod reference;

/// What the reference wrote down: see `fixtures/Generate.java`.
const REFERENCE: &str = include_str!("fixtures/reference.txt");

/// The bytes of the reference's batch of that name.
fn reference_batch(name: &str) -> Bytes {
    let prefix = format!("batch {name} ");
    let line = REFERENCE
        .lines()
        .find_map(|line| line.strip_prefix(prefix.as_str()));
    unhex(line.unwrap_or_else(|| panic!("no batch {name}")))
}

fn unhex(text: &str) -> Bytes {
    assert_eq!(text.len() % 2, 0, "whole bytes");
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("a hexadecimal digit") as u8;
    text.as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

fn view(bytes: &Bytes) -> BatchView {
    BatchView::new(bytes.clone()).expect("a batch")
}

fn records_of(batch: &BatchView) -> Result<Vec<RecordRef>, RecordError> {
    batch.records(&mut Decompressor::default())?.collect()
}

/// A batch of `count` records of 100 bytes, 10 ms apart from time 1000.
fn plain_batch(spec: CompressionSpec, count: i32) -> Bytes {
    let mut builder = BatchBuilder::new(spec);
    for index in 0..count {
        let key = index.to_be_bytes();
        builder
            .append(
                1000 + i64::from(index) * 10,
                Some(&key),
                Some(&[7; 100]),
                &[],
            )
            .unwrap();
    }
    builder.build(0, -1, &mut Compressor::new()).unwrap()
}

fn permissive_rules() -> ProduceRules {
    ProduceRules {
        produce_version: 13,
        now_ms: 5000,
        max_message_bytes: 1 << 20,
        compression: TopicCompression::Producer,
        keys: KeyRule::Optional,
        timestamp_type: TimestampType::CreateTime,
        timestamp_before_max_ms: i64::MAX,
        timestamp_after_max_ms: i64::MAX,
    }
}

fn validate(records: &Bytes, rules: &ProduceRules) -> Result<ValidatedBatch, ProduceError> {
    validate_produced(
        records,
        rules,
        &mut Decompressor::default(),
        &mut Compressor::new(),
    )
}
