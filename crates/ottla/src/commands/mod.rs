//! The commands, one file each.

mod cluster;
mod config;
mod consume;
mod format;
mod group;
mod log;
mod logging;
mod offsets;
mod produce;
mod start;
mod topic;

use clap::CommandFactory;
use ottla_client::{Client, ClientError};

use crate::arguments::{Arguments, ClusterArguments, Command};
use crate::failure::Failure;

/// How the command line names itself to brokers.
const CLIENT_ID: &str = "ottla-cli";

/// Runs what the arguments ask for.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Start(arguments) => start::run(&arguments),
        Command::Format(arguments) => format::run(&arguments),
        Command::Log { command } => log::run(command),
        Command::Completion { shell } => {
            clap_complete::generate(
                shell,
                &mut Arguments::command(),
                "ottla",
                &mut std::io::stdout(),
            );
            Ok(())
        }
        Command::Topic { cluster, command } => on_cluster(topic::run(&cluster, command)),
        Command::Produce(arguments) => on_cluster(produce::run(arguments)),
        Command::Consume(arguments) => on_cluster(consume::run(arguments)),
        Command::Group { cluster, command } => on_cluster(group::run(&cluster, command)),
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
fn client(cluster: &ClusterArguments) -> Client {
    Client::new(&cluster.bootstrap, CLIENT_ID, cluster.timeout())
}

/// The time limit of a request that the cluster works on, milliseconds.
fn timeout_ms(cluster: &ClusterArguments) -> i32 {
    i32::try_from(cluster.timeout().as_millis()).unwrap_or(i32::MAX)
}

/// Remembers the first of several failures and reports the others at once.
fn keep_first(first: &mut Option<Failure>, failure: Failure) {
    match first {
        None => *first = Some(failure),
        Some(_) => eprintln!("ottla: {failure}"),
    }
}

/// The leader of a partition.
async fn leader_of(client: &mut Client, topic: &str, partition: i32) -> Result<i32, Failure> {
    let metadata = client.topic(topic).await?;
    let found = metadata
        .partitions
        .iter()
        .find(|candidate| candidate.partition_index == partition);
    match found.map(|partition| partition.leader_id) {
        None => Err(Failure::Missing {
            kind: "partition",
            name: format!("{topic}-{partition}"),
        }),
        Some(-1) => Err(ClientError::NoLeader {
            topic: topic.to_owned(),
            partition,
        }
        .into()),
        Some(leader) => Ok(leader),
    }
}
