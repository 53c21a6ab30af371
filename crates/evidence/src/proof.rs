//! One leaf, provable offline: a C2SP tlog-proof whose extra data holds the leaf and what is disclosed of it.
//!
//! The extra data is JSON:
//!
//! ```text
//! {"disclosed":{"path":"[\"OKQL…=\",\"path\",{\"name\":\"X.xlsx\",\"path\":\"Q3/X.xlsx\"}]"},"leaf":"{\"action\":…}","type":"leaf-proof","v":1}
//! ```
//!
//! Nothing authenticates it by itself. The leaf is what the inclusion proof is checked with; a disclosed text is hashed as it stands and
//! compared with the commitment in the leaf. A text holds the salt of its own field: neither the seed nor any other salt follows from it.

mod check;
mod consistency;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use revtrail_ledger::{Hash, LeafIndex, Note, TlogProof};
use revtrail_model::{
    ModelError,
    disclosure::{CaseDetails, Commitments, Disclosure, Field, ReasonDetails, Seed},
    event::{ActorDetails, Application, ClientDetails, PathDetails},
    record::canonical,
    sha256,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use check::{ProvenLeaf, Signed, check_leaf_proof};
pub use consistency::{ConsistencyProof, ProvenGrowth, check_consistency};

/// Fields that a leaf commits to, in the order of their names.
pub const FIELDS: [Field; 6] = [
    Field::Actor,
    Field::Application,
    Field::Case,
    Field::Client,
    Field::Path,
    Field::Reason,
];

/// Why a proof is not accepted. The kinds are the exit codes 3, 6 and 7 of the program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The proof is malformed, or contradicts itself, its signature or the trusted key.
    #[error("{0}")]
    Contradiction(String),
    /// What is there holds, but something that the policy requires is missing.
    #[error("{0}")]
    Incomplete(String),
    /// The policy does not let the proof be judged: it has no key for the log, or one that is no longer trusted.
    #[error("{0}")]
    CannotJudge(String),
}

impl Refusal {
    pub(crate) fn contradiction(what: impl std::fmt::Display) -> Self {
        Self::Contradiction(what.to_string())
    }
}

/// Texts that open commitments of a leaf, by field: the canonical JSON of `[salt, field, value]`.
pub type Openings = BTreeMap<String, String>;

/// A leaf with its proof and what is disclosed of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafProof {
    /// The proof; its extra data is made from the other members.
    tlog: TlogProof,
    /// The leaf as stored.
    leaf: String,
    /// What is disclosed.
    disclosed: Openings,
}

#[derive(Serialize, Deserialize)]
struct Extra {
    disclosed: Openings,
    leaf: String,
    #[serde(rename = "type")]
    kind: String,
    v: u32,
}

const KIND: &str = "leaf-proof";

impl LeafProof {
    /// Joins a leaf, its inclusion proof in the tree of a checkpoint, and what is to be disclosed.
    pub fn new(
        (index, leaf): (LeafIndex, String),
        hashes: Vec<Hash>,
        checkpoint: Note,
        disclosed: Openings,
    ) -> Result<Self, ModelError> {
        let extra = canonical(&Extra {
            disclosed: disclosed.clone(),
            leaf: leaf.clone(),
            kind: KIND.into(),
            v: 1,
        })?;
        let tlog = TlogProof {
            extra: Some(extra),
            index,
            hashes,
            checkpoint,
        };
        Ok(Self {
            tlog,
            leaf,
            disclosed,
        })
    }

    /// Reads a proof file. A tlog-proof without a leaf in its extra data cannot be judged.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let tlog = TlogProof::parse(bytes).map_err(Refusal::contradiction)?;
        let Some(extra) = &tlog.extra else {
            return Err(Refusal::CannotJudge(
                "the proof does not hold the leaf that it is about".into(),
            ));
        };
        let extra: Extra = serde_json::from_slice(extra)
            .map_err(|error| Refusal::contradiction(format!("extra data of the proof: {error}")))?;
        if extra.kind != KIND || extra.v != 1 {
            let what = format!("extra data of kind {:?} version {}", extra.kind, extra.v);
            return Err(Refusal::CannotJudge(format!(
                "{what} is not known to this version"
            )));
        }
        Ok(Self {
            leaf: extra.leaf,
            disclosed: extra.disclosed,
            tlog,
        })
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.tlog.to_bytes()
    }
}

