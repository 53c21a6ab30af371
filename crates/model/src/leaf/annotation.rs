//! The annotation leaf: what an audit log told later about an event that is recorded already.

use serde::{Deserialize, Serialize};

use super::{VERSION, encode};
use crate::{
    Digest, ModelError,
    disclosure::{Commitments, Disclosure, Seed},
    event::{Actor, ActorDetails, ActorKind, ActorSource, Basis, ClientDetails},
    id::{FolderName, LedgerName, Provider},
    record::is_default,
    time::Timestamp,
};

/// What the audit log says about who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// One record fits the event, or several that name the same actor.
    Attributed,
    /// Records that name different actors fit the event, and this is one of them; or this one may be about another revision of the item.
    Ambiguous,
    /// No record fits, and none is expected any more.
    Unattributed,
}

impl Outcome {
    /// The name in the leaf.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attributed => "attributed",
            Self::Ambiguous => "ambiguous",
            Self::Unattributed => "unattributed",
        }
    }
}

/// Why an event stays unattributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unexplained {
    /// The log was read for as long as records may be late, and none fits. Logs leave acts out: this says nothing of who did it.
    NoRecord,
    /// The log could not be read in all that time.
    LogUnavailable,
}

impl Unexplained {
    /// The name in the leaf.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoRecord => "no_record",
            Self::LogUnavailable => "log_unavailable",
        }
    }
}

/// What a log told about an event. Fields in canonical order; absent members are left out.
///
/// The actor, the program and from where it was done are commitments, as in an event. The record's own id stays in the raw record:
/// of some providers it is made of personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnotationLeaf {
    /// Kind of actor the record names.
    pub actor_kind: ActorKind,
    /// Which kind of log.
    pub actor_source: ActorSource,
    /// `reported`: the record names the item. `derived`: it names a folder above it.
    pub basis: Basis,
    /// Commitments to actor, application and client.
    #[serde(default, skip_serializing_if = "is_default")]
    pub c: Commitments,
    /// The event, of this log or an earlier one of the ledger.
    pub event_id: Digest,
    /// The event's folder: with the id, it names one leaf.
    pub folder: FolderName,
    /// The ledger.
    pub ledger: LedgerName,
    /// Our clock when the log was read.
    pub observed_at: Timestamp,
    /// When it was done, by the log's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// What the log says.
    pub outcome: Outcome,
    /// Provider.
    pub provider: Provider,
    /// Digest of the raw record line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_sha256: Option<Digest>,
    /// Why the event is unattributed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Unexplained>,
    /// Operation that showed the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_api: Option<String>,
    /// The provider's id of that request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_request_id: Option<String>,
    /// `annotation`.
    #[serde(rename = "type")]
    pub kind: String,
    /// 1.
    pub v: u32,
}

/// What a log told about an event, in clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The event.
    pub event_id: Digest,
    /// Its folder.
    pub folder: FolderName,
    /// The ledger.
    pub ledger: LedgerName,
    /// Provider.
    pub provider: Provider,
    /// Which kind of log.
    pub source: ActorSource,
    /// Our clock when the log was read.
    pub observed_at: Timestamp,
    /// What the log says.
    pub finding: Finding,
}

/// What the log says about the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A record fits.
    Record(Box<RecordFinding>),
    /// None does.
    Nothing(Unexplained),
}

/// A record that fits an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFinding {
    /// True when another record that fits names another actor, or this one may be about another revision.
    pub contested: bool,
    /// Whether the record names the item or a folder above it.
    pub basis: Basis,
    /// When it was done, by the log's clock.
    pub occurred_at: Timestamp,
    /// Who; absent when the record does not say.
    pub actor: Option<Actor>,
    /// From where; absent when the record does not say.
    pub client: Option<ClientDetails>,
    /// Operation that showed the record.
    pub source_api: String,
    /// The provider's id of that request.
    pub source_request_id: Option<String>,
    /// Digest of the raw record line.
    pub raw_sha256: Option<Digest>,
}

/// Seals `annotation` as the leaf at place `n` of its snapshot: the leaf's bytes and what the sidecar must hold to open it.
pub fn seal_annotation(
    annotation: Annotation,
    n: u64,
    seed: &Seed,
) -> Result<(Vec<u8>, Disclosure), ModelError> {
    let mut disclosure = Disclosure {
        n,
        ..Disclosure::default()
    };
    let mut leaf = AnnotationLeaf {
        actor_kind: ActorKind::Unknown,
        actor_source: annotation.source,
        basis: Basis::Reported,
        c: Commitments::default(),
        event_id: annotation.event_id,
        folder: annotation.folder,
        ledger: annotation.ledger,
        observed_at: annotation.observed_at,
        occurred_at: None,
        outcome: Outcome::Unattributed,
        provider: annotation.provider,
        raw_sha256: None,
        reason: None,
        source_api: None,
        source_request_id: None,
        kind: "annotation".into(),
        v: VERSION,
    };
    match annotation.finding {
        Finding::Nothing(reason) => leaf.reason = Some(reason),
        Finding::Record(record) => {
            if let Some(actor) = record.actor {
                leaf.actor_kind = actor.kind;
                disclosure.actor = Some(actor.details).filter(|details| !details.is_empty());
                disclosure.application = actor.application;
            }
            disclosure.client = record.client.filter(|client| !client.is_empty());
            leaf.basis = record.basis;
            leaf.occurred_at = Some(record.occurred_at);
            leaf.outcome = if record.contested {
                Outcome::Ambiguous
            } else {
                Outcome::Attributed
            };
            leaf.raw_sha256 = record.raw_sha256;
            leaf.source_api = Some(record.source_api);
            leaf.source_request_id = record.source_request_id;
        }
    }
    leaf.c = disclosure.commitments(seed)?;
    Ok((encode(&leaf)?, disclosure))
}

impl AnnotationLeaf {
    /// Who the record names, with what `disclosure` reveals. The caller has checked the commitments.
    pub fn actor(&self, disclosure: &Disclosure) -> Option<Actor> {
        let details: ActorDetails = disclosure.actor.clone().unwrap_or_default();
        let application = disclosure.application.clone();
        let told = self.actor_kind != ActorKind::Unknown || !details.is_empty() || application.is_some();
        told.then_some(Actor {
            kind: self.actor_kind,
            details,
            application,
        })
    }
}
