//! Salted commitments to personal fields, and the sidecar that opens them.
//!
//! A leaf holds `base64(SHA-256(JCS([salt, field, value])))`; the sidecar holds the seed and the values:
//!
//! ```text
//! {"seed":"<base64 of 32 bytes>","type":"sidecar","v":1}
//! {"actor":{"email":"y@acme.example","name":"Y"},"n":17,"path":{"name":"X.xlsx","path":"Q3/X.xlsx"}}
//! ```
//!
//! The salt of field `f` of the leaf at place `n` of the snapshot is `base64(HMAC-SHA256(seed, n || f))` with `n` in decimal, so that
//! showing one salt reveals no other. The seed is never shown with a redacted proof.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{
    ModelError,
    event::{ActorDetails, Application, ClientDetails, PathDetails},
    record::{USUAL_BYTES, append_canonical, canonical, push_string},
    sha256,
};

/// A field that is committed to, not written, in the leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// Id, address and name of the actor.
    Actor,
    /// The program.
    Application,
    /// Name of the case of a legal hold.
    Case,
    /// From where something was done.
    Client,
    /// Name, path and previous path.
    Path,
    /// Reason of a legal hold.
    Reason,
}

impl Field {
    /// The name hashed into the commitment.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Actor => "actor",
            Self::Application => "application",
            Self::Case => "case",
            Self::Client => "client",
            Self::Path => "path",
            Self::Reason => "reason",
        }
    }
}

/// The case of a legal hold; a salted commitment in the leaf.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CaseDetails {
    /// Its name, as whoever placed the hold gave it.
    pub name: String,
}

/// Why a legal hold was placed or released; a salted commitment in the leaf.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReasonDetails {
    /// The reason, as whoever did it gave it.
    pub text: String,
}

/// Secret seed of one snapshot's salts.
#[derive(Clone)]
pub struct Seed {
    bytes: [u8; 32],
    /// The key taken in, which each salt starts from.
    keyed: Hmac<Sha256>,
}

impl Seed {
    /// Wraps 32 random bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        // HMAC fills a key up to one block with zeros (RFC 2104, section 2).
        let mut block = [0; 64];
        block[..32].copy_from_slice(&bytes);
        Self {
            bytes,
            keyed: Hmac::new(&block.into()),
        }
    }

    /// The salt of one field of the leaf at place `n` of the snapshot, base64.
    pub fn salt(&self, n: u64, field: Field) -> String {
        self.derive(n, field.as_str())
    }

    /// The salt written into the raw record at place `n`, so that its digest in a leaf cannot be used to test guesses.
    pub fn raw_salt(&self, n: u64) -> String {
        self.derive(n, "raw")
    }

    fn derive(&self, n: u64, what: &str) -> String {
        let mut mac = self.keyed.clone();
        mac.update(n.to_string().as_bytes());
        mac.update(what.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

impl PartialEq for Seed {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Seed {}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(secret)")
    }
}

/// The commitment to `value` under `salt`, base64.
pub fn commit<T: Serialize>(salt: &str, field: Field, value: &T) -> Result<String, ModelError> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    bytes.push(b'[');
    push_string(salt, &mut bytes);
    bytes.push(b',');
    push_string(field.as_str(), &mut bytes);
    bytes.push(b',');
    append_canonical(value, &mut bytes)?;
    bytes.push(b']');
    Ok(STANDARD.encode(sha256(&bytes).as_bytes()))
}

/// The commitments of one leaf. Fields in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Commitments {
    /// To [`ActorDetails`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// To [`Application`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// To [`CaseDetails`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// To [`ClientDetails`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// To [`PathDetails`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// To [`ReasonDetails`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Commitments {
    /// Names and values in canonical order.
    pub(crate) fn members(&self) -> [(&'static str, Option<&str>); 6] {
        let Self {
            actor,
            application,
            case,
            client,
            path,
            reason,
        } = self;
        [
            (Field::Actor, actor),
            (Field::Application, application),
            (Field::Case, case),
            (Field::Client, client),
            (Field::Path, path),
            (Field::Reason, reason),
        ]
        .map(|(field, value)| (field.as_str(), value.as_deref()))
    }
}

