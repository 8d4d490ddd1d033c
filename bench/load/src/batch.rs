//! Builds record batches (format version 2) for the requests that are written directly.

use std::io::Write;

use crate::error::LoadError;
use crate::payload::Payloads;

/// The codecs that directly written batches can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Codec {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Codec {
    /// The name that librdkafka's `compression.codec` takes.
    pub fn name(self) -> &'static str {
        match self {
            Codec::None => "none",
            Codec::Gzip => "gzip",
            Codec::Snappy => "snappy",
            Codec::Lz4 => "lz4",
            Codec::Zstd => "zstd",
        }
    }

    /// The codec's bits in a batch's attributes, where batches of it can be built here.
    fn attributes(self) -> Result<i16, LoadError> {
        match self {
            Codec::None => Ok(0),
            Codec::Lz4 => Ok(3),
            Codec::Zstd => Ok(4),
            Codec::Gzip | Codec::Snappy => Err(LoadError::Usage(
                "--client raw knows the codecs none, lz4 and zstd",
            )),
        }
    }

    fn compress(self, records: Vec<u8>) -> Result<Vec<u8>, LoadError> {
        match self {
            Codec::Lz4 => {
                let info = lz4_flex::frame::FrameInfo::new()
                    .block_size(lz4_flex::frame::BlockSize::Max64KB)
                    .block_mode(lz4_flex::frame::BlockMode::Independent);
                let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
                encoder
                    .write_all(&records)
                    .map_err(LoadError::io("compress with lz4"))?;
                encoder.finish().map_err(|error| LoadError::Io {
                    action: "compress with lz4",
                    source: std::io::Error::other(error),
                })
            }
            Codec::Zstd => {
                zstd::bulk::compress(&records, 3).map_err(LoadError::io("compress with zstd"))
            }
            Codec::None | Codec::Gzip | Codec::Snappy => Ok(records),
        }
    }
}

fn put_varint(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push((rest as u8) | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// One batch of `count` records without keys, as a producer that is not idempotent sends it.
pub fn build(
    payloads: &mut Payloads,
    count: i32,
    codec: Codec,
    timestamp_ms: i64,
) -> Result<Vec<u8>, LoadError> {
    let attributes = codec.attributes()?;
    let mut records = Vec::new();
    let mut body = Vec::new();
    for delta in 0..count {
        let value = payloads.next_value();
        body.clear();
        body.push(0);
        put_varint(&mut body, 0);
        put_varint(&mut body, i64::from(delta));
        put_varint(&mut body, -1);
        put_varint(&mut body, value.len() as i64);
        body.extend_from_slice(value);
        put_varint(&mut body, 0);
        put_varint(&mut records, body.len() as i64);
        records.extend_from_slice(&body);
    }
    let records = codec.compress(records)?;
    let mut checked = Vec::with_capacity(records.len() + 40);
    checked.extend_from_slice(&attributes.to_be_bytes());
    checked.extend_from_slice(&(count - 1).to_be_bytes());
    checked.extend_from_slice(&timestamp_ms.to_be_bytes());
    checked.extend_from_slice(&timestamp_ms.to_be_bytes());
    checked.extend_from_slice(&(-1i64).to_be_bytes());
    checked.extend_from_slice(&(-1i16).to_be_bytes());
    checked.extend_from_slice(&(-1i32).to_be_bytes());
    checked.extend_from_slice(&count.to_be_bytes());
    checked.extend_from_slice(&records);
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &checked) as u32;
    let mut batch = Vec::with_capacity(checked.len() + 21);
    batch.extend_from_slice(&0i64.to_be_bytes());
    batch.extend_from_slice(&((checked.len() + 9) as i32).to_be_bytes());
    batch.extend_from_slice(&(-1i32).to_be_bytes());
    batch.push(2);
    batch.extend_from_slice(&crc.to_be_bytes());
    batch.extend_from_slice(&checked);
    Ok(batch)
}

/// The offset after the last whole batch in `records`, or `None` when there is no whole one.
pub fn next_offset(mut records: &[u8]) -> Option<i64> {
    let mut next = None;
    while let (Some(base), Some(length), Some(delta)) =
        (records.get(..8), records.get(8..12), records.get(23..27))
    {
        let base = i64::from_be_bytes(base.try_into().ok()?);
        let size = usize::try_from(i32::from_be_bytes(length.try_into().ok()?)).ok()? + 12;
        let delta = i32::from_be_bytes(delta.try_into().ok()?);
        let Some(rest) = records.get(size..) else {
            break;
        };
        records = rest;
        next = Some(base + i64::from(delta) + 1);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_says_where_the_next_begins() {
        let mut payloads = Payloads::new(10);
        for codec in [Codec::None, Codec::Lz4, Codec::Zstd] {
            let batch = build(&mut payloads, 7, codec, 1).unwrap();
            assert_eq!(next_offset(&batch), Some(7));
            assert_eq!(next_offset(&batch[..batch.len() - 1]), None);
        }
    }

    #[test]
    fn varints_are_zigzag() {
        let mut out = Vec::new();
        for value in [0, -1, 1, -64, 64, 300] {
            put_varint(&mut out, value);
        }
        assert_eq!(out, [0, 1, 2, 127, 0x80, 1, 0xD8, 4]);
    }
}
