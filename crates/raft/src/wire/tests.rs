//! What is said comes back the same from the bytes of Kafka's messages.

use bytes::Bytes;
use ottla_protocol::ids::{BrokerId, LeaderEpoch, Offset};
use ottla_protocol::records::{BatchBuilder, CompressionSpec, Compressor};
use ottla_protocol::wire::Message;
use ottla_protocol::{ErrorCode, Uuid};

use super::*;
use crate::{
    Batch, EpochEnd, FetchRequest, ReplicaKey, Request, Response, ResponseBody, Verdict,
    VoteRequest,
};

const CLUSTER: &str = "4L6g3nShT-eMCtK--X86sw";

fn key(id: i32) -> ReplicaKey {
    ReplicaKey {
        id: BrokerId(id),
        directory_id: Uuid::from_u128(100 + id as u128),
    }
}

fn every_request() -> Vec<Request> {
    let (epoch, leader) = (LeaderEpoch(7), BrokerId(2));
    vec![
        Request::Vote(VoteRequest {
            epoch,
            candidate: key(1),
            voter: key(3),
            last: EpochEnd::new(6, 41),
            pre_vote: true,
        }),
        Request::BeginQuorumEpoch {
            epoch,
            leader,
            voter: key(3),
        },
        Request::EndQuorumEpoch {
            epoch,
            leader,
            preferred_successors: vec![key(3), key(1)],
        },
        Request::Fetch(FetchRequest {
            replica: key(1),
            epoch,
            fetched: EpochEnd::new(6, 41),
            high_watermark: Offset(40),
            max_wait_ms: 500,
        }),
        Request::FetchSnapshot {
            replica: key(1),
            epoch,
            snapshot: EpochEnd::new(5, 30),
            position: 8192,
        },
    ]
}

fn over_bytes<M: Message>(message: &M) -> M {
    let bytes = message.to_bytes(M::MAX_VERSION).unwrap();
    M::from_bytes(bytes, M::MAX_VERSION).unwrap()
}

fn request_over_bytes(request: &Request) -> WireRequest {
    match encode_request(request, CLUSTER, 1 << 20) {
        WireRequest::Vote(message) => WireRequest::Vote(over_bytes(&message)),
        WireRequest::BeginQuorumEpoch(message) => {
            WireRequest::BeginQuorumEpoch(over_bytes(&message))
        }
        WireRequest::EndQuorumEpoch(message) => WireRequest::EndQuorumEpoch(over_bytes(&message)),
        WireRequest::Fetch(message) => WireRequest::Fetch(over_bytes(&message)),
        WireRequest::FetchSnapshot(message) => WireRequest::FetchSnapshot(over_bytes(&message)),
    }
}

fn response_over_bytes(response: &Response, request: &Request) -> WireResponse {
    let request = request_over_bytes(request);
    match encode_response(response, &request, Offset(3)) {
        WireResponse::Vote(message) => WireResponse::Vote(over_bytes(&message)),
        WireResponse::BeginQuorumEpoch(message) => {
            WireResponse::BeginQuorumEpoch(over_bytes(&message))
        }
        WireResponse::EndQuorumEpoch(message) => WireResponse::EndQuorumEpoch(over_bytes(&message)),
        WireResponse::Fetch(message) => WireResponse::Fetch(over_bytes(&message)),
        WireResponse::FetchSnapshot(message) => WireResponse::FetchSnapshot(over_bytes(&message)),
    }
}

fn batch(base_offset: i64) -> Batch {
    let mut builder = BatchBuilder::new(CompressionSpec::None);
    for timestamp in [5, 6] {
        builder
            .append(timestamp, None, Some(b"record"), &[])
            .unwrap();
    }
    let records = builder
        .build(base_offset, 6, &mut Compressor::default())
        .unwrap();
    Batch {
        base_offset: Offset(base_offset),
        end_offset: Offset(base_offset + 2),
        epoch: LeaderEpoch(6),
        records,
    }
}

fn says(body: ResponseBody) -> Response {
    Response {
        verdict: Verdict {
            error: ErrorCode::None,
            epoch: LeaderEpoch(7),
            leader: Some(BrokerId(2)),
        },
        body,
    }
}

#[test]
fn a_request_comes_back_the_same() {
    for request in every_request() {
        let message = request_over_bytes(&request);
        assert_eq!(message.decode(CLUSTER, BrokerId(3)), Ok(request));
    }
}

