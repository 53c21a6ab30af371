//! Ed25519 public keys and signatures (RFC 8032).

use std::fmt;

use ed25519_dalek::{
    VerifyingKey,
    pkcs8::{DecodePublicKey, EncodePublicKey, spki::der::pem::LineEnding},
};

use crate::{error::LedgerError, hash::write_hex};

/// An Ed25519 public key, checked to be a canonical point outside the small subgroup. Displays as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Takes the 32 bytes of RFC 8032 §5.1.5. Refuses keys for which signatures prove nothing (small order) and
    /// second encodings of the same point.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, LedgerError> {
        let key = VerifyingKey::from_bytes(bytes)
            .map_err(|_| LedgerError::PublicKey("not a point on the curve"))?;
        Self::check(key)
    }

    /// Reads `-----BEGIN PUBLIC KEY-----` (RFC 8410), as `openssl pkey -pubout` writes it.
    pub fn from_pem(pem: &str) -> Result<Self, LedgerError> {
        let key = VerifyingKey::from_public_key_pem(pem)
            .map_err(|_| LedgerError::PublicKey("not PEM of an Ed25519 SubjectPublicKeyInfo"))?;
        Self::check(key)
    }

    /// Reads the same in DER: a `SubjectPublicKeyInfo` (RFC 8410 §4).
    pub fn from_der(der: &[u8]) -> Result<Self, LedgerError> {
        let key = VerifyingKey::from_public_key_der(der)
            .map_err(|_| LedgerError::PublicKey("not DER of an Ed25519 SubjectPublicKeyInfo"))?;
        Self::check(key)
    }

    /// The key as a `SubjectPublicKeyInfo` in DER.
    pub fn to_der(&self) -> Result<Vec<u8>, LedgerError> {
        let der = self.0.to_public_key_der();
        der.map(|der| der.as_bytes().to_vec())
            .map_err(|_| LedgerError::PublicKey("cannot be written as DER"))
    }

    /// The key as `-----BEGIN PUBLIC KEY-----`.
    pub fn to_pem(&self) -> Result<String, LedgerError> {
        self.0
            .to_public_key_pem(LineEnding::LF)
            .map_err(|_| LedgerError::PublicKey("cannot be written as PEM"))
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Whether this key made `signature` over `message`, by the strict rules: no malleable or small-order parts.
    pub fn is_signature(&self, message: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0.verify_strict(message, &signature).is_ok()
    }

    pub(crate) fn check(key: VerifyingKey) -> Result<Self, LedgerError> {
        let canonical = key.to_edwards().compress().to_bytes();
        if key.is_weak() || canonical != key.to_bytes() {
            return Err(LedgerError::PublicKey("small order or not canonical"));
        }
        Ok(Self(key))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, self.as_bytes())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An Ed25519 signature: the 64 bytes of RFC 8032 §5.1.6, not yet checked against anything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Wraps 64 bytes.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}
