//! Keys that notes are checked with.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use crate::{
    error::{LedgerError, excerpt},
    hash::{read_hex, write_hex},
    key::{PublicKey, Signature},
    note::NoteSignature,
};

/// Name of a key, for a log the same as its origin. Not empty, without white space, `+` or control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyName(String);

impl KeyName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = LedgerError;

    fn from_str(name: &str) -> Result<Self, LedgerError> {
        let is_foreign = |c: char| c == '+' || c.is_whitespace() || c < ' ';
        if name.is_empty() || name.contains(is_foreign) {
            return Err(LedgerError::KeyName(excerpt(name, 200)));
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// First four bytes of `SHA-256(name || 0x0A || algorithm || public key)`, shown as eight hex digits. Together
/// with the name it says which key to try; it is too short to identify a key by itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 4]);

impl KeyId {
    /// Wraps four bytes of a signature line.
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The four bytes.
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a signature covers: the signature type byte of C2SP signed-note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// 0x01: Ed25519 over the note text.
    Ed25519,
    /// 0x04: a witness's Ed25519 signature over the note text and a time (C2SP tlog-cosignature).
    Cosignature,
}

impl Algorithm {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::Ed25519),
            0x04 => Some(Self::Cosignature),
            _ => None,
        }
    }
}

/// When a witness says it signed: whole seconds since 1970-01-01T00:00:00Z, at most 2^63 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CosignatureTime(u64);

impl CosignatureTime {
    /// A time that can be signed; `None` beyond 2^63 - 1 seconds.
    pub const fn new(seconds: u64) -> Option<Self> {
        if seconds <= u64::MAX >> 1 {
            Some(Self(seconds))
        } else {
            None
        }
    }

    /// What a cosigner signs: two header lines, then the note text.
    pub(super) fn message(self, text: &str) -> String {
        format!("cosignature/v1\ntime {}\n{text}", self.0)
    }

    /// Seconds since the epoch.
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

/// A key that signatures are checked with, written `<name>+<key id>+base64(algorithm || public key)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    algorithm: Algorithm,
    public_key: PublicKey,
}

impl VerifierKey {
    /// A key under `name`; the id follows from the rest.
    pub fn new(name: KeyName, algorithm: Algorithm, public_key: PublicKey) -> Self {
        let digest = Sha256::new()
            .chain_update(name.as_str())
            .chain_update([b'\n', algorithm.byte()])
            .chain_update(public_key.as_bytes())
            .finalize();
        let id = KeyId([digest[0], digest[1], digest[2], digest[3]]);
        Self {
            name,
            id,
            algorithm,
            public_key,
        }
    }

    /// Name of the key.
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// Short id of the key.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// What its signatures cover.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key itself.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Checks one signature line over `text`; a cosignature also yields its time.
    pub(super) fn verify(
        &self,
        text: &str,
        line: &NoteSignature,
    ) -> Result<Option<CosignatureTime>, LedgerError> {
        let verified = match self.algorithm {
            Algorithm::Ed25519 => self.is_plain_signature(text, line.bytes()).then_some(None),
            Algorithm::Cosignature => self.cosignature_time(text, line.bytes()).map(Some),
        };
        verified.ok_or_else(|| LedgerError::BadSignature {
            name: self.name.clone(),
            id: self.id,
        })
    }

    fn is_plain_signature(&self, text: &str, bytes: &[u8]) -> bool {
        <[u8; 64]>::try_from(bytes).is_ok_and(|bytes| {
            self.public_key
                .is_signature(text.as_bytes(), &Signature::from_bytes(bytes))
        })
    }

    /// `u64 time || signature` over two header lines and the note text.
    fn cosignature_time(&self, text: &str, bytes: &[u8]) -> Option<CosignatureTime> {
        let (time, signature) = bytes.split_first_chunk::<8>()?;
        let time = CosignatureTime::new(u64::from_be_bytes(*time))?;
        let signature = Signature::from_bytes(signature.try_into().ok()?);
        let holds = self
            .public_key
            .is_signature(time.message(text).as_bytes(), &signature);
        holds.then_some(time)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.algorithm.byte()], self.public_key.as_bytes().as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, self.id, STANDARD.encode(key))
    }
}

impl FromStr for VerifierKey {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self, LedgerError> {
        let refuse = |reason| LedgerError::VerifierKey {
            key: excerpt(text, 200),
            reason,
        };
        let mut fields = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(refuse("not three fields joined by `+`"));
        };
        let name: KeyName = name.parse()?;
        let id = read_hex(id)
            .map(KeyId)
            .ok_or_else(|| refuse("key id is not eight lower-case hex digits"))?;
        let key = STANDARD
            .decode(key)
            .map_err(|_| refuse("key is not standard base64"))?;
        let (algorithm, public_key) = key.split_first().ok_or_else(|| refuse("key is empty"))?;
        let algorithm = Algorithm::from_byte(*algorithm)
            .ok_or_else(|| refuse("signature type is neither Ed25519 nor cosignature"))?;
        let public_key =
            <&[u8; 32]>::try_from(public_key).map_err(|_| refuse("public key is not 32 bytes long"))?;
        let key = Self::new(name, algorithm, PublicKey::from_bytes(public_key)?);
        if key.id == id {
            Ok(key)
        } else {
            Err(refuse("key id does not belong to this name and key"))
        }
    }
}
