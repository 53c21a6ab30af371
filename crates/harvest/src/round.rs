//! One round of a feed that names items by id: entries collapsed to the last one per item, raw records kept for what is in the folder.

use std::collections::{BTreeSet, HashMap};

use revtrail_connector::{
    FolderRoot,
    change::{Change, Raw, Seen, Trashing},
};
use revtrail_model::{event::ItemKind, id::ItemId, time::Timestamp};

use crate::{
    error::HarvestError,
    inventory::{Interner, Inventory, Item, Lookup, Node, Status, Tree},
    meta::Meta,
    spool::{Source, Spool},
};

/// What the round showed of an item last.
#[derive(Debug, Clone)]
pub enum Shown {
    /// Live.
    Present(Meta),
    /// In the bin.
    Trashed(Meta, Box<Trashing>),
    /// A tombstone.
    Deleted {
        /// Last parent, when told.
        parent: Option<ItemId>,
        /// Kind, when told.
        kind: Option<ItemKind>,
    },
    /// No longer shown to us.
    Lost,
}

impl Shown {
    /// The item's state, for one that can still be seen.
    pub fn meta(&self) -> Option<&Meta> {
        match self {
            Self::Present(meta) | Self::Trashed(meta, _) => Some(meta),
            Self::Deleted { .. } | Self::Lost => None,
        }
    }

    /// Its parent.
    pub fn parent(&self) -> Option<&ItemId> {
        match self {
            Self::Present(meta) | Self::Trashed(meta, _) => meta.parent.as_ref(),
            Self::Deleted { parent, .. } => parent.as_ref(),
            Self::Lost => None,
        }
    }
}

/// One collapsed entry.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What was shown.
    pub shown: Shown,
    /// Where its raw record is.
    pub source: Source,
    /// The provider's clock when it was shown.
    pub seen_at: Timestamp,
    /// Raw record whose fate is not decided yet: it is archived only if the item turns out to be in the folder.
    held: Option<Box<Raw>>,
}

/// Which entries a round keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// All of them.
    #[default]
    All,
    /// Those that show something else than what is known: a full listing that is only compared shall cost memory and raw records for
    /// what differs, not for everything there is.
    Differing,
}

/// Entries of a round, by item.
#[derive(Debug, Default)]
pub struct Round {
    keep: Keep,
    entries: HashMap<ItemId, Entry>,
    interner: Interner,
    /// Every item the round showed, for finding what a full listing left out.
    pub seen: BTreeSet<ItemId>,
    /// Folders that came into the folder while it was listed: what is in them may not have been kept, or never been listed.
    came_in: BTreeSet<ItemId>,
    /// Items that cannot be placed before this one is shown.
    waiting: HashMap<ItemId, Vec<ItemId>>,
}

impl Round {
    /// An empty round.
    pub fn new(keep: Keep) -> Self {
        Self {
            keep,
            ..Self::default()
        }
    }

    /// Adds one feed entry; a later entry for the same item replaces an earlier one.
    pub fn take(
        &mut self,
        change: Change,
        seen_at: Timestamp,
        view: &mut View<'_>,
    ) -> Result<(), HarvestError> {
        let (id, shown) = match change.seen {
            Seen::Present(meta) => {
                let meta = Meta::keep(meta, &mut self.interner);
                (meta.id.clone(), Shown::Present(meta))
            }
            Seen::Trashed(meta, how) => {
                let meta = Meta::keep(meta, &mut self.interner);
                (meta.id.clone(), Shown::Trashed(meta, Box::new(how)))
            }
            Seen::Deleted { id, parent, kind } => (id, Shown::Deleted { parent, kind }),
            Seen::Lost { id } => (id, Shown::Lost),
            // A feed by id has no entries by place; the conformance suite holds connectors to that.
            Seen::Vacated { .. } => return Ok(()),
        };
        if id == view.root.item {
            return Ok(());
        }
        self.seen.insert(id.clone());
        let before = self.is_folder(&id).then(|| self.standing(&id, view));
        if self.keep == Keep::Differing
            && !self.entries.contains_key(&id)
            && view
                .inventory
                .item(&id)
                .is_some_and(|known| is_as_known(known, &shown))
        {
            return Ok(());
        }
        let source = Source {
            raw: None,
            operation: change.raw.operation.into(),
            request_id: change.raw.request_id.as_deref().map(Into::into),
        };
        self.entries.insert(
            id.clone(),
            Entry {
                shown,
                source,
                seen_at,
                held: Some(Box::new(change.raw)),
            },
        );
        if self.is_folder(&id)
            && before.map_or(!view.with_contents, |before| before == Standing::Outside)
            && self.standing(&id, view) == Standing::Inside
        {
            self.came_in.insert(id.clone());
        }
        self.place(&id, view)
    }

    fn is_folder(&self, id: &ItemId) -> bool {
        let meta = self.entries.get(id).and_then(|entry| entry.shown.meta());
        meta.is_some_and(|meta| meta.kind == ItemKind::Folder)
    }

    fn standing(&self, id: &ItemId, view: &View<'_>) -> Standing {
        let overlay = Overlay {
            entries: &self.entries,
            inventory: view.inventory,
        };
        overlay.standing(id, view.root)
    }

    /// Places an entry, and those that waited for it to be shown: raw records are not to be held in memory to the end because a listing
    /// shows children before their folders.
    fn place(&mut self, id: &ItemId, view: &mut View<'_>) -> Result<(), HarvestError> {
        let mut shown = vec![id.clone()];
        while let Some(id) = shown.pop() {
            self.place_one(&id, view)?;
            shown.extend(self.waiting.remove(&id).unwrap_or_default());
        }
        Ok(())
    }

