//! The contract of `Archive`, checked on an empty archive.

use bytes::Bytes;
use futures::future::join_all;
use revtrail_archive::{
    Archive, ArchiveErrorKind, Head, LegalHold, ObjectKey, PAGE_ENTRIES, Protection, Retention, RetentionMode,
};
use revtrail_model::{
    sha256,
    time::{self, Timestamp},
};

pub(crate) fn key(text: &str) -> ObjectKey {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    time::parse(text).unwrap()
}

/// Runs every check. The archive must be empty and is not empty afterwards.
pub(crate) async fn check(archive: &dyn Archive) {
    an_empty_archive_has_nothing(archive).await;
    what_was_created_is_read_back(archive).await;
    a_second_create_changes_nothing(archive).await;
    one_of_many_writers_wins(archive).await;
    listing_is_in_byte_order(archive).await;
    match archive.protection() {
        Protection::ObjectLock { mode } => locks_hold(archive, mode).await,
        Protection::None => locks_are_not_pretended(archive).await,
    }
}

/// [`check`], and listings of more than one page, which take a thousand objects.
pub(crate) async fn check_with_pages(archive: &dyn Archive) {
    check(archive).await;
    listing_pages(archive).await;
}

/// What one handle wrote, another handle sees and may not replace.
pub(crate) async fn two_handles(writer: &dyn Archive, reader: &dyn Archive) {
    let shared = key("two/handles");
    writer.create(&shared, "first".into(), None).await.unwrap();
    assert_eq!(reader.read(&shared).await.unwrap(), "first");
    let error = reader.create(&shared, "second".into(), None).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::AlreadyExists);
    assert_eq!(writer.read(&shared).await.unwrap(), "first");
}

async fn an_empty_archive_has_nothing(archive: &dyn Archive) {
    let absent = key("absent/object");
    assert_eq!(archive.head(&absent).await.unwrap(), None);
    let error = archive.read(&absent).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::NotFound);
    assert_eq!(error.subject(), "absent/object");
    let listing = archive.list("", None).await.unwrap();
    assert_eq!((listing.keys, listing.more), (vec![], false));
}

async fn what_was_created_is_read_back(archive: &dyn Archive) {
    for (name, bytes) in [
        ("back/empty", Bytes::new()),
        ("back/binary", (0..=255).collect::<Vec<u8>>().into()),
        ("back/large", vec![7_u8; 3 << 20].into()),
    ] {
        archive.create(&key(name), bytes.clone(), None).await.unwrap();
        assert_eq!(archive.read(&key(name)).await.unwrap(), bytes, "{name}");
        let head = archive.head(&key(name)).await.unwrap().unwrap();
        assert_eq!(head.size_bytes, bytes.len() as u64, "{name}");
        assert!(
            [None, Some(sha256(&bytes))].contains(&head.sha256),
            "{name}: {head:?}"
        );
        assert_eq!(
            (head.retention, head.legal_hold),
            (None, LegalHold::Off),
            "{name}"
        );
    }
}

async fn a_second_create_changes_nothing(archive: &dyn Archive) {
    let taken = key("taken/object");
    archive.create(&taken, "first".into(), None).await.unwrap();
    for bytes in ["second", "first"] {
        let error = archive.create(&taken, bytes.into(), None).await.unwrap_err();
        assert_eq!(error.kind(), ArchiveErrorKind::AlreadyExists);
        assert_eq!(error.operation(), "create");
    }
    assert_eq!(archive.read(&taken).await.unwrap(), "first");
}

async fn one_of_many_writers_wins(archive: &dyn Archive) {
    let contested = key("contested/object");
    let outcomes = join_all((0..8).map(|writer| {
        let contested = &contested;
        async move {
            let bytes = format!("writer {writer}").repeat(1000);
            (writer, archive.create(contested, bytes.into(), None).await)
        }
    }))
    .await;
    let winners: Vec<_> = outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    for (_, outcome) in &outcomes {
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ArchiveErrorKind::AlreadyExists, "{error:?}");
        }
    }
    let stored = archive.read(&contested).await.unwrap();
    assert_eq!(stored, format!("writer {}", winners[0].0).repeat(1000));
}

