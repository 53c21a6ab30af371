//! Revision lists, in batches and singly.

use revtrail_connector::{
    ErrorKind,
    change::{About, Completeness, Head, Presence, RevisionAnswer, RevisionAsk},
};
use rstest::rstest;

use crate::{
    root,
    server::{Drive, Reply},
};

fn ask(id: &str) -> RevisionAsk {
    RevisionAsk {
        about: About::Item(id.into()),
        head: None,
    }
}

fn revisions(ids: &[&str]) -> Reply {
    let revisions: Vec<String> = ids
        .iter()
        .map(|id| format!(r#"{{"id":"{id}","mimeType":"text/plain","modifiedTime":"2026-01-0{id}T00:00:00.000Z","md5Checksum":"m{id}"}}"#))
        .collect();
    Reply::ok(format!(r#"{{"revisions":[{}]}}"#, revisions.join(",")))
}

type Told<'a> = Result<(Vec<&'a str>, Presence), (ErrorKind, Option<u16>)>;

/// The ids of an answer, or how it failed.
fn told(answer: &RevisionAnswer) -> Told<'_> {
    match &answer.outcome {
        Ok(list) => Ok((
            list.revisions
                .iter()
                .map(|revision| revision.id.as_str())
                .collect(),
            list.now.clone(),
        )),
        Err(failure) => Err((failure.kind.clone(), failure.status)),
    }
}

#[tokio::test]
async fn revisions_come_in_one_batch_with_an_answer_each() {
    let drive = Drive::start().await;
    drive
        .on("files/a/revisions", &[], revisions(&["2", "1"]))
        .on(
            "files/b/revisions",
            &[],
            Reply::refused(403, "insufficientFilePermissions"),
        )
        .on("files/c/revisions", &[], Reply::refused(404, "notFound"))
        .on(
            "files/d/revisions",
            &[],
            Reply::refused(403, "revisionsNotSupported"),
        )
        .on(
            "files/e/revisions",
            &[],
            Reply::ok(r#"{"revisions":[{"id":"1"}]}"#),
        );
    let place = RevisionAsk {
        about: About::Place("/x".into()),
        head: None,
    };
    let asks = [ask("a"), ask("b"), place, ask("c"), ask("d"), ask("e")];
    let answers = drive.connector.revisions(&root(), &asks).await.unwrap();
    assert_eq!(
        answers.iter().map(told).collect::<Vec<_>>(),
        [
            Ok((vec!["1", "2"], Presence::NotTold)),
            Err((ErrorKind::PermissionDenied, Some(403))),
            Err((ErrorKind::NotSupported, None)),
            Ok((vec![], Presence::Gone)),
            Err((ErrorKind::NotSupported, Some(403))),
            Err((ErrorKind::Malformed, None)),
        ]
    );
    let usage = drive.connector.usage();
    assert_eq!(
        (usage.requests["batch"], usage.requests["revisions.list"]),
        (1, 5)
    );
    assert_eq!(drive.parameters("files/a/revisions", "supportsAllDrives"), [None]);
}

#[tokio::test]
async fn the_head_revision_gets_the_files_digests() {
    let drive = Drive::start().await;
    drive.on("files/a/revisions", &[], revisions(&["1", "2"]));
    let head = Head {
        marker: "2".into(),
        revision: Some("2".into()),
        modified_at: None,
        size_bytes: None,
        hashes: [("md5", "m2"), ("sha256", "s2")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into(),
    };
    let asked = RevisionAsk {
        head: Some(head),
        ..ask("a")
    };
    let answers = drive.connector.revisions(&root(), &[asked]).await.unwrap();
    let list = answers[0].outcome.as_ref().unwrap();
    assert_eq!(list.completeness, Completeness::AsKept);
    assert_eq!(list.revisions[1].hashes["sha256"], "s2");
    assert_eq!(list.revisions[0].hashes.get("sha256"), None);
}

#[rstest]
#[case::rate(Reply::refused(403, "rateLimitExceeded"))]
#[case::too_many(Reply::refused(429, "rateLimitExceeded").header("retry-after", "0"))]
#[case::busy(Reply::refused(503, "backendError"))]
#[case::cut_off(Reply::ok(r#"{"revisions":[{"id":"#))]
#[case::token_ran_out(Reply::refused(401, "authError"))]
#[tokio::test]
async fn a_part_that_may_succeed_later_is_asked_alone(#[case] first: Reply) {
    let drive = Drive::start().await;
    drive
        .on("files/a/revisions", &[], first)
        .on("files/a/revisions", &[], revisions(&["1"]))
        .on("files/b/revisions", &[], revisions(&["2"]));
    let answers = drive
        .connector
        .revisions(&root(), &[ask("a"), ask("b")])
        .await
        .unwrap();
    assert_eq!(
        answers.iter().map(told).collect::<Vec<_>>(),
        [
            Ok((vec!["1"], Presence::NotTold)),
            Ok((vec!["2"], Presence::NotTold))
        ]
    );
    assert_eq!(
        drive.paths(),
        ["files/b/revisions", "files/a/revisions", "files/a/revisions"]
    );
}

#[tokio::test]
async fn a_part_put_off_for_hours_is_not_asked_before_its_time() {
    let drive = Drive::start().await;
    let put_off = Reply::refused(429, "rateLimitExceeded").header("retry-after", "7200");
    drive
        .on("files/a/revisions", &[], put_off)
        .on("files/b/revisions", &[], revisions(&[]));
    let answers = drive
        .connector
        .revisions(&root(), &[ask("a"), ask("b")])
        .await
        .unwrap();
    let kind = ErrorKind::RateLimited {
        retry_after: Some(std::time::Duration::from_hours(2)),
    };
    assert_eq!(told(&answers[0]), Err((kind, Some(429))));
    assert_eq!(drive.paths().len(), 2);
}

#[tokio::test]
async fn parts_without_an_answer_are_asked_alone() {
    let drive = Drive::start().await;
    let empty = Reply::ok("--x--\r\n").header("content-type", "multipart/mixed; boundary=x");
    drive
        .on_batch(empty)
        .on("files/a/revisions", &[], revisions(&["1"]))
        .on("files/b/revisions", &[], revisions(&[]));
    let answers = drive
        .connector
        .revisions(&root(), &[ask("a"), ask("b")])
        .await
        .unwrap();
    assert_eq!(
        answers.iter().map(told).collect::<Vec<_>>(),
        [
            Ok((vec!["1"], Presence::NotTold)),
            Ok((vec![], Presence::NotTold))
        ]
    );
}

#[tokio::test]
async fn an_answer_that_is_no_multipart_is_refused() {
    let drive = Drive::start().await;
    drive.on_batch(Reply::ok("{}"));
    let error = drive
        .connector
        .revisions(&root(), &[ask("a"), ask("b")])
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.operation), (ErrorKind::Malformed, "batch"));
}

#[tokio::test]
async fn a_refusal_of_the_account_ends_the_call() {
    let drive = Drive::start().await;
    drive
        .on("files/a/revisions", &[], Reply::refused(403, "domainPolicy"))
        .on("files/b/revisions", &[], revisions(&[]));
    let error = drive
        .connector
        .revisions(&root(), &[ask("a"), ask("b")])
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.status, error.code.as_deref()),
        (ErrorKind::PermissionDenied, Some(403), Some("domainPolicy"))
    );
}

