//! The values of stored records, in every family.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ottla_protocol::messages::group::{GroupRecordKey, GroupRecordValue};
use ottla_protocol::messages::metadata::MetadataRecord;
use ottla_protocol::messages::remote_log::RemoteLogRecord;
use ottla_protocol::messages::share::{ShareRecordKey, ShareRecordValue};
use ottla_protocol::messages::transaction::{TransactionRecordKey, TransactionRecordValue};

fuzz_target!(|data: &[u8]| {
    let Some((&record_type, value)) = data.split_first() else {
        return;
    };
    let record_type = i16::from(record_type % 32);
    let value = Bytes::copy_from_slice(value);
    if let Ok((record, version)) = MetadataRecord::decode_value_and_version(value.clone()) {
        record
            .encode_value_at(version)
            .expect("what was decoded can be encoded");
    }
    let _ = RemoteLogRecord::decode_value(value.clone());
    let _ = GroupRecordKey::decode(value.clone());
    let _ = GroupRecordValue::decode(record_type, value.clone());
    let _ = TransactionRecordKey::decode(value.clone());
    let _ = TransactionRecordValue::decode(record_type, value.clone());
    let _ = ShareRecordKey::decode(value.clone());
    let _ = ShareRecordValue::decode(record_type, value);
});
