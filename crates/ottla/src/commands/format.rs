//! `ottla format`.

use ottla_broker::FormatRequest;
use ottla_protocol::Uuid;

use crate::arguments::FormatArguments;
use crate::failure::Failure;
use crate::output::print_text;

/// Formats the directories of a node, and says what became of each.
pub fn run(arguments: &FormatArguments) -> Result<(), Failure> {
    if arguments.random_id {
        return Ok(print_text(&format!("{}\n", ottla_broker::random_id()?))?);
    }
    if let Some(id) = &arguments.cluster_id {
        id.parse::<Uuid>().map_err(|_| Failure::Argument {
            argument: "--cluster-id",
            value: id.clone(),
            expected: "22 characters of URL-safe base64; `ottla format --random-id` makes one",
        })?;
    }
    let mut features = Vec::new();
    for (name, level) in &arguments.features {
        let level = level.parse().map_err(|_| Failure::Argument {
            argument: "--feature",
            value: format!("{name}={level}"),
            expected: "name=level, the level a number",
        })?;
        features.push((name.clone(), level));
    }
    // A file's warnings belong on standard error, as when the node starts.
    super::logging::start();
    let config = super::start::load(arguments.config.as_deref(), &arguments.overrides)?;
    let done = ottla_broker::format(
        &config,
        &FormatRequest {
            cluster_id: arguments.cluster_id.clone(),
            features,
            ignore_formatted: arguments.ignore_formatted,
        },
    )?;
    let mut text = String::new();
    for path in &done.formatted {
        text.push_str(&format!(
            "formatted {} for node {} of cluster {}\n",
            path.display(),
            config.node_id,
            done.cluster_id
        ));
    }
    for path in &done.kept {
        text.push_str(&format!(
            "{} belongs to cluster {} already\n",
            path.display(),
            done.cluster_id
        ));
    }
    Ok(print_text(&text)?)
}
