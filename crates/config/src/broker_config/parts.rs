//! The parts of a node's configuration. Each field is named after its property, which its comment
//! names where the names differ; units are in the name.

use std::collections::BTreeMap;

use crate::error::{ConfigError, Conflict};
use crate::listeners::Listeners;
use crate::valid::{parse_host_and_port, parse_voter};
use crate::value::ValueError;
use crate::values::{ConfigMap, Values};

use super::QuorumKind;

/// Connections and sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkConfig {
    /// How long a connection may be silent; negative is forever.
    pub connections_max_idle_ms: i64,
    /// The most open connections.
    pub max_connections: i32,
    /// The most new connections in a second.
    pub max_connection_creation_rate: i32,
    /// The most open connections from one address.
    pub max_connections_per_ip: i32,
    /// The most open connections from some hosts or addresses.
    pub max_connections_per_ip_overrides: BTreeMap<String, i32>,
    /// The most bytes of requests that wait; `None` is no limit.
    pub queued_max_request_bytes: Option<i64>,
    /// How many connections may wait to be accepted.
    pub socket_listen_backlog_size: i32,
    /// The receive buffer; `None` leaves it to the system.
    pub socket_receive_buffer_bytes: Option<usize>,
    /// The send buffer; `None` leaves it to the system.
    pub socket_send_buffer_bytes: Option<usize>,
    /// The largest request.
    pub socket_request_max_bytes: i32,
    /// What single listeners set for themselves, by their names.
    pub by_listener: BTreeMap<String, ListenerConnections>,
}

/// The connections of one listener. Source: `listener.name.{name}.{property}`, KIP-402, KIP-612.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerConnections {
    /// The most open connections.
    pub max_connections: i32,
    /// The most new connections in a second.
    pub max_connection_creation_rate: i32,
}

impl ListenerConnections {
    /// `prefix`: of the listener's properties, `listener.name.{name}.`
    fn from_values(values: &Values, set: &ConfigMap, prefix: &str) -> Result<Self, ValueError> {
        let own_or_broker_s =
            |name| values.int_with_override(name, set.get(&format!("{prefix}{name}")));
        Ok(Self {
            max_connections: own_or_broker_s("max.connections")?,
            max_connection_creation_rate: own_or_broker_s("max.connection.creation.rate")?,
        })
    }
}

impl NetworkConfig {
    pub(super) fn from_values(
        values: &Values,
        set: &ConfigMap,
        listeners: &Listeners,
    ) -> Result<Self, ConfigError> {
        let queued_max_request_bytes = values.long("queued.max.request.bytes");
        let by_listener = listeners.listeners.iter().map(|listener| {
            let prefix = format!("listener.name.{}.", listener.name.to_ascii_lowercase());
            let connections = ListenerConnections::from_values(values, set, &prefix)?;
            Ok((listener.name.clone(), connections))
        });
        Ok(Self {
            by_listener: by_listener.collect::<Result<_, ValueError>>()?,
            connections_max_idle_ms: values.long("connections.max.idle.ms"),
            max_connections: values.int("max.connections"),
            max_connection_creation_rate: values.int("max.connection.creation.rate"),
            max_connections_per_ip: values.int("max.connections.per.ip"),
            max_connections_per_ip_overrides: parse_per_ip_overrides(
                values.string("max.connections.per.ip.overrides"),
            )?,
            queued_max_request_bytes: (queued_max_request_bytes > 0)
                .then_some(queued_max_request_bytes),
            socket_listen_backlog_size: values.int("socket.listen.backlog.size"),
            socket_receive_buffer_bytes: socket_buffer(values, set, "socket.receive.buffer.bytes"),
            socket_send_buffer_bytes: socket_buffer(values, set, "socket.send.buffer.bytes"),
            socket_request_max_bytes: values.int("socket.request.max.bytes"),
        })
    }
}

/// The size of a socket's buffer, bytes. Differs from Kafka: the default acts only when somebody sets
/// it, because a buffer that the system sizes costs less CPU and fills longer lines.
fn socket_buffer(values: &Values, set: &ConfigMap, name: &str) -> Option<usize> {
    let is_set = set.contains_key(name);
    is_set.then(|| usize::try_from(values.int(name)).ok())?
}

fn parse_per_ip_overrides(text: &str) -> Result<BTreeMap<String, i32>, Conflict> {
    let mut overrides = BTreeMap::new();
    for entry in text
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
    {
        let parsed = entry.rsplit_once(':').and_then(|(host, count)| {
            let host = host.trim();
            let is_host = |character: char| {
                character.is_ascii_alphanumeric()
                    || matches!(character, '-' | '%' | '.' | '_' | ':')
            };
            let is_valid = !host.is_empty() && host.chars().all(is_host);
            Some((host, count.trim().parse().ok()?)).filter(|_| is_valid)
        });
        let malformed = || Conflict::MaxConnectionsPerIpOverrides {
            entry: entry.to_owned(),
        };
        let (host, count) = parsed.ok_or_else(malformed)?;
        overrides.insert(host.to_owned(), count);
    }
    Ok(overrides)
}

