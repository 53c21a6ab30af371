//! The connector against a Drive on the loopback interface.

#[cfg(test)]
mod contents;
#[cfg(test)]
mod revisions;
#[cfg(test)]
mod server;
#[cfg(test)]
mod whole;

use revtrail_connector::{
    ConnectorError, DrivePlace, ErrorKind, FeedPage, FeedPoint, FolderRoot, Next, Place, Within,
    change::{Change, Seen},
};
use revtrail_model::{
    id::{Cursor, ItemId},
    time,
};
use rstest::rstest;

use crate::server::{Drive, Reply};

const FOLDER: &str = "application/vnd.google-apps.folder";

fn root() -> FolderRoot {
    FolderRoot {
        drive: "0ARoot".into(),
        item: "F".into(),
        place: None,
        name: None,
        parent: None,
        former: Vec::new(),
    }
}

fn shared_root() -> FolderRoot {
    FolderRoot {
        drive: "0AShared".into(),
        ..root()
    }
}

fn at_path(path: &str) -> Place {
    Place {
        drive: DrivePlace::Own,
        within: Within::Path(path.into()),
    }
}

fn by_id(drive: Option<&str>) -> Place {
    Place {
        drive: drive.map_or(DrivePlace::Own, |id| DrivePlace::Id(id.into())),
        within: Within::Item("F".into()),
    }
}

