//! Types and values of properties, with Kafka's parsing and printing.
//!
//! Source: the behaviour of `org.apache.kafka.common.config.ConfigDef`.

use std::fmt;

use thiserror::Error;

use crate::valid::InvalidReason;

/// The type of a property. Shown by DescribeConfigs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// `true` or `false`.
    Boolean,
    /// Text.
    String,
    /// A 32-bit integer.
    Int,
    /// A 16-bit integer.
    Short,
    /// A 64-bit integer.
    Long,
    /// A 64-bit floating point number.
    Double,
    /// Texts between commas.
    List,
    /// The name of a Java class.
    Class,
    /// Text that is never shown.
    Password,
}

impl ValueType {
    /// Kafka's name of the type, such as `INT`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Int => "INT",
            Self::Short => "SHORT",
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::List => "LIST",
            Self::Class => "CLASS",
            Self::Password => "PASSWORD",
        }
    }

    /// The `ConfigType` of DescribeConfigsResponse. Source: protocol field `ConfigType`.
    pub fn wire_id(self) -> i8 {
        match self {
            Self::Boolean => 1,
            Self::String => 2,
            Self::Int => 3,
            Self::Short => 4,
            Self::Long => 5,
            Self::Double => 6,
            Self::List => 7,
            Self::Class => 8,
            Self::Password => 9,
        }
    }

    /// Parses the text of property `name`. White space around it does not count.
    pub fn parse(self, name: &str, text: &str) -> Result<Value, ValueError> {
        let trimmed = text.trim_matches(|character| character <= ' ');
        let number = |value: Option<Value>| {
            value.ok_or_else(|| ValueError::new(name, text, InvalidReason::NotANumber(self)))
        };
        match self {
            Self::Boolean if trimmed.eq_ignore_ascii_case("true") => Ok(Value::Boolean(true)),
            Self::Boolean if trimmed.eq_ignore_ascii_case("false") => Ok(Value::Boolean(false)),
            Self::Boolean => Err(ValueError::new(name, text, InvalidReason::NotABoolean)),
            Self::String => Ok(Value::String(trimmed.to_owned())),
            Self::Int => number(trimmed.parse().ok().map(Value::Int)),
            Self::Short => number(trimmed.parse().ok().map(Value::Short)),
            Self::Long => number(trimmed.parse().ok().map(Value::Long)),
            Self::Double => number(parse_double(trimmed).map(Value::Double)),
            Self::List => Ok(Value::List(split_list(trimmed))),
            Self::Class => Ok(Value::Class(trimmed.to_owned())),
            Self::Password => Ok(Value::Password(trimmed.to_owned())),
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A parsed value of a property.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Boolean(bool),
    /// Text.
    String(String),
    /// A 32-bit integer.
    Int(i32),
    /// A 16-bit integer.
    Short(i16),
    /// A 64-bit integer.
    Long(i64),
    /// A 64-bit floating point number.
    Double(f64),
    /// Texts between commas.
    List(Vec<String>),
    /// The name of a Java class.
    Class(String),
    /// Text that neither `Debug` nor `Display` shows.
    Password(String),
}

impl Value {
    /// A list with each of its values once.
    fn without_repetitions_of(items: Vec<String>) -> Vec<String> {
        let mut kept: Vec<String> = Vec::with_capacity(items.len());
        for item in items {
            if !kept.contains(&item) {
                kept.push(item);
            }
        }
        kept
    }

    /// The value, each item of a list once.
    pub(crate) fn without_repetitions(self) -> Self {
        match self {
            Self::List(items) => Self::List(Self::without_repetitions_of(items)),
            other => other,
        }
    }
}

/// What is shown in place of a password.
pub const HIDDEN_PASSWORD: &str = "[hidden]";

/// As Kafka prints it: lists with commas, doubles as Java writes them, passwords hidden.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Short(value) => value.fmt(f),
            Self::Long(value) => value.fmt(f),
            Self::Double(value) => f.write_str(&java_double(*value)),
            Self::String(value) | Self::Class(value) => f.write_str(value),
            Self::List(items) => f.write_str(&items.join(",")),
            Self::Password(_) => f.write_str(HIDDEN_PASSWORD),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A value that its property does not take. The message is Kafka's in shape.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("Invalid value {value} for configuration {name}: {reason}")]
pub struct ValueError {
    /// The property.
    pub name: String,
    /// The value as it was given, `null` when there was none.
    pub value: String,
    /// What is wrong with it.
    pub reason: InvalidReason,
}

impl ValueError {
    pub(crate) fn new(name: &str, value: &str, reason: InvalidReason) -> Self {
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
            reason,
        }
    }
}

/// Splits at commas with the white space around them; an empty text is an empty list.
fn split_list(trimmed: &str) -> Vec<String> {
    if trimmed.is_empty() {
        return Vec::new();
    }
    trimmed
        .split(',')
        .map(|item| item.trim_matches(is_java_space).to_owned())
        .collect()
}

/// What `\s` matches in a Java pattern.
fn is_java_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r')
}

/// What Java's `Double.parseDouble` takes, except its hexadecimal form.
fn parse_double(trimmed: &str) -> Option<f64> {
    let unsigned = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    if unsigned == "NaN" {
        return Some(f64::NAN);
    }
    if unsigned == "Infinity" {
        let is_negative = trimmed.starts_with('-');
        return Some(if is_negative {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        });
    }
    if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    trimmed
        .strip_suffix(['f', 'F', 'd', 'D'])
        .unwrap_or(trimmed)
        .parse()
        .ok()
}

/// The text that Java prints for a double.
pub(crate) fn java_double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text.as_str(), "0"));
    let fraction = if mantissa.contains('.') { "" } else { ".0" };
    format!("{mantissa}{fraction}E{exponent}")
}

#[cfg(test)]
mod tests;
