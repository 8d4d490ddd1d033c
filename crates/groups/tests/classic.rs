//! The classic protocol, scenario by scenario.

mod harness;

use harness::{
    GROUP, Host, REBALANCE_MS, SESSION_MS, assignments, code, join_request, own_assignment,
    protocol, static_join_request, subscription, sync_request,
};
use ottla_groups::{GroupConfig, Timer};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::leave_group_request::MemberIdentity;
use ottla_protocol::messages::{
    JoinGroupRequest, LeaveGroupRequest, ListGroupsRequest, SyncGroupRequest,
};

fn state(host: &Host) -> String {
    host.describe().group_state
}

/// A stable group of two static members, `a` the leader; their member ids.
fn static_pair(host: &mut Host) -> (String, String) {
    let a = host.join(9, &static_join_request("", "a"));
    let b = host.join(9, &static_join_request("", "b"));
    host.advance(3_000);
    host.advance(3_000);
    let (a, b) = (host.joined(&a), host.joined(&b));
    assert_eq!(
        (a.generation_id, &a.leader, b.members.len()),
        (1, &a.member_id, 0)
    );
    let waiting = host.sync(&sync_request(&b.member_id, 1, Vec::new()));
    let ids = [a.member_id.clone(), b.member_id.clone()];
    assert!(
        host.sync(&sync_request(&a.member_id, 1, assignments(&ids)))
            .is_ok()
    );
    assert_eq!(
        host.synced(&waiting).assignment,
        own_assignment(&b.member_id)
    );
    (a.member_id, b.member_id)
}

#[test]
fn joins_that_are_refused_leave_no_group() {
    let base = join_request("");
    let cases: Vec<(&str, JoinGroupRequest, ErrorCode)> = vec![
        (
            "no group id",
            JoinGroupRequest {
                group_id: String::new(),
                ..base.clone()
            },
            ErrorCode::InvalidGroupId,
        ),
        (
            "session too short",
            JoinGroupRequest {
                session_timeout_ms: 5_999,
                ..base.clone()
            },
            ErrorCode::InvalidSessionTimeout,
        ),
        (
            "session too long",
            JoinGroupRequest {
                session_timeout_ms: 1_800_001,
                ..base.clone()
            },
            ErrorCode::InvalidSessionTimeout,
        ),
        (
            "no protocols",
            JoinGroupRequest {
                protocols: Vec::new(),
                ..base.clone()
            },
            ErrorCode::InconsistentGroupProtocol,
        ),
        (
            "no protocol type",
            JoinGroupRequest {
                protocol_type: String::new(),
                ..base.clone()
            },
            ErrorCode::InconsistentGroupProtocol,
        ),
        (
            "unknown member",
            JoinGroupRequest {
                member_id: "who".into(),
                ..base.clone()
            },
            ErrorCode::UnknownMemberId,
        ),
        (
            "id too long to store",
            JoinGroupRequest {
                group_instance_id: Some("x".repeat(32_767)),
                ..base
            },
            ErrorCode::InvalidRequest,
        ),
    ];
    for (what, request, expected) in cases {
        let mut host = Host::new();
        let response = host.join(9, &request).expect("refused at once");
        assert_eq!(code(response.error_code), expected, "{what}");
        assert_eq!(
            (response.generation_id, response.member_id),
            (-1, request.member_id),
            "{what}"
        );
        assert!(
            host.log.is_empty()
                && host
                    .shard
                    .list_groups(&ListGroupsRequest::default())
                    .is_empty(),
            "{what}"
        );
    }
}

/// KIP-394.
#[test]
fn a_dynamic_member_is_given_its_id_first() {
    for (api_version, instance, asked_back) in [
        (0, None, false),
        (3, None, false),
        (4, None, true),
        (9, None, true),
        (5, Some("static"), false),
    ] {
        let mut host = Host::new();
        let request = JoinGroupRequest {
            group_instance_id: instance.map(str::to_owned),
            ..join_request("")
        };
        let answer = host.join(api_version, &request);
        let asked = answer
            .as_ref()
            .is_ok_and(|r| code(r.error_code) == ErrorCode::MemberIdRequired);
        assert_eq!(asked, asked_back, "version {api_version}");
        let prefix = format!("{}-", instance.unwrap_or("client"));
        if let Ok(response) = answer {
            assert!(
                response.member_id.starts_with(&prefix)
                    && response.member_id.len() == prefix.len() + 36
            );
            assert_eq!(
                response.protocol_name,
                (api_version < 7).then(String::new),
                "version {api_version}"
            );
        }
        assert_eq!(host.log.len(), 1, "the group is known from now on");
    }
}

