//! The keys and values of stored records, in every family; the first byte chooses the type where the record does not
//! say it itself.

use bytes::Bytes;
use ottla_protocol::messages::group::{GroupRecordKey, GroupRecordValue};
use ottla_protocol::messages::metadata::MetadataRecord;
use ottla_protocol::messages::remote_log::RemoteLogRecord;
use ottla_protocol::messages::share::{ShareRecordKey, ShareRecordValue};
use ottla_protocol::messages::transaction::{TransactionRecordKey, TransactionRecordValue};

pub fn run(data: &[u8]) -> bool {
    let Some((&record_type, bytes)) = data.split_first() else {
        return false;
    };
    let record_type = i16::from(record_type % 32);
    let bytes = Bytes::copy_from_slice(bytes);
    let metadata = MetadataRecord::decode_value_and_version(bytes.clone());
    if let Ok((record, version)) = &metadata {
        record
            .encode_value_at(*version)
            .expect("what was decoded can be encoded");
    }
    [
        metadata.is_ok(),
        RemoteLogRecord::decode_value(bytes.clone()).is_ok(),
        GroupRecordKey::decode(bytes.clone()).is_ok(),
        GroupRecordValue::decode(record_type, bytes.clone()).is_ok(),
        TransactionRecordKey::decode(bytes.clone()).is_ok(),
        TransactionRecordValue::decode(record_type, bytes.clone()).is_ok(),
        ShareRecordKey::decode(bytes.clone()).is_ok(),
        ShareRecordValue::decode(record_type, bytes).is_ok(),
    ]
    .contains(&true)
}
