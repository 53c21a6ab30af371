//! The record in a bucket with Object Lock, on a real server, when `REVTRAIL_TEST_S3_ENDPOINT` names one.
//! `tests/s3-server.sh` starts one. It accepts requests without a signature, which the lock must withstand as well.
#![allow(clippy::unwrap_used, reason = "tests")]

use revtrail_archive::{Archive, ArchiveErrorKind, ArchiveUrl, ObjectKey, RetentionMode, open};
use revtrail_e2e::{
    Bench, Bucket, FOLDER, PREFIX, Place, assert_same, events_as_facts, round_end, rounds, told,
};
use revtrail_model::time;
use revtrail_simulator::{Options, Provider};

const ROUNDS: i64 = 4;

async fn keys(archive: &dyn Archive) -> Vec<ObjectKey> {
    let mut all: Vec<ObjectKey> = Vec::new();
    loop {
        let last = all.last().cloned();
        let page = archive.list("main/", last.as_ref()).await.unwrap();
        assert_eq!(page.foreign, Vec::<String>::new());
        all.extend(page.keys);
        if !page.more {
            return all;
        }
    }
}

#[test]
fn the_record_in_a_bucket_is_complete_and_every_object_is_locked() {
    let Some(bucket) = Bucket::create("locked") else {
        return;
    };
    let bench = bucket.harvested(ROUNDS);
    bench.verify();
    let report = bench.call(&["verify", "--output", "json"]).exits(0).json();
    assert_eq!(report["write_protection"], "S3 Object Lock (compliance)");
    let polls: Vec<_> = (0..ROUNDS).map(round_end).collect();
    let truth = told(Provider::Dropbox, bench.sim().source(), FOLDER, &polls);
    assert_same(&events_as_facts(&bench.events()), &truth);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(every_object_is_locked(&bucket));
}

async fn every_object_is_locked(bucket: &Bucket) {
    let url: ArchiveUrl = format!("s3://{}/{PREFIX}", bucket.name()).parse().unwrap();
    let archive = open(&url, bucket.options()).await.unwrap();
    let keys = keys(archive.as_ref()).await;
    // Tiles are views: they can be deleted and made again.
    let (tiles, record): (Vec<_>, Vec<_>) = keys.iter().partition(|key| key.as_str().contains("/tile/"));
    assert!(!tiles.is_empty(), "{keys:?}");
    // Genesis and four harvests, each of at least a segment, a state object and a checkpoint.
    assert!(record.len() >= 15, "{keys:?}");
    for key in record {
        let head = archive.head(key).await.unwrap().unwrap();
        let retention = head.retention.unwrap_or_else(|| panic!("{key} is not locked"));
        let year: i16 = key.as_str().split('/').nth(1).unwrap().parse().unwrap();
        // Year end and seven years, with a margin of less than one.
        let from = time::parse(&format!("{}-01-01T00:00:00Z", year + 8)).unwrap();
        let until = time::parse(&format!("{}-01-01T00:00:00Z", year + 9)).unwrap();
        assert_eq!(retention.mode, RetentionMode::Compliance, "{key}");
        assert!(
            (from..until).contains(&retention.until),
            "{key} until {}",
            retention.until
        );
        assert!(head.sha256.is_some(), "{key}");
        let shorter = time::parse("2027-01-01T00:00:00Z").unwrap();
        let refused = archive.extend_retention(key, shorter).await.unwrap_err();
        assert_eq!(refused.kind(), ArchiveErrorKind::Refused, "{key}");
        the_server_refuses(bucket, key.as_str());
        assert_eq!(archive.head(key).await.unwrap().unwrap(), head, "{key}");
    }
}

/// Deleting the version and shortening its lock, past our own client.
fn the_server_refuses(bucket: &Bucket, key: &str) {
    let version = bucket.version(key);
    let deleted = bucket.send("DELETE", &format!("/{PREFIX}/{key}?versionId={version}"), "", "");
    assert_eq!(deleted.status, 403, "{key}: {deleted:?}");
    let shorter = "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>COMPLIANCE</Mode>\
                   <RetainUntilDate>2027-01-01T00:00:00Z</RetainUntilDate></Retention>";
    let target = format!("/{PREFIX}/{key}?retention&versionId={version}");
    let shortened = bucket.send("PUT", &target, "", shorter);
    assert_eq!(shortened.status, 403, "{key}: {shortened:?}");
}

/// The refusals above mean something: the same requests succeed on an object without a lock.
#[test]
fn the_server_deletes_what_is_not_locked() {
    let Some(bucket) = Bucket::create("control") else {
        return;
    };
    let put = bucket.send("PUT", &format!("/{PREFIX}/main/free"), "", "not a record");
    assert_eq!(put.status, 200, "{put:?}");
    let version = bucket.version("main/free");
    let deleted = bucket.send(
        "DELETE",
        &format!("/{PREFIX}/main/free?versionId={version}"),
        "",
        "",
    );
    assert_eq!(deleted.status, 204, "{deleted:?}");
}

#[test]
fn a_bucket_without_object_lock_is_refused() {
    let Some(unlocked) = Bucket::without_lock("plain") else {
        return;
    };
    let place = Place {
        name: "handbook",
        provider: Provider::Dropbox,
        path: FOLDER,
    };
    let bench = Bench::at(
        &unlocked.config(),
        rounds("Handbook", 1, 1),
        Options::default(),
        &[place],
    );
    assert_eq!(archive_check(&bench, 2)["result"], "fail");
    let refused = bench.call(&["init", "--ledger", "main"]).exits(2);
    assert!(refused.stderr.contains(unlocked.name()), "{refused:?}");
    assert!(refused.stderr.contains("hint: "), "{refused:?}");
}

/// What `doctor` finds out about the archive.
fn archive_check(bench: &Bench, code: i32) -> serde_json::Value {
    let report = bench.call(&["doctor", "--output", "json"]).exits(code).json();
    let checks = report["checks"].as_array().unwrap().iter();
    checks
        .clone()
        .find(|check| check["check"] == "archive")
        .unwrap()
        .clone()
}

#[test]
fn the_doctor_finds_a_locked_bucket_fit_and_writes_nothing() {
    let Some(bucket) = Bucket::create("doctor") else {
        return;
    };
    let place = Place {
        name: "handbook",
        provider: Provider::Dropbox,
        path: FOLDER,
    };
    let bench = Bench::at(
        &bucket.config(),
        rounds("Handbook", 1, 1),
        Options::default(),
        &[place],
    );
    bench.advance(round_end(0));
    let check = archive_check(&bench, 0);
    assert_eq!(check["result"], "pass", "{check}");
    let listed = bucket.send("GET", "?versions", "", "");
    assert!(!listed.text.contains("<VersionId>"), "{listed:?}");
}
