//! `activity:query` of Drive Activity v2.

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::filter::Filter;
use super::reports::new_parent;
use super::{is_moved, name_of, old_name, page, parent_of, profile, read_token, records};
use crate::audit::{AuditAccess, Hand, hold_back};
use crate::drive::problem::{Answer, Problem};
use crate::drive::{Ask, wire};
use crate::fault::FaultKind;
use crate::sim::Sim;
use crate::world::{ItemNo, Op, What, World};

/// Activities on a page when the client does not say, and at most.
const PAGE: (usize, usize) = (50, 100);
/// Work on a file of the editors is told as a stretch of time, so long.
const WORK: SignedDuration = SignedDuration::from_mins(2);
/// Fields of a request.
const FIELDS: [&str; 6] = [
    "itemName",
    "ancestorName",
    "filter",
    "consolidationStrategy",
    "pageSize",
    "pageToken",
];

/// Whose activity.
enum Of {
    Everything,
    Item(ItemNo),
    /// A folder and what is in it.
    Below(ItemNo),
}

/// A request, read.
struct Wanted {
    item: Option<String>,
    ancestor: Option<String>,
    filter: Filter,
    size: Option<usize>,
    after: Option<(Timestamp, u64)>,
}

impl Wanted {
    fn read(ask: &Ask<'_>, body: &[u8]) -> Result<Self, Problem> {
        let Ok(Value::Object(request)) = serde_json::from_slice(body) else {
            return Err(Problem::argument("Invalid JSON payload received."));
        };
        if let Some(name) = request.keys().find(|name| !FIELDS.contains(&name.as_str())) {
            let why = format!("Invalid JSON payload received. Unknown name \"{name}\": Cannot find field.");
            return Err(Problem::argument(&why));
        }
        let text = |name: &str| {
            let text = request.get(name).and_then(Value::as_str);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let bad_token = || Problem::argument("The page token is not valid.");
        let after = match text("pageToken") {
            None => None,
            Some(_) if ask.fires(FaultKind::LostCursor) => return Err(bad_token()),
            Some(token) => Some(read_token(&token).ok_or_else(bad_token)?),
        };
        let size = request.get("pageSize").and_then(Value::as_u64);
        Ok(Self {
            item: text("itemName"),
            ancestor: text("ancestorName"),
            filter: Filter::parse(&text("filter").unwrap_or_default())
                .ok_or_else(|| Problem::argument("The filter is not valid."))?,
            size: size.map(|size| size as usize).filter(|size| *size > 0),
            after,
        })
    }
}

pub(in crate::drive) fn query(ask: &Ask<'_>, body: &[u8]) -> Result<Answer, Problem> {
    if ask.sim.options().audit.access == AuditAccess::NotGranted {
        return Err(Problem::read_only());
    }
    let wanted = Wanted::read(ask, body)?;
    let size = ask.sim.page_size(wanted.size, PAGE.0, PAGE.1);
    let world = ask.sim.world();
    let of = whose(
        ask.sim,
        &world,
        wanted.item.as_deref(),
        wanted.ancestor.as_deref(),
    )?;
    let mut found = records(ask.sim, &world, ask.call);
    found.retain(|record| {
        record
            .first()
            .is_some_and(|op| concerns(&world, op, &of) && wanted.filter.takes(op.at, case(op)))
    });
    let (mut rows, next) = if ask.fires(FaultKind::EmptyPage) {
        let start = wanted.after.unwrap_or((world.now(), u64::MAX));
        (Vec::new(), Some(super::token(start)))
    } else {
        page(found, wanted.after, size)
    };
    hold_back(ask.sim, world.now(), ask.call, &mut rows);
    let mut activities: Vec<Value> = rows
        .iter()
        .filter_map(|record| Some(activity(ask.sim, &world, record.first()?)))
        .collect();
    if let Some(first) = activities.first_mut()
        && ask.fires(FaultKind::MissingActor)
    {
        first["actors"] = json!([{ "user": { "unknownUser": {} } }]);
    }
    if ask.fires(FaultKind::DuplicateItems) {
        activities.extend_from_within(..);
    }
    let mut body = json!({});
    if !activities.is_empty() {
        body["activities"] = activities.into();
    }
    if let Some(token) = next {
        body["nextPageToken"] = token.into();
    }
    Ok(Answer::json(StatusCode::OK, &body))
}

fn whose(sim: &Sim, world: &World, item: Option<&str>, ancestor: Option<&str>) -> Result<Of, Problem> {
    let find = |name: &str| {
        let id = name
            .strip_prefix("items/")
            .ok_or_else(|| Problem::argument("The name has to be of the form items/ITEM_ID."))?;
        wire::resolve(sim, world, id)
            .map(|item| item.no)
            .ok_or_else(|| Problem::no_file(id))
    };
    match (item, ancestor) {
        (Some(_), Some(_)) => Err(Problem::argument(
            "Only one of itemName and ancestorName may be given.",
        )),
        (Some(name), None) => find(name).map(Of::Item),
        (None, Some(name)) => find(name).map(Of::Below),
        (None, None) => Ok(Of::Everything),
    }
}

/// Below counts where the item is now, or the folder it was taken from.
fn concerns(world: &World, op: &Op, of: &Of) -> bool {
    match of {
        Of::Everything => true,
        Of::Item(no) => op.item == *no,
        Of::Below(folder) => {
            let is_within = |no: ItemNo| no == *folder || world.is_below(no, *folder);
            let left = match &op.what {
                What::Moved { old_parent, .. } => is_within(*old_parent),
                _ => false,
            };
            left || is_within(op.item)
        }
    }
}

fn case(op: &Op) -> &'static str {
    match op.what {
        What::Created => "CREATE",
        What::Saved => "EDIT",
        What::Moved { .. } if is_moved(op) => "MOVE",
        What::Moved { .. } => "RENAME",
        What::Deleted => "DELETE",
        What::Restored => "RESTORE",
    }
}

