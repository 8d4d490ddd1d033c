//! Committed offsets, scenario by scenario.

mod harness;

use harness::{GROUP, Host, SESSION_MS, code, commit_request, join_request};
use ottla_groups::{CoordinatorRecord, GroupConfig, Stability, Timer, TransactionResult};
use ottla_protocol::ids::{Offset, ProducerId, TopicPartition};
use ottla_protocol::messages::offset_commit_request::OffsetCommitRequestPartition;
use ottla_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use ottla_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use ottla_protocol::messages::offset_fetch_response::OffsetFetchResponsePartitions;
use ottla_protocol::messages::{JoinGroupRequest, OffsetDeleteRequest, OffsetDeleteResponse};
use ottla_protocol::{ErrorCode, Uuid};

const HOUR_MS: i64 = 3_600_000;
const WEEK_MS: i64 = 7 * 24 * HOUR_MS;

fn fetch(
    host: &Host,
    topic: &str,
    partitions: &[i32],
    stability: Stability,
) -> Vec<OffsetFetchResponsePartitions> {
    fetch_id(host, topic, Uuid::ZERO, partitions, stability)
}

fn fetch_id(
    host: &Host,
    topic: &str,
    topic_id: Uuid,
    partitions: &[i32],
    stability: Stability,
) -> Vec<OffsetFetchResponsePartitions> {
    let topics = vec![OffsetFetchRequestTopics {
        name: topic.into(),
        topic_id,
        partition_indexes: partitions.to_vec(),
        ..Default::default()
    }];
    let request = OffsetFetchRequestGroup {
        group_id: GROUP.into(),
        topics: Some(topics),
        ..Default::default()
    };
    let group = host.shard.offset_fetch(&request, stability);
    assert_eq!(
        (code(group.error_code), group.topics.len()),
        (ErrorCode::None, 1)
    );
    assert_eq!(
        (group.topics[0].name.as_str(), group.topics[0].topic_id),
        (topic, topic_id)
    );
    group
        .topics
        .into_iter()
        .flat_map(|topic| topic.partitions)
        .collect()
}

fn committed(host: &Host, topic: &str) -> i64 {
    fetch(host, topic, &[0], Stability::LastCommitted)[0].committed_offset
}

fn delete_offsets(host: &mut Host, topic: &str) -> OffsetDeleteResponse {
    let partitions = vec![
        OffsetDeleteRequestPartition {
            partition_index: 0,
            ..Default::default()
        };
        2
    ];
    let topics = vec![OffsetDeleteRequestTopic {
        name: topic.into(),
        partitions,
        ..Default::default()
    }];
    let request = OffsetDeleteRequest {
        group_id: GROUP.into(),
        topics,
        ..Default::default()
    };
    let decision = host.shard.offset_delete(&request);
    host.run(decision).expect("never parked")
}

#[test]
fn who_may_commit() {
    let mut host = Host::new();
    let (ids, generation) = host.stable(2);
    let member = ids[1].as_str();
    for (member_id, generation_id, expected) in [
        (member, generation, ErrorCode::None),
        (member, generation - 1, ErrorCode::IllegalGeneration),
        (member, -1, ErrorCode::IllegalGeneration),
        ("who", generation, ErrorCode::UnknownMemberId),
        ("", generation, ErrorCode::UnknownMemberId),
        ("", -1, ErrorCode::UnknownMemberId),
    ] {
        assert_eq!(
            host.commit(member_id, generation_id, "orders", 1),
            expected,
            "{member_id:?} {generation_id}"
        );
    }
    let mut fenced = commit_request(member, generation, "orders", 1);
    fenced.group_instance_id = Some("instance".into());
    assert_eq!(host.commit_request(9, &fenced), ErrorCode::UnknownMemberId);

    // While the members join, those of the generation that ends may still commit.
    assert!(host.join(9, &join_request(&ids[0])).is_err());
    assert_eq!(
        host.commit(member, generation, "orders", 2),
        ErrorCode::None
    );
    assert!(
        host.join(9, &join_request(member)).is_err_and(|_| true)
            || host.describe().group_state != "Stable"
    );
    assert_eq!(host.describe().group_state, "CompletingRebalance");
    assert_eq!(
        host.commit(member, generation + 1, "orders", 3),
        ErrorCode::RebalanceInProgress
    );
    assert_eq!(
        host.commit(member, generation, "orders", 3),
        ErrorCode::IllegalGeneration
    );
    assert_eq!(committed(&host, "orders"), 2);
}

