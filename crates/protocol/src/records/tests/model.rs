//! Batches made and read again against a list of records.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug, PartialEq)]
struct Record {
    gap: i32,
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

fn bytes(most: usize) -> impl Strategy<Value = Option<Vec<u8>>> {
    proptest::option::of(proptest::collection::vec(any::<u8>(), 0..most))
}

fn record() -> impl Strategy<Value = Record> {
    let timestamp = prop_oneof![-1..2_000_000_000_000i64, any::<i64>()];
    let headers = proptest::collection::vec((".{0,5}", bytes(20)), 0..4);
    (0..3i32, timestamp, bytes(80), bytes(300), headers).prop_map(
        |(gap, timestamp, key, value, headers)| Record {
            gap,
            timestamp,
            key,
            value,
            headers,
        },
    )
}

fn spec() -> impl Strategy<Value = CompressionSpec> {
    (0..5u8).prop_map(|id| CompressionSpec::new(Compression::from_id(id).unwrap()))
}

fn build(spec: CompressionSpec, records: &[Record], base_offset: i64) -> Bytes {
    let mut builder = BatchBuilder::new(spec);
    let mut next = 0;
    for record in records {
        let headers: Vec<RecordHeader<'_>> = record
            .headers
            .iter()
            .map(|(key, value)| RecordHeader {
                key,
                value: value.as_deref(),
            })
            .collect();
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        builder
            .append_at(next + record.gap, record.timestamp, key, value, &headers)
            .unwrap();
        next += record.gap + 1;
    }
    builder
        .build(base_offset, 4, &mut Compressor::new())
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_built_is_read(
        spec in spec(),
        records in proptest::collection::vec(record(), 1..30),
        base_offset in 0..1i64 << 50,
    ) {
        let built = build(spec, &records, base_offset);
        let batch = view(&built);
        prop_assert_eq!(batch.validate_crc(), Ok(()));
        let newest = records.iter().map(|record| record.timestamp).max().unwrap().max(-1);
        prop_assert_eq!(batch.max_timestamp(), newest);
        let read = records_of(&batch).unwrap();
        prop_assert_eq!(read.len(), records.len());
        let mut offset = base_offset;
        for (read, made) in read.iter().zip(&records) {
            offset += i64::from(made.gap);
            prop_assert_eq!(read.offset, offset);
            prop_assert_eq!(read.timestamp, made.timestamp);
            prop_assert_eq!(read.key.as_deref(), made.key.as_deref());
            prop_assert_eq!(read.value.as_deref(), made.value.as_deref());
            let headers: Vec<_> = read
                .headers
                .iter()
                .map(|header| {
                    let key = String::from_utf8(header.key.to_vec()).unwrap();
                    (key, header.value.map(|value| value.to_vec()))
                })
                .collect();
            prop_assert_eq!(&headers, &made.headers);
            offset += 1;
        }
        prop_assert_eq!(batch.next_offset(), offset);
    }

    #[test]
    fn found_by_time_as_by_a_plain_search(
        spec in spec(),
        records in proptest::collection::vec(record(), 1..30),
        timestamp in -5..2_000_000_000_000i64,
        starting_offset in 0..60i64,
    ) {
        let batch = view(&build(spec, &records, 0));
        let expected = records_of(&batch)
            .unwrap()
            .into_iter()
            .find(|record| record.timestamp >= timestamp && record.offset >= starting_offset)
            .map(|record| (record.timestamp, record.offset));
        let found = batch
            .find_by_timestamp(&mut Decompressor::default(), timestamp, starting_offset)
            .unwrap();
        prop_assert_eq!(found.map(|found| (found.timestamp, found.offset)), expected);
    }

    #[test]
    fn validation_keeps_the_records_whatever_the_codecs(
        source in spec(),
        target in spec(),
        records in proptest::collection::vec(record(), 1..30),
    ) {
        let dense: Vec<Record> =
            records.into_iter().map(|record| Record { gap: 0, ..record }).collect();
        let sent = build(source, &dense, 0);
        let rules = ProduceRules {
            compression: TopicCompression::Fixed(target),
            ..permissive_rules()
        };
        let validated = match validate(&sent, &rules) {
            Ok(validated) => validated,
            Err(error) => {
                // Only times that lie further off than a 64-bit limit allows are refused.
                prop_assert_eq!(error.error_code(), crate::ErrorCode::InvalidTimestamp);
                return Ok(());
            }
        };
        prop_assert_eq!(validated.batch.validate_crc(), Ok(()));
        prop_assert_eq!(validated.batch.compression(), Ok(target.compression()));
        let read = records_of(&validated.batch).unwrap();
        prop_assert_eq!(&read, &records_of(&view(&sent)).unwrap());
        let newest = read.iter().map(|record| record.timestamp).max().unwrap().max(-1);
        prop_assert_eq!(validated.max_timestamp, newest);
        let first = read.iter().find(|record| record.timestamp == newest);
        if let Some(first) = first {
            prop_assert_eq!(i64::from(validated.offset_delta_of_max_timestamp), first.offset);
        }
    }

    #[test]
    fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..400)) {
        let noise = Bytes::from(noise);
        for batch in batches(&noise).flatten() {
            let _ = records_of(&batch);
        }
        let _ = validate(&noise, &permissive_rules());
        // The same bytes as the records of a batch with a right header.
        for compression in Compression::ALL {
            let mut header = *view(&plain_batch(CompressionSpec::None, 2)).header();
            header.length = (BATCH_HEADER_SIZE_BYTES + noise.len() - LOG_OVERHEAD_BYTES) as i32;
            header.attributes = header.attributes.with_compression(compression);
            let mut bytes = header.encode().to_vec();
            bytes.extend_from_slice(&noise);
            header.crc = crc32c(&bytes[CRC_COVERED_FROM..]);
            bytes[..BATCH_HEADER_SIZE_BYTES].copy_from_slice(&header.encode());
            prop_assert!(validate(&bytes.into(), &permissive_rules()).is_err());
        }
    }
}
