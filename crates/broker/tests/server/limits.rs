//! Limits of requests and connections.

use std::time::Duration;

use ottla_protocol::messages::metadata_request::MetadataRequest;
use tokio::io::AsyncWriteExt;

use super::harness::{BY_NAME, Client, Server, fetch, frame, produce, within};

/// Long enough for an answer that must not come to come, if it does.
const A_WHILE: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_s_size_is_checked_before_anything_else() {
    let server = Server::start(&["socket.request.max.bytes=2000"]).await;
    for size in [-1, i32::MIN, 2001, i32::MAX] {
        let mut client = server.connect().await;
        client.stream.write_all(&size.to_be_bytes()).await.unwrap();
        client.expect_end().await;
    }
    let mut client = server.connect().await;
    client.create_topic("t").await;
    let request = produce("t", &[0; 1500], 1);
    let produced = client.call(&request, BY_NAME).await;
    assert_eq!(produced.responses[0].partition_responses[0].error_code, 0);
    client.send(&produce("t", &[0; 2000], 1), BY_NAME).await;
    client.expect_end().await;
    server.node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_ends_and_one_that_waits_for_an_answer_does_not() {
    let server = Server::start(&["connections.max.idle.ms=10000"]).await;
    let mut client = server.connect().await;
    client.create_topic("t").await;
    let answer = client
        .call(&fetch("t", 0, Duration::from_secs(12)), BY_NAME)
        .await;
    assert_eq!(answer.error_code, 0);
    let silent = server.connect().await;
    // Half a frame, and then nothing.
    let mut halfway = server.connect().await;
    let bytes = frame(&MetadataRequest::default(), 12, 1);
    halfway
        .stream
        .write_all(&bytes[..bytes.len() - 1])
        .await
        .unwrap();
    tokio::join!(
        client.expect_end(),
        silent.expect_end(),
        halfway.expect_end()
    );
    server.node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_is_not_read_from_and_ends() {
    let server = Server::start(&["connections.max.idle.ms=10000"]).await;
    let mut client = server.connect().await;
    client.create_topic("t").await;
    for _ in 0..10 {
        client
            .call(&produce("t", &[0; 1_000_000], 1), BY_NAME)
            .await;
    }
    // Each request of 100 bytes asks for 10 MB, and nothing is read: the broker stops reading too, and in the end it
    // cannot know that the peer still lives.
    let request = frame(&fetch("t", 0, Duration::ZERO), BY_NAME, 1);
    within(async { while client.stream.write_all(&request).await.is_ok() {} }).await;
    server.node.stop().await.unwrap();
}

/// Whether a new connection is served.
async fn is_served(client: &mut Client) -> bool {
    client.send(&MetadataRequest::default(), 12).await;
    tokio::time::timeout(A_WHILE, client.frame())
        .await
        .is_ok_and(|frame| frame.is_ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_above_the_limit_wait_for_a_place_and_the_limit_may_change() {
    let server = Server::start(&[]).await;
    let mut admin = server.connect().await;
    assert_eq!(
        admin
            .set_broker_configs("", &[("max.connections", "2")])
            .await,
        0
    );
    let mut second = within(async {
        loop {
            // The change takes effect a moment after its answer.
            let mut second = server.connect().await;
            let mut third = server.connect().await;
            if is_served(&mut second).await && !is_served(&mut third).await {
                return second;
            }
        }
    })
    .await;
    let mut fourth = server.connect().await;
    assert!(!is_served(&mut fourth).await);
    assert!(
        second
            .call(&MetadataRequest::default(), 12)
            .await
            .brokers
            .len()
            == 1
    );
    assert_eq!(
        admin
            .set_broker_configs("", &[("max.connections", "1000")])
            .await,
        0
    );
    within(fourth.frame())
        .await
        .expect("the answer that had to wait");
    server.node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_has_its_own_limits() {
    let server = Server::start(&[
        "listener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT",
        "listeners=A://127.0.0.1:0,B://127.0.0.1:0",
        "inter.broker.listener.name=A",
        "listener.name.b.max.connections=1",
    ])
    .await;
    let mut first = server.connect_to("B").await;
    first.call(&MetadataRequest::default(), 12).await;
    let mut waiting = server.connect_to("B").await;
    assert!(!is_served(&mut waiting).await);
    let mut admin = server.connect_to("A").await;
    admin.call(&MetadataRequest::default(), 12).await;
    drop(first);
    within(waiting.frame())
        .await
        .expect("the answer that had to wait");
    let name = "listener.name.b.max.connections";
    assert_eq!(admin.set_broker_configs("1", &[(name, "2")]).await, 0);
    let mut third = server.connect_to("B").await;
    third.call(&MetadataRequest::default(), 12).await;
    server.node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_a_limit_of_connections() {
    let server = Server::start(&["max.connections.per.ip=2"]).await;
    let mut first = server.connect().await;
    let mut second = server.connect().await;
    first.call(&MetadataRequest::default(), 12).await;
    second.call(&MetadataRequest::default(), 12).await;
    server.connect().await.expect_end().await;
    let overrides = [("max.connections.per.ip.overrides", "localhost:3,10.0.0.1:1")];
    assert_eq!(first.set_broker_configs("", &overrides).await, 0);
    within(async {
        loop {
            let mut third = server.connect().await;
            let request = frame(&MetadataRequest::default(), 12, 1);
            if third.stream.write_all(&request).await.is_ok() && third.frame().await.is_ok() {
                break;
            }
        }
    })
    .await;
    server.node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_on_their_way_in_share_the_memory_there_is() {
    let server = Server::start(&[
        "queued.max.request.bytes=4000",
        "socket.request.max.bytes=4000",
    ])
    .await;
    let mut admin = server.connect().await;
    admin.create_topic("t").await;
    // A request of 3,600 bytes that stops one byte short, and another of the same size.
    let bytes = frame(&produce("t", &[0; 3500], 1), BY_NAME, 1);
    let (most, last) = bytes.split_at(bytes.len() - 1);
    let mut slow = server.connect().await;
    slow.stream.write_all(most).await.unwrap();
    let mut also_slow = server.connect().await;
    also_slow.stream.write_all(most).await.unwrap();
    // Small requests that come in one piece are served all the same.
    admin.call(&MetadataRequest::default(), 12).await;
    for client in [&mut slow, &mut also_slow] {
        client.stream.write_all(last).await.unwrap();
    }
    for client in [&mut slow, &mut also_slow] {
        let answer = within(client.frame()).await.unwrap();
        assert_eq!(answer[..4], 1i32.to_be_bytes());
    }
    let answer = admin.call(&fetch("t", 0, Duration::ZERO), BY_NAME).await;
    assert_eq!(answer.responses[0].partitions[0].high_watermark, 2);
    server.node.stop().await.unwrap();
}
