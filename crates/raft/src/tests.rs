//! One node, and what it says to what.

use bytes::Bytes;
use ottla_protocol::ids::{BrokerId, LeaderEpoch, Offset};
use ottla_protocol::{ErrorCode, Uuid};

use crate::*;

const NOBODY: ElectionState = ElectionState {
    epoch: LeaderEpoch(0),
    leader: None,
    voted: None,
};

fn at(ms: u64) -> Now {
    Now { ms, random: 0 }
}

fn key(id: i32) -> ReplicaKey {
    ReplicaKey {
        id: BrokerId(id),
        directory_id: Uuid::from_u128(100 + id as u128),
    }
}

fn log(batches: &[(i32, i64)]) -> LogShape {
    let batches = batches
        .iter()
        .map(|(epoch, end)| EpochEnd::new(*epoch, *end));
    LogShape::new(EpochEnd::default(), batches, None)
}

fn config(local: ReplicaKey) -> RaftConfig {
    RaftConfig {
        local,
        voters: VoterSet::new([key(1), key(2), key(3)]),
        timeouts: Timeouts::default(),
    }
}

fn node(election: ElectionState, log: LogShape) -> Raft {
    Raft::start(config(key(1)), election, log, LogFound::Whole, at(0)).0
}

fn follower_of(leader: i32, epoch: i32, log: LogShape) -> (Raft, Vec<Effect>) {
    let election = ElectionState {
        epoch: LeaderEpoch(epoch),
        leader: Some(BrokerId(leader)),
        voted: None,
    };
    Raft::start(config(key(1)), election, log, LogFound::Whole, at(0))
}

fn vote(epoch: i32, candidate: i32, last: EpochEnd, pre_vote: bool) -> Request {
    Request::Vote(VoteRequest {
        epoch: LeaderEpoch(epoch),
        candidate: key(candidate),
        voter: key(1),
        last,
        pre_vote,
    })
}

fn fetch(replica: ReplicaKey, epoch: i32, fetched: EpochEnd) -> Request {
    Request::Fetch(FetchRequest {
        replica,
        epoch: LeaderEpoch(epoch),
        fetched,
        high_watermark: Offset(0),
        max_wait_ms: 500,
    })
}

fn requests(effects: &[Effect]) -> Vec<(BrokerId, CorrelationId, Request)> {
    let sent = effects.iter().filter_map(|effect| match effect {
        Effect::SendRequest {
            to,
            correlation_id,
            request,
        } => Some((*to, *correlation_id, request.clone())),
        _ => None,
    });
    sent.collect()
}

fn answer(effects: &[Effect]) -> Response {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::SendResponse { response, .. } => Some(response.clone()),
        _ => None,
    });
    found.expect("an answer")
}

fn says(epoch: i32, leader: Option<i32>, body: ResponseBody) -> Response {
    let verdict = Verdict {
        error: ErrorCode::None,
        epoch: LeaderEpoch(epoch),
        leader: leader.map(BrokerId),
    };
    Response { verdict, body }
}

fn is_granted(raft: &mut Raft, request: Request) -> bool {
    let effects = raft.on_request(at(1), RequestToken(1), request);
    answer(&effects).body == ResponseBody::Vote { granted: true }
}

/// Node 1 as the leader of epoch 1, elected by one other, with its LeaderChange record written.
fn leader() -> Raft {
    let mut raft = node(NOBODY, log(&[]));
    let mut sent = requests(&raft.on_tick(at(1000)));
    for pre_vote in [true, false] {
        let (to, id, request) = sent[0].clone();
        assert!(matches!(request, Request::Vote(vote) if vote.pre_vote == pre_vote));
        let epoch = raft.election().epoch.0;
        let granted = says(epoch, None, ResponseBody::Vote { granted: true });
        sent = requests(&raft.on_response(at(1000), to, id, granted));
    }
    assert!(raft.is_leader());
    raft.on_written(at(1000), WriteId(1));
    raft
}

fn active_leader() -> Raft {
    let mut raft = leader();
    let effects = raft.on_request(
        at(1000),
        RequestToken(1),
        fetch(key(2), 1, EpochEnd::new(1, 1)),
    );
    assert!(effects.contains(&Effect::LeaderActive(LeaderEpoch(1))));
    raft
}

