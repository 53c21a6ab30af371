//! A new key takes over at the turn of the year, and verifiers who take their keys from a policy of their own.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use revtrail_archive::{Archive, FsArchive};
use revtrail_e2e::{Bench, FOLDER, Inside, Outcome, Place, round_end, rounds};
use revtrail_harvest::HarvestError;
use revtrail_ledger::{CosignatureTime, FileSigner, Note, PublicKey};
use revtrail_model::time::Timestamp;
use revtrail_simulator::{Options, Provider};
use serde_json::Value;

const OLD: &str = "2026-12-31T20:00:00Z";
const NEW: &str = "2027-01-01T02:00:00Z";
const LATER: &str = "2027-01-01T20:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

struct Scene {
    bench: Bench,
}

impl Scene {
    /// A log of 2026 with one harvest, and a second key that nobody knows of yet.
    fn new() -> Self {
        let place = Place {
            name: "handbook",
            provider: Provider::Dropbox,
            path: FOLDER,
        };
        let bench = Bench::new(rounds("Handbook", 1, 4), Options::default(), &[place]);
        let _made = bench.call(&["key", "generate", "next.pem"]).exits(0);
        fs::create_dir(bench.dir().join("archive")).unwrap();
        let scene = Self { bench };
        scene.bench.advance(round_end(0));
        let inside = Inside::new(&scene.bench);
        inside.init(scene.archive(), at(OLD)).unwrap();
        let _summary = inside.harvest(scene.archive(), at(OLD)).unwrap();
        scene
    }

    fn archive(&self) -> Arc<dyn Archive> {
        let dir = self.bench.dir().join("archive");
        Arc::new(FsArchive::open(&dir).unwrap())
    }

    /// Replaces the keys of the configuration.
    fn sign_with(&self, lines: &str) {
        let config = self.bench.config();
        let (before, rest) = config.split_once("[signing]\n").unwrap();
        let (_keys, after) = rest.split_once("[accounts.").unwrap();
        let text = format!("{before}[signing]\n{lines}\n[accounts.{after}");
        self.bench.write("revtrail.toml", &text);
    }

    fn harvest(&self, now: &str) -> Result<(), HarvestError> {
        Inside::new(&self.bench)
            .harvest(self.archive(), at(now))
            .map(drop)
    }

    fn verify(&self, more: &[&str]) -> Outcome {
        let mut args = vec!["verify", "--output", "json", "--as-of", LATER];
        args.extend(more);
        self.bench.call(&args)
    }

    fn key(&self, year: i16, file: &str) -> String {
        let pem = fs::read_to_string(self.bench.dir().join(file)).unwrap();
        let origin = format!("evidence.example/main/{year}");
        let name = origin.parse().unwrap();
        let key = PublicKey::from_pem(&pem).unwrap();
        revtrail_ledger::VerifierKey::new(name, revtrail_ledger::Algorithm::Ed25519, key).to_string()
    }

    fn log(&self, year: i16, file: &str, more: &str) -> String {
        let key = self.key(year, file);
        format!("[[logs]]\norigin = \"evidence.example/main/{year}\"\nkey = \"{key}\"\n{more}\n")
    }

    /// The newest checkpoint of a log.
    fn tip(&self, year: i16) -> Note {
        let dir = self.bench.dir().join(format!("archive/main/{year}/checkpoints"));
        let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        Note::parse(&fs::read(names.max().unwrap()).unwrap()).unwrap()
    }

    /// Writes a copy of a checkpoint that a witness cosigned at a moment, and gives the witness's key.
    fn cosigned(&self, file: &str, mut note: Note, moment: &str) -> String {
        let witness = FileSigner::generate([7; 32]).unwrap();
        let time = CosignatureTime::new(at(moment).as_second().try_into().unwrap()).unwrap();
        let key = note
            .cosign(&"w.example/1".parse().unwrap(), &witness, time)
            .unwrap();
        fs::write(self.bench.dir().join(file), note.to_bytes()).unwrap();
        key.to_string()
    }
}

