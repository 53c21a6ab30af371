//! The connector against a small Dropbox.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fake;
mod log;

use fake::{Fake, HOME, Scope, World, at};
use revtrail_connector::{
    Connector, DrivePlace, ErrorKind, FeedPoint, FolderRoot, Next, Place, Within,
    change::{About, Completeness, Presence, RevisionAnswer, RevisionAsk, RevisionList, Seen},
};
use serde_json::{Value, json};

fn file(id: &str, path: &str, rev: &str) -> Value {
    json!({".tag": "file", "id": id, "name": path.rsplit('/').next(), "path_lower": path.to_lowercase(), "path_display": path,
        "client_modified": "2026-03-01T00:00:00Z", "server_modified": "2026-03-01T00:00:00Z", "rev": rev, "size": 1})
}

fn folder(id: &str, path: &str) -> Value {
    json!({".tag": "folder", "id": id, "name": "f", "path_lower": path.to_lowercase(), "path_display": path})
}

fn tombstone(path: &str) -> Value {
    json!({".tag": "deleted", "name": "f", "path_lower": path.to_lowercase(), "path_display": path})
}

/// A revision saved `minute` minutes after the beginning.
fn revision(id: &str, path: &str, minute: usize, author: Option<&str>) -> Value {
    let time = format!("2026-03-01T{:02}:{:02}:00Z", minute / 60, minute % 60);
    let mut value = file(id, path, &format!("rev{minute:06}"));
    value["server_modified"] = json!(time);
    value["sharing_info"] = json!({"read_only": false, "modified_by": author});
    value
}

fn root() -> FolderRoot {
    FolderRoot {
        drive: HOME.into(),
        item: "id:h".into(),
        place: Some("/handbook".into()),
        name: None,
        parent: None,
        former: Vec::new(),
    }
}

fn item(id: &str) -> RevisionAsk {
    RevisionAsk {
        about: About::Item(id.into()),
        head: None,
    }
}

fn place(path: &str) -> RevisionAsk {
    RevisionAsk {
        about: About::Place(path.into()),
        head: None,
    }
}

fn list(answer: &RevisionAnswer) -> &RevisionList {
    answer.outcome.as_ref().unwrap()
}

/// Reads a feed to its end: what it showed, in order, and where to resume.
async fn drain(connector: &dyn Connector, mut at: FeedPoint) -> (Vec<String>, String) {
    let mut shown = Vec::new();
    loop {
        let page = connector.changes(&root(), at).await.unwrap();
        assert_eq!(page.answered_at.unwrap().to_string(), "2026-03-05T00:00:00Z");
        shown.extend(page.changes.into_iter().map(|change| match change.seen {
            Seen::Present(meta) => meta.id.to_string(),
            Seen::Vacated { path, .. } => format!("vacated {}", path.unwrap()),
            other => panic!("{other:?}"),
        }));
        match page.next {
            Next::Page(token) => at = FeedPoint::Page(token),
            Next::CaughtUp(cursor) => return (shown, cursor.to_string()),
        }
    }
}

fn small_feed() -> World {
    World {
        live: vec![
            folder("id:h", "/Handbook"),
            file("id:1", "/Handbook/a", "r1"),
            file("id:2", "/Handbook/b", "r2"),
        ],
        emptied: vec![tombstone("/Handbook/old"), tombstone("/Handbook/older")],
        since: vec![
            tombstone("/Handbook/b"),
            file("id:2", "/Handbook/c", "r3"),
            tombstone("/Handbook/a"),
        ],
        ..World::default()
    }
}

#[tokio::test]
async fn a_full_listing_shows_live_items_then_emptied_places_then_what_changed_meanwhile() {
    let fake = Fake::start(small_feed()).await;
    let (shown, cursor) = drain(&*fake.connector(), FeedPoint::Start).await;
    let expected = [
        "id:h",
        "id:1",
        "id:2",
        "vacated old",
        "vacated older",
        "vacated b",
        "id:2",
        "vacated a",
    ];
    assert_eq!(shown, expected);
    assert_eq!(cursor, "since:3");
    let lists = fake.seen("/2/files/list_folder");
    assert_eq!(lists[0].argument["path"], "/handbook");
    assert_eq!(lists[0].argument["limit"], 2000);
    assert_eq!(lists.len(), 2);
}

#[tokio::test]
async fn a_later_run_reads_only_what_changed() {
    let fake = Fake::start(small_feed()).await;
    let (shown, cursor) = drain(&*fake.connector(), FeedPoint::After("since:1".into())).await;
    assert_eq!(shown, ["id:2", "vacated a"]);
    assert_eq!(cursor, "since:3");
    assert_eq!(fake.seen("/2/files/list_folder").len(), 0);
}

