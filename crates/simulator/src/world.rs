//! The world: one tree of files and folders, its past, and the virtual present.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::error::SimulatorError;
use crate::source::WorldSource;

mod apply;
mod edit;
mod item;

pub use edit::{Action, Actor, Edit, Identity, Standing};
pub use item::{Affected, Item, ItemKind, ItemNo, ItemState, Op, Reach, Save, Slot, What};

/// Live and deleted children of one folder, by the folder's own bookkeeping.
#[derive(Debug, Clone, Default)]
struct Folder {
    live: BTreeMap<Arc<str>, ItemNo>,
    gone: BTreeSet<ItemNo>,
}

/// A tree that grows by its source's edits as virtual time moves on. Item 0 is the root folder; item numbers depend on
/// the edits alone, so two worlds of one source agree on them.
#[derive(Debug, Clone)]
pub struct World {
    source: WorldSource,
    next: usize,
    now: Timestamp,
    items: Vec<Item>,
    ops: Vec<Op>,
    folders: HashMap<ItemNo, Folder>,
    deleted_at: HashMap<Arc<str>, Vec<ItemNo>>,
    own_slots: BTreeSet<Slot>,
    tree_slots: BTreeSet<Slot>,
}

impl World {
    /// An empty world one second before the first edit of `source`.
    pub fn new(source: WorldSource) -> Self {
        let first = source
            .edits()
            .first()
            .map_or(Timestamp::UNIX_EPOCH, |edit| edit.at);
        let now = first.checked_sub(SignedDuration::from_secs(1)).unwrap_or(first);
        let root = Item::new(ItemNo::ROOT, ItemKind::Folder, "".into(), now);
        Self {
            source,
            next: 0,
            now,
            items: vec![root],
            ops: Vec::new(),
            folders: HashMap::from([(ItemNo::ROOT, Folder::default())]),
            deleted_at: HashMap::new(),
            own_slots: BTreeSet::new(),
            tree_slots: BTreeSet::new(),
        }
    }

    /// The virtual present.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Number of the newest operation; 0 in an empty world.
    pub fn seq(&self) -> u64 {
        self.ops.len() as u64
    }

    /// Edits applied so far.
    pub fn edits_applied(&self) -> usize {
        self.next
    }

    /// Edits still to come.
    pub fn edits_left(&self) -> usize {
        self.source.edits().len() - self.next
    }

    /// Moves the present to `to` and applies every edit up to and including that moment. Returns how many.
    /// On an impossible edit the world stays at the edits before it.
    pub fn advance(&mut self, to: Timestamp) -> Result<usize, SimulatorError> {
        if to < self.now {
            return Err(SimulatorError::BackInTime { now: self.now, to });
        }
        let before = self.next;
        let edits = self.source.shared();
        while let Some(edit) = edits.get(self.next).filter(|edit| edit.at <= to) {
            self.apply(edit)?;
            self.next += 1;
        }
        self.now = to;
        Ok(self.next - before)
    }

    /// Applies the next `count` edits, and those of the same moment as the last of them; the present becomes that moment.
    pub fn advance_edits(&mut self, count: usize) -> Result<usize, SimulatorError> {
        let last = (self.next + count).min(self.source.edits().len()).checked_sub(1);
        match last
            .filter(|_| count > 0)
            .and_then(|place| self.source.edits().get(place))
        {
            Some(edit) => {
                let to = edit.at.max(self.now);
                self.advance(to)
            }
            None => Ok(0),
        }
    }

    /// The item with this number, alive or deleted.
    pub fn item(&self, no: ItemNo) -> Option<&Item> {
        self.items.get(no.0 as usize)
    }

    /// Every item ever, root included, by number.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Every operation so far; operation `seq` stands at `seq - 1`.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// The operation with this number.
    pub fn op(&self, seq: u64) -> Option<&Op> {
        self.ops.get(usize::try_from(seq.checked_sub(1)?).ok()?)
    }

    /// Operations after `seq`, oldest first.
    pub fn ops_since(&self, seq: u64) -> &[Op] {
        let from = usize::try_from(seq).unwrap_or(usize::MAX).min(self.ops.len());
        self.ops.get(from..).unwrap_or_default()
    }

