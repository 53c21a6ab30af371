//! File contents made from a key, and the digests providers give for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::ids::{derive, hex};

mod quickxor;

/// Digests kept before the cache starts anew; 200,000 are some 30 MB.
const CACHE_LIMIT: usize = 200_000;
/// Dropbox hashes blocks of this many bytes.
const DROPBOX_BLOCK: usize = 4 * 1024 * 1024;

const WORDS: [&str; 32] = [
    "ledger", "close", "invoice", "review", "policy", "travel", "team", "budget", "vendor", "draft",
    "approve", "month", "report", "change", "account", "balance", "section", "guide", "office", "record",
    "note", "plan", "summary", "item", "total", "owner", "process", "quarter", "request", "system", "update",
    "value",
];

/// The bytes of a file version: English-looking lines, equal for equal `key` and `size`, different for different keys
/// (sizes of a few bytes aside).
pub fn content(key: &str, size: u64) -> Vec<u8> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let seed = derive("content", key);
    let mut text = hex(&seed).into_bytes();
    text.truncate(size.min(16));
    let mut state = seed
        .iter()
        .fold(0_u64, |sum, byte| sum.rotate_left(8) ^ u64::from(*byte));
    text.reserve(size.saturating_sub(text.len()) + 16);
    let mut words = 0_u32;
    while text.len() < size {
        words += 1;
        text.push(if words.is_multiple_of(12) { b'\n' } else { b' ' });
        let word = WORDS.get((next(&mut state) % 32) as usize).unwrap_or(&"item");
        text.extend_from_slice(word.as_bytes());
    }
    text.truncate(size);
    text
}

/// One step of splitmix64 (Steele, Lea, Flood 2014).
pub(crate) fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut value = *state;
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Digests in the spelling of the provider that gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Lower-case hex (Google Drive).
    Md5,
    /// Lower-case hex (Google Drive).
    Sha1,
    /// Lower-case hex (Google Drive).
    Sha256,
    /// Base64 of 20 bytes (OneDrive `quickXorHash`).
    QuickXor,
    /// Lower-case hex (Dropbox `content_hash`).
    Dropbox,
}

impl Algorithm {
    /// The digest of `bytes` as text.
    pub fn digest(self, bytes: &[u8]) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(bytes)),
            Self::Sha1 => hex(&Sha1::digest(bytes)),
            Self::Sha256 => hex(&Sha256::digest(bytes)),
            Self::QuickXor => STANDARD.encode(quickxor::digest(bytes)),
            Self::Dropbox => {
                let mut outer = Sha256::new();
                for block in bytes.chunks(DROPBOX_BLOCK) {
                    outer.update(Sha256::digest(block));
                }
                hex(&outer.finalize())
            }
        }
    }
}

/// Digest by algorithm, content key and size.
type Digests = HashMap<(Algorithm, Arc<str>, u64), Arc<str>>;

/// Digests of made contents, computed on demand and remembered.
#[derive(Debug, Default)]
pub struct ContentStore {
    known: Mutex<Digests>,
}

impl ContentStore {
    /// The digest of [`content`] for `key` and `size`.
    pub fn digest(&self, algorithm: Algorithm, key: &Arc<str>, size: u64) -> Arc<str> {
        let at = (algorithm, Arc::clone(key), size);
        if let Some(found) = self.lock().get(&at) {
            return Arc::clone(found);
        }
        let made: Arc<str> = algorithm.digest(&content(key, size)).into();
        let mut known = self.lock();
        if known.len() >= CACHE_LIMIT {
            known.clear();
        }
        known.insert(at, Arc::clone(&made));
        made
    }

    fn lock(&self) -> MutexGuard<'_, Digests> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_depends_on_key_and_size_only() {
        assert_eq!(content("a", 100), content("a", 100));
        assert_ne!(content("a", 100), content("b", 100));
        assert_eq!(content("a", 0).len(), 0);
        assert_eq!(content("a", 7).len(), 7);
        assert_eq!(content("a", 5000).len(), 5000);
    }

    #[test]
    fn dropbox_hash_matches_published_vectors() {
        let hash = |bytes: &[u8]| Algorithm::Dropbox.digest(bytes);
        assert_eq!(
            hash(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            hash(b"hello"),
            "9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50"
        );
        let zeros = vec![0; DROPBOX_BLOCK + 1];
        assert_eq!(
            hash(&zeros),
            "14a4d47f23a30177885d9820122f17d2d3a55fe63f7f5c27b95f689e0b2accd6"
        );
    }
}
