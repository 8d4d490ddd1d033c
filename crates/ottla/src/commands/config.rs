//! `ottla config`.

use ottla_client::Client;
use ottla_protocol::messages::describe_configs_request::{
    DescribeConfigsRequest, DescribeConfigsResource,
};
use ottla_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use ottla_protocol::messages::list_config_resources_request::ListConfigResourcesRequest;
use ottla_protocol::messages::list_config_resources_response::ConfigResource;
use serde::Serialize;

use crate::arguments::{ClusterArguments, ConfigCommand, ResourceKind};
use crate::failure::{Failure, check};
use crate::output::{Row, print_rows};

/// What to do with a value. Source: IncrementalAlterConfigs' field `ConfigOperation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Set = 0,
    Delete = 1,
    Append = 2,
    Subtract = 3,
}

/// DescribeConfigs' source of a value that nobody set.
const SOURCE_DEFAULT: i8 = 5;

/// Runs one subcommand.
pub async fn run(cluster: &ClusterArguments, command: ConfigCommand) -> Result<(), Failure> {
    let mut client = super::client(&cluster.connection);
    match command {
        ConfigCommand::Get {
            kind,
            name,
            properties,
            all,
        } => {
            let rows = get(&mut client, kind, name, &properties, all).await?;
            Ok(print_rows(cluster.format(), &rows)?)
        }
        ConfigCommand::Set {
            kind,
            name,
            properties,
        } => {
            let changes: Result<Vec<_>, _> = properties.iter().map(|text| change(text)).collect();
            alter(&mut client, kind, name, changes?).await
        }
        ConfigCommand::Unset {
            kind,
            name,
            properties,
        } => {
            let change = |name: String| AlterableConfig {
                name,
                config_operation: Operation::Delete as i8,
                ..Default::default()
            };
            let changes = properties.into_iter().map(change).collect();
            alter(&mut client, kind, name, changes).await
        }
        ConfigCommand::List { kind } => {
            let rows = list(&mut client, kind).await?;
            Ok(print_rows(cluster.format(), &rows)?)
        }
        ConfigCommand::Explain { names, kind } => {
            super::explain::run(cluster.format(), &names, kind)
        }
    }
}

/// Kafka's code of each kind of resource.
const RESOURCE_TYPES: [(ResourceKind, i8, &str); 5] = [
    (ResourceKind::Topic, 2, "topic"),
    (ResourceKind::Broker, 4, "broker"),
    (ResourceKind::BrokerLogger, 8, "broker-logger"),
    (ResourceKind::ClientMetrics, 16, "client-metrics"),
    (ResourceKind::Group, 32, "group"),
];

fn resource_type(kind: ResourceKind) -> i8 {
    let known = RESOURCE_TYPES.into_iter().find(|(one, _, _)| *one == kind);
    known.map_or(0, |(_, code, _)| code)
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
    kind: ResourceKind,
    name: String,
    properties: &[String],
    all: bool,
) -> Result<Vec<PropertyRow>, Failure> {
    let target = target(kind, &name)?;
    let resource = DescribeConfigsResource {
        resource_type: resource_type(kind),
        resource_name: name.clone(),
        configuration_keys: (!properties.is_empty()).then(|| properties.to_vec()),
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
        check(result.error_code, result.error_message, || {
            format!("configuration of '{name}'")
        })?;
        let is_wanted = all || !properties.is_empty() || kind == ResourceKind::BrokerLogger;
        let shown = result
            .configs
            .into_iter()
            .filter(|config| is_wanted || config.config_source != SOURCE_DEFAULT);
        rows.extend(shown.map(|config| PropertyRow {
            name: config.name,
            value: config.value,
            source: source_name(config.config_source),
            read_only: config.read_only,
            sensitive: config.is_sensitive,
        }));
    }
    let unknown = |property: &&String| !rows.iter().any(|row| row.name == **property);
    if let Some(property) = properties.iter().find(unknown) {
        return Err(Failure::Missing {
            kind: "property",
            name: property.clone(),
        });
    }
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(rows)
}

