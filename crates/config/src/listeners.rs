//! The listeners of a node: names, addresses and security protocols, and what must hold among them.
//!
//! Source: the properties `listeners`, `advertised.listeners`, `listener.security.protocol.map`,
//! `controller.listener.names`, `inter.broker.listener.name` and `security.inter.broker.protocol`.

use std::collections::BTreeMap;
use std::fmt;

use crate::broker_config::{ProcessRoles, QuorumKind};
use crate::error::{ConfigError, Conflict, ListenerError};
use crate::values::{ConfigMap, Values};

/// How a listener is secured. Source: Kafka's `SecurityProtocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecurityProtocol {
    /// Neither TLS nor authentication.
    Plaintext,
    /// TLS.
    Ssl,
    /// SASL authentication, no TLS.
    SaslPlaintext,
    /// SASL authentication over TLS.
    SaslSsl,
}

impl SecurityProtocol {
    /// Kafka's name, such as `SASL_SSL`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        }
    }

    /// The number of the protocol in RegisterBrokerRecord and its kin.
    pub fn id(self) -> i16 {
        match self {
            Self::Plaintext => 0,
            Self::Ssl => 1,
            Self::SaslPlaintext => 2,
            Self::SaslSsl => 3,
        }
    }

    /// The protocol of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Plaintext,
            Self::Ssl,
            Self::SaslPlaintext,
            Self::SaslSsl,
        ]
        .into_iter()
        .find(|protocol| protocol.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for SecurityProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One address of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The name, in capitals.
    pub name: String,
    /// The host or address, without brackets; empty means every address of the machine when
    /// listened on, and its own host name when advertised.
    pub host: String,
    /// The port; 0 lets the system choose when listened on.
    pub port: u16,
    /// How it is secured.
    pub security_protocol: SecurityProtocol,
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "{}://[{}]:{}", self.name, self.host, self.port)
        } else {
            write!(f, "{}://{}:{}", self.name, self.host, self.port)
        }
    }
}

/// All listeners of a node, checked against each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listeners {
    /// Where the node listens, controller listeners included.
    pub listeners: Vec<Listener>,
    /// What brokers and clients are told to connect to, controller listeners left out.
    pub advertised: Vec<Listener>,
    /// What other nodes are told to connect to for the metadata quorum; empty on a node that is
    /// only a broker, and on one that is alone and has no controller listener.
    pub advertised_controller: Vec<Listener>,
    /// The names of the controllers' listeners.
    pub controller_names: Vec<String>,
    /// The name of the listener between brokers.
    pub inter_broker_name: String,
}

impl Listeners {
    /// The listeners for clients and brokers.
    pub fn broker_listeners(&self) -> impl Iterator<Item = &Listener> {
        self.listeners
            .iter()
            .filter(|listener| !self.controller_names.contains(&listener.name))
    }

    /// The listeners for the metadata quorum.
    pub fn controller_listeners(&self) -> impl Iterator<Item = &Listener> {
        self.listeners
            .iter()
            .filter(|listener| self.controller_names.contains(&listener.name))
    }

    pub(crate) fn build(
        values: &Values,
        set: &ConfigMap,
        roles: ProcessRoles,
        quorum: QuorumKind,
    ) -> Result<Self, ConfigError> {
        let controller_names = values.list("controller.listener.names").to_vec();
        let protocols = security_protocols(values, set, &controller_names)?;
        let listeners = parse_listeners("listeners", values.list("listeners"), &protocols)?;
        check_distinct_ports(&listeners)?;
        let advertised = match values.optional_list("advertised.listeners") {
            Some(entries) => parse_listeners("advertised.listeners", entries, &protocols)?,
            None => listeners.clone(),
        };
        let inter_broker_name = inter_broker_name(values, set, &protocols)?;
        let is_controllers = |listener: &Listener| controller_names.contains(&listener.name);
        let named_controller = controller_names.iter().filter_map(|name| {
            let mut candidates = advertised.iter().chain(&listeners);
            candidates.find(|listener| listener.name == *name).cloned()
        });
        let result = Self {
            advertised_controller: if roles.controller {
                named_controller.collect()
            } else {
                Vec::new()
            },
            advertised: advertised
                .iter()
                .filter(|one| !is_controllers(one))
                .cloned()
                .collect(),
            listeners,
            controller_names,
            inter_broker_name,
        };
        result.check_roles(roles, quorum)?;
        result.check_early_start(values)?;
        if roles.broker {
            result.check_advertised()?;
        }
        result.check_routable()?;
        result.check_supported()?;
        Ok(result)
    }

