//! `files/list_folder` and its companions.

use std::ops::Bound;
use std::sync::{Arc, PoisonError};

use serde_json::{Value, json};

use super::args::{Args, Takes, Target, target};
use super::changes::{State, shows};
use super::cursor::{Cursor, Depth, Gone, Position};
use super::metadata::{deleted, without_actor, without_newer_members};
use super::problem::Problem;
use super::{Face, View};
use crate::fault::{FaultKind, Oddity};
use crate::sim::Call;
use crate::world::ItemNo;

/// Entries on a page at most, and when the client does not say.
const PAGE_LIMIT: usize = 2000;
/// Entries on a page when the client does not say.
const PAGE_DEFAULT: usize = 1000;

/// A page before it is written: entries, and where to go on.
struct Page {
    entries: Vec<Value>,
    next: Position,
    has_more: bool,
}

/// An entry of a listing: the item, or nobody any more, and the display path.
type Listed = (Option<ItemNo>, Arc<str>);

pub(super) fn list_folder(face: &Face, call: &Call, args: Args) -> Result<Value, Problem> {
    let view = face.view();
    let cursor = first_cursor(&view, args, |upto| Position::Listing { upto, after: None })?;
    Ok(page(face, &view, call, &cursor))
}

pub(super) fn latest_cursor(face: &Face, args: Args) -> Result<Value, Problem> {
    let view = face.view();
    let cursor = first_cursor(&view, args, |since| Position::Changes {
        since,
        upto: None,
        skip: 0,
    })?;
    Ok(json!({ "cursor": cursor.encode() }))
}

pub(super) fn go_on(face: &Face, call: &Call, mut args: Args) -> Result<Value, Problem> {
    let text = args.required_text("cursor")?;
    args.finish()?;
    let cursor = Cursor::decode(&text).ok_or_else(|| Problem::field("cursor", "unsupported cursor type"))?;
    if face.sim.fires(call, FaultKind::LostCursor).is_some() {
        return Err(Problem::tag("reset"));
    }
    if face.sim.fires(call, FaultKind::AccessLost).is_some() {
        return Err(Problem::path("not_found"));
    }
    let view = face.view();
    let (Position::Listing { upto: seen, .. } | Position::Changes { since: seen, .. }) = cursor.position;
    if seen > view.world.seq() {
        return Err(Problem::tag("reset"));
    }
    check_folder(&view, &cursor.folder)?;
    Ok(page(face, &view, call, &cursor))
}

/// Reads a `ListFolderArg`.
fn first_cursor(
    view: &View<'_>,
    mut args: Args,
    position: impl FnOnce(u64) -> Position,
) -> Result<Cursor, Problem> {
    let target = target(&args.required_text("path")?, Takes::Root)?;
    let recursive = args.flag("recursive")?.unwrap_or_default();
    let include_deleted = args.flag("include_deleted")?.unwrap_or_default();
    let limit = args.number("limit", 1..=PAGE_LIMIT as u64)?;
    for ignored in [
        "include_media_info",
        "include_has_explicit_shared_members",
        "include_mounted_folders",
        "include_non_downloadable_files",
        "include_restorable_info",
    ] {
        args.flag(ignored)?;
    }
    args.take("include_property_groups");
    if args.take("shared_link").is_some() {
        return Err(Problem::field("shared_link", "shared links are not simulated"));
    }
    args.finish()?;
    let folder = match target {
        Target::Place(key) => key,
        Target::Id(id) => view
            .index
            .by_id(&id)
            .and_then(|item| view.key_of_item(item))
            .ok_or_else(|| Problem::path("not_found"))?,
        Target::Rev(_) => return Err(Problem::path("not_folder")),
    };
    check_folder(view, &folder)?;
    Ok(Cursor {
        folder,
        depth: if recursive { Depth::Tree } else { Depth::Children },
        gone: if include_deleted {
            Gone::Listed
        } else {
            Gone::Hidden
        },
        limit: limit.map(|limit| limit as usize),
        turn: 0,
        position: position(view.world.seq()),
    })
}

/// The listed folder must be there.
fn check_folder(view: &View<'_>, key: &str) -> Result<(), Problem> {
    if key.is_empty() {
        return Ok(());
    }
    let occupant = view
        .index
        .place(key)
        .and_then(|place| place.occupant(view.world.seq()));
    match occupant {
        None => Err(Problem::path("not_found")),
        Some(item) if view.is_folder(item) => Ok(()),
        Some(_) => Err(Problem::path("not_folder")),
    }
}

fn page(face: &Face, view: &View<'_>, call: &Call, cursor: &Cursor) -> Value {
    let size = view.sim.page_size(cursor.limit, PAGE_DEFAULT, PAGE_LIMIT);
    let mut page = if view.sim.fires(call, FaultKind::EmptyPage).is_some() {
        Page {
            entries: Vec::new(),
            next: cursor.position.clone(),
            has_more: true,
        }
    } else {
        match &cursor.position {
            Position::Listing { upto, after } => listing_page(view, cursor, (*upto, after.as_deref()), size),
            Position::Changes { since, upto, skip } => {
                let upto = upto.unwrap_or(view.world.seq());
                let mut page = changes_page(face, view, cursor, (*since, upto, *skip), size);
                omit(view, call, &mut page.entries);
                page
            }
        }
    };
    spoil(view, call, &mut page.entries);
    json!({
        "entries": page.entries,
        "cursor": cursor.at(page.next).encode(),
        "has_more": page.has_more,
    })
}

