//! Folders that the user cannot see, told by their names: `.unseen`. What is in them is seen, and names no parent.

use crate::world::{Item, ItemNo, World};

/// Whether it is such a folder.
pub(super) fn is_unseen(item: &Item) -> bool {
    item.is_folder() && item.name.ends_with(".unseen")
}

/// The parent of an item, if the user can see it.
pub(super) fn parent(world: &World, item: &Item) -> Option<ItemNo> {
    let parent = item.parent?;
    world
        .item(parent)
        .filter(|folder| !is_unseen(folder))
        .map(|folder| folder.no)
}
