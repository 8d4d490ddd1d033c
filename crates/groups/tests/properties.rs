//! Random clients of one group, random time, failing appends and restarts, against the invariants of the crate.

mod harness;

use std::collections::BTreeMap;

use bytes::Bytes;
use harness::{
    Answer, GROUP, Host, REBALANCE_MS, code, join_request, protocol, static_join_request,
    subscription,
};
use ottla_groups::{GroupConfig, ParkedResponse, RequestId, Timer};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use ottla_protocol::messages::{
    JoinGroupRequest, JoinGroupResponse, ListGroupsRequest, SyncGroupResponse,
};
use proptest::prelude::*;

const CLIENTS: usize = 5;
/// The first of the clients that are static members.
const FIRST_STATIC: usize = 3;

#[derive(Clone, Debug)]
enum Action {
    /// With JoinGroup of this version, offering one protocol or two.
    Join {
        client: usize,
        api_version: i16,
        protocols: usize,
    },
    Sync(usize),
    Heartbeat(usize),
    Leave(usize),
    Commit(usize),
    /// Forgets everything, parked requests too: the process ended.
    Crash(usize),
    /// Somebody without a member id commits.
    CommitSimple,
    Delete,
    Advance(i64),
    SetAppends {
        fail: bool,
    },
    Restart,
    /// These clients join, time passes, and they sync: the usual way.
    Rebalance([bool; CLIENTS]),
}

fn action() -> impl Strategy<Value = Action> {
    let client = 0..CLIENTS;
    prop_oneof![
        8 => (client.clone(), prop_oneof![Just(3i16), Just(8), Just(9)], 1..3usize)
            .prop_map(|(client, api_version, protocols)| Action::Join { client, api_version, protocols }),
        8 => client.clone().prop_map(Action::Sync),
        3 => client.clone().prop_map(Action::Heartbeat),
        2 => client.clone().prop_map(Action::Leave),
        3 => client.clone().prop_map(Action::Commit),
        1 => client.prop_map(Action::Crash),
        1 => Just(Action::CommitSimple),
        1 => Just(Action::Delete),
        4 => prop_oneof![0..5_000i64, 5_000..80_000i64].prop_map(Action::Advance),
        1 => Just(Action::SetAppends { fail: true }),
        3 => Just(Action::SetAppends { fail: false }),
        1 => Just(Action::Restart),
        5 => any::<[bool; CLIENTS]>().prop_map(Action::Rebalance),
    ]
}

/// A client as it sees itself.
#[derive(Default)]
struct Client {
    member_id: String,
    /// The ids that the broker gave to this client before, which it may have forgotten.
    former_ids: Vec<String>,
    generation_id: i32,
    /// The members to assign to, for the leader.
    led: Option<Vec<String>>,
    waits_for: Option<RequestId>,
}

struct World {
    host: Host,
    clients: Vec<Client>,
    commits: i64,
    /// Who got an assignment, by incarnation of the broker, generation and the name on the assignment.
    owners: BTreeMap<(u32, i32, Bytes), usize>,
    incarnation: u32,
}

impl World {
    fn new() -> Self {
        let config = GroupConfig {
            group_max_size: 4,
            ..Default::default()
        };
        let clients = std::iter::repeat_with(Client::default)
            .take(CLIENTS)
            .collect();
        Self {
            host: Host::with(config),
            clients,
            commits: 0,
            owners: BTreeMap::new(),
            incarnation: 0,
        }
    }

    fn instance(client: usize) -> Option<String> {
        (client >= FIRST_STATIC).then(|| format!("instance-{client}"))
    }

    fn join(&mut self, client: usize, api_version: i16, protocols: usize) {
        let member_id = self.clients[client].member_id.clone();
        // Versions before 5 know no static members.
        let instance = Self::instance(client).filter(|_| api_version >= 5);
        let mut request: JoinGroupRequest = match instance {
            Some(instance) => static_join_request(&member_id, &instance),
            None => join_request(&member_id),
        };
        if protocols == 2 {
            request
                .protocols
                .push(protocol("roundrobin", subscription("payments")));
        }
        let answer = self.host.join(api_version, &request);
        self.on_join(client, answer);
    }

    fn on_join(&mut self, client: usize, answer: Answer<JoinGroupResponse>) {
        let response = match answer {
            Err(id) => return self.clients[client].waits_for = Some(id),
            Ok(response) => response,
        };
        let state = &mut self.clients[client];
        match code(response.error_code) {
            ErrorCode::None => {
                assert!(response.generation_id > 0 && !response.member_id.is_empty());
                let is_leader = response.leader == response.member_id && !response.skip_assignment;
                state.led =
                    is_leader.then(|| response.members.into_iter().map(|m| m.member_id).collect());
                state.generation_id = response.generation_id;
                state.former_ids.push(response.member_id.clone());
                state.member_id = response.member_id;
            }
            ErrorCode::MemberIdRequired => state.member_id = response.member_id,
            ErrorCode::UnknownMemberId
            | ErrorCode::FencedInstanceId
            | ErrorCode::GroupMaxSizeReached => {
                state.member_id.clear();
            }
            _ => {}
        }
    }

    fn sync(&mut self, client: usize) {
        let state = &self.clients[client];
        let assignments = state
            .led
            .iter()
            .flatten()
            .map(|id| SyncGroupRequestAssignment {
                member_id: id.clone(),
                assignment: Bytes::from(id.clone()),
                ..Default::default()
            });
        let mut request =
            harness::sync_request(&state.member_id, state.generation_id, assignments.collect());
        request.group_instance_id = Self::instance(client).filter(|_| client.is_multiple_of(2));
        let answer = self.host.sync(&request);
        self.on_sync(client, answer);
    }

