//! A shared drive of which the whole is to be read.

use revtrail_connector::change::{ItemMeta, Location};

use super::*;
use crate::server::Asked;

const DRIVE: (&str, &str) = ("driveId", "0AShared");

fn whole() -> FolderRoot {
    FolderRoot {
        item: "0AShared".into(),
        ..shared_root()
    }
}

fn page(token: &str) -> [(&str, &str); 2] {
    [DRIVE, ("pageToken", token)]
}

/// A drive whose log stands at 100.
async fn drive() -> Drive {
    let drive = Drive::start().await;
    drive
        .on(
            "changes/startPageToken",
            &[DRIVE],
            Reply::ok(r#"{"startPageToken":"100"}"#),
        )
        .on(
            "changes",
            &[DRIVE, ("pageToken", "100")],
            Reply::ok(r#"{"newStartPageToken":"101"}"#),
        );
    drive
}

fn listings(drive: &Drive) -> Vec<Asked> {
    let asked = drive.asked().into_iter();
    asked.filter(|asked| asked.path.ends_with("/files")).collect()
}

/// Pages in no order: a file before the folder it is in, an empty page, an item twice, something in the bin.
#[tokio::test]
async fn the_drive_is_listed_whole_after_the_start_token_and_before_the_log() {
    let drive = drive().await;
    drive
        .on("files", &[DRIVE], files(&["c", "a"], Some("p2")))
        .on("files", &page("p2"), files(&[], Some("p3")))
        .on("files", &page("p3"), files(&["dA", "tb", "a"], Some("p4")))
        .on("files", &page("p4"), files(&["dB"], None));
    let (pages, cursor) = drain(&drive, &whole(), FeedPoint::Start).await.unwrap();
    let pages: Vec<String> = pages.iter().map(|page| page.join(" ")).collect();
    assert_eq!(pages, ["", "c a", "", "dA ~tb a", "dB", ""]);
    assert_eq!(cursor, Cursor::from("0AShared 101"));
    assert_eq!(
        drive.paths().join(" "),
        "files/root changes/startPageToken files files files files changes"
    );
    for asked in listings(&drive) {
        let (query, corpora) = (asked.query.get("q"), asked.query.get("corpora"));
        assert_eq!((query, corpora.map(String::as_str)), (None, Some("drive")));
        assert_eq!(asked.query["pageSize"], "1000");
    }
}

/// A subtree is what a folder brought along; of the root it is the drive.
#[tokio::test]
async fn the_root_is_listed_whole_and_a_folder_below_it_by_itself() {
    let drive = drive().await;
    drive
        .on("files", &[DRIVE], files(&["dA", "a"], Some("p2")))
        .on("files", &page("p2"), files(&["b"], None))
        .on("files", &[DRIVE, ("q", &children_of("dA"))], files(&["a"], None));
    let first = drive
        .connector
        .subtree(&whole(), &"0AShared".into(), None)
        .await
        .unwrap();
    let second = drive
        .connector
        .subtree(&whole(), &"0AShared".into(), first.next)
        .await
        .unwrap();
    assert_eq!(
        (ids(&first.changes).concat(), ids(&second.changes).concat()),
        ("dAa".to_owned(), "b".to_owned())
    );
    assert_eq!(second.next, None);
    let below = drive
        .connector
        .subtree(&whole(), &"dA".into(), None)
        .await
        .unwrap();
    assert_eq!((ids(&below.changes), below.next), (vec!["a".to_owned()], None));
    assert_eq!(listings(&drive).len(), 3);
}

/// The root of My Drive is no drive: what a user sees is more than My Drive.
#[tokio::test]
async fn my_drive_is_listed_folder_by_folder() {
    let drive = Drive::start().await;
    drive
        .on("files", &[("q", &children_of("0ARoot"))], files(&["dA"], None))
        .on("files", &[("q", &children_of("dA"))], files(&["a"], None));
    let root = FolderRoot {
        item: "0ARoot".into(),
        ..root()
    };
    let first = drive.connector.subtree(&root, &root.item, None).await.unwrap();
    let second = drive
        .connector
        .subtree(&root, &root.item, first.next)
        .await
        .unwrap();
    assert_eq!((ids(&second.changes), second.next), (vec!["a".to_owned()], None));
    assert_eq!(drive.parameters("files", "driveId"), [None, None]);
}

/// A folder of another drive, one without a visible parent, and a file in a folder that is not shown: told as they are, and nothing is
/// asked about them. They are not below the root, so the harvest takes them for what they are: outside.
#[tokio::test]
async fn what_is_not_below_the_root_costs_nothing() {
    let drive = drive().await;
    let body = format!(
        r#"{{"files":[
            {{"id":"dX","mimeType":"{FOLDER}","driveId":"0AOther","parents":["0AOther"]}},
            {{"id":"dY","mimeType":"{FOLDER}","driveId":"0AShared"}},
            {{"id":"z","mimeType":"text/plain","driveId":"0AShared","parents":["unseen"]}}]}}"#
    );
    drive.on("files", &[DRIVE], Reply::ok(body));
    let root = whole();
    let listed = drive.connector.subtree(&root, &root.item, None).await.unwrap();
    let parents: Vec<Option<&str>> = listed
        .changes
        .iter()
        .map(|change| match &change.seen {
            Seen::Present(ItemMeta {
                location: Location::Parent(parent),
                ..
            }) => parent.as_ref().map(ItemId::as_str),
            other => panic!("unexpected {other:?}"),
        })
        .collect();
    assert_eq!(parents, [Some("0AOther"), None, Some("unseen")]);
    assert_eq!((listed.next, listings(&drive).len()), (None, 1));
}