#[test]
fn a_pending_member_expires() {
    let mut host = Host::without_delay();
    let pending = host
        .join(9, &join_request(""))
        .expect("MEMBER_ID_REQUIRED")
        .member_id;
    host.advance(SESSION_MS - 1);
    assert!(
        host.join(9, &join_request(&pending)).is_err(),
        "still known"
    );
    let mut host = Host::without_delay();
    let pending = host
        .join(9, &join_request(""))
        .expect("MEMBER_ID_REQUIRED")
        .member_id;
    host.advance(SESSION_MS);
    let response = host.join(9, &join_request(&pending)).expect("refused");
    assert_eq!(code(response.error_code), ErrorCode::UnknownMemberId);
}

/// The others wait for a pending member, but not longer than its session.
#[test]
fn a_pending_member_that_stays_away_does_not_hold_up_the_others() {
    let mut host = Host::new();
    let (ids, generation) = host.stable(1);
    host.join(9, &join_request("")).expect("MEMBER_ID_REQUIRED");
    let rejoin = host.join(9, &join_request(&ids[0]));
    assert_eq!(state(&host), "PreparingRebalance");
    host.advance(SESSION_MS);
    assert_eq!(host.joined(&rejoin).generation_id, generation + 1);
}

#[test]
fn the_first_rebalance_waits_and_is_extended_by_new_members() {
    let mut host = Host::new();
    let (_, first) = host.join_dynamic();
    host.advance(2_999);
    assert_eq!(state(&host), "PreparingRebalance");
    let (_, second) = host.join_dynamic();
    host.advance(1);
    assert_eq!(
        state(&host),
        "PreparingRebalance",
        "somebody came during the delay"
    );
    host.advance(2_999);
    assert_eq!(state(&host), "PreparingRebalance");
    host.advance(1);
    assert_eq!(state(&host), "CompletingRebalance");
    let (first, second) = (host.joined(&first), host.joined(&second));
    assert_eq!((first.generation_id, second.generation_id), (1, 1));
    assert_eq!(first.members.len(), 2, "the leader is the first to come");
    assert_eq!((second.members.len(), second.leader), (0, first.member_id));
}

#[test]
fn the_extension_ends_with_the_rebalance_timeout() {
    let mut host = Host::new();
    let request = JoinGroupRequest {
        rebalance_timeout_ms: 7_000,
        ..join_request("")
    };
    let first = host.join(3, &request);
    for _ in 0..3 {
        host.advance(2_000);
        assert!(host.join(3, &request).is_err());
    }
    assert_eq!(state(&host), "PreparingRebalance");
    host.advance(1_000);
    assert_eq!(host.joined(&first).members.len(), 4);
}

#[test]
fn version_0_rebalances_within_the_session_timeout() {
    let mut host = Host::without_delay();
    assert!(
        host.join(
            0,
            &JoinGroupRequest {
                rebalance_timeout_ms: -1,
                ..join_request("")
            }
        )
        .is_err()
    );
    host.advance(0);
    assert_eq!(
        host.timers.get(&Timer::Sync {
            group_id: GROUP.into()
        }),
        Some(&(host.now + SESSION_MS))
    );
}

