//! What a verification found.

use std::{collections::BTreeMap, fmt};

use revtrail_ledger::VerifierKey;
use revtrail_model::{Digest, id::HoldId, record::Count, time::Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; the record stands.
    Note,
    /// Something that should be there is not (yet): the end of the log, a snapshot that was due.
    Incomplete,
    /// The record contradicts itself or its signature.
    Contradiction,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// The object concerned.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What was expected, where that can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
}

impl Finding {
    /// A contradiction.
    pub fn contradiction(key: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            severity: Severity::Contradiction,
            key: key.into(),
            what: what.into(),
            expected: None,
            actual: None,
        }
    }

    /// Something missing.
    pub fn incomplete(key: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            severity: Severity::Incomplete,
            ..Self::contradiction(key, what)
        }
    }

    /// Something worth knowing.
    pub fn note(key: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            severity: Severity::Note,
            ..Self::contradiction(key, what)
        }
    }

    /// Adds what was expected and what was found.
    #[must_use]
    pub fn values(mut self, expected: impl fmt::Display, actual: impl fmt::Display) -> Self {
        self.expected = Some(expected.to_string());
        self.actual = Some(actual.to_string());
        self
    }
}

/// The outcome in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every check held and nothing that is due is missing.
    Sound,
    /// What is there holds, but something that should be there is not.
    Incomplete,
    /// The record contradicts itself or its signature.
    Contradicted,
}

impl Verdict {
    /// As documents and people name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Incomplete => "incomplete",
            Self::Contradicted => "contradicted",
        }
    }
}

/// Everything a verification found and counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Findings, in the order of the checks.
    pub findings: Vec<Finding>,
    /// Logs (years) checked.
    pub logs: u64,
    /// Snapshots checked.
    pub snapshots: u64,
    /// Leaves hashed.
    pub leaves: u64,
    /// Events among them.
    pub events: u64,
    /// Windows that recorded a gap.
    pub windows_with_gaps: u64,
    /// Windows.
    pub windows: u64,
    /// Leaves of a type this version does not know.
    pub unknown_leaves: u64,
    /// What audit logs told about events.
    pub annotations: u64,
    /// Leaves that place or release a legal hold.
    pub holds: u64,
    /// Legal holds that are open at the end of the newest log: id, and the log year it is about or none for all.
    #[serde(skip)]
    pub open_holds: BTreeMap<HoldId, Option<Count>>,
    /// Tiles compared with the record.
    pub tiles: u64,
    /// Time stamps that held.
    pub stamps: u64,
    /// Size of the newest log.
    pub tree_size: u64,
    /// Root hash of the newest log.
    pub root: Option<String>,
    /// Origin of the newest log.
    pub origin: Option<String>,
    /// End of the newest run, its own clock.
    pub last_run_at: Option<String>,
    /// Until when the record objects of a log are locked, as its genesis leaf says, by prefix of the log.
    #[serde(skip)]
    pub locked_until: BTreeMap<String, Timestamp>,
    /// The logs, oldest first, as far as cosigned copies are compared with them.
    #[serde(skip)]
    pub checked: Vec<CheckedLog>,
}

/// One log that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedLog {
    /// Its origin.
    pub origin: String,
    /// The key that it was checked with.
    pub key: VerifierKey,
    /// Prefix of its objects.
    pub prefix: String,
    /// SHA-256 of the text of each checkpoint, by tree size.
    pub texts: BTreeMap<u64, Digest>,
    /// When an authority attests to have seen a checkpoint, by tree size, as far as time stamps were checked.
    pub stamped: BTreeMap<u64, Timestamp>,
    /// Time stamps that its run leaves name, by object key.
    pub stamps: BTreeMap<String, Digest>,
}

impl Report {
    /// What is said beside the findings, for people and for programs: name and value.
    pub fn facts(&self, ledger: &str) -> Vec<(&'static str, Value)> {
        vec![
            ("ledger", json!(ledger)),
            ("verdict", json!(self.verdict().as_str())),
            ("origin", json!(self.origin)),
            ("tree_size", json!(self.tree_size)),
            ("root", json!(self.root)),
            ("snapshots", json!(self.snapshots)),
            ("events", json!(self.events)),
            ("windows", json!(self.windows)),
            ("windows_with_gaps", json!(self.windows_with_gaps)),
            ("holds_open", json!(self.open_holds.len())),
            ("tiles", json!(self.tiles)),
            ("time_stamps", json!(self.stamps)),
            ("unknown_leaves", json!(self.unknown_leaves)),
            ("last_run_at", json!(self.last_run_at)),
        ]
    }

    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        match self.findings.iter().map(|finding| finding.severity).max() {
            Some(Severity::Contradiction) => Verdict::Contradicted,
            Some(Severity::Incomplete) => Verdict::Incomplete,
            Some(Severity::Note) | None => Verdict::Sound,
        }
    }
}
