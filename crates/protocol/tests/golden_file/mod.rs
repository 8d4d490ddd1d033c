//! Reads `golden/golden.bin`.

use bytes::Bytes;
use ottla_protocol::Reader;

/// What the bytes of an entry are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A message with some fields set.
    Sample,
    /// The message with every field at its default.
    Default,
    /// Kafka refuses to write the default at this version.
    DefaultRefused,
}

/// One message as Kafka wrote it.
#[derive(Clone, Debug)]
pub struct Golden {
    pub name: String,
    pub version: i16,
    pub what: What,
    pub bytes: Bytes,
}

/// Every entry of the file.
pub fn read() -> Vec<Golden> {
    let mut rest = Bytes::from_static(include_bytes!("../golden/golden.bin"));
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let name_length = usize::from(rest.split_to(1)[0]);
        let name = String::from_utf8(rest.split_to(name_length).to_vec()).unwrap();
        let mut r = Reader::new(rest.clone());
        let version = r.i16().unwrap();
        let what = match r.i8().unwrap() {
            0 => What::Sample,
            1 => What::Default,
            _ => What::DefaultRefused,
        };
        let length = r.i32().unwrap() as usize;
        rest = r.into_rest();
        entries.push(Golden {
            name,
            version,
            what,
            bytes: rest.split_to(length),
        });
    }
    entries
}
