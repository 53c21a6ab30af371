//! The storage interface and its words.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use revtrail_model::{Digest, time::Timestamp};

use crate::{ArchiveError, ObjectKey, Versions};

/// Most entries one page of [`Archive::list`] holds (`ListObjectsV2` gives no more).
pub const PAGE_ENTRIES: usize = 1000;

/// A store of whole objects under keys, each written once.
///
/// There is no delete and no overwrite. Every method may be called at any time from any task; two
/// processes may use the same store at once. Methods retry what may be retried, so a caller that
/// sees an error need not try again at once.
#[async_trait]
pub trait Archive: Send + Sync {
    /// Writes a new object; it is durable when this returns `Ok`.
    ///
    /// `AlreadyExists` says that the key is taken and nothing changed. `Unknown` says that the
    /// store may or may not hold the object now: read it back and compare before going on. All
    /// other kinds say that nothing was stored, except `Refused` with a source that says what the
    /// store did to an object it accepted (wrong checksum, wrong lock).
    ///
    /// `retention` is the lock the object must carry. A store whose [`Archive::protection`] is
    /// `None` ignores it, and then [`Archive::head`] reports no retention.
    async fn create(
        &self,
        key: &ObjectKey,
        bytes: Bytes,
        retention: Option<Retention>,
    ) -> Result<(), ArchiveError>;

    /// The whole object. `NotFound` when there is none.
    async fn read(&self, key: &ObjectKey) -> Result<Bytes, ArchiveError>;

    /// What the store says about an object without giving its bytes; `None` when there is none.
    async fn head(&self, key: &ObjectKey) -> Result<Option<Head>, ArchiveError>;

    /// One page of the keys that start with `prefix` (plain text, not a directory) and come after
    /// `after`, in byte order. Ask again with the last key of the page while
    /// [`Listing::more`] is true. An object is listed as soon as its create returned.
    async fn list(&self, prefix: &str, after: Option<&ObjectKey>) -> Result<Listing, ArchiveError> {
        self.list_up_to(PAGE_ENTRIES, prefix, after).await
    }

    /// The same, of at most `most` keys (1 to [`PAGE_ENTRIES`]).
    async fn list_up_to(
        &self,
        most: usize,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Listing, ArchiveError>;

    /// Moves the end of an object's retention to `until`, keeping its mode. An earlier date than
    /// the present one is `Refused`; the same date is no change and succeeds. `Unsupported` where
    /// [`Archive::protection`] is `None`.
    async fn extend_retention(&self, key: &ObjectKey, until: Timestamp) -> Result<(), ArchiveError>;

    /// Places or releases a legal hold, which keeps an object whatever its retention says.
    /// `Unsupported` where [`Archive::protection`] is `None`.
    async fn set_legal_hold(&self, key: &ObjectKey, hold: LegalHold) -> Result<(), ArchiveError>;

    /// The versions below the keys; `None` where the store keeps none, as a directory or memory.
    fn versions(&self) -> Option<&dyn Versions> {
        None
    }

    /// What keeps a stored object from being changed by someone with the store's credentials.
    fn protection(&self) -> Protection;

    /// The store's own time at its last answer, whole seconds; `None` when it has no clock of its
    /// own or has not answered yet.
    async fn clock(&self) -> Option<Timestamp>;
}

/// A shared archive is an archive.
#[async_trait]
impl<T: Archive + ?Sized> Archive for Arc<T> {
    async fn create(
        &self,
        key: &ObjectKey,
        bytes: Bytes,
        retention: Option<Retention>,
    ) -> Result<(), ArchiveError> {
        (**self).create(key, bytes, retention).await
    }

    async fn read(&self, key: &ObjectKey) -> Result<Bytes, ArchiveError> {
        (**self).read(key).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<Head>, ArchiveError> {
        (**self).head(key).await
    }

    async fn list_up_to(
        &self,
        most: usize,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Listing, ArchiveError> {
        (**self).list_up_to(most, prefix, after).await
    }

    async fn extend_retention(&self, key: &ObjectKey, until: Timestamp) -> Result<(), ArchiveError> {
        (**self).extend_retention(key, until).await
    }

    async fn set_legal_hold(&self, key: &ObjectKey, hold: LegalHold) -> Result<(), ArchiveError> {
        (**self).set_legal_hold(key, hold).await
    }

    fn versions(&self) -> Option<&dyn Versions> {
        (**self).versions()
    }

    fn protection(&self) -> Protection {
        (**self).protection()
    }

    async fn clock(&self) -> Option<Timestamp> {
        (**self).clock().await
    }
}

/// How strongly a lock holds (S3 Object Lock modes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetentionMode {
    /// A principal with a special permission may still shorten the lock or delete the object.
    Governance,
    /// Nobody may, the account's root user included, until the date has passed.
    Compliance,
}

impl fmt::Display for RetentionMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Governance => "governance",
            Self::Compliance => "compliance",
        })
    }
}

/// A lock with an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How strongly it holds.
    pub mode: RetentionMode,
    /// First moment at which the object may be deleted. Stores keep whole seconds; a fraction is
    /// rounded up, so the lock never ends early.
    pub until: Timestamp,
}

/// Whether a legal hold keeps the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LegalHold {
    /// Held until released.
    On,
    /// Not held.
    Off,
}

/// What the store says about one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Length in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the bytes as the store recorded it at the write. `None` when the store keeps
    /// none: local files, and S3 objects uploaded in parts (they carry a checksum of checksums).
    pub sha256: Option<Digest>,
    /// The lock, if any.
    pub retention: Option<Retention>,
    /// The legal hold; `Off` in a store that has none.
    pub legal_hold: LegalHold,
}

/// One page of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// In byte order; never empty while `more` is true.
    pub keys: Vec<ObjectKey>,
    /// Whether another page follows.
    pub more: bool,
    /// Names met on the way that are no valid [`ObjectKey`] (or no plain file). Revtrail writes
    /// none, so somebody else did; they are never read.
    pub foreign: Vec<String>,
}

/// What keeps a stored object from being changed by someone with the store's credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// S3 Object Lock in this mode.
    ObjectLock {
        /// Mode the operator configured.
        mode: RetentionMode,
    },
    /// Nothing: a local directory, memory, a bucket without Object Lock. Verdicts must say so.
    None,
}
