//! DescribeConfigs (32): what holds, who set it, and what it is for (KIP-133, KIP-226, KIP-569).

use ottla_config::{
    DescribedConfig, describe_broker, describe_broker_defaults, describe_client_metrics, describe_group,
    describe_loggers, describe_topic,
};
use ottla_metadata::ConfigResource;
use ottla_protocol::ErrorCode;
use ottla_protocol::ids::BrokerId;
use ottla_protocol::messages::describe_configs_request::{DescribeConfigsRequest, DescribeConfigsResource};
use ottla_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResponse, DescribeConfigsResult, DescribeConfigsSynonym,
};

use super::{Reply, RequestContext};

/// Resource type of a broker's log levels.
const BROKER_LOGGER: i8 = 8;

/// Describes every resource asked for.
pub fn handle(context: &RequestContext, request: DescribeConfigsRequest) -> Reply<DescribeConfigsResponse> {
    let results = request
        .resources
        .iter()
        .map(|resource| {
            let described = describe(context, resource);
            let (configs, failure) = match described {
                Ok(configs) => (configs, None),
                Err(failure) => (Vec::new(), Some(failure)),
            };
            let is_asked = |config: &DescribedConfig| {
                resource.configuration_keys.as_ref().is_none_or(|keys| keys.is_empty() || keys.contains(&config.name))
            };
            let configs = configs.into_iter().filter(is_asked).map(|config| entry(config, &request));
            DescribeConfigsResult {
                error_code: failure.as_ref().map_or(0, |(code, _)| code.code()),
                // Empty and not null when nothing is wrong, as in Kafka.
                error_message: Some(failure.map_or_else(String::new, |(_, message)| message)),
                resource_type: resource.resource_type,
                resource_name: resource.resource_name.clone(),
                configs: configs.collect(),
                ..Default::default()
            }
        })
        .collect();
    Reply::Now(DescribeConfigsResponse { results, ..Default::default() })
}

type Failure = (ErrorCode, String);

fn describe(context: &RequestContext, resource: &DescribeConfigsResource) -> Result<Vec<DescribedConfig>, Failure> {
    let broker = &context.broker;
    let (config, image) = (broker.config(), broker.metadata.image());
    let name = &resource.resource_name;
    let invalid = |message: &str| (ErrorCode::InvalidRequest, message.to_owned());
    if resource.resource_type == BROKER_LOGGER {
        return match name.parse() == Ok(config.node_id) {
            true => Ok(describe_loggers(&broker.loggers.all())),
            false => Err(invalid("the log levels of a broker are described by that broker: name its id and ask it")),
        };
    }
    let stored = ConfigResource::from_wire(resource.resource_type, name);
    let stored = stored.ok_or_else(|| invalid("there is no such type of resource, or its name is not a broker's id"))?;
    let overrides = image.configs().of_or_empty(&stored);
    let failed = |error: ottla_config::ValueError| (ErrorCode::InvalidConfig, error.to_string());
    match stored {
        ConfigResource::Topic(topic) => {
            if !ottla_metadata::controller::is_topic_name(&topic) {
                return Err((ErrorCode::InvalidTopicException, format!("'{topic}' is no name of a topic")));
            }
            if image.topics().by_name(&topic).is_none() {
                return Err((ErrorCode::UnknownTopicOrPartition, String::new()));
            }
            describe_topic(&config, &overrides).map_err(failed)
        }
        ConfigResource::Broker(None) => Ok(describe_broker_defaults(&config)),
        ConfigResource::Broker(Some(id)) if id == BrokerId(config.node_id) => Ok(describe_broker(&config)),
        ConfigResource::Broker(Some(_)) => {
            Err(invalid("the configuration of a broker is described by that broker: name its id and ask it"))
        }
        ConfigResource::Group(group) if group.is_empty() => Err(invalid("the group's id is empty")),
        ConfigResource::Group(_) => describe_group(&config, &overrides).map_err(failed),
        ConfigResource::ClientMetrics(name) if name.is_empty() => Err(invalid("the subscription's name is empty")),
        ConfigResource::ClientMetrics(_) => describe_client_metrics(&overrides).map_err(failed),
    }
}

fn entry(config: DescribedConfig, request: &DescribeConfigsRequest) -> DescribeConfigsResourceResult {
    let config_type = config.wire_type();
    let synonyms = config.synonyms.into_iter().filter(|_| request.include_synonyms);
    DescribeConfigsResourceResult {
        name: config.name,
        value: config.value,
        read_only: config.read_only,
        config_source: config.source.wire_id(),
        is_sensitive: config.is_sensitive,
        synonyms: synonyms
            .map(|synonym| DescribeConfigsSynonym {
                name: synonym.name,
                value: synonym.value,
                source: synonym.source.wire_id(),
                ..Default::default()
            })
            .collect(),
        config_type,
        documentation: config.documentation.filter(|_| request.include_documentation).map(str::to_owned),
        ..Default::default()
    }
}
