//! Damaged messages: Kafka's own bytes, mutated a few hundred thousand times from a fixed seed.
//!
//! Decoding never panics and never takes much more memory than the bytes it is given; what decodes also encodes, and
//! from then on to the same bytes.

mod golden_file;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use golden_file::What;
use ottla_protocol::messages::group::{GroupRecordKey, GroupRecordValue};
use ottla_protocol::messages::metadata::MetadataRecord;
use ottla_protocol::messages::share::{ShareRecordKey, ShareRecordValue};
use ottla_protocol::messages::transaction::{TransactionRecordKey, TransactionRecordValue};
use ottla_protocol::wire::catalogue::Entry;
use ottla_protocol::{Reader, Writer};

/// How many mutated inputs each test tries.
const INPUTS: usize = 200_000;

/// How much memory decoding may take whatever the input: the first reservation of a few nested arrays.
const FREE_MEMORY: usize = 512 * 1024;

/// How much memory decoding may take for each byte of input.
const MEMORY_PER_BYTE: usize = 512;

/// Counts what is allocated.
struct Counting;

/// The bytes allocated at the moment, and the most there were since it was last set.
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came; counting touches no memory of the callers.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let allocated = ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(allocated, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The xorshift generator: quick, and the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// Damages `bytes` in one to three places.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    const INTERESTING: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
    for _ in 0..=random.below(3) {
        let position = random.below(bytes.len());
        let interesting = INTERESTING[random.below(INTERESTING.len())];
        match random.below(7) {
            _ if bytes.is_empty() => bytes.push(interesting),
            0 => bytes[position] ^= 1 << random.below(8),
            1 | 2 => bytes[position] = interesting,
            3 => bytes.insert(position, interesting),
            4 => bytes.truncate(position),
            5 => bytes
                .iter_mut()
                .skip(position)
                .take(4)
                .for_each(|byte| *byte = interesting),
            _ => {
                let end = position + random.below(bytes.len() - position);
                bytes.extend_from_within(position..end);
            }
        }
    }
}

/// Runs `decode` and holds the memory it takes against the size of its input.
fn with_bounded_memory<T>(what: &str, input: &[u8], decode: impl FnOnce() -> T) -> T {
    let before = ALLOCATED.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let result = decode();
    let taken = PEAK.load(Ordering::Relaxed) - before;
    let limit = FREE_MEMORY + MEMORY_PER_BYTE * input.len();
    assert!(
        taken <= limit,
        "{what}: {taken} bytes taken for {} of input {input:02x?}",
        input.len()
    );
    result
}

fn messages_survive() {
    let samples = golden_file::read();
    let mut random = Random(0x6f74_746c_6121);
    let mut decoded = 0;
    for _ in 0..INPUTS {
        let sample = &samples[random.below(samples.len())];
        if sample.what != What::Sample {
            continue;
        }
        let entry = Entry::find(&sample.name).unwrap();
        let mut input = sample.bytes.to_vec();
        mutate(&mut input, &mut random);
        let mut r = Reader::new(Bytes::from(input.clone()));
        let result = with_bounded_memory(entry.name, &input, || {
            (entry.decode)(&mut r, sample.version)
        });
        let Ok(message) = result else { continue };
        decoded += 1;
        let mut w = Writer::new();
        message.encode_any(&mut w, sample.version).unwrap();
        let once = w.into_bytes();
        let again = (entry.decode)(&mut Reader::new(once.clone()), sample.version).unwrap();
        let mut w = Writer::new();
        again.encode_any(&mut w, sample.version).unwrap();
        assert_eq!(
            w.into_bytes(),
            once,
            "{} {}: {message:?}",
            sample.name,
            sample.version
        );
    }
    assert!(
        decoded > INPUTS / 10,
        "only {decoded} inputs got through: the mutations are too coarse"
    );
}

fn stored_records_survive() {
    let samples = golden_file::read();
    let mut random = Random(0x7265_636f_7264);
    for _ in 0..INPUTS {
        let sample = &samples[random.below(samples.len())];
        let record_type = random.below(32) as u8;
        let version = sample.version as u8;
        let mut framed = [&[1, record_type, version], sample.bytes.as_ref()].concat();
        let mut prefixed = [
            &[0, random.below(2) as u8 * record_type],
            sample.bytes.as_ref(),
        ]
        .concat();
        mutate(&mut framed, &mut random);
        mutate(&mut prefixed, &mut random);
        let framed = Bytes::from(framed);
        let prefixed = Bytes::from(prefixed);
        let _ = with_bounded_memory("metadata", &framed, || {
            MetadataRecord::decode_value(framed.clone())
        });
        with_bounded_memory("coordinators", &prefixed, || {
            let value = || prefixed.clone();
            let _ = GroupRecordKey::decode(value());
            let _ = GroupRecordValue::decode(record_type.into(), value());
            let _ = TransactionRecordKey::decode(value());
            let _ = TransactionRecordValue::decode(0, value());
            let _ = ShareRecordKey::decode(value());
            let _ = ShareRecordValue::decode((record_type % 2).into(), value());
        });
    }
}

/// One test, so that nothing else allocates meanwhile.
#[test]
fn damaged_bytes_neither_panic_nor_exhaust_memory() {
    messages_survive();
    stored_records_survive();
}