#[test]
fn the_protocol_is_the_one_most_members_prefer_among_those_all_support() {
    let cases: &[(&[&[&str]], &str)] = &[
        (
            &[
                &["range", "sticky"],
                &["sticky", "range"],
                &["sticky", "range"],
            ],
            "sticky",
        ),
        (&[&["range", "sticky"], &["sticky"]], "sticky"),
        (&[&["a", "b", "c"], &["c", "b"], &["b"]], "b"),
        (&[&["range", "sticky"], &["sticky", "range"]], "range"),
    ];
    for (members, expected) in cases {
        let mut host = Host::new();
        let answers: Vec<_> = members
            .iter()
            .map(|names| {
                let protocols = names
                    .iter()
                    .map(|name| protocol(name, subscription(name)))
                    .collect();
                host.join(
                    3,
                    &JoinGroupRequest {
                        protocols,
                        ..join_request("")
                    },
                )
            })
            .collect();
        host.advance(3_000);
        host.advance(3_000);
        let leader = host.joined(&answers[0]);
        assert_eq!(leader.protocol_name.as_deref(), Some(*expected));
        assert_eq!(leader.members.len(), members.len());
        assert!(
            leader
                .members
                .iter()
                .all(|member| member.metadata == subscription(expected))
        );
    }
}

#[test]
fn a_member_with_other_protocols_is_refused() {
    let mut host = Host::new();
    host.stable(1);
    for (what, request) in [
        (
            "protocol",
            JoinGroupRequest {
                protocols: vec![protocol("x", subscription("orders"))],
                ..join_request("")
            },
        ),
        (
            "type",
            JoinGroupRequest {
                protocol_type: "connect".into(),
                ..join_request("")
            },
        ),
    ] {
        let response = host.join(9, &request).expect("refused");
        assert_eq!(
            code(response.error_code),
            ErrorCode::InconsistentGroupProtocol,
            "{what}"
        );
    }
    assert_eq!(state(&host), "Stable");
}

#[test]
fn a_full_group_takes_no_more_members() {
    let mut host = Host::with(GroupConfig {
        group_max_size: 2,
        ..Default::default()
    });
    let (ids, _) = host.stable(2);
    let response = host.join(9, &join_request("")).expect("refused");
    assert_eq!(
        (code(response.error_code), response.member_id.as_str()),
        (ErrorCode::GroupMaxSizeReached, "")
    );
    assert!(
        host.join(9, &join_request(&ids[0])).is_err(),
        "members come back"
    );
}

#[test]
fn a_group_loaded_over_its_maximum_shrinks() {
    let mut host = Host::new();
    let (ids, _) = host.stable(3);
    host.config.group_max_size = 2;
    host.restart();
    assert_eq!(state(&host), "PreparingRebalance");
    let answers: Vec<_> = ids
        .iter()
        .map(|id| host.join(9, &join_request(id)))
        .collect();
    let refused = answers[2].as_ref().expect("the last one is out");
    assert_eq!(code(refused.error_code), ErrorCode::GroupMaxSizeReached);
    assert_eq!(host.joined(&answers[0]).members.len(), 2);
}

#[test]
fn heartbeats_and_syncs_say_what_is_wrong() {
    let mut host = Host::new();
    let (ids, generation) = host.stable(2);
    let sync = |host: &mut Host, id: &str, generation| {
        code(
            host.sync(&sync_request(id, generation, Vec::new()))
                .expect("answered")
                .error_code,
        )
    };
    for (id, gen_, expected) in [
        (ids[0].as_str(), generation, ErrorCode::None),
        ("who", generation, ErrorCode::UnknownMemberId),
        ("", generation, ErrorCode::UnknownMemberId),
        (&ids[0], generation - 1, ErrorCode::IllegalGeneration),
        (&ids[0], generation + 1, ErrorCode::IllegalGeneration),
    ] {
        assert_eq!(
            host.heartbeat(id, gen_),
            expected,
            "heartbeat of {id:?} at {gen_}"
        );
        assert_eq!(
            sync(&mut host, id, gen_),
            expected,
            "sync of {id:?} at {gen_}"
        );
    }
    for (protocol_type, protocol_name, expected) in [
        (Some("consumer"), Some("range"), ErrorCode::None),
        (None, None, ErrorCode::None),
        (
            Some("connect"),
            Some("range"),
            ErrorCode::InconsistentGroupProtocol,
        ),
        (
            Some("consumer"),
            Some("sticky"),
            ErrorCode::InconsistentGroupProtocol,
        ),
    ] {
        let request = SyncGroupRequest {
            protocol_type: protocol_type.map(str::to_owned),
            protocol_name: protocol_name.map(str::to_owned),
            ..sync_request(&ids[1], generation, Vec::new())
        };
        assert_eq!(
            code(host.sync(&request).expect("answered").error_code),
            expected
        );
    }
    assert!(
        host.join(9, &join_request(&ids[0])).is_err(),
        "the leader rebalances by joining"
    );
    assert_eq!(
        host.heartbeat(&ids[1], generation),
        ErrorCode::RebalanceInProgress
    );
    assert_eq!(
        sync(&mut host, &ids[1], generation),
        ErrorCode::RebalanceInProgress
    );
    let mut empty = Host::new();
    assert_eq!(empty.heartbeat("who", 0), ErrorCode::UnknownMemberId);
    assert_eq!(sync(&mut empty, "who", 0), ErrorCode::UnknownMemberId);
}

