//! `ottla consume`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use bytes::Bytes;
use ottla_client::{Client, ClientError};
use ottla_protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use ottla_protocol::messages::fetch_response::PartitionData;
use ottla_protocol::records::{Decompressor, RecordRef, batches};
use serde::Serialize;

use super::offsets::{Position, by_leader, resolve};
use crate::arguments::ConsumeArguments;
use crate::failure::{Failure, check};

/// The newest version of Fetch that names topics by name.
const LAST_VERSION_WITH_TOPIC_NAMES: i16 = 12;
/// How long a broker may wait for new records when following, milliseconds.
const FOLLOW_WAIT_MS: i32 = 1000;
/// Bytes asked of a partition at a time.
const PARTITION_MAX_BYTES: i32 = 4 * 1024 * 1024;
/// Bytes asked of a broker at a time.
const MAX_BYTES: i32 = 32 * 1024 * 1024;

/// Prints records until the end of the log, or for ever when following.
pub async fn run(arguments: ConsumeArguments) -> Result<(), Failure> {
    let mut client = super::client(&arguments.cluster);
    let topic = client.topic(&arguments.topic).await?;
    let mut partitions: Vec<i32> = topic
        .partitions
        .iter()
        .map(|partition| partition.partition_index)
        .collect();
    if !arguments.partitions.is_empty() {
        partitions.clone_from(&arguments.partitions);
    }
    let from: Position = arguments.from.parse()?;
    let positions = resolve(&mut client, &arguments.topic, &partitions, from).await?;
    let ends = match arguments.follow {
        true => BTreeMap::new(),
        false => resolve(&mut client, &arguments.topic, &partitions, Position::Latest).await?,
    };
    let printed = Consumer {
        client,
        ends,
        positions,
        printed: 0,
        arguments: &arguments,
    }
    .run()
    .await;
    match printed {
        // The reader of our output has seen enough.
        Err(Failure::Pipe(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

struct Consumer<'a> {
    client: Client,
    arguments: &'a ConsumeArguments,
    /// The next offset to read of each partition.
    positions: BTreeMap<i32, i64>,
    /// Where to end in each partition; empty when following.
    ends: BTreeMap<i32, i64>,
    printed: u64,
}

impl Consumer<'_> {
    async fn run(&mut self) -> Result<(), Failure> {
        let mut decompressor = Decompressor::default();
        loop {
            let open: Vec<i32> = self
                .positions
                .keys()
                .copied()
                .filter(|&partition| !self.is_done(partition))
                .collect();
            if open.is_empty() || self.has_enough() {
                return Ok(());
            }
            for (leader, partitions) in
                by_leader(&mut self.client, &self.arguments.topic, &open).await?
            {
                for data in self.fetch(leader, &partitions).await? {
                    self.print(data, &mut decompressor)?;
                }
            }
        }
    }

    fn is_done(&self, partition: i32) -> bool {
        let position = self.positions.get(&partition);
        self.ends
            .get(&partition)
            .is_some_and(|end| position.is_none_or(|position| position >= end))
    }

    fn has_enough(&self) -> bool {
        self.arguments
            .max_records
            .is_some_and(|max| self.printed >= max)
    }

    async fn fetch(
        &mut self,
        leader: i32,
        partitions: &[i32],
    ) -> Result<Vec<PartitionData>, Failure> {
        let partition = |&partition: &i32| FetchPartition {
            partition,
            fetch_offset: self.positions.get(&partition).copied().unwrap_or(0),
            current_leader_epoch: -1,
            partition_max_bytes: PARTITION_MAX_BYTES,
            ..Default::default()
        };
        let request = FetchRequest {
            max_wait_ms: FOLLOW_WAIT_MS,
            min_bytes: 1,
            max_bytes: MAX_BYTES,
            isolation_level: if self.arguments.uncommitted { 0 } else { 1 },
            session_epoch: -1,
            topics: vec![FetchTopic {
                topic: self.arguments.topic.clone(),
                partitions: partitions.iter().map(partition).collect(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let limit = self.arguments.cluster.timeout() + Duration::from_millis(FOLLOW_WAIT_MS as u64);
        let connection = self.client.node(leader).await?;
        let response = connection
            .request_within(&request, LAST_VERSION_WITH_TOPIC_NAMES, limit)
            .await
            .map_err(ClientError::Request)?;
        check(response.error_code, None, || {
            format!("fetch of {}", self.arguments.topic)
        })?;
        Ok(response
            .responses
            .into_iter()
            .flat_map(|topic| topic.partitions)
            .collect())
    }

    fn print(
        &mut self,
        data: PartitionData,
        decompressor: &mut Decompressor,
    ) -> Result<(), Failure> {
        let partition = data.partition_index;
        check(data.error_code, None, || {
            format!("partition {}-{partition}", self.arguments.topic)
        })?;
        let mut out = io::stdout().lock();
        for batch in batches(&data.records.unwrap_or_default().to_bytes()) {
            let batch = batch?;
            let next = batch.next_offset();
            if !batch.is_control() && !is_aborted(&batch, data.aborted_transactions.as_deref()) {
                for record in batch.records(decompressor)? {
                    let record = record?;
                    let position = self.positions.get(&partition).copied().unwrap_or(0);
                    let behind_the_end = self
                        .ends
                        .get(&partition)
                        .is_some_and(|end| record.offset >= *end);
                    if record.offset >= position && !behind_the_end && !self.has_enough() {
                        self.write(&mut out, partition, &record)?;
                        self.printed += 1;
                    }
                }
            }
            self.positions.insert(partition, next);
        }
        // An empty answer below the end: what is left there are aborted records or markers only.
        if let Some(end) = self.ends.get_mut(&partition) {
            *end = (*end).min(data.last_stable_offset.max(0));
        }
        Ok(out.flush()?)
    }

    fn write(&self, out: &mut impl Write, partition: i32, record: &RecordRef) -> io::Result<()> {
        let text = |bytes: &Option<Bytes>| {
            bytes
                .as_deref()
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        if self.arguments.cluster.json {
            let headers = record.headers.iter().map(|header| {
                (
                    String::from_utf8_lossy(&header.key).into_owned(),
                    text(&header.value),
                )
            });
            let line = JsonRecord {
                partition,
                offset: record.offset,
                timestamp: record.timestamp,
                key: text(&record.key),
                value: text(&record.value),
                headers: headers.collect(),
            };
            serde_json::to_writer(&mut *out, &line)?;
            return writeln!(out);
        }
        if self.arguments.verbose {
            write!(out, "{partition} {} {} ", record.offset, record.timestamp)?;
            for header in &record.headers {
                out.write_all(&header.key)?;
                out.write_all(b"=")?;
                out.write_all(header.value.as_deref().unwrap_or_default())?;
                out.write_all(b" ")?;
            }
        }
        if let Some(separator) = &self.arguments.key_separator {
            out.write_all(record.key.as_deref().unwrap_or_default())?;
            out.write_all(separator.as_bytes())?;
        }
        out.write_all(record.value.as_deref().unwrap_or(b"(null)"))?;
        writeln!(out)
    }
}

/// Whether the batch belongs to a transaction of the list, which names those that were aborted.
fn is_aborted(
    batch: &ottla_protocol::records::BatchView,
    aborted: Option<&[ottla_protocol::messages::fetch_response::AbortedTransaction]>,
) -> bool {
    batch.is_transactional()
        && aborted.unwrap_or_default().iter().any(|transaction| {
            transaction.producer_id == batch.producer_id()
                && transaction.first_offset <= batch.base_offset()
        })
}

#[derive(Serialize)]
struct JsonRecord {
    partition: i32,
    offset: i64,
    timestamp: i64,
    key: Option<String>,
    value: Option<String>,
    headers: Vec<(String, Option<String>)>,
}
