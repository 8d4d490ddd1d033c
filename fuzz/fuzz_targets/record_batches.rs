//! Record batches: the walk over batches, their checks, and the walk over the records of each.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ottla_protocol::records::{Decompressor, batches};

/// The most that a batch may decompress to, in bytes.
const DECOMPRESSION_LIMIT: usize = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let mut decompressor = Decompressor::new(DECOMPRESSION_LIMIT);
    for batch in batches(&Bytes::copy_from_slice(data)) {
        let Ok(batch) = batch else { return };
        let _ = batch.validate_crc();
        // Damaged batches are walked too: a checksum is no proof of good will.
        let Ok(records) = batch.records(&mut decompressor) else {
            continue;
        };
        for record in records {
            let Ok(record) = record else { break };
            record.headers.iter().for_each(drop);
        }
    }
});
