//! `log`, `history`, `at`, `actor`, `coverage`, `export`: questions an investigator asks.

use revtrail_evidence::when;
use revtrail_model::{
    event::{Action, Event},
    id::FolderName,
    time::Clock as _,
};
use revtrail_query::{DayState, Filter, Row, select};
use serde_json::{Map, Value, json};

use super::answer::{EVENT_COLUMNS, completeness, document, event_row, records};
use crate::{
    args::{
        ActorArgs, AtArgs, CoverageArgs, ExportArgs, ExportFormat, Global, HistoryArgs, LedgerArg, LogArgs,
        Output, Period,
    },
    clock::SystemClock,
    exit::{Exit, Failure},
    output::{Sheet, print},
    times,
};

fn everything(_: &Event) -> bool {
    true
}

fn filter(period: &Period) -> Result<Filter, Failure> {
    Ok(Filter {
        from: times::optional(period.since.as_ref())?,
        until: times::optional(period.until.as_ref())?,
        folders: period
            .folder
            .iter()
            .map(|name| FolderName::from(name.as_str()))
            .collect(),
        ..Filter::default()
    })
}

fn action(name: &str) -> Result<Action, Failure> {
    serde_json::from_value(json!(name)).map_err(|_| {
        let known = "created, modified, renamed, moved, moved_in, moved_out, trashed, deleted, restored, revision_vanished, access_lost";
        Failure::usage(format!("there is no action {name:?}"), &format!("actions are: {known}"))
    })
}

/// Events as rows: a line of words for a table, every field for programs.
fn events(global: &Global, rows: &[Row], about: Map<String, Value>) -> Result<Exit, Failure> {
    let sheet = if global.output == Output::Table {
        Sheet {
            columns: EVENT_COLUMNS.to_vec(),
            rows: rows.iter().map(event_row).collect(),
            about,
            name: "events",
        }
    } else {
        let row = |row: &Row| {
            let mut document = document(row);
            revtrail_export::COLUMNS
                .iter()
                .map(|column| document.remove(*column).unwrap_or(Value::Null))
                .collect()
        };
        Sheet {
            columns: revtrail_export::COLUMNS.to_vec(),
            rows: rows.iter().map(row).collect(),
            about,
            name: "events",
        }
    };
    sheet.print(global.output)?;
    Ok(Exit::Done)
}

async fn listed(
    global: &Global,
    ledger: &LedgerArg,
    filter: &Filter,
    last: Option<usize>,
) -> Result<Exit, Failure> {
    // The audit log may name who the event does not.
    let whoever = filter.but_actor();
    let read = records(global, ledger, &|event| whoever.wants(event)).await?;
    let (about, _) = completeness(&read);
    let mut found: Vec<Row> = read.into_iter().flat_map(|(_, record)| record.rows).collect();
    found = select(&found, filter);
    if let Some(last) = last {
        found.drain(..found.len().saturating_sub(last));
    }
    events(global, &found, about)
}

pub(crate) async fn log(global: &Global, args: &LogArgs) -> Result<Exit, Failure> {
    let mut filter = filter(&args.period)?;
    filter.actor.clone_from(&args.actor);
    filter.path.clone_from(&args.path);
    filter.actions = args
        .action
        .iter()
        .map(|name| action(name))
        .collect::<Result<_, _>>()?;
    listed(global, &args.ledger, &filter, args.last).await
}

pub(crate) async fn history(global: &Global, args: &HistoryArgs) -> Result<Exit, Failure> {
    let read = records(global, &args.ledger, &everything).await?;
    let (about, _) = completeness(&read);
    let folder = args.folder.as_deref().map(FolderName::from);
    let found: Vec<Row> = read
        .iter()
        .flat_map(|(_, record)| revtrail_query::history(&record.rows, folder.as_ref(), &args.path))
        .collect();
    events(global, &found, about)
}

