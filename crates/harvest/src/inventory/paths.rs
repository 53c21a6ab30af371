//! Ancestry and paths from the id tree.

use revtrail_model::id::ItemId;

/// Deepest tree that is followed; providers allow far less, and a cycle must not hang the run.
const MAX_DEPTH: usize = 1_000;

/// Parent and name of one item.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    /// Its parent.
    pub parent: Option<&'a ItemId>,
    /// Its name.
    pub name: Option<&'a str>,
}

/// Something that knows parents and names.
pub trait Lookup {
    /// The node of an item; `None` when it is not known.
    fn node(&self, id: &ItemId) -> Option<Node<'_>>;
}

/// The tree below a designated folder.
#[derive(Debug)]
pub struct Tree<'a, L> {
    lookup: &'a L,
    root: &'a ItemId,
}

impl<'a, L: Lookup> Tree<'a, L> {
    /// A tree below `root`.
    pub fn new(lookup: &'a L, root: &'a ItemId) -> Self {
        Self { lookup, root }
    }

    /// True when `id` lies below the folder (the folder itself does not).
    pub fn contains(&self, id: &ItemId) -> bool {
        self.ancestors(id).any(|ancestor| ancestor == self.root)
    }

    /// Path relative to the folder; `None` when the item is not below it or a name on the way is not known.
    pub fn path(&self, id: &ItemId) -> Option<String> {
        let mut names = vec![self.lookup.node(id)?.name?];
        for ancestor in self.ancestors(id) {
            if ancestor == self.root {
                names.reverse();
                return Some(names.join("/"));
            }
            names.push(self.lookup.node(ancestor)?.name?);
        }
        None
    }

    /// Parent, grandparent and so on.
    pub fn ancestors(&self, id: &ItemId) -> impl Iterator<Item = &'a ItemId> + use<'a, L> {
        let lookup = self.lookup;
        let first = lookup.node(id).and_then(|node| node.parent);
        std::iter::successors(first, move |id| lookup.node(id).and_then(|node| node.parent)).take(MAX_DEPTH)
    }
}
