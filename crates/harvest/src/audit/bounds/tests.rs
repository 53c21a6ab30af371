use std::collections::BTreeMap;

use revtrail_model::{
    event::{ActorSource, Basis, ItemKind, PathDetails, Scope},
    id::Provider,
    sha256,
    time::parse,
};
use rstest::rstest;

use super::*;
use crate::inventory::KnownRevision;

fn at(time: &str) -> Timestamp {
    parse(&format!("2026-11-20T{time}Z")).unwrap()
}

fn event(action: Action, revision: Option<&str>, occurred: Occurred) -> Event {
    Event {
        id: sha256(b"e"),
        scope: Scope {
            ledger: "l".into(),
            folder: "f".into(),
            function: None,
            provider: Provider::OneDrive,
            tenant: "t".into(),
            drive_id: "d".into(),
        },
        item_id: "i".into(),
        item_kind: ItemKind::File,
        action,
        revision_id: revision.map(Into::into),
        previous_revision_id: None,
        path: PathDetails::default(),
        mime_type: None,
        size_bytes: None,
        hashes: BTreeMap::new(),
        content_missing: None,
        content_sha256: None,
        occurred,
        claimed_at: None,
        observed_at: at("12:00:00"),
        actor: None,
        actor_source: ActorSource::NotReported,
        basis: Basis::Reported,
        derived_from: None,
        baseline: false,
        reconciled: false,
        source_api: "test".into(),
        source_request_id: None,
        raw_sha256: None,
    }
}

fn saved(action: Action, time: &str, source: TimeSource) -> Event {
    event(action, Some("own"), Occurred::At { at: at(time), source })
}

/// An item with revisions at these times, the last or none of which is the event's own.
fn inventory(times: &[&str], own: &str, place: Option<&str>) -> Inventory {
    let mut item = Item::new(ItemKind::File);
    item.place = place.map(Into::into);
    item.revisions = times
        .iter()
        .map(|time| KnownRevision {
            id: if *time == own {
                "own".into()
            } else {
                format!("at {time}").into()
            },
            at: at(time),
        })
        .collect();
    let mut inventory = Inventory::default();
    inventory.put("i".into(), item);
    inventory
}

fn found(after: &str, revisions: usize) -> Found {
    Found {
        after: Some(at(after)),
        revisions,
    }
}

fn told(from: &str, to: &str) -> Bounds {
    Bounds {
        not_before: Some(at(from)),
        not_after: at(to),
        shared: false,
    }
}

/// A revision may hold what several people saved since the one before; each of them counts.
#[rstest]
#[case::since_the_one_before(&["09:00:00", "11:00:00"], "08:00:00", told("09:00:10", "11:00:10"))]
#[case::shown_by_the_look_before(&["02:00:00", "11:00:00"], "10:00:00", told("09:00:00", "11:00:10"))]
#[case::the_one_before_is_gone(&["11:00:00"], "10:00:00", told("09:00:00", "11:00:10"))]
#[case::close_to_its_neighbours(&["10:59:56", "11:00:00", "11:00:06"], "08:00:00", told("10:59:58", "11:00:03"))]
#[case::at_one_moment(&["09:00:00", "11:00:00", "11:00:00"], "08:00:00", Bounds { shared: true, ..told("09:00:10", "11:00:10") })]
fn a_save_took_all_since_the_revision_before(
    #[case] times: &[&str],
    #[case] after: &str,
    #[case] expected: Bounds,
) {
    let mut inventory = inventory(times, "none", None);
    // One of them is the event's.
    let mut item = inventory.item(&"i".into()).unwrap().clone();
    let own = item
        .revisions
        .iter()
        .position(|known| known.at == at("11:00:00"))
        .unwrap();
    item.revisions[own].id = "own".into();
    inventory.put("i".into(), item);
    let event = saved(Action::Modified, "11:00:00", TimeSource::Server);
    assert_eq!(bounds(&event, &inventory, found(after, 1)), expected);
}

#[test]
fn what_was_there_before_the_look_before_is_bounded_by_a_day() {
    let inventory = inventory(&["11:00:00"], "11:00:00", None);
    let event = saved(Action::Modified, "11:00:00", TimeSource::Server);
    let late = Found {
        after: Some(parse("2026-11-25T00:00:00Z").unwrap()),
        revisions: 1,
    };
    assert_eq!(
        bounds(&event, &inventory, late).not_before,
        Some(parse("2026-11-19T11:00:00Z").unwrap())
    );
}

#[rstest]
#[case::a_creation(Action::Created, None)]
#[case::where_each_save_is_a_revision(Action::Modified, Some("/x"))]
fn a_save_of_one_moment_has_seconds_of_play(#[case] action: Action, #[case] place: Option<&str>) {
    let event = saved(action, "11:00:00", TimeSource::Server);
    let alone = inventory(&["09:00:00", "11:00:00"], "11:00:00", place);
    assert_eq!(
        bounds(&event, &alone, found("08:00:00", 1)),
        told("10:59:50", "11:00:10")
    );
    let close = inventory(&["10:59:58", "11:00:00", "11:00:04"], "11:00:00", place);
    assert_eq!(
        bounds(&event, &close, found("08:00:00", 1)),
        told("10:59:59", "11:00:02")
    );
}

/// A time that an uploading program chose is not believed.
#[rstest]
#[case::alone(&["03:00:00", "11:00:00"], 1, false)]
#[case::with_another_of_the_same_look(&["03:00:00", "11:00:00"], 2, true)]
#[case::with_one_of_the_look_before(&["08:00:05", "11:00:00"], 1, true)]
fn a_claimed_save_lies_between_two_looks(#[case] times: &[&str], #[case] new: usize, #[case] shared: bool) {
    let event = saved(Action::Modified, "11:00:00", TimeSource::Client);
    let inventory = inventory(times, "11:00:00", None);
    assert_eq!(
        bounds(&event, &inventory, found("08:00:00", new)),
        Bounds {
            shared,
            ..told("08:00:00", "12:00:00")
        }
    );
}

/// A folder is created once.
#[test]
fn a_creation_without_a_revision_is_not_shared() {
    let occurred = Occurred::At {
        at: at("11:00:00"),
        source: TimeSource::Client,
    };
    let event = event(Action::Created, None, occurred);
    assert_eq!(
        bounds(&event, &Inventory::default(), found("08:00:00", 0)),
        told("08:00:00", "12:00:00")
    );
}

#[test]
fn other_facts_have_the_bounds_of_their_event() {
    let between = Occurred::Between {
        not_before: Some(at("08:00:00")),
        not_after: at("10:00:00"),
    };
    let inventory = inventory(&["09:00:00"], "none", None);
    let deleted = event(Action::Deleted, None, between);
    assert_eq!(
        bounds(&deleted, &inventory, found("07:00:00", 0)),
        told("08:00:00", "10:00:00")
    );
    let moved = saved(Action::Moved, "11:00:00", TimeSource::Server);
    assert_eq!(
        bounds(&moved, &inventory, found("07:00:00", 0)),
        told("11:00:00", "11:00:01")
    );
}
