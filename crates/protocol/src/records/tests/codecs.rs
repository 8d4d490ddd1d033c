//! Codecs on their own: what other clients' libraries make, and limits.

use std::io::Write;

use super::*;
use crate::records::compression::DecompressError;

fn sample(length: usize) -> Vec<u8> {
    let mut state = 12345u32;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Runs and noise by turns.
        if state & 0x100 == 0 {
            bytes.extend_from_slice(&[(state >> 24) as u8; 40]);
        } else {
            bytes.extend_from_slice(&state.to_be_bytes());
        }
    }
    bytes.truncate(length);
    bytes
}

fn decompress(compression: Compression, payload: &[u8]) -> Result<Bytes, DecompressError> {
    Decompressor::default().decompress(compression, &Bytes::copy_from_slice(payload))
}

fn compress(spec: CompressionSpec, records: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Compressor::new().compress(spec, records, &mut out).unwrap();
    out
}

#[test]
fn every_codec_round_trips_at_every_size_with_kept_contexts() {
    let (mut compressor, mut decompressor) = (Compressor::new(), Decompressor::default());
    let specs = [
        CompressionSpec::None,
        CompressionSpec::Gzip { level: -1 },
        CompressionSpec::Gzip { level: 9 },
        CompressionSpec::Snappy,
        CompressionSpec::Lz4,
        CompressionSpec::Zstd { level: 3 },
        CompressionSpec::Zstd { level: -5 },
        CompressionSpec::Zstd { level: 22 },
    ];
    for length in [
        0,
        1,
        10,
        16 << 10,
        (32 << 10) + 1,
        64 << 10,
        (64 << 10) + 1,
        300_000,
    ] {
        for spec in specs {
            let records = sample(length);
            let mut payload = b"kept".to_vec();
            compressor.compress(spec, &records, &mut payload).unwrap();
            assert!(payload.starts_with(b"kept"));
            let payload = Bytes::from(payload).slice(4..);
            let again = decompressor
                .decompress(spec.compression(), &payload)
                .unwrap();
            assert!(again == records, "{spec:?} of {length} bytes");
        }
    }
}

