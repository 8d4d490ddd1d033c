//! Where log lines go, and how much is logged.

use std::io::{self, IsTerminal};

use ottla_broker::LogLevels;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The environment variable that sets levels, such as `debug` or `ottla_storage=trace`.
const LEVELS_VARIABLE: &str = "RUST_LOG";

/// Logs to standard error from now on. What it returns changes the levels while running.
pub fn start() -> LogLevels {
    let filter =
        EnvFilter::try_from_env(LEVELS_VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    let (filter, handle) = tracing_subscriber::reload::Layer::new(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .init();
    LogLevels::new(move |directives| {
        EnvFilter::try_new(directives).is_ok_and(|filter| handle.reload(filter).is_ok())
    })
}
