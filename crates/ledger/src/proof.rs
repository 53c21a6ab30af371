//! Offline proofs that an entry is in a log (C2SP tlog-proof).
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra YWdl…
//! index 1
//! 022a6979…=
//!
//! evidence.acme.example/finance/2026
//! 3
//! NmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsE=
//!
//! — evidence.acme.example/finance/2026 cT6fHEOb…
//! ```
//!
//! The header, an optional line of opaque data that nothing authenticates, the index of the entry, the inclusion proof
//! from the entry's sibling upwards, an empty line, and the checkpoint as signed.

#[cfg(test)]
mod tests;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    checkpoint::Checkpoint,
    error::LedgerError,
    hash::Hash,
    note::{Note, VerifiedSignature, VerifierKey},
    tree::{LeafIndex, verify_inclusion},
};

/// First line.
pub const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// Largest proof read: 4 MiB.
pub const MAX_PROOF_BYTES: usize = 4 << 20;
/// Most hashes of an inclusion proof in a tree of at most 2^63 leaves.
const MAX_HASHES: usize = 63;

/// A proof as read. Nothing in it is known to be true before [`TlogProof::verify`] says so; `extra` never is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Opaque data of the application, not authenticated.
    pub extra: Option<Vec<u8>>,
    /// Place of the entry in the log.
    pub index: LeafIndex,
    /// Inclusion proof, the sibling of the entry first.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: Note,
}

/// What a proof proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven<'k> {
    /// The checkpoint, signed by the log's key.
    pub checkpoint: Checkpoint,
    /// Every signature that held: the log's and those of known cosigners.
    pub signatures: Vec<VerifiedSignature<'k>>,
}

impl TlogProof {
    /// Reads a proof, strictly: one form of each number and hash, and a well-formed note at the end.
    pub fn parse(bytes: &[u8]) -> Result<Self, LedgerError> {
        if bytes.len() > MAX_PROOF_BYTES {
            return Err(LedgerError::Proof("longer than 4 MiB"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| LedgerError::Proof("not UTF-8"))?;
        let (head, note) = text
            .split_once("\n\n")
            .ok_or(LedgerError::Proof("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(LedgerError::Proof("first line is not c2sp.org/tlog-proof@v1"));
        }
        let no_index = LedgerError::Proof("no index line");
        let mut line = lines.next().ok_or(no_index)?;
        let mut extra = None;
        if let Some(base64) = line.strip_prefix("extra ") {
            let bytes = STANDARD.decode(base64);
            extra = Some(bytes.map_err(|_| LedgerError::Proof("extra data is not standard base64"))?);
            line = lines.next().ok_or(LedgerError::Proof("no index line"))?;
        }
        let index = line
            .strip_prefix("index ")
            .ok_or(LedgerError::Proof("no index line"))?;
        let index = parse_index(index).ok_or(LedgerError::Proof("index is not a plain decimal"))?;
        let hashes = lines.map(Hash::from_base64).collect::<Result<Vec<_>, _>>()?;
        if hashes.len() > MAX_HASHES {
            return Err(LedgerError::Proof("more than 63 hashes"));
        }
        Ok(Self {
            extra,
            index,
            hashes,
            checkpoint: Note::parse(note.as_bytes())?,
        })
    }

    /// The proof as stored. What [`TlogProof::parse`] read comes back unchanged.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut lines = vec![HEADER.to_owned()];
        if let Some(extra) = &self.extra {
            lines.push(format!("extra {}", STANDARD.encode(extra)));
        }
        lines.push(format!("index {}", self.index));
        lines.extend(self.hashes.iter().map(Hash::to_base64));
        let mut bytes = lines.join("\n").into_bytes();
        bytes.extend_from_slice(b"\n\n");
        bytes.extend(self.checkpoint.to_bytes());
        bytes
    }

    /// Checks that the entry with this leaf hash stands at the index in the tree that the log `key` signed. A wrong signature of a
    /// known cosigner refuses the proof; how many cosigners are enough is for the caller to judge.
    pub fn verify<'k>(
        &self,
        leaf: &Hash,
        key: &'k VerifierKey,
        cosigners: &'k [VerifierKey],
    ) -> Result<Proven<'k>, LedgerError> {
        let (checkpoint, signatures) = Checkpoint::verify(&self.checkpoint, key, cosigners)?;
        verify_inclusion(leaf, self.index, &checkpoint.head(), &self.hashes)?;
        Ok(Proven {
            checkpoint,
            signatures,
        })
    }
}

fn parse_index(text: &str) -> Option<LeafIndex> {
    let index: u64 = text.parse().ok()?;
    // One text per number: no sign, no leading zero.
    (index.to_string() == text).then_some(LeafIndex::new(index))
}
