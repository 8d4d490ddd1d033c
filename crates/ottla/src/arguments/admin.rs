//! What `topic`, `group`, `config` and `cluster` take.

use clap::{Subcommand, ValueEnum};

use super::name_and_value;
use crate::position::Position;

/// `ottla topic ...`.
#[derive(Debug, Subcommand)]
pub enum TopicCommand {
    /// Create topics
    #[command(after_help = "\
  ottla topic create orders --partitions 6 --config retention.ms=86400000
  ottla config explain --kind topic       # every property a topic can have")]
    Create {
        /// Their names
        #[arg(required = true)]
        names: Vec<String>,
        /// Partitions of each; the broker's num.partitions when left out
        #[arg(long, short, value_parser = clap::value_parser!(i32).range(1..))]
        partitions: Option<i32>,
        /// Replicas of each partition; the broker's default.replication.factor when left out
        #[arg(long, short, value_parser = clap::value_parser!(i16).range(1..))]
        replication_factor: Option<i16>,
        /// A property of the topics: name=value; may be repeated
        #[arg(long = "config", value_name = "NAME=VALUE", value_parser = name_and_value)]
        configs: Vec<(String, String)>,
        /// Topics that exist already are fine as they are
        #[arg(long)]
        if_not_exists: bool,
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
    /// Show partitions with leaders, offsets and sizes, and what is configured; of all topics when none is named
    Describe {
        /// Their names
        names: Vec<String>,
    },
    /// Raise the number of a topic's partitions
    AddPartitions {
        /// The topic
        name: String,
        /// The new total
        #[arg(long, short, value_parser = clap::value_parser!(i32).range(1..))]
        total: i32,
    },
    /// Delete the records of partitions before an offset
    DeleteRecords {
        /// The topic
        name: String,
        /// The partition; all when left out
        #[arg(long, short, value_parser = clap::value_parser!(i32).range(0..))]
        partition: Option<i32>,
        /// What to keep from: an offset, latest for nothing, or any other position of `ottla consume`
        #[arg(long, value_name = "POSITION", allow_hyphen_values = true)]
        before: Position,
    },
    /// Delete topics and all their records
    Delete {
        /// Their names
        #[arg(required = true)]
        names: Vec<String>,
        /// Topics that do not exist are fine
        #[arg(long)]
        if_exists: bool,
    },
}

/// `ottla group ...`.
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// List groups
    List {
        /// Only those in this state, such as Stable or Empty; may be repeated
        #[arg(long = "state", value_name = "STATE")]
        states: Vec<String>,
    },
    /// Show members, committed offsets and lag; of all groups when none is named
    Describe {
        /// Their ids
        ids: Vec<String>,
    },
    /// Commit other offsets for a group without members
    #[command(after_help = "\
Positions are those of `ottla consume`; they are held within what the log has.

  ottla group rewind audit --topic orders --to earliest --dry-run
  ottla group rewind audit --topic orders --to @2026-01-31T12:00:00Z
  ottla group rewind audit --topic orders --to -2h
  ottla group rewind audit --all-topics --shift -100     # 100 records back, in each partition")]
    Rewind {
        /// The group
        id: String,
        /// The topic; may be repeated
        #[arg(
            long = "topic",
            short,
            value_name = "TOPIC",
            required_unless_present = "all_topics"
        )]
        topics: Vec<String>,
        /// All topics for which the group has committed offsets
        #[arg(long, conflicts_with_all = ["topics", "partitions"])]
        all_topics: bool,
        /// Only this partition; may be repeated
        #[arg(long = "partition", short, value_name = "PARTITION",
              value_parser = clap::value_parser!(i32).range(0..))]
        partitions: Vec<i32>,
        /// Where to
        #[arg(
            long,
            value_name = "POSITION",
            allow_hyphen_values = true,
            required_unless_present = "shift",
            conflicts_with = "shift"
        )]
        to: Option<Position>,
        /// By how many records from what is committed: -10 back, 10 forward
        #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
        shift: Option<i64>,
        /// Show what would be committed, commit nothing
        #[arg(long, short = 'n')]
        dry_run: bool,
    },
    /// Forget what a group has committed for a topic
    DeleteOffsets {
        /// The group
        id: String,
        /// The topic
        #[arg(long, short)]
        topic: String,
        /// Only this partition; may be repeated
        #[arg(long = "partition", short, value_name = "PARTITION",
              value_parser = clap::value_parser!(i32).range(0..))]
        partitions: Vec<i32>,
    },
    /// Delete groups without members
    Delete {
        /// Their ids
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

/// What a configuration belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
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

/// Whose properties to explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PropertyKind {
    /// Topics
    Topic,
    /// Brokers and controllers: server.properties
    Broker,
    /// Consumer groups
    Group,
    /// Client metrics subscriptions
    ClientMetrics,
}

/// `ottla config ...`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show the properties that are set
    #[command(after_help = "\
  ottla config get topic orders
  ottla config get broker 1 --all
  ottla config get broker                  # what is set for all brokers
  ottla config get topic orders retention.ms")]
    Get {
        /// What they belong to
        kind: ResourceKind,
        /// Its name: a topic, a broker's id, a group
        #[arg(default_value = "")]
        name: String,
        /// Only these, also when they have their defaults
        properties: Vec<String>,
        /// Show defaults too
        #[arg(long)]
        all: bool,
    },
    /// Set properties
    #[command(after_help = "\
  ottla config set topic orders retention.ms=86400000
  ottla config set broker '' log.retention.ms=86400000     # all brokers
  ottla config set topic orders cleanup.policy+=compact    # add to a list; -= takes away")]
    Set {
        /// What they belong to
        kind: ResourceKind,
        /// Its name, empty for all brokers
        name: String,
        /// name=value, or name+=value and name-=value for lists
        #[arg(required = true, value_name = "NAME=VALUE")]
        properties: Vec<String>,
    },
    /// Go back to the defaults of properties
    Unset {
        /// What they belong to
        kind: ResourceKind,
        /// Its name, empty for all brokers
        name: String,
        /// Their names
        #[arg(required = true, value_name = "PROPERTY")]
        properties: Vec<String>,
    },
    /// List everything that has a configuration
    List {
        /// Only of this kind
        kind: Option<ResourceKind>,
    },
    /// Say what properties are for, what they take and what they default to; asks no broker
    #[command(after_help = "\
  ottla config explain retention.ms
  ottla config explain log.retention       # all whose names contain it
  ottla config explain --kind topic")]
    Explain {
        /// Names or parts of them; all properties when none is given
        names: Vec<String>,
        /// Only of this kind
        #[arg(long)]
        kind: Option<PropertyKind>,
    },
}

/// `ottla cluster ...`.
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Show the cluster's id, brokers and feature levels
    Describe,
    /// Show the log directories of brokers, how full they are, and the largest partitions in them
    LogDirs {
        /// How many of the largest partitions to show
        #[arg(long, default_value_t = 10)]
        top: usize,
    },
    /// Show the APIs that a broker serves
    Apis,
}
