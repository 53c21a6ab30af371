//! Programs that share no configuration, and one that shares no code, must judge the stored records as `revtrail verify` does. The records
//! that `damage` makes are compared there.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use revtrail_e2e::{
    Bench, FOLDER, Outcome, Place, revtrail, round_end, rounds,
    verifiers::{Case, auditor, differs, script, script_differs},
};
use revtrail_simulator::{Options, Provider};
use rstest::rstest;
use serde_json::{Value, json};

const ORIGIN: &str = "evidence.example/main";

fn fixtures() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/archives");
    path.canonicalize().unwrap()
}

/// The moment as of which `golden` judges a record.
fn as_of(name: &str) -> &'static str {
    match name {
        "end-missing" => "2027-01-03T12:00:00Z",
        _ => "2027-01-01T02:00:00Z",
    }
}

/// `revtrail verify` on a stored record.
fn main_program(name: &str) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    let config = format!(
        "[archive]\nurl = \"file://{0}/{name}/record\"\n[signing]\npublic_key_file = \"{0}/public-key.pem\"\n\
         [ledgers.main]\norigin = \"{ORIGIN}\"\nschedule = \"0 0 * * *\"\nretention = \"7y\"\n\
         [accounts.none]\nprovider = \"dropbox\"\nclient_id = \"none\"\nrefresh_token_file = \"none\"\n\
         [[ledgers.main.folders]]\nname = \"none\"\naccount = \"none\"\npath = \"/\"\n",
        fixtures().display()
    );
    fs::write(dir.path().join("revtrail.toml"), config).unwrap();
    let mut command = revtrail(dir.path());
    command.args(["verify", "--output", "json", "--as-of", as_of(name)]);
    command.output().unwrap().into()
}

#[rstest]
#[case::sound("sound", 0)]
#[case::event_edited("event-edited", 3)]
#[case::checkpoint_by_another_key("checkpoint-by-another-key", 3)]
#[case::checkpoint_size_edited("checkpoint-size-edited", 3)]
#[case::segment_missing("segment-missing", 3)]
#[case::sidecar_missing("sidecar-missing", 3)]
#[case::sidecar_disclosure_edited("sidecar-disclosure-edited", 3)]
#[case::raw_cut_off("raw-cut-off", 3)]
#[case::state_edited("state-edited", 3)]
#[case::end_missing("end-missing", 6)]
#[case::year_not_closed("year-not-closed", 3)]
#[case::attempt_left_over("attempt-left-over", 0)]
fn stored_records_are_judged_alike(#[case] name: &str, #[case] code: i32) {
    let main = main_program(name).exits(code);
    let case = Case {
        copy: &fixtures().join(name).join("record/main"),
        key: &fixtures().join("public-key.pem"),
        origin: ORIGIN,
        as_of: as_of(name),
    };
    assert_eq!(differs(&main, &auditor(case)), None);
    match script(case) {
        Some(outcome) => assert_eq!(script_differs(&main, &outcome), None),
        None => println!("docs/verify.py: skipped (no Python with zstd)"),
    }
}

fn auditors(args: &[&str]) -> Outcome {
    Command::new(revtrail_e2e::beside("revtrail-verify"))
        .args(args)
        .current_dir(fixtures())
        .output()
        .unwrap()
        .into()
}

/// The verifier key of a year of the stored records.
fn verifier_key(year: u16) -> String {
    use revtrail_ledger::{Algorithm, PublicKey, VerifierKey};
    let key = PublicKey::from_pem(&fs::read_to_string(fixtures().join("public-key.pem")).unwrap()).unwrap();
    let name = format!("{ORIGIN}/{year}").parse().unwrap();
    VerifierKey::new(name, Algorithm::Ed25519, key).to_string()
}

const NOW: &str = "2027-01-01T02:00:00Z";

