//! Digests of contents as providers give them, computed over bytes that were fetched.
//!
//! | name | who gives it | form |
//! |---|---|---|
//! | `quickxor` | OneDrive | base64 of 20 bytes |
//! | `md5` | Google Drive | hex |
//! | `sha1`, `sha256` | Google Drive, OneDrive personal | hex, either case |
//! | `dropbox` | Dropbox | hex |

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest as _, Md5};
use ring::digest;

mod quickxor;

/// Dropbox takes the digest of the digests of blocks of this many bytes.
const DROPBOX_BLOCK: usize = 4 * 1024 * 1024;

/// How bytes compare with the digests a provider told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// At least one digest was told that is known here, and all those agree.
    Agrees,
    /// This algorithm's digest is another one.
    Differs(&'static str),
    /// None was told.
    NotTold,
}

/// Compares bytes with the digests that were told of them.
pub fn compare(bytes: &[u8], told: &BTreeMap<String, String>) -> Agreement {
    let mut agreement = Agreement::NotTold;
    for (name, compute) in ALGORITHMS {
        let Some(told) = told.get(*name).filter(|told| !is_placeholder(name, told, bytes)) else {
            continue;
        };
        let actual = compute(bytes);
        let same = if *name == "quickxor" {
            actual == *told
        } else {
            actual.eq_ignore_ascii_case(told)
        };
        if !same {
            return Agreement::Differs(name);
        }
        agreement = Agreement::Agrees;
    }
    agreement
}

type Compute = fn(&[u8]) -> String;

const ALGORITHMS: &[(&str, Compute)] = &[
    ("quickxor", |bytes| STANDARD.encode(quickxor::digest(bytes))),
    ("md5", |bytes| hex(&Md5::digest(bytes))),
    ("sha1", |bytes| {
        hex(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref())
    }),
    ("sha256", |bytes| {
        hex(digest::digest(&digest::SHA256, bytes).as_ref())
    }),
    ("dropbox", dropbox),
];

/// OneDrive gives the digest of nothing, all zeros, for contents whose digest it has not computed.
fn is_placeholder(name: &str, told: &str, bytes: &[u8]) -> bool {
    name == "quickxor" && !bytes.is_empty() && told == STANDARD.encode([0; 20])
}

/// Dropbox `content_hash`: SHA-256 over the SHA-256 of each block.
fn dropbox(bytes: &[u8]) -> String {
    let mut outer = digest::Context::new(&digest::SHA256);
    for block in bytes.chunks(DROPBOX_BLOCK) {
        outer.update(digest::digest(&digest::SHA256, block).as_ref());
    }
    hex(outer.finish().as_ref())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
        .collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn told(name: &str, value: &str) -> BTreeMap<String, String> {
        [(name.to_owned(), value.to_owned())].into()
    }

    #[rstest]
    #[case::md5("md5", b"hello", "5d41402abc4b2a76b9719d911017c592")]
    #[case::sha1("sha1", b"hello", "AAF4C61DDCC5E8A2DABEDE0F3B482CD9AEA9434D")]
    #[case::sha256(
        "sha256",
        b"hello",
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    )]
    #[case::dropbox_empty(
        "dropbox",
        b"",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )]
    #[case::dropbox(
        "dropbox",
        b"hello",
        "9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50"
    )]
    #[case::quickxor("quickxor", b"hello", "aCgDG9jwBgAAAAAABQAAAAAAAAA=")]
    #[case::quickxor_empty("quickxor", b"", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    fn published_values_agree(#[case] name: &'static str, #[case] bytes: &[u8], #[case] value: &str) {
        assert_eq!(compare(bytes, &told(name, value)), Agreement::Agrees);
        assert_eq!(
            compare(b"hellp", &told(name, value)),
            differs_or_not_told(name, value)
        );
    }

    /// The digest of nothing says nothing about other bytes, as OneDrive gives it.
    fn differs_or_not_told(name: &'static str, value: &str) -> Agreement {
        if name == "quickxor" && value.starts_with("AAAAAAAA") {
            Agreement::NotTold
        } else {
            Agreement::Differs(name)
        }
    }

    #[test]
    fn dropbox_blocks_end_at_four_mebibytes() {
        let zeros = vec![0; DROPBOX_BLOCK + 1];
        assert_eq!(
            dropbox(&zeros),
            "14a4d47f23a30177885d9820122f17d2d3a55fe63f7f5c27b95f689e0b2accd6"
        );
        assert_eq!(
            dropbox(&zeros[1..]),
            "c7e946d101855255d919ef0c70718633adf77d3dfb3adeeecf5d0cb4e951be58"
        );
    }

    #[test]
    fn one_wrong_digest_is_enough() {
        let mut both = told("md5", "5d41402abc4b2a76b9719d911017c592");
        both.insert("sha256".into(), "00".into());
        assert_eq!(compare(b"hello", &both), Agreement::Differs("sha256"));
        assert_eq!(compare(b"hello", &told("crc32", "00")), Agreement::NotTold);
        assert_eq!(compare(b"hello", &BTreeMap::new()), Agreement::NotTold);
    }
}
