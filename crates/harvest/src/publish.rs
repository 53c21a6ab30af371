//! Tiles (C2SP tlog-tiles): the view of a log that proofs are read from, published after each commit.
//!
//! Tiles stand beside the record, `<ledger>/<year>/tile/…`, and are a pure function of it: of its leaves, and of the sizes of its
//! checkpoints. They are written after the commit, because two racing runs would make different bytes for the same partial tile,
//! and without a lock, because they may be deleted and made again at any time.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use futures::{StreamExt as _, TryStreamExt as _, future::try_join_all, stream};
use revtrail_archive::{Archive, ArchiveErrorKind, record};
use revtrail_ledger::{
    Checkpoint, Tile, TileId, TileWriter, TreeHead, TreeSize, VerifierKey,
    tile::{edge_tiles, last_bundle},
};
use revtrail_model::{
    layout::{Kind, LogName, segment_digest},
    sha256,
};

use crate::{
    error::HarvestError,
    run::RunPlan,
    snapshot::{digest_of, read_segment},
    stamps,
    store::{self, Created},
};

/// Tiles written at a time: each takes the store a while, and a large first harvest waits for them at every snapshot.
const AT_ONCE: usize = 8;

/// What became of the tiles of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Published {
    /// Written now.
    pub created: u64,
    /// Stood there already, with the same bytes.
    pub present: u64,
    /// Stand there with other bytes than the record gives.
    pub contradicting: Vec<String>,
}

/// What became of one tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Created,
    Present,
    Contradicting,
}

impl Published {
    fn count(&mut self, key: String, outcome: Outcome) {
        match outcome {
            Outcome::Created => self.created += 1,
            Outcome::Present => self.present += 1,
            Outcome::Contradicting => self.contradicting.push(key),
        }
    }
}

/// Publishes what the snapshot `seq` made new, and what earlier runs left unpublished, and has its checkpoint time-stamped. Never fails: the snapshot is committed, and
/// the next run publishes what is missing.
pub(crate) async fn after_commit(plan: &RunPlan, name: &LogName, seq: u64) {
    let outcome = match (plan.verifier)(&name.origin(&plan.origin)) {
        Ok(key) => publish(&plan.archive, name, &key, seq).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(published) => {
            for key in &published.contradicting {
                tracing::error!(object.key = %key, "a tile contradicts the record; delete it and run `revtrail views rebuild`");
            }
            tracing::debug!(log = %name, tiles.created = published.created, "published tiles");
        }
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(log = %name, error, "tiles were not published; the next run publishes them");
        }
    }
    stamps::after_commit(plan, name, seq).await;
}

/// Brings the tiles of a log up to the snapshot `seq`.
///
/// Reads the right edge of the tree and the segments that are not published yet: for a log whose last snapshot was published, one
/// segment and a logarithmic number of tiles. What is read is checked against the signed checkpoint; where the edge is missing or
/// wrong, an earlier one is taken, in the end the beginning of the log.
pub async fn publish(
    archive: &Arc<dyn Archive>,
    name: &LogName,
    key: &VerifierKey,
    seq: u64,
) -> Result<Published, HarvestError> {
    let log = Log { archive, name, key };
    let mut published = Published::default();
    let head = log.checkpoint(seq).await?.head();
    if log.is_published(head.size).await? {
        return Ok(published);
    }
    let (mut writer, first) = log.published_before(seq).await?;
    for seq in first..=seq {
        log.replay(seq, &mut writer, &mut published).await?;
    }
    Ok(published)
}

/// Makes all tiles of a log from its record and writes those that are missing. What stands there is compared.
pub fn rebuild<'a>(
    archive: &'a Arc<dyn Archive>,
    name: &'a LogName,
    key: &'a VerifierKey,
) -> futures::future::BoxFuture<'a, Result<Published, HarvestError>> {
    Box::pin(async move {
        let log = Log { archive, name, key };
        let (mut writer, mut published) = (TileWriter::new(), Published::default());
        let newest = record::newest_checkpoint(archive, name).await?;
        for seq in 0..newest.map_or(0, |seq| seq.saturating_add(1)) {
            log.replay(seq, &mut writer, &mut published).await?;
        }
        Ok(published)
    })
}

/// Key of a tile or entry bundle of a log.
fn tile_key(name: &LogName, id: TileId) -> String {
    format!("{}{id}", name.prefix())
}

