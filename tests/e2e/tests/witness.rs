//! A witness beside the operator: what it cosigns, what it refuses, and what its cosignatures are good for.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{fs, path::Path, process::Command};

use revtrail_e2e::{Bench, FOLDER, Outcome, Place, round_end, rounds};
use revtrail_ledger::Note;
use revtrail_simulator::{Options, Provider};
use serde_json::Value;

const NAME: &str = "witness.example/w0";

struct Scene {
    bench: Bench,
    /// Verifier key of the witness.
    witness: String,
    round: std::cell::Cell<i64>,
}

impl Scene {
    /// A log with one harvest, and a witness that has seen nothing.
    fn new() -> Self {
        let place = Place {
            name: "handbook",
            provider: Provider::OneDrive,
            path: FOLDER,
        };
        let bench = Bench::new(rounds("Handbook", 4, 4), Options::default(), &[place]);
        bench.init();
        let made = bench
            .call(&["key", "generate", "--witness", NAME, "witness.pem"])
            .exits(0);
        fs::create_dir(bench.dir().join("seen")).unwrap();
        let scene = Self {
            witness: made.stdout.trim().to_owned(),
            bench,
            round: std::cell::Cell::new(0),
        };
        scene.harvest();
        scene
    }

    /// One more round of edits, harvested.
    fn harvest(&self) {
        self.bench.advance(round_end(self.round.get()));
        self.round.set(self.round.get() + 1);
        let _done = self.bench.call(&["harvest"]).exits(0);
    }

    fn witness(&self, more: &[&str]) -> Outcome {
        let mut args = vec![
            "witness",
            "--name",
            NAME,
            "--key",
            "witness.pem",
            "--state",
            "seen",
        ];
        args.extend(more);
        self.bench.call(&args)
    }

    fn copy(&self, from: &str, to: &str) {
        let _gone = fs::remove_dir_all(self.bench.dir().join(to));
        let copied = Command::new("cp")
            .args(["-a", from, to])
            .current_dir(self.bench.dir())
            .status()
            .unwrap();
        assert!(copied.success());
    }

    fn year(&self) -> String {
        let keys = self
            .bench
            .call(&["key", "show", "--output", "json"])
            .exits(0)
            .json();
        let origin = keys["keys"][0]["origin"].as_str().unwrap().to_owned();
        origin.rsplit_once('/').unwrap().1.to_owned()
    }

    fn checkpoint(&self, seq: u64) -> String {
        let key = format!("archive/main/{}/checkpoints/{seq:020}", self.year());
        fs::read_to_string(self.bench.dir().join(key)).unwrap()
    }

    /// What the witness keeps of the log.
    fn kept(&self, name: &str) -> std::path::PathBuf {
        let places = fs::read_dir(self.bench.dir().join("seen")).unwrap();
        let places: Vec<_> = places
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .collect();
        assert_eq!(places.len(), 1);
        places[0].join(name)
    }

    fn conflicts(&self) -> Vec<String> {
        let dir = self.kept("conflicts");
        let mut found: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
        found.sort();
        found
    }

    fn policy(&self, file: &str, cosigners: &str) {
        let keys = self
            .bench
            .call(&["key", "show", "--output", "json"])
            .exits(0)
            .json();
        let text = |name: &str| keys["keys"][0][name].as_str().unwrap().to_owned();
        let policy = format!(
            "[[logs]]\norigin = \"{}\"\nkey = \"{}\"\n{cosigners}",
            text("origin"),
            text("verifier_key")
        );
        self.bench.write(file, &policy);
    }
}

fn sorted<const N: usize>(mut notes: [String; N]) -> Vec<String> {
    notes.sort();
    notes.into()
}

#[test]
fn cosigns_each_checkpoint_of_a_log_that_grows() {
    let scene = Scene::new();
    let first = scene.witness(&[]).exits(0);
    assert!(first.stderr.contains("taken on trust"), "{first:?}");
    assert!(first.stdout.starts_with(&scene.checkpoint(1)), "{first:?}");
    scene.harvest();
    scene.harvest();
    let second = scene.witness(&["--out", "cosigned.note"]).exits(0);
    assert_eq!(second.stdout, "");
    assert!(!second.stderr.contains("taken on trust"), "{second:?}");
    let note = fs::read_to_string(scene.bench.dir().join("cosigned.note")).unwrap();
    assert!(note.starts_with(&scene.checkpoint(3)));
    let again = scene.witness(&["--output", "json"]).exits(0).json();
    assert_eq!(
        again["checkpoints"][0]["note"], note,
        "nothing new, the same note"
    );
    assert_eq!(again["checkpoints"][0]["first_seen"], false);
    let witness = [scene.witness.parse().unwrap()];
    let read = Note::parse(note.as_bytes()).unwrap();
    assert_eq!(read.verify(&witness, &[]).unwrap().len(), 1);
}

