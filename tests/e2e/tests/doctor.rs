//! `doctor`: every check, its hint and the exit code; and that it writes nothing.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{fs, path::Path};

use revtrail_e2e::{Bench, FOLDER, Outcome, Place, at, round_end, rounds};
use revtrail_simulator::{Edit, Fault, FaultPlan, GoogleRole, Keep, Options, Provider, Sharing, WorldSource};
use rstest::rstest;
use serde_json::{Value, json};

fn bench_with(provider: Provider, options: Options) -> Bench {
    let place = Place {
        name: "handbook",
        provider,
        path: FOLDER,
    };
    let bench = Bench::new(rounds("Handbook", 1, 3), options, &[place]);
    bench.advance(round_end(0));
    bench
}

fn bench(provider: Provider) -> Bench {
    bench_with(provider, Options::default())
}

fn reconfigure(bench: &Bench, old: &str, new: &str) {
    let text = bench.config();
    assert!(text.contains(old), "{old}: {text}");
    bench.write("revtrail.toml", &text.replace(old, new));
}

fn doctor(bench: &Bench, code: i32) -> Vec<Value> {
    let outcome = bench.call(&["doctor", "--output", "json"]).exits(code);
    checks(&outcome)
}

fn checks(outcome: &Outcome) -> Vec<Value> {
    let report = outcome.json();
    assert_eq!(report["version"], 1);
    assert_eq!(report["ok"], outcome.code == Some(0));
    report["checks"].as_array().unwrap().clone()
}

/// Names of the checks and how they ended, in order.
fn results(checks: &[Value]) -> Vec<String> {
    let text = |check: &Value, member: &str| check[member].as_str().unwrap().to_owned();
    checks
        .iter()
        .map(|check| format!("{}: {}", text(check, "check"), text(check, "result")))
        .collect()
}

/// The one failed check; it has a hint.
fn failed(checks: &[Value]) -> (String, String, String) {
    let failed: Vec<&Value> = checks.iter().filter(|check| check["result"] == "fail").collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    let text = |member: &str| failed[0][member].as_str().unwrap().to_owned();
    (text("check"), text("found"), text("hint"))
}

fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(format!(
                    "{} {}",
                    path.display(),
                    fs::metadata(&path).unwrap().len()
                ));
            }
        }
    }
    found.sort();
    found
}

#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn what_works_passes_and_nothing_is_written(#[case] provider: Provider) {
    let bench = bench(provider);
    bench.init();
    let before = files(bench.dir());
    let checks = doctor(&bench, 0);
    assert_eq!(
        results(&checks),
        [
            "configuration: pass",
            "signing key: pass",
            // A directory keeps nobody from deleting, and the simulator lives at another time.
            "archive: warn",
            "log: pass",
            "retention: pass",
            "credentials: pass",
            "folder: pass",
            "feed: pass",
            "clock: warn",
            "contents: pass",
            "revisions: pass",
            "authors: pass",
        ]
    );
    for check in &checks {
        assert_eq!(check["hint"].is_string(), check["result"] != "pass", "{check}");
    }
    assert_eq!(files(bench.dir()), before);
    let operations = &bench.sim().counts()[&provider];
    assert!(!operations.contains_key("other"), "{operations:?}");
}

#[test]
fn a_table_is_for_people() {
    let bench = bench(Provider::Dropbox);
    bench.init();
    let outcome = bench.call(&["doctor"]).exits(0);
    for word in ["CHECK", "credentials", "main/handbook", "pass", "warn"] {
        assert!(outcome.stdout.contains(word), "{word}: {}", outcome.stdout);
    }
}

#[test]
fn a_ledger_without_a_log_is_told() {
    let bench = bench(Provider::OneDrive);
    fs::create_dir(bench.dir().join("archive")).unwrap();
    let checks = doctor(&bench, 0);
    let log = checks.iter().find(|check| check["check"] == "log").unwrap();
    assert_eq!(log["result"], "warn");
    assert_eq!(log["hint"], "run `revtrail init --ledger main` once");
    assert!(files(&bench.dir().join("archive")).is_empty());
}