const NEXT: &str = "key_file = \"key.pem\"\nnext_key_file = \"next.pem\"\nnext_from = 2027";
const TIDIED: &str =
    "key_file = \"next.pem\"\n[[signing.earlier]]\nuntil = 2026\npublic_key_file = \"key.pub.pem\"";

/// A record in which the key was rotated as announced.
fn rotated() -> Scene {
    let scene = Scene::new();
    scene.sign_with(NEXT);
    scene.harvest(OLD).unwrap();
    scene.harvest(NEW).unwrap();
    scene
}

fn whats(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| finding["what"].as_str().unwrap())
        .collect()
}

#[test]
fn the_next_key_takes_over_at_the_turn_of_the_year() {
    let scene = rotated();
    let report = scene.verify(&[]).exits(0).json();
    assert_eq!(
        (&report["verdict"], whats(&report)),
        (&Value::from("sound"), vec![])
    );
    let next = [scene.key(2027, "next.pub.pem").parse().unwrap()];
    assert_eq!(scene.tip(2027).verify(&next, &[]).unwrap().len(), 1);
    // The operator makes the new key the present one; the record goes on, and both years are judged.
    scene.sign_with(TIDIED);
    scene.harvest(LATER).unwrap();
    assert_eq!(scene.verify(&[]).exits(0).json()["verdict"], "sound");
    let events = scene.bench.events();
    assert!(!events.is_empty());
    // Without the old key, the old log cannot be judged: the archive does not say which key to believe.
    scene.sign_with("public_key_file = \"next.pub.pem\"");
    let report = scene.verify(&[]).exits(3).json();
    assert!(whats(&report)[0].contains("trusted key"), "{report}");
}

#[test]
fn a_key_that_was_not_announced_is_refused() {
    let scene = Scene::new();
    scene.sign_with(NEXT);
    // An operator who announces the old key in the close leaf and signs the next log with another one.
    let mut plan = Inside::new(&scene.bench).plan(scene.archive(), at(NEW));
    let (announced, honest) = (AtomicBool::new(false), Arc::clone(&plan.verifier));
    let old = scene
        .key(2027, "key.pub.pem")
        .parse::<revtrail_ledger::VerifierKey>()
        .unwrap();
    plan.verifier = Arc::new(move |origin| {
        if origin.ends_with("2027") && !announced.swap(true, Ordering::SeqCst) {
            return Ok(old.clone());
        }
        honest(origin)
    });
    let _summary = scene.bench.block_on(revtrail_harvest::run(&plan)).unwrap();
    let report = scene.verify(&[]).exits(3).json();
    assert_eq!(
        whats(&report),
        ["the key of this log is not the one that the close leaf of the log before announces"]
    );
    assert_eq!(report["findings"][0]["expected"], scene.key(2027, "key.pub.pem"));
    assert_eq!(report["findings"][0]["actual"], scene.key(2027, "next.pub.pem"));
}

#[test]
fn a_log_that_was_closed_for_one_key_is_not_opened_with_another() {
    let scene = Scene::new();
    scene.harvest(NEW).unwrap();
    // The run ended between closing the old log and opening the new one; then somebody changed the key.
    fs::remove_dir_all(scene.bench.dir().join("archive/main/2027")).unwrap();
    scene.sign_with(NEXT);
    let error = scene.harvest(NEW).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "log main/2027 is bound to the key {}, the configured key is {}",
            scene.key(2027, "key.pub.pem"),
            scene.key(2027, "next.pub.pem")
        )
    );
    assert!(error.hint().unwrap().contains("revtrail key rotate"));
    assert!(!scene.bench.dir().join("archive/main/2027").exists());
    // As it was announced, it goes on.
    scene.sign_with("key_file = \"key.pem\"");
    scene.harvest(NEW).unwrap();
    assert_eq!(scene.verify(&[]).exits(0).json()["verdict"], "sound");
}

