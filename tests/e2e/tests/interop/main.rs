//! What the program signs and proves, judged by implementations that share no code with it.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use revtrail_e2e::{Bench, FOLDER, Place, round_end, rounds};
use revtrail_ledger::{Note, TlogProof, leaf_hash};
use revtrail_simulator::{Options, Provider};
use serde_json::Value;

/// Where Debian puts Go packages.
const GOPATH: &str = "/usr/share/gocode";

struct Log {
    bench: Bench,
    key: String,
    directory: PathBuf,
}

impl Log {
    fn new() -> Self {
        let place = Place {
            name: "handbook",
            provider: Provider::GoogleDrive,
            path: FOLDER,
        };
        let bench = Bench::new(rounds("Handbook", 3, 8), Options::default(), &[place]);
        bench.init();
        for round in 0..3 {
            bench.advance(round_end(round));
            let _harvested = bench.call(&["harvest"]).exits(0);
        }
        let keys = bench.call(&["key", "show", "--output", "json"]).exits(0).json();
        let key = keys["keys"][0]["verifier_key"].as_str().unwrap().to_owned();
        let main = bench.dir().join("archive/main");
        let directory = fs::read_dir(main).unwrap().next().unwrap().unwrap().path();
        Self {
            bench,
            key,
            directory,
        }
    }

    fn checkpoint(&self, seq: u64) -> PathBuf {
        self.directory.join(format!("checkpoints/{seq:020}"))
    }

    fn size(&self, seq: u64) -> String {
        let note = fs::read_to_string(self.checkpoint(seq)).unwrap();
        note.lines().nth(1).unwrap().to_owned()
    }

    fn proof(&self, index: u64) -> (TlogProof, String) {
        let made = self
            .bench
            .call(&["prove", &index.to_string(), "--quiet"])
            .exits(0);
        let proof = TlogProof::parse(made.stdout.as_bytes()).unwrap();
        let extra: Value = serde_json::from_slice(proof.extra.as_ref().unwrap()).unwrap();
        (proof, extra["leaf"].as_str().unwrap().to_owned())
    }
}

/// The Go program, built; nothing where Go or its packages are missing.
fn go(bench: &Bench) -> Option<PathBuf> {
    let package = Path::new(GOPATH).join("src/golang.org/x/mod/sumdb/tlog");
    let has_go = Command::new("go")
        .arg("version")
        .output()
        .is_ok_and(|out| out.status.success());
    if !has_go || !package.is_dir() {
        println!("skipped: no Go with golang.org/x/mod (tests/tools.sh installs it)");
        return None;
    }
    let program = bench.dir().join("check");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/check.go");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(source)
        .envs([
            ("GO111MODULE", "off"),
            ("GOPATH", GOPATH),
            ("GOPROXY", "off"),
            ("GOFLAGS", ""),
        ])
        .env("GOCACHE", bench.dir().join("gocache"))
        .output()
        .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    Some(program)
}

/// Runs a command with this input; true when it accepts.
fn accepts(command: &mut Command, input: &str) -> bool {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // A command that refuses early need not read its input.
    let _unread = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait().unwrap().success()
}

fn lines<'a>(hashes: impl IntoIterator<Item = &'a str>) -> String {
    hashes
        .into_iter()
        .map(|hash| format!("{hash}\n"))
        .collect::<Vec<_>>()
        .concat()
}

#[test]
fn go_accepts_our_checkpoints_and_refuses_changed_ones() {
    let log = Log::new();
    let Some(program) = go(&log.bench) else { return };
    let judge = |note: &Path| accepts(Command::new(&program).arg(&log.key).arg(note), "");
    for seq in 0..4 {
        assert!(judge(&log.checkpoint(seq)), "checkpoint {seq}");
    }
    let note = fs::read(log.checkpoint(3)).unwrap();
    let changed = log.bench.dir().join("changed");
    for place in (0..note.len()).step_by(7) {
        let mut bytes = note.clone();
        bytes[place] ^= 0x01;
        fs::write(&changed, bytes).unwrap();
        assert!(!judge(&changed), "byte {place}");
    }
}

#[test]
fn go_accepts_our_inclusion_proofs_and_refuses_changed_ones() {
    let log = Log::new();
    let Some(program) = go(&log.bench) else { return };
    let (note, leaf_file) = (log.bench.dir().join("note"), log.bench.dir().join("leaf"));
    let judge = |index: u64, leaf: &str, hashes: &[String]| {
        fs::write(&leaf_file, leaf).unwrap();
        let mut command = Command::new(&program);
        command
            .arg(&log.key)
            .arg(&note)
            .args(["inclusion", &index.to_string()])
            .arg(&leaf_file);
        accepts(&mut command, &lines(hashes.iter().map(String::as_str)))
    };
    for index in [0, 1, 2, 7, 20] {
        let (proof, leaf) = log.proof(index);
        fs::write(&note, proof.checkpoint.to_bytes()).unwrap();
        let hashes: Vec<String> = proof
            .hashes
            .iter()
            .map(revtrail_ledger::Hash::to_base64)
            .collect();
        assert!(judge(index, &leaf, &hashes), "leaf {index}");
        assert!(
            !judge(index + 1, &leaf, &hashes),
            "leaf {index} at the next place"
        );
        assert!(
            !judge(index, &format!("{leaf} "), &hashes),
            "another leaf {index}"
        );
        assert!(!judge(index, &leaf, &hashes[1..]), "leaf {index}, short proof");
        let mut other = hashes.clone();
        other[0] = leaf_hash(b"other").to_base64();
        assert!(!judge(index, &leaf, &other), "leaf {index}, other hash");
    }
}

