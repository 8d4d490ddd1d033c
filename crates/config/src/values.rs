//! The parsed values of all properties of one table.

use std::collections::{BTreeMap, HashMap};

use crate::table::{self, DefaultValue, Table};
use crate::value::{Value, ValueError};

/// Names and texts of properties that someone set.
pub type ConfigMap = BTreeMap<String, String>;

/// One value, or none, for each property of a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Values {
    by_name: HashMap<&'static str, Option<Value>>,
}

/// Why a set of properties does not parse.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ParseError {
    /// A property without a default is not set.
    Missing(&'static str),
    /// A value is refused.
    Invalid(ValueError),
}

impl From<ValueError> for ParseError {
    fn from(error: ValueError) -> Self {
        Self::Invalid(error)
    }
}

impl Values {
    /// Parses what is set, and the defaults of what is not. Unknown names are left out.
    pub(crate) fn parse(table: &Table, set: &ConfigMap) -> Result<Self, ParseError> {
        let mut by_name = HashMap::new();
        for property in table.iter() {
            let value = match (set.get(property.name), property.default) {
                (Some(text), _) => Some(property.parse(text)?),
                (None, DefaultValue::Text(text)) => {
                    Some(property.value_type.parse(property.name, text)?)
                }
                (None, DefaultValue::Null) => None,
                (None, DefaultValue::Required) => return Err(ParseError::Missing(property.name)),
            };
            by_name.insert(property.name, value);
        }
        Ok(Self { by_name })
    }

    /// The defaults of a table in which every property has one.
    pub(crate) fn of_defaults(table: &Table) -> Self {
        Self::parse(table, &ConfigMap::new())
            .unwrap_or_else(|error| panic!("the defaults of a table must parse: {error:?}"))
    }

    /// Puts another value in the place of a default.
    pub(crate) fn replace(&mut self, name: &'static str, value: Option<Value>) {
        let replaced = self.by_name.insert(name, value);
        assert!(replaced.is_some(), "{name} must be a property of the table");
    }

    /// The value of a property of the table, `None` when it is null.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        let value = self.by_name.get(name);
        value
            .unwrap_or_else(|| panic!("{name} must be a property of the table"))
            .as_ref()
    }

    pub(crate) fn optional_int(&self, name: &str) -> Option<i32> {
        match self.get(name)? {
            Value::Int(value) => Some(*value),
            Value::Short(value) => Some(i32::from(*value)),
            other => wrong_type(name, other),
        }
    }

    pub(crate) fn optional_long(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Value::Long(value) => Some(*value),
            other => wrong_type(name, other),
        }
    }

    pub(crate) fn optional_string(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::String(value) => Some(value),
            other => wrong_type(name, other),
        }
    }

    pub(crate) fn optional_list(&self, name: &str) -> Option<&[String]> {
        match self.get(name)? {
            Value::List(value) => Some(value),
            other => wrong_type(name, other),
        }
    }

    pub(crate) fn int(&self, name: &str) -> i32 {
        self.optional_int(name).unwrap_or_else(|| no_value(name))
    }

    /// The INT that `text` gives in the place of the value of `name`, or that value.
    pub(crate) fn int_with_override(
        &self,
        name: &'static str,
        text: Option<&String>,
    ) -> Result<i32, ValueError> {
        match (text, table::BROKER.get(name)) {
            (Some(text), Some(property)) => match property.parse(text)? {
                Value::Int(value) => Ok(value),
                other => wrong_type(name, &other),
            },
            _ => Ok(self.int(name)),
        }
    }

    pub(crate) fn long(&self, name: &str) -> i64 {
        self.optional_long(name).unwrap_or_else(|| no_value(name))
    }

    pub(crate) fn boolean(&self, name: &str) -> bool {
        match self.get(name) {
            Some(Value::Boolean(value)) => *value,
            Some(other) => wrong_type(name, other),
            None => no_value(name),
        }
    }

    pub(crate) fn string(&self, name: &str) -> &str {
        self.optional_string(name).unwrap_or_else(|| no_value(name))
    }

    pub(crate) fn list(&self, name: &str) -> &[String] {
        self.optional_list(name).unwrap_or_else(|| no_value(name))
    }
}

fn wrong_type(name: &str, value: &Value) -> ! {
    panic!("{name} has another type in its table than the one asked for: {value}")
}

fn no_value(name: &str) -> ! {
    panic!("{name} has a null default in its table and is asked for as if it had none")
}
