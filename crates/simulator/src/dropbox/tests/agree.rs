//! A small reader that knows only the answers of the face, compared with the truth: both must tell the same of files.

use std::collections::{BTreeMap, BTreeSet};

use super::feed::random_edits;
use super::*;
use crate::truth::{Fact, FactAction, dropbox::could_tell};
use crate::world::ItemKind;

/// Poll, action, item, revision, seconds (of exact facts) and path.
type Told = (
    usize,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
);

#[derive(Default)]
struct Client {
    cursor: Option<String>,
    /// Place to id; folders have a `true`.
    tree: BTreeMap<String, (String, bool)>,
    revisions: BTreeMap<String, BTreeMap<String, Value>>,
    gone: BTreeSet<String>,
    left: BTreeSet<String>,
}

/// What one poll shows and brings.
#[derive(Default)]
struct Round {
    live: BTreeSet<String>,
    here: BTreeSet<String>,
    subjects: BTreeSet<String>,
    news: BTreeMap<String, BTreeMap<String, Value>>,
    deleted_at: BTreeMap<String, String>,
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn inside(revision: &Value) -> Option<String> {
    revision["path_display"]
        .as_str()?
        .strip_prefix("/F/")
        .map(str::to_owned)
}

impl Client {
    fn read(&mut self, face: &Face) -> Vec<Value> {
        let answer = if let Some(cursor) = &self.cursor {
            ask(face, Route::Continue, &json!({ "cursor": cursor }))
        } else {
            let argument = json!({ "path": "/F", "recursive": true, "include_deleted": true });
            ask(face, Route::ListFolder, &argument)
        };
        let (entries, cursor) = drain(face, answer.unwrap());
        self.cursor = Some(cursor);
        entries
    }

    /// The tree after these entries.
    fn grown(&self, entries: &[Value]) -> BTreeMap<String, (String, bool)> {
        let mut tree = self.tree.clone();
        for entry in entries {
            let (key, is_folder) = (text(entry, "path_lower"), entry[".tag"] == "folder");
            if !is_folder {
                let below = format!("{key}/");
                tree.retain(|place, _| *place != key && !place.starts_with(&below));
            }
            if entry[".tag"] != "deleted" {
                tree.insert(key, (text(entry, "id"), is_folder));
            }
        }
        tree
    }

    fn places(&self, entries: &[Value], live: &BTreeSet<String>) -> BTreeSet<String> {
        let mut places = BTreeSet::new();
        for entry in entries {
            let (key, known) = (
                text(entry, "path_lower"),
                self.tree.get(&text(entry, "path_lower")),
            );
            match (entry[".tag"].as_str(), known) {
                (Some("file"), Some((id, _))) if *id == text(entry, "id") => {}
                (Some("deleted"), Some((_, true))) => {
                    let below = format!("{key}/");
                    let files = self.tree.iter().filter(|(place, (id, is_folder))| {
                        place.starts_with(&below) && !is_folder && !live.contains(id)
                    });
                    places.extend(files.map(|(place, _)| place.clone()));
                }
                (Some("file" | "deleted"), _) => {
                    places.insert(key);
                }
                _ => {}
            }
        }
        places
    }

    fn poll(&mut self, face: &Face, poll: usize) -> Vec<Told> {
        let entries = self.read(face);
        let tree = self.grown(&entries);
        let mut round = self.round(&entries, &tree);
        self.list_places(face, &entries, &mut round);
        let mut told = Vec::new();
        for id in std::mem::take(&mut round.subjects) {
            told.extend(self.settle(face, poll, &id, &mut round));
        }
        self.tree = tree;
        told
    }

    /// Files that are live in the feed, all that is there, and files to ask about.
    fn round(&self, entries: &[Value], tree: &BTreeMap<String, (String, bool)>) -> Round {
        let mut round = Round {
            here: tree.values().map(|(id, _)| id.clone()).collect(),
            ..Round::default()
        };
        for entry in entries.iter().filter(|entry| entry[".tag"] == "file") {
            let id = text(entry, "id");
            let known = self.revisions.get(&id);
            if known.is_none_or(|known| !known.contains_key(&text(entry, "rev"))) {
                round.subjects.insert(id.clone());
            }
            round.live.insert(id);
        }
        for (id, is_folder) in self.tree.values() {
            if !is_folder && !round.here.contains(id) {
                round.subjects.insert(id.clone());
            }
        }
        round
    }

    fn list_places(&self, face: &Face, entries: &[Value], round: &mut Round) {
        for place in self.places(entries, &round.live) {
            let argument = json!({ "path": place, "limit": 100 });
            let Ok(answer) = ask(face, Route::ListRevisions, &argument) else {
                continue;
            };
            let revisions = answer["entries"].as_array().unwrap();
            if let Some(at) = answer["server_deleted"].as_str() {
                let newest = text(&revisions[0], "id");
                round.deleted_at.insert(newest, at.to_owned());
            }
            for revision in revisions {
                let id = text(revision, "id");
                round.subjects.insert(id.clone());
                let news = round.news.entry(id).or_default();
                news.insert(text(revision, "rev"), revision.clone());
            }
        }
    }

