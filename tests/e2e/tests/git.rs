//! A git repository's history, replayed as each provider.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{fs, path::Path, process::Command};

use revtrail_e2e::{Bench, FOLDER, Place, assert_same, events_as_facts, told};
use revtrail_simulator::{Options, Provider, Timestamp, WorldSource};
use rstest::rstest;
use tempfile::TempDir;

/// A repository to be filled commit by commit, one a day.
struct Repository {
    dir: TempDir,
    days: u32,
}

impl Repository {
    fn new() -> Self {
        let repository = Self {
            dir: tempfile::tempdir().unwrap(),
            days: 0,
        };
        repository.git(&["init", "-q", "-b", "main"]);
        repository
    }

    fn at(&self) -> String {
        format!("2026-01-{:02}T08:00:00Z", 5 + self.days)
    }

    fn git(&self, arguments: &[&str]) {
        let done = Command::new("git")
            .arg("-C")
            .arg(self.dir.path())
            .args([
                "-c",
                "user.name=Ada Smith",
                "-c",
                "user.email=ada@acme.example",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(["-c", "core.hooksPath=/dev/null"])
            .args(arguments)
            .envs([("GIT_AUTHOR_DATE", self.at()), ("GIT_COMMITTER_DATE", self.at())])
            .output()
            .unwrap();
        assert!(done.status.success(), "{arguments:?}: {done:?}");
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.dir.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap_or(Path::new(""))).unwrap();
        fs::write(self.path(path), text).unwrap();
    }

    fn commit(&mut self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "a change"]);
        self.days += 1;
    }
}

/// Files made, edited, renamed within a folder, moved to another, moved with their folder, deleted, and made anew.
fn history() -> WorldSource {
    let mut repository = Repository::new();
    repository.write("guide/start.md", "start here, then read on\n");
    repository.write("guide/style.md", "short words, short sentences\n");
    repository.write("notes/monday.txt", "we met and agreed\n");
    repository.commit();
    repository.write("guide/start.md", "start here, then read on, and ask\n");
    repository.git(&["mv", "notes/monday.txt", "notes/first-monday.txt"]);
    repository.commit();
    repository.git(&["mv", "guide/style.md", "notes/style.md"]);
    repository.write("notes/tuesday.txt", "we met again, and agreed on less\n");
    repository.commit();
    repository.git(&["mv", "guide", "manual"]);
    repository.commit();
    repository.git(&["rm", "-q", "notes/tuesday.txt"]);
    repository.write("manual/start.md", "read on\n");
    repository.commit();
    repository.write("notes/tuesday.txt", "a new note of the old name\n");
    repository.commit();
    WorldSource::from_git(repository.dir.path(), "Handbook").unwrap()
}

#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn the_record_of_a_repository_holds_exactly_what_the_api_could_tell(#[case] provider: Provider) {
    let source = history();
    let mut polls: Vec<Timestamp> = source.edits().iter().map(|edit| edit.at).collect();
    polls.dedup();
    assert!(polls.len() >= 6, "{polls:?}");
    // The first two commits are past when the folder is looked at first.
    let polls = polls.split_off(1);
    let bench = Bench::new(
        source.clone(),
        Options::default(),
        &[Place {
            name: "handbook",
            provider,
            path: FOLDER,
        }],
    );
    bench.init();
    for poll in &polls {
        bench.advance(*poll);
        let _harvested = bench.call(&["harvest"]).exits(0);
    }
    assert_same(
        &events_as_facts(&bench.events()),
        &told(provider, &source, FOLDER, &polls),
    );
    bench.verify();
    let again = bench.call(&["harvest", "--output", "json"]).exits(0);
    assert_eq!(again.json()["folders"][0]["events"], 0);
}
