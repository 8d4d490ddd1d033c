//! ListConfigResources (74): which resources there are to configure (KIP-714, KIP-1142).

use ottla_metadata::ConfigResource as StoredResource;
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::list_config_resources_request::ListConfigResourcesRequest;
use ottla_protocol::messages::list_config_resources_response::{ConfigResource, ListConfigResourcesResponse};

use super::{Reply, RequestContext};

/// Resource type of a topic.
const TOPIC: i8 = 2;
/// Resource type of a broker.
const BROKER: i8 = 4;
/// Resource type of a broker's log levels.
const BROKER_LOGGER: i8 = 8;
/// Resource type of a client metrics subscription.
const CLIENT_METRICS: i8 = 16;
/// Resource type of a group.
const GROUP: i8 = 32;
/// Every type.
const ALL: [i8; 5] = [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP];

/// Lists the resources of the types asked for; of all when none is named, and in version 0 of
/// client metrics only.
pub fn handle(context: &RequestContext, request: ListConfigResourcesRequest) -> Reply<ListConfigResourcesResponse> {
    let types: Vec<i8> = match (context.version, request.resource_types.is_empty()) {
        (0, _) => vec![CLIENT_METRICS],
        (_, true) => ALL.to_vec(),
        (_, false) => request.resource_types,
    };
    if types.iter().any(|one| !ALL.contains(one)) {
        let error_code = ErrorCode::UnsupportedVersion.code();
        return Reply::Now(ListConfigResourcesResponse { error_code, ..Default::default() });
    }
    let config_resources = ALL.iter().filter(|one| types.contains(one)).flat_map(|&one| {
        let resource = move |resource_name| ConfigResource { resource_name, resource_type: one, ..Default::default() };
        names(context, one).into_iter().map(resource)
    });
    Reply::Now(ListConfigResourcesResponse { config_resources: config_resources.collect(), ..Default::default() })
}

fn names(context: &RequestContext, resource_type: i8) -> Vec<String> {
    let image = context.broker.metadata.image();
    match resource_type {
        TOPIC => image.topics().iter().map(|topic| topic.name.to_string()).collect(),
        BROKER | BROKER_LOGGER => image.cluster().brokers().map(|broker| broker.id().to_string()).collect(),
        _ => {
            let stored = image.configs().iter().map(|(resource, _)| resource);
            stored.filter(|resource| resource.wire_type() == resource_type).map(StoredResource::wire_name).collect()
        }
    }
}
