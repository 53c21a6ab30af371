//! The team log: `team_log/get_events`, its continuation, and the feature that tells whether the plan has file events.
//!
//! Only file operations are logged here. Not logged, as at the service: new folders, what a deleted folder held, and saves in a
//! co-authoring session of Microsoft's editors.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::args::Args;
use super::cursor::{open, seal};
use super::metadata::time;
use super::problem::Problem;
use super::{Face, View};
use crate::audit::{AuditAccess, CO_AUTHORING, Place, Record, hold_back, visible};
use crate::fault::FaultKind;
use crate::sim::{Call, Provider, Sim};
use crate::world::{Op, What, World};

mod event;
mod facts;
mod filter;

use event::Kind;
pub(crate) use facts::facts;
use filter::Filter;

/// Events in an answer at most, and when the client does not say.
const LIMIT: u64 = 1000;
/// How long a cursor is good for.
const CURSOR_LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Keeps these cursors apart from those of listings.
const CURSOR: &str = "dropbox-team-log";

/// Where to go on in one reading of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Cursor {
    filter: Filter,
    limit: usize,
    /// Place of the last record looked at.
    after: Option<Place>,
    /// Moment of the newest event given so far.
    newest: Option<Timestamp>,
    made_at: Timestamp,
    /// Counts calls, so that no two cursors of one reading are equal.
    turn: u64,
}

/// Records visible now; what happened at one moment by one hand is one record.
fn records<'a>(sim: &Sim, world: &'a World) -> Vec<Record<'a>> {
    let is_logged = |op: &Op| match op.what {
        What::Created => world.item(op.item).is_some_and(|item| !item.is_folder()),
        What::Saved => op.application.as_deref() != Some(CO_AUTHORING),
        What::Moved { .. } | What::Deleted | What::Restored => true,
    };
    visible(sim, world, (Provider::Dropbox, None), (is_logged, joins))
}

fn joins(before: &Op, op: &Op) -> bool {
    (before.at, &before.actor, &before.application) == (op.at, &op.actor, &op.application)
        && Kind::of(before) == Kind::of(op)
}

pub(super) fn events(face: &Face, call: &Call, mut args: Args) -> Result<Value, Problem> {
    let limit = args.number("limit", 1..=LIMIT)?.unwrap_or(LIMIT) as usize;
    let filter = Filter::take(&mut args)?;
    args.finish()?;
    check_scope(&face.sim, "events.read")?;
    let view = face.view();
    filter.check(&view)?;
    if face.sim.options().audit.access == AuditAccess::NotInPlan && filter.wants_files() {
        let feature = json!({ ".tag": "feature" });
        return Err(Problem::Access(
            json!({ ".tag": "invalid_account_type", "invalid_account_type": feature }),
        ));
    }
    let cursor = Cursor {
        filter,
        limit,
        after: None,
        newest: None,
        made_at: view.world.now(),
        turn: 0,
    };
    Ok(answer(&view, call, cursor))
}

pub(super) fn go_on(face: &Face, call: &Call, mut args: Args) -> Result<Value, Problem> {
    let text = args.required_text("cursor")?;
    args.finish()?;
    check_scope(&face.sim, "events.read")?;
    let bad = || Problem::tag("bad_cursor");
    let cursor: Cursor = open(CURSOR, &text).ok_or_else(bad)?;
    let view = face.view();
    if view.sim.fires(call, FaultKind::BadCursor).is_some() {
        return Err(bad());
    }
    let now = view.world.now();
    let old = cursor.made_at.checked_add(CURSOR_LIFE).is_ok_and(|end| end < now);
    if old || view.sim.fires(call, FaultKind::LostCursor).is_some() {
        let resume_at = cursor.newest.or(cursor.filter.start).unwrap_or(cursor.made_at);
        return Err(Problem::Route(
            json!({ ".tag": "reset", "reset": time(resume_at) }),
        ));
    }
    Ok(answer(&view, call, cursor))
}

