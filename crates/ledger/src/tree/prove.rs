//! Building proofs from stored hashes.

use std::collections::BTreeMap;

use crate::{
    error::LedgerError,
    hash::{EMPTY_ROOT, Hash, node_hash},
    tree::{LeafIndex, TreeSize, split_point},
};

/// A perfect subtree: the node `index` of level `level` covers the `2^level` leaves from `index * 2^level`.
/// Leaves are level zero. This is the numbering of C2SP tlog-tiles, before tiles group eight levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId {
    /// Height above the leaves.
    pub level: u8,
    /// Place among the nodes of this level.
    pub index: u64,
}

/// Where node hashes come from. Only nodes that lie wholly inside the tree in question are asked for.
///
/// Implemented for leaf hashes in order (`[Hash]`) and for nodes fetched before (`BTreeMap<NodeId, Hash>`, filled
/// by what [`inclusion_nodes`] or [`consistency_nodes`] name).
pub trait HashReader {
    /// Hash of `node`, or [`LedgerError::MissingNode`].
    fn read(&self, node: NodeId) -> Result<Hash, LedgerError>;
}

impl HashReader for [Hash] {
    fn read(&self, node: NodeId) -> Result<Hash, LedgerError> {
        let leaves = 1_u64.checked_shl(u32::from(node.level));
        let covered = leaves.and_then(|leaves| {
            let from = node.index.checked_mul(leaves)?;
            let until = from.checked_add(leaves)?;
            self.get(usize::try_from(from).ok()?..usize::try_from(until).ok()?)
        });
        covered.map(perfect_root).ok_or_else(|| missing(node))
    }
}

impl HashReader for BTreeMap<NodeId, Hash> {
    fn read(&self, node: NodeId) -> Result<Hash, LedgerError> {
        self.get(&node).copied().ok_or_else(|| missing(node))
    }
}

/// Inclusion proof of the leaf `index` in the tree of `size` leaves: `PATH(m, D[n])` of RFC 6962 §2.1.1, the
/// sibling nearest to the leaf first.
pub fn prove_inclusion<R: HashReader + ?Sized>(
    reader: &R,
    index: LeafIndex,
    size: TreeSize,
) -> Result<Vec<Hash>, LedgerError> {
    inclusion_path(index, size)?
        .iter()
        .map(|range| range.root(reader))
        .collect()
}

/// Consistency proof between two sizes of one log: `PROOF(m, D[n])` of RFC 6962 §2.1.2. Empty for equal sizes;
/// an empty older tree is refused, see [`LedgerError::EmptyTree`].
pub fn prove_consistency<R: HashReader + ?Sized>(
    reader: &R,
    old: TreeSize,
    new: TreeSize,
) -> Result<Vec<Hash>, LedgerError> {
    consistency_path(old, new)?
        .iter()
        .map(|range| range.root(reader))
        .collect()
}

/// Root of the first `size` leaves (`MTH(D[n])`, RFC 6962 §2.1).
pub fn root_of<R: HashReader + ?Sized>(reader: &R, size: TreeSize) -> Result<Hash, LedgerError> {
    if size == TreeSize::ZERO {
        return Ok(EMPTY_ROOT);
    }
    Range {
        from: 0,
        until: size.leaves(),
    }
    .root(reader)
}

/// Every node that [`prove_inclusion`] will read, for callers that must fetch first.
pub fn inclusion_nodes(index: LeafIndex, size: TreeSize) -> Result<Vec<NodeId>, LedgerError> {
    Ok(inclusion_path(index, size)?
        .iter()
        .flat_map(Range::nodes)
        .collect())
}

/// Every node that [`prove_consistency`] will read, for callers that must fetch first.
pub fn consistency_nodes(old: TreeSize, new: TreeSize) -> Result<Vec<NodeId>, LedgerError> {
    Ok(consistency_path(old, new)?
        .iter()
        .flat_map(Range::nodes)
        .collect())
}

/// Leaves `from..until` that form one node of some tree: `from` is a multiple of a power of two that is not
/// smaller than the number of leaves.
#[derive(Clone, Copy)]
struct Range {
    from: u64,
    until: u64,
}

impl Range {
    const fn leaves(self) -> u64 {
        self.until - self.from
    }

    /// Both children, cut where RFC 6962 §2.1 cuts. Holds at least two leaves.
    const fn split(self) -> (Self, Self) {
        let middle = self.from + split_point(self.leaves());
        let left = Self {
            from: self.from,
            until: middle,
        };
        let right = Self {
            from: middle,
            until: self.until,
        };
        (left, right)
    }

    /// Perfect subtrees of the range, left to right: one for each one bit of its length.
    fn nodes(&self) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        let mut from = self.from;
        while from < self.until {
            let level = (self.until - from).ilog2();
            nodes.push(NodeId {
                level: level as u8,
                index: from >> level,
            });
            from += 1 << level;
        }
        nodes
    }

    fn root<R: HashReader + ?Sized>(&self, reader: &R) -> Result<Hash, LedgerError> {
        let mut root = None;
        for node in self.nodes().into_iter().rev() {
            let left = reader.read(node)?;
            root = Some(root.map_or(left, |right| node_hash(&left, &right)));
        }
        Ok(root.unwrap_or(EMPTY_ROOT))
    }
}

/// Siblings on the way from the root down to the leaf, turned round at the end.
fn inclusion_path(index: LeafIndex, size: TreeSize) -> Result<Vec<Range>, LedgerError> {
    if index.get() >= size.leaves() {
        return Err(LedgerError::LeafOutOfTree { index, size });
    }
    let mut path = Vec::new();
    let mut here = Range {
        from: 0,
        until: size.leaves(),
    };
    while here.leaves() > 1 {
        let (left, right) = here.split();
        let sibling;
        (here, sibling) = if index.get() < right.from {
            (left, right)
        } else {
            (right, left)
        };
        path.push(sibling);
    }
    path.reverse();
    Ok(path)
}

/// `SUBPROOF(m, D[n], b)` of RFC 6962 §2.1.2 from the root down, turned round at the end.
fn consistency_path(old: TreeSize, new: TreeSize) -> Result<Vec<Range>, LedgerError> {
    if old > new {
        return Err(LedgerError::TreeShrank { old, new });
    }
    if old == TreeSize::ZERO {
        return Err(LedgerError::EmptyTree);
    }
    let mut path = Vec::new();
    let mut here = Range {
        from: 0,
        until: new.leaves(),
    };
    while here.until != old.leaves() {
        let (left, right) = here.split();
        let sibling;
        (here, sibling) = if old.leaves() <= right.from {
            (left, right)
        } else {
            (right, left)
        };
        path.push(sibling);
    }
    // The verifier knows the old root already, so a subtree that is the whole old tree is left out.
    if here.from != 0 {
        path.push(here);
    }
    path.reverse();
    Ok(path)
}

pub(super) const fn missing(node: NodeId) -> LedgerError {
    LedgerError::MissingNode {
        level: node.level,
        index: node.index,
    }
}

/// Root over a power-of-two number of hashes of one level.
pub(crate) fn perfect_root(leaves: &[Hash]) -> Hash {
    if let [leaf] = leaves {
        return *leaf;
    }
    let (left, right) = leaves.split_at(leaves.len() / 2);
    node_hash(&perfect_root(left), &perfect_root(right))
}
