//! Incremental fetch sessions (KIP-227): what a client last asked of each partition and was last
//! told about it, so that requests and answers carry only what changed.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use ottla_protocol::messages::fetch_request::{FetchPartition, FetchRequest};
use ottla_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use ottla_protocol::{ErrorCode, Uuid};
use parking_lot::Mutex;

/// Session id of a request without a session (KIP-227).
pub const NO_SESSION: i32 = 0;
/// Session epoch of a request that wants no session, or the end of the one it names.
const FINAL_EPOCH: i32 = -1;
/// Session epoch of a request that opens a session.
const INITIAL_EPOCH: i32 = 0;
/// First version whose topics are named by id.
const FIRST_VERSION_WITH_TOPIC_IDS: i16 = 13;
/// How long a session may lie unused before another may take its place.
const MIN_EVICTION_MS: i64 = 120_000;

/// A topic as a fetch request names it: by id from version 13 on, by name before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FetchTopicKey {
    /// The topic's name; empty when the request names topics by id.
    pub name: Arc<str>,
    /// The topic's id; zero when the request names topics by name.
    pub id: Uuid,
}

/// One partition of a fetch.
#[derive(Clone, Debug)]
pub struct PartitionFetch {
    /// The topic as the request names it.
    pub topic: FetchTopicKey,
    /// The request's fields for this partition.
    pub request: FetchPartition,
}

type Key = (FetchTopicKey, i32);

/// A partition within a session.
#[derive(Clone, Debug)]
struct CachedPartition {
    request: FetchPartition,
    /// What the client was last told; -1 before the first answer.
    high_watermark: i64,
    log_start_offset: i64,
}

struct FetchSession {
    id: i32,
    /// The epoch that the next request of this session must carry.
    next_epoch: i32,
    uses_topic_ids: bool,
    partitions: IndexMap<Key, CachedPartition>,
    /// Where the next answer begins, so that every partition gets its turn.
    start: usize,
    last_used_ms: i64,
    created_ms: i64,
}

/// How a request relates to a session.
pub enum FetchContext {
    /// No session: every partition is answered.
    Sessionless(Vec<PartitionFetch>),
    /// A session's first or next request.
    Session {
        /// The session's id, for the answer.
        id: i32,
        /// All partitions of the session, in the order of this answer.
        partitions: Vec<PartitionFetch>,
        /// True for the first answer, which names every partition.
        full: bool,
    },
}

impl FetchContext {
    /// The partitions to read, in order.
    pub fn partitions(&self) -> &[PartitionFetch] {
        match self {
            Self::Sessionless(partitions) | Self::Session { partitions, .. } => partitions,
        }
    }

    /// The session id to answer with.
    pub fn session_id(&self) -> i32 {
        match self {
            Self::Sessionless(_) => NO_SESSION,
            Self::Session { id, .. } => *id,
        }
    }
}

/// All sessions of a broker; at most `max_sessions` (`max.incremental.fetch.session.cache.slots`).
pub struct FetchSessions {
    max_sessions: usize,
    sessions: Mutex<HashMap<i32, FetchSession>>,
}

impl FetchSessions {
    /// No session yet.
    pub fn new(max_sessions: usize) -> Self {
        Self {
            max_sessions,
            sessions: Mutex::default(),
        }
    }

    /// Finds, opens or closes the session that `request` speaks of. `random` chooses a new id.
    ///
    /// Errors: FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH,
    /// FETCH_SESSION_TOPIC_ID_ERROR (KIP-227, KIP-516).
    pub fn begin(
        &self,
        request: FetchRequest,
        version: i16,
        now_ms: i64,
        random: impl FnMut() -> i32,
    ) -> Result<FetchContext, ErrorCode> {
        let uses_topic_ids = version >= FIRST_VERSION_WITH_TOPIC_IDS;
        match (request.session_id, request.session_epoch) {
            (id, FINAL_EPOCH) => {
                self.sessions.lock().remove(&id);
                Ok(FetchContext::Sessionless(requested(request)))
            }
            (id, INITIAL_EPOCH) => {
                let mut sessions = self.sessions.lock();
                sessions.remove(&id);
                Ok(self.open(
                    &mut sessions,
                    requested(request),
                    uses_topic_ids,
                    now_ms,
                    random,
                ))
            }
            (NO_SESSION, _) => Err(ErrorCode::FetchSessionIdNotFound),
            (id, epoch) => self.resume(id, epoch, request, uses_topic_ids, now_ms),
        }
    }

    /// Notes what `answered` tells the client and, in a session's later answers, leaves out the
    /// partitions that it already knows everything about.
    pub fn finish(&self, context: &FetchContext, answered: &mut Vec<FetchableTopicResponse>) {
        let FetchContext::Session { id, full, .. } = context else {
            return;
        };
        let mut sessions = self.sessions.lock();
        let Some(session) = sessions.get_mut(id) else {
            return;
        };
        let mut last_with_records = None;
        for topic in answered.iter_mut() {
            let key = FetchTopicKey {
                name: topic.topic.as_str().into(),
                id: topic.topic_id,
            };
            topic.partitions.retain(|partition| {
                let Some((index, _, cached)) = session
                    .partitions
                    .get_full_mut(&(key.clone(), partition.partition_index))
                else {
                    return true;
                };
                let has_records = partition
                    .records
                    .as_ref()
                    .is_some_and(|records| !records.is_empty());
                if has_records {
                    last_with_records = Some(index);
                }
                cached.must_answer(partition, has_records) || *full
            });
        }
        answered.retain(|topic| !topic.partitions.is_empty());
        if let Some(index) = last_with_records {
            session.start = index + 1;
        }
    }

