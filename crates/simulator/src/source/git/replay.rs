//! Commits turned into edits that follow from each other.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::log::Change;
use crate::world::{Action, Actor, Edit};

/// Keeps which files and folders the world has: git forgets a folder with its last file, a drive keeps it.
#[derive(Debug)]
pub(super) struct Replay<'a> {
    sizes: &'a HashMap<String, u64>,
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
    edits: Vec<Edit>,
}

/// The changes of one commit, in the order in which they can be made.
#[derive(Debug, Default)]
struct Sorted {
    gone: Vec<String>,
    moved: Vec<(String, String, String)>,
    new: Vec<(String, String)>,
    saved: Vec<(String, String)>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(sizes: &'a HashMap<String, u64>) -> Self {
        Self {
            sizes,
            files: BTreeSet::new(),
            folders: BTreeSet::new(),
            edits: Vec::new(),
        }
    }

    pub(super) fn into_edits(self) -> Vec<Edit> {
        self.edits
    }

    /// Makes all changes of one commit.
    pub(super) fn commit(&mut self, at: Timestamp, actor: &Arc<Actor>, changes: Vec<Change>) {
        let first = self.edits.len();
        let mut sorted = sort(changes);
        for path in &sorted.gone {
            self.delete(at, path);
        }
        self.rename(at, &mut sorted);
        for (path, blob) in &sorted.new {
            self.make_room(at, path);
            self.save(at, Action::Created, path, blob);
            self.live(path);
        }
        for (path, blob) in &sorted.saved {
            self.save(at, Action::Modified, path, blob);
        }
        for edit in self.edits.get_mut(first..).unwrap_or_default() {
            edit.actor = Arc::clone(actor);
        }
    }

    /// Renames in an order in which no file stands in the way; what is left in a circle is deleted and created.
    fn rename(&mut self, at: Timestamp, sorted: &mut Sorted) {
        let mut waiting = std::mem::take(&mut sorted.moved);
        loop {
            let before = waiting.len();
            waiting.retain(|(from, to, _)| {
                let possible = self.has_room(to);
                if possible {
                    self.make_room(at, to);
                    self.edits.push(Edit::renamed(at, from, to));
                    self.files.remove(from);
                    self.live(to);
                }
                !possible
            });
            if waiting.len() == before {
                break;
            }
        }
        for (from, to, blob) in waiting {
            self.delete(at, &from);
            sorted.new.push((to, blob));
        }
    }

    fn delete(&mut self, at: Timestamp, path: &str) {
        self.edits.push(Edit::deleted(at, path));
        self.files.remove(path);
    }

    fn save(&mut self, at: Timestamp, action: Action, path: &str, blob: &str) {
        let mut edit = Edit::new(at, action, path).with_content(blob);
        edit.size = Some(self.sizes.get(blob).copied().unwrap_or_default());
        self.edits.push(edit);
    }

    /// No file is at the path, above it or below it.
    fn has_room(&self, path: &str) -> bool {
        let below = format!("{path}/");
        let taken_below = self
            .files
            .range(below.clone()..)
            .next()
            .is_some_and(|file| file.starts_with(&below));
        !taken_below && !self.files.contains(path) && !above(path).any(|folder| self.files.contains(folder))
    }

    /// An empty folder left over at a file's place goes first.
    fn make_room(&mut self, at: Timestamp, path: &str) {
        if self.folders.remove(path) {
            let below = format!("{path}/");
            self.folders.retain(|folder| !folder.starts_with(&below));
            self.edits.push(Edit::deleted(at, path));
        }
    }

    fn live(&mut self, path: &str) {
        self.files.insert(path.to_owned());
        self.folders.extend(above(path).map(str::to_owned));
    }
}

fn sort(changes: Vec<Change>) -> Sorted {
    let mut sorted = Sorted::default();
    for change in changes {
        let Change {
            old_path, new_path, ..
        } = change;
        match (change.old_blob, change.new_blob) {
            (Some(old), Some(new)) if old_path != new_path && old == new => {
                sorted.moved.push((old_path, new_path, new));
            }
            (Some(old), Some(new)) if old_path == new_path => {
                if old != new {
                    sorted.saved.push((new_path, new));
                }
            }
            (old, new) => {
                if old.is_some() {
                    sorted.gone.push(old_path);
                }
                if let Some(new) = new {
                    sorted.new.push((new_path, new));
                }
            }
        }
    }
    sorted
}

/// Folders above a path, nearest first.
fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(path.rsplit_once('/'), |(folder, _)| folder.rsplit_once('/'))
        .map(|(folder, _)| folder)
}
