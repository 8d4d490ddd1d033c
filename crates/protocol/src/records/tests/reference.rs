//! Batches and verdicts of the reference broker's classes.

use super::*;

fn field(bytes: Option<&[u8]>) -> String {
    match bytes {
        None => "null".to_owned(),
        Some(bytes) if bytes.len() <= 64 => bytes
            .iter()
            .fold("x".to_owned(), |text, byte| format!("{text}{byte:02x}")),
        Some(bytes) => format!("#{}:{}", bytes.len(), crc32c(bytes)),
    }
}

/// The lines that the reference wrote of a batch, made from our reading of it.
fn description(batch: &BatchView) -> Vec<String> {
    let timestamp_type = match batch.timestamp_type() {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    };
    let header = format!(
        "header {} {} {} {} {} {timestamp_type} {} {} {} {} {} {} {} {} {} {} {}",
        batch.base_offset(),
        batch.last_offset(),
        batch.partition_leader_epoch(),
        batch.crc(),
        batch.compression().unwrap(),
        batch.is_transactional(),
        batch.is_control(),
        batch.delete_horizon_ms().unwrap_or(-1),
        batch.base_timestamp(),
        batch.max_timestamp(),
        batch.producer_id(),
        batch.producer_epoch(),
        batch.base_sequence(),
        batch.last_sequence(),
        batch.records_count(),
        batch.size_bytes(),
    );
    let mut lines = vec![header];
    for record in records_of(batch).unwrap() {
        let mut line = format!(
            "record {} {} {} {}",
            record.offset,
            record.timestamp,
            field(record.key.as_deref()),
            field(record.value.as_deref())
        );
        assert_eq!(record.headers.iter().count(), record.headers.len());
        for header in &record.headers {
            line += &format!(
                " {}={}",
                field(Some(&header.key)),
                field(header.value.as_deref())
            );
        }
        lines.push(line);
    }
    lines
}

/// Each batch of the reference with its name and the lines that describe it.
fn described_batches() -> Vec<(&'static str, Bytes, Vec<&'static str>)> {
    let mut batches: Vec<(&str, Bytes, Vec<&str>)> = Vec::new();
    for line in REFERENCE.lines() {
        if let Some((name, hex)) = line.strip_prefix("batch ").and_then(|l| l.split_once(' ')) {
            batches.push((name, unhex(hex), Vec::new()));
        } else if line.starts_with("header ") || line.starts_with("record ") {
            batches
                .last_mut()
                .expect("a batch before its description")
                .2
                .push(line);
        }
    }
    batches
}

#[test]
fn every_batch_is_read_as_the_reference_reads_it() {
    let batches = described_batches();
    assert!(batches.len() > 50, "only {} batches", batches.len());
    for (name, bytes, expected) in batches {
        let batch = view(&bytes);
        batch
            .validate_crc()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(description(&batch), expected, "{name}");
        assert_eq!(
            batch.header().encode()[..],
            bytes[..BATCH_HEADER_SIZE_BYTES],
            "{name}"
        );
    }
}

/// Writes a batch's records again, into a batch with the same properties.
fn rebuilt(batch: &BatchView) -> Bytes {
    let mut builder = BatchBuilder::new(CompressionSpec::new(batch.compression().unwrap()));
    if batch.is_control() {
        builder = BatchBuilder::control();
    }
    builder = builder.with_producer(ProducerFields {
        producer_id: batch.producer_id(),
        producer_epoch: batch.producer_epoch(),
        base_sequence: batch.base_sequence(),
    });
    if batch.is_transactional() {
        builder = builder.with_transactional();
    }
    if let Some(time) = batch.delete_horizon_ms() {
        builder = builder.with_delete_horizon(time);
    }
    for record in records_of(batch).unwrap() {
        let headers: Vec<Header> = record.headers.iter().collect();
        let headers: Vec<RecordHeader<'_>> = headers
            .iter()
            .map(|header| RecordHeader {
                key: std::str::from_utf8(&header.key).unwrap(),
                value: header.value.as_deref(),
            })
            .collect();
        let offset_delta = i32::try_from(record.offset - batch.base_offset()).unwrap();
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        builder
            .append_at(offset_delta, record.timestamp, key, value, &headers)
            .unwrap();
    }
    builder.extend_to(batch.last_offset_delta());
    builder
        .build(
            batch.base_offset(),
            batch.partition_leader_epoch(),
            &mut Compressor::new(),
        )
        .unwrap()
}

#[test]
fn batches_that_are_not_compressed_are_written_as_the_reference_writes_them() {
    for name in [
        "ordinary-none",
        "large-none",
        "delete-horizon",
        "control",
        "marker-ABORT",
        "marker-COMMIT",
        "leader-change",
        "snapshot-header",
        "snapshot-footer",
        "kraft-version",
        "kraft-voters",
        "sequence-wraps",
    ] {
        let bytes = reference_batch(name);
        assert_eq!(rebuilt(&view(&bytes)), bytes, "{name}");
    }
}

#[test]
fn compressed_batches_hold_the_same_records_when_written_again() {
    for name in ["ordinary", "large"] {
        for compression in Compression::ALL {
            let original = view(&reference_batch(&format!("{name}-{compression}")));
            let again = view(&rebuilt(&original));
            again.validate_crc().unwrap();
            assert_eq!(again.compression(), Ok(compression));
            assert_eq!(
                records_of(&again),
                records_of(&original),
                "{name}-{compression}"
            );
        }
    }
}