#[test]
fn a_response_comes_back_the_same() {
    let [vote, begin, end, fetch, fetch_snapshot] = every_request().try_into().unwrap();
    let check = |request: &Request, body: ResponseBody| {
        let response = says(body);
        assert_eq!(
            response_over_bytes(&response, request).decode(),
            Ok(response)
        );
    };
    check(&vote, ResponseBody::Vote { granted: true });
    check(&vote, ResponseBody::Vote { granted: false });
    check(&begin, ResponseBody::Empty);
    check(&end, ResponseBody::Empty);
    for (high_watermark, batches) in [
        (None, Vec::new()),
        (Some(Offset(44)), vec![batch(41), batch(43)]),
    ] {
        let body = ResponseBody::Records {
            high_watermark,
            batches,
        };
        check(&fetch, body);
    }
    check(&fetch, ResponseBody::Diverging(EpochEnd::new(5, 30)));
    check(&fetch, ResponseBody::Snapshot(EpochEnd::new(5, 30)));
    let chunk = ResponseBody::SnapshotChunk {
        snapshot: EpochEnd::new(5, 30),
        position: 8192,
        size_bytes: 8195,
        bytes: Bytes::from_static(b"end"),
    };
    check(&fetch_snapshot, chunk);
}

#[test]
fn a_refusal_says_who_leads() {
    for request in every_request() {
        let mut response = says(ResponseBody::Empty);
        response.verdict.error = ErrorCode::FencedLeaderEpoch;
        let decoded = response_over_bytes(&response, &request).decode().unwrap();
        assert_eq!(decoded.verdict, response.verdict);
        response.verdict.leader = None;
        let decoded = response_over_bytes(&response, &request).decode().unwrap();
        assert_eq!(decoded.verdict.leader, None);
    }
}

#[test]
fn another_cluster_is_refused_and_none_is_believed() {
    for request in every_request() {
        let message = request_over_bytes(&request);
        let error = message.decode("another", BrokerId(3)).unwrap_err();
        assert_eq!(error.error_code(), ErrorCode::InconsistentClusterId);
    }
    let WireRequest::Vote(mut message) = request_over_bytes(&every_request()[0]) else {
        unreachable!("the first is a Vote");
    };
    message.cluster_id = None;
    message.voter_id = -1;
    let decoded = WireRequest::Vote(message).decode(CLUSTER, BrokerId(3));
    assert_eq!(decoded.as_ref(), Ok(&every_request()[0]));
}

#[test]
fn another_partition_is_refused() {
    let WireRequest::Fetch(message) = request_over_bytes(&every_request()[3]) else {
        unreachable!("the fourth is a Fetch");
    };
    let check = |change: &dyn Fn(&mut ottla_protocol::messages::FetchRequest)| {
        let mut changed = message.clone();
        change(&mut changed);
        let decoded = WireRequest::Fetch(changed).decode(CLUSTER, BrokerId(3));
        assert_eq!(decoded, Err(WireError::NotMetadataLog));
    };
    check(&|fetch| fetch.topics.clear());
    check(&|fetch| fetch.topics[0].partitions.clear());
    check(&|fetch| fetch.topics[0].partitions[0].partition = 1);
    check(&|fetch| fetch.topics[0] = Default::default());
    check(&|fetch| fetch.topics.push(Default::default()));
}

#[test]
fn a29_a_damaged_batch_is_not_taken() {
    let fetch = &every_request()[3];
    let mut damaged = batch(41);
    let mut bytes = damaged.records.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    damaged.records = bytes.into();
    let response = says(ResponseBody::Records {
        high_watermark: None,
        batches: vec![batch(39), damaged],
    });
    let decoded = response_over_bytes(&response, fetch).decode();
    assert!(matches!(decoded, Err(WireError::Batch(_))));
}

#[test]
fn a_cut_batch_is_left_for_the_next_fetch() {
    let fetch = &every_request()[3];
    let mut cut = batch(43);
    cut.records = cut.records.slice(..cut.records.len() - 1);
    let response = says(ResponseBody::Records {
        high_watermark: None,
        batches: vec![batch(41), cut],
    });
    let whole = says(ResponseBody::Records {
        high_watermark: None,
        batches: vec![batch(41)],
    });
    assert_eq!(response_over_bytes(&response, fetch).decode(), Ok(whole));
}

#[test]
fn a_whole_message_that_is_refused_says_nothing() {
    let message = ottla_protocol::messages::VoteResponse {
        error_code: ErrorCode::InconsistentClusterId.code(),
        ..Default::default()
    };
    let refused = WireError::Refused(ErrorCode::InconsistentClusterId);
    assert_eq!(WireResponse::Vote(message).decode(), Err(refused));
}