#[test]
fn simple_consumers_commit_without_a_group() {
    let mut host = Host::new();
    for (api_version, expected) in [
        (8, ErrorCode::IllegalGeneration),
        (9, ErrorCode::GroupIdNotFound),
    ] {
        assert_eq!(
            host.commit_request(api_version, &commit_request("who", 5, "orders", 1)),
            expected
        );
    }
    assert!(host.log.is_empty());
    assert_eq!(host.commit("", -1, "orders", 1), ErrorCode::None);
    assert_eq!(host.describe().group_state, "Empty");
    assert_eq!(
        host.commit("who", -1, "orders", 2),
        ErrorCode::None,
        "an id without a generation does not matter"
    );
    assert_eq!(
        host.commit("who", 0, "orders", 3),
        ErrorCode::UnknownMemberId
    );
    assert_eq!(committed(&host, "orders"), 2);
}

#[test]
fn commits_keep_the_session_alive() {
    let mut host = Host::new();
    let (ids, generation) = host.stable(1);
    host.advance(SESSION_MS - 1);
    assert_eq!(
        host.commit(&ids[0], generation, "orders", 1),
        ErrorCode::None
    );
    let timer = Timer::Session {
        group_id: GROUP.into(),
        member_id: ids[0].clone(),
    };
    assert_eq!(host.timers.get(&timer), Some(&(host.now + SESSION_MS)));
}

/// Metadata and leader epoch come back as they were given, also after a restart.
#[test]
fn commits_round_trip() {
    let mut host = Host::new();
    let topic_id = Uuid([7; 16]);
    let mut request = commit_request("", -1, "orders", 42);
    request.topics[0].topic_id = topic_id;
    let at = |partition_index, committed_leader_epoch, metadata: Option<String>| {
        OffsetCommitRequestPartition {
            partition_index,
            committed_offset: 9,
            committed_leader_epoch,
            committed_metadata: metadata,
            ..Default::default()
        }
    };
    request.topics[0].partitions.extend([
        at(1, -1, None),
        at(2, 3, Some("é".repeat(4_096))),
        at(3, 3, Some("x".repeat(4_097))),
        at(i32::MAX, 0, Some(String::new())),
    ]);
    let ctx = host.context(10, "client");
    let decision = host.shard.offset_commit(&ctx, &request);
    assert!(
        decision.is_independent(),
        "it may share a batch with other commits"
    );
    let response = host.run(decision).expect("never parked");
    assert_eq!(
        (
            response.topics[0].name.as_str(),
            response.topics[0].topic_id
        ),
        ("orders", topic_id)
    );
    let codes: Vec<ErrorCode> = response.topics[0]
        .partitions
        .iter()
        .map(|p| code(p.error_code))
        .collect();
    let ok = ErrorCode::None;
    assert_eq!(codes, [ok, ok, ok, ErrorCode::OffsetMetadataTooLarge, ok]);

    host.restart();
    let answers = fetch(
        &host,
        "orders",
        &[0, 1, 2, 3, 4, i32::MAX],
        Stability::RequireStable,
    );
    let fields: Vec<_> = answers
        .iter()
        .map(|p| {
            (
                p.partition_index,
                p.committed_offset,
                p.committed_leader_epoch,
                p.metadata.as_deref(),
            )
        })
        .collect();
    let long = "é".repeat(4_096);
    assert_eq!(
        fields,
        [
            (0, 42, 7, Some("where I am")),
            (1, 9, -1, Some("")),
            (2, 9, 3, Some(long.as_str())),
            (3, -1, -1, Some("")),
            (4, -1, -1, Some("")),
            (i32::MAX, 9, 0, Some("")),
        ],
        "every partition that was asked for, in order"
    );
    let all = host.fetch_all(GROUP);
    assert_eq!(
        (all.len(), all[0].partitions.len(), all[0].topic_id),
        (1, 4, topic_id)
    );
    assert!(host.fetch_all("nobody").is_empty());
    assert!(fetch(&host, "nothing", &[], Stability::LastCommitted).is_empty());
}

/// A topic that was deleted and made again has none of the old one's offsets.
#[test]
fn offsets_belong_to_a_topic_id() {
    let mut host = Host::new();
    let mut request = commit_request("", -1, "orders", 42);
    request.topics[0].topic_id = Uuid([1; 16]);
    assert_eq!(host.commit_request(10, &request), ErrorCode::None);
    for (topic_id, expected) in [(Uuid([1; 16]), 42), (Uuid::ZERO, 42), (Uuid([2; 16]), -1)] {
        let answers = fetch_id(&host, "orders", topic_id, &[0], Stability::LastCommitted);
        assert_eq!(answers[0].committed_offset, expected);
    }
}