#[rstest]
#[case::configuration("retention = \"7y\"", "retention = \"long\"", "configuration", 2)]
#[case::key("key_file = \"key.pem\"", "key_file = \"absent.pem\"", "signing key", 7)]
#[case::archive("/archive\"", "/absent\"", "archive", 2)]
#[case::credentials(
    "client_secret_file = \"secret\"",
    "client_secret_file = \"revtrail.toml\"",
    "credentials",
    2
)]
#[case::folder("path = \"/Handbook\"", "path = \"/Absent\"", "folder", 2)]
fn what_is_wrong_is_named_with_a_hint(
    #[case] old: &str,
    #[case] new: &str,
    #[case] check: &str,
    #[case] code: i32,
) {
    let bench = bench(Provider::OneDrive);
    bench.init();
    reconfigure(&bench, old, new);
    let (name, found, hint) = failed(&doctor(&bench, code));
    assert_eq!(name, check);
    assert!(!found.is_empty() && !hint.is_empty(), "{found:?} {hint:?}");
}

/// One thing that is wrong does not keep the rest from being looked at.
#[test]
fn other_folders_are_looked_at_all_the_same() {
    let places = [(Provider::OneDrive, "/Absent"), (Provider::Dropbox, FOLDER)];
    let places = places.map(|(provider, path)| Place {
        name: provider.word(),
        provider,
        path,
    });
    let names = ["first", "second"];
    let places: Vec<Place<'_>> = places
        .into_iter()
        .zip(names)
        .map(|(place, name)| Place { name, ..place })
        .collect();
    let bench = Bench::new(rounds("Handbook", 1, 3), Options::default(), &places);
    bench.advance(round_end(0));
    bench.init();
    let checks = doctor(&bench, 2);
    assert_eq!(failed(&checks).0, "folder");
    let second: Vec<&str> = checks
        .iter()
        .filter(|check| check["about"] == "main/second")
        .map(|check| check["result"].as_str().unwrap())
        .collect();
    assert_eq!(second, ["pass"; 6]);
}

#[test]
fn a_reader_who_may_not_list_revisions_is_told_what_to_grant() {
    let options = Options {
        google_role: GoogleRole::Viewer,
        ..Options::default()
    };
    let bench = bench_with(Provider::GoogleDrive, options);
    bench.init();
    let (name, _, hint) = failed(&doctor(&bench, 2));
    assert_eq!(name, "revisions");
    assert!(hint.contains("editor"), "{hint}");
}

#[rstest]
#[case::onedrive(Provider::OneDrive, "delta", "feed", "Sites.Selected")]
fn a_missing_right_is_told_in_the_words_of_the_guide(
    #[case] provider: Provider,
    #[case] operation: &str,
    #[case] check: &str,
    #[case] word: &str,
) {
    let bench = bench(provider);
    bench.init();
    bench
        .sim()
        .plan_faults(vec![FaultPlan::once(Fault::AccessLost).on(operation)]);
    let (name, _, hint) = failed(&doctor(&bench, 2));
    assert_eq!(name, check);
    assert!(hint.contains(word), "{hint}");
}

#[test]
fn folders_that_name_no_authors_are_a_warning() {
    let options = Options {
        sharing: Sharing::Private,
        ..Options::default()
    };
    let bench = bench_with(Provider::Dropbox, options);
    bench.init();
    let checks = doctor(&bench, 0);
    let authors = checks.iter().find(|check| check["check"] == "authors").unwrap();
    assert_eq!(authors["result"], "warn");
    assert!(authors["hint"].as_str().unwrap().contains("private"), "{authors}");
}

/// What may pass by itself is worth another try.
#[test]
fn a_service_that_is_down_gives_the_code_for_another_try() {
    let bench = bench(Provider::Dropbox);
    bench.init();
    let down = FaultPlan {
        times: u64::MAX,
        ..FaultPlan::once(Fault::Unavailable503 { retry_after: None })
    };
    bench.sim().plan_faults(vec![down]);
    let (name, _, hint) = failed(&doctor(&bench, 1));
    assert_eq!(name, "credentials");
    assert!(hint.contains("status page"), "{hint}");
}

const HOUR_MS: i64 = 3_600_000;