    /// Which listeners a node has depends on what it is.
    fn check_roles(&self, roles: ProcessRoles, quorum: QuorumKind) -> Result<(), ListenerError> {
        let listens = |name: &String| self.listeners.iter().any(|one| one.name == *name);
        if !roles.controller {
            return match self.controller_names.iter().find(|name| listens(name)) {
                Some(name) => Err(ListenerError::ControllerListenerOnBroker { name: name.clone() }),
                None => Ok(()),
            };
        }
        if !roles.broker
            && let Some(listener) = self.broker_listeners().next()
        {
            let name = listener.name.clone();
            return Err(ListenerError::BrokerListenerOnController { name });
        }
        match self.controller_names.iter().find(|name| !listens(name)) {
            Some(name) if quorum == QuorumKind::Configured => {
                Err(ListenerError::ControllerListenerMissing { name: name.clone() })
            }
            _ => Ok(()),
        }
    }

    fn check_early_start(&self, values: &Values) -> Result<(), ListenerError> {
        for name in values
            .optional_list("early.start.listeners")
            .unwrap_or_default()
        {
            let is_listener = self.listeners.iter().any(|listener| listener.name == *name);
            if !is_listener && !self.controller_names.contains(name) {
                return Err(ListenerError::UnknownEarlyStartListener { name: name.clone() });
            }
        }
        Ok(())
    }

    fn check_advertised(&self) -> Result<(), ListenerError> {
        if self.advertised.is_empty() {
            return Err(ListenerError::NoBrokerListener);
        }
        if !self
            .advertised
            .iter()
            .any(|listener| listener.name == self.inter_broker_name)
        {
            let names: Vec<&str> = self
                .advertised
                .iter()
                .map(|one| one.name.as_str())
                .collect();
            return Err(ListenerError::InterBrokerListenerNotAdvertised {
                name: self.inter_broker_name.clone(),
                valid: names.join(","),
            });
        }
        for advertised in &self.advertised {
            if !self
                .listeners
                .iter()
                .any(|listener| listener.name == advertised.name)
            {
                let name = advertised.name.clone();
                return Err(ListenerError::AdvertisedButNotListenedOn { name });
            }
        }
        Ok(())
    }

    fn check_routable(&self) -> Result<(), ListenerError> {
        match self
            .advertised
            .iter()
            .find(|listener| listener.host == "0.0.0.0")
        {
            Some(listener) => Err(ListenerError::UnroutableAddress {
                name: listener.name.clone(),
            }),
            None => Ok(()),
        }
    }

    fn check_supported(&self) -> Result<(), ListenerError> {
        for listener in self.listeners.iter().chain(&self.advertised) {
            if listener.security_protocol != SecurityProtocol::Plaintext {
                return Err(ListenerError::UnsupportedSecurityProtocol {
                    name: listener.name.clone(),
                    protocol: listener.security_protocol,
                });
            }
        }
        Ok(())
    }
}

/// `listener.security.protocol.map`, and PLAINTEXT for the controllers' listeners when the map is
/// not set and no listener is named after a secured protocol.
fn security_protocols(
    values: &Values,
    set: &ConfigMap,
    controller_names: &[String],
) -> Result<BTreeMap<String, SecurityProtocol>, ListenerError> {
    let mut protocols = BTreeMap::new();
    let map = values.string("listener.security.protocol.map");
    for entry in map
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
    {
        let malformed = || ListenerError::MalformedProtocolMap {
            entry: entry.to_owned(),
        };
        let (name, protocol) = entry.rsplit_once(':').ok_or_else(malformed)?;
        let protocol = protocol.trim();
        let unknown = || ListenerError::UnknownSecurityProtocol {
            protocol: protocol.to_owned(),
        };
        let known = SecurityProtocol::from_name(protocol).ok_or_else(unknown)?;
        protocols.insert(name.trim().to_ascii_uppercase(), known);
    }
    let is_secured = |name: &str| matches!(name, "SSL" | "SASL_SSL" | "SASL_PLAINTEXT");
    let entry_name = |entry: &String| entry.split("://").next().unwrap_or_default().to_owned();
    let is_any_secured = controller_names.iter().any(|name| is_secured(name))
        || values
            .list("listeners")
            .iter()
            .any(|entry| is_secured(&entry_name(entry)));
    if !set.contains_key("listener.security.protocol.map") && !is_any_secured {
        for name in controller_names {
            protocols
                .entry(name.clone())
                .or_insert(SecurityProtocol::Plaintext);
        }
    }
    Ok(protocols)
}

