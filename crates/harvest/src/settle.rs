//! State differences of a feed that names items by id: names, places, deletions, restorations.
//!
//! Pure: takes a finished round and what was known before, returns events and what is known now.

mod below;
mod state;

use std::collections::{BTreeSet, HashMap};

use revtrail_connector::{FolderRoot, change::TrashedThrough};
use revtrail_model::{
    event::{Action, Basis, Event, ItemKind, Occurred, TimeSource},
    id::ItemId,
    time::Timestamp,
};

use crate::{
    facts::{Frame, Subject, set_actor, set_path, state_marker},
    inventory::{Inventory, Item, Status, Tree},
    round::{Entry, Overlay, Shown, Standing},
};

/// What a round changes.
#[derive(Debug, Default)]
pub struct Settled {
    /// Facts.
    pub events: Vec<Event>,
    /// Items to put into the inventory.
    pub items: HashMap<ItemId, Item>,
    /// Folders that came into view with contents the feed does not list: walk them.
    pub walk: BTreeSet<ItemId>,
}

/// How an item got from its former standing to its present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// In the folder for the first time.
    Entered,
    /// In the folder before and now.
    Stayed,
    /// Live in the folder before, live outside now.
    Left,
    /// Into the bin.
    Trashed,
    /// Back from the bin, from deletion or from not being shown.
    Restored,
    /// Deleted.
    Deleted,
    /// No longer shown to us.
    Lost,
    /// Outside the folder before and now.
    Elsewhere,
}

/// One round being settled.
pub struct Settle<'a> {
    /// Shared fields.
    pub frame: &'a Frame,
    /// The folder.
    pub root: &'a FolderRoot,
    /// What was known before.
    pub inventory: &'a Inventory,
    /// The round's entries.
    pub entries: HashMap<ItemId, Entry>,
    /// The folder whose arrival brought these entries, when they come from walking it.
    pub cause: Option<&'a ItemId>,
}