/// A page of a listing; ids that begin with `d` are folders, with `t` trashed files.
fn files(ids: &[&str], next: Option<&str>) -> Reply {
    let files: Vec<String> = ids
        .iter()
        .map(|id| {
            let mime_type = if id.starts_with('d') { FOLDER } else { "text/plain" };
            let trashed = id.starts_with('t');
            format!(r#"{{"id":"{id}","name":"{id}","mimeType":"{mime_type}","trashed":{trashed}}}"#)
        })
        .collect();
    let next = next.map_or(String::new(), |token| format!(r#""nextPageToken":"{token}","#));
    Reply::ok(format!(
        r#"{{{next}"incompleteSearch":false,"files":[{}]}}"#,
        files.join(",")
    ))
}

fn children_of(folder: &str) -> String {
    format!("'{folder}' in parents")
}

fn ids(changes: &[Change]) -> Vec<String> {
    changes
        .iter()
        .map(|change| match &change.seen {
            Seen::Present(meta) => meta.id.to_string(),
            Seen::Trashed(meta, _) => format!("~{}", meta.id),
            Seen::Lost { id } => format!("-{id}"),
            other => panic!("unexpected {other:?}"),
        })
        .collect()
}

/// Reads a feed to its end: the ids of each page, and the cursor.
async fn drain(
    drive: &Drive,
    root: &FolderRoot,
    at: FeedPoint,
) -> Result<(Vec<Vec<String>>, Cursor), ConnectorError> {
    let mut pages = Vec::new();
    let mut at = at;
    loop {
        let FeedPage {
            changes,
            with_contents: _,
            next,
            answered_at: _,
        } = drive.connector.changes(root, at).await?;
        pages.push(ids(&changes));
        assert!(pages.len() < 100, "the feed does not end");
        match next {
            Next::Page(token) => at = FeedPoint::Page(token),
            Next::CaughtUp(cursor) => return Ok((pages, cursor)),
        }
    }
}

#[tokio::test]
async fn preflight_names_the_tenant() {
    let drive = Drive::start().await;
    drive.on(
        "about",
        &[("fields", "user(permissionId)")],
        Reply::ok(r#"{"user":{"permissionId":"0481"}}"#),
    );
    let access = drive.connector.preflight().await.unwrap();
    assert_eq!(access.tenant.as_str(), "0481");
    assert_eq!(drive.paths(), ["about"]);
    let token = &drive.token_requests()[0];
    assert_eq!(
        (&*token["refresh_token"], &*token["client_secret"]),
        ("r3fresh", "s3cret")
    );
}

#[tokio::test]
async fn a_service_account_trades_a_signed_statement_for_its_token() {
    let drive = Drive::start_for_service_account().await;
    drive.on("about", &[], Reply::ok(r#"{"user":{"permissionId":"0481"}}"#));
    drive.connector.preflight().await.unwrap();
    let tokens = drive.token_requests();
    assert_eq!(
        tokens[0]["grant_type"],
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    );
    assert_eq!((tokens.len(), tokens[0]["assertion"].split('.').count()), (1, 3));
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let drive = Drive::start().await;
    drive.on("about", &[], Reply::refused(401, "authError")).on(
        "about",
        &[],
        Reply::ok(r#"{"user":{"permissionId":"0481"}}"#),
    );
    drive.connector.preflight().await.unwrap();
    assert_eq!(drive.token_requests().len(), 2);
    drive.on("files/F", &[], Reply::refused(401, "authError"));
    let error = drive.connector.resolve(&by_id(None)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorized);
}

#[tokio::test]
async fn a_folder_is_found_by_its_path_level_by_level() {
    let drive = Drive::start().await;
    let query = |name: &str, parent: &str| {
        format!(r"name = '{name}' and '{parent}' in parents and mimeType = '{FOLDER}' and trashed = false")
    };
    drive
        .on(
            "files",
            &[("q", &query(r"O\'Neil", "0ARoot"))],
            // Pages may be empty, and the service may compare names less strictly than we do.
            Reply::ok(r#"{"files":[{"id":"x","name":"o'neil"}],"nextPageToken":"p2"}"#),
        )
        .on(
            "files",
            &[("q", &query(r"O\'Neil", "0ARoot")), ("pageToken", "p2")],
            Reply::ok(r#"{"files":[{"id":"dA","name":"O'Neil"}]}"#),
        )
        .on(
            "files",
            &[("q", &query("Close", "dA"))],
            Reply::ok(r#"{"files":[{"id":"F","name":"Close"}]}"#),
        );
    let found = drive.connector.resolve(&at_path("/O'Neil/Close/")).await.unwrap();
    let named = FolderRoot {
        name: Some("Close".into()),
        parent: Some("dA".into()),
        ..root()
    };
    assert_eq!(found, named);
}

#[tokio::test]
async fn the_root_of_my_drive_can_be_designated() {
    let drive = Drive::start().await;
    let found = drive.connector.resolve(&at_path("/")).await.unwrap();
    assert_eq!((found.drive.as_str(), found.item.as_str()), ("0ARoot", "0ARoot"));
}

#[rstest]
#[case::none(r#"{"files":[]}"#, ErrorKind::NotFound, "no folder of that name")]
#[case::two(
    r#"{"files":[{"id":"a","name":"F"},{"id":"b","name":"F"}]}"#,
    ErrorKind::Config,
    "two folders of that name; name the folder by id"
)]
#[case::incomplete(
    r#"{"files":[],"incompleteSearch":true}"#,
    ErrorKind::Unavailable { retry_after: None },
    "incomplete search"
)]
#[tokio::test]
async fn a_path_that_does_not_lead_to_one_folder(
    #[case] body: &str,
    #[case] kind: ErrorKind,
    #[case] code: &str,
) {
    let drive = Drive::start().await;
    drive.on("files", &[], Reply::ok(body));
    let error = drive.connector.resolve(&at_path("/F")).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (kind, Some(code)));
}

#[rstest]
#[case::in_my_drive(None, "", "0ARoot")]
#[case::on_a_shared_drive(Some("0AShared"), r#","driveId":"0AShared""#, "0AShared")]
#[case::on_a_shared_drive_not_named(None, r#","driveId":"0AShared""#, "0AShared")]
#[tokio::test]
async fn a_folder_is_found_by_id(
    #[case] drive_id: Option<&str>,
    #[case] member: &str,
    #[case] expected: &str,
) {
    let drive = Drive::start().await;
    let body = format!(r#"{{"id":"F","mimeType":"{FOLDER}","trashed":false{member}}}"#);
    drive.on("files/F", &[("supportsAllDrives", "true")], Reply::ok(body));
    let found = drive.connector.resolve(&by_id(drive_id)).await.unwrap();
    assert_eq!((found.drive.as_str(), found.item.as_str()), (expected, "F"));
}

#[rstest]
#[case::a_file(Reply::ok(r#"{"id":"F","mimeType":"text/plain"}"#), ErrorKind::NotFound)]
#[case::in_the_bin(
    Reply::ok(r#"{"id":"F","mimeType":"application/vnd.google-apps.folder","trashed":true}"#),
    ErrorKind::NotFound
)]
#[case::elsewhere(
    Reply::ok(r#"{"id":"F","mimeType":"application/vnd.google-apps.folder"}"#),
    ErrorKind::Config
)]
#[case::nothing(Reply::refused(404, "notFound"), ErrorKind::NotFound)]
#[case::no_form(Reply::ok("[]"), ErrorKind::Malformed)]
#[tokio::test]
async fn an_id_that_does_not_serve(#[case] reply: Reply, #[case] expected: ErrorKind) {
    let drive = Drive::start().await;
    drive.on("files/F", &[], reply);
    let error = drive
        .connector
        .resolve(&by_id(Some("0AShared")))
        .await
        .unwrap_err();
    assert_eq!(error.kind, expected);
}

#[tokio::test]
async fn a_full_listing_takes_the_start_token_first_then_walks_then_replays() {
    let drive = Drive::start().await;
    let (f, a, b) = (children_of("F"), children_of("dA"), children_of("dB"));
    let removal = r#"{"changes":[{"fileId":"a","removed":true}],"nextPageToken":"101"}"#;
    drive
        .on(
            "changes/startPageToken",
            &[],
            Reply::ok(r#"{"startPageToken":"100"}"#),
        )
        .on("files", &[("q", &f)], files(&["a", "dA"], Some("p2")))
        .on(
            "files",
            &[("q", &f), ("pageToken", "p2")],
            files(&["tb", "dB"], None),
        )
        .on("files", &[("q", &a)], files(&[], None))
        .on("files", &[("q", &b)], files(&["c"], None))
        .on("changes", &[("pageToken", "100")], Reply::ok(removal))
        .on(
            "changes",
            &[("pageToken", "101")],
            Reply::ok(r#"{"newStartPageToken":"102"}"#),
        );
    let (pages, cursor) = drain(&drive, &root(), FeedPoint::Start).await.unwrap();
    let pages: Vec<String> = pages.iter().map(|page| page.join(" ")).collect();
    // The second page of the folder and the folder found on its first are listed together.
    assert_eq!(pages, ["", "a dA", "~tb dB", "c", "-a", ""]);
    assert_eq!(
        drive.paths().join(" "),
        "files/root changes/startPageToken files files files files changes changes"
    );
    assert_eq!(
        drive.parameters("files", "corpora"),
        vec![Some("user".to_owned()); 4]
    );
    assert_eq!(drive.parameters("changes", "driveId"), [None, None]);
    assert_eq!(cursor, Cursor::from("0ARoot 102"));
}

#[tokio::test]
async fn an_idle_log_keeps_its_cursor() {
    let drive = Drive::start().await;
    drive.on(
        "changes",
        &[("pageToken", "102")],
        Reply::ok(r#"{"changes":[],"newStartPageToken":"102"}"#),
    );
    let cursor = Cursor::from("0ARoot 102");
    let (pages, again) = drain(&drive, &root(), FeedPoint::After(cursor.clone()))
        .await
        .unwrap();
    assert_eq!((pages, again), (vec![Vec::<String>::new()], cursor));
}

#[tokio::test]
async fn a_page_tells_when_it_was_answered() {
    let drive = Drive::start().await;
    drive.on(
        "changes",
        &[],
        Reply::ok(r#"{"changes":[],"newStartPageToken":"2"}"#),
    );
    let page = drive
        .connector
        .changes(&root(), FeedPoint::After("0ARoot 1".into()))
        .await
        .unwrap();
    assert_eq!(
        page.answered_at,
        Some(time::parse("2026-01-02T03:04:05Z").unwrap())
    );
}

#[tokio::test]
async fn a_shared_drive_has_its_own_log_and_corpus() {
    let drive = Drive::start().await;
    let of_drive = ("driveId", "0AShared");
    drive
        .on(
            "changes/startPageToken",
            &[of_drive],
            Reply::ok(r#"{"startPageToken":"7"}"#),
        )
        .on("files", &[of_drive, ("corpora", "drive")], files(&["a"], None))
        .on("changes", &[of_drive], Reply::ok(r#"{"newStartPageToken":"8"}"#));
    let (pages, _) = drain(&drive, &shared_root(), FeedPoint::Start).await.unwrap();
    assert_eq!(pages, [vec![], vec!["a".to_owned()], vec![]]);
}

#[tokio::test]
async fn a_cursor_of_another_drive_is_not_sent() {
    let drive = Drive::start().await;
    let error = drive
        .connector
        .changes(&shared_root(), FeedPoint::After("0ARoot 1".into()))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::CursorExpired);
    assert_eq!(drive.paths(), ["files/root"]);
}

#[rstest]
#[case::invalid_token(Reply::new(
    400,
    r#"{"error":{"code":400,"errors":[{"reason":"invalid","location":"pageToken","locationType":"parameter"}]}}"#
), ErrorKind::CursorExpired)]
#[case::gone(Reply::new(410, ""), ErrorKind::CursorExpired)]
#[case::drive_gone(Reply::refused(404, "notFound"), ErrorKind::CursorExpired)]
#[case::membership(
    Reply::refused(403, "teamDriveMembershipRequired"),
    ErrorKind::PermissionDenied
)]
#[case::no_token(Reply::ok(r#"{"changes":[]}"#), ErrorKind::Malformed)]
#[case::no_file(
    Reply::ok(r#"{"changes":[{"fileId":"a"}],"newStartPageToken":"2"}"#),
    ErrorKind::Malformed
)]
#[tokio::test]
async fn a_log_that_cannot_be_read(#[case] reply: Reply, #[case] expected: ErrorKind) {
    let drive = Drive::start().await;
    drive.on("changes", &[], reply);
    let error = drive
        .connector
        .changes(&root(), FeedPoint::After("0ARoot 1".into()))
        .await
        .unwrap_err();
    assert_eq!(error.kind, expected);
}

#[rstest]
#[case::rate(Reply::refused(403, "userRateLimitExceeded"))]
#[case::too_many(Reply::refused(429, "rateLimitExceeded"))]
#[case::busy(Reply::new(503, "<html>"))]
#[tokio::test]
async fn a_busy_service_is_asked_again(#[case] reply: Reply) {
    let drive = Drive::start().await;
    drive
        .on("changes", &[], reply)
        .on("changes", &[], Reply::ok(r#"{"newStartPageToken":"2"}"#));
    let (_, cursor) = drain(&drive, &root(), FeedPoint::After("0ARoot 1".into()))
        .await
        .unwrap();
    assert_eq!(cursor.as_str(), "0ARoot 2");
    assert_eq!(
        drive.parameters("changes", "pageToken"),
        vec![Some("1".to_owned()); 2]
    );
}

#[tokio::test]
async fn a_subtree_is_walked_into_trashed_folders_too() {
    let drive = Drive::start().await;
    let trashed = format!(r#"{{"files":[{{"id":"dT","mimeType":"{FOLDER}","trashed":true}}]}}"#);
    drive
        .on("files", &[("q", &children_of("dX"))], Reply::ok(trashed))
        .on("files", &[("q", &children_of("dT"))], files(&["ta"], None));
    let item = ItemId::from("dX");
    let first = drive.connector.subtree(&root(), &item, None).await.unwrap();
    assert_eq!(ids(&first.changes), ["~dT"]);
    let second = drive.connector.subtree(&root(), &item, first.next).await.unwrap();
    assert_eq!(
        (ids(&second.changes), second.next),
        (vec!["~ta".to_owned()], None)
    );
}

#[tokio::test]
async fn a_folder_gone_meanwhile_does_not_end_the_walk() {
    let drive = Drive::start().await;
    drive
        .on(
            "changes/startPageToken",
            &[],
            Reply::ok(r#"{"startPageToken":"1"}"#),
        )
        .on("files", &[("q", &children_of("F"))], files(&["dA", "dB"], None))
        .on(
            "files",
            &[("q", &children_of("dB"))],
            Reply::refused(404, "notFound"),
        )
        .on("files", &[("q", &children_of("dA"))], files(&["a"], None))
        .on("changes", &[], Reply::ok(r#"{"newStartPageToken":"2"}"#));
    let (pages, _) = drain(&drive, &root(), FeedPoint::Start).await.unwrap();
    assert_eq!(pages.concat(), ["dA", "dB", "a"]);
}

#[rstest]
#[case::folder_gone(Reply::refused(404, "notFound"), ErrorKind::NotFound)]
#[case::incomplete(Reply::ok(r#"{"incompleteSearch":true,"files":[]}"#), ErrorKind::Unavailable { retry_after: None })]
#[case::no_list(Reply::ok(r#"{"kind":"drive#fileList"}"#), ErrorKind::Malformed)]
#[tokio::test]
async fn a_walk_that_cannot_go_on(#[case] reply: Reply, #[case] expected: ErrorKind) {
    let drive = Drive::start().await;
    drive
        .on(
            "changes/startPageToken",
            &[],
            Reply::ok(r#"{"startPageToken":"1"}"#),
        )
        .on("files", &[], reply);
    let error = drain(&drive, &root(), FeedPoint::Start).await.unwrap_err();
    assert_eq!(error.kind, expected);
}

/// What is said of a token that ran out.
const EXPIRED: &str = r#"{"error":{"code":400,"errors":[{"reason":"invalid","location":"pageToken","locationType":"parameter"}]}}"#;

#[tokio::test]
async fn a_listing_whose_token_ran_out_begins_again() {
    let drive = Drive::start().await;
    let here = ("q", &*children_of("dX"));
    drive
        .on("files", &[here], files(&["a"], Some("p2")))
        .on("files", &[here], files(&["a", "b"], None))
        .on("files", &[here, ("pageToken", "p2")], Reply::new(400, EXPIRED));
    let item = ItemId::from("dX");
    let first = drive.connector.subtree(&root(), &item, None).await.unwrap();
    let second = drive.connector.subtree(&root(), &item, first.next).await.unwrap();
    assert_eq!(
        (ids(&second.changes), second.next),
        (vec!["a".to_owned(), "b".to_owned()], None)
    );
}

/// The service may give the same token again: that is no circle, unless it is refused without end.
#[tokio::test]
async fn a_listing_that_begins_again_and_again_is_given_up() {
    let drive = Drive::start().await;
    let here = ("q", &*children_of("dX"));
    drive.on("files", &[here], files(&["a"], Some("p2"))).on(
        "files",
        &[here, ("pageToken", "p2")],
        Reply::new(400, EXPIRED),
    );
    let item = ItemId::from("dX");
    let mut page = drive.connector.subtree(&root(), &item, None).await.unwrap();
    for turn in 0..20 {
        let next = drive
            .connector
            .subtree(&root(), &item, page.next.clone())
            .await
            .unwrap();
        assert_ne!(next.next, page.next, "{turn}");
        page = next;
    }
    let error = drive
        .connector
        .subtree(&root(), &item, page.next)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable { retry_after: None });
}

#[tokio::test]
async fn a_search_for_a_folder_whose_token_ran_out_begins_again_once() {
    let drive = Drive::start().await;
    let query =
        format!("name = 'Close' and '0ARoot' in parents and mimeType = '{FOLDER}' and trashed = false");
    let here = ("q", &*query);
    let empty = r#"{"files":[],"nextPageToken":"p2"}"#;
    drive
        .on("files", &[here], Reply::ok(empty))
        .on("files", &[here, ("pageToken", "p2")], Reply::new(400, EXPIRED))
        .on(
            "files",
            &[here, ("pageToken", "p2")],
            Reply::ok(r#"{"files":[{"id":"F","name":"Close"}]}"#),
        );
    let found = drive.connector.resolve(&at_path("/Close")).await.unwrap();
    assert_eq!(found.item.as_str(), "F");
    let asked = drive.parameters("files", "pageToken");
    assert_eq!(asked, [None, Some("p2".into()), None, Some("p2".into())]);
}
