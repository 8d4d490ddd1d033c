//! Hostile bytes by the ten thousand: connections end, the broker goes on, its memory stays flat.

use std::path::Path;
use std::time::Duration;

use ottla_client::Client;
use ottla_protocol::messages::produce_request::{
    PartitionProduceData, ProduceRequest, TopicProduceData,
};
use ottla_protocol::messages::{MetadataRequest, RequestHeader};
use ottla_protocol::{ApiKey, Message, Records, Writer};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::kills::Failure;
use crate::node::Node;
use crate::random::Random;

/// Frames after which it is asked whether the broker still answers.
const FRAMES_PER_CHECK: u32 = 1000;
/// How much more memory than after the first frames the broker may take, KiB.
const MAX_GROWTH_KIB: u64 = 64 * 1024;
/// How long one request may take on a busy machine.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Sends `frames` hostile frames. What was checked.
pub async fn run(program: &Path, frames: u32, seed: u64) -> Result<String, Failure> {
    let mut random = Random::new(seed);
    let mut node = Node::new(program)?;
    node.start().await?;
    let mut before = 0;
    for sent in 1..=frames {
        let frame = hostile(&mut random);
        if let Ok(mut stream) = TcpStream::connect(node.address()).await {
            // The broker may close before all is written: that is an answer too.
            let _ = stream.write_all(&frame).await;
        }
        if sent % FRAMES_PER_CHECK == 0 {
            let mut client = Client::new(&node.address(), "faults", REQUEST_TIMEOUT);
            client.metadata(Some(&[])).await?;
            if before == 0 {
                before = memory_kib(&node);
            }
        }
    }
    let after = memory_kib(&node);
    node.kill().await?;
    if after > before + MAX_GROWTH_KIB {
        return Err(Failure::Memory { before, after });
    }
    Ok(format!(
        "{frames} frames, memory from {before} to {after} KiB"
    ))
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

/// A frame that begins right and goes wrong somewhere.
fn hostile(random: &mut Random) -> Vec<u8> {
    let mut frame = match random.below(4) {
        0 => (0..random.below(64)).map(|_| random.next() as u8).collect(),
        1 => request(
            ApiKey::Metadata,
            &MetadataRequest::default(),
            random.below(14) as i16,
        ),
        2 => request(
            ApiKey::Produce,
            &produce(random),
            3 + random.below(10) as i16,
        ),
        _ => (i32::MIN as u32 >> random.below(32)).to_be_bytes().to_vec(),
    };
    for _ in 0..random.below(6) {
        let length = frame.len() as u64;
        match random.below(4) {
            0 if length > 0 => frame[random.below(length) as usize] = random.next() as u8,
            1 if length > 0 => frame.truncate(random.below(length) as usize),
            2 => frame.extend((0..random.below(32)).map(|_| random.next() as u8)),
            _ if length > 4 => frame[random.below(4) as usize] ^= 1 << random.below(8),
            _ => {}
        }
    }
    frame
}

fn produce(random: &mut Random) -> ProduceRequest {
    let records: Vec<u8> = (0..random.below(200))
        .map(|_| random.next() as u8)
        .collect();
    ProduceRequest {
        acks: -1,
        transactional_id: None,
        topic_data: vec![TopicProduceData {
            name: "hostile".to_owned(),
            partition_data: vec![PartitionProduceData {
                records: Some(Records::from(bytes::Bytes::from(records))),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn request<M: Message>(key: ApiKey, message: &M, version: i16) -> Vec<u8> {
    let header = RequestHeader {
        request_api_key: key.key(),
        request_api_version: version,
        ..Default::default()
    };
    let mut writer = Writer::framed();
    let encoded = header
        .encode(&mut writer, key.request_header_version(version))
        .and_then(|()| message.encode(&mut writer, version));
    // A version that lacks a field gives half a request, which is as hostile as any.
    let _ = encoded;
    writer.into_bytes().to_vec()
}
