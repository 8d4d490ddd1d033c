//! Stored records and headers against what Kafka's own classes say.

use bytes::Bytes;
use ottla_protocol::messages::group::{
    GroupMetadataKey, GroupRecordKey, GroupRecordValue, OffsetCommitKey, OffsetCommitValue,
};
use ottla_protocol::messages::metadata::{
    MetadataRecord, NoOpRecord, PartitionRecord, TopicRecord,
};
use ottla_protocol::{ApiKey, DecodeError, EncodeError, ErrorCode, Uuid};

fn from_hex(hex: &str) -> Bytes {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

/// From `MetadataRecordSerde.write`.
#[test]
fn metadata_records_are_framed_as_kafka_does() {
    let topic_id = Uuid::from_u128(1 << 64 | 2);
    let check = |record: MetadataRecord, version: i16, hex: &str| {
        assert_eq!(
            record.encode_value_at(version).unwrap(),
            from_hex(hex),
            "{record:?}"
        );
        assert_eq!(
            MetadataRecord::decode_value_and_version(from_hex(hex)),
            Ok((record, version))
        );
    };
    let topic = TopicRecord {
        name: "orders".into(),
        topic_id,
        ..Default::default()
    };
    check(
        topic.into(),
        0,
        "010200076f72646572730000000000000001000000000000000200",
    );
    let partition = PartitionRecord {
        partition_id: 3,
        topic_id,
        replicas: vec![1],
        isr: vec![1],
        leader: 1,
        directories: vec![Uuid::from_u128(5 << 64 | 6)],
        ..Default::default()
    };
    check(
        partition.into(),
        1,
        "010301000000030000000000000001000000000000000202000000010200000001010100000001ffffffff\
         ffffffff020000000000000005000000000000000600",
    );
    check(NoOpRecord::default().into(), 0, "01140000");
}

/// From `MessageUtil.toCoordinatorTypePrefixedBytes` and `MessageUtil.toVersionPrefixedBytes`.
#[test]
fn coordinator_records_have_kafkas_prefixes() {
    let key = OffsetCommitKey {
        group: "g".into(),
        topic: "t".into(),
        partition: 7,
        ..Default::default()
    };
    let key = GroupRecordKey::from(key);
    assert_eq!(key.encode().unwrap(), from_hex("000100016700017400000007"));
    assert_eq!(GroupRecordKey::decode(key.encode().unwrap()), Ok(key));
    let value = OffsetCommitValue {
        offset: 9,
        metadata: "m".into(),
        commit_timestamp: 11,
        ..Default::default()
    };
    let value = GroupRecordValue::from(value);
    let bytes = from_hex("00030000000000000009ffffffff00016d000000000000000b");
    assert_eq!(value.encode(3).unwrap(), bytes);
    assert_eq!(GroupRecordValue::decode(1, bytes), Ok(value));
    let key = GroupRecordKey::from(GroupMetadataKey {
        group: "g".into(),
        ..Default::default()
    });
    assert_eq!(key.encode().unwrap(), from_hex("0002000167"));
}

#[test]
fn bad_stored_records_are_refused() {
    let check = |hex: &str, expected| {
        assert_eq!(MetadataRecord::decode_value(from_hex(hex)), Err(expected))
    };
    check(
        "",
        DecodeError::UnexpectedEnd {
            needed: 1,
            remaining: 0,
        },
    );
    check(
        "00140000",
        DecodeError::UnknownFrameVersion { frame_version: 0 },
    );
    check(
        "017f0000",
        DecodeError::UnknownRecordType { record_type: 127 },
    );
    check(
        "01140100",
        DecodeError::UnsupportedVersion {
            message: "NoOpRecord",
            version: 1,
        },
    );
    check("0114000000", DecodeError::TrailingBytes { remaining: 1 });
    check("0114ffff0300", DecodeError::InvalidLength { length: 65535 });
    let unknown = GroupRecordKey::decode(from_hex("7fff"));
    assert_eq!(
        unknown,
        Err(DecodeError::UnknownRecordType {
            record_type: i16::MAX
        })
    );
}

#[test]
fn a_field_that_the_version_lacks_is_only_dropped_if_the_schema_allows_it() {
    let value = OffsetCommitValue {
        leader_epoch: 5,
        ..Default::default()
    };
    assert!(
        GroupRecordValue::from(value).encode(1).is_ok(),
        "the leader epoch is ignorable"
    );
    let directories = vec![Uuid::METADATA_TOPIC_ID];
    let record = MetadataRecord::from(PartitionRecord {
        directories,
        ..Default::default()
    });
    let lost = EncodeError::FieldNotInVersion {
        field: "PartitionRecord.directories",
        version: 0,
    };
    assert_eq!(record.encode_value_at(0), Err(lost));
    let version = EncodeError::UnsupportedVersion {
        message: "PartitionRecord",
        version: 99,
    };
    assert_eq!(record.encode_value_at(99), Err(version));
}

/// From `ApiKeys.requestHeaderVersion` and `ApiKeys.responseHeaderVersion`: two digits for each version of each API.
#[test]
fn header_versions_are_kafkas() {
    const EXPECTED: &str = "10101010101021212121211010101010101010212121212121211010101010212121212121101010\
        10101010101021212121211010101010102121211010101010212121212110101021212121101010\
        10101021212121101010102110101010212110101010212110101010102121101010212121101010\
        10102020101010212121101010212121101021101021212121211010211010102121211010102121\
        10101021212121211010102121211021211021211021211010102110102110211021212121101021\
        10102121102121102110211021211010211010211021212121101021102121212121211021102121\
        21212121212121212121212121212121212121212121212121212121212121212121212121212121\
        21212121212121212121212121212121212121212121";
    let mut versions = String::new();
    for api in ApiKey::ALL {
        for version in api.versions() {
            versions += &api.request_header_version(version).to_string();
            versions += &api.response_header_version(version).to_string();
        }
    }
    assert_eq!(versions, EXPECTED);
}

#[test]
fn apis_are_found_by_key() {
    for api in ApiKey::ALL {
        assert_eq!(ApiKey::from_i16(api.key()), Some(*api));
    }
    assert_eq!(ApiKey::from_i16(4), None, "LeaderAndIsr is gone");
    assert_eq!(ApiKey::from_i16(-1), None);
    assert_eq!(ApiKey::InitProducerId.stable_versions(), 0..=5);
    assert_eq!(ApiKey::InitProducerId.versions(), 0..=6);
    assert_eq!(ApiKey::ListOffsets.name(), "ListOffsets");
    assert_eq!(
        ErrorCode::from_code(35),
        Some(ErrorCode::UnsupportedVersion)
    );
}
