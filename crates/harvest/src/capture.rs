//! Which contents are kept, and keeping them.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use revtrail_archive::{Archive, LegalHold, Retention};
use revtrail_model::{Digest, layout::LogName, sha256};

use crate::{
    error::HarvestError,
    state::OpenHolds,
    store::{self, Created, object_key},
};

/// Which contents of a folder are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// None.
    Metadata,
    /// Those of files that instruct agents.
    Conventions,
    /// Those of every file.
    All,
}

/// Which contents of a folder are kept, and up to which size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capture {
    /// Which.
    pub policy: Policy,
    /// Most bytes of one file; larger ones are not kept. So many are held in memory, a few times over.
    pub max_bytes: usize,
}

impl Capture {
    /// Nothing.
    pub const NONE: Self = Self {
        policy: Policy::Metadata,
        max_bytes: 0,
    };
}

/// Where the contents of a log go: one object for the same bytes, however many events name it.
///
/// An object is written as soon as its bytes are here, under the lock of the log; that is before the checkpoint, and a run that ends in
/// between leaves an object that no event names.
pub struct Vault<'a> {
    /// The archive.
    pub archive: &'a Arc<dyn Archive>,
    /// The log.
    pub log: &'a LogName,
    /// The lock of its objects.
    pub retention: Option<Retention>,
    /// Legal holds that are open.
    pub holds: &'a OpenHolds,
    /// What this run has kept already.
    pub kept: &'a Mutex<BTreeSet<Digest>>,
}

impl Vault<'_> {
    /// Keeps the bytes and names them.
    pub async fn keep(&self, bytes: Bytes) -> Result<Digest, HarvestError> {
        let digest = sha256(&bytes);
        if self.is_kept(&digest) {
            return Ok(digest);
        }
        let key = self.log.content(&digest);
        match store::create(self.archive, &key, bytes, self.retention).await? {
            Created::New => {}
            Created::Exists(found) if found == digest => self.extend(&key).await?,
            Created::Exists(actual) => return Err(HarvestError::Digest { key, actual }),
        }
        if self.holds.values().any(|hold| hold.covers(self.log)) {
            self.hold(&key).await?;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(digest);
        Ok(digest)
    }

    fn is_kept(&self, digest: &Digest) -> bool {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.contains(digest)
    }

    /// Contents that were here before keep the longest lock that anybody asked for.
    async fn extend(&self, key: &str) -> Result<(), HarvestError> {
        let Some(wanted) = self.retention else {
            return Ok(());
        };
        let name = object_key(key)?;
        let head = self.archive.head(&name).await?;
        let until = head.and_then(|head| head.retention).map(|lock| lock.until);
        if until.is_none_or(|until| until < wanted.until) {
            self.archive.extend_retention(&name, wanted.until).await?;
        }
        Ok(())
    }

    /// Never fails for what the store says: `verify --store` tells what is not held.
    async fn hold(&self, key: &str) -> Result<(), HarvestError> {
        let name = object_key(key)?;
        if let Err(error) = self.archive.set_legal_hold(&name, LegalHold::On).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(object.key = %key, error, "contents of a case on hold were not held; run `revtrail hold place` for the case again");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
