//! Bytes that are cut or changed: errors, never a panic, never a wrong answer that passes.

use super::*;

/// Looks at everything that there is to look at.
fn touch(bytes: &Bytes, decompressor: &mut Decompressor, compressor: &mut Compressor) -> usize {
    let mut read = 0;
    let mut walk = batches(bytes);
    for batch in walk.by_ref().flatten() {
        let _ = batch.validate_crc();
        let _ = batch.last_sequence();
        let _ = batch.find_by_timestamp(decompressor, 0, 0);
        let _ = batch.find_max_timestamp(decompressor);
        let _ = patched_header(&batch, 7, 7, Some(7));
        for record in batch.records(decompressor).into_iter().flatten().flatten() {
            read += 1 + record.headers.iter().count();
        }
    }
    assert!(walk.whole_bytes() + walk.remaining_bytes() <= bytes.len());
    let rules = ProduceRules {
        compression: TopicCompression::Fixed(CompressionSpec::Lz4),
        ..permissive_rules()
    };
    let _ = validate_produced(bytes, &rules, decompressor, compressor);
    read
}

/// `batch` with the checksum that its bytes have.
fn resealed(mut batch: Vec<u8>) -> Bytes {
    if let Some(covered) = batch.get(CRC_COVERED_FROM..) {
        let crc = crc32c(covered).to_be_bytes();
        batch[17..21].copy_from_slice(&crc);
    }
    batch.into()
}

#[test]
fn batches_cut_at_every_byte() {
    let (mut decompressor, mut compressor) = (Decompressor::new(1 << 20), Compressor::new());
    for compression in Compression::ALL {
        let whole = reference_batch(&format!("ordinary-{compression}"));
        for length in 0..whole.len() {
            let cut = whole.slice(..length);
            let mut walk = batches(&cut);
            assert_eq!(walk.next(), None, "{compression} cut to {length}");
            assert_eq!((walk.whole_bytes(), walk.remaining_bytes()), (0, length));
            assert!(matches!(
                BatchView::new(cut.clone()),
                Err(BatchError::Truncated { .. })
            ));
            assert_eq!(
                validate(&cut, &permissive_rules()),
                Err(ProduceError::NoBatch)
            );

            // And cut with a length that admits it, so that only the records can tell.
            let mut shorter = cut.to_vec();
            if length < BATCH_HEADER_SIZE_BYTES {
                continue;
            }
            shorter[8..12].copy_from_slice(&(length as i32 - 12).to_be_bytes());
            let shorter = resealed(shorter);
            touch(&shorter, &mut decompressor, &mut compressor);
            let mut zeroed = BytesMut::from(&shorter[..]);
            set_base_offset(&mut zeroed, 0).unwrap();
            assert!(
                validate(&zeroed.freeze(), &permissive_rules()).is_err(),
                "{length}"
            );
        }
    }
}

#[test]
fn batches_with_any_bit_changed() {
    let (mut decompressor, mut compressor) = (Decompressor::new(1 << 20), Compressor::new());
    for compression in Compression::ALL {
        let whole = reference_batch(&format!("ordinary-{compression}"));
        for bit in 0..whole.len() * 8 {
            let mut changed = whole.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            let seen = Bytes::from(changed.clone());
            if bit / 8 >= 17 {
                let error = view(&seen).validate_crc().unwrap_err();
                assert!(matches!(error, BatchError::CrcMismatch { .. }));
            }
            touch(&seen, &mut decompressor, &mut compressor);
            touch(&resealed(changed), &mut decompressor, &mut compressor);
        }
    }
}

#[test]
fn a_walk_stops_at_the_cut_and_at_garbage() {
    let one = plain_batch(CompressionSpec::None, 3);
    let two = plain_batch(CompressionSpec::Zstd { level: 3 }, 5);
    let both: Bytes = [&one[..], &two].concat().into();
    let whole: Vec<usize> = batches(&both)
        .map(|batch| batch.unwrap().records_count() as usize)
        .collect();
    assert_eq!(whole, [3, 5]);

    let mut cut = batches(&both.slice(..both.len() - 1));
    assert_eq!(cut.by_ref().count(), 1);
    assert_eq!(
        (cut.whole_bytes(), cut.remaining_bytes()),
        (one.len(), two.len() - 1)
    );

    let garbage: Bytes = [&one[..], &[0xff; 40]].concat().into();
    let mut walk = batches(&garbage);
    assert!(walk.next().unwrap().is_ok());
    assert_eq!(
        walk.next(),
        Some(Err(BatchError::LengthTooSmall { length: -1 }))
    );
    assert_eq!((walk.next(), walk.whole_bytes()), (None, one.len()));
}

#[test]
fn a_produce_request_has_one_batch_with_base_offset_zero() {
    let rules = permissive_rules();
    let batch = plain_batch(CompressionSpec::None, 3);
    let twice: Bytes = [&batch[..], &batch].concat().into();
    assert_eq!(validate(&twice, &rules), Err(ProduceError::SeveralBatches));
    let with_rest: Bytes = [&batch[..], &batch[..50]].concat().into();
    assert_eq!(validate(&with_rest, &rules).unwrap().batch.bytes(), &batch);
    assert_eq!(validate(&Bytes::new(), &rules), Err(ProduceError::NoBatch));

    let mut moved = BytesMut::from(&batch[..]);
    set_base_offset(&mut moved, 5).unwrap();
    let refused = validate(&moved.freeze(), &rules);
    assert_eq!(
        refused,
        Err(ProduceError::BaseOffsetNotZero { base_offset: 5 })
    );

    let small = ProduceRules {
        max_message_bytes: batch.len() - 1,
        ..rules
    };
    let error = validate(&batch, &small).unwrap_err();
    assert_eq!(error.error_code(), crate::ErrorCode::MessageTooLarge);
    let exact = ProduceRules {
        max_message_bytes: batch.len(),
        ..rules
    };
    assert!(validate(&batch, &exact).is_ok());
}

