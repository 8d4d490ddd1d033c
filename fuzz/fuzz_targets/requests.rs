//! A frame as a connection reads it: API key and version, the header of that version, the request.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/protocol/tests/targets/request.rs"]
mod target;

fuzz_target!(|data: &[u8]| {
    target::run(data);
});
