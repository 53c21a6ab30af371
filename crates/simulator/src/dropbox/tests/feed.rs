use super::*;
use crate::fault::Fault;

#[test]
fn the_listing_shows_the_folder_and_all_below_it_on_small_pages() {
    let face = face_of(
        vec![
            Edit::created(at(1), "F/b/c.txt", 1),
            Edit::created(at(2), "F/a.txt", 2),
            Edit::created(at(3), "Fog/x", 2),
        ],
        Some(1),
    );
    let (entries, _) = list(&face, "/f");
    let brief: Vec<String> = entries
        .iter()
        .flat_map(|one| brief(std::slice::from_ref(one)))
        .collect();
    assert_eq!(
        brief,
        ["folder /F", "file /F/a.txt", "folder /F/b", "file /F/b/c.txt"]
    );
    let children = json!({ "path": "", "recursive": false });
    let (entries, _) = drain(&face, ask(&face, Route::ListFolder, &children).unwrap());
    assert_eq!(super::brief(&entries), ["folder /F", "folder /Fog"]);
    let file = ask(&face, Route::Metadata, &json!({ "path": "/F/B/c.txt" })).unwrap();
    assert_eq!(file["size"], 1);
    assert_eq!(file["server_modified"], "2026-01-01T00:00:01Z");
    assert_eq!(file["content_hash"].as_str().unwrap().len(), 64);
    assert_eq!(
        file["sharing_info"]["modified_by"],
        ids::account_id("someone@example.com")
    );
}

#[test]
fn a_page_in_progress_shows_the_folder_as_it_was() {
    let edits = vec![
        Edit::created(at(1), "F/a", 1),
        Edit::created(at(2), "F/b", 1),
        Edit::deleted(at(2000), "F/b"),
        Edit::created(at(2001), "F/c", 1),
    ];
    let face = face_of(edits, Some(2));
    let first = ask(
        &face,
        Route::ListFolder,
        &json!({ "path": "/F", "recursive": true }),
    )
    .unwrap();
    face.sim.advance(at(3000)).unwrap();
    let (entries, cursor) = drain(&face, first);
    assert_eq!(brief(&entries), ["file /F/a", "file /F/b", "folder /F"]);
    assert_eq!(brief(&go_on(&face, &cursor).0), ["deleted /F/b", "file /F/c"]);
}

#[test]
fn the_feed_gives_the_latest_state_of_each_place() {
    let edits = vec![
        Edit::created(at(1), "F/d/x", 1),
        Edit::created(at(1), "F/d/y", 1),
        Edit::created(at(1), "F/m/z", 1),
        Edit::created(at(1), "F/q", 1),
        Edit::created(at(1), "O/in", 1),
        // Next round.
        Edit::modified(at(2000), "F/q", 2),
        Edit::renamed(at(2000), "F/q", "F/r"),
        Edit::renamed(at(2001), "F/m", "F/n"),
        Edit::created(at(2002), "F/brief", 1),
        Edit::deleted(at(2003), "F/brief"),
        Edit::created(at(2003), "F/d/fresh", 1),
        Edit::deleted(at(2004), "F/d"),
        Edit::renamed(at(2005), "O/in", "F/in"),
        Edit::renamed(at(2006), "F/r", "O/out"),
        Edit::created(at(2007), "O/unseen", 1),
    ];
    let face = face_of(edits, Some(2));
    let (_, cursor) = list(&face, "/F");
    face.sim.advance(at(3000)).unwrap();
    let (entries, cursor) = go_on(&face, &cursor);
    assert_eq!(
        brief(&entries),
        [
            "deleted /F/brief",
            "deleted /F/d",
            "deleted /F/m",
            "deleted /F/q",
            "deleted /F/r",
            "file /F/in",
            "file /F/n/z",
            "folder /F/n",
        ]
    );
    assert!(go_on(&face, &cursor).0.is_empty());
}

