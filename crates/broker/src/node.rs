//! A node from start to stop.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ottla_config::{BrokerConfig, Listener as ConfiguredListener, QuorumKind};
use ottla_groups::GroupConfig;
use ottla_metadata::controller::Decision;
use ottla_metadata::controller::brokers::{self, Registration};
use ottla_metadata::{Endpoint, bootstrap};
use ottla_protocol::records::{Compression, CompressionSpec};
use ottla_storage::meta_properties::MetaPropertiesError;
use ottla_storage::{DiskError, LogConfig, LogManager, LogManagerOptions, OpenLogManagerError};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tracing::{error, warn};

use crate::api::Dispatcher;
use crate::background;
use crate::broker::Broker;
use crate::clock::Clock;
use crate::controller_host::ControllerHost;
use crate::coordinator_host::CoordinatorHost;
use crate::directories::{Formatted, random_id, read_or_format};
use crate::fetch_session::FetchSessions;
use crate::loggers::{LogLevels, Loggers};
use crate::metadata_publisher::{MetadataPublisher, log_config};
use crate::net::{BindError, Listener};
use crate::network::{self, Network};
use crate::partitions::Partitions;
use crate::producer_ids::ProducerIds;
use crate::raft_host::{RaftError, RaftHost, RaftSettings};

