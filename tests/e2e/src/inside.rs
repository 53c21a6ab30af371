//! Harvests within the test's own process, over any archive and at any moment; for tests that must stand between the program and its
//! storage or its clock.

use std::{fs, path::Path, sync::Arc};

use revtrail_archive::{Archive, MemoryArchive};
use revtrail_connector::Connector;
use revtrail_evidence::{Policy, RecordSource, Report, SourceError};
use revtrail_harvest::{
    Capture, FolderPlan, HarvestError, NextSigner, Policy as CapturePolicy, RunPlan, Summary, WalkDue,
};
use revtrail_ledger::{Algorithm, FileSigner, Origin, PublicKey, Signer as _, VerifierKey};
use revtrail_model::{
    id::LedgerName,
    leaf::Tool,
    time::{FixedClock, Timestamp},
};
use revtrail_query::Reader;
use revtrail_settings::{Account, CaptureFile, Config, PrivateKey};
use serde_json::Value;

use crate::bench::Bench;

/// A bench's ledger, without the program.
pub struct Inside<'a> {
    bench: &'a Bench,
    config: Config,
    ledger: LedgerName,
    key: PublicKey,
}

impl<'a> Inside<'a> {
    /// Reads the bench's configuration and key.
    ///
    /// # Panics
    /// When either is not valid.
    pub fn new(bench: &'a Bench) -> Self {
        // The program runs in the bench's directory; this process does not.
        let text = ["secret", "refresh", "key.pem", "next.pem", "key.pub.pem"]
            .iter()
            .fold(bench.config(), |text, name| {
                let there = bench.dir().join(name);
                text.replace(&format!("\"{name}\""), &format!("\"{}\"", there.display()))
            });
        let config = Config::parse(&bench.dir().join("revtrail.toml"), &text);
        let config = config.unwrap_or_else(|error| panic!("configuration: {error}"));
        let key = signer(&config).public_key();
        Self {
            bench,
            config,
            ledger: LedgerName::from("main"),
            key,
        }
    }

    /// What a run at `now` over `archive` needs.
    ///
    /// # Panics
    /// When an account of the configuration is not valid.
    pub fn plan(&self, archive: Arc<dyn Archive>, now: Timestamp) -> RunPlan {
        let ledger = &self.config.ledgers[&self.ledger];
        let folders = ledger.folders.iter().map(|folder| FolderPlan {
            name: folder.name.clone(),
            function: folder.function.clone(),
            account: folder.account.clone(),
            place: folder.place.clone(),
            capture: Capture {
                policy: match folder.capture {
                    CaptureFile::Metadata => CapturePolicy::Metadata,
                    CaptureFile::Conventions => CapturePolicy::Conventions,
                    CaptureFile::All => CapturePolicy::All,
                },
                max_bytes: folder.capture_max_bytes,
            },
            connector: connect(&self.config.accounts[&folder.account], now),
        });
        let (config, key, schedule) = (self.config.clone(), self.key, ledger.schedule.clone());
        let reconcile = ledger.reconcile.clone();
        RunPlan {
            ledger: self.ledger.clone(),
            origin: ledger.origin.clone(),
            archive,
            signer: Arc::new(signer(&self.config)),
            next: next_signer(&self.config),
            stamper: None,
            verifier: Arc::new(move |origin| {
                key_of(&config, origin, &key).ok_or_else(|| HarvestError::Ledger(origin.to_owned()))
            }),
            retention: Arc::new(|_| None),
            next_due: Arc::new(move |after| schedule.deadline_after(after)),
            walk_due: Arc::new(move |last, now| {
                if reconcile.is_due(last, now) {
                    WalkDue::Now
                } else {
                    WalkDue::NotYet
                }
            }),
            folders: folders.collect(),
            config_sha256: self.config.sha256,
            tool: Tool {
                binary_sha256: None,
                version: "0.0.0".into(),
            },
            clock: Arc::new(FixedClock(now)),
            snapshot_events: self.config.snapshot_events,
            progress: Arc::new(|_| {}),
        }
    }

    /// Creates the log.
    pub fn init(&self, archive: Arc<dyn Archive>, now: Timestamp) -> Result<(), HarvestError> {
        let plan = self.plan(archive, now);
        self.bench.block_on(revtrail_harvest::init(&plan)).map(drop)
    }

    /// Runs once.
    pub fn harvest(&self, archive: Arc<dyn Archive>, now: Timestamp) -> Result<Summary, HarvestError> {
        let plan = self.plan(archive, now);
        self.bench.block_on(revtrail_harvest::run(&plan))
    }

    /// Checks the whole record as of `now`.
    ///
    /// # Panics
    /// When it cannot be judged at all.
    pub fn verify(&self, archive: Arc<dyn Archive>, now: Timestamp) -> Report {
        let policy = Policy {
            ledger: self.ledger.clone(),
            origin: self.config.ledgers[&self.ledger].origin.clone(),
            key: &|origin| key_of(&self.config, origin, &self.key),
            now,
        };
        let source = Objects {
            bench: self.bench,
            archive,
        };
        revtrail_evidence::verify(&source, &policy).unwrap_or_else(|error| panic!("verify: {error}"))
    }

