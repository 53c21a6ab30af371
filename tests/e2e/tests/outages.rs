//! Requests that fail until nobody tries any more: what the look could not use is read again by the next, and nothing is guessed.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::sync::Arc;

use revtrail_archive::{Archive, MemoryArchive};
use revtrail_e2e::{Bench, FOLDER, Inside, Place, assert_same, at, events_as_facts, round_end, rounds, told};
use revtrail_evidence::Verdict;
use revtrail_simulator::{Edit, Fault, FaultKind, FaultPlan, Options, Provider, Timestamp, WorldSource};
use rstest::rstest;
use serde_json::json;

/// Times a request is sent before the client gives up.
const ATTEMPTS: u64 = 8;

/// A service that is gone from the `first` matching request on, until a client that asks for one thing gives up.
fn outage(first: u64) -> FaultPlan {
    FaultPlan {
        first,
        times: ATTEMPTS,
        ..FaultPlan::once(Fault::Unavailable503 { retry_after: None })
    }
}

fn bench(source: WorldSource, provider: Provider) -> Bench {
    let place = Place {
        name: "handbook",
        provider,
        path: FOLDER,
    };
    Bench::new(source, Options::default(), &[place])
}

/// What leaves the folder while it is looked at, and where the feed's entry leads: `moved` lives on elsewhere, which only a question by
/// id can tell; a deleted one is told by its place.
fn departures() -> WorldSource {
    let created = |second, path: &str| Edit::created(at(second), path, 100 + second.unsigned_abs());
    WorldSource::from_edits(vec![
        created(1, "Handbook/stays.txt"),
        created(2, "Handbook/moves.txt"),
        created(3, "Elsewhere/other.txt"),
        Edit::modified(at(1001), "Handbook/stays.txt", 7),
        Edit::renamed(at(1002), "Handbook/moves.txt", "Elsewhere/moves.txt"),
        Edit::modified(at(2001), "Elsewhere/moves.txt", 8),
        Edit::modified(at(2002), "Handbook/stays.txt", 9),
    ])
}

/// The place says that the item left it; whether it was deleted or lives on is asked by id, and there is no answer. The look is not used:
/// no `deleted`, no `moved_out`, and no cursor that passes over it.
#[rstest]
#[case::while_the_world_stands_still(at(1500))]
#[case::while_the_world_goes_on(at(2500))]
fn an_item_that_left_and_could_not_be_asked_for_is_asked_for_again(#[case] next: Timestamp) {
    let bench = bench(departures(), Provider::Dropbox);
    bench.init();
    bench.advance(at(500));
    let _harvested = bench.call(&["harvest"]).exits(0);
    let before = bench.events();
    bench.advance(at(1500));
    // The first list is that of the place, the second that of the item.
    bench.sim().plan_faults(vec![outage(2).on("list_revisions")]);
    let failed = bench.call(&["harvest", "--output", "json"]).exits(4).json();
    assert_eq!(
        bench.sim().faults_fired().get(&FaultKind::Unavailable503),
        Some(&ATTEMPTS)
    );
    assert_eq!(failed["folders"][0]["state"], "failed");
    assert_eq!(failed["folders"][0]["gaps"], json!(["feed_failed"]));
    assert_eq!(failed["folders"][0]["events"], 0);
    assert_eq!(bench.events(), before);
    bench.sim().clear_faults();
    bench.advance(next);
    let good = bench.call(&["harvest", "--output", "json"]).exits(0).json();
    assert_eq!(good["folders"][0]["state"], "complete");
    let truth = told(Provider::Dropbox, bench.sim().source(), FOLDER, &[at(500), next]);
    assert!(
        truth.iter().any(|fact| fact["action"] == "moved_out"),
        "{truth:?}"
    );
    assert_same(&events_as_facts(&bench.events()), &truth);
    bench.verify();
    let again = bench.call(&["harvest", "--output", "json"]).exits(0).json();
    assert_eq!(again["folders"][0]["events"], 0);
}

/// Every request of a harvest is, in turn, the one from which on the service is gone.
#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn an_outage_that_begins_at_any_request_loses_nothing(#[case] provider: Provider) {
    const ROUNDS: i64 = 2;
    let bench = bench(rounds("Handbook", ROUNDS, 5), provider);
    let inside = Inside::new(&bench);
    let mut base = Arc::new(MemoryArchive::new());
    let now = |hour: i64| -> Timestamp { format!("2026-11-21T{hour:02}:00:00Z").parse().unwrap() };
    inside.init(base.clone(), now(1)).unwrap();
    let mut polls = Vec::new();
    for round in 0..ROUNDS {
        bench.advance(round_end(round));
        polls.push(round_end(round));
        let truth = told(provider, bench.sim().source(), FOLDER, &polls);
        let at = now(2 + round);
        let mut hit = 0;
        for first in 1.. {
            let archive: Arc<dyn Archive> = Arc::new(inside.copy(&base));
            bench.sim().plan_faults(vec![outage(first)]);
            let interrupted = inside.harvest(Arc::clone(&archive), at).unwrap();
            let fired = bench.sim().faults_fired();
            bench.sim().clear_faults();
            if fired.is_empty() {
                break;
            }
            hit += u64::from(interrupted.is_partial());
            let whole = inside.harvest(Arc::clone(&archive), at).unwrap();
            assert!(!whole.is_partial(), "request {first}: {whole:?}");
            println!("request {first} of round {round}");
            assert_same(&events_as_facts(&inside.events(Arc::clone(&archive))), &truth);
            let report = inside.verify(archive, at);
            assert_eq!((report.verdict(), report.findings), (Verdict::Sound, Vec::new()));
        }
        assert!(hit >= 2, "{hit} harvests were interrupted");
        let next = Arc::new(inside.copy(&base));
        let _summary = inside.harvest(next.clone(), at).unwrap();
        base = next;
    }
}