#[test]
fn a_key_does_not_change_within_a_year() {
    let scene = Scene::new();
    for keys in ["key_file = \"next.pem\"", &NEXT.replace("2027", "2026")] {
        scene.sign_with(keys);
        let error = scene.harvest(OLD).unwrap_err();
        assert!(matches!(error, HarvestError::OtherKey { .. }), "{error}");
        assert!(
            error
                .hint()
                .unwrap()
                .starts_with("a log keeps its key for its whole year")
        );
    }
    let past = scene
        .bench
        .call(&["key", "rotate", "third.pem", "--from", "2025"])
        .exits(2);
    assert!(
        past.stderr.contains("a log keeps its key for its whole year"),
        "{past:?}"
    );
    assert!(!scene.bench.dir().join("third.pem").exists());
}

#[test]
fn rotating_makes_a_key_and_says_what_to_do() {
    let scene = Scene::new();
    let made = scene
        .bench
        .call(&["key", "rotate", "third.pem", "--from", "9000", "--output", "json"])
        .exits(0);
    assert!(made.stderr.contains("next_key_file = \"third.pem\""), "{made:?}");
    assert!(made.stderr.contains("next_from = 9000"), "{made:?}");
    let key = &made.json()["keys"][0];
    assert_eq!(key["origin"], "evidence.example/main/9000");
    assert_eq!(key["verifier_key"], scene.key(9000, "third.pub.pem"));
    scene.sign_with("key_file = \"key.pem\"\nnext_key_file = \"third.pem\"\nnext_from = 9000");
    let _valid = scene.bench.call(&["config", "check"]).exits(0);
    let again = scene
        .bench
        .call(&["key", "rotate", "fourth.pem", "--from", "9001"])
        .exits(2);
    assert!(
        again.stderr.contains("a next key is configured already"),
        "{again:?}"
    );
    scene.sign_with("key_file = \"key.pem\"\nnext_key_file = \"third.pem\"");
    let unset = scene.bench.call(&["config", "check"]).exits(2);
    assert!(unset.stderr.contains("signing.next_from"), "{unset:?}");
}

#[test]
fn a_policy_decides_which_keys_count() {
    let scene = rotated();
    // The operator's configuration has no say.
    scene.sign_with("public_key_file = \"absent.pem\"");
    let (old, new) = (
        scene.log(2026, "key.pub.pem", ""),
        scene.log(2027, "next.pub.pem", ""),
    );
    let wrong = scene.log(2027, "key.pub.pem", "");
    let judge = |policy: &str| {
        scene.bench.write("policy.toml", policy);
        scene.verify(&["--policy", "policy.toml"])
    };
    let report = judge(&format!("{old}{new}")).exits(0).json();
    assert_eq!(whats(&report), [""; 0]);
    // A key that the log before announces is as good as that log's own.
    let report = judge(&old).exits(0).json();
    assert!(whats(&report)[0].contains("the log before announces"), "{report}");
    let report = judge(&format!("{old}{wrong}")).exits(3).json();
    assert!(whats(&report)[0].contains("trusted key"), "{report}");
    let no_key = judge(&new).exits(7);
    assert!(
        no_key
            .stderr
            .contains("no trusted key for origin evidence.example/main/2026"),
        "{no_key:?}"
    );
    let broken = judge("logs = 1").exits(2);
    assert!(
        broken.stderr.contains("policy policy.toml cannot be used"),
        "{broken:?}"
    );
}

