//! The brokers of one cluster, and which of them to ask.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use ottla_protocol::messages::find_coordinator_request::FindCoordinatorRequest;
use ottla_protocol::messages::metadata_request::{MetadataRequest, MetadataRequestTopic};
use ottla_protocol::messages::metadata_response::{MetadataResponse, MetadataResponseTopic};
use ottla_protocol::{ErrorCode, Request};

use crate::connection::{ConnectError, Connection, RequestError};

/// FindCoordinator's key type of a group.
const KEY_TYPE_GROUP: i8 = 0;
/// First version of FindCoordinator that takes several keys (KIP-699).
const FIRST_VERSION_WITH_BATCHED_KEYS: i16 = 4;

/// A broker as the cluster's metadata names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// `node.id`.
    pub id: i32,
    /// Advertised host.
    pub host: String,
    /// Advertised port.
    pub port: i32,
}

/// A request could not be answered by the cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// None of several bootstrap addresses answers.
    #[error("none of the {tried} addresses answers; the last one: {last}")]
    Unreachable {
        /// How many were tried.
        tried: usize,
        /// What the last one failed with.
        last: ConnectError,
    },
    /// No address was given.
    #[error("no bootstrap address is given; name one as host:port")]
    NoAddress,
    /// A broker could not be connected.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A request failed on its connection.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The cluster answered with an error code.
    #[error("{what}: {} ({})", code.name(), message.as_deref().unwrap_or(code.message()))]
    Refused {
        /// What was asked for.
        what: String,
        /// The code.
        code: ErrorCode,
        /// The broker's own words, if it gave any.
        message: Option<String>,
    },
    /// The partition has no leader now.
    #[error("partition {topic}-{partition} has no leader; try again when its broker is back")]
    NoLeader {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
    },
    /// The topic has no such partition.
    #[error("topic {topic} has no partition {partition}, it has {count} (the first is 0)")]
    NoPartition {
        /// The topic.
        topic: String,
        /// The partition asked for.
        partition: i32,
        /// How many it has.
        count: usize,
    },
    /// The cluster's metadata names no such broker.
    #[error("broker {0} is not part of the cluster")]
    UnknownNode(i32),
}

impl ClientError {
    /// Whether the same request may succeed when it is sent again: a broker restarts, or another
    /// one leads now.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Unreachable { .. } | Self::NoLeader { .. } => true,
            Self::Request(error) => matches!(
                error,
                RequestError::Socket { .. } | RequestError::TimedOut { .. }
            ),
            // A topic that is missing and a disk that failed call for a person, not for patience.
            Self::Refused { code, .. } => {
                code.is_retriable()
                    && !matches!(
                        code,
                        ErrorCode::UnknownTopicOrPartition | ErrorCode::KafkaStorageError
                    )
            }
            Self::NoAddress | Self::NoPartition { .. } | Self::UnknownNode(_) => false,
        }
    }
}

/// A cluster seen through its bootstrap addresses.
pub struct Client {
    bootstrap: Vec<String>,
    client_id: String,
    request_timeout: Duration,
    any: Option<Connection>,
    nodes: HashMap<i32, Node>,
    connections: HashMap<i32, Connection>,
    controller_id: i32,
    /// The leaders of the partitions of every topic that was asked for; -1 where there is none.
    leaders: HashMap<String, BTreeMap<i32, i32>>,
}

impl Client {
    /// A client of the cluster behind `bootstrap` (`host:port`, several with commas). Connects on first use.
    pub fn new(bootstrap: &str, client_id: &str, request_timeout: Duration) -> Self {
        Self {
            bootstrap: bootstrap
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
            client_id: client_id.to_owned(),
            request_timeout,
            any: None,
            nodes: HashMap::new(),
            connections: HashMap::new(),
            controller_id: -1,
            leaders: HashMap::new(),
        }
    }

    /// How long an answer may take.
    pub fn request_timeout(&self) -> Duration {
        self.request_timeout
    }

