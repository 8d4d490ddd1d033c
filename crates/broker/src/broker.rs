//! What the handlers of requests share.

use std::sync::Arc;

use ottla_config::BrokerConfig;
use ottla_metadata::bootstrap::{SUPPORTED_FEATURES, SupportedFeature};
use ottla_metadata::controller::topics::create_topics;
use ottla_protocol::ErrorCode;
use ottla_protocol::ids::BrokerId;
use ottla_protocol::messages::create_topics_request::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use ottla_protocol::messages::create_topics_response::CreatableTopicResult;
use ottla_storage::LogManager;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::controller_host::ControllerHost;
use crate::coordinator_host::CoordinatorHost;
use crate::fetch_session::FetchSessions;
use crate::internal_topics::CONSUMER_OFFSETS;
use crate::loggers::Loggers;
use crate::metadata_publisher::MetadataPublisher;
use crate::partitions::Partitions;
use crate::producer_ids::ProducerIds;

/// A running broker, as its request handlers see it.
pub struct Broker {
    /// The cluster's id.
    pub cluster_id: String,
    /// The wall clock.
    pub clock: Clock,
    /// The newest metadata, and the configuration that follows from it.
    pub metadata: Arc<MetadataPublisher>,
    /// The partitions kept here.
    pub partitions: Arc<Partitions>,
    /// The logs behind them.
    pub logs: Arc<LogManager>,
    /// Incremental fetch sessions.
    pub fetch_sessions: FetchSessions,
    /// The group coordinator.
    pub groups: Arc<CoordinatorHost>,
    /// The controller.
    pub controller: ControllerHost,
    /// Ids for idempotent producers.
    pub producer_ids: ProducerIds,
    /// The levels of the log lines.
    pub loggers: Loggers,
    /// True once the broker stops: requests that only wait for something new are answered.
    pub stopping: watch::Sender<bool>,
}

impl Broker {
    /// The configuration that holds now.
    pub fn config(&self) -> Arc<BrokerConfig> {
        self.metadata.config()
    }

    /// Ends when the broker begins to stop.
    pub async fn stopped(&self) {
        let _ = self
            .stopping
            .subscribe()
            .wait_for(|stopping| *stopping)
            .await;
    }

    /// The broker's id.
    pub fn id(&self) -> BrokerId {
        BrokerId(self.config().node_id)
    }

    /// The features and levels that this broker can work with.
    pub fn supported_features(&self) -> impl Iterator<Item = &'static SupportedFeature> {
        SUPPORTED_FEATURES.iter()
    }

    /// The broker that coordinates a group; creates `__consumer_offsets` if there is none yet.
    pub async fn coordinator_of(&self, group_id: &str) -> Result<BrokerId, ErrorCode> {
        if self
            .metadata
            .image()
            .topics()
            .by_name(CONSUMER_OFFSETS)
            .is_none()
        {
            self.create_consumer_offsets().await?;
        }
        let image = self.metadata.image();
        let topic = image
            .topics()
            .by_name(CONSUMER_OFFSETS)
            .ok_or(ErrorCode::CoordinatorNotAvailable)?;
        let index = ottla_groups::partition_for(group_id, topic.partitions.len() as i32);
        match topic
            .partitions
            .get(&index)
            .map(|partition| partition.leader)
        {
            Some(leader) if leader >= 0 => Ok(BrokerId(leader)),
            _ => Err(ErrorCode::CoordinatorNotAvailable),
        }
    }

    /// Creates a topic with the broker's defaults, for a client that asked for its metadata.
    pub async fn auto_create(&self, name: &str) -> Result<CreatableTopicResult, ErrorCode> {
        self.create(CreatableTopic {
            name: name.to_owned(),
            num_partitions: -1,
            replication_factor: -1,
            ..Default::default()
        })
        .await
    }

    async fn create_consumer_offsets(&self) -> Result<(), ErrorCode> {
        let config = self.config();
        let property = |name: &str, value: &str| CreatableTopicConfig {
            name: name.to_owned(),
            value: Some(value.to_owned()),
            ..Default::default()
        };
        let topic = CreatableTopic {
            name: CONSUMER_OFFSETS.to_owned(),
            num_partitions: config.offsets.topic_num_partitions,
            // One node cannot keep the three replicas that the default asks for.
            replication_factor: i16::try_from(config.offsets.topic_replication_factor)
                .unwrap_or(i16::MAX)
                .min(self.metadata.image().cluster().brokers().count() as i16),
            configs: vec![
                property("cleanup.policy", "compact"),
                property("compression.type", "producer"),
                property(
                    "segment.bytes",
                    &config.offsets.topic_segment_bytes.to_string(),
                ),
            ],
            ..Default::default()
        };
        let created = self.create(topic).await?;
        match ErrorCode::from_code(created.error_code) {
            Some(ErrorCode::None | ErrorCode::TopicAlreadyExists) => Ok(()),
            _ => Err(ErrorCode::CoordinatorNotAvailable),
        }
    }

    async fn create(&self, topic: CreatableTopic) -> Result<CreatableTopicResult, ErrorCode> {
        let request = CreateTopicsRequest {
            topics: vec![topic],
            ..Default::default()
        };
        let response = self
            .controller
            .request(move |image, _, context| create_topics(image, &request, context))
            .await?;
        response
            .topics
            .into_iter()
            .next()
            .ok_or(ErrorCode::UnknownServerError)
    }
}
