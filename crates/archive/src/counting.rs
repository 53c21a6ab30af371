//! A test tool: an archive that counts what is asked of it.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use revtrail_model::time::Timestamp;

use crate::{Archive, ArchiveError, Head, LegalHold, Listing, ObjectKey, Protection, Retention, Versions};

/// Calls by operation and kind of object: `read checkpoints`, `list main`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calls {
    /// How many of each.
    pub by_kind: BTreeMap<String, u64>,
    /// Bytes of all objects read.
    pub bytes_read: u64,
}

impl Calls {
    /// Calls of these operations, of whatever kind.
    pub fn of(&self, operations: &[&str]) -> u64 {
        let wanted = |name: &str| {
            operations
                .iter()
                .any(|operation| name.split(' ').next() == Some(operation))
        };
        self.by_kind
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(_, count)| count)
            .sum()
    }

    /// Calls that fetch something: `read`, `head` and `list`.
    pub fn questions(&self) -> u64 {
        self.of(&["read", "head", "list"])
    }
}

impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self
            .by_kind
            .iter()
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        write!(f, "{} ({} bytes read)", all.join(", "), self.bytes_read)
    }
}

/// Passes everything to the archive inside and counts it.
#[derive(Debug)]
pub struct CountingArchive<A> {
    inner: A,
    delay: Duration,
    calls: Arc<Mutex<Calls>>,
}

impl<A: Sync> CountingArchive<A> {
    /// Wraps `inner`.
    pub fn new(inner: A) -> Self {
        Self::with_delay(inner, Duration::ZERO)
    }

    /// Wraps `inner` as if it were far away: each create, read, head and listing takes this long more.
    pub fn with_delay(inner: A, delay: Duration) -> Self {
        let calls = Arc::default();
        Self { inner, delay, calls }
    }

    /// The archive inside.
    pub const fn inner(&self) -> &A {
        &self.inner
    }

    /// The calls since the last time somebody asked.
    pub fn take(&self) -> Calls {
        std::mem::take(&mut self.calls())
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn travel(&self) {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
    }

    /// Counts a call for a key `<ledger>/<year>/<kind>/…`.
    fn count(&self, operation: &str, key: &str) {
        let kind = key
            .split('/')
            .nth(2)
            .filter(|kind| !kind.is_empty())
            .unwrap_or("all");
        *self
            .calls()
            .by_kind
            .entry(format!("{operation} {kind}"))
            .or_default() += 1;
    }
}

#[async_trait]
impl<A: Archive> Archive for CountingArchive<A> {
    async fn create(
        &self,
        key: &ObjectKey,
        bytes: Bytes,
        retention: Option<Retention>,
    ) -> Result<(), ArchiveError> {
        self.count("create", key.as_str());
        self.travel().await;
        self.inner.create(key, bytes, retention).await
    }

    async fn read(&self, key: &ObjectKey) -> Result<Bytes, ArchiveError> {
        self.count("read", key.as_str());
        self.travel().await;
        let bytes = self.inner.read(key).await?;
        self.calls().bytes_read += bytes.len() as u64;
        Ok(bytes)
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<Head>, ArchiveError> {
        self.count("head", key.as_str());
        self.travel().await;
        self.inner.head(key).await
    }

    async fn list_up_to(
        &self,
        most: usize,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Listing, ArchiveError> {
        self.count("list", prefix);
        self.travel().await;
        self.inner.list_up_to(most, prefix, after).await
    }

    async fn extend_retention(&self, key: &ObjectKey, until: Timestamp) -> Result<(), ArchiveError> {
        self.count("extend", key.as_str());
        self.inner.extend_retention(key, until).await
    }

    async fn set_legal_hold(&self, key: &ObjectKey, hold: LegalHold) -> Result<(), ArchiveError> {
        self.count("hold", key.as_str());
        self.inner.set_legal_hold(key, hold).await
    }

    fn versions(&self) -> Option<&dyn Versions> {
        self.inner.versions()
    }

    fn protection(&self) -> Protection {
        self.inner.protection()
    }

    async fn clock(&self) -> Option<Timestamp> {
        self.inner.clock().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryArchive;

    #[tokio::test]
    async fn counts_by_operation_and_kind() {
        let archive = CountingArchive::new(MemoryArchive::new());
        let key: ObjectKey = "main/2026/checkpoints/1".parse().unwrap();
        archive.create(&key, "four".into(), None).await.unwrap();
        for _ in 0..2 {
            assert_eq!(archive.read(&key).await.unwrap(), "four");
        }
        archive.list("main/", None).await.unwrap();
        let calls = archive.take();
        assert_eq!(
            calls.to_string(),
            "1 create checkpoints, 1 list all, 2 read checkpoints (8 bytes read)"
        );
        assert_eq!((calls.of(&["read"]), calls.questions()), (2, 3));
        assert_eq!(archive.take(), Calls::default());
    }
}
