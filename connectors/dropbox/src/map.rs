//! Dropbox words into provider-neutral ones. No I/O, no clock.

use std::collections::{BTreeMap, HashSet};

use revtrail_connector::{
    FolderRoot, FormerPlace,
    change::{Change, Head, ItemMeta, Location, Placement, Presence, Raw, Revision, Seen},
};
use revtrail_model::{
    event::{Actor, ActorDetails, ActorKind, ItemKind, TimeSource},
    id::{ItemId, PlaceKey, RevisionId},
    time::{self, Timestamp},
};
use serde_json::value::RawValue;

use crate::wire::{self, FileMetadata, FolderMetadata, Metadata};

/// The request that brought a record.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) operation: &'static str,
    pub(crate) request_id: Option<String>,
}

/// The designated folder as the one looking at paths knows it.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// Absent when the folder has no place, so nothing is known to be inside it.
    root: Option<PlaceKey>,
    /// Where it was before.
    former: Vec<FormerPlace>,
}

impl View {
    pub(crate) fn new(root: &FolderRoot) -> Self {
        Self {
            root: root.place.clone(),
            former: root.former.clone(),
        }
    }

    /// The path within the folder as Dropbox spells it; absent outside the folder.
    ///
    /// Only the last component of `path_display` is cased reliably, so the folder's own part is cut off by its number of components,
    /// never by comparing text.
    pub(crate) fn relative(&self, key: &PlaceKey, display: Option<&str>) -> Option<String> {
        below(self.root.as_ref()?, key, display)
    }

    /// Where a revision was saved: a folder that was renamed since was somewhere else then.
    fn saved_at(&self, (lower, display): (Option<&str>, Option<&str>), at: Timestamp) -> Option<Placement> {
        let mut placement = self.placement(lower, display)?;
        if placement.path.is_none() {
            let mut former = self.former.iter().filter(|former| at <= former.until);
            placement.path = former.find_map(|former| below(&former.place, &placement.key, display));
        }
        Some(placement)
    }

    fn placement(&self, lower: Option<&str>, display: Option<&str>) -> Option<Placement> {
        let key = PlaceKey::from(lower?);
        let path = self.relative(&key, display);
        Some(Placement { key, path })
    }

    /// A place Dropbox leaves out (the item is not mounted for us) is a parent we cannot see.
    fn location(&self, lower: Option<&str>, display: Option<&str>) -> Location {
        match self.placement(lower, display) {
            Some(Placement { key, path }) => Location::Place { key, path },
            None => Location::Parent(None),
        }
    }
}

/// What is left of a display path below the folder at `root`.
fn below(root: &PlaceKey, key: &PlaceKey, display: Option<&str>) -> Option<String> {
    if !key.is_below(root) {
        return None;
    }
    let above = root.as_str().split('/').count();
    let inside: Vec<&str> = display?.split('/').skip(above).collect();
    (!inside.is_empty()).then(|| inside.join("/"))
}

/// One entry of a listing.
pub(crate) fn change(view: &View, entry: &RawValue, origin: &Origin) -> Result<Change, serde_json::Error> {
    let metadata = Metadata::read(entry.get())?;
    let mut raw = raw(entry, origin)?;
    let seen = match metadata {
        Metadata::File(file) => Seen::Present(file_meta(view, &file)),
        Metadata::Folder(folder) => Seen::Present(folder_meta(view, folder, ItemKind::Folder)),
        Metadata::Unknown(item) => {
            raw.unknown = raw.unknown.saturating_add(1);
            Seen::Present(folder_meta(view, item, ItemKind::Other))
        }
        Metadata::Deleted(tombstone) => {
            let place = PlaceKey::from(tombstone.path_lower);
            let path = view.relative(&place, tombstone.path_display.as_deref());
            Seen::Vacated { place, path }
        }
    };
    Ok(Change { seen, raw })
}

