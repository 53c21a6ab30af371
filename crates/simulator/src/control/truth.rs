//! What happened, and what a perfect reader could tell of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::Problem;
use super::{Answer, off_thread};
use crate::error::SimulatorError;
use crate::sim::{Provider, Sim};
use crate::source::WorldSource;
use crate::truth::{Fact, audit, dropbox, google_drive, onedrive, replay};
use crate::world::{Edit, Item};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CouldTell {
    provider: Provider,
    folder: String,
    polls: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Happened {
    folder: String,
    until: Option<Timestamp>,
}

type Asked<T> = Result<Query<T>, QueryRejection>;

/// `{"facts": [..]}` of a reader who polls at each of the moments; they may lie in the world's future.
pub(super) async fn could_tell(State(sim): State<Arc<Sim>>, asked: Asked<CouldTell>) -> Answer {
    let asked = query(asked)?;
    let polls = moments(&asked.polls)?;
    let facts = off_thread(move || {
        let facts = facts(sim.source(), &asked, &polls)?;
        if facts.is_empty() && !is_ever_there(sim.source(), &asked.folder, &polls)? {
            let folder = asked.folder;
            return Err(SimulatorError::NoFolder { folder }.into());
        }
        Ok(facts)
    });
    Ok(Json(json!({ "facts": facts.await? })))
}

fn facts(source: &WorldSource, asked: &CouldTell, polls: &[Timestamp]) -> Result<Vec<Fact>, SimulatorError> {
    match asked.provider {
        Provider::OneDrive => onedrive::could_tell(source, &asked.folder, polls),
        Provider::GoogleDrive => google_drive::could_tell(source, &asked.folder, polls),
        Provider::Dropbox => dropbox::could_tell(source, &asked.folder, polls),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditTold {
    provider: Provider,
    folder: String,
}

/// `{"facts": [..]}`: what the provider's audit log could tell now about what is below the folder.
pub(super) async fn audit_told(State(sim): State<Arc<Sim>>, asked: Asked<AuditTold>) -> Answer {
    let asked = query(asked)?;
    let facts = off_thread(move || Ok(audit::told(&sim, asked.provider, &asked.folder)));
    Ok(Json(json!({ "facts": facts.await? })))
}

/// Whether a folder is at this path at any of the polls.
fn is_ever_there(source: &WorldSource, folder: &str, polls: &[Timestamp]) -> Result<bool, SimulatorError> {
    let mut there = false;
    replay(source, polls, |world, _| {
        there |= world.find(folder).is_some_and(Item::is_folder);
    })?;
    Ok(there)
}

/// `{"facts": [..]}`: lines of the journal up to and including `until` (absent: the present) that name the folder, something
/// in it, or a folder above it. A folder known by another name before is found by that name only.
pub(super) async fn happened(State(sim): State<Arc<Sim>>, asked: Asked<Happened>) -> Answer {
    let asked = query(asked)?;
    let until = asked.until.unwrap_or_else(|| sim.now());
    let folder = asked.folder.trim_matches('/').to_owned();
    let found = off_thread(move || {
        let edits = sim.source().edits();
        let past = edits.partition_point(|edit| edit.at <= until);
        let past = edits.get(..past).unwrap_or_default();
        Ok(json!(
            past.iter()
                .filter(|edit| concerns(edit, &folder))
                .collect::<Vec<&Edit>>()
        ))
    });
    let facts: Value = found.await?;
    Ok(Json(json!({ "facts": facts })))
}

fn concerns(edit: &Edit, folder: &str) -> bool {
    std::iter::once(&edit.path)
        .chain(&edit.from)
        .any(|path| folder.is_empty() || is_within(path, folder) || is_within(folder, path))
}

/// `path` is `folder` or below it.
fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn query<T>(asked: Asked<T>) -> Result<T, Problem> {
    match asked {
        Ok(Query(asked)) => Ok(asked),
        Err(rejection) => Err(Problem::Query(rejection.body_text())),
    }
}

fn moments(list: &str) -> Result<Vec<Timestamp>, Problem> {
    let polls = list
        .split(',')
        .map(|text| {
            text.trim()
                .parse()
                .map_err(|error| Problem::Query(format!("{text:?} is not a moment: {error}")))
        })
        .collect::<Result<Vec<Timestamp>, Problem>>()?;
    if polls.is_sorted() {
        Ok(polls)
    } else {
        Err(Problem::Query("the polls are not in ascending order".to_owned()))
    }
}
