//! Comparing places with their known occupants.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use revtrail_model::{
    event::{Action, Event, ItemKind},
    id::{ItemId, PlaceKey},
    time::Timestamp,
};

use super::{PlaceRound, Viewed, parent_place};
use crate::{
    facts::{Frame, Subject, set_path, state_marker},
    inventory::{Inventory, Item, Pending, Status},
    meta::Meta,
    spool::Source,
};

/// An item that is no longer at its known place, nor anywhere the round showed.
#[derive(Debug, Clone)]
pub struct Departed {
    /// The item.
    pub id: ItemId,
    /// Its kind.
    pub kind: ItemKind,
    /// The folder whose tombstone took it along.
    pub through: Option<ItemId>,
    /// The entry that showed it.
    pub source: Source,
    /// The provider's clock then.
    pub seen_at: Timestamp,
}

/// What a round changes and what must be asked.
#[derive(Debug, Default)]
pub struct PlacesSettled {
    /// Facts about folders.
    pub events: Vec<Event>,
    /// Items to put into the inventory.
    pub items: HashMap<ItemId, Item>,
    /// Places whose revisions must be listed: left empty, or with another occupant than known.
    pub ask: BTreeMap<PlaceKey, (Source, Timestamp)>,
    /// Items that are gone from their places.
    pub departed: BTreeMap<ItemId, Departed>,
    /// Items the round showed, so that a revision list of a place does not treat them as gone.
    pub present: BTreeSet<ItemId>,
    /// Every item the round showed, also where it no longer was at the end.
    pub seen: BTreeSet<ItemId>,
}

struct Settle<'a> {
    frame: &'a Frame,
    inventory: &'a Inventory,
    view: &'a BTreeMap<PlaceKey, Viewed>,
    present: HashMap<&'a ItemId, (&'a PlaceKey, &'a Viewed)>,
    out: PlacesSettled,
}

impl PlaceRound {
    /// Compares the round with what was known.
    pub fn settle(mut self, frame: &Frame, inventory: &Inventory) -> PlacesSettled {
        let seen = std::mem::take(&mut self.seen);
        let present = self.present();
        let out = PlacesSettled {
            seen,
            present: present.keys().map(|id| (*id).clone()).collect(),
            ..PlacesSettled::default()
        };
        let mut settle = Settle {
            frame,
            inventory,
            view: &self.view,
            present,
            out,
        };
        for (place, viewed) in &self.view {
            settle.departures(place, viewed);
            match &viewed.holds {
                None => settle.vacant(place, viewed),
                Some(meta) if meta.kind == ItemKind::Folder => settle.folder(place, viewed, meta),
                Some(meta) => settle.file(place, viewed, meta),
            }
        }
        settle.out
    }
}