#[test]
fn snappy_of_other_clients_is_bare() {
    let records = sample(100_000);
    let bare = snap::raw::Encoder::new().compress_vec(&records).unwrap();
    assert!(decompress(Compression::Snappy, &bare).unwrap() == records);
    let framed = compress(CompressionSpec::Snappy, &records);
    assert_eq!(framed[..16], *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
    let twice = [&framed[..], &framed[..]].concat();
    assert!(decompress(Compression::Snappy, &twice).unwrap() == [&records[..], &records].concat());
}

#[test]
fn lz4_frames_of_every_kind() {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let records = sample(700_000);
    for mode in [BlockMode::Independent, BlockMode::Linked] {
        for size in [
            BlockSize::Max64KB,
            BlockSize::Max256KB,
            BlockSize::Max1MB,
            BlockSize::Max4MB,
        ] {
            for checksums in [false, true] {
                let info = FrameInfo::new()
                    .block_mode(mode)
                    .block_size(size)
                    .block_checksums(checksums)
                    .content_checksum(checksums)
                    .content_size(checksums.then_some(records.len() as u64));
                let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
                encoder.write_all(&records).unwrap();
                let frame = encoder.finish().unwrap();
                assert!(decompress(Compression::Lz4, &frame).unwrap() == records);
                let skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
                let both = [&frame[..], &skippable, &frame].concat();
                let twice = decompress(Compression::Lz4, &both).unwrap();
                assert!(twice == [&records[..], &records].concat());
            }
        }
    }
}

/// A batch of one record of 200,000 bytes whose lz4 payload another library made.
fn foreign_lz4_batch(frames: impl FnOnce(&[u8]) -> Vec<u8>) -> Bytes {
    let mut builder = BatchBuilder::new(CompressionSpec::None);
    builder
        .append(0, None, Some(&sample(200_000)), &[])
        .unwrap();
    let plain = view(&builder.build(0, -1, &mut Compressor::new()).unwrap());
    let payload = frames(&plain.payload());
    let mut header = *plain.header();
    header.attributes = header.attributes.with_compression(Compression::Lz4);
    header.length = (BATCH_HEADER_SIZE_BYTES - LOG_OVERHEAD_BYTES + payload.len()) as i32;
    let mut bytes = header.encode().to_vec();
    bytes.extend_from_slice(&payload);
    header.crc = crc32c(&bytes[CRC_COVERED_FROM..]);
    bytes[..BATCH_HEADER_SIZE_BYTES].copy_from_slice(&header.encode());
    bytes.into()
}

#[test]
fn lz4_that_java_consumers_cannot_read_is_refused_from_producers_as_the_reference_does() {
    use crate::ErrorCode;
    use lz4_flex::frame::{BlockMode, FrameEncoder, FrameInfo};
    let frame = |mode: BlockMode, records: &[u8]| {
        let info = FrameInfo::new().block_mode(mode);
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(records).unwrap();
        encoder.finish().unwrap()
    };
    let check = |batch: Bytes, expected: Option<ErrorCode>| {
        let judged = validate(&batch, &permissive_rules());
        assert_eq!(judged.err().map(|error| error.error_code()), expected);
        assert_eq!(records_of(&view(&batch)).unwrap().len(), 1);
    };
    check(
        foreign_lz4_batch(|records| frame(BlockMode::Independent, records)),
        None,
    );
    let linked = foreign_lz4_batch(|records| frame(BlockMode::Linked, records));
    check(linked, Some(ErrorCode::UnknownServerError));
    let two_frames = foreign_lz4_batch(|records| {
        let (front, back) = records.split_at(records.len() / 2);
        [
            frame(BlockMode::Independent, front),
            frame(BlockMode::Independent, back),
        ]
        .concat()
    });
    check(two_frames, Some(ErrorCode::InvalidRecord));
}

#[test]
fn our_lz4_frames_are_read_by_another_reader() {
    let records = sample(200_000);
    let frame = compress(CompressionSpec::Lz4, &records);
    let mut out = Vec::new();
    let mut decoder = lz4_flex::frame::FrameDecoder::new(&frame[..]);
    std::io::Read::read_to_end(&mut decoder, &mut out).unwrap();
    assert!(out == records);
}

#[test]
fn gzip_members_follow_each_other_and_headers_have_options() {
    let records = sample(50_000);
    let member = compress(CompressionSpec::Gzip { level: 6 }, &records);
    let twice = [&member[..], &member].concat();
    assert!(decompress(Compression::Gzip, &twice).unwrap() == [&records[..], &records].concat());
    let padded = [&member[..], &[0; 20]].concat();
    assert!(decompress(Compression::Gzip, &padded).unwrap() == records);

    let mut encoder = flate2::GzBuilder::new()
        .filename("name")
        .comment("comment")
        .extra(vec![1, 2, 3])
        .write(Vec::new(), flate2::Compression::best());
    encoder.write_all(&records).unwrap();
    let member = encoder.finish().unwrap();
    assert!(decompress(Compression::Gzip, &member).unwrap() == records);
}

#[test]
fn zstd_frames_follow_each_other() {
    let records = sample(50_000);
    let streamed = zstd::stream::encode_all(&records[..], 19).unwrap();
    let twice = [
        compress(CompressionSpec::Zstd { level: 1 }, &records),
        streamed,
    ]
    .concat();
    assert!(decompress(Compression::Zstd, &twice).unwrap() == [&records[..], &records].concat());
}

#[test]
fn what_decompresses_to_more_than_the_limit_is_refused() {
    const LIMIT_BYTES: usize = 100_000;
    for spec in [
        CompressionSpec::Gzip { level: 9 },
        CompressionSpec::Snappy,
        CompressionSpec::Lz4,
        CompressionSpec::Zstd { level: 19 },
    ] {
        let mut decompressor = Decompressor::new(LIMIT_BYTES);
        let mut check = |records_bytes: usize, expected: Result<usize, DecompressError>| {
            let payload = Bytes::from(compress(spec, &vec![0; records_bytes]));
            let read = decompressor.decompress(spec.compression(), &payload);
            assert_eq!(read.map(|records| records.len()), expected, "{spec:?}");
        };
        check(LIMIT_BYTES, Ok(LIMIT_BYTES));
        let refused = Err(DecompressError::LimitExceeded {
            limit_bytes: LIMIT_BYTES,
        });
        check(LIMIT_BYTES + 1, refused);
        check(50 << 20, refused);
        check(LIMIT_BYTES, Ok(LIMIT_BYTES));
    }
    let bare = snap::raw::Encoder::new()
        .compress_vec(&vec![0; LIMIT_BYTES + 1])
        .unwrap();
    let read = Decompressor::new(LIMIT_BYTES).decompress(Compression::Snappy, &bare.into());
    assert_eq!(
        read,
        Err(DecompressError::LimitExceeded {
            limit_bytes: LIMIT_BYTES
        })
    );
}

#[test]
fn a_size_that_is_only_claimed_is_not_believed() {
    // A bare snappy block of 6 bytes that says it holds 200 MiB.
    let claim = [0x80, 0x80, 0x80, 0x64, 0, b'a'];
    let malformed = DecompressError::Malformed {
        compression: Compression::Snappy,
    };
    assert_eq!(decompress(Compression::Snappy, &claim), Err(malformed));
}

#[test]
fn payloads_cut_anywhere_or_changed_anywhere_do_no_harm() {
    let records = sample(5000);
    for compression in Compression::ALL.into_iter().skip(1) {
        let payload = compress(CompressionSpec::new(compression), &records);
        let mut decompressor = Decompressor::new(1 << 20);
        for length in 0..payload.len() {
            let cut = Bytes::copy_from_slice(&payload[..length]);
            if let Ok(read) = decompressor.decompress(compression, &cut) {
                assert!(records.starts_with(&read), "{compression} cut to {length}");
            }
        }
        for bit in 0..payload.len() * 8 {
            let mut changed = payload.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let _ = decompressor.decompress(compression, &changed.into());
        }
        let again = decompressor
            .decompress(compression, &payload.into())
            .unwrap();
        assert!(again == records, "{compression} after errors");
    }
}
