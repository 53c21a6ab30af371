//! Cursors: position and arguments in one opaque, checked string.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::ids::derive;

/// What every cursor starts with.
const MARK: &str = "AA";
/// Bytes of the check in front of the content.
const CHECK: usize = 8;
/// Keeps readers of a cursor from being tempted to read it.
const MASK: u8 = 0x5a;

/// How deep a listing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Depth {
    Children,
    Tree,
}

/// Whether a listing names what is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Gone {
    Hidden,
    Listed,
}

/// A listing or feed of one folder, and how far it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// Key of the folder; `""` is the root.
    pub(super) folder: String,
    pub(super) depth: Depth,
    pub(super) gone: Gone,
    pub(super) limit: Option<usize>,
    /// Counts calls, so that no two cursors of one reading are equal.
    pub(super) turn: u64,
    pub(super) position: Position,
}

/// Where to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Position {
    /// Within the first listing, which shows the folder as it was after operation `upto`; after this key.
    Listing { upto: u64, after: Option<String> },
    /// Changes after operation `since`; within one round `upto` is fixed, and `skip` entries were given.
    Changes {
        since: u64,
        upto: Option<u64>,
        skip: usize,
    },
}

impl Cursor {
    /// The next cursor of the same reading.
    pub(super) fn at(&self, position: Position) -> Self {
        Self {
            turn: self.turn + 1,
            position,
            ..self.clone()
        }
    }

    pub(super) fn encode(&self) -> String {
        seal("dropbox-cursor", self)
    }

    /// `None` for anything that is not a cursor of this simulator.
    pub(super) fn decode(text: &str) -> Option<Self> {
        open("dropbox-cursor", text)
    }
}

/// Writes something opaque; `kind` keeps different uses apart.
pub(super) fn seal<T: Serialize>(kind: &str, value: &T) -> String {
    let content = serde_json::to_string(value).unwrap_or_default();
    let check = derive(kind, &content);
    let mut bytes: Vec<u8> = check.iter().copied().take(CHECK).collect();
    bytes.extend(content.bytes().map(|byte| byte ^ MASK));
    format!("{MARK}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Reads what was sealed for the same use.
pub(super) fn open<T: for<'de> Deserialize<'de>>(kind: &str, text: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(MARK)?).ok()?;
    let (check, content) = bytes.split_at_checked(CHECK)?;
    let content = String::from_utf8(content.iter().map(|byte| byte ^ MASK).collect()).ok()?;
    let value = serde_json::from_str(&content).ok()?;
    derive(kind, &content).starts_with(check).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_read_back_and_others_do_not() {
        let cursor = Cursor {
            folder: "/évidence".to_owned(),
            depth: Depth::Tree,
            gone: Gone::Listed,
            limit: Some(7),
            turn: 3,
            position: Position::Changes {
                since: 4,
                upto: None,
                skip: 0,
            },
        };
        let text = cursor.encode();
        assert_eq!(Cursor::decode(&text), Some(cursor));
        assert!(!text.contains("evidence"));
        let broken: String = text
            .chars()
            .rev()
            .enumerate()
            .map(|(place, one)| match (place, one) {
                (8, 'A') => 'B',
                (8, _) => 'A',
                _ => one,
            })
            .collect();
        assert_eq!(Cursor::decode(&broken.chars().rev().collect::<String>()), None);
        assert_eq!(Cursor::decode("I believe in the blerch"), None);
    }
}