fn file_meta(view: &View, file: &FileMetadata) -> ItemMeta {
    ItemMeta {
        id: ItemId::from(file.id.as_str()),
        kind: ItemKind::File,
        name: Some(file.name.clone()),
        location: view.location(file.path_lower.as_deref(), file.path_display.as_deref()),
        created: None,
        head: Some(Head {
            marker: file.rev.clone(),
            revision: Some(RevisionId::from(file.rev.as_str())),
            modified_at: Some(file.server_modified),
            size_bytes: file.size,
            hashes: hashes(file),
        }),
        mime_type: None,
    }
}

fn folder_meta(view: &View, folder: FolderMetadata, kind: ItemKind) -> ItemMeta {
    ItemMeta {
        location: view.location(folder.path_lower.as_deref(), folder.path_display.as_deref()),
        id: ItemId::from(folder.id),
        kind,
        name: folder.name,
        created: None,
        head: None,
        mime_type: None,
    }
}

/// Cloud documents have no `content_hash`.
fn hashes(file: &FileMetadata) -> BTreeMap<String, String> {
    let hash = file.content_hash.clone();
    hash.map(|hash| ("dropbox".to_owned(), hash))
        .into_iter()
        .collect()
}

fn raw(entry: &RawValue, origin: &Origin) -> Result<Raw, serde_json::Error> {
    Ok(Raw {
        body: entry.get().to_owned(),
        operation: origin.operation,
        request_id: origin.request_id.clone(),
        unknown: wire::unknown_members(entry.get())?,
    })
}

/// One entry of a revision list, read but not yet given a name for its author.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) file: FileMetadata,
    raw: Raw,
}

impl Listed {
    pub(crate) fn read(entry: &RawValue, origin: &Origin) -> Result<Self, serde_json::Error> {
        Ok(Self {
            file: serde_json::from_str(entry.get())?,
            raw: raw(entry, origin)?,
        })
    }

    /// Account that saved it; told only in shared folders.
    pub(crate) fn author(&self) -> Option<&str> {
        self.file.sharing_info.as_ref()?.modified_by.as_deref()
    }

    /// The revision, with its author's name as far as it was found out.
    pub(crate) fn into_revision(self, view: &View, actor: Option<Actor>) -> Revision {
        let file = self.file;
        Revision {
            item: ItemId::from(file.id.as_str()),
            id: RevisionId::from(file.rev.as_str()),
            at: file.server_modified,
            time_source: TimeSource::Server,
            claimed_at: file
                .client_modified
                .as_deref()
                .and_then(|text| time::parse(text).ok()),
            size_bytes: file.size,
            hashes: hashes(&file),
            actor,
            place: view.saved_at(
                (file.path_lower.as_deref(), file.path_display.as_deref()),
                file.server_modified,
            ),
            mime_type: None,
            skipped: 0,
            raw: self.raw,
        }
    }
}

/// Puts revisions listed newest first into order, oldest first, each once.
///
/// Times have steps of one second; within one the order of the lists decides, and what an earlier list leaves out is older.
pub(crate) fn oldest_first(listed: Vec<Listed>) -> Vec<Listed> {
    let mut seen = HashSet::new();
    let mut listed: Vec<Listed> = listed
        .into_iter()
        .filter(|entry| seen.insert(entry.file.rev.clone()))
        .collect();
    listed.sort_by_key(|entry| std::cmp::Reverse(entry.file.server_modified));
    listed.reverse();
    listed
}

/// What a revision list says about the present.
pub(crate) fn presence(list: &wire::ListRevisions) -> Presence {
    match (list.is_deleted, list.server_deleted) {
        (true, Some(at)) => Presence::Deleted { at: Some(at) },
        (true, None) => Presence::Left,
        (false, _) => Presence::Live,
    }
}

/// An account Dropbox names. Programs act through accounts of people, and nothing in a revision tells them apart.
pub(crate) fn actor(id: &str, email: Option<String>, name: Option<String>) -> Actor {
    Actor {
        kind: ActorKind::User,
        details: ActorDetails {
            email,
            id: Some(id.to_owned()),
            name,
            on_behalf_of: None,
        },
        application: None,
    }
}

#[cfg(test)]
mod tests;
