//! Any message at any version, chosen by the first three bytes. What decodes encodes, and from then on to the same
//! bytes.

use bytes::Bytes;
use ottla_protocol::messages::catalogue::MESSAGES;
use ottla_protocol::{Reader, Writer};

pub fn run(data: &[u8]) -> bool {
    let Some((&[low, high, version], body)) = data.split_first_chunk() else {
        return false;
    };
    let entry = &MESSAGES[usize::from(u16::from_le_bytes([low, high])) % MESSAGES.len()];
    let version = i16::from(version) % (entry.max_version + 1);
    let decoded = (entry.decode)(&mut Reader::new(Bytes::copy_from_slice(body)), version);
    let Ok(message) = decoded else {
        return false;
    };
    let mut w = Writer::new();
    message
        .encode_any(&mut w, version)
        .expect("what was decoded can be encoded");
    let once = w.into_bytes();
    let again = (entry.decode)(&mut Reader::new(once.clone()), version)
        .expect("what was encoded can be decoded");
    let mut w = Writer::new();
    again
        .encode_any(&mut w, version)
        .expect("what was decoded can be encoded");
    assert_eq!(
        w.into_bytes(),
        once,
        "{} {version}: {message:?}",
        entry.name
    );
    true
}
