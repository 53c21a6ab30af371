//! Proofs, gathered with few reads: one segment, its sidecar, a logarithmic number of checkpoints and tiles.
//!
//! Tiles are views and may be missing or wrong: every one is authenticated against the signed checkpoint, and where that fails, the
//! hashes come from the record itself, from the snapshot concerned to the end of the log.

mod search;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Read as _},
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures::future::{BoxFuture, try_join, try_join_all};
use revtrail_archive::{ArchiveErrorKind, ObjectKey};
use revtrail_ledger::{
    Checkpoint, Frontier, Hash, LeafIndex, Note, TileHashes, TileId, TreeSize, VerifierKey, leaf_hash,
    tile::needed_tiles,
    tree::{
        HashReader, NodeId, Suffix, consistency_nodes, inclusion_nodes, prove_consistency, prove_inclusion,
    },
};
use revtrail_model::{
    Digest,
    disclosure::{Disclosure, Seed, Sidecar},
    layout::{Kind, LogName, segment_digest},
    leaf::{Leaf, RunLeaf},
    record::Count,
    sha256,
};
use serde::Deserialize;

use crate::{error::QueryError, reader::Reader};

/// Where the hashes of a proof came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Authenticated tiles.
    Tiles,
    /// Segments, from the snapshot concerned to the end of the log; the tiles are missing or contradict the record.
    Segments,
}

/// A leaf, what opens it, and its inclusion proof in the tree of a checkpoint.
#[derive(Debug, Clone)]
pub struct LeafEvidence {
    /// The checkpoint of the tree that the proof is made in, as signed.
    pub checkpoint: Note,
    /// Place of the leaf in the log.
    pub index: LeafIndex,
    /// The leaf as stored.
    pub leaf: Vec<u8>,
    /// Inclusion proof.
    pub hashes: Vec<Hash>,
    /// Its line of the sidecar and the seed of the snapshot, where it commits to anything.
    pub sidecar: Option<(Seed, Disclosure)>,
    /// Where the hashes came from.
    pub source: Source,
}

/// Two checkpoints and the consistency proof between them.
#[derive(Debug, Clone)]
pub struct GrowthEvidence {
    /// The earlier checkpoint, as signed.
    pub old: Note,
    /// The later checkpoint, as signed.
    pub new: Note,
    /// Consistency proof.
    pub hashes: Vec<Hash>,
    /// Where the hashes came from.
    pub source: Source,
}

/// No first line of a state object is longer: it holds a cursor for each folder and a logarithm of the tree.
const MAX_HEADER_BYTES: u64 = 64 << 20;

/// The first line of a state object, as far as the tree is concerned.
#[derive(Deserialize)]
struct StateHeader {
    frontier_before: Vec<Digest>,
    size_before: Count,
}

/// A log opened for proofs.
struct OpenLog<'a> {
    reader: &'a Reader,
    name: LogName,
    key: VerifierKey,
    last: u64,
    /// Checkpoints read so far.
    seen: Mutex<BTreeMap<u64, Signed>>,
}

/// A leaf as its snapshot holds it.
struct Found {
    seq: u64,
    leaf: Vec<u8>,
    sidecar: Option<(Seed, Disclosure)>,
}

/// A checkpoint and the note it came in.
#[derive(Clone)]
struct Signed {
    checkpoint: Checkpoint,
    note: Note,
}

