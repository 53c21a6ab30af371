//! Legal holds over an archive in memory that keeps holds as a locked bucket would: crashes, the turn of the year, deadlines.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

use revtrail_archive::{Archive, Fault, FaultyArchive, LegalHold, MemoryArchive, RetentionMode};
use revtrail_e2e::{
    Bench, FOLDER, Inside, Place, round_end, rounds,
    verifiers::{Case, auditor, named, script, script_differs},
};
use revtrail_evidence::{Severity, Verdict};
use revtrail_harvest::{
    HarvestError, StampEvery, TimeStamper,
    holds::{self, Order},
    log::open_log,
};
use revtrail_model::{id::LedgerName, layout::LogName, leaf::HoldAction};
use revtrail_simulator::{Options, Provider, Timestamp};
use rstest::rstest;

type Store = FaultyArchive<MemoryArchive>;

fn bench() -> Bench {
    let place = Place {
        name: "handbook",
        provider: Provider::Dropbox,
        path: FOLDER,
    };
    let bench = Bench::new(rounds("Handbook", 2, 4), Options::default(), &[place]);
    bench.advance(round_end(1));
    bench
}

fn clock(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn store() -> Arc<Store> {
    Arc::new(FaultyArchive::new(MemoryArchive::with_object_lock(
        RetentionMode::Compliance,
    )))
}

fn shared(store: &Arc<Store>) -> Arc<dyn Archive> {
    Arc::clone(store) as Arc<dyn Archive>
}

fn order(action: HoldAction, case: &str, year: Option<i16>) -> Order {
    Order {
        action,
        case: case.to_owned(),
        by: "R. Ruiz".to_owned(),
        reason: "claim".to_owned(),
        year,
    }
}

/// A ledger whose archive can hold objects, and orders about it.
struct Held<'a> {
    bench: &'a Bench,
    inside: Inside<'a>,
    store: Arc<Store>,
}

impl<'a> Held<'a> {
    fn new(bench: &'a Bench, made: &str) -> Self {
        let (inside, store) = (Inside::new(bench), store());
        inside.init(shared(&store), clock(made)).unwrap();
        Self { bench, inside, store }
    }

    fn harvest(&self, now: &str) {
        let _summary = self.inside.harvest(shared(&self.store), clock(now)).unwrap();
    }

    /// Records the order and settles the objects; gives how many holds were placed or released.
    fn order(&self, order: &Order, now: &str) -> Result<usize, HarvestError> {
        let plan = self.inside.plan(shared(&self.store), clock(now));
        self.bench.block_on(async {
            let recorded = holds::record(&plan, order).await?;
            let released = match order.action {
                HoldAction::Placed => holds::open(&plan).await?,
                HoldAction::Released => recorded.holds.clone(),
            };
            let ledger = LedgerName::from("main");
            let settled = holds::settle(&plan.archive, &ledger, (&recorded.open, &released)).await?;
            assert!(settled.failed.is_empty(), "{settled:?}");
            Ok(recorded.holds.len())
        })
    }

    /// Record objects of a year: held, and not held.
    fn count(&self, year: &str) -> (usize, usize) {
        let archive = self.store.inner();
        let keys = archive.keys();
        let keys = keys.iter().filter(|key| {
            key.as_str().starts_with(&format!("main/{year}/")) && !key.as_str().contains("/tile/")
        });
        self.bench.block_on(async {
            let mut counted = (0, 0);
            for key in keys {
                match archive.head(key).await.unwrap().unwrap().legal_hold {
                    LegalHold::On => counted.0 += 1,
                    LegalHold::Off => counted.1 += 1,
                }
            }
            counted
        })
    }

    fn assert_sound(&self, now: &str) {
        let report = self.inside.verify(shared(&self.store), clock(now));
        let worse: Vec<_> = report
            .findings
            .iter()
            .filter(|finding| finding.severity != Severity::Note)
            .collect();
        assert!(worse.is_empty(), "{worse:?}");
    }
}

#[test]
fn a_hold_outlasts_the_year_and_covers_the_log_that_follows() {
    let bench = bench();
    let held = Held::new(&bench, "2026-12-30T10:00:00Z");
    let (all, one) = (
        order(HoldAction::Placed, "all", None),
        order(HoldAction::Placed, "one", Some(2026)),
    );
    assert_eq!(held.order(&all, "2026-12-30T11:00:00Z").unwrap(), 1);
    assert_eq!(held.order(&one, "2026-12-30T12:00:00Z").unwrap(), 1);
    held.harvest("2027-01-01T01:00:00Z");
    assert_eq!((held.count("2026").1, held.count("2027").1), (0, 0));
    held.assert_sound("2027-01-01T02:00:00Z");

    // Each is about its own logs: without the first, the new year is let go and the old one is not.
    let release = order(HoldAction::Released, "all", None);
    assert_eq!(held.order(&release, "2027-01-01T03:00:00Z").unwrap(), 1);
    assert_eq!((held.count("2026").1, held.count("2027").0), (0, 0));
    let release = order(HoldAction::Released, "one", None);
    assert_eq!(held.order(&release, "2027-01-01T04:00:00Z").unwrap(), 1);
    assert_eq!((held.count("2026").0, held.count("2027").0), (0, 0));
    held.assert_sound("2027-01-01T05:00:00Z");
}

