//! What every answer is made of: the authenticated record, rows, and how complete it is.

use std::sync::Arc;

use revtrail_evidence::{when, who, who_is};
use revtrail_model::{event::Event, id::LedgerName, time::Clock as _};
use revtrail_query::{Attribution, Record, Row, open_gaps};
use revtrail_settings::{Config, Ledger};
use serde_json::{Map, Value, json};

use crate::{
    args::{Global, LedgerArg},
    clock::SystemClock,
    exit::{Exit, Failure},
    keys::Keys,
    wiring,
};

/// Reads the record of each ledger asked for, keeping the events `keep` wants.
pub(crate) async fn records(
    global: &Global,
    arg: &LedgerArg,
    keep: &(dyn Fn(&Event) -> bool + Sync),
) -> Result<Vec<(LedgerName, Record)>, Failure> {
    let config = Config::load(&global.config)?;
    let keys = Keys::load(&config)?;
    let archive = wiring::archive(&config).await?;
    let mut read = Vec::new();
    for (name, ledger) in wiring::ledgers(&config, arg)? {
        let own = Arc::clone(&keys);
        let reader = reader(
            &archive,
            (name, ledger),
            Arc::new(move |origin| own.verifier(origin)),
        );
        let record = reader.read(keep).await.map_err(|error| {
            Failure::from(error).at_archive(&config.archive, config.endpoint_url.as_ref())
        })?;
        read.push((name.clone(), record));
    }
    Ok(read)
}

/// A reader of a ledger's record.
pub(crate) fn reader(
    archive: &Arc<dyn revtrail_archive::Archive>,
    (name, ledger): (&LedgerName, &Ledger),
    key: revtrail_query::KeyOf,
) -> revtrail_query::Reader {
    revtrail_query::Reader {
        archive: Arc::clone(archive),
        ledger: name.clone(),
        origin: ledger.origin.clone(),
        key,
    }
}

/// Columns of an event in a table.
pub(crate) const EVENT_COLUMNS: [&str; 8] = [
    "index", "when", "action", "folder", "path", "who", "revision", "bytes",
];

/// An event as people read it in a line.
pub(crate) fn event_row(row: &Row) -> Vec<Value> {
    let event = &row.event;
    let path = match (&event.path.path, &event.path.previous_path) {
        (Some(path), Some(before)) => json!(format!("{before} -> {path}")),
        (Some(path), None) => json!(path),
        (None, Some(before)) => json!(format!("{before} -> ?")),
        (None, None) => json!(format!("? (item {})", event.item_id)),
    };
    vec![
        json!(format!("{}#{}", row.year, row.index)),
        json!(when(&event.occurred)),
        json!(event.action),
        json!(event.scope.folder),
        path,
        json!(named(row)),
        json!(event.revision_id),
        json!(event.size_bytes),
    ]
}

/// Who did it: what the event says, and beside it what the audit log says.
fn named(row: &Row) -> String {
    let own = who(&row.event);
    match row.attribution() {
        Attribution::Open => own,
        Attribution::By(actor) if row.event.actor.is_none() => {
            format!("{} (audit log)", who_is(actor.as_ref()))
        }
        Attribution::By(actor) => format!("{own} (audit log: {})", who_is(actor.as_ref())),
        Attribution::Disputed(actors) => {
            let names: Vec<String> = actors.iter().map(|actor| who_is(Some(actor))).collect();
            format!("{own} (audit log: {})", names.join(" or "))
        }
        Attribution::Unattributed(_) => format!("{own} (not in the audit log)"),
    }
}

/// An event as one flat document, with what audit logs told about it.
pub(crate) fn document(row: &Row) -> Map<String, Value> {
    let mut document = revtrail_export::flat(&row.year.to_string(), row.index, &row.event);
    let annotations = row.annotations.iter().map(|found| {
        revtrail_export::annotation(
            &found.year.to_string(),
            found.index,
            &found.annotation,
            &found.opened,
        )
    });
    let annotations: Vec<Value> = annotations.collect();
    if !annotations.is_empty() {
        document.insert("annotations".into(), Value::Array(annotations));
    }
    document
}

/// How complete the answer is: shown beside it, part of its JSON.
pub(crate) fn completeness(records: &[(LedgerName, Record)]) -> (Map<String, Value>, Exit) {
    let (mut about, mut gaps, mut covered, mut logs, mut exit) =
        (Map::new(), Vec::new(), Vec::new(), Vec::new(), Exit::Done);
    let now = SystemClock.now();
    for (ledger, record) in records {
        for gap in open_gaps(record) {
            let from = gap
                .gap
                .from
                .map_or("the beginning".to_owned(), |from| from.to_string());
            let items = gap
                .gap
                .items
                .map_or(String::new(), |items| format!(", {items} item(s)"));
            gaps.push(json!(format!(
                "{ledger}/{}: {} from {from} to {}{items}",
                gap.folder,
                gap.gap.reason.as_str(),
                gap.gap.to
            )));
        }
        for (account, read) in record.last_run.iter().flat_map(|run| &run.audit) {
            if let Some(detail) = &read.detail {
                gaps.push(json!(format!(
                    "{ledger}: the audit log of account {account} could not be read at the last run ({detail}); actors may be missing"
                )));
            }
            if let Some(before) = read.lost_before {
                gaps.push(json!(format!(
                    "{ledger}: the audit log of account {account} no longer reaches back before {before}; actors may be missing"
                )));
            }
        }
        if let Some(until) = record.covered_until() {
            covered.push(json!(format!("{ledger}: up to {until}")));
        }
        if let Some((origin, size, root)) = &record.tip {
            logs.push(json!(format!("{origin}, {size} leaves, root {root}")));
        }
        if let Some(due) = record
            .last_run
            .as_ref()
            .and_then(|run| run.next_expected_by)
            .filter(|due| *due < now)
        {
            gaps.push(json!(format!(
                "{ledger}: the next snapshot was due by {due}; later events are not recorded"
            )));
            exit = Exit::Incomplete;
        }
    }
    about.insert("record".into(), Value::Array(logs));
    about.insert("covered".into(), Value::Array(covered));
    about.insert("gaps".into(), Value::Array(gaps));
    (about, exit)
}
