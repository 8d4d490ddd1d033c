//! `kill -9` at random moments under load: what was acknowledged is there afterwards, once, in order.
//!
//! Producers (idempotent and not, in every codec), a group with a member and its offsets, and topics
//! that come, change and go, work until the broker is gone, and go on with the next one; between the
//! two, what each of them was told is compared with what is there. A third of the kills are followed
//! by another while the broker starts.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ottla_client::{Client, Connection, error_of};
use ottla_protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use ottla_protocol::records::Compression;
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::members::Member;
use crate::node::Node;
use crate::random::Random;
use crate::topics::Topics;
use crate::writer::{Idempotence, Writer};

/// Partitions of the topic.
const PARTITIONS: i32 = 4;
/// The topic.
const TOPIC: &str = "kills";
/// The group.
const GROUP: &str = "kills-group";
/// How long one request may take on a busy machine.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Kills after which everything is read, not only what is new.
const KILLS_PER_FULL_READ: u32 = 10;

/// Who works.
enum Worker {
    Writer(Box<Writer>),
    Member(Box<Member>),
    Topics(Box<Topics>),
}

/// Kills the broker `kills` times. What was checked.
pub async fn run(program: &Path, kills: u32, seed: u64) -> Result<String, Failure> {
    let mut random = Random::new(seed);
    let mut node = Node::new(program)?;
    node.start().await?;
    create_topic(&node, TOPIC).await?;
    let mut workers: Vec<Worker> = (0..PARTITIONS)
        .map(|partition| match partition % 2 {
            0 => Writer::new(TOPIC, partition, Idempotence::On),
            _ => Writer::new(TOPIC, partition, Idempotence::Off),
        })
        .map(|writer| Worker::Writer(Box::new(writer)))
        .collect();
    workers.push(Worker::Member(Box::new(Member::new(
        TOPIC, PARTITIONS, GROUP,
    ))));
    workers.push(Worker::Topics(Box::new(Topics::new(seed))));
    for kill in 1..=kills {
        let stop = Arc::new(AtomicBool::new(false));
        let mut working = JoinSet::new();
        for worker in workers.drain(..) {
            let codec = Compression::from_id(random.below(5) as u8);
            let codec = codec.unwrap_or(Compression::None);
            working.spawn(work(worker, node.address(), codec, Arc::clone(&stop)));
        }
        tokio::time::sleep(Duration::from_millis(20 + random.below(400))).await;
        node.kill().await?;
        stop.store(true, Ordering::Release);
        while let Some(worker) = working.join_next().await {
            workers.push(worker.map_err(std::io::Error::other)??);
        }
        if random.below(3) == 0 {
            node.start_and_kill(Duration::from_millis(random.below(60)))
                .await?;
        }
        node.start().await?;
        let all = kill % KILLS_PER_FULL_READ == 0 || kill == kills;
        for worker in &mut workers {
            verify(worker, &node, all)
                .await
                .map_err(|failure| Failure::After {
                    kill,
                    failure: Box::new(failure),
                })?;
        }
    }
    node.stop().await?;
    if node.whole_log().contains("panicked") {
        return Err(Failure::Log("it panicked".to_owned()));
    }
    Ok(summary(&workers, kills))
}

fn summary(workers: &[Worker], kills: u32) -> String {
    let (mut records, mut changes) = (0, 0);
    for worker in workers {
        match worker {
            Worker::Writer(writer) => records += writer.acknowledged,
            Worker::Topics(topics) => changes += topics.changes(),
            Worker::Member(_) => {}
        }
    }
    format!("{records} acknowledged records, {changes} changes of topics, over {kills} kills")
}

/// Works until the broker is gone.
async fn work(
    mut worker: Worker,
    address: String,
    codec: Compression,
    stop: Arc<AtomicBool>,
) -> Result<Worker, Failure> {
    let Ok(mut connection) = Connection::connect(&address, "faults", REQUEST_TIMEOUT).await else {
        return Ok(worker);
    };
    let worked = match &mut worker {
        Worker::Writer(writer) => writer.run(&mut connection, codec, &stop).await,
        Worker::Member(member) => member.run(&mut connection, &stop).await,
        Worker::Topics(topics) => topics.run(&mut connection, &stop).await,
    };
    match worked {
        // The broker is gone, or about to be.
        Ok(()) | Err(Failure::Request(_)) => Ok(worker),
        Err(failure) => Err(failure),
    }
}

async fn verify(worker: &mut Worker, node: &Node, all: bool) -> Result<(), Failure> {
    let mut connection = Connection::connect(&node.address(), "faults", REQUEST_TIMEOUT).await?;
    match worker {
        Worker::Writer(writer) => writer.verify(&mut connection, all).await,
        Worker::Member(member) => member.verify(&mut connection).await,
        Worker::Topics(topics) => topics.verify(&mut connection).await,
    }
}

/// Makes a topic, and the coordinator of its group.
pub async fn create_topic(node: &Node, name: &str) -> Result<(), Failure> {
    let mut client = Client::new(&node.address(), "faults", REQUEST_TIMEOUT);
    let topic = CreatableTopic {
        name: name.to_owned(),
        num_partitions: PARTITIONS,
        replication_factor: 1,
        ..Default::default()
    };
    let request = CreateTopicsRequest {
        topics: vec![topic],
        timeout_ms: 30_000,
        ..Default::default()
    };
    let response = client.request(&request).await?;
    let refusal = response
        .topics
        .iter()
        .find_map(|topic| error_of(topic.error_code));
    if let Some(code) = refusal {
        return Err(Failure::Refused {
            what: "the topic",
            code,
        });
    }
    client.coordinator(GROUP).await?;
    Ok(())
}
