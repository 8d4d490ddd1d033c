//! What a partition remembers of idempotent and transactional producers (KIP-98).
//!
//! A pure function of the log's prefix up to an offset; `.snapshot` files hold it for some offsets
//! so that only the records behind one must be read again.

use std::collections::{BTreeMap, HashMap, VecDeque};

use ottla_protocol::ids::{Offset, ProducerEpoch, ProducerId};
use ottla_protocol::records::{BatchHeader, ControlRecordType, NO_SEQUENCE};

use crate::transaction_index::AbortedTransaction;

/// Batches remembered for each producer: a client has at most this many in flight.
pub const BATCHES_PER_PRODUCER: usize = 5;

/// The last batches of one producer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BatchMetadata {
    pub first_sequence: i32,
    pub last_sequence: i32,
    pub last_offset: Offset,
    pub offset_delta: i32,
    pub timestamp_ms: i64,
}

impl BatchMetadata {
    fn base_offset(&self) -> Offset {
        Offset(self.last_offset.0 - i64::from(self.offset_delta))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProducerEntry {
    pub epoch: i16,
    pub batches: VecDeque<BatchMetadata>,
    pub last_timestamp_ms: i64,
    pub coordinator_epoch: i32,
    pub current_transaction_first_offset: Option<Offset>,
}

/// What DescribeProducers tells of a producer (KIP-664).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveProducer {
    /// Its id.
    pub producer_id: ProducerId,
    /// Its newest epoch.
    pub producer_epoch: ProducerEpoch,
    /// Sequence of its last record, or -1.
    pub last_sequence: i32,
    /// When it last wrote, milliseconds since the epoch.
    pub last_timestamp_ms: i64,
    /// Epoch of the transaction coordinator that wrote its last marker, or -1.
    pub coordinator_epoch: i32,
    /// First record of its open transaction.
    pub current_transaction_first_offset: Option<Offset>,
}

/// A batch that has been appended before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DuplicateBatch {
    pub base_offset: Offset,
    pub last_offset: Offset,
    pub timestamp_ms: i64,
}

/// Why a producer's batch is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SequenceError {
    /// A newer epoch of the same producer has written.
    #[error("producer {producer_id} has epoch {current} here, and this batch has {found}")]
    StaleEpoch {
        /// The producer.
        producer_id: i64,
        /// The newest epoch.
        current: i16,
        /// The batch's.
        found: i16,
    },
    /// A batch before this one is missing.
    #[error(
        "producer {producer_id}: the last sequence here is {last}, and this batch begins with {found}"
    )]
    OutOfOrder {
        /// The producer.
        producer_id: i64,
        /// The last sequence appended, -1 if none.
        last: i32,
        /// The batch's first.
        found: i32,
    },
}

/// The producers of one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProducerState {
    producers: HashMap<i64, ProducerEntry>,
    /// First offsets of open transactions, and whose they are.
    ongoing: BTreeMap<Offset, i64>,
    /// First offsets of completed transactions whose markers, at these offsets, are not before the
    /// high watermark: nobody may read past them yet.
    unreplicated: BTreeMap<Offset, Offset>,
}

/// Epoch of a producer that nothing is known of.
const NO_PRODUCER_EPOCH: i16 = -1;

impl ProducerState {
    /// Checks a client's batch, or a coordinator's marker, against what its producer wrote before.
    pub fn check(&self, header: &BatchHeader) -> Result<Option<DuplicateBatch>, SequenceError> {
        let Some(entry) = self.producers.get(&header.producer_id) else {
            if header.producer_epoch < NO_PRODUCER_EPOCH {
                return Err(SequenceError::StaleEpoch {
                    producer_id: header.producer_id,
                    current: NO_PRODUCER_EPOCH,
                    found: header.producer_epoch,
                });
            }
            // Any first sequence is accepted: the state may have expired or been truncated away.
            return Ok(None);
        };
        let duplicate = entry.duplicate_of(header);
        if let Some(batch) = duplicate.filter(|_| !header.attributes.is_control()) {
            return Ok(Some(DuplicateBatch {
                base_offset: batch.base_offset(),
                last_offset: batch.last_offset,
                timestamp_ms: batch.timestamp_ms,
            }));
        }
        let producer_id = header.producer_id;
        if header.producer_epoch < entry.epoch {
            return Err(SequenceError::StaleEpoch {
                producer_id,
                current: entry.epoch,
                found: header.producer_epoch,
            });
        }
        if header.attributes.is_control() {
            // A coordinator's marker has no sequence.
            return Ok(None);
        }
        let same_epoch = header.producer_epoch == entry.epoch;
        let last = match entry.batches.back() {
            Some(batch) if same_epoch => batch.last_sequence,
            _ => NO_SEQUENCE,
        };
        let found = header.base_sequence;
        let in_order = match last {
            NO_SEQUENCE => found == 0 || (entry.batches.is_empty() && entry.epoch < 0),
            i32::MAX => found == 0,
            last => found == last + 1,
        };
        if in_order {
            Ok(None)
        } else {
            Err(SequenceError::OutOfOrder {
                producer_id,
                last,
                found,
            })
        }
    }