impl Settle<'_> {
    /// Known occupants that this entry displaces and that the round shows nowhere else.
    fn departures(&mut self, place: &PlaceKey, viewed: &Viewed) {
        let holder = viewed.holds.as_ref();
        let whole_subtree = holder.is_none_or(|meta| meta.kind != ItemKind::Folder);
        let affected = if whole_subtree {
            self.inventory.occupants_within(place)
        } else {
            self.inventory
                .occupant(place)
                .map(|id| (place.clone(), id.clone()))
                .into_iter()
                .collect()
        };
        let through = self
            .inventory
            .occupant(place)
            .filter(|id| self.is_folder(id))
            .cloned();
        for (at, id) in affected {
            if self.present.contains_key(&id) {
                continue;
            }
            let kind = self.inventory.item(&id).map_or(ItemKind::Other, |item| item.kind);
            if kind != ItemKind::Folder {
                self.out
                    .ask
                    .insert(at.clone(), (viewed.source.clone(), viewed.seen_at));
            }
            let through = through.clone().filter(|folder| *folder != id);
            let departed = Departed {
                id: id.clone(),
                kind,
                through,
                source: viewed.source.clone(),
                seen_at: viewed.seen_at,
            };
            self.out.departed.entry(id).or_insert(departed);
        }
    }

    fn is_folder(&self, id: &ItemId) -> bool {
        self.inventory
            .item(id)
            .is_some_and(|item| item.kind == ItemKind::Folder)
    }

    /// A place left empty: whatever lived there between two looks is in its revision list, unless it was a known folder.
    fn vacant(&mut self, place: &PlaceKey, viewed: &Viewed) {
        let was_folder = self
            .inventory
            .occupant(place)
            .is_some_and(|id| self.is_folder(id));
        if viewed.named && !was_folder {
            self.out
                .ask
                .insert(place.clone(), (viewed.source.clone(), viewed.seen_at));
        }
    }

    fn folder(&mut self, place: &PlaceKey, viewed: &Viewed, meta: &Meta) {
        let old = self.inventory.item(&meta.id);
        let mut item = old.cloned().unwrap_or_else(|| Item::new(ItemKind::Folder));
        let before = old.and_then(|old| old.path.as_deref());
        let action = match old.map(|old| old.status) {
            None if self.frame.baseline => None,
            None => Some(Action::Created),
            Some(Status::Inside) => self
                .folder_step(place, meta, &item)
                .or_else(|| self.respelling(place, meta, &item)),
            Some(Status::Outside) => Some(Action::MovedIn),
            Some(Status::Deleted | Status::Trashed | Status::Lost) => Some(Action::Restored),
        };
        settle_place(&mut item, place, meta);
        if let Some(action) = action {
            let marker = state_marker(item.changes);
            item.changes += 1;
            let subject = Subject {
                item: &meta.id,
                kind: ItemKind::Folder,
                marker: &marker,
            };
            let mut event =
                self.frame
                    .fact(subject, action, self.frame.bounds(viewed.seen_at), &viewed.source);
            let moved =
                before.filter(|before| Some(*before) != item.path.as_deref() && action != Action::Created);
            let path = item.path.as_deref().map(str::to_owned);
            set_path(&mut event, path, moved.map(str::to_owned));
            self.out.events.push(event);
        }
        self.out.items.insert(meta.id.clone(), item);
    }

    /// Renamed or moved, unless it only went along with the folder it is in.
    fn folder_step(&self, place: &PlaceKey, meta: &Meta, old: &Item) -> Option<Action> {
        let former = old.place.as_ref().filter(|former| *former != place)?;
        let old_parent = parent_place(former).and_then(|parent| self.inventory.occupant(&parent));
        let new_parent_place = parent_place(place);
        let new_parent = new_parent_place.as_ref().and_then(|parent| self.holder(parent));
        if old_parent != new_parent {
            return Some(Action::Moved);
        }
        (old.name != meta.name).then_some(Action::Renamed)
    }

    /// Renamed to the same place: only letters changed their case, which the feed never tells and a full listing does.
    fn respelling(&self, place: &PlaceKey, meta: &Meta, old: &Item) -> Option<Action> {
        let is_respelled = self.frame.reconciled
            && old.status == Status::Inside
            && old.place.as_ref() == Some(place)
            && meta.name.is_some()
            && old.name != meta.name;
        is_respelled.then_some(Action::Renamed)
    }

    fn holder(&self, place: &PlaceKey) -> Option<&ItemId> {
        match self.view.get(place) {
            Some(viewed) => viewed.holds.as_ref().map(|meta| &meta.id),
            None => self.inventory.occupant(place),
        }
    }

    fn file(&mut self, place: &PlaceKey, viewed: &Viewed, meta: &Meta) {
        let old = self.inventory.item(&meta.id);
        let mut item = old.cloned().unwrap_or_else(|| Item::new(meta.kind));
        if self.inventory.occupant(place) != Some(&meta.id) {
            self.out
                .ask
                .insert(place.clone(), (viewed.source.clone(), viewed.seen_at));
        }
        let marker = meta.marker();
        let was_gone = item.status != Status::Inside;
        let was_deleted = matches!(item.status, Status::Deleted | Status::Trashed | Status::Lost);
        if meta.kind == ItemKind::File && (old.is_none() || was_gone || item.marker.as_deref() != marker) {
            let former = item.pending.take();
            item.pending = Some(Box::new(Pending {
                details: meta.details.clone(),
                raw: viewed.source.raw,
                operation: viewed.source.operation.clone(),
                request_id: viewed.source.request_id.clone(),
                baseline: self.frame.baseline || former.as_ref().is_some_and(|former| former.baseline),
                reconciled: self.frame.reconciled || former.as_ref().is_some_and(|former| former.reconciled),
                was_gone: former.map_or(was_deleted, |former| former.was_gone),
                ..Pending::default()
            }));
        }
        if let Some(action) = self.respelling(place, meta, &item) {
            let former = item.path.as_deref().map(str::to_owned);
            let marker = state_marker(item.changes);
            item.changes += 1;
            let subject = Subject {
                item: &meta.id,
                kind: meta.kind,
                marker: &marker,
            };
            let bounds = self.frame.bounds(viewed.seen_at);
            let mut event = self.frame.fact(subject, action, bounds, &viewed.source);
            set_path(&mut event, meta.path.as_deref().map(str::to_owned), former);
            self.out.events.push(event);
        }
        // Place and path move on at once; the revisions that say when are listed later and carry their own paths.
        settle_place(&mut item, place, meta);
        self.out.items.insert(meta.id.clone(), item);
    }
}

fn settle_place(item: &mut Item, place: &PlaceKey, meta: &Meta) {
    item.status = Status::Inside;
    item.place = Some(place.clone());
    item.path.clone_from(&meta.path);
    item.name = meta.name.clone().or(item.name.take());
    item.kind = meta.kind;
}