#[rstest]
#[case::drive_gone(Reply::refused(404, "notFound"), ErrorKind::NotFound)]
#[case::membership(
    Reply::refused(403, "teamDriveMembershipRequired"),
    ErrorKind::PermissionDenied
)]
#[case::incomplete(
    Reply::ok(r#"{"incompleteSearch":true,"files":[]}"#),
    ErrorKind::Unavailable { retry_after: None }
)]
#[case::no_list(Reply::ok(r#"{"kind":"drive#fileList"}"#), ErrorKind::Malformed)]
#[tokio::test]
async fn a_listing_that_breaks_off_is_no_smaller_drive(#[case] reply: Reply, #[case] expected: ErrorKind) {
    let drive = drive().await;
    drive
        .on("files", &[DRIVE], files(&["a"], Some("p2")))
        .on("files", &page("p2"), reply);
    let error = drain(&drive, &whole(), FeedPoint::Start).await.unwrap_err();
    assert_eq!(error.kind, expected);
    assert_eq!(listings(&drive).len(), 2);
}

#[tokio::test]
async fn a_listing_whose_token_ran_out_begins_again_from_its_first_page() {
    let drive = drive().await;
    drive
        .on("files", &[DRIVE], files(&["a"], Some("p2")))
        .on("files", &[DRIVE], files(&["a", "b"], Some("q2")))
        .on("files", &page("p2"), Reply::new(400, EXPIRED))
        .on("files", &page("q2"), files(&["c"], None));
    let (pages, cursor) = drain(&drive, &whole(), FeedPoint::Start).await.unwrap();
    let pages: Vec<String> = pages.iter().map(|page| page.join(" ")).collect();
    assert_eq!(pages, ["", "a", "a b", "c", ""]);
    // The log is read from where it stood before the first listing.
    assert_eq!(cursor, Cursor::from("0AShared 101"));
    let tokens = drive.parameters("files", "pageToken");
    assert_eq!(tokens, [None, Some("p2".into()), None, Some("q2".into())]);
}

/// The same token again is no circle, unless it is refused without end.
#[tokio::test]
async fn a_listing_that_begins_again_and_again_is_given_up() {
    let drive = drive().await;
    drive
        .on("files", &[DRIVE], files(&["a"], Some("p2")))
        .on("files", &page("p2"), Reply::new(400, EXPIRED));
    let root = whole();
    let mut page = drive.connector.subtree(&root, &root.item, None).await.unwrap();
    for turn in 0..20 {
        let next = drive
            .connector
            .subtree(&root, &root.item, page.next.clone())
            .await
            .unwrap();
        assert_ne!(next.next, page.next, "{turn}");
        page = next;
    }
    let error = drive
        .connector
        .subtree(&root, &root.item, page.next)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable { retry_after: None });
    assert_eq!(listings(&drive).len(), 42);
}

#[tokio::test]
async fn a_page_token_of_a_shared_drive_means_nothing_in_my_drive() {
    let drive = drive().await;
    drive.on("files", &[DRIVE], files(&["a"], Some("p2")));
    let shared = whole();
    let page = drive
        .connector
        .subtree(&shared, &shared.item, None)
        .await
        .unwrap();
    let error = drive
        .connector
        .subtree(&root(), &"F".into(), page.next)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Bug);
    assert_eq!(listings(&drive).len(), 1);
}
