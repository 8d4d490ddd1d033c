//! The directories of a node: which node of which cluster they belong to, and how they begin.

use std::path::{Path, PathBuf};

use ottla_config::{BrokerConfig, QuorumKind};
use ottla_metadata::{Endpoint, bootstrap};
use ottla_protocol::Uuid;
use ottla_protocol::messages::metadata::MetadataRecord;
use ottla_storage::meta_properties::{self, MetaProperties, MetaPropertiesError};
use ottla_storage::{DiskError, DiskOperation};
use tracing::{error, info};

use crate::clock::Clock;
use crate::node::{StartError, configured_controllers};
use crate::raft_host;

/// How directories are to be formatted.
pub struct FormatRequest {
    /// The cluster's id; that of the directories which are formatted already, or a new one, when
    /// left out.
    pub cluster_id: Option<String>,
    /// Features and the levels they begin at; the others begin at the highest one.
    pub features: Vec<(String, i16)>,
    /// Whether directories that are formatted already are left as they are, instead of an error.
    pub ignore_formatted: bool,
}

/// What formatting did.
pub struct FormatReport {
    /// The cluster's id.
    pub cluster_id: String,
    /// The directories that were formatted.
    pub formatted: Vec<PathBuf>,
    /// Those that were formatted before.
    pub kept: Vec<PathBuf>,
}

/// Formats the directories of a node; changes nothing when one of them stands against it.
///
/// Source: `kafka-storage format`.
pub fn format(config: &BrokerConfig, request: &FormatRequest) -> Result<FormatReport, StartError> {
    let bootstrap = bootstrap::bootstrap_records_at(&request.features)?;
    let found = read_all(config)?;
    if let Some((path, _)) = found.ids.first() {
        if !request.ignore_formatted {
            return Err(StartError::Formatted { path: path.clone() });
        }
        if let (Some(asked), Some(there)) = (&request.cluster_id, &found.cluster_id)
            && asked != there
        {
            return Err(StartError::OtherCluster {
                path: path.clone(),
                found: there.clone(),
                expected: asked.clone(),
            });
        }
    }
    let cluster_id = match found.cluster_id.or(request.cluster_id.clone()) {
        Some(id) => id,
        None => random_id()?.to_string(),
    };
    let now_ms = Clock.now_ms();
    let controllers = configured_controllers(config);
    for path in &found.missing {
        make_and_format(config, path, &cluster_id, &controllers, &bootstrap, now_ms)?;
    }
    Ok(FormatReport {
        cluster_id,
        formatted: found.missing,
        kept: found.ids.into_iter().map(|(path, _)| path).collect(),
    })
}

/// Where the node's directories are and what they say.
pub(crate) struct Formatted {
    /// The cluster's id.
    pub cluster_id: String,
    /// The ids of those of `log.dirs` that can be used, in their order.
    pub directory_ids: Vec<Uuid>,
    /// The id of `metadata.log.dir`.
    pub metadata_directory_id: Uuid,
}

/// Every directory that holds something of the node: `log.dirs` and `metadata.log.dir`.
fn log_directories(config: &BrokerConfig) -> Vec<PathBuf> {
    let mut directories: Vec<PathBuf> = config.log.log_dirs.iter().map(PathBuf::from).collect();
    let metadata = PathBuf::from(&config.metadata_log.dir);
    if !directories.contains(&metadata) {
        directories.push(metadata);
    }
    directories
}

/// What the `meta.properties` files say, as far as they were read.
#[derive(Default)]
struct Found {
    cluster_id: Option<String>,
    /// The directories' ids.
    ids: Vec<(PathBuf, Uuid)>,
    /// Directories without the file.
    missing: Vec<PathBuf>,
}

impl Found {
    fn id_of(&self, path: &str) -> Option<Uuid> {
        let mut ids = self.ids.iter();
        ids.find(|(known, _)| known == Path::new(path))
            .map(|(_, id)| *id)
    }
}

