//! `ottla config`.

use ottla_client::Client;
use ottla_protocol::messages::describe_configs_request::{
    DescribeConfigsRequest, DescribeConfigsResource,
};
use ottla_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use serde::Serialize;

use crate::arguments::{ClusterArguments, ConfigCommand, ResourceKind};
use crate::failure::{Failure, check};
use crate::output::{Row, print_rows};

/// IncrementalAlterConfigs' operation that sets a value.
const SET: i8 = 0;
/// IncrementalAlterConfigs' operation that goes back to the default.
const DELETE: i8 = 1;
/// DescribeConfigs' source of a value that nobody set.
const SOURCE_DEFAULT: i8 = 5;

/// Runs one subcommand.
pub async fn run(cluster: &ClusterArguments, command: ConfigCommand) -> Result<(), Failure> {
    let mut client = super::client(cluster);
    match command {
        ConfigCommand::Get { kind, name, all } => get(&mut client, cluster, kind, name, all).await,
        ConfigCommand::Set {
            kind,
            name,
            properties,
        } => set(&mut client, kind, name, &properties).await,
    }
}

/// Kafka's code of a kind of resource.
fn resource_type(kind: ResourceKind) -> i8 {
    match kind {
        ResourceKind::Topic => 2,
        ResourceKind::Broker => 4,
        ResourceKind::BrokerLogger => 8,
        ResourceKind::ClientMetrics => 16,
        ResourceKind::Group => 32,
    }
}

fn source_name(source: i8) -> &'static str {
    match source {
        1 => "topic",
        2 => "broker",
        3 => "all brokers",
        4 => "file",
        SOURCE_DEFAULT => "default",
        6 => "logger",
        7 => "client metrics",
        8 => "group",
        _ => "unknown",
    }
}

#[derive(Serialize)]
struct PropertyRow {
    name: String,
    value: Option<String>,
    source: &'static str,
    read_only: bool,
    sensitive: bool,
}

impl Row for PropertyRow {
    const HEADINGS: &'static [&'static str] = &["PROPERTY", "VALUE", "SET BY"];
    fn cells(&self) -> Vec<String> {
        let value = match (&self.value, self.sensitive) {
            (_, true) => "(hidden)".to_owned(),
            (None, false) => "(none)".to_owned(),
            (Some(value), false) => value.clone(),
        };
        vec![self.name.clone(), value, self.source.to_owned()]
    }
}

async fn get(
    client: &mut Client,
    cluster: &ClusterArguments,
    kind: ResourceKind,
    name: String,
    all: bool,
) -> Result<(), Failure> {
    let target = target(kind, &name);
    let resource = DescribeConfigsResource {
        resource_type: resource_type(kind),
        resource_name: name.clone(),
        ..Default::default()
    };
    let request = DescribeConfigsRequest {
        resources: vec![resource],
        include_synonyms: true,
        ..Default::default()
    };
    let response = match target {
        Some(id) => client.request_to(id, &request).await?,
        None => client.request(&request).await?,
    };
    let mut rows = Vec::new();
    for result in response.results {
        check(result.error_code, result.error_message, || name.clone())?;
        let shown = result
            .configs
            .into_iter()
            .filter(|config| all || config.config_source != SOURCE_DEFAULT);
        rows.extend(shown.map(|config| PropertyRow {
            name: config.name,
            value: config.value,
            source: source_name(config.config_source),
            read_only: config.read_only,
            sensitive: config.is_sensitive,
        }));
    }
    print_rows(cluster.format(), &rows);
    Ok(())
}

async fn set(
    client: &mut Client,
    kind: ResourceKind,
    name: String,
    properties: &[String],
) -> Result<(), Failure> {
    let alteration = |text: &String| match text.split_once('=') {
        Some((property, value)) => AlterableConfig {
            name: property.to_owned(),
            config_operation: SET,
            value: Some(value.to_owned()),
            ..Default::default()
        },
        None => AlterableConfig {
            name: text.clone(),
            config_operation: DELETE,
            ..Default::default()
        },
    };
    let target = target(kind, &name);
    let resource = AlterConfigsResource {
        resource_type: resource_type(kind),
        resource_name: name.clone(),
        configs: properties.iter().map(alteration).collect(),
        ..Default::default()
    };
    let request = IncrementalAlterConfigsRequest {
        resources: vec![resource],
        ..Default::default()
    };
    let response = match target {
        Some(id) => client.request_to(id, &request).await?,
        None => client.request(&request).await?,
    };
    response
        .responses
        .into_iter()
        .try_for_each(|result| check(result.error_code, result.error_message, || name.clone()))
}

/// The broker that must be asked itself, when the resource is one broker.
fn target(kind: ResourceKind, name: &str) -> Option<i32> {
    match kind {
        ResourceKind::Broker | ResourceKind::BrokerLogger => name.parse().ok(),
        ResourceKind::Topic | ResourceKind::Group | ResourceKind::ClientMetrics => None,
    }
}
