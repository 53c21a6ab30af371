//! Drive's records onto the shared types. Pure: no I/O, no clock.

use std::collections::{BTreeMap, BTreeSet};

use revtrail_connector::{
    change::{
        Change, Completeness, Creation, Head, ItemMeta, Location, Presence, Raw, Revision, RevisionList,
        Seen, TrashedThrough, Trashing,
    },
    time::{self, Timestamp},
};
use revtrail_model::{
    event::{Actor, ActorDetails, ActorKind, ItemKind, TimeSource},
    id::{ItemId, RevisionId},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    error::RecordError,
    wire::{
        self, CHANGE_MEMBERS, FILE_MEMBERS, File, Int64, REVISION_MEMBERS, SHORTCUT, THIRD_PARTY_SHORTCUT,
        User,
    },
};

/// Mail domain of service accounts: programs under their own names.
pub(crate) const SERVICE_ACCOUNT_DOMAIN: &str = ".gserviceaccount.com";

/// Which answer a record came in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    /// Operation.
    pub(crate) operation: &'static str,
    /// Drive's id of the request.
    pub(crate) request_id: Option<&'a str>,
}

/// One entry of the change log; `None` for an entry about a shared drive instead of an item.
pub(crate) fn change(record: &RawValue, source: Source<'_>) -> Result<Option<Change>, RecordError> {
    let (entry, mut unknown) = read::<wire::Change>(record, CHANGE_MEMBERS)?;
    if entry.about.as_deref() == Some("drive") {
        return Ok(None);
    }
    let Some(id) = entry.file_id else {
        // A kind of change yet to be invented that is not about an item.
        return match entry.file {
            None => Ok(None),
            Some(file) => item(&file, source).map(Some),
        };
    };
    let seen = if entry.removed {
        Seen::Lost { id: id.into() }
    } else {
        let Some(file) = entry.file else {
            return Err(RecordError::NoFile(id));
        };
        let (file, in_file) = read::<File>(&file, FILE_MEMBERS)?;
        unknown += in_file;
        seen(file, &mut unknown)
    };
    Ok(Some(Change {
        seen,
        raw: raw(record, source, unknown),
    }))
}

/// One entry of a folder's listing.
pub(crate) fn item(record: &RawValue, source: Source<'_>) -> Result<Change, RecordError> {
    let (file, mut unknown) = read::<File>(record, FILE_MEMBERS)?;
    let seen = seen(file, &mut unknown);
    Ok(Change {
        seen,
        raw: raw(record, source, unknown),
    })
}

/// The id of a folder in a listing, trashed or not; `None` for anything else.
pub(crate) fn folder(change: &Change) -> Option<&ItemId> {
    match &change.seen {
        Seen::Present(meta) | Seen::Trashed(meta, _) if meta.kind == ItemKind::Folder => Some(&meta.id),
        _ => None,
    }
}

/// One file record, for looking at it closer.
pub(crate) fn file(record: &RawValue) -> Result<File, RecordError> {
    Ok(read::<File>(record, FILE_MEMBERS)?.0)
}

/// True for a folder, in the bin or not.
pub(crate) fn is_folder(file: &File) -> bool {
    file.mime_type.as_deref() == Some(wire::FOLDER)
}

/// One revision of `item`.
pub(crate) fn revision(
    record: &RawValue,
    item: &ItemId,
    source: Source<'_>,
) -> Result<Revision, RecordError> {
    let (revision, mut unknown) = read::<wire::Revision>(record, REVISION_MEMBERS)?;
    let Some(at) = told(revision.modified_time.as_deref(), &mut unknown) else {
        return Err(RecordError::NoTime(revision.id));
    };
    // Uploaders may set the time of what they upload; the editors set it themselves.
    let (time_source, claimed_at) = if is_editors(revision.mime_type.as_deref()) {
        (TimeSource::Server, None)
    } else {
        (TimeSource::Client, Some(at))
    };
    Ok(Revision {
        item: item.clone(),
        id: revision.id.into(),
        at,
        time_source,
        claimed_at,
        size_bytes: size(revision.size.as_ref(), &mut unknown),
        hashes: hashes([("md5", revision.md5_checksum)]),
        actor: revision.last_modifying_user.as_ref().and_then(actor),
        place: None,
        mime_type: revision.mime_type,
        skipped: 0,
        raw: raw(record, source, unknown),
    })
}

/// The whole list in our order. Drive promises none, so it is sorted by time; revisions of one moment stay as listed. A revision
/// listed twice, because the list grew while it was paged, counts once.
///
/// SHA digests are told of the present content only; the revision that `head` names gets them.
pub(crate) fn list(listed: Vec<Revision>, head: Option<&Head>) -> RevisionList {
    let mut known = BTreeSet::new();
    let mut revisions: Vec<Revision> = listed
        .into_iter()
        .filter(|revision| known.insert(revision.id.clone()))
        .collect();
    revisions.sort_by_key(|revision| revision.at);
    if let Some((head, id)) = head.and_then(|head| Some((head, head.revision.as_ref()?)))
        && let Some(newest) = revisions.iter_mut().find(|revision| revision.id == *id)
        && newest.hashes.get("md5") == head.hashes.get("md5")
    {
        newest.hashes.clone_from(&head.hashes);
    }
    // Docs editors merge revisions and leave old ones out of the list; files with content keep what is kept at all.
    let is_partial = revisions
        .iter()
        .any(|revision| is_editors(revision.mime_type.as_deref()));
    RevisionList {
        revisions,
        completeness: if is_partial {
            Completeness::Truncated
        } else {
            Completeness::AsKept
        },
        now: Presence::NotTold,
    }
}

