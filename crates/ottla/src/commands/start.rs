//! `ottla start`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use ottla_broker::Node;
use ottla_config::{BrokerConfig, ConfigWarning, Properties};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::arguments::StartArguments;
use crate::failure::Failure;

/// Runs the node until SIGTERM or SIGINT, or until it cannot go on, then stops it cleanly.
pub fn run(arguments: &StartArguments) -> Result<(), Failure> {
    let log_levels = super::logging::start();
    let config = load(arguments.file.as_deref(), &arguments.overrides)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            let node = Node::start(config, log_levels).await?;
            announce(&node)?;
            let is_broken = tokio::select! {
                _ = terminate.recv() => false,
                _ = interrupt.recv() => false,
                () = node.failed() => true,
            };
            info!("stopping");
            node.stop().await?;
            match is_broken {
                true => Err(Failure::Broken),
                false => Ok(()),
            }
        })
}

/// The node's configuration from `file`, the environment and `overrides`; warnings are logged.
pub fn load(file: Option<&Path>, overrides: &[String]) -> Result<BrokerConfig, Failure> {
    let properties = file.map(read).transpose()?;
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let (config, warnings) = BrokerConfig::load(properties.as_ref(), environment, overrides)?;
    warn_of(warnings);
    Ok(config)
}

/// One line for each warning, and a single one for all that is set without effect.
fn warn_of(warnings: Vec<ConfigWarning>) {
    let mut without_effect: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for warning in warnings {
        match warning {
            ConfigWarning::NoEffect { name, reason } => without_effect
                .entry(reason.to_string())
                .or_default()
                .push(name),
            other => warn!("{other}"),
        }
    }
    if !without_effect.is_empty() {
        let groups: Vec<String> = without_effect
            .iter()
            .map(|(reason, names)| format!("{} ({reason})", names.join(", ")))
            .collect();
        warn!("set without effect: {}", groups.join("; "));
    }
}

fn read(path: &Path) -> Result<Properties, Failure> {
    let bytes = std::fs::read(path).map_err(|source| Failure::File {
        path: path.to_owned(),
        source,
    })?;
    Properties::parse_bytes(&bytes).map_err(|source| Failure::Properties {
        path: path.to_owned(),
        source,
    })
}

/// The one line on standard output that says that requests are answered.
fn announce(node: &Node) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready {}", node.listeners().join(" "))?;
    Ok(out.flush()?)
}
