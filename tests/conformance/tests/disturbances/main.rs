//! What can go wrong between a provider and its reader, for every provider: which events are recorded all the same, and which gap says
//! what is missing.
#![allow(clippy::unwrap_used, reason = "tests")]

mod access;
mod cost;
mod failures;
mod forms;
mod gaps;
mod kinds;
mod merged;
mod people;
mod removed;
mod stage;
mod walks;

use revtrail_simulator::{Edit, Fault, FaultKind, FaultPlan, Options, Provider, Timestamp};
use rstest::rstest;
use serde_json::{Value, json};
use stage::{Stage, at, polls, saves, world};

/// Nothing is lost, so the record is as if nothing had been, and no gap is told.
#[rstest]
fn what_passes_leaves_no_trace(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values(
        Fault::EmptyPage,
        Fault::DuplicateItems,
        Fault::UnknownFields,
        Fault::TruncatedJson,
        Fault::ResetMidBody,
        Fault::ExpiredToken
    )]
    fault: Fault,
) {
    let stage = Stage::paged(provider);
    let kind = fault.kind();
    stage.plan(FaultPlan {
        first: 2,
        // Rarely enough that a request repeated after a refused token is not refused again.
        every: if kind == FaultKind::ExpiredToken { 11 } else { 3 },
        times: 40,
        ..FaultPlan::once(fault)
    });
    for poll in polls() {
        stage.look_well(poll);
    }
    assert!(stage.bench.sim().faults_fired()[&kind] >= 2, "{kind:?}");
    stage.assert_told(&polls());
}

/// Every request is refused several times before it is answered.
#[rstest]
fn a_storm_of_refusals_is_waited_out(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values(
        Fault::Throttle429 { retry_after: Some("0".to_owned()) },
        Fault::Unavailable503 { retry_after: None }
    )]
    fault: Fault,
) {
    storm(provider, &fault);
}

/// Google Drive refuses with 403 as well, in three spellings.
#[test]
fn a_storm_of_googles_own_refusals_is_waited_out() {
    storm(Provider::GoogleDrive, &Fault::DriveRateLimit403);
}

fn storm(provider: Provider, fault: &Fault) {
    let stage = Stage::new(provider);
    for poll in polls() {
        for first in [1, 2, 3] {
            // Three refusals in a row, again and again.
            stage.plan(FaultPlan {
                first,
                every: 4,
                times: 8,
                ..FaultPlan::once(fault.clone())
            });
        }
        stage.look_well(poll);
        stage.bench.sim().clear_faults();
    }
    stage.assert_told(&polls());
}

/// A limit that does not lift fails the look; nothing is skipped.
#[rstest]
fn a_storm_without_end_fails_the_look_and_loses_nothing(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let stage = Stage::new(provider);
    stage.look_well(polls()[0]);
    stage.plan(FaultPlan {
        times: u64::MAX,
        ..FaultPlan::once(Fault::Throttle429 {
            retry_after: Some("0".to_owned()),
        })
    });
    let row = stage.look(polls()[1], 4);
    assert_eq!(row["state"], "failed");
    assert_eq!(row["gaps"], json!(["feed_failed"]), "{row}");
    stage.bench.sim().clear_faults();
    stage.look_well(polls()[2]);
    stage.assert_told(&[polls()[0], polls()[2]]);
}

/// A lost cursor: everything is listed again and compared. Saves are all known; what only the feed tells is a net difference; the gap
/// says from when to when.
#[rstest]
fn a_lost_cursor_is_a_gap_between_two_looks(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let stage = Stage::new(provider);
    stage.look_well(polls()[0]);
    stage.plan(FaultPlan::once(Fault::LostCursor));
    let row = stage.look(polls()[1], 4);
    assert_eq!(row["state"], "partial");
    assert_eq!(row["gaps"], json!(["cursor_lost"]));
    stage.look_well(polls()[2]);
    stage.bench.verify();
    let (facts, truth) = (stage.facts(), stage.truth(&polls()));
    assert_eq!(saves(&facts), saves(&truth));
    for action in ["renamed", "moved", "created", "modified"] {
        let of = |rows: &[Value]| rows.iter().filter(|row| row["action"] == *action).count();
        assert_eq!(of(&facts), of(&truth), "{action}");
    }
    // The deleted file is missing from a full listing, and what that means differs; a feed from a moment tells that it was deleted.
    let gone: Vec<(Value, Value)> = facts
        .iter()
        .filter(|row| row["path"] == "d1/f3.txt" && row["revision_id"].is_null())
        .map(|row| (row["action"].clone(), row["derived_from"].clone()))
        .collect();
    let expected = match provider {
        Provider::OneDrive | Provider::Dropbox => (json!("deleted"), Value::Null),
        Provider::GoogleDrive => (json!("trashed"), Value::Null),
    };
    assert_eq!(gone, [expected]);
}