struct Log<'a> {
    archive: &'a Arc<dyn Archive>,
    name: &'a LogName,
    key: &'a VerifierKey,
}

impl Log<'_> {
    async fn checkpoint(&self, seq: u64) -> Result<Checkpoint, HarvestError> {
        let key = self.name.checkpoint(seq);
        let note = store::read(self.archive, &key).await?;
        Checkpoint::open(&note, self.key).map_err(|error| HarvestError::Contradiction {
            key,
            what: error.to_string(),
        })
    }

    /// The last bundle of a tree is written last, so where it stands, all tiles of that tree stand.
    async fn is_published(&self, size: TreeSize) -> Result<bool, HarvestError> {
        let Some(last) = last_bundle(size) else {
            return Ok(true);
        };
        let key = store::object_key(&tile_key(self.name, last))?;
        Ok(self.archive.head(&key).await?.is_some())
    }

    /// A writer at the newest snapshot before `seq` whose tiles stand, and the first snapshot after it.
    async fn published_before(&self, seq: u64) -> Result<(TileWriter, u64), HarvestError> {
        for before in (0..seq).rev() {
            let head = self.checkpoint(before).await?.head();
            if self.is_published(head.size).await?
                && let Some(writer) = self.resume(&head).await?
            {
                return Ok((writer, before + 1));
            }
        }
        Ok((TileWriter::new(), 0))
    }

    /// A writer that goes on from the stored right edge, if that is what the checkpoint signed.
    async fn resume(&self, head: &TreeHead) -> Result<Option<TileWriter>, HarvestError> {
        let mut edge = edge_tiles(head.size);
        edge.extend(last_bundle(head.size).filter(|id| !id.is_full()));
        let tiles = try_join_all(edge.into_iter().map(|id| self.tile(id))).await?;
        let tiles: Option<BTreeMap<TileId, Vec<u8>>> = tiles.into_iter().collect();
        Ok(tiles.and_then(|tiles| TileWriter::resume(head, &tiles).ok()))
    }

    async fn tile(&self, id: TileId) -> Result<Option<(TileId, Vec<u8>)>, HarvestError> {
        let key = store::object_key(&tile_key(self.name, id))?;
        match self.archive.read(&key).await {
            Ok(bytes) => Ok(Some((id, bytes.to_vec()))),
            Err(error) if error.kind() == ArchiveErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts the leaves of a snapshot into the tiles and writes those that its checkpoint calls for.
    async fn replay(
        &self,
        seq: u64,
        writer: &mut TileWriter,
        published: &mut Published,
    ) -> Result<(), HarvestError> {
        let checkpoint = self.checkpoint(seq).await?;
        let key = self.name.object(Kind::Segment, seq, &digest_of(&checkpoint.root));
        let contradiction = |what: &str| HarvestError::Contradiction {
            key: key.clone(),
            what: what.to_owned(),
        };
        let segment = store::read(self.archive, &key).await?;
        if segment_digest(&checkpoint.extensions) != Some(sha256(&segment)) {
            return Err(contradiction(
                "does not have the digest that its checkpoint names",
            ));
        }
        for leaf in read_segment(&key, &segment)? {
            writer.append(&leaf).map_err(ledger)?;
        }
        if writer.head().map_err(ledger)? != checkpoint.head() {
            return Err(contradiction("leaves do not make the signed root"));
        }
        // Where the last one stands, all of them are taken to stand.
        let mut tiles = writer.take();
        let last = tiles.pop();
        let mut written = stream::iter(tiles.into_iter().map(|tile| self.write(tile))).buffered(AT_ONCE);
        while let Some((key, outcome)) = written.try_next().await? {
            published.count(key, outcome);
        }
        if let Some(tile) = last {
            let (key, outcome) = self.write(tile).await?;
            published.count(key, outcome);
        }
        Ok(())
    }

    async fn write(&self, tile: Tile) -> Result<(String, Outcome), HarvestError> {
        let key = tile_key(self.name, tile.id);
        let digest = sha256(&tile.bytes);
        // A view is not locked: it can be made again, and a lock would keep a mistake for years.
        let outcome = match store::create(self.archive, &key, tile.bytes, None).await? {
            Created::New => Outcome::Created,
            Created::Exists(found) if found == digest => Outcome::Present,
            Created::Exists(_) => Outcome::Contradicting,
        };
        Ok((key, outcome))
    }
}

fn ledger(error: impl std::fmt::Display) -> HarvestError {
    HarvestError::Ledger(error.to_string())
}
