//! Versions below the keys, in stores that keep them.
//!
//! Object Lock protects versions, not names: whoever may write can put a second version or a delete marker over a key, and the locked
//! version stays below it. [`Archive::read`](crate::Archive::read) shows what stands under the key; this interface shows everything.

use std::fmt;

use async_trait::async_trait;
use revtrail_model::time::Timestamp;

use crate::{ArchiveError, Head, LegalHold, ObjectKey};

/// Access to single versions. Read-only but for locks and holds, and a lock can only grow.
#[async_trait]
pub trait Versions: Send + Sync {
    /// One page of all versions and delete markers of the keys that start with `prefix`, by key, the latest of a key first. Ask again
    /// with the mark of the page while there is one.
    async fn list_versions(
        &self,
        prefix: &str,
        after: Option<&VersionMark>,
    ) -> Result<VersionPage, ArchiveError>;

    /// What the store says about one version; `None` when there is none. A version for which the store shows no lock is asked for
    /// it once more in a way that tells "no lock" from "you may not see locks".
    async fn head_version(&self, key: &ObjectKey, version: &VersionId) -> Result<Option<Head>, ArchiveError>;

    /// Locks one version until `until`: moves the end of the lock it has, keeping its mode, or places one in the configured mode where
    /// there is none. An earlier date than the present one is `Refused`; the same date is no change and succeeds.
    async fn lock_version(
        &self,
        key: &ObjectKey,
        version: &VersionId,
        until: Timestamp,
    ) -> Result<(), ArchiveError>;

    /// Places or releases the legal hold of one version.
    async fn hold_version(
        &self,
        key: &ObjectKey,
        version: &VersionId,
        hold: LegalHold,
    ) -> Result<(), ArchiveError>;
}

/// The store's name for one version of one key. Opaque.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VersionId(String);

impl VersionId {
    /// Wraps the store's text.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a listing of versions goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionMark {
    pub(crate) key: String,
    pub(crate) version: Option<String>,
}

/// What an entry of a version listing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VersionKind {
    /// Bytes.
    Object,
    /// No bytes: the key looks deleted while this is its newest version.
    DeleteMarker,
}

/// One version of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The key.
    pub key: ObjectKey,
    /// Which version.
    pub id: VersionId,
    /// Bytes or delete marker.
    pub kind: VersionKind,
    /// Whether it is what the key shows.
    pub is_latest: bool,
    /// When the store took it, its own clock; `None` when it does not say.
    pub stored_at: Option<Timestamp>,
}

/// One page of versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionPage {
    /// Versions and delete markers.
    pub entries: Vec<Version>,
    /// Where to go on; `None` at the end.
    pub next: Option<VersionMark>,
    /// Names that are no valid [`ObjectKey`].
    pub foreign: Vec<String>,
}
