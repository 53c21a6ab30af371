//! Object keys.

use std::{fmt, str::FromStr};

use crate::{ArchiveError, ArchiveErrorKind};

/// Name of one object inside an archive: non-empty segments of `A-Z a-z 0-9 . _ -`, separated by
/// `/`, none starting with `.`, at most 900 bytes in all.
///
/// So a key is the same text in a URL, in a policy and as a relative path, cannot leave a
/// directory, and leaves room for a bucket prefix below the 1,024 bytes S3 allows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Most bytes a key may have.
    pub const MAX_BYTES: usize = 900;

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ObjectKey {
    type Err = ArchiveError;

    fn from_str(text: &str) -> Result<Self, ArchiveError> {
        let refuse = |why: &'static str| {
            let shown: String = text.chars().take(120).collect();
            ArchiveError::new(ArchiveErrorKind::Config, "key", format!("{shown:?}")).because(why)
        };
        if text.len() > Self::MAX_BYTES {
            return Err(refuse("key is longer than 900 bytes"));
        }
        for segment in text.split('/') {
            if segment.is_empty() {
                return Err(refuse("key has an empty segment"));
            }
            if segment.starts_with('.') {
                return Err(refuse("key has a segment that starts with a dot"));
            }
            if !segment
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            {
                return Err(refuse("key has a character other than A-Z a-z 0-9 . _ -"));
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for ObjectKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn reads_and_prints_what_the_layout_uses() {
        for text in [
            "main/2026/checkpoints/00000000000000000007",
            "a",
            "tile/0/x001/067.p/5",
            "seg-1_b.jsonl.zst",
        ] {
            assert_eq!(text.parse::<ObjectKey>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn refuses_what_could_leave_a_directory_or_change_in_a_url() {
        let table = [
            ("", "key has an empty segment"),
            ("/a", "key has an empty segment"),
            ("a/", "key has an empty segment"),
            ("a//b", "key has an empty segment"),
            ("a/../b", "key has a segment that starts with a dot"),
            ("./a", "key has a segment that starts with a dot"),
            (".tmp/x", "key has a segment that starts with a dot"),
            ("a b", "key has a character other than A-Z a-z 0-9 . _ -"),
            ("a\\b", "key has a character other than A-Z a-z 0-9 . _ -"),
            ("ü", "key has a character other than A-Z a-z 0-9 . _ -"),
            ("a\0", "key has a character other than A-Z a-z 0-9 . _ -"),
        ];
        for (text, why) in table {
            let error = text.parse::<ObjectKey>().unwrap_err();
            assert_eq!(error.kind(), ArchiveErrorKind::Config, "{text:?}");
            assert_eq!(error.source().unwrap().to_string(), why, "{text:?}");
        }
    }

    #[test]
    fn ends_at_900_bytes() {
        assert_eq!("a".repeat(900).parse::<ObjectKey>().unwrap().as_str().len(), 900);
        assert_eq!(
            "a".repeat(901).parse::<ObjectKey>().unwrap_err().kind(),
            ArchiveErrorKind::Config
        );
    }
}
