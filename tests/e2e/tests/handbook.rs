//! Eight years of real edits, replayed as each provider: the record must hold exactly what the API could tell.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{collections::BTreeSet, path::PathBuf};

use revtrail_e2e::{Bench, FOLDER, Place, assert_same, events_as_facts, harmless, spread_for_long, told};
use revtrail_simulator::{Fault, FaultKind, Options, Provider, Timestamp, WorldSource};
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

/// Harvests at every poll; after each, `looked` sees the bench.
fn replay(bench: &Bench, polls: &[Timestamp], mut looked: impl FnMut(&Bench)) {
    bench.init();
    for poll in polls {
        bench.advance(*poll);
        let _harvested = bench.call(&["harvest"]).exits(0);
        looked(bench);
    }
}

/// The record holds what the API could tell at these polls, is sound, and is finished: another run adds nothing.
fn assert_told(bench: &Bench, provider: Provider, polls: &[Timestamp]) {
    let events = bench.events();
    assert_same(
        &events_as_facts(&events),
        &told(provider, bench.sim().source(), FOLDER, polls),
    );
    bench.verify();
    let again = bench.call(&["harvest", "--output", "json"]).exits(0);
    assert_eq!(again.json()["folders"][0]["events"], 0);
}

fn bench(source: WorldSource, options: Options, provider: Provider) -> Bench {
    let place = Place {
        name: "handbook",
        provider,
        path: FOLDER,
    };
    Bench::new(source, options, &[place])
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
    let bench = bench(source, Options::default(), provider);
    replay(&bench, &polls, |_| {});
    assert_told(&bench, provider, &polls);
}

/// The same history from a provider that misbehaves all the way through, in every manner that loses nothing.
#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn faults_that_lose_nothing_change_nothing(#[case] provider: Provider) {
    let Some(source) = handbook() else {
        println!("skipped: REVTRAIL_TEST_DATA is not set");
        return;
    };
    let polls = polls(&source, 42);
    // Small pages, so that there is something to go wrong in the middle of a listing.
    let options = Options {
        page_size: Some(20),
        ..Options::default()
    };
    let bench = bench(source, options, provider);
    let faults = harmless(provider);
    let kinds: BTreeSet<FaultKind> = faults.iter().map(Fault::kind).collect();
    bench.sim().plan_faults(spread_for_long(faults, provider));
    let mut spoiled = Vec::new();
    replay(&bench, &polls, |bench| {
        spoiled.push(bench.sim().faults_fired().values().sum::<u64>());
    });
    let fired = bench.sim().faults_fired();
    assert_eq!(fired.keys().copied().collect::<BTreeSet<_>>(), kinds);
    // Not only in the first look, which asks most.
    let quiet = spoiled.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert!(
        quiet <= polls.len() / 4,
        "{quiet} harvests without a fault: {spoiled:?}"
    );
    assert_told(&bench, provider, &polls);
}
