use super::*;
use crate::table::Property;
use crate::valid::Valid;
use crate::{BrokerConfig, ConfigMap, TopicConfig, ValueType};

/// Rows that say that they have no effect and that other rules of this release look at all the same.
const LOOKED_AT: [&str; 4] = [
    // A compacted topic takes no records without keys, and rolls its segments in time.
    "cleanup.policy",
    "log.cleanup.policy",
    "max.compaction.lag.ms",
    "log.cleaner.max.compaction.lag.ms",
];

/// Numbers of which every property of numbers takes one that is not its default.
const NUMBERS: [&str; 8] = ["1", "2", "3", "77", "5000", "40000", "8388609", "104857601"];

/// Texts of which every other property takes one that is not its default.
const TEXTS: [&str; 10] = [
    "x",
    "/elsewhere",
    "*",
    "10.0.0.1:5",
    "2@localhost:9092,1@localhost:9092",
    "localhost:9099",
    "PLAINTEXT://localhost:9094",
    "PLAINTEXT://localhost:9092,SECOND://localhost:9095",
    "SECOND",
    "CONTROLLER,SECOND",
];

/// Properties without which some others cannot be set.
const COMPANIONS: [&[&str]; 3] = [
    &[],
    &[
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SECOND:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "listeners=PLAINTEXT://localhost:9092,SECOND://localhost:9095",
    ],
    &[
        "controller.quorum.bootstrap.servers=localhost:9093",
        "listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093",
    ],
];

fn values(property: &Property) -> Vec<&'static str> {
    match (property.value_type, property.valid) {
        (ValueType::Boolean, _) => vec!["true", "false"],
        (ValueType::Int | ValueType::Long | ValueType::Short, _) => NUMBERS.to_vec(),
        (ValueType::Double, _) => vec!["0.25", "3"],
        (_, Valid::OneOf(some) | Valid::OneOfIgnoringCase(some)) => some.to_vec(),
        (_, Valid::List(rule)) if !rule.values.is_empty() => rule.values.to_vec(),
        _ => TEXTS.to_vec(),
    }
}

/// Everything that a broker is built from, as text.
fn typed(config: &BrokerConfig) -> String {
    let BrokerConfig {
        node_id,
        process_roles,
        rack,
        listeners,
        network,
        requests,
        quorum,
        metadata_log,
        log,
        topics,
        groups,
        offsets,
        producers,
        background,
        topic_defaults,
        ..
    } = config;
    let topic = TopicConfig::default_of(topic_defaults);
    format!(
        "{node_id} {process_roles:?} {rack:?} {listeners:?} {network:?} {requests:?} {quorum:?} {metadata_log:?} \
         {log:?} {topics:?} {groups:?} {offsets:?} {producers:?} {background:?} {topic:?}"
    )
}

/// Whether some value of a broker's property reaches what the broker is built from.
fn reaches_the_broker(property: &Property) -> bool {
    let companions = match property.value_type {
        ValueType::String | ValueType::List => &COMPANIONS[..],
        _ => &COMPANIONS[..1],
    };
    companions.iter().any(|companions| {
        let overrides = |value: Option<&str>| -> Vec<String> {
            let mut all: Vec<String> = companions.iter().map(|one| (*one).to_owned()).collect();
            all.extend(value.map(|value| format!("{}={value}", property.name)));
            all
        };
        let load = |overrides: &[String]| BrokerConfig::load(None, [], overrides).ok();
        let Some((before, _)) = load(&overrides(None)) else {
            return false;
        };
        let before = typed(&before);
        values(property).iter().any(|value| {
            let after = load(&overrides(Some(value)));
            after.is_some_and(|(after, _)| typed(&after) != before)
        })
    })
}

#[test]
fn what_acts_on_a_broker_reaches_it_and_what_does_not_does_not() {
    let wrong: Vec<&str> = table::BROKER
        .iter()
        .filter(|property| {
            let acts = property.effect == Effect::Acts;
            reaches_the_broker(property) != (acts || LOOKED_AT.contains(&property.name))
        })
        .map(|property| property.name)
        .collect();
    // What a node without a file sets itself, and what means something only beside other properties: the cases of a
    // node's start have them.
    let started_with = [
        "broker.id",
        "listener.security.protocol.map",
        "log.dir",
        "process.roles",
        "security.inter.broker.protocol",
    ];
    assert_eq!(wrong, started_with);
}

#[test]
fn what_acts_on_a_topic_reaches_it_and_what_does_not_does_not() {
    let (broker, _) = BrokerConfig::load(None, [], &[]).unwrap();
    let default = TopicConfig::default_of(&broker.topic_defaults);
    for property in table::TOPIC.iter() {
        let reaches = values(property).into_iter().any(|value| {
            let set = ConfigMap::from([(property.name.to_owned(), value.to_owned())]);
            TopicConfig::new(&broker.topic_defaults, &set).is_ok_and(|config| config != default)
        });
        let acts = property.effect == Effect::Acts;
        assert_eq!(
            reaches,
            acts || LOOKED_AT.contains(&property.name),
            "{}",
            property.name
        );
    }
}

#[test]
fn reasons_are_found_for_every_kind_of_resource() {
    use crate::table::Feature;
    let cases = [
        (
            Scope::Topic,
            "retention.ms",
            Some(Reason::Feature(Feature::Retention)),
        ),
        (Scope::Topic, "segment.bytes", None),
        (Scope::Topic, "unknown", None),
        (
            Scope::BrokerDefault,
            "num.io.threads",
            Some(Reason::Threads),
        ),
        (Scope::Broker, "max.connections", None),
        (Scope::Broker, "listener.name.a.max.connections", None),
        (
            Scope::Broker,
            "listener.name.a.message.max.bytes",
            Some(Reason::ListenerOverride),
        ),
        (
            Scope::Broker,
            "listener.name.a.num.network.threads",
            Some(Reason::Threads),
        ),
        (
            Scope::ClientMetrics,
            "metrics",
            Some(Reason::Feature(Feature::ClientMetrics)),
        ),
        (
            Scope::Group,
            "share.isolation.level",
            Some(Reason::Feature(Feature::ShareGroups)),
        ),
    ];
    for (scope, name, expected) in cases {
        assert_eq!(reason_without_effect(scope, name), expected, "{name}");
    }
}
