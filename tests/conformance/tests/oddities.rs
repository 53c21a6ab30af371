//! Documented and reported oddities of Microsoft's feed, in whole runs: what was lost is told, and the next run is whole again.
#![allow(clippy::unwrap_used, reason = "tests")]

use revtrail_e2e::{Bench, FOLDER, Place, assert_same, events_as_facts, told};
use revtrail_simulator::{Edit, Fault, FaultKind, FaultPlan, Options, Provider, Timestamp, WorldSource};
use rstest::rstest;
use serde_json::json;

fn at(day: u32, minute: u32) -> Timestamp {
    format!("2026-10-{day:02}T08:{minute:02}:00Z").parse().unwrap()
}

fn world() -> WorldSource {
    let mut edits: Vec<Edit> = (1..=9)
        .map(|n| {
            Edit::created(at(1, n), &format!("Handbook/f{n}.txt"), 10 + u64::from(n)).by("ada@acme.example")
        })
        .collect();
    edits.push(Edit::modified(at(3, 1), "Handbook/f1.txt", 99).by("bo@acme.example"));
    edits.push(Edit::deleted(at(3, 2), "Handbook/f2.txt").by("bo@acme.example"));
    edits.push(Edit::modified(at(5, 1), "Handbook/f3.txt", 98).by("bo@acme.example"));
    WorldSource::from_edits(edits)
}

fn bench() -> Bench {
    let options = Options {
        page_size: Some(3),
        ..Options::default()
    };
    let place = Place {
        name: "handbook",
        provider: Provider::OneDrive,
        path: FOLDER,
    };
    let bench = Bench::new(world(), options, &[place]);
    bench.init();
    bench
}

/// Both variants mean the same to a reader: list everything, compare, and say what was lost. Where `Location` leads does not matter,
/// because it is never followed: a full listing of our own asks for the same, and cannot be sent elsewhere.
#[rstest]
#[case::location_on_another_host(Fault::LostCursorForeign)]
#[case::location_that_is_no_address(Fault::LostCursorBroken)]
fn a_resync_of_either_variant_lists_anew_and_is_a_gap(#[case] fault: Fault) {
    let bench = bench();
    bench.advance(at(2, 0));
    let _harvested = bench.call(&["harvest"]).exits(0);
    let kind = fault.kind();
    bench.sim().plan_faults(vec![FaultPlan::once(fault)]);
    bench.advance(at(4, 0));
    let partial = bench.call(&["harvest", "--output", "json"]).exits(4).json();
    assert_eq!(bench.sim().faults_fired().get(&kind), Some(&1));
    assert_eq!(partial["folders"][0]["gaps"], json!(["cursor_lost"]));
    bench.advance(at(6, 0));
    let next = bench.call(&["harvest", "--output", "json"]).exits(0).json();
    assert_eq!(next["folders"][0]["state"], "complete");
    let saves: Vec<_> = bench
        .events()
        .iter()
        .filter(|event| event["action"] == "modified")
        .map(|event| event["path"].clone())
        .collect();
    assert_eq!(saves, [json!("f1.txt"), json!("f3.txt")]);
    bench.verify();
}

/// Microsoft has twice shipped links that go in circles. Such a round ends without a cursor, and the next one is whole.
#[test]
fn a_next_link_that_goes_in_circles_ends_the_round_and_loses_nothing() {
    let bench = bench();
    let circles = FaultPlan {
        times: 10,
        ..FaultPlan::once(Fault::CircularNextLink).on("delta")
    };
    bench.sim().plan_faults(vec![circles]);
    bench.advance(at(2, 0));
    let failed = bench.call(&["harvest", "--output", "json"]);
    assert_ne!(failed.code, Some(0), "{failed:?}");
    assert!(
        bench.sim().faults_fired()[&FaultKind::CircularNextLink] < 10,
        "it was stopped"
    );
    bench.sim().clear_faults();
    let _harvested = bench.call(&["harvest"]).exits(0);
    bench.advance(at(6, 0));
    let _harvested = bench.call(&["harvest"]).exits(0);
    assert_same(
        &events_as_facts(&bench.events()),
        &told(Provider::OneDrive, &world(), FOLDER, &[at(2, 0), at(6, 0)]),
    );
    bench.verify();
}
