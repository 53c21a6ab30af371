//! Providers that misbehave: what a fault cannot hide must be in the record all the same, and what it hides must be a gap.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::collections::BTreeSet;

use revtrail_e2e::{
    Bench, FOLDER, Place, assert_same, events_as_facts, harmless, round_end, rounds, spread, told,
};
use revtrail_simulator::{Fault, FaultKind, FaultPlan, Options, Provider};
use rstest::rstest;
use serde_json::Value;

const ROUNDS: i64 = 4;

fn bench(provider: Provider) -> Bench {
    // Small pages, so that there is something to go wrong in the middle of a listing.
    let options = Options {
        page_size: Some(7),
        ..Options::default()
    };
    let bench = Bench::new(
        rounds("Handbook", ROUNDS, 8),
        options,
        &[Place {
            name: "handbook",
            provider,
            path: FOLDER,
        }],
    );
    bench.init();
    bench
}

#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn faults_that_lose_nothing_change_nothing(#[case] provider: Provider) {
    let bench = bench(provider);
    let faults = harmless(provider);
    let kinds: BTreeSet<FaultKind> = faults.iter().map(Fault::kind).collect();
    bench.sim().plan_faults(spread(faults, provider));
    for round in 0..ROUNDS {
        bench.advance(round_end(round));
        let _harvested = bench.call(&["harvest"]).exits(0);
    }
    let fired: BTreeSet<FaultKind> = bench.sim().faults_fired().into_keys().collect();
    assert_eq!(fired, kinds);
    bench.verify();
    let polls: Vec<_> = (0..ROUNDS).map(round_end).collect();
    assert_same(
        &events_as_facts(&bench.events()),
        &told(provider, bench.sim().source(), FOLDER, &polls),
    );
}

/// One kind at a time, on the first request it can hit and on every second one after it.
#[rstest]
fn one_fault_alone_changes_nothing(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values(
        Fault::Throttle429 { retry_after: None },
        Fault::Throttle429 { retry_after: Some("0.3".to_owned()) },
        Fault::Unavailable503 { retry_after: Some("0".to_owned()) },
        Fault::ResetMidBody,
        Fault::TruncatedJson,
        Fault::ExpiredToken,
        Fault::EmptyPage,
        Fault::DuplicateItems,
        Fault::UnknownFields
    )]
    fault: Fault,
) {
    let bench = bench(provider);
    let kind = fault.kind();
    // A request whose fresh tokens are refused again and again is given up, which is right.
    let times = if kind == FaultKind::ExpiredToken { 3 } else { 8 };
    bench.sim().plan_faults(vec![FaultPlan {
        every: 2,
        times,
        ..FaultPlan::once(fault)
    }]);
    for round in 0..2 {
        bench.advance(round_end(round));
        let _harvested = bench.call(&["harvest"]).exits(0);
    }
    assert!(
        bench
            .sim()
            .faults_fired()
            .get(&kind)
            .is_some_and(|times| *times >= 1),
        "{kind:?}"
    );
    bench.verify();
    let polls = [round_end(0), round_end(1)];
    assert_same(
        &events_as_facts(&bench.events()),
        &told(provider, bench.sim().source(), FOLDER, &polls),
    );
}

/// What the whole folder was read anew for is said in the window, and the run does not end as if nothing had been.
#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn a_lost_cursor_is_a_gap(#[case] provider: Provider) {
    let bench = bench(provider);
    bench.advance(round_end(0));
    let _harvested = bench.call(&["harvest"]).exits(0);
    bench.sim().plan_faults(vec![FaultPlan::once(Fault::LostCursor)]);
    bench.advance(round_end(1));
    let partial = bench.call(&["harvest", "--output", "json"]).exits(4).json();
    assert_eq!(bench.sim().faults_fired().get(&FaultKind::LostCursor), Some(&1));
    assert_eq!(partial["folders"][0]["state"], "partial");
    assert_eq!(partial["folders"][0]["gaps"], serde_json::json!(["cursor_lost"]));
    assert_ne!(partial["folders"][0]["events"], 0);
    bench.verify();
    // Every save of a file that is still there is known, whatever became of the cursor.
    let saved = |rows: &[Value]| -> BTreeSet<String> {
        let is_save = |row: &&Value| {
            ["created", "modified"]
                .iter()
                .any(|action| row["action"] == *action)
        };
        rows.iter()
            .filter(is_save)
            .map(|row| format!("{} {}", row["item_id"], row["revision_id"]))
            .collect()
    };
    let truth = told(provider, bench.sim().source(), FOLDER, &[round_end(1)]);
    let events = events_as_facts(&bench.events());
    let missing: Vec<String> = saved(&truth).difference(&saved(&events)).cloned().collect();
    assert_eq!(missing, Vec::<String>::new());
    // The folder goes on from the new cursor.
    bench.advance(round_end(2));
    let next = bench.call(&["harvest", "--output", "json"]).exits(0).json();
    assert_eq!(next["folders"][0]["state"], "complete");
    bench.verify();
}

#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn a_missing_author_is_not_reported_and_not_guessed(#[case] provider: Provider) {
    let bench = bench(provider);
    let operation = match provider {
        Provider::OneDrive => "versions",
        Provider::GoogleDrive => "revisions",
        Provider::Dropbox => "list_revisions",
    };
    bench.sim().plan_faults(vec![FaultPlan {
        times: 1000,
        ..FaultPlan::once(Fault::MissingActor).on(operation)
    }]);
    bench.advance(round_end(0));
    let _harvested = bench.call(&["harvest"]).exits(0);
    assert!(bench.sim().faults_fired().contains_key(&FaultKind::MissingActor));
    bench.verify();
    let events = bench.events();
    let nameless: Vec<&Value> = events
        .iter()
        .filter(|event| event["actor_source"] == "not_reported")
        .collect();
    assert!(
        nameless.iter().any(|event| event["item_kind"] == "file"),
        "{events:?}"
    );
    for event in nameless {
        assert_eq!(event["actor_kind"], "unknown", "{event}");
        assert!(event["actor_id"].is_null() || event["actor_id"] == "", "{event}");
    }
}

#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn a_throttle_that_does_not_end_fails_the_folder_and_says_so(#[case] provider: Provider) {
    let bench = bench(provider);
    bench.advance(round_end(0));
    let forever = FaultPlan {
        times: u64::MAX,
        ..FaultPlan::once(Fault::Unavailable503 { retry_after: None })
    };
    bench.sim().plan_faults(vec![forever]);
    let failed = bench.call(&["harvest", "--output", "json"]).exits(4).json();
    assert_eq!(failed["folders"][0]["state"], "failed");
    assert_eq!(failed["folders"][0]["events"], 0);
    bench.verify();
    // Nothing is skipped: the next run reads it all.
    bench.sim().clear_faults();
    let _harvested = bench.call(&["harvest"]).exits(0);
    let truth = told(provider, bench.sim().source(), FOLDER, &[round_end(0)]);
    assert_same(&events_as_facts(&bench.events()), &truth);
}
