use super::*;
use crate::properties::Properties;

/// Answers of the reference release: name, value, source, sensitive, read-only, type, synonyms.
macro_rules! answer {
    ($path:literal) => {
        include_str!(concat!("../../testdata/", $path))
    };
}

fn shown(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("\\N")
}

/// An entry as the answers of the reference release are written down.
fn line_of(entry: &DescribedConfig) -> String {
    let synonyms: Vec<String> = entry
        .synonyms
        .iter()
        .map(|one| format!("{}:{}={}", one.source.name(), one.name, shown(&one.value)))
        .collect();
    [
        entry.name.as_str(),
        shown(&entry.value),
        entry.source.name(),
        if entry.is_sensitive { "true" } else { "false" },
        if entry.read_only { "true" } else { "false" },
        entry.value_type.map_or("UNKNOWN", ValueType::name),
        &synonyms.join("|"),
    ]
    .join("\t")
}

fn check(what: &str, entries: &[DescribedConfig], expected: &str) {
    let mut actual: Vec<String> = entries.iter().map(line_of).collect();
    actual.sort();
    let mut expected: Vec<&str> = expected.lines().collect();
    expected.sort_unstable();
    for (actual, expected) in actual.iter().zip(&expected) {
        assert_eq!(actual, expected, "{what}");
    }
    assert_eq!(actual.len(), expected.len(), "{what}");
}

fn map<const N: usize>(entries: [(&str, &str); N]) -> ConfigMap {
    entries
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn load(text: &str) -> BrokerConfig {
    let file = Properties::parse(text).expect("a properties file");
    BrokerConfig::load(Some(&file), [], &[])
        .expect("a valid configuration")
        .0
}

#[test]
fn a_fresh_broker_is_described_as_by_the_reference() {
    let broker = load(answer!("described/server.properties"))
        .with_dynamic(&map([("min.insync.replicas", "1")]), &ConfigMap::new())
        .expect("valid");
    let nothing = ConfigMap::new();
    check(
        "broker",
        &describe_broker(&broker),
        answer!("described/BROKER_1.tsv"),
    );
    check(
        "defaults",
        &describe_broker_defaults(&broker),
        answer!("described/BROKER.tsv"),
    );
    let topic = describe_topic(&broker, &nothing).expect("valid");
    check("topic", &topic, answer!("described/TOPIC_t1.tsv"));
    let group = describe_group(&broker, &nothing).expect("valid");
    check("group", &group, answer!("described/GROUP_g1.tsv"));
    let client_metrics = describe_client_metrics(&nothing).expect("valid");
    check(
        "client metrics",
        &client_metrics,
        answer!("described/CLIENT_METRICS_m1.tsv"),
    );
}

#[test]
fn what_is_set_in_many_places_is_described_as_by_the_reference() {
    let dynamic_default = map([
        ("compression.type", "gzip"),
        ("custom.default", "x"),
        ("log.retention.ms", "7000000"),
        ("max.connections", "500"),
        ("min.insync.replicas", "1"),
    ]);
    let dynamic_broker = map([
        ("compression.type", "lz4"),
        ("custom.one", "y"),
        ("leader.replication.throttled.rate", "100"),
        ("listener.name.plaintext.ssl.keystore.type", "PKCS12"),
        ("log.roll.ms", "3600000"),
        ("max.connections", "400"),
    ]);
    let broker = load(answer!("described_set/server.properties"))
        .with_dynamic(&dynamic_default, &dynamic_broker)
        .expect("valid");
    check(
        "broker",
        &describe_broker(&broker),
        answer!("described_set/BROKER_1.tsv"),
    );
    check(
        "defaults",
        &describe_broker_defaults(&broker),
        answer!("described_set/BROKER.tsv"),
    );

    let repeated = map([
        ("cleanup.policy", "compact,compact"),
        ("internal.segment.bytes", " 5000 "),
    ]);
    let topic = describe_topic(&broker, &repeated).expect("valid");
    check("t1", &topic, answer!("described_set/TOPIC_t1.tsv"));
    let set = map([
        ("cleanup.policy", "compact"),
        ("max.message.bytes", " 2000 "),
        ("min.cleanable.dirty.ratio", "0.10"),
        ("retention.ms", "-1"),
        ("segment.bytes", "3000000"),
    ]);
    let topic = describe_topic(&broker, &set).expect("valid");
    check("t2", &topic, answer!("described_set/TOPIC_t2.tsv"));

    let set = map([
        ("cleanup.policy", "compact,compact"),
        ("internal.segment.bytes", "5000"),
        ("max.message.bytes", " 2000 "),
        ("min.cleanable.dirty.ratio", "0.10"),
    ]);
    let created: Vec<String> = describe_created_topic(&broker, &set)
        .iter()
        .map(|entry| {
            let columns: Vec<String> = line_of(entry).split('\t').map(str::to_owned).collect();
            columns[..5].join("\t")
        })
        .collect();
    let expected: Vec<&str> = answer!("described_set/created_topic.tsv").lines().collect();
    assert_eq!(created, expected);

    let set = map([
        ("consumer.session.timeout.ms", "50000"),
        ("share.auto.offset.reset", "earliest"),
    ]);
    let group = describe_group(&broker, &set).expect("valid");
    check("g1", &group, answer!("described_set/GROUP_g1.tsv"));
    let group = describe_group(&broker, &ConfigMap::new()).expect("valid");
    check("g2", &group, answer!("described_set/GROUP_g2.tsv"));

    let set = map([("interval.ms", "5000"), ("metrics", "a,b")]);
    let client_metrics = describe_client_metrics(&set).expect("valid");
    check(
        "m1",
        &client_metrics,
        answer!("described_set/CLIENT_METRICS_m1.tsv"),
    );
    let client_metrics = describe_client_metrics(&ConfigMap::new()).expect("valid");
    check(
        "m2",
        &client_metrics,
        answer!("described_set/CLIENT_METRICS_m2.tsv"),
    );
}

#[test]
fn loggers_are_described_with_their_levels() {
    let entries = describe_loggers(&map([("ottla_broker", "INFO")]));
    let lines: Vec<String> = entries.iter().map(line_of).collect();
    let expected = "ottla_broker\tINFO\tDYNAMIC_BROKER_LOGGER_CONFIG\tfalse\tfalse\tUNKNOWN\t";
    assert_eq!(lines, [expected]);
}
