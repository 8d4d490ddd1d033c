//! Every message at every version against bytes that Kafka's own serializer wrote; see `golden/Golden.java`.

mod golden_file;

use std::collections::BTreeSet;

use golden_file::{Golden, What};
use ottla_protocol::messages::catalogue::MESSAGES;
use ottla_protocol::wire::catalogue::Entry;
use ottla_protocol::{Reader, Writer};

#[test]
fn golden_bytes_decode_and_encode_to_the_same_bytes() {
    for golden in golden_file::read() {
        let Golden {
            name,
            version,
            bytes,
            what,
        } = &golden;
        if *what != What::Sample {
            continue;
        }
        let entry = Entry::find(name).unwrap_or_else(|| panic!("{name} is not in the catalogue"));
        let mut r = Reader::new(bytes.clone());
        let message =
            (entry.decode)(&mut r, *version).unwrap_or_else(|e| panic!("{name} {version}: {e}"));
        assert_eq!(
            r.remaining(),
            0,
            "{name} {version} left bytes over: {message:?}"
        );
        let mut w = Writer::new();
        message
            .encode_any(&mut w, *version)
            .unwrap_or_else(|e| panic!("{name} {version}: {e}"));
        assert_eq!(w.into_bytes(), bytes, "{name} {version}: {message:?}");
    }
}

#[test]
fn defaults_are_kafkas() {
    for golden in golden_file::read() {
        let Golden {
            name,
            version,
            bytes,
            what,
        } = &golden;
        let entry = Entry::find(name).unwrap_or_else(|| panic!("{name} is not in the catalogue"));
        let mut w = Writer::new();
        let result = (entry.default)().encode_any(&mut w, *version);
        match what {
            What::Sample => {}
            What::Default => {
                assert_eq!(result, Ok(()), "{name} {version}");
                assert_eq!(w.into_bytes(), bytes, "{name} {version}");
            }
            What::DefaultRefused => assert!(result.is_err(), "{name} {version}"),
        }
    }
}

#[test]
fn golden_bytes_cover_the_catalogue() {
    let golden: BTreeSet<(String, i16)> = golden_file::read()
        .into_iter()
        .map(|golden| (golden.name, golden.version))
        .collect();
    let mut expected = BTreeSet::new();
    for entry in MESSAGES {
        expected.extend(
            (entry.min_version..=entry.max_version).map(|version| (entry.name.to_owned(), version)),
        );
    }
    assert_eq!(golden, expected);
}

#[test]
fn truncated_golden_bytes_are_refused() {
    for golden in golden_file::read() {
        let entry = Entry::find(&golden.name).unwrap();
        if golden.what != What::Sample || golden.bytes.len() > 2000 {
            continue;
        }
        for length in 0..golden.bytes.len() {
            let result = (entry.decode)(
                &mut Reader::new(golden.bytes.slice(..length)),
                golden.version,
            );
            assert!(
                result.is_err(),
                "{} {} cut to {length} bytes",
                golden.name,
                golden.version
            );
        }
    }
}
