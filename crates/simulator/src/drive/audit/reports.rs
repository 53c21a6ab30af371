//! `activities.list` of the Admin SDK Reports API.

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    application, is_agent, is_inside, is_moved, name_of, old_name, page, parent_of, profile, read_token,
    records,
};
use crate::audit::{Applications, AuditAccess, Hand, Record, draw, hold_back};
use crate::drive::problem::{Answer, Problem};
use crate::drive::{Ask, ids, wire};
use crate::fault::FaultKind;
use crate::sim::Sim;
use crate::world::{Item, ItemNo, Op, What, World};

/// Records on a page at most, and when the client does not say.
const LIMIT: usize = 1000;
/// How far the log goes back.
const HISTORY: SignedDuration = SignedDuration::from_hours(180 * 24);
/// The customer's id.
const CUSTOMER: &str = "C03sim001";

/// What is asked for.
struct Wanted {
    from: Timestamp,
    until: Option<Timestamp>,
    event: Option<String>,
    /// Email or number of the account; `all` is none.
    user: Option<String>,
    address: Option<String>,
    client: Option<String>,
    /// Parameters and the values they must have.
    filters: Vec<(String, String)>,
}

pub(in crate::drive) fn list(ask: &Ask<'_>, user: &str, application: &str) -> Result<Answer, Problem> {
    if application != "drive" {
        return Err(Problem::invalid("applicationName"));
    }
    match ask.sim.options().audit.access {
        AuditAccess::Granted => {}
        AuditAccess::NotGranted => return Err(Problem::read_only()),
        AuditAccess::NotInPlan => return Err(Problem::no_reports()),
    }
    let size = match ask.get("maxResults").map(str::parse::<usize>) {
        None => LIMIT,
        Some(Ok(size)) if (1..=LIMIT).contains(&size) => size,
        Some(_) => return Err(Problem::invalid("maxResults")),
    };
    let size = ask.sim.page_size(Some(size), LIMIT, LIMIT);
    let wanted = Wanted::read(ask, user)?;
    let after = match ask.get("pageToken") {
        None => None,
        Some(_) if ask.fires(FaultKind::LostCursor) => return Err(Problem::invalid("pageToken")),
        Some(text) => Some(read_token(text).ok_or_else(|| Problem::invalid("pageToken"))?),
    };
    let world = ask.sim.world();
    let mut found = records(ask.sim, &world, ask.call);
    found.retain(|record| wanted.takes(ask.sim, &world, record));
    let empty = ask.fires(FaultKind::EmptyPage);
    let (mut rows, next) = if empty {
        let token = super::token(after.unwrap_or((world.now(), u64::MAX)));
        (Vec::new(), Some(token))
    } else {
        page(found, after, size)
    };
    hold_back(ask.sim, world.now(), ask.call, &mut rows);
    let mut items: Vec<Value> = rows
        .iter()
        .filter_map(|record| activity(ask.sim, &world, record.first()?))
        .collect();
    spoil(ask, &mut items);
    let mut body = json!({ "kind": "admin#reports#activities", "etag": "\"sim\"" });
    if !items.is_empty() {
        body["items"] = items.into();
    }
    if let Some(token) = next {
        body["nextPageToken"] = token.into();
    }
    Ok(Answer::json(StatusCode::OK, &body))
}

fn spoil(ask: &Ask<'_>, items: &mut Vec<Value>) {
    let Some(first) = items.first_mut() else {
        return;
    };
    if ask.fires(FaultKind::MissingActor) {
        first["actor"] = json!({});
    }
    if ask.fires(FaultKind::UnknownKind) {
        first["events"][0]["name"] = json!("beam");
    }
    if ask.fires(FaultKind::DuplicateItems) {
        items.extend_from_within(..);
    }
}

