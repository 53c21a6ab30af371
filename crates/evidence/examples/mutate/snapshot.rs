//! One snapshot, made as docs/archive-format.md says.

use revtrail_ledger::{Checkpoint, Hash, TreeHead, leaf_hash};
use revtrail_model::{
    Digest,
    disclosure::{Seed, Sidecar},
    event::{
        Action, Actor, ActorDetails, ActorKind, ActorSource, Basis, Event, EventKey, ItemKind, Occurred,
        PathDetails, Scope, TimeSource,
    },
    id::{ItemId, Provider},
    layout::{Kind, segment_line},
    leaf::{
        CheckpointRef, CloseLeaf, Counted, GenesisLeaf, LeafRef, Objects as Named, PreviousLog, RunLeaf,
        Tool, WindowLeaf, WindowState, encode, seal,
    },
    record::Count,
    sha256,
    time::plus_seconds,
};
use serde_json::json;

use super::{
    random::Random,
    record::{Carried, DAY, Objects, Record},
};

/// What a snapshot is about.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// The first of a log.
    Genesis {
        /// The log before.
        previous: Option<PreviousLog>,
    },
    /// A look at each folder.
    Look {
        /// Events in all.
        events: usize,
    },
    /// The last of a year.
    Close {
        /// The year after.
        next: i16,
    },
}

/// Folders of each record.
const FOLDERS: [&str; 2] = ["contracts", "launch"];

/// Leaves but for the run leaf, with what lies beside them.
#[derive(Default)]
struct Parts {
    lines: Vec<Vec<u8>>,
    windows: Vec<Count>,
    sidecar: Option<Sidecar>,
    raw: Vec<Vec<u8>>,
}

impl Record {
    /// Makes the next snapshot and gives its objects, tiles included.
    pub(crate) fn commit(&self, carried: &mut Carried, content: &Content, random: &mut Random) -> Objects {
        let parts = self.parts(carried, content, random);
        let mut objects = Objects::new();
        let (log, seq) = (carried.log.clone(), carried.seq);
        let mut put = |kind: Kind, bytes: Vec<u8>| {
            let digest = sha256(&bytes);
            objects.insert(log.object(kind, seq, &digest), bytes.into());
            Some(digest)
        };
        let named = Named {
            sidecar: parts
                .sidecar
                .as_ref()
                .and_then(|sidecar| put(Kind::Sidecar, sidecar.encode().unwrap())),
            raw: (!parts.raw.is_empty())
                .then(|| put(Kind::Raw, pack(&parts.raw)))
                .flatten(),
            state: put(Kind::State, state(carried, &parts.lines)),
        };
        carried.state = named.state;
        let mut lines = parts.lines;
        lines.push(encode(&self.run_leaf(carried, named, parts.windows, random)).unwrap());
        for line in &lines {
            carried.frontier.append(leaf_hash(line));
            carried.tiles.append(line).unwrap();
        }
        let segment = pack(&lines);
        let head = carried.frontier.head();
        let note = self.checkpoint(carried, head, &sha256(&segment));
        let root = Digest::from_bytes(*head.root.as_bytes());
        carried.checkpoint = Some(CheckpointRef {
            note_sha256: sha256(&note),
            root,
            size: Count(head.size.leaves()),
        });
        objects.insert(log.object(Kind::Segment, seq, &root), segment.into());
        objects.insert(log.checkpoint(seq), note.into());
        for tile in carried.tiles.take() {
            objects.insert(format!("{}{}", log.prefix(), tile.id), tile.bytes.into());
        }
        carried.seq += 1;
        objects
    }

    /// The signed note over a tree of the record's own log.
    pub(crate) fn checkpoint(&self, carried: &Carried, head: TreeHead, segment: &Digest) -> Vec<u8> {
        let origin = carried.log.origin(&self.origin).parse().unwrap();
        let mut checkpoint = Checkpoint::new(origin, head);
        checkpoint.extensions.push(segment_line(segment));
        checkpoint.sign(&self.signer).unwrap()
    }

