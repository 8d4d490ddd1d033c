//! Why a node's configuration is refused, and what is only worth a warning.

use thiserror::Error;

use crate::listeners::SecurityProtocol;
use crate::properties::PropertiesError;
use crate::table::Reason;
use crate::value::ValueError;
use crate::values::ParseError;

/// Why a node cannot start with, or change to, a configuration.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ConfigError {
    /// The file is not a properties file.
    #[error(transparent)]
    File(#[from] PropertiesError),
    /// A property does not take its value.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A property without a default is not set.
    #[error("Missing required configuration \"{name}\" which has no default value.")]
    Missing {
        /// The property.
        name: &'static str,
    },
    /// `--set` was given something else than `name=value`.
    #[error("--set takes name=value, not '{argument}'")]
    MalformedOverride {
        /// What it was given.
        argument: String,
    },
    /// Two properties contradict each other.
    #[error("{0}")]
    Conflict(#[from] Conflict),
    /// A listener does not parse or does not fit to the others.
    #[error(transparent)]
    Listener(#[from] ListenerError),
}

impl From<ParseError> for ConfigError {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::Missing(name) => Self::Missing { name },
            ParseError::Invalid(error) => Self::Value(error),
        }
    }
}

/// Two or more properties that are valid each, but not together.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Conflict {
    /// `node.id` and `broker.id` differ.
    #[error(
        "node.id is {node_id} and broker.id is {broker_id}; set both to the same value, or one \
         of them"
    )]
    NodeIdAndBrokerId {
        /// The value of `node.id`.
        node_id: i32,
        /// The value of `broker.id`.
        broker_id: i32,
    },
    /// Nothing says where the metadata quorum is.
    #[error(
        "process.roles is set, so set controller.quorum.bootstrap.servers to the addresses of the \
         controllers, or controller.quorum.voters to the voters"
    )]
    NoQuorum,
    /// A controller is not among the voters.
    #[error(
        "process.roles contains 'controller', so controller.quorum.voters must contain node.id \
         {node_id}"
    )]
    ControllerIsNotAVoter {
        /// The value of `node.id`.
        node_id: i32,
    },
    /// A node that is only a broker is among the voters.
    #[error(
        "process.roles contains only 'broker', so controller.quorum.voters must not contain \
         node.id {node_id}"
    )]
    BrokerIsAVoter {
        /// The value of `node.id`.
        node_id: i32,
    },
    /// Both ways to name the listener between brokers are used.
    #[error("set only one of inter.broker.listener.name and security.inter.broker.protocol")]
    InterBrokerListenerTwice,
    /// The longest age of a segment is below a millisecond.
    #[error("log.roll.ms must be at least 1, or unset so that log.roll.hours counts")]
    LogRollMs,
    /// The jitter is negative.
    #[error("log.roll.jitter.ms must be at least 0")]
    LogRollJitterMs,
    /// The retention time is 0.
    #[error("log.retention.ms, or what takes its place, must be -1 for no limit or at least 1")]
    LogRetentionMs,
    /// The cleaners' memory is too small.
    #[error(
        "log.cleaner.dedupe.buffer.size must be more than 1 MiB for each of log.cleaner.threads, \
         of which there must be one"
    )]
    LogCleanerDedupeBufferSize,
    /// `left` must not be above `right`.
    #[error("{left} must not be greater than {right}")]
    MustNotExceed {
        /// The property that must be the smaller.
        left: &'static str,
        /// The property that must be the greater.
        right: &'static str,
    },
    /// The request queue cannot hold the largest request.
    #[error(
        "queued.max.request.bytes must be at least socket.request.max.bytes, or -1 for no limit"
    )]
    QueuedMaxRequestBytes,
    /// No address may connect.
    #[error(
        "max.connections.per.ip is 0, so max.connections.per.ip.overrides must allow some address"
    )]
    NoConnections,
    /// An entry of the overrides is not `host:count`.
    #[error("max.connections.per.ip.overrides takes host:count between commas, not '{entry}'")]
    MaxConnectionsPerIpOverrides {
        /// The entry.
        entry: String,
    },
    /// Authentication failures would be answered after the connection is gone.
    #[error("connection.failed.authentication.delay.ms must be less than connections.max.idle.ms")]
    FailedAuthenticationDelay,
    /// The classic group protocol is missing.
    #[error("group.coordinator.rebalance.protocols must contain 'classic'")]
    ClassicProtocolDisabled,
    /// Not the number of a codec.
    #[error(
        "{name} must be the number of a codec (0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd), not \
         {codec}"
    )]
    UnknownCompressionCodec {
        /// The property.
        name: &'static str,
        /// Its value.
        codec: i32,
    },
    /// A cordoned directory is not a log directory.
    #[error("cordoned.log.dirs contains {directory}, which is not in log.dirs or log.dir")]
    CordonedLogDir {
        /// The directory.
        directory: String,
    },
    /// `*` and directories at the same time.
    #[error("cordoned.log.dirs must contain '*' alone or no '*'")]
    CordonedLogDirWildcard,
}

