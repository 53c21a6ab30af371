#![doc = include_str!("../README.md")]
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a tool of tests; what it makes is valid"
)]

mod event;

use std::collections::BTreeMap;

use revtrail_ledger::{
    Algorithm, Checkpoint, FileSigner, Frontier, Origin, Signer as _, TileWriter, VerifierKey, leaf_hash,
    tile::last_bundle,
};
use revtrail_model::{
    Digest,
    disclosure::{Disclosure, Seed, Sidecar},
    layout::{Kind, LogName, segment_line},
    leaf::{CheckpointRef, GenesisLeaf, LeafRef, Objects, RunLeaf, Tool, WindowLeaf, encode, seal},
    record::Count,
    sha256,
    time::{Timestamp, parse},
};
use serde_json::json;

pub use crate::event::event;
use crate::event::window;

/// Items that the state of every snapshot holds.
pub const ITEMS: u64 = 100;

/// Origin of the ledger, without the year.
pub const ORIGIN: &str = "bench.example/finance";

/// Takes an object: key and bytes.
pub type Store<'a> = &'a mut dyn FnMut(&str, Vec<u8>);

/// A log in the making.
pub struct Log {
    /// Its name.
    pub name: LogName,
    /// Its key.
    pub key: VerifierKey,
    /// Bytes of its leaves.
    pub bytes: u64,
    /// Snapshots so far.
    pub seq: u64,
    signer: FileSigner,
    tree: Frontier,
    tiles: TileWriter,
    items: String,
    last_bundle: Option<(String, Vec<u8>)>,
    previous: Option<CheckpointRef>,
    window: Option<LeafRef>,
}

impl Default for Log {
    fn default() -> Self {
        Self::new()
    }
}

impl Log {
    /// A log without leaves.
    pub fn new() -> Self {
        let name = LogName {
            ledger: "finance".into(),
            year: 2026,
        };
        let signer = signer();
        let origin: Origin = name.origin(ORIGIN).parse().unwrap();
        let key = VerifierKey::new(
            origin.key_name().unwrap(),
            Algorithm::Ed25519,
            signer.public_key(),
        );
        Self {
            name,
            key,
            bytes: 0,
            seq: 0,
            signer,
            tree: Frontier::new(),
            tiles: TileWriter::new(),
            items: (0..ITEMS).map(item).collect(),
            last_bundle: None,
            previous: None,
            window: None,
        }
    }

    /// Leaves so far.
    pub fn leaves(&self) -> u64 {
        self.tree.size().leaves()
    }

    /// The first snapshot: a genesis leaf and a run leaf.
    pub fn genesis(&mut self, store: Store<'_>) {
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
        self.commit((vec![encode(&genesis).unwrap()], None, Vec::new()), store);
    }

    /// A snapshot of so many events of one folder, their window, and the run leaf.
    pub fn snapshot(&mut self, events: u64, store: Store<'_>) {
        let (first, seed) = (self.leaves(), seed());
        let sealed = (0..events).map(|n| seal(event(first + n), n, &seed).unwrap());
        let (lines, disclosures) = sealed.unzip();
        self.sealed(lines, disclosures, store);
    }

    /// A snapshot of events that are leaves already, with what opens them.
    pub fn sealed(&mut self, lines: Vec<Vec<u8>>, disclosures: Vec<Disclosure>, store: Store<'_>) {
        self.sealed_with((lines, Vec::new()), disclosures, store);
    }

    /// The same with leaves that stand after the window.
    pub fn sealed_with(
        &mut self,
        (mut lines, after): (Vec<Vec<u8>>, Vec<Vec<u8>>),
        disclosures: Vec<Disclosure>,
        store: Store<'_>,
    ) {
        let (first, count) = (self.leaves(), lines.len() as u64);
        let window: WindowLeaf = window((first, count), self.window);
        let window = encode(&window).unwrap();
        let index = Count(first + count);
        let leaf_hash = Digest::from_bytes(*leaf_hash(&window).as_bytes());
        self.window = Some(LeafRef { index, leaf_hash });
        lines.push(window);
        lines.extend(after);
        let seed = seed();
        let sidecar = (!disclosures.is_empty()).then(|| Sidecar { seed, disclosures }.encode().unwrap());
        self.commit((lines, sidecar, vec![index]), store);
    }

    /// The tree after these leaves, without the run leaf that is to come.
    fn grown(&self, lines: &[Vec<u8>]) -> Frontier {
        let mut tree = self.tree.clone();
        for line in lines {
            tree.append(leaf_hash(line));
        }
        tree
    }

