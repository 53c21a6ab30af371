//! From the configuration to working parts.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use revtrail_archive::{Archive, ArchiveUrl, Retention, S3Archive, S3Options, S3Settings};
use revtrail_connector::{Connector, ConnectorError};
use revtrail_harvest::{Capture, FolderPlan, HarvestError, Policy, RunPlan, Step, WalkDue};
use revtrail_model::{
    Digest,
    id::{AccountName, LedgerName},
    leaf::Tool,
    sha256_of,
    time::{Clock, Timestamp},
};
use revtrail_settings::{Account, CaptureFile, Config, Folder, Ledger};

use crate::{
    args::LedgerArg,
    clock::SystemClock,
    exit::{Exit, Failure},
    keys::Keys,
    signers,
    stamper::stamper,
};

/// Opens the archive.
pub(crate) async fn archive(config: &Config) -> Result<Arc<dyn Archive>, Failure> {
    Ok(revtrail_archive::open(&config.archive, s3_options(config)).await?)
}

fn s3_options(config: &Config) -> S3Options {
    S3Options {
        region: config.region.clone(),
        endpoint: config.endpoint_url.clone(),
        addressing: if config.endpoint_url.is_some() {
            revtrail_archive::Addressing::Path
        } else {
            revtrail_archive::Addressing::VirtualHost
        },
        lock_mode: config.lock.map(|lock| lock.mode),
    }
}

/// The bucket of the archive, for looking at the bucket itself; `None` for a directory.
pub(crate) async fn bucket(config: &Config) -> Result<Option<S3Archive>, Failure> {
    let ArchiveUrl::S3 { bucket, prefix } = &config.archive else {
        return Ok(None);
    };
    let settings = S3Settings {
        bucket: bucket.clone(),
        prefix: prefix.clone(),
        options: s3_options(config),
    };
    Ok(Some(S3Archive::connect(settings).await?))
}

/// The ledgers a command is about.
pub(crate) fn ledgers<'a>(
    config: &'a Config,
    arg: &LedgerArg,
) -> Result<Vec<(&'a LedgerName, &'a Ledger)>, Failure> {
    let Some(name) = &arg.ledger else {
        return Ok(config.ledgers.iter().collect());
    };
    let name = LedgerName::from(name.as_str());
    config
        .ledgers
        .get_key_value(&name)
        .map(|found| vec![found])
        .ok_or_else(|| {
            let known: Vec<&str> = config.ledgers.keys().map(LedgerName::as_str).collect();
            Failure::usage(
                format!("there is no ledger {name} in the configuration"),
                &format!("ledgers are: {}", known.join(", ")),
            )
        })
}

/// The one ledger that a command is about.
pub(crate) fn one_ledger<'a>(
    config: &'a Config,
    arg: &LedgerArg,
) -> Result<(&'a LedgerName, &'a Ledger), Failure> {
    let found = ledgers(config, arg)?;
    if let [one] = found.as_slice() {
        return Ok(*one);
    }
    let known: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    let hint = format!("add --ledger with one of: {}", known.join(", "));
    Err(Failure::usage("the configuration has several ledgers", &hint))
}

pub(crate) fn read(what: &str, path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        let error = anyhow::Error::new(error).context(format!("{what} {} could not be read", path.display()));
        Failure::new(
            Exit::CannotJudge,
            error,
            Some("check the path in [signing]; `revtrail key generate FILE` makes a key pair".into()),
        )
    })
}

/// One connector per account that the ledger's folders use.
fn connectors(
    config: &Config,
    ledger: &Ledger,
    clock: &Arc<dyn Clock>,
) -> Result<BTreeMap<AccountName, Arc<dyn Connector>>, Failure> {
    let mut made: BTreeMap<AccountName, Arc<dyn Connector>> = BTreeMap::new();
    for folder in &ledger.folders {
        if made.contains_key(&folder.account) {
            continue;
        }
        if let Some(account) = config.accounts.get(&folder.account) {
            made.insert(folder.account.clone(), connector(account, Arc::clone(clock))?);
        }
    }
    Ok(made)
}

/// The connector of an account; sends nothing.
pub(crate) fn connector(
    account: &Account,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Connector>, ConnectorError> {
    Ok(Arc::from(match account {
        Account::OneDrive(account) => revtrail_onedrive::connect(account, clock)?,
        Account::GoogleDrive(account) => revtrail_google_drive::connect(account, clock)?,
        Account::Dropbox(account) => revtrail_dropbox::connect(account, clock)?,
    }))
}

fn capture(folder: &Folder) -> Capture {
    Capture {
        policy: match folder.capture {
            CaptureFile::Metadata => Policy::Metadata,
            CaptureFile::Conventions => Policy::Conventions,
            CaptureFile::All => Policy::All,
        },
        max_bytes: folder.capture_max_bytes,
    }
}

/// What a run needs.
pub(crate) async fn run_plan(
    config: &Config,
    (name, ledger): (&LedgerName, &Ledger),
    progress: Arc<dyn Fn(&Step) + Send + Sync>,
) -> Result<RunPlan, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let connectors = connectors(config, ledger, &clock)?;
    let signer = signers::present(config)?;
    let keys = Keys::load(config)?;
    let next = signers::next(config, clock.now())?;
    let folders = ledger.folders.iter().filter_map(|folder| {
        Some(FolderPlan {
            name: folder.name.clone(),
            function: folder.function.clone(),
            account: folder.account.clone(),
            place: folder.place.clone(),
            capture: capture(folder),
            connector: Arc::clone(connectors.get(&folder.account)?),
        })
    });
    let (lock, retention, schedule) = (config.lock, ledger.retention, ledger.schedule.clone());
    Ok(RunPlan {
        ledger: name.clone(),
        origin: ledger.origin.clone(),
        archive: archive(config).await?,
        signer,
        next,
        stamper: stamper(config)?,
        verifier: Arc::new(move |origin| {
            keys.verifier(origin)
                .ok_or_else(|| HarvestError::Ledger(format!("{origin:?} cannot be the name of a log")))
        }),
        retention: Arc::new(move |year| {
            Some(Retention {
                mode: lock?.mode,
                until: retention.after_year(year)?,
            })
        }),
        next_due: Arc::new(move |after| schedule.deadline_after(after)),
        walk_due: walk_due(ledger),
        folders: folders.collect(),
        config_sha256: config.sha256,
        tool: Tool {
            binary_sha256: binary_digest(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        clock,
        snapshot_events: config.snapshot_events,
        progress,
    })
}

/// Which folders are listed in full, from the ledger's settings.
fn walk_due(ledger: &Ledger) -> Arc<dyn Fn(Option<Timestamp>, Timestamp) -> WalkDue + Send + Sync> {
    let reconcile = ledger.reconcile.clone();
    Arc::new(move |last, now| {
        if reconcile.is_due(last, now) {
            WalkDue::Now
        } else {
            WalkDue::NotYet
        }
    })
}

/// SHA-256 of the running program's file, so that the record says what wrote it.
fn binary_digest() -> Option<Digest> {
    let path = std::env::current_exe().ok()?;
    // The file may be larger than everything a harvest holds.
    sha256_of(std::fs::File::open(path).ok()?).ok()
}

/// The archive in words, with what protects it.
pub(crate) fn describe(url: &ArchiveUrl, protection: revtrail_archive::Protection) -> String {
    match protection {
        revtrail_archive::Protection::ObjectLock { mode } => format!("{url} (S3 Object Lock, {mode})"),
        revtrail_archive::Protection::None => {
            format!("{url} (no write-once protection: whoever can write there can delete)")
        }
    }
}
