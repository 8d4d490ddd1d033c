//! Hostile bytes by the ten thousand: connections end with a line in the log, the broker goes on, its
//! memory stays flat and no connection is left behind.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use ottla_client::Client;
use ottla_protocol::ApiKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::corpus::{Corpus, TOPIC, mutate};
use crate::failure::Failure;
use crate::kills::create_topic;
use crate::node::Node;
use crate::random::Random;

/// Connections at a time.
const CONNECTIONS: usize = 16;
/// Frames after which it is asked whether the broker still answers.
const FRAMES_PER_CHECK: u32 = 1000;
/// How much more memory than after half of the frames the broker may take, KiB.
const MAX_GROWTH_KIB: u64 = 16 * 1024;
/// How long one request may take on a busy machine.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How long an answer is waited for; some requests ask for one that comes late.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// How long connections that their clients have left may stay.
const LEFT_DEADLINE: Duration = Duration::from_secs(90);
/// `socket.request.max.bytes`.
const MAX_FRAME_BYTES: i32 = 100 * 1024 * 1024;

/// What came of one frame.
enum Outcome {
    /// An answer.
    Answered,
    /// The end of the connection, which the log must mention with this address.
    Ended(SocketAddr),
    /// The end of the connection, without a word: the frame was not whole, or wants no answer.
    Left,
}

/// Sends `frames` hostile frames. What was checked.
pub async fn run(program: &Path, frames: u32, seed: u64) -> Result<String, Failure> {
    let mut random = Random::new(seed);
    let corpus = Corpus::read();
    let mut node = Node::new(program)?;
    node.start().await?;
    create_topic(&node, TOPIC).await?;
    let sockets = open_sockets(&node);
    let mut answered = 0;
    let mut ended = HashSet::new();
    let mut halfway = 0;
    let mut sent = 0;
    while sent < frames {
        let mut sending = JoinSet::new();
        for _ in 0..CONNECTIONS {
            sending.spawn(send(node.address(), hostile(&corpus, &mut random)));
            sent += 1;
        }
        while let Some(outcome) = sending.join_next().await {
            match outcome.map_err(std::io::Error::other)?? {
                Outcome::Answered => answered += 1,
                Outcome::Ended(peer) => drop(ended.insert(peer)),
                Outcome::Left => {}
            }
        }
        if sent % FRAMES_PER_CHECK < CONNECTIONS as u32 {
            let mut client = Client::new(&node.address(), "faults", REQUEST_TIMEOUT);
            client.metadata(Some(&[])).await?;
        }
        if halfway == 0 && sent >= frames / 2 {
            halfway = memory_kib(&node);
        }
    }
    let after = memory_kib(&node);
    connections_gone(&node, sockets).await?;
    node.stop().await?;
    check_log(&node.whole_log(), &ended)?;
    if after > halfway + MAX_GROWTH_KIB {
        return Err(Failure::Memory {
            before: halfway,
            after,
        });
    }
    Ok(format!(
        "{sent} frames, {answered} answered, {} connections ended with a line in the log, memory from {halfway} to {after} KiB",
        ended.len()
    ))
}

/// A frame that is random, or a request of any API and version, as it is or damaged.
fn hostile(corpus: &Corpus, random: &mut Random) -> Vec<u8> {
    match random.below(10) {
        0 => (0..random.below(64)).map(|_| random.next() as u8).collect(),
        1 => (i32::MIN as u32 >> random.below(32)).to_be_bytes().to_vec(),
        2 => corpus.request(random),
        _ => {
            let mut frame = corpus.request(random);
            mutate(&mut frame, random);
            // Half of the damaged frames are as long as they say.
            if random.below(2) == 0 && frame.len() > 4 {
                let length = frame.len() as u32 - 4;
                frame[..4].copy_from_slice(&length.to_be_bytes());
            }
            frame
        }
    }
}

async fn send(address: String, frame: Vec<u8>) -> Result<Outcome, Failure> {
    let mut stream = TcpStream::connect(address).await?;
    let local = stream.local_addr()?;
    // The broker may close before all is written: that is an answer too.
    let _ = stream.write_all(&frame).await;
    let is_answerable = is_whole(&frame) && !is_produce(&frame);
    if !is_answerable && !is_refused(&frame) {
        return Ok(Outcome::Left);
    }
    let mut answer = [0; 16];
    match timeout(ANSWER_TIMEOUT, stream.read(&mut answer)).await {
        Ok(Ok(0) | Err(_)) => Ok(Outcome::Ended(local)),
        Ok(Ok(_)) => Ok(Outcome::Answered),
        Err(_) => Ok(Outcome::Left),
    }
}

fn length(frame: &[u8]) -> Option<i32> {
    frame
        .first_chunk()
        .map(|length| i32::from_be_bytes(*length))
}

/// Whether the frame is as long as it says, or longer.
fn is_whole(frame: &[u8]) -> bool {
    length(frame)
        .is_some_and(|length| usize::try_from(length).is_ok_and(|length| length <= frame.len() - 4))
}

/// Whether no frame may claim this length.
fn is_refused(frame: &[u8]) -> bool {
    length(frame).is_some_and(|length| !(0..=MAX_FRAME_BYTES).contains(&length))
}

/// A Produce may want no answer.
fn is_produce(frame: &[u8]) -> bool {
    frame.get(4..6) == Some(&ApiKey::Produce.key().to_be_bytes())
}

/// Every connection that the broker ended has a line that says why.
fn check_log(log: &str, ended: &HashSet<SocketAddr>) -> Result<(), Failure> {
    let mut missing = ended.clone();
    for line in log.lines() {
        if line.contains("panicked") {
            return Err(Failure::Log(line.to_owned()));
        }
        let peer = line.split("peer=").nth(1);
        let peer = peer.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        if let (true, Some(peer)) = (line.contains("connection ended: "), peer) {
            missing.remove(&peer);
        }
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Failure::Log(format!(
            "no line says why the connections of {missing:?} ended"
        ))),
    }
}

/// Waits until the broker has no more sockets open than `before`.
async fn connections_gone(node: &Node, before: usize) -> Result<(), Failure> {
    let gone = async {
        while open_sockets(node) > before {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(LEFT_DEADLINE, gone)
        .await
        .map_err(|_| Failure::Connections {
            before,
            after: open_sockets(node),
        })
}

fn open_sockets(node: &Node) -> usize {
    let descriptors = descriptors(node);
    descriptors
        .iter()
        .filter(|target| target.starts_with("socket:"))
        .count()
}

fn descriptors(node: &Node) -> Vec<String> {
    let folder = node.pid().map(|pid| format!("/proc/{pid}/fd"));
    let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok());
    entries
        .into_iter()
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .map(|target| target.to_string_lossy().into_owned())
        .collect()
}

fn memory_kib(node: &Node) -> u64 {
    let status = node
        .pid()
        .and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")).ok());
    let line = status.and_then(|status| {
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:").map(str::to_owned))
    });
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}
