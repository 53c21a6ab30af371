//! What a run must know of an account's audit log: where to go on, which events still wait for a record, and which records still wait
//! for their event.

use std::{collections::BTreeMap, sync::Arc};

use revtrail_connector::{Activity, Extent, Target, change::Raw};
use revtrail_model::{
    Digest,
    event::{Action, ClientDetails, Event},
    id::{AccountName, Cursor, DriveId, FolderName, ItemId, PlaceKey, RevisionId},
    record::canonical_digest,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::bounds::{Bounds, Found, bounds};
use crate::inventory::{Inventory, StoredActor};

/// By account.
pub type Audits = BTreeMap<AccountName, AuditState>;

/// One account's log. Fields in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AuditState {
    /// Where to resume the log; absent before it was read to its end, and after the cursor was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
    /// Events that a record may still explain, in the order they were found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Waiting>,
    /// The provider's clock at the start of the last reading that came to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_to: Option<Timestamp>,
    /// Records of acts that the folders may not have shown yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Record>,
}

/// An event without an actor. Serialised with short names: a deleted folder makes many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// What happened.
    #[serde(rename = "a")]
    pub action: Action,
    /// Its drive.
    #[serde(rename = "d")]
    pub drive: DriveId,
    /// Records that explain it.
    #[serde(rename = "e", default, skip_serializing_if = "Vec::is_empty")]
    pub explained: Vec<Explained>,
    /// Its folder.
    #[serde(rename = "f")]
    pub folder: FolderName,
    /// Its id.
    #[serde(rename = "g")]
    pub id: Digest,
    /// The item.
    #[serde(rename = "i")]
    pub item: ItemId,
    /// Earliest moment it can have happened.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Place of the item, where the provider addresses by place.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceKey>,
    /// Revision the fact is about.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionId>,
    /// Other revisions of the item can be what a record within the bounds is about.
    #[serde(rename = "s", default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// Latest moment it can have happened.
    #[serde(rename = "t")]
    pub not_after: Timestamp,
    /// It was recorded as unattributed.
    #[serde(rename = "u", default, skip_serializing_if = "std::ops::Not::not")]
    pub given_up: bool,
    /// Folders above it, nearest first.
    #[serde(rename = "x", default, skip_serializing_if = "Vec::is_empty")]
    pub above: Vec<ItemId>,
}

impl Waiting {
    /// Whether its record would be there by now, and is not.
    pub(super) fn is_overdue(&self, done: Timestamp) -> bool {
        !self.given_up && self.explained.is_empty() && self.not_after <= done
    }
}

/// A record that explains an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// Digest of who it names.
    #[serde(rename = "a")]
    pub actor: Digest,
    /// It names a folder above the item.
    #[serde(rename = "d", default, skip_serializing_if = "std::ops::Not::not")]
    pub derived: bool,
    /// Identity of the record.
    #[serde(rename = "r")]
    pub record: Digest,
}

/// A record of the log as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Who.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<StoredActor>,
    /// The provider's bytes.
    #[serde(rename = "b")]
    pub body: String,
    /// From where.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientDetails>,
    /// What it may explain.
    #[serde(rename = "e")]
    pub explains: Vec<Action>,
    /// Its identity.
    #[serde(rename = "i")]
    pub id: Digest,
    /// Operation that showed it.
    #[serde(rename = "o")]
    pub operation: Arc<str>,
    /// The provider's id of that request.
    #[serde(rename = "q", default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// When it was done.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// Members that this version does not know.
    #[serde(rename = "u", default)]
    pub unknown: u32,
    /// What it names.
    #[serde(rename = "x")]
    pub targets: Vec<Named>,
}

/// An item that a record names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// What lies below is explained too.
    #[serde(rename = "c", default, skip_serializing_if = "std::ops::Not::not")]
    pub contents: bool,
    /// Its root of items.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub drive: Option<DriveId>,
    /// The item.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemId>,
    /// Its place.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceKey>,
    /// The revision it made.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionId>,
}

impl Waiting {
    /// What an event waits for; `None` when it waits for nothing: its actor is known, it was found by a first look, which tells of times
    /// before the harvest, or logs do not tell of its kind.
    pub fn new(event: &Event, inventory: &Inventory, found: Found) -> Option<Self> {
        if event.actor.is_some() || event.baseline || !is_told(event.action) {
            return None;
        }
        let Bounds {
            not_before,
            not_after,
            shared,
        } = bounds(event, inventory, found);
        let mut above = inventory.ancestors(&event.item_id);
        if let Some(through) = event.derived_from.as_deref().map(ItemId::from)
            && !above.contains(&through)
        {
            above.push(through);
        }
        let item = inventory.item(&event.item_id);
        Some(Self {
            action: event.action,
            drive: event.scope.drive_id.clone(),
            explained: Vec::new(),
            folder: event.scope.folder.clone(),
            id: event.id,
            item: event.item_id.clone(),
            not_before,
            place: item.and_then(|item| item.place.clone()),
            revision: event.revision_id.clone(),
            shared,
            not_after,
            given_up: false,
            above,
        })
    }
}

/// Kinds of facts that are found without an actor and that audit logs tell of.
const fn is_told(action: Action) -> bool {
    match action {
        Action::Created
        | Action::Modified
        | Action::Renamed
        | Action::Moved
        | Action::MovedIn
        | Action::MovedOut
        | Action::Trashed
        | Action::Deleted
        | Action::Restored
        | Action::AccessLost => true,
        Action::Copied
        | Action::PermissionChanged
        | Action::RevisionVanished
        | Action::InstructionsChanged => false,
    }
}

impl Record {
    /// Digest of who it names: records with the same one do not contradict each other. Names and addresses of an account change, its
    /// id does not.
    pub fn actor_key(&self) -> Digest {
        let Some(actor) = &self.actor else {
            return canonical_digest(&["nobody named"]);
        };
        let actor = revtrail_model::event::Actor::from(actor);
        let details = &actor.details;
        let account = details.id.as_deref().or(details.email.as_deref());
        let program = actor.application.as_ref();
        let program = program.and_then(|program| program.id.as_deref().or(program.name.as_deref()));
        canonical_digest(&[
            actor.kind.as_str(),
            account.unwrap_or_default(),
            // Of a person's act, logs name the program or leave it out.
            program.filter(|_| account.is_none()).unwrap_or_default(),
        ])
    }
}

impl From<Activity> for Record {
    fn from(activity: Activity) -> Self {
        let Raw {
            body,
            operation,
            request_id,
            unknown,
        } = activity.raw;
        Self {
            actor: activity.actor.map(Into::into),
            body,
            client: activity.client,
            explains: activity.explains,
            id: activity.id.digest(),
            operation: operation.into(),
            request_id,
            at: activity.at,
            unknown,
            targets: activity.targets.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Target> for Named {
    fn from(target: Target) -> Self {
        Self {
            contents: target.extent == Extent::WithContents,
            drive: target.drive,
            item: target.item,
            place: target.place,
            revision: target.revision,
        }
    }
}