impl Wanted {
    fn read(ask: &Ask<'_>, user: &str) -> Result<Self, Problem> {
        let time = |name: &'static str| -> Result<Option<Timestamp>, Problem> {
            let text = ask.get(name);
            text.map(|text| text.parse().map_err(|_| Problem::invalid(name)))
                .transpose()
        };
        let now = ask.sim.now();
        let oldest = now - HISTORY;
        let from = time("startTime")?;
        let until = time("endTime")?;
        if from.is_some_and(|from| from > now || until.is_some_and(|until| from >= until)) {
            return Err(Problem::invalid("startTime"));
        }
        let filters = ask.get("filters").unwrap_or_default();
        let filters = filters
            .split(',')
            .filter(|one| !one.is_empty())
            .map(|one| {
                let (name, value) = one.split_once("==").ok_or_else(|| Problem::invalid("filters"))?;
                if matches!(name, "doc_id" | "shared_drive_id") {
                    Ok((name.to_owned(), value.to_owned()))
                } else {
                    Err(Problem::invalid("filters"))
                }
            })
            .collect::<Result<Vec<_>, Problem>>()?;
        let client = match ask.get("applicationInfoFilter") {
            None => None,
            Some(text) => Some(
                text.strip_prefix("oAuthClientId=\"")
                    .and_then(|rest| rest.strip_suffix('"'))
                    .map(str::to_owned)
                    .ok_or_else(|| Problem::invalid("applicationInfoFilter"))?,
            ),
        };
        Ok(Self {
            from: from.map_or(oldest, |from| from.max(oldest)),
            until,
            event: ask.get("eventName").map(str::to_owned),
            user: (user != "all").then(|| user.to_owned()),
            address: ask.get("actorIpAddress").map(str::to_owned),
            client,
            filters,
        })
    }

    fn takes(&self, sim: &Sim, world: &World, record: &Record<'_>) -> bool {
        let Some((op, item)) = record.first().and_then(|op| Some((op, world.item(op.item)?))) else {
            return false;
        };
        let shared = wire::shared_drive(sim);
        let has = |(name, value): &(String, String)| match name.as_str() {
            "doc_id" => ids::file(op.item) == *value,
            _ => shared.as_deref() == Some(value.as_str()),
        };
        let by = |user: &String| op.actor.email == *user || profile(sim, &op.actor.email) == *user;
        self.from <= op.at
            && self.until.is_none_or(|until| op.at < until)
            && self
                .event
                .as_ref()
                .is_none_or(|wanted| names(world, op, item).iter().any(|(name, _)| name == wanted))
            && self.user.as_ref().is_none_or(by)
            && self
                .address
                .as_deref()
                .is_none_or(|wanted| address(sim, op).as_deref() == Some(wanted))
            && self
                .client
                .as_ref()
                .is_none_or(|wanted| application(op).is_some_and(|name| client_id(name) == *wanted))
            && self.filters.iter().all(has)
    }
}

/// Events of one act; those that are only there because of another are not primary.
fn names(world: &World, op: &Op, item: &Item) -> Vec<(&'static str, bool)> {
    match op.what {
        What::Created if item.is_folder() || wire::is_editors(world, item) => {
            vec![("create", true), ("add_to_folder", false)]
        }
        What::Created => vec![("upload", true), ("add_to_folder", false)],
        What::Saved => vec![("edit", true)],
        What::Moved { .. } if is_moved(op) && old_name(op).is_some() => {
            vec![("move", true), ("rename", false)]
        }
        What::Moved { .. } if is_moved(op) => vec![("move", true)],
        What::Moved { .. } => vec![("rename", true)],
        What::Deleted => vec![("trash", true)],
        What::Restored => vec![("untrash", true)],
    }
}

/// One record.
fn activity(sim: &Sim, world: &World, op: &Op) -> Option<Value> {
    let item = world.item(op.item)?;
    let qualifier = draw(sim.options().seed, op.seq, "qualifier").cast_signed();
    let events: Vec<Value> = names(world, op, item)
        .into_iter()
        .map(|event| event_of(sim, world, (op, item), event))
        .collect();
    let mut record = json!({
        "kind": "admin#reports#activity",
        "id": {
            "time": wire::time(op.at),
            "uniqueQualifier": qualifier.to_string(),
            "applicationName": "drive",
            "customerId": CUSTOMER,
        },
        "etag": format!("\"{qualifier:x}\""),
        "actor": actor(sim, op),
        "ownerDomain": domain(sim),
        "events": events,
    });
    if let Some(address) = address(sim, op) {
        record["ipAddress"] = json!(address);
    }
    if let Some(name) = application(op).filter(|_| sim.options().audit.applications == Applications::Named) {
        record["isAgenticAction"] = json!(is_agent(name));
    }
    Some(record)
}

fn domain(sim: &Sim) -> String {
    let owner = &sim.options().owner.email;
    owner.split_once('@').map_or("", |(_, domain)| domain).to_owned()
}

fn actor(sim: &Sim, op: &Op) -> Value {
    let email = &op.actor.email;
    let mut actor = match Hand::of(op) {
        Hand::Anonymous => return json!({ "callerType": "EXTERNAL_USER", "profileId": super::STRANGER }),
        Hand::Provider => return json!({ "callerType": "KEY", "key": "SYSTEM" }),
        Hand::Program(_) => json!({ "callerType": "USER", "email": email }),
        _ if is_inside(sim, email) => json!({ "callerType": "USER", "email": email }),
        _ => json!({ "callerType": "EXTERNAL_USER", "email": email }),
    };
    actor["profileId"] = json!(profile(sim, email));
    let named = sim.options().audit.applications == Applications::Named;
    if let Some(name) = application(op).filter(|_| named) {
        actor["applicationInfo"] = json!({
            "applicationName": name,
            "oauthClientId": client_id(name),
            "impersonation": false,
        });
        if is_agent(name) {
            actor["agentAttributionInfo"] = json!({
                "agentId": format!("agent-{}", project(name)),
                "agentName": name,
                "agentType": "THIRD_PARTY",
                "agentOwner": { "email": email },
            });
        }
    }
    actor
}

