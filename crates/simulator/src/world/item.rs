//! Items and the operations that made them what they are.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Actor;

/// Number of an item in its world; 0 is the root folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ItemNo(pub u32);

impl ItemNo {
    /// The root folder.
    pub const ROOT: Self = Self(0);
}

/// File or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// Has content and saves.
    File,
    /// Has children.
    Folder,
}

/// The item's own state; below a deleted folder an item is `Live` but not visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemState {
    /// Not itself deleted.
    Live,
    /// Itself deleted.
    Deleted {
        /// When.
        at: Timestamp,
        /// Number of the operation.
        seq: u64,
    },
}

/// One file or folder over its whole life.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its number.
    pub no: ItemNo,
    /// File or folder.
    pub kind: ItemKind,
    /// Folder that holds it, or held it when it was deleted; `None` only for the root.
    pub parent: Option<ItemNo>,
    /// Name within the parent.
    pub name: Arc<str>,
    /// When it was created.
    pub created_at: Timestamp,
    /// By whom; `None` only for the root.
    pub created_by: Option<Arc<Actor>>,
    /// Saved contents, oldest first; empty for folders.
    pub saves: Vec<Save>,
    /// Its own state.
    pub state: ItemState,
    /// Newest operation on the item itself.
    pub last_seq: u64,
    /// As `last_seq`, and also deletion or restoration of a folder above it.
    pub tree_seq: u64,
    /// Numbers of all operations on the item itself and of moves, deletions and restorations of folders above it, oldest
    /// first. An operation on another item lists this one in [`Op::affected`].
    pub ops: Vec<u64>,
}

impl Item {
    pub(super) fn new(no: ItemNo, kind: ItemKind, name: Arc<str>, at: Timestamp) -> Self {
        Self {
            no,
            kind,
            parent: None,
            name,
            created_at: at,
            created_by: None,
            saves: Vec::new(),
            state: ItemState::Live,
            last_seq: 0,
            tree_seq: 0,
            ops: Vec::new(),
        }
    }

    /// True for a folder.
    pub fn is_folder(&self) -> bool {
        self.kind == ItemKind::Folder
    }

    /// Place of the save that brought the content the file had after operation `seq`: the first of those with the same content in a row.
    pub fn content_from(&self, seq: u64) -> Option<usize> {
        let upto = self.saves.partition_point(|save| save.seq <= seq);
        let (last, before) = self.saves.get(..upto)?.split_last()?;
        let same = |save: &&Save| (&save.content_key, save.size) == (&last.content_key, last.size);
        Some(upto - 1 - before.iter().rev().take_while(same).count())
    }

    /// True when operation `seq` saved the content the file already had.
    pub fn is_repeated(&self, seq: u64) -> bool {
        let place = self.content_from(seq).and_then(|place| self.saves.get(place));
        place.is_some_and(|save| save.seq != seq)
            && self.saves.binary_search_by_key(&seq, |save| save.seq).is_ok()
    }

    /// The current content of a file.
    pub fn head(&self) -> Option<&Save> {
        self.saves.last()
    }
}

/// One saved content of a file.
#[derive(Debug, Clone)]
pub struct Save {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: Arc<Actor>,
    /// Application that saved, if the journal says.
    pub application: Option<Arc<str>>,
    /// Bytes.
    pub size: u64,
    /// Equal keys with equal sizes are equal contents.
    pub content_key: Arc<str>,
    /// Number of the operation.
    pub seq: u64,
}

/// One thing that happened to one item.
#[derive(Debug, Clone)]
pub struct Op {
    /// From 1, without gaps.
    pub seq: u64,
    /// When; never before the operation before it.
    pub at: Timestamp,
    /// By whom.
    pub actor: Arc<Actor>,
    /// With what application, if the journal says.
    pub application: Option<Arc<str>>,
    /// To which item.
    pub item: ItemNo,
    /// What.
    pub what: What,
    /// Path of the item from the root after the operation; for a deletion, the path it had.
    pub path: Arc<str>,
    /// Visible descendants that a move, deletion or restoration of a folder took along.
    pub affected: Vec<Affected>,
}

/// A descendant taken along by an operation on a folder.
#[derive(Debug, Clone)]
pub struct Affected {
    /// The descendant.
    pub item: ItemNo,
    /// Its path after the operation; for a deletion, the path it had.
    pub path: Arc<str>,
}

/// Kind of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A file with its first content, or a folder.
    Created,
    /// A further content of a file.
    Saved,
    /// Renamed, moved, or both.
    Moved {
        /// Folder it was in.
        old_parent: ItemNo,
        /// Name it had.
        old_name: Arc<str>,
        /// Path it had.
        old_path: Arc<str>,
    },
    /// Deleted (trashed); descendants of a folder go along.
    Deleted,
    /// Brought back to `path`.
    Restored,
}

/// Place in the order of changes: an item at the number of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// Number of the operation.
    pub seq: u64,
    /// The item.
    pub item: ItemNo,
}

impl Slot {
    /// After everything of operation `seq`.
    pub fn end_of(seq: u64) -> Self {
        Self {
            seq,
            item: ItemNo(u32::MAX),
        }
    }
}

/// Which operations move an item to a new slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Operations on the item itself.
    Own,
    /// Also deletion and restoration of a folder above it (not its moves).
    Tree,
}