    /// Looks for one file, tells its news, and remembers.
    fn settle(&mut self, face: &Face, poll: usize, id: &str, round: &mut Round) -> Vec<Told> {
        let mut news = round.news.remove(id).unwrap_or_default();
        let mut is_gone = false;
        if round.live.contains(id) || !round.here.contains(id) {
            let argument = json!({ "path": id, "mode": "id", "limit": 100 });
            match ask(face, Route::ListRevisions, &argument) {
                Ok(answer) => {
                    let listed = answer["entries"].as_array().unwrap().clone();
                    news.extend(listed.into_iter().map(|one| (text(&one, "rev"), one)));
                }
                Err(problem) => is_gone = problem == Problem::path("not_found"),
            }
        }
        let known = self.revisions.entry(id.to_owned()).or_default();
        news.retain(|rev, _| !known.contains_key(rev));
        let newest = known.keys().next_back().cloned();
        let is_new = news.keys().next_back() > newest.as_ref();
        let was_gone = self.gone.remove(id);
        let had_left = self.left.remove(id);
        known.extend(news.clone());
        let mut told = tell(poll, known, &news, newest.as_ref().filter(|_| was_gone));
        if is_gone && (is_new || !(was_gone || had_left)) {
            let path = known.values().rev().find_map(inside);
            let at = round.deleted_at.get(id).cloned();
            told.push((poll, "Deleted".to_owned(), id.to_owned(), None, at, path));
        }
        if is_gone {
            self.gone.insert(id.to_owned());
        } else if !round.here.contains(id) {
            self.left.insert(id.to_owned());
        }
        told
    }
}

fn tell(
    poll: usize,
    union: &BTreeMap<String, Value>,
    news: &BTreeMap<String, Value>,
    last_before_deletion: Option<&String>,
) -> Vec<Told> {
    let mut told = Vec::new();
    let mut previous: Option<(&String, &Value)> = None;
    let mut was_inside = false;
    let ever_inside = union.values().any(|one| inside(one).is_some());
    for (rev, revision) in union {
        let (before, path) = (previous.replace((rev, revision)), inside(revision));
        let entered = was_inside;
        was_inside |= path.is_some();
        if !news.contains_key(rev) {
            continue;
        }
        let same = |name: &str| before.is_some_and(|(_, one)| one[name] == revision[name]);
        let folder = |one: &Value| {
            text(one, "path_display")
                .rsplit_once('/')
                .map(|(to, _)| to.to_owned())
        };
        let from = before.and_then(|(_, one)| inside(one));
        let (action, path) = match before {
            None => (FactAction::Created, path),
            Some((known, _)) if Some(known) == last_before_deletion && same("content_hash") => {
                (FactAction::Restored, path)
            }
            Some(_) if path.is_none() && from.is_some() => (FactAction::MovedOut, from),
            Some(_) if same("path_display") || !same("content_hash") => (FactAction::Modified, path),
            Some(_) if path.is_some() && from.is_none() => (FactAction::MovedIn, path),
            Some((_, one)) if folder(one) == folder(revision) => (FactAction::Renamed, path),
            Some(_) => (FactAction::Moved, path),
        };
        let before_entry = ever_inside && !entered;
        if inside(revision).is_some() || before_entry || action == FactAction::MovedOut {
            let at = Some(text(revision, "server_modified"));
            let id = text(revision, "id");
            told.push((poll, format!("{action:?}"), id, Some(rev.clone()), at, path));
        }
    }
    told
}

fn told_by_truth(fact: &Fact) -> Told {
    let at = fact.occurred_at.map(metadata::time);
    let action = format!("{:?}", fact.action);
    let (id, rev) = (fact.item_id.clone(), fact.revision_id.clone());
    (fact.poll, action, id, rev, at, fact.path.clone())
}

#[test]
fn a_reader_of_the_answers_tells_what_the_truth_tells() {
    for seed in 100..116 {
        let source = WorldSource::from_edits(random_edits(seed, 90));
        let polls: Vec<Timestamp> = (0..9).map(|round| at(30 + round * 110)).collect();
        let options = Options {
            seed,
            page_size: Some(4),
            ..Options::default()
        };
        let face = Face::new(Sim::new(source.clone(), options));
        let mut client = Client::default();
        let mut told = Vec::new();
        for (place, moment) in polls.iter().enumerate() {
            face.sim.advance(*moment).unwrap();
            told.extend(client.poll(&face, place));
        }
        told.sort();
        let mut truth: Vec<Told> = could_tell(&source, "/F", &polls)
            .unwrap()
            .iter()
            .filter(|fact| fact.item_kind == ItemKind::File)
            .map(told_by_truth)
            .collect();
        truth.sort();
        let missing: Vec<&Told> = truth.iter().filter(|one| !told.contains(one)).collect();
        let extra: Vec<&Told> = told.iter().filter(|one| !truth.contains(one)).collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "seed {seed}: {missing:#?} {extra:#?}"
        );
        assert_eq!(told.len(), truth.len());
        assert!(told.len() > 40, "seed {seed}: only {}", told.len());
    }
}
