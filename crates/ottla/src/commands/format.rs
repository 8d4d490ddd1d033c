//! `ottla format`.

use crate::arguments::FormatArguments;
use crate::failure::Failure;

/// Formats the directories of a node, and prints the cluster's id.
pub fn run(arguments: &FormatArguments) -> Result<(), Failure> {
    let config = super::start::load(arguments.config.as_deref(), &arguments.overrides)?;
    let cluster_id = ottla_broker::format(
        &config,
        arguments.cluster_id.clone(),
        arguments.ignore_formatted,
    )?;
    println!(
        "formatted {} for cluster {cluster_id}",
        config.log.log_dirs.join(", ")
    );
    Ok(())
}