#[test]
fn members_that_fall_silent_are_out() {
    let mut host = Host::new();
    let (ids, generation) = host.stable(2);
    host.advance(SESSION_MS - 1);
    assert_eq!(host.heartbeat(&ids[0], generation), ErrorCode::None);
    host.advance(1);
    assert_eq!(state(&host), "PreparingRebalance", "the other one is gone");
    assert_eq!(
        host.heartbeat(&ids[1], generation),
        ErrorCode::UnknownMemberId
    );
    let rejoin = host.join(9, &join_request(&ids[0]));
    assert_eq!(host.joined(&rejoin).generation_id, generation + 1);
}

#[test]
fn a_member_that_does_not_rejoin_is_out_after_the_rebalance_timeout() {
    let mut host = Host::new();
    let (ids, generation) = host.stable(2);
    let rejoin = host.join(9, &join_request(&ids[0]));
    // It goes on sending heartbeats but does not join.
    for _ in 0..11 {
        host.advance(5_000);
        assert_eq!(
            host.heartbeat(&ids[1], generation),
            ErrorCode::RebalanceInProgress
        );
    }
    host.advance(5_000);
    let response = host.joined(&rejoin);
    assert_eq!(
        (response.generation_id, response.members.len()),
        (generation + 1, 1)
    );
    assert_eq!(
        host.heartbeat(&ids[1], generation),
        ErrorCode::UnknownMemberId
    );
}

#[test]
fn a_member_that_does_not_sync_is_out_after_the_rebalance_timeout() {
    let mut host = Host::new();
    let (leader, first) = host.join_dynamic();
    let (_, second) = host.join_dynamic();
    host.advance(6_000);
    let generation = host.joined(&first).generation_id;
    let follower = host.joined(&second).member_id;
    let waiting = host.sync(&sync_request(&follower, generation, Vec::new()));
    for _ in 0..13 {
        host.advance(5_000);
        host.heartbeat(&leader, generation);
    }
    assert_eq!(
        code(host.synced(&waiting).error_code),
        ErrorCode::RebalanceInProgress
    );
    assert_eq!(
        host.heartbeat(&leader, generation),
        ErrorCode::UnknownMemberId
    );
}

/// A connection that dies while its JoinGroup is parked must not hold up the group for ever.
#[test]
fn a_new_member_whose_join_is_parked_expires() {
    let mut host = Host::new();
    let (ids, generation) = host.stable(1);
    let (_, parked) = host.join_dynamic();
    let mut waited = 0;
    while waited < 59_000 {
        host.advance(5_000);
        waited += 5_000;
        host.heartbeat(&ids[0], generation);
    }
    host.advance(SESSION_MS);
    assert_eq!(host.joined(&parked).generation_id, generation + 1);
    // Nobody is behind the answer.
    host.advance(SESSION_MS);
    assert_eq!(state(&host), "Empty");
    assert!(host.parked.is_empty());
}

#[test]
fn a_join_that_comes_twice_answers_both() {
    let mut host = Host::new();
    let (member_id, first) = host.join_dynamic();
    let second = host.join(9, &join_request(&member_id));
    assert_eq!(
        code(host.joined(&first).error_code),
        ErrorCode::RebalanceInProgress
    );
    host.advance(6_000);
    assert_eq!(host.joined(&second).generation_id, 1);
}

