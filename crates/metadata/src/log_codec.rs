//! The bytes of the metadata log and of its snapshots.

use bytes::Bytes;
use ottla_protocol::messages::metadata::MetadataRecord;
use ottla_protocol::messages::{
    KRaftVersionRecord, LeaderChangeMessage, SnapshotFooterRecord, SnapshotHeaderRecord,
    VotersRecord,
};
use ottla_protocol::records::{
    BatchBuilder, BatchError, BatchView, BuildError, CompressionSpec, Compressor,
    ControlRecordType, Decompressor, RecordError, batches,
};
use ottla_protocol::{DecodeError, EncodeError, Message};

/// Version of every control record.
const CONTROL_VERSION: i16 = 0;
/// Records in one batch of a snapshot.
const SNAPSHOT_BATCH_RECORDS: usize = 1000;

/// Records could not be written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeBatchError {
    /// A record has a field that its version lacks.
    #[error(transparent)]
    Record(#[from] EncodeError),
    /// The batch is too large.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// A log or snapshot could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeLogError {
    /// A batch is damaged.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A batch's records are damaged.
    #[error(transparent)]
    Records(#[from] RecordError),
    /// A record is damaged, or of a later release.
    #[error("the record at offset {offset} cannot be read: {source}; it may be of a later release")]
    Record {
        /// Its offset.
        offset: i64,
        /// Why.
        source: DecodeError,
    },
}

/// A control record of the quorum.
#[derive(Clone, Debug, PartialEq)]
pub enum ControlRecord {
    /// A leader took over.
    LeaderChange(LeaderChangeMessage),
    /// A snapshot begins.
    SnapshotHeader(SnapshotHeaderRecord),
    /// A snapshot ends.
    SnapshotFooter(SnapshotFooterRecord),
    /// The level of kraft.version.
    KRaftVersion(KRaftVersionRecord),
    /// The voters.
    Voters(VotersRecord),
}

impl ControlRecord {
    fn encode(&self) -> Result<(ControlRecordType, Bytes), EncodeError> {
        Ok(match self {
            Self::LeaderChange(message) => (
                ControlRecordType::LeaderChange,
                message.to_bytes(CONTROL_VERSION)?,
            ),
            Self::SnapshotHeader(message) => (
                ControlRecordType::SnapshotHeader,
                message.to_bytes(CONTROL_VERSION)?,
            ),
            Self::SnapshotFooter(message) => (
                ControlRecordType::SnapshotFooter,
                message.to_bytes(CONTROL_VERSION)?,
            ),
            Self::KRaftVersion(message) => (
                ControlRecordType::KraftVersion,
                message.to_bytes(CONTROL_VERSION)?,
            ),
            Self::Voters(message) => (
                ControlRecordType::KraftVoters,
                message.to_bytes(CONTROL_VERSION)?,
            ),
        })
    }
}

/// A batch of metadata records as the leader of `leader_epoch` appends it at `base_offset`.
pub fn encode_batch(
    records: &[MetadataRecord],
    base_offset: i64,
    leader_epoch: i32,
    timestamp_ms: i64,
) -> Result<Bytes, EncodeBatchError> {
    let mut builder = BatchBuilder::new(CompressionSpec::None);
    for record in records {
        builder.append(timestamp_ms, None, Some(&record.encode_value()?), &[])?;
    }
    Ok(builder.build(base_offset, leader_epoch, &mut Compressor::new())?)
}

/// A batch of control records.
pub fn encode_control_batch(
    records: &[ControlRecord],
    base_offset: i64,
    leader_epoch: i32,
    timestamp_ms: i64,
) -> Result<Bytes, EncodeBatchError> {
    let mut builder = BatchBuilder::control();
    for record in records {
        let (record_type, value) = record.encode()?;
        builder.append(timestamp_ms, Some(&record_type.key()), Some(&value), &[])?;
    }
    Ok(builder.build(base_offset, leader_epoch, &mut Compressor::new())?)
}

/// A snapshot: its header with the control records that hold at that point, the records, its footer.
///
/// `last_contained_log_timestamp_ms` is that of the last batch that the snapshot covers.
pub fn encode_snapshot(
    control: &[ControlRecord],
    records: &[MetadataRecord],
    leader_epoch: i32,
    last_contained_log_timestamp_ms: i64,
    now_ms: i64,
) -> Result<Vec<Bytes>, EncodeBatchError> {
    let header = ControlRecord::SnapshotHeader(SnapshotHeaderRecord {
        last_contained_log_timestamp: last_contained_log_timestamp_ms,
        ..Default::default()
    });
    let head: Vec<_> = std::iter::once(header)
        .chain(control.iter().cloned())
        .collect();
    let mut offset = head.len() as i64;
    let mut parts = vec![encode_control_batch(&head, 0, leader_epoch, now_ms)?];
    for chunk in records.chunks(SNAPSHOT_BATCH_RECORDS) {
        parts.push(encode_batch(chunk, offset, leader_epoch, now_ms)?);
        offset += chunk.len() as i64;
    }
    let footer = ControlRecord::SnapshotFooter(SnapshotFooterRecord::default());
    parts.push(encode_control_batch(
        &[footer],
        offset,
        leader_epoch,
        now_ms,
    )?);
    Ok(parts)
}

/// One record of the log or of a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub enum LogRecord {
    /// Metadata.
    Metadata(MetadataRecord),
    /// The quorum's own.
    Control(ControlRecord),
}