#[test]
fn go_accepts_our_consistency_proofs_and_refuses_changed_ones() {
    let log = Log::new();
    let Some(program) = go(&log.bench) else { return };
    let judge = |old: u64, new: u64, hashes: &[&str]| {
        let mut command = Command::new(&program);
        command
            .arg(&log.key)
            .arg(log.checkpoint(new))
            .arg("consistency")
            .arg(log.checkpoint(old));
        accepts(&mut command, &lines(hashes.iter().copied()))
    };
    for (old, new) in [(0, 1), (0, 3), (1, 3), (2, 3)] {
        let sizes = (log.size(old), log.size(new));
        let made = log
            .bench
            .call(&["prove", "--consistency", &sizes.0, &sizes.1, "--output", "json"])
            .exits(0)
            .json();
        let file: Value = serde_json::from_str(made["proof"].as_str().unwrap()).unwrap();
        let hashes: Vec<&str> = file["proof"]
            .as_array()
            .unwrap()
            .iter()
            .map(|hash| hash.as_str().unwrap())
            .collect();
        assert!(judge(old, new, &hashes), "{sizes:?}");
        assert!(!judge(old, new, &hashes[1..]), "{sizes:?}, short proof");
        let other = leaf_hash(b"other").to_base64();
        let changed: Vec<&str> = std::iter::once(other.as_str())
            .chain(hashes[1..].iter().copied())
            .collect();
        assert!(!judge(old, new, &changed), "{sizes:?}, other hash");
    }
}

#[test]
fn go_accepts_our_cosignatures_and_refuses_changed_ones() {
    let log = Log::new();
    let Some(program) = go(&log.bench) else { return };
    let made = log
        .bench
        .call(&["key", "generate", "--witness", "w.example/1", "w.pem"])
        .exits(0);
    fs::create_dir(log.bench.dir().join("seen")).unwrap();
    let cosigned = log
        .bench
        .call(&[
            "witness",
            "--name",
            "w.example/1",
            "--key",
            "w.pem",
            "--state",
            "seen",
        ])
        .exits(0);
    let file = log.bench.dir().join("cosigned");
    let judge = |note: &str| {
        fs::write(&file, note).unwrap();
        let mut command = Command::new(&program);
        command
            .arg(&log.key)
            .arg(&file)
            .arg("cosigned")
            .arg(made.stdout.trim());
        accepts(&mut command, "")
    };
    assert!(judge(&cosigned.stdout));
    let log_alone = fs::read_to_string(log.checkpoint(3)).unwrap();
    assert!(!judge(&log_alone), "no cosignature");
    let cosignature = cosigned.stdout.lines().last().unwrap();
    let blob = cosignature.rsplit_once(' ').unwrap().1;
    for place in [10, 20, 60] {
        let mut other = blob.to_owned();
        let letter = if other.as_bytes()[place] == b'A' { "B" } else { "A" };
        other.replace_range(place..=place, letter);
        assert!(!judge(&cosigned.stdout.replace(blob, &other)), "letter {place}");
    }
}

/// The signature is plain Ed25519 over the note text, so the most common tool of all can check it.
#[test]
fn openssl_accepts_the_signature_of_a_checkpoint() {
    let log = Log::new();
    let version = Command::new("openssl").arg("version").output();
    if !version.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).starts_with("OpenSSL 3")) {
        println!("skipped: no OpenSSL 3");
        return;
    }
    let note = Note::parse(&fs::read(log.checkpoint(3)).unwrap()).unwrap();
    let dir = log.bench.dir();
    let judge = |text: &str, signature: &[u8]| {
        fs::write(dir.join("text"), text).unwrap();
        fs::write(dir.join("signature"), signature).unwrap();
        let mut command = Command::new("openssl");
        command
            .current_dir(dir)
            .args(["pkeyutl", "-verify", "-pubin", "-inkey", "key.pub.pem"]);
        command.args(["-rawin", "-in", "text", "-sigfile", "signature"]);
        accepts(&mut command, "")
    };
    let signature = note.signatures()[0].bytes();
    assert!(judge(note.text(), signature));
    assert!(!judge(&note.text().replace('\n', "\r\n"), signature));
    let mut changed = signature.to_vec();
    changed[10] ^= 1;
    assert!(!judge(note.text(), &changed));
}