#[test]
fn zstd_needs_a_client_that_knows_it() {
    let batch = plain_batch(CompressionSpec::Zstd { level: 3 }, 3);
    let old = ProduceRules {
        produce_version: 6,
        ..permissive_rules()
    };
    let error = validate(&batch, &old).unwrap_err();
    assert_eq!(
        error.error_code(),
        crate::ErrorCode::UnsupportedCompressionType
    );
    assert!(
        validate(
            &batch,
            &ProduceRules {
                produce_version: 7,
                ..old
            }
        )
        .is_ok()
    );
}

#[test]
fn a_bomb_is_refused_without_growing() {
    let mut builder = BatchBuilder::new(CompressionSpec::Zstd { level: 3 });
    builder
        .append(0, None, Some(&vec![0; 8 << 20]), &[])
        .unwrap();
    let batch = builder.build(0, -1, &mut Compressor::new()).unwrap();
    let mut small = Decompressor::new(1 << 20);
    let rules = permissive_rules();
    let error = validate_produced(&batch, &rules, &mut small, &mut Compressor::new()).unwrap_err();
    assert_eq!(error.error_code(), crate::ErrorCode::MessageTooLarge);
    assert!(view(&batch).records(&mut small).is_err());
    assert!(validate(&batch, &rules).is_ok());
}

#[test]
fn patching_changes_what_it_says_and_keeps_the_checksum_right() {
    for compression in Compression::ALL {
        let original = view(&plain_batch(CompressionSpec::new(compression), 50));
        for log_append_time in [None, Some(123_456_789), Some(-1)] {
            let header = patched_header(&original, 1 << 40, 9, log_append_time);
            let mut patched = BytesMut::from(&header[..]);
            patched.extend_from_slice(&original.payload());

            let mut in_place = BytesMut::from(&original.bytes()[..]);
            set_base_offset(&mut in_place, 1 << 40).unwrap();
            set_partition_leader_epoch(&mut in_place, 9).unwrap();
            if let Some(time) = log_append_time {
                set_max_timestamp(&mut in_place, TimestampType::LogAppendTime, time).unwrap();
            }
            assert_eq!(in_place, patched);

            let patched = view(&patched.freeze());
            patched.validate_crc().unwrap();
            assert_eq!(
                (patched.base_offset(), patched.partition_leader_epoch()),
                (1 << 40, 9)
            );
            let first = records_of(&patched).unwrap().remove(0);
            assert_eq!(first.offset, 1 << 40);
            assert_eq!(first.timestamp, log_append_time.unwrap_or(1000));
        }
    }
    assert!(set_base_offset(&mut BytesMut::zeroed(7), 1).is_err());
    assert!(set_partition_leader_epoch(&mut BytesMut::zeroed(15), 1).is_err());
    let short = set_max_timestamp(&mut BytesMut::zeroed(60), TimestampType::CreateTime, 1);
    assert!(short.is_err());
}

#[test]
fn records_are_found_by_their_time() {
    for compression in Compression::ALL {
        let mut bytes = BytesMut::from(&plain_batch(CompressionSpec::new(compression), 500)[..]);
        set_base_offset(&mut bytes, 100).unwrap();
        let batch = view(&bytes.freeze());
        let mut decompressor = Decompressor::default();
        let mut check = |timestamp, starting_offset, expected: Option<(i64, i64)>| {
            let found = batch.find_by_timestamp(&mut decompressor, timestamp, starting_offset);
            let found = found.unwrap().map(|found| (found.timestamp, found.offset));
            assert_eq!(
                found, expected,
                "{compression}: {timestamp} from {starting_offset}"
            );
        };
        check(0, 0, Some((1000, 100)));
        check(1000, 0, Some((1000, 100)));
        check(1001, 0, Some((1010, 101)));
        check(1001, 150, Some((1500, 150)));
        check(5990, 0, Some((5990, 599)));
        check(5991, 0, None);
        check(0, 600, None);
        let last = batch.find_max_timestamp(&mut decompressor).unwrap();
        assert_eq!(
            last,
            Some(TimestampAndOffset {
                timestamp: 5990,
                offset: 599
            })
        );
    }
}

#[test]
fn a_batch_of_a_transaction_that_nobody_began_is_refused() {
    let batch = |producer: Option<ProducerFields>| {
        let mut builder = BatchBuilder::new(CompressionSpec::None).with_transactional();
        if let Some(producer) = producer {
            builder = builder.with_producer(producer);
        }
        builder.append(1, None, Some(b"value"), &[]).unwrap();
        builder.build(0, -1, &mut Compressor::new()).unwrap()
    };
    let producer = ProducerFields {
        producer_id: 7,
        producer_epoch: 0,
        base_sequence: 0,
    };
    let refused = validate(&batch(Some(producer)), &permissive_rules());
    assert_eq!(refused, Err(ProduceError::NoTransaction { producer_id: 7 }));
    // As in Kafka, without a producer id the attribute means nothing.
    assert!(validate(&batch(None), &permissive_rules()).is_ok());
}
