//! What values a property takes: the rule of one property, without regard to the others.
//!
//! Source: the validators that Kafka attaches to its properties; `Display` gives their printed
//! form.

use std::fmt;

use crate::duration::parse_iso_duration_ms;
use crate::value::{Value, ValueError, ValueType, java_double};

/// The rule for the values of one property.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Valid {
    /// Every value of the type.
    Any,
    /// A number not below the first and not above the second; no value at all is refused.
    Range(f64, Option<f64>),
    /// A gzip level: 1 to 9, or -1 for the library's own choice.
    GzipLevel,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// One of these texts, in any case.
    OneOfIgnoringCase(&'static [&'static str]),
    /// A list.
    List(ListRule),
    /// Any text, but not none.
    NonNull,
    /// Any text but the empty one.
    NonEmpty,
    /// A list of `{id}@{host}:{port}`.
    QuorumVoters,
    /// A list of `{host}:{port}`.
    QuorumBootstrapServers,
    /// A list of `{partition}:{broker}`, or `*`.
    ThrottledReplicas,
    /// `latest`, `earliest` or `by_duration:` and an ISO 8601 duration.
    AutoOffsetReset,
}

/// The rule for a list. No value may be empty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ListRule {
    /// The values it may hold; none means every value.
    pub values: &'static [&'static str],
    /// How little it may hold.
    pub least: LeastList,
}

/// How little a list may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeastList {
    /// No list at all, or an empty one.
    Null,
    /// No list at all; a list that is there has a value.
    NullOrOneValue,
    /// An empty list.
    Empty,
    /// One value.
    OneValue,
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidReason {
    /// Neither `true` nor `false`.
    NotABoolean,
    /// Not a number of this type.
    NotANumber(ValueType),
    /// There must be a value.
    Null,
    /// Below the least value, printed as Kafka does.
    BelowMinimum(String),
    /// Above the greatest value, printed as Kafka does.
    AboveMaximum(String),
    /// Not a gzip level.
    NotAGzipLevel,
    /// Not one of the texts.
    NotOneOf(&'static [&'static str]),
    /// Not one of the texts in any case.
    NotOneOfIgnoringCase(&'static [&'static str]),
    /// The empty text.
    EmptyText,
    /// The empty list.
    EmptyList,
    /// A list with an empty value.
    EmptyListValue,
    /// An entry that is not `{id}@{host}:{port}`.
    NotAVoter,
    /// An entry that is not `{host}:{port}`.
    NotABootstrapServer,
    /// Not `*` and not a list of `{partition}:{broker}`.
    NotThrottledReplicas,
    /// Not `latest`, `earliest` or `by_duration:` and a duration that is not negative.
    NotAnOffsetReset,
}

impl fmt::Display for InvalidReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotABoolean => f.write_str("Expected value to be either true or false"),
            Self::NotANumber(value_type) => write!(f, "Not a number of type {value_type}"),
            Self::Null => f.write_str("Value must be non-null"),
            Self::BelowMinimum(minimum) => write!(f, "Value must be at least {minimum}"),
            Self::AboveMaximum(maximum) => write!(f, "Value must be no more than {maximum}"),
            Self::NotAGzipLevel => f.write_str("Value must be between 1 and 9 or equal to -1"),
            Self::NotOneOf(texts) => write!(f, "String must be one of: {}", texts.join(", ")),
            Self::NotOneOfIgnoringCase(texts) => {
                write!(
                    f,
                    "String must be one of (case insensitive): {}",
                    texts.join(", ")
                )
            }
            Self::EmptyText => f.write_str("String must be non-empty"),
            Self::EmptyList => f.write_str("The list must not be empty"),
            Self::EmptyListValue => f.write_str("Values of the list must not be empty"),
            Self::NotAVoter => f.write_str("Each entry must have the form {id}@{host}:{port}"),
            Self::NotABootstrapServer => f.write_str("Each entry must have the form {host}:{port}"),
            Self::NotThrottledReplicas => f.write_str(
                "Value must be '*' or a list of [partitionId]:[brokerId] pairs between commas",
            ),
            Self::NotAnOffsetReset => f.write_str(
                "Value must be 'earliest', 'latest' or 'by_duration:' and an ISO 8601 duration \
                 that is not negative, such as by_duration:PT1H",
            ),
        }
    }
}

