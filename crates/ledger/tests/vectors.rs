//! Vectors of other implementations, read from `$REVTRAIL_TEST_DATA/vectors`; skipped without it.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its vectors fails")]

use std::{env, fs, path::PathBuf};

use revtrail_ledger::{
    Algorithm, Checkpoint, Frontier, Hash, LeafIndex, LedgerError, Note, PublicKey, Signature, TreeHead,
    TreeSize, VerifierKey,
    tree::{prove_consistency, prove_inclusion, verify_consistency, verify_inclusion},
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
