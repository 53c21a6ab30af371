//! What changed in a folder between two operations: the latest state of every touched place.

use std::collections::{BTreeMap, btree_map::Entry};
use std::sync::Arc;

use super::cursor::{Cursor, Depth};
use super::index::{Index, above};
use crate::ids::derive;

/// One entry of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) key: Arc<str>,
    /// Whether something is there now.
    pub(super) state: State,
    /// Newest operation that touched the place.
    touched: u64,
}

/// What became of a touched place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Gone,
    Live,
}

/// Which feed: folder, depth, and the operations it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Round {
    pub(super) folder: String,
    pub(super) depth: Depth,
    pub(super) since: u64,
    pub(super) upto: u64,
}

/// The round worked out last, so that reading it page by page does not work it out for each page.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    last: Option<(Round, Arc<Vec<Change>>)>,
}

impl Remembered {
    pub(super) fn changes(&mut self, index: &Index, round: &Round, seed: u64) -> Arc<Vec<Change>> {
        if let Some((_, changes)) = self.last.as_ref().filter(|(known, _)| known == round) {
            return Arc::clone(changes);
        }
        let changes = Arc::new(changes(index, round, seed));
        self.last = Some((round.clone(), Arc::clone(&changes)));
        changes
    }
}

/// Whether a listing of `folder` shows the place of this key.
pub(super) fn shows(folder: &str, depth: Depth, key: &str) -> bool {
    if key == folder {
        return depth == Depth::Tree;
    }
    let below = key.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
    below.is_some_and(|rest| depth == Depth::Tree || !rest.contains('/'))
}

impl Cursor {
    pub(super) fn round(&self, since: u64, upto: u64) -> Round {
        Round {
            folder: self.folder.clone(),
            depth: self.depth,
            since,
            upto,
        }
    }
}

/// One entry per touched place. A place that is vacated together with a folder above it is not named: the folder's tombstone
/// stands for it. As no place is live below a vacated one, every order of entries gives the same tree; the seed chooses one.
fn changes(index: &Index, round: &Round, seed: u64) -> Vec<Change> {
    let mut touched: BTreeMap<Arc<str>, u64> = BTreeMap::new();
    for (seq, key) in index.touched(round.since, round.upto) {
        if shows(&round.folder, round.depth, key) {
            match touched.entry(Arc::clone(key)) {
                Entry::Occupied(mut known) => *known.get_mut() = *seq,
                Entry::Vacant(new) => {
                    new.insert(*seq);
                }
            }
        }
    }
    let gone = |key: &str| {
        index
            .place(key)
            .is_none_or(|place| place.occupant(round.upto).is_none())
    };
    let mut found = Vec::with_capacity(touched.len());
    for (key, seq) in touched {
        let state = if gone(&key) { State::Gone } else { State::Live };
        let covered =
            state == State::Gone && above(&key).take_while(|parent| *parent != round.folder).any(gone);
        if !covered {
            found.push(Change {
                key,
                state,
                touched: seq,
            });
        }
    }
    let draw = derive("dropbox-feed", &format!("{seed}-{}-{}", round.since, round.upto));
    match draw.first().map_or(0, |byte| byte % 3) {
        0 => found.sort_by_key(|change| change.state),
        1 => found.sort_by_key(|change| std::cmp::Reverse(change.state)),
        _ => found.sort_by_key(|change| change.touched),
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_shows_what_is_below_its_folder() {
        assert!(shows("/a", Depth::Tree, "/a/b/c"));
        assert!(shows("/a", Depth::Tree, "/a"));
        assert!(!shows("/a", Depth::Tree, "/ab"));
        assert!(shows("/a", Depth::Children, "/a/b"));
        assert!(!shows("/a", Depth::Children, "/a/b/c"));
        assert!(!shows("/a", Depth::Children, "/a"));
        assert!(shows("", Depth::Children, "/a"));
    }
}
