//! The one place that reads the wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock;

impl Clock {
    /// Milliseconds since the epoch.
    pub fn now_ms(self) -> i64 {
        let elapsed = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
    }
}
