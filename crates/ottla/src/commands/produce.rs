//! `ottla produce`.

mod input;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ottla_client::{Client, ClientError, RequestError, error_of, partition_of};
use ottla_protocol::messages::init_producer_id_request::InitProducerIdRequest;
use ottla_protocol::messages::produce_request::{
    PartitionProduceData, ProduceRequest, TopicProduceData,
};
use ottla_protocol::messages::produce_response::PartitionProduceResponse;
use ottla_protocol::records::{
    BatchBuilder, Compression, CompressionSpec, Compressor, ProducerFields, RecordHeader,
};
use ottla_protocol::{ErrorCode, Records};

use self::input::Chunk;
use super::offsets::now_ms;
use crate::arguments::{Codec, ProduceArguments};
use crate::failure::{Failure, LineFault, check};
use crate::position::time_text;
use crate::progress::Progress;
use crate::record::{JsonRecord, Text};

/// Batches are sent when they hold this many bytes together, before compression: well below the
/// default of max.message.bytes.
const BATCH_BYTES: usize = 512 * 1024;
/// Produce's acks that waits for all in-sync replicas.
const ACKS_ALL: i16 = -1;
/// The newest version that names topics by name.
const LAST_VERSION_WITH_TOPIC_NAMES: i16 = 12;
/// Time before another attempt.
const RETRY_BACKOFF: Duration = Duration::from_millis(100);

/// Sends every line of the files, or of standard input.
pub async fn run(arguments: ProduceArguments) -> Result<(), Failure> {
    let delimiter = delimiter(&arguments)?;
    let mut client = super::client(&arguments.connection);
    let partitions = client.partitions(&arguments.topic).await?;
    if let Some(partition) = arguments.partition {
        client.by_leader(&arguments.topic, &[partition]).await?;
    }
    let identity = producer_identity(&mut client).await?;
    let mut chunks = input::read(arguments.files.clone(), delimiter);
    let mut producer = Producer {
        client,
        partitions: u32::try_from(partitions.len()).unwrap_or(1).max(1),
        next_without_key: 0,
        spec: CompressionSpec::new(codec(arguments.compression)),
        compressor: Compressor::new(),
        identity,
        sequences: BTreeMap::new(),
        batches: BTreeMap::new(),
        batches_bytes: 0,
        progress: Progress::new("written", io::stdin()),
        arguments: &arguments,
    };
    loop {
        let chunk = match chunks.try_recv() {
            Ok(chunk) => chunk,
            // The input pauses or has ended: what was read must not wait for more.
            Err(_) => {
                producer.flush().await?;
                match chunks.recv().await {
                    Some(chunk) => chunk,
                    None => break,
                }
            }
        };
        match chunk {
            Ok(chunk) => producer.chunk(&chunk, delimiter).await?,
            Err(failure) => {
                producer.flush().await?;
                return Err(failure);
            }
        }
    }
    producer.progress.finish();
    Ok(())
}

/// The byte that ends a line; none when a file is one record.
fn delimiter(arguments: &ProduceArguments) -> Result<Option<u8>, Failure> {
    match arguments.delimiter.0[..] {
        [] => Ok(None),
        [delimiter] => Ok(Some(delimiter)),
        _ => Err(Failure::Argument {
            argument: "--delimiter",
            value: String::from_utf8_lossy(&arguments.delimiter.0).into_owned(),
            expected: "one byte, or empty",
        }),
    }
}

/// An id with which brokers recognise what was sent twice; none where they do not know ids.
async fn producer_identity(client: &mut Client) -> Result<ProducerFields, Failure> {
    let request = InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: i32::MAX,
        producer_id: -1,
        producer_epoch: -1,
        ..Default::default()
    };
    let deadline = Instant::now() + client.request_timeout();
    loop {
        let response = match client.request(&request).await {
            Err(ClientError::Request(RequestError::Unsupported { .. })) => {
                return Ok(ProducerFields::NONE);
            }
            response => response?,
        };
        match check(response.error_code, None, || "a producer id".to_owned()) {
            Ok(()) => {
                return Ok(ProducerFields {
                    producer_id: response.producer_id,
                    producer_epoch: response.producer_epoch,
                    base_sequence: 0,
                });
            }
            // A broker that has just started.
            Err(Failure::Client(error)) if error.is_passing() && Instant::now() < deadline => {
                tokio::time::sleep(RETRY_BACKOFF).await;
            }
            Err(failure) => return Err(failure),
        }
    }
}

fn codec(codec: Codec) -> Compression {
    match codec {
        Codec::None => Compression::None,
        Codec::Gzip => Compression::Gzip,
        Codec::Snappy => Compression::Snappy,
        Codec::Lz4 => Compression::Lz4,
        Codec::Zstd => Compression::Zstd,
    }
}