#[test]
fn control_records_name_their_type() {
    let check = |name: &str, expected: ControlRecordType| {
        let batch = view(&reference_batch(name));
        assert!(batch.is_control(), "{name}");
        let record = records_of(&batch).unwrap().remove(0);
        let key = record.key.unwrap();
        assert_eq!(ControlRecordType::from_key(&key), Ok(expected), "{name}");
        assert_eq!(expected.key()[..], key, "{name}");
    };
    check("marker-ABORT", ControlRecordType::Abort);
    check("marker-COMMIT", ControlRecordType::Commit);
    check("leader-change", ControlRecordType::LeaderChange);
    check("snapshot-header", ControlRecordType::SnapshotHeader);
    check("snapshot-footer", ControlRecordType::SnapshotFooter);
    check("kraft-version", ControlRecordType::KraftVersion);
    check("kraft-voters", ControlRecordType::KraftVoters);
}

#[test]
fn legacy_messages_are_recognised_and_refused() {
    let mut seen = Vec::new();
    for line in REFERENCE
        .lines()
        .filter_map(|line| line.strip_prefix("legacy "))
    {
        let bytes = unhex(line.split_once(' ').unwrap().1);
        let Err(error @ BatchError::LegacyMagic { magic }) = BatchView::new(bytes.clone()) else {
            panic!("a view of {line}");
        };
        let mut walk = batches(&bytes);
        assert_eq!(walk.next(), Some(Err(error)));
        assert_eq!((walk.next(), walk.whole_bytes()), (None, 0));
        let refused = validate(&bytes, &permissive_rules()).unwrap_err();
        assert_eq!(refused.error_code(), crate::ErrorCode::InvalidRecord);
        seen.push(magic);
    }
    assert_eq!(seen, [0, 1]);
}

/// One line that the reference's validator wrote.
struct Verdict {
    name: &'static str,
    rules: ProduceRules,
    sent: Bytes,
    accepted: bool,
    detail: &'static str,
    record_indexes: Vec<i32>,
}

fn verdicts() -> Vec<Verdict> {
    let lines = REFERENCE
        .lines()
        .filter_map(|line| line.strip_prefix("produce "));
    let parse = |line: &'static str| {
        let words: Vec<&str> = line.split(' ').collect();
        let sent = unhex(words[4]);
        let target = Compression::from_name(words[1]).unwrap();
        let source = view(&sent).compression().unwrap();
        let rules = ProduceRules {
            now_ms: 1_700_000_100_000,
            compression: if source == target {
                TopicCompression::Producer
            } else {
                TopicCompression::Fixed(CompressionSpec::new(target))
            },
            keys: if words[2] == "compacted" {
                KeyRule::Required
            } else {
                KeyRule::Optional
            },
            timestamp_type: match words[3] {
                "CreateTime" => TimestampType::CreateTime,
                _ => TimestampType::LogAppendTime,
            },
            timestamp_before_max_ms: 1_000_000,
            timestamp_after_max_ms: 200_000,
            ..permissive_rules()
        };
        let indexes = words
            .get(7)
            .unwrap_or(&"")
            .split(',')
            .filter(|word| !word.is_empty());
        Verdict {
            name: words[0],
            rules,
            sent,
            accepted: words[5] == "accepted",
            detail: words[6],
            record_indexes: indexes.map(|word| word.parse().unwrap()).collect(),
        }
    };
    lines.map(parse).collect()
}

#[test]
fn produced_batches_are_judged_as_the_reference_judges_them() {
    let verdicts = verdicts();
    assert!(verdicts.len() > 80, "only {} verdicts", verdicts.len());
    for Verdict {
        name,
        rules,
        sent,
        accepted,
        detail,
        record_indexes,
    } in verdicts
    {
        let ours = validate(&sent, &rules);
        if name.ends_with("-offsets-from-one") {
            // The one difference: a log with gaps and overlaps is never wanted.
            assert_eq!(
                ours.unwrap_err().error_code(),
                crate::ErrorCode::InvalidRecord,
                "{name}"
            );
            continue;
        }
        match ours {
            Err(error) => {
                assert!(!accepted, "{name}: {error}");
                assert_eq!(error.error_code().name(), detail, "{name}: {error}");
                let indexes: Vec<i32> = error
                    .record_faults()
                    .iter()
                    .map(|fault| fault.index)
                    .collect();
                assert_eq!(indexes, record_indexes, "{name}");
            }
            Ok(validated) => {
                assert!(accepted, "{name} should be refused with {detail}");
                assert_eq!(validated.max_timestamp.to_string(), detail, "{name}");
                check_appended(name, &sent, &validated);
            }
        }
    }
}

/// The batch as we append it at offset 100 of epoch 7 against the one of the reference.
fn check_appended(name: &str, sent: &Bytes, validated: &ValidatedBatch) {
    let mut bytes = BytesMut::from(&validated.header_at(100, 7)[..]);
    bytes.extend_from_slice(&validated.batch.payload());
    let ours = view(&bytes.freeze());
    ours.validate_crc()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let expected = view(&reference_batch(&format!("{name}-appended")));
    match validated.rewrite {
        Rewrite::Untouched => {
            assert_eq!(
                validated.batch.bytes().as_ptr(),
                sent.as_ptr(),
                "{name} is not copied"
            );
            assert_eq!(ours.bytes(), expected.bytes(), "{name}");
        }
        Rewrite::Header => assert_eq!(ours.bytes(), expected.bytes(), "{name}"),
        Rewrite::Recompressed => {
            // Codecs of other makers compress differently, and to the same records.
            assert_eq!(records_of(&ours), records_of(&expected), "{name}");
            let (ours, expected) = (ours.header(), expected.header());
            let same = BatchHeader {
                crc: ours.crc,
                length: ours.length,
                ..*expected
            };
            assert_eq!(*ours, same, "{name}");
        }
    }
}
