//! What the commands take.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::output::Format;

/// A broker for Kafka's clients, and the command line for any Kafka cluster.
#[derive(Debug, Parser)]
#[command(name = "ottla", version, about, max_term_width = 100)]
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
    /// Prepare the directories of a node that belongs to a cluster
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
    /// Show and change the configuration of topics and brokers
    Config {
        #[command(flatten)]
        cluster: ClusterArguments,
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Show the cluster's brokers and their APIs
    Cluster {
        #[command(flatten)]
        cluster: ClusterArguments,
        #[command(subcommand)]
        command: ClusterCommand,
    },
    /// Read the files of a log
    Log {
        #[command(subcommand)]
        command: LogCommand,
    },
    /// Print a script that completes these commands in a shell
    Completion {
        /// The shell
        shell: Shell,
    },
}

/// Which cluster, and how to print what it says.
#[derive(Clone, Debug, Args)]
pub struct ClusterArguments {
    /// Addresses of brokers, host:port with commas between them
    #[arg(long, short = 'b', global = true, default_value = "localhost:9092")]
    pub bootstrap: String,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Seconds to wait for an answer
    #[arg(long, global = true, default_value_t = 30)]
    pub timeout: u64,
}

impl ClusterArguments {
    /// How to print.
    pub fn format(&self) -> Format {
        if self.json {
            Format::Json
        } else {
            Format::Table
        }
    }

    /// How long to wait for one answer.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

/// `ottla start`.
#[derive(Debug, Args)]
pub struct StartArguments {
    /// A server.properties file
    pub file: Option<PathBuf>,
    /// Override a property: name=value; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub overrides: Vec<String>,
}

/// `ottla format`.
#[derive(Debug, Args)]
pub struct FormatArguments {
    /// A server.properties file
    #[arg(long, short = 'c')]
    pub config: Option<PathBuf>,
    /// The cluster's id, 22 characters of URL-safe base64; a new one when left out
    #[arg(long, short = 't')]
    pub cluster_id: Option<String>,
    /// Leave directories that are formatted already as they are
    #[arg(long, short = 'g')]
    pub ignore_formatted: bool,
    /// Override a property: name=value; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub overrides: Vec<String>,
}

/// `ottla topic ...`.
#[derive(Debug, Subcommand)]
pub enum TopicCommand {
    /// Create topics
    Create {
        /// Their names
        #[arg(required = true)]
        names: Vec<String>,
        /// Partitions of each; the broker's num.partitions when left out
        #[arg(long, short)]
        partitions: Option<i32>,
        /// Replicas of each partition; the broker's default.replication.factor when left out
        #[arg(long, short)]
        replication_factor: Option<i16>,
        /// A topic's configuration: name=value; may be repeated
        #[arg(long = "config", value_name = "NAME=VALUE", value_parser = name_and_value)]
        configs: Vec<(String, String)>,
        /// Check everything, create nothing
        #[arg(long)]
        validate_only: bool,
    },
    /// List topics
    List {
        /// Show the brokers' own topics too
        #[arg(long)]
        internal: bool,
    },
    /// Show the partitions of topics, of all when none is named
    Describe {
        /// Their names
        names: Vec<String>,
    },
    /// Raise the number of a topic's partitions
    AddPartitions {
        /// The topic
        name: String,
        /// The new total
        #[arg(long, short)]
        total: i32,
    },
    /// Delete the records of a partition before an offset
    DeleteRecords {
        /// The topic
        name: String,
        /// The partition
        #[arg(long, short)]
        partition: i32,
        /// The first offset to keep; -1 deletes all there are
        #[arg(long, short, allow_negative_numbers = true)]
        before: i64,
    },
    /// Delete topics and all their records
    Delete {
        /// Their names
        #[arg(required = true)]
        names: Vec<String>,
    },
}

/// Which codec compresses batches.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Codec {
    /// No compression
    None,
    /// gzip
    Gzip,
    /// snappy
    Snappy,
    /// lz4
    Lz4,
    /// zstd
    Zstd,
}

