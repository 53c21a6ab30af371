//! Two checkpoints of one log, and the proof that the later one only added leaves.

use revtrail_ledger::{Checkpoint, Hash, Note, tree::verify_consistency};
use revtrail_model::{ModelError, record::canonical, time::Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Refusal,
    check::{Signed, signed, trusted},
};
use crate::trust::TrustPolicy;

/// The file: one JSON object. Members in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyProof {
    /// The later checkpoint as signed.
    new: String,
    /// The earlier checkpoint as signed.
    old: String,
    /// Consistency proof (RFC 6962 §2.1.2), hashes in base64.
    proof: Vec<String>,
    /// `consistency-proof`.
    #[serde(rename = "type")]
    kind: String,
    /// 1.
    v: u32,
}

const KIND: &str = "consistency-proof";

/// What was proven: the tree `new` holds the leaves of `old`, unchanged and in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenGrowth {
    /// The earlier checkpoint.
    pub old: Signed,
    /// The later checkpoint.
    pub new: Signed,
}

impl ConsistencyProof {
    /// Joins two checkpoints and the proof between them.
    pub fn new(old: &Note, new: &Note, hashes: &[Hash]) -> Self {
        let text = |note: &Note| String::from_utf8_lossy(&note.to_bytes()).into_owned();
        Self {
            new: text(new),
            old: text(old),
            proof: hashes.iter().map(Hash::to_base64).collect(),
            kind: KIND.into(),
            v: 1,
        }
    }

    /// The file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let mut bytes = canonical(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// True for bytes that are meant to be such a file, not the proof of a leaf.
    pub fn is_meant_by(bytes: &[u8]) -> bool {
        bytes.first() == Some(&b'{')
    }
}

/// Judges a consistency proof offline.
pub fn check_consistency(
    bytes: &[u8],
    policy: &TrustPolicy,
    now: Timestamp,
) -> Result<ProvenGrowth, Refusal> {
    let file: ConsistencyProof = serde_json::from_slice(bytes)
        .map_err(|error| Refusal::contradiction(format!("not a consistency proof: {error}")))?;
    if file.kind != KIND || file.v != 1 {
        let what = format!("a proof of kind {:?} version {}", file.kind, file.v);
        return Err(Refusal::CannotJudge(format!(
            "{what} is not known to this version"
        )));
    }
    let old = accept(&file.old, policy, now)?;
    let new = accept(&file.new, policy, now)?;
    if old.origin != new.origin {
        let what = format!("{} and {} are different logs", old.origin, new.origin);
        return Err(Refusal::Contradiction(what));
    }
    let hashes = file.proof.iter().map(|hash| Hash::from_base64(hash));
    let hashes = hashes
        .collect::<Result<Vec<_>, _>>()
        .map_err(Refusal::contradiction)?;
    verify_consistency(&old.head, &new.head, &hashes).map_err(Refusal::contradiction)?;
    Ok(ProvenGrowth { old, new })
}

fn accept(text: &str, policy: &TrustPolicy, now: Timestamp) -> Result<Signed, Refusal> {
    let note = Note::parse(text.as_bytes()).map_err(Refusal::contradiction)?;
    let log = trusted(&note, policy)?;
    let (checkpoint, signatures) =
        Checkpoint::verify(&note, &log.key, policy.cosigners()).map_err(Refusal::contradiction)?;
    signed((log, &checkpoint), &signatures, policy, now)
}
