//! Golden mappings: one file in `tests/data` per oddity.

use std::fmt::Write as _;

use revtrail_connector::change::ItemMeta;
use revtrail_model::id::DriveId;
use rstest::rstest;
use serde_json::Value;

use super::*;
use crate::{error::classify, wire::ListFolder};

macro_rules! data {
    ($name:literal) => {
        include_str!(concat!("../../tests/data/", $name, ".json"))
    };
}

const SHARED: &str = data!("file_in_a_shared_folder");

fn handbook() -> View {
    View::new(&FolderRoot {
        drive: DriveId::from("1"),
        item: ItemId::from("id:f"),
        place: Some(PlaceKey::from("/handbook")),
        name: None,
        parent: None,
        former: Vec::new(),
    })
}

fn origin() -> Origin {
    Origin {
        operation: "list_folder",
        request_id: Some("r1".to_owned()),
    }
}

fn record(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.trim().to_owned()).unwrap()
}

fn mapped(text: &str) -> Change {
    change(&handbook(), &record(text), &origin()).unwrap()
}

fn present(text: &str) -> ItemMeta {
    match mapped(text).seen {
        Seen::Present(meta) => meta,
        other => panic!("{other:?}"),
    }
}

/// One line per entry, every mapped value in it.
fn line(change: &Change) -> String {
    let mut line = String::new();
    match &change.seen {
        Seen::Present(meta) => {
            write!(line, "{} {}", meta.kind.as_str(), meta.id).unwrap();
            match &meta.location {
                Location::Place { key, path } => write!(line, " at {key} ({path:?})").unwrap(),
                Location::Parent(parent) => write!(line, " below {parent:?}").unwrap(),
            }
            if let Some(head) = &meta.head {
                let at = head.modified_at.unwrap();
                write!(
                    line,
                    " head {} {at} {:?} {:?}",
                    head.marker,
                    head.size_bytes,
                    head.hashes.keys()
                )
                .unwrap();
            }
        }
        Seen::Vacated { place, path } => write!(line, "vacated {place} ({path:?})").unwrap(),
        other => panic!("{other:?}"),
    }
    write!(line, " unknown {}", change.raw.unknown).unwrap();
    line
}

#[rstest]
#[case::shared(
    SHARED,
    r#"file id:Qk7uXb2mTnAAAAAAAAAB01 at /handbook/ops/plan.md (Some("Ops/plan.md")) head 64c0a1b2c3d4e0c759e285 2026-03-02T08:00:07Z Some(42) ["dropbox"] unknown 0"#
)]
#[case::private(
    data!("file_in_a_private_folder"),
    r#"file id:Qk7uXb2mTnAAAAAAAAAB01 at /handbook/ops/plan.md (Some("Ops/plan.md")) head 64c0a1b2c3d4e0c759e285 2026-03-02T08:00:07Z Some(42) ["dropbox"] unknown 0"#
)]
#[case::no_hash(
    data!("cloud_document"),
    r#"file id:Qk7uXb2mTnAAAAAAAAAB02 at /handbook/minutes.paper (Some("Minutes.paper")) head 64c0a1b2c3d4e0c759e285 2026-03-02T08:00:07Z Some(0) [] unknown 0"#
)]
#[case::mount(
    data!("mount_point"),
    r#"folder id:Qk7uXb2mTnAAAAAAAAAB03 at /handbook/case 17 (Some("Case 17")) unknown 0"#
)]
#[case::lower_tombstone(
    data!("tombstone_in_lower_case"),
    r#"vacated /handbook/ops/old drafts (Some("ops/old drafts")) unknown 0"#
)]
#[case::folder_tombstone(data!("tombstone_of_the_folder_itself"), "vacated /handbook (None) unknown 0")]
#[case::unmounted(
    data!("not_mounted"),
    r#"file id:Qk7uXb2mTnAAAAAAAAAB01 below None head 64c0a1b2c3d4e0c759e285 2026-03-02T08:00:07Z Some(42) ["dropbox"] unknown 0"#
)]
#[case::later_members(
    data!("members_of_a_later_version"),
    r#"file id:Qk7uXb2mTnAAAAAAAAAB01 at /handbook/ops/plan.md (Some("Ops/plan.md")) head 64c0a1b2c3d4e0c759e285 2026-03-02T08:00:07Z Some(42) ["dropbox"] unknown 2"#
)]
#[case::later_kind(
    data!("kind_of_a_later_version"),
    r#"other id:Qk7uXb2mTnAAAAAAAAAB04 at /handbook/board (Some("Board")) unknown 1"#
)]
#[case::parents_cased_otherwise(
    data!("parents_cased_otherwise"),
    r#"file id:Qk7uXb2mTnAAAAAAAAAB01 at /handbook/ops/plan.md (Some("ops/plan.md")) head 64c0a1b2c3d4e0c759e285 2026-03-02T08:00:07Z Some(42) ["dropbox"] unknown 0"#
)]
#[case::outside(
    data!("outside_the_folder"),
    r#"file id:Qk7uXb2mTnAAAAAAAAAB01 at /handbook old/plan.md (None) head 64c0a1b2c3d4e0c759e285 2026-03-02T08:00:07Z Some(42) ["dropbox"] unknown 0"#
)]
#[case::longer_in_lower_case(
    data!("letters_that_change_length_in_lower_case"),
    "file id:Qk7uXb2mTnAAAAAAAAAB01 at /handbook/i\u{307}z.md (Some(\"\u{130}Z.md\")) head 64c0a1b2c3d4e0c759e285 2026-03-02T08:00:07Z Some(42) [\"dropbox\"] unknown 0"
)]
fn entries_map_to(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(line(&mapped(text)), expected);
}