impl Settle<'_> {
    /// Compares every entry with what was known.
    pub fn settle(self) -> Settled {
        let mut settled = Settled::default();
        let mut entries: Vec<(&ItemId, &Entry)> = self.entries.iter().collect();
        entries.sort_by_key(|(id, _)| *id);
        settled.items.reserve(entries.len());
        for (id, entry) in entries {
            self.settle_entry(id, entry, &mut settled);
        }
        self.settle_below(&mut settled);
        settled
    }

    fn overlay(&self) -> Overlay<'_> {
        Overlay {
            entries: &self.entries,
            inventory: self.inventory,
        }
    }

    fn settle_entry(&self, id: &ItemId, entry: &Entry, settled: &mut Settled) {
        let old = self.inventory.item(id);
        let step = step(old, &entry.shown, self.overlay().standing(id, self.root));
        let mut item = self.next_item(id, entry, step);
        match step {
            Step::Entered => self.entered(id, entry, &mut item, settled),
            Step::Stayed => self.stayed(id, entry, &mut item, settled),
            Step::Elsewhere => {}
            Step::Left | Step::Trashed | Step::Restored | Step::Deleted | Step::Lost => {
                self.crossed(id, entry, step, (&mut item, settled));
            }
        }
        if step != Step::Elsewhere || item.kind == ItemKind::Folder || item.is_recorded() {
            settled.items.insert(id.clone(), item);
        }
    }

    /// An item in the folder for the first time.
    fn entered(&self, id: &ItemId, entry: &Entry, item: &mut Item, settled: &mut Settled) {
        if let Shown::Deleted { .. } = entry.shown {
            // Created and deleted since the look before: all there is, is the tombstone.
            let event = self.change(id, entry, item, Action::Deleted);
            settled.events.push(event);
            return;
        }
        let path = Tree::new(&self.overlay(), &self.root.item).path(id);
        let existed = self.existed_before(id, entry);
        if existed {
            let mut event = self.change(id, entry, item, Action::MovedIn);
            set_path(&mut event, path.clone(), None);
            event.derived_from = self.cause_of_arrival(id).map(|id| id.to_string());
            settled.events.push(event);
            if item.kind == ItemKind::Folder && self.cause.is_none() {
                settled.walk.insert(id.clone());
            }
        }
        if !existed
            && item.kind != ItemKind::File
            && let Some(event) = self.creation(id, entry, path.clone())
        {
            settled.events.push(event);
        }
        if let Shown::Trashed(..) = entry.shown {
            settled.events.push(self.trashing(id, entry, item));
        }
    }

    /// An item in the folder before and now: renamed, moved, or only its content changed.
    fn stayed(&self, id: &ItemId, entry: &Entry, item: &mut Item, settled: &mut Settled) {
        if item.status == Status::Inside {
            self.placed(id, entry, item, settled);
        }
    }

    /// Another name or parent within the folder.
    fn placed(&self, id: &ItemId, entry: &Entry, item: &mut Item, settled: &mut Settled) {
        let Some(old) = self.inventory.item(id) else {
            return;
        };
        let action = if old.parent != item.parent {
            Action::Moved
        } else if old.name != item.name {
            Action::Renamed
        } else {
            return;
        };
        let mut event = self.change(id, entry, item, action);
        let before = self.inventory.tree(self.root).path(id);
        set_path(
            &mut event,
            Tree::new(&self.overlay(), &self.root.item).path(id),
            before,
        );
        settled.events.push(event);
    }

    /// An item that left, went, or came back.
    fn crossed(&self, id: &ItemId, entry: &Entry, step: Step, (item, settled): (&mut Item, &mut Settled)) {
        if step == Step::Trashed {
            // The bin shows the name and parent an item had last: what it was renamed to before is told, too.
            if self
                .inventory
                .item(id)
                .is_some_and(|old| old.status == Status::Inside)
            {
                self.placed(id, entry, item, settled);
            }
            settled.events.push(self.trashing(id, entry, item));
            return;
        }
        let Some(action) = action_of(step) else { return };
        let before = self.inventory.tree(self.root).path(id);
        let mut event = self.change(id, entry, item, action);
        if step == Step::Restored {
            let now = Tree::new(&self.overlay(), &self.root.item).path(id);
            let moved = before.filter(|before| Some(before) != now.as_ref());
            set_path(&mut event, now, moved);
        } else {
            set_path(&mut event, before, None);
            // A tombstone of its own is the provider's word; leaving follows from the folder.
            if step == Step::Left {
                event.derived_from = self.ancestor_with(id, step).map(|id| id.to_string());
            }
        }
        settled.events.push(event);
    }

    fn trashing(&self, id: &ItemId, entry: &Entry, item: &mut Item) -> Event {
        let mut event = self.change(id, entry, item, Action::Trashed);
        set_path(
            &mut event,
            Tree::new(&self.overlay(), &self.root.item).path(id),
            None,
        );
        event.derived_from = item.trashed_through.as_ref().map(ToString::to_string);
        if let Shown::Trashed(_, how) = &entry.shown
            && how.through == TrashedThrough::Itself
        {
            if let Some(at) = how.at {
                event.occurred = Occurred::At {
                    at,
                    source: TimeSource::Server,
                };
                event.basis = Basis::Reported;
            }
            set_actor(&mut event, how.actor.clone());
        }
        event
    }

    /// A state change of one item, numbered.
    fn change(&self, id: &ItemId, entry: &Entry, item: &mut Item, action: Action) -> Event {
        let marker = state_marker(item.changes);
        item.changes += 1;
        let subject = Subject {
            item: id,
            kind: item.kind,
            marker: &marker,
        };
        self.frame
            .fact(subject, action, self.frame.bounds(entry.seen_at), &entry.source)
    }

    /// The creation of an item as the item itself tells it.
    fn creation(&self, id: &ItemId, entry: &Entry, path: Option<String>) -> Option<Event> {
        let meta = entry.shown.meta()?;
        let created = meta.details.created.as_ref()?;
        let occurred = Occurred::At {
            at: created.at,
            source: created.source,
        };
        let subject = Subject {
            item: id,
            kind: meta.kind,
            marker: "created",
        };
        let mut event = self.frame.fact(subject, Action::Created, occurred, &entry.source);
        event.basis = Basis::Reported;
        event.mime_type = meta.details.mime_type.as_deref().map(str::to_owned);
        set_actor(&mut event, created.by.as_deref().map(Into::into));
        set_path(&mut event, path, None);
        Some(event)
    }

    /// True when an item not known in the folder existed before the look before, so that it came from outside.
    fn existed_before(&self, id: &ItemId, entry: &Entry) -> bool {
        let Some(previous) = self.frame.previous else {
            return false;
        };
        if self.inventory.item(id).is_some() {
            return true;
        }
        entry
            .shown
            .meta()
            .and_then(|meta| meta.details.created.as_ref())
            .is_some_and(|created| created.at <= previous)
    }
}