fn seen(file: File, unknown: &mut u32) -> Seen {
    if !file.trashed {
        return Seen::Present(meta(file, unknown));
    }
    let trashing = Trashing {
        through: match file.explicitly_trashed {
            Some(false) => TrashedThrough::Ancestor,
            Some(true) | None => TrashedThrough::Itself,
        },
        at: told(file.trashed_time.as_deref(), unknown),
        actor: file.trashing_user.as_ref().and_then(actor),
    };
    Seen::Trashed(meta(file, unknown), trashing)
}

fn meta(file: File, unknown: &mut u32) -> ItemMeta {
    let kind = kind(file.mime_type.as_deref());
    if kind.is_none() {
        *unknown += 1;
    }
    let kind = kind.unwrap_or(ItemKind::Other);
    let created = told(file.created_time.as_deref(), unknown).map(|at| Creation {
        at,
        // Whoever creates a file may set this, too.
        source: TimeSource::Client,
        actor: None,
    });
    let modified_at = told(file.modified_time.as_deref(), unknown);
    let size_bytes = size(file.size.as_ref(), unknown);
    let marker = marker(&file);
    let head = Head {
        marker,
        revision: file.head_revision_id.map(RevisionId::from),
        modified_at,
        size_bytes,
        hashes: hashes([
            ("md5", file.md5_checksum),
            ("sha1", file.sha1_checksum),
            ("sha256", file.sha256_checksum),
        ]),
    };
    ItemMeta {
        id: file.id.into(),
        kind,
        name: file.name,
        location: Location::Parent(file.parents.into_iter().next().map(ItemId::from)),
        created,
        head: (kind == ItemKind::File).then_some(head),
        mime_type: file.mime_type,
    }
}

/// Head revision, time of change and digest: content, for files of the editors only their time.
fn marker(file: &File) -> String {
    [&file.head_revision_id, &file.modified_time, &file.md5_checksum]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("|")
}

/// `None` when the type is not told.
fn kind(mime_type: Option<&str>) -> Option<ItemKind> {
    Some(match mime_type? {
        wire::FOLDER => ItemKind::Folder,
        SHORTCUT => ItemKind::Other,
        other if other.starts_with(THIRD_PARTY_SHORTCUT) => ItemKind::Other,
        _ => ItemKind::File,
    })
}

fn is_editors(mime_type: Option<&str>) -> bool {
    mime_type.is_some_and(|mime_type| mime_type.starts_with(wire::GOOGLE_TYPE))
}

/// `None` when nothing at all is told of the user.
fn actor(user: &User) -> Option<Actor> {
    let said = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let details = ActorDetails {
        email: said(&user.email_address),
        id: said(&user.permission_id),
        name: said(&user.display_name),
        on_behalf_of: None,
    };
    let is_program = details
        .email
        .as_deref()
        .is_some_and(|email| email.to_ascii_lowercase().ends_with(SERVICE_ACCOUNT_DOMAIN));
    (!details.is_empty()).then_some(Actor {
        kind: if is_program {
            ActorKind::Application
        } else {
            ActorKind::User
        },
        details,
        application: None,
    })
}

fn hashes<const N: usize>(given: [(&str, Option<String>); N]) -> BTreeMap<String, String> {
    let given = given.into_iter();
    given
        .filter_map(|(algorithm, value)| Some((algorithm.to_owned(), value?)))
        .collect()
}

/// A time that cannot be read counts as unknown, and as not told.
fn told(text: Option<&str>, unknown: &mut u32) -> Option<Timestamp> {
    let at = time::parse(text?).ok();
    if at.is_none() {
        *unknown += 1;
    }
    at
}

fn size(number: Option<&Int64>, unknown: &mut u32) -> Option<u64> {
    let value = number?.value();
    if value.is_none() {
        *unknown += 1;
    }
    value
}

fn raw(record: &RawValue, source: Source<'_>, unknown: u32) -> Raw {
    Raw {
        body: record.get().to_owned(),
        operation: source.operation,
        request_id: source.request_id.map(str::to_owned),
        unknown,
    }
}

/// The record, and how many of its members are not among `known`.
fn read<'r, T: Deserialize<'r>>(record: &'r RawValue, known: &[&str]) -> Result<(T, u32), RecordError> {
    let value = serde_json::from_str(record.get()).map_err(RecordError::Form)?;
    let members: BTreeMap<String, &RawValue> =
        serde_json::from_str(record.get()).map_err(RecordError::Form)?;
    let unknown = members
        .keys()
        .filter(|member| !known.contains(&member.as_str()))
        .count();
    Ok((value, u32::try_from(unknown).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests;