    fn parts(&self, carried: &mut Carried, content: &Content, random: &mut Random) -> Parts {
        let origin = |year: i16| format!("{}/{year}", self.origin);
        let key = |year| self.verifier_key(&origin(year)).unwrap().to_string();
        let line = match content {
            Content::Genesis { previous } => encode(&GenesisLeaf {
                created_at: plus_seconds(carried.at, random.seconds(60)),
                ledger: self.ledger.clone(),
                origin: origin(carried.log.year),
                previous_log: previous.clone(),
                public_key: key(carried.log.year),
                retain_until: None,
                kind: "genesis".into(),
                v: 1,
            }),
            Content::Close { next } => encode(&CloseLeaf {
                closed_at: plus_seconds(carried.at, random.seconds(60)),
                ledger: self.ledger.clone(),
                next_origin: origin(*next),
                next_public_key: key(*next),
                kind: "close".into(),
                v: 1,
            }),
            Content::Look { events } => return self.look(carried, *events, random),
        };
        Parts {
            lines: vec![line.unwrap()],
            ..Parts::default()
        }
    }

    fn look(&self, carried: &mut Carried, events: usize, random: &mut Random) -> Parts {
        let mut parts = Parts::default();
        let seed = Seed::from_bytes(random.bytes());
        let mut disclosures = Vec::new();
        for (place, folder) in FOLDERS.into_iter().enumerate() {
            let first = carried.frontier.size().leaves() + parts.lines.len() as u64;
            let count = (events + place) / FOLDERS.len();
            for _ in 0..count {
                let n = parts.lines.len() as u64;
                let raw = raw_line(&seed, parts.raw.len() as u64, random);
                let event = self.event(carried, folder, sha256(&raw), random);
                let (line, disclosure) = seal(event, n, &seed).unwrap();
                parts.raw.push(raw);
                parts.lines.push(line);
                disclosures.push(disclosure);
            }
            let cursor = format!("cursor-{:016x}", random.next());
            let index = Count(carried.frontier.size().leaves() + parts.lines.len() as u64);
            let line = encode(&self.window(carried, folder, (first, count), &cursor)).unwrap();
            let leaf_hash = Digest::from_bytes(*leaf_hash(&line).as_bytes());
            carried
                .windows
                .insert(folder.to_owned(), (LeafRef { index, leaf_hash }, cursor));
            parts.windows.push(index);
            parts.lines.push(line);
        }
        parts.sidecar = Some(Sidecar { seed, disclosures });
        parts
    }

    fn event(&self, carried: &Carried, folder: &str, raw: Digest, random: &mut Random) -> Event {
        let scope = Scope {
            ledger: self.ledger.clone(),
            folder: folder.into(),
            function: None,
            provider: Provider::Dropbox,
            tenant: "tenant".into(),
            drive_id: "drive".into(),
        };
        let item_id = ItemId::from(format!("id:{:x}", random.next() % 500));
        let revision = format!("{:016x}", random.next());
        let id = EventKey {
            scope: &scope,
            item_id: &item_id,
            marker: &revision,
            action: Action::Modified,
        }
        .id();
        Event {
            id,
            scope,
            item_id,
            item_kind: ItemKind::File,
            action: Action::Modified,
            revision_id: Some(revision.as_str().into()),
            previous_revision_id: None,
            path: PathDetails {
                name: Some("plan.md".into()),
                path: Some(format!("Q{}/plan.md", random.next() % 4)),
                previous_path: None,
            },
            mime_type: None,
            size_bytes: Some(random.next() % 1_000_000),
            hashes: [("content".to_owned(), revision)].into(),
            content_missing: None,
            content_sha256: None,
            occurred: Occurred::At {
                at: plus_seconds(carried.at, -random.seconds(80_000)),
                source: TimeSource::Server,
            },
            claimed_at: None,
            observed_at: carried.at,
            actor: Some(Actor {
                kind: ActorKind::User,
                details: ActorDetails {
                    email: Some(format!("{}@acme.example", random.one(&["ana", "bo", "cy"]))),
                    ..ActorDetails::default()
                },
                application: None,
            }),
            actor_source: ActorSource::Revision,
            basis: Basis::Reported,
            derived_from: None,
            baseline: false,
            reconciled: false,
            source_api: "files/list_revisions".into(),
            source_request_id: None,
            raw_sha256: Some(raw),
        }
    }

