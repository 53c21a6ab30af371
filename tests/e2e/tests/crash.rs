//! Every write of a run fails once: refused, lost on its way, or stored with the answer lost. The run after it must leave the same
//! record as if nothing had been.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::sync::Arc;

use revtrail_archive::{Archive, Fault, FaultyArchive, MemoryArchive, ObjectKey};
use revtrail_e2e::{Bench, FOLDER, Inside, Place, assert_same, events_as_facts, round_end, rounds, told};
use revtrail_evidence::{Finding, Severity, Verdict};
use revtrail_harvest::HarvestError;
use revtrail_model::layout::Kind;
use revtrail_simulator::{Options, Provider, Timestamp};
use rstest::rstest;
use serde_json::Value;

const ROUNDS: i64 = 2;

fn bench(provider: Provider) -> Bench {
    let place = Place {
        name: "handbook",
        provider,
        path: FOLDER,
    };
    let bench = Bench::new(rounds("Handbook", ROUNDS, 6), Options::default(), &[place]);
    // Several snapshots in one run.
    bench.snapshot_every(4);
    bench
}

/// A moment of our own clock.
fn clock(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Which writes a run made before, and the archive they went to.
struct Watched {
    archive: Arc<FaultyArchive<MemoryArchive>>,
}

impl Watched {
    fn new(archive: MemoryArchive) -> Self {
        Self {
            archive: Arc::new(FaultyArchive::new(archive)),
        }
    }

    fn store(&self) -> Arc<dyn Archive> {
        Arc::clone(&self.archive) as Arc<dyn Archive>
    }

    fn attempted(&self) -> Vec<ObjectKey> {
        self.archive.faults().attempted()
    }
}

/// The ways in which the `nth` write fails.
fn ways(nth: usize) -> [Fault; 3] {
    let prefix = String::new;
    [
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
    ]
}

/// What the record must be, whatever happened on the way: sound, with nothing worse than left-over objects, and with these facts.
fn assert_record(inside: &Inside<'_>, store: &Arc<dyn Archive>, now: Timestamp, facts: &[Value], what: &str) {
    let report = inside.verify(Arc::clone(store), now);
    let worse: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|finding| finding.severity != Severity::Note)
        .collect();
    assert!(worse.is_empty(), "{what}: {worse:?}");
    assert_eq!(report.verdict(), Verdict::Sound, "{what}");
    assert_same(&events_as_facts(&inside.events(Arc::clone(store))), facts);
}

/// Fails every write of the run at `now` that follows `before`, each in every way, and runs again. `facts` is what stands in the record
/// after an undisturbed run. Gives the archive of that.
fn crash_everywhere(
    inside: &Inside<'_>,
    before: &MemoryArchive,
    now: Timestamp,
    facts: &[Value],
) -> MemoryArchive {
    let clean = Watched::new(inside.copy(before));
    let _summary = inside.harvest(clean.store(), now).unwrap();
    assert_record(inside, &clean.store(), now, facts, "undisturbed");
    let writes = clean.attempted();
    assert_covered(&writes);
    for (place, key) in writes.iter().enumerate() {
        for fault in ways(place + 1) {
            let what = format!("{fault:?} at {key}");
            let crashed = Watched::new(inside.copy(before));
            crashed.archive.faults().arm(fault.clone());
            let outcome = inside.harvest(crashed.store(), now);
            let fired = crashed.archive.faults().fired();
            assert_eq!(fired.len(), 1, "{what}");
            assert_eq!(directory(&fired[0].1), directory(key), "{what}");
            assert_eq!(outcome.is_ok(), survives(&fault, key), "{what}: {outcome:?}");
            let again = inside.harvest(crashed.store(), now).unwrap();
            assert!(!again.is_partial(), "{what}: {again:?}");
            assert_record(inside, &crashed.store(), now, facts, &what);
            let last = inside.harvest(crashed.store(), now).unwrap();
            assert_eq!(last.events, 0, "{what}");
        }
    }
    inside.copy(clean.archive.inner())
}

/// A lost answer is settled by reading back, and tiles are views that the next run publishes. Any other write that fails ends the run.
fn survives(fault: &Fault, key: &ObjectKey) -> bool {
    matches!(fault, Fault::AckLost { .. }) || key.as_str().contains("/tile/")
}

/// The run wrote every kind of object, and committed more than once.
fn assert_covered(writes: &[ObjectKey]) {
    let of = |kind: Kind| {
        let directory = format!("/{}/", kind.directory());
        writes
            .iter()
            .filter(|key| key.as_str().contains(&directory))
            .count()
    };
    for kind in Kind::ALL {
        assert!(of(kind) >= 1, "{kind:?}: {writes:?}");
    }
    assert!(of(Kind::Checkpoint) >= 2, "{writes:?}");
}