#[tokio::test]
async fn a_feed_that_was_reset_is_told_from_a_folder_that_is_gone() {
    for (error, expected) in [
        (json!({".tag": "reset"}), ErrorKind::CursorExpired),
        (
            json!({".tag": "path", "path": {".tag": "not_found"}}),
            ErrorKind::NotFound,
        ),
    ] {
        let world = World {
            feed_error: Some(error),
            ..World::default()
        };
        let fake = Fake::start(world).await;
        let error = fake
            .connector()
            .changes(&root(), FeedPoint::After("since:0".into()))
            .await
            .unwrap_err();
        assert_eq!((error.kind, error.status), (expected, Some(409)));
        assert_eq!(
            error.request_id.as_deref(),
            Some("4b1f24d4c24af5048531d02020546ace")
        );
    }
}

#[tokio::test]
async fn a_subtree_leaves_out_the_folder_itself() {
    let fake = Fake::start(small_feed()).await;
    let connector = fake.connector();
    let (mut shown, mut page) = (Vec::new(), None);
    loop {
        let answer = connector.subtree(&root(), &"id:h".into(), page).await.unwrap();
        shown.extend(answer.changes.into_iter().map(|change| match change.seen {
            Seen::Present(meta) => meta.id.to_string(),
            other => panic!("{other:?}"),
        }));
        match answer.next {
            Some(token) => page = Some(token),
            None => break,
        }
    }
    assert_eq!(shown, ["id:1", "id:2"]);
}

#[tokio::test]
async fn a_history_beyond_the_limit_is_completed_through_its_places() {
    // It went to and fro between two places; at one of them a stranger lived for a while.
    let revisions = (0..300).rev().map(|minute| {
        let path = if minute % 2 == 0 {
            "/Inbox/a"
        } else {
            "/Handbook/a"
        };
        revision(
            if minute == 5 { "id:stranger" } else { "id:1" },
            path,
            minute,
            None,
        )
    });
    let fake = Fake::start(World {
        revisions: revisions.collect(),
        ..World::default()
    })
    .await;
    let answers = fake
        .connector()
        .revisions(&root(), &[item("id:1")])
        .await
        .unwrap();
    let history = list(&answers[0]);
    let found: Vec<&str> = history
        .revisions
        .iter()
        .map(|revision| revision.id.as_str())
        .collect();
    let expected: Vec<String> = (0..300)
        .filter(|minute| *minute != 5)
        .map(|minute| format!("rev{minute:06}"))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(
        (history.completeness, history.now.clone()),
        (Completeness::Completed, Presence::Live)
    );
}

#[tokio::test]
async fn a_history_that_cannot_be_completed_says_so() {
    let revisions = (0..150)
        .rev()
        .map(|minute| revision("id:1", "/Handbook/a", minute, None))
        .collect();
    let fake = Fake::start(World {
        revisions,
        refused: [("/handbook/a".to_owned(), "not_file".to_owned())].into(),
        ..World::default()
    })
    .await;
    let answers = fake
        .connector()
        .revisions(&root(), &[item("id:1")])
        .await
        .unwrap();
    let history = list(&answers[0]);
    assert_eq!(
        (history.revisions.len(), history.completeness),
        (100, Completeness::Truncated)
    );
}

#[tokio::test]
async fn a_place_is_listed_whole_whoever_lived_there() {
    let revisions = (0..230)
        .rev()
        .map(|minute| {
            revision(
                if minute < 10 { "id:1" } else { "id:2" },
                "/Handbook/a",
                minute,
                None,
            )
        })
        .collect();
    let fake = Fake::start(World {
        revisions,
        ..World::default()
    })
    .await;
    let answers = fake
        .connector()
        .revisions(&root(), &[place("/handbook/a")])
        .await
        .unwrap();
    let history = list(&answers[0]);
    assert_eq!(
        (history.revisions.len(), history.completeness),
        (230, Completeness::AsKept)
    );
    assert_eq!(history.revisions[9].item.as_str(), "id:1");
    assert_eq!(history.revisions[10].item.as_str(), "id:2");
    let befores: Vec<Value> = fake
        .seen("/2/files/list_revisions")
        .into_iter()
        .map(|seen| seen.argument["before_rev"].clone())
        .collect();
    assert_eq!(befores, [Value::Null, json!("rev000130"), json!("rev000030")]);
}

#[tokio::test]
async fn answers_come_in_the_order_asked_and_tell_the_present_of_each() {
    let fake = Fake::start(World {
        revisions: ["/Handbook/live", "/Handbook/deleted", "/Handbook/left"]
            .iter()
            .map(|path| revision("id:1", path, 1, None))
            .collect(),
        deleted: [
            (
                "/handbook/deleted".to_owned(),
                Some("2026-03-02T10:11:12Z".to_owned()),
            ),
            ("/handbook/left".to_owned(), None),
        ]
        .into(),
        refused: [
            ("/handbook/folder".to_owned(), "not_file".to_owned()),
            ("/handbook/held".to_owned(), "restricted_content".to_owned()),
        ]
        .into(),
        ..World::default()
    })
    .await;
    let asks = ["live", "deleted", "left", "folder", "nothing", "held"]
        .map(|name| place(&format!("/handbook/{name}")));
    let answers = fake.connector().revisions(&root(), &asks).await.unwrap();
    let present: Vec<_> = answers
        .iter()
        .take(5)
        .map(|answer| list(answer).now.clone())
        .collect();
    let at = "2026-03-02T10:11:12Z".parse().unwrap();
    assert_eq!(
        present,
        [
            Presence::Live,
            Presence::Deleted { at: Some(at) },
            Presence::Left,
            Presence::NotAFile,
            Presence::Gone
        ]
    );
    let failure = answers[5].outcome.as_ref().unwrap_err();
    assert_eq!(
        (&failure.kind, failure.status),
        (&ErrorKind::PermissionDenied, Some(409))
    );
}

