//! The reader: what it knows, what each poll shows it, and what it asks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::past::{End, Past, Place};
use crate::content::ContentStore;
use crate::truth::{Fact, Poll, Scope, Seen};
use crate::world::{ItemKind, ItemNo, World};

/// Revisions that id mode answers at most.
const ID_MODE_LIMIT: usize = 100;

/// What the reader believes of an item it has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// In the folder.
    Here,
    /// Somewhere else in the account.
    Elsewhere,
    /// Deleted.
    Gone,
}

/// An item the reader has seen in the folder.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) kind: ItemKind,
    pub(super) status: Status,
    pub(super) place: Place,
    pub(super) parent: Option<ItemNo>,
    pub(super) name: Arc<str>,
    /// Relative to the folder.
    pub(super) path: String,
}

/// What one poll's feed names.
#[derive(Debug, Default)]
pub(super) struct Feed {
    /// Items that are there: everything at the first poll, later what changed.
    pub(super) live: BTreeSet<ItemNo>,
    /// Places that are vacated.
    pub(super) tombstones: BTreeSet<Place>,
}

/// What one poll's questions brought.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Files that something was learned about.
    pub(super) files: BTreeSet<ItemNo>,
    /// Revisions not known before, by file.
    pub(super) news: BTreeMap<ItemNo, BTreeSet<usize>>,
    /// Moments of deletion that path mode told.
    pub(super) deleted_at: BTreeMap<ItemNo, Timestamp>,
}

/// A reader of one folder.
#[derive(Debug, Default)]
pub(super) struct Reader {
    folder: String,
    pub(super) past: Past,
    pub(super) known: BTreeMap<ItemNo, Known>,
    /// Who is known to be at a place.
    occupants: BTreeMap<Place, ItemNo>,
    /// Revisions seen so far, by file.
    pub(super) seen: BTreeMap<ItemNo, BTreeSet<usize>>,
    /// The last poll that found the folder.
    previous: Option<Timestamp>,
    pub(super) contents: ContentStore,
}

impl Reader {
    pub(super) fn new(folder: &str) -> Self {
        Self {
            folder: folder.trim_matches('/').to_owned(),
            ..Self::default()
        }
    }

    /// One poll: reads the feed, asks, tells, and remembers.
    pub(super) fn poll(&mut self, world: &World, poll: Poll) -> Vec<Fact> {
        self.past.read(world);
        let scope = Scope::of(world, &self.folder);
        if scope.folder.is_none() {
            return Vec::new();
        }
        let poll = Poll {
            previous: self.previous,
            ..poll
        };
        let feed = self.feed(&scope);
        let answers = self.ask(world, &scope, &feed);
        let mut facts = self.tell_files(world, &answers, poll, &feed);
        facts.extend(self.tell_folders(world, &scope, poll, &feed));
        let first = self.previous.is_none();
        for fact in &mut facts {
            fact.baseline = first;
        }
        self.remember(world, &scope, &answers);
        self.previous = Some(poll.at);
        facts
    }

    /// Path relative to the folder of a displayed path or a place strictly below it.
    pub(super) fn inside(&self, path: &str) -> Option<String> {
        let depth = self.folder.split('/').filter(|name| !name.is_empty()).count();
        let names: Vec<&str> = path.split('/').collect();
        let above = names.get(..depth)?.join("/").to_lowercase();
        let below = names.get(depth..)?.join("/");
        (above == self.folder.to_lowercase() && !below.is_empty()).then_some(below)
    }

    fn place_of(&self, seen: &Seen) -> Place {
        let path = format!("{}/{}", self.folder, seen.path).to_lowercase();
        path.trim_start_matches('/').to_owned()
    }

    fn feed(&mut self, scope: &Scope) -> Feed {
        let touched = self.past.take_touched();
        if self.previous.is_none() {
            let gone = self
                .past
                .places()
                .filter(|place| self.inside(place).is_some() && !self.past.is_taken(place));
            return Feed {
                live: scope.items.keys().copied().collect(),
                tombstones: gone.cloned().collect(),
            };
        }
        let mut feed = Feed::default();
        for place in touched.into_iter().filter(|place| self.inside(place).is_some()) {
            if self.past.is_taken(&place) {
                feed.live
                    .extend(self.past.last_stay(&place).map(|stay| stay.item));
            } else if self.folders_above(&place).all(|above| self.past.is_taken(above)) {
                feed.tombstones.insert(place);
            }
        }
        feed
    }

