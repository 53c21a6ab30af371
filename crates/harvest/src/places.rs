//! A feed that names deleted things by place only: tombstones are matched with what was known to live there, and revision lists of
//! places tell of items that came and went between two looks.
//!
//! Three steps: [`PlaceRound`] collapses the feed to what each place holds at its end; [`PlaceRound::settle`] compares places with
//! the known occupants and says what to ask; [`lives`] turns revision lists into events.

pub mod lives;
mod settle;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use revtrail_connector::change::{Change, Location, Seen};
use revtrail_model::{
    event::ItemKind,
    id::{ItemId, PlaceKey},
    time::Timestamp,
};

pub use settle::{Departed, PlacesSettled};

use crate::{
    error::HarvestError,
    inventory::{Interner, Inventory, Item, Status},
    meta::Meta,
    spool::{Source, Spool},
};

/// What a place holds at the end of a round.
#[derive(Debug, Clone)]
pub struct Viewed {
    /// The item there; `None` for a place left empty.
    pub holds: Option<Meta>,
    /// Where its raw record is.
    pub source: Source,
    /// The provider's clock when it was shown.
    pub seen_at: Timestamp,
    /// True when the feed named this place itself as empty (not through a folder above it).
    pub named: bool,
}

/// Entries of a round, by place.
#[derive(Debug, Default)]
pub struct PlaceRound {
    view: BTreeMap<PlaceKey, Viewed>,
    interner: Interner,
    /// Every item the round showed.
    seen: BTreeSet<ItemId>,
}

impl PlaceRound {
    /// Applies one entry of a listing that is compared with what is known: as [`PlaceRound::take`], but leaves out what is as known,
    /// and places where nothing was known to live: such a listing names every place ever left empty.
    pub fn take_differing(
        &mut self,
        change: Change,
        seen_at: Timestamp,
        (root, spool): (&PlaceKey, &mut Spool),
        inventory: &Inventory,
    ) -> Result<(), HarvestError> {
        let is_known = match &change.seen {
            Seen::Present(meta) => match &meta.location {
                Location::Place { key, .. } if !self.has_view_of(key) => {
                    let marker = meta.head.as_ref().map(|head| head.marker.as_str());
                    let same = |item: &Item| {
                        item.status == Status::Inside
                            && item.place.as_ref() == Some(key)
                            && item.kind == meta.kind
                            && (meta.name.is_none() || item.name.as_deref() == meta.name.as_deref())
                            && item.has_content(marker)
                    };
                    let same = inventory.item(&meta.id).is_some_and(same);
                    if same {
                        self.seen.insert(meta.id.clone());
                    }
                    same
                }
                _ => false,
            },
            Seen::Vacated { place, .. } => {
                !self.has_view_of(place) && inventory.occupants_within(place).is_empty()
            }
            _ => false,
        };
        if is_known {
            return Ok(());
        }
        self.take(change, seen_at, (root, spool))
    }

    /// Whether the round showed this place, or one below it.
    fn has_view_of(&self, place: &PlaceKey) -> bool {
        let below = PlaceKey::from(format!("{place}/"))..PlaceKey::from(format!("{place}0"));
        self.view.contains_key(place) || self.view.range(below).next().is_some()
    }

    /// Forgets what a later feed tells better: its places, what is below those that it vacated, and its items, which count as seen.
    pub fn leave_to(&mut self, later: &Self) {
        let settled = |place: &PlaceKey| {
            let mut at = Some(place.clone());
            let mut is_itself = true;
            while let Some(here) = at {
                let told = later.view.get(&here);
                let clears = |viewed: &Viewed| {
                    viewed
                        .holds
                        .as_ref()
                        .is_none_or(|meta| meta.kind != ItemKind::Folder)
                };
                if told.is_some_and(|viewed| is_itself || clears(viewed)) {
                    return true;
                }
                is_itself = false;
                at = parent_place(&here);
            }
            false
        };
        self.view.retain(|place, viewed| {
            let is_told = |meta: &Meta| later.seen.contains(&meta.id);
            !settled(place) && !viewed.holds.as_ref().is_some_and(is_told)
        });
        self.seen.extend(later.seen.iter().cloned());
    }

    /// How many items the round showed.
    pub fn items(&self) -> usize {
        self.seen.len()
    }

    /// Applies one feed entry, in order: a file takes its place and clears what was below, a folder takes its place, a tombstone clears
    /// the place and everything below (Dropbox `list_folder`).
    pub fn take(
        &mut self,
        change: Change,
        seen_at: Timestamp,
        (root, spool): (&PlaceKey, &mut Spool),
    ) -> Result<(), HarvestError> {
        let (place, holds) = match change.seen {
            Seen::Present(meta) => match &meta.location {
                Location::Place { key, .. } => (key.clone(), Some(meta)),
                // Not mounted for this account: nowhere in the folder.
                Location::Parent(_) => return Ok(()),
            },
            Seen::Vacated { place, .. } => (place, None),
            Seen::Trashed(..) | Seen::Deleted { .. } | Seen::Lost { .. } => return Ok(()),
        };
        if place == *root || !place.is_below(root) {
            return Ok(());
        }
        let mut source = spool.put(&change.raw)?;
        self.interner.source(&mut source);
        let holds = holds.map(|meta| Meta::keep(meta, &mut self.interner));
        if holds.as_ref().is_none_or(|meta| meta.kind != ItemKind::Folder) {
            self.clear_below(&place);
        }
        if let Some(meta) = &holds {
            self.seen.insert(meta.id.clone());
        }
        self.view.insert(
            place,
            Viewed {
                named: holds.is_none(),
                holds,
                source,
                seen_at,
            },
        );
        Ok(())
    }

    fn clear_below(&mut self, place: &PlaceKey) {
        let below = PlaceKey::from(format!("{place}/"))..PlaceKey::from(format!("{place}0"));
        for (_, viewed) in self.view.range_mut(below) {
            if viewed.holds.take().is_some() {
                viewed.named = true;
            }
        }
    }

    /// Where each item shown is at the end of the round.
    fn present(&self) -> HashMap<&ItemId, (&PlaceKey, &Viewed)> {
        self.view
            .iter()
            .filter_map(|(place, viewed)| viewed.holds.as_ref().map(|meta| (&meta.id, (place, viewed))))
            .collect()
    }
}

/// The place above a place.
pub fn parent_place(place: &PlaceKey) -> Option<PlaceKey> {
    place
        .as_str()
        .rsplit_once('/')
        .map(|(parent, _)| PlaceKey::from(parent))
}
