//! DescribeCluster (60): the cluster's id and brokers (KIP-700, KIP-919).

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_cluster_request::DescribeClusterRequest;
use ottla_protocol::messages::describe_cluster_response::{DescribeClusterBroker, DescribeClusterResponse};

use super::{Reply, RequestContext, operations};

/// Endpoint type of brokers.
const ENDPOINT_TYPE_BROKERS: i8 = 1;
/// Endpoint type of controllers.
const ENDPOINT_TYPE_CONTROLLERS: i8 = 2;
/// First version that may ask for fenced brokers.
const FIRST_VERSION_WITH_FENCED_BROKERS: i16 = 2;

/// Describes the brokers that listen where the client came in.
pub fn handle(context: &RequestContext, request: DescribeClusterRequest) -> Reply<DescribeClusterResponse> {
    if request.endpoint_type != ENDPOINT_TYPE_BROKERS {
        let code = match request.endpoint_type {
            ENDPOINT_TYPE_CONTROLLERS => ErrorCode::MismatchedEndpointType,
            _ => ErrorCode::UnsupportedEndpointType,
        };
        return Reply::Now(DescribeClusterResponse {
            error_code: code.code(),
            error_message: Some(code.message().to_owned()),
            ..Default::default()
        });
    }
    let image = context.broker.metadata.image();
    let with_fenced = context.version >= FIRST_VERSION_WITH_FENCED_BROKERS && request.include_fenced_brokers;
    let brokers = image.cluster().brokers().filter(|broker| with_fenced || !broker.is_fenced()).filter_map(|broker| {
        let endpoint = broker.endpoint(&context.connection.listener)?;
        Some(DescribeClusterBroker {
            broker_id: broker.id().0,
            host: endpoint.host.clone(),
            port: i32::from(endpoint.port),
            rack: broker.rack().map(str::to_owned),
            is_fenced: broker.is_fenced(),
            ..Default::default()
        })
    });
    Reply::Now(DescribeClusterResponse {
        error_message: None,
        cluster_id: context.broker.cluster_id.clone(),
        controller_id: context.broker.id().0,
        brokers: brokers.collect(),
        cluster_authorized_operations: operations::asked(
            request.include_cluster_authorized_operations,
            operations::CLUSTER,
        ),
        ..Default::default()
    })
}
