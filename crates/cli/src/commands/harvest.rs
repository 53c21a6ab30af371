//! `harvest`: one run of each ledger.

use std::sync::Arc;

use revtrail_harvest::{Step, Summary};
use revtrail_model::{id::LedgerName, leaf::WindowState};
use revtrail_settings::{Config, Ledger};
use serde_json::{Map, Value, json};

use crate::{
    args::{Global, LedgerArg},
    exit::{Exit, Failure},
    output::{Sheet, say},
    progress::Progress,
    wiring,
};

pub(crate) async fn run(global: &Global, args: &LedgerArg) -> Result<Exit, Failure> {
    let config = Config::load(&global.config)?;
    let mut exit = Exit::Done;
    let mut rows = Vec::new();
    for (name, ledger) in wiring::ledgers(&config, args)? {
        match once(global, &config, (name, ledger)).await {
            Ok(summary) => {
                exit = worse(exit, exit_of(&summary));
                rows.extend(summary_rows(name, &summary));
            }
            // Ledgers are independent: one that fails must not keep the others from being harvested.
            Err(failure) => {
                say(&format!("ledger {name}: {}", failure.render()));
                exit = worse(exit, failure.exit);
            }
        }
    }
    let columns = vec![
        "ledger",
        "folder",
        "state",
        "events",
        "gaps",
        "log",
        "tree_size",
        "snapshots",
        "requests",
        "files_listed",
    ];
    if rows.is_empty() {
        return Ok(exit);
    }
    Sheet {
        columns,
        rows,
        about: Map::new(),
        name: "folders",
    }
    .print(global.output)?;
    Ok(exit)
}

/// What was committed stands in either case; the code says whether a retry can help.
fn exit_of(summary: &Summary) -> Exit {
    if summary.needs_operator() {
        Exit::Usage
    } else if summary.is_partial() {
        Exit::Partial
    } else {
        Exit::Done
    }
}

/// A failure outweighs a partial harvest.
fn worse(before: Exit, now: Exit) -> Exit {
    if now != Exit::Done && matches!(before, Exit::Done | Exit::Partial) {
        now
    } else {
        before
    }
}

/// One run of one ledger.
pub(crate) async fn once(
    global: &Global,
    config: &Config,
    ledger: (&LedgerName, &Ledger),
) -> Result<Summary, Failure> {
    let progress = Arc::new(Progress::new(global));
    let shown = Arc::clone(&progress);
    let plan = wiring::run_plan(config, ledger, Arc::new(move |step: &Step| shown.step(step))).await?;
    let outcome = revtrail_harvest::run(&plan).await;
    progress.finish();
    let at_archive = |failure: Failure| failure.at_archive(&config.archive, config.endpoint_url.as_ref());
    let summary = outcome.map_err(|error| at_archive(error.into()))?;
    log_cost(ledger.0, &summary);
    Ok(summary)
}

fn requests(summary: &Summary) -> u64 {
    summary
        .requests
        .values()
        .flat_map(|operations| operations.values())
        .sum()
}

/// What the run cost, for operators who watch quotas.
fn log_cost(ledger: &LedgerName, summary: &Summary) {
    let requests = requests(summary);
    tracing::info!(
        %ledger,
        events.count = summary.events,
        requests.count = requests,
        files.listed = summary.files_listed,
        tree.size = summary.tree_size,
        root.hash = %summary.root,
        "harvested"
    );
}

fn summary_rows(ledger: &LedgerName, summary: &Summary) -> Vec<Vec<Value>> {
    let row = |(folder, outcome): (&revtrail_model::id::FolderName, &revtrail_harvest::FolderSummary)| {
        let gaps: Vec<&str> = outcome.gaps.iter().map(|gap| gap.as_str()).collect();
        vec![
            json!(ledger.as_str()),
            json!(folder.as_str()),
            json!(match outcome.state {
                WindowState::Complete => "complete",
                WindowState::Partial => "partial",
                WindowState::Failed => "failed",
            }),
            json!(outcome.events),
            json!(gaps),
            json!(summary.log),
            json!(summary.tree_size),
            json!(summary.snapshots),
            json!(requests(summary)),
            json!(summary.files_listed),
        ]
    };
    summary.folders.iter().map(row).collect()
}