    fn on_sync(&mut self, client: usize, answer: Answer<SyncGroupResponse>) {
        let response = match answer {
            Err(id) => return self.clients[client].waits_for = Some(id),
            Ok(response) => response,
        };
        if code(response.error_code) != ErrorCode::None || response.assignment.is_empty() {
            return;
        }
        let state = &self.clients[client];
        let named = String::from_utf8(response.assignment.to_vec()).expect("a member id");
        assert!(
            state.former_ids.contains(&named),
            "GROUP-7: client {client} got the assignment of {named}"
        );
        let key = (self.incarnation, state.generation_id, response.assignment);
        assert_eq!(
            *self.owners.entry(key).or_insert(client),
            client,
            "GROUP-7: {named} owned twice"
        );
    }

    fn rebalance(&mut self, clients: [bool; CLIENTS]) {
        let chosen: Vec<usize> = (0..CLIENTS).filter(|client| clients[*client]).collect();
        // Once for the member id, once to join.
        for client in chosen.iter().chain(&chosen).copied() {
            if self.clients[client].waits_for.is_none() {
                self.join(client, 9, 1);
                self.deliver();
            }
        }
        let delay_ms = self.host.config.group_initial_rebalance_delay_ms.into();
        self.host
            .advance(if self.host.describe().members.len() > chosen.len() {
                REBALANCE_MS
            } else {
                delay_ms
            });
        self.deliver();
        for client in chosen {
            if self.clients[client].waits_for.is_none() {
                self.sync(client);
                self.deliver();
            }
        }
    }

    fn deliver(&mut self) {
        for (id, response) in std::mem::take(&mut self.host.answers) {
            let waits = |client: &Client| client.waits_for == Some(id);
            let Some(client) = self.clients.iter().position(waits) else {
                continue;
            };
            self.clients[client].waits_for = None;
            match response {
                ParkedResponse::JoinGroup(response) => self.on_join(client, Ok(response)),
                ParkedResponse::SyncGroup(response) => self.on_sync(client, Ok(response)),
            }
        }
    }

    fn act(&mut self, action: &Action) {
        match *action {
            Action::Join {
                client,
                api_version,
                protocols,
            } => self.join(client, api_version, protocols),
            Action::Sync(client) => self.sync(client),
            Action::Heartbeat(client) => {
                let state = &self.clients[client];
                self.host.heartbeat(&state.member_id, state.generation_id);
            }
            Action::Leave(client) => {
                let member_id = std::mem::take(&mut self.clients[client].member_id);
                self.host
                    .leave(&member_id, Self::instance(client).as_deref());
            }
            Action::Commit(client) => {
                let state = &self.clients[client];
                self.commits += 1;
                self.host.commit(
                    &state.member_id,
                    state.generation_id,
                    "orders",
                    self.commits,
                );
            }
            Action::Crash(client) => {
                let state = &mut self.clients[client];
                state.member_id.clear();
                state.waits_for = None;
                state.led = None;
            }
            Action::CommitSimple => {
                self.commits += 1;
                self.host.commit("", -1, "payments", self.commits);
            }
            Action::Delete => {
                let decision = self.host.shard.delete_groups(&[GROUP.to_owned()]);
                assert!(self.host.run(decision).is_ok());
            }
            Action::Advance(by_ms) => self.host.advance(by_ms),
            Action::SetAppends { fail } => {
                self.host.append_error = fail.then_some(ErrorCode::NotEnoughReplicas);
            }
            Action::Restart => {
                self.host.restart();
                self.incarnation += 1;
            }
            Action::Rebalance(clients) => self.rebalance(clients),
        }
        self.deliver();
        self.check();
    }

    fn check(&self) {
        let host = &self.host;
        host.shard.check_invariants();
        let replayed = host.replayed();
        let ids = [GROUP.to_owned()];
        assert_eq!(
            host.shard.list_groups(&ListGroupsRequest::default()).len(),
            replayed.list_groups(&ListGroupsRequest::default()).len(),
            "GROUP-8: groups"
        );
        let request = ottla_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup {
            group_id: GROUP.into(),
            topics: None,
            ..Default::default()
        };
        assert_eq!(
            host.fetch_all(GROUP),
            replayed
                .offset_fetch(&request, ottla_groups::Stability::LastCommitted)
                .topics,
            "GROUP-8: offsets"
        );
        let live = host.describe();
        let has_timer = |timer: &dyn Fn(&Timer) -> bool| host.timers.keys().any(timer);
        match live.group_state.as_str() {
            "PreparingRebalance" => assert!(
                has_timer(&|t| matches!(t, Timer::Join { .. })),
                "no end of the join phase"
            ),
            "CompletingRebalance" => assert!(
                has_timer(&|t| matches!(t, Timer::Sync { .. })) || !host.parked.is_empty(),
                "no end of the sync phase"
            ),
            _ => assert_eq!(
                live,
                replayed.describe_groups(6, &ids)[0],
                "GROUP-8: the group"
            ),
        }
        if live.group_state == "Stable" {
            for member in &live.members {
                let is_session = |t: &Timer| matches!(t, Timer::Session { member_id, .. } if *member_id == member.member_id);
                assert!(has_timer(&is_session), "{} never expires", member.member_id);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn invariants_hold(actions in proptest::collection::vec(action(), 1..120)) {
        let mut world = World::new();
        for action in &actions {
            world.act(action);
        }
        // The log heals and everybody goes silent: everything parked is answered, every member expires.
        world.host.append_error = None;
        world.host.advance(20 * REBALANCE_MS);
        world.deliver();
        world.check();
        prop_assert!(world.host.parked.is_empty(), "GROUP-6: {:?} never answered", world.host.parked);
        let state = world.host.describe().group_state;
        prop_assert!(state == "Empty" || state == "Dead", "{} for ever", state);
    }
}
