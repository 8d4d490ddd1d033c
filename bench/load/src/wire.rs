//! The few requests the generator writes itself, in versions whose encoding is not compact, and a
//! blocking connection. Written apart from the broker's own protocol crate, so that a mistake
//! there does not hide here.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::error::LoadError;

/// Longest answer that is read, in bytes; a longer one is an error.
const MAX_RESPONSE_BYTES: usize = 256 << 20;

/// Appends big-endian fields to a request.
#[derive(Default)]
pub struct Put(pub Vec<u8>);

impl Put {
    /// A request frame: four bytes for the size, filled in by `frame`, then header version 1.
    pub fn request(api_key: i16, version: i16, correlation_id: i32) -> Put {
        let mut put = Put(Vec::with_capacity(256));
        put.i32(0)
            .i16(api_key)
            .i16(version)
            .i32(correlation_id)
            .string("ottla-load");
        put
    }
    pub fn i8(&mut self, value: i8) -> &mut Self {
        self.0.push(value as u8);
        self
    }
    pub fn i16(&mut self, value: i16) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }
    pub fn i32(&mut self, value: i32) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }
    pub fn i64(&mut self, value: i64) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }
    pub fn string(&mut self, value: &str) -> &mut Self {
        self.i16(value.len() as i16);
        self.0.extend_from_slice(value.as_bytes());
        self
    }
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.i32(value.len() as i32);
        self.0.extend_from_slice(value);
        self
    }
    /// The finished frame, its size filled in.
    pub fn frame(mut self) -> Vec<u8> {
        let size = (self.0.len() - 4) as i32;
        self.0[..4].copy_from_slice(&size.to_be_bytes());
        self.0
    }
}

/// Reads big-endian fields from an answer; never past its end.
pub struct Get<'a> {
    rest: &'a [u8],
}

impl<'a> Get<'a> {
    pub fn new(answer: &'a [u8]) -> Get<'a> {
        Get { rest: answer }
    }
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], LoadError> {
        let (head, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(LoadError::Malformed { field: "too short" })?;
        self.rest = rest;
        Ok(head)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N], LoadError> {
        self.take(N)?
            .try_into()
            .map_err(|_| LoadError::Malformed { field: "too short" })
    }
    pub fn i8(&mut self) -> Result<i8, LoadError> {
        Ok(i8::from_be_bytes(self.array()?))
    }
    pub fn i16(&mut self) -> Result<i16, LoadError> {
        Ok(i16::from_be_bytes(self.array()?))
    }
    pub fn i32(&mut self) -> Result<i32, LoadError> {
        Ok(i32::from_be_bytes(self.array()?))
    }
    pub fn i64(&mut self) -> Result<i64, LoadError> {
        Ok(i64::from_be_bytes(self.array()?))
    }
    /// A string, or the empty one for null.
    pub fn string(&mut self) -> Result<String, LoadError> {
        let length = self.i16()?;
        let bytes = self.take(usize::try_from(length).unwrap_or(0))?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
    /// Bytes, or none for null.
    pub fn bytes(&mut self) -> Result<&'a [u8], LoadError> {
        let length = self.i32()?;
        self.take(usize::try_from(length).unwrap_or(0))
    }
    /// The length of an array that follows; 0 for null.
    pub fn length(&mut self) -> Result<usize, LoadError> {
        Ok(usize::try_from(self.i32()?).unwrap_or(0))
    }
}

/// A blocking connection to one broker, without pipelining unless `send` and `receive` are paired
/// by the caller.
pub struct Connection {
    stream: TcpStream,
    correlation_id: i32,
    answer: Vec<u8>,
}

impl Connection {
    /// Connects, and says so if that fails.
    pub fn open(address: &str) -> Result<Connection, LoadError> {
        let stream = TcpStream::connect(address).map_err(LoadError::io("connect"))?;
        stream
            .set_nodelay(true)
            .map_err(LoadError::io("set TCP_NODELAY"))?;
        stream
            .set_read_timeout(Some(Duration::from_secs(120)))
            .map_err(LoadError::io("set the read timeout"))?;
        Ok(Connection {
            stream,
            correlation_id: 0,
            answer: Vec::new(),
        })
    }

    /// The start of a request with this connection's next correlation id.
    pub fn request(&mut self, api_key: i16, version: i16) -> Put {
        self.correlation_id += 1;
        Put::request(api_key, version, self.correlation_id)
    }

    /// Writes one whole frame.
    pub fn send(&mut self, frame: &[u8]) -> Result<(), LoadError> {
        self.stream
            .write_all(frame)
            .map_err(LoadError::io("send a request"))
    }

    /// Reads one whole answer and returns what follows its correlation id.
    pub fn receive(&mut self) -> Result<&[u8], LoadError> {
        let mut size = [0; 4];
        self.stream
            .read_exact(&mut size)
            .map_err(LoadError::io("read an answer"))?;
        let size = u32::from_be_bytes(size) as usize;
        if !(4..=MAX_RESPONSE_BYTES).contains(&size) {
            return Err(LoadError::Malformed {
                field: "frame size",
            });
        }
        if self.answer.len() < size {
            self.answer.resize(size, 0);
        }
        self.stream
            .read_exact(&mut self.answer[..size])
            .map_err(LoadError::io("read an answer"))?;
        Ok(&self.answer[4..size])
    }

