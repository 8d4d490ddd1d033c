//! Fetch (1): reads record batches; waits for them when there are too few (KIP-74, KIP-227).

use std::sync::Arc;
use std::time::Duration;

use ottla_protocol::messages::fetch_request::FetchRequest;
use ottla_protocol::messages::fetch_response::{
    AbortedTransaction, EpochEndOffset, FetchResponse, FetchableTopicResponse, PartitionData,
};
use ottla_protocol::{ErrorCode, Records};
use ottla_storage::MinimumBatches;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::{Reply, RequestContext};
use crate::fetch_session::{FetchContext, PartitionFetch};
use crate::fetch_waiter::Waiter;
use crate::partition::{IsolationLevel, Partition, PartitionRead, ReadFailure, ReadLimits};

/// Reads now, or as soon as `min_bytes` are there, or when `max_wait_ms` are over.
pub fn handle(context: &RequestContext, request: FetchRequest) -> Reply<FetchResponse> {
    let broker = &context.broker;
    let terms = Terms {
        max_wait: Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)),
        min_bytes: usize::try_from(request.min_bytes).unwrap_or(0),
        max_bytes: usize::try_from(request.max_bytes).unwrap_or(0).min(usize::try_from(broker.config().requests.fetch_max_bytes).unwrap_or(0)),
        isolation: IsolationLevel::from_code(request.isolation_level),
        replica_id: if context.version >= 15 { request.replica_state.replica_id } else { request.replica_id },
    };
    let begun = broker.fetch_sessions.begin(request, context.version, broker.clock.now_ms(), random_session_id);
    let session = match begun {
        Ok(session) => session,
        Err(code) => return Reply::Now(FetchResponse { error_code: code.code(), ..Default::default() }),
    };
    let fetch = Fetch { context: context.clone(), session, terms };
    let outcome = fetch.read();
    let unknown = outcome.unknown.len();
    if outcome.is_enough(&fetch.terms, unknown) || fetch.terms.max_wait.is_zero() {
        return Reply::Now(fetch.answer(outcome));
    }
    Reply::later(fetch.wait(unknown))
}

/// What the client wants before it is answered.
struct Terms {
    max_wait: Duration,
    min_bytes: usize,
    max_bytes: usize,
    isolation: IsolationLevel,
    replica_id: i32,
}

struct Fetch {
    context: RequestContext,
    session: FetchContext,
    terms: Terms,
}

/// What one pass over the partitions found; each with its place among the fetch's partitions.
#[derive(Default)]
struct Outcome {
    /// What the partitions' logs say.
    known: Vec<(usize, PartitionData)>,
    /// The partitions that do not exist here.
    unknown: Vec<(usize, PartitionData)>,
    bytes: usize,
    /// Something that the client must hear of now.
    urgent: bool,
}

impl Outcome {
    /// Whether the client is answered. As in Kafka, partitions that were unknown from the beginning do not hurry an
    /// answer that others are waited for.
    fn is_enough(&self, terms: &Terms, unknown_at_first: usize) -> bool {
        self.urgent
            || self.known.is_empty()
            || self.unknown.len() > unknown_at_first
            || self.bytes >= terms.min_bytes
    }
}

impl Fetch {
    async fn wait(self, unknown_at_first: usize) -> FetchResponse {
        let deadline = Instant::now() + self.terms.max_wait;
        let waiting = Waiting::on(self.partitions());
        loop {
            // Read again after the waiter is in place: nothing that came in between is missed.
            let outcome = self.read();
            if outcome.is_enough(&self.terms, unknown_at_first) {
                return self.answer(outcome);
            }
            let is_over = tokio::select! {
                woken = timeout_at(deadline, waiting.waiter.notified()) => woken.is_err(),
                () = self.context.broker.stopped() => true,
            };
            if is_over {
                return self.answer(self.read());
            }
        }
    }

    fn partitions(&self) -> Vec<Arc<Partition>> {
        self.session.partitions().iter().filter_map(|fetch| self.find(fetch).ok()).collect()
    }

    fn find(&self, fetch: &PartitionFetch) -> Result<Arc<Partition>, ErrorCode> {
        let partitions = &self.context.broker.partitions;
        match fetch.topic.id.is_zero() {
            true if self.context.version >= 13 => Err(ErrorCode::UnknownTopicId),
            true => partitions.by_topic_name(&fetch.topic.name, fetch.request.partition),
            false => partitions.by_topic_id(fetch.topic.id, fetch.request.partition),
        }
    }

