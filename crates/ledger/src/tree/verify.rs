//! Checking proofs. The steps are those of RFC 9162 §2.1.3.2 and §2.1.4.2, which write down how to verify the
//! proofs that RFC 6962 only defines. Proof lengths are checked first, so no hash can hide in a longer proof.

use crate::{
    error::LedgerError,
    hash::{Hash, node_hash},
    tree::{LeafIndex, TreeHead, TreeSize},
};

/// Checks that the leaf with this leaf hash stands at `index` in the tree `head`.
pub fn verify_inclusion(
    leaf: &Hash,
    index: LeafIndex,
    head: &TreeHead,
    proof: &[Hash],
) -> Result<(), LedgerError> {
    let size = head.size;
    if index.get() >= size.leaves() {
        return Err(LedgerError::LeafOutOfTree { index, size });
    }
    let mut node = index.get();
    let mut last = size.leaves() - 1;
    check_length(inclusion_length(node, last), proof)?;
    let mut root = *leaf;
    for sibling in proof {
        if node & 1 == 1 || node == last {
            root = node_hash(sibling, &root);
            // A node without a right sibling rises unchanged until it is a right child.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            root = node_hash(&root, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    check_root(head, root)
}

/// Checks that the tree `new` holds the leaves of the tree `old`, unchanged and in front.
///
/// Equal sizes need equal roots and an empty proof. An empty `old` is refused: every log extends it.
pub fn verify_consistency(old: &TreeHead, new: &TreeHead, proof: &[Hash]) -> Result<(), LedgerError> {
    if old.size > new.size {
        return Err(LedgerError::TreeShrank {
            old: old.size,
            new: new.size,
        });
    }
    if old.size == TreeSize::ZERO {
        return Err(LedgerError::EmptyTree);
    }
    if old.size == new.size {
        check_length(0, proof)?;
        return check_root(new, old.root);
    }
    let shift = old.size.leaves().trailing_zeros();
    let mut node = (old.size.leaves() - 1) >> shift;
    let mut last = (new.size.leaves() - 1) >> shift;
    let whole_old_tree = old.size.leaves().is_power_of_two();
    check_length(inclusion_length(node, last) + usize::from(!whole_old_tree), proof)?;
    let (first, rest) = match proof {
        _ if whole_old_tree => (old.root, proof),
        [first, rest @ ..] => (*first, rest),
        [] => {
            return Err(LedgerError::ProofLength {
                expected: 1,
                actual: 0,
            });
        }
    };
    let (mut old_root, mut new_root) = (first, first);
    for sibling in rest {
        if node & 1 == 1 || node == last {
            old_root = node_hash(sibling, &old_root);
            new_root = node_hash(sibling, &new_root);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_root = node_hash(&new_root, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    check_root(old, old_root)?;
    check_root(new, new_root)
}

/// Siblings on the way from `node` to the root when `last` is the last node of the same level: one for each
/// level up to where both paths meet, then one for each left sibling above.
const fn inclusion_length(node: u64, last: u64) -> usize {
    let inner = u64::BITS - (node ^ last).leading_zeros();
    let above = match node.checked_shr(inner) {
        Some(above) => above.count_ones(),
        None => 0,
    };
    (inner + above) as usize
}

const fn check_length(expected: usize, proof: &[Hash]) -> Result<(), LedgerError> {
    let actual = proof.len();
    if actual == expected {
        Ok(())
    } else {
        Err(LedgerError::ProofLength { expected, actual })
    }
}

fn check_root(head: &TreeHead, actual: Hash) -> Result<(), LedgerError> {
    if actual == head.root {
        return Ok(());
    }
    Err(LedgerError::RootMismatch {
        size: head.size,
        expected: head.root,
        actual,
    })
}
