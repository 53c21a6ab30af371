//! Vectors of other implementations, read from `$REVTRAIL_TEST_DATA/vectors`; skipped without it.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its vectors fails")]

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use revtrail_ledger::{
    Algorithm, Checkpoint, Frontier, Hash, LeafIndex, LedgerError, Note, PublicKey, Signature, TileHashes,
    TileId, TileWriter, TlogProof, TreeHead, TreeSize, VerifierKey, leaf_hash,
    tile::{edge_tiles, needed_tiles, read_bundle},
    tree::{inclusion_nodes, prove_consistency, prove_inclusion, verify_consistency, verify_inclusion},
};
use serde_json::Value;

/// Path of a vector file, or nothing when the data is not there.
fn vector(path: &str) -> Option<PathBuf> {
    let Some(root) = env::var_os("REVTRAIL_TEST_DATA") else {
        skip();
        return None;
    };
    Some(PathBuf::from(root).join("vectors").join(path))
}

#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn skip() {
    eprintln!("skipped: REVTRAIL_TEST_DATA is not set");
}

fn text(path: &str) -> Option<String> {
    vector(path).map(|path| fs::read_to_string(&path).unwrap())
}

fn rows(path: &str) -> Vec<Value> {
    let text = text(path).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn hash(value: &Value) -> Option<Hash> {
    Hash::from_base64(value.as_str()?).ok()
}

fn head(row: &Value, size: &str, root: &str) -> Option<TreeHead> {
    Some(TreeHead {
        size: TreeSize::new(row[size].as_u64()?),
        root: hash(&row[root])?,
    })
}

/// Rows without a proof mean an empty one; a hash of another length makes the row unreadable for us.
fn proof(row: &Value) -> Option<Vec<Hash>> {
    row["proof"]
        .as_array()
        .map_or(Some(Vec::new()), |hashes| hashes.iter().map(hash).collect())
}

fn inclusion_holds(row: &Value, names: [&str; 4]) -> bool {
    let [leaf, index, size, root] = names;
    let check = || {
        let index = LeafIndex::new(row[index].as_u64()?);
        verify_inclusion(&hash(&row[leaf])?, index, &head(row, size, root)?, &proof(row)?).ok()
    };
    check().is_some()
}

fn consistency_holds(row: &Value, names: [&str; 4]) -> bool {
    let [old, old_root, new, new_root] = names;
    let check = || {
        verify_consistency(
            &head(row, old, old_root)?,
            &head(row, new, new_root)?,
            &proof(row)?,
        )
        .ok()
    };
    check().is_some()
}

#[test]
fn rfc_6962_inclusion_verdicts() {
    for row in rows("rfc6962/inclusion.jsonl") {
        let holds = inclusion_holds(&row, ["leafHash", "leafIdx", "treeSize", "root"]);
        assert_eq!(holds, row["wantErr"] == false, "{}", row["file"]);
    }
}

#[test]
fn rfc_6962_consistency_verdicts() {
    for row in rows("rfc6962/consistency.jsonl") {
        // Valid upstream with roots of 12 bytes, which our hash type cannot hold.
        let is_untyped = row["desc"] == "sizes are equal (one) and proof is empty";
        let holds = consistency_holds(&row, ["size1", "root1", "size2", "root2"]);
        assert_eq!(holds, row["wantErr"] == false && !is_untyped, "{}", row["file"]);
    }
}

#[test]
fn minilog_proof_verdicts() {
    for row in rows("minilog/inclusion.jsonl") {
        assert_eq!(
            inclusion_holds(&row, ["leaf_hash", "index", "size", "root"]),
            row["ok"] == true,
            "{row}"
        );
    }
    for row in rows("minilog/consistency.jsonl") {
        let holds = consistency_holds(&row, ["old", "old_root", "new", "new_root"]);
        assert_eq!(holds, row["ok"] == true, "{row}");
    }
}

/// Leaf hashes of the small log, from its level-zero tiles.
fn minilog_leaves() -> Vec<Hash> {
    let tiles = ["minilog/log/tile/0/000", "minilog/log/tile/0/001.p/44"];
    let paths = tiles.iter().filter_map(|path| vector(path));
    let bytes: Vec<u8> = paths.flat_map(|path| fs::read(path).unwrap()).collect();
    let (hashes, rest) = bytes.as_chunks::<32>();
    assert!(rest.is_empty());
    hashes.iter().copied().map(Hash::from_bytes).collect()
}

#[test]
fn minilog_proofs_are_the_ones_we_make() {
    let leaves = minilog_leaves();
    for row in rows("minilog/inclusion.jsonl")
        .iter()
        .filter(|row| row["ok"] == true)
    {
        let (index, size) = (row["index"].as_u64().unwrap(), row["size"].as_u64().unwrap());
        let ours = prove_inclusion(leaves.as_slice(), LeafIndex::new(index), TreeSize::new(size)).unwrap();
        assert_eq!(ours, proof(row).unwrap(), "{row}");
    }
    for row in rows("minilog/consistency.jsonl")
        .iter()
        .filter(|row| row["ok"] == true)
    {
        let (old, new) = (row["old"].as_u64().unwrap(), row["new"].as_u64().unwrap());
        let ours = prove_consistency(leaves.as_slice(), TreeSize::new(old), TreeSize::new(new)).unwrap();
        assert_eq!(ours, proof(row).unwrap(), "{row}");
    }
}

#[test]
fn minilog_checkpoints_open_and_follow_from_the_leaves() {
    let Some(key) = text("minilog/log.vkey") else {
        return;
    };
    let key: VerifierKey = key.trim_end().parse().unwrap();
    let pem = text("minilog/log.pub.pem").unwrap();
    assert_eq!(PublicKey::from_pem(&pem).unwrap(), *key.public_key());
    assert_eq!(key.public_key().to_pem().unwrap(), pem);
    let witnesses: Vec<VerifierKey> = text("minilog/witnesses.vkey")
        .unwrap()
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    assert!(
        witnesses
            .iter()
            .all(|key| key.algorithm() == Algorithm::Cosignature)
    );
    let leaves = minilog_leaves();
    for size in [1, 3, 255, 256, 257, 300] {
        let bytes = fs::read(vector(&format!("minilog/log/checkpoints/{size}")).unwrap()).unwrap();
        let frontier: Frontier = leaves[..size].iter().copied().collect();
        let checkpoint = Checkpoint::open(&bytes, &key).unwrap();
        assert_eq!(checkpoint.head(), frontier.head());
        let note = Note::parse(&bytes).unwrap();
        assert_eq!(note.to_bytes(), bytes);
        let verified = note.verify(std::slice::from_ref(&key), &witnesses).unwrap();
        let cosigned = verified
            .iter()
            .filter(|one| one.time.is_some_and(|at| at.seconds() > 1_700_000_000));
        assert_eq!((verified.len(), cosigned.count()), (4, 3));
    }
}

#[test]
fn minilog_pairs_get_their_verdict() {
    let Some(key) = text("minilog/log.vkey") else {
        return;
    };
    let key: VerifierKey = key.trim_end().parse().unwrap();
    let open = |name: &Value| {
        let path = vector(&format!("minilog/pairs/{}", name.as_str().unwrap())).unwrap();
        Checkpoint::open(&fs::read(path).unwrap(), &key).unwrap().head()
    };
    for row in rows("minilog/pairs/cases.jsonl") {
        let (old, new) = (open(&row["old"]), open(&row["new"]));
        let verdict = verify_consistency(&old, &new, &proof(&row).unwrap());
        let as_expected = match row["old"].as_str().unwrap() {
            "grow-old" => verdict.is_ok(),
            "shrink-old" => matches!(verdict, Err(LedgerError::TreeShrank { .. })),
            _ => matches!(verdict, Err(LedgerError::RootMismatch { .. })),
        };
        assert!(as_expected, "{row}: {verdict:?}");
    }
}

#[test]
fn c2sp_examples() {
    let Some(note) = text("c2sp/signed-note.note") else {
        return;
    };
    let key: VerifierKey = text("c2sp/signed-note.vkey").unwrap().trim_end().parse().unwrap();
    let note = Note::parse(note.as_bytes()).unwrap();
    assert_eq!(note.verify(&[key], &[]).unwrap().len(), 1);
    for (name, signatures) in [("checkpoint", 1), ("cosigned-checkpoint", 2)] {
        let bytes = text(&format!("c2sp/{name}.note")).unwrap();
        let note = Note::parse(bytes.as_bytes()).unwrap();
        assert_eq!(
            (note.signatures().len(), note.to_bytes()),
            (signatures, bytes.into_bytes())
        );
        let checkpoint = Checkpoint::parse(note.text()).unwrap();
        assert_eq!(checkpoint.size, TreeSize::new(20_852_163));
        assert_eq!(checkpoint.to_text(), note.text());
    }
}

#[test]
fn wycheproof_ed25519_verdicts() {
    for row in rows("ed25519/wycheproof-odd.jsonl") {
        let field = |name: &str| bytes(row[name].as_str().unwrap());
        let check = || {
            let key = PublicKey::from_bytes(&field("pk").try_into().ok()?).ok()?;
            let signature = Signature::from_bytes(field("sig").try_into().ok()?);
            key.is_signature(&field("msg"), &signature).then_some(())
        };
        assert_eq!(
            check().is_some(),
            row["result"] == "valid",
            "tcId {}",
            row["tcId"]
        );
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Checkpoints of the small log; its partial tiles were kept.
const MINILOG_SIZES: [u64; 6] = [1, 3, 255, 256, 257, 300];

fn minilog_tile(id: &str) -> Vec<u8> {
    fs::read(vector(&format!("minilog/log/{id}")).unwrap()).unwrap()
}

fn minilog_entries() -> Vec<Vec<u8>> {
    ["tile/entries/000", "tile/entries/001.p/44"]
        .into_iter()
        .flat_map(|path| {
            let bytes = minilog_tile(path);
            let entries = read_bundle(path.parse().unwrap(), &bytes).unwrap();
            entries.into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn minilog_tiles_are_the_ones_we_make() {
    if vector("minilog").is_none() {
        return;
    }
    let (mut writer, mut made) = (TileWriter::new(), 0);
    for (index, entry) in (1_u64..).zip(minilog_entries()) {
        writer.append(&entry).unwrap();
        if MINILOG_SIZES.contains(&index) {
            for tile in writer.take() {
                assert_eq!(tile.bytes, minilog_tile(&tile.id.to_string()), "{}", tile.id);
                made += 1;
            }
        }
    }
    // Everything that stands there: six tiles of level 0, one of level 1, six bundles.
    assert_eq!(made, 13);
}

#[test]
fn minilog_tiles_are_authenticated_and_prove_what_its_proofs_prove() {
    let Some(key) = text("minilog/log.vkey") else {
        return;
    };
    let key: VerifierKey = key.trim_end().parse().unwrap();
    let checkpoint = Checkpoint::open(&minilog_tile("checkpoint"), &key).unwrap();
    let size = checkpoint.size;
    let rows = rows("minilog/inclusion.jsonl");
    for row in rows.iter().filter(|row| row["ok"] == true && row["size"] == 300) {
        let index = LeafIndex::new(row["index"].as_u64().unwrap());
        let needed = needed_tiles(size, &inclusion_nodes(index, size).unwrap());
        let fetch = |id: &TileId| (*id, minilog_tile(&id.to_string()));
        let tiles: BTreeMap<TileId, Vec<u8>> = needed.iter().map(fetch).collect();
        let reader = TileHashes::authenticate(&checkpoint.head(), &tiles).unwrap();
        assert_eq!(
            prove_inclusion(&reader, index, size).unwrap(),
            proof(row).unwrap(),
            "{row}"
        );
    }
}

#[test]
fn c2sp_tile_numbers() {
    let Some(text) = text("c2sp/tile-paths.json") else {
        return;
    };
    let numbers: Value = serde_json::from_str(&text).unwrap();
    let path = numbers["index_encoding"]["1234067"].as_str().unwrap();
    let id: TileId = format!("tile/3/{path}").parse().unwrap();
    assert_eq!(id.index(), 1_234_067);
    let edge: Vec<(u64, u64)> = edge_tiles(TreeSize::new(70_000))
        .iter()
        .map(|id| (id.index(), u64::from(id.width())))
        .collect();
    let tree = &numbers["tree_70000"];
    let number = |name: &str| tree[name].as_u64().unwrap();
    assert_eq!(
        edge,
        [
            (number("full_level0"), number("partial_level0_width")),
            (number("full_level1"), number("partial_level1_width")),
            (0, number("partial_level2_width")),
        ]
    );
    let edge = edge_tiles(TreeSize::new(256));
    assert_eq!(
        (edge.len() as u64, u64::from(edge[0].width())),
        (1, numbers["tree_256"]["partial_level1_width"].as_u64().unwrap())
    );
}

/// Two of the three witnesses are enough for the policy of these vectors.
#[test]
fn minilog_tlog_proofs_get_their_verdict() {
    let Some(key) = text("minilog/log.vkey") else {
        return;
    };
    let key: VerifierKey = key.trim_end().parse().unwrap();
    let witnesses: Vec<VerifierKey> = text("minilog/witnesses.vkey")
        .unwrap()
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    for row in rows("minilog/tlog-proof/cases.jsonl") {
        let bytes = fs::read(vector(&format!("minilog/{}", row["file"].as_str().unwrap())).unwrap()).unwrap();
        let leaf = leaf_hash(&STANDARD.decode(row["leaf_b64"].as_str().unwrap()).unwrap());
        let cosigners = TlogProof::parse(&bytes).and_then(|proof| {
            assert_eq!(proof.to_bytes(), bytes, "{row}");
            let proven = proof.verify(&leaf, &key, &witnesses)?;
            Ok(proven.signatures.iter().filter(|one| one.time.is_some()).count())
        });
        assert_eq!(
            cosigners.is_ok_and(|count| count >= 2),
            row["ok"] == true,
            "{row}"
        );
    }
}
