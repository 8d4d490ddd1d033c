//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::batch::Codec;

/// Load generator for Kafka brokers. Prints one line of JSON with what it measured.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Options {
    /// Confine the generator to this core.
    #[arg(long, global = true)]
    pub core: Option<usize>,
    #[command(subcommand)]
    pub mode: Mode,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Mode {
    /// Send records as fast as the broker takes them.
    Produce(Produce),
    /// Read records as fast as the broker gives them.
    Consume(Consume),
    /// Send at a fixed rate and measure the time from when each record was due until it was read.
    Latency(Latency),
    /// Wait for the first answer to a Metadata request that names a broker.
    FirstMetadata(Target),
    /// Create a topic and wait until every partition answers ListOffsets.
    CreatePartitions(Partitions),
    /// Wait until every partition of a topic answers ListOffsets.
    AwaitPartitions(Partitions),
}

/// Which broker.
#[derive(Clone, Debug, Args)]
pub struct Target {
    /// The broker, as HOST:PORT.
    #[arg(long, default_value = "127.0.0.1:9092")]
    pub broker: String,
    /// The broker's process, to measure its CPU time and memory.
    #[arg(long)]
    pub broker_pid: Option<i32>,
    /// Seconds to wait for something that should happen.
    #[arg(long, default_value_t = 120)]
    pub timeout_s: u64,
}

/// Which client writes the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Client {
    /// librdkafka.
    Librdkafka,
    /// Requests built beforehand and written to the socket, so that the broker is the limit.
    Raw,
}

/// Options of `produce`.
#[derive(Clone, Debug, Args)]
pub struct Produce {
    #[command(flatten)]
    pub target: Target,
    #[arg(long)]
    pub topic: String,
    /// Created first when it does not exist.
    #[arg(long, default_value_t = 1)]
    pub partitions: i32,
    /// Producers, each with a connection of its own.
    #[arg(long, default_value_t = 1)]
    pub connections: usize,
    #[arg(long)]
    pub records: u64,
    /// Bytes of each record's value.
    #[arg(long, default_value_t = 1024)]
    pub record_bytes: usize,
    /// 0, 1 or -1 for all.
    #[arg(long, default_value_t = -1, allow_negative_numbers = true)]
    pub acks: i16,
    #[arg(long, value_enum, default_value_t = Codec::None)]
    pub codec: Codec,
    /// Bytes of a batch before compression; with librdkafka its upper bound.
    #[arg(long, default_value_t = 16384)]
    pub batch_bytes: usize,
    /// How long librdkafka waits for a batch to fill.
    #[arg(long, default_value_t = 5)]
    pub linger_ms: u64,
    /// Partitions that one raw request writes to.
    #[arg(long, default_value_t = 1)]
    pub partitions_per_request: usize,
    /// Raw requests that may wait for an answer on a connection.
    #[arg(long, default_value_t = 5)]
    pub in_flight: usize,
    #[arg(long, value_enum, default_value_t = Client::Librdkafka)]
    pub client: Client,
}

/// Options of `consume`.
#[derive(Clone, Debug, Args)]
pub struct Consume {
    #[command(flatten)]
    pub target: Target,
    #[arg(long)]
    pub topic: String,
    #[arg(long, default_value_t = 1)]
    pub partitions: i32,
    /// Consumers, each with a connection of its own and its share of the partitions; when there
    /// are more consumers than partitions, several read the same one.
    #[arg(long, default_value_t = 1)]
    pub connections: usize,
    /// Records to read in all; whoever reaches the end of a partition starts over.
    #[arg(long)]
    pub records: u64,
    /// Bytes of each record's value, to compute rates with.
    #[arg(long, default_value_t = 1024)]
    pub record_bytes: usize,
    /// The broker gives at most this much of a partition in one answer.
    #[arg(long, default_value_t = 1 << 20)]
    pub partition_max_bytes: i32,
    #[arg(long, value_enum, default_value_t = Client::Librdkafka)]
    pub client: Client,
}

/// Options of `latency`.
#[derive(Clone, Debug, Args)]
pub struct Latency {
    #[command(flatten)]
    pub target: Target,
    #[arg(long)]
    pub topic: String,
    #[arg(long, default_value_t = 1)]
    pub partitions: i32,
    /// Records due in each second.
    #[arg(long, default_value_t = 1000.0)]
    pub rate: f64,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
    /// Seconds before them whose records are sent and not counted.
    #[arg(long, default_value_t = 5)]
    pub warm_up_s: u64,
    #[arg(long, default_value_t = 1024)]
    pub record_bytes: usize,
    #[arg(long, default_value_t = -1, allow_negative_numbers = true)]
    pub acks: i16,
    #[arg(long, value_enum, default_value_t = Codec::None)]
    pub codec: Codec,
    #[arg(long, default_value_t = 0)]
    pub linger_ms: u64,
}

/// Options of `create-partitions` and `await-partitions`.
#[derive(Clone, Debug, Args)]
pub struct Partitions {
    #[command(flatten)]
    pub target: Target,
    #[arg(long)]
    pub topic: String,
    #[arg(long)]
    pub partitions: i32,
}