impl Valid {
    /// Checks the value of property `name`; `None` is Kafka's null.
    pub fn check(&self, name: &str, value: Option<&Value>) -> Result<(), ValueError> {
        self.verdict(value).map_err(|(culprit, reason)| {
            let shown = culprit.or_else(|| value.map(ToString::to_string));
            ValueError::new(name, shown.as_deref().unwrap_or("null"), reason)
        })
    }

    /// The reason of a refusal, and the part of the value that is wrong if it is not the whole.
    fn verdict(&self, value: Option<&Value>) -> Result<(), (Option<String>, InvalidReason)> {
        let whole = |result: Result<(), InvalidReason>| result.map_err(|reason| (None, reason));
        match (self, value) {
            (Self::Any, _) => Ok(()),
            (Self::Range(minimum, maximum), value) => whole(check_range(*minimum, *maximum, value)),
            (Self::GzipLevel, Some(Value::Int(-1 | 1..=9))) => Ok(()),
            (Self::GzipLevel, _) => Err((None, InvalidReason::NotAGzipLevel)),
            (Self::OneOf(texts), Some(Value::String(text))) if texts.contains(&text.as_str()) => {
                Ok(())
            }
            (Self::OneOf(texts), _) => Err((None, InvalidReason::NotOneOf(texts))),
            (Self::OneOfIgnoringCase(texts), Some(Value::String(text)))
                if texts.iter().any(|valid| valid.eq_ignore_ascii_case(text)) =>
            {
                Ok(())
            }
            (Self::OneOfIgnoringCase(texts), _) => {
                Err((None, InvalidReason::NotOneOfIgnoringCase(texts)))
            }
            (Self::List(rule), Some(Value::List(items))) => rule.check(items),
            (Self::List(rule), _) => whole(rule.check_null()),
            (Self::NonNull, None) => Err((None, InvalidReason::Null)),
            (Self::NonEmpty, Some(Value::String(text))) if text.is_empty() => {
                Err((None, InvalidReason::EmptyText))
            }
            (Self::QuorumVoters, Some(Value::List(items))) => {
                check_entries(items, InvalidReason::NotAVoter, |item| {
                    parse_voter(item).is_some()
                })
            }
            (Self::QuorumBootstrapServers, Some(Value::List(items))) => {
                check_entries(items, InvalidReason::NotABootstrapServer, |item| {
                    parse_host_and_port(item).is_some()
                })
            }
            (Self::ThrottledReplicas, Some(Value::List(items))) if is_throttled_list(items) => {
                Ok(())
            }
            (Self::ThrottledReplicas, _) => Err((None, InvalidReason::NotThrottledReplicas)),
            (Self::AutoOffsetReset, Some(Value::String(text))) if is_offset_reset(text) => Ok(()),
            (Self::AutoOffsetReset, _) => Err((None, InvalidReason::NotAnOffsetReset)),
            (Self::NonNull | Self::NonEmpty, _) => Ok(()),
            (Self::QuorumVoters | Self::QuorumBootstrapServers, _) => {
                Err((None, InvalidReason::Null))
            }
        }
    }
}

impl ListRule {
    fn check(&self, items: &[String]) -> Result<(), (Option<String>, InvalidReason)> {
        let needs_value = matches!(self.least, LeastList::OneValue | LeastList::NullOrOneValue);
        if items.is_empty() && needs_value {
            return Err((None, InvalidReason::EmptyList));
        }
        for item in items {
            if item.is_empty() {
                return Err((None, InvalidReason::EmptyListValue));
            }
            if !self.values.is_empty() && !self.values.contains(&item.as_str()) {
                return Err((Some(item.clone()), InvalidReason::NotOneOf(self.values)));
            }
        }
        Ok(())
    }

    fn check_null(&self) -> Result<(), InvalidReason> {
        match self.least {
            LeastList::Null | LeastList::NullOrOneValue => Ok(()),
            LeastList::Empty | LeastList::OneValue => Err(InvalidReason::Null),
        }
    }
}

