//! The run leaf: the last leaf of each snapshot, which binds everything written beside the segment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Digest,
    id::{AccountName, LedgerName, RunId},
    leaf::WindowState,
    record::{Count, is_default},
    time::Timestamp,
};

/// A checkpoint of the same log. Fields in canonical order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointRef {
    /// SHA-256 of the stored note.
    pub note_sha256: Digest,
    /// Root hash.
    pub root: Digest,
    /// Tree size.
    pub size: Count,
}

/// Digests of the objects written with the snapshot. Fields in canonical order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Objects {
    /// SHA-256 of the raw object; absent when nothing was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<Digest>,
    /// SHA-256 of the sidecar; absent when the snapshot has nothing to disclose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sidecar: Option<Digest>,
    /// SHA-256 of the state object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Digest>,
}

/// The program that wrote the snapshot. Fields in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// SHA-256 of the executable file; absent when it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binary_sha256: Option<Digest>,
    /// Its version.
    pub version: String,
}

/// One reading of one account's audit log. Fields in canonical order; absent members are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRead {
    /// Where the last reading that came to its end left off, by the provider's clock; absent at the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covers_from: Option<Timestamp>,
    /// Up to where this one read, by the provider's clock; absent when it did not come to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covers_to: Option<Timestamp>,
    /// Why it did not: an error kind and a status, without names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The log no longer reaches back to `covers_from`: records before this moment are lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_before: Option<Timestamp>,
    /// Records it told, those about other folders included.
    pub records: Count,
    /// `complete`, `partial` when records are lost, `failed` when the log could not be read to its end.
    pub state: WindowState,
}

/// Requests sent, or what they cost, by account and operation.
pub type Requests = BTreeMap<String, BTreeMap<String, Count>>;

/// End of a snapshot. Fields in canonical order; absent members are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunLeaf {
    /// Audit logs read for this snapshot, by account.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub audit: BTreeMap<AccountName, AuditRead>,
    /// Our clock minus the `Date` of the last answer, milliseconds, by account (`archive` for the object store).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clock_offset_ms: BTreeMap<String, String>,
    /// SHA-256 of the configuration file.
    pub config_sha256: Digest,
    /// When the snapshot was closed, our clock.
    pub finished_at: Timestamp,
    /// The ledger.
    pub ledger: LedgerName,
    /// By when the next snapshot is due, from the schedule; a log that ends earlier than this allows has lost its tail or its harvest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_expected_by: Option<Timestamp>,
    /// Objects written with the snapshot.
    pub objects: Objects,
    /// The checkpoint this snapshot extends; absent in the first snapshot of a log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_checkpoint: Option<CheckpointRef>,
    /// Requests sent for this snapshot.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requests: Requests,
    /// The run.
    pub run_id: RunId,
    /// Place of the snapshot in the log, from 0.
    pub seq: Count,
    /// When the run started, our clock.
    pub started_at: Timestamp,
    /// SHA-256 of time-stamp tokens over earlier checkpoints, by object key.
    #[serde(default, skip_serializing_if = "is_default")]
    pub timestamps: BTreeMap<String, Digest>,
    /// The program.
    pub tool: Tool,
    /// `run`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the requests of this snapshot cost in each provider's own units, as documented by it; what it really charged is not told.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub units: Requests,
    /// 1.
    pub v: u32,
    /// Log indices of the snapshot's windows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Count>,
}
