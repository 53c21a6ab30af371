//! What connectors hand to the harvest: feed entries and revision lists in provider-neutral form.

use std::collections::BTreeMap;

use revtrail_model::{
    event::{Actor, ItemKind, TimeSource},
    id::{ItemId, PlaceKey, RevisionId},
};

use crate::{error::ErrorKind, time::Timestamp};

/// The provider's own bytes of one record, verbatim JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// The text, byte for byte as received.
    pub body: String,
    /// Operation that returned it, for example `drive.changes`.
    pub operation: &'static str,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// Members and values in it that this version does not know.
    pub unknown: u32,
}

/// One entry of a feed or listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What is shown.
    pub seen: Seen,
    /// The provider's bytes.
    pub raw: Raw,
}

/// What an entry shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A live item in its present state.
    Present(ItemMeta),
    /// An item in the provider's bin, still visible.
    Trashed(ItemMeta, Trashing),
    /// A tombstone by id: deleted.
    Deleted {
        /// The item.
        id: ItemId,
        /// Its last parent, when told.
        parent: Option<ItemId>,
        /// Its kind, when told.
        kind: Option<ItemKind>,
    },
    /// The item is no longer shown to us: deleted for good or no longer shared, the provider does not say which.
    Lost {
        /// The item.
        id: ItemId,
    },
    /// A tombstone by place: whatever was there, and everything below it, is no longer there.
    Vacated {
        /// The place.
        place: PlaceKey,
        /// Its path relative to the folder, as the provider spells it.
        path: Option<String>,
    },
}

/// How an item got into the bin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trashing {
    /// Itself or through a folder above it.
    pub through: TrashedThrough,
    /// When, if the provider tells.
    pub at: Option<Timestamp>,
    /// Who, if the provider tells.
    pub actor: Option<Actor>,
}

/// Whether the item or a folder above it was trashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrashedThrough {
    /// The item itself.
    Itself,
    /// A folder above it.
    Ancestor,
}

/// An item in one observed state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemMeta {
    /// The item.
    pub id: ItemId,
    /// Its kind.
    pub kind: ItemKind,
    /// Last component of its path; absent when the provider left it out.
    pub name: Option<String>,
    /// Where it is.
    pub location: Location,
    /// Its creation, when the provider tells.
    pub created: Option<Creation>,
    /// Its present content; absent for folders.
    pub head: Option<Head>,
    /// Media type.
    pub mime_type: Option<String>,
}

/// Where an item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// Below this item; absent when the parent is not visible.
    Parent(Option<ItemId>),
    /// At this place.
    Place {
        /// Key of the place.
        key: PlaceKey,
        /// Path relative to the designated folder as the provider spells it; absent outside the folder.
        path: Option<String>,
    },
}

/// The creation of an item as the provider tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creation {
    /// When.
    pub at: Timestamp,
    /// By whose clock.
    pub source: TimeSource,
    /// Who, when told.
    pub actor: Option<Actor>,
}

/// The present content of a file, as the item resource tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Changes whenever the content (or the head revision) may have changed. Opaque; compared, never parsed.
    pub marker: String,
    /// Revision id of the content, when the item names it.
    pub revision: Option<RevisionId>,
    /// When it was saved.
    pub modified_at: Option<Timestamp>,
    /// Size, bytes.
    pub size_bytes: Option<u64>,
    /// Digests: algorithm -> value as given (`quickxor`, `md5`, `sha1`, `sha256`, `dropbox`).
    pub hashes: BTreeMap<String, String>,
}

/// A question about revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionAsk {
    /// What is asked.
    pub about: About,
    /// The present content as the feed showed it, so that digests known only for the head can be given to its revision.
    pub head: Option<Head>,
}

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// Every revision of this item, wherever it was.
    Item(ItemId),
    /// Every revision saved at this place, whatever item lived there.
    Place(PlaceKey),
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionAnswer {
    /// The list, or why there is none.
    pub outcome: Result<RevisionList, AskFailure>,
}

/// Why one question had no answer. Other questions of the same call are not affected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskFailure {
    /// Kind of failure.
    pub kind: ErrorKind,
    /// HTTP status.
    pub status: Option<u16>,
}

/// Revisions of an item or a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionList {
    /// Oldest first.
    pub revisions: Vec<Revision>,
    /// Whether the provider says or is known to leave some out.
    pub completeness: Completeness,
    /// What the answer says about the present.
    pub now: Presence,
}

/// Whether a revision list is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// Every revision the provider still keeps.
    AsKept,
    /// Put together from several lists, as far as these lead: one that was known before and is missing may still be kept.
    Completed,
    /// The provider leaves some out that it has.
    Truncated,
}

/// What a revision list says about the present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// Nothing beyond the revisions.
    NotTold,
    /// The newest revision is where the item or place is now.
    Live,
    /// The item of the newest revision was deleted; when, if told.
    Deleted {
        /// By the provider's clock.
        at: Option<Timestamp>,
    },
    /// The item of the newest revision is no longer at this place: moved or deleted, the provider does not say which.
    Left,
    /// The item does not exist any more, or not for us.
    Gone,
    /// The place held something without revisions (a folder).
    NotAFile,
}

/// One saved state of a file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The item it belongs to.
    pub item: ItemId,
    /// Its id.
    pub id: RevisionId,
    /// When it was saved.
    pub at: Timestamp,
    /// By whose clock.
    pub time_source: TimeSource,
    /// Time claimed by the uploading program.
    pub claimed_at: Option<Timestamp>,
    /// Size, bytes.
    pub size_bytes: Option<u64>,
    /// Digests: algorithm -> value as given.
    pub hashes: BTreeMap<String, String>,
    /// Who saved it; absent when not told.
    pub actor: Option<Actor>,
    /// Where the item was then, when the provider tells.
    pub place: Option<Placement>,
    /// Media type, when told.
    pub mime_type: Option<String>,
    /// Revisions that must have been between the one listed before and this one, as the provider numbers them; 0 where the numbers
    /// leave no room, or tell nothing.
    pub skipped: u64,
    /// The provider's bytes.
    pub raw: Raw,
}

/// Where an item was at a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Key of the place.
    pub key: PlaceKey,
    /// Path relative to the designated folder as the provider spells it; absent outside the folder.
    pub path: Option<String>,
}