/// The change that `name=value`, `name+=value` or `name-=value` asks for.
fn change(text: &str) -> Result<AlterableConfig, Failure> {
    let malformed = || Failure::Argument {
        argument: "property",
        value: text.to_owned(),
        expected: "name=value; `ottla config unset` goes back to a default",
    };
    let (name, value) = text.split_once('=').ok_or_else(malformed)?;
    let (name, operation) = match (name.strip_suffix('+'), name.strip_suffix('-')) {
        (Some(name), _) => (name, Operation::Append),
        (_, Some(name)) => (name, Operation::Subtract),
        _ => (name, Operation::Set),
    };
    if name.trim().is_empty() {
        return Err(malformed());
    }
    Ok(AlterableConfig {
        name: name.trim().to_owned(),
        config_operation: operation as i8,
        value: Some(value.to_owned()),
        ..Default::default()
    })
}

async fn alter(
    client: &mut Client,
    kind: ResourceKind,
    name: String,
    configs: Vec<AlterableConfig>,
) -> Result<(), Failure> {
    let target = target(kind, &name)?;
    let resource = AlterConfigsResource {
        resource_type: resource_type(kind),
        resource_name: name.clone(),
        configs,
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
    response.responses.into_iter().try_for_each(|result| {
        check(result.error_code, result.error_message, || {
            format!("configuration of '{name}'")
        })
    })
}

#[derive(Serialize)]
struct ResourceRow {
    kind: &'static str,
    name: String,
}

impl Row for ResourceRow {
    const HEADINGS: &'static [&'static str] = &["KIND", "NAME"];
    fn cells(&self) -> Vec<String> {
        vec![self.kind.to_owned(), self.name.clone()]
    }
}

async fn list(
    client: &mut Client,
    kind: Option<ResourceKind>,
) -> Result<Vec<ResourceRow>, Failure> {
    let request = ListConfigResourcesRequest {
        resource_types: kind.map(resource_type).into_iter().collect(),
        ..Default::default()
    };
    let response = client.request(&request).await?;
    check(response.error_code, None, || "configurations".to_owned())?;
    let row = |resource: ConfigResource| {
        let known = RESOURCE_TYPES
            .into_iter()
            .find(|(_, code, _)| *code == resource.resource_type);
        ResourceRow {
            kind: known.map_or("unknown", |(_, _, name)| name),
            name: resource.resource_name,
        }
    };
    let mut rows: Vec<ResourceRow> = response.config_resources.into_iter().map(row).collect();
    rows.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    Ok(rows)
}

/// The broker that must be asked itself, when the resource is one broker.
fn target(kind: ResourceKind, name: &str) -> Result<Option<i32>, Failure> {
    let is_broker = matches!(kind, ResourceKind::Broker | ResourceKind::BrokerLogger);
    match name.parse() {
        _ if !is_broker || name.is_empty() => Ok(None),
        Ok(id) => Ok(Some(id)),
        Err(_) => Err(Failure::Argument {
            argument: "name",
            value: name.to_owned(),
            expected: "the id of a broker; `ottla cluster describe` shows them",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Operation, change};

    #[test]
    fn changes() {
        for (text, expected) in [
            ("a=b", Some(("a", Operation::Set, "b"))),
            ("a=b=c", Some(("a", Operation::Set, "b=c"))),
            ("a=", Some(("a", Operation::Set, ""))),
            ("a+=b", Some(("a", Operation::Append, "b"))),
            ("a-=b", Some(("a", Operation::Subtract, "b"))),
            ("a", None),
            ("=b", None),
            ("+=b", None),
        ] {
            let found = change(text).ok();
            let found = found.map(|one| (one.name, one.config_operation, one.value));
            let expected = expected.map(|(name, operation, value)| {
                (name.to_owned(), operation as i8, Some(value.to_owned()))
            });
            assert_eq!(found, expected, "{text}");
        }
    }
}