#[test]
fn kip_996_a_node_that_is_cut_off_does_not_raise_its_epoch() {
    let mut raft = node(NOBODY, log(&[]));
    for ms in (0..100_000).step_by(100) {
        raft.on_tick(at(ms));
    }
    assert_eq!(raft.election().epoch, LeaderEpoch(0));
}

#[test]
fn kip_996_nobody_is_elected_behind_a_leader_that_answers() {
    let (mut raft, effects) = follower_of(2, 4, log(&[(4, 3)]));
    let last = EpochEnd::new(4, 9);
    assert!(is_granted(&mut raft, vote(4, 3, last, true)));
    let (to, id, _) = requests(&effects)[0];
    let body = ResponseBody::Records {
        high_watermark: None,
        batches: Vec::new(),
    };
    raft.on_response(at(2), to, id, says(4, Some(2), body));
    assert!(!is_granted(&mut raft, vote(4, 3, last, true)));
}

#[test]
fn a_vote_is_durable_before_its_answer_leaves() {
    let mut raft = node(NOBODY, log(&[]));
    let request = vote(3, 2, EpochEnd::default(), false);
    let effects = raft.on_request(at(1), RequestToken(1), request);
    let promise = ElectionState {
        epoch: LeaderEpoch(3),
        leader: None,
        voted: Some(key(2)),
    };
    let place = |wanted: &dyn Fn(&Effect) -> bool| effects.iter().position(wanted).unwrap();
    let persisted = place(&|effect| *effect == Effect::PersistElection(promise));
    let answered = place(&|effect| matches!(effect, Effect::SendResponse { .. }));
    assert!(persisted < answered);
}

#[test]
fn one_vote_in_an_epoch_and_only_for_a_log_that_has_everything() {
    let mut raft = node(NOBODY, log(&[(1, 5)]));
    assert!(!is_granted(
        &mut raft,
        vote(2, 2, EpochEnd::new(1, 4), false)
    ));
    assert!(is_granted(
        &mut raft,
        vote(2, 2, EpochEnd::new(1, 5), false)
    ));
    assert!(!is_granted(
        &mut raft,
        vote(2, 3, EpochEnd::new(1, 9), false)
    ));
    assert!(is_granted(
        &mut raft,
        vote(2, 2, EpochEnd::new(1, 5), false)
    ));
    assert!(!is_granted(
        &mut raft,
        vote(1, 3, EpochEnd::new(1, 9), false)
    ));
    assert!(is_granted(
        &mut raft,
        vote(3, 3, EpochEnd::new(1, 9), false)
    ));
}

#[test]
fn a26_a_vote_for_another_disk_is_refused() {
    let mut raft = node(NOBODY, log(&[]));
    let mut request = VoteRequest {
        epoch: LeaderEpoch(1),
        candidate: key(2),
        voter: key(9),
        last: EpochEnd::default(),
        pre_vote: false,
    };
    request.voter.id = BrokerId(1);
    let effects = raft.on_request(at(1), RequestToken(1), Request::Vote(request));
    assert_eq!(answer(&effects).verdict.error, ErrorCode::InvalidVoterKey);
}

#[test]
fn a26_a_voters_id_on_another_disk_is_an_observer() {
    let mut raft = leader();
    let stranger = ReplicaKey {
        id: BrokerId(2),
        directory_id: Uuid::from_u128(7),
    };
    raft.on_request(
        at(1001),
        RequestToken(1),
        fetch(stranger, 1, EpochEnd::new(1, 1)),
    );
    assert_eq!(raft.high_watermark(), Offset(0));
    raft.on_request(
        at(1001),
        RequestToken(2),
        fetch(key(2), 1, EpochEnd::new(1, 1)),
    );
    assert_eq!(raft.high_watermark(), Offset(1));
    assert!(!config(key(1)).voters.contains(&stranger));
}

