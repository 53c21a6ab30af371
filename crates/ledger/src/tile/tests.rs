use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::{
    hash::leaf_hash,
    tree::{
        HashReader as _, LeafIndex, NodeId, Suffix, TreeHead, consistency_nodes, inclusion_nodes,
        prove_consistency, prove_inclusion, root_of, verify_consistency, verify_inclusion,
    },
};

fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

fn leaves(size: u64) -> Vec<Hash> {
    (0..size).map(|index| leaf_hash(&entry(index))).collect()
}

fn head(leaves: &[Hash], size: u64) -> TreeHead {
    let size = TreeSize::new(size);
    TreeHead {
        size,
        root: root_of(leaves, size).unwrap(),
    }
}

/// Every tile of a log whose checkpoints had these sizes.
fn grow(sizes: &[u64]) -> (TileWriter, BTreeMap<TileId, Vec<u8>>) {
    let (mut writer, mut tiles) = (TileWriter::new(), BTreeMap::new());
    for size in sizes {
        for index in writer.size().leaves()..*size {
            writer.append(&entry(index)).unwrap();
        }
        for tile in writer.take() {
            assert_eq!(
                tiles.insert(tile.id, tile.bytes),
                None,
                "{} was made twice",
                tile.id
            );
        }
    }
    (writer, tiles)
}

fn fetch(tiles: &BTreeMap<TileId, Vec<u8>>, ids: &BTreeSet<TileId>) -> BTreeMap<TileId, Vec<u8>> {
    let found = ids.iter().map(|id| (*id, tiles[id].clone()));
    found.collect()
}

#[rstest]
#[case(Layer::Hashes(0), 0, 256, "tile/0/000")]
#[case(Layer::Hashes(1), 999, 1, "tile/1/999.p/1")]
#[case(Layer::Hashes(7), 1000, 255, "tile/7/x001/000.p/255")]
#[case(Layer::Entries, 1_234_067, 256, "tile/entries/x001/x234/067")]
#[case(
    Layer::Entries,
    u64::MAX,
    7,
    "tile/entries/x018/x446/x744/x073/x709/x551/615.p/7"
)]
fn paths_are_those_of_the_specification(
    #[case] layer: Layer,
    #[case] index: u64,
    #[case] width: u16,
    #[case] path: &str,
) {
    let id = TileId { layer, index, width };
    assert_eq!(id.to_string(), path);
    assert_eq!(path.parse::<TileId>().unwrap(), id);
}

#[rstest]
#[case("tile/0/0")]
#[case("tile/0/0000")]
#[case("tile/00/000")]
#[case("tile/8/000")]
#[case("tile/-1/000")]
#[case("tile/0/x000/067")]
#[case("tile/0/001/067")]
#[case("tile/0/x001/x067")]
#[case("tile/0/000.p/0")]
#[case("tile/0/000.p/256")]
#[case("tile/0/000.p/07")]
#[case("tile/0/000.p/")]
#[case("tile/0/+00")]
#[case("tile/entries/x018/x446/x744/x073/x709/x551/616")]
#[case("tile/data/000")]
#[case("tile/0/")]
#[case("")]
fn refuses_other_paths(#[case] path: &str) {
    assert!(matches!(path.parse::<TileId>(), Err(LedgerError::TilePath(shown)) if shown == path));
}