/// What the directories say; those that are new are formatted, if the node is alone.
pub(crate) fn read_or_format(
    config: &BrokerConfig,
    controllers: &[Endpoint],
    now_ms: i64,
) -> Result<Formatted, StartError> {
    let mut found = read_all(config)?;
    let others = config.quorum.bootstrap_servers.len() + config.quorum.voters.len();
    if let (Some(path), None) = (found.missing.first(), &found.cluster_id)
        && config.quorum.kind == QuorumKind::Configured
        && others > 1
    {
        return Err(StartError::NotFormatted { path: path.clone() });
    }
    check_new(config, &found.missing, found.cluster_id.as_deref())?;
    let cluster_id = match found.cluster_id.take() {
        Some(id) => id,
        None => random_id()?.to_string(),
    };
    let bootstrap = bootstrap::bootstrap_records();
    for path in std::mem::take(&mut found.missing) {
        match make_and_format(config, &path, &cluster_id, controllers, &bootstrap, now_ms) {
            Ok(id) => {
                info!(directory = %path.display(), %cluster_id, "formatted a new directory");
                found.ids.push((path, id));
            }
            Err(StartError::Disk(error)) if may_lack(config, &path) => offline(&error),
            Err(error) => return Err(error),
        }
    }
    let log_dirs = config.log.log_dirs.iter();
    Ok(Formatted {
        cluster_id,
        directory_ids: log_dirs.filter_map(|path| found.id_of(path)).collect(),
        metadata_directory_id: found.id_of(&config.metadata_log.dir).unwrap_or(Uuid::ZERO),
    })
}

fn read_all(config: &BrokerConfig) -> Result<Found, StartError> {
    let mut all = Found::default();
    for path in log_directories(config) {
        let found = match meta_properties::read(&path) {
            Err(MetaPropertiesError::Disk(error)) if may_lack(config, &path) => {
                offline(&error);
                continue;
            }
            found => found?,
        };
        let Some(found) = found else {
            all.missing.push(path);
            continue;
        };
        if found.node_id != config.node_id {
            return Err(StartError::OtherNode {
                path,
                found: found.node_id,
                cluster_id: found.cluster_id,
                expected: config.node_id,
            });
        }
        let expected = all
            .cluster_id
            .get_or_insert_with(|| found.cluster_id.clone());
        if *expected != found.cluster_id {
            return Err(StartError::OtherCluster {
                path,
                found: found.cluster_id,
                expected: expected.clone(),
            });
        }
        all.ids
            .push((path, found.directory_id.unwrap_or(Uuid::ZERO)));
    }
    Ok(all)
}

fn offline(error: &DiskError) {
    error!(%error, "the log directory is offline; replace or repair its disk, then restart");
}

/// A directory without `meta.properties` is new only if there is nothing in it; and a cluster that
/// there is already has its metadata somewhere.
fn check_new(
    config: &BrokerConfig,
    missing: &[PathBuf],
    cluster_id: Option<&str>,
) -> Result<(), StartError> {
    for path in missing {
        if ottla_storage::holds_logs(path)? {
            return Err(StartError::Unlabelled { path: path.clone() });
        }
        if let (Some(cluster_id), true) = (cluster_id, path == Path::new(&config.metadata_log.dir))
        {
            return Err(StartError::NoMetadata {
                path: path.clone(),
                cluster_id: cluster_id.to_owned(),
            });
        }
    }
    Ok(())
}

/// Whether the node can do without the directory: it is one of several, and not the metadata log's.
fn may_lack(config: &BrokerConfig, path: &Path) -> bool {
    config.log.log_dirs.len() > 1 && path != Path::new(&config.metadata_log.dir)
}

fn make_and_format(
    config: &BrokerConfig,
    path: &Path,
    cluster_id: &str,
    controllers: &[Endpoint],
    bootstrap: &[MetadataRecord],
    now_ms: i64,
) -> Result<Uuid, StartError> {
    std::fs::create_dir_all(path).map_err(|source| DiskError {
        operation: DiskOperation::Create,
        path: path.to_owned(),
        source,
    })?;
    format_directory(config, path, cluster_id, controllers, bootstrap, now_ms)
}

fn format_directory(
    config: &BrokerConfig,
    path: &Path,
    cluster_id: &str,
    controllers: &[Endpoint],
    bootstrap: &[MetadataRecord],
    now_ms: i64,
) -> Result<Uuid, StartError> {
    let directory_id = random_id()?;
    if path == Path::new(&config.metadata_log.dir) {
        raft_host::format(
            path,
            config.node_id,
            directory_id,
            controllers,
            bootstrap,
            now_ms,
        )?;
    }
    let properties = MetaProperties {
        cluster_id: cluster_id.to_owned(),
        node_id: config.node_id,
        directory_id: Some(directory_id),
    };
    meta_properties::write(path, &properties)?;
    Ok(directory_id)
}

/// An id whose text does not begin with a dash, which tools would take for an option.
pub fn random_id() -> Result<Uuid, StartError> {
    loop {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(StartError::Random)?;
        if let Some(id) = Uuid::from_random(bytes) {
            return Ok(id);
        }
    }
}