/// Number of the application's project in Google Cloud.
pub(super) fn project(name: &str) -> String {
    format!("{:012}", draw(6, 0, name) % 1_000_000_000_000)
}

/// Id of the application as an OAuth client.
pub(super) fn client_id(name: &str) -> String {
    format!("{}-sim.apps.googleusercontent.com", project(name))
}

/// None for people from elsewhere.
fn address(sim: &Sim, op: &Op) -> Option<String> {
    match Hand::of(op) {
        Hand::Program(_) | Hand::Through(..) => Some("203.0.113.80".to_owned()),
        Hand::Person(actor) | Hand::Admin(actor) | Hand::Removed(actor) if is_inside(sim, &actor.email) => {
            Some(format!("198.51.100.{}", 1 + draw(2, 0, &actor.email) % 250))
        }
        _ => None,
    }
}

fn event_of(sim: &Sim, world: &World, (op, item): (&Op, &Item), (name, primary): (&str, bool)) -> Value {
    let shared = wire::shared_drive(sim);
    let text = |name: &str, value: &str| json!({ "name": name, "value": value });
    let flag = |name: &str, value: bool| json!({ "name": name, "boolValue": value });
    let many = |name: &str, value: &str| json!({ "name": name, "multiValue": [value] });
    let owner = match &shared {
        Some(_) => "Simulated drive",
        None => &sim.options().owner.email,
    };
    let mut parameters = vec![
        flag("primary_event", primary),
        flag("billable", true),
        flag("owner_is_shared_drive", shared.is_some()),
        text("doc_id", &ids::file(op.item)),
        text("doc_type", doc_type(world, item)),
        text("doc_title", name_of(&op.path)),
        text("visibility", "private"),
        flag("actor_is_collaborator_account", false),
        text("owner", owner),
        flag("owner_is_team_drive", shared.is_some()),
        flag("is_encrypted", false),
    ];
    if let Some(drive) = &shared {
        parameters.push(text("shared_drive_id", drive));
    }
    let folder = |parent: ItemNo, title: &str, which: &str| {
        let title = if title.is_empty() { "My Drive" } else { title };
        [
            many(&format!("{which}_folder_id"), &wire::id(sim, parent)),
            many(&format!("{which}_folder_title"), title),
        ]
    };
    match (name, &op.what) {
        ("rename", What::Moved { old_name, .. }) => {
            parameters.push(many("old_value", old_name));
            parameters.push(many("new_value", name_of(&op.path)));
        }
        (
            "move",
            What::Moved {
                old_parent, old_path, ..
            },
        ) => {
            parameters.extend(folder(*old_parent, name_of(parent_of(old_path)), "source"));
            let parent = new_parent(world, op);
            parameters.extend(folder(parent, name_of(parent_of(&op.path)), "destination"));
        }
        ("add_to_folder", _) => {
            let parent = new_parent(world, op);
            parameters.extend(folder(parent, name_of(parent_of(&op.path)), "destination"));
        }
        _ => {}
    }
    if let Some(name) = application(op).filter(|_| sim.options().audit.applications == Applications::Named) {
        parameters.push(text("originating_app_id", &project(name)));
    }
    json!({ "type": "access", "name": name, "parameters": parameters, "resourceIds": [ids::file(op.item)] })
}

/// The folder an item was in after an operation: where the next move took it from, or where it is.
pub(super) fn new_parent(world: &World, op: &Op) -> ItemNo {
    let Some(item) = world.item(op.item) else {
        return ItemNo::ROOT;
    };
    let later = item.ops.iter().filter(|seq| **seq > op.seq);
    let left = later
        .filter_map(|seq| world.op(*seq))
        .filter(|later| later.item == op.item)
        .find_map(|later| match later.what {
            What::Moved { old_parent, .. } => Some(old_parent),
            _ => None,
        });
    left.or(item.parent).unwrap_or(ItemNo::ROOT)
}

fn doc_type(world: &World, item: &Item) -> &'static str {
    match wire::mime_type(world, item) {
        "application/vnd.google-apps.folder" => "folder",
        "application/vnd.google-apps.document" => "document",
        "application/pdf" => "pdf",
        "text/plain" | "text/markdown" | "text/csv" => "txt",
        _ => "unknown",
    }
}
