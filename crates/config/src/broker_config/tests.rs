use super::*;
use crate::error::{ConfigWarning, Conflict, ListenerError};
use crate::listeners::SecurityProtocol;
use crate::properties::Properties;
use crate::table::{Feature, Reason};

/// Properties and whether the reference release starts with them, on top of [`BASE`].
const CASES: &str = include_str!("../../testdata/broker-cases.tsv");

/// What the cases change.
const BASE: &str = "process.roles=broker,controller\n\
    node.id=1\n\
    listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093\n\
    controller.listener.names=CONTROLLER\n\
    controller.quorum.bootstrap.servers=localhost:9093\n";

/// Cases that the reference takes and Ottla refuses, or the other way round, and why.
const DIFFERENCES: [(&str, &str); 6] = [
    (
        "localhost:-1,",
        "a port that cannot be bound is refused at once",
    ),
    (
        "localhost:65536,",
        "a port that cannot be bound is refused at once",
    ),
    ("group.consumer.assignors=foo", "classes are not loaded"),
    ("principal.builder.class=foo", "classes are not loaded"),
    ("CONTROLLER:SSL", "TLS is not spoken"),
    (
        "sasl.enabled.mechanisms=PLAIN",
        "SASL is refused before its mechanisms are looked at",
    ),
];

fn load_text(text: &str) -> Result<(BrokerConfig, Vec<ConfigWarning>), ConfigError> {
    let file = Properties::parse(text).expect("a properties file");
    BrokerConfig::load(Some(&file), [], &[])
}

