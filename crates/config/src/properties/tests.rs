use proptest::prelude::*;

use super::*;

fn check(text: &str, expected: &[(&str, &str, usize)]) {
    let properties = Properties::parse(text).expect("a properties file");
    let actual: Vec<(&str, &str, usize)> = properties
        .entries()
        .iter()
        .map(|entry| (entry.name.as_str(), entry.value.as_str(), entry.line))
        .collect();
    assert_eq!(actual, expected, "{text:?}");
}

#[test]
fn entries_are_read_as_in_java() {
    check("", &[]);
    check("a=b", &[("a", "b", 1)]);
    check("a = b \n", &[("a", "b ", 1)]);
    check(
        "a:b\nc d\ne\n",
        &[("a", "b", 1), ("c", "d", 2), ("e", "", 3)],
    );
    check("a==b", &[("a", "=b", 1)]);
    check("a : = b", &[("a", "= b", 1)]);
    check("  \t\x0ca=b", &[("a", "b", 1)]);
    check("# c\n! d\n\n  # e\na=#b", &[("a", "#b", 5)]);
    check("# c \\\na=b", &[("a", "b", 2)]);
    check(
        "a=b\r\nc=d\re=f",
        &[("a", "b", 1), ("c", "d", 2), ("e", "f", 3)],
    );
}

#[test]
fn lines_go_on_after_a_backslash() {
    check(
        "a=b,\\\n   c,\\\n  d\ne=f",
        &[("a", "b,c,d", 1), ("e", "f", 4)],
    );
    check("a=b\\\\\nc=d", &[("a", "b\\", 1), ("c", "d", 2)]);
    check("a=b\\", &[("a", "b", 1)]);
    check("a=b\\\n# c", &[("a", "b# c", 1)]);
}

#[test]
fn escapes_are_resolved() {
    check("a\\ b\\=c\\:d=e", &[("a b=c:d", "e", 1)]);
    check("a=\\t\\n\\r\\f\\\\\\q\\\"", &[("a", "\t\n\r\x0c\\q\"", 1)]);
    check("a=\\u0041\\u00e9\\uD83D\\uDE00z", &[("a", "Aé😀z", 1)]);
    check("a=\\ b", &[("a", " b", 1)]);
}

#[test]
fn errors_say_the_line_and_what_is_wrong() {
    let cases = [
        (
            "a=b\nc=\\u12",
            PropertiesError::MalformedUnicodeEscape { line: 2 },
        ),
        (
            "c=\\u+123",
            PropertiesError::MalformedUnicodeEscape { line: 1 },
        ),
        ("\n\nc=\\uD83D", PropertiesError::LoneSurrogate { line: 3 }),
        ("c=\\uD83Dx", PropertiesError::LoneSurrogate { line: 1 }),
        (
            "a=b\n=c",
            PropertiesError::MissingName {
                line: 2,
                separator: '=',
            },
        ),
        (
            ": c",
            PropertiesError::MissingName {
                line: 1,
                separator: ':',
            },
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(Properties::parse(text), Err(expected), "{text:?}");
    }
}

#[test]
fn the_last_entry_of_a_name_counts() {
    let mut properties = Properties::parse("a=1\nb=2\na=3").expect("a properties file");
    assert_eq!(properties.get("a"), Some("3"));
    assert_eq!(properties.get("c"), None);
    properties.set("a", "4");
    assert_eq!(properties.get("a"), Some("4"));
    assert_eq!(properties.entries().len(), 2);
}

#[test]
fn bytes_that_are_not_utf8_are_latin_1() {
    let properties = Properties::parse_bytes(b"a=\xe9").expect("a properties file");
    assert_eq!(properties.get("a"), Some("é"));
    let properties = Properties::parse_bytes("a=é".as_bytes()).expect("a properties file");
    assert_eq!(properties.get("a"), Some("é"));
}

#[test]
fn what_is_written_is_read_the_same() {
    let mut properties = Properties::new();
    let entries = [
        ("a b:=", " x = y#!"),
        ("é", "\t\n\r\x0c\\"),
        ("e", ""),
        ("😀", "  z  "),
    ];
    for (name, value) in entries {
        properties.set(name, value);
    }
    let text = properties.to_text(&["one", "two\nthree"]);
    assert!(text.starts_with("#one\n#two\n#three\n"), "{text}");
    let read = Properties::parse(&text).expect("a properties file");
    let actual: Vec<(&str, &str)> = read
        .entries()
        .iter()
        .map(|entry| (entry.name.as_str(), entry.value.as_str()))
        .collect();
    assert_eq!(actual, entries);
}

#[test]
fn meta_properties_are_written_plainly() {
    let mut properties = Properties::new();
    properties.set("version", "1");
    properties.set("cluster.id", "AbC-_9");
    assert_eq!(properties.to_text(&[]), "version=1\ncluster.id=AbC-_9\n");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "(\\PC|[ \t\n\r\\\\=:#!u0-9])*") {
        if let Err(error) = Properties::parse(&text) {
            prop_assert!(error.to_string().starts_with("line "));
        }
    }

    #[test]
    fn every_entry_is_read_as_it_was_written(
        name in "[a-zé😀 =:#!\t\n\\\\]{1,8}",
        value in "[a-zé😀 =:#!\t\n\r\\\\]{0,8}",
    ) {
        let mut properties = Properties::new();
        properties.set(name.clone(), value.clone());
        let read = Properties::parse(&properties.to_text(&[])).expect("what was written");
        prop_assert_eq!(read.get(&name), Some(value.as_str()));
    }
}
