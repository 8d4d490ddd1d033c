//! Records of one partition, in and out. A record's value is a number in text.

use ottla_client::{Connection, error_of};
use ottla_protocol::Records;
use ottla_protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use ottla_protocol::messages::produce_request::{
    PartitionProduceData, ProduceRequest, TopicProduceData,
};
use ottla_protocol::records::{Decompressor, batches};

use crate::failure::Failure;

/// Appends a batch with acks=all. Its base offset.
pub async fn produce(
    connection: &mut Connection,
    topic: &str,
    partition: i32,
    records: bytes::Bytes,
) -> Result<i64, Failure> {
    let data = PartitionProduceData {
        index: partition,
        records: Some(Records::from(records)),
        ..Default::default()
    };
    let request = ProduceRequest {
        transactional_id: None,
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![TopicProduceData {
            name: topic.to_owned(),
            partition_data: vec![data],
            ..Default::default()
        }],
        ..Default::default()
    };
    let response = connection.request_at(&request, 9).await?;
    let mut done = response
        .responses
        .into_iter()
        .flat_map(|topic| topic.partition_responses);
    let done = done.next().unwrap_or_default();
    match error_of(done.error_code) {
        None => Ok(done.base_offset),
        Some(code) => Err(Failure::Refused {
            what: "a batch",
            code,
        }),
    }
}

/// The values from `from` on to the end; offsets must be dense.
pub async fn read(
    connection: &mut Connection,
    topic: &str,
    partition: i32,
    from: i64,
) -> Result<Vec<u64>, Failure> {
    let mut found = Vec::new();
    let mut decompressor = Decompressor::default();
    loop {
        let position = from + found.len() as i64;
        let asked = FetchPartition {
            partition,
            fetch_offset: position,
            partition_max_bytes: 1 << 20,
            ..Default::default()
        };
        let request = FetchRequest {
            max_bytes: 1 << 24,
            session_epoch: -1,
            topics: vec![FetchTopic {
                topic: topic.to_owned(),
                partitions: vec![asked],
                ..Default::default()
            }],
            ..Default::default()
        };
        let response = connection.request_at(&request, 11).await?;
        let mut data = response
            .responses
            .into_iter()
            .flat_map(|topic| topic.partitions);
        let data = data.next().unwrap_or_default();
        if let Some(code) = error_of(data.error_code) {
            return Err(Failure::Refused {
                what: "a fetch",
                code,
            });
        }
        let records = data.records.unwrap_or_default().to_bytes();
        if records.is_empty() {
            return Ok(found);
        }
        for batch in batches(&records) {
            let batch = batch?;
            batch.validate_crc()?;
            for record in batch.records(&mut decompressor)? {
                let record = record?;
                let expected = from + found.len() as i64;
                if record.offset < expected {
                    continue;
                }
                if record.offset != expected {
                    return Err(Failure::History(format!(
                        "{topic}-{partition}: offset {} follows {expected} records",
                        record.offset
                    )));
                }
                let text = record
                    .value
                    .as_deref()
                    .and_then(|value| std::str::from_utf8(value).ok());
                found.push(text.and_then(|text| text.parse().ok()).unwrap_or(u64::MAX));
            }
        }
    }
}
