//! The commands, one file each.

mod cluster;
mod config;
mod consume;
mod explain;
mod format;
mod group;
mod log;
mod logging;
mod offsets;
mod produce;
mod rewind;
mod start;
mod topic;

use clap::CommandFactory;
use ottla_client::Client;

use crate::arguments::{Arguments, Command, ConfigCommand, ConnectionArguments};
use crate::failure::Failure;
use crate::output::print_text;

/// How the command line names itself to brokers.
const CLIENT_ID: &str = "ottla-cli";

/// Runs what the arguments ask for.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Start(arguments) => start::run(&arguments),
        Command::Format(arguments) => format::run(&arguments),
        Command::Log { command } => log::run(command),
        Command::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "ottla", &mut script);
            Ok(print_text(&String::from_utf8_lossy(&script))?)
        }
        Command::Topic { cluster, command } => on_cluster(topic::run(&cluster, command)),
        Command::Produce(arguments) => on_cluster(produce::run(arguments)),
        Command::Consume(arguments) => on_cluster(consume::run(arguments)),
        Command::Group { cluster, command } => on_cluster(group::run(&cluster, command)),
        Command::Config {
            cluster,
            command: ConfigCommand::Explain { names, kind },
        } => explain::run(cluster.format(), &names, kind),
        Command::Config { cluster, command } => on_cluster(config::run(&cluster, command)),
        Command::Cluster { cluster, command } => on_cluster(cluster::run(&cluster, command)),
    }
}

fn on_cluster(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

/// A client of the cluster that the arguments name.
fn client(connection: &ConnectionArguments) -> Client {
    Client::new(&connection.bootstrap, CLIENT_ID, connection.timeout())
}

/// Remembers the first of several failures and reports the others at once.
fn keep_first(first: &mut Option<Failure>, failure: Failure) {
    match (&first, failure.words()) {
        (None, _) => *first = Some(failure),
        (Some(_), Some(words)) => eprintln!("ottla: {words}"),
        (Some(_), None) => {}
    }
}