#[tokio::test]
async fn authors_get_names_and_an_unknown_account_keeps_its_id() {
    let fake = Fake::start(World {
        revisions: vec![
            revision("id:1", "/Handbook/a", 3, Some("dbid:alice")),
            revision("id:1", "/Handbook/a", 2, Some("dbid:gone")),
            revision("id:1", "/Handbook/a", 1, None),
        ],
        people: [("dbid:alice".to_owned(), "Alice".to_owned())].into(),
        ..World::default()
    })
    .await;
    let connector = fake.connector();
    for _ in 0..2 {
        let answers = connector.revisions(&root(), &[item("id:1")]).await.unwrap();
        let actors: Vec<_> = list(&answers[0])
            .revisions
            .iter()
            .map(|revision| {
                revision
                    .actor
                    .clone()
                    .map(|actor| (actor.details.id, actor.details.email))
            })
            .collect();
        let alice = Some((
            Some("dbid:alice".to_owned()),
            Some("Alice@example.org".to_owned()),
        ));
        assert_eq!(actors, [None, Some((Some("dbid:gone".to_owned()), None)), alice]);
    }
    // Refused once because of the unknown one, then without it; the second round asks nobody again.
    assert_eq!(fake.seen("/2/users/get_account_batch").len(), 2);
}

#[tokio::test]
async fn without_the_scope_for_names_authors_keep_their_ids() {
    let fake = Fake::start(World {
        revisions: vec![revision("id:1", "/Handbook/a", 1, Some("dbid:alice"))],
        scope: Scope::Missing,
        ..World::default()
    })
    .await;
    let connector = fake.connector();
    for _ in 0..2 {
        let answers = connector.revisions(&root(), &[item("id:1")]).await.unwrap();
        let actor = list(&answers[0]).revisions[0].actor.clone().unwrap();
        assert_eq!(
            (actor.details.id.as_deref(), actor.details.name),
            (Some("dbid:alice"), None)
        );
    }
    assert_eq!(fake.seen("/2/users/get_account_batch").len(), 1);
}

#[tokio::test]
async fn folders_are_found_by_path_and_by_id_and_files_are_not_folders() {
    let fake = Fake::start(World {
        metadata: [
            ("/Handbook".to_owned(), folder("id:h", "/Handbook")),
            ("id:h".to_owned(), folder("id:h", "/Handbook")),
            ("/note".to_owned(), file("id:n", "/note", "r1")),
        ]
        .into(),
        ..World::default()
    })
    .await;
    let connector = fake.connector();
    let by_id = Place {
        drive: DrivePlace::Own,
        within: Within::Item("id:h".into()),
    };
    let named = FolderRoot {
        name: Some("f".into()),
        ..root()
    };
    assert_eq!(connector.resolve(&at("/Handbook/")).await.unwrap(), named);
    assert_eq!(connector.resolve(&by_id).await.unwrap(), named);
    let top = connector.resolve(&at("/")).await.unwrap();
    assert_eq!((top.place, top.item.as_str()), (Some("".into()), "ns:70721710"));
    for missing in ["/note", "/nothing"] {
        assert_eq!(
            connector.resolve(&at(missing)).await.unwrap_err().kind,
            ErrorKind::NotFound
        );
    }
}

#[tokio::test]
async fn requests_name_the_namespace_unless_it_is_the_home() {
    let fake = Fake::start(World {
        metadata: [("/Handbook".to_owned(), folder("id:h", "/Handbook"))].into(),
        ..World::default()
    })
    .await;
    fake.connector().resolve(&at("/Handbook")).await.unwrap();
    let other = fake
        .connector_at(Some("2286996147"))
        .resolve(&at("/Handbook"))
        .await
        .unwrap();
    assert_eq!(other.drive.as_str(), "2286996147");
    let roots: Vec<_> = fake
        .seen("/2/files/get_metadata")
        .into_iter()
        .map(|seen| seen.path_root)
        .collect();
    let expected = r#"{".tag":"namespace_id","namespace_id":"2286996147"}"#;
    assert_eq!(roots, [None, Some(expected.to_owned())]);
}

#[tokio::test]
async fn preflight_names_the_account_and_requests_are_counted_by_operation() {
    let fake = Fake::start(small_feed()).await;
    let connector = fake.connector();
    assert_eq!(connector.preflight().await.unwrap().tenant.as_str(), "dbid:owner");
    drain(&*connector, FeedPoint::Start).await;
    let usage = connector.usage();
    assert_eq!(usage.requests.get("list_folder"), Some(&2));
    assert_eq!(usage.requests.get("list_folder_continue"), Some(&7));
    assert_eq!(usage.retries, 0);
}
