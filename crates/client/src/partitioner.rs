//! Which partition a key belongs to, as Kafka's own clients choose it.

/// Seed of the hash.
const SEED: u32 = 0x9747_b28c;
/// Multiplier of the hash.
const M: u32 = 0x5bd1_e995;

/// The partition of `key` among `partitions` (which must not be 0): the one that the Java client's
/// default partitioner picks.
pub fn partition_of(key: &[u8], partitions: u32) -> i32 {
    ((murmur2(key) & 0x7fff_ffff) % partitions) as i32
}

/// MurmurHash2, 32 bits.
fn murmur2(data: &[u8]) -> u32 {
    let mut hash = SEED ^ data.len() as u32;
    let (blocks, tail) = data.as_chunks::<4>();
    for block in blocks {
        let mut k = u32::from_le_bytes(*block).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !tail.is_empty() {
        let last = tail
            .iter()
            .rev()
            .fold(0, |word, &byte| word << 8 | u32::from(byte));
        hash = (hash ^ last).wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ hash >> 15
}

#[cfg(test)]
mod tests {
    use super::murmur2;

    /// Expected values: `org.apache.kafka.common.utils.Utils.murmur2` of the reference release.
    #[test]
    fn hashes_as_the_java_client_does() {
        for (key, expected) in [
            (&b"21"[..], -973932308),
            (b"foobar", -790332482),
            (b"a-little-bit-long-string", -985981536),
            (b"a-little-bit-longer-string", -1486304829),
            (
                b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58897971,
            ),
            (b"abc", 479470107),
        ] {
            assert_eq!(murmur2(key) as i32, expected, "{key:?}");
        }
    }
}
