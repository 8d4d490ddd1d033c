//! A frame as a connection reads it: API key and version, the header of that version, the request.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ottla_protocol::messages::RequestHeader;
use ottla_protocol::wire::catalogue::Entry;
use ottla_protocol::{ApiKey, Message, Reader, Writer};

fuzz_target!(|data: &[u8]| {
    let frame = Bytes::copy_from_slice(data);
    let mut r = Reader::new(frame.clone());
    let (Ok(key), Ok(version)) = (r.i16(), r.i16()) else {
        return;
    };
    let Some(api) = ApiKey::from_i16(key) else {
        return;
    };
    let mut r = Reader::new(frame);
    if RequestHeader::decode(&mut r, api.request_header_version(version)).is_err() {
        return;
    }
    let entry = Entry::find(&format!("{}Request", api.name())).expect("every API has a request");
    if let Ok(request) = (entry.decode)(&mut r, version) {
        request
            .encode_any(&mut Writer::new(), version)
            .expect("what was decoded can be encoded");
    }
});
