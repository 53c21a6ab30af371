//! SHA-256 as RFC 6962 §2.1 uses it: different prefixes for leaves and nodes, so that neither can be
//! passed off as the other.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use crate::error::{LedgerError, excerpt};

/// A leaf hash, node hash or root hash: 32 bytes. `Display` is all 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

/// Root of the tree without leaves: SHA-256 of nothing (RFC 6962 §2.1).
pub const EMPTY_ROOT: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// Hash of a leaf: `SHA-256(0x00 || bytes)` (RFC 6962 §2.1).
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    Hash(
        Sha256::new()
            .chain_update([0x00])
            .chain_update(bytes)
            .finalize()
            .into(),
    )
}

/// Hash of an inner node: `SHA-256(0x01 || left || right)` (RFC 6962 §2.1).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut input = [0x01_u8; 65];
    input[1..33].copy_from_slice(&left.0);
    input[33..].copy_from_slice(&right.0);
    Hash(Sha256::digest(input).into())
}

impl Hash {
    /// Wraps 32 bytes that already are a hash.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Standard base64 with padding, 44 characters: the form in checkpoints and proofs.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// Reads what [`Hash::to_base64`] writes and nothing else: padding is required, stray bits are refused.
    pub fn from_base64(text: &str) -> Result<Self, LedgerError> {
        let bytes = STANDARD.decode(text).ok();
        let hash = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        hash.map(Self).ok_or_else(|| LedgerError::Hash(excerpt(text, 80)))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self, LedgerError> {
        read_hex(text)
            .map(Self)
            .ok_or_else(|| LedgerError::Hash(excerpt(text, 80)))
    }
}

/// Writes every byte as two lower-case hex digits.
pub(crate) fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Exactly `2 * N` lower-case hex digits, or nothing.
pub(crate) fn read_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0_u8; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_leaves_and_nodes_under_different_prefixes() {
        let empty = leaf_hash(b"");
        assert_eq!(
            empty.to_string(),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        let pair = node_hash(&empty, &leaf_hash(&[0]));
        assert_eq!(
            pair.to_string(),
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
        );
        let mut joined = [empty.0.as_slice(), leaf_hash(&[0]).0.as_slice()].concat();
        assert_ne!(leaf_hash(&joined), pair);
        joined.clear();
        assert_eq!(EMPTY_ROOT, Hash(Sha256::digest(&joined).into()));
    }

    #[test]
    fn reads_back_both_text_forms() {
        let hash = leaf_hash(b"x");
        assert_eq!(hash.to_string().parse::<Hash>().unwrap(), hash);
        assert_eq!(Hash::from_base64(&hash.to_base64()).unwrap(), hash);
    }

    #[test]
    fn refuses_other_text_forms() {
        let hex = EMPTY_ROOT.to_string();
        for bad in [
            "",
            "e3b0",
            &hex.to_uppercase(),
            &format!("{hex}0"),
            &"é".repeat(32),
        ] {
            assert!(matches!(bad.parse::<Hash>(), Err(LedgerError::Hash(_))), "{bad}");
        }
        let base64 = EMPTY_ROOT.to_base64();
        let unpadded = base64.trim_end_matches('=');
        let stray_bits = base64.replace("U=", "V=");
        for bad in [
            "",
            "AAAA",
            unpadded,
            &stray_bits,
            &format!("{base64}\n"),
            &base64.replace('+', "-"),
        ] {
            assert!(
                matches!(Hash::from_base64(bad), Err(LedgerError::Hash(_))),
                "{bad}"
            );
        }
    }
}