#[test]
fn the_record_is_kept_byte_for_byte() {
    let change = mapped(SHARED);
    assert_eq!(change.raw.body, SHARED.trim());
    assert_eq!(
        (change.raw.operation, change.raw.request_id.as_deref()),
        ("list_folder", Some("r1"))
    );
}

#[test]
fn an_unmounted_item_has_no_visible_parent() {
    assert_eq!(present(data!("not_mounted")).location, Location::Parent(None));
}

#[test]
fn below_the_root_of_a_namespace_the_path_is_the_whole_path() {
    let view = View::new(&FolderRoot {
        drive: DriveId::from("1"),
        item: ItemId::from("ns:1"),
        place: Some(PlaceKey::from("")),
        name: None,
        parent: None,
        former: Vec::new(),
    });
    let path = |key: &str, display| view.relative(&PlaceKey::from(key), Some(display));
    assert_eq!(path("/a/b", "/A/b").as_deref(), Some("A/b"));
    assert_eq!(path("", ""), None);
}

#[rstest]
#[case::no_tag(r#"{"name":"a","path_lower":"/a"}"#)]
#[case::no_place(r#"{".tag":"deleted","name":"a"}"#)]
#[case::no_id(r#"{".tag":"canvas","name":"a","path_lower":"/a"}"#)]
#[case::no_time(r#"{".tag":"file","name":"a","id":"id:1","rev":"012345678"}"#)]
#[case::no_object("[]")]
fn an_entry_that_names_nothing_is_an_error(#[case] text: &str) {
    assert!(change(&handbook(), &record(text), &origin()).is_err());
}

fn listed(text: &str) -> (Vec<Revision>, Presence) {
    let list: wire::ListRevisions = serde_json::from_str(text).unwrap();
    let entries = list.entries.iter();
    let entries = entries
        .map(|entry| Listed::read(entry, &origin()).unwrap())
        .collect();
    let revisions = oldest_first(entries).into_iter().map(|entry| {
        let actor = entry.author().map(|id| actor(id, None, None));
        entry.into_revision(&handbook(), actor)
    });
    (revisions.collect(), presence(&list))
}

#[test]
fn within_a_second_the_list_decides_the_order() {
    let (revisions, now) = listed(data!("revisions_in_the_same_second"));
    let ids: Vec<_> = revisions.iter().map(|revision| revision.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "64c0a1b2a00000c759e285",
            "64c0a1b2c3d4f0c759e285",
            "64c0a1b2c3d4e0c759e285"
        ]
    );
    assert_eq!(now, Presence::Live);
}

#[test]
fn a_deletion_time_is_told_or_not() {
    let at = "2026-03-04T11:12:13Z".parse().unwrap();
    let deleted = listed(data!("revisions_of_a_deleted_place"));
    assert_eq!(deleted.1, Presence::Deleted { at: Some(at) });
    let moved = listed(data!("revisions_of_a_place_moved_away_from"));
    assert_eq!(moved.1, Presence::Left);
    let old = listed(data!("revisions_as_answered_in_2016"));
    assert_eq!(old.1, Presence::Left);
    assert_eq!((old.0[0].size_bytes, old.0[0].hashes.len()), (Some(12), 0));
}