#[test]
fn rejoining_tells_again_or_rebalances() {
    let mut host = Host::new();
    let (ids, generation) = host.stable(2);
    let told = host
        .join(9, &join_request(&ids[1]))
        .expect("a follower without changes");
    assert_eq!(
        (told.generation_id, told.members.len(), &told.leader),
        (generation, 0, &ids[0])
    );
    assert_eq!(state(&host), "Stable");
    let changed = JoinGroupRequest {
        protocols: vec![protocol("range", subscription("x"))],
        ..join_request(&ids[1])
    };
    assert!(
        host.join(9, &changed).is_err(),
        "a follower with another subscription"
    );
    let leader = host.join(9, &join_request(&ids[0]));
    let leader = host.joined(&leader);
    assert_eq!(
        (leader.generation_id, leader.members.len()),
        (generation + 1, 2)
    );
    let told = host
        .join(9, &join_request(&ids[0]))
        .expect("the assignment is awaited");
    assert_eq!(
        (told.generation_id, told.members.len()),
        (generation + 1, 2)
    );
    assert_eq!(state(&host), "CompletingRebalance");
}

#[test]
fn leaving_starts_a_rebalance() {
    let mut host = Host::new();
    let (ids, generation) = host.stable(2);
    let response = host.leave(&ids[0], None);
    assert_eq!(
        (response.error_code, response.members[0].error_code),
        (0, 0)
    );
    assert_eq!(state(&host), "PreparingRebalance");
    let rejoin = host.join(9, &join_request(&ids[1]));
    let response = host.joined(&rejoin);
    assert_eq!(
        (response.generation_id, &response.leader),
        (generation + 1, &ids[1]),
        "another one leads"
    );
    host.leave(&ids[1], None);
    assert_eq!(state(&host), "Empty");
    assert_eq!(
        code(host.leave(&ids[1], None).members[0].error_code),
        ErrorCode::UnknownMemberId
    );
}

#[test]
fn leaving_is_answered_as_the_version_wants() {
    let mut host = Host::new();
    let (ids, _) = host.stable(1);
    for (member_id, expected) in [
        ("who", ErrorCode::UnknownMemberId),
        (&ids[0], ErrorCode::None),
    ] {
        let ctx = host.context(2, "client");
        let request = LeaveGroupRequest {
            group_id: GROUP.into(),
            member_id: member_id.into(),
            ..Default::default()
        };
        let decision = host.shard.leave_group(&ctx, &request);
        let response = host.run(decision).expect("never parked");
        assert_eq!(
            (code(response.error_code), response.members.len()),
            (expected, 0)
        );
    }
}

#[test]
fn an_administrator_removes_static_members_by_instance() {
    let mut host = Host::new();
    let (_, b) = static_pair(&mut host);
    let member = |member_id: &str, instance: Option<&str>| MemberIdentity {
        member_id: member_id.into(),
        group_instance_id: instance.map(str::to_owned),
        ..Default::default()
    };
    let members = vec![
        member("", Some("a")),
        member("", Some("c")),
        member("", None),
        member("who", Some("b")),
    ];
    let ctx = host.context(5, "admin");
    let request = LeaveGroupRequest {
        group_id: GROUP.into(),
        members,
        ..Default::default()
    };
    let decision = host.shard.leave_group(&ctx, &request);
    let response = host.run(decision).expect("never parked");
    let codes: Vec<ErrorCode> = response
        .members
        .iter()
        .map(|member| code(member.error_code))
        .collect();
    let unknown = ErrorCode::UnknownMemberId;
    assert_eq!(
        codes,
        [
            ErrorCode::None,
            unknown,
            unknown,
            ErrorCode::FencedInstanceId
        ]
    );
    assert_eq!(state(&host), "PreparingRebalance");
    assert_eq!(host.describe().members[0].member_id, b);
}