fn check_range(
    minimum: f64,
    maximum: Option<f64>,
    value: Option<&Value>,
) -> Result<(), InvalidReason> {
    let number = match value {
        Some(Value::Int(number)) => f64::from(*number),
        Some(Value::Short(number)) => f64::from(*number),
        // The bounds are small, so the rounding of large numbers does not matter.
        Some(Value::Long(number)) => *number as f64,
        Some(Value::Double(number)) => *number,
        _ => return Err(InvalidReason::Null),
    };
    if number < minimum {
        return Err(InvalidReason::BelowMinimum(bound_text(minimum)));
    }
    match maximum {
        Some(maximum) if number > maximum => Err(InvalidReason::AboveMaximum(bound_text(maximum))),
        _ => Ok(()),
    }
}

/// A bound as Kafka prints it: without a fraction when it is whole.
fn bound_text(bound: f64) -> String {
    if bound.fract() == 0.0 {
        format!("{bound:.0}")
    } else {
        java_double(bound)
    }
}

fn check_entries(
    items: &[String],
    reason: InvalidReason,
    is_valid: impl Fn(&str) -> bool,
) -> Result<(), (Option<String>, InvalidReason)> {
    match items.iter().find(|item| !is_valid(item)) {
        Some(item) => Err((Some(item.clone()), reason)),
        None => Ok(()),
    }
}

/// Splits `{id}@{host}:{port}`.
pub(crate) fn parse_voter(entry: &str) -> Option<(i32, &str, i32)> {
    let (id, address) = entry.split_once('@')?;
    let (host, port) = parse_host_and_port(address)?;
    Some((id.parse().ok()?, host, port))
}

/// Splits `{host}:{port}`; an IPv6 address stands in brackets.
pub(crate) fn parse_host_and_port(entry: &str) -> Option<(&str, i32)> {
    let (host, port) = entry.rsplit_once(':')?;
    let host = host.strip_prefix('[').unwrap_or(host);
    let host = host.strip_suffix(']').unwrap_or(host);
    let is_host = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '-' | '%' | '.' | '_' | ':')
    };
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    if host.is_empty() || !host.chars().all(is_host) || !is_number {
        return None;
    }
    Some((host, port.parse().ok()?))
}

fn is_throttled_list(items: &[String]) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_pair = |item: &String| {
        item.split_once(':')
            .is_some_and(|(partition, broker)| is_number(partition) && is_number(broker))
    };
    // A comma at the end is let through, as Kafka does.
    let pairs = match items {
        [pairs @ .., last] if last.is_empty() => pairs,
        _ => items,
    };
    pairs.iter().all(is_pair) || items.first().is_some_and(|item| item == "*")
}

fn is_offset_reset(text: &str) -> bool {
    match text.split_once(':') {
        None => text == "latest" || text == "earliest",
        Some(("by_duration", duration)) => {
            parse_iso_duration_ms(duration).is_some_and(|duration_ms| duration_ms >= 0)
        }
        Some(_) => false,
    }
}

/// Kafka's printed form; empty where Kafka prints none.
impl fmt::Display for Valid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => Ok(()),
            Self::Range(minimum, None) => write!(f, "[{},...]", bound_text(*minimum)),
            Self::Range(minimum, Some(maximum)) => {
                write!(f, "[{},...,{}]", bound_text(*minimum), bound_text(*maximum))
            }
            Self::GzipLevel => f.write_str("[1,...,9] or -1"),
            Self::OneOf(texts) => write!(f, "[{}]", texts.join(", ")),
            Self::OneOfIgnoringCase(texts) => {
                write!(f, "(case insensitive) [{}]", texts.join(", "))
            }
            Self::List(rule) if rule.values.is_empty() => Ok(()),
            Self::List(rule) => write!(f, "[{}]", rule.values.join(", ")),
            Self::NonNull => f.write_str("non-null string"),
            Self::NonEmpty => f.write_str("non-empty string"),
            Self::QuorumVoters | Self::QuorumBootstrapServers => f.write_str("non-empty list"),
            Self::ThrottledReplicas => {
                f.write_str("[partitionId]:[brokerId],[partitionId]:[brokerId],...")
            }
            Self::AutoOffsetReset => f.write_str("[latest, earliest, by_duration:PnDTnHnMn.nS]"),
        }
    }
}

#[cfg(test)]
mod tests;
