use revtrail_connector::change::{Creation, Head, ItemMeta, Location, Seen, Trashing};
use revtrail_model::{
    event::{Scope, TimeSource},
    id::Provider,
    time::parse,
};

use super::*;

const THEN: &str = "2026-11-01T00:00:00Z";
const NOW: &str = "2026-11-02T00:00:00Z";

fn at(text: &str) -> Timestamp {
    parse(text).unwrap()
}

fn frame(previous: Option<&str>) -> Frame {
    Frame {
        scope: Scope {
            ledger: "l".into(),
            folder: "f".into(),
            function: None,
            provider: Provider::OneDrive,
            tenant: "t".into(),
            drive_id: "d".into(),
        },
        baseline: previous.is_none(),
        reconciled: false,
        previous: previous.map(at),
        seen_at: at(NOW),
        observed_at: at(NOW),
    }
}

fn root() -> FolderRoot {
    FolderRoot {
        drive: "d".into(),
        item: "F".into(),
        place: None,
        name: None,
        parent: None,
        former: Vec::new(),
    }
}

fn item(kind: ItemKind, parent: &str, name: &str) -> Item {
    Item {
        parent: Some(parent.into()),
        name: Some(name.into()),
        marker: Some("m1".into()),
        changes: 2,
        ..Item::new(kind)
    }
}

fn meta(id: &str, kind: ItemKind, parent: &str, name: &str) -> ItemMeta {
    let head = Head {
        marker: "m1".into(),
        revision: None,
        modified_at: None,
        size_bytes: None,
        hashes: [].into(),
    };
    ItemMeta {
        id: id.into(),
        kind,
        name: Some(name.into()),
        location: Location::Parent(Some(parent.into())),
        created: Some(Creation {
            at: at("2026-10-01T00:00:00Z"),
            source: TimeSource::Server,
            actor: None,
        }),
        head: (kind == ItemKind::File).then_some(head),
        mime_type: None,
    }
}

/// The folder holds `a/` with `a/x` and `a/b/` with `a/b/y`; `out/` lies beside it.
fn inventory() -> Inventory {
    let mut inventory = Inventory::default();
    inventory.put("a".into(), item(ItemKind::Folder, "F", "a"));
    inventory.put("x".into(), item(ItemKind::File, "a", "x"));
    inventory.put("b".into(), item(ItemKind::Folder, "a", "b"));
    inventory.put("y".into(), item(ItemKind::File, "b", "y"));
    inventory.put(
        "drive".into(),
        Item {
            status: Status::Outside,
            ..Item::new(ItemKind::Folder)
        },
    );
    let out = Item {
        status: Status::Outside,
        name: None,
        changes: 0,
        ..item(ItemKind::Folder, "drive", "")
    };
    inventory.put("out".into(), out);
    inventory
}

/// Settles one round; each event as `action path previous derived_from`, sorted.
fn settle(
    inventory: &Inventory,
    previous: Option<&str>,
    entries: Vec<(&str, Seen)>,
) -> (Vec<String>, Settled) {
    let mut round = crate::round::Round::default();
    let root = root();
    let mut spool = crate::spool::Spool::new(revtrail_model::disclosure::Seed::from_bytes([0; 32])).unwrap();
    let mut view = crate::round::View {
        root: &root,
        inventory,
        with_contents: true,
        spool: &mut spool,
    };
    for (id, mut seen) in entries {
        if let Seen::Deleted { id: deleted, .. } | Seen::Lost { id: deleted } = &mut seen {
            *deleted = id.into();
        }
        let raw = revtrail_connector::change::Raw {
            body: "{}".into(),
            operation: "test",
            request_id: None,
            unknown: 0,
        };
        round
            .take(
                revtrail_connector::change::Change { seen, raw },
                at(NOW),
                &mut view,
            )
            .unwrap();
    }
    let finished = round.finish(&mut view).unwrap();
    let settled = Settle {
        frame: &frame(previous),
        root: &root,
        inventory,
        entries: finished.entries,
        cause: None,
    }
    .settle();
    let show = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let mut lines: Vec<String> = settled
        .events
        .iter()
        .map(|event| {
            let (path, before) = (show(&event.path.path), show(&event.path.previous_path));
            format!(
                "{} {} {path} {before} {}",
                event.action.as_str(),
                event.item_id,
                show(&event.derived_from)
            )
        })
        .collect();
    lines.sort();
    (lines, settled)
}

