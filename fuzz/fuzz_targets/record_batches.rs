//! Record batches: the walk over batches, their checks, and the walk over the records of each.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/protocol/tests/targets/record_batches.rs"]
mod target;

fuzz_target!(|data: &[u8]| {
    target::run(data);
});
