//! What a client metrics subscription may set (KIP-714).

use crate::table;
use crate::value::Value;
use crate::values::ConfigMap;

use super::AlterError;

/// The shortest and longest interval.
const INTERVAL_MS: std::ops::RangeInclusive<i32> = 100..=3_600_000;

/// What a client can be matched by. Source: KIP-714.
const SELECTORS: [&str; 6] = [
    "client_instance_id",
    "client_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];

pub(super) fn check(altered: &ConfigMap) -> Result<(), AlterError> {
    for (name, text) in altered {
        let unknown = || AlterError::UnknownClientMetricsConfig { name: name.clone() };
        let property = table::CLIENT_METRICS.get(name).ok_or_else(unknown)?;
        match (
            property.name,
            property.parse(text).map_err(AlterError::Value)?,
        ) {
            ("interval.ms", Value::Int(interval_ms)) if !INTERVAL_MS.contains(&interval_ms) => {
                return Err(AlterError::ClientMetricsInterval { interval_ms });
            }
            ("match", Value::List(patterns)) => check_patterns(&patterns)?,
            _ => {}
        }
    }
    Ok(())
}

fn check_patterns(patterns: &[String]) -> Result<(), AlterError> {
    for pattern in patterns {
        let selector = pattern.split_once('=').map(|(selector, _)| selector.trim());
        if !selector.is_some_and(|selector| SELECTORS.contains(&selector)) {
            return Err(AlterError::ClientMetricsMatch {
                pattern: pattern.clone(),
            });
        }
    }
    Ok(())
}
