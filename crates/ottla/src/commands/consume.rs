//! `ottla consume`.

mod aborted;
mod printer;

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use ottla_client::{Client, ClientError, GroupMember, Standing, error_of};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use ottla_protocol::messages::fetch_response::PartitionData;
use ottla_protocol::records::{Decompressor, batches};

use tokio::signal::unix::{SignalKind, signal};

use self::aborted::AbortedProducers;
use self::printer::Printer;
use super::offsets::{Isolation, resolve};
use crate::arguments::ConsumeArguments;
use crate::failure::{Failure, check};
use crate::position::Position;
use crate::progress::Progress;

/// The newest version of Fetch that names topics by name.
const LAST_VERSION_WITH_TOPIC_NAMES: i16 = 12;
/// How long a broker may wait for new records, milliseconds.
const WAIT_MS: i32 = 1000;
/// Bytes asked of a partition at a time.
const PARTITION_MAX_BYTES: i32 = 4 * 1024 * 1024;
/// Bytes asked of a broker at a time.
const MAX_BYTES: i32 = 32 * 1024 * 1024;
/// Time before another attempt.
const RETRY_BACKOFF: Duration = Duration::from_millis(100);
/// Time between two commits of a group's offsets.
const COMMIT_INTERVAL: Duration = Duration::from_secs(1);

/// Prints records until the position to end at, or for ever when following.
pub async fn run(arguments: ConsumeArguments) -> Result<(), Failure> {
    let mut client = super::client(&arguments.connection);
    let partitions = match arguments.partitions.is_empty() {
        true => client.partitions(&arguments.topic).await?,
        false => arguments.partitions.clone(),
    };
    let member = arguments
        .group
        .as_deref()
        .map(|group| GroupMember::new(group, &arguments.topic));
    let mut consumer = Consumer {
        client,
        member,
        isolation: match arguments.uncommitted {
            true => Isolation::Uncommitted,
            false => Isolation::Committed,
        },
        ends: BTreeMap::new(),
        positions: BTreeMap::new(),
        aborted: AbortedProducers::default(),
        printed: 0,
        rounds: 0,
        committed_at: Instant::now(),
        answered_at: Instant::now(),
        printer: Printer::new(&arguments),
        progress: Progress::new("read", io::stdout()),
        decompressor: Decompressor::default(),
        arguments: &arguments,
    };
    let mut terminate = signal(SignalKind::terminate())?;
    let result = tokio::select! {
        result = consumer.consume(&partitions) => result,
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        _ = terminate.recv() => Err(Failure::Interrupted),
    };
    consumer.progress.finish();
    if matches!(result, Err(Failure::Interrupted)) {
        // An answer may still be on its way on the connections there are.
        consumer.client.refresh();
    }
    // Whatever ended it: what was printed is committed, and the others need not wait.
    match (consumer.leave().await, result) {
        (Err(failure), Ok(())) => Err(failure),
        (_, result) => result,
    }
}

struct Consumer<'a> {
    client: Client,
    arguments: &'a ConsumeArguments,
    member: Option<GroupMember>,
    isolation: Isolation,
    /// The next offset to read of each partition.
    positions: BTreeMap<i32, i64>,
    /// Where to end in each partition; empty when following.
    ends: BTreeMap<i32, i64>,
    aborted: AbortedProducers,
    printed: u64,
    rounds: usize,
    committed_at: Instant,
    /// When a broker last answered.
    answered_at: Instant,
    printer: Printer<'a>,
    progress: Progress,
    decompressor: Decompressor,
}

