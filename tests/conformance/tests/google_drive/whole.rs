//! A shared drive of which the whole is designated: its first look, the look after a lost cursor and the reconciliation walk list it
//! whole.

use std::collections::BTreeMap;

use revtrail_e2e::rows;
use revtrail_simulator::{FaultKind, truth::google_drive::could_tell_on_shared_drive};
use rstest::rstest;

use super::*;

const WHOLE: &str = "/";

/// Looks on the 2nd, the 4th and the 6th.
fn polls() -> [Timestamp; 3] {
    [at(2, 0), at(4, 0), at(6, 0)]
}

/// Folders with files, one of them in the bin before anybody looks, and what happens between looks.
fn edits() -> Vec<Edit> {
    let mut edits: Vec<Edit> = (1..=9)
        .map(|n| {
            Edit::created(
                at(1, n),
                &format!("Handbook/d{}/f{n}.txt", n % 3),
                10 + u64::from(n),
            )
        })
        .collect();
    edits.extend([
        Edit::created(at(1, 10), "top.txt", 20),
        Edit::deleted(at(1, 12), "Handbook/d2"),
        Edit::deleted(at(1, 13), "Handbook/d1/f4.txt"),
        Edit::modified(at(3, 1), "Handbook/d1/f1.txt", 51),
        Edit::renamed(at(3, 2), "Handbook/d0/f3.txt", "f3.txt"),
        Edit::deleted(at(3, 3), "Handbook/d1/f7.txt"),
        Edit::created(at(3, 5), "Handbook/new/n.txt", 52),
        Edit::renamed(at(5, 1), "Handbook/d1", "Handbook/d0/e1"),
        Edit::restored(at(5, 2), "Handbook/d2"),
        Edit::modified(at(5, 3), "f3.txt", 53),
    ]);
    edits
        .into_iter()
        .map(|edit| edit.by("ada@acme.example"))
        .collect()
}

struct Stage {
    bench: Bench,
    source: WorldSource,
}

impl Stage {
    fn of(edits: Vec<Edit>, options: Options) -> Self {
        let source = WorldSource::from_edits(edits);
        let bench = bench_of(source.clone(), options, WHOLE);
        Self { bench, source }
    }

    fn new() -> Self {
        Self::of(edits(), shared())
    }

    fn look(&self, poll: Timestamp, more: &[&str], code: i32) -> Value {
        self.bench.advance(poll);
        let args = [&["harvest", "--output", "json"], more].concat();
        let run = self.bench.call(&args).exits(code).json();
        run["folders"][0].clone()
    }

    fn look_well(&self, poll: Timestamp) {
        let row = self.look(poll, &[], 0);
        assert_eq!(
            (&row["state"], &row["gaps"]),
            (&json!("complete"), &json!([])),
            "{row}"
        );
    }

    fn assert_told(&self, polls: &[Timestamp]) {
        assert_same(&events_as_facts(&self.bench.events()), &self.truth(polls));
        self.bench.verify();
    }

    fn truth(&self, polls: &[Timestamp]) -> Vec<Value> {
        rows(&could_tell_on_shared_drive(&self.source, WHOLE, polls).unwrap())
    }

    /// Requests since the counts were last asked for.
    fn requests(&self) -> BTreeMap<&'static str, u64> {
        let counts = self.bench.sim().counts().remove(&Provider::GoogleDrive);
        self.bench.sim().reset_counts();
        counts.unwrap_or_default()
    }
}

