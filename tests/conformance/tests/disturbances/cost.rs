//! What a run costs, counted at the provider: nothing but questions about what changed.

use std::collections::BTreeMap;

use super::*;

/// A folder with so many files, of which so many are saved again before the second look.
fn stage(provider: Provider, files: u32, saved: u32) -> Stage {
    let second = |day: u32, n: u32| -> Timestamp {
        Timestamp::from_second(at(day, 0).as_second() + i64::from(n)).unwrap()
    };
    let made = (0..files).map(|n| Edit::created(second(1, n), &format!("Handbook/f{n:04}.txt"), 10));
    let again = (0..saved).map(|n| Edit::modified(second(3, n), &format!("Handbook/f{n:04}.txt"), 20));
    Stage::of(provider, made.chain(again).collect(), Options::default())
}

/// Requests of one look at the simulator, and the summary of the run.
fn cost(stage: &Stage, poll: Timestamp) -> (BTreeMap<&'static str, u64>, Value) {
    stage.bench.sim().reset_counts();
    stage.bench.advance(poll);
    let row = stage.bench.call(&["harvest", "--output", "json"]).exits(0).json()["folders"][0].clone();
    let mut counts = stage.bench.sim().counts().remove(&stage.provider).unwrap();
    counts.remove("token");
    (counts, row)
}

/// The requests of a look without changes, and their price in the provider's units.
fn quiet(provider: Provider) -> (BTreeMap<&'static str, u64>, u64) {
    match provider {
        Provider::OneDrive => ([("delta", 1), ("item", 1)].into(), 2),
        Provider::GoogleDrive => ([("changes", 1), ("file", 2)].into(), 110),
        Provider::Dropbox => (
            [
                ("get_current_account", 1),
                ("get_metadata", 1),
                ("list_folder_continue", 1),
            ]
            .into(),
            3,
        ),
    }
}

#[rstest]
fn a_look_without_changes_costs_the_same_whatever_is_there(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values(10, 120)] files: u32,
) {
    let stage = stage(provider, files, 0);
    stage.look_well(polls()[0]);
    let (counts, row) = cost(&stage, polls()[1]);
    let (requests, units) = quiet(provider);
    assert_eq!(counts, requests, "{row}");
    assert_eq!(row["units"], units, "{row}");
}

/// Revision lists go in batches: 20 for Graph, 100 for Drive; Dropbox has none.
#[rstest]
fn a_look_with_changes_costs_what_changed(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values(1, 45)] saved: u32,
    #[values(50, 120)] files: u32,
) {
    let stage = stage(provider, files, saved);
    stage.look_well(polls()[0]);
    let (mut counts, row) = cost(&stage, polls()[1]);
    let (requests, units) = quiet(provider);
    let saved = u64::from(saved);
    let (lists, list, batches, each) = match provider {
        // Parts of a batch are counted at the simulator, too.
        Provider::OneDrive => ("versions", saved, saved.div_ceil(20), 2),
        // A single question is asked by itself.
        Provider::GoogleDrive => (
            "revisions",
            saved,
            if saved == 1 { 0 } else { saved.div_ceil(100) },
            100,
        ),
        Provider::Dropbox => ("list_revisions", saved, 0, 1),
    };
    assert_eq!(counts.remove(lists), Some(list), "{row}");
    assert_eq!(counts.remove("batch").unwrap_or(0), batches, "{row}");
    // Dropbox names authors by a request of its own, for all of them at once.
    counts.remove("get_account_batch");
    assert_eq!(counts, requests, "{row}");
    let extra = u64::from(provider == Provider::Dropbox);
    assert_eq!(row["units"], units + saved * each + extra, "{row}");
    assert_eq!(row["files_listed"], saved);
}