/// A revision that is no longer listed is said to have vanished, once, between the two looks.
#[rstest]
#[case::onedrive(Provider::OneDrive, "versions")]
#[case::google_drive(Provider::GoogleDrive, "revisions")]
#[case::dropbox(Provider::Dropbox, "list_revisions")]
fn a_vanished_revision_is_told_once(#[case] provider: Provider, #[case] operation: &str) {
    let saved = |day, minute, size| Edit::modified(at(day, minute), "Handbook/a.txt", size);
    let edits = vec![
        Edit::created(at(1, 1), "Handbook/a.txt", 1),
        saved(1, 2, 2),
        saved(1, 3, 3),
        saved(3, 1, 4),
        saved(5, 1, 5),
    ];
    let stage = Stage::of(provider, edits, Options::default());
    stage.look_well(polls()[0]);
    stage.plan(FaultPlan::once(Fault::VanishedRevision).on(operation));
    stage.look_well(polls()[1]);
    let vanished = stage.actions("revision_vanished");
    assert_eq!(vanished.len(), 1, "{vanished:?}");
    assert_eq!(vanished[0]["basis"], "derived");
    assert_eq!(vanished[0]["actor_kind"], "unknown");
    assert_eq!(vanished[0]["occurred_not_before"], json!(polls()[0]));
    let recorded = saves(&stage.facts());
    assert_eq!(recorded.len(), 5, "four saves, one of them twice: {recorded:?}");
    stage.bench.verify();
}

/// Google's editors leave revisions out of their lists, always.
#[test]
fn a_list_of_the_editors_is_a_gap_at_every_change() {
    let edits = vec![
        Edit::created(at(1, 1), "Handbook/minutes.gdoc", 1),
        Edit::modified(at(3, 1), "Handbook/minutes.gdoc", 2),
    ];
    let stage = Stage::of(Provider::GoogleDrive, edits, Options::default());
    for poll in [polls()[0], polls()[1]] {
        let row = stage.look(poll, 4);
        assert_eq!(row["gaps"], json!(["revisions_truncated"]));
        assert_eq!(row["state"], "partial");
    }
    stage.look_well(polls()[2]);
    stage.assert_told(&polls());
}

/// Dropbox lists a hundred revisions by id, and older ones by place: what breaks off on the way is said to be incomplete.
#[rstest]
#[case::nothing_older(120, 1)]
#[case::some_older(250, 2)]
fn a_long_list_that_breaks_off_is_a_gap(#[case] edits: i64, #[case] first: u64) {
    let saves = (0..edits).map(|n| {
        let at = Timestamp::from_second(at(1, 0).as_second() + n).unwrap();
        match n {
            0 => Edit::created(at, "Handbook/a.txt", 1),
            n => Edit::modified(at, "Handbook/a.txt", n.unsigned_abs() + 1),
        }
    });
    let stage = Stage::of(Provider::Dropbox, saves.collect(), Options::default());
    stage.plan(FaultPlan {
        first,
        times: 10,
        ..FaultPlan::once(Fault::PurgedMidPaging)
    });
    let row = stage.look(polls()[0], 4);
    assert_eq!(row["gaps"], json!(["revisions_truncated"]));
    let known = stage.bench.events().len();
    assert!((100..usize::try_from(edits).unwrap()).contains(&known), "{known}");
    stage.bench.verify();
}

/// Entries of a kind nobody knows are kept and counted, and the rest of the page is read.
#[rstest]
fn an_unknown_kind_is_counted_and_costs_nothing_else(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let stage = Stage::new(provider);
    stage.plan(FaultPlan::once(Fault::UnknownKind));
    stage.look_well(polls()[0]);
    assert_eq!(stage.bench.sim().faults_fired()[&FaultKind::UnknownKind], 1);
    let truth = saves(&stage.truth(&polls()[..1]));
    let facts = stage.facts();
    let missing: Vec<&String> = truth
        .iter()
        .filter(|save| !saves(&facts).contains(save))
        .collect();
    assert_eq!(missing.len(), 1, "{missing:?}");
    let strange: Vec<&Value> = facts.iter().filter(|row| row["item_kind"] == "other").collect();
    assert!(strange.len() <= 1, "{strange:?}");
    stage.bench.verify();
}

/// The provider's clock bounds what is derived, however far ours is from it.
#[rstest]
fn clocks_years_apart_do_not_mix(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values(2019, 2061)] year: i32,
) {
    let shift =
        |at: Timestamp| -> Timestamp { at.to_string().replace("2026", &year.to_string()).parse().unwrap() };
    let edits = world().into_iter().map(|edit| Edit {
        at: shift(edit.at),
        ..edit
    });
    let stage = Stage::of(provider, edits.collect(), Options::default());
    let looks = polls().map(shift);
    for look in looks {
        stage.look_well(look);
    }
    stage.assert_told(&looks);
    // Our own clock is beside it, and is another.
    for event in stage.bench.events() {
        let observed: Timestamp = event["observed_at"].as_str().unwrap().parse().unwrap();
        assert!(
            (observed.as_second() - looks[2].as_second()).abs() > 86_400 * 30,
            "{event}"
        );
    }
}
