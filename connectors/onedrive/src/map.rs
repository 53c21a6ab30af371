//! Graph's records onto the shared types. Pure: no I/O, no clock.

use std::collections::BTreeMap;

use revtrail_connector::{
    change::{Change, Creation, Head, ItemMeta, Location, Raw, Revision, Seen},
    time::{self, Timestamp},
};
use revtrail_model::{
    event::{ItemKind, TimeSource},
    id::{DriveId, ItemId},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    error::RecordError,
    ids,
    wire::{DriveItem, DriveItemVersion, FileFacet, ITEM_MEMBERS, VERSION_MEMBERS},
};

pub(crate) mod actor;

/// The digest of no bytes at all; Graph shows it on tombstones of files that were not empty.
const EMPTY_QUICKXOR: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Which answer a record came in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    /// Operation.
    pub(crate) operation: &'static str,
    /// Graph's id of the request.
    pub(crate) request_id: Option<&'a str>,
}

/// One entry of a delta or of a folder's children.
pub(crate) fn change(record: &RawValue, source: Source<'_>) -> Result<Change, RecordError> {
    let (item, mut unknown) = read::<DriveItem>(record, ITEM_MEMBERS)?;
    let seen = if item.deleted.is_some() || item.removed.is_some() {
        // Times, size and digest of a tombstone are placeholders (year 1, 0, digest of nothing) and are not read.
        Seen::Deleted {
            kind: kind(&item),
            parent: parent(&item),
            id: ids::item(&item.id),
        }
    } else {
        Seen::Present(present(item, &mut unknown))
    };
    Ok(Change {
        seen,
        raw: raw(record, source, unknown),
    })
}

/// The id of an item that may have children to list: a folder, or a notebook, whose sections the feed lists like files.
pub(crate) fn walkable(record: &RawValue) -> Option<ItemId> {
    let item: DriveItem = serde_json::from_str(record.get()).ok()?;
    let is_container = item.folder.is_some() || item.package.is_some();
    (is_container && item.remote_item.is_none() && item.deleted.is_none()).then(|| ids::item(&item.id))
}

/// A folder, found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Folder {
    pub(crate) item: ItemId,
    /// The drive it is on, when told.
    pub(crate) drive: Option<DriveId>,
    /// Its name.
    pub(crate) name: Option<String>,
    /// What it is in; absent for the root of a drive.
    pub(crate) parent: Option<ItemId>,
}

/// What an item is, as a folder of its drive; `None` for anything else, a shortcut to a folder on another drive included.
pub(crate) fn folder(record: &RawValue) -> Result<Option<Folder>, RecordError> {
    let (item, _unknown) = read::<DriveItem>(record, ITEM_MEMBERS)?;
    let is_folder = kind(&item) == Some(ItemKind::Folder) && item.package.is_none() && item.deleted.is_none();
    let parent = item.parent_reference.as_ref();
    let drive = parent
        .and_then(|parent| parent.drive_id.as_deref())
        .map(ids::drive);
    Ok(is_folder.then(|| Folder {
        item: ids::item(&item.id),
        drive,
        name: item.name.clone(),
        parent: parent.and_then(|parent| parent.id.as_deref()).map(ids::item),
    }))
}

/// One version of `item`. Digests are given by [`oldest_first`].
pub(crate) fn revision(
    record: &RawValue,
    item: &ItemId,
    source: Source<'_>,
) -> Result<Revision, RecordError> {
    let (version, mut unknown) = read::<DriveItemVersion>(record, VERSION_MEMBERS)?;
    let Some(at) = told(version.last_modified_date_time.as_deref(), &mut unknown) else {
        return Err(RecordError::NoTime(version.id));
    };
    Ok(Revision {
        item: item.clone(),
        id: version.id.into(),
        at,
        time_source: TimeSource::Server,
        claimed_at: None,
        size_bytes: size(version.size),
        hashes: BTreeMap::new(),
        actor: version.last_modified_by.as_ref().and_then(actor::actor),
        place: None,
        mime_type: None,
        skipped: 0,
        raw: raw(record, source, unknown),
    })
}

/// The whole list in our order, from Graph's (newest first, the current one included). A version listed twice, because the list
/// grew while it was paged, counts once.
///
/// Graph tells digests only for the present content. The newest version gets them when it is that content for certain: same time
/// and same size as `head`. Otherwise somebody saved between the two readings, or the size was rewritten after upload.
pub(crate) fn oldest_first(newest_first: Vec<Revision>, head: Option<&Head>) -> Vec<Revision> {
    let mut seen = std::collections::BTreeSet::new();
    let mut revisions: Vec<Revision> = newest_first
        .into_iter()
        .filter(|revision| seen.insert(revision.id.clone()))
        .collect();
    if let (Some(newest), Some(head)) = (revisions.first_mut(), head)
        && head.modified_at == Some(newest.at)
        && head.size_bytes.is_some()
        && head.size_bytes == newest.size_bytes
    {
        newest.hashes.clone_from(&head.hashes);
    }
    revisions.reverse();
    note_skipped(&mut revisions);
    revisions
}

