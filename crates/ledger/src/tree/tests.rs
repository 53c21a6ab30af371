use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use rstest::rstest;

use super::*;
use crate::{
    error::LedgerError,
    hash::{EMPTY_ROOT, leaf_hash, node_hash},
};

/// The eight leaves that many RFC 6962 implementations test with.
const CLASSIC_LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

/// Their roots by size, computed with a separate script.
const CLASSIC_ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn classic() -> Vec<Hash> {
    CLASSIC_LEAVES.iter().map(|leaf| leaf_hash(leaf)).collect()
}

fn numbered(leaves: u64) -> Vec<Hash> {
    (0..leaves).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

/// `MTH(D[n])` written exactly as RFC 6962 §2.1 defines it.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

fn head(leaves: &[Hash], size: usize) -> TreeHead {
    TreeHead {
        size: TreeSize::new(size as u64),
        root: naive_root(&leaves[..size]),
    }
}

#[test]
fn frontier_passes_through_the_known_roots() {
    let mut frontier = Frontier::new();
    for (size, root) in CLASSIC_ROOTS.iter().enumerate() {
        assert_eq!(frontier.root().to_string(), *root, "size {size}");
        assert_eq!(frontier.size(), TreeSize::new(size as u64));
        assert_eq!(
            root_of(classic().as_slice(), frontier.size()).unwrap(),
            frontier.root()
        );
        frontier.extend(classic().get(size).copied());
    }
}

#[test]
fn frontier_keeps_the_largest_subtree_first() {
    let leaves = numbered(6);
    let frontier: Frontier = leaves.iter().copied().collect();
    assert_eq!(
        frontier.hashes(),
        [naive_root(&leaves[..4]), naive_root(&leaves[4..])]
    );
}

#[rstest]
#[case::too_few(6, 1, 2)]
#[case::too_many(8, 2, 1)]
#[case::hashes_without_leaves(0, 1, 0)]
fn refuses_a_frontier_with_a_wrong_count(#[case] size: u64, #[case] given: usize, #[case] needed: usize) {
    let error = Frontier::from_hashes(TreeSize::new(size), vec![EMPTY_ROOT; given]).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("frontier of tree size {size} needs {needed} hashes, got {given}")
    );
}

#[test]
fn refuses_a_frontier_that_could_overflow() {
    let error = Frontier::from_hashes(TreeSize::new(u64::MAX), vec![EMPTY_ROOT; 64]).unwrap_err();
    assert!(matches!(error, LedgerError::TreeSize(size) if size == TreeSize::new(u64::MAX)));
    assert!(Frontier::from_hashes(TreeSize::MAX, vec![EMPTY_ROOT; 63]).is_ok());
}

#[test]
#[expect(clippy::many_single_char_names, reason = "the names of the RFC")]
fn proves_the_examples_of_rfc_6962() {
    // RFC 6962 §2.1.3: a tree of seven leaves d0..d6 with nodes a..l.
    let d = numbered(7);
    let (a, b, c, f, j) = (d[0], d[1], d[2], d[5], d[6]);
    let (g, h) = (node_hash(&a, &b), node_hash(&c, &d[3]));
    let i = node_hash(&d[4], &f);
    let (k, l) = (node_hash(&g, &h), node_hash(&i, &j));
    let path = |index| prove_inclusion(d.as_slice(), LeafIndex::new(index), TreeSize::new(7)).unwrap();
    assert_eq!(path(0), [b, h, l]);
    assert_eq!(path(3), [c, g, l]);
    assert_eq!(path(4), [f, j, k]);
    assert_eq!(path(6), [i, k]);
    let proof = |old| prove_consistency(d.as_slice(), TreeSize::new(old), TreeSize::new(7)).unwrap();
    assert_eq!(proof(3), [c, d[3], g, l]);
    assert_eq!(proof(4), [l]);
    assert_eq!(proof(6), [i, j, k]);
}

#[test]
fn every_pair_of_small_sizes_verifies() {
    let leaves = numbered(40);
    for new in 1..=leaves.len() {
        let new_head = head(&leaves, new);
        for old in 1..=new {
            let old_head = head(&leaves, old);
            let proof = prove_consistency(leaves.as_slice(), old_head.size, new_head.size).unwrap();
            verify_consistency(&old_head, &new_head, &proof).unwrap();
            let index = LeafIndex::new(old as u64 - 1);
            let proof = prove_inclusion(leaves.as_slice(), index, new_head.size).unwrap();
            verify_inclusion(&leaves[old - 1], index, &new_head, &proof).unwrap();
        }
    }
}