#[test]
fn another_spelling_of_a_name_makes_no_entry() {
    let edits = vec![
        Edit::created(at(1), "F/Notes/a.txt", 1),
        Edit::renamed(at(2000), "F/Notes", "F/notes"),
        Edit::renamed(at(2001), "F/notes/a.txt", "F/notes/A.txt"),
    ];
    let face = face_of(edits, None);
    let (before, cursor) = list(&face, "/F");
    face.sim.advance(at(3000)).unwrap();
    assert!(go_on(&face, &cursor).0.is_empty());
    let (after, _) = list(&face, "/F");
    assert_eq!(after[2]["path_display"], "/F/notes/A.txt");
    assert_eq!(after[2]["rev"], before[2]["rev"]);
    assert_eq!(
        revisions(&face, &json!({ "path": "/F/notes/a.txt" }))["entries"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn deleted_places_are_listed_on_request() {
    let edits = vec![
        Edit::created(at(1), "F/d/x", 1),
        Edit::created(at(1), "F/y", 1),
        Edit::deleted(at(2), "F/d"),
        Edit::renamed(at(3), "F/y", "y"),
    ];
    let face = face_of(edits, None);
    let argument = json!({ "path": "/F", "recursive": true, "include_deleted": true });
    let (entries, _) = drain(&face, ask(&face, Route::ListFolder, &argument).unwrap());
    assert_eq!(
        brief(&entries),
        ["deleted /F/d", "deleted /F/d/x", "deleted /F/y", "folder /F"]
    );
    let gone = |argument: Value| ask(&face, Route::Metadata, &argument);
    assert_eq!(gone(json!({ "path": "/F/y" })), Err(Problem::path("not_found")));
    let found = gone(json!({ "path": "/f/Y", "include_deleted": true })).unwrap();
    assert_eq!(
        found,
        json!({ ".tag": "deleted", "name": "y", "path_lower": "/f/y", "path_display": "/F/y" })
    );
}

#[test]
fn cursors_are_lost_and_folders_too() {
    let edits = vec![Edit::created(at(1), "F/a", 1), Edit::deleted(at(2000), "F")];
    let face = face_of(edits, None);
    let (_, cursor) = list(&face, "/F");
    let again = json!({ "cursor": cursor });
    face.sim.plan_faults(vec![
        FaultPlan::once(Fault::LostCursor),
        FaultPlan::once(Fault::EmptyPage).on("list_folder"),
        FaultPlan::once(Fault::DuplicateItems),
        FaultPlan::once(Fault::MissingActor),
    ]);
    assert_eq!(ask(&face, Route::Continue, &again), Err(Problem::tag("reset")));
    let empty = ask(
        &face,
        Route::ListFolder,
        &json!({ "path": "/F", "recursive": true }),
    )
    .unwrap();
    assert_eq!(
        (&empty["entries"], &empty["has_more"]),
        (&json!([]), &json!(true))
    );
    let (entries, _) = drain(&face, empty);
    assert_eq!(
        brief(&entries),
        ["file /F/a", "file /F/a", "folder /F", "folder /F"]
    );
    assert_eq!(entries[1]["sharing_info"]["modified_by"], Value::Null);
    face.sim.advance(at(3000)).unwrap();
    assert_eq!(
        ask(&face, Route::Continue, &again),
        Err(Problem::path("not_found"))
    );
    let other = ask(&face, Route::Continue, &json!({ "cursor": "blerch" }));
    assert_eq!(other, Err(Problem::field("cursor", "unsupported cursor type")));
}

/// What a client holds: place, and what is there.
type Tree = BTreeMap<String, (String, Value)>;

/// Applies entries as the documentation says.
fn apply(tree: &mut Tree, entries: &[Value]) {
    for entry in entries {
        let key = entry["path_lower"].as_str().unwrap().to_owned();
        if entry[".tag"] != "folder" {
            let below = format!("{key}/");
            tree.retain(|place, _| *place != key && !place.starts_with(&below));
        }
        if entry[".tag"] != "deleted" {
            let id = entry["id"].as_str().unwrap().to_owned();
            tree.insert(key, (id, entry["rev"].clone()));
        }
    }
}

/// Items of the world below `F`, as a client should hold them.
fn expected(face: &Face) -> Tree {
    let view = face.view();
    let folder = view.world.find("F").unwrap().no;
    let mut items = view.world.descendants(folder);
    items.push(folder);
    let held = |no: ItemNo| {
        let rev = view.index.head(no, u64::MAX).map(|head| head.number.rev());
        (view.key_of_item(no).unwrap(), (ids::item_id(no), json!(rev)))
    };
    items.into_iter().map(held).collect()
}

/// A history of possible edits among a few names, so that places change hands often.
pub(super) fn random_edits(seed: u64, count: usize) -> Vec<Edit> {
    let mut state = seed;
    let mut draw = |below: u64| crate::content::next(&mut state) % below;
    let mut edits = vec![Edit::created(at(0), "F/start", 1)];
    while edits.len() < count {
        let second = at(i64::try_from(edits.len()).unwrap() * 10);
        let mut path = || {
            let top = ["F", "F", "F", "O"][draw(4) as usize];
            let names = ["a", "b", "c"];
            match draw(3) {
                0 => format!("{top}/{}", names[draw(3) as usize]),
                _ => format!("{top}/{}/{}", names[draw(3) as usize], names[draw(3) as usize]),
            }
        };
        let (one, two) = (path(), path());
        let edit = match draw(6) {
            0 | 1 => Edit::created(second, &one, draw(500) + 100),
            2 => Edit::modified(second, &one, draw(500) + 100),
            3 => Edit::renamed(second, &one, &two),
            4 => Edit::deleted(second, &one),
            _ => Edit::restored(second, &one),
        };
        edits.push(edit);
        let mut world = WorldSource::from_edits(edits.clone()).world();
        if world.advance(second).is_err() {
            edits.pop();
        }
    }
    edits
}

#[test]
fn a_client_that_applies_the_feed_in_order_holds_the_tree() {
    for seed in 1..=8 {
        let edits = random_edits(seed, 80);
        let options = Options {
            page_size: Some(3),
            seed,
            ..Options::default()
        };
        let face = Face::new(Sim::new(WorldSource::from_edits(edits), options));
        face.sim.advance(at(30)).unwrap();
        let (entries, mut cursor) = list(&face, "/F");
        let mut tree = Tree::new();
        apply(&mut tree, &entries);
        assert_eq!(tree, expected(&face));
        for round in 1..12 {
            face.sim.advance(at(30 + round * 70)).unwrap();
            let (entries, next) = go_on(&face, &cursor);
            apply(&mut tree, &entries);
            assert_eq!(tree, expected(&face), "seed {seed}, round {round}");
            cursor = next;
        }
    }
}

#[test]
fn many_files_are_listed_and_asked_quickly() {
    let files: Vec<Edit> = (0..20_000)
        .map(|no| Edit::created(at(1), &format!("F/{}/{no}", no % 300), 1).with_content("same"))
        .collect();
    let face = face_of(files, None);
    let argument = json!({ "path": "/F", "recursive": true, "limit": 2000 });
    let (entries, _) = drain(&face, ask(&face, Route::ListFolder, &argument).unwrap());
    assert_eq!(entries.len(), 20_301);
    for entry in entries.iter().filter(|entry| entry[".tag"] == "file").step_by(20) {
        let answer = revisions(&face, &json!({ "path": entry["id"], "mode": "id" }));
        assert_eq!(answer["entries"][0]["rev"], entry["rev"]);
    }
}
