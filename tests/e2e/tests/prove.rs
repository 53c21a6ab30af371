//! One action proven and checked offline, and everything that must not be accepted.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::fs;

use revtrail_e2e::{Bench, FOLDER, Outcome, Place, round_end, rounds};
use revtrail_ledger::{TlogProof, leaf_hash};
use revtrail_simulator::{Options, Provider};
use rstest::rstest;
use serde_json::Value;

/// A bench with a few snapshots and a policy that trusts its key.
fn bench(rounds_harvested: i64) -> Bench {
    let source = rounds("Handbook", rounds_harvested, 6);
    let place = Place {
        name: "handbook",
        provider: Provider::OneDrive,
        path: FOLDER,
    };
    let bench = Bench::new(source, Options::default(), &[place]);
    bench.init();
    for round in 0..rounds_harvested {
        bench.advance(round_end(round));
        let _harvested = bench.call(&["harvest"]).exits(0);
    }
    bench.write("policy.toml", &policy(&bench, ""));
    bench
}

fn key(bench: &Bench) -> (String, String) {
    let keys = bench.call(&["key", "show", "--output", "json"]).exits(0).json();
    let text = |name: &str| keys["keys"][0][name].as_str().unwrap().to_owned();
    (text("origin"), text("verifier_key"))
}

fn policy(bench: &Bench, more: &str) -> String {
    let (origin, key) = key(bench);
    format!("[[logs]]\norigin = \"{origin}\"\nkey = \"{key}\"\n{more}")
}

/// An action whose actor and path are known.
fn action(bench: &Bench) -> Value {
    let has = |event: &Value, member: &str| event.get(member).is_some_and(Value::is_string);
    let found = bench
        .events()
        .into_iter()
        .rfind(|event| has(event, "actor_email") && has(event, "path") && event["action"] == "modified");
    found.unwrap()
}

fn number(event: &Value) -> String {
    event["index"].to_string()
}

fn check(bench: &Bench, file: &str) -> Outcome {
    bench.call(&[
        "prove",
        "--check",
        file,
        "--policy",
        "policy.toml",
        "--output",
        "json",
    ])
}

fn read(bench: &Bench, file: &str) -> Vec<u8> {
    fs::read(bench.dir().join(file)).unwrap()
}

#[test]
fn an_action_is_proven_offline_with_what_was_disclosed() {
    let bench = bench(3);
    let event = action(&bench);
    let number = number(&event);
    let _made = bench
        .call(&["prove", &number, "--out", "all.tlog-proof"])
        .exits(0);
    // The archive is gone: the proof needs nothing of it.
    fs::rename(bench.dir().join("archive"), bench.dir().join("elsewhere")).unwrap();
    fs::remove_file(bench.dir().join("revtrail.toml")).unwrap();
    let judged = check(&bench, "all.tlog-proof").exits(0).json();
    assert_eq!(judged["verdict"], "proven");
    assert_eq!(judged["index"], number);
    for member in ["action", "path", "actor_email", "occurred_at", "id", "raw_sha256"] {
        assert_eq!(judged["action"][member], event[member], "{member}");
    }
    let sentence = judged["proven"][0].as_str().unwrap();
    for part in [
        format!("action #{number}: modified file"),
        event["path"].to_string(),
        format!("by {}", event["actor_email"].as_str().unwrap()),
        format!("at {}", event["occurred_at"].as_str().unwrap()),
        "basis: reported".to_owned(),
        "source: onedrive".to_owned(),
    ] {
        assert!(sentence.contains(&part), "{part} is not in {sentence}");
    }
    let spoken = bench
        .call(&["prove", "--check", "all.tlog-proof", "--policy", "policy.toml"])
        .exits(0);
    assert!(spoken.stdout.starts_with("proven:\n  - action #"), "{spoken:?}");
    assert!(spoken.stdout.contains("not proven:\n"), "{spoken:?}");
    assert!(
        spoken
            .stdout
            .contains("nobody but the holder of the key attests a time")
    );
}

