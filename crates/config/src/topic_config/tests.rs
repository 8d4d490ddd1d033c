use super::*;
use crate::BrokerConfig;

fn defaults(overrides: &[&str]) -> TopicDefaults {
    let overrides: Vec<String> = overrides.iter().map(|one| (*one).to_owned()).collect();
    BrokerConfig::load(None, [], &overrides)
        .expect("a valid configuration")
        .0
        .topic_defaults
}

fn map(entries: &[(&str, &str)]) -> ConfigMap {
    entries
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn a_topic_that_sets_nothing_has_the_defaults_of_kafka() {
    let defaults = defaults(&[]);
    let config = TopicConfig::default_of(&defaults);
    for property in table::TOPIC.iter() {
        let expected = property.default_text().map(str::to_owned);
        let actual = defaults
            .values()
            .get(property.name)
            .map(ToString::to_string);
        assert_eq!(actual, expected, "{}", property.name);
    }
    assert_eq!(
        config.cleanup_policy,
        CleanupPolicy {
            compact: false,
            delete: true
        }
    );
    assert_eq!(config.segment_bytes, 1 << 30);
    assert_eq!(config.compression_type, CompressionType::Producer);
    assert_eq!(
        config.message_timestamp_type,
        MessageTimestampType::CreateTime
    );
}

#[test]
fn broker_properties_become_defaults_in_the_units_of_topics() {
    let cases: [(&[&str], &str, &str); 15] = [
        (&["log.roll.hours=2"], "segment.ms", "7200000"),
        (&["log.roll.hours=2", "log.roll.ms=5"], "segment.ms", "5"),
        (&["log.roll.jitter.hours=1"], "segment.jitter.ms", "3600000"),
        (&["log.roll.jitter.ms=9"], "segment.jitter.ms", "9"),
        (&["log.retention.hours=1"], "retention.ms", "3600000"),
        (
            &["log.retention.hours=1", "log.retention.minutes=1"],
            "retention.ms",
            "60000",
        ),
        (
            &["log.retention.minutes=1", "log.retention.ms=3"],
            "retention.ms",
            "3",
        ),
        (&["log.retention.hours=-1"], "retention.ms", "-1"),
        (&["log.retention.ms=-5"], "retention.ms", "-1"),
        (&["log.flush.scheduler.interval.ms=4"], "flush.ms", "4"),
        (
            &[
                "log.flush.scheduler.interval.ms=4",
                "log.flush.interval.ms=3",
            ],
            "flush.ms",
            "3",
        ),
        (&["message.max.bytes=10"], "max.message.bytes", "10"),
        (
            &["log.cleaner.min.cleanable.ratio=0.2"],
            "min.cleanable.dirty.ratio",
            "0.2",
        ),
        (&["log.cleanup.policy=compact"], "cleanup.policy", "compact"),
        (
            &["log.segment.delete.delay.ms=1"],
            "file.delete.delay.ms",
            "1",
        ),
    ];
    for (overrides, name, expected) in cases {
        let defaults = defaults(overrides);
        let actual = defaults.values().get(name).map(ToString::to_string);
        assert_eq!(actual.as_deref(), Some(expected), "{overrides:?}");
    }
}

#[test]
fn a_topic_sets_its_own_over_them() {
    let defaults = defaults(&["log.segment.bytes=2097152", "compression.type=zstd"]);
    let set = map(&[
        ("cleanup.policy", "compact, delete"),
        ("compression.type", "lz4"),
        ("segment.bytes", " 1048576 "),
        ("message.timestamp.type", "LogAppendTime"),
        ("unknown.to.topics", "1"),
    ]);
    let config = TopicConfig::new(&defaults, &set).expect("valid");
    assert_eq!(
        config.cleanup_policy,
        CleanupPolicy {
            compact: true,
            delete: true
        }
    );
    assert_eq!(config.compression_type, CompressionType::Lz4);
    assert_eq!(config.segment_bytes, 1_048_576);
    assert_eq!(
        config.message_timestamp_type,
        MessageTimestampType::LogAppendTime
    );
    let config = TopicConfig::new(&defaults, &map(&[("internal.segment.bytes", "100")]));
    assert_eq!(config.expect("valid").segment_bytes, 100);
}

#[test]
fn a_value_that_a_property_does_not_take_is_refused() {
    let error = TopicConfig::new(&defaults(&[]), &map(&[("retention.ms", "-2")]));
    assert_eq!(
        error.expect_err("below the minimum").to_string(),
        "Invalid value -2 for configuration retention.ms: Value must be at least -1"
    );
}

#[test]
fn a_compacted_topic_rolls_within_its_compaction_lag() {
    let defaults = defaults(&[]);
    let max_segment_ms = |entries: &[(&str, &str)]| {
        TopicConfig::new(&defaults, &map(entries))
            .expect("valid")
            .max_segment_ms()
    };
    assert_eq!(
        max_segment_ms(&[("max.compaction.lag.ms", "5")]),
        604_800_000
    );
    let compacted = [
        ("max.compaction.lag.ms", "5"),
        ("cleanup.policy", "compact"),
    ];
    assert_eq!(max_segment_ms(&compacted), 5);
}
