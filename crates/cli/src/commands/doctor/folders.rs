//! Accounts and folders, looked at as a harvest would: credentials, the folder, its feed, the audit log, contents, revisions of one
//! file, authors.

use std::{collections::BTreeMap, sync::Arc};

use revtrail_connector::{
    ActivityPoint, Connector, ConnectorError, FeedPoint, FolderRoot,
    change::{About, Change, ItemMeta, Revision, RevisionAsk, Seen},
};
use revtrail_model::{
    event::ItemKind,
    id::{AccountName, LedgerName},
    time::Clock,
};
use revtrail_settings::{Config, Folder, Ledger};

use super::{Check, clock, remedy};
use crate::{clock::SystemClock, wiring};

/// Pages looked through for a file whose revisions can be asked for.
const PAGES: usize = 10;

/// An account that answered.
struct Reader {
    connector: Arc<dyn Connector>,
    is_clock_told: bool,
    is_log_told: bool,
}

pub(super) async fn examine(config: &Config, ledgers: &[(&LedgerName, &Ledger)]) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut readers: BTreeMap<&AccountName, Option<Reader>> = BTreeMap::new();
    for (ledger, folders) in ledgers.iter().map(|(name, ledger)| (name, &ledger.folders)) {
        for folder in folders {
            if !readers.contains_key(&folder.account) {
                let reader = account(config, &folder.account, &mut checks).await;
                readers.insert(&folder.account, reader);
            }
            if let Some(Some(reader)) = readers.get_mut(&folder.account) {
                let about = format!("{ledger}/{}", folder.name);
                look(reader, (&about, folder), &mut checks).await;
            }
        }
    }
    checks
}

/// Proves the credentials of an account.
async fn account(config: &Config, name: &AccountName, checks: &mut Vec<Check>) -> Option<Reader> {
    let account = config.accounts.get(name)?;
    let connector = match wiring::connector(account, Arc::new(SystemClock)) {
        Ok(connector) => connector,
        Err(error) => {
            checks.push(Check::fail("credentials", name.as_str(), &remedy::login(error)));
            return None;
        }
    };
    let provider = connector.capabilities().provider;
    match connector.preflight().await {
        Ok(access) => {
            let found = format!("{provider}, tenant {}", access.tenant);
            checks.push(Check::pass("credentials", name.as_str(), found));
            Some(Reader {
                connector,
                is_clock_told: false,
                is_log_told: false,
            })
        }
        Err(error) => {
            checks.push(Check::fail("credentials", name.as_str(), &remedy::login(error)));
            None
        }
    }
}

async fn look(reader: &mut Reader, (about, folder): (&str, &Folder), checks: &mut Vec<Check>) {
    let connector = Arc::clone(&reader.connector);
    let root = match connector.resolve(&folder.place).await {
        Ok(root) => root,
        Err(error) => return checks.push(Check::fail("folder", about, &remedy::folder(error))),
    };
    let found = format!("item {} on drive {}", root.item, root.drive);
    checks.push(Check::pass("folder", about, found));
    match connector.changes(&root, FeedPoint::Start).await {
        Ok(page) => {
            checks.push(Check::pass("feed", about, "can be read"));
            if let Some(theirs) = page.answered_at.filter(|_| !reader.is_clock_told) {
                reader.is_clock_told = true;
                checks.push(clock(folder.account.as_str(), SystemClock.now(), theirs));
            }
        }
        Err(error) => checks.push(Check::fail("feed", about, &remedy::folder(error))),
    }
    if connector.audit().is_some() && !reader.is_log_told {
        reader.is_log_told = true;
        checks.extend(audit_logs(connector.as_ref(), (folder.account.as_str(), &root)).await);
    }
    match find_file(connector.as_ref(), &root).await {
        Ok(Some(file)) => {
            checks.push(Check::pass("contents", about, "can be listed"));
            checks.extend(revisions(connector.as_ref(), (about, &root), file).await);
        }
        Ok(None) => checks.push(Check::warn(
            "contents",
            about,
            "no file was found to ask revisions of",
            "run `revtrail doctor` again once the folder holds a file",
        )),
        Err(error) => checks.push(Check::fail("contents", about, &remedy::folder(error))),
    }
}

/// Whether the account's audit logs can be read, from the present moment on.
async fn audit_logs(connector: &dyn Connector, (account, root): (&str, &FolderRoot)) -> Vec<Check> {
    let (from, roots) = (ActivityPoint::From(SystemClock.now()), std::slice::from_ref(root));
    let check = |name, outcome| match outcome {
        Ok(_) => Check::pass(name, account, "can be read"),
        Err(error) => Check::fail(name, account, &remedy::audit_log(error)),
    };
    let mut checks = vec![check("audit log", connector.activity(roots, from.clone()).await)];
    if connector.second_audit().is_some() {
        checks.push(check(
            "second audit log",
            connector.second_activity(roots, from).await,
        ));
    }
    checks
}

/// Some file of the folder.
async fn find_file(connector: &dyn Connector, root: &FolderRoot) -> Result<Option<ItemMeta>, ConnectorError> {
    let mut next = None;
    for _ in 0..PAGES {
        let page = connector.subtree(root, &root.item, next).await?;
        if let Some(file) = page.changes.into_iter().find_map(file) {
            return Ok(Some(file));
        }
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    Ok(None)
}

fn file(change: Change) -> Option<ItemMeta> {
    match change.seen {
        Seen::Present(meta) if meta.kind == ItemKind::File => Some(meta),
        _ => None,
    }
}

async fn revisions(
    connector: &dyn Connector,
    (about, root): (&str, &FolderRoot),
    file: ItemMeta,
) -> Vec<Check> {
    let provider = connector.capabilities().provider;
    let ask = RevisionAsk {
        about: About::Item(file.id),
        head: file.head,
    };
    let answer = match connector.revisions(root, std::slice::from_ref(&ask)).await {
        Ok(mut answers) => answers.pop().map(|answer| answer.outcome),
        Err(error) => return vec![Check::fail("revisions", about, &remedy::revisions(error))],
    };
    match answer {
        Some(Ok(list)) => {
            let found = format!("{} of one file can be listed", list.revisions.len());
            let author = authors(about, list.revisions.last());
            std::iter::once(Check::pass("revisions", about, found))
                .chain(author)
                .collect()
        }
        Some(Err(failure)) => {
            let mut error = ConnectorError::new(failure.kind, provider, "revisions");
            error.status = failure.status;
            vec![Check::fail("revisions", about, &remedy::revisions(error))]
        }
        None => Vec::new(),
    }
}

/// How far the newest revision names who saved it.
fn authors(about: &str, newest: Option<&Revision>) -> Option<Check> {
    let revision = newest?;
    let Some(actor) = &revision.actor else {
        return Some(Check::warn(
            "authors",
            about,
            "the newest revision of the file names nobody",
            "private Dropbox folders never name authors (docs/setup-dropbox.md); elsewhere some saves have none",
        ));
    };
    if actor.application.is_none() && actor.details.name.is_none() && actor.details.email.is_none() {
        return Some(Check::warn(
            "authors",
            about,
            "authors have an id, but no name and no address",
            "for Dropbox, tick the scope sharing.read and link again (docs/setup-dropbox.md, section 2)",
        ));
    }
    Some(Check::pass("authors", about, "are named"))
}