#[rstest]
#[case::nothing("none", &[])]
#[case::path("path", &["path"])]
#[case::actor_and_path("actor,path", &["actor", "path"])]
fn what_is_not_disclosed_stays_hidden(#[case] fields: &str, #[case] shown: &[&str]) {
    let bench = bench(2);
    let event = action(&bench);
    let _made = bench
        .call(&["prove", &number(&event), "--disclose", fields, "--out", "p"])
        .exits(0);
    let judged = check(&bench, "p").exits(0).json();
    let hidden: Vec<&str> = judged["hidden"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    for (field, member) in [("path", "path"), ("actor", "actor_email")] {
        assert_eq!(hidden.contains(&field), !shown.contains(&field), "{judged}");
        let value = shown.contains(&field).then(|| event[member].clone());
        assert_eq!(judged["action"].get(member).cloned(), value, "{judged}");
    }
    // Neither the values nor the seed that every salt of the snapshot follows from.
    let proof = TlogProof::parse(&read(&bench, "p")).unwrap();
    let extra = String::from_utf8(proof.extra.unwrap()).unwrap();
    assert_eq!(
        extra.contains(event["actor_email"].as_str().unwrap()),
        shown.contains(&"actor")
    );
    assert_eq!(
        extra.contains(event["name"].as_str().unwrap()),
        shown.contains(&"path")
    );
    for seed in seeds(&bench) {
        assert!(!extra.contains(&seed));
    }
    assert_eq!(
        extra.matches("\\\"actor\\\",{").count(),
        usize::from(shown.contains(&"actor"))
    );
}

/// Seeds of all sidecars, as they stand there.
fn seeds(bench: &Bench) -> Vec<String> {
    let year = key(bench).0.rsplit_once('/').unwrap().1.to_owned();
    let sidecars = fs::read_dir(bench.dir().join(format!("archive/main/{year}/sidecars"))).unwrap();
    let seeds: Vec<String> = sidecars
        .map(|file| {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            let head: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
            head["seed"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(!seeds.is_empty());
    seeds
}

/// The proof is a plain C2SP tlog-proof of the leaf as it stands in the segment.
#[test]
fn the_file_is_a_tlog_proof_of_the_stored_leaf() {
    let bench = bench(2);
    let made = bench.call(&["prove", &number(&action(&bench))]).exits(0);
    assert!(made.stderr.contains("not proven:"), "{made:?}");
    let proof = TlogProof::parse(made.stdout.as_bytes()).unwrap();
    let extra: Value = serde_json::from_slice(proof.extra.as_ref().unwrap()).unwrap();
    let leaf = extra["leaf"].as_str().unwrap();
    let key = key(&bench).1.parse().unwrap();
    let proven = proof.verify(&leaf_hash(leaf.as_bytes()), &key, &[]).unwrap();
    assert!(proven.checkpoint.size.leaves() > proof.index.get());
    let other = leaf.replace("\"modified\"", "\"deleted\"");
    assert!(proof.verify(&leaf_hash(other.as_bytes()), &key, &[]).is_err());
}

#[test]
fn every_leaf_can_be_proven_and_no_other() {
    let bench = bench(2);
    let size = bench.call(&["verify", "--output", "json"]).exits(0).json()["tree_size"]
        .as_u64()
        .unwrap();
    for index in 0..size {
        let made = bench
            .call(&[
                "prove",
                &index.to_string(),
                "--output",
                "json",
                "--disclose",
                "none",
            ])
            .exits(0);
        let made = made.json();
        assert_eq!(made["remarks"], Value::Array(Vec::new()), "{made}");
        bench.write("one", made["proof"].as_str().unwrap());
        assert_eq!(check(&bench, "one").exits(0).json()["index"], index.to_string());
    }
    let beyond = bench.call(&["prove", &size.to_string()]).exits(2);
    assert!(
        beyond.stderr.contains(&format!("has {size} leaves")),
        "{beyond:?}"
    );
    assert!(beyond.stderr.contains("hint: "), "{beyond:?}");
}

#[test]
fn a_changed_proof_is_not_accepted() {
    let bench = bench(2);
    let _made = bench
        .call(&["prove", &number(&action(&bench)), "--out", "p"])
        .exits(0);
    let right = String::from_utf8(read(&bench, "p")).unwrap();
    let proof = TlogProof::parse(right.as_bytes()).unwrap();
    let extra = String::from_utf8(proof.extra.clone().unwrap()).unwrap();
    let with_extra = |extra: String| {
        let changed = TlogProof {
            extra: Some(extra.into_bytes()),
            ..proof.clone()
        };
        String::from_utf8(changed.to_bytes()).unwrap()
    };
    let first_hash = proof.hashes[0].to_base64();
    let changes = [
        (
            "another action",
            with_extra(extra.replace("\\\"modified\\\"", "\\\"deleted\\\"")),
        ),
        (
            "another path",
            with_extra(
                extra
                    .replace("\\\\\\\"path\\\\\\\":", "\\\\\\\"name\\\\\\\":")
                    .replace("Handbook", "Plans")
                    .replace(".md", ".txt"),
            ),
        ),
        (
            "a field that is none",
            with_extra(extra.replace("\"disclosed\":{", "\"disclosed\":{\"size\":\"1\",")),
        ),
        (
            "another index",
            right.replace(
                &format!("index {}", proof.index),
                &format!("index {}", proof.index.get() - 1),
            ),
        ),
        ("no first hash", right.replace(&format!("{first_hash}\n"), "")),
        (
            "another hash",
            right.replace(&first_hash, &leaf_hash(b"x").to_base64()),
        ),
        ("cut", right.split_at(right.len() - 20).0.to_owned()),
        ("empty", String::new()),
    ];
    for (name, text) in changes {
        assert_ne!(text, right, "{name}");
        bench.write("changed", &text);
        let judged = check(&bench, "changed").exits(3).json();
        assert_eq!(judged["verdict"], "contradicted", "{name}: {judged}");
    }
}

#[test]
fn the_policy_decides() {
    let bench = bench(2);
    let _made = bench
        .call(&["prove", &number(&action(&bench)), "--out", "p"])
        .exits(0);
    let (origin, own) = key(&bench);
    let judge = |text: &str, code: i32| {
        bench.write("policy.toml", text);
        check(&bench, "p").exits(code)
    };
    // Another log only: no key to judge with.
    let other = own.replace(&origin, "log.example/shared");
    assert!(
        judge(
            &format!("[[logs]]\norigin = \"log.example/shared\"\nkey = \"{other}\"\n"),
            2
        )
        .stderr
        .contains("key id")
    );
    let foreign = "log.example/shared+62164cba+AXbrctvry7Ye7Wm5n/SvFQTJPUITTNp7zF3FmaKBm1i1";
    let outcome = judge(
        &format!("[[logs]]\norigin = \"log.example/shared\"\nkey = \"{foreign}\"\n"),
        7,
    );
    assert_eq!(outcome.json()["verdict"], "cannot_judge");
    // A key that ran out, and no cosigner who saw the checkpoint before.
    let outcome = judge(&policy(&bench, "valid_until = \"2026-01-01T00:00:00Z\"\n"), 7);
    assert!(
        outcome.json()["reason"]
            .as_str()
            .unwrap()
            .contains("trusted until"),
        "{outcome:?}"
    );
    let _still = judge(&policy(&bench, "valid_until = \"2999-01-01T00:00:00Z\"\n"), 0);
}

#[test]
fn a_quorum_that_is_not_met_and_policies_that_are_none() {
    let bench = bench(2);
    let _made = bench
        .call(&["prove", &number(&action(&bench)), "--out", "p"])
        .exits(0);
    let judge = |text: &str, code: i32| {
        bench.write("policy.toml", text);
        check(&bench, "p").exits(code)
    };
    let witness = "witness.example/w0+2bd58887+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU";
    let quorum = policy(
        &bench,
        &format!("[cosigners]\nquorum = 1\nkeys = [\"{witness}\"]\n"),
    );
    assert!(matches!(
        judge(&quorum, 6).json()["verdict"].as_str(),
        Some("incomplete")
    ));
    for text in [
        "",
        "[[logs]]\n",
        "logs = 1\n",
        &quorum.replace("quorum = 1", "quorum = 2"),
        &quorum.replace("origin", "orgin"),
    ] {
        let outcome = judge(text, 2);
        assert!(
            outcome.stderr.contains("policy.toml cannot be used"),
            "{outcome:?}"
        );
    }
    let _absent = bench
        .call(&["prove", "--check", "p", "--policy", "absent"])
        .exits(2);
    let _unnamed = bench.call(&["prove", "--check", "p"]).exits(2);
    bench.write("policy.toml", &policy(&bench, ""));
    let _gone = check(&bench, "absent").exits(2);
}

#[test]
fn another_key_under_the_same_name_is_refused() {
    let bench = bench(2);
    let _made = bench
        .call(&["prove", &number(&action(&bench)), "--out", "p"])
        .exits(0);
    let _other = bench.call(&["key", "generate", "other.pem"]).exits(0);
    bench.write("revtrail.toml", &bench.config().replace("key.pem", "other.pem"));
    bench.write("policy.toml", &policy(&bench, ""));
    let judged = check(&bench, "p").exits(3).json();
    assert!(
        judged["reason"].as_str().unwrap().contains("no signature of"),
        "{judged}"
    );
    // Nor does the program make a proof from a log it has no key for.
    let outcome = bench.call(&["prove", "3"]).exits(3);
    assert!(outcome.stderr.contains("hint: "), "{outcome:?}");
}

#[test]
fn growth_is_proven_between_any_two_checkpoints() {
    let bench = bench(4);
    let year = key(&bench).0.rsplit_once('/').unwrap().1.to_owned();
    let mut sizes: Vec<u64> = fs::read_dir(bench.dir().join(format!("archive/main/{year}/checkpoints")))
        .unwrap()
        .map(|file| {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            text.lines().nth(1).unwrap().parse().unwrap()
        })
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes.len(), 5);
    for old in &sizes {
        for new in sizes.iter().filter(|new| *new >= old) {
            let (from, to) = (old.to_string(), new.to_string());
            let made = bench
                .call(&["prove", "--consistency", &from, &to, "--output", "json"])
                .exits(0)
                .json();
            bench.write("growth", made["proof"].as_str().unwrap());
            let judged = check(&bench, "growth").exits(0).json();
            assert_eq!(
                (&judged["old"]["size"], &judged["new"]["size"]),
                (&Value::from(from), &Value::from(to))
            );
        }
    }
    let text = String::from_utf8(read(&bench, "growth")).unwrap();
    let (last, before) = (sizes[4].to_string(), sizes[3].to_string());
    let made = bench
        .call(&["prove", "--consistency", &before, &last, "--output", "json"])
        .exits(0)
        .json();
    let right = made["proof"].as_str().unwrap();
    assert_ne!(right, text);
    let parsed: Value = serde_json::from_str(right).unwrap();
    let hash = parsed["proof"][0].as_str().unwrap();
    for changed in [
        right.replace(hash, &leaf_hash(b"x").to_base64()),
        right
            .replace("\"new\"", "\"tmp\"")
            .replace("\"old\"", "\"new\"")
            .replace("\"tmp\"", "\"old\""),
    ] {
        bench.write("growth", &changed);
        assert_eq!(check(&bench, "growth").exits(3).json()["verdict"], "contradicted");
    }
    let between = bench
        .call(&["prove", "--consistency", &(sizes[0] + 1).to_string(), &last])
        .exits(2);
    assert!(
        between.stderr.contains("hint: the nearest checkpoints have"),
        "{between:?}"
    );
}

#[test]
fn wrong_arguments_are_usage_errors() {
    let bench = bench(1);
    for arguments in [
        &["prove"][..],
        &["prove", "x"],
        &["prove", "1999#1"],
        &["prove", "1", "--log", "other/2026"],
        &["prove", "1", "--log", "soon"],
        &["prove", "1", "--disclose", "size"],
        &["prove", "1", "--consistency", "1", "2"],
        &["prove", "1", "--out", "key.pem"],
    ] {
        let outcome = bench.call(arguments);
        assert_eq!(outcome.code, Some(2), "{arguments:?}: {outcome:?}");
    }
    let year = key(&bench).0.rsplit_once('/').unwrap().1.to_owned();
    for arguments in [
        vec!["prove".to_owned(), "1".into(), "--log".into(), year.clone()],
        vec![
            "prove".to_owned(),
            "1".into(),
            "--log".into(),
            format!("main/{year}"),
        ],
        vec!["prove".to_owned(), format!("{year}#1")],
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let _made = bench.call(&arguments).exits(0);
    }
}
