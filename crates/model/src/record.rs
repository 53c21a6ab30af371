//! Canonical JSON for our own records.
//!
//! Leaves are JSON in JCS form (RFC 8785). Our records hold only strings, booleans, small integers, arrays and objects whose fields
//! are declared in sorted order, and for those `serde_json`'s compact form is the JCS form (tested against a JCS implementation).

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Visitor},
};

use crate::{Digest, ModelError, sha256};

/// Most records are shorter than this, bytes: their text is written into one piece of memory.
pub(crate) const USUAL_BYTES: usize = 1024;

/// The canonical bytes of a record of ours.
pub fn canonical<T: Serialize>(record: &T) -> Result<Vec<u8>, ModelError> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    append_canonical(record, &mut bytes)?;
    Ok(bytes)
}

/// Appends the canonical bytes of a record of ours.
pub(crate) fn append_canonical<T: Serialize>(record: &T, bytes: &mut Vec<u8>) -> Result<(), ModelError> {
    serde_json::to_writer(bytes, record).map_err(ModelError::Serialise)
}

/// Appends a string in canonical form.
pub(crate) fn push_string(text: &str, bytes: &mut Vec<u8>) {
    // All of it is looked at, so that many bytes are at a time.
    let special = |byte: &u8| u8::from(*byte < b' ') | u8::from(*byte == b'"') | u8::from(*byte == b'\\');
    if text
        .as_bytes()
        .iter()
        .fold(0, |found, byte| found | special(byte))
        == 0
    {
        bytes.push(b'"');
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(b'"');
    } else {
        // Writing a string to a vector cannot fail.
        let _infallible = serde_json::to_writer(bytes, text);
    }
}

/// SHA-256 over the canonical JSON array of `parts`.
pub fn canonical_digest(parts: &[&str]) -> Digest {
    let mut bytes = vec![b'['];
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            bytes.push(b',');
        }
        push_string(part, &mut bytes);
    }
    bytes.push(b']');
    sha256(&bytes)
}

/// A 64-bit number, a JSON string in records because JSON numbers are only exact up to 2^53 (RFC 8785 §3.2.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Count(pub u64);

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(CountVisitor)
    }
}

struct CountVisitor;

impl Visitor<'_> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number as a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Count, E> {
        let value: u64 = text.parse().map_err(E::custom)?;
        // One text per number: a leading zero or sign would make two records of one fact.
        if text.starts_with('+') || (text.len() > 1 && text.starts_with('0')) {
            return Err(E::custom("number is not in shortest form"));
        }
        Ok(Count(value))
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads a record from one line of JSON.
pub fn read<T: DeserializeOwned>(line: &[u8]) -> Result<T, ModelError> {
    serde_json::from_slice(line).map_err(ModelError::Leaf)
}

/// True for the default value: such members are left out of records.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn strings_serialise_as_jcs(text in "\\PC*", control in prop::collection::vec(0_u32..0x20, 0..8)) {
            let text: String = text.chars().chain(control.into_iter().filter_map(char::from_u32)).collect();
            let expected = serde_json_canonicalizer::to_vec(&text).unwrap();
            prop_assert_eq!(&canonical(&text).unwrap(), &expected);
            let mut bytes = Vec::new();
            push_string(&text, &mut bytes);
            prop_assert_eq!(bytes, expected);
        }
    }

    #[test]
    fn counts_are_strings_in_shortest_form() {
        assert_eq!(canonical(&Count(u64::MAX)).unwrap(), b"\"18446744073709551615\"");
        assert_eq!(read::<Count>(b"\"7\"").unwrap(), Count(7));
        for bad in ["\"07\"", "\"+7\"", "7", "\"\"", "\"-1\""] {
            assert!(
                matches!(read::<Count>(bad.as_bytes()), Err(ModelError::Leaf(_))),
                "{bad}"
            );
        }
    }
}
