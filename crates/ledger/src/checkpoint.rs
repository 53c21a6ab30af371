//! Checkpoints (C2SP tlog-checkpoint): a tree head as note text.
//!
//! ```text
//! example.com/behind-the-sofa
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//! ```
//!
//! First line the origin, second the tree size, third the root hash, then optional extension lines.

#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use crate::{
    error::{LedgerError, excerpt},
    hash::{EMPTY_ROOT, Hash},
    note::{Algorithm, KeyName, Note, VerifiedSignature, VerifierKey},
    signer::Signer,
    tree::{TreeHead, TreeSize},
};

/// Identity of a log, by convention a URL without scheme such as `evidence.acme.example/finance`: one line of 1
/// to 255 bytes without control characters. Logs we sign need one that is a [`KeyName`] as well.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(String);

impl Origin {
    /// The origin line.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The origin as name of the log's key; refuses white space and `+`.
    pub fn key_name(&self) -> Result<KeyName, LedgerError> {
        self.0.parse()
    }
}

impl FromStr for Origin {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self, LedgerError> {
        let is_line = !text.is_empty() && text.len() <= 255 && text.bytes().all(|byte| byte >= 0x20);
        if is_line {
            Ok(Self(text.to_owned()))
        } else {
            Err(LedgerError::Origin(excerpt(text, 255)))
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A tree head of a named log. Only one returned by [`Checkpoint::open`] is known to come from that log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log.
    pub origin: Origin,
    /// Number of leaves.
    pub size: TreeSize,
    /// Root hash over those leaves.
    pub root: Hash,
    /// Extension lines without their newlines; usually none.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// A checkpoint of `head` without extension lines.
    pub const fn new(origin: Origin, head: TreeHead) -> Self {
        Self {
            origin,
            size: head.size,
            root: head.root,
            extensions: Vec::new(),
        }
    }

    /// Size and root, as proofs are checked against.
    pub const fn head(&self) -> TreeHead {
        TreeHead {
            size: self.size,
            root: self.root,
        }
    }

    /// The note text. What it writes is well-formed as long as no extension is empty or holds a control
    /// character, which [`Checkpoint::sign`] checks.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64());
        for extension in &self.extensions {
            text.push_str(extension);
            text.push('\n');
        }
        text
    }

    /// Reads note text and nothing looser: no leading zeros, no other base64, no empty line, and an empty tree
    /// only with its own root.
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        let body = text
            .strip_suffix('\n')
            .ok_or(LedgerError::Checkpoint("text does not end in a newline"))?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(LedgerError::Checkpoint("fewer than three lines"));
        };
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        let is_line = |line: &String| !line.is_empty() && line.bytes().all(|byte| byte >= 0x20);
        if !extensions.iter().all(is_line) {
            return Err(LedgerError::Checkpoint(
                "extension line is empty or holds a control character",
            ));
        }
        let checkpoint = Self {
            origin: origin.parse()?,
            size: parse_size(size)?,
            root: Hash::from_base64(root)?,
            extensions,
        };
        if checkpoint.size == TreeSize::ZERO && checkpoint.root != EMPTY_ROOT {
            return Err(LedgerError::Checkpoint(
                "size is zero but the root is not that of an empty tree",
            ));
        }
        Ok(checkpoint)
    }

    /// Signs as the log itself, under the origin as key name, and returns the note to store.
    pub fn sign(&self, signer: &dyn Signer) -> Result<Vec<u8>, LedgerError> {
        let text = self.to_text();
        // Locked bytes cannot be repaired: nothing is signed that would not read back as this checkpoint.
        if Self::parse(&text)? != *self {
            return Err(LedgerError::Checkpoint("does not read back as written"));
        }
        let mut note = Note::new(text)?;
        note.sign(&self.origin.key_name()?, signer)?;
        Ok(note.to_bytes())
    }

    /// Reads a note, checks that the log's key signed it, and that it is about the log the key is named for.
    /// Signatures of other keys are ignored; to check witnesses too, use [`Checkpoint::verify`].
    pub fn open(note: &[u8], key: &VerifierKey) -> Result<Self, LedgerError> {
        Ok(Self::verify(&Note::parse(note)?, key, &[])?.0)
    }

    /// As [`Checkpoint::open`], for a note read before, with the signatures that held: the log's, and those of the `cosigners`
    /// among its lines (C2SP tlog-cosignature). A wrong signature of any of these keys refuses the note.
    pub fn verify<'k>(
        note: &Note,
        key: &'k VerifierKey,
        cosigners: &'k [VerifierKey],
    ) -> Result<(Self, Vec<VerifiedSignature<'k>>), LedgerError> {
        if key.algorithm() != Algorithm::Ed25519 {
            return Err(LedgerError::VerifierKey {
                key: key.to_string(),
                reason: "a log signs with Ed25519 (0x01), this is a witness key",
            });
        }
        let signatures = note.verify(std::slice::from_ref(key), cosigners)?;
        let checkpoint = Self::parse(note.text())?;
        if checkpoint.origin.as_str() != key.name().as_str() {
            return Err(LedgerError::OriginMismatch {
                expected: key.name().to_string(),
                actual: checkpoint.origin.to_string(),
            });
        }
        Ok((checkpoint, signatures))
    }
}

fn parse_size(text: &str) -> Result<TreeSize, LedgerError> {
    let is_canonical =
        text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
    let leaves = is_canonical.then(|| text.parse().ok()).flatten();
    leaves.map(TreeSize::new).ok_or(LedgerError::Checkpoint(
        "tree size is not a plain decimal below 2^64",
    ))
}