async fn listing_is_in_byte_order(archive: &dyn Archive) {
    // `-` and `.` come before `/`, digits after it: a directory walk by name gets this wrong.
    let ordered = [
        "order/a-b",
        "order/a.b",
        "order/a/b",
        "order/a/c/d",
        "order/a0",
        "order/aa",
    ];
    for name in ordered.iter().rev() {
        archive.create(&key(name), (*name).into(), None).await.unwrap();
    }
    let expect = |names: &[&str]| -> Vec<ObjectKey> { names.iter().map(|name| key(name)).collect() };
    let whole = archive.list("order/", None).await.unwrap();
    assert_eq!((whole.keys, whole.more), (expect(&ordered), false));
    assert_eq!(whole.foreign, Vec::<String>::new());
    for (prefix, after, names) in [
        ("order/a", Some("order/a.b"), &ordered[2..]),
        ("order/a/", None, &ordered[2..4]),
        ("order/a/c", None, &ordered[3..4]),
        ("order/", Some("order/a/b"), &ordered[3..]),
        ("order/", Some("order/a/b0"), &ordered[3..]),
        ("order/", Some("order/aa"), &[]),
        ("order/", Some("a"), &ordered),
        ("orde", Some("p"), &[]),
        ("order/b", None, &[]),
    ] {
        let listing = archive.list(prefix, after.map(key).as_ref()).await.unwrap();
        assert_eq!(listing.keys, expect(names), "{prefix} after {after:?}");
    }
}

async fn listing_pages(archive: &dyn Archive) {
    let names: Vec<_> = (0..PAGE_ENTRIES + 5)
        .map(|n| format!("page/{}/{n:05}", n / 600))
        .collect();
    for chunk in names.chunks(32) {
        let created = join_all(chunk.iter().map(|name| {
            let name = key(name);
            async move { archive.create(&name, "x".into(), None).await }
        }))
        .await;
        assert!(created.iter().all(Result::is_ok), "{created:?}");
    }
    let first = archive.list("page/", None).await.unwrap();
    assert_eq!((first.keys.len(), first.more), (PAGE_ENTRIES, true));
    let last = first.keys.last();
    let second = archive.list("page/", last).await.unwrap();
    assert_eq!((second.keys.len(), second.more), (5, false));
    let listed: Vec<_> = first
        .keys
        .iter()
        .chain(&second.keys)
        .map(ToString::to_string)
        .collect();
    assert_eq!(listed, names);
    let exact = archive.list("page/", Some(&key("page/0/00004"))).await.unwrap();
    assert_eq!((exact.keys.len(), exact.more), (PAGE_ENTRIES, false));
    let few = archive
        .list_up_to(2, "page/", Some(&key("page/0/00004")))
        .await
        .unwrap();
    assert_eq!((few.keys.as_slice(), few.more), (&exact.keys[..2], true));
    let left = few.keys.last();
    let rest = archive.list_up_to(PAGE_ENTRIES, "page/", left).await.unwrap();
    assert_eq!((rest.keys.as_slice(), rest.more), (&exact.keys[2..], false));
}

async fn locks_hold(archive: &dyn Archive, mode: RetentionMode) {
    let locked = key("locked/object");
    let asked = |until: &str| Retention {
        mode,
        until: at(until),
    };
    archive
        .create(&locked, "x".into(), Some(asked("2099-01-02T03:04:05Z")))
        .await
        .unwrap();
    let head = async || -> Head { archive.head(&locked).await.unwrap().unwrap() };
    assert_eq!(head().await.retention, Some(asked("2099-01-02T03:04:05Z")));
    assert_eq!(head().await.legal_hold, LegalHold::Off);

    archive
        .extend_retention(&locked, at("2099-06-01T00:00:00Z"))
        .await
        .unwrap();
    assert_eq!(head().await.retention, Some(asked("2099-06-01T00:00:00Z")));
    archive
        .extend_retention(&locked, at("2099-06-01T00:00:00Z"))
        .await
        .unwrap();
    let error = archive
        .extend_retention(&locked, at("2099-05-31T00:00:00Z"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Refused);
    assert_eq!(head().await.retention, Some(asked("2099-06-01T00:00:00Z")));

    archive.set_legal_hold(&locked, LegalHold::On).await.unwrap();
    assert_eq!(head().await.legal_hold, LegalHold::On);
    archive.set_legal_hold(&locked, LegalHold::Off).await.unwrap();
    assert_eq!(head().await.legal_hold, LegalHold::Off);

    let absent = key("locked/absent");
    let error = archive.set_legal_hold(&absent, LegalHold::On).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::NotFound);
    let error = archive
        .extend_retention(&absent, at("2099-01-01T00:00:00Z"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::NotFound);
}

async fn locks_are_not_pretended(archive: &dyn Archive) {
    let plain = key("plain/object");
    let retention = Retention {
        mode: RetentionMode::Compliance,
        until: at("2099-01-01T00:00:00Z"),
    };
    archive.create(&plain, "x".into(), Some(retention)).await.unwrap();
    assert_eq!(archive.head(&plain).await.unwrap().unwrap().retention, None);
    let error = archive.set_legal_hold(&plain, LegalHold::On).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Unsupported);
    let error = archive
        .extend_retention(&plain, retention.until)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Unsupported);
}
