//! Judging the proof of one leaf.

use revtrail_ledger::{Checkpoint, Note, TreeHead, VerifiedSignature, leaf_hash};
use revtrail_model::{
    disclosure::{Disclosure, Field},
    leaf::Leaf,
    time::Timestamp,
};

use super::{LeafProof, Refusal, open};
use crate::trust::{TrustPolicy, TrustedLog};

/// A checkpoint that the policy accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Origin of the log.
    pub origin: String,
    /// Tree size and root hash.
    pub head: TreeHead,
    /// The log's verifier key.
    pub key: String,
    /// Names of the cosigners whose signatures held, and when they say they signed.
    pub cosigners: Vec<(String, u64)>,
    /// By when as many cosigners as the policy requires, at least one, had seen the checkpoint; `None` without cosigners.
    pub seen_by: Option<Timestamp>,
}

/// What a proof proved: these bytes stand at this index of a log whose key the policy trusts.
#[derive(Debug, Clone, PartialEq)]
pub struct ProvenLeaf {
    /// The checkpoint.
    pub signed: Signed,
    /// Index of the leaf.
    pub index: u64,
    /// The leaf as stored.
    pub text: String,
    /// The leaf as read.
    pub leaf: Leaf,
    /// Values whose commitments were opened.
    pub disclosed: Disclosure,
    /// Fields that the leaf commits to and the proof does not show.
    pub hidden: Vec<Field>,
}

/// Judges a proof file offline: signatures, cosigners, inclusion, and everything that is disclosed.
pub fn check_leaf_proof(bytes: &[u8], policy: &TrustPolicy, now: Timestamp) -> Result<ProvenLeaf, Refusal> {
    let proof = LeafProof::parse(bytes)?;
    let log = trusted(&proof.tlog.checkpoint, policy)?;
    let proven = proof
        .tlog
        .verify(&leaf_hash(proof.leaf.as_bytes()), &log.key, policy.cosigners())
        .map_err(Refusal::contradiction)?;
    let signed = signed((log, &proven.checkpoint), &proven.signatures, policy, now)?;
    let leaf = Leaf::parse(proof.leaf.as_bytes()).map_err(Refusal::contradiction)?;
    let commitments = leaf.commitments().cloned().unwrap_or_default();
    let (disclosed, hidden) = open(&commitments, &proof.disclosed)?;
    Ok(ProvenLeaf {
        signed,
        index: proof.tlog.index.get(),
        text: proof.leaf,
        leaf,
        disclosed,
        hidden,
    })
}

/// The policy's entry for the log that a checkpoint says it is of.
pub(super) fn trusted<'p>(note: &Note, policy: &'p TrustPolicy) -> Result<&'p TrustedLog, Refusal> {
    let claimed = Checkpoint::parse(note.text()).map_err(Refusal::contradiction)?;
    policy
        .log(claimed.origin.as_str())
        .ok_or_else(|| Refusal::CannotJudge(format!("the policy has no key for the log {}", claimed.origin)))
}

pub(super) fn signed(
    (log, checkpoint): (&TrustedLog, &Checkpoint),
    signatures: &[VerifiedSignature<'_>],
    policy: &TrustPolicy,
    now: Timestamp,
) -> Result<Signed, Refusal> {
    let seen_by = policy.judge(log, signatures, now)?;
    let cosigners = signatures
        .iter()
        .filter_map(|one| Some((one.key.name().to_string(), one.time?.seconds())));
    Ok(Signed {
        origin: checkpoint.origin.to_string(),
        head: checkpoint.head(),
        key: log.key.to_string(),
        cosigners: cosigners.collect(),
        seen_by,
    })
}
