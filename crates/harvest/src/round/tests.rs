use revtrail_connector::change::{Head, ItemMeta, Location};
use revtrail_model::{disclosure::Seed, time::parse};

use super::*;

fn present(id: &str, kind: ItemKind, parent: Option<&str>) -> Change {
    let head = Head {
        marker: "m".into(),
        revision: None,
        modified_at: None,
        size_bytes: None,
        hashes: [].into(),
    };
    Change {
        seen: Seen::Present(ItemMeta {
            id: id.into(),
            kind,
            name: Some(id.into()),
            location: Location::Parent(parent.map(Into::into)),
            created: None,
            head: (kind == ItemKind::File).then_some(head),
            mime_type: None,
        }),
        raw: Raw {
            body: format!("{{\"id\":\"{id}\"}}"),
            operation: "list",
            request_id: None,
            unknown: 0,
        },
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

/// Takes changes, and tells after each of them whose raw records are held in memory.
fn held(changes: Vec<Change>) -> (Vec<String>, Finished) {
    let (root, inventory) = (root(), Inventory::default());
    let mut spool = Spool::new(Seed::from_bytes([0; 32])).unwrap();
    let mut view = View {
        root: &root,
        inventory: &inventory,
        with_contents: true,
        spool: &mut spool,
    };
    let mut round = Round::default();
    let mut told = Vec::new();
    for change in changes {
        let at = parse("2026-11-01T00:00:00Z").unwrap();
        round.take(change, at, &mut view).unwrap();
        let mut waiting: Vec<&str> = round
            .entries
            .iter()
            .filter(|(_, entry)| entry.held.is_some())
            .map(|(id, _)| id.as_str())
            .collect();
        waiting.sort_unstable();
        told.push(waiting.join(" "));
    }
    (told, round.finish(&mut view).unwrap())
}

/// Items whose raw records went into the archive.
fn archived(finished: &Finished) -> Vec<&str> {
    let entries = finished.entries.iter();
    let mut archived: Vec<&str> = entries
        .filter(|(_, entry)| entry.source.raw.is_some())
        .map(|(id, _)| id.as_str())
        .collect();
    archived.sort_unstable();
    archived
}

/// A listing in no order: a raw record is held only until it can be told where its item is.
#[test]
fn what_came_before_its_folder_is_placed_as_soon_as_that_is_shown() {
    let (told, finished) = held(vec![
        present("x", ItemKind::File, Some("b")),
        present("y", ItemKind::File, Some("b")),
        present("z", ItemKind::File, Some("out")),
        present("b", ItemKind::Folder, Some("a")),
        present("a", ItemKind::Folder, Some("F")),
        present("out", ItemKind::Folder, Some("R")),
        present("R", ItemKind::Folder, None),
        present("w", ItemKind::File, Some("b")),
    ]);
    assert_eq!(
        told,
        ["x", "x y", "x y z", "b x y z", "z", "out z", "R out", "R out"]
    );
    let mut entries: Vec<&str> = finished.entries.keys().map(ItemId::as_str).collect();
    entries.sort_unstable();
    assert_eq!(
        entries,
        ["R", "a", "b", "out", "w", "x", "y"],
        "a file outside is forgotten"
    );
    assert_eq!(archived(&finished), ["a", "b", "w", "x", "y"]);
}

/// What waits for a folder that is never shown is decided at the end, and a later entry of an item counts.
#[test]
fn what_waits_in_vain_is_outside_and_what_moved_meanwhile_is_where_it_was_shown_last() {
    let (told, finished) = held(vec![
        present("x", ItemKind::File, Some("hidden")),
        present("y", ItemKind::File, Some("later")),
        present("y", ItemKind::File, Some("F")),
        present("later", ItemKind::Folder, Some("F")),
    ]);
    assert_eq!(told, ["x", "x y", "x", "x"]);
    assert_eq!(archived(&finished), ["later", "y"]);
    assert_eq!(finished.entries[&"y".into()].shown.parent(), Some(&"F".into()));
}
