//! What is particular to Google Drive, in whole runs: shared drives, searches that did not look everywhere, readers who may not edit.
#![allow(clippy::unwrap_used, reason = "tests")]

mod whole;

use revtrail_e2e::{Bench, FOLDER, Place, assert_same, events_as_facts, told};
use revtrail_simulator::{
    Edit, Fault, FaultPlan, GoogleCorpus, GoogleRole, Options, Provider, Timestamp, WorldSource,
};
use serde_json::{Value, json};

fn at(day: u32, minute: u32) -> Timestamp {
    format!("2026-10-{day:02}T08:{minute:02}:00Z").parse().unwrap()
}

fn world() -> WorldSource {
    let file = |minute, path: &str| {
        Edit::created(at(1, minute), path, 10 + u64::from(minute)).by("ada@acme.example")
    };
    WorldSource::from_edits(vec![
        file(1, "Handbook/a.txt"),
        file(2, "Handbook/b/c.txt"),
        file(3, "Elsewhere/d.txt"),
        Edit::modified(at(3, 1), "Handbook/a.txt", 99).by("bo@acme.example"),
        Edit::renamed(at(3, 2), "Elsewhere/d.txt", "Handbook/b/d.txt").by("bo@acme.example"),
        Edit::modified(at(5, 1), "Handbook/b/c.txt", 98).by("bo@acme.example"),
        Edit::deleted(at(7, 1), "Handbook/a.txt").by("bo@acme.example"),
    ])
}

fn bench(options: Options) -> Bench {
    bench_of(world(), options, FOLDER)
}

/// The folder at `path`, of My Drive or of the shared drive.
fn bench_of(source: WorldSource, options: Options, path: &str) -> Bench {
    let is_shared = options.google_corpus == GoogleCorpus::SharedDrive;
    let place = Place {
        name: "handbook",
        provider: Provider::GoogleDrive,
        path,
    };
    let bench = Bench::new(source, options, &[place]);
    if is_shared {
        let path = format!("path = \"{path}\"");
        let on_drive = format!("{path}\ndrive = \"{}\"", bench.sim().google_shared_drive());
        bench.write("revtrail.toml", &bench.config().replace(&path, &on_drive));
    }
    bench.init();
    bench
}

fn shared() -> Options {
    Options {
        google_corpus: GoogleCorpus::SharedDrive,
        page_size: Some(2),
        ..Options::default()
    }
}

/// The window of the only folder, whatever the exit code.
fn harvest(bench: &Bench) -> (Option<i32>, Value) {
    let outcome = bench.call(&["harvest", "--output", "json"]);
    let window =
        serde_json::from_str::<Value>(&outcome.stdout).map_or(Value::Null, |run| run["folders"][0].clone());
    (outcome.code, window)
}

fn actions(bench: &Bench, action: &str) -> Vec<Value> {
    bench
        .events()
        .into_iter()
        .filter(|event| event["action"] == action)
        .collect()
}

#[test]
fn a_shared_drive_is_read_by_its_own_log_and_listing() {
    let bench = bench(shared());
    let polls = [at(2, 0), at(4, 0), at(6, 0)];
    for poll in polls {
        bench.advance(poll);
        let _harvested = bench.call(&["harvest"]).exits(0);
    }
    assert_same(
        &events_as_facts(&bench.events()),
        &told(Provider::GoogleDrive, &world(), FOLDER, &polls),
    );
    let drive = bench.sim().google_shared_drive();
    assert!(
        bench
            .events()
            .iter()
            .all(|event| event["drive_id"] == json!(drive))
    );
    // On shared drives alone Google tells who put something into the bin, and when.
    bench.advance(at(8, 0));
    let _harvested = bench.call(&["harvest"]).exits(0);
    let trashed = actions(&bench, "trashed");
    assert_eq!(trashed.len(), 1);
    assert_eq!(trashed[0]["actor_email"], "bo@acme.example");
    let trashed_at: Timestamp = trashed[0]["occurred_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(trashed_at, at(7, 1));
    bench.verify();
}

#[test]
fn a_lost_membership_is_a_gap_and_no_deletion() {
    let bench = bench(shared());
    bench.advance(at(2, 0));
    let _harvested = bench.call(&["harvest"]).exits(0);
    let lost = FaultPlan {
        times: 100,
        ..FaultPlan::once(Fault::MembershipLost)
    };
    bench.sim().plan_faults(vec![lost]);
    bench.advance(at(4, 0));
    let (code, window) = harvest(&bench);
    assert_ne!(code, Some(0));
    assert_ne!(window["state"], "complete", "{window}");
    for action in ["deleted", "trashed", "access_lost", "moved_out"] {
        assert_eq!(actions(&bench, action), Vec::<Value>::new(), "{action}");
    }
    bench.sim().clear_faults();
    bench.advance(at(6, 0));
    let _harvested = bench.call(&["harvest"]).exits(0);
    assert_eq!(actions(&bench, "modified").len(), 2);
    bench.verify();
}

#[test]
fn a_search_that_did_not_look_everywhere_is_never_an_empty_folder() {
    let bench = bench(Options::default());
    bench.sim().plan_faults(vec![FaultPlan {
        first: 2,
        ..FaultPlan::once(Fault::IncompleteSearch).on("files")
    }]);
    bench.advance(at(2, 0));
    let (code, window) = harvest(&bench);
    assert_eq!(bench.sim().faults_fired().values().sum::<u64>(), 1);
    assert_ne!(code, Some(0), "{window}");
    let _harvested = bench.call(&["harvest"]).exits(0);
    bench.advance(at(6, 0));
    let _harvested = bench.call(&["harvest"]).exits(0);
    assert_same(
        &events_as_facts(&bench.events()),
        &told(Provider::GoogleDrive, &world(), FOLDER, &[at(2, 0), at(6, 0)]),
    );
    bench.verify();
}

#[test]
fn a_reader_who_may_not_edit_sees_states_and_a_gap_per_file() {
    let bench = bench(Options {
        google_role: GoogleRole::Viewer,
        ..Options::default()
    });
    bench.advance(at(2, 0));
    let (code, window) = harvest(&bench);
    assert_eq!(code, Some(4), "{window}");
    assert_eq!(window["state"], "partial");
    let gaps: Vec<&str> = window["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(
        !gaps.is_empty() && gaps.iter().all(|gap| gap.contains("revisions")),
        "{window}"
    );
    for action in ["deleted", "trashed", "access_lost"] {
        assert_eq!(actions(&bench, action), Vec::<Value>::new(), "{action}");
    }
    bench.verify();
}