impl Reader {
    /// The leaf `index` of the log of `year` (the newest log when absent), with its proof.
    pub fn prove_leaf(
        &self,
        year: Option<i16>,
        index: u64,
    ) -> BoxFuture<'_, Result<LeafEvidence, QueryError>> {
        Box::pin(async move { self.open_log(year).await?.leaf(index).await })
    }

    /// As [`Reader::prove_leaf`], in the tree of the checkpoint of this size instead of the newest one.
    pub fn prove_leaf_in(
        &self,
        year: Option<i16>,
        index: u64,
        size: u64,
    ) -> BoxFuture<'_, Result<LeafEvidence, QueryError>> {
        Box::pin(async move {
            let mut log = self.open_log(year).await?;
            log.last = log.of_size(size).await?.0;
            log.leaf(index).await
        })
    }

    /// The consistency proof between the checkpoints of these tree sizes.
    pub fn prove_growth(
        &self,
        year: Option<i16>,
        (old, new): (u64, u64),
    ) -> BoxFuture<'_, Result<GrowthEvidence, QueryError>> {
        Box::pin(async move { self.open_log(year).await?.growth(old, new).await })
    }

    async fn open_log(&self, year: Option<i16>) -> Result<OpenLog<'_>, QueryError> {
        for name in self.logs().await?.into_iter().rev() {
            if year.is_some_and(|year| year != name.year) {
                continue;
            }
            if let Some(last) = self.checkpoints(&name).await?.checked_sub(1) {
                let origin = name.origin(&self.origin);
                let key = (self.key)(&origin).ok_or_else(|| QueryError::NoKey(origin.clone()))?;
                return Ok(OpenLog {
                    reader: self,
                    name,
                    key,
                    last,
                    seen: Mutex::default(),
                });
            }
        }
        let year = year.map_or(String::new(), |year| format!("/{year}"));
        Err(QueryError::NoLog(format!("{}{year}", self.ledger)))
    }
}

