//! Texts and persons that many items share, kept once.

use std::{collections::HashSet, hash::Hash, sync::Arc};

use revtrail_model::id::ItemId;

use super::{Details, Item, StoredActor};
use crate::spool::Source;

/// What has been seen so far. Parents, request ids, media types and persons repeat over thousands of items; without sharing they would
/// be most of what a first look holds in memory.
#[derive(Debug, Default)]
pub struct Interner {
    texts: HashSet<Arc<str>>,
    items: HashSet<ItemId>,
    actors: HashSet<Arc<StoredActor>>,
}

fn share<T: Eq + Hash + Clone>(known: &mut HashSet<T>, value: &mut T) {
    if let Some(same) = known.get(value) {
        value.clone_from(same);
    } else {
        known.insert(value.clone());
    }
}

impl Interner {
    /// Shares a parent.
    pub fn parent(&mut self, id: &mut Option<ItemId>) {
        if let Some(id) = id {
            share(&mut self.items, id);
        }
    }

    /// Shares who created an item and its media type.
    pub fn details(&mut self, details: &mut Details) {
        if let Some(mime_type) = &mut details.mime_type {
            share(&mut self.texts, mime_type);
        }
        if let Some(by) = details.created.as_mut().and_then(|created| created.by.as_mut()) {
            share(&mut self.actors, by);
        }
    }

    /// Shares operation and request id.
    pub fn source(&mut self, source: &mut Source) {
        self.request(&mut source.operation, source.request_id.as_mut());
    }

    /// Shares all that can be shared of an item.
    pub fn item(&mut self, item: &mut Item) {
        self.parent(&mut item.parent);
        if let Some(pending) = &mut item.pending {
            // A pending item that was just read shares nothing yet.
            if let Some(details) = Arc::get_mut(&mut pending.details) {
                self.details(details);
            }
            self.request(&mut pending.operation, pending.request_id.as_mut());
        }
    }

    fn request(&mut self, operation: &mut Arc<str>, id: Option<&mut Arc<str>>) {
        share(&mut self.texts, operation);
        if let Some(id) = id {
            share(&mut self.texts, id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_become_one() {
        let (mut a, mut b): (Option<ItemId>, Option<ItemId>) = (Some("p".into()), Some("p".into()));
        let mut interner = Interner::default();
        interner.parent(&mut a);
        interner.parent(&mut b);
        let address = |id: &Option<ItemId>| id.as_ref().unwrap().as_str().as_ptr();
        assert_eq!(a, b);
        assert_eq!(address(&a), address(&b));
    }
}
