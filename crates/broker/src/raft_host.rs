//! The metadata log of a quorum of one: this node is its only voter and so its leader.
//!
//! `__cluster_metadata-0` in the metadata log directory, in Kafka's format: segments, snapshots,
//! `quorum-state`. What is appended is on the disk before anybody acts on it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use ottla_metadata::log_codec::{
    ControlRecord, DecodeLogError, DecodedBatch, EncodeBatchError, LogRecord, decode_batches,
    encode_batch, encode_control_batch, encode_snapshot, parse_snapshot_name, snapshot_name,
};
use ottla_metadata::quorum_state::{QUORUM_STATE_FILE, QuorumState, QuorumStateError};
use ottla_metadata::{Endpoint, MetadataDelta, MetadataImage, bootstrap};
use ottla_protocol::Uuid;
use ottla_protocol::ids::{LeaderEpoch, Offset, TopicId, TopicPartition};
use ottla_protocol::messages::LeaderChangeMessage;
use ottla_protocol::messages::leader_change_message::Voter;
use ottla_protocol::messages::metadata::{AbortTransactionRecord, MetadataRecord};
use ottla_storage::{
    AppendError, DiskError, Log, LogConfig, MinimumBatches, OpenLogError, ReadError, text_file,
};
use tracing::info;

/// The topic of the metadata log. Source: `Topic.CLUSTER_METADATA_TOPIC_NAME`.
const METADATA_TOPIC: &str = "__cluster_metadata";
/// Its id. Source: `Uuid.METADATA_TOPIC_ID`.
const METADATA_TOPIC_ID: TopicId = TopicId(Uuid::from_u128(1));
/// The snapshot with which a formatted directory begins.
const BOOTSTRAP_CHECKPOINT: &str = "bootstrap.checkpoint";
/// Bytes of the log read at a time on start.
const LOAD_CHUNK_BYTES: usize = 4 * 1024 * 1024;
/// Segments and snapshots older than the newest snapshot that are kept.
const SNAPSHOTS_KEPT: usize = 2;

