//! What is below the designated folder at one moment, trash included: trashed items keep their parents.

use std::collections::HashMap;
use std::sync::Arc;

use crate::world::{ItemKind, ItemNo, ItemState, World};

/// Whether an item is in the trash, and how it got there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trash {
    /// It is not.
    Out,
    /// Put there itself.
    Itself,
    /// Put there with this folder above it.
    Through(ItemNo),
}

/// An item below the designated folder, or as it last was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) kind: ItemKind,
    pub(super) parent: ItemNo,
    pub(super) name: Arc<str>,
    /// Relative to the designated folder.
    pub(super) path: String,
    pub(super) trash: Trash,
}

/// All of them, each folder before what it holds.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) order: Vec<ItemNo>,
    pub(super) nodes: HashMap<ItemNo, Node>,
}

impl Tree {
    /// Walks `folder`, which is not trashed.
    pub(super) fn below(world: &World, folder: ItemNo) -> Self {
        let mut tree = Self::default();
        let mut next = 0;
        tree.children(world, folder, ("", Trash::Out));
        while let Some(no) = tree.order.get(next).copied() {
            next += 1;
            let Some(node) = tree.nodes.get(&no).filter(|node| node.kind == ItemKind::Folder) else {
                continue;
            };
            let path = format!("{}/", node.path);
            let inherited = match node.trash {
                Trash::Itself => Trash::Through(no),
                other => other,
            };
            tree.children(world, no, (&path, inherited));
        }
        tree
    }

    fn children(&mut self, world: &World, parent: ItemNo, (prefix, inherited): (&str, Trash)) {
        let children = world.children(parent).chain(world.deleted_children(parent));
        for item in children {
            let trash = match item.state {
                ItemState::Live => inherited,
                ItemState::Deleted { .. } => Trash::Itself,
            };
            let node = Node {
                kind: item.kind,
                parent,
                name: Arc::clone(&item.name),
                path: format!("{prefix}{}", item.name),
                trash,
            };
            self.order.push(item.no);
            self.nodes.insert(item.no, node);
        }
    }
}
