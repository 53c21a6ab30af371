//! Eight years of real edits, replayed as each provider: the record must hold exactly what the API could tell.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::path::PathBuf;

use revtrail_e2e::{Bench, FOLDER, Place, assert_same, events_as_facts, told};
use revtrail_simulator::{Options, Provider, Timestamp, WorldSource};
use rstest::rstest;

/// The real history, if there is one here.
fn handbook() -> Option<WorldSource> {
    let data = std::env::var_os("REVTRAIL_TEST_DATA")?;
    let path = PathBuf::from(data).join("histories/handbook.jsonl.zst");
    Some(WorldSource::from_journal(&path, "Handbook").unwrap())
}

/// Moments to look at: first at one third of the edits, then `steps` more, evenly by edits.
fn polls(source: &WorldSource, steps: usize) -> Vec<Timestamp> {
    let edits = source.edits();
    let third = edits.len() / 3;
    let rest = edits.len() - 1 - third;
    (0..=steps)
        .map(|step| edits[third + rest * step / steps].at)
        .collect()
}

#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn the_record_holds_exactly_what_the_api_could_tell(#[case] provider: Provider) {
    let Some(source) = handbook() else {
        println!("skipped: REVTRAIL_TEST_DATA is not set");
        return;
    };
    let polls = polls(&source, 42);
    let bench = Bench::new(
        source.clone(),
        Options::default(),
        &[Place {
            name: "handbook",
            provider,
            path: FOLDER,
        }],
    );
    bench.init();
    for poll in &polls {
        bench.advance(*poll);
        let _harvested = bench.call(&["harvest"]).exits(0);
    }
    let events = bench.events();
    assert_same(
        &events_as_facts(&events),
        &told(provider, &source, FOLDER, &polls),
    );
    bench.verify();
    let again = bench.call(&["harvest", "--output", "json"]).exits(0);
    assert_eq!(again.json()["folders"][0]["events"], 0);
}
