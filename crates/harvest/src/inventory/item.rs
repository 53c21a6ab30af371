//! One known item.

use std::collections::BTreeMap;

use revtrail_connector::change::Head;
use revtrail_model::{
    Digest,
    event::{Actor, ActorDetails, ActorKind, Application, ItemKind, TimeSource},
    id::{ItemId, PlaceKey, RevisionId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

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
    pub name: Option<String>,
    /// Its place, for providers that address by place.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceKey>,
    /// Its path relative to the folder as the provider spells it, for providers that address by place.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where it stands.
    #[serde(rename = "s", default, skip_serializing_if = "is_inside")]
    pub status: Status,
    /// The folder through which it was trashed.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub trashed_through: Option<ItemId>,
    /// Content marker when its revisions were last asked for.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Revisions recorded and still listed, oldest first.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<KnownRevision>,
    /// Digests of the newest recorded revision, where they tell a move from an edit.
    #[serde(rename = "h", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hashes: BTreeMap<String, String>,
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
            hashes: BTreeMap::new(),
            changes: 0,
            pending: None,
        }
    }

    /// True when the item is or was in the folder and its history is recorded.
    pub fn is_recorded(&self) -> bool {
        !matches!(self.status, Status::Outside) || !self.revisions.is_empty() || self.changes > 0
    }
}

/// What must be remembered until the revisions of an item are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pending {
    /// When the provider says the item was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// By whose clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_source: Option<TimeSource>,
    /// Who, when told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<StoredActor>,
    /// The present content as the feed showed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<HeadState>,
    /// Media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Digest of the raw record line that showed the item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Digest>,
    /// Operation that showed it.
    #[serde(default)]
    pub operation: String,
    /// The request that showed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Found by the folder's first harvest.
    #[serde(default)]
    pub baseline: bool,
    /// It was known as deleted before this look.
    #[serde(default)]
    pub was_gone: bool,
    /// Last path in the folder, for an item that has left it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_path: Option<String>,
}

/// [`Head`] as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "mirrors `revtrail_connector::change::Head`")]
pub struct HeadState {
    pub marker: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hashes: BTreeMap<String, String>,
}

impl From<Head> for HeadState {
    fn from(head: Head) -> Self {
        Self {
            marker: head.marker,
            revision: head.revision,
            modified_at: head.modified_at,
            size_bytes: head.size_bytes,
            hashes: head.hashes,
        }
    }
}

impl From<HeadState> for Head {
    fn from(head: HeadState) -> Self {
        Self {
            marker: head.marker,
            revision: head.revision,
            modified_at: head.modified_at,
            size_bytes: head.size_bytes,
            hashes: head.hashes,
        }
    }
}

/// [`Actor`] as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "mirrors `revtrail_model::event::Actor`")]
pub struct StoredActor {
    pub kind: ActorKind,
    pub details: ActorDetails,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<Application>,
}

impl From<Actor> for StoredActor {
    fn from(actor: Actor) -> Self {
        Self {
            kind: actor.kind,
            details: actor.details,
            application: actor.application,
        }
    }
}

impl From<StoredActor> for Actor {
    fn from(actor: StoredActor) -> Self {
        Self {
            kind: actor.kind,
            details: actor.details,
            application: actor.application,
        }
    }
}
