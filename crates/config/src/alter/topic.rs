//! What a topic may set.

use crate::broker_config::BrokerConfig;
use crate::table;
use crate::values::ConfigMap;

use super::AlterError;

pub(super) fn check(
    broker: &BrokerConfig,
    current: &ConfigMap,
    altered: &ConfigMap,
) -> Result<(), AlterError> {
    if let Some(name) = altered.keys().find(|name| table::TOPIC.get(name).is_none()) {
        return Err(AlterError::UnknownTopicConfig { name: name.clone() });
    }
    let values = broker
        .topic_defaults
        .with_overrides(altered)
        .map_err(AlterError::Value)?;
    let min_compaction_lag_ms = values.long("min.compaction.lag.ms");
    let max_compaction_lag_ms = values.long("max.compaction.lag.ms");
    if min_compaction_lag_ms > max_compaction_lag_ms {
        return Err(AlterError::CompactionLag {
            min_compaction_lag_ms,
            max_compaction_lag_ms,
        });
    }
    // This version has no tiered storage, so no topic was ever tiered here; one that another broker
    // tiered keeps its mark.
    let was_tiered = current.get("remote.storage.enable").map(|text| text.trim()) == Some("true");
    if values.boolean("remote.storage.enable") && !was_tiered {
        return Err(AlterError::TieredStorageDisabled);
    }
    Ok(())
}