#[test]
fn keys_come_in_three_forms() {
    let (one, other) = (verifier_key(2026), verifier_key(2027));
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let lines = write("keys", format!("# of the audit\n{one}\n{other}\n"));
    let policy = write(
        "policy.toml",
        format!(
            "[[logs]]\norigin = \"{ORIGIN}/2026\"\nkey = \"{one}\"\n[[logs]]\norigin = \"{ORIGIN}/2027\"\nkey = \"{other}\"\n"
        ),
    );
    for keys in [
        vec!["--key", &one, "--key", &other],
        vec!["--key-file", &lines],
        vec!["--key-file", "public-key.pem", "--origin", ORIGIN],
        vec!["--policy", &policy],
    ] {
        let args = [&["sound/record/main", "--as-of", NOW], keys.as_slice()].concat();
        let outcome = auditors(&args).exits(0);
        assert!(outcome.stdout.starts_with("no findings\n"), "{outcome:?}");
        assert!(outcome.stdout.contains("\nverdict: sound\n"), "{outcome:?}");
        assert_eq!(outcome.stderr, "");
    }
}

#[test]
fn a_log_without_a_trusted_key_is_not_judged() {
    let outcome = auditors(&["sound/record/main", "--key", &verifier_key(2027), "--as-of", NOW]).exits(7);
    assert!(
        outcome.stderr.contains("evidence.example/main/2026"),
        "{outcome:?}"
    );
    assert!(outcome.stderr.contains("hint: "), "{outcome:?}");
    let absent = auditors(&["sound/record/main", "--key-file", "absent", "--origin", ORIGIN]).exits(7);
    assert!(absent.stderr.contains("absent"), "{absent:?}");
}

#[test]
fn one_year_alone_is_incomplete() {
    let outcome = auditors(&[
        "sound/record/main/2027",
        "--key",
        &verifier_key(2027),
        "--as-of",
        NOW,
        "--output",
        "json",
    ])
    .exits(6);
    let findings = &outcome.json()["findings"];
    assert_eq!(findings.as_array().unwrap().len(), 1, "{findings}");
    assert_eq!(findings[0]["key"], "main/2027/");
    assert!(
        findings[0]["what"].as_str().unwrap().contains("does not hold it"),
        "{findings}"
    );
}

#[test]
fn another_name_of_the_directory_is_a_matter_of_the_call() {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy");
    copy_all(&fixtures().join("sound/record/main"), &copy);
    let copy = copy.to_str().unwrap();
    let keys = ["--key-file", "public-key.pem", "--origin", ORIGIN, "--as-of", NOW];
    let mistaken = auditors(&[&[copy], keys.as_slice()].concat()).exits(3);
    assert!(mistaken.stderr.contains("add --ledger"), "{mistaken:?}");
    let _sound = auditors(&[&[copy, "--ledger", "main"], keys.as_slice()].concat()).exits(0);
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn wrong_calls_say_what_to_do() {
    for (args, says) in [
        (vec!["sound/record/main"], "--key"),
        (
            vec!["sound/record/main", "--key-file", "public-key.pem"],
            "--origin",
        ),
        (vec!["sound/record/main", "--key", "x"], "hint: "),
        (vec!["proof", "absent"], "--policy"),
        (
            vec!["sound/record/main", "--key", "x", "--as-of", "yesterday"],
            "RFC 3339",
        ),
    ] {
        let outcome = auditors(&args).exits(2);
        assert!(outcome.stderr.contains(says), "{args:?}: {outcome:?}");
    }
    let absent = auditors(&["absent", "--key", &verifier_key(2026)]).exits(1);
    assert!(
        absent.stderr.contains("error: absent cannot be judged"),
        "{absent:?}"
    );
    let help = auditors(&["--help"]).exits(0);
    assert!(help.stdout.contains("Examples:"), "{help:?}");
}

/// What the policy file asks beyond keys holds for the newest checkpoint of each log.
#[test]
fn cosigners_and_ends_of_trust_are_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("policy.toml");
    let judge = |extra: &str, until: &str| {
        let log = |year| {
            let key = verifier_key(year);
            format!("[[logs]]\norigin = \"{ORIGIN}/{year}\"\nkey = \"{key}\"\n{until}\n")
        };
        fs::write(&policy, format!("{}{}{extra}", log(2026), log(2027))).unwrap();
        auditors(&[
            "sound/record/main",
            "--policy",
            policy.to_str().unwrap(),
            "--as-of",
            NOW,
            "--output",
            "json",
        ])
    };
    let witness = "[cosigners]\nquorum = 1\nkeys = [\"witness.example/w0+2bd58887+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU\"]\n";
    let report = judge(witness, "").exits(6).json();
    assert_eq!(report["findings"][0]["key"], json!("main/2026/"), "{report}");
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(2));
    let ended = judge("", "valid_until = \"2026-12-31T00:00:00Z\"").exits(7);
    assert!(ended.stderr.contains("trusted until"), "{ended:?}");
    let _trusted = judge("", "valid_until = \"2028-01-01T00:00:00Z\"").exits(0);
}