#[test]
fn a_fork_is_refused_and_both_checkpoints_are_kept() {
    let scene = Scene::new();
    scene.copy("archive", "fork");
    scene.harvest();
    let cosigned = scene.witness(&[]).exits(0).stdout;
    let seen = scene.checkpoint(2);
    scene.copy("archive", "true");
    scene.copy("fork", "archive");
    // The same edits, harvested again: the same size or not, the salts differ, so the root does.
    let _other = scene.bench.call(&["harvest"]).exits(0);
    let shown = scene.checkpoint(2);
    let refused = scene.witness(&["--out", "none"]).exits(3);
    assert!(refused.stderr.contains("fork: "), "{refused:?}");
    for note in [&seen, &shown] {
        let mut lines = note.lines().skip(1);
        let (size, root) = (lines.next().unwrap(), lines.next().unwrap());
        let root = revtrail_ledger::Hash::from_base64(root).unwrap();
        let words = format!("size {size} root {root}");
        assert!(refused.stderr.contains(&words), "{words} is not in {refused:?}");
    }
    assert_eq!(scene.conflicts(), sorted([seen, shown]));
    assert!(!scene.bench.dir().join("none").exists());
    // A fork that has grown since is refused, too.
    scene.harvest();
    let grown = scene.witness(&[]).exits(3);
    assert!(grown.stderr.contains("fork: "), "{grown:?}");
    assert_eq!(scene.conflicts().len(), 3);
    // The true log is what it was.
    scene.copy("true", "archive");
    assert_eq!(scene.witness(&[]).exits(0).stdout, cosigned);
}

#[test]
fn a_rollback_and_a_vanished_log_are_refused() {
    let scene = Scene::new();
    scene.copy("archive", "old");
    scene.harvest();
    let _seen = scene.witness(&[]).exits(0);
    let seen = scene.checkpoint(2);
    scene.copy("old", "archive");
    let refused = scene.witness(&[]).exits(3);
    assert_eq!(refused.stdout, "");
    assert!(
        refused.stderr.contains("rollback: the log was larger before"),
        "{refused:?}"
    );
    assert_eq!(scene.conflicts(), sorted([seen, scene.checkpoint(1)]));
    // The same archive under another year: the log seen before is gone.
    let main = scene.bench.dir().join("archive/main");
    fs::remove_dir_all(&main).unwrap();
    scene.bench.init();
    let fresh = scene.witness(&[]).exits(3);
    assert!(fresh.stderr.contains("rollback: "), "{fresh:?}");
    let config = scene
        .bench
        .config()
        .replace("evidence.example/main\"", "evidence.example/other\"");
    scene.bench.write("revtrail.toml", &config);
    fs::remove_dir_all(&main).unwrap();
    scene.bench.init();
    let other = scene.witness(&[]).exits(0);
    assert!(
        other.stdout.starts_with("evidence.example/other/"),
        "another ledger: {other:?}"
    );
}

#[test]
fn a_crash_between_memory_and_cosignature_is_made_good() {
    let scene = Scene::new();
    let _first = scene.witness(&[]).exits(0);
    scene.harvest();
    // What a crash leaves: the new checkpoint is remembered, the cosigned one is still the old one, and a half-written file stands beside.
    let note = scene.checkpoint(2);
    fs::write(scene.kept("checkpoint"), &note).unwrap();
    fs::write(scene.kept("cosigned.new"), &note.as_bytes()[..20]).unwrap();
    let made = scene.witness(&[]).exits(0);
    assert!(made.stdout.starts_with(&note), "{made:?}");
    assert_eq!(fs::read_to_string(scene.kept("cosigned")).unwrap(), made.stdout);
    // And when the memory cannot be written, nothing is cosigned.
    scene.harvest();
    fs::create_dir(scene.kept("checkpoint.new")).unwrap();
    let failed = scene.witness(&[]).exits(1);
    assert_eq!(failed.stdout, "");
    assert_eq!(fs::read_to_string(scene.kept("checkpoint")).unwrap(), note);
    assert_eq!(fs::read_to_string(scene.kept("cosigned")).unwrap(), made.stdout);
}

