//! Runs the shards of the group coordinator: decide, append, apply, answer.
//!
//! One shard for each partition of `__consumer_offsets` that this broker leads, loaded from its log
//! when leadership begins and forgotten when it ends. A shard's lock is held from the decision until
//! its records are in the log and applied, so decisions see all that came before them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use ottla_groups::{
    Completed, CoordinatorRecord, Decision, FailureReply, GroupConfig, GroupShard, ParkedResponse,
    Reply as GroupReply, RequestContext as GroupContext, RequestId, TransactionResult,
    partition_for,
};
use ottla_protocol::ErrorCode;
use ottla_protocol::ids::{LeaderEpoch, Offset, ProducerId, TimestampMs};
use ottla_protocol::messages::{JoinGroupResponse, SyncGroupResponse};
use ottla_protocol::records::{
    BatchBuilder, BatchView, CompressionSpec, ControlRecordType, Decompressor, batches,
};
use ottla_storage::MinimumBatches;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, oneshot};
use tracing::{debug, error, warn};

use crate::clock::Clock;
use crate::group_timers::GroupTimers;
use crate::partition::Partition;

/// Bytes of the log read at a time while a shard is loaded.
const LOAD_CHUNK_BYTES: usize = 1024 * 1024;
/// How long the timer task sleeps at most.
const MAX_TIMER_SLEEP_MS: i64 = 60_000;

/// A response that may come later than the decision about its request.
pub trait Parkable: Sized {
    /// The response in `parked`, if it is of this kind.
    fn from_parked(parked: ParkedResponse) -> Option<Self>;
}

impl Parkable for JoinGroupResponse {
    fn from_parked(parked: ParkedResponse) -> Option<Self> {
        match parked {
            ParkedResponse::JoinGroup(response) => Some(response),
            ParkedResponse::SyncGroup(_) => None,
        }
    }
}

impl Parkable for SyncGroupResponse {
    fn from_parked(parked: ParkedResponse) -> Option<Self> {
        match parked {
            ParkedResponse::SyncGroup(response) => Some(response),
            ParkedResponse::JoinGroup(_) => None,
        }
    }
}

/// What came of a request.
pub enum Outcome<R> {
    /// The response.
    Now(R),
    /// The response comes when the group has moved on; an error if the shard is lost before.
    Parked(oneshot::Receiver<ParkedResponse>),
}

/// Who asks, for the decision.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    /// Version of the request.
    pub api_version: i16,
    /// The client's id.
    pub client_id: &'a str,
    /// The client's address as Java prints it.
    pub client_host: &'a str,
}

enum Phase {
    Loading,
    Active,
}

struct ShardState {
    phase: Phase,
    shard: GroupShard,
    timers: GroupTimers,
    parked: HashMap<RequestId, oneshot::Sender<ParkedResponse>>,
}

struct ShardHost {
    partition: Arc<Partition>,
    leader_epoch: LeaderEpoch,
    state: Mutex<ShardState>,
    /// The earliest deadline of the shard's timers, `i64::MAX` without any.
    next_deadline: AtomicI64,
}

/// The group coordinator of this broker.
pub struct CoordinatorHost {
    clock: Clock,
    /// `offsets.topic.compression.codec`.
    compression: CompressionSpec,
    config: Mutex<GroupConfig>,
    shards: RwLock<HashMap<i32, Arc<ShardHost>>>,
    /// How many partitions `__consumer_offsets` has, 0 while it does not exist.
    partitions: AtomicI32,
    next_request_id: AtomicU64,
    timers_changed: Notify,
    /// When the timer task will look next, milliseconds since the epoch.
    timers_wake_at: AtomicI64,
}

impl CoordinatorHost {
    /// A coordinator without shards.
    pub fn new(clock: Clock, config: GroupConfig, compression: CompressionSpec) -> Arc<Self> {
        Arc::new(Self {
            clock,
            compression,
            config: Mutex::new(config),
            shards: RwLock::default(),
            partitions: AtomicI32::new(0),
            next_request_id: AtomicU64::new(0),
            timers_changed: Notify::new(),
            timers_wake_at: AtomicI64::new(i64::MAX),
        })
    }