    fn open(
        &self,
        sessions: &mut HashMap<i32, FetchSession>,
        partitions: Vec<PartitionFetch>,
        uses_topic_ids: bool,
        now_ms: i64,
        mut random: impl FnMut() -> i32,
    ) -> FetchContext {
        if !self.make_room(sessions, partitions.len(), now_ms) {
            return FetchContext::Sessionless(partitions);
        }
        let id = loop {
            let id = random() & i32::MAX;
            if id != NO_SESSION && !sessions.contains_key(&id) {
                break id;
            }
        };
        let mut session = FetchSession {
            id,
            next_epoch: 1,
            uses_topic_ids,
            partitions: IndexMap::with_capacity(partitions.len()),
            start: 0,
            last_used_ms: now_ms,
            created_ms: now_ms,
        };
        session.update(partitions);
        let partitions = session.partitions_in_order();
        sessions.insert(id, session);
        FetchContext::Session {
            id,
            partitions,
            full: true,
        }
    }

    fn resume(
        &self,
        id: i32,
        epoch: i32,
        request: FetchRequest,
        uses_topic_ids: bool,
        now_ms: i64,
    ) -> Result<FetchContext, ErrorCode> {
        let mut sessions = self.sessions.lock();
        let session = sessions
            .get_mut(&id)
            .ok_or(ErrorCode::FetchSessionIdNotFound)?;
        if session.next_epoch != epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        if session.uses_topic_ids != uses_topic_ids {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        for topic in &request.forgotten_topics_data {
            let key = FetchTopicKey {
                name: topic.topic.as_str().into(),
                id: topic.topic_id,
            };
            for &partition in &topic.partitions {
                session.partitions.shift_remove(&(key.clone(), partition));
            }
        }
        session.update(requested(request));
        session.last_used_ms = now_ms;
        session.next_epoch = if epoch == i32::MAX { 1 } else { epoch + 1 };
        let partitions = session.partitions_in_order();
        if partitions.is_empty() {
            sessions.remove(&id);
            return Ok(FetchContext::Sessionless(partitions));
        }
        Ok(FetchContext::Session {
            id: session.id,
            partitions,
            full: false,
        })
    }

    /// Evicts a session that is stale, or old and smaller than the new one, when all are taken.
    fn make_room(
        &self,
        sessions: &mut HashMap<i32, FetchSession>,
        new_size: usize,
        now_ms: i64,
    ) -> bool {
        if sessions.len() < self.max_sessions {
            return true;
        }
        let evictable = |session: &FetchSession| {
            now_ms - session.last_used_ms > MIN_EVICTION_MS
                || (now_ms - session.created_ms > MIN_EVICTION_MS
                    && session.partitions.len() < new_size)
        };
        let victim = sessions
            .values()
            .filter(|session| evictable(session))
            .min_by_key(|session| session.last_used_ms)
            .map(|session| session.id);
        victim.is_some_and(|id| sessions.remove(&id).is_some())
    }
}

impl FetchSession {
    fn update(&mut self, partitions: Vec<PartitionFetch>) {
        for PartitionFetch { topic, request } in partitions {
            let key = (topic, request.partition);
            match self.partitions.get_mut(&key) {
                Some(cached) => cached.request = request,
                None => {
                    let cached = CachedPartition {
                        request,
                        high_watermark: -1,
                        log_start_offset: -1,
                    };
                    self.partitions.insert(key, cached);
                }
            }
        }
    }

    fn partitions_in_order(&mut self) -> Vec<PartitionFetch> {
        let count = self.partitions.len();
        self.start = self.start.checked_rem(count).unwrap_or(0);
        (self.start..count)
            .chain(0..self.start)
            .filter_map(|index| self.partitions.get_index(index))
            .map(|((topic, _), cached)| PartitionFetch {
                topic: topic.clone(),
                request: cached.request.clone(),
            })
            .collect()
    }
}

impl CachedPartition {
    /// Whether the client learns anything from `partition`; remembers what it is told.
    fn must_answer(&mut self, partition: &PartitionData, has_records: bool) -> bool {
        let failed = partition.error_code != 0;
        let news = has_records
            || failed
            || self.high_watermark != partition.high_watermark
            || self.log_start_offset != partition.log_start_offset
            || partition.preferred_read_replica != -1
            || partition.diverging_epoch.epoch != -1;
        self.log_start_offset = partition.log_start_offset;
        // After an error the client must be told the watermark again.
        self.high_watermark = if failed { -1 } else { partition.high_watermark };
        news
    }
}

/// The partitions of a request in its order. Of one that is named twice, the last request counts, as in Kafka.
fn requested(request: FetchRequest) -> Vec<PartitionFetch> {
    let mut partitions = IndexMap::new();
    for topic in request.topics {
        let key = FetchTopicKey {
            name: topic.topic.into(),
            id: topic.topic_id,
        };
        for request in topic.partitions {
            partitions.insert((key.clone(), request.partition), request);
        }
    }
    let partitions = partitions.into_iter();
    partitions
        .map(|((topic, _), request)| PartitionFetch { topic, request })
        .collect()
}
