//! `ottla config explain`: what properties are for, from the tables that the broker itself uses.

use ottla_config::table::{self, DefaultValue, Effect, Property, Table, UpdateMode};
use serde::Serialize;

use crate::arguments::PropertyKind;
use crate::failure::Failure;
use crate::output::{Format, print_json, print_text, size_text};

#[derive(Serialize)]
struct Explanation {
    kind: &'static str,
    name: &'static str,
    r#type: &'static str,
    default: Option<&'static str>,
    required: bool,
    valid: Option<String>,
    importance: &'static str,
    update: &'static str,
    broker_default: Option<&'static str>,
    no_effect: Option<String>,
    doc: &'static str,
}

/// Explains the properties whose names are in `names` or contain one of them, or all.
pub fn run(format: Format, names: &[String], kind: Option<PropertyKind>) -> Result<(), Failure> {
    let tables: [(PropertyKind, &'static str, &Table); 4] = [
        (PropertyKind::Broker, "broker", &table::BROKER),
        (PropertyKind::Topic, "topic", &table::TOPIC),
        (PropertyKind::Group, "group", &table::GROUP),
        (
            PropertyKind::ClientMetrics,
            "client-metrics",
            &table::CLIENT_METRICS,
        ),
    ];
    let tables: Vec<_> = tables
        .into_iter()
        .filter(|(one, _, _)| kind.is_none_or(|kind| kind == *one))
        .collect();
    let of = |matches: &dyn Fn(&str) -> bool| -> Vec<Explanation> {
        let explained = tables.iter().flat_map(|(_, kind, table)| {
            let found = table.iter().filter(|property| matches(property.name));
            found.map(|property| explanation(kind, property))
        });
        explained.collect()
    };
    let mut found = Vec::new();
    for name in names {
        let mut explained = of(&|property| property == name);
        if explained.is_empty() {
            explained = of(&|property| property.contains(name.as_str()));
        }
        if explained.is_empty() {
            let suggestion = tables.iter().find_map(|(_, _, table)| table.suggest(name));
            return Err(Failure::UnknownProperty {
                name: name.clone(),
                suggestion,
            });
        }
        found.extend(explained);
    }
    if names.is_empty() {
        found = of(&|_| true);
    }
    match format {
        Format::Json => print_json(&found)?,
        Format::Table => {
            let texts: Vec<String> = found.iter().map(Explanation::text).collect();
            print_text(&texts.join("\n"))?;
        }
    }
    Ok(())
}

fn explanation(kind: &'static str, property: &'static Property) -> Explanation {
    let valid = property.valid.to_string();
    Explanation {
        kind,
        name: property.name,
        r#type: property.value_type.name(),
        default: property.default_text(),
        required: property.default == DefaultValue::Required,
        valid: (!valid.is_empty()).then_some(valid),
        importance: property.importance.name(),
        update: match property.update {
            UpdateMode::ReadOnly => "before a start",
            UpdateMode::PerBroker => "while running, on one broker",
            UpdateMode::ClusterWide => "while running, on one broker or all",
            UpdateMode::PerResource => "at any time",
        },
        broker_default: property.broker_synonym,
        no_effect: match property.effect {
            Effect::Acts => None,
            Effect::Accepted(reason) => Some(reason.to_string()),
        },
        doc: property.doc,
    }
}

/// Milliseconds and bytes as people read them, where that says more.
fn readable(name: &str, value: &str) -> Option<String> {
    let number: u64 = value.parse().ok()?;
    match name.rsplit('.').next()? {
        "ms" => {
            let units = [
                ("days", 86_400_000),
                ("hours", 3_600_000),
                ("minutes", 60_000),
            ];
            let (unit, unit_ms) = units
                .into_iter()
                .find(|(_, unit_ms)| number >= 2 * unit_ms && number.is_multiple_of(*unit_ms))?;
            Some(format!("{} {unit}", number / unit_ms))
        }
        "bytes" if (1024..1 << 60).contains(&number) => Some(size_text(number)),
        _ => None,
    }
}

impl Explanation {
    fn text(&self) -> String {
        let mut text = format!("{} ({})\n  {}\n", self.name, self.kind, self.doc);
        let default = match (self.required, self.default) {
            (true, _) => "none, it must be set".to_owned(),
            (false, None) => "not set".to_owned(),
            (false, Some("")) => "empty".to_owned(),
            (false, Some(default)) => match readable(self.name, default) {
                Some(readable) => format!("{default} ({readable})"),
                None => default.to_owned(),
            },
        };
        text.push_str(&format!("  type {}, default {default}", self.r#type));
        if let Some(broker) = self.broker_default {
            text.push_str(&format!(" (the broker's {broker})"));
        }
        if let Some(valid) = &self.valid {
            text.push_str(&format!(", valid {valid}"));
        }
        text.push_str(&format!("\n  can be changed {}", self.update));
        if let Some(reason) = &self.no_effect {
            text.push_str(&format!("\n  accepted without effect: {reason}"));
        }
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn numbers_are_readable() {
        for (name, value, expected) in [
            ("retention.ms", "604800000", Some("7 days")),
            ("log.flush.interval.ms", "9223372036854775807", None),
            ("a.ms", "300000", Some("5 minutes")),
            ("a.ms", "90000", None),
            ("segment.bytes", "1073741824", Some("1.0 GiB")),
            ("a.bytes", "-1", None),
            ("num.partitions", "1024", None),
        ] {
            assert_eq!(readable(name, value).as_deref(), expected, "{name}={value}");
        }
    }
}
