//! Making tiles from entries, in one pass and with logarithmic memory.

use std::collections::BTreeMap;

use crate::{
    error::LedgerError,
    hash::{Hash, leaf_hash},
    tile::{
        FULL_WIDTH, Layer, Tile, TileId, bundle::push_entry, bundle::read_bundle, frontier_of,
        hashes::open_levels, last_bundle, nodes_at,
    },
    tree::{TreeHead, TreeSize, perfect_root},
};

/// Takes entries in order and gives the tiles and entry bundles of each tree whose checkpoint is published.
///
/// Keeps the open tile of each level and the open bundle, at most 255 hashes and entries each. Tiles are a pure function
/// of the entries and of the sizes at which [`TileWriter::take`] was called.
#[derive(Debug, Clone, Default)]
pub struct TileWriter {
    size: u64,
    taken: u64,
    levels: Vec<Vec<Hash>>,
    bundle: Vec<u8>,
    hashes: Vec<Tile>,
    bundles: Vec<Tile>,
}

impl TileWriter {
    /// A writer for a log without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer for a log that has grown to `head` already, from its edge tiles ([`edge_tiles`](super::edge_tiles)) and its
    /// last bundle ([`last_bundle`]). Both are checked: the tiles against `head`, the entries against the tiles.
    pub fn resume(head: &TreeHead, tiles: &BTreeMap<TileId, Vec<u8>>) -> Result<Self, LedgerError> {
        let levels = open_levels(head, tiles)?;
        let open = levels.first().map_or(&[][..], Vec::as_slice);
        let mut bundle = Vec::new();
        if let Some(id) = last_bundle(head.size).filter(|id| !id.is_full()) {
            let bytes = tiles.get(&id).ok_or(LedgerError::MissingTile(id))?;
            let entries = read_bundle(id, bytes)?;
            if !entries
                .iter()
                .map(|entry| leaf_hash(entry))
                .eq(open.iter().copied())
            {
                let reason = "entries do not have the hashes of the level 0 tile";
                return Err(LedgerError::Tile { id, reason });
            }
            entries
                .iter()
                .try_for_each(|entry| push_entry(&mut bundle, entry))?;
        }
        Ok(Self {
            size: head.size.leaves(),
            taken: head.size.leaves(),
            levels,
            bundle,
            ..Self::default()
        })
    }

    /// Appends one entry.
    pub fn append(&mut self, entry: &[u8]) -> Result<(), LedgerError> {
        self.append_hashed(entry, leaf_hash(entry))
    }

    /// Appends one entry whose leaf hash is known. The tiles are only as right as that hash.
    pub fn append_hashed(&mut self, entry: &[u8], hash: Hash) -> Result<(), LedgerError> {
        push_entry(&mut self.bundle, entry)?;
        self.size += 1;
        let size = TreeSize::new(self.size);
        if self.size.is_multiple_of(u64::from(FULL_WIDTH))
            && let Some(id) = last_bundle(size)
        {
            let bytes = std::mem::take(&mut self.bundle);
            self.bundles.push(Tile { id, bytes });
        }
        let (mut hash, mut level) = (hash, 0_u8);
        loop {
            if self.levels.len() == usize::from(level) {
                self.levels.push(Vec::with_capacity(usize::from(FULL_WIDTH)));
            }
            let open = &mut self.levels[usize::from(level)];
            open.push(hash);
            if open.len() < usize::from(FULL_WIDTH) {
                return Ok(());
            }
            let full = std::mem::take(open);
            let index = nodes_at(level, size) / u64::from(FULL_WIDTH) - 1;
            self.hashes.extend(tile(level, index, &full));
            (hash, level) = (perfect_root(&full), level + 1);
        }
    }

    /// Number of entries so far.
    pub const fn size(&self) -> TreeSize {
        TreeSize::new(self.size)
    }

    /// Size and root of the tree so far.
    pub fn head(&self) -> Result<TreeHead, LedgerError> {
        let levels: Vec<&[Hash]> = self.levels.iter().map(Vec::as_slice).collect();
        Ok(frontier_of(self.size(), &levels)?.head())
    }

    /// The tiles and bundles that the tree of the present size has and the one of the last call had not. Full and partial hash
    /// tiles come first, then bundles, the last one last: see [`last_bundle`].
    pub fn take(&mut self) -> Vec<Tile> {
        let mut made = std::mem::take(&mut self.hashes);
        let (size, taken) = (self.size(), TreeSize::new(self.taken));
        for (level, open) in (0_u8..).zip(&self.levels) {
            let nodes = nodes_at(level, size);
            if !open.is_empty() && nodes != nodes_at(level, taken) {
                made.extend(tile(level, nodes / u64::from(FULL_WIDTH), open));
            }
        }
        made.append(&mut self.bundles);
        if let Some(id) = last_bundle(size).filter(|id| !id.is_full() && size != taken) {
            let bytes = self.bundle.clone();
            made.push(Tile { id, bytes });
        }
        self.taken = self.size;
        made
    }
}

fn tile(level: u8, index: u64, hashes: &[Hash]) -> Option<Tile> {
    let id = TileId {
        layer: Layer::Hashes(level),
        index,
        width: u16::try_from(hashes.len()).ok()?,
    };
    let bytes = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
    Some(Tile { id, bytes })
}