/// KIP-345, KIP-814.
#[test]
fn a_static_member_comes_back_without_a_rebalance() {
    for (api_version, skips) in [(8, false), (9, true)] {
        let mut host = Host::new();
        let (a, b) = static_pair(&mut host);
        let records = host.log.len();
        let response = host
            .join(api_version, &static_join_request("", "a"))
            .expect("at once");
        assert_eq!(
            (code(response.error_code), response.generation_id),
            (ErrorCode::None, 1)
        );
        assert_ne!(response.member_id, a);
        assert_eq!(
            (response.skip_assignment, response.members.len()),
            (skips, if skips { 2 } else { 0 })
        );
        assert_eq!(
            response.leader,
            if skips {
                response.member_id.clone()
            } else {
                a.clone()
            },
            "{api_version}"
        );
        assert_eq!(
            (state(&host).as_str(), host.log.len()),
            ("Stable", records + 1)
        );
        let assigned = host
            .sync(&sync_request(&response.member_id, 1, Vec::new()))
            .expect("at once");
        assert_eq!(
            assigned.assignment,
            own_assignment(&a),
            "it keeps the assignment"
        );
        // The old one is fenced where it names its instance, and unknown where it does not.
        let mut old = static_join_request(&a, "a");
        assert_eq!(
            code(host.join(9, &old).expect("fenced").error_code),
            ErrorCode::FencedInstanceId
        );
        old.group_instance_id = None;
        assert_eq!(
            code(host.join(9, &old).expect("unknown").error_code),
            ErrorCode::UnknownMemberId
        );
        let follower = host
            .join(9, &static_join_request("", "b"))
            .expect("at once");
        assert!(
            !follower.skip_assignment && follower.members.is_empty() && follower.member_id != b
        );
        host.restart();
        assert_eq!(state(&host), "Stable");
        assert_eq!(
            host.heartbeat(&follower.member_id, 1),
            ErrorCode::None,
            "the new id was written"
        );
    }
}

#[test]
fn what_a_static_member_says_of_itself_is_updated() {
    let mut host = Host::new();
    static_pair(&mut host);
    host.client_id = "renamed".into();
    let mut request = static_join_request("", "a");
    request.session_timeout_ms = 30_000;
    request.protocols = vec![protocol("range", subscription("payments"))];
    let response = host.join(9, &request).expect("at once");
    let timer = Timer::Session {
        group_id: GROUP.into(),
        member_id: response.member_id.clone(),
    };
    assert_eq!(host.timers.get(&timer), Some(&(host.now + 30_000)));
    let group = host.describe();
    let member = group
        .members
        .iter()
        .find(|member| member.member_id == response.member_id)
        .expect("a member");
    assert_eq!(
        (member.client_id.as_str(), &member.member_metadata),
        ("renamed", &subscription("payments"))
    );
}

/// KAFKA-9801: the leader may be assigning to the old member id.
#[test]
fn a_static_member_that_comes_back_while_the_assignment_is_awaited_rebalances() {
    let mut host = Host::new();
    let a = host.join(9, &static_join_request("", "a"));
    let b = host.join(9, &static_join_request("", "b"));
    host.advance(6_000);
    let (a, b) = (host.joined(&a).member_id, host.joined(&b).member_id);
    let waiting = host.sync(&sync_request(&b, 1, Vec::new()));
    let back = host.join(9, &static_join_request("", "b"));
    assert_eq!(
        code(host.synced(&waiting).error_code),
        ErrorCode::FencedInstanceId
    );
    assert_eq!(state(&host), "PreparingRebalance");
    let leader = host.join(9, &static_join_request(&a, "a"));
    assert_eq!(host.joined(&leader).generation_id, 2);
    assert_eq!(host.joined(&back).generation_id, 2);
}

#[test]
fn a_static_member_that_comes_back_while_it_joins_fences_itself() {
    let mut host = Host::new();
    let first = host.join(9, &static_join_request("", "a"));
    let second = host.join(9, &static_join_request("", "a"));
    let fenced = host.joined(&first);
    assert_eq!(
        (code(fenced.error_code), fenced.protocol_name),
        (ErrorCode::FencedInstanceId, None)
    );
    host.advance(6_000);
    assert_eq!(host.joined(&second).members.len(), 1);
}

