//! Every way to damage a record that we can think of: `verify` must contradict and name the object.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod replica;
mod table;

use replica::Original;
use revtrail_model::layout::Kind;
use rstest::rstest;
use table::{Damage, damages};

/// All cases in one test: the original is made once, and a failure shows every damage that went unnoticed.
#[test]
fn every_damage_is_found_and_named() {
    let original = Original::new();
    let mut unnoticed = Vec::new();
    let cases = damages();
    assert!(cases.len() >= 14, "{}", cases.len());
    for Damage { name, apply } in cases {
        let copy = original.copy();
        let damaged = apply(&copy);
        if let Err(complaint) = copy.verify_names(&damaged) {
            unnoticed.push(format!("{name}: {complaint}"));
        }
    }
    assert!(
        unnoticed.is_empty(),
        "{} not found or not named:\n{}",
        unnoticed.len(),
        unnoticed.join("\n")
    );
}

/// The program for auditors and the Python script say the same of each of them. In parts, because the script is slow.
#[rstest]
fn other_verifiers_judge_every_damage_alike(#[values(0, 1, 2, 3, 4, 5)] part: usize) {
    let original = Original::new();
    let mut differences = Vec::new();
    for Damage { name, apply } in damages().into_iter().skip(part).step_by(6) {
        let copy = original.copy();
        let _damaged = apply(&copy);
        if let Err(difference) = copy.compare() {
            differences.push(format!("{name}: {difference}"));
        }
    }
    assert!(
        differences.is_empty(),
        "{} judged otherwise:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// A flipped byte can leave a stream that decompresses to something else: all must stop at the same place.
#[rstest]
fn other_verifiers_judge_flipped_bytes_alike(
    #[values(Kind::Segment, Kind::Sidecar, Kind::Raw, Kind::State)] kind: Kind,
    #[values(1, 2)] seq: u64,
) {
    let original = Original::new();
    let copy = original.copy();
    let key = copy.of(kind, seq);
    let bytes = copy.read(&key);
    let mut differences = Vec::new();
    for at in (0..bytes.len()).step_by((bytes.len() / 12).max(1)) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        copy.replace(&key, &flipped);
        if let Err(difference) = copy.compare() {
            differences.push(format!("byte {at} of {} of {key}: {difference}", bytes.len()));
        }
    }
    assert!(
        differences.is_empty(),
        "{} judged otherwise:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// Bytes that change nothing when decompressed are bytes of the object all the same.
#[test]
fn every_byte_of_a_small_object_counts() {
    let original = Original::new();
    let mut unnoticed = Vec::new();
    for kind in Kind::ALL {
        let copy = original.copy();
        let key = copy.smallest(kind);
        let bytes = copy.read(&key);
        // At most some 120 places of each object, the first 40 bytes and the last 10 among them: headers and checksums.
        let stride = (bytes.len() / 60).max(1);
        let places = (0..bytes.len()).filter(|at| *at < 40 || at + 10 >= bytes.len() || at % stride == 0);
        for at in places {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            copy.replace(&key, &flipped);
            if let Err(complaint) = copy.verify_names(std::slice::from_ref(&key)) {
                unnoticed.push(format!("byte {at} of {} of {key}: {complaint}", bytes.len()));
            }
        }
        copy.replace(&key, &bytes);
        copy.verify_sound();
    }
    assert!(
        unnoticed.is_empty(),
        "{} not found or not named:\n{}",
        unnoticed.len(),
        unnoticed.join("\n")
    );
}

#[test]
fn contents_that_no_event_names_are_noted() {
    let original = Original::new();
    let copy = original.copy();
    let digest = revtrail_model::sha256(b"hello");
    let key = format!("main/{}/contents/{digest}", copy.year());
    copy.create(&key, b"hello");
    let report = copy.verify(&[]).exits(0).json();
    assert_eq!(report["verdict"], "sound");
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["severity"], &finding["key"]),
        (&"note".into(), &key.into())
    );
    assert_eq!(copy.compare(), Ok(()));
}

#[test]
fn a_missing_end_is_incomplete() {
    let original = Original::new();
    let copy = original.copy();
    let last = copy.last();
    for kind in Kind::ALL {
        for key in copy.keys_of(kind).into_iter().filter(|key| copy.seq(key) == last) {
            copy.remove(&key);
        }
    }
    // The snapshot before is days before its deadline now; after it, the end is missed.
    let late = copy.verify(&["--as-of", "2099-01-01T00:00:00Z"]).exits(6);
    assert_eq!(late.json()["verdict"], "incomplete");
    let finding = &late.json()["findings"][0];
    assert_eq!(finding["severity"], "incomplete");
    assert!(finding["what"].as_str().unwrap().contains("overdue"), "{finding}");
    let year = copy.year();
    assert_eq!(finding["key"], format!("main/{year}/"));
}

#[test]
fn an_undamaged_record_that_ended_long_ago_is_incomplete() {
    let original = Original::new();
    let copy = original.copy();
    copy.verify_sound();
    let late = copy.verify(&["--as-of", "2099-01-01T00:00:00Z"]).exits(6);
    assert_eq!(late.json()["verdict"], "incomplete");
}

#[test]
fn an_empty_archive_is_incomplete() {
    let original = Original::new();
    let copy = original.copy();
    for kind in Kind::ALL {
        for key in copy.keys_of(kind) {
            copy.remove(&key);
        }
    }
    // Tiles alone are no record, but they tell which log is missing.
    let report = copy.verify(&[]).exits(6).json();
    assert_eq!(report["verdict"], "incomplete");
    assert_eq!(report["findings"][0]["key"], format!("main/{}/", copy.year()));
    for key in copy.all() {
        copy.remove(&key);
    }
    let report = copy.verify(&[]).exits(6).json();
    assert_eq!(report["verdict"], "incomplete");
    assert_eq!(report["findings"][0]["key"], "main");
}

#[test]
fn another_key_contradicts() {
    let original = Original::new();
    let copy = original.copy();
    let _made = copy.bench().call(&["key", "generate", "other.pem"]).exits(0);
    copy.configure("key_file = \"key.pem\"", "public_key_file = \"other.pub.pem\"");
    let outcome = copy.verify(&[]).exits(3);
    let report = outcome.json();
    let first = copy.keys_of(Kind::Checkpoint)[0].clone();
    assert_eq!(report["findings"][0]["key"], first);
    assert!(
        report["findings"][0]["what"]
            .as_str()
            .unwrap()
            .contains("trusted key"),
        "{report}"
    );
}

#[test]
fn a_missing_key_judges_nothing() {
    let original = Original::new();
    let copy = original.copy();
    copy.configure("key_file = \"key.pem\"", "public_key_file = \"absent.pem\"");
    let outcome = copy.verify(&[]).exits(7);
    assert!(outcome.stderr.contains("absent.pem"), "{outcome:?}");
    assert!(outcome.stderr.contains("hint: "), "{outcome:?}");
}

/// A harvest on a damaged record stops instead of building on it.
#[test]
fn nothing_is_harvested_onto_a_damaged_end() {
    let original = Original::new();
    for kind in [Kind::Checkpoint, Kind::Segment, Kind::State] {
        let copy = original.copy();
        let key = copy.of(kind, copy.last());
        let mut bytes = copy.read(&key);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x20;
        copy.replace(&key, &bytes);
        let before = copy.all();
        let outcome = copy.call(&["harvest"]);
        assert_eq!(outcome.code, Some(3), "{kind:?}: {outcome:?}");
        assert!(outcome.stderr.contains(&key), "{kind:?}: {outcome:?}");
        assert!(outcome.stderr.contains("hint: "), "{outcome:?}");
        assert_eq!(copy.all(), before, "{kind:?}");
    }
}