#[test]
fn a13_a_leader_decides_nothing_before_its_own_epoch_is_committed() {
    let mut raft = leader();
    let epoch = LeaderEpoch(1);
    let refused = raft.append(at(1000), epoch, 1, Bytes::from_static(b"x"));
    assert_eq!(refused, Err(AppendError::NotActive { epoch }));
    let effects = raft.on_request(
        at(1000),
        RequestToken(1),
        fetch(key(3), 1, EpochEnd::default()),
    );
    let told = effects.iter().find_map(|effect| match effect {
        Effect::SendRecords { high_watermark, .. } => Some(*high_watermark),
        _ => None,
    });
    assert_eq!(told, Some(None));
    let effects = raft.on_request(
        at(1000),
        RequestToken(2),
        fetch(key(2), 1, EpochEnd::new(1, 1)),
    );
    assert!(effects.contains(&Effect::LeaderActive(epoch)));
    let appended = raft.append(at(1000), epoch, 2, Bytes::from_static(b"x"));
    assert_eq!(appended.map(|(end_offset, _)| end_offset), Ok(Offset(3)));
    let epoch = LeaderEpoch(0);
    let refused = raft.append(at(1000), epoch, 1, Bytes::from_static(b"x"));
    assert_eq!(refused, Err(AppendError::NotLeader { epoch }));
}

#[test]
fn a_leaders_own_disk_counts_only_when_it_has_the_record() {
    let mut raft = active_leader();
    let appended = raft.append(at(1000), LeaderEpoch(1), 1, Bytes::from_static(b"x"));
    assert_eq!(appended.map(|(end_offset, _)| end_offset), Ok(Offset(2)));
    raft.on_request(
        at(1001),
        RequestToken(3),
        fetch(key(2), 1, EpochEnd::new(1, 2)),
    );
    assert_eq!(raft.high_watermark(), Offset(1));
    raft.on_written(at(1002), WriteId(2));
    assert_eq!(raft.high_watermark(), Offset(2));
}

#[test]
fn a_fetch_that_waits_is_answered_when_there_is_something() {
    let mut raft = active_leader();
    let mut waiting = FetchRequest {
        replica: key(3),
        epoch: LeaderEpoch(1),
        fetched: EpochEnd::new(1, 1),
        high_watermark: Offset(1),
        max_wait_ms: 500,
    };
    let is_answered = |effects: &[Effect]| {
        let answers = effects.iter();
        answers
            .filter(|effect| matches!(effect, Effect::SendRecords { .. }))
            .count()
            > 0
    };
    let effects = raft.on_request(at(1000), RequestToken(5), Request::Fetch(waiting.clone()));
    assert!(!is_answered(&effects));
    let (_, effects) = raft
        .append(at(1100), LeaderEpoch(1), 1, Bytes::from_static(b"x"))
        .unwrap();
    assert!(is_answered(&effects));
    waiting.fetched = EpochEnd::new(1, 2);
    let effects = raft.on_request(at(1100), RequestToken(6), Request::Fetch(waiting));
    assert!(!is_answered(&effects));
    assert!(!is_answered(&raft.on_tick(at(1599))));
    assert!(is_answered(&raft.on_tick(at(1600))));
}

#[test]
fn a_fetch_of_another_epoch_is_fenced() {
    let mut raft = active_leader();
    let mut check = |epoch, expected| {
        let request = fetch(key(2), epoch, EpochEnd::default());
        let verdict = answer(&raft.on_request(at(1001), RequestToken(4), request)).verdict;
        assert_eq!(verdict.error, expected);
        assert_eq!((verdict.epoch.0, verdict.leader), (1, Some(BrokerId(1))));
    };
    check(0, ErrorCode::FencedLeaderEpoch);
    check(2, ErrorCode::UnknownLeaderEpoch);
    let (mut raft, _) = follower_of(2, 1, log(&[]));
    let request = fetch(key(3), 1, EpochEnd::default());
    let verdict = answer(&raft.on_request(at(1), RequestToken(4), request)).verdict;
    assert_eq!(verdict.error, ErrorCode::NotLeaderOrFollower);
    assert_eq!(verdict.leader, Some(BrokerId(2)));
}

#[test]
fn a_leader_that_nobody_fetches_from_resigns() {
    let mut raft = active_leader();
    raft.on_request(
        at(2000),
        RequestToken(2),
        fetch(key(3), 1, EpochEnd::default()),
    );
    raft.on_tick(at(4999));
    assert!(raft.is_leader());
    let effects = raft.on_tick(at(5000));
    assert!(!raft.is_leader());
    let ends: Vec<_> = requests(&effects);
    assert_eq!(ends.len(), 2);
    for (_, _, request) in ends {
        let expected = Request::EndQuorumEpoch {
            epoch: LeaderEpoch(1),
            leader: BrokerId(1),
            preferred_successors: vec![key(2), key(3)],
        };
        assert_eq!(request, expected);
    }
    assert!(!is_granted(
        &mut raft,
        vote(1, 2, EpochEnd::new(1, 9), false)
    ));
}

