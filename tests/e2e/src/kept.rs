//! What a provider that prunes and thins its revisions still could tell, and what must stand for the rest.

use std::collections::{BTreeMap, BTreeSet};

use revtrail_simulator::{Keep, Timestamp};
use serde_json::Value;

/// Facts of a perfect reader, parted by whether the provider still had them when they were asked for.
#[derive(Debug, Default)]
pub struct Parted {
    /// States, and revisions still listed.
    pub told: Vec<Value>,
    /// Revisions removed before they were ever listed.
    pub removed: Vec<Value>,
}

/// Parts `facts`, in the order of the polls; `poll_of` is the look that told a fact.
///
/// # Panics
/// When a fact about a revision has no time.
pub fn part(facts: Vec<(Timestamp, Value)>, keep: Keep) -> Parted {
    let mut saves: BTreeMap<String, Vec<(Timestamp, usize)>> = BTreeMap::new();
    for (number, (_, fact)) in facts.iter().enumerate() {
        if fact["revision_id"].is_string() {
            let item = text(fact, "item_id").to_owned();
            saves.entry(item).or_default().push((time(fact), number));
        }
    }
    let mut removed = BTreeSet::new();
    for list in saves.values() {
        for (place, (_, number)) in list.iter().enumerate() {
            // The list as it was at the look that would have told this one.
            let Some(poll) = facts.get(*number).map(|(poll, _)| *poll) else {
                continue;
            };
            let until = list
                .iter()
                .take_while(|(_, other)| facts.get(*other).is_some_and(|(at, _)| *at <= poll));
            let times: Vec<Timestamp> = until.map(|(at, _)| *at).collect();
            if keep.kept(poll, &times).get(place) != Some(&true) {
                removed.insert(*number);
            }
        }
    }
    let mut parted = Parted::default();
    for (number, (_, fact)) in facts.into_iter().enumerate() {
        if removed.contains(&number) {
            parted.removed.push(fact);
        } else {
            parted.told.push(fact);
        }
    }
    parted
}

fn text<'a>(row: &'a Value, member: &str) -> &'a str {
    row[member].as_str().unwrap_or_default()
}

/// When a row says it happened.
///
/// # Panics
/// When it does not.
pub fn time(row: &Value) -> Timestamp {
    let at = text(row, "occurred_at");
    at.parse().unwrap_or_else(|error| panic!("{row}: {error}"))
}
