//! Load generator for Kafka brokers: produce, consume, end-to-end latency at a fixed rate, and
//! probes for start-up and partition creation. `bench/run` drives it; it also runs by itself.
//! Entry point: `main`, one module per mode, JSON on standard output.

mod batch;
mod error;
mod latency;
mod library;
mod measure;
mod options;
mod payload;
mod probes;
mod process;
mod raw;
mod wire;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::error::LoadError;
use crate::options::{Client, Mode, Options, Target};

/// Pause between two looks at a topic that was just created.
const TOPIC_PAUSE: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("ottla-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<serde_json::Value, LoadError> {
    if let Some(core) = options.core {
        process::pin_to_core(core)?;
    }
    let json = match &options.mode {
        Mode::Produce(produce) => {
            ensure_topic(&produce.target, &produce.topic, produce.partitions)?;
            serde_json::to_value(match produce.client {
                Client::Librdkafka => library::produce(produce)?,
                Client::Raw => raw::produce(produce)?,
            })
        }
        Mode::Consume(consume) => serde_json::to_value(match consume.client {
            Client::Librdkafka => library::consume(consume)?,
            Client::Raw => raw::consume(consume)?,
        }),
        Mode::Latency(latency) => {
            ensure_topic(&latency.target, &latency.topic, latency.partitions)?;
            serde_json::to_value(latency::run(latency)?)
        }
        Mode::FirstMetadata(target) => serde_json::to_value(probes::first_metadata(target)?),
        Mode::CreatePartitions(options) => {
            serde_json::to_value(probes::create_partitions(options)?)
        }
        Mode::AwaitPartitions(options) => serde_json::to_value(probes::await_partitions(options)?),
    };
    json.map_err(|error| LoadError::Io {
        action: "write the figures",
        source: error.into(),
    })
}

/// Creates the topic if it does not exist, and waits until all its partitions answer.
fn ensure_topic(target: &Target, topic: &str, partitions: i32) -> Result<(), LoadError> {
    let mut connection = wire::Connection::open(&target.broker)?;
    wire::create_topic(&mut connection, topic, partitions, &[])?;
    let timeout = Duration::from_secs(target.timeout_s);
    wire::await_topic(
        &mut connection,
        topic,
        partitions as usize,
        timeout,
        TOPIC_PAUSE,
    )?;
    Ok(())
}
