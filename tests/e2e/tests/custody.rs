//! What the bucket keeps of the record: versions, delete markers, locks and legal holds, on a real server, when
//! `REVTRAIL_TEST_S3_ENDPOINT` names one. Damage is done past our own client, as somebody with write access would.
#![allow(clippy::unwrap_used, reason = "tests")]

use revtrail_e2e::{Bench, Bucket, PREFIX};
use serde_json::Value;

/// Keys of the record, of one kind.
fn keys(bucket: &Bucket, directory: &str) -> Vec<String> {
    let listed = bucket.send("GET", &format!("?list-type=2&prefix={PREFIX}/main/"), "", "");
    assert_eq!(listed.status, 200, "{listed:?}");
    let keys = listed.text.split("<Key>").skip(1);
    keys.filter_map(|rest| rest.split('<').next())
        .filter_map(|name| name.strip_prefix(&format!("{PREFIX}/")))
        .filter(|key| key.contains(&format!("/{directory}/")))
        .map(str::to_owned)
        .collect()
}

fn record_keys(bucket: &Bucket) -> Vec<String> {
    ["segments", "sidecars", "raw", "state", "checkpoints"]
        .iter()
        .flat_map(|directory| keys(bucket, directory))
        .collect()
}

/// Severity and key of each finding, and the whole report.
fn verified(bench: &Bench, code: i32) -> (Vec<(String, String)>, Value) {
    let report = bench
        .call(&["verify", "--store", "--output", "json"])
        .exits(code)
        .json();
    let findings = report["findings"].as_array().unwrap();
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let told = findings
        .iter()
        .map(|finding| (text(finding, "severity"), text(finding, "key")))
        .collect();
    (told, report)
}

fn finding(severity: &str, key: &str) -> (String, String) {
    (severity.to_owned(), key.to_owned())
}

#[test]
fn a_second_version_and_a_delete_marker_are_found() {
    let Some(bucket) = Bucket::create("versions") else {
        return;
    };
    let bench = bucket.harvested(2);
    let (found, report) = verified(&bench, 0);
    assert_eq!(found, []);
    let count = record_keys(&bucket).len();
    assert_eq!(
        report["store"],
        format!("{count} record object(s) in {count} version(s) and delete marker(s)")
    );
    assert_eq!(report["write_protection"], "S3 Object Lock (compliance)");

    // The same bytes again: the record reads as before, and only the versions tell.
    let checkpoint = keys(&bucket, "checkpoints").remove(1);
    let bytes = bucket
        .send("GET", &format!("/{PREFIX}/{checkpoint}"), "", "")
        .text;
    let body = bytes.split_once("\r\n\r\n").unwrap().1;
    let put = bucket.send("PUT", &format!("/{PREFIX}/{checkpoint}"), "", body);
    assert_eq!(put.status, 200, "{put:?}");
    let _sound = bench.call(&["verify"]).exits(0);
    let (found, report) = verified(&bench, 3);
    assert_eq!(found, [finding("contradiction", &checkpoint)]);
    let actual = report["findings"][0]["actual"].as_str().unwrap();
    for version in bucket.versions(&checkpoint) {
        assert!(actual.contains(&version), "{actual}");
    }

    // A delete marker hides the object; the locked version stands below it.
    let sidecar = keys(&bucket, "sidecars").remove(0);
    let deleted = bucket.send("DELETE", &format!("/{PREFIX}/{sidecar}"), "", "");
    assert_eq!(deleted.status, 204, "{deleted:?}");
    let (found, report) = verified(&bench, 3);
    assert!(found.contains(&finding("contradiction", &sidecar)), "{report:#}");
    assert!(
        report.to_string().contains("a delete marker stands"),
        "{report:#}"
    );
    assert_eq!(bucket.versions(&sidecar).len(), 2);
}

#[test]
fn a_lock_that_was_taken_off_or_never_set_is_found() {
    let Some(bucket) = Bucket::create("locks") else {
        return;
    };
    let bench = bucket.harvested_with(&bucket.config_in("governance"), 1);
    assert_eq!(verified(&bench, 0).0, []);
    let states = keys(&bucket, "state");
    let (key, other) = (&states[0], &states[1]);

    // Governance mode may be bypassed by whoever has the right to: here the lock ends earlier than the record says.
    let shorter = "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>GOVERNANCE</Mode>\
                   <RetainUntilDate>2027-01-01T00:00:00Z</RetainUntilDate></Retention>";
    let bypass = "x-amz-bypass-governance-retention: true\r\n";
    let target = format!("/{PREFIX}/{key}?retention&versionId={}", bucket.version(key));
    let done = bucket.send("PUT", &target, bypass, shorter);
    assert_eq!(done.status, 200, "{done:?}");
    let (found, report) = verified(&bench, 3);
    assert_eq!(found, [finding("contradiction", key)], "{report:#}");
    assert!(
        report["findings"][0]["actual"]
            .as_str()
            .unwrap()
            .contains("2027-01-01"),
        "{report:#}"
    );

    // Deleted and written anew, without lock and checksum.
    let target = format!("/{PREFIX}/{other}?versionId={}", bucket.version(other));
    let gone = bucket.send("DELETE", &target, bypass, "");
    assert_eq!(gone.status, 204, "{gone:?}");
    let put = bucket.send("PUT", &format!("/{PREFIX}/{other}"), "", "not what it was");
    assert_eq!(put.status, 200, "{put:?}");
    let (found, report) = verified(&bench, 3);
    let unlocked = report["findings"].as_array().unwrap().iter().any(|finding| {
        finding["key"] == **other && finding["what"].as_str().unwrap().starts_with("is not locked")
    });
    assert!(unlocked, "{found:?} {report:#}");
}

