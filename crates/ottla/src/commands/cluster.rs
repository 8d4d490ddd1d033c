//! `ottla cluster`.

use ottla_protocol::ApiKey;
use serde::Serialize;

use crate::arguments::{ClusterArguments, ClusterCommand};
use crate::failure::Failure;
use crate::output::{Format, Row, print_json, print_rows};

/// Runs one subcommand.
pub async fn run(cluster: &ClusterArguments, command: ClusterCommand) -> Result<(), Failure> {
    match command {
        ClusterCommand::Describe => describe(cluster).await,
        ClusterCommand::Apis => apis(cluster).await,
    }
}

#[derive(Serialize)]
struct BrokerRow {
    id: i32,
    host: String,
    port: i32,
    rack: Option<String>,
    controller: bool,
}

impl Row for BrokerRow {
    const HEADINGS: &'static [&'static str] = &["BROKER", "ADDRESS", "RACK", "CONTROLLER"];
    fn cells(&self) -> Vec<String> {
        let controller = if self.controller { "yes" } else { "" };
        vec![
            self.id.to_string(),
            format!("{}:{}", self.host, self.port),
            self.rack.clone().unwrap_or_default(),
            controller.to_owned(),
        ]
    }
}

#[derive(Serialize)]
struct ClusterDocument {
    cluster_id: Option<String>,
    brokers: Vec<BrokerRow>,
}

async fn describe(cluster: &ClusterArguments) -> Result<(), Failure> {
    let metadata = super::client(cluster).metadata(Some(&[])).await?;
    let brokers: Vec<BrokerRow> = metadata
        .brokers
        .into_iter()
        .map(|broker| BrokerRow {
            controller: broker.node_id == metadata.controller_id,
            id: broker.node_id,
            host: broker.host,
            port: broker.port,
            rack: broker.rack,
        })
        .collect();
    match cluster.format() {
        Format::Json => print_json(&ClusterDocument {
            cluster_id: metadata.cluster_id,
            brokers,
        }),
        Format::Table => {
            println!("cluster {}\n", metadata.cluster_id.unwrap_or_default());
            print_rows(Format::Table, &brokers);
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct ApiRow {
    key: i16,
    name: String,
    min_version: i16,
    max_version: i16,
}

impl Row for ApiRow {
    const HEADINGS: &'static [&'static str] = &["KEY", "API", "VERSIONS"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.key.to_string(),
            self.name.clone(),
            format!("{}-{}", self.min_version, self.max_version),
        ]
    }
}

async fn apis(cluster: &ClusterArguments) -> Result<(), Failure> {
    let mut client = super::client(cluster);
    let served = client.any().await?.served_versions();
    let mut rows: Vec<ApiRow> = served
        .iter()
        .map(|(&key, versions)| ApiRow {
            key,
            name: ApiKey::from_i16(key).map_or("?", ApiKey::name).to_owned(),
            min_version: *versions.start(),
            max_version: *versions.end(),
        })
        .collect();
    rows.sort_by_key(|row| row.key);
    print_rows(cluster.format(), &rows);
    Ok(())
}