    /// A connection to whichever bootstrap broker answers.
    pub async fn any(&mut self) -> Result<&mut Connection, ClientError> {
        let connection = match self.any.take() {
            Some(connection) => connection,
            None => self.bootstrap_connection().await?,
        };
        Ok(self.any.insert(connection))
    }

    /// Asks whichever broker answers.
    pub async fn request<Q: Request>(&mut self, request: &Q) -> Result<Q::Response, ClientError> {
        let answer = self.any().await?.request(request).await;
        if answer.is_err() {
            self.any = None;
        }
        Ok(answer?)
    }

    /// Asks the broker `id`.
    pub async fn request_to<Q: Request>(
        &mut self,
        id: i32,
        request: &Q,
    ) -> Result<Q::Response, ClientError> {
        let answer = self.node(id).await?.request(request).await;
        if answer.is_err() {
            self.connections.remove(&id);
        }
        Ok(answer?)
    }

    /// Asks the broker `id`, in no version above `last_version`.
    pub async fn request_to_up_to<Q: Request>(
        &mut self,
        id: i32,
        request: &Q,
        last_version: i16,
    ) -> Result<Q::Response, ClientError> {
        let answer = self
            .node(id)
            .await?
            .request_up_to(request, last_version)
            .await;
        if answer.is_err() {
            self.connections.remove(&id);
        }
        Ok(answer?)
    }

    /// Asks the active controller, or a broker that forwards to it.
    pub async fn request_to_controller<Q: Request>(
        &mut self,
        request: &Q,
    ) -> Result<Q::Response, ClientError> {
        if self.nodes.is_empty() {
            self.metadata(Some(&[])).await?;
        }
        match self.controller_id {
            -1 => self.request(request).await,
            id => self.request_to(id, request).await,
        }
    }

