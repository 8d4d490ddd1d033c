//! What goes into a decision and what comes out of it.

use bytes::Bytes;
use ottla_protocol::ErrorCode;
use ottla_protocol::ids::TimestampMs;
use ottla_protocol::messages::{JoinGroupResponse, SyncGroupResponse};

use crate::classic::ClassicGroup;
use crate::errors::{FailureReply, append_error_code};
use crate::records::Change;
use crate::timers::{Timer, TimerOp};

/// How long a timer whose decision could not be appended waits before it fires again, in milliseconds.
///
/// Source: `CoordinatorRuntime` retries a failed timer after 500 ms.
pub const TIMER_RETRY_BACKOFF_MS: i64 = 500;

/// The host's name for a request, unique as long as the request is unanswered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Everything about a request that is not in its body.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext<'a> {
    /// The time of the decision.
    pub now: TimestampMs,
    /// Names the request if it is parked.
    pub request_id: RequestId,
    /// The version the request came in and the answer will be encoded in.
    pub api_version: i16,
    /// The header's client id, empty when it has none.
    pub client_id: &'a str,
    /// The peer's address as Java prints it: a slash and the address, such as `/127.0.0.1`.
    pub client_host: &'a str,
    /// Random bytes, the source of a new member id. JoinGroup alone reads them.
    pub random: [u8; 16],
}

/// A record of `__consumer_offsets`, encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoordinatorRecord {
    /// The type of the record and what it is about.
    pub key: Bytes,
    /// The version and the value; `None` is a tombstone.
    pub value: Option<Bytes>,
}

/// The answer to the request that was decided.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply<R> {
    /// To be sent once the state it was decided from is committed.
    Now(R),
    /// The answer comes later, among the `completed` of another outcome or from
    /// [`GroupShard::unload`](crate::GroupShard::unload). It always comes.
    Parked(RequestId),
}

/// The answer to a request that was parked.
#[derive(Clone, Debug, PartialEq)]
pub enum ParkedResponse {
    /// Answers a JoinGroup.
    JoinGroup(JoinGroupResponse),
    /// Answers a SyncGroup.
    SyncGroup(SyncGroupResponse),
}

/// A parked request that is answered now.
#[derive(Clone, Debug, PartialEq)]
pub struct Completed {
    /// The request.
    pub request_id: RequestId,
    /// Its answer.
    pub response: ParkedResponse,
}

/// Whether the records of a decision belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batching {
    /// They go into one record batch, or none of them into the log.
    Atomic,
    /// They may be spread over several batches, see [`Decision::take_first`]: each is right by itself.
    Splittable,
}

/// What to do about a request or a timer. Nothing has happened yet: the shard changes when the host hands the decision
/// to [`GroupShard::apply`](crate::GroupShard::apply), and does not when it hands it to [`Decision::append_failed`].
#[derive(Debug)]
#[must_use = "a decision is applied or failed, else its request is never answered"]
pub struct Decision<R> {
    /// What to append to the log first, in order; often nothing.
    pub records: Vec<CoordinatorRecord>,
    /// Whether `records` may be split over batches.
    pub batching: Batching,
    /// What each of `records` does to the shard.
    pub(crate) changes: Vec<Change>,
    /// The group after the decision.
    pub(crate) next_group: Option<Box<ClassicGroup>>,
    /// What follows once it is applied.
    pub(crate) outcome: Outcome<R>,
    /// The timer that led here, and the time.
    pub(crate) fired: Option<(Timer, TimestampMs)>,
}

/// What the host has to do after a decision was applied, or failed.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "the replies of an outcome have to be sent and its timers set"]
pub struct Outcome<R> {
    /// The answer to the request itself.
    pub reply: Reply<R>,
    /// Answers to requests that were parked before.
    pub completed: Vec<Completed>,
    /// Timers to set and to cancel, in order.
    pub timers: Vec<TimerOp>,
}

impl<R> Decision<R> {
    /// A decision that answers and changes nothing.
    pub(crate) fn answer(response: R) -> Self {
        Self {
            records: Vec::new(),
            batching: Batching::Atomic,
            changes: Vec::new(),
            next_group: None,
            outcome: Outcome {
                reply: Reply::Now(response),
                completed: Vec::new(),
                timers: Vec::new(),
            },
            fired: None,
        }
    }

    /// Adds a record and what it does.
    pub(crate) fn push(&mut self, record: CoordinatorRecord, change: Change) {
        self.records.push(record);
        self.changes.push(change);
    }

    /// Takes the first `records` records (or all) off a [`Batching::Splittable`] decision, as a decision that is
    /// appended and applied by itself. What is left has the timers and the reply.
    pub fn take_first(&mut self, records: usize) -> Decision<()> {
        assert_eq!(
            self.batching,
            Batching::Splittable,
            "records that belong together stay together"
        );
        let count = records.min(self.records.len());
        Decision {
            records: self.records.drain(..count).collect(),
            batching: Batching::Splittable,
            changes: self.changes.drain(..count).collect(),
            ..Decision::answer(())
        }
    }

    /// Whether the decision changes no group's members, only committed offsets.
    ///
    /// Such decisions do not depend on each other: the host may take several under one lock, append all their records
    /// as one batch, and apply them in the order of their records.
    pub fn is_independent(&self) -> bool {
        self.next_group.is_none() && self.changes.iter().all(Change::is_offset)
    }
}

impl<R: FailureReply> Decision<R> {
    /// The outcome when the records could not be appended: the shard stays as it was before the request, parked
    /// requests stay parked, the request is refused with the code that clients of its API understand, and a timer
    /// is set again.
    pub fn append_failed(self, error: ErrorCode) -> Outcome<R> {
        let planned = match self.outcome.reply {
            Reply::Now(response) => Some(response),
            Reply::Parked(_) => None,
        };
        let timers = self
            .fired
            .map(|(timer, now)| TimerOp::Schedule {
                timer,
                deadline: TimestampMs(now.0 + TIMER_RETRY_BACKOFF_MS),
            })
            .into_iter()
            .collect();
        Outcome {
            reply: Reply::Now(R::failed(planned, append_error_code(error))),
            completed: Vec::new(),
            timers,
        }
    }
}
