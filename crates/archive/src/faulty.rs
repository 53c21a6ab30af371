//! A test tool: an archive that fails writes on demand.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use revtrail_model::time::Timestamp;

use crate::{
    Archive, ArchiveError, ArchiveErrorKind, Head, LegalHold, Listing, ObjectKey, Protection, Retention,
    Versions,
};

/// One fault, as a value. `prefix` selects creates by the start of their key; `nth` counts them
/// from the moment the fault was armed, 1 being the next. Each fault fires once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The store says no: nothing is stored, the create returns `Refused`.
    Refuse {
        /// Start of the key.
        prefix: String,
        /// Which matching create.
        nth: usize,
    },
    /// The request never arrives: nothing is stored, the create returns `Unknown`.
    RequestLost {
        /// Start of the key.
        prefix: String,
        /// Which matching create.
        nth: usize,
    },
    /// The answer is lost: the object is stored, the create returns `Unknown`.
    AckLost {
        /// Start of the key.
        prefix: String,
        /// Which matching create.
        nth: usize,
    },
}

impl Fault {
    fn prefix(&self) -> &str {
        match self {
            Self::Refuse { prefix, .. } | Self::RequestLost { prefix, .. } | Self::AckLost { prefix, .. } => {
                prefix
            }
        }
    }

    const fn nth(&self) -> usize {
        match self {
            Self::Refuse { nth, .. } | Self::RequestLost { nth, .. } | Self::AckLost { nth, .. } => *nth,
        }
    }
}

/// Handle to the faults of a [`FaultyArchive`]; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    armed: Vec<Armed>,
    fired: Vec<(Fault, ObjectKey)>,
    attempted: Vec<ObjectKey>,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    seen: usize,
}

impl Faults {
    /// Arms one more fault.
    pub fn arm(&self, fault: Fault) {
        self.state().armed.push(Armed { fault, seen: 0 });
    }

    /// Forgets all faults that have not fired.
    pub fn disarm(&self) {
        self.state().armed.clear();
    }

    /// The faults that fired, each with the key it hit, in order.
    pub fn fired(&self) -> Vec<(Fault, ObjectKey)> {
        self.state().fired.clone()
    }

    /// Keys of all creates so far, failed ones included, in order: what a crash test walks through.
    pub fn attempted(&self) -> Vec<ObjectKey> {
        self.state().attempted.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts this create with every armed fault and takes the first that is due.
    fn due(&self, key: &ObjectKey) -> Option<Fault> {
        let mut state = self.state();
        state.attempted.push(key.clone());
        for armed in &mut state.armed {
            if key.as_str().starts_with(armed.fault.prefix()) {
                armed.seen += 1;
            }
        }
        let at = state.armed.iter().position(|armed| {
            key.as_str().starts_with(armed.fault.prefix()) && armed.seen >= armed.fault.nth()
        })?;
        let fault = state.armed.remove(at).fault;
        state.fired.push((fault.clone(), key.clone()));
        Some(fault)
    }
}

/// Passes everything to the archive inside, except creates hit by a [`Fault`].
#[derive(Debug)]
pub struct FaultyArchive<A> {
    inner: A,
    faults: Faults,
}

impl<A> FaultyArchive<A> {
    /// Wraps `inner`; without armed faults it behaves as `inner` does.
    pub fn new(inner: A) -> Self {
        Self {
            inner,
            faults: Faults::default(),
        }
    }

    /// The shared handle to its faults.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// The archive inside.
    pub const fn inner(&self) -> &A {
        &self.inner
    }
}

#[async_trait]
impl<A: Archive> Archive for FaultyArchive<A> {
    async fn create(
        &self,
        key: &ObjectKey,
        bytes: Bytes,
        retention: Option<Retention>,
    ) -> Result<(), ArchiveError> {
        let failure = |kind| Err(ArchiveError::new(kind, "create", key).because("injected fault"));
        match self.faults.due(key) {
            None => self.inner.create(key, bytes, retention).await,
            Some(Fault::Refuse { .. }) => failure(ArchiveErrorKind::Refused),
            Some(Fault::RequestLost { .. }) => failure(ArchiveErrorKind::Unknown),
            Some(Fault::AckLost { .. }) => {
                // Whatever the store answered, the caller does not get to know it.
                let _lost = self.inner.create(key, bytes, retention).await;
                failure(ArchiveErrorKind::Unknown)
            }
        }
    }

    async fn read(&self, key: &ObjectKey) -> Result<Bytes, ArchiveError> {
        self.inner.read(key).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<Head>, ArchiveError> {
        self.inner.head(key).await
    }

    async fn list_up_to(
        &self,
        most: usize,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Listing, ArchiveError> {
        self.inner.list_up_to(most, prefix, after).await
    }

    async fn extend_retention(&self, key: &ObjectKey, until: Timestamp) -> Result<(), ArchiveError> {
        self.inner.extend_retention(key, until).await
    }

    async fn set_legal_hold(&self, key: &ObjectKey, hold: LegalHold) -> Result<(), ArchiveError> {
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

    fn key(text: &str) -> ObjectKey {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn fires_once_on_the_nth_create_under_its_prefix() {
        let archive = FaultyArchive::new(MemoryArchive::new());
        let fault = Fault::Refuse {
            prefix: "s/".into(),
            nth: 2,
        };
        archive.faults().arm(fault.clone());
        archive.create(&key("c/1"), "x".into(), None).await.unwrap();
        archive.create(&key("s/1"), "x".into(), None).await.unwrap();
        let error = archive.create(&key("s/2"), "x".into(), None).await.unwrap_err();
        assert_eq!(error.kind(), ArchiveErrorKind::Refused);
        archive.create(&key("s/3"), "x".into(), None).await.unwrap();
        assert_eq!(archive.inner().keys(), [key("c/1"), key("s/1"), key("s/3")]);
        assert_eq!(archive.faults().fired(), [(fault, key("s/2"))]);
        assert_eq!(archive.faults().attempted().len(), 4);
    }

    #[tokio::test]
    async fn a_lost_answer_stores_and_a_lost_request_does_not() {
        let archive = FaultyArchive::new(MemoryArchive::new());
        let (prefix, nth) = (String::new(), 1);
        archive.faults().arm(Fault::AckLost {
            prefix: prefix.clone(),
            nth,
        });
        let error = archive.create(&key("a"), "x".into(), None).await.unwrap_err();
        assert_eq!(error.kind(), ArchiveErrorKind::Unknown);
        archive.faults().arm(Fault::RequestLost { prefix, nth });
        let error = archive.create(&key("b"), "x".into(), None).await.unwrap_err();
        assert_eq!(error.kind(), ArchiveErrorKind::Unknown);
        assert_eq!(archive.inner().keys(), [key("a")]);
    }
}
