//! The configuration, checked.

mod signing;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use revtrail_archive::{ArchiveUrl, RetentionMode};
use revtrail_connector::{DrivePlace, Place, Within};
use revtrail_model::{
    Digest,
    id::{AccountName, FolderName, LedgerName},
    sha256,
};
use url::Url;

use crate::{
    error::{Problem, SettingsError},
    file::{
        AccountFile, ArchiveFile, CaptureFile, ConfigFile, FolderFile, LedgerFile, LockModeFile, StampPer,
        TimestampsFile,
    },
    reconcile::Reconcile,
    retention::Period,
    schedule::Schedule,
};

pub use signing::{NextKey, PrivateKey};

const SNAPSHOT_EVENTS: u32 = 5000;
const CAPTURE_MAX_BYTES: u64 = 16 << 20;
const CAPTURE_LIMIT: u64 = 256 << 20;

/// The configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Where the record is kept.
    pub archive: ArchiveUrl,
    /// The lock of record objects; `None` for a directory.
    pub lock: Option<Lock>,
    /// Region of the bucket.
    pub region: Option<String>,
    /// Address of an S3-compatible server.
    pub endpoint_url: Option<String>,
    /// Private key; `None` where nothing is signed.
    pub key: Option<PrivateKey>,
    /// Public key.
    pub public_key_file: Option<PathBuf>,
    /// Address of the KMS service, if it is not AWS's own.
    pub kms_endpoint: Option<String>,
    /// The key that follows, if one was announced.
    pub next_key: Option<NextKey>,
    /// Public keys of earlier logs, with the last year of each, oldest first.
    pub earlier_keys: Vec<(i16, PathBuf)>,
    /// Time stamps.
    pub timestamps: Option<Timestamps>,
    /// Events after which a snapshot is committed.
    pub snapshot_events: usize,
    /// Accounts.
    pub accounts: BTreeMap<AccountName, Account>,
    /// Ledgers.
    pub ledgers: BTreeMap<LedgerName, Ledger>,
}

/// Time stamps of an authority.
#[derive(Debug, Clone)]
pub struct Timestamps {
    /// Where it is asked; `None` to check only.
    pub url: Option<Url>,
    /// CA certificates.
    pub ca_file: PathBuf,
    /// Which checkpoints are stamped.
    pub per: StampPer,
}

/// The lock of record objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lock {
    /// How strongly it holds.
    pub mode: RetentionMode,
}

/// A provider account, checked.
#[derive(Debug, Clone)]
pub enum Account {
    /// Microsoft 365.
    OneDrive(revtrail_onedrive::Account),
    /// Google Drive.
    GoogleDrive(Box<revtrail_google_drive::Account>),
    /// Dropbox.
    Dropbox(revtrail_dropbox::Account),
}

/// A ledger.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// Origin without the year.
    pub origin: String,
    /// When it is harvested.
    pub schedule: Schedule,
    /// When its folders are listed in full.
    pub reconcile: Reconcile,
    /// How long a year's record is locked after the end of that year.
    pub retention: Period,
    /// Its folders, in the order of the file.
    pub folders: Vec<Folder>,
}

/// A designated folder.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Its name.
    pub name: FolderName,
    /// Account that reads it.
    pub account: AccountName,
    /// Where it is.
    pub place: Place,
    /// Business function.
    pub function: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Which contents are kept.
    pub capture: CaptureFile,
    /// Most bytes of one file that are kept.
    pub capture_max_bytes: usize,
}

impl Config {
    /// Reads and checks the file.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let read = |source| SettingsError::Read {
            path: path.to_owned(),
            source,
        };
        let text = std::fs::read_to_string(path).map_err(read)?;
        Self::parse(path, &text)
    }

    /// Checks the text of the file `path`.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SettingsError> {
        let shape = |error: toml::de::Error| SettingsError::Shape {
            path: path.to_owned(),
            message: error.to_string(),
        };
        let file: ConfigFile = toml::from_str(text).map_err(shape)?;
        let mut checks = Checks::default();
        let config = checks.config(file, sha256(text.as_bytes()));
        match config {
            Some(config) if checks.problems.is_empty() => Ok(config),
            _ => Err(SettingsError::Values {
                path: path.to_owned(),
                problems: checks.problems,
            }),
        }
    }
}

/// The valid accounts.
type Accounts = BTreeMap<AccountName, Speech>;

#[derive(Default)]
struct Checks {
    problems: Vec<Problem>,
}

