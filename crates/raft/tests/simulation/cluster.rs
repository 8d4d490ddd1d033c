//! Nodes, the network between them and the time, all under one seed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use bytes::Bytes;
use ottla_protocol::Uuid;
use ottla_protocol::ids::{BrokerId, LeaderEpoch, Offset};
use ottla_raft::{
    Batch, CorrelationId, Effect, EpochEnd, LogFound, Now, Raft, RaftConfig, ReplicaKey, Request,
    RequestToken, Response, ResponseBody, Timeouts, Verdict, VoterSet, WriteId,
};

use crate::disk::{Disk, Write};
use crate::invariants::{self, Ledger};
use crate::random::{Random, mix};

const TIMEOUTS: Timeouts = Timeouts {
    election_ms: 50,
    fetch_ms: 100,
    election_backoff_max_ms: 50,
    request_ms: 60,
    retry_backoff_ms: 5,
    fetch_max_wait_ms: 40,
};
const CHUNK_BYTES: usize = 7;
const MAX_BATCHES_PER_FETCH: usize = 5;

#[derive(Clone, Debug)]
enum Event {
    Tick(usize),
    Written(usize, WriteId),
    Request(Address, usize, Request),
    Response(Address, usize, Response),
}

/// Who waits for an answer: a node in one of its lives, and its name for the request.
#[derive(Clone, Copy, Debug)]
struct Address {
    node: usize,
    life: u64,
    correlation_id: CorrelationId,
}

pub struct Node {
    pub key: ReplicaKey,
    pub is_voter: bool,
    pub raft: Option<Raft>,
    pub disk: Disk,
    life: u64,
    paused_until_ms: u64,
    tick_at_ms: Option<u64>,
    asked: BTreeMap<RequestToken, Address>,
    votes_asked: BTreeMap<RequestToken, (LeaderEpoch, ReplicaKey)>,
    download: Vec<u8>,
    active: Option<LeaderEpoch>,
    high_watermark: Offset,
    pub applied: Offset,
    pub digest: u64,
}

pub struct Cluster {
    pub now_ms: u64,
    pub random: Random,
    pub nodes: Vec<Node>,
    voters: VoterSet,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, (u64, Event)>,
    next_event: u64,
    next_token: u64,
    next_record: u64,
    pub cuts: BTreeSet<(usize, usize)>,
    /// Whether the network and the nodes misbehave.
    pub faulty: bool,
    pub ledger: Ledger,
    /// A digest of everything that has happened.
    pub trace: u64,
    pub print: bool,
}

impl Cluster {
    pub fn new(seed: u64, print: bool) -> Self {
        let mut random = Random(mix(seed));
        let voters = [1, 3, 3, 3, 5][random.below(5) as usize];
        let observers = random.below(2) as i32;
        let has_directories = random.permille(500);
        let key = |id: i32| ReplicaKey {
            id: BrokerId(id),
            directory_id: Uuid::from_u128(if has_directories {
                1000 + id as u128
            } else {
                0
            }),
        };
        let node = |id| Node {
            key: key(id),
            is_voter: id <= voters,
            raft: None,
            disk: Disk::default(),
            life: 0,
            paused_until_ms: 0,
            tick_at_ms: None,
            asked: BTreeMap::new(),
            votes_asked: BTreeMap::new(),
            download: Vec::new(),
            active: None,
            high_watermark: Offset(0),
            applied: Offset(0),
            digest: 0,
        };
        let mut cluster = Self {
            now_ms: 1000,
            nodes: (1..=voters + observers).map(node).collect(),
            voters: VoterSet::new((1..=voters).map(key)),
            random,
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            next_event: 0,
            next_token: 0,
            next_record: 0,
            cuts: BTreeSet::new(),
            faulty: true,
            ledger: Ledger::default(),
            trace: seed,
            print,
        };
        for index in 0..cluster.nodes.len() {
            cluster.start(index);
        }
        cluster
    }

    fn now(&mut self) -> Now {
        Now {
            ms: self.now_ms,
            random: self.random.next() as u32,
        }
    }

