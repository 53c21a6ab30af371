//! The hold leaf: a legal hold placed or released for a case.

use serde::{Deserialize, Serialize};

use super::{VERSION, encode};
use crate::{
    ModelError,
    disclosure::{CaseDetails, Commitments, Disclosure, ReasonDetails, Seed},
    event::ActorDetails,
    id::{HoldId, LedgerName},
    record::Count,
    time::Timestamp,
};

/// What happened to the hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldAction {
    /// From now on the objects are held.
    Placed,
    /// This hold no longer keeps them; another one may.
    Released,
}

impl HoldAction {
    /// The name in the leaf.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Released => "released",
        }
    }
}

/// A hold placed or released. Fields in canonical order; absent members are left out.
///
/// The name of the case, who did it and why are commitments: they may name persons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldLeaf {
    /// Placed or released.
    pub action: HoldAction,
    /// When, our clock.
    pub at: Timestamp,
    /// Commitments to the case, the person and the reason.
    pub c: Commitments,
    /// The hold; a release carries the id of the placing.
    pub hold_id: HoldId,
    /// The ledger.
    pub ledger: LedgerName,
    /// `hold`.
    #[serde(rename = "type")]
    pub kind: String,
    /// 1.
    pub v: u32,
    /// The log year whose objects are held; absent for all logs of the ledger, those to come included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub year: Option<Count>,
}

/// A hold placed or released, in clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Placed or released.
    pub action: HoldAction,
    /// When, our clock.
    pub at: Timestamp,
    /// The hold.
    pub id: HoldId,
    /// The ledger.
    pub ledger: LedgerName,
    /// The log year; absent for all.
    pub year: Option<Count>,
    /// Name of the case.
    pub case: String,
    /// Who did it, as they said.
    pub by: String,
    /// Why, as they said.
    pub reason: String,
}

/// Seals `hold` as the leaf at place `n` of its snapshot: the leaf's bytes and what the sidecar must hold to open it.
pub fn seal_hold(hold: Hold, n: u64, seed: &Seed) -> Result<(Vec<u8>, Disclosure), ModelError> {
    let disclosure = Disclosure {
        actor: Some(ActorDetails {
            name: Some(hold.by),
            ..ActorDetails::default()
        }),
        case: Some(CaseDetails { name: hold.case }),
        n,
        reason: Some(ReasonDetails { text: hold.reason }),
        ..Disclosure::default()
    };
    let leaf = HoldLeaf {
        action: hold.action,
        at: hold.at,
        c: disclosure.commitments(seed)?,
        hold_id: hold.id,
        ledger: hold.ledger,
        kind: "hold".into(),
        v: VERSION,
        year: hold.year,
    };
    Ok((encode(&leaf)?, disclosure))
}
