//! The configured public keys: which log bears which.

use std::{path::Path, sync::Arc};

use revtrail_ledger::{Algorithm, Origin, PublicKey, Signer as _, VerifierKey};
use revtrail_settings::{Config, NextKey, PrivateKey};

use crate::{
    exit::{Exit, Failure},
    signers::load_key,
    wiring::read,
};

/// Public keys by the years of the logs that bear them.
#[derive(Debug)]
pub(crate) struct Keys {
    /// Last year of each, oldest first.
    earlier: Vec<(i16, PublicKey)>,
    present: PublicKey,
    /// First year of the next key.
    next: Option<(i16, PublicKey)>,
}

impl Keys {
    /// Reads the key files.
    pub(crate) fn load(config: &Config) -> Result<Arc<Self>, Failure> {
        let earlier = config.earlier_keys.iter();
        let earlier = earlier.map(|(until, path)| Ok((*until, load_public(path)?)));
        let next = match &config.next_key {
            Some(next) => Some((next.from, public_half(next)?)),
            None => None,
        };
        Ok(Arc::new(Self {
            earlier: earlier.collect::<Result<_, Failure>>()?,
            present: present(config)?,
            next,
        }))
    }

    /// The verifier key of the log with this origin.
    pub(crate) fn verifier(&self, origin: &str) -> Option<VerifierKey> {
        let year: i16 = origin.rsplit_once('/')?.1.parse().ok()?;
        let name = origin.parse::<Origin>().ok()?.key_name().ok()?;
        Some(VerifierKey::new(name, Algorithm::Ed25519, self.of_year(year)))
    }

    fn of_year(&self, year: i16) -> PublicKey {
        if let Some((_, key)) = self.next.filter(|(from, _)| year >= *from) {
            return key;
        }
        let earlier = self.earlier.iter().find(|(until, _)| year <= *until);
        earlier.map_or(self.present, |(_, key)| *key)
    }
}

/// The public key of the present logs. A key in KMS is not asked: reading needs no access to it.
fn present(config: &Config) -> Result<PublicKey, Failure> {
    match (&config.public_key_file, &config.key) {
        (Some(path), _) => load_public(path),
        (None, Some(PrivateKey::File(path))) => Ok(load_key(path)?.public_key()),
        (None, _) => Err(Failure::usage(
            "signing.public_key_file is not set",
            "set it to the public key file",
        )),
    }
}

/// The next public key; both halves must fit when both are given in files.
fn public_half(next: &NextKey) -> Result<PublicKey, Failure> {
    let private = match &next.key {
        Some(PrivateKey::File(path)) => Some(load_key(path)?.public_key()),
        Some(PrivateKey::Kms(_)) | None => None,
    };
    let public = next
        .public_key_file
        .as_ref()
        .map(|path| load_public(path))
        .transpose()?;
    if let (Some(private), Some(public)) = (&private, &public)
        && private != public
    {
        return Err(Failure::usage(
            "signing.next_public_key_file is not the public half of signing.next_key_file",
            "give the matching pair",
        ));
    }
    private.or(public).ok_or_else(|| {
        Failure::usage(
            "signing.next_from names no key",
            "set next_key_file or next_public_key_file",
        )
    })
}

/// Loads a public key.
pub(crate) fn load_public(path: &Path) -> Result<PublicKey, Failure> {
    PublicKey::from_pem(&read("public key", path)?).map_err(|error| {
        let error = anyhow::anyhow!("{} is not an Ed25519 public key: {error}", path.display());
        Failure::new(
            Exit::CannotJudge,
            error,
            Some("give a PEM file as `revtrail key generate` or `openssl pkey -pubout` writes it".into()),
        )
    })
}