    fn window(
        &self,
        carried: &Carried,
        folder: &str,
        (first, count): (u64, usize),
        cursor: &str,
    ) -> WindowLeaf {
        let last = carried.windows.get(folder);
        WindowLeaf {
            account: "account".into(),
            count: Count(count as u64),
            counted: Counted::default(),
            covers_from: None,
            covers_to: Some(carried.at),
            drive_id: None,
            first: Count(first),
            folder: folder.into(),
            from_cursor_sha256: last.map(|(_, cursor)| sha256(cursor.as_bytes())),
            gaps: Vec::new(),
            kept: None,
            ledger: self.ledger.clone(),
            oldest_revision_at: None,
            pages: Count(1),
            previous_window: last.map(|(place, _)| *place),
            provider: Provider::Dropbox,
            reconciled: Count(0),
            retries: Count(0),
            revisions_changed: Count(0),
            revisions_vanished: Count(0),
            state: WindowState::Complete,
            tenant: None,
            throttled_ms: Count(0),
            to_cursor_sha256: Some(sha256(cursor.as_bytes())),
            kind: "window".into(),
            v: 1,
            walk: None,
        }
    }

    fn run_leaf(
        &self,
        carried: &Carried,
        objects: Named,
        windows: Vec<Count>,
        random: &mut Random,
    ) -> RunLeaf {
        RunLeaf {
            audit: [].into(),
            clock_offset_ms: [].into(),
            config_sha256: sha256(b"configuration"),
            finished_at: carried.at,
            ledger: self.ledger.clone(),
            // Late by an hour is late: one snapshot that is missing shows at the record's present moment.
            next_expected_by: Some(plus_seconds(carried.at, DAY + 3_600)),
            objects,
            previous_checkpoint: carried.checkpoint,
            requests: [].into(),
            run_id: format!("{}-{:08x}", carried.at, random.next() >> 32).into(),
            seq: Count(carried.seq),
            started_at: carried.at,
            timestamps: [].into(),
            tool: Tool {
                binary_sha256: None,
                version: "0.0.0".into(),
            },
            kind: "run".into(),
            units: [].into(),
            v: 1,
            windows,
        }
    }
}

fn raw_line(seed: &Seed, n: u64, random: &mut Random) -> Vec<u8> {
    let body = format!("{{\"rev\":\"{:x}\"}}", random.next());
    let line = json!({"body": body, "n": n, "operation": "files/list_revisions", "salt": seed.raw_salt(n)});
    line.to_string().into_bytes()
}

/// The state object: the tree before and after the snapshot's leaves but for its run leaf, and the cursors.
fn state(carried: &Carried, lines: &[Vec<u8>]) -> Vec<u8> {
    let mut after = carried.frontier.clone();
    for line in lines {
        after.append(leaf_hash(line));
    }
    let hex = |hashes: &[Hash]| hashes.iter().map(ToString::to_string).collect::<Vec<_>>();
    let folders: serde_json::Map<String, serde_json::Value> = carried
        .windows
        .iter()
        .map(|(folder, (_, cursor))| (folder.clone(), json!({"cursor": cursor})))
        .collect();
    let mut header = json!({
        "base_items": "0",
        "changed_items": "0",
        "folders": folders,
        "frontier": hex(after.hashes()),
        "frontier_before": hex(carried.frontier.hashes()),
        "kind": "delta",
        "seq": carried.seq.to_string(),
        "size": after.size().leaves().to_string(),
        "size_before": carried.frontier.size().leaves().to_string(),
        "type": "state",
        "v": 1,
    });
    if let Some(previous) = carried.state {
        header["previous"] = json!(previous);
    }
    pack(&[header.to_string().into_bytes()])
}

/// Lines as a compressed object.
pub(crate) fn pack(lines: &[Vec<u8>]) -> Vec<u8> {
    let mut text = lines.join(&b'\n');
    text.push(b'\n');
    zstd::encode_all(text.as_slice(), 3).unwrap()
}

/// The lines of a compressed object.
pub(crate) fn unpack(bytes: &[u8]) -> Vec<Vec<u8>> {
    let text = zstd::decode_all(bytes).unwrap();
    let text = text.strip_suffix(b"\n").unwrap();
    text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}
