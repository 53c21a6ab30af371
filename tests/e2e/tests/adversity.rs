//! Clocks that jump, stores that flap, disks that are full: no fact is lost or doubled, and the record stays sound.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{process::Command, sync::Arc};

use revtrail_archive::{Archive, Fault, FaultyArchive, MemoryArchive};
use revtrail_e2e::{
    Bench, FOLDER, Inside, Place, assert_same, events_as_facts, program, round_end, rounds, told,
};
use revtrail_evidence::{Finding, Report, Severity, Verdict};
use revtrail_harvest::HarvestError;
use revtrail_simulator::{Options, Provider, Timestamp};
use rstest::rstest;

const ROUNDS: i64 = 5;

fn bench(provider: Provider) -> Bench {
    let place = Place {
        name: "handbook",
        provider,
        path: FOLDER,
    };
    Bench::new(rounds("Handbook", ROUNDS, 6), Options::default(), &[place])
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Everything that the provider told in as many rounds, once.
fn assert_whole(inside: &Inside<'_>, bench: &Bench, store: &Arc<dyn Archive>, rounds: i64) {
    let polls: Vec<_> = (0..rounds).map(round_end).collect();
    let facts = told(Provider::Dropbox, bench.sim().source(), FOLDER, &polls);
    assert_same(&events_as_facts(&inside.events(Arc::clone(store))), &facts);
}

fn worse_than_notes(report: &Report) -> Vec<&Finding> {
    let findings = report.findings.iter();
    findings
        .filter(|finding| finding.severity != Severity::Note)
        .collect()
}

/// A clock that was set back, far ahead, and right again; each harvest takes what happened since the one before.
#[rstest]
#[case::back_by_hours(["2026-11-21T03:00:00Z", "2026-11-20T20:00:00Z", "2026-11-21T04:00:00Z", "2026-11-21T03:30:00Z", "2026-11-21T05:00:00Z"])]
#[case::a_month_ahead_and_back(["2026-11-21T03:00:00Z", "2026-12-21T03:00:00Z", "2026-11-21T05:00:00Z", "2026-11-21T06:00:00Z", "2026-11-21T07:00:00Z"])]
fn a_clock_that_jumps_loses_nothing(#[case] times: [&str; 5]) {
    let bench = bench(Provider::Dropbox);
    let inside = Inside::new(&bench);
    let store: Arc<dyn Archive> = Arc::new(MemoryArchive::new());
    inside.init(Arc::clone(&store), at(times[0])).unwrap();
    for (round, now) in (0..).zip(times) {
        bench.advance(round_end(round));
        let summary = inside.harvest(Arc::clone(&store), at(now)).unwrap();
        assert!(!summary.is_partial(), "{now}: {summary:?}");
    }
    let report = inside.verify(Arc::clone(&store), at(times[4]));
    assert_eq!(worse_than_notes(&report), Vec::<&Finding>::new());
    assert_eq!(report.verdict(), Verdict::Sound);
    let what = "finished earlier than the snapshot before it, by its own clock";
    assert!(
        report.findings.iter().any(|finding| finding.what == what),
        "{:?}",
        report.findings
    );
    assert_whole(&inside, &bench, &store, 5);
}

/// Ahead into the next year and back: the year's log was closed. Nothing is put behind its end, and nothing into a log of the future
/// until the clock is there again.
#[test]
fn a_clock_that_was_a_year_ahead_writes_into_no_wrong_log() {
    let bench = bench(Provider::Dropbox);
    let inside = Inside::new(&bench);
    let store: Arc<dyn Archive> = Arc::new(MemoryArchive::new());
    inside
        .init(Arc::clone(&store), at("2026-11-21T02:00:00Z"))
        .unwrap();
    for (round, now) in (0..).zip(["2026-11-21T03:00:00Z", "2027-11-21T04:00:00Z"]) {
        bench.advance(round_end(round));
        let _summary = inside.harvest(Arc::clone(&store), at(now)).unwrap();
    }
    let before = inside.events(Arc::clone(&store));
    bench.advance(round_end(2));
    let refused = inside.harvest(Arc::clone(&store), at("2026-11-21T05:00:00Z"));
    assert!(
        matches!(&refused, Err(HarvestError::Clock { log, year: 2026 }) if log == "main/2027"),
        "{refused:?}"
    );
    assert_eq!(inside.events(Arc::clone(&store)), before);
    bench.advance(round_end(3));
    let later = at("2027-11-21T05:00:00Z");
    let summary = inside.harvest(Arc::clone(&store), later).unwrap();
    assert_eq!(summary.log, "main/2027");
    let report = inside.verify(Arc::clone(&store), later);
    assert_eq!(worse_than_notes(&report), Vec::<&Finding>::new());
    assert_eq!(report.logs, 2);
    let polls = [round_end(0), round_end(1), round_end(3)];
    let facts = told(Provider::Dropbox, bench.sim().source(), FOLDER, &polls);
    assert_same(&events_as_facts(&inside.events(store)), &facts);
}

/// A store of which every few writes fail, each time in another way, until runs get through.
#[test]
fn a_store_that_flaps_loses_nothing() {
    let bench = bench(Provider::Dropbox);
    bench.snapshot_every(4);
    let inside = Inside::new(&bench);
    let archive = Arc::new(FaultyArchive::new(MemoryArchive::new()));
    let store: Arc<dyn Archive> = Arc::clone(&archive) as Arc<dyn Archive>;
    inside
        .init(Arc::clone(&store), at("2026-11-21T02:00:00Z"))
        .unwrap();
    let (mut failed, mut step) = (0, 0_usize);
    for round in 0..ROUNDS {
        bench.advance(round_end(round));
        let now = at(&format!("2026-11-21T0{}:00:00Z", 3 + round));
        for attempt in 0..20 {
            let prefix = String::new();
            step += 1;
            // Further apart with each attempt, so that a run gets through in the end.
            let nth = 1 + step % 3 + attempt * 2;
            archive.faults().arm(match step % 3 {
                0 => Fault::Refuse { prefix, nth },
                1 => Fault::RequestLost { prefix, nth },
                _ => Fault::AckLost { prefix, nth },
            });
            match inside.harvest(Arc::clone(&store), now) {
                Ok(_) => break,
                Err(_) => failed += 1,
            }
        }
        archive.faults().disarm();
    }
    assert!(failed >= 5, "{failed}");
    let end = at("2026-11-21T09:00:00Z");
    let _last = inside.harvest(Arc::clone(&store), end).unwrap();
    let report = inside.verify(Arc::clone(&store), end);
    assert_eq!(worse_than_notes(&report), Vec::<&Finding>::new());
    assert_whole(&inside, &bench, &store, ROUNDS);
}

/// Writes that do not fit fail with an error as on a full disk (a limit on the size of files, in KiB).
#[test]
fn a_full_disk_is_an_error_and_what_was_committed_stands() {
    let bench = bench(Provider::Dropbox);
    bench.init();
    bench.advance(round_end(0));
    let _first = bench.call(&["harvest"]).exits(0);
    let before = bench.events();
    bench.advance(round_end(ROUNDS - 1));
    let limited = Command::new("bash")
        .current_dir(bench.dir())
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" harvest"])
        .arg(program())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&limited.stderr);
    assert_eq!(limited.status.code(), Some(1), "{stderr}");
    for words in ["error: ", "main/", "hint: "] {
        assert!(stderr.contains(words), "{stderr}");
    }
    bench.verify_with_leftovers();
    assert_eq!(bench.events(), before);
    let _again = bench.call(&["harvest"]).exits(0);
    bench.verify_with_leftovers();
    let polls = [round_end(0), round_end(ROUNDS - 1)];
    let facts = told(Provider::Dropbox, bench.sim().source(), FOLDER, &polls);
    assert_same(&events_as_facts(&bench.events()), &facts);
}