#[test]
fn a_static_member_away_for_less_than_its_session_stays_in_the_next_generation() {
    let mut host = Host::new();
    let (a, b) = static_pair(&mut host);
    let request = JoinGroupRequest {
        rebalance_timeout_ms: 1_000,
        ..static_join_request(&a, "a")
    };
    let request_b = JoinGroupRequest {
        rebalance_timeout_ms: 1_000,
        ..static_join_request(&b, "b")
    };
    assert!(host.join(9, &request).is_err());
    let again = host.join(9, &request_b);
    assert!(again.is_err() || host.joined(&again).generation_id == 2);
    assert!(
        host.join(9, &request)
            .is_ok_and(|told| told.generation_id == 2)
    );
    host.sync(&sync_request(&a, 2, assignments(&[a.clone(), b.clone()])))
        .expect("the leader");
    host.sync(&sync_request(&b, 2, Vec::new())).expect("stable");
    let leader = host.join(9, &request);
    host.advance(1_000);
    let response = host.joined(&leader);
    assert_eq!(
        (response.generation_id, response.members.len()),
        (3, 2),
        "b did not join but has not expired"
    );
}

#[test]
fn a_restart_in_the_middle_of_a_rebalance_orphans_nothing() {
    let mut host = Host::new();
    let (ids, generation) = host.stable(3);
    // One leaves, the others join, the leader knows its assignment, and the broker is gone.
    host.leave(&ids[2], None);
    let answers: Vec<_> = ids[..2]
        .iter()
        .map(|id| host.join(9, &join_request(id)))
        .collect();
    assert_eq!(host.joined(&answers[0]).generation_id, generation + 1);
    let waiting = host.sync(&sync_request(&ids[1], generation + 1, Vec::new()));
    host.restart();
    assert_eq!(
        code(host.synced(&waiting).error_code),
        ErrorCode::NotCoordinator
    );
    for id in &ids[..2] {
        assert_eq!(
            host.heartbeat(id, generation + 1),
            ErrorCode::IllegalGeneration
        );
    }
    // The clients join again; the third is waited for until its session ends, then the rest shares its partitions.
    let answers: Vec<_> = ids[..2]
        .iter()
        .map(|id| host.join(9, &join_request(id)))
        .collect();
    host.advance(SESSION_MS);
    let leader = answers
        .iter()
        .map(|answer| host.joined(answer))
        .find(|response| !response.members.is_empty());
    assert_eq!(leader.map_or(0, |leader| leader.members.len()), 2);
    assert_eq!(state(&host), "CompletingRebalance");
}

#[test]
fn parked_requests_are_answered_when_the_coordinator_moves() {
    let mut host = Host::new();
    let (_, parked) = host.join_dynamic();
    host.restart();
    let response = host.joined(&parked);
    assert_eq!(code(response.error_code), ErrorCode::NotCoordinator);
}

/// A failed append leaves everything as it was, and the timer that led to it comes again.
#[test]
fn a_failed_append_changes_nothing() {
    let mut host = Host::new();
    host.append_error = Some(ErrorCode::NotEnoughReplicas);
    let response = host.join(3, &join_request("")).expect("refused");
    assert_eq!(
        code(response.error_code),
        ErrorCode::CoordinatorNotAvailable
    );
    assert_eq!(state(&host), "Dead", "no group came to be");
    host.append_error = None;

    let (leader, first) = host.join_dynamic();
    let (follower, _) = host.join_dynamic();
    host.advance(6_000);
    assert_eq!(host.joined(&first).generation_id, 1);
    let waiting = host.sync(&sync_request(&follower, 1, Vec::new()));
    let ids = [leader.clone(), follower.clone()];
    host.append_error = Some(ErrorCode::NotLeaderOrFollower);
    let failed = host
        .sync(&sync_request(&leader, 1, assignments(&ids)))
        .expect("answered");
    assert_eq!(code(failed.error_code), ErrorCode::NotCoordinator);
    assert_eq!(
        (state(&host).as_str(), host.parked.len()),
        ("CompletingRebalance", 1)
    );
    host.append_error = None;
    host.sync(&sync_request(&leader, 1, assignments(&ids)))
        .expect("the leader tries again");
    assert_eq!(host.synced(&waiting).assignment, own_assignment(&follower));

    host.append_error = Some(ErrorCode::KafkaStorageError);
    let records = host.log.len();
    let failed = host.join(9, &join_request(&leader));
    assert!(failed.is_err(), "starting a rebalance writes nothing");
    host.leave(&leader, None);
    host.advance(4 * REBALANCE_MS);
    assert_eq!(host.log.len(), records);
    assert_ne!(state(&host), "Empty");
    host.append_error = None;
    host.advance(4 * REBALANCE_MS);
    assert_eq!(state(&host), "Empty");
}

