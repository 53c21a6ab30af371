//! Appending in logarithmic space.

use crate::{
    error::LedgerError,
    hash::{EMPTY_ROOT, Hash, node_hash},
    tree::{TreeHead, TreeSize},
};

/// The right edge of a tree: all it takes to append leaves and to compute the root.
///
/// Holds the roots of the perfect subtrees that the tree size splits into, largest (leftmost) first: one hash
/// for each one bit of the size, at most 63. A tree of 6 leaves keeps the root over leaves 0 to 3 and the one
/// over leaves 4 and 5.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: TreeSize,
    hashes: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    pub const fn new() -> Self {
        Self {
            size: TreeSize::ZERO,
            hashes: Vec::new(),
        }
    }

    /// Takes up what [`Frontier::hashes`] gave. Checks the number of hashes, which cannot show that they are
    /// the right ones: compare [`Frontier::root`] with a signed checkpoint before appending.
    pub fn from_hashes(size: TreeSize, hashes: Vec<Hash>) -> Result<Self, LedgerError> {
        if size > TreeSize::MAX {
            return Err(LedgerError::TreeSize(size));
        }
        let expected = size.leaves().count_ones() as usize;
        if hashes.len() == expected {
            Ok(Self { size, hashes })
        } else {
            Err(LedgerError::Frontier {
                size,
                expected,
                actual: hashes.len(),
            })
        }
    }

    /// Appends one leaf, given its leaf hash.
    pub fn append(&mut self, leaf: Hash) {
        let mut subtree = leaf;
        // Each trailing one bit of the size is a perfect subtree that the new one completes to a pair.
        for _ in 0..self.size.leaves().trailing_ones() {
            if let Some(left) = self.hashes.pop() {
                subtree = node_hash(&left, &subtree);
            }
        }
        self.hashes.push(subtree);
        self.size = TreeSize::new(self.size.leaves() + 1);
    }

    /// Number of leaves.
    pub const fn size(&self) -> TreeSize {
        self.size
    }

    /// Root hash (RFC 6962 §2.1).
    pub fn root(&self) -> Hash {
        let mut right_to_left = self.hashes.iter().rev();
        let Some(last) = right_to_left.next() else {
            return EMPTY_ROOT;
        };
        right_to_left.fold(*last, |right, left| node_hash(left, &right))
    }

    /// Size and root together.
    pub fn head(&self) -> TreeHead {
        TreeHead {
            size: self.size,
            root: self.root(),
        }
    }

    /// Roots of the perfect subtrees, largest first; with [`Frontier::size`] all there is to store.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }
}

impl Extend<Hash> for Frontier {
    /// Appends leaf hashes in order.
    fn extend<I: IntoIterator<Item = Hash>>(&mut self, leaves: I) {
        leaves.into_iter().for_each(|leaf| self.append(leaf));
    }
}

impl FromIterator<Hash> for Frontier {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut frontier = Self::new();
        frontier.extend(leaves);
        frontier
    }
}
