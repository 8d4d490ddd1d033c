//! A producer of one partition, over kills: idempotent, or not.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use ottla_client::{Connection, error_of};
use ottla_protocol::messages::InitProducerIdRequest;
use ottla_protocol::records::{
    BatchBuilder, Compression, CompressionSpec, Compressor, ProducerFields,
};

use crate::failure::Failure;
use crate::partition::{produce, read};

/// Records that are read again before those that were not yet read.
const READ_AGAIN: i64 = 2000;
/// Records of a batch, at most.
const MAX_BATCH: u64 = 50;

/// Whether the producer has an id, so that the broker knows what it has seen already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotence {
    On,
    Off,
}

/// A batch that was sent.
#[derive(Debug)]
struct Sent {
    count: u64,
    /// Where it is, once that was acknowledged or seen: it stays there.
    base_offset: Option<i64>,
}

/// Appends ascending numbers to a partition.
pub struct Writer {
    topic: &'static str,
    partition: i32,
    idempotence: Idempotence,
    producer: Option<ProducerFields>,
    /// By the first value.
    sent: BTreeMap<u64, Sent>,
    next_value: u64,
    /// The last batch, whose answer may have been lost, and the one before it.
    last: VecDeque<(u64, Bytes)>,
    read_to: i64,
    /// Records that were acknowledged.
    pub acknowledged: u64,
}

impl Writer {
    /// A writer that has not written anything.
    pub fn new(topic: &'static str, partition: i32, idempotence: Idempotence) -> Self {
        Self {
            topic,
            partition,
            idempotence,
            producer: None,
            sent: BTreeMap::new(),
            next_value: 0,
            last: VecDeque::new(),
            read_to: 0,
            acknowledged: 0,
        }
    }

    /// Appends until the broker is gone. What it refuses is a failure.
    pub async fn run(
        &mut self,
        connection: &mut Connection,
        codec: Compression,
        stop: &AtomicBool,
    ) -> Result<(), Failure> {
        if self.idempotence == Idempotence::On {
            self.begin(connection).await?;
        }
        let mut compressor = Compressor::new();
        while !stop.load(Ordering::Acquire) {
            let first = self.next_value;
            let count = 1 + first % MAX_BATCH;
            let mut batch = BatchBuilder::new(CompressionSpec::new(codec));
            if let Some(producer) = self.producer {
                batch = batch.with_producer(producer);
            }
            for value in first..first + count {
                // A timestamp of -1: none.
                batch.append(-1, None, Some(value.to_string().as_bytes()), &[])?;
            }
            let records = batch.build(0, -1, &mut compressor)?;
            let unknown = Sent {
                count,
                base_offset: None,
            };
            self.sent.insert(first, unknown);
            self.next_value += count;
            if let Some(producer) = &mut self.producer {
                producer.base_sequence += count as i32;
            }
            self.last.push_back((first, records.clone()));
            if self.last.len() > 2 {
                self.last.pop_front();
            }
            self.send(connection, first, records).await?;
        }
        Ok(())
    }

    /// Takes a producer id, or sends the last batches once more: whether or not the broker has them
    /// already, they must be there once.
    async fn begin(&mut self, connection: &mut Connection) -> Result<(), Failure> {
        if self.producer.is_some() {
            for (first, records) in self.last.clone() {
                self.send(connection, first, records).await?;
            }
            return Ok(());
        }
        let request = InitProducerIdRequest {
            transactional_id: None,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        };
        let granted = connection.request_at(&request, 4).await?;
        if let Some(code) = error_of(granted.error_code) {
            return Err(Failure::Refused {
                what: "a producer id",
                code,
            });
        }
        self.producer = Some(ProducerFields {
            producer_id: granted.producer_id,
            producer_epoch: granted.producer_epoch,
            base_sequence: 0,
        });
        Ok(())
    }

    async fn send(
        &mut self,
        connection: &mut Connection,
        first: u64,
        records: Bytes,
    ) -> Result<(), Failure> {
        let offset = produce(connection, self.topic, self.partition, records).await?;
        let Some(sent) = self.sent.get_mut(&first) else {
            return Ok(());
        };
        match sent.base_offset.replace(offset) {
            Some(before) if before != offset => Err(Failure::History(format!(
                "{}-{}: the batch of {first} is at {before} and was acknowledged again at {offset}",
                self.topic, self.partition
            ))),
            Some(_) => Ok(()),
            None => {
                self.acknowledged += sent.count;
                Ok(())
            }
        }
    }

    /// Reads what is new, and a part of what is not, or everything.
    pub async fn verify(&mut self, connection: &mut Connection, all: bool) -> Result<(), Failure> {
        let from = if all {
            0
        } else {
            (self.read_to - READ_AGAIN).max(0)
        };
        let from = self.batch_start(from);
        let values = read(connection, self.topic, self.partition, from).await?;
        let wrong =
            |what: String| Failure::History(format!("{}-{}: {what}", self.topic, self.partition));
        let end = from + values.len() as i64;
        let mut offset = from;
        let mut last = None;
        while let Some(&first) = values.get((offset - from) as usize) {
            let Some(sent) = self.sent.get_mut(&first) else {
                return Err(wrong(format!(
                    "offset {offset} holds {first}, no batch begins so"
                )));
            };
            if last.is_some_and(|last| first <= last) {
                return Err(wrong(format!(
                    "offset {offset} holds {first} behind {last:?}"
                )));
            }
            if sent.base_offset.is_some_and(|known| known != offset) {
                return Err(wrong(format!(
                    "{first} is at {offset}, not at {:?}",
                    sent.base_offset
                )));
            }
            sent.base_offset = Some(offset);
            for value in first..first + sent.count {
                let found = values.get((offset - from) as usize);
                if found != Some(&value) {
                    return Err(wrong(format!(
                        "offset {offset} holds {found:?}, not {value}"
                    )));
                }
                offset += 1;
            }
            last = Some(first);
        }
        let lost = self
            .sent
            .iter()
            .find(|(_, sent)| sent.base_offset >= Some(end));
        if let Some((first, sent)) = lost {
            return Err(wrong(format!(
                "{first} was at {:?}, and the log ends at {end}",
                sent.base_offset
            )));
        }
        self.read_to = end;
        Ok(())
    }

    /// Where the batch begins that holds `offset`.
    fn batch_start(&self, offset: i64) -> i64 {
        let starts = self.sent.values().filter_map(|sent| sent.base_offset);
        starts.filter(|start| *start <= offset).max().unwrap_or(0)
    }
}