    /// Adds the run leaf and stores everything of the snapshot.
    fn commit(
        &mut self,
        (mut lines, sidecar, windows): (Vec<Vec<u8>>, Option<Vec<u8>>, Vec<Count>),
        store: Store<'_>,
    ) {
        let state = self.state(&self.grown(&lines));
        let objects = Objects {
            raw: None,
            sidecar: sidecar.as_ref().map(|bytes| sha256(bytes)),
            state: Some(sha256(&state)),
        };
        for (kind, bytes) in [(Kind::Sidecar, sidecar), (Kind::State, Some(state))] {
            if let Some(bytes) = bytes {
                store(&self.name.object(kind, self.seq, &sha256(&bytes)), bytes);
            }
        }
        lines.push(encode(&self.run_leaf(windows, objects)).unwrap());
        for line in &lines {
            let hash = leaf_hash(line);
            self.tree.append(hash);
            self.tiles.append_hashed(line, hash).unwrap();
            self.bytes += line.len() as u64;
        }
        let head = self.tree.head();
        let root = Digest::from_bytes(*head.root.as_bytes());
        let mut text = lines.join(&b'\n');
        text.push(b'\n');
        let segment = zstd::bulk::compress(&text, 3).unwrap();
        let mut checkpoint = Checkpoint::new(self.name.origin(ORIGIN).parse().unwrap(), head);
        checkpoint.extensions.push(segment_line(&sha256(&segment)));
        store(&self.name.object(Kind::Segment, self.seq, &root), segment);
        let note = checkpoint.sign(&self.signer).unwrap();
        self.previous = Some(CheckpointRef {
            note_sha256: sha256(&note),
            root,
            size: Count(head.size.leaves()),
        });
        store(&self.name.checkpoint(self.seq), note);
        self.publish(store);
        self.seq += 1;
    }

    /// Stores the hash tiles; of the entry bundles only the last is kept, for [`Log::finish`].
    fn publish(&mut self, store: Store<'_>) {
        let last = last_bundle(self.tree.size());
        for tile in self.tiles.take() {
            let key = format!("{}{}", self.name.prefix(), tile.id);
            if Some(tile.id) == last {
                self.last_bundle = Some((key, tile.bytes));
            } else if !key.contains("/tile/entries/") {
                store(&key, tile.bytes);
            }
        }
    }

    /// Stores what the log in its present length needs beside what was stored. It may go on growing.
    pub fn finish(&mut self, store: Store<'_>) {
        if let Some((key, bytes)) = self.last_bundle.take() {
            store(&key, bytes);
        }
    }

    fn run_leaf(&self, windows: Vec<Count>, objects: Objects) -> RunLeaf {
        RunLeaf {
            audit: BTreeMap::new(),
            clock_offset_ms: BTreeMap::new(),
            config_sha256: sha256(b"config"),
            finished_at: at("2026-11-21T02:00:09Z"),
            ledger: self.name.ledger.clone(),
            next_expected_by: Some(at("2026-11-22T00:00:00Z")),
            objects,
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
            units: BTreeMap::new(),
            kind: "run".into(),
            v: 1,
            windows,
        }
    }

    /// A base of a few items.
    fn state(&self, grown: &Frontier) -> Vec<u8> {
        let hashes =
            |tree: &Frontier| -> Vec<String> { tree.hashes().iter().map(ToString::to_string).collect() };
        let header = json!({
            "base_items": ITEMS.to_string(),
            "changed_items": "0",
            "folders": {},
            "frontier": hashes(grown),
            "frontier_before": hashes(&self.tree),
            "kind": "base",
            "seq": self.seq.to_string(),
            "size": grown.size().leaves().to_string(),
            "size_before": self.leaves().to_string(),
            "type": "state",
            "v": 1,
        });
        zstd::bulk::compress(format!("{header}\n{}", self.items).as_bytes(), 3).unwrap()
    }
}

/// A line of a state object.
fn item(n: u64) -> String {
    let line = json!({"d": {"k": "file", "n": format!("Statement {n}.xlsx")}, "f": "month-end-close", "i": format!("{n:06}")});
    format!("{line}\n")
}

/// Who signs all these logs.
pub fn signer() -> FileSigner {
    FileSigner::generate([7; 32]).unwrap()
}

/// Seed of the salts of all these logs.
pub fn seed() -> Seed {
    Seed::from_bytes([3; 32])
}

/// A moment.
pub fn at(text: &str) -> Timestamp {
    parse(text).unwrap()
}
