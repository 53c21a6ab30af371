//! Two harvests of one ledger at once: one commits, the other goes away empty-handed, nothing is lost or doubled.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::time::Duration;

use revtrail_e2e::{Bench, FOLDER, Place, assert_same, events_as_facts, round_end, rounds, told};
use revtrail_simulator::{Options, Provider};
use rstest::rstest;

const ROUNDS: i64 = 6;

#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn one_of_two_harvests_commits(#[case] provider: Provider) {
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
        let pair = [bench.start(&["harvest"]), bench.start(&["harvest"])];
        let outcomes = pair.map(revtrail_e2e::Process::finish);
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
