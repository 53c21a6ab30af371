//! Contents of revisions, under a token of their own.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use revtrail_connector::{Content, ContentRef, ErrorKind};
use rstest::rstest;

use crate::{
    root,
    server::{Drive, Reply},
};

fn wanted() -> ContentRef {
    ContentRef {
        item: "a".into(),
        revision: "3".into(),
    }
}

async fn answered(reply: Reply, max_bytes: usize) -> Content {
    let drive = Drive::start().await;
    drive.on("files/a/revisions/3", &[("alt", "media")], reply);
    drive
        .connector
        .content(&root(), &wanted(), max_bytes)
        .await
        .unwrap()
}

#[rstest]
#[case::fits(Reply::ok("text"), Content::Bytes("text".into()))]
#[case::larger(Reply::ok("texts"), Content::TooLarge)]
#[case::not_pinned(Reply::refused(403, "download_restricted_for_revision"), Content::NotKept)]
#[case::purged(Reply::refused(404, "notFound"), Content::NotKept)]
#[case::of_an_editor(Reply::refused(403, "fileNotDownloadable"), Content::NoBytes)]
#[tokio::test]
async fn what_no_asking_again_can_change_is_an_answer(#[case] reply: Reply, #[case] expected: Content) {
    assert_eq!(answered(reply, 4).await, expected);
}

#[rstest]
#[case::harmful("cannotDownloadAbusiveFile")]
#[case::without_the_scope("insufficientPermissions")]
#[tokio::test]
async fn what_is_withheld_is_an_error(#[case] reason: &str) {
    let drive = Drive::start().await;
    drive.on("files/a/revisions/3", &[], Reply::refused(403, reason));
    let error = drive.connector.content(&root(), &wanted(), 4).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::PermissionDenied);
}

/// An account that may not read contents must lose nothing else, so the right is asked for apart, and late.
#[tokio::test]
async fn the_right_to_read_contents_is_asked_for_when_it_is_needed() {
    let drive = Drive::start_for_service_account().await;
    drive
        .on("about", &[], Reply::ok(r#"{"user":{"permissionId":"0481"}}"#))
        .on("files/a/revisions/3", &[], Reply::ok("text"));
    drive.connector.preflight().await.unwrap();
    assert_eq!(drive.token_requests().len(), 1);
    let content = drive.connector.content(&root(), &wanted(), 4).await.unwrap();
    assert_eq!(content, Content::Bytes("text".into()));
    let scopes: Vec<String> = drive
        .token_requests()
        .iter()
        .map(|form| {
            let claims = form["assertion"].split('.').nth(1).unwrap();
            let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
            let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
            claims["scope"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(
        scopes,
        [
            "https://www.googleapis.com/auth/drive.metadata.readonly",
            "https://www.googleapis.com/auth/drive.readonly"
        ]
    );
    assert_eq!(drive.connector.usage().requests["token"], 2);
}
