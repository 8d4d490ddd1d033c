//! Records that the reference broker wrote: read, and written again byte for byte.

mod harness;

use bytes::Bytes;
use harness::{Host, code};
use ottla_groups::{
    CoordinatorRecord, GroupConfig, GroupShard, Replayed, Stability, partition_for,
};
use ottla_protocol::ErrorCode;
use ottla_protocol::ids::{Offset, ProducerId, TimestampMs};
use ottla_protocol::messages::group::group_metadata_value::GroupMetadataValue;
use ottla_protocol::messages::leave_group_request::MemberIdentity;
use ottla_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use ottla_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use ottla_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use ottla_protocol::messages::{
    JoinGroupRequest, LeaveGroupRequest, ListGroupsRequest, OffsetCommitRequest, SyncGroupRequest,
};
use ottla_protocol::{Message, Uuid};

const FIXTURE: &str = include_str!("fixtures/consumer_offsets_4_3_1.txt");

struct Line {
    partition: i32,
    offset: i64,
    record: CoordinatorRecord,
}

fn unhex(text: &str) -> Bytes {
    let digits = text
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    digits
        .map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal"))
        .collect::<Vec<u8>>()
        .into()
}

fn lines() -> Vec<Line> {
    let lines = FIXTURE.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            let [partition, offset, key, value] = fields[..] else {
                panic!("four columns: {line}")
            };
            Line {
                partition: partition.parse().expect("a partition"),
                offset: offset.parse().expect("an offset"),
                record: CoordinatorRecord {
                    key: unhex(key),
                    value: (value != "-").then(|| unhex(value)),
                },
            }
        })
        .collect()
}

fn loaded(partition: i32) -> GroupShard {
    let mut shard = GroupShard::new(GroupConfig::default());
    for line in lines()
        .into_iter()
        .filter(|line| line.partition == partition)
    {
        let CoordinatorRecord { key, value } = line.record;
        let replayed = shard
            .replay(Offset(line.offset), ProducerId::NONE, key, value)
            .expect("readable");
        assert_eq!(replayed, Replayed::Applied);
    }
    shard.load_finished(TimestampMs(0));
    shard
}

#[test]
fn groups_are_where_the_reference_put_them() {
    for (group_id, partition) in [
        ("classic-dynamic", 0),
        ("sharing", 0),
        ("modern", 1),
        ("simple", 2),
        ("classic-static", 3),
    ] {
        assert_eq!(partition_for(group_id, 4), partition, "{group_id}");
    }
}

#[test]
fn a_log_of_the_reference_is_loaded() {
    let listed: Vec<String> = (0..4)
        .flat_map(|partition| loaded(partition).list_groups(&ListGroupsRequest::default()))
        .map(|group| {
            format!(
                "{} {} {} {}",
                group.group_id, group.protocol_type, group.group_state, group.group_type
            )
        })
        .collect();
    assert_eq!(
        listed,
        [
            "classic-dynamic consumer Empty classic",
            "sharing share Empty share",
            "modern consumer Empty consumer",
            "classic-static consumer Empty classic",
        ]
    );
    // (group, partition of the topic, offset, leader epoch)
    for (partition, group_id, index, offset, leader_epoch) in [
        (0, "classic-dynamic", 0, -1, -1),
        (0, "classic-dynamic", 1, 0, -1),
        (1, "modern", 0, 20, 0),
        (2, "simple", 0, -1, -1),
        (3, "classic-static", 0, 20, 0),
        (3, "classic-static", 1, 0, -1),
    ] {
        let request = OffsetFetchRequestGroup {
            group_id: group_id.into(),
            topics: Some(vec![
                ottla_protocol::messages::offset_fetch_request::OffsetFetchRequestTopics {
                    name: "orders".into(),
                    partition_indexes: vec![index],
                    ..Default::default()
                },
            ]),
            ..Default::default()
        };
        let group = loaded(partition).offset_fetch(&request, Stability::RequireStable);
        let answer = &group.topics[0].partitions[0];
        assert_eq!(
            (answer.committed_offset, answer.committed_leader_epoch),
            (offset, leader_epoch),
            "{group_id}"
        );
    }
}