/// One sidecar line: the committed values of the leaf at place `n`. Fields in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Disclosure {
    /// The actor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<ActorDetails>,
    /// The program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<Application>,
    /// The case of a hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseDetails>,
    /// From where it was done, as an audit log tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientDetails>,
    /// Place of the leaf in its snapshot, from 0.
    pub n: u64,
    /// Names and paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathDetails>,
    /// The reason of a hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonDetails>,
}

impl Disclosure {
    /// True when there is nothing to disclose.
    pub fn is_empty(&self) -> bool {
        *self
            == Self {
                n: self.n,
                ..Self::default()
            }
    }

    /// The commitments that these values open.
    pub fn commitments(&self, seed: &Seed) -> Result<Commitments, ModelError> {
        fn one<T: Serialize>(
            seed: &Seed,
            n: u64,
            field: Field,
            value: Option<&T>,
        ) -> Result<Option<String>, ModelError> {
            value
                .map(|value| commit(&seed.salt(n, field), field, value))
                .transpose()
        }
        Ok(Commitments {
            actor: one(seed, self.n, Field::Actor, self.actor.as_ref())?,
            application: one(seed, self.n, Field::Application, self.application.as_ref())?,
            case: one(seed, self.n, Field::Case, self.case.as_ref())?,
            client: one(seed, self.n, Field::Client, self.client.as_ref())?,
            path: one(seed, self.n, Field::Path, self.path.as_ref())?,
            reason: one(seed, self.n, Field::Reason, self.reason.as_ref())?,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Head {
    seed: String,
    #[serde(rename = "type")]
    kind: String,
    v: u32,
}

/// The sidecar of one snapshot: seed and disclosures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sidecar {
    /// Seed of the salts.
    pub seed: Seed,
    /// One line for each leaf that has something to disclose, by rising `n`.
    pub disclosures: Vec<Disclosure>,
}

impl Sidecar {
    /// The object's bytes: the seed line, then one line per disclosure.
    pub fn encode(&self) -> Result<Vec<u8>, ModelError> {
        let mut bytes = canonical(&Head {
            seed: STANDARD.encode(self.seed.bytes),
            kind: "sidecar".into(),
            v: 1,
        })?;
        bytes.push(b'\n');
        for disclosure in &self.disclosures {
            append_canonical(disclosure, &mut bytes)?;
            bytes.push(b'\n');
        }
        Ok(bytes)
    }

    /// Reads the object's bytes; refuses an unreadable line, a missing seed and places out of order.
    pub fn decode(bytes: &[u8]) -> Result<Self, ModelError> {
        let (seed, lines) = open(bytes)?;
        let disclosures = lines
            .map(|(index, line)| read_line(index, line))
            .collect::<Result<Vec<Disclosure>, _>>()?;
        Ok(Self { seed, disclosures })
    }

    /// The seed, and what opens the leaf at place `n`, if the object has it. Of the other lines only the place is read.
    pub fn find(bytes: &[u8], n: u64) -> Result<(Seed, Option<Disclosure>), ModelError> {
        let (seed, lines) = open(bytes)?;
        for (index, line) in lines {
            let place: Place = read_line(index, line)?;
            if place.n == n {
                return Ok((seed, Some(read_line(index, line)?)));
            }
        }
        Ok((seed, None))
    }
}

/// The place that a line is about.
#[derive(Deserialize)]
struct Place {
    n: u64,
}

/// The seed, and the lines after it with their places in the object from zero.
fn open(bytes: &[u8]) -> Result<(Seed, impl Iterator<Item = (usize, &[u8])>), ModelError> {
    let mut lines = bytes
        .split(|byte| *byte == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.is_empty());
    let head: Head = lines
        .next()
        .and_then(|(_, line)| serde_json::from_slice(line).ok())
        .ok_or(ModelError::Seed)?;
    let seed = STANDARD
        .decode(&head.seed)
        .ok()
        .and_then(|seed| seed.try_into().ok())
        .ok_or(ModelError::Seed)?;
    if head.kind != "sidecar" || head.v != 1 {
        return Err(ModelError::Seed);
    }
    Ok((Seed::from_bytes(seed), lines))
}

fn read_line<'a, T: Deserialize<'a>>(index: usize, line: &'a [u8]) -> Result<T, ModelError> {
    serde_json::from_slice(line).map_err(|source| ModelError::Sidecar {
        line: index + 1,
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sidecar() -> Sidecar {
        let actor = ActorDetails {
            email: Some("y@acme.example".into()),
            name: Some("Y".into()),
            ..ActorDetails::default()
        };
        Sidecar {
            seed: Seed::from_bytes([7; 32]),
            disclosures: vec![
                Disclosure {
                    actor: Some(actor),
                    n: 17,
                    ..Disclosure::default()
                },
                Disclosure {
                    path: Some(PathDetails {
                        path: Some("Q3/X.xlsx".into()),
                        ..PathDetails::default()
                    }),
                    n: 18,
                    ..Disclosure::default()
                },
            ],
        }
    }

    #[test]
    fn a_sidecar_reads_back_as_written() {
        let bytes = sidecar().encode().unwrap();
        assert!(bytes.starts_with(
            br#"{"seed":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=","type":"sidecar","v":1}"#
        ));
        assert_eq!(Sidecar::decode(&bytes).unwrap(), sidecar());
        for n in 16..20 {
            let (seed, found) = Sidecar::find(&bytes, n).unwrap();
            let wanted = sidecar().disclosures.into_iter().find(|line| line.n == n);
            assert_eq!((seed, found), (sidecar().seed, wanted));
        }
    }

    #[test]
    fn a_commitment_opens_only_with_its_own_salt_and_value() {
        let sidecar = sidecar();
        let line = &sidecar.disclosures[0];
        let expected = line.commitments(&sidecar.seed).unwrap();
        let moved = Disclosure {
            n: 18,
            ..line.clone()
        };
        assert_ne!(moved.commitments(&sidecar.seed).unwrap().actor, expected.actor);
        let other = Disclosure {
            actor: Some(ActorDetails {
                name: Some("Z".into()),
                ..ActorDetails::default()
            }),
            ..line.clone()
        };
        assert_ne!(other.commitments(&sidecar.seed).unwrap().actor, expected.actor);
        assert_eq!(expected.path, None);
    }

    #[test]
    fn a_commitment_can_be_made_by_hand() {
        let seed = Seed::from_bytes([7; 32]);
        let salt = seed.salt(17, Field::Path);
        let value = PathDetails {
            path: Some("a".into()),
            ..PathDetails::default()
        };
        let by_hand =
            STANDARD.encode(sha256(format!(r#"["{salt}","path",{{"path":"a"}}]"#).as_bytes()).as_bytes());
        assert_eq!(commit(&salt, Field::Path, &value).unwrap(), by_hand);
    }

    #[test]
    fn damaged_sidecars_are_refused() {
        assert!(matches!(Sidecar::decode(b""), Err(ModelError::Seed)));
        assert!(matches!(
            Sidecar::decode(br#"{"seed":"AAAA","type":"sidecar","v":1}"#),
            Err(ModelError::Seed)
        ));
        let mut bytes = sidecar().encode().unwrap();
        bytes.extend(b"{]\n");
        assert!(matches!(
            Sidecar::decode(&bytes),
            Err(ModelError::Sidecar { line: 4, .. })
        ));
        assert!(matches!(
            Sidecar::find(&bytes, 19),
            Err(ModelError::Sidecar { line: 4, .. })
        ));
    }

    #[test]
    fn the_seed_is_never_printed() {
        assert_eq!(format!("{:?}", Seed::from_bytes([7; 32])), "Seed(secret)");
    }
}
