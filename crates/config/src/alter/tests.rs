use super::*;
use crate::properties::Properties;

/// Changes and the error code with which the reference release answers them: scope, operations,
/// code.
const CASES: &str = include_str!("../../testdata/alter-cases.tsv");
/// The reference broker that answered them.
const SERVER_PROPERTIES: &str = include_str!("../../testdata/described/server.properties");

fn map<const N: usize>(entries: [(&str, &str); N]) -> ConfigMap {
    entries
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn broker() -> BrokerConfig {
    let file = Properties::parse(SERVER_PROPERTIES).expect("a properties file");
    let (broker, _) = BrokerConfig::load(Some(&file), [], &[]).expect("a valid configuration");
    let defaults = map([("min.insync.replicas", "1")]);
    broker
        .with_dynamic(&defaults, &ConfigMap::new())
        .expect("a valid configuration")
}

fn changes(operations: &str) -> Alteration {
    let parse = |text: &str| {
        let (operation, assignment) = text.split_once(' ').expect("an operation and a property");
        let operation = match operation {
            "SET" => Operation::Set,
            "DELETE" => Operation::Delete,
            "APPEND" => Operation::Append,
            _ => Operation::Subtract,
        };
        let (name, value) = match assignment.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (assignment, None),
        };
        Change {
            name: name.to_owned(),
            operation,
            value,
        }
    };
    Alteration::Incremental(
        operations
            .split(";;")
            .filter(|one| !one.is_empty())
            .map(parse)
            .collect(),
    )
}

fn alter(
    scope: Scope,
    current: &ConfigMap,
    alteration: &Alteration,
) -> Result<ConfigMap, AlterError> {
    let replicas = EligibleLeaderReplicas::Enabled;
    validate_alteration(&broker(), scope, current, alteration, replicas)
}

#[test]
fn changes_are_taken_and_refused_as_by_the_reference() {
    for line in CASES.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [scope, operations, expected] = columns[..] else {
            panic!("{line}")
        };
        let (scope, current) = match scope {
            "TOPIC" => (Scope::Topic, map([])),
            "BROKER" => (Scope::Broker, map([])),
            "BROKER_DEFAULT" => (Scope::BrokerDefault, map([("min.insync.replicas", "1")])),
            "GROUP" => (Scope::Group, map([])),
            _ => (Scope::ClientMetrics, map([])),
        };
        let actual = alter(scope, &current, &changes(operations));
        let code = match actual.as_ref().map_err(AlterError::kind) {
            Ok(_) => "NONE",
            Err(AlterErrorKind::InvalidConfig) => "INVALID_CONFIG",
            Err(AlterErrorKind::InvalidRequest) => "INVALID_REQUEST",
        };
        assert_eq!(code, expected, "{line}: {actual:?}");
    }
}

#[test]
fn operations_change_what_is_set() {
    let current = map([("cleanup.policy", "compact"), ("retention.ms", "5")]);
    let cases = [
        (
            "SET retention.ms=6",
            map([("cleanup.policy", "compact"), ("retention.ms", "6")]),
        ),
        ("DELETE retention.ms", map([("cleanup.policy", "compact")])),
        ("DELETE segment.ms", current.clone()),
        (
            "APPEND cleanup.policy=delete",
            map([("cleanup.policy", "compact,delete"), ("retention.ms", "5")]),
        ),
        ("APPEND cleanup.policy=compact", current.clone()),
        (
            "SUBTRACT cleanup.policy=compact,delete",
            map([("cleanup.policy", ""), ("retention.ms", "5")]),
        ),
        (
            "DELETE retention.ms;;APPEND leader.replication.throttled.replicas=0:1,1:1",
            map([
                ("cleanup.policy", "compact"),
                ("leader.replication.throttled.replicas", "0:1,1:1"),
            ]),
        ),
    ];
    for (operations, expected) in cases {
        assert_eq!(
            alter(Scope::Topic, &current, &changes(operations)),
            Ok(expected),
            "{operations}"
        );
    }
}

#[test]
fn a_list_that_is_not_set_starts_from_its_default() {
    let altered = alter(
        Scope::Topic,
        &map([]),
        &changes("APPEND cleanup.policy=compact"),
    );
    assert_eq!(altered, Ok(map([("cleanup.policy", "delete,compact")])));
}

