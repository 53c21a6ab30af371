//! An archive in memory, for tests.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use revtrail_model::{sha256, time::Timestamp};

use crate::{
    Archive, ArchiveError, ArchiveErrorKind, Head, LegalHold, Listing, ObjectKey, PAGE_ENTRIES, Protection,
    Retention, RetentionMode,
};

/// Objects in a map. Create-only like the real stores; durable until dropped.
#[derive(Debug, Default)]
pub struct MemoryArchive {
    lock_mode: Option<RetentionMode>,
    objects: Mutex<BTreeMap<ObjectKey, Object>>,
}

#[derive(Debug)]
struct Object {
    bytes: Bytes,
    retention: Option<Retention>,
    legal_hold: LegalHold,
}

impl MemoryArchive {
    /// An empty archive without protection.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty archive that keeps retention and legal holds as a locked bucket would.
    pub fn with_object_lock(mode: RetentionMode) -> Self {
        Self {
            lock_mode: Some(mode),
            objects: Mutex::default(),
        }
    }

    /// All keys in byte order.
    pub fn keys(&self) -> Vec<ObjectKey> {
        self.objects().keys().cloned().collect()
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Object>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(
        &self,
        operation: &'static str,
        key: &ObjectKey,
        change: impl FnOnce(&mut Object) -> Result<(), ArchiveError>,
    ) -> Result<(), ArchiveError> {
        if self.lock_mode.is_none() {
            return Err(ArchiveError::new(ArchiveErrorKind::Unsupported, operation, key));
        }
        self.objects()
            .get_mut(key)
            .ok_or_else(|| ArchiveError::new(ArchiveErrorKind::NotFound, operation, key))
            .and_then(change)
    }
}

#[async_trait]
impl Archive for MemoryArchive {
    async fn create(
        &self,
        key: &ObjectKey,
        bytes: Bytes,
        retention: Option<Retention>,
    ) -> Result<(), ArchiveError> {
        let mut objects = self.objects();
        if objects.contains_key(key) {
            return Err(ArchiveError::new(ArchiveErrorKind::AlreadyExists, "create", key));
        }
        let object = Object {
            bytes,
            retention: retention.filter(|_| self.lock_mode.is_some()),
            legal_hold: LegalHold::Off,
        };
        objects.insert(key.clone(), object);
        Ok(())
    }

    async fn read(&self, key: &ObjectKey) -> Result<Bytes, ArchiveError> {
        self.objects()
            .get(key)
            .map(|object| object.bytes.clone())
            .ok_or_else(|| ArchiveError::new(ArchiveErrorKind::NotFound, "read", key))
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<Head>, ArchiveError> {
        Ok(self.objects().get(key).map(|object| Head {
            size_bytes: object.bytes.len() as u64,
            sha256: Some(sha256(&object.bytes)),
            retention: object.retention,
            legal_hold: object.legal_hold,
        }))
    }

    async fn list_up_to(
        &self,
        most: usize,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Listing, ArchiveError> {
        let from = after.map_or(Bound::Unbounded, |key| Bound::Excluded(key.clone()));
        let objects = self.objects();
        let mut found = objects
            .range((from, Bound::Unbounded))
            .filter(|(key, _)| key.as_str().starts_with(prefix));
        let keys = found
            .by_ref()
            .take(most.clamp(1, PAGE_ENTRIES))
            .map(|(key, _)| key.clone())
            .collect();
        Ok(Listing {
            keys,
            more: found.next().is_some(),
            foreign: Vec::new(),
        })
    }

    async fn extend_retention(&self, key: &ObjectKey, until: Timestamp) -> Result<(), ArchiveError> {
        let refused = |why: &'static str| {
            ArchiveError::new(ArchiveErrorKind::Refused, "extend_retention", key).because(why)
        };
        self.change("extend_retention", key, |object| {
            let Some(retention) = &mut object.retention else {
                return Err(refused("object has no retention to extend"));
            };
            if until < retention.until {
                return Err(refused("the new date is earlier than the present one"));
            }
            retention.until = until;
            Ok(())
        })
    }

    async fn set_legal_hold(&self, key: &ObjectKey, hold: LegalHold) -> Result<(), ArchiveError> {
        self.change("set_legal_hold", key, |object| {
            object.legal_hold = hold;
            Ok(())
        })
    }

    fn protection(&self) -> Protection {
        self.lock_mode
            .map_or(Protection::None, |mode| Protection::ObjectLock { mode })
    }

    async fn clock(&self) -> Option<Timestamp> {
        None
    }
}