#[test]
fn a_hold_placed_in_a_new_year_turns_the_log_first() {
    let bench = bench();
    let held = Held::new(&bench, "2026-12-30T10:00:00Z");
    let placed = order(HoldAction::Placed, "case", None);
    assert_eq!(held.order(&placed, "2027-01-01T01:00:00Z").unwrap(), 1);
    assert_eq!((held.count("2026").1, held.count("2027").1), (0, 0));
    assert!(held.count("2026").0 > 0 && held.count("2027").0 > 0);
    held.harvest("2027-01-01T02:00:00Z");
    assert_eq!(held.count("2027").1, 0);
    held.assert_sound("2027-01-01T03:00:00Z");
}

#[test]
fn a_hold_does_not_hide_that_the_harvest_stopped() {
    let bench = bench();
    let held = Held::new(&bench, "2026-06-01T10:00:00Z");
    held.harvest("2026-06-01T11:00:00Z");
    let placed = order(HoldAction::Placed, "case", None);
    let _one = held.order(&placed, "2026-06-20T10:00:00Z").unwrap();
    let report = held
        .inside
        .verify(shared(&held.store), clock("2026-06-20T10:00:01Z"));
    assert_eq!(report.verdict(), Verdict::Incomplete, "{:?}", report.findings);
    assert_eq!(report.holds, 1);
    assert_eq!(report.open_holds.len(), 1);
}

/// Whatever fails while an order is recorded, doing it again ends where it would have ended.
#[rstest]
#[case::placed(HoldAction::Placed)]
#[case::released(HoldAction::Released)]
fn every_write_of_an_order_may_fail(#[case] action: HoldAction) {
    let bench = bench();
    let placed = order(HoldAction::Placed, "case", None);
    let order = order(action, "case", None);
    for nth in 1..=8 {
        let prefix = String::new;
        for fault in [
            Fault::Refuse {
                prefix: prefix(),
                nth,
            },
            Fault::RequestLost {
                prefix: prefix(),
                nth,
            },
            Fault::AckLost {
                prefix: prefix(),
                nth,
            },
        ] {
            let held = Held::new(&bench, "2026-06-01T10:00:00Z");
            if action == HoldAction::Released {
                let _one = held.order(&placed, "2026-06-01T11:00:00Z").unwrap();
            }
            held.store.faults().arm(fault.clone());
            let _first = held.order(&order, "2026-06-01T12:00:00Z");
            held.store.faults().disarm();
            // Until the release is recorded, nothing is let go.
            let open = {
                let plan = held
                    .inside
                    .plan(shared(&held.store), clock("2026-06-01T12:30:00Z"));
                bench.block_on(holds::open(&plan)).unwrap()
            };
            if action == HoldAction::Released && !open.is_empty() {
                assert!(held.count("2026").0 > 0, "{fault:?}");
            }
            let _second = held.order(&order, "2026-06-01T13:00:00Z").unwrap();
            let (on, off) = held.count("2026");
            match action {
                HoldAction::Placed => assert_eq!(off, 0, "{fault:?}: {on} held"),
                HoldAction::Released if open.is_empty() => {}
                HoldAction::Released => assert_eq!(on, 0, "{fault:?}: {off} not held"),
            }
            held.assert_sound("2026-06-01T14:00:00Z");
        }
    }
}

#[test]
fn a_case_has_one_hold_per_scope_and_a_release_takes_them_all() {
    let bench = bench();
    let held = Held::new(&bench, "2026-06-01T10:00:00Z");
    let time = "2026-06-01T11:00:00Z";
    for (year, expected) in [(None, 1), (None, 0), (Some(2026), 1), (Some(2026), 0)] {
        let placed = order(HoldAction::Placed, "case", year);
        assert_eq!(held.order(&placed, time).unwrap(), expected, "{year:?}");
    }
    let other = order(HoldAction::Released, "case", Some(2025));
    assert_eq!(held.order(&other, time).unwrap(), 0);
    assert_eq!(held.count("2026").1, 0);
    let all = order(HoldAction::Released, "case", None);
    assert_eq!(held.order(&all, time).unwrap(), 2);
    assert_eq!(held.count("2026").0, 0);
    held.assert_sound(time);
}

/// A copy of the record in `archive`, on disk.
fn copied(held: &Held<'_>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let archive = held.store.inner();
    for key in archive.keys() {
        let path = dir.path().join(key.as_str());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, held.bench.block_on(archive.read(&key)).unwrap()).unwrap();
    }
    dir
}