/// Five hundred folders with a file each, and one above: a folder by itself would take a request for each.
#[test]
fn a_walk_takes_a_request_for_a_thousand_items() {
    let second = |day, n: u32| Timestamp::from_second(at(day, 0).as_second() + i64::from(n)).unwrap();
    let mut edits: Vec<Edit> = (0..500)
        .map(|n| Edit::created(second(1, n), &format!("All/d{n:03}/f.txt"), 10))
        .collect();
    edits.push(Edit::deleted(second(3, 1), "All/d007"));
    let options = Options {
        page_size: None,
        ..shared()
    };
    let stage = Stage::of(edits.clone(), options.clone());
    stage.look_well(polls()[0]);
    assert_eq!(stage.requests()["files"], 2, "1,001 items");
    let row = stage.look(polls()[1], &["--reconcile"], 0);
    assert_eq!(row["reconciled"], 0, "{row}");
    assert_eq!(stage.requests()["files"], 2, "what is in the bin is listed, too");
    stage
        .bench
        .sim()
        .plan_faults(vec![FaultPlan::once(Fault::LostCursor)]);
    let row = stage.look(polls()[2], &[], 4);
    assert_eq!(row["gaps"], json!(["cursor_lost"]), "{row}");
    assert_eq!(stage.requests()["files"], 2);
    stage.assert_told(&polls()[..2]);
    // The same items below a folder that is not the root.
    let bench = bench_of(WorldSource::from_edits(edits), options, "/All");
    bench.advance(polls()[0]);
    let _harvested = bench.call(&["harvest"]).exits(0);
    let by_folder = bench.sim().counts().remove(&Provider::GoogleDrive).unwrap();
    // One looks for the folder by its name.
    assert_eq!(by_folder["files"], 1 + 501);
}

/// Items in the bin and out of it, moves and saves: a walk at every look finds what the log tells, and nothing else.
#[rstest]
fn the_record_is_what_the_feed_and_the_listing_tell(#[values(1, 2, 1000)] page_size: usize) {
    let options = Options {
        page_size: Some(page_size),
        ..shared()
    };
    let stage = Stage::of(edits(), options);
    for poll in polls() {
        let row = stage.look(poll, &["--reconcile"], 0);
        assert_eq!(
            (&row["state"], &row["gaps"], &row["reconciled"]),
            (&json!("complete"), &json!([]), &json!(0)),
            "{row}"
        );
    }
    stage.assert_told(&polls());
    assert_eq!(actions(&stage.bench, "access_lost"), Vec::<Value>::new());
}

/// What lies in a folder that nobody shows us names no parent: it is outside, and the listing takes it for that as the log does.
#[test]
fn an_item_without_a_parent_is_outside() {
    let edits = vec![
        Edit::created(at(1, 1), "d/a.txt", 1),
        Edit::created(at(1, 2), "p.unseen/b.txt", 2),
        Edit::created(at(1, 3), "p.unseen/sub/c.txt", 3),
        Edit::renamed(at(3, 1), "d/a.txt", "p.unseen/a.txt"),
        Edit::modified(at(3, 2), "p.unseen/b.txt", 3),
        Edit::renamed(at(5, 1), "p.unseen/a.txt", "d/a.txt"),
        Edit::renamed(at(5, 2), "p.unseen/sub", "d/sub"),
    ];
    let stage = Stage::of(edits, shared());
    for poll in polls() {
        let row = stage.look(poll, &["--reconcile"], 0);
        assert_eq!(
            (&row["gaps"], &row["reconciled"]),
            (&json!([]), &json!(0)),
            "{row}"
        );
    }
    let mut told: Vec<String> = stage
        .bench
        .events()
        .iter()
        .map(|event| {
            format!(
                "{} {}",
                event["action"].as_str().unwrap(),
                event["path"].as_str().unwrap()
            )
        })
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "created d",
            "created d/a.txt",
            "created d/sub/c.txt",
            "moved_in d/a.txt",
            "moved_in d/sub",
            "moved_in d/sub/c.txt",
            "moved_out d/a.txt",
        ]
    );
    stage.bench.verify();
}

/// A full listing after the cursor was lost shows what is in the bin as such, and not as lost.
#[test]
fn a_lost_cursor_costs_no_item() {
    let stage = Stage::new();
    stage.look_well(polls()[0]);
    stage
        .bench
        .sim()
        .plan_faults(vec![FaultPlan::once(Fault::LostCursor)]);
    let row = stage.look(polls()[1], &[], 4);
    assert_eq!(row["gaps"], json!(["cursor_lost"]), "{row}");
    stage.look_well(polls()[2]);
    assert_eq!(actions(&stage.bench, "access_lost"), Vec::<Value>::new());
    stage.assert_told(&polls());
}