    /// Sends one request and waits for its answer.
    pub fn call(&mut self, request: Put) -> Result<&[u8], LoadError> {
        self.send(&request.frame())?;
        self.receive()
    }
}

/// What Metadata says of one topic.
pub struct TopicState {
    /// The topic's own error code, 0 for none.
    pub error_code: i16,
    /// Of each partition: index, error code, leader.
    pub partitions: Vec<(i32, i16, i32)>,
}

/// Metadata version 4 for one topic, or for none when `topic` is `None`; returns the number of
/// brokers and the topic.
pub fn metadata(
    connection: &mut Connection,
    topic: Option<&str>,
) -> Result<(usize, Option<TopicState>), LoadError> {
    let mut request = connection.request(3, 4);
    match topic {
        Some(name) => request.i32(1).string(name),
        None => request.i32(0),
    };
    request.i8(0);
    let mut get = Get::new(connection.call(request)?);
    get.i32()?;
    let brokers = get.length()?;
    for _ in 0..brokers {
        get.i32()?;
        get.string()?;
        get.i32()?;
        get.string()?;
    }
    get.string()?;
    get.i32()?;
    let mut found = None;
    for _ in 0..get.length()? {
        let error_code = get.i16()?;
        get.string()?;
        get.i8()?;
        let mut partitions = Vec::new();
        for _ in 0..get.length()? {
            let (error, index, leader) = (get.i16()?, get.i32()?, get.i32()?);
            for _ in 0..2 {
                for _ in 0..get.length()? {
                    get.i32()?;
                }
            }
            partitions.push((index, error, leader));
        }
        found = Some(TopicState {
            error_code,
            partitions,
        });
    }
    Ok((brokers, found))
}

/// CreateTopics version 4, one topic with one replica; a topic that exists already is no error.
pub fn create_topic(
    connection: &mut Connection,
    topic: &str,
    partitions: i32,
    configs: &[(&str, &str)],
) -> Result<(), LoadError> {
    let mut request = connection.request(19, 4);
    request
        .i32(1)
        .string(topic)
        .i32(partitions)
        .i16(1)
        .i32(0)
        .i32(configs.len() as i32);
    for (name, value) in configs {
        request.string(name).string(value);
    }
    request.i32(120_000).i8(0);
    let mut get = Get::new(connection.call(request)?);
    get.i32()?;
    get.length()?;
    get.string()?;
    match get.i16()? {
        0 | 36 => Ok(()),
        code => Err(LoadError::Broker {
            api: "CreateTopics",
            topic: topic.to_owned(),
            code,
        }),
    }
}

/// ListOffsets version 2, latest, of every partition asked for: index, error code, offset.
pub fn latest_offsets(
    connection: &mut Connection,
    topic: &str,
    partitions: &[i32],
) -> Result<Vec<(i32, i16, i64)>, LoadError> {
    let mut request = connection.request(2, 2);
    request
        .i32(-1)
        .i8(0)
        .i32(1)
        .string(topic)
        .i32(partitions.len() as i32);
    for &partition in partitions {
        request.i32(partition).i64(-1);
    }
    let mut get = Get::new(connection.call(request)?);
    get.i32()?;
    let mut offsets = Vec::with_capacity(partitions.len());
    for _ in 0..get.length()? {
        get.string()?;
        for _ in 0..get.length()? {
            let (index, error) = (get.i32()?, get.i16()?);
            get.i64()?;
            offsets.push((index, error, get.i64()?));
        }
    }
    Ok(offsets)
}

/// Waits until every partition of a topic has a leader that answers ListOffsets, asking again
/// every `pause`; returns the sum of the log end offsets.
pub fn await_topic(
    connection: &mut Connection,
    topic: &str,
    partitions: usize,
    timeout: Duration,
    pause: Duration,
) -> Result<i64, LoadError> {
    let end = Instant::now() + timeout;
    while Instant::now() < end {
        if let (_, Some(state)) = metadata(connection, Some(topic))?
            && state.error_code == 0
            && state.partitions.len() == partitions
            && state
                .partitions
                .iter()
                .all(|&(_, error, leader)| error == 0 && leader >= 0)
        {
            let indexes: Vec<i32> = state.partitions.iter().map(|p| p.0).collect();
            let offsets = latest_offsets(connection, topic, &indexes)?;
            if offsets.len() == partitions && offsets.iter().all(|o| o.1 == 0) {
                return Ok(offsets.iter().map(|o| o.2).sum());
            }
        }
        std::thread::sleep(pause);
    }
    Err(LoadError::TimedOut {
        what: "the topic's partitions",
        waited_s: timeout.as_secs(),
    })
}
