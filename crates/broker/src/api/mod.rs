//! The requests this broker answers: the table of contents, one file per API.
//!
//! [`APIS`] is what ApiVersions advertises and what the dispatcher serves, so that the two never
//! differ. A handler gets the decoded request and gives a [`Reply`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use ottla_metadata::{MetadataImage, PartitionImage};
use ottla_protocol::ids::BrokerId;
use ottla_protocol::messages::{RequestHeader, ResponseHeader};
use ottla_protocol::wire::Segments;
use ottla_protocol::{ApiKey, DecodeError, Message, Reader, Request, Writer};
use tracing::{error, info};

use crate::broker::Broker;
use crate::net::{Answer, ConnectionInfo, FrameHandler, RequestHandler};

/// What a handler makes of a request.
pub enum Reply<R> {
    /// This response, now.
    Now(R),
    /// This response, when the future ends.
    Later(Pin<Box<dyn Future<Output = R> + Send>>),
    /// No response is owed (Produce with acks=0).
    Silent,
    /// The connection must end (an error in a Produce with acks=0).
    Close,
}

impl<R> Reply<R> {
    /// A response that `future` gives.
    pub fn later(future: impl Future<Output = R> + Send + 'static) -> Self {
        Self::Later(Box::pin(future))
    }
}

/// Where a request came from and how it is to be answered.
#[derive(Clone)]
pub struct RequestContext {
    /// The broker that serves it.
    pub broker: Arc<Broker>,
    /// Its connection.
    pub connection: Arc<ConnectionInfo>,
    /// Version of the request, and so of the response.
    pub version: i16,
    /// The client's id, empty when it gave none.
    pub client_id: Arc<str>,
}

/// Serves one decoded header: reads the body, runs the handler, encodes the answer.
type Serve = fn(&RequestContext, &mut Reader, i32) -> Result<Answer, DecodeError>;

/// One row of the table.
pub struct Api {
    /// The API's key.
    pub key: ApiKey,
    /// Lowest and highest version served.
    pub versions: std::ops::RangeInclusive<i16>,
    serve: Serve,
}

macro_rules! apis {
    ($($key:ident => $module:ident,)*) => {
        $(mod $module;)*
        /// Every API that is served, by key, in all versions that the release advertises.
        pub static APIS: &[Api] = &[$(Api {
            key: ApiKey::$key,
            versions: ApiKey::$key.stable_versions(),
            serve: |context, reader, correlation_id| serve(context, reader, correlation_id, $module::handle),
        },)*];
    };
}

apis! {
    Produce => produce,
    Fetch => fetch,
    ListOffsets => list_offsets,
    Metadata => metadata,
    OffsetCommit => offset_commit,
    OffsetFetch => offset_fetch,
    FindCoordinator => find_coordinator,
    JoinGroup => join_group,
    Heartbeat => heartbeat,
    LeaveGroup => leave_group,
    SyncGroup => sync_group,
    DescribeGroups => describe_groups,
    ListGroups => list_groups,
    ApiVersions => api_versions,
    CreateTopics => create_topics,
    DeleteTopics => delete_topics,
    DeleteRecords => delete_records,
    InitProducerId => init_producer_id,
    OffsetForLeaderEpoch => offset_for_leader_epoch,
    DescribeConfigs => describe_configs,
    AlterConfigs => alter_configs,
    DescribeLogDirs => describe_log_dirs,
    CreatePartitions => create_partitions,
    DeleteGroups => delete_groups,
    IncrementalAlterConfigs => incremental_alter_configs,
    OffsetDelete => offset_delete,
    DescribeCluster => describe_cluster,
    DescribeProducers => describe_producers,
    ListConfigResources => list_config_resources,
    DescribeTopicPartitions => describe_topic_partitions,
}

mod config_changes;
mod group_support;
mod operations;

/// The row of `key`, when it is served.
pub fn find(key: ApiKey) -> Option<&'static Api> {
    APIS.iter().find(|api| api.key == key)
}

/// Runs work that may wait for the disk on a thread that may wait.
pub(crate) async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// The replicas whose brokers are gone or fenced.
fn offline_replicas(image: &MetadataImage, partition: &PartitionImage) -> Vec<i32> {
    let is_offline = |id: &&i32| {
        image
            .cluster()
            .broker(BrokerId(**id))
            .is_none_or(|broker| broker.is_fenced())
    };
    partition
        .replicas
        .iter()
        .filter(is_offline)
        .copied()
        .collect()
}