/// Pages that are empty, doubled or refused because their token ran out change nothing.
#[rstest]
#[case::empty(Fault::EmptyPage)]
#[case::doubled(Fault::DuplicateItems)]
#[case::expired(Fault::ExpiredPageToken)]
#[case::cut_off(Fault::TruncatedJson)]
fn what_passes_in_a_listing_leaves_no_trace(#[case] fault: Fault) {
    let stage = Stage::new();
    let kind = fault.kind();
    stage.bench.sim().plan_faults(vec![FaultPlan {
        first: 2,
        // Rarely enough that a listing of ten pages comes to its end.
        every: if kind == FaultKind::ExpiredPageToken {
            13
        } else {
            3
        },
        times: 40,
        ..FaultPlan::once(fault).on("files")
    }]);
    for poll in polls() {
        let row = stage.look(poll, &["--reconcile"], 0);
        assert_eq!(
            (&row["gaps"], &row["reconciled"]),
            (&json!([]), &json!(0)),
            "{row}"
        );
    }
    assert!(stage.bench.sim().faults_fired()[&kind] >= 2, "{kind:?}");
    stage.assert_told(&polls());
}

/// In a walk beside the feed a search that did not look everywhere is a walk that failed: nothing is lost.
#[test]
fn a_search_that_did_not_look_everywhere_is_no_smaller_drive() {
    let stage = Stage::new();
    let incomplete = || FaultPlan {
        first: 3,
        ..FaultPlan::once(Fault::IncompleteSearch).on("files")
    };
    stage.bench.sim().plan_faults(vec![incomplete()]);
    stage.bench.advance(polls()[0]);
    let (code, window) = harvest(&stage.bench);
    assert_ne!(code, Some(0), "{window}");
    assert_eq!(stage.bench.events().len(), 0);
    stage.look_well(polls()[0]);
    stage.bench.sim().plan_faults(vec![incomplete()]);
    let row = stage.look(polls()[1], &["--reconcile"], 4);
    assert_eq!(row["gaps"], json!(["walk_failed"]), "{row}");
    let row = stage.look(polls()[2], &["--reconcile"], 0);
    assert_eq!(row["reconciled"], 0, "{row}");
    assert_eq!(stage.bench.sim().faults_fired()[&FaultKind::IncompleteSearch], 2);
    stage.assert_told(&polls());
}

/// The log is read from where it stood before the first page: what comes, goes and moves while pages are read is told, once.
#[test]
fn edits_between_the_pages_of_a_first_look_are_told() {
    let second = |n: u32| Timestamp::from_second(at(2, 0).as_second() + i64::from(n)).unwrap();
    let mut edits: Vec<Edit> = (0..24)
        .map(|n| Edit::created(at(1, n), &format!("d{}/f{n}.txt", n % 3), u64::from(n) + 1))
        .collect();
    for n in 0..24 {
        let path = format!("d{}/f{n}.txt", n % 3);
        edits.push(match n % 4 {
            0 => Edit::modified(second(n), &path, 90 + u64::from(n)),
            1 => Edit::renamed(second(n), &path, &format!("g{n}.txt")),
            2 => Edit::deleted(second(n), &path),
            _ => Edit::created(second(n), &format!("d{}/new{n}.txt", n % 3), 5),
        });
    }
    let stage = Stage::of(edits, shared());
    stage.bench.sim().plan_faults(vec![FaultPlan {
        times: 12,
        ..FaultPlan::once(Fault::Meanwhile { edits: 2 }).on("files")
    }]);
    stage.look_well(polls()[0]);
    assert_eq!(stage.bench.sim().faults_fired()[&FaultKind::Meanwhile], 12);
    let row = stage.look(polls()[1], &["--reconcile"], 0);
    assert_eq!(row["reconciled"], 0, "{row}");
    let saves = |rows: &[Value]| {
        let with_revision = rows.iter().filter(|row| row["revision_id"].is_string());
        let mut saves: Vec<String> = with_revision
            .map(|row| format!("{} {}", row["item_id"], row["revision_id"]))
            .collect();
        saves.sort();
        saves
    };
    let facts = events_as_facts(&stage.bench.events());
    assert_eq!(saves(&facts), saves(&stage.truth(&polls()[..2])));
    stage.bench.verify();
}
