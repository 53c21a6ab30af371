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
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use revtrail_evidence::{Policy, RecordSource, SourceError, Verdict, verify};
use revtrail_ledger::{
    Algorithm, Checkpoint, FileSigner, Frontier, Origin, Signer as _, VerifierKey, leaf_hash,
};
use revtrail_model::{
    Digest,
    disclosure::Seed,
    event::{
        Action, Actor, ActorDetails, ActorKind, ActorSource, Basis, Event, ItemKind, Occurred, PathDetails,
        Scope, TimeSource,
    },
    id::Provider,
    layout::{Kind, LogName, segment_line},
    leaf::{
        CheckpointRef, Counted, GenesisLeaf, LeafRef, Objects, RunLeaf, Tool, WindowLeaf, WindowState,
        encode, seal,
    },
    record::Count,
    sha256,
    time::{Timestamp, parse},
};

const EVENTS: u64 = 10_000;
const ORIGIN: &str = "bench.example/finance";

fn main() {
    let wanted = env::args().skip(1).find_map(|argument| argument.parse().ok());
    let directory = env::temp_dir().join(format!("revtrail-bench-{}", std::process::id()));
    let mut log = Log::new(&directory);
    log.genesis();
    while log.tree.size().leaves() < wanted.unwrap_or(1_000_000) {
        log.snapshot();
    }
    forget_peak();
    let (start, before) = (Instant::now(), processor_seconds());
    let report = verify(
        &Directory(directory.clone()),
        &log.policy(&|_| Some(log.key.clone())),
    )
    .unwrap();
    let (verifying, after) = (start.elapsed(), processor_seconds());
    fs::remove_dir_all(&directory).unwrap();
    assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.findings);
    let ratio = |time: Duration| time.as_secs_f64() / log.hashing.as_secs_f64();
    println!("leaves {}, {} MB", report.leaves, log.bytes / 1_000_000);
    println!(
        "T (SHA-256 of the leaves, one core)        {:8.2} s",
        log.hashing.as_secs_f64()
    );
    println!(
        "build (seal, serialise, hash, tree)        {:8.2} s  {:.2} T",
        log.building.as_secs_f64(),
        ratio(log.building)
    );
    println!(
        "  of that without commitments              {:8.2} s  {:.2} T",
        log.serialising.as_secs_f64(),
        ratio(log.serialising)
    );
    println!(
        "verify                                     {:8.2} s  {:.2} T",
        verifying.as_secs_f64(),
        ratio(verifying)
    );
    if let (Some(before), Some(after)) = (before, after) {
        let seconds = after - before;
        println!(
            "  of all cores together                    {seconds:8.2} s  {:.2} T",
            seconds / log.hashing.as_secs_f64()
        );
    }
    if let Some(peak) = peak_mib() {
        println!("peak memory while verifying                {peak:8.0} MiB");
    }
}

/// A log in the making, below a directory.
struct Log {
    directory: PathBuf,
    name: LogName,
    signer: FileSigner,
    key: VerifierKey,
    tree: Frontier,
    seq: u64,
    previous: Option<CheckpointRef>,
    window: Option<LeafRef>,
    bytes: u64,
    /// T.
    hashing: Duration,
    building: Duration,
    serialising: Duration,
}

impl Log {
    fn new(directory: &Path) -> Self {
        let name = LogName {
            ledger: "finance".into(),
            year: 2026,
        };
        let signer = FileSigner::generate([7; 32]).unwrap();
        let origin: Origin = name.origin(ORIGIN).parse().unwrap();
        let key = VerifierKey::new(
            origin.key_name().unwrap(),
            Algorithm::Ed25519,
            signer.public_key(),
        );
        Self {
            directory: directory.to_owned(),
            name,
            signer,
            key,
            tree: Frontier::new(),
            seq: 0,
            previous: None,
            window: None,
            bytes: 0,
            hashing: Duration::ZERO,
            building: Duration::ZERO,
            serialising: Duration::ZERO,
        }
    }

