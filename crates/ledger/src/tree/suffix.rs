//! A tree of which only the end is at hand.

use std::collections::BTreeMap;

use crate::{
    error::LedgerError,
    hash::{Hash, node_hash},
    tree::{Frontier, HashReader, NodeId, TreeHead, perfect_root, prove::missing},
};

/// A tree known from its [`Frontier`] at an earlier size and the leaf hashes after it.
///
/// That is enough for every inclusion proof of a leaf after the earlier size, and for every consistency proof
/// from that size or a later one: what such proofs name to the left is a root that the frontier holds.
/// [`Suffix::head`] must be compared with a signed checkpoint before anything read here is believed.
#[derive(Debug, Clone)]
pub struct Suffix {
    start: u64,
    perfect: BTreeMap<NodeId, Hash>,
    leaves: Vec<Hash>,
    frontier: Frontier,
}

impl Suffix {
    /// The tree that `frontier` stands for.
    pub fn new(frontier: Frontier) -> Self {
        let size = frontier.size().leaves();
        let (mut perfect, mut from) = (BTreeMap::new(), 0);
        for hash in frontier.hashes() {
            let level = (size - from).ilog2();
            let node = NodeId {
                level: level as u8,
                index: from >> level,
            };
            perfect.insert(node, *hash);
            from += 1 << level;
        }
        Self {
            start: size,
            perfect,
            leaves: Vec::new(),
            frontier,
        }
    }

    /// Appends one leaf, given its leaf hash.
    pub fn append(&mut self, leaf: Hash) {
        self.leaves.push(leaf);
        self.frontier.append(leaf);
    }

    /// Size and root of the tree so far.
    pub fn head(&self) -> TreeHead {
        self.frontier.head()
    }
}

impl HashReader for Suffix {
    fn read(&self, node: NodeId) -> Result<Hash, LedgerError> {
        if let Some(hash) = self.perfect.get(&node) {
            return Ok(*hash);
        }
        let range = 1_u64.checked_shl(u32::from(node.level)).and_then(|leaves| {
            let from = node.index.checked_mul(leaves)?;
            Some((from, from.checked_add(leaves)?))
        });
        let Some((from, until)) = range.filter(|(_, until)| *until > self.start) else {
            return Err(missing(node));
        };
        if from >= self.start {
            let place = |leaf: u64| usize::try_from(leaf - self.start).ok();
            let leaves = place(from).zip(place(until));
            let leaves = leaves.and_then(|(from, until)| self.leaves.get(from..until));
            return leaves.map(perfect_root).ok_or_else(|| missing(node));
        }
        // Straddles the earlier size: its left half is at most as wide as what the frontier holds, its right half
        // begins before or at that size, so only one of the two straddles again.
        let child = |index| NodeId {
            level: node.level - 1,
            index,
        };
        let (left, right) = (child(node.index * 2), child(node.index * 2 + 1));
        Ok(node_hash(&self.read(left)?, &self.read(right)?))
    }
}
