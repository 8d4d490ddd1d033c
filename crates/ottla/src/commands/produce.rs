//! `ottla produce`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use ottla_client::{Client, partition_of};
use ottla_protocol::Records;
use ottla_protocol::messages::produce_request::{
    PartitionProduceData, ProduceRequest, TopicProduceData,
};
use ottla_protocol::records::{
    BatchBuilder, Compression, CompressionSpec, Compressor, RecordHeader,
};

use crate::arguments::{Codec, ProduceArguments};
use crate::failure::{Failure, check};

/// A batch is sent when it holds this many bytes before compression.
const BATCH_BYTES: usize = 256 * 1024;
/// Produce's acks that waits for all in-sync replicas.
const ACKS_ALL: i16 = -1;
/// The newest version that names topics by name.
const LAST_VERSION_WITH_TOPIC_NAMES: i16 = 12;

/// Sends every line of the files, or of standard input.
pub async fn run(arguments: ProduceArguments) -> Result<(), Failure> {
    let mut client = super::client(&arguments.cluster);
    let topic = client.topic(&arguments.topic).await?;
    let partitions = u32::try_from(topic.partitions.len())
        .unwrap_or(u32::MAX)
        .max(1);
    let mut producer = Producer {
        client,
        partitions,
        next_without_key: 0,
        spec: CompressionSpec::new(codec(arguments.compression)),
        compressor: Compressor::new(),
        batches: BTreeMap::new(),
        arguments: &arguments,
    };
    if arguments.files.is_empty() {
        producer
            .lines(io::stdin().lock(), Path::new("standard input"))
            .await?;
    }
    for path in &arguments.files {
        let file = File::open(path).map_err(|source| Failure::File {
            path: path.clone(),
            source,
        })?;
        producer.lines(BufReader::new(file), path).await?;
    }
    producer.flush().await
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
    next_without_key: u32,
    spec: CompressionSpec,
    compressor: Compressor,
    batches: BTreeMap<i32, BatchBuilder>,
}

impl Producer<'_> {
    async fn lines(&mut self, mut input: impl BufRead, path: &Path) -> Result<(), Failure> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = input.read_until(b'\n', &mut line);
            if read.map_err(|source| Failure::File {
                path: path.to_owned(),
                source,
            })? == 0
            {
                return Ok(());
            }
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            self.record(text).await?;
        }
    }

    async fn record(&mut self, line: &[u8]) -> Result<(), Failure> {
        let (key, value) = match &self.arguments.key_separator {
            Some(separator) => split_key(line, separator.as_bytes()),
            None => (None, line),
        };
        let is_null = self
            .arguments
            .null
            .as_ref()
            .is_some_and(|null| null.as_bytes() == value);
        let partition = match (self.arguments.partition, key) {
            (Some(partition), _) => partition,
            (None, Some(key)) => partition_of(key, self.partitions),
            (None, None) => (self.next_without_key % self.partitions) as i32,
        };
        let headers: Vec<RecordHeader<'_>> = self
            .arguments
            .headers
            .iter()
            .map(|(name, value)| RecordHeader {
                key: name,
                value: Some(value.as_bytes()),
            })
            .collect();
        let batch = self
            .batches
            .entry(partition)
            .or_insert_with(|| BatchBuilder::new(self.spec));
        batch.append(now_ms(), key, (!is_null).then_some(value), &headers)?;
        if batch.uncompressed_size_bytes() >= BATCH_BYTES {
            // Without keys, each batch goes to the next partition, not each record.
            self.next_without_key = self.next_without_key.wrapping_add(1);
            self.send(partition).await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        while let Some(&partition) = self.batches.keys().next() {
            self.send(partition).await?;
        }
        Ok(())
    }

    async fn send(&mut self, partition: i32) -> Result<(), Failure> {
        let Some(batch) = self.batches.remove(&partition) else {
            return Ok(());
        };
        let count = batch.records_count();
        let records = batch.build(0, -1, &mut self.compressor)?;
        let topic = &self.arguments.topic;
        let leader = super::leader_of(&mut self.client, topic, partition).await?;
        let data = PartitionProduceData {
            index: partition,
            records: Some(Records::from(records)),
            ..Default::default()
        };
        let request = ProduceRequest {
            acks: ACKS_ALL,
            timeout_ms: super::timeout_ms(&self.arguments.cluster),
            topic_data: vec![TopicProduceData {
                name: topic.clone(),
                partition_data: vec![data],
                ..Default::default()
            }],
            ..Default::default()
        };
        let connection = self.client.node(leader).await?;
        let response = connection
            .request_at(&request, LAST_VERSION_WITH_TOPIC_NAMES)
            .await
            .map_err(ottla_client::ClientError::Request)?;
        for done in response
            .responses
            .into_iter()
            .flat_map(|topic| topic.partition_responses)
        {
            check(done.error_code, done.error_message, || {
                format!("records for {topic}-{partition}")
            })?;
            if self.arguments.verbose {
                println!(
                    "{topic}-{partition} offset {} records {count} time {}",
                    done.base_offset,
                    now_ms()
                );
            }
        }
        Ok(())
    }
}

fn split_key<'a>(line: &'a [u8], separator: &[u8]) -> (Option<&'a [u8]>, &'a [u8]) {
    let at = line
        .windows(separator.len().max(1))
        .position(|window| window == separator);
    match at {
        Some(at) => (Some(&line[..at]), &line[at + separator.len()..]),
        None => (None, line),
    }
}

fn now_ms() -> i64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::split_key;

    #[test]
    fn keys_are_what_stands_before_the_separator() {
        for (line, separator, expected) in [
            (&b"a:b:c"[..], &b":"[..], (Some(&b"a"[..]), &b"b:c"[..])),
            (b"a=>b", b"=>", (Some(b"a"), b"b")),
            (b":b", b":", (Some(b""), b"b")),
            (b"ab", b":", (None, b"ab")),
        ] {
            assert_eq!(split_key(line, separator), expected);
        }
    }
}