fn serve<Q: Request>(
    context: &RequestContext,
    reader: &mut Reader,
    correlation_id: i32,
    handle: impl Fn(&RequestContext, Q) -> Reply<Q::Response>,
) -> Result<Answer, DecodeError>
where
    Q::Response: Send + 'static,
{
    let version = context.version;
    let request = Q::decode(reader, version)?;
    Ok(match handle(context, request) {
        Reply::Now(response) => match encode(&response, Q::API_KEY, version, correlation_id) {
            Some(segments) => Answer::Ready(segments),
            None => Answer::Close,
        },
        Reply::Later(future) => Answer::Later(Box::pin(async move {
            encode(&future.await, Q::API_KEY, version, correlation_id)
        })),
        Reply::Silent => Answer::Silent,
        Reply::Close => Answer::Close,
    })
}

/// The response's segments with size and header in front; `None`, logged, if a field of it does
/// not exist in `version`: a bug of the handler.
pub fn encode<R: Message>(
    response: &R,
    key: ApiKey,
    version: i16,
    correlation_id: i32,
) -> Option<Segments> {
    let header = ResponseHeader {
        correlation_id,
        ..ResponseHeader::default()
    };
    let mut writer = Writer::framed();
    let encoded = header
        .encode(&mut writer, key.response_header_version(version))
        .and_then(|()| response.encode(&mut writer, version));
    if let Err(error) = encoded {
        error!(api = key.name(), version, %error, "cannot encode a response; please report this as a bug");
        return None;
    }
    Some(writer.into_segments())
}

/// Serves the frames of every connection of a broker.
pub struct Dispatcher {
    /// The broker behind it.
    pub broker: Arc<Broker>,
}

impl RequestHandler for Dispatcher {
    fn connect(&self, info: &ConnectionInfo) -> Box<dyn FrameHandler> {
        Box::new(ConnectionDispatcher {
            context: RequestContext {
                broker: Arc::clone(&self.broker),
                connection: Arc::new(info.clone()),
                version: 0,
                client_id: "".into(),
            },
        })
    }
}

struct ConnectionDispatcher {
    context: RequestContext,
}

/// Why a frame cannot be served; the connection ends.
#[derive(Debug, thiserror::Error)]
enum FrameRefusal {
    #[error("the frame of {0} bytes is too short for a request header")]
    TooShort(usize),
    #[error("API key {0} is unknown or not served here")]
    UnknownApi(i16),
    #[error("{} version {version} is not supported", key.name())]
    UnsupportedVersion { key: ApiKey, version: i16 },
    #[error("the {what} of {} version {version} is malformed: {source}", key.name())]
    Malformed {
        key: ApiKey,
        version: i16,
        what: &'static str,
        source: DecodeError,
    },
}

impl FrameHandler for ConnectionDispatcher {
    fn handle(&mut self, frame: Bytes) -> Answer {
        self.serve(frame).unwrap_or_else(|refusal| {
            let ConnectionInfo { listener, peer } = &*self.context.connection;
            info!(%listener, %peer, "connection ended: {refusal}");
            Answer::Close
        })
    }
}

impl ConnectionDispatcher {
    fn serve(&mut self, frame: Bytes) -> Result<Answer, FrameRefusal> {
        let Some(&[k0, k1, v0, v1]) = frame.first_chunk::<4>() else {
            return Err(FrameRefusal::TooShort(frame.len()));
        };
        let (raw_key, version) = (i16::from_be_bytes([k0, k1]), i16::from_be_bytes([v0, v1]));
        let key = ApiKey::from_i16(raw_key).ok_or(FrameRefusal::UnknownApi(raw_key))?;
        let api = find(key).ok_or(FrameRefusal::UnknownApi(raw_key))?;
        if !api.versions.contains(&version) {
            return match key {
                ApiKey::ApiVersions => api_versions::unsupported_version(frame),
                _ => Err(FrameRefusal::UnsupportedVersion { key, version }),
            };
        }
        let malformed = |what| {
            move |source| FrameRefusal::Malformed {
                key,
                version,
                what,
                source,
            }
        };
        let mut reader = Reader::new(frame);
        let header = RequestHeader::decode(&mut reader, key.request_header_version(version))
            .map_err(malformed("header"))?;
        let client_id = header.client_id.as_deref().unwrap_or_default();
        if *self.context.client_id != *client_id {
            self.context.client_id = client_id.into();
        }
        self.context.version = version;
        (api.serve)(&self.context, &mut reader, header.correlation_id).map_err(malformed("body"))
    }
}
