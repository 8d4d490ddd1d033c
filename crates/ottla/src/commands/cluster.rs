//! `ottla cluster`.

mod log_dirs;

use ottla_protocol::ApiKey;
use ottla_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use serde::Serialize;

use crate::arguments::{ClusterArguments, ClusterCommand};
use crate::failure::Failure;
use crate::output::{Format, Row, print_json, print_rows, print_text, table};

/// Runs one subcommand.
pub async fn run(cluster: &ClusterArguments, command: ClusterCommand) -> Result<(), Failure> {
    match command {
        ClusterCommand::Describe => describe(cluster).await,
        ClusterCommand::LogDirs { top } => log_dirs::run(cluster, top).await,
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
struct FeatureRow {
    name: String,
    level: i16,
    supported_min: i16,
    supported_max: i16,
}

impl Row for FeatureRow {
    const HEADINGS: &'static [&'static str] = &["FEATURE", "LEVEL", "SUPPORTED"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.level.to_string(),
            format!("{} to {}", self.supported_min, self.supported_max),
        ]
    }
}

#[derive(Serialize)]
struct ClusterDocument {
    cluster_id: Option<String>,
    brokers: Vec<BrokerRow>,
    features: Vec<FeatureRow>,
}

async fn describe(cluster: &ClusterArguments) -> Result<(), Failure> {
    let mut client = super::client(&cluster.connection);
    let metadata = client.metadata(Some(&[])).await?;
    let request = ApiVersionsRequest {
        client_software_name: env!("CARGO_PKG_NAME").to_owned(),
        client_software_version: env!("CARGO_PKG_VERSION").to_owned(),
        ..Default::default()
    };
    let versions = client.request(&request).await?;
    let document = ClusterDocument {
        features: features(versions),
        cluster_id: metadata.cluster_id,
        brokers: metadata
            .brokers
            .into_iter()
            .map(|broker| BrokerRow {
                controller: broker.node_id == metadata.controller_id,
                id: broker.node_id,
                host: broker.host,
                port: broker.port,
                rack: broker.rack,
            })
            .collect(),
    };
    if cluster.format() == Format::Json {
        return Ok(print_json(&document)?);
    }
    fn cells<R: Row>(rows: &[R]) -> Vec<Vec<String>> {
        rows.iter().map(Row::cells).collect()
    }
    Ok(print_text(&format!(
        "cluster {}\n\n{}\n{}",
        document.cluster_id.unwrap_or_default(),
        table(BrokerRow::HEADINGS, &cells(&document.brokers)),
        table(FeatureRow::HEADINGS, &cells(&document.features))
    ))?)
}

/// The features that the broker supports, at the levels that the cluster has.
fn features(versions: ApiVersionsResponse) -> Vec<FeatureRow> {
    let finalized = versions.finalized_features;
    let mut rows: Vec<FeatureRow> = versions
        .supported_features
        .into_iter()
        .map(|feature| FeatureRow {
            level: finalized
                .iter()
                .find(|level| level.name == feature.name)
                .map_or(0, |level| level.max_version_level),
            supported_min: feature.min_version,
            supported_max: feature.max_version,
            name: feature.name,
        })
        .collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    rows
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
    let mut client = super::client(&cluster.connection);
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
    Ok(print_rows(cluster.format(), &rows)?)
}