#[test]
fn deleted_partitions_lose_their_offsets_in_all_groups() {
    let mut host = Host::new();
    for (group, topic) in [("a", "orders"), ("b", "orders"), ("b", "payments")] {
        let mut request = commit_request("", -1, topic, 1);
        request.group_id = group.into();
        assert_eq!(host.commit_request(9, &request), ErrorCode::None);
    }
    let gone = [
        TopicPartition::new("orders", 0),
        TopicPartition::new("orders", 1),
        TopicPartition::new("x", 0),
    ];
    let decision = host.shard.partitions_deleted(&gone);
    assert_eq!(decision.records.len(), 2);
    assert!(host.run(decision).is_ok());
    assert!(host.fetch_all("a").is_empty());
    assert_eq!(host.fetch_all("b").len(), 1);
}

#[test]
fn offsets_are_deleted_unless_the_group_reads_the_topic() {
    let mut host = Host::new();
    assert_eq!(
        code(delete_offsets(&mut host, "orders").error_code),
        ErrorCode::GroupIdNotFound
    );
    let (ids, generation) = host.stable(1);
    for topic in ["orders", "payments"] {
        assert_eq!(host.commit(&ids[0], generation, topic, 1), ErrorCode::None);
    }
    let records = host.log.len();
    for (topic, expected) in [
        ("orders", ErrorCode::GroupSubscribedToTopic),
        ("payments", ErrorCode::None),
    ] {
        let response = delete_offsets(&mut host, topic);
        let codes: Vec<ErrorCode> = response.topics[0]
            .partitions
            .iter()
            .map(|p| code(p.error_code))
            .collect();
        assert_eq!(
            (code(response.error_code), codes),
            (ErrorCode::None, vec![expected; 2]),
            "{topic}"
        );
    }
    assert_eq!(
        host.log.len(),
        records + 1,
        "one tombstone for a partition that was named twice"
    );
    assert_eq!(
        (committed(&host, "orders"), committed(&host, "payments")),
        (1, -1)
    );
    host.leave(&ids[0], None);
    delete_offsets(&mut host, "orders");
    assert_eq!(
        committed(&host, "orders"),
        -1,
        "an empty group reads nothing"
    );
}

#[test]
fn offsets_of_a_group_with_other_members_than_consumers_stay() {
    let mut host = Host::without_delay();
    let request = JoinGroupRequest {
        protocol_type: "connect".into(),
        ..join_request("")
    };
    assert!(host.join(3, &request).is_err());
    assert_eq!(
        code(delete_offsets(&mut host, "orders").error_code),
        ErrorCode::NonEmptyGroup
    );
}

#[test]
fn groups_are_deleted_when_they_are_empty() {
    let mut host = Host::new();
    let (ids, generation) = host.stable(1);
    assert_eq!(
        host.commit(&ids[0], generation, "orders", 1),
        ErrorCode::None
    );
    let delete = |host: &mut Host, names: &[&str]| -> Vec<ErrorCode> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let decision = host.shard.delete_groups(&names);
        host.run(decision)
            .expect("never parked")
            .iter()
            .map(|result| code(result.error_code))
            .collect()
    };
    assert_eq!(
        delete(&mut host, &[GROUP, "nobody"]),
        [ErrorCode::NonEmptyGroup, ErrorCode::GroupIdNotFound]
    );
    host.leave(&ids[0], None);
    host.append_error = Some(ErrorCode::NotEnoughReplicas);
    assert_eq!(
        delete(&mut host, &[GROUP]),
        [ErrorCode::CoordinatorNotAvailable]
    );
    assert_eq!(committed(&host, "orders"), 1);
    host.append_error = None;
    assert_eq!(delete(&mut host, &[GROUP, GROUP]), [ErrorCode::None; 2]);
    assert_eq!(
        (
            committed(&host, "orders"),
            host.describe().group_state.as_str()
        ),
        (-1, "Dead")
    );
    host.restart();
    assert_eq!(
        (
            committed(&host, "orders"),
            host.describe().group_state.as_str()
        ),
        (-1, "Dead")
    );
}

/// KIP-211.
#[test]
fn offsets_expire_a_retention_time_after_the_last_use() {
    let mut host = Host::new();
    let (ids, generation) = host.stable(1);
    for topic in ["orders", "payments"] {
        assert_eq!(host.commit(&ids[0], generation, topic, 1), ErrorCode::None);
    }
    let mut simple = commit_request("", -1, "orders", 5);
    simple.group_id = "simple".into();
    assert_eq!(host.commit_request(9, &simple), ErrorCode::None);
    let alive = |host: &mut Host, hours: i64| {
        for _ in 0..hours * HOUR_MS / (SESSION_MS - 1) + 1 {
            host.advance(SESSION_MS - 1);
            assert_eq!(host.heartbeat(&ids[0], generation), ErrorCode::None);
        }
    };
    alive(&mut host, 7 * 24 - 2);
    assert_eq!(
        (committed(&host, "orders"), committed(&host, "payments")),
        (1, 1)
    );
    assert!(!host.fetch_all("simple").is_empty());
    alive(&mut host, 3);
    assert_eq!(
        (committed(&host, "orders"), committed(&host, "payments")),
        (1, -1),
        "what it does not read is gone"
    );
    assert!(
        host.fetch_all("simple").is_empty(),
        "nobody has committed for a week"
    );
    assert_eq!(
        host.shard.describe_groups(0, &["simple".to_owned()])[0].group_state,
        "Dead"
    );

    host.leave(&ids[0], None);
    host.advance(WEEK_MS - HOUR_MS);
    assert_eq!(
        committed(&host, "orders"),
        1,
        "the week begins when the group becomes empty"
    );
    host.advance(2 * HOUR_MS);
    assert_eq!(
        (
            committed(&host, "orders"),
            host.describe().group_state.as_str()
        ),
        (-1, "Dead")
    );
    assert!(host.timers.contains_key(&Timer::OffsetExpiry), "and so on");
}

