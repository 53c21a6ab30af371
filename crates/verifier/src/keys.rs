//! Which keys are trusted, and for the logs of which origin.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use revtrail_evidence::TrustPolicy;
use revtrail_ledger::{Algorithm, Origin, PublicKey, VerifierKey};

use crate::{
    args::{CopyArgs, KeyArgs},
    outcome::{Exit, Failure, read},
};

const SHOWN: &str =
    "`revtrail key show` prints verifier keys; get them from a source of your own, not with the copy";

/// What the command line trusts.
#[derive(Debug)]
pub(crate) struct Trust {
    /// Origin of the ledger, without the year.
    pub(crate) origin: String,
    keys: Keys,
    /// The policy file, with what it requires beyond keys.
    pub(crate) policy: Option<TrustPolicy>,
}

#[derive(Debug)]
enum Keys {
    /// One key for the logs of all years.
    Every(PublicKey),
    /// By the origin of the log.
    ByLog(BTreeMap<String, VerifierKey>),
}

impl Trust {
    pub(crate) fn new(args: &CopyArgs) -> Result<Self, Failure> {
        let (keys, policy) = read_keys(&args.keys)?;
        let origin = match (&args.origin, &keys) {
            (Some(origin), _) => origin.clone(),
            (None, Keys::Every(_)) => {
                return Err(Failure::new(
                    Exit::Usage,
                    "a PEM file does not say whose key it is",
                    "add --origin with the origin of the ledger, without the year",
                ));
            }
            (None, Keys::ByLog(keys)) => only_origin(keys)?,
        };
        Ok(Self { origin, keys, policy })
    }

    /// The key of the log with this origin.
    pub(crate) fn key(&self, origin: &str) -> Option<VerifierKey> {
        match &self.keys {
            Keys::Every(key) => {
                let name = origin.parse::<Origin>().ok()?.key_name().ok()?;
                Some(VerifierKey::new(name, Algorithm::Ed25519, *key))
            }
            Keys::ByLog(keys) => keys.get(origin).cloned(),
        }
    }
}

fn read_keys(args: &KeyArgs) -> Result<(Keys, Option<TrustPolicy>), Failure> {
    if let Some(file) = &args.policy {
        let policy = policy(file)?;
        // A policy may name logs of other systems, too.
        let logs = policy
            .logs()
            .filter(|log| ledger_origin(log.key.name().as_str()).is_some());
        let keys = logs.map(|log| log.key.clone());
        return Ok((by_log(keys.collect())?, Some(policy)));
    }
    let lines: Vec<String> = match &args.key_file {
        Some(file) => {
            let text = String::from_utf8_lossy(&read("key file", file, Exit::CannotJudge)?).into_owned();
            if text.trim_start().starts_with("-----BEGIN") {
                return Ok((Keys::Every(public_key(file, &text)?), None));
            }
            let lines = text.lines().map(str::trim);
            lines
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .map(str::to_owned)
                .collect()
        }
        None => args.key.clone(),
    };
    let keys: Result<Vec<VerifierKey>, Failure> = lines
        .iter()
        .map(|line| {
            line.parse().map_err(|error| {
                Failure::new(Exit::Usage, "a verifier key is unusable", SHOWN).because(&error)
            })
        })
        .collect();
    Ok((by_log(keys?)?, None))
}

fn public_key(file: &Path, pem: &str) -> Result<PublicKey, Failure> {
    PublicKey::from_pem(pem).map_err(|error| {
        let message = format!("{} is not an Ed25519 public key", file.display());
        let hint = "give a PEM file as `revtrail key generate` or `openssl pkey -pubout` writes it";
        Failure::new(Exit::CannotJudge, message, hint).because(&error)
    })
}

/// The policy file.
pub(crate) fn policy(file: &Path) -> Result<TrustPolicy, Failure> {
    let text = read("policy", file, Exit::Usage)?;
    TrustPolicy::parse(&String::from_utf8_lossy(&text)).map_err(|error| {
        let message = format!("policy {} cannot be used", file.display());
        Failure::new(Exit::Usage, message, "see docs/auditor-guide.md for its form").because(&error)
    })
}

