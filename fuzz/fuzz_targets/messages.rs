//! Any message at any version, chosen by the first three bytes. What decodes encodes, and from then on to the same

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/protocol/tests/targets/message.rs"]
mod target;

fuzz_target!(|data: &[u8]| {
    target::run(data);
});
