//! Progress of a run: a bar on a terminal, log lines otherwise.

use std::{io::IsTerminal as _, sync::Mutex};

use indicatif::{ProgressBar, ProgressStyle};
use revtrail_harvest::Step;

use crate::args::Global;

/// Shows the steps of a run.
pub(crate) struct Progress {
    bar: Option<Mutex<ProgressBar>>,
}

impl Progress {
    pub(crate) fn new(global: &Global) -> Self {
        let shown = std::io::stderr().is_terminal() && !global.quiet;
        let style = ProgressStyle::with_template("{spinner} {msg} [{bar:30}] {pos}/{len}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        Self {
            bar: shown.then(|| Mutex::new(ProgressBar::new(0).with_style(style))),
        }
    }

    pub(crate) fn step(&self, step: &Step) {
        let Some(bar) = &self.bar else { return log(step) };
        let Ok(bar) = bar.lock() else { return };
        match step {
            Step::Feed { folder, pending } => {
                bar.set_length(*pending as u64);
                bar.set_position(0);
                bar.set_message(format!("{folder}: revisions"));
            }
            Step::Revisions { pending, .. } => {
                bar.set_position(bar.length().unwrap_or(0).saturating_sub(*pending as u64));
            }
            Step::Snapshot { size, events } => {
                bar.println(format!("committed a snapshot: {events} events, tree size {size}"));
            }
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar
            && let Ok(bar) = bar.lock()
        {
            bar.finish_and_clear();
        }
    }
}

fn log(step: &Step) {
    match step {
        Step::Feed { folder, pending } => {
            tracing::info!(%folder, items.pending = pending, "read the change feed");
        }
        Step::Revisions { folder, pending } => {
            tracing::debug!(%folder, items.pending = pending, "listed revisions");
        }
        Step::Snapshot { .. } => {}
    }
}