/// The metadata log failed.
#[derive(Debug, thiserror::Error)]
pub enum RaftError {
    /// The directory or a file in it failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The log could not be opened.
    #[error("cannot open the metadata log: {0}")]
    Open(#[from] OpenLogError),
    /// The log could not be read.
    #[error("cannot read the metadata log: {0}")]
    Read(#[from] ReadError),
    /// The log or a snapshot is damaged.
    #[error("{} holds damaged metadata: {source}; restore it from a copy", path.display())]
    Decode {
        /// The file or directory.
        path: PathBuf,
        /// How.
        source: DecodeLogError,
    },
    /// A snapshot has no end.
    #[error("{} is half a snapshot of the cluster's metadata; restore it from a copy", path.display())]
    HalfSnapshot {
        /// The file.
        path: PathBuf,
    },
    /// The log begins behind the newest snapshot.
    #[error("the metadata log in {} begins at offset {log_start_offset}, and no snapshot holds what was before; restore the newest .checkpoint file from a copy", path.display())]
    NoSnapshot {
        /// The directory.
        path: PathBuf,
        /// Where the log begins.
        log_start_offset: Offset,
    },
    /// Records could not be encoded.
    #[error("cannot encode metadata records: {0}")]
    Encode(#[from] EncodeBatchError),
    /// Records could not be appended.
    #[error("cannot append to the metadata log: {0}")]
    Append(#[from] AppendError),
    /// `quorum-state` is damaged.
    #[error("{}: {source}", path.display())]
    QuorumState {
        /// The file.
        path: PathBuf,
        /// How.
        source: QuorumStateError,
    },
    /// A file could not be listed, written or read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl RaftError {
    /// Whether the same may well work later: the disk is full.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Disk(error) | Self::Append(AppendError::Disk(error)) => error.is_passing(),
            _ => false,
        }
    }
}

/// How the metadata log is kept.
#[derive(Clone, Debug)]
pub struct RaftSettings {
    /// `metadata.log.dir`.
    pub log_dir: PathBuf,
    /// `node.id`.
    pub node_id: i32,
    /// The id of the log directory.
    pub directory_id: Uuid,
    /// The node's controller listeners.
    pub endpoints: Vec<Endpoint>,
    /// `metadata.log.segment.bytes` and `metadata.log.segment.ms`.
    pub log_config: LogConfig,
    /// `metadata.log.max.record.bytes.between.snapshots`.
    pub max_bytes_between_snapshots: u64,
    /// `metadata.log.max.snapshot.interval.ms`; `None` is never.
    pub max_snapshot_interval_ms: Option<i64>,
}

/// The leader of the quorum of one.
pub struct RaftHost {
    settings: RaftSettings,
    directory: PathBuf,
    log: Log,
    epoch: i32,
    /// Whether a transaction at the end of what was loaded is unfinished.
    in_transaction: bool,
    bytes_since_snapshot: u64,
    /// Since when there are records that no snapshot has.
    waiting_since_ms: Option<i64>,
    last_timestamp_ms: i64,
}

impl RaftHost {
    /// Opens the log and replays it on top of its newest snapshot. The image is that of everything in
    /// the log.
    pub fn open(settings: RaftSettings, now_ms: i64) -> Result<(Self, MetadataImage), RaftError> {
        let directory = settings.log_dir.join(format!("{METADATA_TOPIC}-0"));
        let topic_partition = TopicPartition::new(METADATA_TOPIC, 0);
        let log = Log::open_alone(
            &directory,
            topic_partition,
            METADATA_TOPIC_ID,
            settings.log_config.clone(),
            now_ms,
        )?;
        let mut host = Self {
            settings,
            directory,
            log,
            epoch: 0,
            in_transaction: false,
            bytes_since_snapshot: 0,
            waiting_since_ms: None,
            last_timestamp_ms: now_ms,
        };
        let image = host.load()?;
        Ok((host, image))
    }

    /// Takes over as leader of the next epoch, before anything is appended.
    pub fn lead(&mut self, now_ms: i64) -> Result<(), RaftError> {
        self.become_leader(now_ms)?;
        if self.in_transaction {
            let abort = AbortTransactionRecord {
                reason: Some("the controller that began it is gone".to_owned()),
                ..Default::default()
            };
            self.append(&[MetadataRecord::AbortTransaction(abort)], now_ms)?;
            self.in_transaction = false;
        }
        Ok(())
    }

    /// The directory of the log.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The epoch in which this node leads.
    pub fn epoch(&self) -> i32 {
        self.epoch
    }

    /// The offset that the next record gets.
    pub fn next_offset(&self) -> i64 {
        self.log.log_end_offset().0
    }

    /// Whether no metadata was ever written: the cluster's first records are still to come.
    pub fn is_new(&self, image: &MetadataImage) -> bool {
        image.features().finalized().next().is_none()
    }

    /// The records that the formatted directory says the cluster begins with.
    pub fn bootstrap_records(&self) -> Result<Vec<MetadataRecord>, RaftError> {
        let path = self.settings.log_dir.join(BOOTSTRAP_CHECKPOINT);
        let bytes = match fs::read(&path) {
            Ok(bytes) => Bytes::from(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(bootstrap::bootstrap_records());
            }
            Err(source) => return Err(RaftError::File { path, source }),
        };
        let batches =
            decode_batches(&bytes).map_err(|source| RaftError::Decode { path, source })?;
        Ok(batches
            .into_iter()
            .flat_map(|batch| batch.records)
            .filter_map(|(_, record)| metadata(record))
            .collect())
    }

    /// Appends `records` as one batch and waits until they are on the disk. Their first offset.
    pub fn append(&mut self, records: &[MetadataRecord], now_ms: i64) -> Result<i64, RaftError> {
        let base_offset = self.next_offset();
        let batch = encode_batch(records, base_offset, self.epoch, now_ms)?;
        self.append_batch(&batch, now_ms)?;
        Ok(base_offset)
    }

    /// Writes a snapshot of `image` if enough was appended since the last one or long enough ago, and
    /// drops what it covers.
    pub fn snapshot_if_due(&mut self, image: &MetadataImage, now_ms: i64) -> Result<(), RaftError> {
        if !self.snapshot_is_due(now_ms) {
            return Ok(());
        }
        let control = bootstrap::quorum_records(
            self.settings.node_id,
            self.settings.directory_id,
            &self.settings.endpoints,
        );
        let parts = encode_snapshot(
            &control,
            &image.to_records(),
            image.epoch(),
            self.last_timestamp_ms,
            now_ms,
        )?;
        let end_offset = image.offset() + 1;
        let path = self
            .directory
            .join(snapshot_name(end_offset, image.epoch()));
        text_file::replace(&path, &parts.concat())?;
        info!(snapshot = %path.display(), "wrote a snapshot of the cluster's metadata");
        self.bytes_since_snapshot = 0;
        self.waiting_since_ms = None;
        self.log.roll()?;
        self.log.delete_records_before(Offset(end_offset))?;
        let snapshots = self.snapshots()?;
        for (end_offset, epoch) in snapshots.iter().rev().skip(SNAPSHOTS_KEPT) {
            text_file::delete(&self.directory.join(snapshot_name(*end_offset, *epoch)))?;
        }
        Ok(())
    }

    fn snapshot_is_due(&self, now_ms: i64) -> bool {
        let is_old = match (
            self.waiting_since_ms,
            self.settings.max_snapshot_interval_ms,
        ) {
            (Some(since_ms), Some(interval_ms)) => now_ms.saturating_sub(since_ms) >= interval_ms,
            _ => false,
        };
        is_old || self.bytes_since_snapshot >= self.settings.max_bytes_between_snapshots
    }

    /// Closes the log.
    pub fn close(&self, now_ms: i64) -> Result<(), RaftError> {
        Ok(self.log.close(now_ms)?)
    }

    fn append_batch(&mut self, batch: &Bytes, now_ms: i64) -> Result<(), RaftError> {
        let end = self.log.append_as_follower(batch)?;
        self.log.flush(end, now_ms)?;
        self.log.advance_high_watermark(end);
        self.bytes_since_snapshot += batch.len() as u64;
        self.waiting_since_ms.get_or_insert(now_ms);
        self.last_timestamp_ms = now_ms;
        Ok(())
    }

    /// The image of the log.
    fn load(&mut self) -> Result<MetadataImage, RaftError> {
        let mut delta = MetadataDelta::new(&MetadataImage::default());
        let mut position = self.load_snapshot(&mut delta)?;
        let end = self.log.log_end_offset();
        while position < end {
            let chunk = self
                .log
                .read(position, LOAD_CHUNK_BYTES, MinimumBatches::One, end)?
                .to_bytes();
            if chunk.is_empty() {
                break;
            }
            self.bytes_since_snapshot += chunk.len() as u64;
            let decoded = decode_batches(&chunk);
            for batch in decoded.map_err(|source| RaftError::Decode {
                path: self.directory.clone(),
                source,
            })? {
                position = Offset(batch.next_offset);
                self.replay(&mut delta, batch);
            }
        }
        self.in_transaction = delta.in_transaction();
        Ok(delta.finish().0)
    }

    /// Applies the newest snapshot. Where the log goes on behind it.
    fn load_snapshot(&mut self, delta: &mut MetadataDelta) -> Result<Offset, RaftError> {
        // The snapshot with which a formatted directory begins, of no record, says nothing.
        let newest = self.snapshots()?.pop().filter(|newest| newest.0 > 0);
        let (end_offset, epoch) = newest.unwrap_or((0, 0));
        if self.log.log_start_offset() > Offset(end_offset) {
            return Err(RaftError::NoSnapshot {
                path: self.directory.clone(),
                log_start_offset: self.log.log_start_offset(),
            });
        }
        if newest.is_none() {
            return Ok(Offset(0));
        }
        let path = self.directory.join(snapshot_name(end_offset, epoch));
        let bytes = fs::read(&path).map_err(|source| RaftError::File {
            path: path.clone(),
            source,
        })?;
        let batches = decode_batches(&bytes.into()).map_err(|source| RaftError::Decode {
            path: path.clone(),
            source,
        })?;
        let mut records = batches.into_iter().flat_map(|batch| batch.records);
        let mut last = None;
        for (_, record) in records.by_ref() {
            if let LogRecord::Metadata(record) = &record {
                delta.apply(end_offset - 1, epoch, record);
            }
            last = Some(record);
        }
        if !matches!(
            last,
            Some(LogRecord::Control(ControlRecord::SnapshotFooter(_)))
        ) {
            return Err(RaftError::HalfSnapshot { path });
        }
        self.epoch = epoch;
        Ok(Offset(end_offset))
    }

    fn replay(&mut self, delta: &mut MetadataDelta, batch: DecodedBatch) {
        self.epoch = self.epoch.max(batch.leader_epoch);
        self.last_timestamp_ms = batch.timestamp_ms;
        for (offset, record) in batch.records {
            if let Some(record) = metadata(record) {
                delta.apply(offset, batch.leader_epoch, &record);
            }
        }
    }

    /// Begins the next epoch: remembered in `quorum-state` first, then said in the log.
    fn become_leader(&mut self, now_ms: i64) -> Result<(), RaftError> {
        let path = self.directory.join(QUORUM_STATE_FILE);
        let state = text_file::read(&path)?
            .map(|text| QuorumState::decode(&text))
            .transpose();
        let state = state.map_err(|source| RaftError::QuorumState {
            path: path.clone(),
            source,
        })?;
        self.epoch = self.epoch.max(state.map_or(0, |state| state.leader_epoch)) + 1;
        let node_id = self.settings.node_id;
        let state = QuorumState {
            leader_id: node_id,
            leader_epoch: self.epoch,
            voted_id: -1,
            voted_directory_id: Uuid::ZERO,
        };
        text_file::replace(&path, state.encode().as_bytes())?;
        self.log.begin_leader_epoch(LeaderEpoch(self.epoch));
        let voter = Voter {
            voter_id: node_id,
            ..Default::default()
        };
        let change = ControlRecord::LeaderChange(LeaderChangeMessage {
            leader_id: node_id,
            voters: vec![voter.clone()],
            granting_voters: vec![voter],
            ..Default::default()
        });
        let base_offset = self.next_offset();
        let mut control = vec![change];
        if base_offset == 0 {
            control.extend(bootstrap::quorum_records(
                node_id,
                self.settings.directory_id,
                &self.settings.endpoints,
            ));
        }
        let batch = encode_control_batch(&control, base_offset, self.epoch, now_ms)?;
        self.append_batch(&batch, now_ms)
    }

    /// The snapshots there are, oldest first.
    fn snapshots(&self) -> Result<Vec<(i64, i32)>, RaftError> {
        let failed = |source| RaftError::File {
            path: self.directory.clone(),
            source,
        };
        let mut snapshots = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            snapshots.extend(name.to_str().and_then(parse_snapshot_name));
        }
        snapshots.sort_unstable();
        Ok(snapshots)
    }
}

fn metadata(record: LogRecord) -> Option<MetadataRecord> {
    match record {
        LogRecord::Metadata(record) => Some(record),
        LogRecord::Control(_) => None,
    }
}

/// Writes what a formatted metadata log directory begins with, beside `meta.properties`.
pub fn format(
    log_dir: &Path,
    node_id: i32,
    directory_id: Uuid,
    endpoints: &[Endpoint],
    bootstrap: &[MetadataRecord],
    now_ms: i64,
) -> Result<(), RaftError> {
    let checkpoint = encode_snapshot(&[], bootstrap, 0, 0, now_ms)?;
    text_file::replace(&log_dir.join(BOOTSTRAP_CHECKPOINT), &checkpoint.concat())?;
    let directory = log_dir.join(format!("{METADATA_TOPIC}-0"));
    fs::create_dir_all(&directory).map_err(|source| RaftError::File {
        path: directory.clone(),
        source,
    })?;
    let control = bootstrap::quorum_records(node_id, directory_id, endpoints);
    let snapshot = encode_snapshot(&control, &[], 0, now_ms, now_ms)?;
    text_file::replace(&directory.join(snapshot_name(0, 0)), &snapshot.concat())?;
    Ok(())
}
