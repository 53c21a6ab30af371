//! The configuration file as written. Each field's comment becomes part of the JSON Schema.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

/// revtrail configuration: where the record is kept, who signs it, which accounts read which folders.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// Where the record is kept.
    pub archive: ArchiveFile,
    /// Who signs it.
    pub signing: SigningFile,
    /// Time stamps of an authority over the checkpoints (RFC 3161). Default: none, and then nobody outside attests the time.
    pub timestamps: Option<TimestampsFile>,
    /// How a run behaves. All members have defaults.
    #[serde(default)]
    pub harvest: HarvestFile,
    /// Provider accounts, by a name of your choice.
    pub accounts: BTreeMap<String, AccountFile>,
    /// Ledgers, by a name of your choice (lower-case letters, digits, `-`). The name is part of every object key and cannot be changed
    /// later.
    pub ledgers: BTreeMap<String, LedgerFile>,
}

/// Where the record is kept.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveFile {
    /// `s3://bucket/prefix` (the bucket must have versioning and Object Lock) or `file:///absolute/directory` (no protection against
    /// deletion; every verdict says so). No default.
    pub url: String,
    /// The lock put on every record object. Must be written for `s3`, must be absent for `file`.
    pub lock: Option<LockFile>,
    /// Region of the bucket. Default: from the environment the AWS way.
    pub region: Option<String>,
    /// Address of an S3-compatible server. Default: AWS. Bucket names are then part of the path.
    pub endpoint_url: Option<String>,
}

/// The lock put on every record object.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockFile {
    /// `compliance`: nobody can delete or shorten, not even the account's root user. `governance`: a privileged user still can, and the
    /// evidence is worth that much less. No default.
    pub mode: LockModeFile,
}

/// How strongly objects are locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LockModeFile {
    /// Nobody can delete or shorten.
    Compliance,
    /// A privileged user can.
    Governance,
}

/// Who signs the record.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SigningFile {
    /// PKCS#8 PEM file with the Ed25519 private key. Needed by `init`, `harvest` and `schedule`. Whoever reads it can sign forged
    /// checkpoints; time stamps and copies of earlier checkpoints are what is left against that.
    pub key_file: Option<PathBuf>,
    /// ARN of an AWS KMS key that signs instead of `key_file`: spec `ECC_NIST_EDWARDS25519`, usage `SIGN_VERIFY`. Nobody can read it;
    /// whoever may call `kms:Sign` on it can sign forged checkpoints. The ARN of the key itself, not of an alias, which somebody could
    /// move. Needs `public_key_file`. Default: none.
    pub kms_key: Option<String>,
    /// Address of the KMS service, for a private endpoint or a test. Default: that of AWS in the key's region.
    pub kms_endpoint: Option<String>,
    /// PEM file with the public key, as verifiers trust it. Default: the public half of `key_file`. Must be written with `kms_key`, whose
    /// signatures are checked with it before they are used. Give it on machines that only verify and query, so that they need no
    /// private key.
    pub public_key_file: Option<PathBuf>,
    /// Private key of the logs from `next_from` on, made by `revtrail key rotate`. The closing leaf of the year before announces it, signed
    /// with the present key. Needed from the turn of the year on. Default: the key does not change.
    pub next_key_file: Option<PathBuf>,
    /// ARN of the AWS KMS key of the logs from `next_from` on, instead of `next_key_file`. Needs `next_public_key_file`. Default: none.
    pub next_kms_key: Option<String>,
    /// Public half of the next key, for machines that only verify and query. Default: taken from `next_key_file`. Must be written with
    /// `next_kms_key`.
    pub next_public_key_file: Option<PathBuf>,
    /// First year whose logs bear the next key. Must be a year to come when it is set: a log keeps its key for its whole year. Must be
    /// written if a next key is.
    pub next_from: Option<i16>,
    /// Keys of earlier logs, after a rotation, oldest first. Without them, earlier logs cannot be checked. Default: none.
    #[serde(default)]
    pub earlier: Vec<EarlierKeyFile>,
}

/// The key of earlier logs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlierKeyFile {
    /// Last year whose logs bear this key.
    pub until: i16,
    /// PEM file with the public key.
    pub public_key_file: PathBuf,
}