    /// Children of a folder that were not themselves deleted, by name. Below a deleted folder they are still listed, though
    /// not visible.
    pub fn children(&self, no: ItemNo) -> impl Iterator<Item = &Item> {
        self.folders
            .get(&no)
            .into_iter()
            .flat_map(|folder| folder.live.values())
            .filter_map(|child| self.item(*child))
    }

    /// Children of a folder that were themselves deleted and not restored, by number.
    pub fn deleted_children(&self, no: ItemNo) -> impl Iterator<Item = &Item> {
        self.folders
            .get(&no)
            .into_iter()
            .flat_map(|folder| &folder.gone)
            .filter_map(|child| self.item(*child))
    }

    /// The live child of this name.
    pub fn child(&self, no: ItemNo, name: &str) -> Option<&Item> {
        self.item(*self.folders.get(&no)?.live.get(name)?)
    }

    /// The visible item at a path from the root; a leading `/` is allowed, `""` and `/` are the root.
    pub fn find(&self, path: &str) -> Option<&Item> {
        let mut at = self.item(ItemNo::ROOT)?;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            at = self.child(at.no, name)?;
        }
        Some(at)
    }

    /// `'/'`-joined path from the root, without a leading `/`; the place where a deleted item last was, if nothing above
    /// moved since.
    pub fn path_of(&self, no: ItemNo) -> String {
        let mut names: Vec<&str> = self.ancestry(no).map(|item| &*item.name).collect();
        names.pop();
        names.reverse();
        names.join("/")
    }

    /// The item, its parent, and so on up to and including the root.
    pub fn ancestry(&self, no: ItemNo) -> impl Iterator<Item = &Item> {
        std::iter::successors(self.item(no), |item| {
            item.parent.and_then(|parent| self.item(parent))
        })
    }

    /// Strictly below `folder`, whether visible or not.
    pub fn is_below(&self, no: ItemNo, folder: ItemNo) -> bool {
        self.ancestry(no).skip(1).any(|item| item.no == folder)
    }

    /// The nearest of the item and its ancestors that was itself deleted; `None` for a visible item.
    pub fn gone_through(&self, no: ItemNo) -> Option<ItemNo> {
        self.ancestry(no)
            .find(|item| item.state != ItemState::Live)
            .map(|item| item.no)
    }

    /// Neither the item nor a folder above it is deleted.
    pub fn is_visible(&self, no: ItemNo) -> bool {
        self.item(no).is_some() && self.gone_through(no).is_none()
    }

    /// Visible descendants, each folder before what it holds, siblings by name; `of` itself not included.
    pub fn descendants(&self, of: ItemNo) -> Vec<ItemNo> {
        let mut found = Vec::new();
        let mut open: Vec<ItemNo> = self.children(of).map(|item| item.no).collect();
        open.reverse();
        while let Some(no) = open.pop() {
            found.push(no);
            let start = open.len();
            open.extend(self.children(no).map(|item| item.no));
            open.get_mut(start..).unwrap_or_default().reverse();
        }
        found
    }

    /// Slots after `after`, oldest first: one per item, at its newest operation. `Slot::end_of(seq)` asks for everything
    /// later than an operation.
    pub fn changed_after(&self, reach: Reach, after: Slot) -> impl Iterator<Item = Slot> {
        let slots = match reach {
            Reach::Own => &self.own_slots,
            Reach::Tree => &self.tree_slots,
        };
        slots
            .range((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded))
            .copied()
    }

    /// Items that were deleted at `path` and not restored, most recent last; at that time, by that name.
    pub fn deleted_at(&self, path: &str) -> &[ItemNo] {
        self.deleted_at
            .get(path.trim_start_matches('/'))
            .map_or(&[], Vec::as_slice)
    }

    /// Number of the newest operation at or before `at`.
    pub fn seq_at(&self, at: Timestamp) -> u64 {
        self.ops.partition_point(|op| op.at <= at) as u64
    }
}

#[cfg(test)]
mod tests;