    /// Archives the raw record of an entry in the folder, and forgets a file outside at once: a whole-drive listing must not be held
    /// in memory for the sake of one folder.
    fn place_one(&mut self, id: &ItemId, view: &mut View<'_>) -> Result<(), HarvestError> {
        if !self.entries.contains_key(id) {
            return Ok(());
        }
        let standing = self.standing(id, view);
        let recorded = view.inventory.item(id).is_some_and(Item::is_recorded);
        if standing == Standing::Inside || recorded {
            return self.keep(id, view.spool);
        }
        if standing == Standing::Outside && !self.is_folder(id) {
            self.entries.remove(id);
        }
        let overlay = Overlay {
            entries: &self.entries,
            inventory: view.inventory,
        };
        if standing == Standing::Unknown
            && let Some(missing) = overlay.missing(id, view.root).cloned()
        {
            self.waiting.entry(missing).or_default().push(id.clone());
        }
        Ok(())
    }

    fn keep(&mut self, id: &ItemId, spool: &mut Spool) -> Result<(), HarvestError> {
        if let Some(entry) = self.entries.get_mut(id)
            && let Some(raw) = entry.held.take()
        {
            entry.source = spool.put(&raw)?;
            self.interner.source(&mut entry.source);
        }
        Ok(())
    }

    /// Ends the round: decides what was undecided while parents were missing, and drops the raw records of the rest.
    pub fn finish(mut self, view: &mut View<'_>) -> Result<Finished, HarvestError> {
        let mut undecided: Vec<ItemId> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.held.is_some())
            .map(|(id, _)| id.clone())
            .collect();
        // The order of the raw records must not depend on the map's.
        undecided.sort();
        for id in undecided {
            if self.standing(&id, view) == Standing::Inside {
                self.keep(&id, view.spool)?;
            } else if let Some(entry) = self.entries.get_mut(&id) {
                entry.held = None;
            }
        }
        Ok(Finished {
            entries: self.entries,
            seen: self.seen,
            came_in: self.came_in,
        })
    }
}

/// Whether an entry shows an item just as it is known.
fn is_as_known(known: &Item, shown: &Shown) -> bool {
    let (meta, status) = match shown {
        Shown::Present(meta) => (meta, Status::Inside),
        Shown::Trashed(meta, _) => (meta, Status::Trashed),
        Shown::Deleted { .. } => return matches!(known.status, Status::Deleted | Status::Lost),
        Shown::Lost => return known.status == Status::Lost,
    };
    if known.parent != meta.parent || known.kind != meta.kind {
        return false;
    }
    // Of what lies outside, names and contents are not known, and not our business.
    let is_outside = known.status == Status::Outside && status == Status::Inside;
    let same_name = meta.name.is_none() || known.name == meta.name;
    is_outside || known.status == status && same_name && known.has_content(meta.marker())
}

/// What a round is read against.
pub struct View<'a> {
    /// The folder.
    pub root: &'a FolderRoot,
    /// What was known before.
    pub inventory: &'a Inventory,
    /// Whether what is in the folders shown is shown, too; see [`revtrail_connector::FeedPage::with_contents`].
    pub with_contents: bool,
    /// Where raw records go.
    pub spool: &'a mut Spool,
}

/// A round read to its end.
#[derive(Debug)]
pub struct Finished {
    /// Entries by item.
    pub entries: HashMap<ItemId, Entry>,
    /// Every item the round showed.
    pub seen: BTreeSet<ItemId>,
    /// Folders that came in while it was read.
    pub came_in: BTreeSet<ItemId>,
}

/// Whether an item lies in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Below the folder.
    Inside,
    /// Its ancestry is known up to a root and the folder is not in it.
    Outside,
    /// An ancestor has not been shown yet.
    Unknown,
}

/// The tree after the round: its entries over what was known before.
pub struct Overlay<'a> {
    /// The round.
    pub entries: &'a HashMap<ItemId, Entry>,
    /// What was known before.
    pub inventory: &'a Inventory,
}

impl Lookup for Overlay<'_> {
    fn node(&self, id: &ItemId) -> Option<Node<'_>> {
        let known = self.inventory.node(id);
        let Some(entry) = self.entries.get(id) else {
            return known;
        };
        let name = entry
            .shown
            .meta()
            .and_then(|meta| meta.name.as_deref())
            .or(known.and_then(|node| node.name));
        let parent = match &entry.shown {
            Shown::Present(meta) | Shown::Trashed(meta, _) => meta.parent.as_ref(),
            Shown::Deleted { parent, .. } => parent.as_ref().or(known.and_then(|node| node.parent)),
            Shown::Lost => known.and_then(|node| node.parent),
        };
        Some(Node { parent, name })
    }
}

impl Overlay<'_> {
    /// Where an item stands after what has been read so far.
    pub fn standing(&self, id: &ItemId, root: &FolderRoot) -> Standing {
        let tree = Tree::new(self, &root.item);
        if tree.ancestors(id).any(|ancestor| *ancestor == root.item) {
            return Standing::Inside;
        }
        match self.missing(id, root) {
            Some(_) => Standing::Unknown,
            None => Standing::Outside,
        }
    }

    /// The ancestor that has not been shown. The way up ends there, or at an item without parent: a root.
    fn missing<'s>(&'s self, id: &'s ItemId, root: &'s FolderRoot) -> Option<&'s ItemId> {
        let last = Tree::new(self, &root.item).ancestors(id).last().unwrap_or(id);
        self.node(last).is_none().then_some(last)
    }
}

#[cfg(test)]
mod tests;