/// One activity; newer ones about the same item do not change it.
fn activity(sim: &Sim, world: &World, op: &Op) -> Value {
    let details = details(sim, world, op);
    let actions: Vec<Value> = details.iter().map(|detail| json!({ "detail": detail })).collect();
    let mut activity = json!({
        "primaryActionDetail": details.first(),
        "actors": actors(sim, op),
        "actions": actions,
        "targets": [{ "driveItem": target(sim, world, op) }],
    });
    let editors = world
        .item(op.item)
        .is_some_and(|item| wire::is_editors(world, item));
    if editors && op.what == What::Saved {
        let start = op.at - WORK;
        activity["timeRange"] = json!({ "startTime": wire::time(start), "endTime": wire::time(op.at) });
    } else {
        activity["timestamp"] = json!(wire::time(op.at));
    }
    activity
}

/// What was done, the primary action first.
fn details(sim: &Sim, world: &World, op: &Op) -> Vec<Value> {
    let folder = |no: ItemNo, title: &str| {
        let kind = if no == ItemNo::ROOT {
            "MY_DRIVE_ROOT"
        } else {
            "STANDARD_FOLDER"
        };
        let name = format!("items/{}", wire::id(sim, no));
        let folder = json!({ "type": kind });
        json!({ "driveItem": { "name": name, "title": title, "driveFolder": folder, "folder": folder } })
    };
    let added = || {
        let parent = new_parent(world, op);
        json!([folder(parent, name_of(parent_of(&op.path)))])
    };
    match &op.what {
        What::Created => {
            let is_new = world
                .item(op.item)
                .is_some_and(|item| item.is_folder() || wire::is_editors(world, item));
            let how = if is_new { "new" } else { "upload" };
            let mut create = json!({});
            create[how] = json!({});
            vec![
                json!({ "create": create }),
                json!({ "move": { "addedParents": added() } }),
            ]
        }
        What::Saved => vec![json!({ "edit": {} })],
        What::Moved {
            old_parent, old_path, ..
        } => {
            let mut details = Vec::new();
            if is_moved(op) {
                let removed = json!([folder(*old_parent, name_of(parent_of(old_path)))]);
                details.push(json!({ "move": { "addedParents": added(), "removedParents": removed } }));
            }
            if let Some(old) = old_name(op) {
                details.push(json!({ "rename": { "oldTitle": old, "newTitle": name_of(&op.path) } }));
            }
            details
        }
        What::Deleted => vec![json!({ "delete": { "type": "TRASH" } })],
        What::Restored => vec![json!({ "restore": { "type": "UNTRASH" } })],
    }
}

/// The item as it was right after.
fn target(sim: &Sim, world: &World, op: &Op) -> Value {
    let mut item = json!({
        "name": format!("items/{}", wire::id(sim, op.item)),
        "title": name_of(&op.path),
    });
    if let Some(found) = world.item(op.item) {
        item["mimeType"] = json!(wire::mime_type(world, found));
        if found.is_folder() {
            item["driveFolder"] = json!({ "type": "STANDARD_FOLDER" });
            item["folder"] = json!({ "type": "STANDARD_FOLDER" });
        } else {
            item["driveFile"] = json!({});
            item["file"] = json!({});
        }
    }
    item
}

/// Applications are not named here: a person's are the person.
fn actors(sim: &Sim, op: &Op) -> Value {
    let known = |email: &str| {
        let mut user = json!({ "personName": format!("people/{}", profile(sim, email)) });
        if email == sim.options().owner.email {
            user["isCurrentUser"] = json!(true);
        }
        json!({ "knownUser": user })
    };
    match Hand::of(op) {
        Hand::Person(actor) | Hand::Through(actor, _) | Hand::Program(actor) => {
            json!([{ "user": known(&actor.email) }])
        }
        Hand::Removed(_) => json!([{ "user": { "deletedUser": {} } }]),
        Hand::Admin(_) => {
            let owner = known(&sim.options().owner.email);
            json!([{ "impersonation": { "impersonatedUser": owner } }, { "administrator": {} }])
        }
        Hand::Anonymous => json!([{ "anonymous": {} }]),
        Hand::Provider => json!([{ "system": { "type": "TRASH_AUTO_PURGE" } }]),
    }
}