/// Texts that open these fields of a leaf, as far as it commits to them.
pub fn openings(disclosure: &Disclosure, seed: &Seed, fields: &[Field]) -> Result<Openings, ModelError> {
    let mut openings = Openings::new();
    for field in fields {
        let salt = seed.salt(disclosure.n, *field);
        let text = match field {
            Field::Actor => opening(&salt, *field, disclosure.actor.as_ref()),
            Field::Application => opening(&salt, *field, disclosure.application.as_ref()),
            Field::Case => opening(&salt, *field, disclosure.case.as_ref()),
            Field::Client => opening(&salt, *field, disclosure.client.as_ref()),
            Field::Path => opening(&salt, *field, disclosure.path.as_ref()),
            Field::Reason => opening(&salt, *field, disclosure.reason.as_ref()),
        };
        if let Some(text) = text? {
            openings.insert(field.as_str().to_owned(), text);
        }
    }
    Ok(openings)
}

fn opening<T: Serialize>(salt: &str, field: Field, value: Option<&T>) -> Result<Option<String>, ModelError> {
    let Some(value) = value else {
        return Ok(None);
    };
    let text = canonical(&(salt, field.as_str(), value))?;
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}

/// The commitment of a leaf to a field.
fn commitment(c: &Commitments, field: Field) -> Option<&String> {
    match field {
        Field::Actor => c.actor.as_ref(),
        Field::Application => c.application.as_ref(),
        Field::Case => c.case.as_ref(),
        Field::Client => c.client.as_ref(),
        Field::Path => c.path.as_ref(),
        Field::Reason => c.reason.as_ref(),
    }
}

/// Checks each disclosed text against the leaf's commitment and reads its value; gives the fields that stay hidden, too.
fn open(c: &Commitments, disclosed: &Openings) -> Result<(Disclosure, Vec<Field>), Refusal> {
    let mut opened = Disclosure::default();
    let known = |name: &str| FIELDS.into_iter().find(|field| field.as_str() == name);
    for (name, text) in disclosed {
        let field = known(name)
            .ok_or_else(|| Refusal::contradiction(format!("there is no field {name:?} to disclose")))?;
        let digest = STANDARD.encode(sha256(text.as_bytes()).as_bytes());
        if commitment(c, field) != Some(&digest) {
            let what = format!("what is disclosed as {name} is not what the leaf commits to");
            return Err(Refusal::Contradiction(what));
        }
        match field {
            Field::Actor => opened.actor = Some(value::<ActorDetails>(field, text)?),
            Field::Application => opened.application = Some(value::<Application>(field, text)?),
            Field::Case => opened.case = Some(value::<CaseDetails>(field, text)?),
            Field::Client => opened.client = Some(value::<ClientDetails>(field, text)?),
            Field::Path => opened.path = Some(value::<PathDetails>(field, text)?),
            Field::Reason => opened.reason = Some(value::<ReasonDetails>(field, text)?),
        }
    }
    let hidden = FIELDS
        .into_iter()
        .filter(|field| commitment(c, *field).is_some() && !disclosed.contains_key(field.as_str()));
    Ok((opened, hidden.collect()))
}

fn value<T: DeserializeOwned>(field: Field, text: &str) -> Result<T, Refusal> {
    let malformed = || {
        let field = field.as_str();
        Refusal::contradiction(format!(
            "what is disclosed as {field} is not [salt, \"{field}\", value]"
        ))
    };
    let (_salt, name, value): (String, String, T) = serde_json::from_str(text).map_err(|_| malformed())?;
    // The name is hashed with the value, so that a path cannot be shown as an actor.
    if name == field.as_str() {
        Ok(value)
    } else {
        Err(malformed())
    }
}