/// Why the listeners of a node are refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ListenerError {
    /// An entry is not `NAME://host:port`.
    #[error("{property}: '{entry}' must have the form NAME://host:port")]
    Malformed {
        /// `listeners` or `advertised.listeners`.
        property: &'static str,
        /// The entry.
        entry: String,
    },
    /// A port is not between 0 and 65535.
    #[error("{property}: the port of '{entry}' must be between 0 and 65535")]
    PortOutOfRange {
        /// `listeners` or `advertised.listeners`.
        property: &'static str,
        /// The entry.
        entry: String,
    },
    /// A name occurs twice.
    #[error("{property}: each listener must have a name of its own, '{name}' occurs twice")]
    DuplicateName {
        /// `listeners` or `advertised.listeners`.
        property: &'static str,
        /// The name.
        name: String,
    },
    /// A port occurs twice.
    #[error("{property}: each listener must have a port of its own, {port} occurs twice")]
    DuplicatePort {
        /// `listeners` or `advertised.listeners`.
        property: &'static str,
        /// The port.
        port: u16,
    },
    /// No entry of the map is for this listener.
    #[error(
        "no security protocol is defined for listener {name}: add it to \
         listener.security.protocol.map, or to controller.listener.names if controllers use it"
    )]
    NoSecurityProtocol {
        /// The listener.
        name: String,
    },
    /// An entry of the map is not `NAME:PROTOCOL`.
    #[error("listener.security.protocol.map takes NAME:PROTOCOL between commas, not '{entry}'")]
    MalformedProtocolMap {
        /// The entry.
        entry: String,
    },
    /// A protocol is unknown.
    #[error(
        "Invalid security protocol `{protocol}` defined in listener.security.protocol.map; use \
         PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"
    )]
    UnknownSecurityProtocol {
        /// The protocol.
        protocol: String,
    },
    /// A protocol is Kafka's, but this version does not speak it.
    #[error("listener {name} asks for {protocol}; this version of Ottla speaks only PLAINTEXT")]
    UnsupportedSecurityProtocol {
        /// The listener.
        name: String,
        /// The protocol.
        protocol: SecurityProtocol,
    },
    /// The listener between brokers is not in the map.
    #[error("inter.broker.listener.name is {name}, which is not in listener.security.protocol.map")]
    UnknownInterBrokerListener {
        /// The name.
        name: String,
    },
    /// The listener between brokers is not advertised.
    #[error(
        "the listener between brokers (inter.broker.listener.name or \
         security.inter.broker.protocol) is {name}, which must be one of advertised.listeners: \
         {valid}"
    )]
    InterBrokerListenerNotAdvertised {
        /// The name.
        name: String,
        /// The names that would do, between commas.
        valid: String,
    },
    /// Clients have no listener to connect to.
    #[error(
        "advertised.listeners has no listener for clients; perhaps controller.listener.names \
         contains all of them"
    )]
    NoBrokerListener,
    /// A listener is advertised that is not listened on.
    #[error("advertised.listeners contains {name}, which is not in listeners")]
    AdvertisedButNotListenedOn {
        /// The name.
        name: String,
    },
    /// Clients are told an address that no one can connect to.
    #[error(
        "advertised.listeners, or listeners in its place, gives 0.0.0.0 as the address of \
         {name}; give clients an address that they can reach"
    )]
    UnroutableAddress {
        /// The listener.
        name: String,
    },
    /// A controller has no listener.
    #[error(
        "controller.listener.names contains {name}, which must be in listeners because \
         process.roles contains 'controller'"
    )]
    ControllerListenerMissing {
        /// The listener.
        name: String,
    },
    /// A node that is only a broker has a controller's listener.
    #[error(
        "controller.listener.names contains {name}, which must not be in listeners because \
         process.roles is 'broker'"
    )]
    ControllerListenerOnBroker {
        /// The listener.
        name: String,
    },
    /// A node that is only a controller has a client's listener.
    #[error(
        "listeners contains {name}, which must be in controller.listener.names because \
         process.roles is 'controller'"
    )]
    BrokerListenerOnController {
        /// The listener.
        name: String,
    },
    /// An early listener is unknown.
    #[error(
        "early.start.listeners contains {name}, which is not in listeners or \
         controller.listener.names"
    )]
    UnknownEarlyStartListener {
        /// The listener.
        name: String,
    },
}

/// Something that an operator should know, though the configuration is valid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigWarning {
    /// No table has the property.
    #[error("unknown property {name} is ignored{}", did_you_mean(*suggestion))]
    UnknownProperty {
        /// The name.
        name: String,
        /// A known name that is near to it.
        suggestion: Option<&'static str>,
    },
    /// No property belongs to the environment variable, which is ignored.
    #[error(
        "environment variable {variable} names no property and is ignored{}",
        did_you_mean(*suggestion)
    )]
    UnknownVariable {
        /// The variable.
        variable: String,
        /// A property whose variable is near to it.
        suggestion: Option<&'static str>,
    },
    /// The file sets a property more than once; the last line counts.
    #[error("property {name} is set again in line {line}, which counts")]
    Repeated {
        /// The property.
        name: String,
        /// The line.
        line: usize,
    },
    /// A list has a value more than once; the first one counts.
    #[error("property {name} contains a value more than once")]
    RepeatedListValue {
        /// The property.
        name: &'static str,
    },
    /// The property is set and changes nothing.
    #[error("property {name} has no effect: {reason}")]
    NoEffect {
        /// The property.
        name: String,
        /// Why.
        reason: Reason,
    },
}

fn did_you_mean(suggestion: Option<&'static str>) -> String {
    suggestion
        .map(|name| format!("; did you mean {name}?"))
        .unwrap_or_default()
}