/// A log with a proof of one leaf (`leaf`), of its growth (`growth`), a forged one (`changed`) and a policy.
fn proofs() -> Bench {
    let place = Place {
        name: "handbook",
        provider: Provider::GoogleDrive,
        path: FOLDER,
    };
    let bench = Bench::new(rounds("Handbook", 2, 6), Options::default(), &[place]);
    bench.init();
    for round in 0..2 {
        bench.advance(round_end(round));
        let _harvested = bench.call(&["harvest"]).exits(0);
    }
    let keys = bench.call(&["key", "show", "--output", "json"]).exits(0).json();
    let key = keys["keys"][0]["verifier_key"].as_str().unwrap();
    let origin = key.split('+').next().unwrap();
    let year = origin.rsplit('/').next().unwrap();
    let size = |seq: u64| {
        let path = bench
            .dir()
            .join(format!("archive/main/{year}/checkpoints/{seq:020}"));
        fs::read_to_string(path)
            .unwrap()
            .lines()
            .nth(1)
            .unwrap()
            .to_owned()
    };
    bench.write(
        "trusted.toml",
        &format!("[[logs]]\norigin = \"{origin}\"\nkey = \"{key}\"\n"),
    );
    for args in [
        vec!["prove", "3", "--disclose", "path", "--out", "leaf"],
        vec!["prove", "--consistency", &size(1), &size(2), "--out", "growth"],
    ] {
        let _made = bench.call(&args).exits(0);
    }
    let changed = fs::read_to_string(bench.dir().join("leaf")).unwrap();
    bench.write("changed", &changed.replace("index 3", "index 4"));
    bench
}

/// `revtrail-verify proof` says what `revtrail prove --check` says.
#[test]
fn proofs_are_judged_alike() {
    let bench = proofs();
    for (file, code) in [("leaf", 0), ("growth", 0), ("changed", 3)] {
        let rest = [file, "--policy", "trusted.toml", "--output", "json"];
        let main = bench
            .call(&[["prove", "--check"].as_slice(), &rest].concat())
            .exits(code);
        let mut other = Command::new(revtrail_e2e::beside("revtrail-verify"));
        let other = other.current_dir(bench.dir()).arg("proof").args(rest);
        let other = Outcome::from(other.output().unwrap()).exits(code).json();
        let mut main = main.json();
        // The action in the form of `export`, which the auditor's program does not carry; its members are in `leaf` and `disclosed`.
        let action = main.as_object_mut().unwrap().remove("action");
        assert_eq!(action.is_some(), file == "leaf");
        assert_eq!(main, other, "{file}");
        if file == "leaf" {
            assert!(other["disclosed"]["path"]["path"].is_string(), "{other:#}");
            assert_eq!(other["disclosed"].get("actor"), None::<&Value>);
        }
    }
}
