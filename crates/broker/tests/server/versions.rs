//! What a client learns before it knows the broker's versions (KIP-511, KIP-584).

use bytes::Bytes;
use ottla_protocol::messages::api_versions_request::ApiVersionsRequest;
use ottla_protocol::messages::api_versions_response::ApiVersionsResponse;
use ottla_protocol::{ApiKey, Message, Reader, Request};
use tokio::io::AsyncWriteExt;

use super::harness::{Client, Server, within};

const UNSUPPORTED_VERSION: i16 = 35;
const INVALID_REQUEST: i16 = 42;

fn request(name: &str, version: &str) -> ApiVersionsRequest {
    ApiVersionsRequest {
        client_software_name: name.to_owned(),
        client_software_version: version.to_owned(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_version_is_answered_in_version_0_and_the_connection_goes_on() {
    let server = Server::start(&[]).await;
    let mut client = server.connect().await;
    // A header of the future: only key, version and correlation id can be relied on.
    let mut frame = 14_i32.to_be_bytes().to_vec();
    frame.extend(ApiVersionsRequest::API_KEY.key().to_be_bytes());
    frame.extend(99_i16.to_be_bytes());
    frame.extend(7_i32.to_be_bytes());
    frame.extend([0xff; 6]);
    client.stream.write_all(&frame).await.unwrap();
    let answer = within(client.frame()).await.unwrap();
    let mut reader = Reader::new(answer);
    assert_eq!(reader.i32().unwrap(), 7);
    let body: Bytes = reader.into_rest();
    let response = ApiVersionsResponse::from_bytes(body, 0).unwrap();
    assert_eq!(response.error_code, UNSUPPORTED_VERSION);
    let [only] = &response.api_keys[..] else {
        panic!("one range, not {}", response.api_keys.len())
    };
    assert_eq!(
        (only.api_key, only.min_version, only.max_version),
        (18, 0, 4)
    );
    let response = client.call(&request("test", "1.0"), only.max_version).await;
    assert_eq!(response.error_code, 0);
    server.node.stop().await.unwrap();
}

/// The ranges and features that are told at a version.
async fn told(client: &mut Client, version: i16) -> ApiVersionsResponse {
    let response = client.call(&request("a-b.c", "1.0"), version).await;
    assert_eq!(response.error_code, 0);
    response
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_tells_the_same_ranges() {
    let server = Server::start(&[]).await;
    let mut client = server.connect().await;
    let newest = told(&mut client, 4).await;
    for version in 0..4 {
        let older = told(&mut client, version).await;
        assert_eq!(older.api_keys, newest.api_keys);
        // Clients before version 4 do not understand a lowest level of 0 (KAFKA-17011).
        assert!(
            older
                .supported_features
                .iter()
                .all(|feature| feature.min_version > 0)
        );
    }
    assert!(!newest.supported_features.is_empty());
    let produce = newest
        .api_keys
        .iter()
        .find(|range| range.api_key == ApiKey::Produce.key());
    // librdkafka takes a broker without Produce 0 for one that cannot compress (KAFKA-18659).
    let produce = produce.map(|range| (range.min_version, range.max_version));
    assert_eq!(produce, Some((0, 13)));
    for (name, software_version) in [("", "1"), ("-a", "1"), ("a", ""), ("a b", "1"), ("a", "1.")] {
        let response = client.call(&request(name, software_version), 3).await;
        assert_eq!(
            response.error_code, INVALID_REQUEST,
            "{name:?} {software_version:?}"
        );
    }
    // Not even Produce 0 is served, though it is told.
    let mut frame = 10_i32.to_be_bytes().to_vec();
    frame.extend([0; 10]);
    client.stream.write_all(&frame).await.unwrap();
    client.expect_end().await;
    server.node.stop().await.unwrap();
}
