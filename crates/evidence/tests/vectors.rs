//! Canonical JSON (RFC 8785) against vectors of other implementations, read from `$REVTRAIL_TEST_DATA/vectors`; skipped without it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot read its vectors fails, and one that is skipped says so"
)]

use std::{env, fs, path::PathBuf};

use revtrail_model::record::canonical;
use serde_json::Value;

fn jcs(path: &str) -> Option<Vec<u8>> {
    let Some(root) = env::var_os("REVTRAIL_TEST_DATA") else {
        eprintln!("skipped: REVTRAIL_TEST_DATA is not set");
        return None;
    };
    Some(fs::read(PathBuf::from(root).join("vectors/jcs").join(path)).unwrap())
}

/// The oracle of our property tests passes the vectors, so what agrees with it is canonical.
#[test]
fn the_oracle_gives_the_canonical_form() {
    for name in ["arrays", "french", "structures"] {
        let Some(input) = jcs(&format!("input/{name}.json")) else {
            return;
        };
        let value: Value = serde_json::from_slice(&input).unwrap();
        let expected = jcs(&format!("output/{name}.json")).unwrap();
        assert_eq!(
            serde_json_canonicalizer::to_vec(&value).unwrap(),
            expected.trim_ascii_end(),
            "{name}"
        );
    }
    let numbers = String::from_utf8(jcs("es6-numbers.csv").unwrap_or_default()).unwrap();
    for line in numbers.lines().filter(|line| !line.is_empty()) {
        let (bits, expected) = line.split_once(',').unwrap();
        let number = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
        assert_eq!(
            serde_json_canonicalizer::to_string(&number).unwrap(),
            expected,
            "{bits}"
        );
    }
}

/// Our own writer is canonical for what records hold: strings, small integers, arrays, and members in sorted order.
#[test]
fn our_records_are_in_canonical_form() {
    let Some(input) = jcs("input/french.json") else {
        return;
    };
    let value: Value = serde_json::from_slice(&input).unwrap();
    let expected = jcs("output/french.json").unwrap();
    assert_eq!(canonical(&value).unwrap(), expected.trim_ascii_end());
}
