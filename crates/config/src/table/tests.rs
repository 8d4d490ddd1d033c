use super::*;
use crate::value::Value;

const FACTS: [(&str, &LazyLock<Table>, &str); 6] = [
    (
        "broker",
        &BROKER,
        include_str!("../../facts/broker-configs.tsv"),
    ),
    (
        "topic",
        &TOPIC,
        include_str!("../../facts/topic-configs.tsv"),
    ),
    (
        "group",
        &GROUP,
        include_str!("../../facts/group-configs.tsv"),
    ),
    (
        "client-metrics",
        &CLIENT_METRICS,
        include_str!("../../facts/client-metrics-configs.tsv"),
    ),
    (
        "quota",
        &CLIENT_QUOTA,
        include_str!("../../facts/quota-configs.tsv"),
    ),
    ("ip", &IP_QUOTA, include_str!("../../facts/ip-configs.tsv")),
];

fn or_dash(text: &str) -> String {
    if text.is_empty() {
        "-".to_owned()
    } else {
        text.to_owned()
    }
}

/// A row as the facts of the reference release write it.
fn facts_of(scope: &str, property: &Property) -> String {
    let default = match property.default {
        DefaultValue::Required => "(required)".to_owned(),
        DefaultValue::Null => "null".to_owned(),
        DefaultValue::Text("") => "\"\"".to_owned(),
        DefaultValue::Text(text) => text.to_owned(),
    };
    let mut columns = vec![
        property.name.to_owned(),
        property.value_type.to_string(),
        default,
        or_dash(&property.valid.to_string()),
        property.importance.name().to_owned(),
    ];
    match scope {
        "broker" => columns.push(property.update.name().to_owned()),
        "topic" => columns.push(or_dash(property.broker_synonym.unwrap_or_default())),
        _ => {}
    }
    columns.push(
        if property.is_internal {
            "internal"
        } else {
            "-"
        }
        .to_owned(),
    );
    columns.join("\t")
}

#[test]
fn tables_hold_the_facts_of_the_reference_release_and_nothing_else() {
    for (scope, table, facts) in FACTS {
        let expected: Vec<&str> = facts.lines().skip(1).collect();
        let actual: Vec<String> = table
            .iter()
            .map(|property| facts_of(scope, property))
            .collect();
        assert_eq!(actual, expected, "{scope}");
    }
}

#[test]
fn every_default_parses_prints_the_same_and_is_valid() {
    for (_, table, _) in FACTS {
        for property in table.iter() {
            let value: Option<Value> = property.default_text().map(|text| {
                property
                    .value_type
                    .parse(property.name, text)
                    .expect("must parse")
            });
            if let (Some(value), Some(text)) = (&value, property.default_text()) {
                assert_eq!(value.to_string(), text, "{}", property.name);
            }
            if property.default != DefaultValue::Required {
                property
                    .valid
                    .check(property.name, value.as_ref())
                    .expect(property.name);
            }
        }
    }
}

#[test]
fn every_synonym_is_a_broker_property_of_the_same_type() {
    for table in [&TOPIC, &GROUP] {
        for property in table.iter() {
            let Some(synonym) = property.broker_synonym else {
                continue;
            };
            let broker_property = BROKER.get(synonym).expect(synonym);
            assert_eq!(
                broker_property.value_type, property.value_type,
                "{}",
                property.name
            );
        }
    }
}

#[test]
fn every_property_has_a_documentation_of_one_sentence() {
    for (_, table, _) in FACTS {
        for property in table.iter() {
            assert!(property.doc.ends_with('.'), "{}", property.name);
            assert!(property.doc.len() > 15, "{}", property.name);
        }
    }
}

#[test]
fn suggestions_are_near_and_never_far() {
    let cases = [
        ("log.dir", Some("log.dir")),
        ("log.dirz", Some("log.dir")),
        ("num.partition", Some("num.partitions")),
        ("message.max.byte", Some("message.max.bytes")),
        ("zookeeper.connect", None),
        ("x", None),
    ];
    for (name, expected) in cases {
        assert_eq!(BROKER.suggest(name), expected, "{name}");
    }
}

#[test]
fn edit_distance_counts_changes() {
    let cases = [
        ("", "", 0),
        ("a", "", 1),
        ("", "ab", 2),
        ("abc", "abd", 1),
        ("kitten", "sitting", 3),
    ];
    for (left, right, expected) in cases {
        assert_eq!(edit_distance(left, right), expected, "{left} {right}");
    }
}
