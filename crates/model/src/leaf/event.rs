//! The event leaf: a fact with its personal fields replaced by commitments.

mod glance;
mod write;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use glance::EventGlance;

use super::VERSION;
use crate::{
    Digest, ModelError,
    disclosure::{Commitments, Disclosure, Seed},
    event::{
        Action, Actor, ActorDetails, ActorKind, ActorSource, Basis, ContentMissing, Event, ItemKind,
        Occurred, Scope, TimeSource,
    },
    id::{DriveId, FolderName, ItemId, LedgerName, Provider, RevisionId, TenantId},
    record::{Count, is_default},
    time::Timestamp,
};

/// An event as stored. Fields in canonical order; absent members are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "each member is described in docs/event-schema.md and on `Event`"
)]
pub struct EventLeaf {
    pub action: Action,
    pub actor_kind: ActorKind,
    pub actor_source: ActorSource,
    #[serde(default, skip_serializing_if = "is_default")]
    pub baseline: bool,
    pub basis: Basis,
    #[serde(default, skip_serializing_if = "is_default")]
    pub c: Commitments,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_missing: Option<ContentMissing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_sha256: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub derived_from: Option<String>,
    pub drive_id: DriveId,
    pub folder: FolderName,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hashes: BTreeMap<String, String>,
    pub id: Digest,
    pub item_id: ItemId,
    pub item_kind: ItemKind,
    pub ledger: LedgerName,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    pub observed_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_not_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_not_before: Option<Timestamp>,
    pub occurred_source: TimeSource,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_revision_id: Option<RevisionId>,
    pub provider: Provider,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_sha256: Option<Digest>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub reconciled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision_id: Option<RevisionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<Count>,
    pub source_api: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_request_id: Option<String>,
    pub tenant: TenantId,
    #[serde(rename = "type")]
    pub kind: String,
    pub v: u32,
}

/// Seals `event` as the leaf at place `n` of its snapshot: the leaf's bytes and what the sidecar must hold to open it.
pub fn seal(event: Event, n: u64, seed: &Seed) -> Result<(Vec<u8>, Disclosure), ModelError> {
    let (actor_kind, details, application) = match event.actor {
        Some(Actor {
            kind,
            details,
            application,
        }) => (kind, details, application),
        None => (ActorKind::Unknown, ActorDetails::default(), None),
    };
    let disclosure = Disclosure {
        actor: Some(details).filter(|details| !details.is_empty()),
        application,
        n,
        path: Some(event.path).filter(|path| !path.is_empty()),
        ..Disclosure::default()
    };
    let (occurred_at, occurred_source, not_before, not_after) = match event.occurred {
        Occurred::At { at, source } => (Some(at), source, None, None),
        Occurred::Between {
            not_before,
            not_after,
        } => (None, TimeSource::Inferred, not_before, Some(not_after)),
    };
    let leaf = EventLeaf {
        action: event.action,
        actor_kind,
        actor_source: event.actor_source,
        baseline: event.baseline,
        basis: event.basis,
        c: disclosure.commitments(seed)?,
        claimed_at: event.claimed_at,
        content_missing: event.content_missing,
        content_sha256: event.content_sha256,
        derived_from: event.derived_from,
        drive_id: event.scope.drive_id,
        folder: event.scope.folder,
        function: event.scope.function,
        hashes: event.hashes,
        id: event.id,
        item_id: event.item_id,
        item_kind: event.item_kind,
        ledger: event.scope.ledger,
        mime_type: event.mime_type,
        observed_at: event.observed_at,
        occurred_at,
        occurred_not_after: not_after,
        occurred_not_before: not_before,
        occurred_source,
        previous_revision_id: event.previous_revision_id,
        provider: event.scope.provider,
        raw_sha256: event.raw_sha256,
        reconciled: event.reconciled,
        revision_id: event.revision_id,
        size_bytes: event.size_bytes.map(Count),
        source_api: event.source_api,
        source_request_id: event.source_request_id,
        tenant: event.scope.tenant,
        kind: "event".into(),
        v: VERSION,
    };
    Ok((leaf.to_bytes()?, disclosure))
}

impl EventLeaf {
    /// The fact in clear, with what `disclosure` reveals. The caller has checked the commitments.
    pub fn open(self, disclosure: Disclosure) -> Event {
        let occurred = match (self.occurred_at, self.occurred_not_after) {
            (Some(at), _) => Occurred::At {
                at,
                source: self.occurred_source,
            },
            (None, not_after) => Occurred::Between {
                not_before: self.occurred_not_before,
                not_after: not_after.unwrap_or(self.observed_at),
            },
        };
        let details = disclosure.actor.unwrap_or_default();
        let told =
            self.actor_kind != ActorKind::Unknown || !details.is_empty() || disclosure.application.is_some();
        let actor = Actor {
            kind: self.actor_kind,
            details,
            application: disclosure.application,
        };
        Event {
            id: self.id,
            scope: Scope {
                ledger: self.ledger,
                folder: self.folder,
                function: self.function,
                provider: self.provider,
                tenant: self.tenant,
                drive_id: self.drive_id,
            },
            item_id: self.item_id,
            item_kind: self.item_kind,
            action: self.action,
            revision_id: self.revision_id,
            previous_revision_id: self.previous_revision_id,
            path: disclosure.path.unwrap_or_default(),
            mime_type: self.mime_type,
            size_bytes: self.size_bytes.map(|size| size.0),
            hashes: self.hashes,
            content_missing: self.content_missing,
            content_sha256: self.content_sha256,
            occurred,
            claimed_at: self.claimed_at,
            observed_at: self.observed_at,
            actor: Some(actor).filter(|_| told),
            actor_source: self.actor_source,
            basis: self.basis,
            derived_from: self.derived_from,
            baseline: self.baseline,
            reconciled: self.reconciled,
            source_api: self.source_api,
            source_request_id: self.source_request_id,
            raw_sha256: self.raw_sha256,
        }
    }
}
