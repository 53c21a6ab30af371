//! One snapshot, read and taken apart as far as that needs nothing of the snapshots before it. This is where the work is, so it
//! runs beside the rest ([`crate::ahead`]); what it finds is judged later, in order.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use revtrail_ledger::{Checkpoint, Hash, leaf_hash};
use revtrail_model::{
    Digest,
    disclosure::{Commitments, Disclosure, Sidecar},
    id::{FolderName, HoldId},
    layout::{Kind, segment_digest},
    leaf::{CheckpointRef, CloseLeaf, EventGlance, GenesisLeaf, HoldAction, Leaf, RunLeaf, WindowLeaf},
    record::Count,
    sha256,
};

use crate::{
    log::LogCheck,
    objects::{StateHeader, lines, state_header, text},
    source::SourceError,
};

/// A snapshot as stored: its checkpoint, and with it the rest.
pub(crate) enum Loaded {
    /// It cannot be read.
    Absent,
    /// Not signed by the trusted key, and why.
    Refused(String),
    /// Signed by it.
    Signed(Box<Signed>),
}

/// What a checkpoint signs, and what stands beside it.
pub(crate) struct Signed {
    pub(crate) reference: CheckpointRef,
    /// SHA-256 of the checkpoint's text, which every copy of it has, whoever signed that.
    pub(crate) text: Digest,
    /// SHA-256 of the segment object, as the checkpoint names it.
    pub(crate) named: Option<Digest>,
    /// Key of the segment.
    pub(crate) key: String,
    /// `None` when it is missing.
    pub(crate) segment: Option<Segment>,
}

/// A segment object.
pub(crate) struct Segment {
    /// SHA-256 of the stored bytes.
    pub(crate) sha256: Digest,
    /// Its leaves, or why they cannot be read.
    pub(crate) leaves: Result<Leaves, String>,
}

/// The leaves of a snapshot.
pub(crate) struct Leaves {
    /// Key of the segment.
    pub(crate) key: String,
    /// The lines, with newlines between them.
    pub(crate) text: Vec<u8>,
    pub(crate) hashes: Vec<Hash>,
    pub(crate) records: Vec<Record>,
    /// Places of lines that are not leaves, and why.
    pub(crate) unreadable: Vec<(usize, String)>,
    /// Log index of the first.
    pub(crate) first: u64,
    /// What the run leaf names; absent when there is none at the end.
    pub(crate) objects: Option<Objects>,
}

/// A leaf, as far as it is judged.
pub(crate) enum Record {
    Event(EventFacts),
    Window(Box<WindowLeaf>),
    Run(Box<RunLeaf>),
    Genesis(Box<GenesisLeaf>),
    Close(Box<CloseLeaf>),
    Hold(Box<HoldFacts>),
    Annotation(Box<AnnotationFacts>),
    Unknown,
}

/// What is judged of an event.
pub(crate) struct EventFacts {
    pub(crate) folder: FolderName,
    pub(crate) id: Digest,
    /// It names the ledger that it stands in.
    pub(crate) own_ledger: bool,
    pub(crate) raw: Option<Digest>,
    /// SHA-256 of its contents, when they were kept.
    pub(crate) content: Option<Digest>,
}

/// What is judged of an annotation.
pub(crate) struct AnnotationFacts {
    pub(crate) event: Digest,
    pub(crate) folder: FolderName,
    /// It names the ledger that it stands in.
    pub(crate) own_ledger: bool,
    pub(crate) raw: Option<Digest>,
}

/// What is judged of a legal hold placed or released.
pub(crate) struct HoldFacts {
    pub(crate) action: HoldAction,
    pub(crate) id: HoldId,
    /// It names the ledger that it stands in.
    pub(crate) own_ledger: bool,
    pub(crate) year: Option<Count>,
}

/// An object that the run leaf names, with what was read of it.
pub(crate) struct Object<T> {
    pub(crate) digest: Digest,
    pub(crate) stored: Stored<T>,
}

/// How an object was found.
pub(crate) enum Stored<T> {
    Missing,
    /// It has this other digest.
    Differs(Digest),
    Unreadable(String),
    Read(T),
}

/// The objects beside a segment.
#[derive(Default)]
pub(crate) struct Objects {
    pub(crate) sidecar: Option<Object<Opened>>,
    pub(crate) raw: Option<Object<Vec<Digest>>>,
    /// Its first line, where that can be read.
    pub(crate) state: Option<Object<Option<StateHeader>>>,
}