/// Entries of the feed that get lost.
fn omit(view: &View<'_>, call: &Call, entries: &mut Vec<Value>) {
    if !entries.is_empty()
        && let Some(fault) = view.sim.fires(call, FaultKind::OmittedChange)
    {
        entries.retain(|entry| !entry["name"].as_str().is_some_and(|name| fault.omits(name)));
    }
}

/// Faults of entries.
fn spoil(view: &View<'_>, call: &Call, entries: &mut Vec<Value>) {
    let file = entries.iter_mut().find(|entry| entry[".tag"] == "file");
    if let Some(file) = file
        && view.sim.fires(call, FaultKind::MissingActor).is_some()
    {
        without_actor(file);
    }
    let file = entries.iter_mut().find(|entry| entry[".tag"] == "file");
    if let Some(file) = file
        && view.sim.fires(call, FaultKind::UnknownKind).is_some()
    {
        file[".tag"] = json!("hologram");
    }
    let is_tombstone = |entry: &Value| entry[".tag"] == "deleted";
    if entries.iter().any(is_tombstone) && view.sim.is_odd(call, Oddity::LowerCaseTombstones) {
        for entry in entries.iter_mut().filter(|entry| is_tombstone(entry)) {
            entry["path_display"] = entry["path_lower"].clone();
        }
    }
    without_newer_members(view, call, entries);
    if !entries.is_empty() && view.sim.fires(call, FaultKind::DuplicateItems).is_some() {
        let again = entries.clone();
        entries.extend(again);
    }
}

fn listing_page(view: &View<'_>, cursor: &Cursor, (upto, after): (u64, Option<&str>), size: usize) -> Page {
    let mut found = listed_after(view, cursor, upto, after, size + 1);
    let has_more = found.len() > size;
    found.truncate(size);
    let next = if has_more {
        let last = found.last().map(|(_, display)| super::index::key_of(display));
        Position::Listing { upto, after: last }
    } else {
        Position::Changes {
            since: upto,
            upto: None,
            skip: 0,
        }
    };
    let entries = found
        .into_iter()
        .map(|(item, display)| match item {
            Some(item) => view.live(item, &display, upto),
            None => deleted(&display),
        })
        .collect();
    Page {
        entries,
        next,
        has_more,
    }
}

/// Up to `count` entries after a key, in order of keys: a folder comes before what it holds.
fn listed_after(
    view: &View<'_>,
    cursor: &Cursor,
    upto: u64,
    after: Option<&str>,
    count: usize,
) -> Vec<Listed> {
    let mut found = Vec::new();
    let inside = format!("{}/", cursor.folder);
    if after.is_none() && cursor.depth == Depth::Tree {
        found.extend(listed(view, cursor, upto, &cursor.folder));
    }
    let mut from = match after {
        Some(key) if key.starts_with(&inside) => Bound::Excluded(key.to_owned()),
        _ => Bound::Included(inside.clone()),
    };
    // A listing of children only jumps over what is below each child.
    'jump: while found.len() < count {
        for (key, _) in view.index.places_from(from.as_ref().map(String::as_str)) {
            let Some(rest) = key.strip_prefix(&inside) else {
                return found;
            };
            if found.len() >= count {
                return found;
            }
            match rest.split_once('/') {
                // '0' is the character after '/'.
                Some((child, _)) if cursor.depth == Depth::Children => {
                    from = Bound::Included(format!("{inside}{child}0"));
                    continue 'jump;
                }
                _ => found.extend(listed(view, cursor, upto, key)),
            }
        }
        return found;
    }
    found
}

fn listed(view: &View<'_>, cursor: &Cursor, upto: u64, key: &str) -> Option<Listed> {
    let place = view.index.place(key)?;
    let (_, display) = place.latest(upto)?;
    match place.occupant(upto) {
        Some(item) => Some((Some(item), display)),
        None if cursor.gone == Gone::Listed && shows(&cursor.folder, cursor.depth, key) => {
            Some((None, display))
        }
        None => None,
    }
}

fn changes_page(
    face: &Face,
    view: &View<'_>,
    cursor: &Cursor,
    (since, upto, skip): (u64, u64, usize),
    size: usize,
) -> Page {
    let changes = face
        .remembered
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .changes(&view.index, &cursor.round(since, upto), view.sim.options().seed);
    let has_more = changes.len() > skip + size;
    let next = if has_more {
        Position::Changes {
            since,
            upto: Some(upto),
            skip: skip + size,
        }
    } else {
        Position::Changes {
            since: upto,
            upto: None,
            skip: 0,
        }
    };
    let mut entries = Vec::new();
    for change in changes.iter().skip(skip).take(size) {
        let latest = view.index.place(&change.key).and_then(|place| place.latest(upto));
        let Some((item, display)) = latest else { continue };
        entries.push(match change.state {
            State::Gone => deleted(&display),
            State::Live => view.live(item, &display, upto),
        });
    }
    Page {
        entries,
        next,
        has_more,
    }
}
