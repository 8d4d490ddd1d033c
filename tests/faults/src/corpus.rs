//! Requests of every API in every version, as the reference release writes them, and ways to damage them.

use ottla_protocol::messages::RequestHeader;
use ottla_protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use ottla_protocol::messages::join_group_request::{JoinGroupRequest, JoinGroupRequestProtocol};
use ottla_protocol::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use ottla_protocol::messages::offset_commit_request::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use ottla_protocol::messages::produce_request::{
    PartitionProduceData, ProduceRequest, TopicProduceData,
};
use ottla_protocol::records::{BatchBuilder, Compression, CompressionSpec, Compressor};
use ottla_protocol::{ApiKey, Message, Records, Request, Writer};

use crate::golden_file::{self, What};
use crate::random::Random;

/// The topic of the requests that mean something.
pub const TOPIC: &str = "hostile";

/// A partition of it that nobody writes to.
const EMPTY_PARTITION: i32 = 3;

/// Frames of requests that decode.
pub struct Corpus {
    requests: Vec<Vec<u8>>,
}

impl Corpus {
    /// What the reference release wrote for the tests of the protocol.
    pub fn read() -> Self {
        let requests = golden_file::read().into_iter().filter_map(|golden| {
            let name = golden.name.strip_suffix("Request")?;
            let api = ApiKey::ALL.iter().find(|api| api.name() == name)?;
            let is_request = golden.what != What::DefaultRefused;
            is_request.then(|| frame(*api, golden.version, &golden.bytes))
        });
        let mut corpus = Self {
            requests: requests.collect(),
        };
        corpus.add_meaningful();
        corpus
    }

    /// Requests that find the topic, once more each: the samples' names are random.
    fn add_meaningful(&mut self) {
        let topic = || TOPIC.to_owned();
        let mut batch = BatchBuilder::new(CompressionSpec::new(Compression::Lz4));
        let appended = batch.append(-1, Some(b"key"), Some(&[b'v'; 500]), &[]);
        let records = batch.build(0, -1, &mut Compressor::new());
        assert!(appended.is_ok() && records.is_ok(), "a small batch builds");
        self.add(&ProduceRequest {
            transactional_id: None,
            acks: -1,
            topic_data: vec![TopicProduceData {
                name: topic(),
                partition_data: vec![PartitionProduceData {
                    records: records.ok().map(Records::from),
                    ..Default::default()
                }],
                ..Default::default()
            }],
            ..Default::default()
        });
        // Nothing is ever written there: the answer comes late, and who asks has gone by then.
        self.add(&FetchRequest {
            max_wait_ms: 600_000,
            min_bytes: 1,
            max_bytes: 1 << 20,
            session_epoch: -1,
            topics: vec![FetchTopic {
                topic: topic(),
                partitions: vec![FetchPartition {
                    partition: EMPTY_PARTITION,
                    partition_max_bytes: 1 << 20,
                    ..Default::default()
                }],
                ..Default::default()
            }],
            ..Default::default()
        });
        self.add(&ListOffsetsRequest {
            topics: vec![ListOffsetsTopic {
                name: topic(),
                partitions: vec![ListOffsetsPartition::default()],
                ..Default::default()
            }],
            ..Default::default()
        });
        self.add(&OffsetCommitRequest {
            group_id: topic(),
            topics: vec![OffsetCommitRequestTopic {
                name: topic(),
                partitions: vec![OffsetCommitRequestPartition::default()],
                ..Default::default()
            }],
            ..Default::default()
        });
        self.add(&JoinGroupRequest {
            group_id: topic(),
            session_timeout_ms: 10_000,
            rebalance_timeout_ms: 10_000,
            protocol_type: "consumer".to_owned(),
            protocols: vec![JoinGroupRequestProtocol {
                name: "range".to_owned(),
                ..Default::default()
            }],
            ..Default::default()
        });
    }

    fn add<Q: Request>(&mut self, request: &Q) {
        for version in Q::API_KEY.stable_versions() {
            let mut writer = Writer::new();
            if request.encode(&mut writer, version).is_ok() {
                let bytes = writer.into_bytes();
                self.requests.push(frame(Q::API_KEY, version, &bytes));
            }
        }
    }

    /// One of the requests.
    pub fn request(&self, random: &mut Random) -> Vec<u8> {
        self.requests[random.below(self.requests.len() as u64) as usize].clone()
    }
}

fn frame(api: ApiKey, version: i16, body: &[u8]) -> Vec<u8> {
    let header = RequestHeader {
        request_api_key: api.key(),
        request_api_version: version,
        ..Default::default()
    };
    let mut writer = Writer::framed();
    let encoded = header.encode(&mut writer, api.request_header_version(version));
    assert!(encoded.is_ok(), "a header always encodes");
    let mut frame = writer.into_bytes().to_vec();
    frame.extend_from_slice(body);
    let length = frame.len() as u32 - 4;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    frame
}

/// Damages a frame in one to four places.
pub fn mutate(frame: &mut Vec<u8>, random: &mut Random) {
    const INTERESTING: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
    for _ in 0..=random.below(4) {
        let length = frame.len() as u64;
        let position = random.below(length.max(1)) as usize;
        let interesting = INTERESTING[random.below(6) as usize];
        match random.below(7) {
            _ if length == 0 => frame.push(interesting),
            0 => frame[position] ^= 1 << random.below(8),
            1 | 2 => frame[position] = interesting,
            3 => frame.insert(position, interesting),
            4 => frame.truncate(position),
            5 => frame.extend((0..random.below(32)).map(|_| random.next() as u8)),
            // A number that is large or negative.
            _ => frame
                .iter_mut()
                .skip(position)
                .take(4)
                .for_each(|byte| *byte = interesting),
        }
    }
}
