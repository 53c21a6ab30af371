//! What goes wrong outside the program: each is a message that names the input, a hint, and the documented exit code.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{fs, sync::Arc};

use revtrail_archive::{Archive, FsArchive};
use revtrail_e2e::{Bench, FOLDER, Inside, Outcome, Place, round_end, rounds};
use revtrail_model::time::parse;
use revtrail_simulator::{Options, Provider};
use rstest::rstest;

fn bench(provider: Provider) -> Bench {
    let bench = Bench::new(
        rounds("Handbook", 1, 2),
        Options::default(),
        &[Place {
            name: "handbook",
            provider,
            path: FOLDER,
        }],
    );
    bench.advance(round_end(0));
    bench
}

fn reconfigure(bench: &Bench, old: &str, new: &str) {
    let text = bench.config();
    assert!(text.contains(old), "{old}: {text}");
    bench.write("revtrail.toml", &text.replace(old, new));
}

/// Exit code, words on standard error, and a hint.
#[track_caller]
fn says(outcome: Outcome, code: i32, words: &[&str]) {
    let outcome = outcome.exits(code);
    for word in words {
        assert!(
            outcome.stderr.contains(word),
            "{word:?} is not in\n{}",
            outcome.stderr
        );
    }
    assert!(has_hint(&outcome), "no hint in\n{}", outcome.stderr);
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
}

/// A line for people, or a member of a log line: off a terminal the log is JSON.
fn has_hint(outcome: &Outcome) -> bool {
    outcome.stderr.contains("hint: ") || outcome.stderr.contains("\"hint\":\"")
}

#[test]
fn bad_values_are_listed_all_at_once_with_their_keys() {
    let bench = bench(Provider::Dropbox);
    reconfigure(
        &bench,
        "url = \"file:///",
        "lock = { mode = \"compliance\" }\nurl = \"file:///",
    );
    reconfigure(&bench, "schedule = \"0 0 * * *\"", "schedule = \"61 0 * * *\"");
    reconfigure(&bench, "retention = \"7y\"", "retention = \"seven years\"");
    reconfigure(
        &bench,
        "origin = \"evidence.example/main\"",
        "origin = \"evidence example\"",
    );
    reconfigure(&bench, "name = \"handbook\"", "name = \"Hand book\"");
    reconfigure(&bench, "account = \"dropbox\"", "account = \"nobody\"");
    reconfigure(&bench, "path = \"/Handbook\"", "path = \"Handbook\"");
    let keys = [
        "revtrail.toml",
        "archive.lock: ",
        "ledgers.main.schedule: ",
        "ledgers.main.retention: ",
        "ledgers.main.origin: ",
        "ledgers.main.folders[0].name: ",
        "ledgers.main.folders[0].account: ",
        "ledgers.main.folders[0].path: ",
    ];
    for command in [&["config", "check"][..], &["harvest"], &["verify"], &["log"]] {
        says(bench.call(command), 2, &keys);
    }
}

#[rstest]
#[case::unknown_key("[signing]", "[signing]\ncolour = \"red\"", "colour")]
#[case::not_toml("[signing]", "[signing", "revtrail.toml")]
#[case::missing_retention("retention = \"7y\"\n", "", "retention")]
#[case::unknown_provider("provider = \"dropbox\"", "provider = \"box\"", "box")]
fn a_configuration_of_the_wrong_shape_is_refused(#[case] old: &str, #[case] new: &str, #[case] word: &str) {
    let bench = bench(Provider::Dropbox);
    reconfigure(&bench, old, new);
    says(bench.call(&["config", "check"]), 2, &["revtrail.toml", word]);
}

#[test]
fn a_missing_configuration_is_named() {
    let bench = bench(Provider::Dropbox);
    says(
        bench.call(&["harvest", "--config", "absent.toml"]),
        2,
        &["absent.toml", "No such file"],
    );
}

