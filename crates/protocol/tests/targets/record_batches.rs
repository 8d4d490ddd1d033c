//! Record batches: the walk over batches, their checks, and the walk over the records of each.

use bytes::Bytes;
use ottla_protocol::records::{Decompressor, batches};

/// The most that a batch may decompress to, in bytes.
pub const DECOMPRESSION_LIMIT: usize = 1 << 20;

pub fn run(data: &[u8]) -> bool {
    let mut decompressor = Decompressor::new(DECOMPRESSION_LIMIT);
    let mut walked = 0;
    for batch in batches(&Bytes::copy_from_slice(data)) {
        let Ok(batch) = batch else { break };
        let _ = batch.validate_crc();
        // Damaged batches are walked too: a checksum is no proof of good will.
        let Ok(records) = batch.records(&mut decompressor) else {
            continue;
        };
        for record in records {
            let Ok(record) = record else { break };
            record.headers.iter().for_each(drop);
            walked += 1;
        }
    }
    walked > 0
}
