//! `kill -9` at any moment: no fact is lost, none is recorded twice, and the next run goes on.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{
    collections::BTreeSet,
    thread::sleep,
    time::{Duration, Instant},
};

use revtrail_e2e::{Bench, FOLDER, Place, assert_same, events_as_facts, round_end, rounds, told};
use revtrail_simulator::{Options, Provider};
use rstest::rstest;

const ROUNDS: i64 = 5;
const KILLS_PER_ROUND: u64 = 10;

/// Pseudo-random numbers, the same in every run (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

fn bench(provider: Provider) -> Bench {
    // Slow answers and small snapshots: a run takes a while and commits many times.
    let options = Options {
        latency: Duration::from_millis(2),
        ..Options::default()
    };
    let bench = Bench::new(
        rounds("Handbook", ROUNDS, 12),
        options,
        &[Place {
            name: "handbook",
            provider,
            path: FOLDER,
        }],
    );
    bench.snapshot_every(4);
    bench.init();
    bench
}

/// How long the harvest of the first round takes when nobody kills it.
fn duration_of_a_harvest(provider: Provider) -> Duration {
    let bench = bench(provider);
    bench.advance(round_end(0));
    let started = Instant::now();
    let _harvested = bench.call(&["harvest"]).exits(0);
    started.elapsed()
}

/// The world stands still from the first kill of a round to the run that ends it, so the truth is that of one look per round.
#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn fifty_kills_lose_and_double_nothing(#[case] provider: Provider) {
    let whole = duration_of_a_harvest(provider);
    let bench = bench(provider);
    let mut dice = Dice(4327);
    let (mut killed, mut ended) = (0, 0);
    for round in 0..ROUNDS {
        bench.advance(round_end(round));
        let mut hits = 0;
        while hits < KILLS_PER_ROUND {
            let mut process = bench.start(&["harvest"]);
            // The only way to hit a process at an arbitrary moment is to let time pass.
            sleep(whole * (dice.next() % 1000) as u32 / 1000);
            process.kill();
            let outcome = process.finish();
            match outcome.code {
                None => hits += 1,
                Some(0) => ended += 1,
                Some(_) => panic!("{outcome:?}"),
            }
            assert!(ended < 200, "harvests end before they can be hit");
        }
        killed += hits;
        let _finished = bench.call(&["harvest"]).exits(0);
    }
    assert_eq!(killed, 50);
    bench.verify_with_leftovers();
    let events = bench.events();
    let ids: BTreeSet<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), events.len(), "an event was recorded twice");
    let polls: Vec<_> = (0..ROUNDS).map(round_end).collect();
    assert_same(
        &events_as_facts(&events),
        &told(provider, bench.sim().source(), FOLDER, &polls),
    );
    let again = bench.call(&["harvest", "--output", "json"]).exits(0);
    assert_eq!(again.json()["folders"][0]["events"], 0);
}