    /// Notes a data batch that has been appended.
    pub fn append_data(&mut self, header: &BatchHeader, timestamp_ms: i64) {
        if !header.has_producer_id() {
            return;
        }
        let entry = self
            .producers
            .entry(header.producer_id)
            .or_insert_with(ProducerEntry::unknown);
        entry.raise_epoch(header.producer_epoch);
        entry.batches.push_back(BatchMetadata {
            first_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            last_offset: Offset(header.last_offset()),
            offset_delta: header.last_offset_delta,
            timestamp_ms,
        });
        if entry.batches.len() > BATCHES_PER_PRODUCER {
            entry.batches.pop_front();
        }
        entry.last_timestamp_ms = timestamp_ms;
        if header.attributes.is_transactional() && entry.current_transaction_first_offset.is_none()
        {
            let first_offset = Offset(header.base_offset);
            entry.current_transaction_first_offset = Some(first_offset);
            self.ongoing.insert(first_offset, header.producer_id);
        }
    }

    /// Notes a transaction's marker that has been appended. The aborted transaction, if it ends one.
    pub fn append_marker(
        &mut self,
        header: &BatchHeader,
        marker: ControlRecordType,
        coordinator_epoch: i32,
    ) -> Option<AbortedTransaction> {
        let entry = self
            .producers
            .entry(header.producer_id)
            .or_insert_with(ProducerEntry::unknown);
        entry.raise_epoch(header.producer_epoch);
        entry.coordinator_epoch = coordinator_epoch;
        entry.last_timestamp_ms = header.max_timestamp;
        let first_offset = entry.current_transaction_first_offset.take()?;
        self.ongoing.remove(&first_offset);
        let last_offset = Offset(header.last_offset());
        let first_undecided = self.ongoing.keys().next().copied();
        self.unreplicated.insert(first_offset, last_offset);
        (marker == ControlRecordType::Abort).then(|| AbortedTransaction {
            producer_id: ProducerId(header.producer_id),
            first_offset,
            last_offset,
            last_stable_offset: first_undecided.unwrap_or(Offset(last_offset.0 + 1)),
        })
    }

    /// The first record of the oldest transaction that is open, or whose marker could still be lost.
    pub fn first_unstable_offset(&self) -> Option<Offset> {
        let undecided = self.ongoing.keys().next();
        let unreplicated = self.unreplicated.keys().next();
        undecided.into_iter().chain(unreplicated).min().copied()
    }

    /// Whether markers are behind the high watermark.
    pub fn has_unreplicated(&self) -> bool {
        !self.unreplicated.is_empty()
    }

    /// Forgets completed transactions whose markers lie before `high_watermark`.
    pub fn settle(&mut self, high_watermark: Offset) {
        self.unreplicated
            .retain(|_, marker| *marker >= high_watermark);
    }

    /// Forgets producers that have not written for `expiration_ms` and have no open transaction.
    pub fn expire(&mut self, now_ms: i64, expiration_ms: i64) {
        self.producers.retain(|_, entry| {
            entry.current_transaction_first_offset.is_some()
                || now_ms.saturating_sub(entry.last_timestamp_ms) < expiration_ms
        });
    }

    /// The producers, in the order of their ids.
    pub fn active(&self) -> Vec<ActiveProducer> {
        let mut active: Vec<_> = self
            .producers
            .iter()
            .map(|(&producer_id, entry)| ActiveProducer {
                producer_id: ProducerId(producer_id),
                producer_epoch: ProducerEpoch(entry.epoch),
                last_sequence: entry
                    .batches
                    .back()
                    .map_or(NO_SEQUENCE, |batch| batch.last_sequence),
                last_timestamp_ms: entry.last_timestamp_ms,
                coordinator_epoch: entry.coordinator_epoch,
                current_transaction_first_offset: entry.current_transaction_first_offset,
            })
            .collect();
        active.sort_by_key(|producer| producer.producer_id);
        active
    }

    /// Whether nothing is remembered.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.producers.is_empty()
    }

    /// The producers with their ids, for a snapshot.
    pub fn entries(&self) -> impl Iterator<Item = (i64, &ProducerEntry)> {
        self.producers.iter().map(|(id, entry)| (*id, entry))
    }

    /// Puts back a producer from a snapshot.
    pub fn restore(&mut self, producer_id: i64, entry: ProducerEntry) {
        if let Some(first_offset) = entry.current_transaction_first_offset {
            self.ongoing.insert(first_offset, producer_id);
        }
        self.producers.insert(producer_id, entry);
    }
}

impl ProducerEntry {
    /// A producer of which nothing is known yet.
    fn unknown() -> Self {
        Self {
            epoch: -1,
            coordinator_epoch: -1,
            last_timestamp_ms: -1,
            ..Self::default()
        }
    }

    /// A new epoch begins a new sequence.
    fn raise_epoch(&mut self, epoch: i16) {
        if epoch != self.epoch {
            self.batches.clear();
            self.epoch = epoch;
        }
    }

    fn duplicate_of(&self, header: &BatchHeader) -> Option<&BatchMetadata> {
        if header.producer_epoch != self.epoch {
            return None;
        }
        let (first, last) = (header.base_sequence, header.last_sequence());
        self.batches
            .iter()
            .find(|batch| batch.first_sequence == first && batch.last_sequence == last)
    }
}

#[cfg(test)]
mod tests;
