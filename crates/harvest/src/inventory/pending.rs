//! What a run must remember of a file until its revisions are listed.
//!
//! A first look holds one of these for every file of the folder, so texts and persons that many share are kept once (see
//! [`Interner`](super::Interner)), and the names in the state object are short.

use std::sync::Arc;

use revtrail_connector::change::{Creation, Head};
use revtrail_model::{
    Digest,
    event::{Actor, ActorDetails, ActorKind, Application, TimeSource},
    id::RevisionId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::Digests;
use crate::spool::Source;

/// The entry that showed the file last, and what was known before it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pending {
    /// What the entry told of the file.
    #[serde(rename = "d", default)]
    pub details: Arc<Details>,
    /// Digest of the raw record line that showed the item.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Digest>,
    /// Operation that showed it.
    #[serde(rename = "o", default)]
    pub operation: Arc<str>,
    /// The request that showed it.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Arc<str>>,
    /// Found by the folder's first harvest.
    #[serde(rename = "b", default, skip_serializing_if = "is_false")]
    pub baseline: bool,
    /// Found by a full listing beside the feed.
    #[serde(rename = "w", default, skip_serializing_if = "is_false")]
    pub reconciled: bool,
    /// It was known as deleted before this look.
    #[serde(rename = "g", default, skip_serializing_if = "is_false")]
    pub was_gone: bool,
    /// Last path in the folder, for an item that has left it.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub last_path: Option<Box<str>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "signature demanded by serde")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Pending {
    /// Where the raw record of the entry is.
    pub fn source(&self) -> Source {
        Source {
            raw: self.raw,
            operation: self.operation.clone(),
            request_id: self.request_id.clone(),
        }
    }
}

/// What an entry tells of an item beyond its place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Details {
    /// Its creation, when told.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Created>,
    /// The present content.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub head: Option<HeadState>,
    /// Media type.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<Arc<str>>,
}

/// [`Creation`] as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// When.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// By whose clock.
    #[serde(rename = "s")]
    pub source: TimeSource,
    /// Who, when told.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Arc<StoredActor>>,
}

impl From<Creation> for Created {
    fn from(creation: Creation) -> Self {
        Self {
            at: creation.at,
            source: creation.source,
            by: creation.actor.map(|actor| Arc::new(actor.into())),
        }
    }
}

/// [`Head`] as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "mirrors `revtrail_connector::change::Head`")]
pub struct HeadState {
    #[serde(rename = "m")]
    pub marker: Box<str>,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionId>,
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<Timestamp>,
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    #[serde(rename = "h", default, skip_serializing_if = "Digests::is_empty")]
    pub hashes: Digests,
}

impl From<Head> for HeadState {
    fn from(head: Head) -> Self {
        Self {
            marker: head.marker.into(),
            revision: head.revision,
            modified_at: head.modified_at,
            size_bytes: head.size_bytes,
            hashes: (&head.hashes).into(),
        }
    }
}

impl From<&HeadState> for Head {
    fn from(head: &HeadState) -> Self {
        Self {
            marker: head.marker.to_string(),
            revision: head.revision.clone(),
            modified_at: head.modified_at,
            size_bytes: head.size_bytes,
            hashes: (&head.hashes).into(),
        }
    }
}

/// [`Actor`] as kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "mirrors `revtrail_model::event::Actor`")]
pub struct StoredActor {
    #[serde(rename = "k")]
    pub kind: ActorKind,
    #[serde(rename = "d")]
    pub details: ActorDetails,
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
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

impl From<&StoredActor> for Actor {
    fn from(actor: &StoredActor) -> Self {
        Self {
            kind: actor.kind,
            details: actor.details.clone(),
            application: actor.application.clone(),
        }
    }
}
