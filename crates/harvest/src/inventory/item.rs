//! One known item.

use revtrail_model::{
    event::ItemKind,
    id::{ItemId, PlaceKey, RevisionId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Digests, Pending};

/// Where the item stands, as last observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Live in the folder.
    #[default]
    Inside,
    /// In the provider's bin.
    Trashed,
    /// Deleted.
    Deleted,
    /// No longer shown to us.
    Lost,
    /// Live outside the folder.
    Outside,
}

/// A revision recorded before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownRevision {
    /// Its id.
    #[serde(rename = "i")]
    pub id: RevisionId,
    /// Its time.
    #[serde(rename = "t")]
    pub at: Timestamp,
}

/// What is known of one item. Serialised with short names: the state object holds many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its kind.
    #[serde(rename = "k")]
    pub kind: ItemKind,
    /// Its parent; absent when addressed by place or not visible.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ItemId>,
    /// Its name; absent outside the folder.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// Its place, for providers that address by place.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceKey>,
    /// Its path relative to the folder as the provider spells it, for providers that address by place.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Box<str>>,
    /// Where it stands.
    #[serde(rename = "s", default, skip_serializing_if = "is_inside")]
    pub status: Status,
    /// The folder through which it was trashed.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub trashed_through: Option<ItemId>,
    /// Content marker when its revisions were last asked for.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<Box<str>>,
    /// Revisions recorded and still listed, oldest first.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<KnownRevision>,
    /// Digests of the newest recorded revision, where they tell a move from an edit.
    #[serde(rename = "h", default, skip_serializing_if = "Digests::is_empty")]
    pub hashes: Digests,
    /// How many state changes are recorded; numbers the next one.
    #[serde(rename = "c", default, skip_serializing_if = "is_zero")]
    pub changes: u32,
    /// Set while its revisions are still to be listed.
    #[serde(rename = "q", default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Box<Pending>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "signature demanded by serde")]
fn is_inside(status: &Status) -> bool {
    *status == Status::Inside
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "signature demanded by serde")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Item {
    /// An item of which nothing but its kind is known.
    pub fn new(kind: ItemKind) -> Self {
        Self {
            kind,
            parent: None,
            name: None,
            place: None,
            path: None,
            status: Status::Inside,
            trashed_through: None,
            marker: None,
            revisions: Vec::new(),
            hashes: Digests::default(),
            changes: 0,
            pending: None,
        }
    }

    /// True when this is the content whose revisions were asked for, or are to be. A marker that is not told says nothing else.
    pub fn has_content(&self, marker: Option<&str>) -> bool {
        let pending = self.pending.as_ref().map(|pending| &pending.details.head);
        let known = match pending {
            Some(head) => head.as_ref().map(|head| &*head.marker),
            None => self.marker.as_deref(),
        };
        marker.is_none() || known == marker
    }

    /// True when the item is or was in the folder and its history is recorded.
    pub fn is_recorded(&self) -> bool {
        !matches!(self.status, Status::Outside) || !self.revisions.is_empty() || self.changes > 0
    }
}
