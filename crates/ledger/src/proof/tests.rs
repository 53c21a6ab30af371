use rstest::rstest;

use super::*;
use crate::{
    Algorithm, FileSigner, Frontier, Signer as _, leaf_hash,
    tree::{TreeSize, prove_inclusion},
};

const ENTRIES: [&[u8]; 5] = [b"a", b"b", b"c", b"d", b"e"];

fn key(signer: &FileSigner, name: &str) -> VerifierKey {
    VerifierKey::new(name.parse().unwrap(), Algorithm::Ed25519, signer.public_key())
}

fn proof(index: u64) -> (TlogProof, VerifierKey) {
    let signer = FileSigner::generate([3; 32]).unwrap();
    let leaves = ENTRIES.map(leaf_hash);
    let head = leaves.into_iter().collect::<Frontier>().head();
    let note = Checkpoint::new("log.example/a".parse().unwrap(), head)
        .sign(&signer)
        .unwrap();
    let hashes = prove_inclusion(leaves.as_slice(), LeafIndex::new(index), TreeSize::new(5)).unwrap();
    let proof = TlogProof {
        extra: Some(b"{}".to_vec()),
        index: LeafIndex::new(index),
        hashes,
        checkpoint: Note::parse(&note).unwrap(),
    };
    (proof, key(&signer, "log.example/a"))
}

#[test]
fn reads_back_what_it_writes() {
    for (index, entry) in ENTRIES.iter().enumerate() {
        let (proof, key) = proof(index as u64);
        let bytes = proof.to_bytes();
        let read = TlogProof::parse(&bytes).unwrap();
        assert_eq!(read, proof);
        assert_eq!(read.to_bytes(), bytes);
        let proven = read.verify(&leaf_hash(entry), &key, &[]).unwrap();
        assert_eq!(proven.checkpoint.size, TreeSize::new(5));
        assert_eq!(proven.signatures.len(), 1);
    }
    let plain = TlogProof {
        extra: None,
        ..proof(4).0
    };
    assert_eq!(TlogProof::parse(&plain.to_bytes()).unwrap(), plain);
}

#[test]
fn proves_one_entry_at_one_place_under_one_key() {
    let (right, key) = proof(2);
    let other = FileSigner::generate([4; 32]).unwrap();
    assert!(matches!(
        right.verify(&leaf_hash(b"b"), &key, &[]),
        Err(LedgerError::RootMismatch { .. })
    ));
    let moved = TlogProof {
        index: LeafIndex::new(3),
        ..right.clone()
    };
    assert!(matches!(
        moved.verify(&leaf_hash(b"c"), &key, &[]),
        Err(LedgerError::RootMismatch { .. })
    ));
    assert!(matches!(
        right.verify(&leaf_hash(b"c"), &self::key(&other, "log.example/a"), &[]),
        Err(LedgerError::NoTrustedSignature(_))
    ));
}

/// Every bit of the text that is not the opaque line matters.
#[test]
fn no_changed_byte_goes_unnoticed() {
    let (right, key) = proof(2);
    let bytes = right.to_bytes();
    let extra = b"extra e30=\n";
    let start = bytes.windows(extra.len()).position(|window| window == extra);
    let opaque = start.unwrap() + 6..start.unwrap() + extra.len() - 1;
    for place in (0..bytes.len()).filter(|place| !opaque.contains(place)) {
        for bit in [0x01, 0x20] {
            let mut changed = bytes.clone();
            changed[place] ^= bit;
            let verdict = TlogProof::parse(&changed)
                .and_then(|proof| proof.verify(&leaf_hash(b"c"), &key, &[]).map(|_| ()));
            assert!(verdict.is_err(), "byte {place} ^ {bit}");
        }
    }
}

#[rstest]
#[case::empty("", "no empty line")]
#[case::other_version("c2sp.org/tlog-proof@v2\nindex 0\n\n", "first line")]
#[case::no_index("c2sp.org/tlog-proof@v1\nextra e30=\n\n", "no index")]
#[case::extra_twice("c2sp.org/tlog-proof@v1\nextra e30=\nextra e30=\nindex 0\n\n", "no index")]
#[case::extra_after_index("c2sp.org/tlog-proof@v1\nindex 0\nextra e30=\n\n", "not a 32-byte hash")]
#[case::extra_not_base64("c2sp.org/tlog-proof@v1\nextra e30\nindex 0\n\n", "not standard base64")]
#[case::leading_zero("c2sp.org/tlog-proof@v1\nindex 00\n\n", "plain decimal")]
#[case::sign("c2sp.org/tlog-proof@v1\nindex +1\n\n", "plain decimal")]
#[case::carriage_return("c2sp.org/tlog-proof@v1\r\nindex 0\n\n", "first line")]
#[case::no_note("c2sp.org/tlog-proof@v1\nindex 0\n\nlog.example/a\n", "malformed note")]
fn refuses_other_forms(#[case] text: &str, #[case] why: &str) {
    let error = TlogProof::parse(text.as_bytes()).unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn refuses_more_than_a_proof_can_need() {
    let (mut long, _) = proof(0);
    long.hashes = vec![leaf_hash(b""); 64];
    assert!(matches!(
        TlogProof::parse(&long.to_bytes()),
        Err(LedgerError::Proof("more than 63 hashes"))
    ));
    assert!(matches!(
        TlogProof::parse(&vec![b'x'; MAX_PROOF_BYTES + 1]),
        Err(LedgerError::Proof("longer than 4 MiB"))
    ));
}
