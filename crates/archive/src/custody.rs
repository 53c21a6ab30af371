//! What keeps the record of a ledger in the store: versions, locks and legal holds of every record object.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use revtrail_model::{id::LedgerName, layout::LogName, time::Timestamp};

use crate::{
    Archive, ArchiveError, Head, LegalHold, ObjectKey, Version, VersionId, VersionKind, VersionMark,
};

/// Requests in flight at once.
const CONCURRENCY: usize = 16;

/// Everything the store has below the record keys of a ledger, time stamps among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Whether the store keeps versions; if not, each object has one entry without id.
    pub versions_kept: bool,
    /// Record objects, in byte order of their keys.
    pub objects: Vec<RecordObject>,
}

/// One record key and what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordObject {
    /// The log it belongs to.
    pub log: LogName,
    /// Its key.
    pub key: ObjectKey,
    /// Its versions, the latest first; one without id where the store keeps no versions.
    pub versions: Vec<Stored>,
}

/// One version as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Which version; `None` where the store keeps none.
    pub id: Option<VersionId>,
    /// Bytes or delete marker.
    pub kind: VersionKind,
    /// Whether it is what the key shows.
    pub is_latest: bool,
    /// When the store took it, its own clock.
    pub stored_at: Option<Timestamp>,
    /// What the store says about it; `None` for a delete marker.
    pub head: Option<Head>,
}

/// One version to be locked or held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The key.
    pub key: ObjectKey,
    /// The version; `None` where the store keeps none.
    pub version: Option<VersionId>,
}

impl Holdings {
    /// Every version that holds bytes, with what the store says about it.
    pub fn targets(&self) -> impl Iterator<Item = (&RecordObject, Target, &Head)> + '_ {
        self.objects.iter().flat_map(|object| {
            object.versions.iter().filter_map(move |stored| {
                let target = Target {
                    key: object.key.clone(),
                    version: stored.id.clone(),
                };
                Some((object, target, stored.head.as_ref()?))
            })
        })
    }
}

/// Reads what the store has below the record keys of a ledger. Keys that only delete markers or older versions are left of are found,
/// too, so a log that was hidden as a whole is not missed. Views are passed over.
pub async fn holdings(archive: &dyn Archive, ledger: &LedgerName) -> Result<Holdings, ArchiveError> {
    let prefix = format!("{ledger}/");
    let (versions_kept, versions) = match archive.versions() {
        Some(versions) => {
            let (mut all, mut after): (Vec<Version>, Option<VersionMark>) = (Vec::new(), None);
            loop {
                let page = versions.list_versions(&prefix, after.as_ref()).await?;
                all.extend(page.entries);
                if page.next.is_none() {
                    break;
                }
                after = page.next;
            }
            (true, group(all))
        }
        None => (false, current(archive, &prefix).await?),
    };
    let named = versions.into_iter().filter_map(|(key, versions)| {
        let log = log_of(ledger, &key)?;
        Some(RecordObject { log, key, versions })
    });
    let objects = stream::iter(named)
        .map(|object| look(archive, object))
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    Ok(Holdings {
        versions_kept,
        objects,
    })
}

type ByKey = BTreeMap<ObjectKey, Vec<Stored>>;

fn group(versions: Vec<Version>) -> ByKey {
    let mut by_key = ByKey::new();
    for version in versions {
        by_key.entry(version.key).or_default().push(Stored {
            id: Some(version.id),
            kind: version.kind,
            is_latest: version.is_latest,
            stored_at: version.stored_at,
            head: None,
        });
    }
    by_key
}

async fn current(archive: &dyn Archive, prefix: &str) -> Result<ByKey, ArchiveError> {
    let (mut by_key, mut after) = (ByKey::new(), None);
    loop {
        let page = archive.list(prefix, after.as_ref()).await?;
        for key in &page.keys {
            let stored = Stored {
                id: None,
                kind: VersionKind::Object,
                is_latest: true,
                stored_at: None,
                head: None,
            };
            by_key.insert(key.clone(), vec![stored]);
        }
        match page.keys.last() {
            Some(last) if page.more => after = Some(last.clone()),
            _ => return Ok(by_key),
        }
    }
}

/// The log of a record key; `None` for other keys.
fn log_of(ledger: &LedgerName, key: &ObjectKey) -> Option<LogName> {
    let (year, _) = key
        .as_str()
        .strip_prefix(ledger.as_str())?
        .strip_prefix('/')?
        .split_once('/')?;
    let log = LogName {
        ledger: ledger.clone(),
        year: year.parse().ok()?,
    };
    let is_record = log.parse(key.as_str()).is_some() || log.parse_timestamp(key.as_str()).is_some();
    is_record.then_some(log)
}

async fn look(archive: &dyn Archive, mut object: RecordObject) -> Result<RecordObject, ArchiveError> {
    for stored in &mut object.versions {
        if stored.kind == VersionKind::Object {
            stored.head = match (&stored.id, archive.versions()) {
                (Some(id), Some(versions)) => versions.head_version(&object.key, id).await?,
                _ => archive.head(&object.key).await?,
            };
        }
    }
    Ok(object)
}

/// Extends the lock of each target to `until`, or places one where the store can do that; see
/// [`Versions::lock_version`](crate::Versions::lock_version). One outcome per target, in order.
pub async fn lock(
    archive: &dyn Archive,
    targets: Vec<Target>,
    until: Timestamp,
) -> Vec<(Target, Result<(), ArchiveError>)> {
    stream::iter(targets)
        .map(|target| async move {
            let outcome = match (&target.version, archive.versions()) {
                (Some(id), Some(versions)) => versions.lock_version(&target.key, id, until).await,
                _ => archive.extend_retention(&target.key, until).await,
            };
            (target, outcome)
        })
        .buffered(CONCURRENCY)
        .collect()
        .await
}

/// Places or releases the legal hold of each target. One outcome per target, in order.
pub async fn hold(
    archive: &dyn Archive,
    targets: Vec<Target>,
    hold: LegalHold,
) -> Vec<(Target, Result<(), ArchiveError>)> {
    stream::iter(targets)
        .map(|target| async move {
            let outcome = match (&target.version, archive.versions()) {
                (Some(id), Some(versions)) => versions.hold_version(&target.key, id, hold).await,
                _ => archive.set_legal_hold(&target.key, hold).await,
            };
            (target, outcome)
        })
        .buffered(CONCURRENCY)
        .collect()
        .await
}

#[cfg(test)]
mod tests;