    fn read(&self) -> Outcome {
        let mut outcome = Outcome::default();
        for (place, fetch) in self.session.partitions().iter().enumerate() {
            let index = fetch.request.partition;
            let partition = match self.find(fetch) {
                Ok(partition) => partition,
                Err(code) => {
                    outcome.unknown.push((place, failed(index, ReadFailure::of(code), Some(Vec::new()))));
                    continue;
                }
            };
            let read = self.read_partition(&partition, fetch, outcome.bytes);
            outcome.urgent |= !matches!(&read, Ok(read) if read.diverging_epoch.is_none());
            let data = partition_data(index, read, self.terms.isolation);
            outcome.bytes += data.records.as_ref().map_or(0, Records::len);
            outcome.known.push((place, data));
        }
        outcome
    }

    fn read_partition(
        &self,
        partition: &Partition,
        fetch: &PartitionFetch,
        bytes_so_far: usize,
    ) -> Result<PartitionRead, ReadFailure> {
        if self.terms.replica_id >= 0 {
            return Err(ReadFailure::of(ErrorCode::NotLeaderOrFollower));
        }
        let partition_max = usize::try_from(fetch.request.partition_max_bytes).unwrap_or(0);
        partition.read(&fetch.request, self.terms.isolation, ReadLimits {
            max_bytes: partition_max.min(self.terms.max_bytes.saturating_sub(bytes_so_far)),
            // The first records of an answer come whole, however large the batch is (KIP-74).
            minimum: match bytes_so_far == 0 {
                true => MinimumBatches::One,
                false => MinimumBatches::None,
            },
        })
    }

    /// As in Kafka, unknown partitions come last, and neighbours of one topic stand together.
    fn answer(&self, outcome: Outcome) -> FetchResponse {
        let mut responses: Vec<FetchableTopicResponse> = Vec::new();
        for (place, data) in outcome.known.into_iter().chain(outcome.unknown) {
            let topic = &self.session.partitions()[place].topic;
            match responses.last_mut() {
                Some(last) if last.topic == *topic.name && last.topic_id == topic.id => last.partitions.push(data),
                _ => responses.push(FetchableTopicResponse {
                    topic: topic.name.to_string(),
                    topic_id: topic.id,
                    partitions: vec![data],
                    ..Default::default()
                }),
            }
        }
        self.context.broker.fetch_sessions.finish(&self.session, &mut responses);
        FetchResponse { session_id: self.session.session_id(), responses, ..Default::default() }
    }
}

/// A place among the waiters of several partitions, given back on drop.
struct Waiting {
    waiter: Waiter,
    partitions: Vec<Arc<Partition>>,
}

impl Waiting {
    fn on(partitions: Vec<Arc<Partition>>) -> Self {
        let waiter: Waiter = Arc::new(Notify::new());
        for partition in &partitions {
            partition.waiters().add(&waiter);
        }
        Self { waiter, partitions }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        for partition in &self.partitions {
            partition.waiters().remove(&self.waiter);
        }
    }
}

fn partition_data(
    partition_index: i32,
    read: Result<PartitionRead, ReadFailure>,
    isolation: IsolationLevel,
) -> PartitionData {
    match read {
        Ok(read) => PartitionData {
            partition_index,
            high_watermark: read.high_watermark.0,
            last_stable_offset: read.last_stable_offset.0,
            log_start_offset: read.log_start_offset.0,
            diverging_epoch: read.diverging_epoch.map_or_else(EpochEndOffset::default, |(epoch, end_offset)| {
                EpochEndOffset { epoch: epoch.0, end_offset: end_offset.0, ..Default::default() }
            }),
            aborted_transactions: (isolation == IsolationLevel::ReadCommitted).then(|| {
                let aborted = read.aborted_transactions.iter();
                aborted
                    .map(|transaction| AbortedTransaction {
                        producer_id: transaction.producer_id.0,
                        first_offset: transaction.first_offset.0,
                        ..Default::default()
                    })
                    .collect()
            }),
            records: Some(read.records),
            ..Default::default()
        },
        Err(failure) => failed(partition_index, failure, None),
    }
}

fn failed(
    partition_index: i32,
    failure: ReadFailure,
    aborted_transactions: Option<Vec<AbortedTransaction>>,
) -> PartitionData {
    PartitionData {
        partition_index,
        error_code: failure.code.code(),
        high_watermark: -1,
        last_stable_offset: -1,
        log_start_offset: failure.log_start_offset,
        aborted_transactions,
        records: Some(Records::empty()),
        ..Default::default()
    }
}

/// A session id that no client can guess.
fn random_session_id() -> i32 {
    let mut bytes = [0; 4];
    // Without randomness the id only becomes guessable: sessions are a matter of bandwidth, not of access.
    let _ = getrandom::fill(&mut bytes);
    i32::from_be_bytes(bytes)
}