/// A batch, decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedBatch {
    /// Offset of its first record.
    pub base_offset: i64,
    /// Offset behind its last record.
    pub next_offset: i64,
    /// Epoch of the leader that wrote it.
    pub leader_epoch: i32,
    /// Its time, milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// Its records with their offsets.
    pub records: Vec<(i64, LogRecord)>,
}

/// Reads whole batches; what follows the last whole one is left out.
pub fn decode_batches(bytes: &Bytes) -> Result<Vec<DecodedBatch>, DecodeLogError> {
    let mut decompressor = Decompressor::default();
    batches(bytes)
        .map(|batch| decode_batch(&batch?, &mut decompressor))
        .collect()
}

fn decode_batch(
    batch: &BatchView,
    decompressor: &mut Decompressor,
) -> Result<DecodedBatch, DecodeLogError> {
    batch.validate_crc()?;
    let mut records = Vec::new();
    for record in batch.records(decompressor)? {
        let record = record?;
        let (offset, value) = (record.offset, record.value.unwrap_or_default());
        let decoded = match batch.is_control() {
            true => decode_control(&record.key.unwrap_or_default(), value).transpose(),
            false => Some(MetadataRecord::decode_value(value).map(LogRecord::Metadata)),
        };
        if let Some(decoded) = decoded {
            records.push((
                offset,
                decoded.map_err(|source| DecodeLogError::Record { offset, source })?,
            ));
        }
    }
    Ok(DecodedBatch {
        base_offset: batch.base_offset(),
        next_offset: batch.next_offset(),
        leader_epoch: batch.partition_leader_epoch(),
        timestamp_ms: batch.max_timestamp(),
        records,
    })
}

/// A control record; `None` for types that the metadata log does not have.
fn decode_control(key: &[u8], value: Bytes) -> Result<Option<LogRecord>, DecodeError> {
    let record = match ControlRecordType::from_key(key) {
        Ok(ControlRecordType::LeaderChange) => ControlRecord::LeaderChange(read_control(value)?),
        Ok(ControlRecordType::SnapshotHeader) => {
            ControlRecord::SnapshotHeader(read_control(value)?)
        }
        Ok(ControlRecordType::SnapshotFooter) => {
            ControlRecord::SnapshotFooter(read_control(value)?)
        }
        Ok(ControlRecordType::KraftVersion) => ControlRecord::KRaftVersion(read_control(value)?),
        Ok(ControlRecordType::KraftVoters) => ControlRecord::Voters(read_control(value)?),
        _ => return Ok(None),
    };
    Ok(Some(LogRecord::Control(record)))
}

/// Control records carry their version as their first field; this release writes version 0 of all.
fn read_control<M: Message>(value: Bytes) -> Result<M, DecodeError> {
    M::decode(&mut ottla_protocol::Reader::new(value), CONTROL_VERSION)
}

/// The name of a snapshot's file: the offset behind the last one it covers, and that one's epoch.
pub fn snapshot_name(end_offset: i64, epoch: i32) -> String {
    format!("{end_offset:020}-{epoch:010}.checkpoint")
}

/// The offset and epoch in a snapshot's name.
pub fn parse_snapshot_name(name: &str) -> Option<(i64, i32)> {
    let (end_offset, epoch) = name.strip_suffix(".checkpoint")?.split_once('-')?;
    Some((end_offset.parse().ok()?, epoch.parse().ok()?))
}
