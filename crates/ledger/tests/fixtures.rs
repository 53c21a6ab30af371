//! A log made by Go's `sumdb` packages (`tests/fixtures/ledger`): it opens here, and we make the same bytes.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its fixtures fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use revtrail_ledger::{
    Checkpoint, Hash, LeafIndex, LedgerError, Note, TileHashes, TileId, TileWriter, TlogProof, TreeHead,
    TreeSize, VerifierKey, leaf_hash,
    tile::{edge_tiles, last_bundle, needed_tiles, read_bundle},
    tree::{
        consistency_nodes, inclusion_nodes, prove_consistency, prove_inclusion, verify_consistency,
        verify_inclusion,
    },
};
use rstest::rstest;
use serde_json::Value;

const SIZES: [u64; 6] = [1, 2, 7, 256, 300, 515];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/ledger")
        .join(name)
}

fn read(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap()
}

fn rows(name: &str) -> Vec<Value> {
    let text = String::from_utf8(read(name)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn keys(name: &str) -> Vec<VerifierKey> {
    let text = String::from_utf8(read(name)).unwrap();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

fn proof(row: &Value) -> Vec<Hash> {
    let hashes = row["proof"].as_array().unwrap();
    hashes
        .iter()
        .map(|hash| Hash::from_base64(hash.as_str().unwrap()).unwrap())
        .collect()
}

fn number(row: &Value, name: &str) -> u64 {
    row[name].as_u64().unwrap()
}

fn head(size: u64) -> TreeHead {
    let key = keys("log.vkey").remove(0);
    Checkpoint::open(&read(&format!("checkpoints/{size}")), &key)
        .unwrap()
        .head()
}

fn entries() -> Vec<Vec<u8>> {
    ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/3"]
        .into_iter()
        .flat_map(|name| {
            let bytes = read(name);
            let entries = read_bundle(name.parse().unwrap(), &bytes).unwrap();
            entries.into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>()
        })
        .collect()
}

/// Names of all tiles and bundles that stand there.
fn stored() -> BTreeSet<String> {
    let (mut found, mut directories) = (BTreeSet::new(), vec![path("tile")]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                directories.push(file);
            } else {
                let name = file.strip_prefix(path("")).unwrap();
                found.insert(name.to_str().unwrap().to_owned());
            }
        }
    }
    found
}

#[test]
fn checkpoints_and_cosignatures_verify() {
    let (log, witnesses) = (keys("log.vkey"), keys("witnesses.vkey"));
    for size in SIZES {
        let note = Note::parse(&read(&format!("checkpoints/{size}"))).unwrap();
        let (checkpoint, signatures) = Checkpoint::verify(&note, &log[0], &witnesses).unwrap();
        assert_eq!(checkpoint.size, TreeSize::new(size));
        let times: Vec<u64> = signatures
            .iter()
            .filter_map(|one| Some(one.time?.seconds()))
            .collect();
        assert_eq!(times, [1_767_225_600 + size, 1_767_225_601 + size]);
    }
}

#[test]
fn we_make_the_same_tiles_and_no_others() {
    let (mut writer, mut made) = (TileWriter::new(), BTreeSet::new());
    for (size, entry) in (1_u64..).zip(entries()) {
        writer.append(&entry).unwrap();
        if SIZES.contains(&size) {
            assert_eq!(writer.head().unwrap(), head(size));
            for tile in writer.take() {
                assert_eq!(tile.bytes, read(&tile.id.to_string()), "{}", tile.id);
                made.insert(tile.id.to_string());
            }
        }
    }
    assert_eq!(made, stored());
}

#[test]
fn tiles_prove_what_the_other_implementation_proved() {
    let fetch = |ids: BTreeSet<TileId>| -> BTreeMap<TileId, Vec<u8>> {
        ids.into_iter().map(|id| (id, read(&id.to_string()))).collect()
    };
    let entries = entries();
    for row in rows("inclusion.jsonl") {
        let (head, index) = (head(number(&row, "size")), LeafIndex::new(number(&row, "index")));
        let nodes = inclusion_nodes(index, head.size).unwrap();
        let tiles = TileHashes::authenticate(&head, &fetch(needed_tiles(head.size, &nodes))).unwrap();
        let ours = prove_inclusion(&tiles, index, head.size).unwrap();
        assert_eq!(ours, proof(&row), "{row}");
        let leaf = leaf_hash(&entries[number(&row, "index") as usize]);
        verify_inclusion(&leaf, index, &head, &proof(&row)).unwrap();
    }
    for row in rows("consistency.jsonl") {
        let (old, new) = (head(number(&row, "old")), head(number(&row, "new")));
        let nodes = consistency_nodes(old.size, new.size).unwrap();
        let tiles = TileHashes::authenticate(&new, &fetch(needed_tiles(new.size, &nodes))).unwrap();
        let ours = prove_consistency(&tiles, old.size, new.size).unwrap();
        assert_eq!(ours, proof(&row), "{row}");
        verify_consistency(&old, &new, &proof(&row)).unwrap();
    }
}

#[test]
fn a_writer_resumes_from_the_other_implementations_tiles() {
    for (before, after) in SIZES.into_iter().zip(SIZES.into_iter().skip(1)) {
        let size = TreeSize::new(before);
        let mut edge = edge_tiles(size);
        edge.extend(last_bundle(size).filter(|id| !id.is_full()));
        let tiles = edge.into_iter().map(|id| (id, read(&id.to_string()))).collect();
        let mut writer = TileWriter::resume(&head(before), &tiles).unwrap();
        for entry in &entries()[before as usize..after as usize] {
            writer.append(entry).unwrap();
        }
        assert_eq!(writer.head().unwrap(), head(after));
    }
}

#[rstest]
#[case(0)]
#[case(257)]
#[case(514)]
fn proof_files_verify_and_are_the_ones_we_make(#[case] index: usize) {
    let bytes = read(&format!("proofs/{index}.tlog-proof"));
    let (log, witnesses) = (keys("log.vkey"), keys("witnesses.vkey"));
    let read = TlogProof::parse(&bytes).unwrap();
    assert_eq!(read.to_bytes(), bytes);
    let entries = entries();
    let proven = read
        .verify(&leaf_hash(&entries[index]), &log[0], &witnesses)
        .unwrap();
    assert_eq!(
        (proven.checkpoint.head(), proven.signatures.len()),
        (head(515), 3)
    );
    let other = leaf_hash(&entries[index - index.min(1)]);
    let verdict = read.verify(&other, &log[0], &witnesses);
    assert_eq!(
        matches!(verdict, Err(LedgerError::RootMismatch { .. })),
        index > 0
    );
}
