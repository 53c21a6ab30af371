use bytes::Bytes;
use revtrail_model::{Digest, layout::Kind, sha256, time};

use super::*;
use crate::{MemoryArchive, Retention, RetentionMode};

fn log() -> LogName {
    LogName {
        ledger: "finance".into(),
        year: 2026,
    }
}

fn until(text: &str) -> Timestamp {
    time::parse(text).unwrap()
}

/// Two record objects (one without a lock), a tile, and an object of another ledger.
async fn archive() -> MemoryArchive {
    let archive = MemoryArchive::with_object_lock(RetentionMode::Compliance);
    let digest: Digest = sha256(b"x");
    let lock = Some(Retention {
        mode: RetentionMode::Compliance,
        until: until("2034-01-01T00:00:00Z"),
    });
    for (key, lock) in [
        (log().checkpoint(0), lock),
        (log().object(Kind::State, 0, &digest), None),
        (log().timestamp(0), lock),
        ("finance/2026/timestamps/other".to_owned(), lock),
        ("finance/2026/tile/0/000.p/2".to_owned(), None),
        ("finance2/2026/checkpoints/00000000000000000000".to_owned(), lock),
    ] {
        let key: ObjectKey = key.parse().unwrap();
        archive
            .create(&key, Bytes::from_static(b"x"), lock)
            .await
            .unwrap();
    }
    archive
}

#[tokio::test]
async fn record_objects_are_found_and_views_are_not() {
    let holdings = holdings(&archive().await, &"finance".into()).await.unwrap();
    assert!(!holdings.versions_kept);
    let found: Vec<_> = holdings
        .targets()
        .map(|(object, target, head)| (object.key.to_string(), target.version, head.retention.is_some()))
        .collect();
    let state = log().object(Kind::State, 0, &sha256(b"x"));
    assert_eq!(
        found,
        [
            (log().checkpoint(0), None, true),
            (state, None, false),
            (log().timestamp(0), None, true)
        ]
    );
}

#[tokio::test]
async fn a_lock_is_extended_and_never_shortened() {
    let archive = archive().await;
    let key: ObjectKey = log().checkpoint(0).parse().unwrap();
    let target = vec![Target {
        key: key.clone(),
        version: None,
    }];
    for (date, expected, stands) in [
        ("2040-01-01T00:00:00Z", None, "2040-01-01T00:00:00Z"),
        ("2040-01-01T00:00:00Z", None, "2040-01-01T00:00:00Z"),
        (
            "2039-01-01T00:00:00Z",
            Some(crate::ArchiveErrorKind::Refused),
            "2040-01-01T00:00:00Z",
        ),
    ] {
        let outcome = lock(&archive, target.clone(), until(date)).await.remove(0).1;
        assert_eq!(outcome.err().map(|error| error.kind()), expected, "{date}");
        let head = archive.head(&key).await.unwrap().unwrap();
        assert_eq!(head.retention.unwrap().until, until(stands));
    }
}

#[tokio::test]
async fn holds_are_set_and_cleared() {
    let archive = archive().await;
    for wanted in [LegalHold::On, LegalHold::On, LegalHold::Off] {
        let targets = holdings(&archive, &"finance".into())
            .await
            .unwrap()
            .targets()
            .map(|(_, target, _)| target)
            .collect();
        for (target, outcome) in hold(&archive, targets, wanted).await {
            outcome.unwrap();
            let head = archive.head(&target.key).await.unwrap().unwrap();
            assert_eq!(head.legal_hold, wanted, "{}", target.key);
        }
    }
    let tile: ObjectKey = "finance/2026/tile/0/000.p/2".parse().unwrap();
    assert_eq!(
        archive.head(&tile).await.unwrap().unwrap().legal_hold,
        LegalHold::Off
    );
}
