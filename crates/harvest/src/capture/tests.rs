use revtrail_archive::{MemoryArchive, RetentionMode};
use revtrail_model::{layout::LogName, record::Count};

use super::*;
use crate::state::OpenHold;

const MODE: RetentionMode = RetentionMode::Compliance;

fn log() -> LogName {
    LogName {
        ledger: "finance".into(),
        year: 2026,
    }
}

fn until(text: &str) -> Retention {
    Retention {
        mode: MODE,
        until: text.parse().unwrap(),
    }
}

/// Keeps `bytes` as a run of its own would, and tells what the store then says.
async fn keep(
    archive: &Arc<dyn Archive>,
    bytes: &'static [u8],
    (retention, holds): (Option<Retention>, &OpenHolds),
) -> (Digest, Option<Retention>, LegalHold) {
    let (log, kept) = (log(), Mutex::default());
    let vault = Vault {
        archive,
        log: &log,
        retention,
        holds,
        kept: &kept,
    };
    let digest = vault.keep(Bytes::from_static(bytes)).await.unwrap();
    assert_eq!(vault.keep(Bytes::from_static(bytes)).await.unwrap(), digest);
    let key = object_key(&log.content(&digest)).unwrap();
    assert_eq!(archive.read(&key).await.unwrap(), bytes);
    let head = archive.head(&key).await.unwrap().unwrap();
    (digest, head.retention, head.legal_hold)
}

#[tokio::test]
async fn the_same_bytes_are_one_object_with_the_longest_lock() {
    let store = Arc::new(MemoryArchive::with_object_lock(MODE));
    let archive: Arc<dyn Archive> = store.clone();
    let holds = OpenHolds::new();
    let (short, long) = (
        Some(until("2030-01-01T00:00:00Z")),
        Some(until("2034-01-01T00:00:00Z")),
    );
    let mut locks = Vec::new();
    for lock in [short, long, short] {
        let (digest, retention, hold) = keep(&archive, b"# Rules", (lock, &holds)).await;
        assert_eq!(digest, sha256(b"# Rules"));
        assert_eq!(hold, LegalHold::Off);
        locks.push(retention);
    }
    assert_eq!(locks, [short, long, long]);
    assert_eq!(store.keys().len(), 1);
}

#[tokio::test]
async fn contents_of_a_held_log_are_held() {
    let archive: Arc<dyn Archive> = Arc::new(MemoryArchive::with_object_lock(MODE));
    let lock = Some(until("2030-01-01T00:00:00Z"));
    let hold = |year| {
        let hold = OpenHold {
            case: "C-1".into(),
            year: Some(Count(year)),
        };
        OpenHolds::from([("0".into(), hold)])
    };
    let (_, _, other) = keep(&archive, b"a", (lock, &hold(2025))).await;
    assert_eq!(other, LegalHold::Off);
    // Also when the object was there before the hold.
    let (_, _, own) = keep(&archive, b"a", (lock, &hold(2026))).await;
    assert_eq!(own, LegalHold::On);
}

#[tokio::test]
async fn another_object_under_the_name_is_not_taken_for_ours() {
    let archive: Arc<dyn Archive> = Arc::new(MemoryArchive::new());
    let (log, kept, holds) = (log(), Mutex::default(), OpenHolds::new());
    let key = object_key(&log.content(&sha256(b"a"))).unwrap();
    archive
        .create(&key, Bytes::from_static(b"b"), None)
        .await
        .unwrap();
    let vault = Vault {
        archive: &archive,
        log: &log,
        retention: None,
        holds: &holds,
        kept: &kept,
    };
    let error = vault.keep(Bytes::from_static(b"a")).await.unwrap_err();
    assert!(
        matches!(&error, HarvestError::Digest { actual, .. } if *actual == sha256(b"b")),
        "{error}"
    );
}