#[test]
fn the_first_successor_stands_at_once() {
    let (mut raft, _) = follower_of(2, 4, log(&[(4, 3)]));
    let end = |successors: &[i32]| Request::EndQuorumEpoch {
        epoch: LeaderEpoch(4),
        leader: BrokerId(2),
        preferred_successors: successors.iter().copied().map(key).collect(),
    };
    let asks = |effects: &[Effect]| {
        let sent = requests(effects).into_iter();
        sent.filter(|(_, _, request)| matches!(request, Request::Vote(vote) if vote.pre_vote))
            .count()
    };
    let effects = raft.on_request(at(10), RequestToken(1), end(&[3, 1]));
    assert_eq!(asks(&effects), 0);
    assert_eq!(asks(&raft.on_tick(at(510))), 2);
    let (mut raft, _) = follower_of(2, 4, log(&[(4, 3)]));
    let effects = raft.on_request(at(10), RequestToken(1), end(&[1, 3]));
    assert_eq!(asks(&effects), 2);
}

#[test]
fn a_leader_that_starts_again_leads_no_more() {
    let election = ElectionState {
        epoch: LeaderEpoch(6),
        leader: Some(BrokerId(1)),
        voted: Some(key(1)),
    };
    let mut raft = node(election, log(&[(6, 2)]));
    assert!(!raft.is_leader());
    let request = fetch(key(2), 6, EpochEnd::new(6, 2));
    let verdict = answer(&raft.on_request(at(1), RequestToken(1), request)).verdict;
    assert_eq!(verdict.error, ErrorCode::NotLeaderOrFollower);
    assert_eq!(verdict.leader, None);
    raft.on_tick(at(1000));
    assert_eq!(raft.election().epoch, LeaderEpoch(7));
}

#[test]
fn a22_a_follower_says_it_has_only_what_is_on_its_disk() {
    let (mut raft, effects) = follower_of(2, 4, log(&[]));
    let (to, id, _) = requests(&effects)[0];
    let batch = Batch {
        base_offset: Offset(0),
        end_offset: Offset(2),
        epoch: LeaderEpoch(4),
        records: Bytes::from_static(b"x"),
    };
    let body = ResponseBody::Records {
        high_watermark: Some(Offset(2)),
        batches: vec![batch],
    };
    let effects = raft.on_response(at(1), to, id, says(4, Some(2), body));
    assert!(requests(&effects).is_empty());
    assert_eq!(raft.high_watermark(), Offset(0));
    let effects = raft.on_written(at(2), WriteId(1));
    let sent = requests(&effects);
    assert!(matches!(&sent[0].2, Request::Fetch(f) if f.fetched == EpochEnd::new(4, 2)));
    assert_eq!(raft.high_watermark(), Offset(2));
}

#[test]
fn a_follower_cuts_its_log_by_epoch_but_nothing_committed() {
    let (mut raft, effects) = follower_of(2, 4, log(&[(1, 2), (3, 9)]));
    let (to, id, _) = requests(&effects)[0];
    let diverging = |epoch, end| ResponseBody::Diverging(EpochEnd::new(epoch, end));
    let effects = raft.on_response(at(1), to, id, says(4, Some(2), diverging(2, 6)));
    let cut = Effect::Truncate {
        write_id: WriteId(1),
        end_offset: Offset(2),
    };
    assert!(effects.contains(&cut));
    let sent = requests(&raft.on_written(at(2), WriteId(1)));
    let body = ResponseBody::Records {
        high_watermark: Some(Offset(2)),
        batches: Vec::new(),
    };
    let effects = raft.on_response(at(3), sent[0].0, sent[0].1, says(4, Some(2), body));
    let sent = requests(&effects);
    let effects = raft.on_response(
        at(4),
        sent[0].0,
        sent[0].1,
        says(4, Some(2), diverging(1, 1)),
    );
    let fault = Effect::Fault(Fault::CommittedLost {
        leader: BrokerId(2),
        epoch: LeaderEpoch(4),
        high_watermark: Offset(2),
    });
    assert!(effects.contains(&fault));
    assert_eq!(raft.log().end_offset(), Offset(2));
}