#[test]
fn an_expired_key_counts_only_for_what_was_seen_in_time() {
    let scene = rotated();
    let until = "valid_until = \"2027-01-01T12:00:00Z\"";
    let logs = format!(
        "{}{}",
        scene.log(2026, "key.pub.pem", until),
        scene.log(2027, "next.pub.pem", "")
    );
    let closing = scene.tip(2026);
    let witness = scene.cosigned("in-time", closing.clone(), "2027-01-01T03:00:00Z");
    let _same = scene.cosigned("too-late", closing, "2027-01-01T13:00:00Z");
    scene.bench.write("policy.toml", &logs);
    let alone = scene.verify(&["--policy", "policy.toml"]).exits(7);
    assert!(alone.stderr.contains("is trusted until"), "{alone:?}");
    scene.bench.write(
        "policy.toml",
        &format!("{logs}[cosigners]\nkeys = [\"{witness}\"]\n"),
    );
    let judge = |copy: &str| scene.verify(&["--policy", "policy.toml", "--cosigned", copy]);
    assert_eq!(judge("in-time").exits(0).json()["verdict"], "sound");
    let _late = judge("too-late").exits(7);
    // Before the key's end, nobody else is needed.
    let args = ["verify", "--policy", "policy.toml", "--as-of", NEW];
    let _early = scene.bench.call(&args).exits(0);
}

#[test]
fn a_quorum_and_foreign_copies_are_judged() {
    let scene = rotated();
    let logs = format!(
        "{}{}",
        scene.log(2026, "key.pub.pem", ""),
        scene.log(2027, "next.pub.pem", "")
    );
    let witness = scene.cosigned("old", scene.tip(2026), NEW);
    let _same = scene.cosigned("new", scene.tip(2027), NEW);
    scene.bench.write(
        "policy.toml",
        &format!("{logs}[cosigners]\nquorum = 1\nkeys = [\"{witness}\"]\n"),
    );
    let judge = |copies: &[&str]| {
        let mut args = vec!["--policy", "policy.toml"];
        for copy in copies {
            args.extend(["--cosigned", copy]);
        }
        scene.verify(&args)
    };
    assert_eq!(judge(&["old", "new"]).exits(0).json()["verdict"], "sound");
    let report = judge(&["old"]).exits(6).json();
    assert_eq!(report["findings"][0]["key"], "main/2027/");
    assert!(whats(&report)[0].contains("0 of the cosigners"), "{report}");
    // The log has grown beyond what was cosigned.
    scene.harvest(LATER).unwrap();
    let report = judge(&["old", "new"]).exits(6).json();
    assert!(whats(&report)[0].contains("the log is attested)"), "{report}");
    // A copy of what the archive does not hold any more, and of another history.
    let _seen = scene.cosigned("grown", scene.tip(2027), LATER);
    let dir = scene.bench.dir().join("archive/main/2027");
    let last = fs::read_dir(dir.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .max()
        .unwrap();
    fs::remove_file(last).unwrap();
    fs::remove_dir_all(dir.join("tile")).unwrap();
    let report = judge(&["old", "new", "grown"]).exits(6).json();
    assert!(
        whats(&report).contains(&"a cosigned copy is of a larger tree: the end of the log is missing"),
        "{report}"
    );
    scene.harvest(LATER).unwrap();
    let report = judge(&["old", "new", "grown"]).exits(3).json();
    assert!(
        whats(&report).contains(&"a cosigned copy of a checkpoint is not in the record: the log was forked"),
        "{report}"
    );
    let signature = fs::read_to_string(scene.bench.dir().join("old")).unwrap();
    let mut lines: Vec<String> = signature.lines().map(str::to_owned).collect();
    let last = lines.pop().unwrap();
    let (head, blob) = last.rsplit_once(' ').unwrap();
    let mut other = blob.to_owned();
    let letter = if blob.as_bytes()[40] == b'A' { "B" } else { "A" };
    other.replace_range(40..=40, letter);
    lines.push(format!("{head} {other}\n"));
    scene.bench.write("changed", &lines.join("\n"));
    let report = judge(&["changed"]).exits(3).json();
    assert!(
        whats(&report).contains(&"a cosigned copy of a checkpoint is not signed as it says"),
        "{report}"
    );
}