#[test]
fn a_replacement_leaves_nothing_of_what_was_set() {
    let current = map([("retention.ms", "5")]);
    let replace = |name: &str, value: Option<&str>| {
        Alteration::Replace(vec![(name.to_owned(), value.map(str::to_owned))])
    };
    let altered = alter(Scope::Topic, &current, &replace("segment.ms", Some("7")));
    assert_eq!(altered, Ok(map([("segment.ms", "7")])));
    let refused = alter(Scope::Topic, &current, &replace("segment.ms", None));
    assert_eq!(
        refused,
        Err(AlterError::NullValue {
            names: vec!["segment.ms".to_owned()]
        })
    );
    let refused = alter(Scope::Topic, &current, &replace("foo", Some("1")));
    assert_eq!(
        refused,
        Err(AlterError::UnknownTopicConfig {
            name: "foo".to_owned()
        })
    );
}

#[test]
fn loggers_take_kafka_levels() {
    let is_logger = |name: &str| name == "ottla_broker";
    let set = |logger: &str, level: LogLevel| {
        Ok(LoggerChange::Set {
            logger: logger.to_owned(),
            level,
        })
    };
    let unknown_level = |level: &str| {
        Err(LoggerError::UnknownLevel {
            logger: "ottla_broker".to_owned(),
            level: level.to_owned(),
        })
    };
    let cases = [
        (
            "SET ottla_broker=DEBUG",
            set("ottla_broker", LogLevel::Debug),
        ),
        ("SET root=WARN", set("root", LogLevel::Warn)),
        ("SET ottla_broker=debug", unknown_level("debug")),
        ("SET ottla_broker=OFF", unknown_level("OFF")),
        (
            "SET nope=DEBUG",
            Err(LoggerError::UnknownLogger {
                logger: "nope".to_owned(),
            }),
        ),
        (
            "APPEND ottla_broker=DEBUG",
            Err(LoggerError::NotAList {
                operation: "APPEND",
            }),
        ),
        ("DELETE root", Err(LoggerError::RootLevelNeeded)),
        (
            "DELETE ottla_broker",
            Ok(LoggerChange::Unset {
                logger: "ottla_broker".to_owned(),
            }),
        ),
    ];
    for (operation, expected) in cases {
        let Alteration::Incremental(changes) = changes(operation) else {
            panic!("{operation}")
        };
        assert_eq!(
            validate_logger_change(&changes[0], is_logger),
            expected,
            "{operation}"
        );
    }
}

#[test]
fn new_topics_are_checked_as_by_the_reference() {
    let broker = broker();
    let check = |properties: &[(&'static str, Option<&'static str>)], expected: Option<&str>| {
        let actual = validate_new_topic(&broker, properties.iter().copied());
        let message = actual.as_ref().err().map(ToString::to_string);
        assert_eq!(message.as_deref(), expected, "{properties:?}");
        if let Err(error) = actual {
            assert_eq!(error.kind(), AlterErrorKind::InvalidConfig);
        }
    };
    check(&[], None);
    check(&[("cleanup.policy", Some("compact,compact"))], None);
    check(
        &[("retention.ms", Some("x")), ("retention.ms", Some("1"))],
        None,
    );
    check(
        &[("retention.ms", None)],
        Some("Null value not supported for topic configs: retention.ms"),
    );
    check(
        &[("foo", Some("1"))],
        Some("Unknown topic config name: foo"),
    );
    check(
        &[("retention.ms", Some("abc"))],
        Some("Invalid value abc for configuration retention.ms: Not a number of type LONG"),
    );
}

#[test]
fn stored_properties_that_became_invalid_are_left_out_and_the_rest_counts() {
    let default = map([
        ("log.retention.ms", "7"),
        ("log.segment.bytes", "x"),
        ("listeners", "PLAINTEXT://:1"),
    ]);
    let own = map([
        ("num.partitions", "5"),
        ("max.connections", "9"),
        ("ssl.keystore.type", "PEM"),
    ]);
    let (config, ignored) = with_stored_dynamic(&broker(), &default, &own).expect("valid");
    assert_eq!(config.network.max_connections, 9);
    assert_eq!(config.topic_defaults.values().long("retention.ms"), 7);
    let names: Vec<&str> = ignored.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "listeners",
            "log.segment.bytes",
            "num.partitions",
            "ssl.keystore.type"
        ]
    );
    let contradiction = map([("log.roll.ms", "0")]);
    assert!(with_stored_dynamic(&broker(), &contradiction, &map([])).is_err());
}

#[test]
fn stored_properties_that_became_invalid_do_not_stand_in_the_way() {
    let current = map([("num.partitions", "5")]);
    let altered = alter(Scope::Broker, &current, &changes("SET max.connections=9"));
    assert_eq!(
        altered,
        Ok(map([("max.connections", "9"), ("num.partitions", "5")]))
    );
    let refused = alter(Scope::Broker, &current, &changes("SET num.partitions=6"));
    assert_eq!(
        refused.map_err(|error| error.kind()),
        Err(AlterErrorKind::InvalidRequest)
    );
}
