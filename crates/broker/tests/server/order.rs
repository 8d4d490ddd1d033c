//! Answers come in the order of their requests, and no request waits for an answer before it.

use std::time::Duration;

use ottla_protocol::messages::api_versions_request::ApiVersionsRequest;
use ottla_protocol::messages::fetch_request::FetchRequest;
use ottla_protocol::messages::metadata_request::MetadataRequest;
use ottla_protocol::messages::produce_request::ProduceRequest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::harness::{BY_NAME, Server, fetch, frame, produce, within};

/// Longer than a test may take: a request that waits this long has not been woken.
const FOREVER: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread")]
async fn a_request_runs_while_those_before_it_wait() {
    let server = Server::start(&[]).await;
    let mut client = server.connect().await;
    client.create_topic("t").await;
    // The Fetch can only end by the Produce behind it on the same connection.
    let fetched = client.send(&fetch("t", 0, FOREVER), BY_NAME).await;
    let produced = client.send(&produce("t", b"value", 1), BY_NAME).await;
    let described = client.send(&MetadataRequest::default(), 12).await;
    let answer = client.receive::<FetchRequest>(BY_NAME, fetched).await;
    let records = answer.responses[0].partitions[0].records.as_ref().unwrap();
    assert!(!records.is_empty());
    let answer = client.receive::<ProduceRequest>(BY_NAME, produced).await;
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    client.receive::<MetadataRequest>(12, described).await;
    server.node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_pipelined_requests_are_answered_in_order() {
    const REQUESTS: i32 = 500;
    let server = Server::start(&[]).await;
    let mut client = server.connect().await;
    client.create_topic("t").await;
    let mut bytes = Vec::new();
    for id in 0..REQUESTS {
        // Some wait, some do not, and one that waits forever is woken by the Produce after it.
        bytes.extend(match id % 3 {
            0 => frame(&fetch("t", i64::from(id / 3), FOREVER), BY_NAME, id),
            1 => frame(&produce("t", &[b'v'; 1000], 1), BY_NAME, id),
            _ => frame(&MetadataRequest::default(), 12, id),
        });
    }
    // The last Fetch must not be left without a Produce.
    bytes.extend(frame(&produce("t", b"last", 1), BY_NAME, REQUESTS));
    let (mut reader, mut writer) = client.stream.into_split();
    let writing = tokio::spawn(async move {
        writer.write_all(&bytes).await.unwrap();
        writer
    });
    for id in 0..=REQUESTS {
        let size = within(reader.read_i32()).await.unwrap();
        let mut answer = vec![0; usize::try_from(size).unwrap()];
        within(reader.read_exact(&mut answer)).await.unwrap();
        assert_eq!(answer[..4], id.to_be_bytes());
    }
    drop(writing.await.unwrap());
    server.node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn acks_0_gets_no_answer_and_its_error_ends_the_connection() {
    let server = Server::start(&[]).await;
    let mut client = server.connect().await;
    client.create_topic("t").await;
    for _ in 0..300 {
        client.send(&produce("t", b"value", 0), BY_NAME).await;
    }
    let versions = client.call(&ApiVersionsRequest::default(), 0).await;
    assert_eq!(versions.error_code, 0);
    let all = client.call(&fetch("t", 299, Duration::ZERO), BY_NAME).await;
    assert_eq!(all.responses[0].partitions[0].high_watermark, 300);

    let before = client.send(&MetadataRequest::default(), 12).await;
    client.send(&produce("unknown", b"value", 0), BY_NAME).await;
    client.receive::<MetadataRequest>(12, before).await;
    client.expect_end().await;
    server.node.stop().await.unwrap();
}
