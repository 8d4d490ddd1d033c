//! A stop finishes what is in flight: what a client saw acknowledged is there after the next start, and no answer is
//! lost on the way.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ottla_protocol::messages::fetch_request::FetchRequest;
use tokio::io::AsyncWriteExt;

use super::harness::{BY_NAME, Client, Server, fetch, produce, within};

/// Produces one record after the other until the connection ends; gives how many were acknowledged.
async fn produce_until_the_end(mut client: Client, all: Arc<AtomicUsize>) -> usize {
    let mut acknowledged = 0;
    loop {
        let frame = super::harness::frame(&produce("t", &[0; 500], -1), BY_NAME, 1);
        if client.stream.write_all(&frame).await.is_err() {
            return acknowledged;
        }
        match within(client.frame()).await {
            Ok(_) => acknowledged += 1,
            Err(error) => {
                assert_eq!(
                    error.kind(),
                    ErrorKind::UnexpectedEof,
                    "a stop ends the stream cleanly"
                );
                return acknowledged;
            }
        }
        all.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_under_load_loses_no_acknowledged_record() {
    let server = Server::start(&[]).await;
    server.connect().await.create_topic("t").await;
    let all = Arc::new(AtomicUsize::new(0));
    let mut producers = Vec::new();
    for _ in 0..20 {
        let client = server.connect().await;
        producers.push(tokio::spawn(produce_until_the_end(
            client,
            Arc::clone(&all),
        )));
    }
    within(async {
        while all.load(Ordering::Relaxed) < 2000 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    within(server.node.stop()).await.unwrap();
    let mut acknowledged = 0;
    for producer in producers {
        acknowledged += i64::try_from(within(producer).await.unwrap()).unwrap();
    }
    let server = Server::start_in(server.folder, &[]).await;
    let answer = server
        .connect()
        .await
        .call(&fetch("t", 0, Duration::ZERO), BY_NAME)
        .await;
    let end = answer.responses[0].partitions[0].high_watermark;
    assert!(
        end >= acknowledged,
        "{acknowledged} acknowledged, {end} there"
    );
    within(server.node.stop()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_answers_those_that_wait() {
    let server = Server::start(&[]).await;
    let mut client = server.connect().await;
    client.create_topic("t").await;
    let mut request = fetch("t", 0, Duration::from_secs(3600));
    request.min_bytes = 1_000_000;
    let waiting = client.send(&request, BY_NAME).await;
    // The Fetch waits once the Produce behind it has been carried out.
    client.send(&produce("t", b"small", 1), BY_NAME).await;
    let mut observer = server.connect().await;
    within(async {
        let probe = fetch("t", 0, Duration::ZERO);
        while observer.call(&probe, BY_NAME).await.responses[0].partitions[0].high_watermark < 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(observer);
    let stopping = tokio::spawn(server.node.stop());
    let answer = client.receive::<FetchRequest>(BY_NAME, waiting).await;
    assert!(
        answer
            .responses
            .iter()
            .all(|topic| topic.partitions[0].error_code == 0)
    );
    within(client.frame())
        .await
        .expect("the answer to the Produce");
    client.expect_end().await;
    within(stopping).await.unwrap().unwrap();
}