/// Limits of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestConfig {
    /// The most bytes in one answer to a Fetch request.
    pub fetch_max_bytes: i32,
    /// How many incremental fetch sessions are kept.
    pub max_incremental_fetch_session_cache_slots: i32,
    /// The most partitions in one answer to DescribeTopicPartitions.
    pub max_request_partition_size_limit: i32,
}

impl RequestConfig {
    pub(super) fn from_values(values: &Values) -> Self {
        Self {
            fetch_max_bytes: values.int("fetch.max.bytes"),
            max_incremental_fetch_session_cache_slots: values
                .int("max.incremental.fetch.session.cache.slots"),
            max_request_partition_size_limit: values.int("max.request.partition.size.limit"),
        }
    }
}

/// A voter of a metadata quorum that never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voter {
    /// Its `node.id`.
    pub node_id: i32,
    /// Its host.
    pub host: String,
    /// Its port, as it was written.
    pub port: i32,
}

/// The metadata quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumConfig {
    /// Whether anything names a quorum.
    pub kind: QuorumKind,
    /// `controller.quorum.voters`; empty unless the quorum never changes.
    pub voters: Vec<Voter>,
    /// `controller.quorum.bootstrap.servers`, hosts and ports.
    pub bootstrap_servers: Vec<(String, i32)>,
}

impl QuorumConfig {
    pub(super) fn from_values(values: &Values, kind: QuorumKind) -> Self {
        let voters = values.list("controller.quorum.voters").iter();
        let servers = values.list("controller.quorum.bootstrap.servers").iter();
        Self {
            kind,
            voters: voters
                .filter_map(|voter| parse_voter(voter))
                .map(|(node_id, host, port)| Voter {
                    node_id,
                    host: host.to_owned(),
                    port,
                })
                .collect(),
            bootstrap_servers: servers
                .filter_map(|server| parse_host_and_port(server))
                .map(|(host, port)| (host.to_owned(), port))
                .collect(),
        }
    }
}

/// The metadata log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataLogConfig {
    /// `metadata.log.dir`, or the first log directory.
    pub dir: String,
    /// `metadata.log.segment.bytes` (`internal.metadata.log.segment.bytes` where that is set).
    pub segment_bytes: i32,
    /// `metadata.log.segment.ms`.
    pub segment_ms: i64,
    /// `metadata.log.max.record.bytes.between.snapshots`.
    pub max_record_bytes_between_snapshots: i64,
    /// `metadata.log.max.snapshot.interval.ms`; 0 is never.
    pub max_snapshot_interval_ms: i64,
}

impl MetadataLogConfig {
    pub(super) fn from_values(values: &Values) -> Self {
        let first_log_dir = || log_dirs(values).first().cloned().unwrap_or_default();
        let dir = values
            .optional_string("metadata.log.dir")
            .map(str::to_owned);
        Self {
            dir: dir.unwrap_or_else(first_log_dir),
            segment_bytes: values
                .optional_int("internal.metadata.log.segment.bytes")
                .unwrap_or_else(|| values.int("metadata.log.segment.bytes")),
            segment_ms: values.long("metadata.log.segment.ms"),
            max_record_bytes_between_snapshots: values
                .long("metadata.log.max.record.bytes.between.snapshots"),
            max_snapshot_interval_ms: values.long("metadata.log.max.snapshot.interval.ms"),
        }
    }
}

/// `log.dirs`, or `log.dir` in its place.
pub(super) fn log_dirs(values: &Values) -> &[String] {
    values
        .optional_list("log.dirs")
        .unwrap_or_else(|| values.list("log.dir"))
}

/// The logs of partitions, apart from what topics may set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// `log.dirs`, or `log.dir` in its place; at least one, each once.
    pub log_dirs: Vec<String>,
    /// `cordoned.log.dirs`; `*` stands for all log directories.
    pub cordoned_log_dirs: Vec<String>,
    /// `num.recovery.threads.per.data.dir`.
    pub num_recovery_threads_per_data_dir: i32,
}

impl LogConfig {
    /// Whether a log directory gets no new partitions unless they are assigned to this broker.
    pub fn is_cordoned(&self, directory: &str) -> bool {
        let mut cordoned = self.cordoned_log_dirs.iter();
        cordoned.any(|one| one == "*" || one == directory)
    }

    /// Whether all log directories are cordoned, so that no new partition is placed here.
    pub fn is_wholly_cordoned(&self) -> bool {
        let mut directories = self.log_dirs.iter();
        directories.all(|directory| self.is_cordoned(directory))
    }

    pub(super) fn from_values(values: &Values) -> Self {
        let cordoned = values
            .optional_list("cordoned.log.dirs")
            .unwrap_or_default();
        Self {
            log_dirs: log_dirs(values).to_vec(),
            cordoned_log_dirs: cordoned.to_vec(),
            num_recovery_threads_per_data_dir: values.int("num.recovery.threads.per.data.dir"),
        }
    }
}

