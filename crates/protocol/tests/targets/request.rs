//! A frame as a connection reads it: API key and version, the header of that version, the request.

use bytes::Bytes;
use ottla_protocol::messages::RequestHeader;
use ottla_protocol::wire::catalogue::Entry;
use ottla_protocol::{ApiKey, Message, Reader, Writer};

pub fn run(data: &[u8]) -> bool {
    let frame = Bytes::copy_from_slice(data);
    let mut r = Reader::new(frame.clone());
    let (Ok(key), Ok(version)) = (r.i16(), r.i16()) else {
        return false;
    };
    let Some(api) = ApiKey::from_i16(key) else {
        return false;
    };
    let mut r = Reader::new(frame);
    if RequestHeader::decode(&mut r, api.request_header_version(version)).is_err() {
        return false;
    }
    let entry = Entry::find(&format!("{}Request", api.name())).expect("every API has a request");
    let Ok(request) = (entry.decode)(&mut r, version) else {
        return false;
    };
    request
        .encode_any(&mut Writer::new(), version)
        .expect("what was decoded can be encoded");
    true
}
