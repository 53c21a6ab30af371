//! An item as one entry shows it, in the form a round keeps.

use std::sync::Arc;

use revtrail_connector::change::{ItemMeta, Location};
use revtrail_model::{
    event::ItemKind,
    id::{ItemId, PlaceKey},
};

use crate::inventory::{Details, Interner};

/// [`ItemMeta`] as kept: a round holds one for every item a listing shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// The item.
    pub id: ItemId,
    /// Its kind.
    pub kind: ItemKind,
    /// Last component of its path; absent when the provider left it out.
    pub name: Option<Box<str>>,
    /// Its parent, where items are addressed by id; absent when not visible.
    pub parent: Option<ItemId>,
    /// Its place, where items are addressed by place.
    pub place: Option<PlaceKey>,
    /// Its path relative to the folder as the provider spells it, where items are addressed by place.
    pub path: Option<Box<str>>,
    /// The rest, shared with the item that waits for its revisions.
    pub details: Arc<Details>,
}

impl Meta {
    /// Keeps what an entry shows.
    pub fn keep(meta: ItemMeta, interner: &mut Interner) -> Self {
        let (mut parent, place, path) = match meta.location {
            Location::Parent(parent) => (parent, None, None),
            Location::Place { key, path } => (None, Some(key), path),
        };
        let mut details = Details {
            created: meta.created.map(Into::into),
            head: meta.head.map(Into::into),
            mime_type: meta.mime_type.map(Into::into),
        };
        interner.parent(&mut parent);
        interner.details(&mut details);
        Self {
            id: meta.id,
            kind: meta.kind,
            name: meta.name.map(Into::into),
            parent,
            place,
            path: path.map(Into::into),
            details: Arc::new(details),
        }
    }

    /// Marker of its present content.
    pub fn marker(&self) -> Option<&str> {
        self.details.head.as_ref().map(|head| &*head.marker)
    }
}
