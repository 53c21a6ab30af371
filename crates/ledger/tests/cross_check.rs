//! Our trees and proofs against two other implementations.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use revtrail_ledger::{
    Frontier, Hash, LeafIndex, TreeHead, TreeSize, leaf_hash, node_hash,
    tree::{prove_consistency, prove_inclusion, root_of, verify_consistency, verify_inclusion},
};
use sha2::Sha256;
use sigstore_types::Sha256Hash;

fn theirs(hash: &Hash) -> Sha256Hash {
    Sha256Hash::new(*hash.as_bytes())
}

fn joined(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

#[test]
fn hashes_agree() {
    let (left, right) = (leaf_hash(b"left"), leaf_hash(b""));
    assert_eq!(theirs(&left), sigstore_merkle::hash_leaf(b"left"));
    let parent = sigstore_merkle::hash_children(&theirs(&left), &theirs(&right));
    assert_eq!(theirs(&node_hash(&left, &right)), parent);
}

#[test]
fn roots_and_proofs_agree_with_ct_merkle() {
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut frontier = Frontier::new();
    let mut leaves = Vec::new();
    for n in 0..70_usize {
        let leaf = vec![0x61; n];
        leaves.push(leaf_hash(&leaf));
        frontier.append(leaf_hash(&leaf));
        tree.push(leaf);
        assert_eq!(tree.root().as_bytes().as_slice(), frontier.root().as_bytes());
        let size = frontier.size();
        for part in 0..=n {
            let ours = prove_inclusion(leaves.as_slice(), LeafIndex::new(part as u64), size).unwrap();
            assert_eq!(tree.prove_inclusion(part).as_bytes(), joined(&ours));
            let ours = prove_consistency(leaves.as_slice(), TreeSize::new(part as u64 + 1), size).unwrap();
            assert_eq!(tree.prove_consistency(n - part).as_bytes(), joined(&ours));
        }
    }
}

proptest! {
    /// Small sizes and few distinct hashes, so that right and wrong proofs both occur.
    #[test]
    fn verdicts_agree_with_sigstore(
        size in 1_u64..40, index in 0_u64..40, other in 1_u64..40, change in 0_usize..8, cut in 0_usize..8,
    ) {
        let leaves: Vec<Hash> = (0..40_u64).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let head = |leaf_count| {
            let size = TreeSize::new(leaf_count);
            TreeHead { size, root: root_of(leaves.as_slice(), size).unwrap() }
        };
        let spoil = |mut proof: Vec<Hash>| {
            if let Some(hash) = proof.get_mut(change) {
                *hash = leaves[0];
            }
            if cut == 0 {
                proof.pop();
            }
            proof
        };
        let (tree, place) = (head(size), index.min(size - 1));
        let proof = spoil(prove_inclusion(leaves.as_slice(), LeafIndex::new(place), tree.size).unwrap());
        let leaf = leaves[place as usize];
        let path: Vec<_> = proof.iter().map(theirs).collect();
        let verdict = sigstore_merkle::verify_inclusion_proof(
            &theirs(&leaf), index, size, &path, &theirs(&tree.root),
        );
        prop_assert_eq!(
            verify_inclusion(&leaf, LeafIndex::new(index), &tree, &proof).is_ok(),
            verdict.is_ok()
        );

        let (old, new) = (head(size.min(other)), head(size.max(other)));
        let proof = spoil(prove_consistency(leaves.as_slice(), old.size, new.size).unwrap());
        let path: Vec<_> = proof.iter().map(theirs).collect();
        let verdict = sigstore_merkle::verify_consistency_proof(
            old.size.leaves(), new.size.leaves(), &path, &theirs(&old.root), &theirs(&new.root),
        );
        prop_assert_eq!(verify_consistency(&old, &new, &proof).is_ok(), verdict.is_ok());
    }
}
