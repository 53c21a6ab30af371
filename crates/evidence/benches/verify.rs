//! How long a log takes to build and to verify, in units of the time its bare SHA-256 takes here, in the same run.
//!
//! ```text
//! cargo bench -p revtrail-evidence --bench verify -- [LEAVES]        (default 1,000,000)
//! ```
//!
//! T is the time of one core for the SHA-256 of every leaf. Building is one core's: seal, serialise, hash, tree. Verifying is the
//! library's whole check of the log, from zstd segments in a directory, on as many cores as there are.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::{
    env, fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use revtrail_evidence::{Policy, RecordSource, SourceError, Verdict, verify};
use revtrail_ledger::{Frontier, leaf_hash};
use revtrail_logs::{Log, ORIGIN, at, event, seed};
use revtrail_model::{disclosure::Disclosure, event::Event, leaf::seal, sha256};

const EVENTS: u64 = 10_000;

fn main() {
    let wanted = env::args().skip(1).find_map(|argument| argument.parse().ok());
    let directory = env::temp_dir().join(format!("revtrail-bench-{}", std::process::id()));
    let (log, times) = make(wanted.unwrap_or(1_000_000), &Directory(directory.clone()));
    forget_peak();
    let (start, before) = (Instant::now(), processor_seconds());
    let report = verify(
        &Directory(directory.clone()),
        &Policy {
            ledger: log.name.ledger.clone(),
            origin: ORIGIN.into(),
            key: &|_| Some(log.key.clone()),
            now: at("2026-11-21T03:00:00Z"),
        },
    )
    .unwrap();
    let (verifying, after) = (start.elapsed(), processor_seconds());
    fs::remove_dir_all(&directory).unwrap();
    assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.findings);
    println!("leaves {}, {} MB", report.leaves, log.bytes / 1_000_000);
    let show = |what: &str, seconds: f64| {
        let ratio = seconds / times.hashing.as_secs_f64();
        println!("{what:<42} {seconds:8.2} s  {ratio:.2} T");
    };
    show("T (SHA-256 of the leaves, one core)", times.hashing.as_secs_f64());
    show(
        "build (seal, serialise, hash, tree)",
        times.building.as_secs_f64(),
    );
    show("  of that without commitments", times.serialising.as_secs_f64());
    show("verify", verifying.as_secs_f64());
    if let (Some(before), Some(after)) = (before, after) {
        show("  of all cores together", after - before);
    }
    if let Some(peak) = peak_mib() {
        println!("peak memory while verifying                {peak:8.0} MiB");
    }
}

#[derive(Default)]
struct Times {
    /// T.
    hashing: Duration,
    building: Duration,
    /// Building without the commitments.
    serialising: Duration,
}

/// A log of so many leaves, without tiles, and what it took.
fn make(leaves: u64, directory: &Directory) -> (Log, Times) {
    let (mut log, mut times) = (Log::new(), Times::default());
    let mut store = |key: &str, bytes: Vec<u8>| {
        if !key.contains("/tile/") {
            directory.store(key, &bytes);
        }
    };
    log.genesis(&mut store);
    while log.leaves() < leaves {
        let lines = times.build(log.leaves());
        log.sealed(lines, Vec::new(), &mut store);
    }
    (log, times)
}

impl Times {
    /// The events of one snapshot as leaves.
    fn build(&mut self, first: u64) -> Vec<Vec<u8>> {
        let (seed, events) = (seed(), (0..EVENTS).map(|n| event(first + n)));
        let events: Vec<Event> = events.collect();
        let disclosures = disclosures(&events);
        let start = Instant::now();
        let lines: Vec<Vec<u8>> = (0..)
            .zip(events)
            .map(|(n, event)| seal(event, n, &seed).unwrap().0)
            .collect();
        let mut tree = Frontier::new();
        for line in &lines {
            tree.append(leaf_hash(line));
        }
        let built = start.elapsed();
        let _kept = std::hint::black_box(tree);
        let start = Instant::now();
        for disclosure in &disclosures {
            let _made = std::hint::black_box(disclosure.commitments(&seed).unwrap());
        }
        self.building += built;
        self.serialising += built.saturating_sub(start.elapsed());
        let start = Instant::now();
        for line in &lines {
            let _digest = std::hint::black_box(sha256(line));
        }
        self.hashing += start.elapsed();
        lines
    }
}

/// What opens the commitments of these events.
fn disclosures(events: &[Event]) -> Vec<Disclosure> {
    let disclosure = |(n, event): (u64, &Event)| Disclosure {
        actor: event.actor.as_ref().map(|actor| actor.details.clone()),
        n,
        path: Some(event.path.clone()),
        ..Disclosure::default()
    };
    (0..).zip(events).map(disclosure).collect()
}

/// Objects as files.
struct Directory(PathBuf);

impl Directory {
    fn store(&self, key: &str, bytes: &[u8]) {
        let path = self.0.join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

impl RecordSource for Directory {
    fn keys(&self, prefix: &str) -> Result<Vec<String>, SourceError> {
        let (mut keys, mut open) = (Vec::new(), vec![self.0.clone()]);
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    keys.push(path.strip_prefix(&self.0).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        keys.retain(|key| key.starts_with(prefix));
        keys.sort_unstable();
        Ok(keys)
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(fs::read(self.0.join(key)).ok())
    }
}

/// Lets the peak count from now (Linux).
fn forget_peak() {
    let _unsupported = fs::write("/proc/self/clear_refs", "5");
}

/// What this process took of the processors, to the hundredth of a second (Linux).
fn processor_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in parentheses, may hold spaces.
    let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
    let ticks: f64 = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}

fn peak_mib() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
