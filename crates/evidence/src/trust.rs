//! What an auditor trusts, in a file of the auditor's own.
//!
//! ```toml
//! [[logs]]
//! origin = "evidence.acme.example/finance/2026"
//! key = "evidence.acme.example/finance/2026+713e9f1c+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
//! valid_until = "2027-02-01T00:00:00Z"
//!
//! [cosigners]
//! quorum = 1
//! keys = ["witness.example/w0+2bd58887+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU"]
//!
//! [timestamps]
//! certificates = """
//! -----BEGIN CERTIFICATE-----
//! …
//! -----END CERTIFICATE-----
//! """
//! ```

use std::collections::{BTreeMap, BTreeSet};

use revtrail_ledger::{Algorithm, CosignatureTime, VerifiedSignature, VerifierKey};
use revtrail_model::time::{Timestamp, parse};
use serde::Deserialize;

use crate::{proof::Refusal, timestamp::Authority};

/// Trusted keys, by origin, and how many cosigners a checkpoint must have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustPolicy {
    logs: BTreeMap<String, TrustedLog>,
    cosigners: Vec<VerifierKey>,
    quorum: usize,
    authority: Option<Authority>,
}

/// A log's key, and until when its signatures count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedLog {
    /// The key; its name is the origin.
    pub key: VerifierKey,
    /// Until when the key is trusted; `None` without end.
    pub valid_until: Option<Timestamp>,
}

/// A policy file that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    #[serde(default)]
    logs: Vec<LogFile>,
    #[serde(default)]
    cosigners: CosignersFile,
    timestamps: Option<TimestampsFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimestampsFile {
    certificates: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogFile {
    origin: String,
    key: String,
    valid_until: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct CosignersFile {
    #[serde(default)]
    quorum: usize,
    #[serde(default)]
    keys: Vec<String>,
}

fn refuse<T>(what: impl Into<String>) -> Result<T, PolicyError> {
    Err(PolicyError(what.into()))
}

impl TrustPolicy {
    /// A policy that trusts one key and asks for no cosigner.
    pub fn of_log(key: VerifierKey) -> Self {
        let origin = key.name().to_string();
        let log = TrustedLog {
            key,
            valid_until: None,
        };
        Self {
            logs: BTreeMap::from([(origin, log)]),
            ..Self::default()
        }
    }

    /// Reads a policy file. Everything that could weaken it unnoticed is refused: unknown members, a key under another origin, one
    /// origin or cosigner twice, a quorum that can never be met.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let file: PolicyFile = toml::from_str(text).map_err(|error| PolicyError(error.to_string()))?;
        let authority = file
            .timestamps
            .map(|file| Authority::from_pem(&file.certificates))
            .transpose()
            .map_err(|error| PolicyError(format!("timestamps.certificates: {error}")))?;
        let mut policy = Self {
            quorum: file.cosigners.quorum,
            authority,
            ..Self::default()
        };
        for (place, log) in file.logs.into_iter().enumerate() {
            policy.add_log(&format!("logs[{place}]"), log)?;
        }
        if policy.logs.is_empty() {
            return refuse("logs: no log is trusted");
        }
        let mut seen = BTreeSet::new();
        for (place, text) in file.cosigners.keys.iter().enumerate() {
            let at = format!("cosigners.keys[{place}]");
            let key = verifier_key(&at, text, Algorithm::Cosignature)?;
            if !seen.insert(*key.public_key().as_bytes()) {
                return refuse(format!("{at}: this cosigner is named twice"));
            }
            policy.cosigners.push(key);
        }
        if policy.quorum > policy.cosigners.len() {
            let (quorum, known) = (policy.quorum, policy.cosigners.len());
            return refuse(format!(
                "cosigners.quorum: {quorum} of {known} cosigners can never sign"
            ));
        }
        Ok(policy)
    }

    fn add_log(&mut self, at: &str, log: LogFile) -> Result<(), PolicyError> {
        let key = verifier_key(&format!("{at}.key"), &log.key, Algorithm::Ed25519)?;
        if key.name().as_str() != log.origin {
            return refuse(format!(
                "{at}.key: is named {}, not {}; the key of a log bears its origin",
                key.name(),
                log.origin
            ));
        }
        let valid_until = match log.valid_until.as_deref().map(parse) {
            Some(Err(error)) => return refuse(format!("{at}.valid_until: {error}")),
            Some(Ok(until)) => Some(until),
            None => None,
        };
        let trusted = TrustedLog { key, valid_until };
        match self.logs.insert(log.origin, trusted) {
            Some(_) => refuse(format!("{at}.origin: this log is named twice")),
            None => Ok(()),
        }
    }

    /// The trusted key of the log with this origin.
    pub fn log(&self, origin: &str) -> Option<&TrustedLog> {
        self.logs.get(origin)
    }

    /// Every trusted log.
    pub fn logs(&self) -> impl Iterator<Item = &TrustedLog> {
        self.logs.values()
    }

    /// Authorities whose time stamps count.
    pub const fn authority(&self) -> Option<&Authority> {
        self.authority.as_ref()
    }

    /// Keys of known cosigners.
    pub fn cosigners(&self) -> &[VerifierKey] {
        &self.cosigners
    }

    /// Whether the signatures that held are enough at the moment `now`; gives the time by which so many cosigners as are required,
    /// one at least, had seen the checkpoint.
    pub(crate) fn judge(
        &self,
        log: &TrustedLog,
        signatures: &[VerifiedSignature<'_>],
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Refusal> {
        // A witness may have signed more than once; its first signature counts.
        let mut first: BTreeMap<[u8; 32], CosignatureTime> = BTreeMap::new();
        for signature in signatures {
            if let Some(time) = signature.time {
                let own = first
                    .entry(*signature.key.public_key().as_bytes())
                    .or_insert(time);
                *own = time.min(*own);
            }
        }
        if first.len() < self.quorum {
            return Err(Refusal::Incomplete(format!(
                "{} of the cosigners of the policy signed the checkpoint, {} are required",
                first.len(),
                self.quorum
            )));
        }
        let mut times: Vec<CosignatureTime> = first.into_values().collect();
        times.sort_unstable();
        let seen = times
            .get(self.quorum.max(1) - 1)
            .and_then(|time| i64::try_from(time.seconds()).ok())
            .and_then(|second| Timestamp::from_second(second).ok());
        match log.valid_until {
            Some(until) if now > until && seen.is_none_or(|seen| seen > until) => {
                Err(Refusal::CannotJudge(format!(
                    "the key of {} is trusted until {until} only, and no cosigner attests that the checkpoint is older",
                    log.key.name()
                )))
            }
            _ => Ok(seen),
        }
    }
}

fn verifier_key(at: &str, text: &str, algorithm: Algorithm) -> Result<VerifierKey, PolicyError> {
    let key: VerifierKey = text
        .parse()
        .map_err(|error| PolicyError(format!("{at}: {error}")))?;
    if key.algorithm() == algorithm {
        return Ok(key);
    }
    refuse(match algorithm {
        Algorithm::Ed25519 => format!("{at}: is the key of a cosigner (0x04), not of a log (0x01)"),
        Algorithm::Cosignature => format!("{at}: is the key of a log (0x01), not of a cosigner (0x04)"),
    })
}