/// `ottla produce`.
#[derive(Debug, Args)]
pub struct ProduceArguments {
    #[command(flatten)]
    pub cluster: ClusterArguments,
    /// The topic
    pub topic: String,
    /// Files of lines; standard input when none is given
    pub files: Vec<PathBuf>,
    /// What stands between key and value in a line; without it a line is a value
    #[arg(long, short = 'k', value_name = "TEXT")]
    pub key_separator: Option<String>,
    /// A header for every record: name=value; may be repeated
    #[arg(long = "header", short = 'H', value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub headers: Vec<(String, String)>,
    /// Write to this partition; else by the key's hash, or in turn without a key
    #[arg(long, short)]
    pub partition: Option<i32>,
    /// A line of this text is a null value (a tombstone)
    #[arg(long, value_name = "TEXT")]
    pub null: Option<String>,
    /// How each batch is compressed
    #[arg(long, short = 'z', value_enum, default_value_t = Codec::None)]
    pub compression: Codec,
    /// Print the partition, offset and timestamp of each batch
    #[arg(long, short)]
    pub verbose: bool,
}

/// `ottla consume`.
#[derive(Debug, Args)]
pub struct ConsumeArguments {
    #[command(flatten)]
    pub cluster: ClusterArguments,
    /// The topic
    pub topic: String,
    /// Read only this partition; may be repeated
    #[arg(long = "partition", short)]
    pub partitions: Vec<i32>,
    /// Where to begin: earliest, latest, an offset, or @ and milliseconds since the epoch
    #[arg(long, short, default_value = "earliest", allow_hyphen_values = true)]
    pub from: String,
    /// Go on as new records come, until interrupted
    #[arg(long, short)]
    pub follow: bool,
    /// End after this many records
    #[arg(long, short = 'n')]
    pub max_records: Option<u64>,
    /// Print partition, offset, timestamp and headers too
    #[arg(long, short)]
    pub verbose: bool,
    /// Print the key, and this text between it and the value
    #[arg(long, short = 'k', value_name = "TEXT")]
    pub key_separator: Option<String>,
    /// Read the records of aborted transactions too
    #[arg(long)]
    pub uncommitted: bool,
}

/// `ottla group ...`.
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// List groups
    List,
    /// Show members, committed offsets and lag of groups
    Describe {
        /// Their ids
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Commit other offsets for a group without members
    Rewind {
        /// The group
        id: String,
        /// The topic
        #[arg(long, short)]
        topic: String,
        /// Only this partition; may be repeated
        #[arg(long = "partition", short)]
        partitions: Vec<i32>,
        /// Where to: earliest, latest, an offset, or @ and milliseconds since the epoch
        #[arg(long, allow_hyphen_values = true)]
        to: String,
        /// Show what would be committed, commit nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Delete groups without members
    Delete {
        /// Their ids
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

/// What a configuration belongs to.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ResourceKind {
    /// A topic
    Topic,
    /// A broker, or all brokers when its name is left out
    Broker,
    /// A consumer group
    Group,
    /// A client metrics subscription
    ClientMetrics,
    /// The log levels of a broker
    BrokerLogger,
}

/// `ottla config ...`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show properties
    Get {
        /// What they belong to
        kind: ResourceKind,
        /// Its name: a topic, a broker's id, a group
        #[arg(default_value = "")]
        name: String,
        /// Show defaults too
        #[arg(long)]
        all: bool,
    },
    /// Change properties
    Set {
        /// What they belong to
        kind: ResourceKind,
        /// Its name, empty for all brokers
        name: String,
        /// name=value to set, name to go back to the default
        #[arg(required = true)]
        properties: Vec<String>,
    },
}

/// `ottla cluster ...`.
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Show the cluster's id and brokers
    Describe,
    /// Show the APIs that a broker serves
    Apis,
}

/// `ottla log ...`.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Print batches and records of segment files
    Dump {
        /// .log files
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Print each record, not only each batch
        #[arg(long)]
        records: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Splits `name=value`.
fn name_and_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.trim().to_owned(), value.to_owned()))
        .ok_or_else(|| format!("'{text}' has no '='; write name=value"))
}
