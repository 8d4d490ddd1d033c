//! What is fuzzed, for the bounded run here and for the targets in `fuzz/`. Each `run` takes any bytes, panics where
//! a decoder breaks its promises, and is true if the bytes got through.

pub mod message;
pub mod record_batches;
pub mod request;
pub mod stored_record;
