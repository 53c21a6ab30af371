//! Contents of files.

use bytes::Bytes;
use revtrail_model::id::{ItemId, RevisionId};

/// One revision of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentRef {
    /// The file.
    pub item: ItemId,
    /// The revision.
    pub revision: RevisionId,
}

/// What became of a wish for contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The bytes.
    Bytes(Bytes),
    /// There are more than asked for; none were kept.
    TooLarge,
    /// The provider no longer has them, or gives out only those of the newest revision.
    NotKept,
    /// There are none: a document that exists only in the provider's editor.
    NoBytes,
}
