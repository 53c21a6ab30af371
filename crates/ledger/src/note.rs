//! Signed notes (C2SP signed-note): text, a blank line, and one line per signature.
//!
//! ```text
//! This is an example message.
//!
//! — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
//! ```
//!
//! Reading a note proves nothing; only [`Note::verify`] does.

mod verifier;

#[cfg(test)]
mod tests;

use base64::{Engine as _, engine::general_purpose::STANDARD};

pub use verifier::{Algorithm, CosignatureTime, KeyId, KeyName, VerifierKey};

use crate::{error::LedgerError, key::Signature, signer::Signer};

/// Largest note read: 1 MiB.
pub const MAX_NOTE_BYTES: usize = 1 << 20;
/// Most signature lines read. The specification asks for at least 16.
pub const MAX_SIGNATURES: usize = 100;

/// One signature line: `— <key name> base64(key id || signature)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    name: KeyName,
    id: KeyId,
    bytes: Vec<u8>,
}

impl NoteSignature {
    /// Name of the key that is said to have signed.
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// Short id of that key.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// What follows the key id; its meaning depends on the key's algorithm.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A well-formed note. Bytes read by [`Note::parse`] come back unchanged from [`Note::to_bytes`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// A signature that verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedSignature<'k> {
    /// The key that made it.
    pub key: &'k VerifierKey,
    /// When a cosigner says it signed; none for plain signatures.
    pub time: Option<CosignatureTime>,
}

impl Note {
    /// An unsigned note. The text ends in a newline and holds no other control character.
    pub fn new(text: String) -> Result<Self, LedgerError> {
        check_characters(&text)?;
        if !text.ends_with('\n') {
            return Err(LedgerError::Note("text does not end in a newline"));
        }
        Ok(Self {
            text,
            signatures: Vec::new(),
        })
    }

