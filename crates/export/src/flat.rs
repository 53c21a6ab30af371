//! One event as one flat JSON document.

use revtrail_model::event::{Event, Occurred};
use serde_json::{Map, Value, json};

/// Members of the flat form, in the order of CSV columns. An absent member is an empty cell; `annotations` is a list of
/// [`crate::annotation`], which whoever has them adds.
pub const COLUMNS: [&str; 41] = [
    "log",
    "index",
    "id",
    "ledger",
    "folder",
    "function",
    "provider",
    "tenant",
    "drive_id",
    "item_id",
    "item_kind",
    "action",
    "path",
    "previous_path",
    "name",
    "occurred_at",
    "occurred_not_before",
    "occurred_not_after",
    "occurred_source",
    "claimed_at",
    "observed_at",
    "actor_kind",
    "actor_id",
    "actor_email",
    "actor_name",
    "on_behalf_of",
    "application_id",
    "application_name",
    "actor_source",
    "revision_id",
    "previous_revision_id",
    "size_bytes",
    "hashes",
    "content_sha256",
    "content_missing",
    "basis",
    "derived_from",
    "baseline",
    "raw_sha256",
    "reconciled",
    "annotations",
];

/// The event at leaf `index` of `log` as a flat document. What the provider did not say is absent, never empty.
pub fn flat(log: &str, index: u64, event: &Event) -> Map<String, Value> {
    let mut document = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            document.insert(name.to_owned(), value);
        }
    };
    put("log", json!(log));
    put("index", json!(index));
    put("id", json!(event.id));
    put("ledger", json!(event.scope.ledger));
    put("folder", json!(event.scope.folder));
    put("function", json!(event.scope.function));
    put("provider", json!(event.scope.provider));
    put("tenant", json!(event.scope.tenant));
    put("drive_id", json!(event.scope.drive_id));
    put("item_id", json!(event.item_id));
    put("item_kind", json!(event.item_kind));
    put("action", json!(event.action));
    put("path", json!(event.path.path));
    put("previous_path", json!(event.path.previous_path));
    put("name", json!(event.path.name));
    put("revision_id", json!(event.revision_id));
    put("previous_revision_id", json!(event.previous_revision_id));
    put("size_bytes", json!(event.size_bytes));
    put(
        "hashes",
        if event.hashes.is_empty() {
            Value::Null
        } else {
            json!(event.hashes)
        },
    );
    put("content_sha256", json!(event.content_sha256));
    put("content_missing", json!(event.content_missing));
    put("claimed_at", json!(event.claimed_at));
    put("observed_at", json!(event.observed_at));
    put("actor_source", json!(event.actor_source));
    put("basis", json!(event.basis));
    put("derived_from", json!(event.derived_from));
    put("baseline", json!(event.baseline));
    if event.reconciled {
        put("reconciled", json!(true));
    }
    put("raw_sha256", json!(event.raw_sha256));
    who(event, &mut put);
    when(event, &mut put);
    document
}

fn who(event: &Event, put: &mut impl FnMut(&str, Value)) {
    let Some(actor) = &event.actor else {
        return put("actor_kind", json!("unknown"));
    };
    put("actor_kind", json!(actor.kind));
    put("actor_id", json!(actor.details.id));
    put("actor_email", json!(actor.details.email));
    put("actor_name", json!(actor.details.name));
    put("on_behalf_of", json!(actor.details.on_behalf_of));
    if let Some(application) = &actor.application {
        put("application_id", json!(application.id));
        put("application_name", json!(application.name));
    }
}

fn when(event: &Event, put: &mut impl FnMut(&str, Value)) {
    match &event.occurred {
        Occurred::At { at, source } => {
            put("occurred_at", json!(at));
            put("occurred_source", json!(source));
        }
        Occurred::Between {
            not_before,
            not_after,
        } => {
            put("occurred_not_before", json!(not_before));
            put("occurred_not_after", json!(not_after));
            put("occurred_source", json!("inferred"));
        }
    }
}

/// The document as one CSV row.
pub fn row(document: &Map<String, Value>) -> Vec<String> {
    COLUMNS
        .iter()
        .map(|column| match document.get(*column) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Object(members)) => members
                .iter()
                .map(|(name, value)| format!("{name}:{}", value.as_str().unwrap_or_default()))
                .collect::<Vec<_>>()
                .join(" "),
            Some(other) => other.to_string(),
        })
        .collect()
}
