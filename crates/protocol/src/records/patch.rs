//! What a leader writes over a batch's header when it appends the batch.

use bytes::BytesMut;

use super::batch_view::{BatchError, BatchView, crc32c};
use super::header::{
    BATCH_HEADER_SIZE_BYTES, BatchHeader, CRC_COVERED_FROM, HEADER_SIZE_UP_TO_MAGIC_BYTES,
    TimestampType,
};

/// Where the partition leader epoch stands in a batch.
const PARTITION_LEADER_EPOCH_AT: usize = 12;

/// The header of `view` as the leader appends it: the base offset and the leader epoch are set;
/// with a log append time (ms since the epoch) so are the timestamp type and the max timestamp,
/// and the CRC follows. The rest of the batch stays as it is, so a log writes this header and
/// `view.payload()` without copying either.
///
/// The CRC is taken from the batch's own by the difference that the header makes, without another
/// pass over the records; the batch's CRC must have been checked.
pub fn patched_header(
    view: &BatchView,
    base_offset: i64,
    partition_leader_epoch: i32,
    log_append_time: Option<i64>,
) -> [u8; BATCH_HEADER_SIZE_BYTES] {
    let header = BatchHeader {
        base_offset,
        partition_leader_epoch,
        ..*view.header()
    };
    match log_append_time {
        None => header.encode(),
        Some(time) => with_timestamp(&header, TimestampType::LogAppendTime, time).encode(),
    }
}

/// `header` with another timestamp type and max timestamp (ms since the epoch), and the CRC that
/// goes with them, given that the header's is right. As Kafka does, it leaves a header alone that
/// has both already, and drops attributes without meaning from any other.
pub fn with_timestamp(
    header: &BatchHeader,
    timestamp_type: TimestampType,
    max_timestamp: i64,
) -> BatchHeader {
    if header.attributes.timestamp_type() == timestamp_type && header.max_timestamp == max_timestamp
    {
        return *header;
    }
    let attributes = header
        .attributes
        .known()
        .with_timestamp_type(timestamp_type);
    let mut patched = BatchHeader {
        attributes,
        max_timestamp,
        ..*header
    };
    let payload_bytes = header
        .size_bytes()
        .unwrap_or(0)
        .saturating_sub(BATCH_HEADER_SIZE_BYTES);
    let payload_crc = crc_combine(covered_crc(header), header.crc, payload_bytes);
    patched.crc = crc_combine(covered_crc(&patched), payload_crc, payload_bytes);
    patched
}

/// The CRC of that part of a header which the batch's CRC covers.
fn covered_crc(header: &BatchHeader) -> u32 {
    crc32c(&header.encode()[CRC_COVERED_FROM..])
}

/// The CRC of `first` and then `second`, which has `second_bytes`. As it is an exclusive or of the
/// second with a shift of the first, it also takes the first away again.
fn crc_combine(first: u32, second: u32, second_bytes: usize) -> u32 {
    crc_fast::checksum_combine(
        crc_fast::CrcAlgorithm::Crc32Iscsi,
        u64::from(first),
        u64::from(second),
        second_bytes as u64,
    ) as u32
}

/// Sets the base offset of the batch at the front of `batch`; the CRC does not cover it.
pub fn set_base_offset(batch: &mut BytesMut, base_offset: i64) -> Result<(), BatchError> {
    put(batch, 0, base_offset.to_be_bytes())
}

/// Sets the leader epoch of the batch at the front of `batch`; the CRC does not cover it.
pub fn set_partition_leader_epoch(batch: &mut BytesMut, epoch: i32) -> Result<(), BatchError> {
    put(batch, PARTITION_LEADER_EPOCH_AT, epoch.to_be_bytes())
}

/// Sets the timestamp type and max timestamp (ms since the epoch) of the batch at the front of
/// `batch`, and its CRC, which must have been right.
pub fn set_max_timestamp(
    batch: &mut BytesMut,
    timestamp_type: TimestampType,
    max_timestamp: i64,
) -> Result<(), BatchError> {
    let available_bytes = batch.len();
    let Some(bytes) = batch.first_chunk_mut::<BATCH_HEADER_SIZE_BYTES>() else {
        let claimed_bytes = BATCH_HEADER_SIZE_BYTES;
        return Err(BatchError::Truncated {
            claimed_bytes,
            available_bytes,
        });
    };
    *bytes = with_timestamp(&BatchHeader::decode(bytes), timestamp_type, max_timestamp).encode();
    Ok(())
}

fn put<const N: usize>(batch: &mut BytesMut, at: usize, field: [u8; N]) -> Result<(), BatchError> {
    let available_bytes = batch.len();
    let Some(target) = batch.get_mut(at..at + N) else {
        let claimed_bytes = HEADER_SIZE_UP_TO_MAGIC_BYTES;
        return Err(BatchError::Truncated {
            claimed_bytes,
            available_bytes,
        });
    };
    target.copy_from_slice(&field);
    Ok(())
}
