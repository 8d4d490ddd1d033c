//! Damaged bytes: valid encodings of everything that is decoded, mutated some hundred thousand times.
//!
//! Decoding never panics and never takes much more memory than the bytes it is given; what decodes also encodes, and
//! from then on to the same bytes. The targets are those of `fuzz/`. `FUZZ_SEED` repeats a run or makes another.

mod golden_file;
mod targets;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use golden_file::What;
use ottla_protocol::messages::RequestHeader;
use ottla_protocol::messages::catalogue::MESSAGES;
use ottla_protocol::records::{
    BatchBuilder, Compression, CompressionSpec, Compressor, RecordHeader,
};
use ottla_protocol::{ApiKey, Message};

/// The seed when `FUZZ_SEED` gives none.
const SEED: u64 = 0x6f74_746c_6121;

/// Memory that decoding may take whatever the input: the first reservation of a few nested arrays.
const FREE_MEMORY: usize = 512 * 1024;

/// Memory that decoding, encoding and decoding again may take for each byte of input.
const MEMORY_PER_BYTE: usize = 1024;

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

/// One target and what it is given.
struct Campaign {
    name: &'static str,
    run: fn(&[u8]) -> bool,
    corpus: Vec<Vec<u8>>,
    inputs: usize,
    /// Memory that one input may take beside [`MEMORY_PER_BYTE`].
    free_memory: usize,
}

impl Campaign {
    fn carry_out(&self, seed: u64) {
        let Self {
            name, run, corpus, ..
        } = self;
        for valid in corpus {
            assert!(
                run(valid),
                "{name}: a valid encoding does not get through: {valid:02x?}"
            );
        }
        let mut random = Random(seed);
        let mut got_through = 0;
        for _ in 0..self.inputs {
            let mut input = corpus[random.below(corpus.len())].clone();
            mutate(&mut input, &mut random);
            let before = ALLOCATED.load(Ordering::Relaxed);
            PEAK.store(before, Ordering::Relaxed);
            let outcome = std::panic::catch_unwind(|| run(&input));
            let taken = PEAK.load(Ordering::Relaxed) - before;
            let Ok(is_through) = outcome else {
                panic!("{name}, FUZZ_SEED={seed}: {input:02x?}");
            };
            got_through += usize::from(is_through);
            let limit = self.free_memory + MEMORY_PER_BYTE * input.len();
            assert!(
                taken <= limit,
                "{name}, FUZZ_SEED={seed}: {taken} bytes taken for {} of input {input:02x?}",
                input.len()
            );
        }
        println!("{name}: {} inputs, {got_through} got through", self.inputs);
        assert!(
            got_through > self.inputs / 20,
            "{name}: only {got_through} inputs got through: the mutations are too coarse"
        );
    }
}

/// Every message at every version.
fn messages() -> Vec<Vec<u8>> {
    let mut corpus = Vec::new();
    for sample in golden_file::read() {
        if sample.what == What::Sample {
            let index = MESSAGES.iter().position(|entry| entry.name == sample.name);
            let index = u16::try_from(index.expect("a message of the catalogue")).unwrap();
            let [low, high] = index.to_le_bytes();
            let version = u8::try_from(sample.version).unwrap();
            corpus.push([&[low, high, version], sample.bytes.as_ref()].concat());
        }
    }
    corpus
}

/// Every request at every version, as a client sends it.
fn requests() -> Vec<Vec<u8>> {
    let mut corpus = Vec::new();
    for sample in golden_file::read() {
        let name = sample.name.strip_suffix("Request").unwrap_or_default();
        let mut keys = (0..1000).filter_map(ApiKey::from_i16);
        let Some(key) = keys.find(|key| key.name() == name) else {
            continue;
        };
        if sample.what != What::Sample {
            continue;
        }
        let header = RequestHeader {
            request_api_key: key.key(),
            request_api_version: sample.version,
            correlation_id: 7,
            client_id: Some("client".to_owned()),
            ..Default::default()
        };
        let header = header.to_bytes(key.request_header_version(sample.version));
        corpus.push([header.unwrap().as_ref(), sample.bytes.as_ref()].concat());
    }
    corpus
}

/// Stored records with the bytes in front that say what they are.
fn stored_records() -> Vec<Vec<u8>> {
    let mut corpus = Vec::new();
    for sample in golden_file::read() {
        let version = u8::try_from(sample.version).unwrap();
        for record_type in 0..32 {
            for prefix in [
                &[record_type, 1, record_type, version][..],
                &[record_type, 0, record_type],
                &[record_type, 0, version],
            ] {
                let stored = [prefix, sample.bytes.as_ref()].concat();
                if sample.what == What::Sample && targets::stored_record::run(&stored) {
                    corpus.push(stored);
                }
            }
        }
    }
    corpus
}

/// Record batches in every codec, large and small, alone and in a row.
fn record_batches() -> Vec<Vec<u8>> {
    let mut compressor = Compressor::new();
    let mut corpus = Vec::new();
    let codecs = (0..).map_while(|id| Compression::from_id(id).ok());
    for codec in codecs {
        let mut row = Vec::new();
        for records in [1, 3, 60] {
            let mut builder = BatchBuilder::new(CompressionSpec::new(codec));
            for index in 0..records {
                let text = format!("value {index} ").repeat(index % 5);
                let headers = [
                    RecordHeader {
                        key: "name",
                        value: Some(b"value"),
                    },
                    RecordHeader {
                        key: "null",
                        value: None,
                    },
                ];
                let (key, value) = (
                    text.get(..index % 3).map(str::as_bytes),
                    Some(text.as_bytes()),
                );
                let headers = &headers[..index % 3];
                builder
                    .append(index as i64 * 1000, key, value, headers)
                    .unwrap();
            }
            let batch = builder.build(0, 3, &mut compressor).unwrap();
            row.extend_from_slice(&batch);
            corpus.push(batch.to_vec());
        }
        corpus.push(row);
    }
    corpus
}

/// One test, so that nothing else allocates meanwhile.
#[test]
fn damaged_bytes_neither_panic_nor_exhaust_memory() {
    let seed = std::env::var("FUZZ_SEED")
        .ok()
        .map(|seed| seed.parse().expect("FUZZ_SEED is a number"));
    let seed = seed.unwrap_or(SEED);
    println!("FUZZ_SEED={seed}");
    let campaigns = [
        Campaign {
            name: "messages",
            run: targets::message::run,
            corpus: messages(),
            inputs: 150_000,
            free_memory: FREE_MEMORY,
        },
        Campaign {
            name: "requests",
            run: targets::request::run,
            corpus: requests(),
            inputs: 100_000,
            free_memory: FREE_MEMORY,
        },
        Campaign {
            name: "stored records",
            run: targets::stored_record::run,
            corpus: stored_records(),
            inputs: 100_000,
            free_memory: FREE_MEMORY,
        },
        Campaign {
            name: "record batches",
            run: targets::record_batches::run,
            corpus: record_batches(),
            inputs: 30_000,
            // What decompression may give, and what the codecs need to work.
            free_memory: 8 * targets::record_batches::DECOMPRESSION_LIMIT,
        },
    ];
    campaigns
        .iter()
        .for_each(|campaign| campaign.carry_out(seed));
}
