//! The world as Dropbox keeps it: places with their past, and revisions by file. Grows with the world's operations, so that
//! no request looks at every file.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;

use super::ids::{RevClock, RevNumber, account_id, item_id};
use crate::world::{Actor, ItemNo, Op, What, World};

/// One revision of a file.
#[derive(Debug, Clone)]
pub(super) struct Revision {
    pub(super) number: RevNumber,
    /// Operation that made it.
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) actor: Arc<Actor>,
    /// Display path at the time, with a leading `/`.
    pub(super) path: Arc<str>,
    /// Which of the item's saves it holds.
    pub(super) save: usize,
}

/// Where a revision stands: the file, and its place in [`Index::revisions`].
#[derive(Debug, Clone, Copy)]
pub(super) struct RevisionAt {
    pub(super) item: ItemNo,
    pub(super) place: usize,
}

/// Why a place was vacated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    Deleted(Timestamp),
    Moved,
}

#[derive(Debug, Clone)]
enum Happening {
    /// An item is there from now on, under this display path.
    Entered(ItemNo, Arc<str>),
    Left(Leaving),
}

/// What was at one path, letter case aside, over time.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    happenings: Vec<(u64, Happening)>,
    /// Revisions of any file made here, oldest first.
    pub(super) revisions: Vec<RevisionAt>,
}

impl Place {
    fn happenings_until(&self, seq: u64) -> &[(u64, Happening)] {
        let end = self.happenings.partition_point(|(at, _)| *at <= seq);
        self.happenings.get(..end).unwrap_or_default()
    }

    /// Who is there after operation `seq`.
    pub(super) fn occupant(&self, seq: u64) -> Option<ItemNo> {
        match self.happenings_until(seq).last() {
            Some((_, Happening::Entered(item, _))) => Some(*item),
            _ => None,
        }
    }

    /// Who is or was there last, and under which display path; `None` before anybody was.
    pub(super) fn latest(&self, seq: u64) -> Option<(ItemNo, Arc<str>)> {
        let mut past = self.happenings_until(seq).iter().rev();
        past.find_map(|(_, happening)| match happening {
            Happening::Entered(item, display) => Some((*item, Arc::clone(display))),
            Happening::Left(_) => None,
        })
    }

    /// How the place was vacated, if the first thing that happened there after operation `seq` is that.
    pub(super) fn left_after(&self, seq: u64) -> Option<Leaving> {
        match self.happenings.get(self.happenings_until(seq).len()) {
            Some((_, Happening::Left(leaving))) => Some(*leaving),
            _ => None,
        }
    }

    /// How the place was vacated, if nobody is there now.
    pub(super) fn left(&self) -> Option<Leaving> {
        match self.happenings.last() {
            Some((_, Happening::Left(leaving))) => Some(*leaving),
            _ => None,
        }
    }
}

/// Keys of places are lower-case paths with a leading `/`; the root is `""` and no place.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Number of the last operation taken in.
    pub(super) seq: u64,
    places: BTreeMap<Arc<str>, Place>,
    revisions: HashMap<ItemNo, Vec<Revision>>,
    numbers: HashMap<RevNumber, RevisionAt>,
    /// Places by operation that changed what is there; letter case does not count.
    touches: Vec<(u64, Arc<str>)>,
    items: HashMap<String, ItemNo>,
    accounts: HashMap<String, Arc<Actor>>,
    clock: RevClock,
}

/// The key of a display path.
pub(super) fn key_of(path: &str) -> String {
    path.to_lowercase()
}

/// The keys of the folders above a place, nearest first, the root excluded.
pub(super) fn above(key: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(key), |key| {
        key.rsplit_once('/')
            .map(|(parent, _)| parent)
            .filter(|parent| !parent.is_empty())
    })
    .skip(1)
}