impl OpenLog<'_> {
    async fn leaf(&self, index: u64) -> Result<LeafEvidence, QueryError> {
        let tip = self.signed(self.last).await?;
        if index >= tip.checkpoint.size.leaves() {
            return Err(QueryError::NoLeaf {
                log: self.name.to_string(),
                index,
                size: tip.checkpoint.size.leaves(),
            });
        }
        let place = LeafIndex::new(index);
        let size = tip.checkpoint.size;
        let nodes = inclusion_nodes(place, size).map_err(|error| self.contradiction(self.last, error))?;
        // Which tiles are needed does not depend on where the leaf is found: both at once.
        let (tiles, found) = try_join(self.tiles(&tip.checkpoint, &nodes), self.find(index)).await?;
        let Found { seq, leaf, sidecar } = found;
        let from_tiles = tiles.and_then(|tiles| prove(&tiles, place, &leaf, &tip.checkpoint));
        let (hashes, source) = if let Some(hashes) = from_tiles {
            (hashes, Source::Tiles)
        } else {
            let suffix = self.suffix(seq, self.last).await?;
            let hashes = prove(&suffix, place, &leaf, &tip.checkpoint);
            let wrong = || self.contradiction(seq, "the leaf is not in the signed tree");
            (hashes.ok_or_else(wrong)?, Source::Segments)
        };
        Ok(LeafEvidence {
            checkpoint: tip.note,
            index: place,
            leaf,
            hashes,
            sidecar,
            source,
        })
    }

    /// The leaf `index` in its snapshot.
    async fn find(&self, index: u64) -> Result<Found, QueryError> {
        let seq = self.first_of_size(index + 1).await?;
        let (own, start) = (self.signed(seq).await?, self.size_before(seq).await?);
        let leaves = self.segment(seq, &own.checkpoint).await?;
        let n = index - start;
        let leaf = usize::try_from(n).ok().and_then(|n| leaves.get(n)).cloned();
        let leaf = leaf.ok_or_else(|| self.contradiction(seq, "number of leaves does not agree"))?;
        let run = self.run_leaf(seq, &leaves)?;
        let sidecar = self.sidecar_of((seq, n), &leaf, &run).await?;
        Ok(Found { seq, leaf, sidecar })
    }

    async fn growth(&self, old: u64, new: u64) -> Result<GrowthEvidence, QueryError> {
        let (old_seq, older) = self.of_size(old).await?;
        let (new_seq, newer) = self.of_size(new).await?;
        let (old, new) = (older.checkpoint.size, newer.checkpoint.size);
        let nodes = consistency_nodes(old, new).map_err(|error| self.contradiction(new_seq, error))?;
        let check = |hashes: &Vec<Hash>| {
            let (old, new) = (older.checkpoint.head(), newer.checkpoint.head());
            revtrail_ledger::tree::verify_consistency(&old, &new, hashes).is_ok()
        };
        let tiles = self.tiles(&newer.checkpoint, &nodes).await?;
        let from_tiles = tiles
            .and_then(|tiles| prove_consistency(&tiles, old, new).ok())
            .filter(check);
        let (hashes, source) = if let Some(hashes) = from_tiles {
            (hashes, Source::Tiles)
        } else if old == new {
            (Vec::new(), Source::Segments)
        } else {
            let suffix = self.suffix(old_seq + 1, new_seq).await?;
            let hashes = prove_consistency(&suffix, old, new).ok().filter(check);
            let wrong = || self.contradiction(new_seq, "the tree does not continue the earlier one");
            (hashes.ok_or_else(wrong)?, Source::Segments)
        };
        Ok(GrowthEvidence {
            old: older.note,
            new: newer.note,
            hashes,
            source,
        })
    }

    async fn signed(&self, seq: u64) -> Result<Signed, QueryError> {
        let seen = self.seen().get(&seq).cloned();
        if let Some(seen) = seen {
            return Ok(seen);
        }
        let key = self.name.checkpoint(seq);
        let bytes = self.reader.get(&key).await?;
        let opened = Note::parse(&bytes).and_then(|note| {
            let (checkpoint, _) = Checkpoint::verify(&note, &self.key, &[])?;
            Ok(Signed { checkpoint, note })
        });
        let signed = opened.map_err(|error| QueryError::Contradiction {
            key,
            what: error.to_string(),
        })?;
        self.seen().insert(seq, signed.clone());
        Ok(signed)
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<u64, Signed>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn segment(&self, seq: u64, checkpoint: &Checkpoint) -> Result<Vec<Vec<u8>>, QueryError> {
        let root = Digest::from_bytes(*checkpoint.root.as_bytes());
        let key = self.name.object(Kind::Segment, seq, &root);
        self.reader
            .segment(&key, segment_digest(&checkpoint.extensions))
            .await
    }

    fn run_leaf(&self, seq: u64, leaves: &[Vec<u8>]) -> Result<Box<RunLeaf>, QueryError> {
        match leaves.last().map(|leaf| Leaf::parse(leaf)) {
            Some(Ok(Leaf::Run(run))) => Ok(run),
            _ => Err(self.contradiction(seq, "segment does not end in a run leaf")),
        }
    }

    /// What opens a leaf, if it commits to anything.
    async fn sidecar_of(
        &self,
        (seq, n): (u64, u64),
        leaf: &[u8],
        run: &RunLeaf,
    ) -> Result<Option<(Seed, Disclosure)>, QueryError> {
        let parsed = Leaf::parse(leaf).ok();
        let commitments = parsed.as_ref().and_then(Leaf::commitments);
        let (Some(commitments), Some(digest)) = (commitments, run.objects.sidecar) else {
            return Ok(None);
        };
        let key = self.name.object(Kind::Sidecar, seq, &digest);
        let bytes = self.reader.get(&key).await?;
        let contradiction = |what: &str| QueryError::Contradiction {
            key: key.clone(),
            what: what.to_owned(),
        };
        if sha256(&bytes) != digest {
            return Err(contradiction("bytes do not have the digest in the name"));
        }
        let (seed, line) = Sidecar::find(&bytes, n).map_err(|source| {
            let key = key.clone();
            QueryError::Model { key, source }
        })?;
        let line = line.unwrap_or(Disclosure {
            n,
            ..Disclosure::default()
        });
        if line.commitments(&seed).ok().as_ref() != Some(commitments) {
            return Err(contradiction("sidecar does not open its leaves"));
        }
        Ok(Some((seed, line)))
    }

    /// The tiles that hold `nodes`, authenticated; `None` when one is missing or wrong, for then the record itself must do.
    async fn tiles(&self, tip: &Checkpoint, nodes: &[NodeId]) -> Result<Option<TileHashes>, QueryError> {
        let ids: BTreeSet<TileId> = needed_tiles(tip.size, nodes);
        // All at once: the proof is there after the time of one read.
        let read = try_join_all(ids.iter().map(|id| self.tile(*id))).await?;
        let tiles: Option<Vec<Vec<u8>>> = read.into_iter().collect();
        let Some(tiles) = tiles else {
            return Ok(None);
        };
        let tiles: BTreeMap<TileId, Vec<u8>> = ids.into_iter().zip(tiles).collect();
        Ok(TileHashes::authenticate(&tip.head(), &tiles).ok())
    }

    /// A tile, or the full one that took its place.
    async fn tile(&self, id: TileId) -> Result<Option<Vec<u8>>, QueryError> {
        for id in [Some(id), Some(id.full()).filter(|_| !id.is_full())] {
            let Some(id) = id else { continue };
            let key: ObjectKey = format!("{}{id}", self.name.prefix()).parse()?;
            match self.reader.archive.read(&key).await {
                Ok(bytes) => return Ok(Some(bytes.to_vec())),
                Err(error) if error.kind() == ArchiveErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// The tree from the snapshot `first` on: the frontier before it, which its state object holds, and the leaves up to the snapshot
    /// `last`. Each snapshot must make its signed root.
    async fn suffix(&self, first: u64, last: u64) -> Result<Suffix, QueryError> {
        let mut suffix: Option<Suffix> = None;
        for seq in first..=last {
            let checkpoint = self.signed(seq).await?.checkpoint;
            let leaves = self.segment(seq, &checkpoint).await?;
            let mut tree = match suffix.take() {
                Some(tree) => tree,
                None => Suffix::new(self.frontier_before(seq, &leaves).await?),
            };
            for leaf in &leaves {
                tree.append(leaf_hash(leaf));
            }
            if tree.head() != checkpoint.head() {
                return Err(self.contradiction(seq, "leaves do not make the signed root"));
            }
            suffix = Some(tree);
        }
        suffix.ok_or_else(|| self.contradiction(first, "no snapshot to read"))
    }

    async fn frontier_before(&self, seq: u64, leaves: &[Vec<u8>]) -> Result<Frontier, QueryError> {
        if seq == 0 {
            return Ok(Frontier::new());
        }
        let state = self.run_leaf(seq, leaves)?.objects.state;
        let state = state.ok_or_else(|| self.contradiction(seq, "run leaf names no state object"))?;
        let key = self.name.object(Kind::State, seq, &state);
        let bytes = self.reader.get(&key).await?;
        let contradiction = |what: &str| QueryError::Contradiction {
            key: key.clone(),
            what: what.to_owned(),
        };
        if sha256(&bytes) != state {
            return Err(contradiction("bytes do not have the digest in the name"));
        }
        let line = first_line(&bytes).map_err(|_| contradiction("not a readable zstd stream"))?;
        let header: StateHeader = revtrail_model::record::read(&line).map_err(|source| {
            let key = key.clone();
            QueryError::Model { key, source }
        })?;
        let hashes = header.frontier_before.iter();
        let hashes = hashes
            .map(|digest| Hash::from_bytes(*digest.as_bytes()))
            .collect();
        Frontier::from_hashes(TreeSize::new(header.size_before.0), hashes)
            .map_err(|_| contradiction("does not hold a tree"))
    }

    fn contradiction(&self, seq: u64, what: impl std::fmt::Display) -> QueryError {
        QueryError::Contradiction {
            key: self.name.checkpoint(seq),
            what: what.to_string(),
        }
    }
}

/// The first line of a compressed object; a state object is large, and the rest of it is not for us.
fn first_line(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(zstd::stream::read::Decoder::new(bytes)?)
        .take(MAX_HEADER_BYTES)
        .read_until(b'\n', &mut line)?;
    Ok(line.strip_suffix(b"\n").map(<[u8]>::to_vec).unwrap_or(line))
}

/// The inclusion proof, if it leads from the leaf to the signed root.
fn prove<R: HashReader>(
    hashes: &R,
    index: LeafIndex,
    leaf: &[u8],
    checkpoint: &Checkpoint,
) -> Option<Vec<Hash>> {
    let proof = prove_inclusion(hashes, index, checkpoint.size).ok()?;
    let verdict =
        revtrail_ledger::tree::verify_inclusion(&leaf_hash(leaf), index, &checkpoint.head(), &proof);
    verdict.ok().map(|()| proof)
}
