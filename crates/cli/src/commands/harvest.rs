//! `harvest`: one run of each ledger.

use std::sync::Arc;

use revtrail_harvest::{AuditCounts, Counts, Step, Summary, WalkDue};
use revtrail_model::{id::LedgerName, leaf::WindowState};
use revtrail_settings::{Config, Ledger};
use serde_json::{Map, Value, json};

use crate::{
    args::{Global, HarvestArgs},
    exit::{Exit, Failure},
    output::{Sheet, say},
    progress::Progress,
    wiring,
};

pub(crate) async fn run(global: &Global, args: &HarvestArgs) -> Result<Exit, Failure> {
    let config = Config::load(&global.config)?;
    let mut exit = Exit::Done;
    let mut rows = Vec::new();
    for (name, ledger) in wiring::ledgers(&config, &args.ledger)? {
        match once(global, &config, (name, ledger), Listing::of(args)).await {
            Ok(summary) => {
                exit = worse(exit, exit_of(&summary));
                tell_audits(name, &summary);
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
        "reconciled",
        "gaps",
        "retention",
        "log",
        "tree_size",
        "snapshots",
        "requests",
        "units",
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

/// What became of the audit logs, for the person at the terminal; the signed record says so, too.
fn tell_audits(ledger: &LedgerName, summary: &Summary) {
    for (account, audit) in &summary.audits {
        let counts = audit.counts;
        let told = format!(
            "{} attributed, {} ambiguous, {} unattributed",
            counts.attributed, counts.ambiguous, counts.unattributed
        );
        let what = match &audit.failure {
            Some(kind) if counts == AuditCounts::default() => {
                format!("could not be read: {}; its events wait for it", kind.as_str())
            }
            Some(kind) => format!("could not be read: {}; {told}, the others wait", kind.as_str()),
            None if audit.state == WindowState::Complete => told,
            None => format!("{told}; the log no longer reaches back to where it was last read"),
        };
        say(&format!("{ledger}: audit log of account {account}: {what}"));
    }
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

/// When folders are listed in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listing {
    /// In this run, in any case.
    Now,
    /// As the ledger's settings say.
    WhenDue,
}

impl Listing {
    fn of(args: &HarvestArgs) -> Self {
        if args.reconcile { Self::Now } else { Self::WhenDue }
    }
}

/// One run of one ledger.
pub(crate) async fn once(
    global: &Global,
    config: &Config,
    ledger: (&LedgerName, &Ledger),
    listing: Listing,
) -> Result<Summary, Failure> {
    let progress = Arc::new(Progress::new(global));
    let shown = Arc::clone(&progress);
    let mut plan = wiring::run_plan(config, ledger, Arc::new(move |step: &Step| shown.step(step))).await?;
    if listing == Listing::Now {
        plan.walk_due = Arc::new(|_, _| WalkDue::Now);
    }
    let outcome = revtrail_harvest::run(&plan).await;
    progress.finish();
    let at_archive = |failure: Failure| failure.at_archive(&config.archive, config.endpoint_url.as_ref());
    let summary = outcome.map_err(|error| at_archive(error.into()))?;
    log_cost(ledger.0, &summary);
    Ok(summary)
}

/// All that was counted.
fn total(counts: &Counts) -> u64 {
    counts.values().flat_map(|operations| operations.values()).sum()
}

/// What the run cost, for operators who watch quotas.
fn log_cost(ledger: &LedgerName, summary: &Summary) {
    for (account, units) in &summary.units {
        let requests = summary
            .requests
            .get(account)
            .map_or(0, |counts| counts.values().sum());
        let units: u64 = units.values().sum();
        tracing::info!(%ledger, %account, requests.count = requests, units.count = units, "spent");
    }
    for (folder, outcome) in &summary.folders {
        if let Some(near) = outcome.retention {
            tracing::warn!(
                %ledger,
                %folder,
                kept_ms = near.kept_ms,
                interval_ms = near.interval_ms,
                revisions.most = near.most,
                "the provider keeps revisions for less than twice the time between two harvests; harvest more often"
            );
        }
    }
    tracing::info!(
        %ledger,
        events.count = summary.events,
        events.reconciled = summary.folders.values().map(|folder| folder.reconciled).sum::<u64>(),
        requests.count = total(&summary.requests),
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
            json!(outcome.reconciled),
            json!(gaps),
            json!(outcome.retention.map(|near| json!({
                "interval_ms": near.interval_ms,
                "kept_ms": near.kept_ms,
                "most": near.most,
            }))),
            json!(summary.log),
            json!(summary.tree_size),
            json!(summary.snapshots),
            json!(total(&summary.requests)),
            json!(total(&summary.units)),
            json!(summary.files_listed),
        ]
    };
    summary.folders.iter().map(row).collect()
}