#[test]
fn batches_that_do_not_follow_are_refused() {
    let check = |base, end, epoch| {
        let (mut raft, effects) = follower_of(2, 4, log(&[(3, 5)]));
        let (to, id, _) = requests(&effects)[0];
        let batch = Batch {
            base_offset: Offset(base),
            end_offset: Offset(end),
            epoch: LeaderEpoch(epoch),
            records: Bytes::new(),
        };
        let body = ResponseBody::Records {
            high_watermark: None,
            batches: vec![batch],
        };
        let effects = raft.on_response(at(1), to, id, says(4, Some(2), body));
        let is_fault = |effect: &Effect| matches!(effect, Effect::Fault(Fault::BadBatches { .. }));
        effects.iter().any(is_fault)
    };
    assert!(!check(5, 6, 4));
    assert!(check(6, 7, 4));
    assert!(check(4, 6, 4));
    assert!(check(5, 5, 4));
    assert!(check(5, 6, 2));
    assert!(check(5, 6, 5));
}

#[test]
fn kip_630_a_snapshot_takes_the_place_of_the_log() {
    let (mut raft, effects) = follower_of(2, 4, log(&[(1, 2)]));
    let (to, id, _) = requests(&effects)[0];
    let snapshot = EpochEnd::new(3, 20);
    let body = ResponseBody::Snapshot(snapshot);
    let mut sent = requests(&raft.on_response(at(1), to, id, says(4, Some(2), body)));
    for (position, bytes) in [(0, b"abc"), (3, b"def")] {
        let (to, id, request) = sent[0].clone();
        assert!(matches!(request, Request::FetchSnapshot { position: p, .. } if p == position));
        let body = ResponseBody::SnapshotChunk {
            snapshot,
            position,
            size_bytes: 6,
            bytes: Bytes::from_static(bytes),
        };
        sent = requests(&raft.on_response(at(2), to, id, says(4, Some(2), body)));
    }
    assert!(sent.is_empty());
    assert_eq!(raft.high_watermark(), Offset(0));
    let effects = raft.on_written(at(3), WriteId(1));
    assert_eq!(raft.high_watermark(), Offset(20));
    let (_, _, request) = &requests(&effects)[0];
    assert!(matches!(request, Request::Fetch(f) if f.fetched == snapshot));
}

#[test]
fn a_snapshot_that_is_refused_is_asked_for_anew() {
    let (mut raft, effects) = follower_of(2, 4, log(&[(1, 2)]));
    let (to, id, _) = requests(&effects)[0];
    let body = ResponseBody::Snapshot(EpochEnd::new(3, 20));
    let sent = requests(&raft.on_response(at(1), to, id, says(4, Some(2), body)));
    assert!(matches!(sent[0].2, Request::FetchSnapshot { .. }));
    raft.on_request_failed(at(2), sent[0].0, sent[0].1);
    let sent = requests(&raft.on_tick(at(22)));
    assert!(matches!(sent[0].2, Request::FetchSnapshot { .. }));
    raft.on_request_refused(at(23), sent[0].0, sent[0].1);
    let sent = requests(&raft.on_tick(at(43)));
    assert!(matches!(sent[0].2, Request::Fetch(_)));
}

#[test]
fn a29_a_damaged_log_neither_stands_nor_votes_until_it_is_whole() {
    let mut raft = Raft::start(
        config(key(1)),
        ElectionState {
            epoch: LeaderEpoch(2),
            ..NOBODY
        },
        log(&[(2, 5)]),
        LogFound::Damaged,
        at(0),
    )
    .0;
    let effects = raft.on_tick(at(5000));
    assert!(
        requests(&effects)
            .iter()
            .all(|(_, _, request)| matches!(request, Request::Fetch(_)))
    );
    assert!(!is_granted(
        &mut raft,
        vote(3, 2, EpochEnd::new(2, 9), false)
    ));
    let begin = Request::BeginQuorumEpoch {
        epoch: LeaderEpoch(3),
        leader: BrokerId(2),
        voter: key(1),
    };
    let effects = raft.on_request(at(5001), RequestToken(2), begin);
    let (to, id, _) = requests(&effects)[0];
    let body = ResponseBody::Records {
        high_watermark: Some(Offset(5)),
        batches: Vec::new(),
    };
    assert!(raft.is_damaged());
    raft.on_response(at(5002), to, id, says(3, Some(2), body));
    assert!(!raft.is_damaged());
}