#[test]
fn groups_are_listed_by_state_and_type() {
    let mut host = Host::new();
    host.stable(1);
    let mut commit = harness::commit_request("", -1, "orders", 1);
    commit.group_id = "simple".into();
    assert_eq!(host.commit_request(9, &commit), ErrorCode::None);
    for (states, types, expected) in [
        (vec![], vec![], vec!["group", "simple"]),
        (vec!["Stable"], vec![], vec!["group"]),
        (vec![" stable ", "EMPTY"], vec![], vec!["group", "simple"]),
        (vec!["Empty"], vec!["Classic"], vec!["simple"]),
        (vec![], vec!["consumer"], vec![]),
        (vec!["nonsense"], vec![], vec![]),
        (vec![], vec!["nonsense"], vec![]),
    ] {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let request = ListGroupsRequest {
            states_filter: owned(&states),
            types_filter: owned(&types),
            ..Default::default()
        };
        let listed: Vec<String> = host
            .shard
            .list_groups(&request)
            .into_iter()
            .map(|group| group.group_id)
            .collect();
        assert_eq!(listed, expected, "{states:?} {types:?}");
    }
}

#[test]
fn groups_are_described() {
    let mut host = Host::new();
    let (ids, _) = host.stable(1);
    let group = host.describe();
    assert_eq!(
        (group.protocol_type.as_str(), group.protocol_data.as_str()),
        ("consumer", "range")
    );
    let member = &group.members[0];
    assert_eq!(
        (&member.member_id, member.client_id.as_str()),
        (&ids[0], "client")
    );
    assert_eq!(member.client_host, "/127.0.0.1");
    assert_eq!(
        (&member.member_metadata, &member.member_assignment),
        (&subscription("orders"), &own_assignment(&ids[0]))
    );
    assert!(
        host.join(9, &join_request("")).is_ok(),
        "somebody is asked to come back"
    );
    assert!(host.join(9, &join_request(&ids[0])).is_err());
    let group = host.describe();
    assert_eq!(
        (group.group_state.as_str(), group.protocol_data.as_str()),
        ("PreparingRebalance", "")
    );
    assert!(group.members[0].member_metadata.is_empty());
    for (api_version, error) in [
        (0, ErrorCode::None),
        (5, ErrorCode::None),
        (6, ErrorCode::GroupIdNotFound),
    ] {
        let unknown = host
            .shard
            .describe_groups(api_version, &["nobody".to_owned()])
            .remove(0);
        assert_eq!(
            (unknown.group_state.as_str(), code(unknown.error_code)),
            ("Dead", error)
        );
        assert_eq!(
            unknown.error_message.is_some(),
            error == ErrorCode::GroupIdNotFound
        );
    }
}

#[test]
fn clients_that_never_come_back_are_bounded() {
    let mut host = Host::new();
    for _ in 0..ottla_groups::MAX_PENDING_MEMBERS {
        host.join(9, &join_request("")).expect("asked to come back");
    }
    let pending = host
        .timers
        .keys()
        .filter(|timer| matches!(timer, Timer::Session { .. }))
        .count();
    assert_eq!(pending, ottla_groups::MAX_PENDING_MEMBERS);
    let refused = host.join(9, &join_request("")).expect("refused");
    assert_eq!(
        code(refused.error_code),
        ErrorCode::CoordinatorLoadInProgress
    );
    host.advance(SESSION_MS);
    host.join_dynamic().1.expect_err("there is room again");
}