    fn policy<'a>(&self, key: &'a dyn Fn(&str) -> Option<VerifierKey>) -> Policy<'a> {
        Policy {
            ledger: self.name.ledger.clone(),
            origin: ORIGIN.into(),
            key,
            now: at("2026-11-21T03:00:00Z"),
        }
    }

    fn genesis(&mut self) {
        let genesis = GenesisLeaf {
            created_at: at("2026-01-01T00:00:00Z"),
            ledger: self.name.ledger.clone(),
            origin: self.name.origin(ORIGIN),
            previous_log: None,
            public_key: self.key.to_string(),
            retain_until: None,
            kind: "genesis".into(),
            v: 1,
        };
        self.commit(vec![encode(&genesis).unwrap()], Vec::new());
    }

    /// Events of one folder, their window, and the run leaf.
    fn snapshot(&mut self) {
        let first = self.tree.size().leaves();
        let seed = Seed::from_bytes([3; 32]);
        let events: Vec<Event> = (0..EVENTS).map(|n| event(first + n)).collect();
        let again = events.clone();
        let start = Instant::now();
        let mut lines: Vec<Vec<u8>> = (0..)
            .zip(events)
            .map(|(n, event)| seal(event, n, &seed).unwrap().0)
            .collect();
        let mut tree = self.tree.clone();
        for line in &lines {
            tree.append(leaf_hash(line));
        }
        let built = start.elapsed();
        self.building += built;
        self.serialising += built.saturating_sub(commitments(again, &seed));
        let start = Instant::now();
        let mut folded = 0_u8;
        for line in &lines {
            folded ^= sha256(line).as_bytes()[0];
        }
        self.hashing += start.elapsed();
        let _kept = std::hint::black_box(folded);
        let index = first + EVENTS;
        let window = encode(&window(first, self.window)).unwrap();
        self.window = Some(LeafRef {
            index: Count(index),
            leaf_hash: Digest::from_bytes(*leaf_hash(&window).as_bytes()),
        });
        lines.push(window);
        self.commit(lines, vec![Count(index)]);
    }

    /// Adds the run leaf and stores segment and checkpoint.
    fn commit(&mut self, mut lines: Vec<Vec<u8>>, windows: Vec<Count>) {
        lines.push(encode(&self.run_leaf(windows)).unwrap());
        for line in &lines {
            self.tree.append(leaf_hash(line));
            self.bytes += line.len() as u64;
        }
        let head = self.tree.head();
        let root = Digest::from_bytes(*head.root.as_bytes());
        let mut text = lines.join(&b'\n');
        text.push(b'\n');
        let segment = zstd::bulk::compress(&text, 3).unwrap();
        self.store(&self.name.object(Kind::Segment, self.seq, &root), &segment);
        let mut checkpoint = Checkpoint::new(self.name.origin(ORIGIN).parse().unwrap(), head);
        checkpoint.extensions.push(segment_line(&sha256(&segment)));
        let note = checkpoint.sign(&self.signer).unwrap();
        self.store(&self.name.checkpoint(self.seq), &note);
        self.previous = Some(CheckpointRef {
            note_sha256: sha256(&note),
            root,
            size: Count(head.size.leaves()),
        });
        self.seq += 1;
    }

    fn run_leaf(&self, windows: Vec<Count>) -> RunLeaf {
        RunLeaf {
            clock_offset_ms: BTreeMap::new(),
            config_sha256: sha256(b"config"),
            finished_at: at("2026-11-21T02:00:09Z"),
            ledger: self.name.ledger.clone(),
            next_expected_by: Some(at("2026-11-22T00:00:00Z")),
            objects: Objects::default(),
            previous_checkpoint: self.previous,
            requests: BTreeMap::new(),
            run_id: "0".into(),
            seq: Count(self.seq),
            started_at: at("2026-11-21T02:00:00Z"),
            timestamps: BTreeMap::new(),
            tool: Tool {
                binary_sha256: None,
                version: "0".into(),
            },
            kind: "run".into(),
            units: [].into(),
            v: 1,
            windows,
        }
    }

    fn store(&self, key: &str, bytes: &[u8]) {
        let path = self.directory.join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// How long the commitments of these events take by themselves.
fn commitments(events: Vec<Event>, seed: &Seed) -> Duration {
    let disclosures: Vec<_> = (0..)
        .zip(events)
        .map(|(n, event)| revtrail_model::disclosure::Disclosure {
            actor: event.actor.map(|actor| actor.details),
            application: None,
            n,
            path: Some(event.path),
            ..revtrail_model::disclosure::Disclosure::default()
        })
        .collect();
    let start = Instant::now();
    for disclosure in &disclosures {
        let _made = std::hint::black_box(disclosure.commitments(seed).unwrap());
    }
    start.elapsed()
}

fn start(id: &Digest, length: usize) -> String {
    id.to_string().chars().take(length).collect()
}

fn at(text: &str) -> Timestamp {
    parse(text).unwrap()
}

/// An event as a provider's version list gives it, all of its members of usual length.
fn event(n: u64) -> Event {
    let id = sha256(&n.to_be_bytes());
    Event {
        id,
        scope: Scope {
            ledger: "finance".into(),
            folder: "month-end-close".into(),
            function: Some("finance".into()),
            provider: Provider::OneDrive,
            tenant: "6d1c0a4e-9c1f-4a46-8f3e-2b1d7c5a9e10".into(),
            drive_id: "b!KG3Se9kX9u8xhkVYTSwq58NyBKjYW731CTT-IUmFBe4N9LgQVM3qLkorF4C-lnoE".into(),
        },
        item_id: format!("01{}", start(&id, 32)).as_str().into(),
        item_kind: ItemKind::File,
        action: Action::Modified,
        revision_id: Some("3.0".into()),
        previous_revision_id: Some("2.0".into()),
        path: PathDetails {
            name: Some(format!("Statement {n}.xlsx")),
            path: Some(format!("Quarter {}/Statement {n}.xlsx", n % 4 + 1)),
            previous_path: None,
        },
        mime_type: Some("application/octet-stream".into()),
        size_bytes: Some(48_213 + n),
        hashes: BTreeMap::from([("quickxor".into(), start(&id, 28))]),
        content_missing: None,
        content_sha256: None,
        occurred: Occurred::At {
            at: at("2026-11-20T23:14:05Z"),
            source: TimeSource::Server,
        },
        claimed_at: None,
        observed_at: at("2026-11-21T02:00:07.120Z"),
        actor: Some(Actor {
            kind: ActorKind::User,
            details: ActorDetails {
                email: Some(format!("user{}@acme.example", n % 260)),
                id: Some(start(&id, 36)),
                name: Some(format!("User {}", n % 260)),
                on_behalf_of: None,
            },
            application: None,
        }),
        actor_source: ActorSource::Revision,
        basis: Basis::Reported,
        derived_from: None,
        baseline: false,
        reconciled: false,
        source_api: "drive.versions".into(),
        source_request_id: Some("2677f9ee-3f01-4188-8948-2934f7afb9a7".into()),
        raw_sha256: None,
    }
}

fn window(first: u64, previous_window: Option<LeafRef>) -> WindowLeaf {
    WindowLeaf {
        account: "contoso".into(),
        count: Count(EVENTS),
        counted: Counted::default(),
        covers_from: None,
        covers_to: Some(at("2026-11-21T02:00:00Z")),
        drive_id: None,
        first: Count(first),
        folder: "month-end-close".into(),
        from_cursor_sha256: None,
        gaps: Vec::new(),
        kept: None,
        ledger: "finance".into(),
        oldest_revision_at: None,
        pages: Count(1),
        previous_window,
        provider: Provider::OneDrive,
        reconciled: Count(0),
        retries: Count(0),
        revisions_changed: Count(0),
        revisions_vanished: Count(0),
        state: WindowState::Complete,
        tenant: None,
        throttled_ms: Count(0),
        to_cursor_sha256: None,
        kind: "window".into(),
        v: 1,
        walk: None,
    }
}

/// Objects as files.
struct Directory(PathBuf);

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