fn case_text(case: &str) -> String {
    let changes: Vec<(&str, &str)> = case
        .split(';')
        .filter_map(|change| change.split_once('='))
        .collect();
    let is_kept = |line: &&str| {
        !changes
            .iter()
            .any(|(name, _)| line.starts_with(&format!("{name}=")))
    };
    let kept = BASE.lines().filter(is_kept).map(str::to_owned);
    let added = changes.iter().filter(|(_, value)| *value != "<unset>");
    kept.chain(added.map(|(name, value)| format!("{name}={value}")))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_node_starts_with_what_the_reference_starts_with() {
    for line in CASES.lines() {
        let (case, expected) = line.split_once('\t').expect("a case and a verdict");
        if DIFFERENCES.iter().any(|(text, _)| case.contains(text)) {
            continue;
        }
        let actual = load_text(&case_text(case));
        assert_eq!(
            actual.is_ok(),
            expected == "ok",
            "{case}: {:?}",
            actual.err()
        );
    }
}

fn no_environment() -> [(String, String); 0] {
    []
}

#[test]
fn without_a_file_a_node_is_alone_on_one_port() {
    let (config, warnings) = BrokerConfig::load(None, no_environment(), &[]).expect("valid");
    assert_eq!(warnings, []);
    assert_eq!(config.node_id, 1);
    assert_eq!(
        config.process_roles,
        ProcessRoles {
            broker: true,
            controller: true
        }
    );
    assert_eq!(config.quorum.kind, QuorumKind::Alone);
    let listeners: Vec<String> = config
        .listeners
        .listeners
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(listeners, ["PLAINTEXT://localhost:9092"]);
    assert_eq!(config.listeners.advertised, config.listeners.listeners);
    assert_eq!(config.listeners.advertised_controller, []);
    assert_eq!(config.log.log_dirs, ["./ottla-data"]);
    assert_eq!(config.metadata_log.dir, "./ottla-data");
}

#[test]
fn the_command_line_outweighs_the_environment_and_that_the_file() {
    let file = Properties::parse(&format!(
        "{BASE}num.partitions=2\nlog.dirs=/a\nbroker.rack=r"
    ))
    .expect("a properties file");
    let environment = [
        ("OTTLA_NUM_PARTITIONS", "3"),
        ("OTTLA_LOG_DIRS", "/b"),
        ("OTTLA_NUM_PARTITION", "9"),
        ("PATH", "/bin"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let overrides = ["num.partitions=4".to_owned()];
    let (config, warnings) =
        BrokerConfig::load(Some(&file), environment, &overrides).expect("valid");
    assert_eq!(config.topics.num_partitions, 4);
    assert_eq!(config.log.log_dirs, ["/b"]);
    assert_eq!(config.rack.as_deref(), Some("r"));
    let expected = ConfigWarning::UnknownVariable {
        variable: "OTTLA_NUM_PARTITION".to_owned(),
        suggestion: Some("num.partitions"),
    };
    assert_eq!(warnings, [expected]);
}

#[test]
fn a_malformed_override_is_refused() {
    for argument in ["num.partitions", "=4", ""] {
        let refused = BrokerConfig::load(None, no_environment(), &[argument.to_owned()]);
        let expected = ConfigError::MalformedOverride {
            argument: argument.to_owned(),
        };
        assert_eq!(refused.err(), Some(expected));
    }
}

#[test]
fn every_property_has_a_variable_of_its_own() {
    let mut variables: Vec<String> = crate::table::BROKER
        .iter()
        .map(|property| environment_variable(property.name))
        .collect();
    let count = variables.len();
    variables.sort();
    variables.dedup();
    assert_eq!(variables.len(), count);
    assert_eq!(environment_variable("log.dirs"), "OTTLA_LOG_DIRS");
}

fn no_effect(name: &str, reason: Reason) -> ConfigWarning {
    ConfigWarning::NoEffect {
        name: name.to_owned(),
        reason,
    }
}

#[test]
fn passwords_are_not_in_debug_output() {
    let (config, _) = load_text(&format!("{BASE}ssl.key.password=hush\n")).expect("valid");
    let shown = format!("{config:?}");
    assert!(shown.contains("ssl.key.password"));
    assert!(!shown.contains("hush"));
}

#[test]
fn only_a_controller_can_be_alone() {
    let overrides = ["process.roles=broker".to_owned()];
    let refused = BrokerConfig::load(None, no_environment(), &overrides);
    assert_eq!(refused.err(), Some(Conflict::NoQuorum.into()));
}

#[test]
fn what_an_operator_should_know_is_a_warning() {
    let text = format!(
        "{BASE}log.dirz=/a\nnum.partitions=1\nnum.partitions=2\nlog.dirs=/a,/a\n\
         num.io.threads=16\nnum.network.threads=3\nssl.keystore.location=/k\n\
         listener.name.plaintext.socket.request.max.bytes=4\nrsm.config.x=1\n"
    );
    let (_, warnings) = load_text(&text).expect("valid");
    let expected = [
        ConfigWarning::Repeated {
            name: "num.partitions".to_owned(),
            line: 8,
        },
        no_effect(
            "listener.name.plaintext.socket.request.max.bytes",
            Reason::ListenerOverride,
        ),
        ConfigWarning::RepeatedListValue { name: "log.dirs" },
        ConfigWarning::UnknownProperty {
            name: "log.dirz".to_owned(),
            suggestion: Some("log.dir"),
        },
        no_effect("num.io.threads", Reason::Threads),
        no_effect("ssl.keystore.location", Reason::Feature(Feature::Tls)),
    ];
    assert_eq!(warnings, expected);
}

#[test]
fn a_protocol_that_is_not_spoken_is_refused_by_name() {
    let text = case_text(
        "listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093,TLS://localhost:9094;\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL",
    );
    let expected = ListenerError::UnsupportedSecurityProtocol {
        name: "TLS".to_owned(),
        protocol: SecurityProtocol::Ssl,
    };
    assert_eq!(load_text(&text).err(), Some(expected.into()));
}

#[test]
fn listeners_are_told_apart_by_their_names() {
    let text = case_text(
        "listeners=PLAINTEXT://:9092,internal://127.0.0.1:9094,CONTROLLER://[::1]:9093;\
         advertised.listeners=PLAINTEXT://example.org:80,INTERNAL://h:1;\
         inter.broker.listener.name=internal;\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT",
    );
    let (config, _) = load_text(&text).expect("valid");
    let listeners = &config.listeners;
    let shown = |listeners: Vec<&crate::listeners::Listener>| -> Vec<String> {
        listeners.into_iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        shown(listeners.broker_listeners().collect()),
        ["PLAINTEXT://:9092", "INTERNAL://127.0.0.1:9094"]
    );
    assert_eq!(
        shown(listeners.controller_listeners().collect()),
        ["CONTROLLER://[::1]:9093"]
    );
    assert_eq!(
        shown(listeners.advertised.iter().collect()),
        ["PLAINTEXT://example.org:80", "INTERNAL://h:1"]
    );
    let controller = shown(listeners.advertised_controller.iter().collect());
    assert_eq!(controller, ["CONTROLLER://[::1]:9093"]);
    assert_eq!(listeners.inter_broker_name, "INTERNAL");
}

#[test]
fn dynamic_properties_outweigh_static_ones_and_synonyms_of_them() {
    let (config, _) = load_text(&format!("{BASE}log.retention.minutes=5\n")).expect("valid");
    let set = |name: &str, value: &str| ConfigMap::from([(name.to_owned(), value.to_owned())]);
    let retention_ms = |config: &BrokerConfig| config.topic_defaults.values().long("retention.ms");
    assert_eq!(retention_ms(&config), 300_000);
    let default = set("log.retention.ms", "7");
    let changed = config
        .with_dynamic(&default, &ConfigMap::new())
        .expect("valid");
    assert_eq!(retention_ms(&changed), 7);
    let changed = changed
        .with_dynamic(&default, &set("log.retention.ms", "8"))
        .expect("valid");
    assert_eq!(retention_ms(&changed), 8);
    let restored = changed
        .with_dynamic(&ConfigMap::new(), &ConfigMap::new())
        .expect("valid");
    assert_eq!(restored, config);
    let refused = config.with_dynamic(&set("log.retention.ms", "0"), &ConfigMap::new());
    assert_eq!(refused.err(), Some(Conflict::LogRetentionMs.into()));
}

#[test]
fn typed_parts_hold_what_the_properties_say() {
    let text = format!(
        "{BASE}max.connections.per.ip.overrides=127.0.0.1:5, host:6\n\
         controller.quorum.voters=1@h:9093,2@[::1]:9094\nqueued.max.request.bytes=0\n\
         internal.metadata.log.segment.bytes=5\nmetadata.log.dir=/m\nlog.dir=/x\n"
    );
    let (config, _) = load_text(&text).expect("valid");
    let overrides = &config.network.max_connections_per_ip_overrides;
    assert_eq!(overrides.get("127.0.0.1"), Some(&5));
    assert_eq!(overrides.get("host"), Some(&6));
    assert_eq!(config.network.queued_max_request_bytes, None);
    let voters: Vec<(i32, &str, i32)> = config
        .quorum
        .voters
        .iter()
        .map(|one| (one.node_id, one.host.as_str(), one.port))
        .collect();
    assert_eq!(voters, [(1, "h", 9093), (2, "::1", 9094)]);
    assert_eq!(
        config.quorum.bootstrap_servers,
        [("localhost".to_owned(), 9093)]
    );
    assert_eq!(config.metadata_log.segment_bytes, 5);
    assert_eq!(config.metadata_log.dir, "/m");
    assert_eq!(config.log.log_dirs, ["/x"]);
    assert_eq!(config.groups.initial_rebalance_delay_ms, 3000);
    assert_eq!(config.offsets.topic_num_partitions, 50);
}

#[test]
fn errors_name_the_property_and_what_to_do() {
    let cases = [
        (
            "node.id=<unset>",
            "Missing required configuration \"node.id\" which has no default value.",
        ),
        (
            "num.partitions=0",
            "Invalid value 0 for configuration num.partitions: Value must be at least 1",
        ),
        (
            "listeners=PLAINTEXT:9092",
            "listeners: 'PLAINTEXT:9092' must have the form NAME://host:port",
        ),
        (
            "broker.id=2",
            "node.id is 1 and broker.id is 2; set both to the same value, or one of them",
        ),
    ];
    for (case, expected) in cases {
        let error = load_text(&case_text(case)).expect_err(case);
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn the_system_sizes_socket_buffers_that_nobody_sizes() {
    let buffers = |text: &str| {
        let network = load_text(text).expect("a configuration").0.network;
        (
            network.socket_receive_buffer_bytes,
            network.socket_send_buffer_bytes,
        )
    };
    assert_eq!(buffers(BASE), (None, None));
    let set = format!("{BASE}\nsocket.receive.buffer.bytes=-1\nsocket.send.buffer.bytes=102400");
    assert_eq!(buffers(&set), (None, Some(102_400)));
}