#[test]
fn wrong_arguments_are_a_usage_error() {
    let bench = bench(Provider::Dropbox);
    bench.init();
    let _refused = bench.call(&["harvest", "--frobnicate"]).exits(2);
    says(
        bench.call(&["harvest", "--ledger", "absent"]),
        2,
        &["absent", "main"],
    );
    says(bench.call(&["verify", "--as-of", "yesterday"]), 2, &["yesterday"]);
}

#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn a_wrong_secret_is_refused_before_anything_is_read(#[case] provider: Provider) {
    let bench = bench(provider);
    bench.init();
    bench.write("secret", "not-the-client-secret");
    let outcome = bench.call(&["harvest"]);
    assert!(
        !outcome.stderr.contains("not-the-client-secret"),
        "the secret is shown: {outcome:?}"
    );
    says(outcome, 2, &[provider.word(), "credentials refused"]);
    bench.verify();
}

#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn a_missing_secret_file_is_named(#[case] provider: Provider) {
    let bench = bench(provider);
    bench.init();
    fs::remove_file(bench.dir().join("secret")).unwrap();
    let outcome = bench.call(&["harvest"]);
    says(outcome, 2, &["secret"]);
}

#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn an_unknown_folder_is_a_failed_window_and_is_named(#[case] provider: Provider) {
    let bench = bench(provider);
    bench.init();
    reconfigure(&bench, "path = \"/Handbook\"", "path = \"/Absent\"");
    let outcome = bench.call(&["harvest", "--output", "json"]).exits(2);
    let rows = outcome.json();
    assert_eq!(rows["folders"][0]["state"], "failed");
    assert_eq!(
        rows["folders"][0]["gaps"],
        serde_json::json!(["folder_unavailable"])
    );
    says(outcome, 2, &["handbook", "not found"]);
    bench.verify();
}

/// What can be read is read and committed.
#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn one_unknown_folder_does_not_keep_the_others_from_being_harvested(#[case] provider: Provider) {
    let places = [
        Place {
            name: "absent",
            provider,
            path: "/Absent",
        },
        Place {
            name: "handbook",
            provider,
            path: FOLDER,
        },
    ];
    let bench = Bench::new(rounds("Handbook", 1, 2), Options::default(), &places);
    bench.init();
    bench.advance(round_end(0));
    let outcome = bench.call(&["harvest", "--output", "json"]).exits(4);
    assert!(has_hint(&outcome), "{outcome:?}");
    let rows = outcome.json();
    assert_eq!(
        (&rows["folders"][0]["state"], &rows["folders"][1]["state"]),
        (&"failed".into(), &"complete".into())
    );
    assert_eq!(rows["folders"][1]["events"], bench.events().len());
    assert!(!bench.events().is_empty());
    bench.verify();
}

