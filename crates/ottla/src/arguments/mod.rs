//! What the commands take.

mod admin;
mod data;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub use admin::{
    ClusterCommand, ConfigCommand, GroupCommand, PropertyKind, ResourceKind, TopicCommand,
};
pub use data::{Codec, ConsumeArguments, ProduceArguments};

use crate::output::Format;

/// What `ottla --help` ends with.
const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 the cluster refused; 2 wrong usage; 3 the cluster cannot be reached;
4 a file cannot be read or written; 5 the node cannot start or stop; 130 interrupted.";

/// A broker for Kafka's clients, and the command line for any Kafka cluster.
#[derive(Debug, Parser)]
#[command(name = "ottla", version, about, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a node; without FILE, a node of its own on localhost:9092 with its data in ./ottla-data
    Start(StartArguments),
    /// Prepare the directories of a node by hand, as kafka-storage format does
    Format(FormatArguments),
    /// Create, list, describe, change and delete topics
    Topic {
        #[command(flatten)]
        cluster: ClusterArguments,
        #[command(subcommand)]
        command: TopicCommand,
    },
    /// Write lines as records
    Produce(ProduceArguments),
    /// Read records as lines
    Consume(ConsumeArguments),
    /// List, describe, rewind and delete consumer groups
    Group {
        #[command(flatten)]
        cluster: ClusterArguments,
        #[command(subcommand)]
        command: GroupCommand,
    },
    /// Show, explain and change the properties of topics, brokers and groups
    Config {
        #[command(flatten)]
        cluster: ClusterArguments,
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Show the cluster's brokers, features, directories and APIs
    Cluster {
        #[command(flatten)]
        cluster: ClusterArguments,
        #[command(subcommand)]
        command: ClusterCommand,
    },
    /// Read the files in a broker's directories
    Log {
        #[command(subcommand)]
        command: LogCommand,
    },
    /// Print a script that completes these commands in a shell
    #[command(after_help = "For bash: source <(ottla completion bash)")]
    Completion {
        /// The shell
        shell: Shell,
    },
}

/// Which cluster to ask, and for how long.
#[derive(Clone, Debug, Args)]
pub struct ConnectionArguments {
    /// Addresses of brokers, host:port with commas between them
    #[arg(
        long,
        short = 'b',
        global = true,
        value_name = "HOST:PORT",
        default_value = "localhost:9092",
        alias = "bootstrap-server"
    )]
    pub bootstrap: String,
    /// Seconds to wait for an answer
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
}

impl ConnectionArguments {
    /// How long to wait for one answer.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// The time limit of a request that the cluster works on, milliseconds.
    pub fn timeout_ms(&self) -> i32 {
        i32::try_from(self.timeout().as_millis()).unwrap_or(i32::MAX)
    }
}

/// Which cluster, and how to print what it says.
#[derive(Clone, Debug, Args)]
pub struct ClusterArguments {
    #[command(flatten)]
    pub connection: ConnectionArguments,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

impl ClusterArguments {
    /// How to print.
    pub fn format(&self) -> Format {
        Format::of_flag(self.json)
    }
}

/// `ottla start`.
#[derive(Debug, Args)]
#[command(after_help = "\
The environment overrides properties too: OTTLA_LOG_DIRS=/data sets log.dirs; --set outweighs it.
Once requests are answered, one line on standard output says `ready` and the listeners. The log
goes to standard error; RUST_LOG=debug makes it say more. SIGTERM and Ctrl-C stop the node cleanly.

  ottla start
  ottla start server.properties --set log.dirs=/data --set num.partitions=6
  ottla start --set listeners=PLAINTEXT://0.0.0.0:9092 \\
      --set advertised.listeners=PLAINTEXT://myhost:9092")]
pub struct StartArguments {
    /// A server.properties file
    pub file: Option<PathBuf>,
    /// Override a property: name=value; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub overrides: Vec<String>,
}

/// `ottla format`.
#[derive(Debug, Args)]
#[command(after_help = "\
A node that is alone formats its directories by itself when it starts; this is for choosing the
cluster's id, and for nodes that belong to a cluster.

  ottla format -c server.properties -t $(ottla format --random-id)")]
pub struct FormatArguments {
    /// A server.properties file
    #[arg(long, short = 'c', value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The cluster's id, 22 characters of URL-safe base64; a new one when left out
    #[arg(long, short = 't', value_name = "ID")]
    pub cluster_id: Option<String>,
    /// Leave directories that are formatted already as they are
    #[arg(long, short = 'g')]
    pub ignore_formatted: bool,
    /// The level a feature begins at: name=level; may be repeated
    #[arg(long = "feature", short = 'f', value_name = "NAME=LEVEL", value_parser = name_and_value)]
    pub features: Vec<(String, String)>,
    /// Override a property: name=value; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub overrides: Vec<String>,
    /// Print a new random cluster id and do nothing else
    #[arg(long, exclusive = true)]
    pub random_id: bool,
}

/// `ottla log ...`.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Print what is in the files of a log, as kafka-dump-log does
    #[command(after_help = "\
Understands .log, .index, .timeindex, .txnindex and .snapshot files, metadata snapshots
(.checkpoint), checkpoint files, partition.metadata, meta.properties and quorum-state; of a
directory, all of them. Records of __cluster_metadata, __consumer_offsets and
__transaction_state are decoded.

  ottla log dump ottla-data/orders-0
  ottla log dump ottla-data/orders-0/00000000000000000000.log --records
  ottla log dump ottla-data/__cluster_metadata-0/00000000000000000000.log --records --json")]
    Dump {
        /// Files or directories
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Print each record, not only each batch
        #[arg(long, short)]
        records: bool,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
}

/// Splits `name=value`.
fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        _ => Err("write name=value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    #[test]
    fn options_do_not_collide() {
        Arguments::command().debug_assert();
    }
}
