//! Log lines on standard error: text on a terminal, JSON otherwise.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::args::Global;

/// Starts logging. `RUST_LOG` overrides the level; `NO_COLOR` is honoured.
pub(crate) fn start(global: &Global) {
    let level = if global.quiet {
        "error"
    } else {
        "warn,revtrail=info,revtrail_harvest=info"
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let registry = tracing_subscriber::registry().with(filter);
    let terminal = std::io::stderr().is_terminal();
    let started = if terminal {
        let color = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        registry
            .with(
                fmt::layer()
                    .with_writer(std::io::stderr)
                    .with_target(false)
                    .with_ansi(color),
            )
            .try_init()
    } else {
        registry
            .with(
                fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_writer(std::io::stderr),
            )
            .try_init()
    };
    if started.is_err() {
        tracing::debug!("logging was started already");
    }
}