fn parse_listeners(
    property: &'static str,
    entries: &[String],
    protocols: &BTreeMap<String, SecurityProtocol>,
) -> Result<Vec<Listener>, ListenerError> {
    let mut listeners: Vec<Listener> = Vec::with_capacity(entries.len());
    for entry in entries {
        let listener = parse_listener(property, entry, protocols)?;
        if listeners
            .iter()
            .any(|earlier| earlier.name == listener.name)
        {
            return Err(ListenerError::DuplicateName {
                property,
                name: listener.name,
            });
        }
        listeners.push(listener);
    }
    Ok(listeners)
}

fn parse_listener(
    property: &'static str,
    entry: &str,
    protocols: &BTreeMap<String, SecurityProtocol>,
) -> Result<Listener, ListenerError> {
    let malformed = || ListenerError::Malformed {
        property,
        entry: entry.to_owned(),
    };
    let (name, address) = entry.split_once("://").ok_or_else(malformed)?;
    let (host, port) = address.rsplit_once(':').ok_or_else(malformed)?;
    let host = host.strip_prefix('[').unwrap_or(host);
    let host = host.strip_suffix(']').unwrap_or(host);
    let is_host = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '-' | '%' | '.' | '_' | ':')
    };
    let digits = port.strip_prefix('-').unwrap_or(port);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if name.trim().is_empty() || !host.chars().all(is_host) || !is_number {
        return Err(malformed());
    }
    let port = port
        .parse::<u16>()
        .map_err(|_| ListenerError::PortOutOfRange {
            property,
            entry: entry.to_owned(),
        })?;
    let name = name.to_ascii_uppercase();
    match protocols.get(&name) {
        Some(&security_protocol) => Ok(Listener {
            name,
            host: host.to_owned(),
            port,
            security_protocol,
        }),
        None => Err(ListenerError::NoSecurityProtocol { name }),
    }
}

fn is_ipv4(host: &str) -> bool {
    host.parse::<std::net::Ipv4Addr>().is_ok()
}

fn is_ipv6(host: &str) -> bool {
    host.parse::<std::net::Ipv6Addr>().is_ok()
}

/// Ports differ, except 0 and those that an IPv4 and an IPv6 address share.
fn check_distinct_ports(listeners: &[Listener]) -> Result<(), ListenerError> {
    for (index, listener) in listeners.iter().enumerate() {
        for earlier in listeners.iter().take(index) {
            let is_same_port = earlier.port == listener.port && listener.port != 0;
            let is_pair = (is_ipv4(&earlier.host) && is_ipv6(&listener.host))
                || (is_ipv6(&earlier.host) && is_ipv4(&listener.host));
            if is_same_port && !is_pair {
                let port = listener.port;
                return Err(ListenerError::DuplicatePort {
                    property: "listeners",
                    port,
                });
            }
        }
    }
    Ok(())
}

fn inter_broker_name(
    values: &Values,
    set: &ConfigMap,
    protocols: &BTreeMap<String, SecurityProtocol>,
) -> Result<String, ConfigError> {
    let Some(name) = values.optional_string("inter.broker.listener.name") else {
        return Ok(values.string("security.inter.broker.protocol").to_owned());
    };
    if set.contains_key("security.inter.broker.protocol") {
        return Err(Conflict::InterBrokerListenerTwice.into());
    }
    let name = name.to_ascii_uppercase();
    if protocols.contains_key(&name) {
        Ok(name)
    } else {
        Err(ListenerError::UnknownInterBrokerListener { name }.into())
    }
}
