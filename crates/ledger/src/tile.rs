//! Tiles and entry bundles (C2SP tlog-tiles): the tree and its entries as static files.
//!
//! ```text
//! tile/0/x001/x234/067          256 leaf hashes, from leaf 1234067 * 256
//! tile/1/000.p/17               the first 17 hashes of level 1, each over 256 hashes of level 0
//! tile/entries/273.p/112        112 entries, each after its length in two bytes
//! ```
//!
//! A tree of 70,000 leaves has 273 full tiles and one of width 112 at level 0, one full tile and one of width 17
//! at level 1, and one of width 1 at level 2 (tlog-tiles, "Partial Tiles"). Tiles are derived from the record and
//! prove nothing by themselves: [`TileHashes::authenticate`] checks every one against a tree head before any of
//! their hashes can be read.

mod bundle;
mod hashes;
mod writer;

#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

pub use bundle::{MAX_ENTRY_BYTES, read_bundle};
pub use hashes::{TileHashes, needed_tiles};
pub use writer::TileWriter;

use crate::{
    error::{LedgerError, excerpt},
    hash::Hash,
    tree::{Frontier, TreeSize, perfect_root},
};

/// Hashes or entries in a full tile or bundle.
pub const FULL_WIDTH: u16 = 256;
/// Highest level of a tile in a tree of at most [`TreeSize::MAX`] leaves.
const MAX_LEVEL: u8 = 7;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// Tree hashes at tile level `0..=7`, which is tree level `0, 8, 16, …`.
    Hashes(u8),
    /// The entries themselves.
    Entries,
}

/// Name of a tile or entry bundle, displayed as its path below the log's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId {
    layer: Layer,
    index: u64,
    width: u16,
}

/// A tile or entry bundle with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Its name.
    pub id: TileId,
    /// What is stored under it.
    pub bytes: Vec<u8>,
}

impl TileId {
    /// The tile of `layer` at `index` in a tree of `size` leaves: full, or as wide as that tree makes it.
    /// `None` when the tree has none there.
    pub fn in_tree(layer: Layer, index: u64, size: TreeSize) -> Option<Self> {
        let nodes = nodes_at(layer.level(), size);
        let before = index.checked_mul(u64::from(FULL_WIDTH))?;
        let width = nodes.checked_sub(before)?.min(u64::from(FULL_WIDTH)) as u16;
        (width > 0).then_some(Self { layer, index, width })
    }

    /// What the tile holds.
    pub const fn layer(&self) -> Layer {
        self.layer
    }

    /// Place of the tile in its level.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Number of hashes or entries, 1 to 256.
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// True for a tile of 256 hashes or entries, which never changes again.
    pub const fn is_full(&self) -> bool {
        self.width == FULL_WIDTH
    }

    /// The full tile at the same place, of which a partial one is a prefix.
    #[must_use]
    pub const fn full(self) -> Self {
        Self {
            width: FULL_WIDTH,
            ..self
        }
    }

    /// The smallest tree that has this tile; `None` when no tree has.
    pub fn smallest_tree(&self) -> Option<TreeSize> {
        let nodes = self
            .index
            .checked_mul(u64::from(FULL_WIDTH))?
            .checked_add(u64::from(self.width))?;
        let shift = 8 * u32::from(self.layer.level());
        let leaves = nodes.checked_mul(1_u64.checked_shl(shift)?)?;
        Some(TreeSize::new(leaves)).filter(|size| *size <= TreeSize::MAX)
    }
}

impl Layer {
    const fn level(self) -> u8 {
        match self {
            Self::Hashes(level) => level,
            Self::Entries => 0,
        }
    }
}

/// Hashes at tile level `level` in a tree of `size` leaves: `floor(size / 256^level)`.
const fn nodes_at(level: u8, size: TreeSize) -> u64 {
    match size.leaves().checked_shr(8 * level as u32) {
        Some(nodes) => nodes,
        None => 0,
    }
}

