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
    let who = ["hold", "place", "case-1", "--by", "x", "--reason", "y"];
    let refused = bench.call(&who).exits(2);
    assert!(refused.stderr.contains("has no legal holds"), "{refused:?}");
    // Refused before anything was recorded.
    let none = bench.call(&["hold", "list", "--output", "json"]).exits(0).json();
    assert_eq!(none["holds"], serde_json::json!([]));
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

/// How many record objects are held, and how many are not.
fn held(bucket: &Bucket) -> (usize, usize) {
    let keys = record_keys(bucket);
    let on = keys.iter().filter(|key| {
        let head = bucket.send("HEAD", &format!("/{PREFIX}/{key}"), "", "");
        assert_eq!(head.status, 200, "{head:?}");
        head.text.contains("x-amz-object-lock-legal-hold: ON")
    });
    let on = on.count();
    (on, keys.len() - on)
}

fn order(bench: &Bench, what: &str, case: &str, more: &[&str]) -> Value {
    let who = [
        "--by",
        "R. Ruiz",
        "--reason",
        "claim of 2026-11-20",
        "--output",
        "json",
    ];
    let args = [&["hold", what, case][..], &who[..], more].concat();
    let report = bench.call(&args).exits(0).json();
    report["ledgers"][0].clone()
}

/// State, case and year of each hold.
fn listed(bench: &Bench) -> Vec<[String; 3]> {
    let report = bench.call(&["hold", "list", "--output", "json"]).exits(0).json();
    let text = |hold: &Value, name: &str| hold[name].as_str().unwrap().to_owned();
    let holds = report["holds"].as_array().unwrap();
    holds
        .iter()
        .map(|hold| [text(hold, "case"), text(hold, "year"), text(hold, "state")])
        .collect()
}

fn row(case: &str, year: &str, state: &str) -> [String; 3] {
    [case.to_owned(), year.to_owned(), state.to_owned()]
}

#[test]
fn an_object_is_held_until_no_case_holds_it() {
    let Some(bucket) = Bucket::create("holds") else {
        return;
    };
    let bench = bucket.harvested(1);
    let before = record_keys(&bucket).len();
    assert_eq!(held(&bucket), (0, before));

    let placed = order(&bench, "place", "Smith v. Acme", &[]);
    assert_eq!(
        (&placed["order"], &placed["failed"]),
        (&"placed".into(), &0.into())
    );
    // The snapshot that records the hold has a segment, a sidecar, a state object and a checkpoint.
    assert_eq!(held(&bucket), (before + 4, 0));
    assert_eq!(verified(&bench, 0).0, []);
    let again = order(&bench, "place", "Smith v. Acme", &[]);
    assert_eq!(
        (&again["order"], &again["held"], &again["tree_size"]),
        (&"recorded before".into(), &0.into(), &placed["tree_size"])
    );

    // A second case on the same objects; the first is released; what is harvested meanwhile is held as well.
    let _second = order(&bench, "place", "audit-7", &["--year", "2026"]);
    let _harvested = bench.call(&["harvest"]).exits(0);
    let _first = order(&bench, "release", "Smith v. Acme", &[]);
    let (on, off) = held(&bucket);
    assert!(on > before && off == 0, "{on} {off}");
    assert_eq!(verified(&bench, 0).0, []);
    assert_eq!(
        listed(&bench),
        [
            row("Smith v. Acme", "all", "released"),
            row("audit-7", "2026", "open")
        ]
    );

    let last = order(&bench, "release", "audit-7", &["--year", "2026"]);
    // The snapshot that records the release was never held.
    assert_eq!(last["released"], held(&bucket).1 - 4);
    assert_eq!(held(&bucket).0, 0);
    assert_eq!(verified(&bench, 0).0, []);
    let repeated = order(&bench, "release", "audit-7", &[]);
    assert_eq!(repeated["order"], "recorded before");
    let _harvested = bench.call(&["harvest"]).exits(0);
    assert_eq!(held(&bucket).0, 0);

    let unknown = bench
        .call(&["hold", "release", "no such case", "--by", "x", "--reason", "y"])
        .exits(2);
    assert!(unknown.stderr.contains("no hold of case"), "{unknown:?}");
}

#[test]
fn an_object_that_is_not_held_is_found_and_held_again() {
    let Some(bucket) = Bucket::create("unheld") else {
        return;
    };
    let bench = bucket.harvested(1);
    let _placed = order(&bench, "place", "case-1", &[]);
    let key = keys(&bucket, "segments").remove(0);
    let off = "<LegalHold xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>OFF</Status></LegalHold>";
    let done = bucket.send("PUT", &format!("/{PREFIX}/{key}?legal-hold"), "", off);
    assert_eq!(done.status, 200, "{done:?}");
    let (found, report) = verified(&bench, 6);
    assert_eq!(found, [finding("incomplete", &key)], "{report:#}");
    let again = order(&bench, "place", "case-1", &[]);
    assert_eq!(
        (&again["order"], &again["held"]),
        (&"recorded before".into(), &1.into())
    );
    assert_eq!(verified(&bench, 0).0, []);

    // Another version of a held object is held with it.
    let put = bucket.send("PUT", &format!("/{PREFIX}/{key}"), "", "on top");
    assert_eq!(put.status, 200);
    let again = order(&bench, "place", "case-1", &[]);
    assert_eq!(again["held"], 1);
}

#[test]
fn the_leaf_of_a_hold_tells_no_name_and_proves_what_is_disclosed() {
    let Some(bucket) = Bucket::create("leaf") else {
        return;
    };
    let bench = bucket.harvested(1);
    let _placed = order(&bench, "place", "Smith v. Acme", &[]);
    let holds = bench.call(&["hold", "list", "--output", "json"]).exits(0).json();
    let number = holds["holds"][0]["placed_leaf"].as_str().unwrap();
    let prove = |disclose: &str| {
        let args = ["prove", number, "--disclose", disclose, "--output", "json"];
        bench.call(&args).exits(0).json()
    };
    let hidden = prove("none");
    for name in ["Smith", "Ruiz", "claim"] {
        assert!(!hidden.to_string().contains(name), "{name} is shown: {hidden:#}");
    }
    assert_eq!(hidden["hidden"], serde_json::json!(["actor", "case", "reason"]));
    let shown = prove("case,actor");
    assert!(shown.to_string().contains("Smith v. Acme"), "{shown:#}");
    assert!(shown.to_string().contains("R. Ruiz"), "{shown:#}");
    assert_eq!(shown["hidden"], serde_json::json!(["reason"]));
}

/// Orders race for a place in the log, and none is lost.
#[test]
fn orders_at_the_same_time_are_all_recorded() {
    let Some(bucket) = Bucket::create("race") else {
        return;
    };
    let bench = bucket.harvested(1);
    let cases = ["case-1", "case-2", "case-3"];
    let running: Vec<_> = cases
        .iter()
        .map(|case| bench.start(&["hold", "place", case, "--by", "x", "--reason", "y"]))
        .collect();
    for process in running {
        let _placed = process.finish().exits(0);
    }
    let mut open: Vec<String> = listed(&bench)
        .into_iter()
        .map(|[case, _, state]| format!("{case} {state}"))
        .collect();
    open.sort();
    assert_eq!(open, ["case-1 open", "case-2 open", "case-3 open"]);
    // Objects of attempts that lost may have come after the winner had held what it saw.
    let _again = order(&bench, "place", "case-1", &[]);
    assert_eq!(held(&bucket).1, 0);
    let report = bench
        .call(&["verify", "--store", "--output", "json"])
        .exits(0)
        .json();
    assert_eq!(report["verdict"], "sound");
}