/// One file that is saved every hour, of which the provider keeps as many revisions as told.
fn busy(provider: Provider, newest: usize) -> Bench {
    let path = "Handbook/busy.txt";
    let saves = (1..40).map(|hour| Edit::modified(at(hour * 3600), path, 100 + hour.unsigned_abs()));
    let edits = std::iter::once(Edit::created(at(0), path, 100)).chain(saves);
    let options = Options {
        keep: Keep {
            newest: Some(newest),
            ..Keep::default()
        },
        ..Options::default()
    };
    let place = Place {
        name: "handbook",
        provider,
        path: FOLDER,
    };
    let bench = Bench::new(WorldSource::from_edits(edits.collect()), options, &[place]);
    bench.advance(at(60));
    bench.init();
    bench
}

/// Harvests at the half of an hour; gives what the harvest warned of.
fn harvest_at(bench: &Bench, hour: i64) -> Value {
    bench.advance(at(hour * 3600 + 1800));
    bench.call(&["harvest", "--output", "json"]).exits(0).json()["folders"][0]["retention"].clone()
}

fn retention(bench: &Bench) -> Value {
    let checks = doctor(bench, 0);
    checks
        .into_iter()
        .find(|check| check["check"] == "retention")
        .unwrap()
}

/// What the harvest measured is shown until something nearer is, and judged by the harvest's rule.
#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn a_provider_that_keeps_too_little_is_a_warning(#[case] provider: Provider) {
    let bench = busy(provider, 4);
    reconfigure(&bench, "\"0 0 * * *\"", "\"0 * * * *\"");
    let nothing = retention(&bench);
    assert_eq!(nothing["result"], "pass");
    assert_eq!(
        nothing["measured"],
        json!({ "interval_ms": HOUR_MS, "windows": 0 })
    );
    assert!(
        nothing["found"]
            .as_str()
            .unwrap()
            .starts_with("nothing was measured yet"),
        "{nothing}"
    );
    assert_eq!(harvest_at(&bench, 2), Value::Null);
    // Four revisions, an hour each, the newest half an hour old; two hours between the looks.
    let near = json!({ "interval_ms": 2 * HOUR_MS, "kept_ms": 7 * HOUR_MS / 2, "most": 4 });
    assert_eq!(harvest_at(&bench, 4), near);
    // A look without changes measures nothing.
    assert_eq!(
        bench.call(&["harvest", "--output", "json"]).exits(0).json()["folders"][0]["retention"],
        Value::Null
    );
    let check = retention(&bench);
    assert_eq!(check["about"], "main/handbook");
    assert_eq!(check["result"], "warn");
    assert_eq!(
        check["measured"],
        json!({ "interval_ms": 2 * HOUR_MS, "kept_ms": 7 * HOUR_MS / 2, "most": 4, "windows": 3 })
    );
    let found = "some file's revisions are kept for 3 h 30 min, 4 of them at most, and 2 h lie between two harvests (3 windows)";
    assert_eq!(check["found"], found);
    assert!(
        check["hint"].as_str().unwrap().starts_with("harvest more often"),
        "{check}"
    );
    let table = bench.call(&["doctor"]).exits(0);
    assert!(
        table.stdout.contains(found) && !table.stdout.contains("kept_ms"),
        "{}",
        table.stdout
    );
}

#[test]
fn a_provider_that_keeps_enough_is_shown_as_well() {
    let bench = busy(Provider::OneDrive, 24);
    reconfigure(&bench, "\"0 0 * * *\"", "\"0 * * * *\"");
    harvest_at(&bench, 30);
    assert_eq!(harvest_at(&bench, 31), Value::Null);
    let check = retention(&bench);
    assert_eq!(check["result"], "pass");
    assert_eq!(
        check["measured"],
        json!({ "interval_ms": HOUR_MS, "kept_ms": 47 * HOUR_MS / 2, "most": 24, "windows": 2 })
    );
}

/// No answer is given from a record that contradicts itself.
#[test]
fn a_record_that_was_changed_is_told() {
    let bench = busy(Provider::OneDrive, 4);
    harvest_at(&bench, 6);
    let segments = bench.dir().join("archive/main/2026/segments");
    let mut keys: Vec<_> = fs::read_dir(segments)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    keys.sort();
    fs::write(keys.last().unwrap(), b"other bytes").unwrap();
    let (name, found, hint) = failed(&doctor(&bench, 3));
    assert_eq!(name, "retention");
    assert!(found.contains("does not have the digest"), "{found}");
    assert!(hint.contains("revtrail verify"), "{hint}");
}