/// The one object of a kind and snapshot of the log of 2026.
fn object(copy: &Path, directory: &str, seq: u64) -> PathBuf {
    let objects = fs::read_dir(copy.join("main/2026").join(directory)).unwrap();
    let mut paths = objects.map(|entry| entry.unwrap().path());
    let start = format!("{seq:020}-");
    let of_snapshot = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(&start);
    paths.find(of_snapshot).unwrap()
}

/// Snapshot 1 of 2026 places a hold, 2 releases it, and 3 places another, which stays open.
#[rstest]
#[case::sound(None, 0, &[])]
#[case::what_opens_it_is_missing(Some(("sidecars", 1, None)), 3, &["segments", "sidecars"])]
#[case::a_state_that_forgot_it(Some(("state", 1, Some(0))), 3, &["state"])]
#[case::a_state_that_never_released_it(Some(("state", 2, Some(1))), 3, &["state"])]
fn verifiers_judge_holds_alike(
    #[case] damage: Option<(&str, u64, Option<u64>)>,
    #[case] code: i32,
    #[case] named_kinds: &[&str],
) {
    let bench = bench();
    let held = Held::new(&bench, "2026-12-30T10:00:00Z");
    for (action, case, now) in [
        (HoldAction::Placed, "first", "2026-12-30T11:00:00Z"),
        (HoldAction::Released, "first", "2026-12-30T12:00:00Z"),
        (HoldAction::Placed, "second", "2026-12-30T13:00:00Z"),
    ] {
        assert_eq!(held.order(&order(action, case, None), now).unwrap(), 1);
    }
    held.harvest("2027-01-01T01:00:00Z");
    let copy = copied(&held);
    match damage {
        Some((kind, seq, Some(other))) => {
            let bytes = fs::read(object(copy.path(), kind, other)).unwrap();
            fs::write(object(copy.path(), kind, seq), bytes).unwrap();
        }
        Some((kind, seq, None)) => fs::remove_file(object(copy.path(), kind, seq)).unwrap(),
        None => {}
    }
    let case = Case {
        copy: &copy.path().join("main"),
        key: &bench.dir().join("key.pub.pem"),
        origin: "evidence.example/main",
        as_of: "2027-01-01T02:00:00Z",
    };
    let report = auditor(case).exits(code);
    let found: BTreeSet<String> = named(&report.json())
        .into_iter()
        .map(|(_, key)| key.split('/').nth(2).unwrap().to_owned())
        .collect();
    let expected: BTreeSet<String> = named_kinds.iter().map(|&kind| kind.to_owned()).collect();
    assert_eq!(found, expected, "{report:?}");
    if code == 0 {
        assert_eq!(report.json()["holds_open"], 1);
    }
    match script(case) {
        Some(outcome) => assert_eq!(script_differs(&report, &outcome), None),
        None => println!("docs/verify.py: skipped (no Python with zstd)"),
    }
}

type Answer = Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>;

/// An authority that says yes to everything.
struct Stamps;

impl TimeStamper for Stamps {
    fn stamp<'a>(&'a self, _data: &'a [u8]) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        Box::pin(async { Ok(b"token".to_vec()) })
    }

    fn time_of(&self, _token: &[u8], _data: &[u8]) -> Option<Timestamp> {
        None
    }
}

/// The token over a checkpoint is named by the run leaf that follows, of whatever kind its snapshot is, and held with its checkpoint.
#[test]
fn the_snapshot_of_a_hold_names_the_time_stamp_before_it() {
    let bench = bench();
    let held = Held::new(&bench, "2026-06-01T10:00:00Z");
    let log = LogName {
        ledger: "main".into(),
        year: 2026,
    };
    let named = |case: &str, now: &str| {
        let mut plan = held.inside.plan(shared(&held.store), clock(now));
        plan.stamper = Some((Arc::new(Stamps), StampEvery::Checkpoint));
        bench.block_on(async {
            let placed = order(HoldAction::Placed, case, None);
            let _recorded = holds::record(&plan, &placed).await.unwrap();
            let key = (plan.verifier)(&log.origin(&plan.origin)).unwrap();
            let open = open_log(&plan.archive, log.clone(), &key).await.unwrap();
            open.run.timestamps
        })
    };
    assert_eq!(named("first", "2026-06-01T11:00:00Z"), BTreeMap::new());
    let expected = BTreeMap::from([(log.timestamp(1), revtrail_model::sha256(b"token"))]);
    assert_eq!(named("second", "2026-06-01T12:00:00Z"), expected);
    let is_held = |seq| {
        let key = log.timestamp(seq).parse().unwrap();
        let stamp = bench.block_on(held.store.inner().head(&key)).unwrap().unwrap();
        stamp.legal_hold == LegalHold::On
    };
    assert!(is_held(1) && is_held(2));
    // Settling the objects reaches them, too.
    let _released = held.order(
        &order(HoldAction::Released, "second", None),
        "2026-06-01T13:00:00Z",
    );
    assert!(is_held(1));
    let _released = held.order(
        &order(HoldAction::Released, "first", None),
        "2026-06-01T14:00:00Z",
    );
    assert!(!is_held(1) && !is_held(2));
}
