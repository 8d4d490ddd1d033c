//! One row of a table, and the notation in which the tables write it.

use std::fmt;

use crate::valid::Valid;
use crate::value::{Value, ValueError, ValueType};

/// Everything that is known of one property.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// Its name, Kafka's letter for letter.
    pub name: &'static str,
    /// The type of its values.
    pub value_type: ValueType,
    /// The value when none is set.
    pub default: DefaultValue,
    /// Which values of the type it takes.
    pub valid: Valid,
    /// How much an operator should care.
    pub importance: Importance,
    /// Where and when it may be changed.
    pub update: UpdateMode,
    /// Of a topic's or group's property: the broker property that holds its default, if any.
    pub broker_synonym: Option<&'static str>,
    /// Whether it is for Kafka's own tests; such a property is described only when it is set.
    pub is_internal: bool,
    /// Whether setting it changes anything.
    pub effect: Effect,
    /// What it is for, in a sentence.
    pub doc: &'static str,
}

impl Property {
    /// Parses `text` and checks it against the rule of this property alone. What a list repeats
    /// is dropped, as Kafka does.
    pub fn parse(&self, text: &str) -> Result<Value, ValueError> {
        let value = self
            .value_type
            .parse(self.name, text)?
            .without_repetitions();
        self.valid.check(self.name, Some(&value))?;
        Ok(value)
    }

    /// The default's text; `None` when it is null or when there is none.
    pub fn default_text(&self) -> Option<&'static str> {
        match self.default {
            DefaultValue::Text(text) => Some(text),
            DefaultValue::Null | DefaultValue::Required => None,
        }
    }

    /// Whether its value must never be shown.
    pub fn is_sensitive(&self) -> bool {
        self.value_type == ValueType::Password
    }
}

/// The value of a property that is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultValue {
    /// There is none, the property must be set.
    Required,
    /// No value.
    Null,
    /// The value of this text.
    Text(&'static str),
}

/// How much an operator should care about a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    /// Most clusters set it.
    High,
    /// Some clusters set it.
    Medium,
    /// Few clusters set it.
    Low,
}

impl Importance {
    /// Kafka's name of the importance, such as `HIGH`.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "HIGH",
            Self::Medium => "MEDIUM",
            Self::Low => "LOW",
        }
    }
}

/// Where and when a property may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateMode {
    /// In `server.properties`, before a start.
    ReadOnly,
    /// While the broker runs, for one broker.
    PerBroker,
    /// While the broker runs, for one broker or as the default of all.
    ClusterWide,
    /// At any time, on the topic, group, subscription or quota entity it belongs to.
    PerResource,
}

impl UpdateMode {
    /// Kafka's name of the mode, such as `cluster-wide`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::PerBroker => "per-broker",
            Self::ClusterWide => "cluster-wide",
            Self::PerResource => "per-resource",
        }
    }
}

/// Whether setting a property changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It does what it says.
    Acts,
    /// It is checked, kept and described, and changes nothing, for this reason.
    Accepted(Reason),
}

/// Why a property is accepted without effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It names Java code to load or configures the Java runtime.
    Java,
    /// It sizes a thread pool or queue that Ottla does not have.
    Threads,
    /// It tunes a part of Kafka's insides that Ottla builds differently.
    Internals,
    /// It overrides a property for one listener that Kafka has no listener override for.
    ListenerOverride,
    /// It belongs to a feature that this version does not have.
    Feature(Feature),
}