/// The wall clock is long past the next look that was due, so the days since are missed and the record is out of date.
#[test]
fn coverage_of_a_record_that_ended_is_incomplete() {
    let bench = bench(Provider::Dropbox);
    let inside = Inside::new(&bench);
    let directory = bench.dir().join("archive");
    fs::create_dir(&directory).unwrap();
    let store: Arc<dyn Archive> = Arc::new(FsArchive::open(&directory).unwrap());
    let at = |text: &str| parse(text).unwrap();
    inside
        .init(Arc::clone(&store), at("2026-01-05T00:00:00Z"))
        .unwrap();
    for now in ["2026-01-06T00:00:00Z", "2026-01-08T00:00:00Z"] {
        bench.advance(at(now));
        let _summary = inside.harvest(Arc::clone(&store), at(now)).unwrap();
    }
    let ask = |since: &str, until: &str| {
        bench.call(&["coverage", "--since", since, "--until", until, "--output", "json"])
    };
    let late = ask("2026-01-06", "2026-01-09").exits(6).json();
    let states: Vec<_> = late["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| &day["state"])
        .collect();
    assert_eq!(states, ["complete", "complete", "missed", "missed"], "{late}");
    let _covered = ask("2026-01-06", "2026-01-06").exits(6);
}

#[test]
fn a_ledger_without_a_log_is_not_harvested() {
    let bench = bench(Provider::Dropbox);
    fs::create_dir(bench.dir().join("archive")).unwrap();
    says(
        bench.call(&["harvest"]),
        2,
        &["ledger main has no log", "revtrail init --ledger main"],
    );
    assert_eq!(fs::read_dir(bench.dir().join("archive")).unwrap().count(), 0);
}

#[test]
fn a_log_is_made_once() {
    let bench = bench(Provider::Dropbox);
    bench.init();
    says(
        bench.call(&["init", "--ledger", "main"]),
        2,
        &["ledger main has a log"],
    );
    bench.verify();
}

/// A missing directory may be a volume that is not mounted: nothing may be written in its place.
#[test]
fn an_archive_that_is_not_there_is_named() {
    let bench = bench(Provider::Dropbox);
    bench.init();
    fs::rename(bench.dir().join("archive"), bench.dir().join("moved")).unwrap();
    for command in [
        &["harvest"][..],
        &["verify"],
        &["log"],
        &["export", "--format", "jsonl"],
    ] {
        says(bench.call(command), 2, &["/archive"]);
    }
    assert!(!bench.dir().join("archive").exists());
}

#[test]
fn an_archive_that_is_no_directory_is_named() {
    let bench = bench(Provider::Dropbox);
    bench.write("archive", "a file");
    says(bench.call(&["harvest"]), 2, &["/archive", "not a directory"]);
}

#[test]
fn an_unreachable_store_may_be_tried_again() {
    let bench = bench(Provider::Dropbox);
    let local = format!("url = \"file://{}/archive\"", bench.dir().display());
    let s3 = "url = \"s3://acme-evidence\"\nlock = { mode = \"governance\" }\nregion = \"us-east-1\"\n\
              endpoint_url = \"http://127.0.0.1:9\"";
    reconfigure(&bench, &local, s3);
    let mut command = revtrail_e2e::revtrail(bench.dir());
    command
        .args(["harvest"])
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    says(
        command.output().unwrap().into(),
        1,
        &["acme-evidence", "unreachable"],
    );
}

/// Below /proc nobody can create a file, the super-user of a container included.
#[test]
fn a_read_only_archive_is_said_to_be_read_only() {
    let bench = bench(Provider::Dropbox);
    let local = format!("url = \"file://{}/archive\"", bench.dir().display());
    reconfigure(&bench, &local, "url = \"file:///proc/self/fdinfo\"");
    let outcome = bench.call(&["init", "--ledger", "main"]);
    assert!([Some(1), Some(2)].contains(&outcome.code), "{outcome:?}");
    assert!(
        outcome.stderr.contains("/proc/self/fdinfo") || outcome.stderr.contains("main/"),
        "{outcome:?}"
    );
    assert!(outcome.stderr.contains("hint: "), "{outcome:?}");
}

#[test]
fn a_missing_signing_key_is_named() {
    let bench = bench(Provider::Dropbox);
    bench.init();
    fs::remove_file(bench.dir().join("key.pem")).unwrap();
    for command in ["harvest", "verify"] {
        says(bench.call(&[command]), 7, &["key.pem", "revtrail key generate"]);
    }
}

#[test]
fn a_signing_key_that_is_none_is_named() {
    let bench = bench(Provider::Dropbox);
    bench.init();
    bench.write(
        "key.pem",
        "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n",
    );
    says(bench.call(&["harvest"]), 2, &["key.pem"]);
}

/// Harvesting with another key than the one that signed the log stops before anything is written.
#[test]
fn another_signing_key_is_refused() {
    let bench = bench(Provider::Dropbox);
    bench.init();
    let _made = bench.call(&["key", "generate", "other.pem"]).exits(0);
    reconfigure(&bench, "key_file = \"key.pem\"", "key_file = \"other.pem\"");
    says(bench.call(&["harvest"]), 3, &["checkpoints/00000000000000000000"]);
}
