//! Harvests of one ledger at once: one commits, the others go away empty-handed, nothing is lost or doubled.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::time::Duration;

use revtrail_e2e::{
    Bench, FOLDER, Outcome, Place, Process, assert_same, events_as_facts, round_end, rounds, told,
};
use revtrail_simulator::{Options, Provider};
use rstest::rstest;

const ROUNDS: i64 = 6;

#[rstest]
#[case::onedrive(Provider::OneDrive, 2)]
#[case::google_drive(Provider::GoogleDrive, 2)]
#[case::dropbox(Provider::Dropbox, 2)]
#[case::three_writers(Provider::OneDrive, 3)]
#[case::four_writers(Provider::Dropbox, 4)]
fn one_of_several_harvests_commits(#[case] provider: Provider, #[case] writers: usize) {
    let source = rounds("Handbook", ROUNDS, 6);
    // Slow answers keep both of them busy long enough to meet.
    let options = Options {
        latency: Duration::from_millis(20),
        ..Options::default()
    };
    let bench = Bench::new(
        source.clone(),
        options,
        &[Place {
            name: "handbook",
            provider,
            path: FOLDER,
        }],
    );
    bench.init();
    let mut lost = 0;
    for round in 0..ROUNDS {
        bench.advance(round_end(round));
        let started: Vec<Process> = (0..writers).map(|_| bench.start(&["harvest"])).collect();
        let outcomes: Vec<Outcome> = started.into_iter().map(Process::finish).collect();
        let codes: Vec<Option<i32>> = outcomes.iter().map(|outcome| outcome.code).collect();
        assert!(codes.contains(&Some(0)), "nobody won: {outcomes:?}");
        assert!(
            codes.iter().all(|code| [Some(0), Some(5)].contains(code)),
            "{outcomes:?}"
        );
        for loser in outcomes.iter().filter(|outcome| outcome.code == Some(5)) {
            lost += 1;
            assert!(loser.stderr.contains("another run committed main/"), "{loser:?}");
            assert!(loser.stderr.contains("hint: "), "{loser:?}");
        }
    }
    assert!(lost > 0, "no two runs ever met");
    bench.verify_with_leftovers();
    let polls: Vec<_> = (0..ROUNDS).map(round_end).collect();
    assert_same(
        &events_as_facts(&bench.events()),
        &told(provider, &source, FOLDER, &polls),
    );
}
