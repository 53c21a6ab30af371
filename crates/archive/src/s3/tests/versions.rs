//! Versions: pages, locks that are not shown, locks and holds read back.

use revtrail_model::time;
use rstest::rstest;

use super::{
    archive, error, head_of, key,
    script::{Answer, Script},
};
use crate::{ArchiveErrorKind, LegalHold, RetentionMode, VersionId, VersionKind, VersionMark, Versions as _};

fn version() -> VersionId {
    VersionId::new("v1")
}

fn page(truncated: &str, entries: &str, marks: &str) -> Answer {
    Answer::ok().body(&format!(
        "<ListVersionsResult><IsTruncated>{truncated}</IsTruncated>{marks}{entries}</ListVersionsResult>"
    ))
}

fn entry(element: &str, name: &str, id: &str, latest: &str) -> String {
    format!(
        "<{element}><Key>{name}</Key><VersionId>{id}</VersionId><IsLatest>{latest}</IsLatest>\
         <LastModified>2026-11-21T10:00:00Z</LastModified></{element}>"
    )
}

#[tokio::test]
async fn versions_come_in_pages_with_markers_beside_them() {
    let first = [
        entry("Version", "audit/eu/main/a", "1", "false"),
        entry("Version", "audit/eu/a b", "2", "true"),
        entry("DeleteMarker", "audit/eu/main/a", "3", "true"),
    ]
    .concat();
    let marks = "<NextKeyMarker>audit/eu/main/a</NextKeyMarker><NextVersionIdMarker>1</NextVersionIdMarker>";
    let second = entry("Version", "audit/eu/main/b", "4", "true");
    let script = Script::new(vec![page("true", &first, marks), page("false", &second, "")]).await;
    let archive = archive(&script).await;
    let first = archive.list_versions("main/", None).await.unwrap();
    let told: Vec<_> = first
        .entries
        .iter()
        .map(|version| {
            (
                version.key.as_str(),
                version.id.as_str(),
                version.kind,
                version.is_latest,
            )
        })
        .collect();
    // What the key shows comes first, whatever it is.
    assert_eq!(
        told,
        [
            ("main/a", "3", VersionKind::DeleteMarker, true),
            ("main/a", "1", VersionKind::Object, false)
        ]
    );
    assert_eq!(first.foreign, ["audit/eu/a b"]);
    let second = archive.list_versions("main/", first.next.as_ref()).await.unwrap();
    assert_eq!((second.entries.len(), second.next), (1, None));
    let line = &script.requests()[1].line;
    assert!(
        line.contains("key-marker=audit%2Feu%2Fmain%2Fa") && line.contains("version-id-marker=1"),
        "{line}"
    );
}

#[rstest]
#[case::no_mark("")]
#[case::the_same_mark("<NextKeyMarker>k</NextKeyMarker><NextVersionIdMarker>1</NextVersionIdMarker>")]
#[tokio::test]
async fn a_listing_that_does_not_move_is_corrupt(#[case] marks: &str) {
    let script = Script::new(vec![page("true", "", marks)]).await;
    let mark = VersionMark {
        key: "k".to_owned(),
        version: Some("1".to_owned()),
    };
    let failed = archive(&script).await.list_versions("", Some(&mark)).await;
    assert_eq!(failed.unwrap_err().kind(), ArchiveErrorKind::Corrupt);
}

/// A head without a lock.
fn bare() -> Answer {
    Answer::ok().header("content-length", "1")
}

fn retention(until: &str) -> Answer {
    Answer::ok().body(&format!(
        "<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>"
    ))
}

#[tokio::test]
async fn a_lock_that_is_not_shown_is_asked_for_by_name() {
    let until = "2034-01-01T00:00:00Z";
    let script = Script::new(vec![
        bare(),
        error(403, "AccessDenied"),
        bare(),
        error(404, "NoSuchObjectLockConfiguration"),
        bare(),
        retention(until),
    ])
    .await;
    let archive = archive(&script).await;
    // Who may not see locks must not conclude that there are none.
    let hidden = archive.head_version(&key(), &version()).await.unwrap_err();
    assert_eq!(hidden.kind(), ArchiveErrorKind::PermissionDenied);
    let head = archive.head_version(&key(), &version()).await.unwrap().unwrap();
    assert_eq!(head.retention, None);
    let head = archive.head_version(&key(), &version()).await.unwrap().unwrap();
    let lock = head.retention.unwrap();
    assert_eq!(
        (lock.mode, lock.until),
        (RetentionMode::Compliance, time::parse(until).unwrap())
    );
    assert!(script.requests()[0].line.contains("versionId=v1"));
}

#[tokio::test]
async fn a_lock_is_never_shortened_and_is_read_back() {
    let locked = |until: &str| head_of("x").header("x-amz-object-lock-retain-until-date", until);
    let (short, long) = ("2034-01-01T00:00:00Z", "2040-01-01T00:00:00Z");
    let script = Script::new(vec![
        locked(long),
        locked(long),
        locked(short),
        Answer::ok(),
        locked(short),
    ])
    .await;
    let archive = archive(&script).await;
    let at = |text| time::parse(text).unwrap();
    let refused = archive.lock_version(&key(), &version(), at(short)).await;
    assert_eq!(refused.unwrap_err().kind(), ArchiveErrorKind::Refused);
    archive.lock_version(&key(), &version(), at(long)).await.unwrap();
    assert_eq!(script.requests().len(), 2);
    // Accepted, and not done.
    let refused = archive.lock_version(&key(), &version(), at(long)).await;
    assert_eq!(refused.unwrap_err().kind(), ArchiveErrorKind::Refused);
}

#[tokio::test]
async fn a_hold_that_the_store_does_not_show_is_refused() {
    let held = || {
        head_of("x")
            .header("x-amz-object-lock-legal-hold", "ON")
            .header("x-amz-object-lock-retain-until-date", "2034-01-01T00:00:00Z")
    };
    let free = || head_of("x").header("x-amz-object-lock-retain-until-date", "2034-01-01T00:00:00Z");
    let script = Script::new(vec![
        held(),
        free(),
        Answer::ok(),
        held(),
        free(),
        Answer::ok(),
        free(),
    ])
    .await;
    let archive = archive(&script).await;
    archive
        .hold_version(&key(), &version(), LegalHold::On)
        .await
        .unwrap();
    archive
        .hold_version(&key(), &version(), LegalHold::On)
        .await
        .unwrap();
    let refused = archive.hold_version(&key(), &version(), LegalHold::On).await;
    assert_eq!(refused.unwrap_err().kind(), ArchiveErrorKind::Refused);
}