impl Objects {
    /// The first line of the state object that the run leaf names.
    pub(crate) fn header(&self) -> Option<&StateHeader> {
        match &self.state.as_ref()?.stored {
            Stored::Read(header) => header.as_ref(),
            _ => None,
        }
    }
}

/// How the sidecar fits the leaves that commit to something.
pub(crate) struct Opened {
    /// Places of such leaves that it does not open.
    pub(crate) refused: BTreeSet<usize>,
    /// The first place it discloses where none stands.
    pub(crate) stray: Option<u64>,
}

impl Leaves {
    /// The stored lines.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        lines(&self.text)
    }

    /// The run leaf at the end.
    pub(crate) fn run(&self) -> Option<&RunLeaf> {
        match self.records.last() {
            Some(Record::Run(run)) => Some(run),
            _ => None,
        }
    }
}

/// Reads the snapshot `seq` of a log.
pub(crate) fn load(log: &LogCheck<'_>, seq: u64) -> Result<Loaded, SourceError> {
    let Some(note) = log.source.read(&log.name.checkpoint(seq))? else {
        return Ok(Loaded::Absent);
    };
    let checkpoint = match Checkpoint::open(&note, log.key) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return Ok(Loaded::Refused(error.to_string())),
    };
    let reference = CheckpointRef {
        note_sha256: sha256(&note),
        root: Digest::from_bytes(*checkpoint.root.as_bytes()),
        size: Count(checkpoint.size.leaves()),
    };
    let key = log.name.object(Kind::Segment, seq, &reference.root);
    let segment = match log.source.read(&key)? {
        Some(bytes) => Some(Segment {
            sha256: sha256(&bytes),
            leaves: match text(&bytes) {
                Ok(text) => Ok(leaves(log, seq, (&key, text), reference.size)?),
                Err(what) => Err(what),
            },
        }),
        None => None,
    };
    Ok(Loaded::Signed(Box::new(Signed {
        reference,
        text: sha256(checkpoint.to_text().as_bytes()),
        named: segment_digest(&checkpoint.extensions),
        key,
        segment,
    })))
}

fn leaves(
    log: &LogCheck<'_>,
    seq: u64,
    (key, text): (&str, Vec<u8>),
    size: Count,
) -> Result<Leaves, SourceError> {
    let mut leaves = Leaves {
        key: key.to_owned(),
        hashes: Vec::new(),
        records: Vec::new(),
        unreadable: Vec::new(),
        first: 0,
        objects: None,
        text: Vec::new(),
    };
    let (mut committed, mut start) = (Vec::new(), 0);
    for (place, line) in lines(&text).enumerate() {
        leaves.hashes.push(leaf_hash(line));
        let record = if let Some(event) = EventGlance::of(line) {
            let c = start + event.c.start..start + event.c.end;
            committed.push((place, Committed::At(c)));
            Record::Event(facts(&event, log, leaves.records.last()))
        } else {
            match Leaf::parse(line) {
                Ok(leaf) => {
                    let c = leaf.commitments().cloned();
                    committed.extend(c.map(|c| (place, Committed::Read(c))));
                    record(leaf, log, leaves.records.last())
                }
                Err(error) => {
                    leaves.unreadable.push((place, error.to_string()));
                    Record::Unknown
                }
            }
        };
        leaves.records.push(record);
        start += line.len() + 1;
    }
    leaves.text = text;
    leaves.first = size.0.saturating_sub(leaves.records.len() as u64);
    leaves.objects = match leaves.run() {
        Some(run) => Some(objects(log, seq, run, (&leaves.text, committed))?),
        None => None,
    };
    Ok(leaves)
}

/// What a leaf commits to.
enum Committed {
    Read(Commitments),
    /// It stands here in the text, and is read when there is something to compare it with; nothing where nothing stands.
    At(Range<usize>),
}

impl Committed {
    fn read(self, text: &[u8]) -> Option<Commitments> {
        match self {
            Self::Read(c) => Some(c),
            Self::At(place) if place.is_empty() => Some(Commitments::default()),
            Self::At(place) => serde_json::from_slice(text.get(place)?).ok(),
        }
    }
}

