//! Real histories: a git repository read as a shared folder.

use std::collections::{BTreeSet, HashMap};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use jiff::Timestamp;

use super::WorldSource;
use crate::error::SimulatorError;
use crate::world::Actor;

mod log;
mod replay;

use log::Commit;
use replay::Replay;

/// Fields of a commit's header line: committer time, author address, author name. Record and unit separators cannot stand
/// at the start of the raw lines that follow.
const FORMAT: &str = "--format=tformat:%x1e%ct%x1f%ae%x1f%an";

impl WorldSource {
    /// The first-parent history of `HEAD` in the repository at `dir`, its paths put below the folder `root` (`""` for the
    /// world's root). Reads with the `git` program.
    ///
    /// Time is the committer's, or that of the commit before where the clock went back; the actor is the author. A merge is
    /// its difference to the first parent. A rename counts only when the bytes are the same, otherwise it is a deletion and a
    /// creation in one second. Symbolic links and submodules are left out, and so are changes of the mode alone. Blob ids
    /// become content keys: sizes are real, bytes are made from the key.
    pub fn from_git(dir: &Path, root: &str) -> Result<Self, SimulatorError> {
        let log = run(
            dir,
            &[
                "-c",
                "log.showSignature=false",
                "log",
                "--first-parent",
                "--diff-merges=first-parent",
                "--reverse",
                "--raw",
                "-M100%",
                "--no-abbrev",
                "--no-ext-diff",
                "--no-show-signature",
                "-z",
                FORMAT,
                "HEAD",
                "--",
            ],
            "",
        )?;
        let commits = log::read(&String::from_utf8_lossy(&log));
        let sizes = sizes(dir, &commits)?;
        let mut actors: HashMap<Actor, Arc<Actor>> = HashMap::new();
        let mut replay = Replay::new(&sizes);
        let mut now = Timestamp::MIN;
        for commit in commits {
            now = now.max(commit.at);
            let known = actors
                .entry(commit.author)
                .or_insert_with_key(|actor| Arc::new(actor.clone()));
            replay.commit(now, known, commit.changes);
        }
        Ok(Self::from_edits(replay.into_edits()).below(root))
    }
}

/// Bytes of every blob the history names.
fn sizes(dir: &Path, commits: &[Commit]) -> Result<HashMap<String, u64>, SimulatorError> {
    let blobs: BTreeSet<&str> = commits
        .iter()
        .flat_map(|commit| &commit.changes)
        .filter_map(|change| change.new_blob.as_deref())
        .collect();
    let asked: String = blobs.iter().flat_map(|blob| [*blob, "\n"]).collect();
    let check = "--batch-check=%(objectname) %(objectsize)";
    let answer = run(dir, &["cat-file", check], &asked)?;
    String::from_utf8_lossy(&answer)
        .lines()
        .map(|line| {
            let (blob, size) = line.split_once(' ').unwrap_or((line, ""));
            let bytes = size.parse().map_err(|_| SimulatorError::Git {
                dir: dir.to_owned(),
                said: line.to_owned(),
            })?;
            Ok((blob.to_owned(), bytes))
        })
        .collect()
}

/// What `git` prints when given `input`.
fn run(dir: &Path, arguments: &[&str], input: &str) -> Result<Vec<u8>, SimulatorError> {
    let read = |source| SimulatorError::Read {
        path: dir.to_owned(),
        source,
    };
    let mut child = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(read)?;
    let stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        // Written beside the reading: git answers while it is asked, and either pipe may fill.
        let writer = scope.spawn(move || stdin.map(|mut pipe| pipe.write_all(input.as_bytes())));
        let output = child.wait_with_output();
        // If git stopped reading early, its exit status says so below.
        let _ = writer.join();
        output
    })
    .map_err(read)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(SimulatorError::Git {
        dir: dir.to_owned(),
        said: said.lines().next().unwrap_or("no message").to_owned(),
    })
}

#[cfg(test)]
mod tests;
