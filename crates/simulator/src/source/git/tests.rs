use std::fs;

use super::*;
use crate::world::{Action, Edit};

/// A repository in a temporary folder.
struct Repository(tempfile::TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        repository.git(&["init", "-q", "-b", "main"]);
        repository
    }

    fn git(&self, arguments: &[&str]) {
        self.git_at("2026-01-05T08:00:00Z", arguments);
    }

    fn git_at(&self, at: &str, arguments: &[&str]) {
        let done = Command::new("git")
            .arg("-C")
            .arg(self.0.path())
            .args(["-c", "user.name=Ada Smith", "-c", "user.email=ada@acme.example"])
            .args(["-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null"])
            .args(arguments)
            .envs([("GIT_AUTHOR_DATE", at), ("GIT_COMMITTER_DATE", at)])
            .output()
            .unwrap();
        assert!(done.status.success(), "{arguments:?}: {done:?}");
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.0.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.0.path().join(path)).unwrap();
    }

    fn commit(&self, at: &str) {
        self.git(&["add", "-A"]);
        self.git_at(at, &["commit", "-q", "-m", "a change"]);
    }

    fn source(&self, root: &str) -> WorldSource {
        WorldSource::from_git(self.0.path(), root).unwrap()
    }
}

fn told(edit: &Edit) -> (String, Action, String, Option<u64>) {
    let path = edit.from.as_ref().map_or_else(
        || edit.path.to_string(),
        |from| format!("{from} -> {}", edit.path),
    );
    (edit.at.to_string(), edit.action, path, edit.size)
}

#[test]
fn a_small_repository_becomes_edits() {
    let repository = Repository::new();
    repository.write("notes/first note.md", "hello\n");
    repository.write("b.txt", "bee");
    repository.commit("2026-01-05T09:00:00Z");
    repository.git(&["mv", "notes/first note.md", "notes/second né.md"]);
    repository.write("b.txt", "bees");
    // The committer's clock went back.
    repository.commit("2026-01-05T08:30:00Z");
    repository.git(&["mv", "b.txt", "c.txt"]);
    repository.write("c.txt", "bees and wasps");
    repository.commit("2026-01-05T10:00:00Z");
    let source = repository.source("Handbook");
    let (nine, ten) = ("2026-01-05T09:00:00Z", "2026-01-05T10:00:00Z");
    let expected = [
        (nine, Action::Created, "Handbook/b.txt", Some(3)),
        (nine, Action::Created, "Handbook/notes/first note.md", Some(6)),
        (
            nine,
            Action::Renamed,
            "Handbook/notes/first note.md -> Handbook/notes/second né.md",
            None,
        ),
        (nine, Action::Modified, "Handbook/b.txt", Some(4)),
        (ten, Action::Deleted, "Handbook/b.txt", None),
        (ten, Action::Created, "Handbook/c.txt", Some(14)),
    ]
    .map(|(at, action, path, size)| (at.to_owned(), action, path.to_owned(), size));
    assert_eq!(source.edits().iter().map(told).collect::<Vec<_>>(), expected);
    let first = &source.edits()[0];
    assert_eq!(first.actor.email, "ada@acme.example");
    assert_eq!(first.actor.name, "Ada Smith");
    // `git hash-object` of "bee".
    assert_eq!(
        first.content_key.as_deref(),
        Some("84738b4acf638a1c2462c4edc96bb950cdae5f54")
    );
}

#[test]
fn a_merge_is_its_difference_to_the_first_parent() {
    let repository = Repository::new();
    repository.write("a", "1");
    repository.commit("2026-01-05T09:00:00Z");
    repository.git(&["checkout", "-q", "-b", "side"]);
    repository.write("side/s", "s");
    repository.commit("2026-01-05T09:10:00Z");
    repository.git(&["checkout", "-q", "main"]);
    repository.write("b", "2");
    repository.commit("2026-01-05T09:20:00Z");
    repository.git_at("2026-01-05T09:30:00Z", &["merge", "-q", "--no-edit", "side"]);
    let edits: Vec<_> = repository.source("").edits().iter().map(told).collect();
    assert_eq!(edits.len(), 3);
    assert_eq!(
        edits[2],
        (
            "2026-01-05T09:30:00Z".to_owned(),
            Action::Created,
            "side/s".to_owned(),
            Some(1)
        )
    );
}

#[test]
fn files_that_become_folders_and_back_still_play() {
    let repository = Repository::new();
    repository.write("x", "the same bytes all along");
    repository.write("p", "first of two");
    repository.write("q", "second of two");
    repository.commit("2026-01-05T09:00:00Z");
    repository.git(&["mv", "x", "y"]);
    fs::create_dir(repository.0.path().join("x")).unwrap();
    repository.git(&["mv", "y", "x/y"]);
    repository.commit("2026-01-05T09:10:00Z");
    fs::remove_dir_all(repository.0.path().join("x")).unwrap();
    repository.write("x", "the same bytes all along");
    repository.commit("2026-01-05T09:20:00Z");
    repository.write("p", "second of two");
    repository.write("q", "first of two");
    repository.commit("2026-01-05T09:30:00Z");
    let mut world = repository.source("Root").world();
    world.advance("2026-01-06T00:00:00Z".parse().unwrap()).unwrap();
    let file = world.find("Root/x").unwrap();
    assert_eq!(file.head().unwrap().size, 24);
    assert_eq!(world.find("Root/p").unwrap().saves.len(), 2);
}

#[cfg(unix)]
#[test]
fn links_and_modes_are_left_out() {
    let repository = Repository::new();
    repository.write("a", "1");
    std::os::unix::fs::symlink("a", repository.0.path().join("link")).unwrap();
    repository.commit("2026-01-05T09:00:00Z");
    repository.git(&["update-index", "--chmod=+x", "a"]);
    repository.git_at("2026-01-05T09:10:00Z", &["commit", "-q", "-m", "mode"]);
    repository.git(&["checkout", "-q", "."]);
    repository.remove("link");
    repository.write("link", "a file now");
    repository.git(&["add", "link"]);
    repository.git_at("2026-01-05T09:20:00Z", &["commit", "-q", "-m", "type"]);
    let edits: Vec<_> = repository
        .source("")
        .edits()
        .iter()
        .map(|edit| (edit.action, edit.path.to_string()))
        .collect();
    assert_eq!(
        edits,
        [
            (Action::Created, "a".to_owned()),
            (Action::Created, "link".to_owned())
        ]
    );
}

#[test]
fn a_folder_without_a_repository_is_refused_with_what_git_said() {
    let empty = tempfile::tempdir().unwrap();
    fs::write(empty.path().join(".git"), "gitdir: nowhere\n").unwrap();
    match WorldSource::from_git(empty.path(), "") {
        Err(SimulatorError::Git { dir, said }) => {
            assert_eq!(dir, empty.path());
            assert!(said.contains("not a git repository"), "{said}");
        }
        other => panic!("{other:?}"),
    }
}