/// Last component of a path.
pub(super) fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl Index {
    /// Takes in the operations since the last call.
    pub(super) fn update(&mut self, world: &World) {
        for op in world.ops_since(self.seq) {
            self.apply(world, op);
            self.seq = op.seq;
        }
    }

    fn apply(&mut self, world: &World, op: &Op) {
        let account = account_id(&op.actor.email);
        self.accounts
            .entry(account)
            .or_insert_with(|| Arc::clone(&op.actor));
        let others = op.affected.iter().map(|one| (one.item, &one.path));
        let all: Vec<(ItemNo, Arc<str>)> = std::iter::once((op.item, &op.path))
            .chain(others)
            .map(|(item, path)| (item, format!("/{path}").into()))
            .collect();
        match &op.what {
            What::Created => {
                self.items.insert(item_id(op.item), op.item);
                self.enter(world, op, &all);
            }
            What::Restored => self.enter(world, op, &all),
            // What is there already is not written again.
            What::Saved if world.item(op.item).is_some_and(|item| item.is_repeated(op.seq)) => {}
            What::Saved => {
                self.touch(op.seq, key_of(&format!("/{}", op.path)).into());
                self.add_revision(world, op, op.item, format!("/{}", op.path).into());
            }
            What::Deleted => {
                for (item, path) in &all {
                    self.leave(op.seq, *item, path, Leaving::Deleted(op.at));
                }
            }
            What::Moved { old_path, .. } if key_of(old_path) == key_of(&op.path) => {
                for (item, path) in all {
                    self.happens(op.seq, &key_of(&path).into(), Happening::Entered(item, path));
                }
            }
            What::Moved { old_path, .. } => {
                for (item, path) in &all {
                    let rest = path.get(op.path.len() + 1..).unwrap_or_default();
                    self.leave(op.seq, *item, &format!("/{old_path}{rest}"), Leaving::Moved);
                }
                self.enter(world, op, &all);
            }
        }
    }

    fn enter(&mut self, world: &World, op: &Op, items: &[(ItemNo, Arc<str>)]) {
        for (item, path) in items {
            let key: Arc<str> = key_of(path).into();
            self.happens(op.seq, &key, Happening::Entered(*item, Arc::clone(path)));
            self.touch(op.seq, key);
            self.add_revision(world, op, *item, Arc::clone(path));
        }
    }

    /// Vacates a place, unless another item has taken it (two names that differ in letter case only).
    fn leave(&mut self, seq: u64, item: ItemNo, path: &str, leaving: Leaving) {
        let key: Arc<str> = key_of(path).into();
        if self.place(&key).and_then(|place| place.occupant(seq)) == Some(item) {
            self.happens(seq, &key, Happening::Left(leaving));
            self.touch(seq, key);
        }
    }

    fn happens(&mut self, seq: u64, key: &Arc<str>, happening: Happening) {
        let place = self.places.entry(Arc::clone(key)).or_default();
        place.happenings.push((seq, happening));
    }

    fn touch(&mut self, seq: u64, key: Arc<str>) {
        self.touches.push((seq, key));
    }

    fn add_revision(&mut self, world: &World, op: &Op, no: ItemNo, path: Arc<str>) {
        let Some(item) = world.item(no).filter(|item| !item.is_folder()) else {
            return;
        };
        let revisions = self.revisions.entry(no).or_default();
        let number = self.clock.next(op.at);
        let at = RevisionAt {
            item: no,
            place: revisions.len(),
        };
        self.numbers.insert(number, at);
        let place = self.places.entry(key_of(&path).into()).or_default();
        place.revisions.push(at);
        revisions.push(Revision {
            number,
            seq: op.seq,
            at: op.at,
            actor: Arc::clone(&op.actor),
            path,
            save: item.content_from(op.seq).unwrap_or_default(),
        });
    }

    pub(super) fn place(&self, key: &str) -> Option<&Place> {
        self.places.get(key)
    }

    /// Places from a key on, in order of keys.
    pub(super) fn places_from(
        &self,
        from: Bound<&str>,
    ) -> impl Iterator<Item = (&Arc<str>, &Place)> + use<'_> {
        self.places.range::<str, _>((from, Bound::Unbounded))
    }

    /// Revisions of a file, oldest first.
    pub(super) fn revisions(&self, item: ItemNo) -> &[Revision] {
        self.revisions.get(&item).map_or(&[], Vec::as_slice)
    }

    pub(super) fn revision(&self, at: RevisionAt) -> Option<&Revision> {
        self.revisions(at.item).get(at.place)
    }

    /// The newest revision of a file after operation `seq`.
    pub(super) fn head(&self, item: ItemNo, seq: u64) -> Option<&Revision> {
        let revisions = self.revisions(item);
        let end = revisions.partition_point(|revision| revision.seq <= seq);
        revisions.get(end.checked_sub(1)?)
    }

    pub(super) fn by_rev(&self, rev: &str) -> Option<RevisionAt> {
        self.numbers.get(&RevNumber::parse(rev)?).copied()
    }

    pub(super) fn by_id(&self, id: &str) -> Option<ItemNo> {
        self.items.get(id).copied()
    }

    pub(super) fn account(&self, id: &str) -> Option<&Arc<Actor>> {
        self.accounts.get(id)
    }

    /// Places touched by operations after `since`, up to and including `upto`; a place once per touch, oldest first.
    pub(super) fn touched(&self, since: u64, upto: u64) -> &[(u64, Arc<str>)] {
        let place = |seq| self.touches.partition_point(|(at, _)| *at <= seq);
        self.touches.get(place(since)..place(upto)).unwrap_or_default()
    }
}