/// The partial hash tiles of a tree, lowest level first. Together they hold its right edge: their hashes give the
/// [`Frontier`], and so the root.
pub fn edge_tiles(size: TreeSize) -> Vec<TileId> {
    (0..=MAX_LEVEL)
        .filter_map(|level| {
            let nodes = nodes_at(level, size);
            let id = TileId::in_tree(Layer::Hashes(level), nodes / u64::from(FULL_WIDTH), size)?;
            Some(id).filter(|id| !id.is_full())
        })
        .collect()
}

/// The bundle with the last entries of a tree, full or partial; `None` for the empty tree. [`TileWriter::take`] gives it
/// last, so where it stands, everything else of that tree stands.
pub fn last_bundle(size: TreeSize) -> Option<TileId> {
    let last = size.leaves().checked_sub(1)?;
    TileId::in_tree(Layer::Entries, last / u64::from(FULL_WIDTH), size)
}

/// The frontier that the hashes of the right edge make, lowest level first.
fn frontier_of(size: TreeSize, edge: &[&[Hash]]) -> Result<Frontier, LedgerError> {
    let mut hashes = Vec::new();
    for level in edge.iter().rev() {
        let mut rest = *level;
        while !rest.is_empty() {
            let (perfect, right) = rest.split_at(1 << rest.len().ilog2());
            hashes.push(perfect_root(perfect));
            rest = right;
        }
    }
    Frontier::from_hashes(size, hashes)
}

/// The hashes in a tile's bytes; a full tile may stand in for a partial one, of which it is the continuation.
fn read_hashes(id: TileId, bytes: &[u8]) -> Result<Vec<Hash>, LedgerError> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    let fits = hashes.len() == usize::from(id.width) || hashes.len() == usize::from(FULL_WIDTH);
    if !fits || !rest.is_empty() {
        return Err(LedgerError::Tile {
            id,
            reason: "not as many hashes as its name says",
        });
    }
    let own = hashes.iter().take(usize::from(id.width));
    Ok(own.copied().map(Hash::from_bytes).collect())
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layer {
            Layer::Hashes(level) => write!(f, "tile/{level}/")?,
            Layer::Entries => f.write_str("tile/entries/")?,
        }
        // Seven groups of three digits hold every 64-bit number.
        let groups: Vec<u64> = (0..7_u32)
            .rev()
            .map(|group| self.index / 1000_u64.pow(group) % 1000)
            .skip_while(|group| *group == 0)
            .collect();
        let (last, before) = groups.split_last().unwrap_or((&0, &[]));
        before.iter().try_for_each(|group| write!(f, "x{group:03}/"))?;
        write!(f, "{last:03}")?;
        if self.is_full() {
            return Ok(());
        }
        write!(f, ".p/{}", self.width)
    }
}

impl FromStr for TileId {
    type Err = LedgerError;

    /// Reads what `Display` writes and nothing else.
    fn from_str(path: &str) -> Result<Self, LedgerError> {
        let parsed = parse(path).filter(|id| id.to_string() == path);
        parsed.ok_or_else(|| LedgerError::TilePath(excerpt(path, 200)))
    }
}

fn parse(path: &str) -> Option<TileId> {
    let (layer, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let layer = match layer {
        "entries" => Layer::Entries,
        level => Layer::Hashes(level.parse().ok().filter(|level| *level <= MAX_LEVEL)?),
    };
    let (number, width) = match rest.split_once(".p/") {
        Some((number, width)) => (number, width.parse().ok().filter(|width| *width < FULL_WIDTH)?),
        None => (rest, FULL_WIDTH),
    };
    let mut index = 0_u64;
    for group in number.split('/') {
        let digits = group.strip_prefix('x').unwrap_or(group);
        let group = digits.parse::<u64>().ok().filter(|group| *group < 1000)?;
        index = index.checked_mul(1000)?.checked_add(group)?;
    }
    (width > 0).then_some(TileId { layer, index, width })
}
