//! The past of a world as revisions of files and stays of items at places.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::dropbox::ids::{RevClock, RevNumber};
use crate::world::{Actor, Item, ItemNo, Op, Save, What, World};

/// A path without letter case, from the root, without a leading `/`.
pub(super) type Place = String;

/// One revision of a file: a save, or the same content at another place or back again.
#[derive(Debug, Clone)]
pub(super) struct Revision {
    pub(super) number: RevNumber,
    pub(super) at: Timestamp,
    pub(super) actor: Arc<Actor>,
    /// As displayed.
    pub(super) path: Arc<str>,
    pub(super) save: Save,
}

impl Revision {
    pub(super) fn place(&self) -> Place {
        self.path.to_lowercase()
    }
}

/// How a stay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    NotYet,
    Moved,
    Deleted(Timestamp),
}

/// An item at a place for a while.
#[derive(Debug, Clone)]
pub(super) struct Stay {
    pub(super) item: ItemNo,
    pub(super) is_folder: bool,
    pub(super) end: End,
}

/// Grows with the world.
#[derive(Debug, Default)]
pub(super) struct Past {
    read_to: u64,
    clock: RevClock,
    /// Where each visible item is.
    whereabouts: BTreeMap<ItemNo, Place>,
    stays: BTreeMap<Place, Vec<Stay>>,
    revisions: BTreeMap<ItemNo, Vec<Revision>>,
    revisions_at: BTreeMap<Place, Vec<(ItemNo, usize)>>,
    /// Places where something changed since the last call of [`Past::take_touched`].
    touched: BTreeSet<Place>,
}

impl Past {
    /// Takes in what happened since the last call.
    pub(super) fn read(&mut self, world: &World) {
        for op in world.ops_since(self.read_to) {
            self.add(world, op);
        }
        self.read_to = world.seq();
    }

    fn add(&mut self, world: &World, op: &Op) {
        let taken_along = op.affected.iter().map(|one| (one.item, &one.path));
        for (item, path) in std::iter::once((op.item, &op.path)).chain(taken_along) {
            let place = path.to_lowercase();
            match op.what {
                // Another spelling of the same place is no move to Dropbox.
                What::Moved { .. } if self.whereabouts.get(&item) == Some(&place) => {}
                What::Created | What::Restored | What::Moved { .. } => {
                    self.depart(item, End::Moved);
                    self.arrive(world, item, place);
                    self.revise(world, op, item, path);
                }
                // Content that is there already is not written again.
                What::Saved if world.item(item).is_some_and(|item| item.is_repeated(op.seq)) => {}
                What::Saved => self.revise(world, op, item, path),
                What::Deleted => self.depart(item, End::Deleted(op.at)),
            }
        }
    }

    fn depart(&mut self, item: ItemNo, end: End) {
        let Some(place) = self.whereabouts.remove(&item) else {
            return;
        };
        let stay = self
            .stays
            .get_mut(&place)
            .and_then(|stays| stays.last_mut())
            .filter(|stay| stay.item == item);
        if let Some(stay) = stay {
            stay.end = end;
            self.touched.insert(place);
        }
    }

    fn arrive(&mut self, world: &World, item: ItemNo, place: Place) {
        let is_folder = world.item(item).is_some_and(Item::is_folder);
        self.stays.entry(place.clone()).or_default().push(Stay {
            item,
            is_folder,
            end: End::NotYet,
        });
        self.touched.insert(place.clone());
        self.whereabouts.insert(item, place);
    }

    /// Adds a revision with the content the file had at the operation; folders have none.
    fn revise(&mut self, world: &World, op: &Op, no: ItemNo, path: &Arc<str>) {
        let Some(save) = world
            .item(no)
            .and_then(|item| item.saves.get(item.content_from(op.seq)?))
        else {
            return;
        };
        let revision = Revision {
            number: self.clock.next(op.at),
            at: op.at,
            actor: Arc::clone(&op.actor),
            path: Arc::clone(path),
            save: save.clone(),
        };
        let place = revision.place();
        let revisions = self.revisions.entry(no).or_default();
        self.revisions_at
            .entry(place.clone())
            .or_default()
            .push((no, revisions.len()));
        self.touched.insert(place);
        revisions.push(revision);
    }

    pub(super) fn take_touched(&mut self) -> BTreeSet<Place> {
        std::mem::take(&mut self.touched)
    }

    /// Revisions of a file, oldest first.
    pub(super) fn revisions(&self, item: ItemNo) -> &[Revision] {
        self.revisions.get(&item).map_or(&[], Vec::as_slice)
    }

    /// Who is or was last at a place.
    pub(super) fn last_stay(&self, place: &str) -> Option<&Stay> {
        self.stays.get(place).and_then(|stays| stays.last())
    }

    /// Whether somebody is there now.
    pub(super) fn is_taken(&self, place: &str) -> bool {
        self.last_stay(place).is_some_and(|stay| stay.end == End::NotYet)
    }

    /// Every place that ever was, in order.
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.stays.keys()
    }

    /// What path mode answers for a place: revisions of any file as (file, which of its revisions); nothing for a place that
    /// is or last was a folder's.
    pub(super) fn path_mode(&self, place: &str) -> &[(ItemNo, usize)] {
        match self.last_stay(place) {
            Some(stay) if !stay.is_folder => self.revisions_at.get(place).map_or(&[], Vec::as_slice),
            _ => &[],
        }
    }
}