impl Consumer<'_> {
    async fn consume(&mut self, partitions: &[i32]) -> Result<(), Failure> {
        match self.member {
            Some(_) => self.join().await?,
            None => self.begin(partitions, BTreeMap::new()).await?,
        }
        loop {
            let open = self.open_partitions();
            let ended = open.is_empty() && !self.arguments.follow;
            if ended || self.has_enough() {
                return Ok(());
            }
            match self.round(&open).await {
                Ok(()) => self.answered_at = Instant::now(),
                Err(Failure::Client(error)) if self.may_retry(&error) => {
                    tokio::time::sleep(RETRY_BACKOFF).await;
                    self.client.refresh();
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    fn may_retry(&self, error: &ClientError) -> bool {
        error.is_passing() && self.answered_at.elapsed() < self.arguments.connection.timeout()
    }

    /// Joins the group, and begins where it has committed.
    async fn join(&mut self) -> Result<(), Failure> {
        let Some(member) = &mut self.member else {
            return Ok(());
        };
        let assigned = member.join(&mut self.client).await?;
        let mut committed = member.committed(&mut self.client, &assigned).await?;
        // What lies past the end was committed for a topic of the same name that is gone.
        let (topic, latest) = (&self.arguments.topic, Position::Latest);
        let client = &mut self.client;
        let ends = resolve(client, topic, &assigned, latest, Isolation::Uncommitted).await?;
        committed
            .retain(|partition, offset| ends.get(partition).is_some_and(|end| *offset <= *end));
        self.begin(&assigned, committed).await
    }

    /// Sets where to read `partitions` from and to; `known` outweighs `--from`.
    async fn begin(
        &mut self,
        partitions: &[i32],
        known: BTreeMap<i32, i64>,
    ) -> Result<(), Failure> {
        let (topic, isolation) = (&self.arguments.topic, self.isolation);
        let from = self.arguments.from;
        self.positions = resolve(&mut self.client, topic, partitions, from, isolation).await?;
        self.positions.extend(known);
        self.ends.clear();
        if !self.arguments.follow {
            let until = self.arguments.until;
            self.ends = resolve(&mut self.client, topic, partitions, until, isolation).await?;
            if matches!(until, Position::Offset(_)) {
                let latest = Position::Latest;
                let last = resolve(&mut self.client, topic, partitions, latest, isolation).await?;
                for (partition, end) in &mut self.ends {
                    *end = (*end).min(last.get(partition).copied().unwrap_or(*end));
                }
            }
        }
        Ok(())
    }

    /// The partitions that have more to read, another one first each time: none waits for ever.
    fn open_partitions(&mut self) -> Vec<i32> {
        let is_open =
            |partition: &i32| match (self.positions.get(partition), self.ends.get(partition)) {
                (Some(position), Some(end)) => position < end,
                _ => true,
            };
        let mut open: Vec<i32> = self.positions.keys().copied().filter(is_open).collect();
        if !open.is_empty() {
            let first = self.rounds % open.len();
            open.rotate_left(first);
        }
        self.rounds = self.rounds.wrapping_add(1);
        open
    }

    fn has_enough(&self) -> bool {
        self.arguments
            .max_records
            .is_some_and(|max| self.printed >= max)
    }

    /// One fetch of each leader, and what a group asks for between fetches.
    async fn round(&mut self, open: &[i32]) -> Result<(), Failure> {
        let topic = &self.arguments.topic;
        for (leader, partitions) in self.client.by_leader(topic, open).await? {
            for data in self.fetch(leader, &partitions).await? {
                self.print(data).await?;
            }
        }
        self.printer.flush()?;
        if open.is_empty() {
            // A member without partitions waits for some.
            tokio::time::sleep(RETRY_BACKOFF).await;
        }
        let Some(member) = &mut self.member else {
            return Ok(());
        };
        let standing = member.heartbeat(&mut self.client).await?;
        if standing == Standing::Rebalancing || self.committed_at.elapsed() >= COMMIT_INTERVAL {
            let committed = self.commit().await;
            match (standing, committed) {
                // What cannot be committed any more is read again, by whoever has it then.
                (Standing::Rebalancing, _) => self.join().await?,
                (Standing::Member, committed) => committed?,
            }
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), Failure> {
        self.committed_at = Instant::now();
        match &self.member {
            Some(member) if !self.positions.is_empty() => {
                Ok(member.commit(&mut self.client, &self.positions).await?)
            }
            _ => Ok(()),
        }
    }

    /// Flushes, commits and leaves the group, if there is one.
    async fn leave(&mut self) -> Result<(), Failure> {
        self.printer.flush()?;
        let committed = self.commit().await;
        if let Some(member) = self.member.take() {
            member.leave(&mut self.client).await?;
        }
        committed
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
            max_wait_ms: WAIT_MS,
            min_bytes: 1,
            max_bytes: MAX_BYTES,
            isolation_level: self.isolation.wire(),
            session_epoch: -1,
            topics: vec![FetchTopic {
                topic: self.arguments.topic.clone(),
                partitions: partitions.iter().map(partition).collect(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let response = self
            .client
            .request_to_up_to(leader, &request, LAST_VERSION_WITH_TOPIC_NAMES)
            .await?;
        check(response.error_code, None, || {
            format!("fetch of {}", self.arguments.topic)
        })?;
        Ok(response
            .responses
            .into_iter()
            .flat_map(|topic| topic.partitions)
            .collect())
    }

    async fn print(&mut self, data: PartitionData) -> Result<(), Failure> {
        let partition = data.partition_index;
        if error_of(data.error_code) == Some(ErrorCode::OffsetOutOfRange) {
            return self.out_of_range(partition).await;
        }
        check(data.error_code, None, || {
            format!("partition {}-{partition}", self.arguments.topic)
        })?;
        let end = self.ends.get(&partition).copied().unwrap_or(i64::MAX);
        let mut position = self.positions.get(&partition).copied().unwrap_or(0);
        self.aborted
            .expect(partition, data.aborted_transactions.unwrap_or_default());
        for batch in batches(&data.records.unwrap_or_default().to_bytes()) {
            let batch = batch?;
            let hidden = self.aborted.hides(partition, &batch) || batch.is_control();
            let mut printed = 0;
            if !hidden {
                for record in batch.records(&mut self.decompressor)? {
                    let record = record?;
                    if record.offset < position || record.offset >= end {
                        continue;
                    }
                    if self.has_enough() {
                        self.positions.insert(partition, position);
                        return Ok(());
                    }
                    self.printer.print(partition, &record)?;
                    self.printed += 1;
                    printed += 1;
                    position = record.offset + 1;
                }
            }
            position = position.max(batch.next_offset().min(end));
            self.progress.add(printed, batch.size_bytes() as u64);
        }
        self.positions.insert(partition, position);
        Ok(())
    }

    /// Goes on at the first record when those before it were deleted.
    async fn out_of_range(&mut self, partition: i32) -> Result<(), Failure> {
        let (topic, isolation) = (&self.arguments.topic, self.isolation);
        let offset = self.positions.get(&partition).copied().unwrap_or(0);
        let mut bounds = [0, 0];
        for (bound, position) in bounds
            .iter_mut()
            .zip([Position::Earliest, Position::Latest])
        {
            let found = resolve(&mut self.client, topic, &[partition], position, isolation).await?;
            *bound = found.get(&partition).copied().unwrap_or(0);
        }
        let [start, end] = bounds;
        if offset >= start {
            return Err(ClientError::Refused {
                what: format!("{topic}-{partition} at offset {offset}"),
                code: ErrorCode::OffsetOutOfRange,
                message: Some(format!(
                    "its records have the offsets from {start} to before {end}"
                )),
            }
            .into());
        }
        eprintln!(
            "ottla: {topic}-{partition}: the records before offset {start} are deleted, going on there"
        );
        self.positions.insert(partition, start);
        Ok(())
    }
}