#[test]
fn the_example_of_the_specification_has_its_widths() {
    let size = TreeSize::new(70_000);
    let edge: Vec<String> = edge_tiles(size).iter().map(ToString::to_string).collect();
    assert_eq!(edge, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
    assert_eq!(last_bundle(size).unwrap().to_string(), "tile/entries/273.p/112");
    let edge: Vec<String> = edge_tiles(TreeSize::new(256))
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(edge, ["tile/1/000.p/1"]);
    assert_eq!(
        last_bundle(TreeSize::new(256)).unwrap().to_string(),
        "tile/entries/000"
    );
    assert_eq!(last_bundle(TreeSize::ZERO), None);
    assert_eq!(
        "tile/1/000.p/17".parse::<TileId>().unwrap().smallest_tree(),
        Some(TreeSize::new(17 * 256))
    );
}

#[test]
fn a_log_that_grows_makes_each_tile_once_and_the_last_bundle_last() {
    let mut writer = TileWriter::new();
    assert_eq!(writer.take(), []);
    let mut made = Vec::new();
    for size in [3_u64, 255, 256, 257, 700] {
        for index in writer.size().leaves()..size {
            writer.append(&entry(index)).unwrap();
        }
        let tiles = writer.take();
        assert_eq!(tiles.last().map(|tile| tile.id), last_bundle(writer.size()));
        made.push(
            tiles
                .iter()
                .map(|tile| tile.id.to_string())
                .collect::<Vec<_>>()
                .join(" "),
        );
        assert_eq!(writer.head().unwrap(), head(&leaves(size), size));
    }
    assert_eq!(writer.take(), []);
    assert_eq!(
        made,
        [
            "tile/0/000.p/3 tile/entries/000.p/3",
            "tile/0/000.p/255 tile/entries/000.p/255",
            "tile/0/000 tile/1/000.p/1 tile/entries/000",
            "tile/0/001.p/1 tile/entries/001.p/1",
            "tile/0/001 tile/0/002.p/188 tile/1/000.p/2 tile/entries/001 tile/entries/002.p/188",
        ]
    );
}

#[test]
fn tiles_hold_what_their_names_say() {
    let (_, tiles) = grow(&[70_000]);
    let leaves = leaves(70_000);
    for (id, bytes) in &tiles {
        match id.layer {
            Layer::Entries => {
                let first = id.index * 256;
                let expected: Vec<Vec<u8>> = (first..first + u64::from(id.width)).map(entry).collect();
                assert_eq!(read_bundle(*id, bytes).unwrap(), expected);
            }
            Layer::Hashes(level) => {
                let hashes = read_hashes(*id, bytes).unwrap();
                for (place, hash) in (0_u64..).zip(hashes) {
                    let node = NodeId {
                        level: level * 8,
                        index: id.index * 256 + place,
                    };
                    assert_eq!(leaves.read(node).unwrap(), hash, "{id} at {place}");
                }
            }
        }
    }
    assert_eq!(tiles.len(), 274 + 2 + 1 + 274);
}

#[test]
fn entries_that_do_not_fit_are_refused() {
    let mut writer = TileWriter::new();
    writer.append(&vec![0; MAX_ENTRY_BYTES]).unwrap();
    assert!(matches!(
        writer.append(&vec![0; MAX_ENTRY_BYTES + 1]),
        Err(LedgerError::EntryLength(65_536))
    ));
    assert_eq!(writer.size(), TreeSize::new(1));
}

#[rstest]
#[case::cut_length(&[0], "inside a length")]
#[case::cut_entry(&[0, 2, 1], "inside an entry")]
#[case::too_few(&[0, 0], "not as many")]
#[case::too_many(&[0, 0, 0, 0, 0, 0], "not as many")]
fn damaged_bundles_are_refused(#[case] bytes: &[u8], #[case] why: &str) {
    let id = "tile/entries/000.p/2".parse().unwrap();
    let error = read_bundle(id, bytes).unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
}

/// A forged hash, wherever it stands, is never served.
#[test]
fn every_tile_that_is_used_is_authenticated() {
    let size = 66_000;
    let leaves = leaves(size);
    let (_, tiles) = grow(&[size]);
    let head = head(&leaves, size);
    let nodes = inclusion_nodes(LeafIndex::new(300), head.size).unwrap();
    let needed = fetch(&tiles, &needed_tiles(head.size, &nodes));
    let names: Vec<String> = needed.keys().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "tile/0/001",
            "tile/0/257.p/208",
            "tile/1/000",
            "tile/1/001.p/1",
            "tile/2/000.p/1"
        ]
    );
    assert!(TileHashes::authenticate(&head, &needed).is_ok());
    for id in needed.keys() {
        for place in 0..needed[id].len() / 32 {
            let mut forged = needed.clone();
            forged.get_mut(id).unwrap()[place * 32] ^= 1;
            assert!(
                TileHashes::authenticate(&head, &forged).is_err(),
                "{id} at {place}"
            );
        }
        let mut missing = needed.clone();
        missing.remove(id);
        let outcome = TileHashes::authenticate(&head, &missing).map(|tiles| {
            prove_inclusion(&tiles, LeafIndex::new(300), head.size).unwrap_err();
        });
        assert!(
            id.to_string() == "tile/0/001" || matches!(outcome, Err(LedgerError::MissingTile(_))),
            "{id}"
        );
    }
}

#[test]
fn a_tile_that_nothing_authenticates_is_refused() {
    let (_, tiles) = grow(&[600]);
    let head = head(&leaves(600), 600);
    let mut set = fetch(&tiles, &needed_tiles(head.size, &[]));
    // Beyond the tree, and a partial tile of an earlier tree.
    for path in ["tile/0/003", "tile/0/001.p/9", "tile/2/000"] {
        set.insert(path.parse().unwrap(), vec![0; 256 * 32]);
        assert!(
            matches!(
                TileHashes::authenticate(&head, &set),
                Err(LedgerError::Tile { .. })
            ),
            "{path}"
        );
        set.remove(&path.parse().unwrap());
    }
}

#[test]
fn a_full_tile_stands_in_for_a_partial_one() {
    let (_, tiles) = grow(&[300, 600]);
    let head = head(&leaves(300), 300);
    let partial: TileId = "tile/0/001.p/44".parse().unwrap();
    let mut set = fetch(&tiles, &needed_tiles(head.size, &[]));
    set.insert(partial, tiles[&partial.full()].clone());
    let bundle: TileId = "tile/entries/001.p/44".parse().unwrap();
    set.insert(bundle, tiles[&bundle.full()].clone());
    assert!(TileHashes::authenticate(&head, &set).is_ok());
    let writer = TileWriter::resume(&head, &set).unwrap();
    assert_eq!(writer.head().unwrap(), head);
}

