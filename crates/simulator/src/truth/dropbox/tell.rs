//! What the reader tells of the answers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::past::Revision;
use super::reader::{Answers, Feed, Reader, Status};
use crate::content::Algorithm;
use crate::dropbox::ids::{account_id, item_id};
use crate::truth::{Basis, Fact, FactAction, FactActor, Poll, Scope};
use crate::world::{ItemKind, ItemNo, Standing, World};

/// Rule by which a file's first listed revision is its creation.
const OLDEST: &str = "oldest_listed_revision";

/// What a revision says, compared with the one before it.
#[derive(Debug, Default)]
struct Reading {
    action: Option<FactAction>,
    path: Option<String>,
    previous_path: Option<String>,
}

impl Reader {
    /// Facts of files: their new revisions, oldest first, then whether they are gone.
    pub(super) fn tell_files(&self, world: &World, answers: &Answers, poll: Poll, feed: &Feed) -> Vec<Fact> {
        let mut facts = Vec::new();
        let nothing = BTreeSet::new();
        for no in &answers.files {
            let news = answers.news.get(no).unwrap_or(&nothing);
            facts.extend(self.tell_revisions(*no, news, poll));
            if !world.is_visible(*no) {
                facts.extend(self.tell_deletion(*no, news, poll, (answers, feed)));
            }
        }
        facts
    }

    fn tell_revisions(&self, no: ItemNo, news: &BTreeSet<usize>, poll: Poll) -> Vec<Fact> {
        let all = self.past.revisions(no);
        let union: BTreeSet<usize> = self
            .seen
            .get(&no)
            .into_iter()
            .flatten()
            .chain(news)
            .copied()
            .collect();
        let is_inside = |which: usize| all.get(which).is_some_and(|one| self.inside(&one.path).is_some());
        let first_inside = union.iter().find(|which| is_inside(**which));
        let last_seen = self.seen.get(&no).and_then(BTreeSet::last);
        let was_gone = self
            .known
            .get(&no)
            .is_some_and(|known| known.status == Status::Gone);
        let mut facts = Vec::new();
        for which in news {
            let before = union.range(..which).next_back();
            let Some(revision) = all.get(*which) else { continue };
            let previous = before.and_then(|before| all.get(*before));
            let is_first_after_deletion = was_gone && before.is_some() && before == last_seen;
            let reading = if is_first_after_deletion && self.is_same_content(previous, revision) {
                Reading {
                    action: Some(FactAction::Restored),
                    path: self.inside(&revision.path),
                    previous_path: None,
                }
            } else {
                self.read(previous, revision)
            };
            // Outside the folder only what came before the first entry counts, and each step out.
            let counts = is_inside(*which) || first_inside.is_some_and(|first| which < first);
            if let Some(action) = reading.action
                && (counts || action == FactAction::MovedOut)
            {
                let mut fact = self.revision_fact(no, revision, (action, poll));
                fact.path = reading.path;
                fact.previous_path = reading.previous_path;
                fact.previous_revision_id = previous.map(|previous| previous.number.rev());
                facts.push(fact);
            }
        }
        facts
    }

    fn is_same_content(&self, previous: Option<&Revision>, revision: &Revision) -> bool {
        previous.is_some_and(|previous| self.hash(previous) == self.hash(revision))
    }

    fn hash(&self, revision: &Revision) -> String {
        let save = &revision.save;
        let hash = self
            .contents
            .digest(Algorithm::Dropbox, &save.content_key, save.size);
        hash.to_string()
    }

    fn read(&self, previous: Option<&Revision>, revision: &Revision) -> Reading {
        let path = self.inside(&revision.path);
        let Some(previous) = previous else {
            return Reading {
                action: Some(FactAction::Created),
                path,
                previous_path: None,
            };
        };
        let previous_path = self.inside(&previous.path);
        if path.is_none() && previous_path.is_some() {
            return Reading {
                action: Some(FactAction::MovedOut),
                path: previous_path,
                previous_path: None,
            };
        }
        if previous.path == revision.path || self.hash(previous) != self.hash(revision) {
            return Reading {
                action: Some(FactAction::Modified),
                path,
                previous_path: None,
            };
        }
        let action = if path.is_some() && previous_path.is_none() {
            FactAction::MovedIn
        } else if parent(&previous.path) == parent(&revision.path) {
            FactAction::Renamed
        } else {
            FactAction::Moved
        };
        Reading {
            action: Some(action),
            path,
            previous_path,
        }
    }

