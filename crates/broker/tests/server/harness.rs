//! A node on free ports and a client that speaks to it in frames.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use ottla_broker::{LogLevels, Node};
use ottla_config::BrokerConfig;
use ottla_protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use ottla_protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use ottla_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use ottla_protocol::messages::produce_request::{
    PartitionProduceData, ProduceRequest, TopicProduceData,
};
use ottla_protocol::messages::{RequestHeader, ResponseHeader};
use ottla_protocol::records::{BatchBuilder, CompressionSpec, Compressor};
use ottla_protocol::{Message, Reader, Request, Writer};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long anything may take before a test fails.
const DEADLINE: Duration = Duration::from_secs(60);
/// Version of Produce and of Fetch that the tests speak: the newest that names topics.
pub const BY_NAME: i16 = 12;

/// `future`'s output, which must come before the deadline.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .expect("nothing came within the deadline")
}

/// A node with its own folder.
pub struct Server {
    pub node: Node,
    pub folder: TempDir,
}

impl Server {
    /// Starts a node that is alone, on a free port of 127.0.0.1 unless `properties` say otherwise.
    pub async fn start(properties: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), properties).await
    }

    /// As [`Server::start`], on a folder that another server may have left.
    pub async fn start_in(folder: TempDir, properties: &[&str]) -> Self {
        let mut overrides = vec![
            format!("log.dirs={}", folder.path().display()),
            "listeners=PLAINTEXT://127.0.0.1:0".to_owned(),
        ];
        overrides.extend(properties.iter().map(|one| (*one).to_owned()));
        let (config, _) = BrokerConfig::load(None, [], &overrides).unwrap();
        let node = Node::start(config, LogLevels::new(|_| true)).await.unwrap();
        Self { node, folder }
    }

    /// `host:port` of the listener of this name.
    pub fn address(&self, listener: &str) -> String {
        let prefix = format!("{listener}://");
        let addresses = self.node.listeners().iter();
        let address = addresses
            .filter_map(|address| address.strip_prefix(&prefix))
            .next();
        address.expect("there is such a listener").to_owned()
    }

    /// A connection to the listener of this name.
    pub async fn connect_to(&self, listener: &str) -> Client {
        Client::connect(&self.address(listener)).await
    }

    /// A connection to the only listener.
    pub async fn connect(&self) -> Client {
        self.connect_to("PLAINTEXT").await
    }
}

/// One connection.
pub struct Client {
    pub stream: TcpStream,
    sent: i32,
}

impl Client {
    pub async fn connect(address: &str) -> Self {
        let stream = within(TcpStream::connect(address)).await.unwrap();
        Self { stream, sent: 0 }
    }

    /// Sends a request; gives its correlation id.
    pub async fn send<Q: Request>(&mut self, request: &Q, version: i16) -> i32 {
        self.sent += 1;
        let frame = frame(request, version, self.sent);
        within(self.stream.write_all(&frame)).await.unwrap();
        self.sent
    }

    /// The next answer, which must be the one to request `correlation_id`.
    pub async fn receive<Q: Request>(&mut self, version: i16, correlation_id: i32) -> Q::Response {
        let frame = within(self.frame()).await.expect("an answer");
        let mut reader = Reader::new(frame);
        let header_version = Q::API_KEY.response_header_version(version);
        let header = ResponseHeader::decode(&mut reader, header_version).unwrap();
        assert_eq!(
            header.correlation_id, correlation_id,
            "answers come in order"
        );
        Q::Response::decode(&mut reader, version).unwrap()
    }

    /// Sends a request and waits for its answer.
    pub async fn call<Q: Request>(&mut self, request: &Q, version: i16) -> Q::Response {
        let correlation_id = self.send(request, version).await;
        self.receive::<Q>(version, correlation_id).await
    }

    /// The next frame without its size, `None` at the end of the stream.
    pub async fn frame(&mut self) -> std::io::Result<Bytes> {
        let size = self.stream.read_i32().await?;
        let mut frame = vec![0; usize::try_from(size).unwrap()];
        self.stream.read_exact(&mut frame).await?;
        Ok(frame.into())
    }

    /// Waits for the broker to end the connection; nothing may come before that.
    pub async fn expect_end(mut self) {
        let mut byte = [0];
        match within(self.stream.read(&mut byte)).await {
            Ok(0) => {}
            Ok(_) => panic!("an answer came where the connection should have ended"),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
    }

    /// Creates a topic with one partition.
    pub async fn create_topic(&mut self, name: &str) {
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: name.to_owned(),
                num_partitions: 1,
                replication_factor: 1,
                ..Default::default()
            }],
            timeout_ms: 30_000,
            ..Default::default()
        };
        let response = self.call(&request, 7).await;
        assert_eq!(response.topics[0].error_code, 0);
    }

    /// Sets dynamic properties: of one broker, or the defaults of all when `broker` is empty. Gives the error code.
    pub async fn set_broker_configs(&mut self, broker: &str, properties: &[(&str, &str)]) -> i16 {
        let configs = properties.iter().map(|(name, value)| AlterableConfig {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
            ..Default::default()
        });
        let request = IncrementalAlterConfigsRequest {
            resources: vec![AlterConfigsResource {
                resource_type: 4,
                resource_name: broker.to_owned(),
                configs: configs.collect(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let response = self.call(&request, 1).await;
        response.responses[0].error_code
    }
}

/// A frame as it goes over the wire.
pub fn frame<Q: Request>(request: &Q, version: i16, correlation_id: i32) -> Vec<u8> {
    let header = RequestHeader {
        request_api_key: Q::API_KEY.key(),
        request_api_version: version,
        correlation_id,
        client_id: Some("test".to_owned()),
        ..Default::default()
    };
    let mut writer = Writer::framed();
    header
        .encode(&mut writer, Q::API_KEY.request_header_version(version))
        .unwrap();
    request.encode(&mut writer, version).unwrap();
    writer.into_bytes().to_vec()
}

/// A Fetch from an offset of partition 0 of a topic, without a session.
pub fn fetch(topic: &str, offset: i64, max_wait: Duration) -> FetchRequest {
    FetchRequest {
        replica_id: -1,
        max_wait_ms: i32::try_from(max_wait.as_millis()).unwrap(),
        min_bytes: 1,
        max_bytes: i32::MAX,
        session_epoch: -1,
        topics: vec![FetchTopic {
            topic: topic.to_owned(),
            partitions: vec![FetchPartition {
                partition: 0,
                current_leader_epoch: -1,
                fetch_offset: offset,
                last_fetched_epoch: -1,
                log_start_offset: -1,
                partition_max_bytes: i32::MAX,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// A Produce of one record to partition 0 of a topic.
pub fn produce(topic: &str, value: &[u8], acks: i16) -> ProduceRequest {
    let mut batch = BatchBuilder::new(CompressionSpec::None);
    batch.append(1, None, Some(value), &[]).unwrap();
    let batch = batch.build(0, -1, &mut Compressor::new()).unwrap();
    ProduceRequest {
        acks,
        timeout_ms: 30_000,
        topic_data: vec![TopicProduceData {
            name: topic.to_owned(),
            partition_data: vec![PartitionProduceData {
                index: 0,
                records: Some(batch.into()),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}
