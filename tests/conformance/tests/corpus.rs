//! The seeds of the fuzz targets, fed to the functions that those call: what once broke a parser breaks a test ever after.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{fs, path::Path};

use rstest::rstest;

#[path = "../../fuzz/src/pages.rs"]
#[allow(
    unreachable_pub,
    dead_code,
    clippy::missing_panics_doc,
    reason = "a library's file, used here as a module"
)]
mod pages;
#[path = "../../fuzz/src/parsers.rs"]
#[allow(
    unreachable_pub,
    clippy::missing_panics_doc,
    reason = "a library's file, used here as a module"
)]
mod parsers;

use pages::{Log, Pages};

/// Seeds of a target by name.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target);
    let mut seeds: Vec<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    seeds.sort();
    assert!(seeds.len() >= 3, "{target} has {} seeds", seeds.len());
    seeds
}

/// Each seed, each half of it, and each with one byte changed here and there.
fn variants(seed: &[u8]) -> Vec<Vec<u8>> {
    let (left, right) = seed.split_at(seed.len() / 2);
    let mut all = vec![seed.to_vec(), left.to_vec(), right.to_vec()];
    let stride = (seed.len() / 16).max(1);
    for place in (0..seed.len()).step_by(stride) {
        let mut changed = seed.to_vec();
        changed[place] ^= 0x01;
        all.push(changed);
    }
    all
}

#[rstest]
#[case::note("note", parsers::note)]
#[case::checkpoint("checkpoint", parsers::checkpoint)]
#[case::verifier_key("verifier_key", parsers::verifier_key)]
#[case::proof("proof", parsers::proof)]
#[case::segment("segment", parsers::segment)]
#[case::leaf("leaf", parsers::leaf)]
#[case::sidecar("sidecar", parsers::sidecar)]
#[case::state("state", parsers::state)]
#[case::object_name("object_name", parsers::object_name)]
#[case::config("config", parsers::config)]
#[case::timestamp("timestamp", parsers::timestamp)]
fn a_parser_survives_its_seeds(#[case] target: &str, #[case] parser: fn(&[u8])) {
    for (_, seed) in seeds(target) {
        for variant in variants(&seed) {
            parser(&variant);
        }
    }
}

#[rstest]
#[case::onedrive("onedrive")]
#[case::google_drive("google_drive")]
#[case::dropbox("dropbox")]
fn a_connector_survives_its_seeds(#[case] provider: &str) {
    let pages = Pages::new(provider);
    let (mut changes, mut revisions) = (0, 0);
    for (_, seed) in seeds(&format!("{provider}_pages")) {
        let understood = pages.read(&seed);
        changes += understood.changes;
        revisions += understood.revisions;
        let (left, _) = seed.split_at(seed.len() / 2);
        pages.read(left);
    }
    // The seeds are of both sorts, and both reach the mapping.
    assert!(
        changes > 0 && revisions > 0,
        "{changes} changes, {revisions} revisions"
    );
}

/// Each log gets its own pages, which it understands, and those of the others, which it does not.
#[rstest]
#[case::team(Log::Team, "team-log")]
#[case::management(Log::Management, "management-blob")]
#[case::reports(Log::Reports, "reports")]
#[case::drive_activity(Log::DriveActivity, "drive-activity")]
fn a_reader_of_a_log_survives_its_seeds(#[case] log: Log, #[case] own: &str) {
    let pages = Pages::new("dropbox");
    for (name, seed) in seeds("audit_pages") {
        let explained = pages.read_log(log, &seed);
        assert_eq!(explained > 0, name.starts_with(own), "{name}: {explained}");
    }
}

/// A target without a test here would have seeds that nobody runs.
#[test]
fn every_target_has_seeds_and_every_seed_a_target() {
    let names = |directory: &str| -> Vec<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../fuzz")
            .join(directory);
        let mut names: Vec<String> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .map(|name| name.trim_end_matches(".rs").to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("fuzz_targets"), names("corpus"));
}