#[test]
fn a_directory_says_that_there_is_nothing_to_check() {
    let place = revtrail_e2e::Place {
        name: "handbook",
        provider: revtrail_simulator::Provider::Dropbox,
        path: revtrail_e2e::FOLDER,
    };
    let bench = Bench::new(
        revtrail_e2e::rounds("Handbook", 1, 2),
        revtrail_simulator::Options::default(),
        &[place],
    );
    bench.init();
    bench.advance(revtrail_e2e::round_end(0));
    let _harvested = bench.call(&["harvest"]).exits(0);
    let refused = bench
        .call(&["retention", "extend", "--ledger", "main", "--apply"])
        .exits(2);
    assert!(refused.stderr.contains("has no locks"), "{refused:?}");
    let (found, report) = verified(&bench, 0);
    assert_eq!(found.len(), 1, "{report:#}");
    assert_eq!(found[0].0, "note");
    assert_eq!(report["store"], "nothing to check: no versions are kept here");
}

/// Ends of the locks of all record objects.
fn lock_ends(bucket: &Bucket) -> std::collections::BTreeSet<String> {
    let heads = record_keys(bucket)
        .into_iter()
        .map(|key| bucket.send("HEAD", &format!("/{PREFIX}/{key}"), "", "").text);
    heads
        .map(|head| {
            let line = head
                .lines()
                .find_map(|line| line.strip_prefix("x-amz-object-lock-retain-until-date: "));
            line.unwrap_or("none").to_owned()
        })
        .collect()
}

#[test]
fn locks_are_extended_once_asked_for_and_never_shortened() {
    let Some(bucket) = Bucket::create("extend") else {
        return;
    };
    let bench = bucket.harvested(1);
    let objects = record_keys(&bucket).len();
    let before = lock_ends(&bucket);
    assert_eq!(before.len(), 1, "{before:?}");
    let extend = |args: &[&str], code: i32| {
        let all = [
            &["retention", "extend", "--ledger", "main", "--output", "json"],
            args,
        ]
        .concat();
        bench.call(&all).exits(code)
    };
    let counts = |args: &[&str]| {
        let report = extend(args, 0).json();
        let log = &report["logs"][0];
        ["long_enough", "to_extend", "extended", "failed"].map(|name| log[name].as_u64().unwrap())
    };
    let all = objects as u64;
    assert_eq!(counts(&[]), [all, 0, 0, 0]);
    let until = ["--until", "2040-02-03"];
    // Shown, not done.
    assert_eq!(counts(&until), [0, all, 0, 0]);
    assert_eq!(lock_ends(&bucket), before);
    let apply = [&until[..], &["--apply"]].concat();
    assert_eq!(counts(&apply), [0, 0, all, 0]);
    let extended = lock_ends(&bucket);
    assert!(
        extended.len() == 1 && extended.iter().all(|end| end.starts_with("2040-02-03T00:00:00")),
        "{extended:?}"
    );
    // Again, and for a shorter time: nothing changes.
    assert_eq!(counts(&apply), [all, 0, 0, 0]);
    assert_eq!(counts(&["--until", "2035-01-01", "--apply"]), [all, 0, 0, 0]);
    assert_eq!(counts(&["--apply"]), [all, 0, 0, 0]);
    assert_eq!(lock_ends(&bucket), extended);
    assert_eq!(verified(&bench, 0).0, []);

    let past = extend(&["--until", "2020-01-01", "--apply"], 2);
    assert!(past.stderr.contains("lies in the past"), "{past:?}");
    let none = extend(&["--year", "1999"], 2);
    assert!(none.stderr.contains("no record object"), "{none:?}");
}

#[test]
fn a_longer_retention_in_the_configuration_is_asked_for_until_the_locks_have_it() {
    let Some(bucket) = Bucket::create("longer") else {
        return;
    };
    let bench = bucket.harvested(1);
    let longer = bench
        .config()
        .replace("retention = \"7y\"", "retention = \"10y\"");
    bench.write("revtrail.toml", &longer);
    let (found, report) = verified(&bench, 6);
    assert_eq!(found.len(), record_keys(&bucket).len(), "{report:#}");
    assert!(found.iter().all(|(severity, _)| severity == "incomplete"));
    let _extended = bench
        .call(&["retention", "extend", "--ledger", "main", "--apply"])
        .exits(0);
    assert_eq!(verified(&bench, 0).0, []);
}