    /// Reads a note with at least one signature line.
    pub fn parse(bytes: &[u8]) -> Result<Self, LedgerError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(LedgerError::Note("longer than 1 MiB"));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| LedgerError::Note("not UTF-8"))?;
        check_characters(note)?;
        // The text may hold empty lines itself, so the last one is the separator.
        let (body, lines) = note
            .rsplit_once("\n\n")
            .ok_or(LedgerError::Note("no blank line before the signatures"))?;
        let lines = lines.strip_suffix('\n').ok_or(LedgerError::Note(
            "signatures are missing or do not end in a newline",
        ))?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == MAX_SIGNATURES {
                return Err(LedgerError::Note("more than 100 signatures"));
            }
            signatures.push(parse_signature(line)?);
        }
        Ok(Self {
            text: format!("{body}\n"),
            signatures,
        })
    }

    /// The signed text with its final newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Signature lines in order, none of them checked.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds an Ed25519 signature (type 0x01) under `name` and returns the key that verifies it.
    pub fn sign(&mut self, name: &KeyName, signer: &dyn Signer) -> Result<VerifierKey, LedgerError> {
        let key = VerifierKey::new(name.clone(), Algorithm::Ed25519, signer.public_key());
        let bytes = signature(&key, self.text.as_bytes(), signer)?;
        self.add(&key, bytes.as_bytes().to_vec())?;
        Ok(key)
    }

    /// Adds a timestamped Ed25519 cosignature (type 0x04, C2SP tlog-cosignature) under `name` and returns the key that verifies it.
    /// Whoever calls this says that the tree of this checkpoint continues every tree he cosigned before, and must have stored it first.
    pub fn cosign(
        &mut self,
        name: &KeyName,
        signer: &dyn Signer,
        time: CosignatureTime,
    ) -> Result<VerifierKey, LedgerError> {
        let key = VerifierKey::new(name.clone(), Algorithm::Cosignature, signer.public_key());
        let made = signature(&key, time.message(&self.text).as_bytes(), signer)?;
        let bytes = [time.seconds().to_be_bytes().as_slice(), made.as_bytes()].concat();
        self.add(&key, bytes)?;
        Ok(key)
    }

    /// The note with the signature lines of this key alone.
    #[must_use]
    pub fn only(&self, key: &VerifierKey) -> Self {
        let is_by = |line: &&NoteSignature| line.name == *key.name() && line.id == key.id();
        Self {
            text: self.text.clone(),
            signatures: self.signatures.iter().filter(is_by).cloned().collect(),
        }
    }

    /// Adds the signature lines of another copy of this note that it does not have yet. A copy with another text is refused.
    pub fn join(&mut self, other: &Self) -> Result<(), LedgerError> {
        if self.text != other.text {
            return Err(LedgerError::Note("the copy has another text"));
        }
        for line in &other.signatures {
            if !self.signatures.contains(line) {
                self.push(line.clone())?;
            }
        }
        Ok(())
    }

    fn add(&mut self, key: &VerifierKey, bytes: Vec<u8>) -> Result<(), LedgerError> {
        self.push(NoteSignature {
            name: key.name().clone(),
            id: key.id(),
            bytes,
        })
    }

    fn push(&mut self, line: NoteSignature) -> Result<(), LedgerError> {
        if self.signatures.len() == MAX_SIGNATURES {
            return Err(LedgerError::Note("more than 100 signatures"));
        }
        self.signatures.push(line);
        Ok(())
    }

    /// Checks every signature of a known key and returns those that hold, in the order of their lines.
    ///
    /// Signatures of keys in neither list are ignored. A bad signature of a known key refuses the note, also
    /// when others hold. At least one of `required` must have signed.
    pub fn verify<'k>(
        &self,
        required: &'k [VerifierKey],
        others: &'k [VerifierKey],
    ) -> Result<Vec<VerifiedSignature<'k>>, LedgerError> {
        let mut verified = Vec::new();
        let mut has_required = false;
        for line in &self.signatures {
            let is_by = |key: &&VerifierKey| key.name() == line.name() && key.id() == line.id();
            let by_required = required.iter().filter(is_by).map(|key| (key, true));
            for (key, is_required) in by_required.chain(others.iter().filter(is_by).map(|key| (key, false))) {
                let time = key.verify(&self.text, line)?;
                verified.push(VerifiedSignature { key, time });
                has_required |= is_required;
            }
        }
        if has_required {
            return Ok(verified);
        }
        let names: Vec<_> = required
            .iter()
            .map(|key| format!("{}+{}", key.name(), key.id()))
            .collect();
        Err(LedgerError::NoTrustedSignature(names.join(" or ")))
    }

    /// The note as stored and sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut note = format!("{}\n", self.text);
        for signature in &self.signatures {
            let payload = [signature.id.as_bytes().as_slice(), &signature.bytes].concat();
            note.push_str("— ");
            note.push_str(signature.name.as_str());
            note.push(' ');
            STANDARD.encode_string(payload, &mut note);
            note.push('\n');
        }
        note.into_bytes()
    }
}

/// Signs, and checks what the signer returns: a wrong signature would be stored for years.
fn signature(key: &VerifierKey, message: &[u8], signer: &dyn Signer) -> Result<Signature, LedgerError> {
    let made = signer.sign(message).map_err(|source| LedgerError::Sign {
        name: key.name().clone(),
        source,
    })?;
    if key.public_key().is_signature(message, &made) {
        Ok(made)
    } else {
        Err(LedgerError::SignerMismatch(key.name().clone()))
    }
}

fn check_characters(text: &str) -> Result<(), LedgerError> {
    if text.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
        return Err(LedgerError::Note("control character other than newline"));
    }
    Ok(())
}

fn parse_signature(line: &str) -> Result<NoteSignature, LedgerError> {
    let fields = line.strip_prefix("— ").and_then(|line| line.split_once(' '));
    let (name, base64) = fields.ok_or(LedgerError::Note("signature line is not `— <name> <base64>`"))?;
    let name = name.parse()?;
    let payload = STANDARD
        .decode(base64)
        .map_err(|_| LedgerError::Note("signature is not standard base64"))?;
    match payload.split_first_chunk::<4>() {
        Some((id, bytes)) if !bytes.is_empty() => Ok(NoteSignature {
            name,
            id: KeyId::from_bytes(*id),
            bytes: bytes.to_vec(),
        }),
        _ => Err(LedgerError::Note("signature is shorter than five bytes")),
    }
}
