//! `views`: what is derived from the record, made again.

use revtrail_archive::record;
use revtrail_harvest::publish::{Published, rebuild};
use revtrail_settings::Config;
use serde_json::{Map, json};

use crate::{
    args::{Global, LedgerArg, ViewsCommand},
    exit::{Exit, Failure},
    keys::Keys,
    output::{Sheet, say},
    wiring,
};

pub(crate) async fn run(global: &Global, command: &ViewsCommand) -> Result<Exit, Failure> {
    match command {
        ViewsCommand::Rebuild(ledger) => rebuild_all(global, ledger).await,
    }
}

async fn rebuild_all(global: &Global, arg: &LedgerArg) -> Result<Exit, Failure> {
    let config = Config::load(&global.config)?;
    let keys = Keys::load(&config)?;
    let archive = wiring::archive(&config).await?;
    let at_archive = |error: revtrail_harvest::HarvestError| {
        Failure::from(error).at_archive(&config.archive, config.endpoint_url.as_ref())
    };
    let (mut rows, mut exit) = (Vec::new(), Exit::Done);
    for (name, ledger) in wiring::ledgers(&config, arg)? {
        let logs = record::logs(archive.as_ref(), name)
            .await
            .map_err(|error| at_archive(error.into()))?;
        for log in logs {
            let origin = log.origin(&ledger.origin);
            let key = keys.verifier(&origin).ok_or_else(|| {
                Failure::usage(
                    format!("{origin:?} cannot be the name of a log"),
                    "check the ledger's origin",
                )
            })?;
            let published = rebuild(&archive, &log, &key).await.map_err(at_archive)?;
            if !published.contradicting.is_empty() {
                exit = Exit::Contradiction;
                complain(&published);
            }
            rows.push(vec![
                json!(log.to_string()),
                json!(published.created),
                json!(published.present),
                json!(published.contradicting),
            ]);
        }
    }
    Sheet {
        columns: vec!["log", "created", "present", "contradicting"],
        rows,
        about: Map::new(),
        name: "logs",
    }
    .print(global.output)?;
    Ok(exit)
}

fn complain(published: &Published) {
    let mut lines = vec!["these tiles contradict the record, which itself stands:".to_owned()];
    lines.extend(published.contradicting.iter().map(|key| format!("  {key}")));
    lines
        .push("hint: keep a copy of them, delete them with the store's own tools, and run this again".into());
    say(&lines.join("\n"));
}