#[test]
fn a_writer_does_not_resume_from_forged_entries() {
    let (_, tiles) = grow(&[300]);
    let head = head(&leaves(300), 300);
    let set: BTreeMap<TileId, Vec<u8>> = tiles
        .into_iter()
        .map(|(id, mut bytes)| {
            if id.layer == Layer::Entries {
                *bytes.last_mut().unwrap() ^= 1;
            }
            (id, bytes)
        })
        .collect();
    assert!(matches!(
        TileWriter::resume(&head, &set),
        Err(LedgerError::Tile { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever the sizes of the checkpoints: a writer that resumes goes on as one that never stopped.
    #[test]
    fn resuming_changes_nothing(mut sizes in prop::collection::vec(1_u64..1400, 1..6), stop in 0_usize..6) {
        sizes.sort_unstable();
        sizes.dedup();
        let stop = stop.min(sizes.len() - 1);
        let (_, all) = grow(&sizes);
        let (first, mut tiles) = grow(&sizes[..=stop]);
        let head = first.head().unwrap();
        let mut edge: BTreeSet<TileId> = edge_tiles(head.size).into_iter().collect();
        edge.extend(last_bundle(head.size).filter(|id| !id.is_full()));
        let mut writer = TileWriter::resume(&head, &fetch(&tiles, &edge)).unwrap();
        prop_assert_eq!(writer.take(), []);
        for size in &sizes[stop + 1..] {
            for index in writer.size().leaves()..*size {
                writer.append(&entry(index)).unwrap();
            }
            tiles.extend(writer.take().into_iter().map(|tile| (tile.id, tile.bytes)));
        }
        prop_assert_eq!(tiles, all);
    }

    #[test]
    fn proofs_from_tiles_are_those_from_leaves(size in 1_u64..1400, index in 0_u64..1400, old in 1_u64..1400) {
        let (index, old) = (LeafIndex::new(index % size), TreeSize::new((old - 1) % size + 1));
        let leaves = leaves(size);
        let (_, tiles) = grow(&[size]);
        let head = head(&leaves, size);
        let mut nodes = inclusion_nodes(index, head.size).unwrap();
        nodes.extend(consistency_nodes(old, head.size).unwrap());
        let reader = TileHashes::authenticate(&head, &fetch(&tiles, &needed_tiles(head.size, &nodes))).unwrap();
        let inclusion = prove_inclusion(&reader, index, head.size).unwrap();
        prop_assert_eq!(&inclusion, &prove_inclusion(leaves.as_slice(), index, head.size).unwrap());
        verify_inclusion(&leaves[index.get() as usize], index, &head, &inclusion).unwrap();
        let consistency = prove_consistency(&reader, old, head.size).unwrap();
        prop_assert_eq!(&consistency, &prove_consistency(leaves.as_slice(), old, head.size).unwrap());
        verify_consistency(&self::head(&leaves, old.leaves()), &head, &consistency).unwrap();
    }

    /// A frontier and the leaves after it are enough for what lies after it.
    #[test]
    fn proofs_from_a_suffix_are_those_from_leaves(start in 0_u64..300, more in 1_u64..300, place in 0_u64..300) {
        let size = TreeSize::new(start + more);
        let leaves = leaves(size.leaves());
        let mut suffix = Suffix::new(leaves[..start as usize].iter().copied().collect());
        leaves[start as usize..].iter().for_each(|leaf| suffix.append(*leaf));
        prop_assert_eq!(suffix.head(), head(&leaves, size.leaves()));
        let index = LeafIndex::new(start + place % more);
        prop_assert_eq!(
            prove_inclusion(&suffix, index, size).unwrap(),
            prove_inclusion(leaves.as_slice(), index, size).unwrap()
        );
        if start > 0 {
            let old = TreeSize::new(start + place % (more + 1));
            prop_assert_eq!(
                prove_consistency(&suffix, old, size).unwrap(),
                prove_consistency(leaves.as_slice(), old, size).unwrap()
            );
            // What the frontier has folded away cannot be read.
            let first = NodeId { level: 0, index: 0 };
            prop_assert_eq!(suffix.read(first).is_ok(), start == 1);
        }
    }

    #[test]
    fn no_bytes_make_the_readers_fail_badly(path in "tile/[0-9a-z]{1,7}/[x0-9/]{0,12}(\\.p/[0-9]{1,3})?", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(id) = path.parse::<TileId>() {
            prop_assert_eq!(id.to_string(), path);
            let _entries = read_bundle(id, &bytes);
            let _hashes = read_hashes(id, &bytes);
            let _size = id.smallest_tree();
        }
    }
}
