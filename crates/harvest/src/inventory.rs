//! What a run must know of each item to tell what changed: the *inventory*.
//!
//! It is rebuilt from the state objects of the record (one base and the deltas after it), never from local disk, and holds one
//! [`Item`] per file or folder ever seen in the designated folder, plus id and parent of folders outside it for feeds that cover a
//! whole drive (no names: what lies outside is not our business).

mod digests;
mod intern;
mod item;
mod paths;
mod pending;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
};

pub use digests::Digests;
pub use intern::Interner;
pub use item::{Item, KnownRevision, Status};
pub use paths::{Lookup, Node, Tree};
pub use pending::{Created, Details, HeadState, Pending, StoredActor};
use revtrail_connector::FolderRoot;
use revtrail_model::id::{ItemId, PlaceKey};

/// The items of one folder.
#[derive(Debug, Default)]
pub struct Inventory {
    items: HashMap<ItemId, Item>,
    /// Live occupant of each place, for providers that address by place.
    occupants: BTreeMap<PlaceKey, ItemId>,
    /// Items whose revisions are still to be listed.
    pending: BTreeSet<ItemId>,
    /// Items touched since the last committed state.
    touched: BTreeSet<ItemId>,
}

impl Inventory {
    /// One item.
    pub fn item(&self, id: &ItemId) -> Option<&Item> {
        self.items.get(id)
    }

    /// All items, in no order.
    pub fn items(&self) -> impl Iterator<Item = (&ItemId, &Item)> {
        self.items.iter()
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// True when nothing is known.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Puts an item, replacing what was known of it, and marks it for the next state object.
    pub fn put(&mut self, id: ItemId, item: Item) {
        self.touched.insert(id.clone());
        self.load(id, item);
    }

    /// Puts many items.
    pub fn put_all(&mut self, items: HashMap<ItemId, Item>) {
        self.items.reserve(items.len());
        for (id, item) in items {
            self.put(id, item);
        }
    }

    /// Puts an item that a state object holds already.
    pub fn load(&mut self, id: ItemId, item: Item) {
        if let Some(place) = self.items.get(&id).and_then(|old| old.place.clone())
            && self.occupants.get(&place) == Some(&id)
        {
            self.occupants.remove(&place);
        }
        if let (Status::Inside, Some(place)) = (item.status, &item.place) {
            self.occupants.insert(place.clone(), id.clone());
        }
        if item.pending.is_some() {
            self.pending.insert(id.clone());
        } else {
            self.pending.remove(&id);
        }
        self.items.insert(id, item);
    }

    /// Puts back what was known of an item before; `None` where nothing was.
    pub fn put_back(&mut self, id: ItemId, before: Option<Item>) {
        if let Some(item) = before {
            self.put(id, item);
            return;
        }
        self.touched.remove(&id);
        self.pending.remove(&id);
        let gone = self.items.remove(&id).and_then(|item| item.place);
        if let Some(place) = gone
            && self.occupants.get(&place) == Some(&id)
        {
            self.occupants.remove(&place);
        }
    }

    /// The live item at a place.
    pub fn occupant(&self, place: &PlaceKey) -> Option<&ItemId> {
        self.occupants.get(place)
    }

    /// Moves everything at and below a place: the designated folder went from `from` to `to`.
    pub fn rebase(&mut self, from: &PlaceKey, to: &PlaceKey) {
        let moved = self.items.iter().filter_map(|(id, item)| {
            let place = item.place.as_ref()?.rebased(from, to)?;
            Some((id.clone(), place))
        });
        let moved: Vec<(ItemId, PlaceKey)> = moved.collect();
        for (id, place) in moved {
            if let Some(item) = self.items.get(&id).cloned() {
                let place = Some(place);
                self.put(id, Item { place, ..item });
            }
        }
    }

    /// Live items at a place and below it.
    pub fn occupants_within(&self, place: &PlaceKey) -> Vec<(PlaceKey, ItemId)> {
        // '0' follows '/', so this range holds exactly the keys below the place.
        let below = PlaceKey::from(format!("{place}/"))..PlaceKey::from(format!("{place}0"));
        let at = self.occupants.get_key_value(place);
        at.into_iter()
            .chain(self.occupants.range(below))
            .map(|(key, id)| (key.clone(), id.clone()))
            .collect()
    }

    /// Up to `limit` items whose revisions are to be listed, by id, after `after`.
    pub fn pending_after(&self, after: Option<&ItemId>, limit: usize) -> Vec<ItemId> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.pending
            .range((start, Bound::Unbounded))
            .take(limit)
            .cloned()
            .collect()
    }

    /// How many items wait for their revisions.
    pub fn pending_count(&self) -> usize {
        self.pending.len()
    }

    /// Items changed since the last call, by id; the next state object holds them.
    pub fn take_touched(&mut self) -> BTreeSet<ItemId> {
        std::mem::take(&mut self.touched)
    }

    /// Children of each folder, live or not, for walking down.
    pub fn children(&self) -> HashMap<&ItemId, Vec<&ItemId>> {
        let mut children: HashMap<&ItemId, Vec<&ItemId>> = HashMap::new();
        for (id, item) in &self.items {
            if let Some(parent) = &item.parent {
                children.entry(parent).or_default().push(id);
            }
        }
        children
    }

    /// Everything below `folder` in this inventory, by id.
    pub fn descendants(&self, folder: &ItemId) -> Vec<ItemId> {
        let children = self.children();
        let mut found = BTreeSet::new();
        let mut queue = vec![folder];
        while let Some(parent) = queue.pop() {
            for child in children.get(parent).into_iter().flatten() {
                if found.insert((*child).clone()) {
                    queue.push(child);
                }
            }
        }
        found.into_iter().collect()
    }

    /// Parent, grandparent and so on, as far as they are known.
    pub fn ancestors(&self, id: &ItemId) -> Vec<ItemId> {
        Tree::new(self, id).ancestors(id).cloned().collect()
    }

    /// A view of the tree below `root`.
    pub fn tree<'a>(&'a self, root: &'a FolderRoot) -> Tree<'a, Self> {
        Tree::new(self, &root.item)
    }
}

impl Lookup for Inventory {
    fn node(&self, id: &ItemId) -> Option<Node<'_>> {
        self.items.get(id).map(|item| Node {
            parent: item.parent.as_ref(),
            name: item.name.as_deref(),
        })
    }
}

#[cfg(test)]
mod tests;