/// The member, its times and its bytes are taken from the fixture; everything else has to come out the same.
#[test]
fn a_consumers_life_gives_the_bytes_of_the_reference() {
    for (group_id, partition, instance_id) in [
        ("classic-static", 3, Some("one")),
        ("classic-dynamic", 0, None),
    ] {
        let expected: Vec<CoordinatorRecord> = lines()
            .into_iter()
            .filter(|line| line.partition == partition && line.offset < 5)
            .map(|line| line.record)
            .collect();
        let metadata = |index: usize| {
            let value = expected[index].value.clone().expect("not a tombstone");
            GroupMetadataValue::from_versioned_bytes(value).expect("readable")
        };
        let (created, stable, left) = (metadata(0), metadata(1), metadata(4));
        let member = &stable.members[0];
        let uuid: String = member.member_id[member.member_id.len() - 36..]
            .split('-')
            .collect();

        // As late as the reference's timer was.
        let delay_ms = stable.current_state_timestamp - created.current_state_timestamp;
        let mut host = Host::with(GroupConfig {
            group_initial_rebalance_delay_ms: delay_ms.try_into().expect("short"),
            ..Default::default()
        });
        host.client_id = member.client_id.clone();
        host.random = Some(unhex(&uuid)[..].try_into().expect("16 bytes"));
        host.now = created.current_state_timestamp;
        let mut join = JoinGroupRequest {
            group_id: group_id.into(),
            session_timeout_ms: member.session_timeout,
            rebalance_timeout_ms: member.rebalance_timeout,
            group_instance_id: instance_id.map(str::to_owned),
            protocol_type: "consumer".into(),
            protocols: vec![harness::protocol("range", member.subscription.clone())],
            ..Default::default()
        };
        if let Ok(response) = host.join(9, &join) {
            assert_eq!(code(response.error_code), ErrorCode::MemberIdRequired);
            join.member_id = response.member_id;
            assert!(host.join(9, &join).is_err());
        }
        host.advance(delay_ms);
        let sync = SyncGroupRequest {
            group_id: group_id.into(),
            generation_id: 1,
            member_id: member.member_id.clone(),
            group_instance_id: instance_id.map(str::to_owned),
            protocol_type: Some("consumer".into()),
            protocol_name: Some("range".into()),
            assignments: vec![SyncGroupRequestAssignment {
                member_id: member.member_id.clone(),
                assignment: member.assignment.clone(),
                ..Default::default()
            }],
            ..Default::default()
        };
        assert_eq!(
            host.sync(&sync).expect("the leader").assignment,
            member.assignment
        );

        let commit_value = expected[2].value.clone().expect("not a tombstone");
        let commit_value =
            ottla_protocol::messages::group::OffsetCommitValue::from_versioned_bytes(commit_value)
                .expect("readable");
        assert_ne!(commit_value.topic_id, Uuid::ZERO);
        host.advance(commit_value.commit_timestamp - host.now);
        let at = |partition_index, committed_offset, committed_leader_epoch| {
            OffsetCommitRequestPartition {
                partition_index,
                committed_offset,
                committed_leader_epoch,
                committed_metadata: Some(String::new()),
                ..Default::default()
            }
        };
        let commit = OffsetCommitRequest {
            group_id: group_id.into(),
            generation_id_or_member_epoch: 1,
            member_id: member.member_id.clone(),
            group_instance_id: instance_id.map(str::to_owned),
            topics: vec![OffsetCommitRequestTopic {
                name: "orders".into(),
                topic_id: commit_value.topic_id,
                partitions: vec![at(0, 20, 0), at(1, 0, -1)],
                ..Default::default()
            }],
            ..Default::default()
        };
        assert_eq!(host.commit_request(10, &commit), ErrorCode::None);

        // The static member does not leave by itself: its session ended. The reference's timers may be late.
        host.now = left.current_state_timestamp;
        let ctx = host.context(5, "");
        let leaving = MemberIdentity {
            member_id: member.member_id.clone(),
            ..Default::default()
        };
        let leave = LeaveGroupRequest {
            group_id: group_id.into(),
            members: vec![leaving],
            ..Default::default()
        };
        let decision = host.shard.leave_group(&ctx, &leave);
        assert_eq!(
            code(host.run(decision).expect("never parked").members[0].error_code),
            ErrorCode::None
        );
        assert_eq!(host.log, expected, "{group_id}");
    }
}

/// GROUP-8 for bytes: what is deleted here is what the reference deletes.
#[test]
fn tombstones_are_the_references() {
    let mut shard = GroupShard::new(GroupConfig::default());
    let simple: Vec<Line> = lines()
        .into_iter()
        .filter(|line| line.partition == 2)
        .collect();
    for line in &simple[..2] {
        let CoordinatorRecord { key, value } = line.record.clone();
        shard
            .replay(Offset(line.offset), ProducerId::NONE, key, value)
            .expect("readable");
    }
    let decision = shard.delete_groups(&["simple".to_owned()]);
    let expected: Vec<CoordinatorRecord> =
        simple[2..].iter().map(|line| line.record.clone()).collect();
    assert_eq!(decision.records, expected);
    let outcome = shard.apply(Offset(2), decision);
    assert!(
        matches!(outcome.reply, ottla_groups::Reply::Now(results) if results[0].error_code == 0)
    );
    assert!(shard.list_groups(&ListGroupsRequest::default()).is_empty());
}

