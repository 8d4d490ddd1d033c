//! Properties that are set while the broker runs take effect at once.

use std::time::Duration;

use ottla_protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use ottla_protocol::messages::describe_log_dirs_request::DescribeLogDirsRequest;
use ottla_protocol::records::{TimestampType, peek_header};

use super::harness::{BY_NAME, Client, Server, fetch, produce};

const MESSAGE_TOO_LARGE: i16 = 10;
const INVALID_REPLICATION_FACTOR: i16 = 38;

/// The error code of a Produce of this many bytes.
async fn produced(client: &mut Client, bytes: usize) -> i16 {
    let answer = client
        .call(&produce("t", &vec![0; bytes], 1), BY_NAME)
        .await;
    answer.responses[0].partition_responses[0].error_code
}

#[tokio::test(flavor = "multi_thread")]
async fn defaults_of_topics_change_with_the_broker_s_properties() {
    let server = Server::start(&["message.max.bytes=2000"]).await;
    let mut client = server.connect().await;
    client.create_topic("t").await;
    assert_eq!(produced(&mut client, 1500).await, 0);
    assert_eq!(produced(&mut client, 2500).await, MESSAGE_TOO_LARGE);
    // The broker's own outweighs the default of all, and that the static one.
    assert_eq!(
        client
            .set_broker_configs("", &[("message.max.bytes", "1000")])
            .await,
        0
    );
    assert_eq!(produced(&mut client, 1500).await, MESSAGE_TOO_LARGE);
    assert_eq!(
        client
            .set_broker_configs("1", &[("message.max.bytes", "3000")])
            .await,
        0
    );
    assert_eq!(produced(&mut client, 2500).await, 0);

    let stamped = [("log.message.timestamp.type", "LogAppendTime")];
    assert_eq!(client.set_broker_configs("", &stamped).await, 0);
    assert_eq!(produced(&mut client, 10).await, 0);
    let answer = client.call(&fetch("t", 2, Duration::ZERO), BY_NAME).await;
    let records = answer.responses[0].partitions[0]
        .records
        .as_ref()
        .unwrap()
        .to_bytes();
    let header = peek_header(&records).unwrap().unwrap();
    assert_eq!(
        header.attributes.timestamp_type(),
        TimestampType::LogAppendTime
    );
    server.node.stop().await.unwrap();
}

async fn created(client: &mut Client, name: &str) -> i16 {
    let topic = CreatableTopic {
        name: name.to_owned(),
        num_partitions: 1,
        replication_factor: 1,
        ..Default::default()
    };
    let request = CreateTopicsRequest {
        topics: vec![topic],
        timeout_ms: 30_000,
        ..Default::default()
    };
    client.call(&request, 7).await.topics[0].error_code
}

#[tokio::test(flavor = "multi_thread")]
async fn new_partitions_avoid_cordoned_log_directories() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = ["a", "b"].map(|name| folder.path().join(name).display().to_string());
    let log_dirs = format!("log.dirs={first},{second}");
    let server = Server::start_in(folder, &[&log_dirs]).await;
    let mut client = server.connect().await;
    assert_eq!(
        client
            .set_broker_configs("1", &[("cordoned.log.dirs", &first)])
            .await,
        0
    );
    for name in ["t", "u", "v"] {
        assert_eq!(created(&mut client, name).await, 0);
    }
    let all = DescribeLogDirsRequest {
        topics: None,
        ..Default::default()
    };
    let described = client.call(&all, 5).await;
    let topics = |directory: &str| {
        let found = described
            .results
            .iter()
            .find(|result| result.log_dir == directory);
        found.map(|result| (result.is_cordoned, result.topics.len()))
    };
    assert_eq!(topics(&first), Some((true, 0)));
    assert_eq!(topics(&second), Some((false, 3)));
    assert_eq!(
        client
            .set_broker_configs("1", &[("cordoned.log.dirs", "*")])
            .await,
        0
    );
    assert_eq!(created(&mut client, "w").await, INVALID_REPLICATION_FACTOR);
    server.node.stop().await.unwrap();
}
