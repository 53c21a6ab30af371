//! Parsers of bytes that we did not make, each behind one function that panics when a promise is broken. What they refuse is fine; what
//! they accept must mean the same when it is written and read again.

use std::path::Path;

use revtrail_archive::ObjectKey;
use revtrail_connector::{
    http::HeaderMap,
    retry::{http_date, retry_after},
};
use revtrail_harvest::{
    snapshot::read_segment,
    state::{Inventories, read_header, read_items},
};
use revtrail_ledger::{
    Algorithm, Checkpoint, Hash, LeafIndex, Note, PublicKey, TreeHead, TreeSize, VerifierKey,
    tree::{verify_consistency, verify_inclusion},
};
use revtrail_model::{
    disclosure::Sidecar,
    layout::{LogName, segment_digest},
    leaf::{EventGlance, Leaf},
    time,
};
use revtrail_settings::{Config, SettingsError};

/// A signed note.
pub fn note(bytes: &[u8]) {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(Note::parse(&note.to_bytes()).ok(), Some(note));
    }
}

/// A checkpoint, bare and signed.
pub fn checkpoint(bytes: &[u8]) {
    let name = "evidence.example/main/2026".parse();
    // The base point of the curve is a public key whose private half is no secret, and nobody signs with it here.
    let key = PublicKey::from_bytes(&BASE_POINT);
    if let (Ok(name), Ok(key)) = (name, key) {
        let key = VerifierKey::new(name, Algorithm::Ed25519, key);
        assert!(
            Checkpoint::open(bytes, &key).is_err(),
            "a forged signature was taken"
        );
    }
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        let _digest = segment_digest(&checkpoint.extensions);
        assert_eq!(Checkpoint::parse(&checkpoint.to_text()).ok(), Some(checkpoint));
    }
}

const BASE_POINT: [u8; 32] = {
    let mut bytes = [0x66; 32];
    bytes[0] = 0x58;
    bytes
};

/// The line of a verifier key, and a public key in PEM.
pub fn verifier_key(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string().parse().ok(), Some(key));
    }
    if let Ok(key) = PublicKey::from_pem(text) {
        let pem = key.to_pem();
        let again = pem.and_then(|pem| PublicKey::from_pem(&pem));
        assert_eq!(again.ok().map(|key| *key.as_bytes()), Some(*key.as_bytes()));
    }
}

/// Proofs of inclusion and of consistency: two numbers of eight bytes, then hashes.
pub fn proof(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first_chunk::<8>() else {
        return;
    };
    let Some((second, rest)) = rest.split_first_chunk::<8>() else {
        return;
    };
    let (first, second) = (u64::from_be_bytes(*first), u64::from_be_bytes(*second));
    let hashes: Vec<Hash> = rest
        .as_chunks::<32>()
        .0
        .iter()
        .map(|hash| Hash::from_bytes(*hash))
        .collect();
    let [leaf, root, path @ ..] = hashes.as_slice() else {
        return;
    };
    let head = |size, root| TreeHead {
        size: TreeSize::new(size),
        root,
    };
    let included = verify_inclusion(leaf, LeafIndex::new(first), &head(second, *root), path);
    if included.is_ok() {
        assert!(first < second);
    }
    let consistent = verify_consistency(&head(first, *leaf), &head(second, *root), path);
    if consistent.is_ok() {
        assert!(first <= second);
    }
}

/// A stored segment, and the leaves in it.
pub fn segment(bytes: &[u8]) {
    for leaf in read_segment("segment", bytes).unwrap_or_default() {
        self::leaf(&leaf);
    }
}

/// One leaf.
pub fn leaf(bytes: &[u8]) {
    let leaf = Leaf::parse(bytes);
    let Some(glance) = EventGlance::of(bytes) else {
        return;
    };
    let told = leaf.ok().and_then(|leaf| match leaf {
        Leaf::Event(event) => Some((event.folder, event.ledger, event.id, event.raw_sha256)),
        _ => None,
    });
    let glanced = (
        glance.folder.into(),
        glance.ledger.into(),
        glance.id,
        glance.raw_sha256,
    );
    assert_eq!(told, Some(glanced), "a glance tells of another event, or of none");
}

/// A sidecar and what it discloses.
pub fn sidecar(bytes: &[u8]) {
    let Ok(sidecar) = Sidecar::decode(bytes) else {
        return;
    };
    for disclosure in &sidecar.disclosures {
        let _commitments = disclosure.commitments(&sidecar.seed);
    }
    let again = sidecar.encode().and_then(|bytes| Sidecar::decode(&bytes));
    assert_eq!(again.ok(), Some(sidecar));
}

/// A state object.
pub fn state(bytes: &[u8]) {
    if let Ok(header) = read_header("state", bytes) {
        for folder in header.folders.values() {
            let _root = folder.root();
        }
    }
    let _items = read_items("state", bytes, &mut Inventories::new());
}

/// Names of objects.
pub fn object_name(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let log = LogName {
        ledger: "main".into(),
        year: 2026,
    };
    if let Some(name) = log.parse(text) {
        let written = match &name.digest {
            Some(digest) => log.object(name.kind, name.seq, digest),
            None => log.checkpoint(name.seq),
        };
        assert_eq!(written, text);
    }
    if let Ok(key) = text.parse::<ObjectKey>() {
        assert_eq!(key.as_str(), text);
        assert!(
            !text.starts_with('/') && !text.split('/').any(|part| part == ".."),
            "{text:?}"
        );
    }
}

/// A configuration file. Whatever is refused is refused with a reason.
pub fn config(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Err(SettingsError::Values { problems, .. }) = Config::parse(Path::new("revtrail.toml"), text) {
        assert!(!problems.is_empty());
    }
}

/// Times, as records and as HTTP headers spell them.
pub fn timestamp(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(at) = time::parse(text) {
        assert_eq!(time::parse(&at.to_string()).ok(), Some(at));
    }
    let _date = http_date(text);
    if let Ok(value) = text.parse() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", value);
        let _wait = retry_after(&headers, time::Timestamp::UNIX_EPOCH);
    }
}
