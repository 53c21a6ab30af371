//! Events of the record against facts of the ground truth.

use std::collections::BTreeMap;

use revtrail_simulator::{Provider, Timestamp, WorldSource, truth};
use serde_json::{Map, Value, json};

/// What a perfect reader could tell who looked at these moments.
///
/// # Panics
/// When the truth cannot be told.
pub fn told(provider: Provider, source: &WorldSource, folder: &str, polls: &[Timestamp]) -> Vec<Value> {
    let facts = told_when(provider, source, folder, polls).into_iter();
    facts.map(|(_, fact)| fact).collect()
}

/// As [`told`], each with the look that told it.
///
/// # Panics
/// When the truth cannot be told.
pub fn told_when(
    provider: Provider,
    source: &WorldSource,
    folder: &str,
    polls: &[Timestamp],
) -> Vec<(Timestamp, Value)> {
    let facts = match provider {
        Provider::OneDrive => truth::onedrive::could_tell(source, folder, polls),
        Provider::GoogleDrive => truth::google_drive::could_tell(source, folder, polls),
        Provider::Dropbox => truth::dropbox::could_tell(source, folder, polls),
    };
    let facts = facts.unwrap_or_else(|error| panic!("truth: {error}"));
    facts
        .iter()
        .filter_map(|fact| Some((*polls.get(fact.poll)?, fact_as_row(&json!(fact)))))
        .collect()
}

/// Facts as [`events_as_facts`] gives events.
pub fn rows(facts: &[truth::Fact]) -> Vec<Value> {
    facts.iter().map(|fact| fact_as_row(&json!(fact))).collect()
}

/// Members that must agree, in one form.
fn fact_as_row(fact: &Value) -> Value {
    let mut row = Map::new();
    for (name, member) in [
        ("action", "action"),
        ("item_kind", "item_kind"),
        ("item_id", "item_id"),
        ("revision_id", "revision_id"),
        ("occurred_at", "occurred_at"),
        ("not_before", "not_before"),
        ("not_after", "not_after"),
        ("size", "size"),
        ("hashes", "hashes"),
        ("path", "path"),
        ("previous_path", "previous_path"),
        ("basis", "basis"),
        ("derived_from", "derived_from"),
        ("baseline", "baseline"),
        ("previous_revision_id", "previous_revision_id"),
    ] {
        put(&mut row, name, fact.get(member));
    }
    for member in ["id", "email", "name"] {
        put(
            &mut row,
            &format!("actor_{member}"),
            fact.pointer(&format!("/actor/{member}")),
        );
        put(
            &mut row,
            &format!("application_{member}"),
            fact.pointer(&format!("/application/{member}")),
        );
    }
    Value::Object(row)
}

fn put(row: &mut Map<String, Value>, name: &str, value: Option<&Value>) {
    if let Some(value) = value.filter(|value| !value.is_null()) {
        row.insert(name.to_owned(), value.clone());
    }
}

/// Exported events in the form of facts. What follows from another event names that event's action in place of its id, for facts have
/// none. The upper bound of an event is a second later than the moment of the look, because the
/// provider's `Date` is truncated.
pub fn events_as_facts(events: &[Value]) -> Vec<Value> {
    let told: BTreeMap<&str, &Value> = events
        .iter()
        .filter_map(|event| Some((event.get("id")?.as_str()?, event)))
        .collect();
    let row = |event: &Value| {
        let mut row = event_as_row(event);
        if event.get("action") == Some(&json!("instructions_changed")) {
            let cause = event.get("derived_from").and_then(Value::as_str);
            let cause = cause.and_then(|id| told.get(id));
            let cause = cause.filter(|cause| cause.get("item_id") == event.get("item_id"));
            row["derived_from"] = cause.map_or(Value::Null, |cause| cause["action"].clone());
        }
        row
    };
    events.iter().map(row).collect()
}

fn event_as_row(event: &Value) -> Value {
    let mut row = Map::new();
    for (name, member) in [
        ("action", "action"),
        ("item_kind", "item_kind"),
        ("item_id", "item_id"),
        ("revision_id", "revision_id"),
        ("occurred_at", "occurred_at"),
        ("not_before", "occurred_not_before"),
        ("size", "size_bytes"),
        ("hashes", "hashes"),
        ("path", "path"),
        ("previous_path", "previous_path"),
        ("basis", "basis"),
        ("derived_from", "derived_from"),
        ("baseline", "baseline"),
        ("previous_revision_id", "previous_revision_id"),
        ("actor_id", "actor_id"),
        ("actor_email", "actor_email"),
        ("actor_name", "actor_name"),
        ("application_id", "application_id"),
        ("application_name", "application_name"),
    ] {
        put(&mut row, name, event.get(member));
    }
    let upper = event
        .get("occurred_not_after")
        .and_then(Value::as_str)
        .and_then(|text| text.parse::<Timestamp>().ok());
    if let Some(at) = upper.and_then(|upper| Timestamp::from_second(upper.as_second() - 1).ok()) {
        row.insert("not_after".into(), json!(at));
    }
    Value::Object(row)
}

/// Asserts that both hold the same rows, each as often.
///
/// # Panics
/// When they do not, with what is missing and what is extra.
pub fn assert_same(events: &[Value], facts: &[Value]) {
    let mut counted: BTreeMap<String, (i64, &Value)> = BTreeMap::new();
    for fact in facts {
        counted.entry(fact.to_string()).or_insert((0, fact)).0 += 1;
    }
    for event in events {
        counted.entry(event.to_string()).or_insert((0, event)).0 -= 1;
    }
    let missing: Vec<String> = counted
        .values()
        .filter(|(count, _)| *count > 0)
        .map(|(_, row)| row.to_string())
        .collect();
    let extra: Vec<String> = counted
        .values()
        .filter(|(count, _)| *count < 0)
        .map(|(_, row)| row.to_string())
        .collect();
    let show = |rows: &[String]| {
        rows.iter()
            .take(8)
            .fold(String::new(), |text, row| format!("{text}  {row}\n"))
    };
    assert!(
        missing.is_empty() && extra.is_empty(),
        "{} facts, {} events\nmissing {}:\n{}extra {}:\n{}",
        facts.len(),
        events.len(),
        missing.len(),
        show(&missing),
        extra.len(),
        show(&extra)
    );
}
