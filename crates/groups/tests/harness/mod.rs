//! A host for one shard: a log in memory, timers fired by hand, appends that can be made to fail.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ottla_groups::{
    CoordinatorRecord, Decision, FailureReply, GroupConfig, GroupShard, Outcome, ParkedResponse,
    Reply, RequestContext, RequestId, Stability, Timer, TimerOp,
};
use ottla_protocol::ErrorCode;
use ottla_protocol::ids::{Offset, ProducerId, TimestampMs};
use ottla_protocol::messages::describe_groups_response::DescribedGroup;
use ottla_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use ottla_protocol::messages::leave_group_request::MemberIdentity;
use ottla_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use ottla_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use ottla_protocol::messages::offset_fetch_response::OffsetFetchResponseTopics;
use ottla_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use ottla_protocol::messages::{
    HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, LeaveGroupResponse,
    OffsetCommitRequest, SyncGroupRequest, SyncGroupResponse,
};

/// The group of most tests.
pub const GROUP: &str = "group";
pub const SESSION_MS: i64 = 10_000;
pub const REBALANCE_MS: i64 = 60_000;

/// A response, or the request that waits for one.
pub type Answer<R> = Result<R, RequestId>;

pub struct Host {
    pub shard: GroupShard,
    pub config: GroupConfig,
    pub log: Vec<CoordinatorRecord>,
    pub timers: BTreeMap<Timer, i64>,
    pub now: i64,
    pub parked: BTreeSet<RequestId>,
    pub answers: BTreeMap<RequestId, ParkedResponse>,
    pub append_error: Option<ErrorCode>,
    pub client_id: String,
    /// The bytes that the next member id is made of.
    pub random: Option<[u8; 16]>,
    next_request: u64,
}

impl Host {
    pub fn new() -> Self {
        Self::with(GroupConfig::default())
    }

    pub fn with(config: GroupConfig) -> Self {
        let mut host = Self {
            shard: GroupShard::new(config.clone()),
            config,
            log: Vec::new(),
            timers: BTreeMap::new(),
            now: 1_000_000,
            parked: BTreeSet::new(),
            answers: BTreeMap::new(),
            append_error: None,
            client_id: "client".to_owned(),
            random: None,
            next_request: 0,
        };
        let timers = host.shard.load_finished(TimestampMs(host.now));
        host.set(timers);
        host
    }

    /// A group that rebalances without the initial delay.
    pub fn without_delay() -> Self {
        Self::with(GroupConfig {
            group_initial_rebalance_delay_ms: 0,
            ..Default::default()
        })
    }

    fn set(&mut self, timers: Vec<TimerOp>) {
        for op in timers {
            match op {
                TimerOp::Schedule { timer, deadline } => {
                    self.timers.insert(timer, deadline.0);
                }
                TimerOp::Cancel(timer) => {
                    self.timers.remove(&timer);
                }
            }
        }
    }

    fn settle<R>(&mut self, outcome: Outcome<R>) -> Answer<R> {
        self.set(outcome.timers);
        for completed in outcome.completed {
            assert!(
                self.parked.remove(&completed.request_id),
                "GROUP-6: {completed:?} was not parked"
            );
            self.answers
                .insert(completed.request_id, completed.response);
        }
        match outcome.reply {
            Reply::Now(response) => Ok(response),
            Reply::Parked(id) => {
                assert!(self.parked.insert(id), "GROUP-6: {id:?} parked twice");
                Err(id)
            }
        }
    }

    /// What the host of a shard does with a decision.
    pub fn run<R: FailureReply>(&mut self, decision: Decision<R>) -> Answer<R> {
        if let Some(error) = self.append_error.filter(|_| !decision.records.is_empty()) {
            let outcome = decision.append_failed(error);
            return self.settle(outcome);
        }
        let base_offset = Offset(self.log.len() as i64);
        self.log.extend(decision.records.iter().cloned());
        let outcome = self.shard.apply(base_offset, decision);
        self.shard.check_invariants();
        self.settle(outcome)
    }

