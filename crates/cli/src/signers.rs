//! Private keys: in a file, or in AWS KMS.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use revtrail_harvest::NextSigner;
use revtrail_kms::{KmsKey, KmsSettings, KmsSigner};
use revtrail_ledger::{FileSigner, PublicKey, Signer};
use revtrail_model::time::{Timestamp, year};
use revtrail_settings::{Config, PrivateKey};

use crate::{
    exit::{Exit, Failure},
    keys::load_public,
    wiring::read,
};

/// A private key that was found to belong to the configured public one.
pub(crate) enum Opened {
    File(FileSigner),
    Kms(KmsSigner),
}

impl Opened {
    fn into_signer(self) -> Arc<dyn Signer> {
        match self {
            Self::File(signer) => Arc::new(signer),
            Self::Kms(signer) => Arc::new(signer),
        }
    }
}

/// Who signs the present logs.
pub(crate) fn present(config: &Config) -> Result<Arc<dyn Signer>, Failure> {
    Ok(open_present(config)?.into_signer())
}

/// The present private key, opened.
pub(crate) fn open_present(config: &Config) -> Result<Opened, Failure> {
    let Some(key) = &config.key else {
        return Err(Failure::usage(
            "neither signing.key_file nor signing.kms_key is set",
            "set one of them; this command signs",
        ));
    };
    open("", key, config.public_key_file.as_ref())
}

/// The key that takes over at the turn of a year. Its private half may come late, but not later than the year it is for.
pub(crate) fn next(config: &Config, now: Timestamp) -> Result<Option<NextSigner>, Failure> {
    let Some(next) = &config.next_key else {
        return Ok(None);
    };
    match &next.key {
        Some(key) => Ok(Some(NextSigner {
            from: next.from,
            signer: open("next_", key, next.public_key_file.as_ref())?.into_signer(),
        })),
        None if year(now) < next.from => Ok(None),
        None => Err(Failure::usage(
            format!(
                "neither signing.next_key_file nor signing.next_kms_key is set, and the logs from {} on bear that key",
                next.from
            ),
            "set the one that `revtrail key rotate` named",
        )),
    }
}

/// Opens the private key of the members `<prefix>key_file` or `<prefix>kms_key`; both halves must fit when both are known.
pub(crate) fn open(prefix: &str, key: &PrivateKey, public: Option<&PathBuf>) -> Result<Opened, Failure> {
    let public = public.map(|path| load_public(path)).transpose()?;
    match (key, public) {
        (PrivateKey::File(path), public) => {
            let signer = load_key(path)?;
            if public.is_some_and(|public| public != signer.public_key()) {
                return Err(Failure::usage(
                    format!(
                        "signing.{prefix}public_key_file is not the public half of signing.{prefix}key_file"
                    ),
                    "give the matching pair",
                ));
            }
            Ok(Opened::File(signer))
        }
        (PrivateKey::Kms(settings), Some(public)) => {
            let signer = KmsSigner::new(KmsKey::open(settings.clone())?, public);
            signer.check_pair()?;
            Ok(Opened::Kms(signer))
        }
        (PrivateKey::Kms(settings), None) => Err(Failure::usage(
            format!("signing.{prefix}public_key_file is not set"),
            &format!("write it with `revtrail key show --kms {}`", settings.key),
        )),
    }
}

/// The public half of a key in KMS, as the service gives it.
pub(crate) fn public_of(config: &Config, arn: &str) -> Result<PublicKey, Failure> {
    let key = arn.parse().map_err(|error: revtrail_kms::NoKeyArn| {
        Failure::usage(error, "give the ARN that the AWS console shows")
    })?;
    let endpoint = config.kms_endpoint.clone();
    let key = KmsKey::open(KmsSettings { key, endpoint })?;
    key.check()?;
    Ok(key.public_key()?)
}

/// Loads a private key.
pub(crate) fn load_key(path: &Path) -> Result<FileSigner, Failure> {
    FileSigner::from_pkcs8_pem(&read("private key", path)?).map_err(|error| {
        let error = anyhow::anyhow!("{} is not an Ed25519 private key: {error}", path.display());
        Failure::new(
            Exit::Usage,
            error,
            Some("make one with `revtrail key generate FILE`".into()),
        )
    })
}
