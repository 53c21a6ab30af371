//! Several saves, by several people, in one revision.

use revtrail_e2e::rows;
use revtrail_simulator::{WorldSource, truth::onedrive::could_tell_merged};

use super::*;

const SITTING: std::time::Duration = std::time::Duration::from_mins(10);

fn options() -> Options {
    Options {
        merging: Some(SITTING.try_into().unwrap()),
        ..Options::default()
    }
}

/// A sitting that the first look interrupts, and a later one.
fn sittings(path: &str) -> Vec<Edit> {
    let before = |seconds: i64| Timestamp::from_second(polls()[0].as_second() - seconds).unwrap();
    vec![
        Edit::created(before(300), path, 1).by("ada@acme.example"),
        Edit::modified(before(200), path, 2).by("bo@acme.example"),
        Edit::modified(before(-60), path, 3).by("cy@partner.example"),
        Edit::modified(before(-120), path, 4).by("di@acme.example"),
        Edit::modified(at(5, 1), path, 5).by("ada@acme.example"),
        Edit::modified(at(5, 2), path, 6).by("bo@acme.example"),
    ]
}

/// A version that took more after it was recorded is told again: who saved last is never passed over.
#[test]
fn a_version_that_took_more_is_told_again() {
    let edits = sittings("Handbook/a.docx");
    let stage = Stage::of(Provider::OneDrive, edits.clone(), options());
    for poll in polls() {
        stage.look_well(poll);
    }
    let source = WorldSource::from_edits(edits);
    let truth = could_tell_merged(&source, "/Handbook", &polls(), options().merging).unwrap();
    revtrail_e2e::assert_same(&stage.facts(), &rows(&truth));
    let people: Vec<Value> = stage
        .actions("modified")
        .iter()
        .map(|event| event["actor_email"].clone())
        .collect();
    assert_eq!(
        people,
        ["bo@acme.example", "di@acme.example", "bo@acme.example"].map(Value::from)
    );
    let ids: Vec<Value> = stage
        .bench
        .events()
        .iter()
        .map(|event| event["id"].clone())
        .collect();
    assert_eq!(
        ids.iter()
            .map(Value::to_string)
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
        ids.len()
    );
    stage.bench.verify();
}

/// Google's editors give what they merged another id: the one recorded has vanished, and the one that took its place is told.
#[test]
fn a_merged_revision_of_the_editors_is_told_under_its_new_id() {
    let stage = Stage::of(Provider::GoogleDrive, sittings("Handbook/a.gdoc"), options());
    for poll in polls() {
        let row = stage.look(poll, 4);
        assert_eq!(row["gaps"], json!(["revisions_truncated"]), "{row}");
    }
    let told = |action: &str| -> Vec<Value> {
        stage
            .actions(action)
            .iter()
            .map(|event| event["revision_id"].clone())
            .collect()
    };
    let vanished = told("revision_vanished");
    assert_eq!(vanished.len(), 1);
    let first: Vec<Value> = told("created").into_iter().chain(told("modified")).collect();
    assert!(first.contains(&vanished[0]), "{first:?}");
    let people: std::collections::BTreeSet<String> = stage
        .bench
        .events()
        .iter()
        .filter_map(|event| event["actor_email"].as_str().map(str::to_owned))
        .collect();
    for who in ["bo@acme.example", "di@acme.example"] {
        assert!(people.contains(who), "{people:?}");
    }
    stage.bench.verify();
}