struct Producer<'a> {
    client: Client,
    arguments: &'a ProduceArguments,
    partitions: u32,
    /// The partition of records without a key; another one after each time that batches are sent.
    next_without_key: u32,
    spec: CompressionSpec,
    compressor: Compressor,
    identity: ProducerFields,
    /// The next sequence of each partition.
    sequences: BTreeMap<i32, i32>,
    /// What is to be sent.
    batches: BTreeMap<i32, BatchBuilder>,
    batches_bytes: usize,
    progress: Progress,
}

/// A batch that is sent until it is acknowledged.
struct Sent {
    records: Bytes,
    count: i32,
}

impl Producer<'_> {
    async fn chunk(&mut self, chunk: &Chunk, delimiter: Option<u8>) -> Result<(), Failure> {
        let now = now_ms();
        let Some(delimiter) = delimiter else {
            return self.line(&chunk.bytes, now, chunk, chunk.first_line).await;
        };
        let lines = chunk.bytes.strip_suffix(&[delimiter]);
        let lines = lines.unwrap_or(&chunk.bytes);
        for (index, line) in lines.split(|byte| *byte == delimiter).enumerate() {
            let line = match delimiter {
                b'\n' => line.strip_suffix(b"\r").unwrap_or(line),
                _ => line,
            };
            self.line(line, now, chunk, chunk.first_line + index as u64)
                .await?;
        }
        Ok(())
    }

    async fn line(
        &mut self,
        line: &[u8],
        now: i64,
        chunk: &Chunk,
        number: u64,
    ) -> Result<(), Failure> {
        let added = match self.arguments.json {
            true => self.json_record(line, now),
            false => self.text_record(line, now),
        };
        added?.map_err(|fault| Failure::Line {
            path: chunk.path.to_path_buf(),
            line: number,
            fault,
        })?;
        if self.batches_bytes >= BATCH_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    /// Adds a line of text; the inner error is the line's, the outer one the batch's.
    fn text_record(&mut self, line: &[u8], now: i64) -> Result<Result<(), LineFault>, Failure> {
        let arguments = self.arguments;
        let (key, value) = match &arguments.key_separator {
            Some(separator) => match split_key(line, &separator.0) {
                Some((key, value)) => (Some(key), value),
                None => return Ok(Err(LineFault::NoKeySeparator)),
            },
            None => (arguments.key.as_deref().map(str::as_bytes), line),
        };
        let null = arguments.null.as_deref().map(str::as_bytes);
        let unless_null = |text: &&[u8]| null != Some(*text);
        let headers: Vec<RecordHeader<'_>> = arguments
            .headers
            .iter()
            .map(|(key, value)| RecordHeader {
                key,
                value: Some(value.as_bytes()),
            })
            .collect();
        let key = key.filter(unless_null);
        self.append(now, key, Some(value).filter(unless_null), &headers)?;
        Ok(Ok(()))
    }

    /// As [`Self::text_record`], of a line of JSON.
    fn json_record(&mut self, line: &[u8], now: i64) -> Result<Result<(), LineFault>, Failure> {
        let bytes =
            |text: Option<Text>| text.map(Text::bytes).transpose().map_err(LineFault::Base64);
        let parsed = || {
            let record: JsonRecord = serde_json::from_slice(line).map_err(LineFault::Json)?;
            let headers: Result<Vec<_>, _> = record
                .headers
                .into_iter()
                .map(|(name, value)| Ok((name, bytes(value)?)))
                .collect();
            let (key, value) = (bytes(record.key)?, bytes(record.value)?);
            Ok((record.timestamp, key, value, headers?))
        };
        let (timestamp, key, value, headers) = match parsed() {
            Ok(parsed) => parsed,
            Err(fault) => return Ok(Err(fault)),
        };
        let fixed = self.arguments.headers.iter();
        let headers: Vec<RecordHeader<'_>> = headers
            .iter()
            .map(|(key, value)| (key, value.as_deref()))
            .chain(fixed.map(|(key, value)| (key, Some(value.as_bytes()))))
            .map(|(key, value)| RecordHeader { key, value })
            .collect();
        let timestamp = timestamp.unwrap_or(now);
        self.append(timestamp, key.as_deref(), value.as_deref(), &headers)?;
        Ok(Ok(()))
    }

    fn append(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[RecordHeader<'_>],
    ) -> Result<(), Failure> {
        let partition = match (self.arguments.partition, key) {
            (Some(partition), _) => partition,
            (None, Some(key)) => partition_of(key, self.partitions),
            (None, None) => (self.next_without_key % self.partitions) as i32,
        };
        let sequence = self.sequences.get(&partition).copied().unwrap_or(0);
        let (spec, identity) = (self.spec, self.identity);
        let batch = self.batches.entry(partition).or_insert_with(|| {
            let is_known = identity.producer_id >= 0;
            BatchBuilder::new(spec).with_producer(ProducerFields {
                base_sequence: if is_known { sequence } else { -1 },
                ..identity
            })
        });
        let before = batch.uncompressed_size_bytes();
        batch.append(timestamp, key, value, headers)?;
        self.batches_bytes += batch.uncompressed_size_bytes() - before;
        Ok(())
    }

    /// Sends what there is, one request for each leader, until all of it is acknowledged.
    async fn flush(&mut self) -> Result<(), Failure> {
        if self.batches.is_empty() {
            return Ok(());
        }
        let mut unsent = BTreeMap::new();
        for (partition, batch) in std::mem::take(&mut self.batches) {
            let count = batch.records_count();
            let records = batch.build(0, -1, &mut self.compressor)?;
            let sequence = self.sequences.entry(partition).or_insert(0);
            // After the last sequence comes 0.
            *sequence = (i64::from(*sequence) + i64::from(count)).rem_euclid(1 << 31) as i32;
            unsent.insert(partition, Sent { records, count });
        }
        self.batches_bytes = 0;
        self.next_without_key = self.next_without_key.wrapping_add(1);
        let deadline = Instant::now() + self.arguments.connection.timeout();
        let mut told = false;
        while !unsent.is_empty() {
            match self.send(&mut unsent).await {
                Ok(()) => {}
                Err(Failure::Client(error)) if self.may_retry(&error, deadline) => {
                    // The last error may say less than the first one.
                    if !told {
                        eprintln!("ottla: {error}; trying again for a while");
                        told = true;
                    }
                    tokio::time::sleep(RETRY_BACKOFF).await;
                    self.client.refresh();
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// Without an identity, what was sent and not answered may be there already.
    fn may_retry(&self, error: &ClientError, deadline: Instant) -> bool {
        let is_unanswered = matches!(error, ClientError::Request(_));
        let is_safe = !is_unanswered || self.identity.producer_id >= 0;
        error.is_passing() && is_safe && Instant::now() < deadline
    }

    /// Sends once, and takes what is acknowledged out of `unsent`.
    async fn send(&mut self, unsent: &mut BTreeMap<i32, Sent>) -> Result<(), Failure> {
        let topic = &self.arguments.topic;
        let partitions: Vec<i32> = unsent.keys().copied().collect();
        for (leader, partitions) in self.client.by_leader(topic, &partitions).await? {
            let data = partitions.iter().filter_map(|&index| {
                Some(PartitionProduceData {
                    index,
                    records: Some(Records::from(unsent.get(&index)?.records.clone())),
                    ..Default::default()
                })
            });
            let request = ProduceRequest {
                acks: ACKS_ALL,
                timeout_ms: self.arguments.connection.timeout_ms(),
                topic_data: vec![TopicProduceData {
                    name: topic.clone(),
                    partition_data: data.collect(),
                    ..Default::default()
                }],
                ..Default::default()
            };
            let response = self
                .client
                .request_to_up_to(leader, &request, LAST_VERSION_WITH_TOPIC_NAMES)
                .await?;
            for done in response
                .responses
                .into_iter()
                .flat_map(|topic| topic.partition_responses)
            {
                self.acknowledged(done, unsent)?;
            }
        }
        Ok(())
    }

    fn acknowledged(
        &mut self,
        done: PartitionProduceResponse,
        unsent: &mut BTreeMap<i32, Sent>,
    ) -> Result<(), Failure> {
        let topic = &self.arguments.topic;
        let partition = done.index;
        // It was written by an attempt whose answer was lost.
        if error_of(done.error_code) != Some(ErrorCode::DuplicateSequenceNumber) {
            check(done.error_code, done.error_message, || {
                format!("records for {topic}-{partition}")
            })?;
        }
        let Some(sent) = unsent.remove(&partition) else {
            return Ok(());
        };
        self.progress
            .add(sent.count.unsigned_abs().into(), sent.records.len() as u64);
        if self.arguments.verbose {
            let last = done.base_offset + i64::from(sent.count) - 1;
            let place = format!(
                "{topic}-{partition}: offsets {} to {last}",
                done.base_offset
            );
            // Who stops reading this does not stop the records.
            let _ = writeln!(io::stdout(), "{place}, {}", time_text(now_ms()));
        }
        Ok(())
    }
}

fn split_key<'a>(line: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = match separator {
        [] => 0,
        [byte] => line.iter().position(|one| one == byte)?,
        _ => line
            .windows(separator.len())
            .position(|window| window == separator)?,
    };
    Some((&line[..at], &line[at + separator.len()..]))
}

#[cfg(test)]
mod tests {
    use super::split_key;

    #[test]
    fn keys_are_what_stands_before_the_separator() {
        for (line, separator, expected) in [
            (&b"a:b:c"[..], &b":"[..], Some((&b"a"[..], &b"b:c"[..]))),
            (b"a=>b", b"=>", Some((b"a", b"b"))),
            (b":b", b":", Some((b"", b"b"))),
            (b"a:", b":", Some((b"a", b""))),
            (b"ab", b":", None),
            (b"", b":", None),
            (b"a", b"=>", None),
        ] {
            assert_eq!(split_key(line, separator), expected);
        }
    }
}