/// `main/2026/state/…` without what differs from attempt to attempt.
fn directory(key: &ObjectKey) -> String {
    let (directory, name) = key.as_str().rsplit_once('/').unwrap();
    let seq = name.split('-').next().unwrap();
    format!("{directory}/{seq}")
}

#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn every_write_of_a_run_may_fail(#[case] provider: Provider) {
    let bench = bench(provider);
    let inside = Inside::new(&bench);
    let empty = MemoryArchive::new();
    let now = clock("2026-11-21T02:00:00Z");
    let made = Watched::new(empty);
    inside.init(made.store(), now).unwrap();
    let mut archive = inside.copy(made.archive.inner());
    let mut polls = Vec::new();
    for round in 0..ROUNDS {
        bench.advance(round_end(round));
        polls.push(round_end(round));
        let facts = told(provider, bench.sim().source(), FOLDER, &polls);
        let now = clock(&format!("2026-11-21T0{}:00:00Z", 3 + round));
        archive = crash_everywhere(&inside, &archive, now, &facts);
    }
}

/// The close leaf of the old year and the genesis of the new one are written by one run.
#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::dropbox(Provider::Dropbox)]
fn every_write_at_the_turn_of_the_year_may_fail(#[case] provider: Provider) {
    let bench = bench(provider);
    let inside = Inside::new(&bench);
    let made = Watched::new(MemoryArchive::new());
    let old = clock("2026-12-31T23:00:00Z");
    inside.init(made.store(), old).unwrap();
    bench.advance(round_end(0));
    let _summary = inside.harvest(made.store(), old).unwrap();
    bench.advance(round_end(1));
    let polls = [round_end(0), round_end(1)];
    let facts = told(provider, bench.sim().source(), FOLDER, &polls);
    let new = clock("2027-01-01T01:00:00Z");
    let archive = crash_everywhere(&inside, made.archive.inner(), new, &facts);
    let report = inside.verify(Arc::new(archive), new);
    assert_eq!((report.logs, report.findings), (2, Vec::new()));
}

/// A log that was begun and never came to its first checkpoint is not a log: creating it again makes it.
#[test]
fn every_write_of_init_may_fail() {
    let bench = bench(Provider::Dropbox);
    bench.advance(round_end(0));
    let inside = Inside::new(&bench);
    let now = clock("2026-11-21T02:00:00Z");
    let facts = told(Provider::Dropbox, bench.sim().source(), FOLDER, &[round_end(0)]);
    let clean = Watched::new(MemoryArchive::new());
    inside.init(clean.store(), now).unwrap();
    for (place, key) in clean.attempted().iter().enumerate() {
        for fault in ways(place + 1) {
            let what = format!("{fault:?} at {key}");
            let crashed = Watched::new(MemoryArchive::new());
            crashed.archive.faults().arm(fault.clone());
            let outcome = inside.init(crashed.store(), now);
            let made = survives(&fault, key);
            assert_eq!(outcome.is_ok(), made, "{what}: {outcome:?}");
            if !made {
                inside.init(crashed.store(), now).unwrap();
            }
            let _summary = inside.harvest(crashed.store(), now).unwrap();
            assert_record(&inside, &crashed.store(), now, &facts, &what);
        }
    }
}

/// Objects of later snapshots tell of a log that lost its checkpoints. Nothing may be put in its place.
#[test]
fn a_log_without_its_checkpoints_is_not_made_anew() {
    let bench = bench(Provider::Dropbox);
    bench.advance(round_end(0));
    let inside = Inside::new(&bench);
    let now = clock("2026-11-21T02:00:00Z");
    let whole = Watched::new(MemoryArchive::new());
    inside.init(whole.store(), now).unwrap();
    let _summary = inside.harvest(whole.store(), now).unwrap();
    let rest = MemoryArchive::new();
    for key in whole.attempted() {
        if !key.as_str().contains("/checkpoints/") {
            let bytes = bench.block_on(whole.archive.read(&key)).unwrap();
            bench.block_on(rest.create(&key, bytes, None)).unwrap();
        }
    }
    let rest: Arc<dyn Archive> = Arc::new(rest);
    let refused = inside.init(Arc::clone(&rest), now).unwrap_err();
    assert!(
        matches!(&refused, HarvestError::LogExists { log, .. } if log == "main/2026"),
        "{refused:?}"
    );
    let refused = inside.harvest(rest, now).unwrap_err();
    assert!(matches!(refused, HarvestError::NoLog { .. }), "{refused:?}");
}