impl Checks {
    fn problem(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem {
            key: key.into(),
            message: message.into(),
        });
    }

    fn parsed<T>(&mut self, key: &str, outcome: Result<T, impl std::fmt::Display>) -> Option<T> {
        outcome.map_err(|error| self.problem(key, error.to_string())).ok()
    }

    fn config(&mut self, file: ConfigFile, sha256: Digest) -> Option<Config> {
        let archive = self.archive(&file.archive);
        let lock = file.archive.lock.map(|lock| Lock {
            mode: match lock.mode {
                LockModeFile::Compliance => RetentionMode::Compliance,
                LockModeFile::Governance => RetentionMode::Governance,
            },
        });
        let key = self.present_key(&file.signing);
        let timestamps = file.timestamps.as_ref().map(|file| self.timestamps(file));
        let (next_key, earlier_keys) = self.other_keys(&file.signing);
        let snapshot_events = file.harvest.snapshot_events.unwrap_or(SNAPSHOT_EVENTS);
        if !(1..=100_000).contains(&snapshot_events) {
            self.problem("harvest.snapshot_events", "must be from 1 to 100000");
        }
        let accounts: BTreeMap<AccountName, Account> = file
            .accounts
            .into_iter()
            .filter_map(|(name, account)| Some((name.as_str().into(), self.account(&name, account)?)))
            .collect();
        let known: Accounts = accounts
            .iter()
            .map(|(name, account)| (name.clone(), account.speech()))
            .collect();
        let ledgers = file
            .ledgers
            .into_iter()
            .filter_map(|(name, ledger)| self.ledger(&name, ledger, &known))
            .collect();
        Some(Config {
            sha256,
            archive: archive?,
            lock,
            region: file.archive.region,
            endpoint_url: file.archive.endpoint_url,
            key,
            public_key_file: file.signing.public_key_file,
            kms_endpoint: file.signing.kms_endpoint,
            next_key,
            earlier_keys,
            timestamps,
            snapshot_events: snapshot_events as usize,
            accounts,
            ledgers,
        })
    }

    fn timestamps(&mut self, file: &TimestampsFile) -> Timestamps {
        let url = file.url.as_ref().and_then(|url| {
            let url = self.parsed("timestamps.url", Url::parse(url))?;
            if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
                self.problem("timestamps.url", "must begin with http:// or https://");
            }
            Some(url)
        });
        Timestamps {
            url,
            ca_file: file.ca_file.clone(),
            per: file.per,
        }
    }

    fn archive(&mut self, file: &ArchiveFile) -> Option<ArchiveUrl> {
        let url = self.parsed("archive.url", ArchiveUrl::parse(&file.url))?;
        match (&url, &file.lock) {
            (ArchiveUrl::S3 { .. }, None) => {
                self.problem(
                    "archive.lock",
                    "must be written for an s3 archive: lock = { mode = \"compliance\" } or \"governance\"",
                );
            }
            (ArchiveUrl::Directory(_), Some(_)) => self.problem(
                "archive.lock",
                "a directory cannot be locked; remove this, or use s3",
            ),
            _ => {}
        }
        Some(url)
    }

    fn account(&mut self, name: &str, file: AccountFile) -> Option<Account> {
        let account = match file {
            AccountFile::OneDrive(file) => revtrail_onedrive::Account::try_from(file).map(Account::OneDrive),
            AccountFile::GoogleDrive(file) => revtrail_google_drive::Account::try_from(file)
                .map(|account| Account::GoogleDrive(Box::new(account))),
            AccountFile::Dropbox(file) => revtrail_dropbox::Account::try_from(file).map(Account::Dropbox),
        };
        let account = account.map_err(|found| {
            for problem in found.0 {
                self.problem(format!("accounts.{name}.{}", problem.key), problem.message);
            }
        });
        account.ok()
    }

    fn ledger(&mut self, name: &str, file: LedgerFile, accounts: &Accounts) -> Option<(LedgerName, Ledger)> {
        let key = format!("ledgers.{name}");
        if !is_plain_name(name) || name == "views" {
            self.problem(
                &key,
                "a ledger name has lower-case letters, digits and '-' only, and is not \"views\"",
            );
        }
        if file.origin.is_empty()
            || file.origin.contains(char::is_whitespace)
            || file.origin.contains('+')
            || file.origin.ends_with('/')
        {
            self.problem(format!("{key}.origin"), "must be a name without spaces, '+' or a final '/', for example evidence.acme.example/finance");
        }
        if file.folders.is_empty() {
            self.problem(format!("{key}.folders"), "a ledger needs at least one folder");
        }
        let schedule = self.parsed(&format!("{key}.schedule"), file.schedule.parse::<Schedule>());
        let reconcile = file
            .reconcile
            .as_deref()
            .map_or(Ok(Reconcile::default()), str::parse);
        let reconcile = self.parsed(&format!("{key}.reconcile"), reconcile);
        let retention = self.parsed(&format!("{key}.retention"), file.retention.parse::<Period>());
        let mut names = BTreeSet::new();
        let folders = file
            .folders
            .into_iter()
            .enumerate()
            .filter_map(|(index, folder)| {
                let key = format!("{key}.folders[{index}]");
                if !names.insert(folder.name.clone()) {
                    self.problem(
                        format!("{key}.name"),
                        format!("the name {:?} is used twice", folder.name),
                    );
                }
                self.folder(&key, folder, accounts)
            });
        let folders = folders.collect();
        Some((
            name.into(),
            Ledger {
                origin: file.origin,
                schedule: schedule?,
                reconcile: reconcile?,
                retention: retention?,
                folders,
            },
        ))
    }

    fn folder(&mut self, key: &str, file: FolderFile, accounts: &Accounts) -> Option<Folder> {
        if !is_plain_name(&file.name) {
            self.problem(
                format!("{key}.name"),
                "a folder name has lower-case letters, digits and '-' only",
            );
        }
        let account = AccountName::from(file.account.as_str());
        if !accounts.contains_key(&account) {
            self.problem(
                format!("{key}.account"),
                format!("there is no valid account {account:?}", account = file.account),
            );
        }
        let capture_max_bytes = file.capture_max_bytes.unwrap_or(CAPTURE_MAX_BYTES);
        if !(1..=CAPTURE_LIMIT).contains(&capture_max_bytes) {
            self.problem(
                format!("{key}.capture_max_bytes"),
                "must lie between 1 and 268435456",
            );
        }
        let place = self.place(key, &file, accounts.get(&account).copied())?;
        Some(Folder {
            name: file.name.into(),
            account,
            place,
            function: file.function,
            owner: file.owner,
            capture: file.capture,
            capture_max_bytes: usize::try_from(capture_max_bytes).unwrap_or(usize::MAX),
        })
    }

    /// Where the folder is: one way, whole.
    fn place(&mut self, key: &str, file: &FolderFile, speech: Option<Speech>) -> Option<Place> {
        if speech == Some(Speech::Plain) {
            for (member, value) in [
                ("site", &file.site),
                ("library", &file.library),
                ("link", &file.link),
            ] {
                if value.is_some() {
                    self.problem(format!("{key}.{member}"), "only Microsoft accounts have this");
                }
            }
        }
        if file.library.is_some() && file.site.is_none() {
            self.problem(format!("{key}.library"), "needs the site it belongs to");
        }
        let drive = match (&file.drive, &file.site) {
            (Some(_), Some(_)) => {
                self.problem(
                    format!("{key}.site"),
                    "cannot stand beside drive; give one of them",
                );
                return None;
            }
            (Some(drive), None) => DrivePlace::Id(drive.as_str().into()),
            (None, Some(site)) => DrivePlace::Library {
                site: site.clone(),
                library: file.library.clone(),
            },
            (None, None) => DrivePlace::Own,
        };
        let within = match (&file.path, &file.item, &file.link) {
            (Some(path), None, None) if path.starts_with('/') => Within::Path(path.clone()),
            (Some(path), None, None) => {
                self.problem(format!("{key}.path"), format!("{path:?} must start with '/'"));
                return None;
            }
            (None, Some(item), None) => Within::Item(item.as_str().into()),
            (None, None, Some(_)) if drive != DrivePlace::Own => {
                self.problem(
                    format!("{key}.link"),
                    "names the drive itself; remove drive and site",
                );
                return None;
            }
            (None, None, Some(link)) if !link.trim().starts_with("https://") => {
                self.problem(format!("{key}.link"), "must start with https://");
                return None;
            }
            (None, None, Some(link)) => Within::Link(link.clone()),
            _ => {
                self.problem(key, "give exactly one of path, item and link");
                return None;
            }
        };
        Some(Place { drive, within })
    }
}

/// Whose words a folder may be named in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speech {
    /// Sites, libraries and sharing links too.
    Microsoft,
    /// Drives, paths and ids only.
    Plain,
}

impl Account {
    fn speech(&self) -> Speech {
        match self {
            Self::OneDrive(_) => Speech::Microsoft,
            Self::GoogleDrive(_) | Self::Dropbox(_) => Speech::Plain,
        }
    }
}

/// Names that stand in object keys.
fn is_plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.len() <= 64 && name.chars().all(plain) && !name.starts_with('-')
}
