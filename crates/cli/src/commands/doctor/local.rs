//! Keys and the archive.

use std::path::PathBuf;

use revtrail_archive::{Archive, Protection};
use revtrail_kms::{KmsKey, MAX_MESSAGE_BYTES};
use revtrail_model::{
    id::LedgerName,
    layout::{LogName, segment_line},
    sha256,
    time::Clock as _,
};
use revtrail_settings::{Config, Ledger, PrivateKey};

use super::{Check, clock, retention};
use crate::{
    clock::SystemClock,
    exit::{Exit, Failure},
    signers::{self, Opened},
    wiring,
};

/// A message that is no checkpoint, whatever comes before or after it: a checkpoint has three lines at least.
const TEST_MESSAGE: &[u8] = b"revtrail doctor: a test, not a checkpoint\n";

/// Room for extension lines to come.
const SPARE_BYTES: usize = 512;

/// The private keys can be used, and the public ones belong to them.
pub(super) fn keys(config: &Config, ledgers: &[(&LedgerName, &Ledger)]) -> Vec<Check> {
    let public = config.public_key_file.as_ref();
    let Some(key) = &config.key else {
        let about = public.map_or_else(String::new, |path| path.display().to_string());
        let Err(failure) = signers::open_present(config) else {
            return Vec::new();
        };
        return vec![Check::fail("signing key", about, &failure)];
    };
    let mut checks = vec![key_check("signing key", ("", key), public, ledgers)];
    if let Some(next) = &config.next_key
        && let Some(key) = &next.key
    {
        let public = next.public_key_file.as_ref();
        checks.push(key_check("next signing key", ("next_", key), public, ledgers));
    }
    checks
}

fn key_check(
    name: &'static str,
    (prefix, key): (&str, &PrivateKey),
    public: Option<&PathBuf>,
    ledgers: &[(&LedgerName, &Ledger)],
) -> Check {
    let about = key.to_string();
    let tried = || -> Result<String, Failure> {
        if let PrivateKey::Kms(settings) = key {
            // First, because a key of another kind has no public half that could be compared.
            KmsKey::open(settings.clone())?.check()?;
        }
        match signers::open(prefix, key, public)? {
            Opened::File(_) => Ok("an Ed25519 key pair".into()),
            Opened::Kms(signer) => {
                signer.sign_checked(TEST_MESSAGE)?;
                let longest = longest_note(ledgers)?;
                Ok(format!(
                    "an enabled Ed25519 key in AWS KMS; the public key file is its own and accepts a test signature; checkpoints have at most {longest} of the {MAX_MESSAGE_BYTES} bytes it signs"
                ))
            }
        }
    };
    match tried() {
        Ok(found) => Check::pass(name, about, found),
        Err(failure) => Check::fail(name, about, &failure),
    }
}

/// The most bytes that a checkpoint of these ledgers has; refuses what KMS would not sign.
fn longest_note(ledgers: &[(&LedgerName, &Ledger)]) -> Result<usize, Failure> {
    let mut longest = 0;
    for (name, ledger) in ledgers {
        let log = LogName {
            ledger: (*name).clone(),
            year: 9999,
        };
        let origin = log.origin(&ledger.origin);
        // Origin, tree size, root in base64, digest of the segment: a line each (C2SP tlog-checkpoint).
        let lines = [origin.len(), 20, 44, segment_line(&sha256(b"")).len()];
        let bytes = lines.iter().map(|line| line + 1).sum::<usize>() + SPARE_BYTES;
        if bytes > MAX_MESSAGE_BYTES {
            return Err(Failure::usage(
                format!(
                    "checkpoints of ledger {name} have up to {bytes} bytes, and KMS signs at most {MAX_MESSAGE_BYTES}"
                ),
                "shorten the ledger's origin, or sign with a key file",
            ));
        }
        longest = longest.max(bytes);
    }
    Ok(longest)
}

/// The archive can be read, the bucket keeps its promises as far as reading tells, and each ledger has a log.
pub(super) async fn archive(config: &Config, ledgers: &[(&LedgerName, &Ledger)]) -> Vec<Check> {
    let about = config.archive.to_string();
    let archive = match wiring::archive(config).await {
        Ok(archive) => archive,
        Err(failure) => return vec![Check::fail("archive", about, &failure)],
    };
    let mut checks = vec![protection(config, archive.protection()).await];
    for (name, ledger) in ledgers {
        checks.push(log(archive.as_ref(), name).await);
        checks.extend(retention::examine(config, &archive, (name, ledger)).await);
    }
    if let Some(theirs) = archive.clock().await {
        checks.push(clock(about, SystemClock.now(), theirs));
    }
    checks
}

async fn protection(config: &Config, protection: Protection) -> Check {
    let about = config.archive.to_string();
    let Protection::ObjectLock { mode } = protection else {
        return Check::warn(
            "archive",
            about,
            "a directory: whoever can write there can delete or replace the record",
            "keep evidence in a bucket with Object Lock",
        );
    };
    let inspect = async || -> Result<Vec<&'static str>, Failure> {
        match wiring::bucket(config).await? {
            Some(bucket) => Ok(bucket.inspect(Some(mode)).await?),
            None => Ok(Vec::new()),
        }
    };
    match inspect().await {
        Ok(problems) if problems.is_empty() => {
            let found = format!(
                "versioning and Object Lock ({mode}) are on; create-only writes are tried by `revtrail init`"
            );
            Check::pass("archive", about, found)
        }
        Ok(problems) => {
            let hint = "create the bucket with versioning and Object Lock enabled";
            let failure = Failure::new(
                Exit::Usage,
                anyhow::anyhow!(problems.join("; ")),
                Some(hint.to_owned()),
            );
            Check::fail("archive", about, &failure)
        }
        Err(failure) => Check::fail("archive", about, &failure),
    }
}

/// Whether the ledger has a log: one is made by `init` only.
async fn log(archive: &dyn Archive, ledger: &LedgerName) -> Check {
    match archive.list_up_to(1, &format!("{ledger}/"), None).await {
        Ok(page) if page.keys.is_empty() => Check::warn(
            "log",
            ledger.as_str(),
            "the archive holds nothing of this ledger",
            &format!("run `revtrail init --ledger {ledger}` once"),
        ),
        Ok(_) => Check::pass(
            "log",
            ledger.as_str(),
            "the archive can be listed and holds this ledger",
        ),
        Err(error) => Check::fail("log", ledger.as_str(), &error.into()),
    }
}