    /// Takes over a changed configuration.
    pub fn set_config(&self, config: GroupConfig) {
        *self.config.lock() = config.clone();
        for host in self.shards.read().values() {
            host.state.lock().shard.set_config(config.clone());
        }
    }

    /// Begins to coordinate the groups of partition `index`: loads its log on the calling thread.
    /// A repeated notice of the same epoch changes nothing.
    pub fn load(&self, index: i32, partition: Arc<Partition>) {
        let leader_epoch = partition.leader_epoch();
        let known = self
            .shards
            .read()
            .get(&index)
            .is_some_and(|host| host.leader_epoch == leader_epoch);
        if known {
            return;
        }
        self.unload(index);
        let host = Arc::new(ShardHost {
            partition,
            leader_epoch,
            state: Mutex::new(ShardState {
                phase: Phase::Loading,
                shard: GroupShard::new(self.config.lock().clone()),
                timers: GroupTimers::default(),
                parked: HashMap::new(),
            }),
            next_deadline: AtomicI64::new(i64::MAX),
        });
        self.shards.write().insert(index, Arc::clone(&host));
        let mut shard = GroupShard::new(self.config.lock().clone());
        if let Err(reason) = replay_log(&host.partition, &mut shard) {
            error!(partition = %host.partition.topic_partition(), %reason, "the groups of this partition cannot be loaded and stay unavailable; restore its files from a copy, then restart");
            return;
        }
        let mut state = host.state.lock();
        let timers = shard.load_finished(self.now());
        state.shard = shard;
        state.phase = Phase::Active;
        timers
            .into_iter()
            .for_each(|operation| state.timers.change(operation));
        self.note_deadline(&host, &state);
    }

    /// Stops to coordinate the groups of partition `index`.
    pub fn unload(&self, index: i32) {
        let Some(host) = self.shards.write().remove(&index) else {
            return;
        };
        let mut state = host.state.lock();
        let completed = state.shard.unload();
        complete(&mut state, completed);
        debug!(partition = %host.partition.topic_partition(), "no longer coordinating the groups of this partition");
    }

    /// Stops to coordinate anything: whoever waits for other members is told to look elsewhere.
    pub fn unload_all(&self) {
        let indexes: Vec<i32> = self.shards.read().keys().copied().collect();
        indexes.into_iter().for_each(|index| self.unload(index));
    }