    pub fn context<'a>(&mut self, api_version: i16, client_id: &'a str) -> RequestContext<'a> {
        self.next_request += 1;
        let random = self
            .random
            .take()
            .unwrap_or(u128::from(self.next_request).to_be_bytes());
        RequestContext {
            now: TimestampMs(self.now),
            request_id: RequestId(self.next_request),
            api_version,
            client_id,
            client_host: "/127.0.0.1",
            random,
        }
    }

    /// Lets time pass, firing what is due in order.
    pub fn advance(&mut self, by_ms: i64) {
        let end = self.now + by_ms;
        while let Some((timer, deadline)) = self
            .timers
            .iter()
            .filter(|(_, at)| **at <= end)
            .min_by_key(|(_, at)| **at)
            .map(|(timer, at)| (timer.clone(), *at))
        {
            self.now = self.now.max(deadline);
            self.timers.remove(&timer);
            let decision = self.shard.on_timer(TimestampMs(self.now), timer);
            assert!(self.run(decision).is_ok());
        }
        self.now = end;
    }

    /// Ends the broker and starts another one on its log.
    pub fn restart(&mut self) {
        for completed in self.shard.unload() {
            assert!(self.parked.remove(&completed.request_id), "GROUP-6");
            self.answers
                .insert(completed.request_id, completed.response);
        }
        assert!(self.parked.is_empty(), "GROUP-6: {:?} lost", self.parked);
        self.shard = self.replayed();
        self.timers.clear();
        let timers = self.shard.load_finished(TimestampMs(self.now));
        self.set(timers);
    }

    /// A shard made from the log.
    pub fn replayed(&self) -> GroupShard {
        let mut shard = GroupShard::new(self.config.clone());
        for (offset, record) in (0..).zip(&self.log) {
            shard
                .replay(
                    Offset(offset),
                    ProducerId::NONE,
                    record.key.clone(),
                    record.value.clone(),
                )
                .expect("own records are readable");
        }
        shard
    }

    pub fn join(
        &mut self,
        api_version: i16,
        request: &JoinGroupRequest,
    ) -> Answer<JoinGroupResponse> {
        let client_id = self.client_id.clone();
        let ctx = self.context(api_version, &client_id);
        let decision = self.shard.join_group(&ctx, request);
        self.run(decision)
    }

    pub fn sync(&mut self, request: &SyncGroupRequest) -> Answer<SyncGroupResponse> {
        let ctx = self.context(5, "client");
        let decision = self.shard.sync_group(&ctx, request);
        self.run(decision)
    }

    pub fn heartbeat(&mut self, member_id: &str, generation_id: i32) -> ErrorCode {
        let ctx = self.context(4, "client");
        let request = HeartbeatRequest {
            group_id: GROUP.into(),
            generation_id,
            member_id: member_id.into(),
            ..Default::default()
        };
        let decision = self.shard.heartbeat(&ctx, &request);
        code(self.run(decision).expect("never parked").error_code)
    }

    pub fn leave(
        &mut self,
        member_id: &str,
        group_instance_id: Option<&str>,
    ) -> LeaveGroupResponse {
        let ctx = self.context(5, "client");
        let member = MemberIdentity {
            member_id: member_id.into(),
            group_instance_id: group_instance_id.map(str::to_owned),
            ..Default::default()
        };
        let request = LeaveGroupRequest {
            group_id: GROUP.into(),
            members: vec![member],
            ..Default::default()
        };
        let decision = self.shard.leave_group(&ctx, &request);
        self.run(decision).expect("never parked")
    }

    /// Commits offset `offset` of partition 0 of `topic`.
    pub fn commit(
        &mut self,
        member_id: &str,
        generation_id: i32,
        topic: &str,
        offset: i64,
    ) -> ErrorCode {
        self.commit_request(9, &commit_request(member_id, generation_id, topic, offset))
    }

    pub fn commit_request(&mut self, api_version: i16, request: &OffsetCommitRequest) -> ErrorCode {
        let ctx = self.context(api_version, "client");
        let decision = self.shard.offset_commit(&ctx, request);
        let response = self.run(decision).expect("never parked");
        code(response.topics[0].partitions[0].error_code)
    }

    pub fn fetch_all(&self, group_id: &str) -> Vec<OffsetFetchResponseTopics> {
        let request = OffsetFetchRequestGroup {
            group_id: group_id.into(),
            topics: None,
            ..Default::default()
        };
        self.shard
            .offset_fetch(&request, Stability::LastCommitted)
            .topics
    }

    pub fn describe(&self) -> DescribedGroup {
        self.shard.describe_groups(6, &[GROUP.to_owned()]).remove(0)
    }

    /// The answer to a request that was parked.
    pub fn joined(&mut self, answer: &Answer<JoinGroupResponse>) -> JoinGroupResponse {
        match answer {
            Ok(response) => response.clone(),
            Err(id) => match self.answers.get(id) {
                Some(ParkedResponse::JoinGroup(response)) => response.clone(),
                other => panic!("{id:?} has no join answer: {other:?}"),
            },
        }
    }

    /// The answer to a request that was parked.
    pub fn synced(&mut self, answer: &Answer<SyncGroupResponse>) -> SyncGroupResponse {
        match answer {
            Ok(response) => response.clone(),
            Err(id) => match self.answers.get(id) {
                Some(ParkedResponse::SyncGroup(response)) => response.clone(),
                other => panic!("{id:?} has no sync answer: {other:?}"),
            },
        }
    }

    /// Makes a dynamic member the way clients do since version 4; its second JoinGroup.
    pub fn join_dynamic(&mut self) -> (String, Answer<JoinGroupResponse>) {
        let first = self.join(9, &join_request("")).expect("MEMBER_ID_REQUIRED");
        assert_eq!(code(first.error_code), ErrorCode::MemberIdRequired);
        let answer = self.join(9, &join_request(&first.member_id));
        (first.member_id, answer)
    }

    /// A stable group of `count` dynamic members; their ids, the leader's first, and the generation.
    pub fn stable(&mut self, count: usize) -> (Vec<String>, i32) {
        let joins: Vec<_> = (0..count).map(|_| self.join_dynamic()).collect();
        self.advance(self.config.group_initial_rebalance_delay_ms.into());
        self.advance(REBALANCE_MS.min(i64::from(self.config.group_initial_rebalance_delay_ms)));
        let response = self.joined(&joins[0].1);
        assert_eq!(code(response.error_code), ErrorCode::None);
        let mut ids: Vec<String> = joins.into_iter().map(|(id, _)| id).collect();
        ids.sort_by_key(|id| *id != response.leader);
        for id in ids.iter().rev() {
            let assignments = if *id == response.leader {
                assignments(&ids)
            } else {
                Vec::new()
            };
            let answer = self.sync(&sync_request(id, response.generation_id, assignments));
            if *id == response.leader {
                assert_eq!(self.synced(&answer).assignment, own_assignment(id));
            }
        }
        assert_eq!(self.describe().group_state, "Stable");
        (ids, response.generation_id)
    }
}