    fn note(&mut self, what: &dyn std::fmt::Debug) {
        // The text itself goes into the trace: two runs that differ anywhere differ here.
        let text = format!("{} {what:?}", self.now_ms);
        for piece in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..piece.len()].copy_from_slice(piece);
            self.trace = mix(self.trace ^ u64::from_le_bytes(word));
        }
        if self.print {
            println!("{text}");
        }
    }

    fn schedule(&mut self, at_ms: u64, event: Event) {
        self.next_event += 1;
        self.queue.push(Reverse((at_ms, self.next_event)));
        self.events.insert(self.next_event, (at_ms, event));
    }

    /// Lets time pass until `until_ms`.
    pub fn run_until(&mut self, until_ms: u64) {
        while let Some(Reverse((at_ms, number))) = self.queue.peek().copied()
            && at_ms <= until_ms
        {
            self.queue.pop();
            let (_, event) = self.events.remove(&number).unwrap();
            self.now_ms = at_ms;
            self.dispatch(event);
        }
        self.now_ms = until_ms;
    }

    fn dispatch(&mut self, event: Event) {
        let index = match &event {
            Event::Tick(index) | Event::Written(index, _) | Event::Request(_, index, _) => *index,
            Event::Response(to, _, _) => to.node,
        };
        let now = self.now();
        let node = &mut self.nodes[index];
        if node.paused_until_ms > self.now_ms {
            let until_ms = node.paused_until_ms;
            return self.schedule(until_ms, event);
        }
        let Some(raft) = &mut node.raft else { return };
        let effects = match event {
            Event::Tick(_) => {
                if node.tick_at_ms.is_none_or(|at_ms| at_ms > now.ms) {
                    return;
                }
                node.tick_at_ms = None;
                raft.on_tick(now)
            }
            Event::Written(_, write_id) => {
                // A write of an earlier life is gone from the queue of writes.
                let in_life = node.disk.pending.front();
                if in_life.is_none_or(|(first, _)| *first > write_id) {
                    return;
                }
                node.disk.sync(write_id);
                raft.on_written(now, write_id)
            }
            Event::Request(from, _, ref request) => {
                self.next_token += 1;
                let token = RequestToken(self.next_token);
                node.asked.insert(token, from);
                if let Request::Vote(vote) = request
                    && !vote.pre_vote
                {
                    node.votes_asked.insert(token, (vote.epoch, vote.candidate));
                }
                raft.on_request(now, token, request.clone())
            }
            Event::Response(to, from, ref response) => {
                // The connection was lost with the life of the node that asked.
                if to.life != node.life {
                    return;
                }
                let from = BrokerId(from as i32 + 1);
                raft.on_response(now, from, to.correlation_id, response.clone())
            }
        };
        self.note(&event);
        self.carry_out(index, effects);
    }

    pub fn start(&mut self, index: usize) {
        let now = self.now();
        let config = RaftConfig {
            local: self.nodes[index].key,
            voters: self.voters.clone(),
            timeouts: TIMEOUTS,
        };
        let node = &mut self.nodes[index];
        let found = match node.disk.damaged {
            true => LogFound::Damaged,
            false => LogFound::Whole,
        };
        let shape = node.disk.log.shape();
        let (raft, effects) = Raft::start(config, node.disk.election, shape, found, now);
        node.life += 1;
        node.high_watermark = node.disk.log.start.end_offset;
        node.raft = Some(raft);
        node.applied = Offset(0);
        node.digest = 0;
        self.load_snapshot(index);
        self.note(&("start", index));
        self.carry_out(index, effects);
    }

    /// The process dies, and what was not synced may be lost.
    pub fn crash(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        node.raft = None;
        node.asked.clear();
        node.active = None;
        node.tick_at_ms = None;
        node.disk.crash(&mut self.random);
        self.note(&("crash", index));
    }

    /// As after a crash that also cost the end of the log.
    pub fn damage(&mut self, index: usize) {
        self.nodes[index].disk.damage(&mut self.random);
        self.note(&("damage", index));
    }

    pub fn pause(&mut self, index: usize, for_ms: u64) {
        self.nodes[index].paused_until_ms = self.now_ms + for_ms;
        self.note(&("pause", index, for_ms));
    }

    pub fn heal(&mut self) {
        self.cuts.clear();
        self.faulty = false;
        for index in 0..self.nodes.len() {
            self.nodes[index].paused_until_ms = 0;
            if self.nodes[index].raft.is_none() {
                self.start(index);
            }
        }
    }

    pub fn shut_down(&mut self, index: usize) {
        let now = self.now();
        if let Some(raft) = &mut self.nodes[index].raft {
            let effects = raft.on_shutdown(now);
            self.note(&("shutdown", index));
            self.carry_out(index, effects);
        }
    }

    /// A client appends at every node that says it leads.
    pub fn append(&mut self) {
        for index in 0..self.nodes.len() {
            let now = self.now();
            let count = 1 + self.random.below(3) as u32;
            let node = &mut self.nodes[index];
            let (Some(raft), Some(epoch)) = (&mut node.raft, node.active) else {
                continue;
            };
            if node.paused_until_ms > now.ms {
                continue;
            }
            self.next_record += 1;
            let records = Bytes::copy_from_slice(&self.next_record.to_le_bytes());
            if let Ok((_, effects)) = raft.append(now, epoch, count, records) {
                self.note(&("append", index, self.next_record));
                self.carry_out(index, effects);
            }
        }
    }

    /// A node makes a snapshot of what it has applied, and trims its log to it.
    pub fn snapshot(&mut self, index: usize) {
        let now = self.now();
        let node = &mut self.nodes[index];
        let Some(raft) = &mut node.raft else { return };
        let end_offset = node.applied;
        let log = raft.log();
        let taken = log.snapshot().map_or(Offset(0), |taken| taken.end_offset);
        if log.pending_writes() > 0 || end_offset <= taken {
            return;
        }
        let mut effects = raft.on_snapshot_taken(now, end_offset);
        let id = raft.log().snapshot().unwrap();
        effects.extend(raft.on_log_trimmed(now, end_offset));
        let mut bytes = node.digest.to_le_bytes().to_vec();
        bytes.extend([7; 13]);
        for log in [&mut node.disk.log, &mut node.disk.durable] {
            log.snapshot = Some((id, Bytes::from(bytes.clone())));
            log.trim(id);
        }
        self.note(&("snapshot", index, id));
        self.carry_out(index, effects);
    }

    fn carry_out(&mut self, index: usize, effects: Vec<Effect>) {
        for effect in effects {
            if self.faulty && self.random.below(3000) == 0 {
                return self.crash(index);
            }
            self.carry_out_one(index, effect);
        }
        let node = &mut self.nodes[index];
        let Some(raft) = &node.raft else { return };
        node.disk.damaged = raft.is_damaged();
        if let Some(at_ms) = raft.deadline_ms()
            && node.tick_at_ms.is_none_or(|known| at_ms < known)
        {
            node.tick_at_ms = Some(at_ms);
            self.schedule(at_ms.max(self.now_ms + 1), Event::Tick(index));
        }
    }

    fn carry_out_one(&mut self, index: usize, effect: Effect) {
        match effect {
            Effect::PersistElection(election) => {
                let node = &mut self.nodes[index];
                node.disk.election = election;
                self.ledger.one_vote_per_epoch(node.key.id, &election);
            }
            Effect::Append { write_id, batch } => {
                self.write(index, write_id, Write::Append(batch));
            }
            Effect::AppendLeaderChange {
                write_id,
                base_offset,
                epoch,
                message,
            } => {
                let node = &self.nodes[index];
                self.ledger.election_safety(epoch, node.key.id);
                self.ledger.leader_completeness(epoch, &node.disk.log);
                let batch = Batch {
                    base_offset,
                    end_offset: Offset(base_offset.0 + 1),
                    epoch,
                    records: Bytes::from(format!("leader {}", message.leader_id)),
                };
                self.write(index, write_id, Write::Append(batch));
            }
            Effect::Truncate {
                write_id,
                end_offset,
            } => self.write(index, write_id, Write::Truncate(end_offset)),
            Effect::WriteSnapshot {
                position, bytes, ..
            } => {
                let download = &mut self.nodes[index].download;
                download.truncate(position as usize);
                assert_eq!(download.len(), position as usize, "pieces follow");
                download.extend(bytes);
            }
            Effect::InstallSnapshot { write_id, snapshot } => {
                let bytes = Bytes::from(std::mem::take(&mut self.nodes[index].download));
                self.write(index, write_id, Write::Install(snapshot, bytes));
            }
            Effect::SendRequest {
                to,
                correlation_id,
                request,
            } => self.send_request(index, to, correlation_id, request),
            Effect::SendResponse { token, response } => self.respond(index, token, response),
            Effect::SendRecords {
                token,
                verdict,
                fetch_offset,
                high_watermark,
            } => self.send_records(index, token, verdict, fetch_offset, high_watermark),
            Effect::SendSnapshotChunk {
                token,
                verdict,
                snapshot,
                position,
            } => self.send_chunk(index, token, verdict, snapshot, position as usize),
            Effect::AdvanceHighWatermark(to) => self.apply(index, to),
            Effect::LeaderChanged { .. } => self.nodes[index].active = None,
            Effect::LeaderActive(epoch) => self.nodes[index].active = Some(epoch),
            Effect::Fault(fault) => panic!("node {index}: {fault}"),
        }
    }

    fn write(&mut self, index: usize, write_id: WriteId, write: Write) {
        self.nodes[index].disk.write(write_id, write);
        let slow = if self.faulty && self.random.permille(50) {
            60
        } else {
            2
        };
        let at_ms = self.now_ms + self.random.below(slow);
        self.schedule(at_ms, Event::Written(index, write_id));
    }

    fn send_request(&mut self, from: usize, to: BrokerId, id: CorrelationId, request: Request) {
        let to = (to.0 - 1) as usize;
        let address = Address {
            node: from,
            life: self.nodes[from].life,
            correlation_id: id,
        };
        self.transmit(from, to, Event::Request(address, to, request));
    }

    fn respond(&mut self, from: usize, token: RequestToken, response: Response) {
        let vote = self.nodes[from].votes_asked.remove(&token);
        if let (Some((epoch, candidate)), ResponseBody::Vote { granted: true }) =
            (vote, &response.body)
        {
            invariants::vote_is_durable(&self.nodes[from].disk, epoch, candidate);
        }
        let asked = self.nodes[from].asked.remove(&token);
        let address = asked.expect("a request is answered once");
        self.transmit(from, address.node, Event::Response(address, from, response));
    }

    fn transmit(&mut self, from: usize, to: usize, event: Event) {
        if self.cuts.contains(&(from, to)) || (self.faulty && self.random.permille(30)) {
            return;
        }
        let copies = 1 + u64::from(self.faulty && self.random.permille(30));
        for _ in 0..copies {
            let slow = if self.faulty && self.random.permille(50) {
                150
            } else {
                4
            };
            let at_ms = self.now_ms + 1 + self.random.below(slow);
            self.schedule(at_ms, event.clone());
        }
    }

    fn send_records(
        &mut self,
        index: usize,
        token: RequestToken,
        verdict: Verdict,
        fetch_offset: Offset,
        high_watermark: Option<Offset>,
    ) {
        let log = &self.nodes[index].disk.log;
        let from = log.batches.iter();
        let from = from.filter(|batch| batch.base_offset >= fetch_offset);
        let batches = from.take(MAX_BATCHES_PER_FETCH).cloned().collect();
        let body = ResponseBody::Records {
            high_watermark,
            batches,
        };
        self.respond(index, token, Response { verdict, body });
    }

    fn send_chunk(
        &mut self,
        index: usize,
        token: RequestToken,
        verdict: Verdict,
        snapshot: EpochEnd,
        position: usize,
    ) {
        let (id, bytes) = self.nodes[index].disk.log.snapshot.clone().unwrap();
        assert_eq!(id, snapshot);
        let end = (position + CHUNK_BYTES).min(bytes.len());
        let body = ResponseBody::SnapshotChunk {
            snapshot,
            position: position as u64,
            size_bytes: bytes.len() as u64,
            bytes: bytes.slice(position.min(end)..end),
        };
        self.respond(index, token, Response { verdict, body });
    }

    fn load_snapshot(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        if let Some((id, bytes)) = &node.disk.log.snapshot
            && id.end_offset > node.applied
        {
            node.digest = u64::from_le_bytes(bytes[..8].try_into().unwrap());
            node.applied = id.end_offset;
            self.ledger.snapshot_is_the_state(node.applied, node.digest);
        }
    }

    /// The state machine takes in what is committed.
    fn apply(&mut self, index: usize, to: Offset) {
        let node = &self.nodes[index];
        if node.raft.as_ref().is_some_and(Raft::is_leader) {
            let voters = self.nodes.iter().filter(|node| node.is_voter);
            let disks: Vec<&Disk> = voters.map(|node| &node.disk).collect();
            invariants::committed_is_durable(&disks, to);
        }
        if node.applied < node.disk.log.start.end_offset {
            self.load_snapshot(index);
        }
        let node = &mut self.nodes[index];
        invariants::monotone_high_watermark(node.high_watermark, to);
        node.high_watermark = to;
        for batch in &node.disk.log.batches {
            if batch.base_offset < node.applied || batch.end_offset > to {
                continue;
            }
            let head = mix(batch.base_offset.0 as u64 ^ ((batch.epoch.0 as u64) << 32));
            let words = batch
                .records
                .iter()
                .fold(node.digest ^ head, |digest, byte| {
                    digest.wrapping_mul(31).wrapping_add(u64::from(*byte))
                });
            node.digest = mix(words);
            node.applied = batch.end_offset;
            self.ledger
                .state_machine_safety(node.key.id, batch, node.digest);
        }
        assert!(node.applied >= to, "node {index} cannot apply up to {to}");
    }

    pub fn check_logs(&self) {
        for (index, one) in self.nodes.iter().enumerate() {
            for other in &self.nodes[index + 1..] {
                invariants::log_matching(&one.disk.log, &other.disk.log);
            }
        }
    }
}
