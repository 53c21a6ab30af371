//! The output of `git log --raw -z`.

use jiff::Timestamp;

use crate::world::Actor;

/// One commit, against its first parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) at: Timestamp,
    pub(super) author: Actor,
    pub(super) changes: Vec<Change>,
}

/// One raw record. Blob ids are there only for regular files: links, submodules and absence are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) old_path: String,
    pub(super) new_path: String,
    pub(super) old_blob: Option<String>,
    pub(super) new_blob: Option<String>,
}

/// Commits in the order given. What is neither a header nor a record is skipped.
pub(super) fn read(log: &str) -> Vec<Commit> {
    let mut commits: Vec<Commit> = Vec::new();
    let mut tokens = log.split('\0');
    while let Some(token) = tokens.next() {
        let token = token.trim_start_matches('\n');
        if let Some(header) = token.strip_prefix('\u{1e}') {
            commits.extend(commit(header));
        } else if let Some(record) = token.strip_prefix(':') {
            let found = change(record, &mut tokens);
            if let Some(last) = commits.last_mut() {
                last.changes.extend(found);
            }
        }
    }
    commits
}

fn commit(header: &str) -> Option<Commit> {
    let mut fields = header.splitn(3, '\u{1f}');
    let at = Timestamp::from_second(fields.next()?.parse().ok()?).ok()?;
    let email = fields.next()?.to_owned();
    let name = fields.next()?.to_owned();
    Some(Commit {
        at,
        author: Actor { email, name },
        changes: Vec::new(),
    })
}

/// `old-mode new-mode old-blob new-blob status`, then one path, or two for a rename.
fn change<'log>(record: &str, paths: &mut impl Iterator<Item = &'log str>) -> Option<Change> {
    let mut fields = record.split(' ');
    let (old_mode, new_mode) = (fields.next()?, fields.next()?);
    let (old_blob, new_blob, status) = (fields.next()?, fields.next()?, fields.next()?);
    let old_path = paths.next()?.to_owned();
    let new_path = if status.starts_with(['R', 'C']) {
        paths.next()?.to_owned()
    } else {
        old_path.clone()
    };
    let regular = |mode: &str, blob: &str| mode.starts_with("100").then(|| blob.to_owned());
    Some(Change {
        old_blob: regular(old_mode, old_blob),
        new_blob: regular(new_mode, new_blob),
        old_path,
        new_path,
    })
}
