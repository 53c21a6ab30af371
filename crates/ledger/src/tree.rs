//! The append-only Merkle tree of RFC 6962 §2.1, without storage.
//!
//! A log keeps a [`Frontier`] to append in logarithmic space. Proofs are built by [`prove_inclusion`] and
//! [`prove_consistency`] from any source of node hashes, and checked by [`verify_inclusion`] and
//! [`verify_consistency`] against a [`TreeHead`] the caller trusts.

mod frontier;
mod prove;
mod suffix;
mod verify;

#[cfg(test)]
mod tests;

use std::fmt;

pub use frontier::Frontier;
pub(crate) use prove::perfect_root;
pub use prove::{
    HashReader, NodeId, consistency_nodes, inclusion_nodes, prove_consistency, prove_inclusion, root_of,
};
pub use suffix::Suffix;
pub use verify::{verify_consistency, verify_inclusion};

use crate::hash::Hash;

/// Number of leaves in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TreeSize(u64);

impl TreeSize {
    /// No leaves.
    pub const ZERO: Self = Self(0);
    /// Largest size a [`Frontier`] takes: 2^63 - 1, what signed 64-bit implementations can still count.
    pub const MAX: Self = Self(u64::MAX >> 1);

    /// A tree of `leaves` leaves.
    pub const fn new(leaves: u64) -> Self {
        Self(leaves)
    }

    /// Number of leaves.
    pub const fn leaves(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TreeSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Place of a leaf in the log, counted from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeafIndex(u64);

impl LeafIndex {
    /// The leaf after `before` others.
    pub const fn new(before: u64) -> Self {
        Self(before)
    }

    /// Number of leaves before this one.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for LeafIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One state of a log: how many leaves, and the hash over all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TreeHead {
    /// Number of leaves.
    pub size: TreeSize,
    /// Root hash over those leaves.
    pub root: Hash,
}

/// Largest power of two below `leaves`, the split point of RFC 6962 §2.1. `leaves` is at least two.
const fn split_point(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}