    /// Places of the folders between a place and the designated folder.
    fn folders_above<'a>(&self, place: &'a str) -> impl Iterator<Item = &'a str> {
        std::iter::successors(Some(place), |place| {
            place.rsplit_once('/').map(|(above, _)| above)
        })
        .skip(1)
        .filter(|above| self.inside(above).is_some())
    }

    /// The folder whose tombstone, or the file in whose place, stands for this place too.
    pub(super) fn gone_with(&self, place: &str, feed: &Feed) -> Option<ItemNo> {
        self.folders_above(place)
            .filter(|above| feed.tombstones.contains(*above) || self.is_file(above))
            .find_map(|above| self.folder_known_at(above))
    }

    fn is_file(&self, place: &str) -> bool {
        self.past.is_taken(place) && self.past.last_stay(place).is_some_and(|stay| !stay.is_folder)
    }

    fn folder_known_at(&self, place: &str) -> Option<ItemNo> {
        let no = self.occupants.get(place)?;
        let known = self.known.get(no)?;
        (known.kind == ItemKind::Folder).then_some(*no)
    }

    /// Files known to be in the folder.
    fn files_here(&self) -> impl Iterator<Item = (ItemNo, &Known)> {
        self.known
            .iter()
            .filter(|(_, known)| known.status == Status::Here && known.kind == ItemKind::File)
            .map(|(no, known)| (*no, known))
    }

    /// Asks for revisions, by path where a place changed hands and by id where a file changed or must be looked for.
    fn ask(&self, world: &World, scope: &Scope, feed: &Feed) -> Answers {
        let mut answers = Answers::default();
        let changed = feed.live.iter().copied().filter(|no| self.newest_is_unseen(*no));
        answers.files.extend(changed);
        // A file whose place is lost, to nobody or to another item, is looked for.
        let lost = self.files_here().map(|(no, _)| no);
        answers
            .files
            .extend(lost.filter(|no| !scope.items.contains_key(no)));
        for place in self.places_to_list(scope, feed) {
            for (no, which) in self.past.path_mode(&place) {
                answers.files.insert(*no);
                answers.news.entry(*no).or_default().insert(*which);
            }
            if let Some(stay) = self.past.last_stay(&place).filter(|stay| !stay.is_folder)
                && let End::Deleted(at) = stay.end
            {
                answers.deleted_at.insert(stay.item, at);
            }
        }
        for no in &answers.files {
            let is_known_as_live = scope.items.contains_key(no) && !feed.live.contains(no);
            if world.is_visible(*no) && !is_known_as_live {
                let listed = self.id_mode(*no);
                answers.news.entry(*no).or_default().extend(listed);
            }
        }
        for (no, news) in &mut answers.news {
            if let Some(seen) = self.seen.get(no) {
                news.retain(|which| !seen.contains(which));
            }
        }
        answers
    }

    fn newest_is_unseen(&self, no: ItemNo) -> bool {
        let newest = self.past.revisions(no).len().checked_sub(1);
        newest.is_some_and(|newest| !self.seen.get(&no).is_some_and(|seen| seen.contains(&newest)))
    }

    /// Places to list by path: those with another file than known, and vacated ones. For a folder that is gone, the places of
    /// the files known below it, unless they turned up elsewhere.
    fn places_to_list(&self, scope: &Scope, feed: &Feed) -> BTreeSet<Place> {
        let mut places = BTreeSet::new();
        for no in &feed.live {
            let Some(seen) = scope.items.get(no).filter(|seen| seen.kind == ItemKind::File) else {
                continue;
            };
            let place = self.place_of(seen);
            if self.occupants.get(&place) != Some(no) {
                places.insert(place);
            }
        }
        let is_folder = |place: &Place| self.folder_known_at(place).is_some();
        places.extend(feed.tombstones.iter().filter(|place| !is_folder(place)).cloned());
        let below = self
            .files_here()
            .filter(|(no, known)| !feed.live.contains(no) && self.gone_with(&known.place, feed).is_some());
        places.extend(below.map(|(_, known)| known.place.clone()));
        places
    }

    /// The newest revisions of a file by its id; when these may not be all, also its revisions at every place seen so far.
    fn id_mode(&self, no: ItemNo) -> BTreeSet<usize> {
        let all = self.past.revisions(no);
        let mut found: BTreeSet<usize> = (0..all.len()).rev().take(ID_MODE_LIMIT).collect();
        if all.len() >= ID_MODE_LIMIT {
            let known = self.seen.get(&no).into_iter().flatten();
            let places: BTreeSet<Place> = found
                .iter()
                .chain(known)
                .filter_map(|which| Some(all.get(*which)?.place()))
                .collect();
            for place in places {
                let here = self.past.path_mode(&place).iter();
                found.extend(here.filter(|(other, _)| *other == no).map(|(_, which)| *which));
            }
        }
        found
    }

    fn remember(&mut self, world: &World, scope: &Scope, answers: &Answers) {
        for (no, news) in &answers.news {
            self.seen.entry(*no).or_default().extend(news);
        }
        // Asked by id, a folder that lives elsewhere answers "not a file", one that is deleted "not found".
        for (no, known) in &mut self.known {
            if known.kind == ItemKind::Folder {
                known.status = if world.is_visible(*no) {
                    Status::Elsewhere
                } else {
                    Status::Gone
                };
            }
        }
        for no in &answers.files {
            let status = if world.is_visible(*no) {
                Status::Elsewhere
            } else {
                Status::Gone
            };
            let known = self.known.entry(*no).or_insert_with(|| Known {
                kind: ItemKind::File,
                status,
                place: Place::new(),
                parent: None,
                name: "".into(),
                path: String::new(),
            });
            known.status = status;
        }
        self.occupants.clear();
        for (no, seen) in &scope.items {
            let place = self.place_of(seen);
            self.occupants.insert(place.clone(), *no);
            let known = Known {
                kind: seen.kind,
                status: Status::Here,
                place,
                parent: Some(seen.parent),
                name: Arc::clone(&seen.name),
                path: seen.path.clone(),
            };
            self.known.insert(*no, known);
        }
    }
}