fn answer(view: &View<'_>, call: &Call, mut cursor: Cursor) -> Value {
    cursor.turn += 1;
    cursor.made_at = view.world.now();
    if view.sim.fires(call, FaultKind::EmptyPage).is_some() {
        return json!({ "events": [], "cursor": seal(CURSOR, &cursor), "has_more": true });
    }
    let mut fresh: Vec<Record<'_>> = records(view.sim, &view.world)
        .into_iter()
        .filter(|record| cursor.after.is_none_or(|after| record.place() > after))
        .filter(|record| cursor.filter.takes(record))
        .collect();
    if view.sim.options().audit.access == AuditAccess::NotInPlan {
        fresh.clear();
    }
    hold_back(view.sim, view.world.now(), call, &mut fresh);
    let size = view.sim.page_size(Some(cursor.limit), cursor.limit, cursor.limit);
    let has_more = fresh.len() > size;
    fresh.truncate(size);
    if let Some(last) = fresh.last() {
        cursor.after = Some(last.place());
    }
    let newest = fresh.iter().filter_map(|record| Some(record.first()?.at)).max();
    cursor.newest = cursor.newest.max(newest);
    let mut events: Vec<Value> = fresh.iter().filter_map(|record| view.event(record)).collect();
    spoil(view.sim, call, &mut events);
    json!({ "events": events, "cursor": seal(CURSOR, &cursor), "has_more": has_more })
}

fn spoil(sim: &Sim, call: &Call, events: &mut Vec<Value>) {
    let Some(first) = events.first_mut().and_then(Value::as_object_mut) else {
        return;
    };
    if sim.fires(call, FaultKind::MissingActor).is_some() {
        first.remove("actor");
    }
    if sim.fires(call, FaultKind::UnknownKind).is_some() {
        let kind = json!({ ".tag": "file_beam", "description": "Beamed files and/or folders" });
        first.insert("event_type".to_owned(), kind);
        first.insert("details".to_owned(), json!({ ".tag": "file_beam_details" }));
    }
    if sim.fires(call, FaultKind::UnnamedItem).is_some() {
        let assets = first.get_mut("assets").and_then(Value::as_array_mut);
        for asset in assets.into_iter().flatten().filter_map(Value::as_object_mut) {
            asset.remove("file_id");
        }
    }
    if sim.fires(call, FaultKind::DuplicateItems).is_some() {
        events.extend_from_within(..);
    }
}

/// `team/features/get_values`.
pub(super) fn features(face: &Face, mut args: Args) -> Result<Value, Problem> {
    let asked = args.take("features");
    args.finish()?;
    check_scope(&face.sim, "team_info.read")?;
    let Some(Value::Array(asked)) = asked else {
        return Err(Problem::field("features", "expected list"));
    };
    if asked.is_empty() {
        return Err(Problem::tag("empty_features_list"));
    }
    let has_events = face.sim.options().audit.access != AuditAccess::NotInPlan;
    let values = asked
        .iter()
        .map(|feature| {
            let tag = feature.as_str().or_else(|| feature.get(".tag")?.as_str());
            let (value, holds) = match tag {
                Some("has_team_file_events") => ("enabled", has_events),
                Some("has_team_shared_dropbox") => ("has_team_shared_dropbox", true),
                Some(name @ ("has_team_selective_sync" | "has_distinct_member_homes")) => (name, false),
                _ => {
                    let why = format!("invalid union value {feature}");
                    return Err(Problem::field("features", why));
                }
            };
            let tag = tag.unwrap_or_default();
            let mut inner = json!({ ".tag": value });
            inner[value] = json!(holds);
            let mut outer = json!({ ".tag": tag });
            outer[tag] = inner;
            Ok(outer)
        })
        .collect::<Result<Vec<Value>, Problem>>()?;
    Ok(json!({ "values": values }))
}

fn check_scope(sim: &Sim, scope: &'static str) -> Result<(), Problem> {
    match sim.options().audit.access {
        AuditAccess::NotGranted => Err(Problem::Scope(scope)),
        AuditAccess::Granted | AuditAccess::NotInPlan => Ok(()),
    }
}

#[cfg(test)]
mod tests;
