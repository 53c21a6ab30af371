//! `init`: a starter configuration, or a ledger's log.

use std::{path::Path, sync::Arc};

use revtrail_archive::ArchiveUrl;
use revtrail_settings::Config;

use crate::{
    args::{Global, LedgerArg},
    exit::{Exit, Failure},
    output::say,
    wiring,
};

const STARTER: &str = include_str!("../../../../config/example.toml");

pub(crate) async fn run(global: &Global, args: &LedgerArg) -> Result<Exit, Failure> {
    if args.ledger.is_none() && !global.config.exists() {
        return write_starter(&global.config);
    }
    let config = Config::load(&global.config)?;
    make_directory(&config)?;
    probe(&config).await?;
    for (name, ledger) in wiring::ledgers(&config, args)? {
        let plan =
            wiring::run_plan(&config, (name, ledger), Arc::new(|_: &revtrail_harvest::Step| {})).await?;
        let committed = revtrail_harvest::init(&plan).await?;
        let root = committed
            .tip
            .checkpoint
            .map(|checkpoint| checkpoint.root.to_string())
            .unwrap_or_default();
        say(&format!(
            "created the log of ledger {name} in {}; root {root}",
            wiring::describe(&config.archive, plan.archive.protection())
        ));
    }
    Ok(Exit::Done)
}

fn write_starter(path: &Path) -> Result<Exit, Failure> {
    use std::io::Write as _;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)?;
    file.write_all(STARTER.as_bytes())?;
    say(&format!(
        "wrote {}; edit it, then run `revtrail config check` and `revtrail init --ledger NAME`",
        path.display()
    ));
    Ok(Exit::Done)
}

/// A local archive's directory is made here and nowhere else: a later command that does not find it must not start an empty one.
fn make_directory(config: &Config) -> Result<(), Failure> {
    if let ArchiveUrl::Directory(path) = &config.archive {
        revtrail_archive::FsArchive::create_dir(path)?;
    }
    Ok(())
}

/// Refuses a bucket that would not hold what is promised: versioning, Object Lock, create-only writes.
async fn probe(config: &Config) -> Result<(), Failure> {
    let Some(bucket) = wiring::bucket(config).await? else {
        return Ok(());
    };
    let report = bucket.probe().await?;
    let problems = report.problems(config.lock.map(|lock| lock.mode));
    if problems.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{} is not fit for evidence: {}",
        config.archive,
        problems.join("; ")
    );
    Err(Failure::usage(
        message,
        "create the bucket with versioning and Object Lock enabled, on a store that honours If-None-Match",
    ))
}