/// Time stamps of an authority over the checkpoints.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimestampsFile {
    /// Address of the authority, `http` or `https`. It learns digests of checkpoints and when they were made, nothing else. Default: none is
    /// asked, and stored time stamps are only checked.
    pub url: Option<String>,
    /// PEM file with the CA certificates in which the authority's chain must end. A token under any other is refused.
    pub ca_file: PathBuf,
    /// Which checkpoints are stamped. Default `checkpoint`.
    #[serde(default)]
    pub per: StampPer,
}

/// Which checkpoints are stamped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StampPer {
    /// Each one.
    #[default]
    Checkpoint,
    /// One of each UTC day: for authorities that charge or ration tokens.
    Day,
}

/// How a run behaves.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HarvestFile {
    /// Events after which a snapshot is committed during a large harvest. Default 5000, from 1 to 100000. More takes more memory and
    /// repeats more after a crash; fewer makes more objects.
    pub snapshot_events: Option<u32>,
}

/// A provider account.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(tag = "provider", rename_all = "snake_case")]
pub enum AccountFile {
    /// Microsoft 365: OneDrive for Business and SharePoint libraries.
    #[serde(rename = "onedrive")]
    OneDrive(revtrail_onedrive::AccountFile),
    /// Google Drive: My Drive of one user, or shared drives.
    GoogleDrive(revtrail_google_drive::AccountFile),
    /// Dropbox.
    Dropbox(revtrail_dropbox::AccountFile),
}

/// Folders that share retention, signing key and audience.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LedgerFile {
    /// Name of the ledger for the outside world, a domain name of yours and a path, without scheme: `evidence.acme.example/finance`. The
    /// first line of every checkpoint is this and the year. Cannot be changed later. No default.
    pub origin: String,
    /// When it is harvested: five cron fields, UTC. The record says from this when the next snapshot is due, so it must be the
    /// schedule that really runs (that of the cron job). No default.
    pub schedule: String,
    /// When each folder is also listed in full, and the listing compared with what the change feed told: an interval (`1d`, `12h`), five
    /// cron fields (UTC), or `never`. What the feed left out is found only so; each listing costs as much as a first look without its
    /// revisions. It happens at the first harvest when it is due. Default `1d`.
    pub reconcile: Option<String>,
    /// How long a year's record is locked after the end of that year: `7y`, `18m`, `90d`. Longer cannot be undone, shorter loses
    /// evidence. No default.
    pub retention: String,
    /// The designated folders.
    pub folders: Vec<FolderFile>,
}

/// A designated folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FolderFile {
    /// Name of your choice, unique in the ledger. Stands in every event and cannot be changed later: under a new name the folder is
    /// harvested from the start.
    pub name: String,
    /// Account that reads it.
    pub account: String,
    /// Drive id (Microsoft), shared drive id (Google), namespace id (Dropbox). Default: the account's own drive, where there is one.
    pub drive: Option<String>,
    /// SharePoint site whose library holds the folder, instead of `drive`: host and path, `acme.sharepoint.com/sites/finance`. Microsoft
    /// only. Default: none.
    pub site: Option<String>,
    /// Name of the library of `site`, as on the page or in its address. Default: the site's first library.
    pub library: Option<String>,
    /// Path in the drive, `/` for the whole drive. Exactly one of `path`, `item` and `link` must be given.
    pub path: Option<String>,
    /// Item id of the folder, for folders whose path is ambiguous or likely to change.
    pub item: Option<String>,
    /// Sharing link of the folder, which names the drive, too. Microsoft only. It is not a secret to this program's account, which needs
    /// rights of its own, but it may be one to others: then use `drive` and `item`.
    pub link: Option<String>,
    /// Business function, copied into every event. Default: none.
    pub function: Option<String>,
    /// Who answers for the folder. For people only; never in the record. Default: none.
    pub owner: Option<String>,
    /// Which contents are kept beside the metadata: `metadata` (none), `conventions` (files that instruct agents: `CLAUDE.md`, `AGENTS.md`,
    /// `scheduled-tasks.md`, everything below `.claude`), `all`. Default `conventions`. What is kept is locked like the record: `all` keeps
    /// personal and secret contents for years, `metadata` leaves it to the provider to say what agents were told.
    #[serde(default)]
    pub capture: CaptureFile,
    /// Most bytes of one file that are kept; larger ones are recorded as too large. Default 16777216 (16 MiB), at most 268435456. A run
    /// holds a few such files in memory at a time.
    pub capture_max_bytes: Option<u64>,
}

/// Which contents are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CaptureFile {
    /// None.
    Metadata,
    /// Those of files that instruct agents.
    #[default]
    Conventions,
    /// Those of every file.
    All,
}