fn by_log(keys: Vec<VerifierKey>) -> Result<Keys, Failure> {
    let mut named = BTreeMap::new();
    for key in keys {
        let name = key.name().to_string();
        if key.algorithm() != Algorithm::Ed25519 {
            let message = format!("the key {name} is of a cosigner (0x04), not of a log (0x01)");
            return Err(Failure::new(Exit::Usage, message, SHOWN));
        }
        if ledger_origin(&name).is_none() {
            let message = format!("the key {name} is not named like a log, ORIGIN/YEAR");
            return Err(Failure::new(Exit::Usage, message, SHOWN));
        }
        if named.insert(name.clone(), key).is_some() {
            let message = format!("two keys are named {name}");
            return Err(Failure::new(Exit::Usage, message, "give one key for each log"));
        }
    }
    Ok(Keys::ByLog(named))
}

/// The origin of a log without its year.
fn ledger_origin(log: &str) -> Option<&str> {
    let (origin, year) = log.rsplit_once('/')?;
    year.parse::<i16>().is_ok().then_some(origin)
}

fn only_origin(keys: &BTreeMap<String, VerifierKey>) -> Result<String, Failure> {
    let origins: BTreeSet<&str> = keys.keys().filter_map(|log| ledger_origin(log)).collect();
    let mut origins = origins.into_iter();
    match (origins.next(), origins.next()) {
        (Some(one), None) => Ok(one.to_owned()),
        (None, _) => Err(Failure::new(
            Exit::CannotJudge,
            "there is no key in the key file",
            SHOWN,
        )),
        _ => Err(Failure::new(
            Exit::Usage,
            "the keys are of several ledgers",
            "choose one with --origin",
        )),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const KEY_2026: &str =
        "evidence.acme.example/finance/2026+713e9f1c+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";

    fn key_of(name: &str) -> String {
        let key: VerifierKey = KEY_2026.parse().unwrap();
        VerifierKey::new(name.parse().unwrap(), Algorithm::Ed25519, *key.public_key()).to_string()
    }

    fn trust(keys: &[String], origin: Option<&str>) -> Result<Trust, Failure> {
        Trust::new(&CopyArgs {
            dir: None,
            keys: KeyArgs {
                key: keys.to_vec(),
                key_file: None,
                policy: None,
            },
            origin: origin.map(str::to_owned),
            ledger: None,
            form: crate::args::FormArgs {
                as_of: None,
                output: crate::args::Output::Table,
            },
        })
    }

    #[test]
    fn keys_of_several_years_share_an_origin() {
        let other = key_of("evidence.acme.example/finance/2027");
        let trust = trust(&[KEY_2026.into(), other.clone()], None).unwrap();
        assert_eq!(trust.origin, "evidence.acme.example/finance");
        let key = trust.key("evidence.acme.example/finance/2027").unwrap();
        assert_eq!(key.to_string(), other);
        assert_eq!(trust.key("evidence.acme.example/finance/2028"), None);
    }

    #[rstest]
    #[case::of_several_ledgers(&[KEY_2026.to_owned(), key_of("evidence.acme.example/legal/2026")], "several ledgers")]
    #[case::twice(&[KEY_2026.to_owned(), KEY_2026.to_owned()], "two keys")]
    #[case::without_a_year(&[key_of("evidence.acme.example/finance")], "not named like a log")]
    #[case::unreadable(&["finance".to_owned()], "unusable")]
    #[case::of_a_witness(&["witness.example/w0+2bd58887+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU".to_owned()], "cosigner")]
    fn keys_that_leave_a_doubt_are_refused(#[case] keys: &[String], #[case] says: &str) {
        let failure = trust(keys, None).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.render().contains(says), "{}", failure.render());
    }

    #[test]
    fn an_origin_chooses_among_ledgers() {
        let keys = [KEY_2026.to_owned(), key_of("evidence.acme.example/legal/2026")];
        let trust = trust(&keys, Some("evidence.acme.example/legal")).unwrap();
        assert_eq!(trust.origin, "evidence.acme.example/legal");
    }
}
