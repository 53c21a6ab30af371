//! Finding what a ledger's record consists of, whatever the archive is.

use revtrail_model::{
    id::LedgerName,
    layout::{Kind, LogName, ObjectName},
};

use crate::{Archive, ArchiveError, ObjectKey};

/// Years of a ledger's logs, oldest first.
pub async fn logs(archive: &dyn Archive, ledger: &LedgerName) -> Result<Vec<LogName>, ArchiveError> {
    let prefix = format!("{ledger}/");
    let mut found: Vec<LogName> = Vec::new();
    let mut after: Option<ObjectKey> = None;
    loop {
        let page = archive.list(&prefix, after.as_ref()).await?;
        let Some(entry) = page.entries.first() else {
            return Ok(found);
        };
        let directory = entry
            .key
            .as_str()
            .strip_prefix(&prefix)
            .and_then(|rest| rest.split('/').next())
            .unwrap_or_default();
        if let Ok(year) = directory.parse::<i16>()
            && year.to_string() == directory
        {
            found.push(LogName {
                ledger: ledger.clone(),
                year,
            });
        }
        // No object of ours sorts after `z…` in a directory, so this skips to the next one.
        after = Some(format!("{prefix}{directory}/zzzzzzzz").parse()?);
    }
}

/// Names of all record objects of one kind, in order.
pub async fn objects(
    archive: &dyn Archive,
    log: &LogName,
    kind: Kind,
) -> Result<Vec<(ObjectName, String)>, ArchiveError> {
    let prefix = log.directory(kind);
    let mut found = Vec::new();
    let mut after: Option<ObjectKey> = None;
    loop {
        let page = archive.list(&prefix, after.as_ref()).await?;
        for entry in &page.entries {
            if let Some(name) = log.parse(entry.key.as_str()) {
                found.push((name, entry.key.to_string()));
            }
        }
        match page.entries.last() {
            Some(last) if page.more => after = Some(last.key.clone()),
            _ => return Ok(found),
        }
    }
}