#[test]
fn a_policy_with_a_quorum_accepts_what_a_witness_saw() {
    let scene = Scene::new();
    scene.policy(
        "quorum.toml",
        &format!("[cosigners]\nquorum = 1\nkeys = [\"{}\"]\n", scene.witness),
    );
    let check = |file: &str| {
        let args = [
            "prove",
            "--check",
            file,
            "--policy",
            "quorum.toml",
            "--output",
            "json",
        ];
        scene.bench.call(&args)
    };
    let _cosigned = scene.witness(&["--out", "one.note"]).exits(0);
    let _plain = scene.bench.call(&["prove", "1", "--out", "plain"]).exits(0);
    let _refused = check("plain").exits(6);
    // The archive has grown since: the proof is made in the tree that was cosigned.
    scene.harvest();
    let made = ["prove", "1", "--cosigned", "one.note", "--out", "leaf"];
    let _made = scene.bench.call(&made).exits(0);
    let judged = check("leaf").exits(0).json();
    assert_eq!(judged["verdict"], "proven");
    let sentences = judged["proven"].to_string();
    assert!(sentences.contains(NAME), "{sentences}");
    // Growth between two cosigned checkpoints.
    let _cosigned = scene.witness(&["--out", "two.note"]).exits(0);
    let size = |seq| scene.checkpoint(seq).lines().nth(1).unwrap().to_owned();
    let (old, new) = (size(1), size(2));
    let growth = ["prove", "--consistency", &old, &new, "--out", "growth"];
    let cosigned = ["--cosigned", "one.note", "--cosigned", "two.note"];
    let _made = scene.bench.call(&[&growth[..], &cosigned].concat()).exits(0);
    assert_eq!(check("growth").exits(0).json()["verdict"], "proven");
    let both = [&["prove", "1"][..], &cosigned].concat();
    let different = scene.bench.call(&both).exits(2);
    assert!(
        different.stderr.contains("different checkpoints"),
        "{different:?}"
    );
}

#[test]
fn a_cosigned_copy_of_another_history_is_a_contradiction() {
    let scene = Scene::new();
    scene.copy("archive", "fork");
    scene.harvest();
    let _cosigned = scene.witness(&["--out", "true.note"]).exits(0);
    scene.copy("fork", "archive");
    let _other = scene.bench.call(&["harvest"]).exits(0);
    let refused = scene.bench.call(&["prove", "1", "--cosigned", "true.note"]);
    // Usually the sizes agree and the roots do not; if the sizes differ, there is no such checkpoint at all.
    assert!(matches!(refused.code, Some(2 | 3)), "{refused:?}");
    assert_eq!(refused.stdout, "");
    let malformed = scene
        .bench
        .call(&["prove", "1", "--cosigned", "revtrail.toml"])
        .exits(2);
    assert!(
        malformed.stderr.contains("is not a cosigned checkpoint"),
        "{malformed:?}"
    );
}

#[test]
fn a_witness_says_what_it_lacks() {
    let scene = Scene::new();
    let wrong = |state: &str, name: &str, key: &str| {
        let args = ["witness", "--name", name, "--key", key, "--state", state];
        scene.bench.call(&args)
    };
    let no_state = wrong("nowhere", NAME, "witness.pem").exits(2);
    assert!(
        no_state.stderr.contains("make it once with mkdir"),
        "{no_state:?}"
    );
    assert!(!scene.bench.dir().join("nowhere").exists());
    let no_name = wrong("seen", "two words", "witness.pem").exits(2);
    assert!(no_name.stderr.contains("not a key name"), "{no_name:?}");
    let _no_key = wrong("seen", NAME, "none.pem").exits(7);
    let spoken = scene
        .bench
        .call(&["key", "generate", "--witness", "two words", "other.pem"])
        .exits(2);
    assert!(
        !Path::new(&scene.bench.dir().join("other.pem")).exists(),
        "{spoken:?}"
    );
    assert!(
        scene.witness.starts_with(&format!("{NAME}+")),
        "{}",
        scene.witness
    );
    let json = scene.witness(&["--output", "json"]).exits(0).json();
    assert_eq!(json["checkpoints"].as_array().map(Vec::len), Some(1));
    assert_eq!(json["checkpoints"][0]["first_seen"], Value::Bool(true));
}