fn record(leaf: Leaf, log: &LogCheck<'_>, before: Option<&Record>) -> Record {
    match leaf {
        Leaf::Event(event) => {
            let event = EventGlance {
                c: 0..0,
                folder: event.folder.as_str(),
                id: event.id,
                ledger: event.ledger.as_str(),
                raw_sha256: event.raw_sha256,
                content_sha256: event.content_sha256,
            };
            Record::Event(facts(&event, log, before))
        }
        Leaf::Window(window) => Record::Window(window),
        Leaf::Run(run) => Record::Run(run),
        Leaf::Genesis(genesis) => Record::Genesis(genesis),
        Leaf::Close(close) => Record::Close(close),
        Leaf::Hold(hold) => Record::Hold(Box::new(HoldFacts {
            action: hold.action,
            id: hold.hold_id,
            own_ledger: hold.ledger == log.name.ledger,
            year: hold.year,
        })),
        Leaf::Annotation(annotation) => Record::Annotation(Box::new(AnnotationFacts {
            event: annotation.event_id,
            folder: annotation.folder,
            own_ledger: annotation.ledger == log.name.ledger,
            raw: annotation.raw_sha256,
        })),
        Leaf::Unknown(_) => Record::Unknown,
    }
}

/// Neighbours are mostly of one folder, whose name is then kept once.
fn facts(event: &EventGlance<'_>, log: &LogCheck<'_>, before: Option<&Record>) -> EventFacts {
    let folder = match before {
        Some(Record::Event(other)) if other.folder.as_str() == event.folder => other.folder.clone(),
        _ => event.folder.into(),
    };
    EventFacts {
        folder,
        id: event.id,
        own_ledger: event.ledger == log.name.ledger.as_str(),
        raw: event.raw_sha256,
        content: event.content_sha256,
    }
}

fn objects(
    log: &LogCheck<'_>,
    seq: u64,
    run: &RunLeaf,
    (text, committed): (&[u8], Vec<(usize, Committed)>),
) -> Result<Objects, SourceError> {
    let read = |kind, digest: Option<Digest>| {
        digest
            .map(|digest| Ok((digest, log.source.read(&log.name.object(kind, seq, &digest))?)))
            .transpose()
    };
    Ok(Objects {
        sidecar: read(Kind::Sidecar, run.objects.sidecar)?.map(|(digest, bytes)| {
            object(digest, bytes.as_deref(), |bytes| {
                let sidecar = Sidecar::decode(bytes).map_err(|error| error.to_string())?;
                Ok(opened(&sidecar, text, committed))
            })
        }),
        raw: read(Kind::Raw, run.objects.raw)?
            .map(|(digest, bytes)| object(digest, bytes.as_deref(), raw_digests)),
        state: read(Kind::State, run.objects.state)?
            .map(|(digest, bytes)| object(digest, bytes.as_deref(), |bytes| Ok(state_header(bytes)))),
    })
}

fn object<T>(
    digest: Digest,
    bytes: Option<&[u8]>,
    read: impl FnOnce(&[u8]) -> Result<T, String>,
) -> Object<T> {
    let stored = match bytes.map(|bytes| (bytes, sha256(bytes))) {
        None => Stored::Missing,
        Some((_, actual)) if actual != digest => Stored::Differs(actual),
        Some((bytes, _)) => read(bytes).map_or_else(Stored::Unreadable, Stored::Read),
    };
    Object { digest, stored }
}

/// Digests of the lines of a raw object.
pub(crate) fn raw_digests(bytes: &[u8]) -> Result<Vec<Digest>, String> {
    Ok(lines(&text(bytes)?).map(sha256).collect())
}

fn opened(sidecar: &Sidecar, text: &[u8], committed: Vec<(usize, Committed)>) -> Opened {
    let mut disclosures: BTreeMap<u64, &Disclosure> = sidecar
        .disclosures
        .iter()
        .map(|disclosure| (disclosure.n, disclosure))
        .collect();
    let refused = committed
        .into_iter()
        .filter_map(|(place, committed)| {
            let opened = match disclosures.remove(&(place as u64)) {
                Some(disclosure) => disclosure.commitments(&sidecar.seed).ok(),
                None => Some(Commitments::default()),
            };
            (opened.is_none() || opened != committed.read(text)).then_some(place)
        })
        .collect();
    Opened {
        refused,
        stray: disclosures.keys().next().copied(),
    }
}
