//! Many changes, each judged; and a table of what came of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use revtrail_evidence::{Verdict, VerifyError};

use super::{
    changes::{KINDS, Mutation},
    random::Random,
    record::{Record, Shape},
};

/// How much is tried on what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Campaign {
    pub(crate) ledgers: u8,
    pub(crate) shape: Shape,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
}

/// Exit code that stands for a panic.
const PANIC: u8 = 101;

/// One change that did not lead to the exit code it must lead to.
#[derive(Debug, Clone)]
pub(crate) struct Survivor {
    pub(crate) number: u64,
    pub(crate) what: String,
}

/// What came of one kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    pub(crate) tried: u64,
    pub(crate) detected: u64,
    /// Detected, and an object that was changed is named in a finding.
    pub(crate) named: u64,
    pub(crate) exits: BTreeMap<u8, u64>,
}

/// What came of all.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) leaves: u64,
    pub(crate) objects: usize,
    pub(crate) lines: BTreeMap<usize, Line>,
    pub(crate) survivors: Vec<Survivor>,
}

impl Campaign {
    /// Makes the archive: sound before anything is changed.
    pub(crate) fn records(&self) -> Vec<Record> {
        let records: Vec<Record> = (0..self.ledgers)
            .map(|number| Record::make(number, self.shape))
            .collect();
        for record in &records {
            let report = record.judge(&record.objects).unwrap();
            assert_eq!(
                (report.verdict(), report.findings),
                (Verdict::Sound, Vec::new()),
                "{}",
                record.ledger
            );
        }
        records
    }

    /// Tries the changes with these numbers; the same number is the same change.
    pub(crate) fn run(&self, numbers: impl Iterator<Item = u64> + Clone + Send + Sync) -> Results {
        let records = self.records();
        let mut results = Results {
            leaves: records.iter().map(|record| record.leaves).sum(),
            objects: records.iter().map(|record| record.objects.len()).sum(),
            ..Results::default()
        };
        let (next, all): (AtomicU64, Vec<u64>) = (AtomicU64::new(0), numbers.collect());
        let parts: Vec<Results> = thread::scope(|scope| {
            let work = || {
                let mut part = Results::default();
                while let Some(number) = all.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    self.one(&records, *number, &mut part);
                }
                part
            };
            let started: Vec<_> = (0..self.threads.max(1)).map(|_| scope.spawn(work)).collect();
            started.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for part in parts {
            results.add(part);
        }
        results.survivors.sort_by_key(|survivor| survivor.number);
        results
    }

    fn one(&self, records: &[Record], number: u64, results: &mut Results) {
        let mut random = Random::new(self.seed, number);
        let kind = (number % KINDS.len() as u64) as usize;
        let (name, expected, change) = KINDS[kind];
        let (record, mutation) = loop {
            let (own, other) = random.two(records.len());
            if let Some(mutation) = change(&records[own], &records[other], &mut random) {
                break (&records[own], mutation);
            }
        };
        let (exit, named) = judge(record, &mutation);
        let line = results.lines.entry(kind).or_default();
        line.tried += 1;
        *line.exits.entry(exit).or_default() += 1;
        if exit == expected {
            line.detected += 1;
            line.named += u64::from(named);
        } else {
            let touched = mutation.touched.join(", ");
            let what = format!("{name}: exit {exit}, must be {expected}; {touched}");
            results.survivors.push(Survivor { number, what });
        }
    }
}

/// The exit code of `verify`, and whether a finding names what was changed.
fn judge(record: &Record, mutation: &Mutation) -> (u8, bool) {
    let outcome = catch_unwind(AssertUnwindSafe(|| record.judge(&mutation.objects)));
    let report = match outcome {
        Err(_) => return (PANIC, false),
        Ok(Err(VerifyError::NoKey(_))) => return (7, false),
        Ok(Err(_)) => return (1, false),
        Ok(Ok(report)) => report,
    };
    let touched: BTreeSet<&str> = mutation.touched.iter().map(String::as_str).collect();
    let named = report
        .findings
        .iter()
        .any(|finding| touched.contains(finding.key.as_str()));
    let exit = match report.verdict() {
        Verdict::Sound => 0,
        Verdict::Incomplete => 6,
        Verdict::Contradicted => 3,
    };
    (exit, named)
}

impl Results {
    fn add(&mut self, part: Self) {
        for (kind, line) in part.lines {
            let own = self.lines.entry(kind).or_default();
            own.tried += line.tried;
            own.detected += line.detected;
            own.named += line.named;
            for (exit, count) in line.exits {
                *own.exits.entry(exit).or_default() += count;
            }
        }
        self.survivors.extend(part.survivors);
    }

    /// As text, one line for each kind.
    pub(crate) fn table(&self) -> String {
        let mut out = format!("archive: {} leaves in {} objects\n\n", self.leaves, self.objects);
        let _infallible = writeln!(
            out,
            "{:36} {:>4} {:>8} {:>8} {:>8}  exit codes",
            "change", "must", "tried", "so found", "named"
        );
        let mut row = |name: &str, must: &str, line: &Line| {
            let exits: Vec<String> = line
                .exits
                .iter()
                .map(|(exit, count)| format!("{exit}: {count}"))
                .collect();
            let _infallible = writeln!(
                out,
                "{name:36} {must:>4} {:>8} {:>8} {:>8}  {}",
                line.tried,
                line.detected,
                line.named,
                exits.join(", ")
            );
        };
        let mut all = Results::default();
        for (kind, line) in &self.lines {
            row(KINDS[*kind].0, &KINDS[*kind].1.to_string(), line);
            all.add(Results {
                lines: BTreeMap::from([(0, line.clone())]),
                ..Results::default()
            });
        }
        row("all", "", &all.lines.remove(&0).unwrap_or_default());
        out
    }
}