/// Version numbers go up by one; where they go up by more, versions between were removed. An id of another form tells nothing, and the
/// order is the list's in any case.
fn note_skipped(oldest_first: &mut [Revision]) {
    let mut before = None;
    for revision in oldest_first {
        let major = major(revision.id.as_str());
        if let (Some(before), Some(major)) = (before, major) {
            revision.skipped = u64::saturating_sub(major, before).saturating_sub(1);
        }
        before = major;
    }
}

/// Major number of an id like `3.0` or, of a draft, `2.3`.
fn major(id: &str) -> Option<u64> {
    let (major, minor) = id.split_once('.')?;
    let _minor: u64 = minor.parse().ok()?;
    major.parse().ok()
}

fn present(item: DriveItem, unknown: &mut u32) -> ItemMeta {
    let kind = kind(&item).unwrap_or_else(|| {
        *unknown += 1;
        ItemKind::Other
    });
    let created = told(item.created_date_time.as_deref(), unknown).map(|at| Creation {
        at,
        source: TimeSource::Server,
        actor: item.created_by.as_ref().and_then(actor::actor),
    });
    ItemMeta {
        kind,
        location: Location::Parent(parent(&item)),
        created,
        head: (kind == ItemKind::File).then(|| head(&item, unknown)),
        mime_type: item.file.and_then(|file| file.mime_type),
        name: item.name.filter(|name| !name.is_empty()),
        id: ids::item(&item.id),
    }
}

fn head(item: &DriveItem, unknown: &mut u32) -> Head {
    let size_bytes = size(item.size);
    let hashes = item
        .file
        .as_ref()
        .map(|file| hashes(file, size_bytes))
        .unwrap_or_default();
    let modified_at = told(item.last_modified_date_time.as_deref(), unknown);
    let tag = item.c_tag.as_ref().filter(|_| ids::is_personal_item(&item.id));
    let parts = [
        tag.cloned(),
        size_bytes.map(|size| size.to_string()),
        hashes.get("quickxor").cloned(),
        modified_at.map_or_else(|| item.last_modified_date_time.clone(), |at| Some(at.to_string())),
    ];
    Head {
        // The same state must have the same marker wherever it is shown: business drives leave cTag out of a delta and have it
        // elsewhere, and times come with seven digits or fewer. No part alone tells every change: SharePoint rewrites files after upload.
        marker: parts.map(Option::unwrap_or_default).join("|"),
        revision: None,
        modified_at,
        size_bytes,
        hashes,
    }
}

fn hashes(file: &FileFacet, size_bytes: Option<u64>) -> BTreeMap<String, String> {
    let Some(hashes) = &file.hashes else {
        return BTreeMap::new();
    };
    [
        ("quickxor", &hashes.quick_xor),
        ("sha1", &hashes.sha1),
        ("sha256", &hashes.sha256),
    ]
    .into_iter()
    .filter_map(|(algorithm, value)| Some((algorithm.to_owned(), value.clone()?)))
    // The digest of nothing is true of an empty file only; elsewhere it is a placeholder.
    .filter(|(_, value)| !value.is_empty() && (value != EMPTY_QUICKXOR || size_bytes == Some(0)))
    .collect()
}

/// What the facets say; `None` when no known facet is there.
fn kind(item: &DriveItem) -> Option<ItemKind> {
    if item.remote_item.is_some() {
        // A shortcut to another drive has no versions of its own.
        Some(ItemKind::Other)
    } else if item.folder.is_some() || item.package.is_some() || item.root.is_some() {
        // A notebook holds its sections as a folder holds files: they come, move and go with it, and the feed does not list them then.
        Some(ItemKind::Folder)
    } else {
        item.file.as_ref().map(|_| ItemKind::File)
    }
}

fn parent(item: &DriveItem) -> Option<ItemId> {
    let id = item.parent_reference.as_ref()?.id.as_deref()?;
    (!id.is_empty()).then(|| ids::item(id))
}

fn size(told: Option<i64>) -> Option<u64> {
    told.and_then(|size| u64::try_from(size).ok())
}

/// A time as told; the year 1 stands for "not told", and what cannot be read counts as unknown.
fn told(text: Option<&str>, unknown: &mut u32) -> Option<Timestamp> {
    let Ok(at) = time::parse(text?) else {
        *unknown += 1;
        return None;
    };
    (time::year(at) > 1).then_some(at)
}

fn read<'r, T: Deserialize<'r>>(record: &'r RawValue, known: &[&str]) -> Result<(T, u32), RecordError> {
    let text = record.get();
    let value = serde_json::from_str(text).map_err(RecordError::Form)?;
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(RecordError::Form)?;
    let unknown = members
        .keys()
        .filter(|name| !known.contains(&name.as_str()))
        .count();
    Ok((value, u32::try_from(unknown).unwrap_or(u32::MAX)))
}

fn raw(record: &RawValue, source: Source<'_>, unknown: u32) -> Raw {
    Raw {
        body: record.get().to_owned(),
        operation: source.operation,
        request_id: source.request_id.map(str::to_owned),
        unknown,
    }
}

#[cfg(test)]
mod tests;
