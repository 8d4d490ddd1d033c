//! Record values that compress as a line of JSON does, the same ones in every run.

/// Gives values of one size; each differs from the one before.
pub struct Payloads {
    pool: Vec<u8>,
    size: usize,
    position: usize,
}

/// The values are slices of this many bytes of made-up JSON, far more than a codec's window.
const POOL_BYTES: usize = 8 << 20;

impl Payloads {
    /// Values of `size` bytes.
    pub fn new(size: usize) -> Payloads {
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let mut pool = Vec::with_capacity(POOL_BYTES + 256);
        while pool.len() < POOL_BYTES + size {
            let (a, b, c) = (random.next(), random.next(), random.next());
            let line = format!(
                "{{\"id\":{},\"user\":\"u{:x}\",\"city\":\"{}\",\"amount\":{}.{:02},\"tag\":\"{:016x}\"}}",
                a % 100_000_000,
                b % 65_536,
                ["Oslo", "Lima", "Quito", "Kyoto", "Accra", "Turin"][(c % 6) as usize],
                a % 10_000,
                b % 100,
                c
            );
            pool.extend_from_slice(line.as_bytes());
        }
        Payloads {
            pool,
            size,
            position: 0,
        }
    }

    /// The next value.
    pub fn next_value(&mut self) -> &[u8] {
        let start = self.position;
        self.position = (start + self.size + 37) % POOL_BYTES;
        &self.pool[start..start + self.size]
    }
}

/// SplitMix64: enough for made-up data.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_size_and_differ() {
        let mut payloads = Payloads::new(100);
        let first = payloads.next_value().to_vec();
        assert_eq!(first.len(), 100);
        assert_ne!(first, payloads.next_value());
    }
}