    /// Decides about a request that is answered at once.
    pub fn decide<R: FailureReply>(
        &self,
        asker: Asker<'_>,
        group_id: &str,
        decide: impl FnOnce(&GroupShard, &GroupContext<'_>) -> Decision<R>,
    ) -> Result<R, ErrorCode> {
        match self.decide_or_park(asker, group_id, decide)? {
            Outcome::Now(response) => Ok(response),
            Outcome::Parked(_) => unreachable!("only JoinGroup and SyncGroup are parked"),
        }
    }

    /// Decides about a request that may have to wait for other members.
    pub fn decide_or_park<R: FailureReply>(
        &self,
        asker: Asker<'_>,
        group_id: &str,
        decide: impl FnOnce(&GroupShard, &GroupContext<'_>) -> Decision<R>,
    ) -> Result<Outcome<R>, ErrorCode> {
        let host = self.shard_of(group_id)?;
        let mut state = host.active()?;
        let request_id = RequestId(self.next_request_id.fetch_add(1, Ordering::Relaxed));
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| ErrorCode::UnknownServerError)?;
        let context = GroupContext {
            now: self.now(),
            request_id,
            api_version: asker.api_version,
            client_id: asker.client_id,
            client_host: asker.client_host,
            random,
        };
        let decision = decide(&state.shard, &context);
        // Parked before it is applied: the decision may complete its own request.
        let (sender, receiver) = oneshot::channel();
        state.parked.insert(request_id, sender);
        match self.carry_out(&host, &mut state, decision) {
            GroupReply::Now(response) => {
                state.parked.remove(&request_id);
                Ok(Outcome::Now(response))
            }
            GroupReply::Parked(_) => Ok(Outcome::Parked(receiver)),
        }
    }

    /// Reads from the shard of a group.
    pub fn read<T>(
        &self,
        group_id: &str,
        read: impl FnOnce(&GroupShard) -> T,
    ) -> Result<T, ErrorCode> {
        let host = self.shard_of(group_id)?;
        let state = host.active()?;
        Ok(read(&state.shard))
    }

    /// Reads from every shard; COORDINATOR_LOAD_IN_PROGRESS while one is loading.
    pub fn read_all<T>(&self, mut read: impl FnMut(&GroupShard) -> T) -> Result<Vec<T>, ErrorCode> {
        let hosts: Vec<_> = self.shards.read().values().cloned().collect();
        hosts
            .iter()
            .map(|host| Ok(read(&host.active()?.shard)))
            .collect()
    }

    /// Decides in every shard about something that concerns them all, such as deleted topics.
    pub fn decide_in_all(&self, decide: impl Fn(&GroupShard, TimestampMs) -> Decision<()>) {
        let hosts: Vec<_> = self.shards.read().values().cloned().collect();
        for host in hosts {
            if let Ok(mut state) = host.active() {
                let decision = decide(&state.shard, self.now());
                self.carry_out(&host, &mut state, decision);
            }
        }
    }

    /// Takes over how many partitions `__consumer_offsets` has.
    pub fn set_partitions(&self, partitions: i32) {
        self.partitions.store(partitions, Ordering::Release);
    }

    /// Fires the timers of all shards, for ever.
    pub async fn run_timers(self: Arc<Self>) {
        loop {
            // Until it is known when to wake, whoever sets a deadline wakes this: it would be missed
            // if it were set just after it was looked at.
            self.timers_wake_at.store(i64::MAX, Ordering::SeqCst);
            let next = self
                .shards
                .read()
                .values()
                .map(|host| host.next_deadline.load(Ordering::SeqCst))
                .min();
            let now_ms = self.clock.now_ms();
            let wake_at = next
                .unwrap_or(i64::MAX)
                .min(now_ms.saturating_add(MAX_TIMER_SLEEP_MS));
            self.timers_wake_at.store(wake_at, Ordering::SeqCst);
            let sleep = Duration::from_millis(u64::try_from(wake_at - now_ms).unwrap_or(0));
            tokio::select! {
                () = tokio::time::sleep(sleep) => {}
                () = self.timers_changed.notified() => {}
            }
            let hosts: Vec<_> = self.shards.read().values().cloned().collect();
            for host in hosts {
                if host.next_deadline.load(Ordering::Acquire) <= self.clock.now_ms() {
                    self.fire_timers(&host);
                }
            }
        }
    }

    fn fire_timers(&self, host: &ShardHost) {
        let Ok(mut state) = host.active() else {
            return;
        };
        while let Some(timer) = state.timers.next_due(self.clock.now_ms()) {
            let decision = state.shard.on_timer(self.now(), timer);
            self.carry_out(host, &mut state, decision);
        }
        self.note_deadline(host, &state);
    }

    fn shard_of(&self, group_id: &str) -> Result<Arc<ShardHost>, ErrorCode> {
        let partitions = self.partitions.load(Ordering::Acquire);
        if partitions == 0 {
            return Err(ErrorCode::NotCoordinator);
        }
        self.shards
            .read()
            .get(&partition_for(group_id, partitions))
            .cloned()
            .ok_or(ErrorCode::NotCoordinator)
    }

    /// Appends what was decided, applies it, sets timers and answers whom it answers.
    fn carry_out<R: FailureReply>(
        &self,
        host: &ShardHost,
        state: &mut ShardState,
        decision: Decision<R>,
    ) -> GroupReply<R> {
        let outcome = match decision.records.is_empty() {
            true => state.shard.apply(Offset(0), decision),
            false => match self.append(host, &decision.records) {
                Ok(base_offset) => state.shard.apply(base_offset, decision),
                Err(code) => decision.append_failed(code),
            },
        };
        outcome
            .timers
            .into_iter()
            .for_each(|operation| state.timers.change(operation));
        complete(state, outcome.completed);
        self.note_deadline(host, state);
        outcome.reply
    }

    fn append(&self, host: &ShardHost, records: &[CoordinatorRecord]) -> Result<Offset, ErrorCode> {
        let now_ms = self.clock.now_ms();
        let mut builder = BatchBuilder::new(self.compression);
        for record in records {
            builder
                .append(now_ms, Some(&record.key), record.value.as_deref(), &[])
                .map_err(|_| ErrorCode::RecordListTooLarge)?;
        }
        host.partition
            .append_internal(builder, now_ms)
            .map_err(|failure| failure.code)
    }

    fn note_deadline(&self, host: &ShardHost, state: &ShardState) {
        let deadline = state.timers.next_deadline().unwrap_or(i64::MAX);
        host.next_deadline.store(deadline, Ordering::SeqCst);
        if deadline < self.timers_wake_at.load(Ordering::SeqCst) {
            self.timers_changed.notify_one();
        }
    }

    fn now(&self) -> TimestampMs {
        TimestampMs(self.clock.now_ms())
    }
}

impl ShardHost {
    /// The shard, locked, if it may decide.
    fn active(&self) -> Result<parking_lot::MutexGuard<'_, ShardState>, ErrorCode> {
        let state = self.state.lock();
        match state.phase {
            Phase::Loading => Err(ErrorCode::CoordinatorLoadInProgress),
            Phase::Active => Ok(state),
        }
    }
}

