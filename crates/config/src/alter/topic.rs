//! What a topic may set.

use crate::broker_config::BrokerConfig;
use crate::table;
use crate::values::ConfigMap;

use super::AlterError;

/// This version has no tiered storage, so no topic may use it.
pub(super) fn check(broker: &BrokerConfig, altered: &ConfigMap) -> Result<(), AlterError> {
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
    if values.boolean("remote.storage.enable") {
        return Err(AlterError::TieredStorageDisabled);
    }
    Ok(())
}