#[test]
fn refuses_statements_that_cannot_hold() {
    let leaves = numbered(3);
    let (empty, one, three) = (head(&leaves, 0), head(&leaves, 1), head(&leaves, 3));
    let third = LeafIndex::new(3);
    assert!(matches!(
        verify_inclusion(&leaves[0], third, &three, &[]),
        Err(LedgerError::LeafOutOfTree { .. })
    ));
    assert!(matches!(
        verify_inclusion(&leaves[0], LeafIndex::new(0), &empty, &[]),
        Err(LedgerError::LeafOutOfTree { .. })
    ));
    assert!(matches!(
        verify_consistency(&empty, &three, &[]),
        Err(LedgerError::EmptyTree)
    ));
    assert!(matches!(
        verify_consistency(&empty, &empty, &[]),
        Err(LedgerError::EmptyTree)
    ));
    assert!(matches!(
        verify_consistency(&three, &one, &[]),
        Err(LedgerError::TreeShrank { .. })
    ));
    let fork = TreeHead {
        root: EMPTY_ROOT,
        ..three
    };
    assert!(matches!(
        verify_consistency(&three, &fork, &[]),
        Err(LedgerError::RootMismatch { .. })
    ));
    assert!(matches!(
        verify_consistency(&three, &three, &[EMPTY_ROOT]),
        Err(LedgerError::ProofLength {
            expected: 0,
            actual: 1
        })
    ));
    let reader = leaves.as_slice();
    assert!(matches!(
        prove_inclusion(reader, LeafIndex::new(0), TreeSize::new(4)),
        Err(LedgerError::MissingNode { level: 1, index: 1 })
    ));
    assert!(matches!(
        prove_inclusion(reader, third, three.size),
        Err(LedgerError::LeafOutOfTree { .. })
    ));
    assert!(matches!(
        prove_consistency(reader, empty.size, three.size),
        Err(LedgerError::EmptyTree)
    ));
    assert!(matches!(
        prove_consistency(reader, three.size, one.size),
        Err(LedgerError::TreeShrank { .. })
    ));
}

#[test]
fn handles_the_largest_sizes_without_overflow() {
    let size = TreeSize::new(u64::MAX);
    let tree = TreeHead {
        size,
        root: EMPTY_ROOT,
    };
    for index in [0, 1, u64::MAX / 2, u64::MAX - 1] {
        let index = LeafIndex::new(index);
        let expected = inclusion_paths(index, size);
        let too_long = vec![EMPTY_ROOT; expected + 1];
        let error = verify_inclusion(&EMPTY_ROOT, index, &tree, &too_long).unwrap_err();
        assert!(matches!(error, LedgerError::ProofLength { expected: n, .. } if n == expected));
        let error = verify_inclusion(&EMPTY_ROOT, index, &tree, &too_long[1..]).unwrap_err();
        assert!(matches!(error, LedgerError::RootMismatch { .. }));
    }
    assert!(matches!(
        prove_inclusion([].as_slice(), LeafIndex::new(0), size),
        Err(LedgerError::MissingNode { level: 0, index: 1 })
    ));
    let half = TreeHead {
        size: TreeSize::new(1 << 63),
        ..tree
    };
    assert!(verify_consistency(&half, &tree, &[EMPTY_ROOT; 63]).is_err());
}

/// Length of the inclusion proof by walking down, not by the closed form that the verifier uses.
fn inclusion_paths(index: LeafIndex, size: TreeSize) -> usize {
    let (mut index, mut leaves, mut length) = (index.get(), size.leaves(), 0);
    while leaves > 1 {
        let left = split_point(leaves);
        (index, leaves) = if index < left {
            (index, left)
        } else {
            (index - left, leaves - left)
        };
        length += 1;
    }
    length
}