    fn revision_fact(&self, no: ItemNo, revision: &Revision, (action, poll): (FactAction, Poll)) -> Fact {
        let item = (ItemKind::File, item_id(no));
        let mut fact = Fact::reported(poll, action, item, whole_second(revision.at));
        if action == FactAction::Created {
            fact.basis = Basis::Derived;
            fact.derived_from = Some(OLDEST.to_owned());
        }
        fact.revision_id = Some(revision.number.rev());
        fact.size = Some(revision.save.size);
        fact.hashes = BTreeMap::from([("dropbox".to_owned(), self.hash(revision))]);
        let author = &revision.actor;
        fact.actor = (author.standing() != Standing::Removed).then(|| FactActor {
            id: Some(account_id(&author.email)),
            email: Some(author.email.clone()),
            name: Some(author.name.clone()),
        });
        fact
    }

    /// A file that is nowhere any more; nothing when that was known, or when it had left the folder before.
    fn tell_deletion(
        &self,
        no: ItemNo,
        news: &BTreeSet<usize>,
        poll: Poll,
        (answers, feed): (&Answers, &Feed),
    ) -> Option<Fact> {
        let known = self.known.get(&no);
        let was_here = known.is_none_or(|known| known.status == Status::Here);
        let last_seen = self.seen.get(&no).and_then(BTreeSet::last);
        if !was_here && news.last() <= last_seen {
            return None;
        }
        let item = (ItemKind::File, item_id(no));
        let with = known
            .filter(|known| known.status == Status::Here)
            .and_then(|known| self.gone_with(&known.place, feed));
        let mut fact = match answers.deleted_at.get(&no) {
            Some(at) => Fact::reported(poll, FactAction::Deleted, item, whole_second(*at)),
            None => Fact::derived(poll, FactAction::Deleted, item),
        };
        if let Some(folder) = with {
            fact.basis = Basis::Derived;
            fact.derived_from = Some(item_id(folder));
        }
        let seen = self.seen.get(&no).into_iter().flatten().chain(news);
        let last = seen.collect::<BTreeSet<_>>();
        fact.path = last
            .iter()
            .rev()
            .find_map(|which| self.inside(&self.past.revisions(no).get(**which)?.path));
        Some(fact)
    }

    /// Facts of folders, which have neither times nor authors: differences between what was known and what is there.
    pub(super) fn tell_folders(&self, world: &World, scope: &Scope, poll: Poll, feed: &Feed) -> Vec<Fact> {
        let mut facts = Vec::new();
        let folder = |no: ItemNo| (ItemKind::Folder, item_id(no));
        for (no, known) in &self.known {
            let is_lost = known.kind == ItemKind::Folder
                && known.status == Status::Here
                && !scope.items.contains_key(no);
            if is_lost {
                let lives = world.is_visible(*no);
                let action = if lives {
                    FactAction::MovedOut
                } else {
                    FactAction::Deleted
                };
                let mut fact = Fact::derived(poll, action, folder(*no));
                fact.path = Some(known.path.clone());
                fact.derived_from = self.gone_with(&known.place, feed).map(item_id);
                facts.push(fact);
            }
        }
        for (no, seen) in &scope.items {
            if seen.kind != ItemKind::Folder {
                continue;
            }
            let known = self.known.get(no);
            let action = match known {
                // The first listing cannot tell when a folder was made.
                None if poll.previous.is_none() => None,
                None => Some(FactAction::Created),
                Some(known) if known.status == Status::Elsewhere => Some(FactAction::MovedIn),
                Some(known) if known.status == Status::Gone => Some(FactAction::Restored),
                Some(known) if known.parent != Some(seen.parent) => Some(FactAction::Moved),
                Some(known) if known.name.to_lowercase() != seen.name.to_lowercase() => {
                    Some(FactAction::Renamed)
                }
                Some(_) => None,
            };
            let Some(action) = action else { continue };
            let mut fact = Fact::derived(poll, action, folder(*no));
            fact.path = Some(seen.path.clone());
            if matches!(action, FactAction::Moved | FactAction::Renamed) {
                fact.previous_path = known.map(|known| known.path.clone());
            }
            facts.push(fact);
        }
        facts
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// Every time of this API is cut to whole seconds.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