#[test]
fn an_observer_finds_the_leader_by_asking_a_voter() {
    let (mut raft, effects) = Raft::start(config(key(7)), NOBODY, log(&[]), LogFound::Whole, at(0));
    let (to, id, _) = requests(&effects)[0];
    let mut told = says(5, Some(3), ResponseBody::Empty);
    told.verdict.error = ErrorCode::FencedLeaderEpoch;
    let effects = raft.on_response(at(1), to, id, told);
    assert_eq!(requests(&effects)[0].0, BrokerId(3));
    for ms in (0..50_000).step_by(100) {
        let asks = requests(&raft.on_tick(at(ms)));
        assert!(
            asks.iter()
                .all(|(_, _, request)| matches!(request, Request::Fetch(_)))
        );
    }
}

#[test]
fn what_no_node_can_mean_is_refused() {
    let mut raft = active_leader();
    let mut check = |request| {
        let effects = raft.on_request(at(1001), RequestToken(4), request);
        assert_eq!(answer(&effects).verdict.error, ErrorCode::InvalidRequest);
    };
    check(fetch(key(2), 1, EpochEnd::new(1, -1)));
    check(fetch(key(2), 1, EpochEnd::new(-1, 1)));
    check(fetch(key(2), 1, EpochEnd::new(2, 1)));
    check(fetch(key(2), i32::MAX, EpochEnd::default()));
    check(vote(3, 2, EpochEnd::new(3, 5), false));
    check(vote(3, 2, EpochEnd::new(4, 5), true));
    check(vote(-1, 2, EpochEnd::default(), true));
}

#[test]
fn two_leaders_in_one_epoch_are_a_fault() {
    let (mut raft, _) = follower_of(2, 4, log(&[]));
    let begin = Request::BeginQuorumEpoch {
        epoch: LeaderEpoch(4),
        leader: BrokerId(3),
        voter: key(1),
    };
    let effects = raft.on_request(at(1), RequestToken(2), begin);
    let is_fault = |effect: &Effect| matches!(effect, Effect::Fault(Fault::TwoLeaders { .. }));
    assert!(effects.iter().any(is_fault));
    assert_eq!(raft.election().leader, Some(BrokerId(2)));
}

#[test]
fn a_quorum_of_one_elects_itself_and_commits_alone() {
    let mut alone = config(key(1));
    alone.voters = VoterSet::new([key(1)]);
    let (mut raft, _) = Raft::start(alone, NOBODY, log(&[]), LogFound::Whole, at(0));
    raft.on_tick(at(1000));
    assert!(raft.is_leader());
    let effects = raft.on_written(at(1001), WriteId(1));
    assert!(effects.contains(&Effect::LeaderActive(LeaderEpoch(1))));
    assert_eq!(raft.deadline_ms(), None);
}

#[test]
fn the_leader_describes_the_quorum() {
    let mut raft = active_leader();
    raft.on_request(
        at(1007),
        RequestToken(4),
        fetch(key(9), 1, EpochEnd::default()),
    );
    let described = raft.describe(at(1010)).expect("it leads");
    assert_eq!(
        (described.epoch, described.high_watermark),
        (LeaderEpoch(1), Some(Offset(1)))
    );
    let replica = |id, end_offset, last_fetch_ms, last_caught_up_ms| ReplicaDescription {
        key: key(id),
        log_end_offset: Offset(end_offset),
        last_fetch_ms,
        last_caught_up_ms,
    };
    let voters = vec![
        replica(1, 1, Some(1010), Some(1010)),
        replica(2, 1, Some(1000), Some(1000)),
        replica(3, 0, None, None),
    ];
    assert_eq!(described.voters, voters);
    assert_eq!(described.observers, vec![replica(9, 0, Some(1007), None)]);
    assert_eq!(follower_of(2, 1, log(&[])).0.describe(at(1)), None);
}

/// Numbers from a seed (xorshift).
struct Garbage(u64);