fn present(meta: ItemMeta) -> Seen {
    Seen::Present(meta)
}

fn trashed(meta: ItemMeta, through: TrashedThrough) -> Seen {
    Seen::Trashed(
        meta,
        Trashing {
            through,
            at: None,
            actor: None,
        },
    )
}

#[test]
fn an_unchanged_entry_tells_nothing() {
    let (events, settled) = settle(
        &inventory(),
        Some(THEN),
        vec![("x", present(meta("x", ItemKind::File, "a", "x")))],
    );
    assert_eq!(events, Vec::<String>::new());
    assert_eq!(settled.items[&ItemId::from("x")].pending, None);
}

#[test]
fn a_rename_is_bounded_by_the_looks() {
    let (events, settled) = settle(
        &inventory(),
        Some(THEN),
        vec![("x", present(meta("x", ItemKind::File, "a", "z")))],
    );
    assert_eq!(events, ["renamed x a/z a/x -"]);
    let bounds = Occurred::Between {
        not_before: Some(at(THEN)),
        not_after: at("2026-11-02T00:00:01Z"),
    };
    assert_eq!(settled.events[0].occurred, bounds);
    assert_eq!(settled.items[&ItemId::from("x")].changes, 3);
}

#[test]
fn a_moved_folder_takes_its_contents_along_in_silence() {
    let (events, _) = settle(
        &inventory(),
        Some(THEN),
        vec![("b", present(meta("b", ItemKind::Folder, "F", "c")))],
    );
    assert_eq!(events, ["moved b c a/b -"]);
}

#[test]
fn what_leaves_in_a_folder_leaves_because_of_it() {
    let (events, settled) = settle(
        &inventory(),
        Some(THEN),
        vec![("a", present(meta("a", ItemKind::Folder, "out", "a")))],
    );
    assert_eq!(
        events,
        [
            "moved_out a a - -",
            "moved_out b a/b - a",
            "moved_out x a/x - a",
            "moved_out y a/b/y - a"
        ]
    );
    assert!(
        settled
            .items
            .values()
            .all(|item| item.status == Status::Outside && item.name.is_none())
    );
}

#[test]
fn a_folder_from_outside_is_walked_and_its_creation_is_not_told_again() {
    let (events, settled) = settle(
        &inventory(),
        Some(THEN),
        vec![("out", present(meta("out", ItemKind::Folder, "a", "in")))],
    );
    assert_eq!(events, ["moved_in out a/in - -"]);
    assert_eq!(
        settled.walk.iter().map(ItemId::as_str).collect::<Vec<_>>(),
        ["out"]
    );
}

#[test]
fn a_new_file_waits_for_its_revisions_and_an_old_one_came_from_outside() {
    let mut new = meta("n", ItemKind::File, "a", "n");
    new.created = Some(Creation {
        at: at("2026-11-01T12:00:00Z"),
        source: TimeSource::Server,
        actor: None,
    });
    let (events, settled) = settle(
        &inventory(),
        Some(THEN),
        vec![
            ("n", present(new)),
            ("o", present(meta("o", ItemKind::File, "a", "o"))),
        ],
    );
    assert_eq!(events, ["moved_in o a/o - -"]);
    for id in ["n", "o"] {
        let pending = settled.items[&ItemId::from(id)].pending.as_ref().unwrap();
        assert_eq!(
            pending.details.head.as_ref().unwrap().marker.as_ref(),
            "m1",
            "{id}"
        );
    }
}

#[test]
fn at_the_first_look_nothing_comes_from_outside() {
    let (events, _) = settle(
        &Inventory::default(),
        None,
        vec![("n", present(meta("n", ItemKind::Folder, "F", "n")))],
    );
    assert_eq!(events, ["created n n - -"]);
}

