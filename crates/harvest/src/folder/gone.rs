//! Items that are no longer in a folder whose feed goes by places: their last revisions there, and how they went.

use std::collections::{BTreeMap, BTreeSet};

use revtrail_connector::change::{Presence, Revision, RevisionList};
use revtrail_model::{
    event::{Action, Basis, ItemKind, Occurred, TimeSource},
    id::ItemId,
    time::Timestamp,
};

use super::{FolderRun, by_place::placement};
use crate::{
    error::HarvestError,
    facts::{Frame, Subject, set_path, state_marker},
    inventory::{Item, Status},
    places::{
        Departed, PlacesSettled,
        lives::{Life, Standing},
    },
    revisions::{remember_content, unlisted, vanished},
    snapshot::Draft,
    spool::Source,
};

/// What place lists told of items that are gone.
#[derive(Default)]
pub(super) struct Gone {
    pub(super) revisions: BTreeMap<ItemId, Vec<Revision>>,
    pub(super) deleted_at: BTreeMap<ItemId, Timestamp>,
    pub(super) shown_by: BTreeMap<ItemId, (Source, Timestamp)>,
    /// Items that exist outside the folder.
    pub(super) elsewhere: BTreeSet<ItemId>,
}

impl FolderRun<'_> {
    pub(super) fn take_departed(&mut self, id: &ItemId, list: RevisionList, gone: &mut Gone) {
        self.count_list(&list);
        match list.now {
            Presence::NotAFile => {
                gone.elsewhere.insert(id.clone());
            }
            Presence::Live | Presence::NotTold => {
                gone.elsewhere.insert(id.clone());
                gone.revisions.insert(id.clone(), list.revisions);
            }
            Presence::Deleted { at } => {
                if let Some(at) = at {
                    gone.deleted_at.insert(id.clone(), at);
                }
                if !list.revisions.is_empty() {
                    gone.revisions.insert(id.clone(), list.revisions);
                }
            }
            Presence::Left | Presence::Gone => {}
        }
    }

    /// Facts about items that are no longer in the folder: their last revisions there and how they went.
    pub(super) fn record_gone(
        &mut self,
        frame: &Frame,
        settled: &PlacesSettled,
        mut gone: Gone,
        draft: &mut Draft,
    ) -> Result<(), HarvestError> {
        let mut ids: BTreeSet<ItemId> = gone.revisions.keys().cloned().collect();
        ids.extend(settled.departed.keys().cloned());
        for id in ids {
            let mut revisions = gone.revisions.remove(&id).unwrap_or_default();
            revisions.sort_by_key(|revision| revision.at);
            let known = self.inventory.item(&id).cloned();
            let recorded_gone = self.is_recorded_gone(&id);
            let last_place = known.as_ref().and_then(placement);
            let life = Life {
                frame,
                id: &id,
                known: known.as_ref(),
                before: Standing::of(recorded_gone),
                last_place,
            };
            let events = life.take(&revisions, &mut draft.spool)?;
            let nothing_new = events.is_empty() && recorded_gone;
            let left_by_revision = events
                .last()
                .is_some_and(|event| event.action == Action::MovedOut);
            let path = last_path(&revisions, known.as_ref());
            self.events.extend(events);
            let mut item = known.unwrap_or_else(|| Item::new(ItemKind::File));
            let shown_by = settled.departed.get(&id).map(|departed| &departed.source);
            let shown_by = shown_by.or_else(|| gone.shown_by.get(&id).map(|(source, _)| source));
            if let Some(source) = shown_by {
                // The list of a place leaves out what was saved elsewhere; but where the item was last, its newest revision was, too.
                let mut missing = unlisted(&item, &revisions);
                missing.retain(|missing| item.revisions.last().is_some_and(|last| last.id == *missing));
                self.counted.vanished += missing.len() as u64;
                let subject = (&id, path.as_deref());
                let told = vanished(frame, subject, (&mut item, missing), source);
                self.events.extend(told);
            }
            remember_content(&mut item, &revisions);
            item.pending = None;
            if !nothing_new {
                let departed = settled.departed.get(&id);
                let last = Last {
                    id: &id,
                    path,
                    departed,
                    left_by_revision,
                };
                self.record_departure(frame, &gone, last, &mut item);
            }
            self.inventory.put(id, item);
        }
        Ok(())
    }

    fn record_departure(&mut self, frame: &Frame, gone: &Gone, last: Last<'_>, item: &mut Item) {
        let outside = gone.elsewhere.contains(last.id);
        item.status = if outside { Status::Outside } else { Status::Deleted };
        item.path = last.path.as_deref().map(Into::into);
        if last.left_by_revision && outside {
            return;
        }
        let action = if outside {
            Action::MovedOut
        } else {
            Action::Deleted
        };
        let shown = last
            .departed
            .map(|departed| (departed.source.clone(), departed.seen_at));
        let Some((source, seen_at)) = shown.or_else(|| gone.shown_by.get(last.id).cloned()) else {
            return;
        };
        let deleted_at = gone.deleted_at.get(last.id).filter(|_| !outside);
        let occurred = deleted_at.map_or_else(
            || frame.bounds(seen_at),
            |at| Occurred::At {
                at: *at,
                source: TimeSource::Server,
            },
        );
        let marker = state_marker(item.changes);
        item.changes += 1;
        let subject = Subject {
            item: last.id,
            kind: item.kind,
            marker: &marker,
        };
        let mut event = frame.fact(subject, action, occurred, &source);
        event.derived_from = last
            .departed
            .and_then(|departed| departed.through.as_ref())
            .map(ToString::to_string);
        if deleted_at.is_some() && event.derived_from.is_none() {
            event.basis = Basis::Reported;
        }
        set_path(&mut event, last.path, None);
        self.events.push(event);
    }
}

struct Last<'a> {
    id: &'a ItemId,
    path: Option<String>,
    departed: Option<&'a Departed>,
    left_by_revision: bool,
}

/// The last place in the folder that the revisions tell of, or that was known.
fn last_path(revisions: &[Revision], known: Option<&Item>) -> Option<String> {
    let told = revisions
        .iter()
        .rev()
        .find_map(|revision| revision.place.as_ref()?.path.clone());
    told.or_else(|| known.and_then(|item| item.path.as_deref()).map(str::to_owned))
}
