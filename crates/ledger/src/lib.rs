#![doc = include_str!("../README.md")]

pub mod checkpoint;
pub mod error;
pub mod hash;
pub mod key;
pub mod note;
pub mod proof;
pub mod signer;
pub mod tile;
pub mod tree;

pub use checkpoint::{Checkpoint, Origin};
pub use error::{LedgerError, SignError};
pub use hash::{EMPTY_ROOT, Hash, leaf_hash, node_hash};
pub use key::{PublicKey, Signature};
pub use note::{
    Algorithm, CosignatureTime, KeyId, KeyName, Note, NoteSignature, VerifiedSignature, VerifierKey,
};
pub use proof::TlogProof;
pub use signer::{FileSigner, Signer};
pub use tile::{Tile, TileHashes, TileId, TileWriter};
pub use tree::{Frontier, LeafIndex, TreeHead, TreeSize};
