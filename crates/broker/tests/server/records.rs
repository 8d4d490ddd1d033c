//! What a producer and a reader are told of records, in the corners: as the reference answers.

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::create_topics_request::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use ottla_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use ottla_protocol::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use ottla_protocol::messages::produce_request::ProduceRequest;
use ottla_protocol::messages::produce_response::PartitionProduceResponse;
use ottla_protocol::records::{BatchBuilder, CompressionSpec, Compressor, ProducerFields};

use super::harness::{BY_NAME, Client, Server, produce};

const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;

fn batch(timestamp_ms: i64, value: &[u8]) -> BatchBuilder {
    let mut batch = BatchBuilder::new(CompressionSpec::None);
    batch.append(timestamp_ms, None, Some(value), &[]).unwrap();
    batch
}

fn idempotent(timestamp_ms: i64, value: &[u8]) -> BatchBuilder {
    batch(timestamp_ms, value).with_producer(ProducerFields {
        producer_id: 77,
        producer_epoch: 0,
        base_sequence: 0,
    })
}

fn request(batch: BatchBuilder) -> ProduceRequest {
    let mut request = produce("t", b"", -1);
    let records = batch.build(0, -1, &mut Compressor::new()).unwrap();
    request.topic_data[0].partition_data[0].records = Some(records.into());
    request
}

async fn answer(client: &mut Client, request: &ProduceRequest) -> PartitionProduceResponse {
    let response = client.call(request, BY_NAME).await;
    response.responses[0].partition_responses[0].clone()
}

async fn append(client: &mut Client, batch: BatchBuilder) -> PartitionProduceResponse {
    let done = answer(client, &request(batch)).await;
    assert_eq!(done.error_code, 0, "{done:?}");
    done
}

/// Offset, timestamp and leader epoch.
async fn list_offsets(client: &mut Client, timestamp: i64) -> (i64, i64, i32) {
    let request = ListOffsetsRequest {
        replica_id: -1,
        topics: vec![ListOffsetsTopic {
            name: "t".to_owned(),
            partitions: vec![ListOffsetsPartition {
                current_leader_epoch: -1,
                timestamp,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let response = client.call(&request, 7).await;
    let found = &response.topics[0].partitions[0];
    assert_eq!(found.error_code, 0);
    (found.offset, found.timestamp, found.leader_epoch)
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_transactions_that_nobody_began_are_refused() {
    let server = Server::start(&[]).await;
    let mut client = server.connect().await;
    client.create_topic("t").await;
    let mut stray = request(idempotent(1, b"x").with_transactional());
    let refused = answer(&mut client, &stray).await;
    let expected = ErrorCode::TransactionalIdAuthorizationFailed.code();
    assert_eq!((refused.error_code, refused.base_offset), (expected, -1));
    stray.transactional_id = Some("transaction".to_owned());
    let refused = answer(&mut client, &stray).await;
    let expected = ErrorCode::InvalidProducerIdMapping.code();
    assert_eq!((refused.error_code, refused.base_offset), (expected, -1));
    assert_eq!(append(&mut client, batch(1, b"x")).await.base_offset, 0);
    server.node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_is_answered_with_its_offset_and_time() {
    let server = Server::start(&["log.flush.interval.messages=1"]).await;
    let mut client = server.connect().await;
    client.create_topic("t").await;
    append(&mut client, batch(1, b"before")).await;
    for log_append_time_ms in [-1, 1234, 1234] {
        let done = append(&mut client, idempotent(1234, b"once")).await;
        let found = (done.base_offset, done.log_append_time_ms);
        assert_eq!(found, (1, log_append_time_ms));
    }
    assert_eq!(
        append(&mut client, batch(1, b"behind")).await.base_offset,
        2
    );
    server.node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_no_segment_can_hold_is_refused() {
    let server = Server::start(&[]).await;
    let mut client = server.connect().await;
    let config = |name: &str, value: &str| CreatableTopicConfig {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        ..Default::default()
    };
    let topic = CreatableTopic {
        name: "t".to_owned(),
        num_partitions: 1,
        replication_factor: 1,
        configs: vec![
            config("segment.bytes", "1048576"),
            config("max.message.bytes", "3000000"),
        ],
        ..Default::default()
    };
    let create = CreateTopicsRequest {
        topics: vec![topic],
        timeout_ms: 30_000,
        ..Default::default()
    };
    assert_eq!(client.call(&create, 7).await.topics[0].error_code, 0);
    let refused = answer(&mut client, &request(batch(1, &[0; 2_000_000]))).await;
    assert_eq!(refused.error_code, ErrorCode::RecordListTooLarge.code());
    let done = append(&mut client, batch(1, &[0; 1_000_000])).await;
    assert_eq!(done.base_offset, 0);
    server.node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_at_either_end_have_the_epoch_and_time_of_their_records() {
    let server = Server::start(&[]).await;
    let mut client = server.connect().await;
    client.create_topic("t").await;
    assert_eq!(list_offsets(&mut client, EARLIEST).await, (0, -1, 0));
    assert_eq!(list_offsets(&mut client, MAX_TIMESTAMP).await, (-1, -1, -1));
    for timestamp_ms in [5000, 3000, 4000] {
        append(&mut client, batch(timestamp_ms, b"x")).await;
    }
    let request = DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: "t".to_owned(),
            partitions: vec![DeleteRecordsPartition {
                offset: 1,
                ..Default::default()
            }],
            ..Default::default()
        }],
        timeout_ms: 30_000,
        ..Default::default()
    };
    let response = client.call(&request, 2).await;
    assert_eq!(response.topics[0].partitions[0].low_watermark, 1);
    assert_eq!(list_offsets(&mut client, EARLIEST).await, (1, -1, 0));
    assert_eq!(list_offsets(&mut client, 0).await, (1, 3000, 0));
    assert_eq!(list_offsets(&mut client, MAX_TIMESTAMP).await, (0, 5000, 0));
    let folder = server.folder.path().join("log-start-offset-checkpoint");
    assert_eq!(std::fs::read_to_string(folder).unwrap(), "0\n1\nt 0 1\n");
    server.node.stop().await.unwrap();
}
