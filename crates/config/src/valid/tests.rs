use crate::table;

/// Values and what the reference release makes of them: scope, property, value, `ok` or `error`,
/// and the value as it
/// prints it or its message.
const VALUES: &str = include_str!("../../testdata/values.tsv");

fn unescape(text: &str) -> String {
    text.replace("\\t", "\t")
        .replace("\\n", "\n")
        .replace("\\\\", "\\")
}

#[test]
fn values_are_taken_printed_and_refused_as_by_the_reference() {
    let mut checked = 0;
    for line in VALUES.lines() {
        let mut columns = line.split('\t');
        let mut column = || columns.next().expect("five columns");
        let (scope, name, value, verdict, expected) =
            (column(), column(), column(), column(), column());
        let property = match scope {
            "broker" => table::BROKER.get(name),
            "topic" => table::TOPIC.get(name),
            "group" => table::GROUP.get(name),
            "client-metrics" => table::CLIENT_METRICS.get(name),
            "quota" => table::CLIENT_QUOTA.get(name),
            _ => table::IP_QUOTA.get(name),
        }
        .expect(name);
        match property.parse(&unescape(value)) {
            Ok(parsed) => {
                assert_eq!(verdict, "ok", "{line}");
                assert_eq!(parsed.to_string(), unescape(expected), "{line}");
            }
            Err(error) => {
                assert_eq!(verdict, "error", "{line}: {error}");
                // No message where Ottla's is worded in another way.
                if expected.is_empty() {
                    assert!(error.to_string().contains(name), "{line}");
                } else {
                    assert_eq!(error.to_string(), unescape(expected), "{line}");
                }
            }
        }
        checked += 1;
    }
    assert!(checked > 500);
}

#[test]
fn null_is_refused_where_the_reference_refuses_it() {
    let cases = [
        ("num.partitions", false),
        ("log.flush.interval.ms", true),
        ("advertised.listeners", true),
        ("listeners", false),
        ("cordoned.log.dirs", true),
        ("compression.type", false),
        ("authorizer.class.name", false),
        ("remote.log.storage.manager.class.name", true),
    ];
    for (name, expected) in cases {
        let property = table::BROKER.get(name).expect(name);
        assert_eq!(property.valid.check(name, None).is_ok(), expected, "{name}");
    }
}