fn action_of(step: Step) -> Option<Action> {
    match step {
        Step::Left => Some(Action::MovedOut),
        Step::Trashed => Some(Action::Trashed),
        Step::Restored => Some(Action::Restored),
        Step::Deleted => Some(Action::Deleted),
        Step::Lost => Some(Action::AccessLost),
        Step::Entered | Step::Stayed | Step::Elsewhere => None,
    }
}

fn step(old: Option<&Item>, shown: &Shown, standing: Standing) -> Step {
    let inside = standing == Standing::Inside;
    let status = old.map_or(Status::Outside, |item| item.status);
    match (status, shown) {
        (Status::Inside, Shown::Present(_)) if inside => Step::Stayed,
        (Status::Trashed | Status::Deleted | Status::Lost, Shown::Present(_)) if inside => Step::Restored,
        (Status::Inside | Status::Trashed | Status::Deleted | Status::Lost, Shown::Present(_)) => Step::Left,
        (Status::Inside | Status::Deleted | Status::Lost, Shown::Trashed(..)) => Step::Trashed,
        (Status::Trashed, Shown::Trashed(..)) => Step::Stayed,
        (Status::Inside | Status::Trashed, Shown::Deleted { .. }) => Step::Deleted,
        (Status::Inside | Status::Trashed, Shown::Lost) => Step::Lost,
        (Status::Outside, Shown::Present(_) | Shown::Trashed(..) | Shown::Deleted { .. }) if inside => {
            Step::Entered
        }
        _ => Step::Elsewhere,
    }
}

/// Known live items that a full listing left out: no longer shown to us, at an unknown time since the look before.
pub fn unlisted(
    frame: &Frame,
    root: &FolderRoot,
    inventory: &Inventory,
    (seen, seen_at): (&BTreeSet<ItemId>, Timestamp),
) -> Settled {
    let mut settled = Settled::default();
    let tree = inventory.tree(root);
    let source = crate::spool::Source {
        raw: None,
        operation: "full_listing".into(),
        request_id: None,
    };
    for (id, known) in inventory.items() {
        if !matches!(known.status, Status::Inside | Status::Trashed) || seen.contains(id) {
            continue;
        }
        let mut item = known.clone();
        let marker = state_marker(item.changes);
        item.changes += 1;
        item.status = Status::Lost;
        item.pending = None;
        let subject = Subject {
            item: id,
            kind: item.kind,
            marker: &marker,
        };
        let mut event = frame.fact(subject, Action::AccessLost, frame.bounds(seen_at), &source);
        set_path(
            &mut event,
            known.path.as_deref().map(str::to_owned).or_else(|| tree.path(id)),
            None,
        );
        event.derived_from = Some("full_listing".into());
        settled.events.push(event);
        settled.items.insert(id.clone(), item);
    }
    settled
}

#[cfg(test)]
mod tests;