#[test]
fn a_classic_group_takes_the_id_of_an_empty_consumer_group() {
    let mut host = Host::without_delay();
    host.shard = loaded(1);
    let join = JoinGroupRequest {
        group_id: "modern".into(),
        ..harness::join_request("")
    };
    assert!(host.join(0, &join).is_err());
    let listed = host.shard.list_groups(&ListGroupsRequest::default());
    assert_eq!(
        (listed.len(), listed[0].group_type.as_str()),
        (1, "classic")
    );
    assert!(!host.fetch_all("modern").is_empty(), "its offsets stay");
    // What is left of the consumer group: its epoch and the epoch of its assignment.
    assert_eq!(
        host.log
            .iter()
            .filter(|record| record.value.is_none())
            .count(),
        2
    );
}

#[test]
fn a_consumer_group_with_members_keeps_its_id() {
    let mut host = Host::without_delay();
    host.shard = GroupShard::new(GroupConfig::default());
    for line in lines()
        .into_iter()
        .filter(|line| line.partition == 1 && line.offset < 7)
    {
        let CoordinatorRecord { key, value } = line.record;
        host.shard
            .replay(Offset(line.offset), ProducerId::NONE, key, value)
            .expect("readable");
    }
    let join = JoinGroupRequest {
        group_id: "modern".into(),
        ..harness::join_request("")
    };
    let response = host.join(9, &join).expect("refused");
    assert_eq!(
        code(response.error_code),
        ErrorCode::InconsistentGroupProtocol
    );
    let mut commit = harness::commit_request("", -1, "orders", 3);
    commit.group_id = "modern".into();
    assert_eq!(host.commit_request(9, &commit), ErrorCode::UnknownMemberId);
    let decision = host.shard.delete_groups(&["modern".to_owned()]);
    assert_eq!(
        code(host.run(decision).expect("never parked")[0].error_code),
        ErrorCode::NonEmptyGroup
    );
}

#[test]
fn damaged_records_are_refused_and_unknown_ones_skipped() {
    for (key, value, readable) in [
        ("", "-", false),
        ("00", "-", false),
        ("0001", "-", false),
        ("00010005", "-", false),
        ("0001000161000162000000", "-", false),
        ("000100016100016200000000", "0003", false),
        ("000100016100016200000000", "0063", false),
        ("0002000161", "0003ffff", false),
        ("0003", "-", false),
        ("0040", "-", true),
        ("ffff", "00", true),
        ("0002000161", "-", true),
    ] {
        let mut shard = GroupShard::new(GroupConfig::default());
        let value = (value != "-").then(|| unhex(value));
        let replayed = shard.replay(Offset(0), ProducerId::NONE, unhex(key), value);
        assert_eq!(replayed.is_ok(), readable, "{key}: {replayed:?}");
        assert!(shard.list_groups(&ListGroupsRequest::default()).is_empty());
    }
}

/// Nothing that a damaged or foreign log says of a group breaks its invariants.
#[test]
fn groups_that_contradict_themselves_are_loaded() {
    use ottla_protocol::messages::group::group_metadata_value::MemberMetadata;
    let member = |member_id: &str, instance: Option<&str>| MemberMetadata {
        member_id: member_id.into(),
        group_instance_id: instance.map(str::to_owned),
        session_timeout: 10_000,
        rebalance_timeout: 10_000,
        ..Default::default()
    };
    let group = |protocol: Option<&str>, leader: Option<&str>, members| GroupMetadataValue {
        protocol_type: "consumer".into(),
        generation: i32::MAX,
        protocol: protocol.map(str::to_owned),
        leader: leader.map(str::to_owned),
        members,
        ..Default::default()
    };
    for (value, state) in [
        (
            group(
                Some("range"),
                Some("a"),
                vec![member("a", Some("x")), member("a", Some("y"))],
            ),
            "Stable",
        ),
        (
            group(
                Some("range"),
                Some("a"),
                vec![member("a", Some("x")), member("b", Some("x"))],
            ),
            "Stable",
        ),
        (
            group(Some("range"), Some("c"), vec![member("a", None)]),
            "PreparingRebalance",
        ),
        (
            group(None, Some("a"), vec![member("a", Some("x"))]),
            "PreparingRebalance",
        ),
        (group(Some("range"), Some("a"), Vec::new()), "Empty"),
    ] {
        let mut host = Host::without_delay();
        let key = unhex("0002000567726f7570");
        let value = value.to_versioned_bytes(3).expect("encodable");
        host.log = vec![CoordinatorRecord {
            key,
            value: Some(value),
        }];
        host.restart();
        assert_eq!(host.describe().group_state, state);
        host.shard.check_invariants();
        // Whatever it is, it comes to rest when nobody turns up, and then it works.
        host.advance(60_000);
        assert_eq!(host.describe().group_state, "Empty");
        let (_, generation) = host.stable(1);
        assert!(generation > 0, "the generation starts over");
    }
}