#[test]
fn a_retention_time_of_the_clients_own_counts_from_the_commit() {
    let mut host = Host::new();
    let mut request = commit_request("", -1, "orders", 1);
    request.retention_time_ms = 2 * HOUR_MS;
    assert_eq!(host.commit_request(4, &request), ErrorCode::None);
    let value = host.log[0].value.clone().expect("a value");
    assert_eq!(value[..2], [0, 1], "the version that has an expiry");
    host.restart();
    host.advance(2 * HOUR_MS - 1);
    assert_eq!(committed(&host, "orders"), 1);
    host.advance(HOUR_MS);
    assert_eq!(committed(&host, "orders"), -1);
}

#[test]
fn expiry_works_in_bounded_steps() {
    let mut host = Host::with(GroupConfig {
        offsets_retention_ms: 1,
        ..Default::default()
    });
    let mut request = commit_request("", -1, "orders", 1);
    let partition = request.topics[0].partitions[0].clone();
    request.topics[0].partitions = (0..25_000)
        .map(|partition_index| OffsetCommitRequestPartition {
            partition_index,
            ..partition.clone()
        })
        .collect();
    assert_eq!(host.commit_request(9, &request), ErrorCode::None);
    let mut decision = host.shard.on_timer(
        ottla_protocol::ids::TimestampMs(host.now + 10),
        Timer::OffsetExpiry,
    );
    assert_eq!(decision.records.len(), ottla_groups::MAX_EXPIRY_RECORDS);
    let first = decision.take_first(7);
    assert_eq!(first.records.len(), 7);
    assert!(host.run(first).is_ok());
    assert_eq!(host.fetch_all(GROUP)[0].partitions.len(), 25_000 - 7);
    assert!(host.run(decision).is_ok());
    assert_eq!(host.fetch_all(GROUP)[0].partitions.len(), 15_000);
    host.advance(10);
    assert!(
        host.fetch_all(GROUP).is_empty(),
        "the next step follows at once"
    );
    assert_eq!(host.describe().group_state, "Dead");
}

/// KIP-447: what the reference wrote in transactions.
#[test]
fn offsets_of_open_transactions_are_unstable() {
    let mut source = Host::new();
    assert_eq!(source.commit("", -1, "orders", 10), ErrorCode::None);
    assert_eq!(source.commit("", -1, "orders", 20), ErrorCode::None);
    let (first, second) = (source.log[0].clone(), source.log[1].clone());
    let producer = ProducerId(5);
    // (record offset of the plain commit, of the transactional one, end) -> what counts then
    for (plain, transactional, end, expected) in [
        (0, 1, TransactionResult::Commit, 20),
        (1, 0, TransactionResult::Commit, 10),
        (0, 1, TransactionResult::Abort, 10),
    ] {
        let mut host = Host::new();
        let mut records = vec![
            (plain, ProducerId::NONE, &first),
            (transactional, producer, &second),
        ];
        records.sort_by_key(|(offset, _, _)| *offset);
        for (offset, producer_id, CoordinatorRecord { key, value }) in records {
            host.shard
                .replay(Offset(offset), producer_id, key.clone(), value.clone())
                .expect("readable");
        }
        let unstable = &fetch(&host, "orders", &[0], Stability::RequireStable)[0];
        assert_eq!(
            (code(unstable.error_code), unstable.committed_offset),
            (ErrorCode::UnstableOffsetCommit, -1)
        );
        assert_eq!(committed(&host, "orders"), 10);
        host.shard.replay_end_transaction(producer, end);
        host.shard.replay_end_transaction(producer, end);
        let stable = &fetch(&host, "orders", &[0], Stability::RequireStable)[0];
        assert_eq!(
            (code(stable.error_code), stable.committed_offset),
            (ErrorCode::None, expected)
        );
    }
}
