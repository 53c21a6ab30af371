//! Keys and the archive.

use revtrail_archive::{Archive, Protection};
use revtrail_model::{id::LedgerName, time::Clock as _};
use revtrail_settings::{Config, Ledger};

use super::{Check, clock};
use crate::{
    clock::SystemClock,
    exit::{Exit, Failure},
    wiring,
};

/// The private key can be read, and the public one belongs to it.
pub(super) fn keys(config: &Config) -> Check {
    let about = config.key_file.as_ref().or(config.public_key_file.as_ref());
    let about = about.map_or_else(String::new, |path| path.display().to_string());
    let pair = || -> Result<(), Failure> {
        let signer = wiring::signer(config)?;
        wiring::check_pair(config, &signer).map(drop)
    };
    match pair() {
        Ok(()) => Check::pass("signing key", about, "an Ed25519 key pair"),
        Err(failure) => Check::fail("signing key", about, &failure),
    }
}

/// The archive can be read, the bucket keeps its promises as far as reading tells, and each ledger has a log.
pub(super) async fn archive(config: &Config, ledgers: &[(&LedgerName, &Ledger)]) -> Vec<Check> {
    let about = config.archive.to_string();
    let archive = match wiring::archive(config).await {
        Ok(archive) => archive,
        Err(failure) => return vec![Check::fail("archive", about, &failure)],
    };
    let mut checks = vec![protection(config, archive.protection()).await];
    for (name, _) in ledgers {
        checks.push(log(archive.as_ref(), name).await);
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
    match archive.list(&format!("{ledger}/"), None).await {
        Ok(page) if page.entries.is_empty() => Check::warn(
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
