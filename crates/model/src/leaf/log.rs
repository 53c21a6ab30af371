//! The leaves that open and close a log and bind its key to the log before and after it.

use serde::{Deserialize, Serialize};

use crate::{Digest, id::LedgerName, record::Count, time::Timestamp};

/// The final checkpoint of the year before. Fields in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousLog {
    /// SHA-256 of the stored note.
    pub note_sha256: Digest,
    /// Its origin.
    pub origin: String,
    /// Root hash.
    pub root: Digest,
    /// Tree size.
    pub size: Count,
}

/// First leaf of a log. Fields in canonical order; absent members are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenesisLeaf {
    /// When the log was made, our clock.
    pub created_at: Timestamp,
    /// The ledger.
    pub ledger: LedgerName,
    /// Origin line of its checkpoints.
    pub origin: String,
    /// The log before it; absent for a ledger's first log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_log: Option<PreviousLog>,
    /// Verifier key of the log (C2SP signed-note vkey).
    pub public_key: String,
    /// Until when its record objects are held, where the archive can hold objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retain_until: Option<Timestamp>,
    /// `genesis`.
    #[serde(rename = "type")]
    pub kind: String,
    /// 1.
    pub v: u32,
}

/// Last leaf of a log before its final run leaf. Fields in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseLeaf {
    /// When the log was closed, our clock.
    pub closed_at: Timestamp,
    /// The ledger.
    pub ledger: LedgerName,
    /// Origin of the log that follows.
    pub next_origin: String,
    /// Verifier key of the log that follows.
    pub next_public_key: String,
    /// `close`.
    #[serde(rename = "type")]
    pub kind: String,
    /// 1.
    pub v: u32,
}
