//! `files/list_revisions`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::{Args, Takes, Target, is_rev, target};
use super::index::{Leaving, Place, RevisionAt, key_of};
use super::metadata::{time, without_actor, without_newer_members};
use super::problem::Problem;
use super::{Face, View};
use crate::fault::{FaultKind, Oddity};
use crate::sim::Call;
use crate::world::ItemNo;

/// Revisions in an answer when the client does not say.
const DEFAULT: u64 = 10;
/// Revisions in an answer at most; what is older can be reached in path mode only.
const LIMIT: u64 = 100;

/// Some revisions, newest first, before they are written.
struct Answer {
    revisions: Vec<RevisionAt>,
    has_more: bool,
    left: Option<Leaving>,
    /// Whether the moment of a deletion is told.
    told: Told,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Yes,
    No,
}

pub(super) fn list_revisions(face: &Face, call: &Call, mut args: Args) -> Result<Value, Problem> {
    let target = target(&args.required_text("path")?, Takes::Plain)?;
    let by_id = args.word("mode", &["path", "id"])? == Some("id");
    let limit = args.number("limit", 1..=LIMIT)?.unwrap_or(DEFAULT) as usize;
    let before = args.text("before_rev")?;
    if before.as_deref().is_some_and(|rev| !is_rev(rev)) {
        return Err(Problem::field("before_rev", "did not match pattern '[0-9a-f]+'"));
    }
    args.flag("include_restorable_info")?;
    args.finish()?;
    let view = face.view();
    if view.sim.fires(call, FaultKind::RevisionsRefused).is_some() {
        return Err(Problem::path("restricted_content"));
    }
    let answer = if by_id {
        if before.is_some() {
            return Err(Problem::tag("before_rev_not_supported"));
        }
        by_item(&view, &target, limit)?
    } else {
        if before.is_some() && view.sim.fires(call, FaultKind::PurgedMidPaging).is_some() {
            return Err(Problem::tag("invalid_before_rev"));
        }
        by_place(&view, &target, limit, before.as_deref())?
    };
    Ok(write(&view, call, &answer))
}

fn write(view: &View<'_>, call: &Call, answer: &Answer) -> Value {
    let mut entries: Vec<Value> = answer
        .revisions
        .iter()
        .filter_map(|at| {
            let revision = view.index.revision(*at)?;
            Some(view.file(at.item, revision, &revision.path))
        })
        .collect();
    if entries.len() > 1 && view.sim.fires(call, FaultKind::LaggingRevisions).is_some() {
        entries.remove(0);
    }
    // The newest revision stays: a client notices one that vanished by what is newer.
    let older = entries.len().saturating_sub(1);
    if older > 0 && view.sim.fires(call, FaultKind::VanishedRevision).is_some() {
        entries.remove(1 + (view.sim.random() % older as u64) as usize);
    }
    if let Some(newest) = entries.first_mut()
        && view.sim.fires(call, FaultKind::MissingActor).is_some()
    {
        without_actor(newest);
    }
    without_newer_members(view, call, &mut entries);
    let mut body = json!({
        "is_deleted": answer.left.is_some(),
        "entries": entries,
        "has_more": answer.has_more,
    });
    if let (Some(Leaving::Deleted(at)), Told::Yes) = (answer.left, answer.told)
        && !view.sim.is_odd(call, Oddity::NoServerDeleted)
    {
        body["server_deleted"] = json!(time(at));
    }
    body
}

/// The place a path mode request names.
fn place<'a>(view: &'a View<'_>, target: &Target) -> Result<&'a Place, Problem> {
    let not_found = || Problem::path("not_found");
    let key = match target {
        Target::Place(key) => key.clone(),
        Target::Id(id) => view
            .index
            .by_id(id)
            .and_then(|item| view.key_of_item(item))
            .ok_or_else(not_found)?,
        Target::Rev(_) => return Err(not_found()),
    };
    let place = view.index.place(&key).ok_or_else(not_found)?;
    let (item, _) = place.latest(view.world.seq()).ok_or_else(not_found)?;
    if view.is_folder(item) {
        return Err(Problem::path("not_file"));
    }
    Ok(place)
}

fn by_place(view: &View<'_>, target: &Target, limit: usize, before: Option<&str>) -> Result<Answer, Problem> {
    let place = place(view, target)?;
    let all: Vec<RevisionAt> = place
        .revisions
        .iter()
        .filter(|at| kept(view, at.item).get(at.place).copied().unwrap_or_default())
        .copied()
        .collect();
    let end = match before {
        None => all.len(),
        Some(rev) => {
            let (_, revision) = view
                .by_rev(rev)
                .filter(|(at, _)| {
                    all.binary_search_by_key(&number(view, *at), |one| number(view, *one))
                        .is_ok()
                })
                .ok_or_else(|| Problem::tag("invalid_before_rev"))?;
            all.partition_point(|one| number(view, *one) < Some(revision.number))
        }
    };
    let page = all.get(..end).unwrap_or_default();
    let newest = page.last().and_then(|at| view.index.revision(*at));
    // For an older page the question is what became of its newest revision; when that was is then not told.
    let (left, told) = match before {
        None => (place.left(), Told::Yes),
        Some(_) => (newest.and_then(|newest| place.left_after(newest.seq)), Told::No),
    };
    Ok(Answer {
        revisions: page.iter().rev().take(limit).copied().collect(),
        has_more: end > limit,
        left,
        told,
    })
}

/// Which revisions of an item are still there.
fn kept(view: &View<'_>, item: ItemNo) -> Vec<bool> {
    let revisions = view.index.revisions(item).iter();
    let times: Vec<Timestamp> = revisions.map(|revision| revision.at).collect();
    view.sim.options().keep.kept(view.world.now(), &times)
}

fn number(view: &View<'_>, at: RevisionAt) -> Option<super::ids::RevNumber> {
    view.index.revision(at).map(|revision| revision.number)
}

/// Id mode. Asked by id, a deleted file is not found; asked by its last path, it is, and the answer says it is deleted.
fn by_item(view: &View<'_>, target: &Target, limit: usize) -> Result<Answer, Problem> {
    let not_found = || Problem::path("not_found");
    let item = match target {
        Target::Id(id) => {
            let item = view.index.by_id(id).ok_or_else(not_found)?;
            view.key_of_item(item).ok_or_else(not_found)?;
            item
        }
        Target::Place(_) | Target::Rev(_) => {
            let place = place(view, target)?;
            let (item, _) = place.latest(view.world.seq()).ok_or_else(not_found)?;
            item
        }
    };
    if view.is_folder(item) {
        return Err(Problem::path("not_file"));
    }
    let kept = kept(view, item);
    let all: Vec<usize> = (0..kept.len())
        .filter(|place| kept.get(*place).copied().unwrap_or_default())
        .collect();
    let revisions = all
        .iter()
        .rev()
        .take(limit)
        .copied()
        .map(|place| RevisionAt { item, place })
        .collect();
    Ok(Answer {
        revisions,
        has_more: all.len() > limit,
        left: left_everywhere(view, item),
        told: Told::Yes,
    })
}

/// How an item that is nowhere any more left its last place.
fn left_everywhere(view: &View<'_>, item: ItemNo) -> Option<Leaving> {
    if view.world.is_visible(item) {
        return None;
    }
    let last = view.index.head(item, view.world.seq())?;
    view.index
        .place(&key_of(&last.path))
        .and_then(|place| place.left_after(last.seq))
}