/// A feature that this version does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Deletion of old segments by time and size.
    Retention,
    /// Compaction of logs by key.
    Compaction,
    /// Replication between brokers.
    Replication,
    /// A metadata quorum of several nodes.
    Quorum,
    /// The consumer group protocol of KIP-848.
    ConsumerGroups,
    /// Streams groups (KIP-1071).
    StreamsGroups,
    /// Share groups (KIP-932).
    ShareGroups,
    /// Transactions.
    Transactions,
    /// TLS.
    Tls,
    /// SASL.
    Sasl,
    /// ACLs and other authorization.
    Authorization,
    /// Quotas.
    Quotas,
    /// Metrics.
    Metrics,
    /// Client metrics (KIP-714).
    ClientMetrics,
    /// Tiered storage (KIP-405).
    TieredStorage,
    /// Moving of replicas between log directories.
    LogDirectoryMoves,
    /// Values that config providers resolve.
    ConfigProviders,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Java => f.write_str("it belongs to the Java runtime or names Java code"),
            Self::Threads => f.write_str("Ottla sizes its threads and queues by itself"),
            Self::Internals => f.write_str("it tunes a part of Kafka that Ottla does not have"),
            Self::ListenerOverride => f.write_str("this property is the same for all listeners"),
            Self::Feature(feature) => write!(f, "this version has no {feature}"),
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Retention => "retention by time or size",
            Self::Compaction => "log compaction",
            Self::Replication => "replication",
            Self::Quorum => "metadata quorum of several nodes",
            Self::ConsumerGroups => "consumer group protocol of KIP-848",
            Self::StreamsGroups => "streams groups",
            Self::ShareGroups => "share groups",
            Self::Transactions => "transactions",
            Self::Tls => "TLS",
            Self::Sasl => "SASL",
            Self::Authorization => "authorization",
            Self::Quotas => "quotas",
            Self::Metrics => "metrics",
            Self::ClientMetrics => "client metrics",
            Self::TieredStorage => "tiered storage",
            Self::LogDirectoryMoves => "moving of replicas between log directories",
            Self::ConfigProviders => "config providers",
        })
    }
}

/// Writes a table of properties. A row reads: name, type and default, valid values, importance and
/// update mode (`<-` its broker synonym, `+ internal`), effect, and the documentation.
macro_rules! properties {
    ($($name:literal: $value_type:ident = $default:tt, $valid:expr,
       $importance:ident $update:ident $(<- $synonym:literal)? $(+ $internal:ident)?,
       $effect:expr; $doc:literal)*) => {
        &[$(Property {
            name: $name,
            value_type: ValueType::$value_type,
            default: properties!(@default $default),
            valid: $valid,
            importance: Importance::$importance,
            update: UpdateMode::$update,
            broker_synonym: properties!(@synonym $($synonym)?),
            is_internal: properties!(@internal $($internal)?),
            effect: $effect,
            doc: $doc,
        }),*]
    };
    (@default required) => { DefaultValue::Required };
    (@default null) => { DefaultValue::Null };
    (@default $text:literal) => { DefaultValue::Text($text) };
    (@synonym) => { None };
    (@synonym $synonym:literal) => { Some($synonym) };
    (@internal) => { false };
    (@internal internal) => { true };
}

pub(super) use properties;

/// The short names that the tables use.
pub(super) mod notation {
    pub(in crate::table) use super::{
        DefaultValue, Effect, Feature, Importance, Property, Reason, UpdateMode, properties,
    };
    pub(in crate::table) use crate::valid::Valid::{
        self, Any, AutoOffsetReset, GzipLevel, NonEmpty, NonNull, OneOf, OneOfIgnoringCase,
        QuorumBootstrapServers, QuorumVoters, ThrottledReplicas,
    };
    use crate::valid::{LeastList, ListRule};
    pub(in crate::table) use crate::value::ValueType;

    pub(in crate::table) const ACTS: Effect = Effect::Acts;
    pub(in crate::table) const JAVA: Effect = Effect::Accepted(Reason::Java);
    pub(in crate::table) const THREADS: Effect = Effect::Accepted(Reason::Threads);
    pub(in crate::table) const INTERNALS: Effect = Effect::Accepted(Reason::Internals);

    pub(in crate::table) const fn without(feature: Feature) -> Effect {
        Effect::Accepted(Reason::Feature(feature))
    }

    pub(in crate::table) const fn at_least(minimum: i32) -> Valid {
        Valid::Range(minimum as f64, None)
    }

    pub(in crate::table) const fn between(minimum: f64, maximum: f64) -> Valid {
        Valid::Range(minimum, Some(maximum))
    }

    pub(in crate::table) const LIST: Valid = list_of(&[]);
    pub(in crate::table) const LIST_OR_NULL: Valid = list(&[], LeastList::Null);
    pub(in crate::table) const NON_EMPTY_LIST: Valid = non_empty_list_of(&[]);
    pub(in crate::table) const NON_EMPTY_LIST_OR_NULL: Valid = list(&[], LeastList::NullOrOneValue);

    pub(in crate::table) const fn list_of(values: &'static [&'static str]) -> Valid {
        list(values, LeastList::Empty)
    }

    pub(in crate::table) const fn non_empty_list_of(values: &'static [&'static str]) -> Valid {
        list(values, LeastList::OneValue)
    }

    const fn list(values: &'static [&'static str], least: LeastList) -> Valid {
        Valid::List(ListRule { values, least })
    }
}
