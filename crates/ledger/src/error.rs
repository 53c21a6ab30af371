//! What can go wrong while reading, proving, verifying or signing.

use crate::{
    hash::Hash,
    note::{KeyId, KeyName},
    tile::TileId,
    tree::{LeafIndex, TreeSize},
};

/// Why bytes were refused, a proof does not hold, or a signature could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Text that is not the complete form of a 32-byte hash.
    #[error("not a 32-byte hash: {0:?}")]
    Hash(String),
    /// A stored frontier whose number of hashes does not fit its tree size.
    #[error("frontier of tree size {size} needs {expected} hashes, got {actual}")]
    Frontier {
        /// Claimed tree size.
        size: TreeSize,
        /// One bits in the tree size.
        expected: usize,
        /// Hashes given.
        actual: usize,
    },
    /// A tree size beyond [`TreeSize::MAX`].
    #[error("tree size {0} is above {max}", max = TreeSize::MAX)]
    TreeSize(TreeSize),
    /// A leaf index at or beyond the tree size.
    #[error("leaf {index} is not in a tree of size {size}")]
    LeafOutOfTree {
        /// Index asked for.
        index: LeafIndex,
        /// Size of the tree.
        size: TreeSize,
    },
    /// A consistency statement from size zero, which says nothing about the newer tree.
    #[error("consistency with an empty tree proves nothing")]
    EmptyTree,
    /// The tree called older is larger than the one called newer.
    #[error("tree shrank from size {old} to {new}")]
    TreeShrank {
        /// Size called older.
        old: TreeSize,
        /// Size called newer.
        new: TreeSize,
    },
    /// A proof with too few or too many hashes for its sizes.
    #[error("proof needs {expected} hashes, got {actual}")]
    ProofLength {
        /// Hashes the sizes call for.
        expected: usize,
        /// Hashes given.
        actual: usize,
    },
    /// A root hash that the proof does not lead to.
    #[error("root of tree size {size} is {expected}, the proof gives {actual}")]
    RootMismatch {
        /// Size of the tree in question.
        size: TreeSize,
        /// Root claimed for it.
        expected: Hash,
        /// Root computed from the proof.
        actual: Hash,
    },
    /// A source of hashes does not hold a node that the proof needs.
    #[error("no hash for tree node at level {level}, index {index}")]
    MissingNode {
        /// Level of the node; leaves are level zero.
        level: u8,
        /// Place of the node in its level.
        index: u64,
    },
    /// Text that does not name a tile or an entry bundle.
    #[error("not the path of a tile or entry bundle: {0:?}")]
    TilePath(String),
    /// A tile or entry bundle that is needed and not there.
    #[error("{0} is missing")]
    MissingTile(TileId),
    /// Bytes that are not the tile or entry bundle they are said to be.
    #[error("malformed {id}: {reason}")]
    Tile {
        /// The tile or bundle.
        id: TileId,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A tile whose hashes do not lead to the tile above it or to the signed root.
    #[error("{id} gives {actual}, what stands above it says {expected}")]
    TileMismatch {
        /// The tile.
        id: TileId,
        /// What the tile above, or the checkpoint, holds.
        expected: Hash,
        /// What the tile's hashes give.
        actual: Hash,
    },
    /// An entry that no entry bundle can hold.
    #[error("entry of {0} bytes is longer than 65535")]
    EntryLength(usize),
    /// Bytes that are not a proof in the form of C2SP tlog-proof.
    #[error("malformed proof: {0}")]
    Proof(&'static str),
    /// Bytes that are not a signed note.
    #[error("malformed note: {0}")]
    Note(&'static str),
    /// Text that cannot name a key.
    #[error("not a key name: {0:?}")]
    KeyName(String),
    /// Text that is not a usable verifier key.
    #[error("malformed verifier key {key:?}: {reason}")]
    VerifierKey {
        /// The key as given, cut after 200 characters.
        key: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A signature line of a known key that this key did not make.
    #[error("signature of {name}+{id} does not verify")]
    BadSignature {
        /// Name on the signature line.
        name: KeyName,
        /// Key id on the signature line.
        id: KeyId,
    },
    /// No required key signed the note.
    #[error("note has no signature of {0}")]
    NoTrustedSignature(String),
    /// Note text that is not a checkpoint.
    #[error("malformed checkpoint: {0}")]
    Checkpoint(&'static str),
    /// Text that cannot be the origin of a log.
    #[error("not an origin: {0:?}")]
    Origin(String),
    /// A checkpoint that names another log than its key does.
    #[error("checkpoint is of {actual:?}, the key is for {expected:?}")]
    OriginMismatch {
        /// Name of the verifier key.
        expected: String,
        /// Origin line of the checkpoint.
        actual: String,
    },
    /// Bytes that are no usable Ed25519 public key.
    #[error("unusable public key: {0}")]
    PublicKey(&'static str),
    /// Bytes that are no usable Ed25519 private key. Says nothing about them, for they are secret.
    #[error("private key is not an unencrypted Ed25519 key in PKCS#8")]
    PrivateKey,
    /// The signer failed.
    #[error("signing as {name} failed")]
    Sign {
        /// Key name to sign as.
        name: KeyName,
        /// What the signer reported.
        #[source]
        source: SignError,
    },
    /// The signer returned a signature that its own public key refuses.
    #[error("signer for {0} made a signature that its public key refuses")]
    SignerMismatch(KeyName),
}

impl LedgerError {
    /// What an operator can do about it, where that is known.
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::VerifierKey { .. } => Some("copy the whole line `<name>+<key id>+<base64 key>` again"),
            Self::NoTrustedSignature(_) | Self::OriginMismatch { .. } => {
                Some("check that the configured verifier key belongs to this log")
            }
            Self::PrivateKey => Some("create an unencrypted key with `openssl genpkey -algorithm ed25519`"),
            Self::Sign { .. } | Self::SignerMismatch(_) => {
                Some("check the signing key and the service that holds it, then run again")
            }
            Self::MissingTile(_) | Self::TileMismatch { .. } | Self::Tile { .. } => Some(
                "tiles are views: run `revtrail views rebuild`, which names those that contradict the record",
            ),
            Self::BadSignature { .. } | Self::RootMismatch { .. } | Self::TreeShrank { .. } => {
                Some("keep both copies unchanged and report them: the record was altered or forked")
            }
            _ => None,
        }
    }
}

/// A signer's own failure, for example of a key service.
#[derive(Debug, thiserror::Error)]
#[error("signing with {key} failed")]
pub struct SignError {
    /// What the signer calls its key, for example a service's key id. Never key material.
    pub key: String,
    /// The cause.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// At most `limit` characters of untrusted text, for error messages.
pub(crate) fn excerpt(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}