proptest! {
    #[test]
    fn frontier_agrees_with_the_definition(leaves in 0_u64..300, cut in 0_usize..300) {
        let leaves = numbered(leaves);
        let (before, after) = leaves.split_at(cut.min(leaves.len()));
        let stored: Frontier = before.iter().copied().collect();
        let mut frontier = Frontier::from_hashes(stored.size(), stored.hashes().to_vec()).unwrap();
        prop_assert_eq!(&frontier, &stored);
        frontier.extend(after.iter().copied());
        prop_assert_eq!(frontier.head(), head(&leaves, leaves.len()));
    }

    #[test]
    fn inclusion_holds_and_every_mutation_fails(
        size in 1_usize..300, index in any::<prop::sample::Index>(), bit in 0_usize..256, at in any::<prop::sample::Index>(),
    ) {
        let leaves = numbered(size as u64);
        let tree = head(&leaves, size);
        let place = index.index(size);
        let (leaf, index) = (leaves[place], LeafIndex::new(place as u64));
        let proof = prove_inclusion(leaves.as_slice(), index, tree.size).unwrap();
        prop_assert_eq!(proof.len(), inclusion_paths(index, tree.size));
        verify_inclusion(&leaf, index, &tree, &proof).unwrap();
        for wrong in mutations(&proof, at, bit) {
            prop_assert!(verify_inclusion(&leaf, index, &tree, &wrong).is_err());
        }
        prop_assert!(verify_inclusion(&flip(leaf, bit), index, &tree, &proof).is_err());
        let other_root = TreeHead { root: flip(tree.root, bit), ..tree };
        prop_assert!(verify_inclusion(&leaf, index, &other_root, &proof).is_err());
        for other in 0..size {
            let verdict = verify_inclusion(&leaf, LeafIndex::new(other as u64), &tree, &proof);
            prop_assert_eq!(verdict.is_ok(), other == place);
        }
    }

    #[test]
    fn consistency_holds_and_every_mutation_fails(
        new in 2_usize..300, old in any::<prop::sample::Index>(), bit in 0_usize..256, at in any::<prop::sample::Index>(),
    ) {
        let leaves = numbered(new as u64);
        let (old, new) = (head(&leaves, old.index(new - 1) + 1), head(&leaves, new));
        let proof = prove_consistency(leaves.as_slice(), old.size, new.size).unwrap();
        verify_consistency(&old, &new, &proof).unwrap();
        for wrong in mutations(&proof, at, bit) {
            prop_assert!(verify_consistency(&old, &new, &wrong).is_err());
        }
        let other_old = TreeHead { root: flip(old.root, bit), ..old };
        let other_new = TreeHead { root: flip(new.root, bit), ..new };
        prop_assert!(verify_consistency(&other_old, &new, &proof).is_err());
        prop_assert!(verify_consistency(&old, &other_new, &proof).is_err());
        prop_assert!(verify_consistency(&new, &old, &proof).is_err());
    }

    #[test]
    fn proofs_read_only_the_nodes_they_name(size in 1_u64..300, part in any::<prop::sample::Index>()) {
        let leaves = numbered(size);
        let part = part.index(size as usize) as u64;
        let size = TreeSize::new(size);
        let fetch = |nodes: Vec<NodeId>| -> BTreeMap<_, _> {
            nodes.into_iter().map(|node| (node, leaves.as_slice().read(node).unwrap())).collect()
        };
        let fetched = fetch(inclusion_nodes(LeafIndex::new(part), size).unwrap());
        prop_assert_eq!(
            prove_inclusion(&fetched, LeafIndex::new(part), size).unwrap(),
            prove_inclusion(leaves.as_slice(), LeafIndex::new(part), size).unwrap()
        );
        let old = TreeSize::new(part + 1);
        let fetched = fetch(consistency_nodes(old, size).unwrap());
        prop_assert_eq!(
            prove_consistency(&fetched, old, size).unwrap(),
            prove_consistency(leaves.as_slice(), old, size).unwrap()
        );
    }

    #[test]
    fn verifiers_never_panic(
        sizes in any::<(u64, u64)>(), proof in vec(any::<[u8; 32]>(), 0..70),
    ) {
        let proof: Vec<Hash> = proof.into_iter().map(Hash::from_bytes).collect();
        let tree = |leaves| TreeHead { size: TreeSize::new(leaves), root: leaf_hash(b"root") };
        prop_assert!(verify_inclusion(&EMPTY_ROOT, LeafIndex::new(sizes.0), &tree(sizes.1), &proof).is_err());
        let verdict = verify_consistency(&tree(sizes.0), &tree(sizes.1), &proof);
        prop_assert!(verdict.is_err() || (sizes.0 == sizes.1 && proof.is_empty()));
    }
}

fn flip(hash: Hash, bit: usize) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Hash::from_bytes(bytes)
}

/// The proof with one hash added, removed, changed, or moved.
fn mutations(proof: &[Hash], at: prop::sample::Index, bit: usize) -> Vec<Vec<Hash>> {
    let mut longer = proof.to_vec();
    longer.insert(at.index(proof.len() + 1), EMPTY_ROOT);
    let mut all = vec![longer];
    if !proof.is_empty() {
        let at = at.index(proof.len());
        let mut shorter = proof.to_vec();
        shorter.remove(at);
        let mut changed = proof.to_vec();
        changed[at] = flip(changed[at], bit);
        let mut turned = proof.to_vec();
        turned.rotate_left(1);
        all.extend([shorter, changed]);
        all.extend((turned != proof).then_some(turned));
    }
    all
}
