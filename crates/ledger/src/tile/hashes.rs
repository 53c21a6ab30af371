//! Reading node hashes from tiles, none of which is trusted before it is checked.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    error::LedgerError,
    hash::Hash,
    tile::{FULL_WIDTH, Layer, TileId, edge_tiles, frontier_of, nodes_at, read_hashes},
    tree::{HashReader, NodeId, TreeHead, TreeSize, perfect_root},
};

/// The tiles that `nodes` of a tree of `size` leaves are read from, and those that authenticate them: the right edge, which
/// gives the root, and from each tile all above it up to the edge. Nodes outside the tree name no tile.
pub fn needed_tiles(size: TreeSize, nodes: &[NodeId]) -> BTreeSet<TileId> {
    let mut needed: BTreeSet<TileId> = edge_tiles(size).into_iter().collect();
    for node in nodes {
        let Some((mut level, mut index, _)) = place(*node) else {
            continue;
        };
        while let Some(id) = TileId::in_tree(Layer::Hashes(level), index, size) {
            if !needed.insert(id) || !id.is_full() {
                break;
            }
            (level, index) = (level + 1, index / u64::from(FULL_WIDTH));
        }
    }
    needed
}

/// Tile level, tile index and the first hash in that tile of a node.
fn place(node: NodeId) -> Option<(u8, u64, usize)> {
    let (level, within) = (node.level / 8, u32::from(node.level % 8));
    let first = node.index.checked_mul(1 << within)?;
    let width = u64::from(FULL_WIDTH);
    Some((level, first / width, (first % width) as usize))
}

/// Hashes of authenticated tiles of one tree. The only way to one is [`TileHashes::authenticate`].
#[derive(Debug, Clone)]
pub struct TileHashes {
    tiles: BTreeMap<(u8, u64), Vec<Hash>>,
}

impl TileHashes {
    /// Checks every tile against `head`, which the caller has from a signed checkpoint.
    ///
    /// The partial tiles of the right edge must all be there and give the root. Every other tile must hash to what an
    /// already checked tile above it holds. A tile that cannot be checked is refused, not passed over: a reader that took
    /// hashes from unchecked tiles could be given forged ones. The bytes of a full tile may stand in for those of a
    /// partial one.
    pub fn authenticate(head: &TreeHead, tiles: &BTreeMap<TileId, Vec<u8>>) -> Result<Self, LedgerError> {
        let mut edge = Vec::new();
        for id in edge_tiles(head.size) {
            let bytes = tiles.get(&id).ok_or(LedgerError::MissingTile(id))?;
            edge.push((id, read_hashes(id, bytes)?));
        }
        let levels: Vec<&[Hash]> = edge.iter().map(|(_, hashes)| hashes.as_slice()).collect();
        let root = frontier_of(head.size, &levels)?.root();
        if root != head.root {
            return Err(LedgerError::RootMismatch {
                size: head.size,
                expected: head.root,
                actual: root,
            });
        }
        let mut checked = Self {
            tiles: BTreeMap::new(),
        };
        for (id, hashes) in edge {
            checked.tiles.insert((id.layer().level(), id.index()), hashes);
        }
        // Ids sort by level first, so from the end every tile comes after the one above it.
        for (id, bytes) in tiles.iter().rev() {
            if let Layer::Hashes(level) = id.layer()
                && !checked.tiles.contains_key(&(level, id.index()))
            {
                checked.add(*id, level, bytes, head.size)?;
            }
        }
        Ok(checked)
    }

    fn add(&mut self, id: TileId, level: u8, bytes: &[u8], size: TreeSize) -> Result<(), LedgerError> {
        if TileId::in_tree(id.layer(), id.index(), size) != Some(id) {
            let reason = "the tree has no such tile";
            return Err(LedgerError::Tile { id, reason });
        }
        let width = u64::from(FULL_WIDTH);
        let above = (level + 1, id.index() / width);
        let above_id = TileId::in_tree(Layer::Hashes(above.0), above.1, size).unwrap_or(id);
        let expected = self
            .tiles
            .get(&above)
            .and_then(|hashes| hashes.get((id.index() % width) as usize))
            .ok_or(LedgerError::MissingTile(above_id))?;
        let hashes = read_hashes(id, bytes)?;
        let actual = perfect_root(&hashes);
        if actual != *expected {
            return Err(LedgerError::TileMismatch {
                id,
                expected: *expected,
                actual,
            });
        }
        self.tiles.insert((level, id.index()), hashes);
        Ok(())
    }
}

impl HashReader for TileHashes {
    fn read(&self, node: NodeId) -> Result<Hash, LedgerError> {
        let hashes = place(node).and_then(|(level, index, first)| {
            let tile = self.tiles.get(&(level, index))?;
            tile.get(first..first + (1 << (node.level % 8)))
        });
        hashes.map(perfect_root).ok_or(LedgerError::MissingNode {
            level: node.level,
            index: node.index,
        })
    }
}

/// Hashes at the open end of each level of a tree, as its edge tiles hold them; levels without a partial tile are empty.
pub(super) fn open_levels(
    head: &TreeHead,
    tiles: &BTreeMap<TileId, Vec<u8>>,
) -> Result<Vec<Vec<Hash>>, LedgerError> {
    let hashes = TileHashes::authenticate(head, tiles)?;
    let mut levels = Vec::new();
    let mut level = 0_u8;
    while nodes_at(level, head.size) > 0 {
        let index = nodes_at(level, head.size) / u64::from(FULL_WIDTH);
        levels.push(hashes.tiles.get(&(level, index)).cloned().unwrap_or_default());
        level += 1;
    }
    Ok(levels)
}