/// How topics come and go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicCreationConfig {
    /// `auto.create.topics.enable`.
    pub auto_create_topics_enable: bool,
    /// `delete.topic.enable`.
    pub delete_topic_enable: bool,
    /// `num.partitions`.
    pub num_partitions: i32,
    /// `default.replication.factor`.
    pub default_replication_factor: i32,
}

impl TopicCreationConfig {
    pub(super) fn from_values(values: &Values) -> Self {
        Self {
            auto_create_topics_enable: values.boolean("auto.create.topics.enable"),
            delete_topic_enable: values.boolean("delete.topic.enable"),
            num_partitions: values.int("num.partitions"),
            default_replication_factor: values.int("default.replication.factor"),
        }
    }
}

/// Classic groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupConfig {
    /// `group.initial.rebalance.delay.ms`.
    pub initial_rebalance_delay_ms: i32,
    /// `group.max.session.timeout.ms`.
    pub max_session_timeout_ms: i32,
    /// `group.min.session.timeout.ms`.
    pub min_session_timeout_ms: i32,
    /// `group.max.size`.
    pub max_size: i32,
}

impl GroupConfig {
    pub(super) fn from_values(values: &Values) -> Self {
        Self {
            initial_rebalance_delay_ms: values.int("group.initial.rebalance.delay.ms"),
            max_session_timeout_ms: values.int("group.max.session.timeout.ms"),
            min_session_timeout_ms: values.int("group.min.session.timeout.ms"),
            max_size: values.int("group.max.size"),
        }
    }
}

/// Committed offsets and their topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetsConfig {
    /// `offset.metadata.max.bytes`.
    pub metadata_max_bytes: i32,
    /// `offsets.retention.check.interval.ms`.
    pub retention_check_interval_ms: i64,
    /// `offsets.retention.minutes`.
    pub retention_minutes: i32,
    /// `offsets.topic.compression.codec`: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
    pub topic_compression_codec: i32,
    /// `offsets.topic.num.partitions`.
    pub topic_num_partitions: i32,
    /// `offsets.topic.replication.factor`.
    pub topic_replication_factor: i32,
    /// `offsets.topic.segment.bytes`.
    pub topic_segment_bytes: i32,
}

impl OffsetsConfig {
    pub(super) fn from_values(values: &Values) -> Self {
        Self {
            metadata_max_bytes: values.int("offset.metadata.max.bytes"),
            retention_check_interval_ms: values.long("offsets.retention.check.interval.ms"),
            retention_minutes: values.int("offsets.retention.minutes"),
            topic_compression_codec: values.int("offsets.topic.compression.codec"),
            topic_num_partitions: values.int("offsets.topic.num.partitions"),
            topic_replication_factor: values.int("offsets.topic.replication.factor"),
            topic_segment_bytes: values.int("offsets.topic.segment.bytes"),
        }
    }
}

/// The memory of producers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerConfig {
    /// `producer.id.expiration.ms`.
    pub id_expiration_ms: i32,
    /// `producer.id.expiration.check.interval.ms`.
    pub id_expiration_check_interval_ms: i32,
}

impl ProducerConfig {
    pub(super) fn from_values(values: &Values) -> Self {
        Self {
            id_expiration_ms: values.int("producer.id.expiration.ms"),
            id_expiration_check_interval_ms: values.int("producer.id.expiration.check.interval.ms"),
        }
    }
}

/// Work that is done from time to time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackgroundConfig {
    /// `log.initial.task.delay.ms`.
    pub log_initial_task_delay_ms: i64,
    /// `log.flush.scheduler.interval.ms`.
    pub log_flush_scheduler_interval_ms: i64,
    /// `log.flush.offset.checkpoint.interval.ms`.
    pub log_flush_offset_checkpoint_interval_ms: i32,
    /// `log.flush.start.offset.checkpoint.interval.ms`.
    pub log_flush_start_offset_checkpoint_interval_ms: i32,
    /// `replica.high.watermark.checkpoint.interval.ms`.
    pub replica_high_watermark_checkpoint_interval_ms: i64,
}

impl BackgroundConfig {
    pub(super) fn from_values(values: &Values) -> Self {
        Self {
            log_initial_task_delay_ms: values.long("log.initial.task.delay.ms"),
            log_flush_scheduler_interval_ms: values.long("log.flush.scheduler.interval.ms"),
            log_flush_offset_checkpoint_interval_ms: values
                .int("log.flush.offset.checkpoint.interval.ms"),
            log_flush_start_offset_checkpoint_interval_ms: values
                .int("log.flush.start.offset.checkpoint.interval.ms"),
            replica_high_watermark_checkpoint_interval_ms: values
                .long("replica.high.watermark.checkpoint.interval.ms"),
        }
    }
}