#[test]
fn deleting_a_folder_deletes_what_the_feed_does_not_list() {
    let gone = || Seen::Deleted {
        id: "".into(),
        parent: None,
        kind: None,
    };
    let (events, _) = settle(&inventory(), Some(THEN), vec![("a", gone()), ("x", gone())]);
    assert_eq!(
        events,
        [
            "deleted a a - -",
            "deleted b a/b - a",
            "deleted x a/x - -",
            "deleted y a/b/y - a"
        ]
    );
}

#[test]
fn a_lone_tombstone_in_the_folder_is_a_deletion_without_a_name() {
    let gone = Seen::Deleted {
        id: "".into(),
        parent: Some("a".into()),
        kind: Some(ItemKind::File),
    };
    let elsewhere = Seen::Deleted {
        id: "".into(),
        parent: Some("out".into()),
        kind: Some(ItemKind::File),
    };
    let (events, settled) = settle(&inventory(), Some(THEN), vec![("n", gone), ("o", elsewhere)]);
    assert_eq!(events, ["deleted n - - -"]);
    assert!(!settled.items.contains_key(&ItemId::from("o")));
}

#[test]
fn trash_and_restoration_of_a_folder_reach_its_contents() {
    let mut inventory = inventory();
    let (events, settled) = settle(
        &inventory,
        Some(THEN),
        vec![(
            "b",
            trashed(meta("b", ItemKind::Folder, "a", "b"), TrashedThrough::Itself),
        )],
    );
    assert_eq!(events, ["trashed b a/b - -", "trashed y a/b/y - b"]);
    for (id, item) in settled.items {
        inventory.put(id, item);
    }
    let (events, settled) = settle(
        &inventory,
        Some(THEN),
        vec![("b", present(meta("b", ItemKind::Folder, "a", "b")))],
    );
    assert_eq!(events, ["restored b a/b - -", "restored y a/b/y - b"]);
    assert!(
        settled
            .items
            .values()
            .all(|item| item.status == Status::Inside && item.trashed_through.is_none())
    );
}

#[test]
fn an_item_no_longer_shown_is_lost_not_deleted() {
    let (events, _) = settle(
        &inventory(),
        Some(THEN),
        vec![("x", Seen::Lost { id: "".into() })],
    );
    assert_eq!(events, ["access_lost x a/x - -"]);
}

#[test]
fn a_deleted_item_that_is_back_is_restored() {
    let mut inventory = inventory();
    inventory.put(
        "x".into(),
        Item {
            status: Status::Deleted,
            ..item(ItemKind::File, "a", "x")
        },
    );
    let (events, _) = settle(
        &inventory,
        Some(THEN),
        vec![("x", present(meta("x", ItemKind::File, "a", "new")))],
    );
    assert_eq!(events, ["restored x a/new a/x -"]);
}

#[test]
fn what_lies_outside_is_kept_without_names() {
    let (events, settled) = settle(
        &inventory(),
        Some(THEN),
        vec![
            ("p", present(meta("p", ItemKind::Folder, "out", "secret"))),
            ("q", present(meta("q", ItemKind::File, "out", "secret"))),
        ],
    );
    assert_eq!(events, Vec::<String>::new());
    assert_eq!(settled.items[&ItemId::from("p")].name, None);
    assert!(!settled.items.contains_key(&ItemId::from("q")));
}

#[test]
fn a_full_listing_loses_what_it_leaves_out() {
    let seen = ["a", "b", "y"].into_iter().map(ItemId::from).collect();
    let settled = unlisted(&frame(Some(THEN)), &root(), &inventory(), (&seen, at(NOW)));
    let lines: Vec<_> = settled
        .events
        .iter()
        .map(|event| (event.action, event.path.path.clone()))
        .collect();
    assert_eq!(lines, [(Action::AccessLost, Some("a/x".to_owned()))]);
    assert_eq!(settled.events[0].raw_sha256, None);
    assert_eq!(settled.events[0].source_api, "full_listing");
}