#[tokio::test]
async fn a_long_list_is_paged() {
    let drive = Drive::start().await;
    let second =
        r#"{"revisions":[{"id":"9","mimeType":"text/plain","modifiedTime":"2026-01-09T00:00:00.000Z"}]}"#;
    let first =
        r#"{"nextPageToken":"p2","revisions":[{"id":"1","modifiedTime":"2026-01-01T00:00:00.000Z"}]}"#;
    drive
        .on("files/a/revisions", &[], Reply::ok(first))
        .on("files/a/revisions", &[("pageToken", "p2")], Reply::ok(second))
        .on("files/b/revisions", &[], revisions(&[]));
    let answers = drive
        .connector
        .revisions(&root(), &[ask("a"), ask("b")])
        .await
        .unwrap();
    assert_eq!(told(&answers[0]), Ok((vec!["1", "9"], Presence::NotTold)));
}

/// Tokens of pages live for hours: what was refused is listed again from the beginning, once.
#[rstest]
#[case::once(1, Ok((vec!["1", "9"], Presence::NotTold)))]
#[case::again(2, Err((ErrorKind::CursorExpired, Some(400))))]
#[tokio::test]
async fn a_list_whose_token_ran_out_begins_again(#[case] refusals: usize, #[case] expected: Told<'static>) {
    let drive = Drive::start().await;
    let first =
        r#"{"nextPageToken":"p2","revisions":[{"id":"1","modifiedTime":"2026-01-01T00:00:00.000Z"}]}"#;
    let second = r#"{"revisions":[{"id":"9","modifiedTime":"2026-01-09T00:00:00.000Z"}]}"#;
    let expired = r#"{"error":{"code":400,"errors":[{"reason":"invalid","location":"pageToken","locationType":"parameter"}]}}"#;
    drive.on("files/a/revisions", &[], Reply::ok(first));
    for _ in 0..refusals {
        drive.on(
            "files/a/revisions",
            &[("pageToken", "p2")],
            Reply::new(400, expired),
        );
    }
    drive.on("files/a/revisions", &[("pageToken", "p2")], Reply::ok(second));
    let answers = drive.connector.revisions(&root(), &[ask("a")]).await.unwrap();
    assert_eq!(told(&answers[0]), expected);
}

#[tokio::test]
async fn a_list_that_turns_in_circles_is_refused() {
    let drive = Drive::start().await;
    drive.on(
        "files/a/revisions",
        &[],
        Reply::ok(r#"{"nextPageToken":"p2","revisions":[]}"#),
    );
    let answers = drive.connector.revisions(&root(), &[ask("a")]).await.unwrap();
    assert_eq!(told(&answers[0]), Err((ErrorKind::Malformed, None)));
}

#[tokio::test]
async fn no_batch_has_more_than_a_hundred_parts() {
    let drive = Drive::start().await;
    let asks: Vec<RevisionAsk> = (0..150)
        .map(|number| {
            let id = format!("i{number}");
            drive.on(&format!("files/{id}/revisions"), &[], revisions(&[]));
            ask(&id)
        })
        .collect();
    let answers = drive.connector.revisions(&root(), &asks).await.unwrap();
    assert!(
        answers
            .iter()
            .all(|answer| told(answer) == Ok((vec![], Presence::NotTold)))
    );
    assert_eq!(
        (answers.len(), drive.connector.usage().requests["batch"]),
        (150, 2)
    );
}