pub(crate) async fn at(global: &Global, args: &AtArgs) -> Result<Exit, Failure> {
    let time = times::moment(&args.time)?;
    let read = records(global, &args.ledger, &everything).await?;
    let (mut about, _) = completeness(&read);
    about.insert("at".into(), json!(time));
    let rows = read
        .iter()
        .flat_map(|(_, record)| revtrail_query::at(&record.rows, time))
        .filter(|standing| {
            args.folder.is_empty()
                || args
                    .folder
                    .iter()
                    .any(|folder| folder == standing.folder.as_str())
        });
    let rows = rows.map(|standing| {
        let content = standing.content.as_ref();
        vec![
            json!(standing.folder),
            json!(standing.path),
            json!(standing.kind),
            json!(content.and_then(|row| row.event.revision_id.clone())),
            json!(content.map(|row| when(&row.event.occurred))),
            json!(content.map(|row| revtrail_evidence::who(&row.event))),
            json!(content.and_then(|row| row.event.size_bytes)),
            json!(standing.certainty.as_str()),
            json!(format!("{}#{}", standing.last.year, standing.last.index)),
            json!(standing.item_id),
        ]
    });
    let columns = vec![
        "folder",
        "path",
        "kind",
        "revision",
        "saved",
        "by",
        "bytes",
        "certainty",
        "last_event",
        "item_id",
    ];
    Sheet {
        columns,
        rows: rows.collect(),
        about,
        name: "items",
    }
    .print(global.output)?;
    Ok(Exit::Done)
}

pub(crate) async fn actor(global: &Global, args: &ActorArgs) -> Result<Exit, Failure> {
    let mut filter = filter(&args.period)?;
    if let Some(who) = &args.who {
        filter.actor = Some(who.clone());
        return listed(global, &args.ledger, &filter, None).await;
    }
    let read = records(global, &args.ledger, &|event| filter.wants(event)).await?;
    let (about, _) = completeness(&read);
    let rows: Vec<Row> = read.into_iter().flat_map(|(_, record)| record.rows).collect();
    let counted = revtrail_query::actors(&rows);
    let rows = counted
        .into_iter()
        .map(|(name, count)| vec![json!(name.unwrap_or_else(|| "unknown".into())), json!(count)])
        .collect();
    Sheet {
        columns: vec!["actor", "events"],
        rows,
        about,
        name: "actors",
    }
    .print(global.output)?;
    Ok(Exit::Done)
}

pub(crate) async fn coverage(global: &Global, args: &CoverageArgs) -> Result<Exit, Failure> {
    let now = SystemClock.now();
    let today = times::date_of(now);
    let until = args.until.as_deref().map_or(Ok(today), times::date)?;
    let week_before = until
        .checked_sub(revtrail_model::time::jiff::Span::new().days(6))
        .unwrap_or(until);
    let since = args.since.as_deref().map_or(Ok(week_before), times::date)?;
    let read = records(global, &args.ledger, &|_| false).await?;
    let (about, mut exit) = completeness(&read);
    let mut rows = Vec::new();
    for (ledger, record) in &read {
        for day in revtrail_query::coverage(record, (since, until), now) {
            if matches!(day.state, DayState::Partial | DayState::Missed) {
                exit = Exit::Incomplete;
            }
            let reasons: Vec<&str> = day.reasons.iter().map(|reason| reason.as_str()).collect();
            rows.push(vec![
                json!(ledger),
                json!(day.folder),
                json!(day.date.to_string()),
                json!(day.state.as_str()),
                json!(reasons),
            ]);
        }
    }
    Sheet {
        columns: vec!["ledger", "folder", "day", "state", "reasons"],
        rows,
        about,
        name: "days",
    }
    .print(global.output)?;
    Ok(exit)
}

pub(crate) async fn export(global: &Global, args: &ExportArgs) -> Result<Exit, Failure> {
    let filter = filter(&args.period)?;
    let read = records(global, &args.ledger, &|event| filter.wants(event)).await?;
    let (about, _) = completeness(&read);
    let rows: Vec<Row> = read.into_iter().flat_map(|(_, record)| record.rows).collect();
    let rows = select(&rows, &filter);
    let documents = rows.iter().map(document);
    match args.format {
        ExportFormat::Csv => print(&revtrail_export::csv_text(
            &revtrail_export::COLUMNS,
            documents.map(|document| revtrail_export::row(&document)),
        ))?,
        ExportFormat::Jsonl => documents
            .map(Value::Object)
            .try_for_each(|document| print(&format!("{document}\n")))?,
    }
    Sheet {
        columns: Vec::new(),
        rows: Vec::new(),
        about,
        name: "events",
    }
    .remarks();
    Ok(Exit::Done)
}