    /// The cluster's metadata: of `topics`, or of all when `None`. Remembers the brokers it names.
    pub async fn metadata(
        &mut self,
        topics: Option<&[&str]>,
    ) -> Result<MetadataResponse, ClientError> {
        let named = |name: &&str| MetadataRequestTopic {
            name: Some((*name).to_owned()),
            ..Default::default()
        };
        let request = MetadataRequest {
            topics: topics.map(|names| names.iter().map(named).collect()),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        let response = self.request(&request).await?;
        let node =
            |broker: &ottla_protocol::messages::metadata_response::MetadataResponseBroker| {
                (
                    broker.node_id,
                    Node {
                        id: broker.node_id,
                        host: broker.host.clone(),
                        port: broker.port,
                    },
                )
            };
        self.nodes = response.brokers.iter().map(node).collect();
        self.controller_id = response.controller_id;
        let found = |topic: &&MetadataResponseTopic| error_of(topic.error_code).is_none();
        for topic in response.topics.iter().filter(found) {
            let leaders = topic
                .partitions
                .iter()
                .map(|partition| (partition.partition_index, partition.leader_id));
            self.leaders
                .insert(topic.name.clone().unwrap_or_default(), leaders.collect());
        }
        Ok(response)
    }

    /// The metadata of one topic that must exist.
    pub async fn topic(&mut self, name: &str) -> Result<MetadataResponseTopic, ClientError> {
        let response = self.metadata(Some(&[name])).await?;
        let topic = response.topics.into_iter().next().unwrap_or_default();
        match error_of(topic.error_code) {
            None => Ok(topic),
            Some(code) => Err(ClientError::Refused {
                what: format!("topic {name}"),
                code,
                message: None,
            }),
        }
    }

    /// The partitions of a topic that must exist, in their order.
    pub async fn partitions(&mut self, topic: &str) -> Result<Vec<i32>, ClientError> {
        Ok(self.leaders(topic).await?.keys().copied().collect())
    }

    /// The partitions that each broker leads; what is known already is not asked again.
    pub async fn by_leader(
        &mut self,
        topic: &str,
        partitions: &[i32],
    ) -> Result<BTreeMap<i32, Vec<i32>>, ClientError> {
        let leaders = self.leaders(topic).await?;
        let mut led: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        for &partition in partitions {
            match leaders.get(&partition) {
                None => {
                    return Err(ClientError::NoPartition {
                        topic: topic.to_owned(),
                        partition,
                        count: leaders.len(),
                    });
                }
                Some(-1) => {
                    self.leaders.remove(topic);
                    return Err(ClientError::NoLeader {
                        topic: topic.to_owned(),
                        partition,
                    });
                }
                Some(leader) => led.entry(*leader).or_default().push(partition),
            }
        }
        Ok(led)
    }

    /// The leaders of a topic's partitions.
    async fn leaders(&mut self, topic: &str) -> Result<&BTreeMap<i32, i32>, ClientError> {
        if !self.leaders.contains_key(topic) {
            self.topic(topic).await?;
        }
        Ok(self.leaders.entry(topic.to_owned()).or_default())
    }

    /// The brokers that the last metadata named.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    /// The id of the broker that coordinates `group`.
    pub async fn coordinator(&mut self, group: &str) -> Result<i32, ClientError> {
        let connection = self.any().await?;
        let api = FindCoordinatorRequest::API_KEY;
        let version = connection
            .version_of::<FindCoordinatorRequest>()
            .ok_or(RequestError::Unsupported { api })?;
        let batched = version >= FIRST_VERSION_WITH_BATCHED_KEYS;
        let request = FindCoordinatorRequest {
            key: if batched {
                String::new()
            } else {
                group.to_owned()
            },
            key_type: KEY_TYPE_GROUP,
            coordinator_keys: if batched {
                vec![group.to_owned()]
            } else {
                Vec::new()
            },
            ..Default::default()
        };
        let response = connection.request_at(&request, version).await?;
        let (code, message, node) = match response.coordinators.into_iter().next() {
            Some(found) => {
                let node = Node {
                    id: found.node_id,
                    host: found.host,
                    port: found.port,
                };
                (found.error_code, found.error_message, node)
            }
            None => {
                let node = Node {
                    id: response.node_id,
                    host: response.host,
                    port: response.port,
                };
                (response.error_code, response.error_message, node)
            }
        };
        match error_of(code) {
            None => {
                let id = node.id;
                self.nodes.insert(id, node);
                Ok(id)
            }
            Some(code) => Err(ClientError::Refused {
                what: format!("coordinator of group {group}"),
                code,
                message,
            }),
        }
    }

    /// A connection to the broker `id`, which the metadata must have named.
    pub async fn node(&mut self, id: i32) -> Result<&mut Connection, ClientError> {
        if !self.nodes.contains_key(&id) {
            self.metadata(Some(&[])).await?;
        }
        let node = self.nodes.get(&id).ok_or(ClientError::UnknownNode(id))?;
        let connection = match self.connections.remove(&id) {
            Some(connection) => connection,
            None => {
                let address = format!("{}:{}", node.host, node.port);
                Connection::connect(&address, &self.client_id, self.request_timeout).await?
            }
        };
        Ok(self.connections.entry(id).or_insert(connection))
    }

    /// Forgets connections and brokers, so that the next request looks for them again.
    pub fn refresh(&mut self) {
        self.any = None;
        self.nodes.clear();
        self.connections.clear();
        self.controller_id = -1;
        self.leaders.clear();
    }

    async fn bootstrap_connection(&self) -> Result<Connection, ClientError> {
        let mut failed = None;
        for address in &self.bootstrap {
            match Connection::connect(address, &self.client_id, self.request_timeout).await {
                Ok(connection) => return Ok(connection),
                Err(error) => failed = Some(error),
            }
        }
        Err(match (failed, self.bootstrap.len()) {
            (None, _) => ClientError::NoAddress,
            (Some(error), 1) => ClientError::Connect(error),
            (Some(last), tried) => ClientError::Unreachable { tried, last },
        })
    }
}

/// The error that `code` stands for in an answer: `None` for success, UNKNOWN_SERVER_ERROR for a
/// code of a later release.
pub fn error_of(code: i16) -> Option<ErrorCode> {
    match ErrorCode::from_code(code) {
        Some(ErrorCode::None) => None,
        Some(code) => Some(code),
        None => Some(ErrorCode::UnknownServerError),
    }
}
