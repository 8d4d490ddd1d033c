//! The keys and values of stored records, in every family; the first byte chooses the type where the record does not

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/protocol/tests/targets/stored_record.rs"]
mod target;

fuzz_target!(|data: &[u8]| {
    target::run(data);
});