#[test]
fn a_place_lists_every_occupant_and_an_author_only_when_told() {
    let (revisions, _) = listed(data!("revisions_of_two_occupants"));
    let items: Vec<_> = revisions.iter().map(|revision| revision.item.as_str()).collect();
    assert_eq!(items, ["id:Qk7uXb2mTnAAAAAAAAAB01", "id:Qk7uXb2mTnAAAAAAAAAB09"]);
    assert_eq!(revisions[0].actor, None);
    let author = revisions[1].actor.clone().unwrap();
    assert_eq!(author.kind, ActorKind::User);
    assert_eq!(
        author.details.id.as_deref(),
        Some("dbid:AAC3jT0hYpvQ2bX7mKz1Rf9LwNsEoGdUiAx")
    );
}

#[test]
fn each_revision_keeps_the_place_it_was_saved_at() {
    let (revisions, _) = listed(data!("revisions_across_a_rename"));
    let places: Vec<_> = revisions
        .iter()
        .map(|revision| revision.place.clone().unwrap())
        .map(|place| (place.key.to_string(), place.path))
        .collect();
    assert_eq!(
        places,
        [
            ("/inbox/draft.md".to_owned(), None),
            ("/handbook/ops/plan.md".to_owned(), Some("Ops/plan.md".to_owned()))
        ]
    );
}

#[test]
fn the_claimed_time_is_kept_beside_the_servers() {
    let (revisions, _) = listed(data!("revisions_of_a_deleted_place"));
    let revision = &revisions[0];
    assert_eq!(revision.at.to_string(), "2026-03-02T08:00:07Z");
    assert_eq!(revision.time_source, TimeSource::Server);
    assert_eq!(revision.claimed_at.unwrap().to_string(), "2026-03-02T08:00:00Z");
}

#[test]
fn a_claimed_time_outside_the_calendar_is_left_out() {
    let record = record(data!("client_time_out_of_the_calendar"));
    let revision = Listed::read(&record, &origin())
        .unwrap()
        .into_revision(&handbook(), None);
    assert_eq!(revision.claimed_at, None);
    assert_eq!(revision.at.to_string(), "2026-03-02T08:00:07Z");
}

#[test]
fn revisions_listed_twice_count_once() {
    let list: wire::ListRevisions = serde_json::from_str(data!("revisions_in_the_same_second")).unwrap();
    let once: Vec<Listed> = list
        .entries
        .iter()
        .map(|entry| Listed::read(entry, &origin()).unwrap())
        .collect();
    let twice = [once.clone(), once].concat();
    assert_eq!(oldest_first(twice).len(), 3);
}

/// Exchanges collected outside this repository, when there are any.
#[test]
#[expect(clippy::print_stdout, reason = "tells that the outside data was not there")]
fn collected_exchanges_are_understood() {
    let Ok(root) = std::env::var("REVTRAIL_TEST_DATA") else {
        println!("skipped: REVTRAIL_TEST_DATA is not set");
        return;
    };
    let mut read = 0;
    for file in std::fs::read_dir(format!("{root}/providers/dropbox/examples")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let scenario: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            for exchange in scenario["exchanges"].as_array().unwrap() {
                replay(exchange);
                read += 1;
            }
        }
    }
    assert!(read > 50, "only {read} exchanges");
}

fn replay(exchange: &Value) {
    let route = exchange["request"]["path"].as_str().unwrap_or_default();
    let response = &exchange["response"];
    let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
    let body = match &response["json"] {
        Value::Null => response["text"].as_str().unwrap_or_default().to_owned(),
        json => json.to_string(),
    };
    let failure = classify("list_folder", status, None, body.as_bytes());
    assert_eq!(
        failure.is_none(),
        (200..300).contains(&status),
        "{route} {status}"
    );
    if failure.is_some() {
        return;
    }
    match route {
        "/2/files/list_folder" | "/2/files/list_folder/continue" => {
            let page: ListFolder = serde_json::from_str(&body).unwrap();
            for entry in &page.entries {
                let change = change(&handbook(), entry, &origin()).unwrap();
                assert_eq!(change.raw.unknown, 0, "{entry}");
            }
        }
        "/2/files/list_revisions" => {
            let list: wire::ListRevisions = serde_json::from_str(&body).unwrap();
            assert_eq!(listed(&body).0.len(), list.entries.len());
        }
        "/2/files/get_metadata" => {
            Metadata::read(&body).unwrap();
        }
        "/2/users/get_current_account" => {
            let account: wire::FullAccount = serde_json::from_str(&body).unwrap();
            assert!(account.account_id.starts_with("dbid:"));
        }
        "/2/users/get_account_batch" => match serde_json::from_str(&body).unwrap() {
            wire::AccountBatch::Accounts(accounts) => assert!(!accounts.is_empty()),
            wire::AccountBatch::Refused(refusal) => panic!("{refusal:?}"),
        },
        _ => {}
    }
}