/// How often it is asked whether a log directory is left.
const DIRECTORIES_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The node could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// This release runs a broker and its controller in one process only.
    #[error(
        "this release runs single nodes: set process.roles=broker,controller, and name no other node in controller.quorum.voters"
    )]
    NotAlone,
    /// A listener could not be opened.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The logs could not be opened.
    #[error(transparent)]
    Logs(#[from] OpenLogManagerError),
    /// The metadata log could not be opened.
    #[error(transparent)]
    Raft(#[from] RaftError),
    /// A directory's `meta.properties` could not be read.
    #[error(transparent)]
    MetaProperties(#[from] MetaPropertiesError),
    /// A directory could not be formatted.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A directory belongs to another node or cluster.
    #[error("{} belongs to node {found} of cluster {cluster_id}, and this is node {expected}; name the right directory in log.dirs or the right node.id", path.display())]
    OtherNode {
        /// The directory.
        path: PathBuf,
        /// The node that it belongs to.
        found: i32,
        /// Its cluster.
        cluster_id: String,
        /// This node.
        expected: i32,
    },
    /// Two directories belong to different clusters.
    #[error("{} belongs to cluster {found}, and not to cluster {expected} as the others; take it out of log.dirs, or give the right cluster id", path.display())]
    OtherCluster {
        /// The directory.
        path: PathBuf,
        /// Its cluster.
        found: String,
        /// The others' cluster.
        expected: String,
    },
    /// A directory is formatted already.
    #[error("{} is formatted already; leave it as it is with --ignore-formatted", path.display())]
    Formatted {
        /// The directory.
        path: PathBuf,
    },
    /// The node must be formatted by hand.
    #[error("{} is not formatted, and the node is not alone; format it with `ottla format` and the cluster's id", path.display())]
    NotFormatted {
        /// The directory.
        path: PathBuf,
    },
    /// A directory has logs and no `meta.properties`.
    #[error("{} holds logs and has no meta.properties, which says whose they are; put the file back, or write it with `ottla format --cluster-id ID`", path.display())]
    Unlabelled {
        /// The directory.
        path: PathBuf,
    },
    /// The metadata log's directory is new, and another one belongs to a cluster.
    #[error("{} is to hold the metadata of cluster {cluster_id} and is empty; mount or restore what was there, or name the right directory in metadata.log.dir", path.display())]
    NoMetadata {
        /// The directory.
        path: PathBuf,
        /// The cluster of the other directories.
        cluster_id: String,
    },
    /// There are logs of partitions, and no metadata that knows them.
    #[error("the metadata log in {} is empty, and the log directories hold {partitions} partitions that it must know; restore it from a copy, or, to begin a new cluster, name empty directories in log.dirs", path.display())]
    MetadataLost {
        /// The directory of the metadata log.
        path: PathBuf,
        /// The logs there are.
        partitions: usize,
    },
    /// A feature cannot begin at the level asked for.
    #[error(transparent)]
    Feature(#[from] bootstrap::FeatureError),
    /// The controller went away while the node started.
    #[error("the controller could not register this broker; see the errors before this one")]
    Registration,
    /// The operating system has no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// The node did not stop cleanly; the next start recovers.
#[derive(Debug, thiserror::Error)]
#[error("the node was not stopped cleanly: {0}; the next start recovers its logs")]
pub struct StopError(#[from] DiskError);

/// A running node.
pub struct Node {
    broker: Arc<Broker>,
    listeners: Vec<String>,
    stop: watch::Sender<bool>,
    failed: watch::Receiver<bool>,
    network: JoinHandle<()>,
    background: JoinSet<()>,
}

impl Node {
    /// Starts a node: formats its directories if it is alone and they are new, opens the logs, loads
    /// the metadata, and serves its listeners.
    pub async fn start(config: BrokerConfig, log_levels: LogLevels) -> Result<Self, StartError> {
        check_alone(&config)?;
        raise_file_limit();
        let clock = Clock;
        let bound = network::bind(&config).await?;
        let endpoints = advertised(&config, &bound);
        let formatted = read_or_format(&config, &endpoints.controller, clock.now_ms())?;
        let (broker, failed) = open(config, clock, &formatted, &endpoints, log_levels)?;
        register(&broker, &formatted, endpoints.broker).await?;
        let listeners = bound
            .iter()
            .map(|listener| format!("{}://{}", listener.name(), listener.local_address()))
            .collect();
        let (stop, stopped) = watch::channel(false);
        let dispatcher = Arc::new(Dispatcher {
            broker: Arc::clone(&broker),
        });
        let network = Network::start(bound, &broker.config(), dispatcher).await;
        let configs = broker.metadata.configs();
        Ok(Self {
            listeners,
            stop,
            failed,
            network: tokio::spawn(network.run(configs, stopped)),
            background: background::start(&broker),
            broker,
        })
    }

    /// The listeners as `name://address`.
    pub fn listeners(&self) -> &[String] {
        &self.listeners
    }

    /// Waits until something failed that the node cannot go on without: the controller, or every log
    /// directory.
    pub async fn failed(&self) {
        let mut failed = self.failed.clone();
        let controller_failed = async {
            if failed.wait_for(|failed| *failed).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let directories_failed = async {
            let directories = self.broker.logs.directories();
            while !directories.iter().all(|one| one.is_offline()) {
                tokio::time::sleep(DIRECTORIES_CHECK_INTERVAL).await;
            }
            error!(
                "every directory in log.dirs is offline, and the node stops; repair their disks and start again"
            );
        };
        tokio::select! {
            () = controller_failed => {}
            () = directories_failed => {}
        }
    }

    /// Answers what is in flight, fences the broker, and closes every log.
    pub async fn stop(mut self) -> Result<(), StopError> {
        let _ = self.stop.send(true);
        // Fetches that wait for records and members that wait for others would hold their
        // connections open.
        self.broker.stopping.send_replace(true);
        self.broker.groups.unload_all();
        if let Err(panic) = self.network.await {
            std::panic::resume_unwind(panic.into_panic());
        }
        self.background.shutdown().await;
        let broker = self.broker;
        let id = broker.id();
        let fenced = broker
            .controller
            .request(move |image, _, _| brokers::fence(image, id.0))
            .await;
        if fenced.is_err() {
            warn!("the controller could not note that this broker stops");
        }
        let epoch = broker
            .metadata
            .image()
            .cluster()
            .broker(id)
            .map_or(-1, |broker| broker.broker_epoch());
        let closed = tokio::task::spawn_blocking(move || {
            broker.controller.stop();
            broker.logs.shut_down(epoch, broker.clock.now_ms())
        });
        match closed.await {
            Ok(result) => Ok(result?),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}

struct Endpoints {
    broker: Vec<Endpoint>,
    controller: Vec<Endpoint>,
}

fn check_alone(config: &BrokerConfig) -> Result<(), StartError> {
    let is_combined = config.process_roles.broker && config.process_roles.controller;
    let is_only_voter = config
        .quorum
        .voters
        .iter()
        .all(|voter| voter.node_id == config.node_id);
    let is_alone =
        config.quorum.kind == QuorumKind::Alone || config.quorum.bootstrap_servers.len() <= 1;
    if is_combined && is_only_voter && is_alone {
        Ok(())
    } else {
        Err(StartError::NotAlone)
    }
}

/// Raises the limit on open files as far as the system lets us: each segment takes one.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current < limit.maximum || limit.maximum.is_none() {
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            warn!(%error, "the limit on open files stays as it is; raise it if there are many partitions");
        }
    }
}

/// What clients are told to connect to: as configured, with the ports that were given out.
fn advertised(config: &BrokerConfig, bound: &[Listener]) -> Endpoints {
    let endpoint = |listener: &ConfiguredListener| {
        let local = bound.iter().find(|bound| bound.name() == listener.name);
        let port = match listener.port {
            0 => local.map_or(0, |local| local.local_address().port()),
            port => port,
        };
        let host = if listener.host.is_empty() {
            host_name()
        } else {
            listener.host.clone()
        };
        Endpoint {
            name: listener.name.clone(),
            host,
            port,
            security_protocol: listener.security_protocol.id(),
        }
    };
    Endpoints {
        broker: config.listeners.advertised.iter().map(endpoint).collect(),
        controller: config
            .listeners
            .advertised_controller
            .iter()
            .map(endpoint)
            .collect(),
    }
}

/// The controllers' listeners as configured.
pub(crate) fn configured_controllers(config: &BrokerConfig) -> Vec<Endpoint> {
    advertised(config, &[]).controller
}

fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

fn open(
    config: BrokerConfig,
    clock: Clock,
    formatted: &Formatted,
    endpoints: &Endpoints,
    log_levels: LogLevels,
) -> Result<(Arc<Broker>, watch::Receiver<bool>), StartError> {
    let config = Arc::new(config);
    let logs = Arc::new(LogManager::open(&log_options(&config, clock))?);
    let (mut raft, image) =
        RaftHost::open(raft_settings(&config, formatted, endpoints), clock.now_ms())?;
    let found = logs.logs().len();
    if raft.is_new(&image) && found > 0 {
        return Err(StartError::MetadataLost {
            path: raft.directory().to_owned(),
            partitions: found,
        });
    }
    raft.lead(clock.now_ms())?;
    let partitions = Arc::new(Partitions::default());
    let groups = CoordinatorHost::new(clock, group_config(&config), offsets_compression(&config));
    let metadata = MetadataPublisher::new(
        Arc::clone(&config),
        clock,
        Arc::clone(&logs),
        Arc::clone(&partitions),
        Arc::clone(&groups),
    );
    let metadata = Arc::new(metadata);
    let image = if raft.is_new(&image) {
        begin(&mut raft, &image, clock.now_ms())?
    } else {
        image
    };
    metadata.publish_first(image);
    let (failed_sender, failed) = watch::channel(false);
    let controller = ControllerHost::start(
        raft,
        Arc::clone(&metadata),
        metadata.config(),
        clock,
        failed_sender,
    );
    let sessions =
        usize::try_from(config.requests.max_incremental_fetch_session_cache_slots).unwrap_or(0);
    let broker = Arc::new(Broker {
        cluster_id: formatted.cluster_id.clone(),
        clock,
        metadata,
        partitions,
        logs,
        fetch_sessions: FetchSessions::new(sessions),
        groups,
        controller,
        producer_ids: ProducerIds::default(),
        loggers: Loggers::new(log_levels),
        stopping: watch::Sender::new(false),
    });
    let weak = Arc::downgrade(&broker);
    cordon(&broker.logs, &broker.config());
    broker.metadata.on_config(Box::new(move |config| {
        if let Some(broker) = weak.upgrade() {
            broker.controller.set_config(Arc::clone(config));
            broker.groups.set_config(group_config(config));
            cordon(&broker.logs, config);
        }
    }));
    Ok((broker, failed))
}

fn log_options(config: &BrokerConfig, clock: Clock) -> LogManagerOptions {
    let topic_defaults = ottla_config::TopicConfig::default_of(&config.topic_defaults);
    let threads = config.log.num_recovery_threads_per_data_dir;
    LogManagerOptions {
        log_dirs: config.log.log_dirs.iter().map(PathBuf::from).collect(),
        recovery_threads_per_dir: usize::try_from(threads).unwrap_or(1),
        config: log_config(&topic_defaults),
        now_ms: clock.now_ms(),
    }
}

fn cordon(logs: &LogManager, config: &BrokerConfig) {
    let directories = config.log.log_dirs.iter();
    let cordoned = directories.filter(|directory| config.log.is_cordoned(directory));
    logs.cordon(cordoned.map(PathBuf::from));
}

/// Writes the first records of a new cluster.
fn begin(
    raft: &mut RaftHost,
    image: &ottla_metadata::MetadataImage,
    now_ms: i64,
) -> Result<ottla_metadata::MetadataImage, StartError> {
    let records = bootstrap::first_records(raft.bootstrap_records()?);
    let base_offset = raft.append(&records, now_ms)?;
    let mut delta = ottla_metadata::MetadataDelta::new(image);
    for (offset, record) in (base_offset..).zip(&records) {
        delta.apply(offset, raft.epoch(), record);
    }
    Ok(delta.finish().0)
}

fn raft_settings(
    config: &BrokerConfig,
    formatted: &Formatted,
    endpoints: &Endpoints,
) -> RaftSettings {
    RaftSettings {
        log_dir: PathBuf::from(&config.metadata_log.dir),
        node_id: config.node_id,
        directory_id: formatted.metadata_directory_id,
        endpoints: endpoints.controller.clone(),
        log_config: LogConfig {
            segment_bytes: u32::try_from(config.metadata_log.segment_bytes).unwrap_or(u32::MAX),
            segment_ms: config.metadata_log.segment_ms,
            ..LogConfig::default()
        },
        max_snapshot_interval_ms: Some(config.metadata_log.max_snapshot_interval_ms)
            .filter(|interval_ms| *interval_ms > 0),
        max_bytes_between_snapshots: u64::try_from(
            config.metadata_log.max_record_bytes_between_snapshots,
        )
        .unwrap_or(u64::MAX),
    }
}

async fn register(
    broker: &Broker,
    formatted: &Formatted,
    endpoints: Vec<Endpoint>,
) -> Result<(), StartError> {
    let config = broker.config();
    let registration = Registration {
        broker_id: config.node_id,
        incarnation_id: random_id()?,
        endpoints,
        rack: config.rack.clone(),
        log_dirs: formatted.directory_ids.clone(),
    };
    let decide = move |image: &ottla_metadata::MetadataImage, next_offset| -> Decision<i64> {
        brokers::register(image, &registration, next_offset)
    };
    let registered = broker
        .controller
        .request(move |image, next_offset, _| decide(image, next_offset))
        .await;
    registered.map(|_| ()).map_err(|_| StartError::Registration)
}

fn group_config(config: &BrokerConfig) -> GroupConfig {
    let minutes = i64::from(config.offsets.retention_minutes);
    GroupConfig {
        group_min_session_timeout_ms: config.groups.min_session_timeout_ms,
        group_max_session_timeout_ms: config.groups.max_session_timeout_ms,
        group_max_size: usize::try_from(config.groups.max_size).unwrap_or(0),
        group_initial_rebalance_delay_ms: config.groups.initial_rebalance_delay_ms,
        offset_metadata_max_bytes: usize::try_from(config.offsets.metadata_max_bytes).unwrap_or(0),
        offsets_retention_ms: minutes * 60_000,
        offsets_retention_check_interval_ms: config.offsets.retention_check_interval_ms,
    }
}

fn offsets_compression(config: &BrokerConfig) -> CompressionSpec {
    let id = u8::try_from(config.offsets.topic_compression_codec).unwrap_or(0);
    CompressionSpec::new(Compression::from_id(id).unwrap_or(Compression::None))
}