impl Garbage {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn epoch(&mut self) -> LeaderEpoch {
        let odd = [-1, i32::MAX, i32::MIN, i32::MAX - 1];
        match self.below(60) {
            place @ 0..3 => LeaderEpoch(odd[place as usize]),
            small => LeaderEpoch((small % 6) as i32),
        }
    }

    fn offset(&mut self) -> Offset {
        let odd = [-1, i64::MAX, i64::MIN];
        match self.below(40) {
            place @ 0..3 => Offset(odd[place as usize]),
            small => Offset((small % 9) as i64),
        }
    }

    fn end(&mut self) -> EpochEnd {
        EpochEnd {
            epoch: self.epoch(),
            end_offset: self.offset(),
        }
    }

    fn key(&mut self) -> ReplicaKey {
        let mut key = key(self.below(5) as i32);
        if self.below(4) == 0 {
            key.directory_id = Uuid::ZERO;
        }
        key
    }

    fn request(&mut self) -> Request {
        let (epoch, key, end) = (self.epoch(), self.key(), self.end());
        let leader = BrokerId(self.below(5) as i32);
        match self.below(5) {
            0 => Request::Vote(VoteRequest {
                epoch,
                candidate: key,
                voter: self.key(),
                last: end,
                pre_vote: self.below(2) == 0,
            }),
            1 => Request::BeginQuorumEpoch {
                epoch,
                leader,
                voter: key,
            },
            2 => Request::EndQuorumEpoch {
                epoch,
                leader,
                preferred_successors: vec![key; self.below(3) as usize],
            },
            3 => fetch(key, epoch.0, end),
            _ => Request::FetchSnapshot {
                replica: key,
                epoch,
                snapshot: end,
                position: self.below(9),
            },
        }
    }

    fn response(&mut self) -> Response {
        let snapshot = self.end();
        let body = match self.below(6) {
            0 => ResponseBody::Empty,
            1 => ResponseBody::Vote {
                granted: self.below(3) > 0,
            },
            2 => ResponseBody::Diverging(snapshot),
            3 => ResponseBody::Snapshot(snapshot),
            4 => ResponseBody::SnapshotChunk {
                snapshot,
                position: [0, 3, u64::MAX][self.below(3) as usize],
                size_bytes: self.below(5),
                bytes: Bytes::from_static(b"abc"),
            },
            _ => ResponseBody::Records {
                high_watermark: (self.below(2) == 0).then(|| self.offset()),
                batches: vec![Batch {
                    base_offset: self.offset(),
                    end_offset: self.offset(),
                    epoch: self.epoch(),
                    records: Bytes::new(),
                }],
            },
        };
        let leader = self.below(4) as i32;
        let mut response = says(self.epoch().0, (leader > 0).then_some(leader), body);
        if self.below(5) == 0 {
            response.verdict.error = ErrorCode::FencedLeaderEpoch;
        }
        response
    }
}

/// Whatever others say, a node does not panic, and its invariants hold.
#[test]
fn nothing_that_is_said_breaks_a_node() {
    for seed in 1..400 {
        let mut garbage = Garbage(seed * 0x9e37_79b9);
        let (mut raft, mut effects) = follower_of(2, 1, log(&[(0, 2), (1, 4)]));
        let (mut now, mut writes, mut asked) = (at(0), Vec::new(), Vec::new());
        for step in 0..200 {
            for effect in effects.drain(..) {
                match effect {
                    Effect::SendRequest {
                        to, correlation_id, ..
                    } => asked.push((to, correlation_id)),
                    Effect::Append { write_id, .. }
                    | Effect::AppendLeaderChange { write_id, .. }
                    | Effect::Truncate { write_id, .. }
                    | Effect::InstallSnapshot { write_id, .. } => writes.push(write_id),
                    _ => {}
                }
            }
            now.ms += garbage.below(300);
            now.random = garbage.below(1000) as u32;
            effects = match (garbage.below(4), asked.pop(), writes.pop()) {
                (0 | 1, Some((from, id)), _) => raft.on_response(now, from, id, garbage.response()),
                (0..3, _, Some(write_id)) => raft.on_written(now, write_id),
                _ => raft.on_request(now, RequestToken(step), garbage.request()),
            };
        }
    }
}