fn complete(state: &mut ShardState, completed: Vec<Completed>) {
    for Completed {
        request_id,
        response,
    } in completed
    {
        if let Some(sender) = state.parked.remove(&request_id) {
            // Nobody listens any more when the connection is gone.
            let _ = sender.send(response);
        }
    }
}

/// Why a shard's log cannot be replayed.
#[derive(Debug, thiserror::Error)]
enum ReplayFailure {
    #[error(transparent)]
    Read(#[from] ottla_storage::ReadError),
    #[error(transparent)]
    Batch(#[from] ottla_protocol::records::BatchError),
    #[error(transparent)]
    Record(#[from] ottla_protocol::records::RecordError),
}

fn replay_log(partition: &Partition, shard: &mut GroupShard) -> Result<(), ReplayFailure> {
    let log = partition.log();
    let mut decompressor = Decompressor::default();
    let (mut position, end) = (log.log_start_offset(), log.log_end_offset());
    while position < end {
        let chunk = log
            .read(position, LOAD_CHUNK_BYTES, MinimumBatches::One, end)?
            .to_bytes();
        if chunk.is_empty() {
            break;
        }
        for batch in batches(&chunk) {
            let batch = batch?;
            replay_batch(partition, shard, &batch, &mut decompressor)?;
            position = Offset(batch.next_offset());
        }
    }
    Ok(())
}

fn replay_batch(
    partition: &Partition,
    shard: &mut GroupShard,
    batch: &BatchView,
    decompressor: &mut Decompressor,
) -> Result<(), ReplayFailure> {
    let producer_id = if batch.is_transactional() {
        ProducerId(batch.producer_id())
    } else {
        ProducerId::NONE
    };
    for record in batch.records(decompressor)? {
        let record = record?;
        let key = record.key.unwrap_or_default();
        if batch.is_control() {
            match ControlRecordType::from_key(&key) {
                Ok(ControlRecordType::Commit) => {
                    shard.replay_end_transaction(producer_id, TransactionResult::Commit)
                }
                Ok(ControlRecordType::Abort) => {
                    shard.replay_end_transaction(producer_id, TransactionResult::Abort)
                }
                _ => {}
            }
        } else if let Err(error) =
            shard.replay(Offset(record.offset), producer_id, key, record.value)
        {
            warn!(partition = %partition.topic_partition(), offset = record.offset, %error, "a damaged record is left out");
        }
    }
    Ok(())
}
