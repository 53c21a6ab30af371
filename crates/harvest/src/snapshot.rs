//! The snapshot under construction: events and windows of the folders looked at, then what audit logs told, then one run leaf.

use std::collections::BTreeMap;

use revtrail_ledger::{Frontier, Hash, leaf_hash};
use revtrail_model::{
    Digest,
    disclosure::{Disclosure, Seed, Sidecar},
    event::Event,
    id::FolderName,
    leaf::{Annotation, LeafRef, RunLeaf, WindowLeaf, encode, seal, seal_annotation},
    record::Count,
    sha256,
};

use crate::{error::HarvestError, facts, spool::Spool};

/// Events and window of one folder. The window's places in the log are filled in when the snapshot is sealed.
#[derive(Debug, Clone)]
pub struct Part {
    /// Facts, in no order yet.
    pub events: Vec<Event>,
    /// What the look covered.
    pub window: WindowLeaf,
}

/// A snapshot under construction.
pub struct Draft {
    /// Raw records and the seed of the salts.
    pub spool: Spool,
    /// Folders looked at, in the order they were.
    pub parts: Vec<Part>,
    /// What audit logs told; stands after all windows.
    pub annotations: Vec<Annotation>,
    /// What opens the leaves that stand before the folders'.
    pub lead_disclosures: Vec<Disclosure>,
}

impl Draft {
    /// An empty draft with a fresh seed.
    pub fn new() -> Result<Self, HarvestError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(HarvestError::Random)?;
        Ok(Self {
            spool: Spool::new(Seed::from_bytes(seed))?,
            parts: Vec::new(),
            annotations: Vec::new(),
            lead_disclosures: Vec::new(),
        })
    }
}

/// Leaves of a snapshot, all but the run leaf, and what goes beside them.
pub struct Body {
    /// Stored bytes of each leaf.
    pub leaves: Vec<Vec<u8>>,
    /// Tree over the log with these leaves.
    pub frontier: Frontier,
    /// Bytes of the sidecar; `None` when there is nothing to disclose.
    pub sidecar: Option<Vec<u8>>,
    /// Bytes of the raw object; `None` when nothing was read.
    pub raw: Option<Vec<u8>>,
    /// Each folder's new window.
    pub windows: BTreeMap<FolderName, LeafRef>,
    /// Log indices of the windows.
    pub window_indices: Vec<Count>,
    /// Number of events.
    pub events: u64,
}

/// Leaves that stand before the folders' in a snapshot: `genesis`, `close` or `hold`.
pub type Lead = Vec<Vec<u8>>;

/// Orders and seals the draft on top of `frontier`.
pub fn seal_draft(draft: Draft, lead: Lead, frontier: &Frontier) -> Result<Body, HarvestError> {
    let seed = draft.spool.seed().clone();
    let mut sealing = Sealing {
        seed: &seed,
        frontier: frontier.clone(),
        leaves: Vec::new(),
        disclosures: draft.lead_disclosures,
    };
    for leaf in lead {
        sealing.push(leaf);
    }
    let (mut windows, mut window_indices, mut events) = (BTreeMap::new(), Vec::new(), 0);
    for part in draft.parts {
        events += part.events.len() as u64;
        let (folder, place) = sealing.part(part)?;
        window_indices.push(place.index);
        windows.insert(folder, place);
    }
    for annotation in draft.annotations {
        sealing.annotation(annotation)?;
    }
    let Sealing {
        frontier,
        leaves,
        disclosures,
        ..
    } = sealing;
    let sidecar = if disclosures.is_empty() {
        None
    } else {
        Some(
            Sidecar {
                seed: seed.clone(),
                disclosures,
            }
            .encode()?,
        )
    };
    Ok(Body {
        leaves,
        frontier,
        sidecar,
        raw: draft.spool.finish()?,
        windows,
        window_indices,
        events,
    })
}

struct Sealing<'a> {
    seed: &'a Seed,
    frontier: Frontier,
    leaves: Vec<Vec<u8>>,
    disclosures: Vec<Disclosure>,
}

impl Sealing<'_> {
    fn push(&mut self, leaf: Vec<u8>) -> LeafRef {
        let index = self.frontier.size().leaves();
        let hash = leaf_hash(&leaf);
        self.frontier.append(hash);
        self.leaves.push(leaf);
        LeafRef {
            index: Count(index),
            leaf_hash: digest_of(&hash),
        }
    }

    fn annotation(&mut self, annotation: Annotation) -> Result<(), HarvestError> {
        let (leaf, disclosure) = seal_annotation(annotation, self.leaves.len() as u64, self.seed)?;
        if !disclosure.is_empty() {
            self.disclosures.push(disclosure);
        }
        self.push(leaf);
        Ok(())
    }

    fn part(&mut self, mut part: Part) -> Result<(FolderName, LeafRef), HarvestError> {
        facts::sort(&mut part.events);
        part.window.first = Count(self.frontier.size().leaves());
        part.window.count = Count(part.events.len() as u64);
        for event in part.events {
            let (leaf, disclosure) = seal(event, self.leaves.len() as u64, self.seed)?;
            if !disclosure.is_empty() {
                self.disclosures.push(disclosure);
            }
            self.push(leaf);
        }
        let place = self.push(encode(&part.window)?);
        Ok((part.window.folder, place))
    }
}

/// The finished segment: all leaves, one per line, compressed; and the tree it makes.
pub struct Segment {
    /// Object bytes.
    pub bytes: Vec<u8>,
    /// Tree over the log with this segment.
    pub frontier: Frontier,
}

/// Adds the run leaf and makes the segment object.
pub fn seal_segment(
    mut leaves: Vec<Vec<u8>>,
    mut frontier: Frontier,
    run: &RunLeaf,
) -> Result<Segment, HarvestError> {
    let run = encode(run)?;
    frontier.append(leaf_hash(&run));
    leaves.push(run);
    let mut lines = Vec::with_capacity(leaves.iter().map(|leaf| leaf.len() + 1).sum());
    for leaf in &leaves {
        lines.extend_from_slice(leaf);
        lines.push(b'\n');
    }
    let bytes = zstd::bulk::compress(&lines, crate::spool::LEVEL).map_err(HarvestError::Compress)?;
    Ok(Segment { bytes, frontier })
}

/// The leaves of a segment object.
pub fn read_segment(key: &str, bytes: &[u8]) -> Result<Vec<Vec<u8>>, HarvestError> {
    let lines = zstd::stream::decode_all(bytes).map_err(|_| HarvestError::Contradiction {
        key: key.to_owned(),
        what: "not a zstd stream".into(),
    })?;
    Ok(lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(<[u8]>::to_vec)
        .collect())
}

/// A tree hash as a digest of the record.
pub fn digest_of(hash: &Hash) -> Digest {
    Digest::from_bytes(*hash.as_bytes())
}

/// A digest of the record as a tree hash.
pub fn hash_of(digest: &Digest) -> Hash {
    Hash::from_bytes(*digest.as_bytes())
}

/// Digest of an object, if there is one.
pub fn digest_of_object(bytes: Option<&Vec<u8>>) -> Option<Digest> {
    bytes.map(|bytes| sha256(bytes))
}