    /// Every event of the record, flat, in the order of the log.
    ///
    /// # Panics
    /// When the record cannot be read.
    pub fn events(&self, archive: Arc<dyn Archive>) -> Vec<Value> {
        let (config, key) = (self.config.clone(), self.key);
        let reader = Reader {
            archive,
            ledger: self.ledger.clone(),
            origin: self.config.ledgers[&self.ledger].origin.clone(),
            key: Arc::new(move |origin| key_of(&config, origin, &key)),
        };
        let record = self.bench.block_on(reader.read(&|_| true));
        let record = record.unwrap_or_else(|error| panic!("record: {error}"));
        let flat = |row: &revtrail_query::Row| {
            Value::Object(revtrail_export::flat(
                &row.year.to_string(),
                row.index,
                &row.event,
            ))
        };
        record.rows.iter().map(flat).collect()
    }

    /// A second archive with the same objects.
    ///
    /// # Panics
    /// Never; memory does not fail.
    pub fn copy(&self, archive: &MemoryArchive) -> MemoryArchive {
        self.bench.block_on(async {
            let copy = MemoryArchive::new();
            for key in archive.keys() {
                let bytes = archive.read(&key).await;
                let bytes = bytes.unwrap_or_else(|error| panic!("{error}"));
                let created = copy.create(&key, bytes, None).await;
                created.unwrap_or_else(|error| panic!("{error}"));
            }
            copy
        })
    }
}

fn signer(config: &Config) -> FileSigner {
    match &config.key {
        Some(PrivateKey::File(path)) => load_key(path),
        _ => panic!("no private key file"),
    }
}

fn load_key(path: &Path) -> FileSigner {
    let pem = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    FileSigner::from_pkcs8_pem(&pem).unwrap_or_else(|error| panic!("private key: {error}"))
}

fn next_signer(config: &Config) -> Option<NextSigner> {
    let next = config.next_key.as_ref()?;
    let Some(PrivateKey::File(path)) = &next.key else {
        return None;
    };
    Some(NextSigner {
        from: next.from,
        signer: Arc::new(load_key(path)),
    })
}

/// The verifier key of a log, by its year, as the configuration says.
fn key_of(config: &Config, origin: &str, present: &PublicKey) -> Option<VerifierKey> {
    let year: i16 = origin.rsplit_once('/')?.1.parse().ok()?;
    if let Some(next) = next_signer(config).filter(|next| year >= next.from) {
        return verifier_key(origin, &next.signer.public_key());
    }
    let earlier = config.earlier_keys.iter().find(|(until, _)| year <= *until);
    let earlier = earlier.and_then(|(_, path)| PublicKey::from_pem(&fs::read_to_string(path).ok()?).ok());
    verifier_key(origin, &earlier.unwrap_or(*present))
}

fn verifier_key(origin: &str, key: &PublicKey) -> Option<VerifierKey> {
    let name = origin.parse::<Origin>().ok()?.key_name().ok()?;
    Some(VerifierKey::new(name, Algorithm::Ed25519, *key))
}

fn connect(account: &Account, now: Timestamp) -> Arc<dyn Connector> {
    let clock = Arc::new(FixedClock(now));
    let connector = match account {
        Account::OneDrive(account) => revtrail_onedrive::connect(account, clock),
        Account::GoogleDrive(account) => revtrail_google_drive::connect(account, clock),
        Account::Dropbox(account) => revtrail_dropbox::connect(account, clock),
    };
    Arc::from(connector.unwrap_or_else(|error| panic!("account: {error}")))
}

/// Objects of an archive, waited for.
struct Objects<'a> {
    bench: &'a Bench,
    archive: Arc<dyn Archive>,
}

impl RecordSource for Objects<'_> {
    fn keys(&self, prefix: &str) -> Result<Vec<String>, SourceError> {
        self.bench.block_on(async {
            let (mut keys, mut after) = (Vec::new(), None);
            loop {
                let page = self.archive.list(prefix, after.as_ref()).await;
                let page = page.map_err(|source| failed(prefix, source))?;
                keys.extend(page.keys.iter().map(ToString::to_string));
                match page.keys.last() {
                    Some(last) if page.more => after = Some(last.clone()),
                    _ => return Ok(keys),
                }
            }
        })
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, SourceError> {
        self.bench.block_on(async {
            let name = key.parse().map_err(|source| failed(key, source))?;
            match self.archive.read(&name).await {
                Ok(bytes) => Ok(Some(bytes.to_vec())),
                Err(error) if error.kind() == revtrail_archive::ArchiveErrorKind::NotFound => Ok(None),
                Err(error) => Err(failed(key, error)),
            }
        })
    }
}

fn failed(key: &str, source: impl std::error::Error + Send + Sync + 'static) -> SourceError {
    SourceError {
        key: key.to_owned(),
        source: Box::new(source),
    }
}