pub fn code(error_code: i16) -> ErrorCode {
    ErrorCode::from_code(error_code).expect("a known error code")
}

/// A subscription to `topic`, as consumers encode it (version 0).
pub fn subscription(topic: &str) -> Bytes {
    let mut bytes = vec![0, 0, 0, 0, 0, 1, 0, topic.len() as u8];
    bytes.extend_from_slice(topic.as_bytes());
    bytes.extend_from_slice(&[0xff; 4]);
    bytes.into()
}

pub fn join_request(member_id: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: GROUP.into(),
        session_timeout_ms: SESSION_MS as i32,
        rebalance_timeout_ms: REBALANCE_MS as i32,
        member_id: member_id.into(),
        protocol_type: "consumer".into(),
        protocols: vec![protocol("range", subscription("orders"))],
        ..Default::default()
    }
}

pub fn static_join_request(member_id: &str, group_instance_id: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_instance_id: Some(group_instance_id.into()),
        ..join_request(member_id)
    }
}

pub fn protocol(name: &str, metadata: Bytes) -> JoinGroupRequestProtocol {
    JoinGroupRequestProtocol {
        name: name.into(),
        metadata,
        ..Default::default()
    }
}

pub fn own_assignment(member_id: &str) -> Bytes {
    Bytes::from(format!("assignment of {member_id}"))
}

pub fn assignments(members: &[String]) -> Vec<SyncGroupRequestAssignment> {
    members
        .iter()
        .map(|id| SyncGroupRequestAssignment {
            member_id: id.clone(),
            assignment: own_assignment(id),
            ..Default::default()
        })
        .collect()
}

pub fn sync_request(
    member_id: &str,
    generation_id: i32,
    assignments: Vec<SyncGroupRequestAssignment>,
) -> SyncGroupRequest {
    SyncGroupRequest {
        group_id: GROUP.into(),
        generation_id,
        member_id: member_id.into(),
        assignments,
        ..Default::default()
    }
}

pub fn commit_request(
    member_id: &str,
    generation_id: i32,
    topic: &str,
    offset: i64,
) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition {
        partition_index: 0,
        committed_offset: offset,
        committed_leader_epoch: 7,
        committed_metadata: Some("where I am".into()),
        ..Default::default()
    };
    let topic = OffsetCommitRequestTopic {
        name: topic.into(),
        partitions: vec![partition],
        ..Default::default()
    };
    OffsetCommitRequest {
        group_id: GROUP.into(),
        generation_id_or_member_epoch: generation_id,
        member_id: member_id.into(),
        topics: vec![topic],
        ..Default::default()
    }
}
