//! Blocks of producer ids (KIP-730).

use ottla_protocol::messages::metadata::{MetadataRecord, ProducerIdsRecord};

use super::Decision;
use crate::image::MetadataImage;

/// Producer ids in a block.
pub const PRODUCER_IDS_BLOCK_SIZE: i64 = 1000;

/// Gives the next block to a broker: its first producer id. `None` when there are no more.
pub fn allocate(image: &MetadataImage, broker_id: i32, broker_epoch: i64) -> Decision<Option<i64>> {
    let first = image.next_producer_id();
    let Some(next_producer_id) = first.checked_add(PRODUCER_IDS_BLOCK_SIZE) else {
        return Decision::answer(None);
    };
    let record = ProducerIdsRecord {
        broker_id,
        broker_epoch,
        next_producer_id,
        ..Default::default()
    };
    Decision {
        records: vec![MetadataRecord::ProducerIds(record)],
        response: Some(first),
    }
}
