//! The account as the operator writes it, and as the connector uses it.

use std::{path::PathBuf, time::Duration};

use revtrail_connector::settings::{Problem, Problems, endpoint};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

mod log;
mod login;

pub(crate) use log::{LogKind, LogPlace};

const API_URL: &str = "https://www.googleapis.com";
const METADATA_URL: &str = "http://metadata.google.internal";
/// Where Google Cloud's metadata server is. Without TLS: it is the host's own network, and reaches no further.
const METADATA_HOSTS: [&str; 2] = ["metadata.google.internal", "169.254.169.254"];
const IAM_URL: &str = "https://iamcredentials.googleapis.com";
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
/// Where batches go, below the API.
const BATCH_PATH: &str = "batch/drive/v3";
const RETRY_BASE_MS: u64 = 1000;
/// Six sevenths of the 325,000 quota units one user may spend per minute, so that other work for that user has room.
const QUOTA_UNITS_PER_MINUTE: f64 = 295_000.0;
/// What one page of a listing costs.
const UNITS_PER_LIST: f64 = 100.0;

/// A Google account that reads Drive, as written in the configuration file. Exactly one of three credentials: a service account with a
/// key file (`service_account_file`), the service account of the machine, without any key (`service_account`), or a user who granted
/// access once (`refresh_token_file` and `client_id`).
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountFile {
    /// JSON key file of a service account, as downloaded from Google Cloud. Read at each token request, so a rotated key needs no
    /// restart. Whoever reads it can read everything the service account can, for every user it may act for.
    #[serde(default)]
    pub service_account_file: Option<PathBuf>,
    /// The service account of the machine, through the metadata server of Google Cloud: `default`, or its e-mail address. No secret at
    /// all. With `subject` the address must be given, and the account needs the role Service Account Token Creator on itself, because
    /// IAM signs for it; without, the platform must grant it the Drive scope. A wrong one makes every token request fail.
    #[serde(default)]
    pub service_account: Option<String>,
    /// E-mail address of the user the service account acts for (domain-wide delegation). Default: the service account itself, which
    /// sees only what is shared with it. Tenant and My Drive are this user's: with another one the same folder is another folder.
    #[serde(default)]
    pub subject: Option<String>,
    /// OAuth client id of an installed app, for access with a refresh token. No default. A wrong one makes every token request fail.
    #[serde(default)]
    pub client_id: Option<String>,
    /// File with the client secret that belongs to `client_id`, read at each token request; surrounding white space is ignored.
    /// Left out for a client without a secret.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// File with the refresh token of the user, read at each token request; surrounding white space is ignored. Whoever reads it (and
    /// the client secret) can read the user's Drive until the grant is revoked.
    #[serde(default)]
    pub refresh_token_file: Option<PathBuf>,
    /// Where the API is. Default `https://www.googleapis.com`. Access tokens are sent there: a wrong host gets them.
    #[serde(default)]
    pub api_url: Option<String>,
    /// Where batches of requests go. Default `/batch/drive/v3` at `api_url`. Access tokens are sent there: a wrong host gets them.
    #[serde(default)]
    pub batch_url: Option<String>,
    /// Token endpoint. Default `https://oauth2.googleapis.com/token`. Refresh token, client secret and signed assertions are sent
    /// there: a wrong host gets them.
    #[serde(default)]
    pub token_url: Option<String>,
    /// Metadata server, for `service_account`. Default `http://metadata.google.internal`. Whoever answers there chooses the token.
    #[serde(default)]
    pub metadata_url: Option<String>,
    /// IAM Credentials service, for `service_account` with `subject`. Default `https://iamcredentials.googleapis.com`. A token for all of
    /// Google Cloud is sent there: a wrong host gets it.
    #[serde(default)]
    pub iam_url: Option<String>,
    /// Which log is read for who trashed, deleted, moved, renamed and restored items, and who saved what names nobody: `reports`, the
    /// audit log of the customer (takes an administrator's consent, and an edition that has it; names applications and addresses),
    /// `activity`, Drive Activity (any account; tells account numbers, no applications), or `both`: `reports`, and Drive Activity about
    /// what that left open after two days. Default: none; such events then have no actor where Drive tells none. With `reports`, what
    /// the customer's people do to files outside the designated folders passes through the harvest; nothing of that is kept.
    #[serde(default)]
    pub audit: Option<Audit>,
    /// E-mail address of the administrator the service account acts for when it reads the audit log. Default: `subject`. Whoever holds the
    /// service account's key can read as this administrator what the log's scope allows.
    #[serde(default)]
    pub audit_subject: Option<String>,
    /// Where the log is; with `both`, both of them. Default `https://admin.googleapis.com` for `reports`,
    /// `https://driveactivity.googleapis.com` for `activity`. Access tokens for it are sent there: a wrong host gets them.
    #[serde(default)]
    pub audit_url: Option<String>,
    /// First pause before a repeat when Google names none, milliseconds; doubled at each further repeat. Default 1000, at most 60000.
    /// Too small repeats into a busy service.
    #[serde(default)]
    pub retry_base_ms: Option<u64>,
    /// Drive's quota units per minute (a listing or a list of revisions costs 100, a single item 5). Default 295000, nine
    /// tenths of what one user of one project is allowed; the quota page of the Cloud project shows what holds there. Too large gets
    /// requests refused, and soon costs money.
    #[serde(default)]
    pub quota_units_per_minute: Option<f64>,
    /// The pace in listings per second instead (one is 100 quota units). Default: `quota_units_per_minute`; only one of them.
    #[serde(default)]
    pub requests_per_second: Option<f64>,
}

/// A log of who did what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audit {
    /// The customer's audit log (Admin SDK Reports).
    Reports,
    /// Drive Activity.
    Activity,
    /// The first, and the second about what the first left open.
    Both,
}

/// A checked account.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    pub(crate) login: Login,
    api_url: Url,
    batch_url: Url,
    token_url: Url,
    pub(crate) metadata_url: Url,
    pub(crate) iam_url: Url,
    /// The one to be read, and the one to be asked about the rest.
    logs: [Option<LogPlace>; 2],
    retry_base: Duration,
    units_per_second: f64,
}

/// How the account gets its access tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Login {
    /// Assertions signed with a service account's key.
    ServiceAccount {
        key_file: PathBuf,
        subject: Option<String>,
    },
    /// The machine's own service account.
    Attached {
        /// Address, or `default`.
        service_account: String,
        subject: Option<String>,
    },
    /// A user's lasting grant.
    RefreshToken {
        client_id: String,
        client_secret_file: Option<PathBuf>,
        refresh_token_file: PathBuf,
    },
}

impl Account {
    /// Where the API is; `drive/v3` is added to it.
    pub fn api_url(&self) -> &Url {
        &self.api_url
    }

    /// Where batches go.
    pub fn batch_url(&self) -> &Url {
        &self.batch_url
    }

    /// Token endpoint.
    pub fn token_url(&self) -> &Url {
        &self.token_url
    }

    /// The log that is read, and the one that is asked about what that leaves open.
    pub(crate) const fn logs(&self) -> &[Option<LogPlace>; 2] {
        &self.logs
    }

    /// First pause before a repeat.
    pub const fn retry_base(&self) -> Duration {
        self.retry_base
    }

    /// Quota units per second.
    pub const fn units_per_second(&self) -> f64 {
        self.units_per_second
    }
}

impl Login {
    /// In whose name it acts; absent for itself.
    pub(crate) fn subject(&self) -> Option<&str> {
        match self {
            Self::ServiceAccount { subject, .. } | Self::Attached { subject, .. } => subject.as_deref(),
            Self::RefreshToken { .. } => None,
        }
    }
}

impl TryFrom<AccountFile> for Account {
    type Error = Problems;

    fn try_from(file: AccountFile) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let login = login::check(&file, &mut problems);
        let mut problem = |key, message: &str| {
            problems.push(Problem {
                key,
                message: message.to_owned(),
            });
        };
        let mut address = |key, text: &Option<String>, default: &str| {
            let text = text.as_deref().unwrap_or(default);
            let read = if key == "metadata_url" {
                metadata(text)
            } else {
                endpoint(text)
            };
            read.map_err(|message| problem(key, message)).ok()
        };
        let api_url = address("api_url", &file.api_url, API_URL).map(api_root);
        let batch_url = match &file.batch_url {
            Some(_) => address("batch_url", &file.batch_url, API_URL),
            None => api_url.as_ref().map(|api| below(api, BATCH_PATH)),
        };
        let token_url = address("token_url", &file.token_url, TOKEN_URL);
        let metadata_url = address("metadata_url", &file.metadata_url, METADATA_URL);
        let iam_url = address("iam_url", &file.iam_url, IAM_URL);
        let logs = log::places(&file, login.as_ref(), &mut problem);
        let retry_base_ms = file.retry_base_ms.unwrap_or(RETRY_BASE_MS);
        if !(1..=60_000).contains(&retry_base_ms) {
            problem("retry_base_ms", "must lie between 1 and 60000");
        }
        let units_per_second = pace(&file, &mut problem);
        let account = || {
            Some(Self {
                login: login?,
                api_url: api_url?,
                batch_url: batch_url?,
                token_url: token_url?,
                metadata_url: metadata_url?,
                iam_url: iam_url?,
                logs,
                retry_base: Duration::from_millis(retry_base_ms),
                units_per_second,
            })
        };
        match account() {
            Some(account) if problems.is_empty() => Ok(account),
            _ => Err(Problems(problems)),
        }
    }
}

/// As [`endpoint`], and also the metadata server, which has no TLS.
fn metadata(text: &str) -> Result<Url, &'static str> {
    match Url::parse(text.trim().trim_end_matches('/')) {
        Ok(url)
            if url.scheme() == "http"
                && url.host_str().is_some_and(|host| METADATA_HOSTS.contains(&host))
                && url.path() == "/"
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none() =>
        {
            Ok(url)
        }
        _ => endpoint(text),
    }
}

/// Quota units per second.
fn pace(file: &AccountFile, problem: &mut impl FnMut(&'static str, &str)) -> f64 {
    match (file.quota_units_per_minute, file.requests_per_second) {
        (Some(_), Some(_)) => {
            problem(
                "requests_per_second",
                "cannot stand beside quota_units_per_minute",
            );
            0.0
        }
        (None, Some(lists)) => {
            if !(0.01..=1_000_000.0).contains(&lists) {
                problem("requests_per_second", "must lie between 0.01 and 1000000");
            }
            lists * UNITS_PER_LIST
        }
        (units, None) => {
            let units = units.unwrap_or(QUOTA_UNITS_PER_MINUTE);
            if !(100.0..=1e10).contains(&units) {
                problem("quota_units_per_minute", "must lie between 100 and 10000000000");
            }
            units / 60.0
        }
    }
}

/// The API's root, also where the address was given with the version that is added to it anyway.
fn api_root(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/');
    let root = path.strip_suffix("/drive/v3").unwrap_or(path).to_owned();
    url.set_path(&root);
    url
}

/// The address of `path` below `root`.
pub(crate) fn below(root: &Url, path: &str) -> Url {
    let mut url = root.clone();
    url.set_path(&format!("{}/{path}", root.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
pub(crate) mod tests {
    use rstest::rstest;

    use super::*;

    pub(super) fn read(json: &str) -> Result<Account, Vec<(&'static str, String)>> {
        Account::try_from(serde_json::from_str::<AccountFile>(json).unwrap())
            .map_err(|Problems(problems)| problems.into_iter().map(|p| (p.key, p.message)).collect())
    }

    pub(super) fn keys(json: &str) -> Vec<&'static str> {
        read(json).unwrap_err().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn defaults_point_to_google() {
        let account = read(r#"{"service_account_file":"/key.json","subject":" a@acme.example "}"#).unwrap();
        assert_eq!(account.api_url().as_str(), "https://www.googleapis.com/");
        assert_eq!(
            account.batch_url().as_str(),
            "https://www.googleapis.com/batch/drive/v3"
        );
        assert_eq!(
            account.token_url().as_str(),
            "https://oauth2.googleapis.com/token"
        );
        assert_eq!(account.retry_base(), Duration::from_secs(1));
        assert_eq!(
            account.login,
            Login::ServiceAccount {
                key_file: "/key.json".into(),
                subject: Some("a@acme.example".into()),
            }
        );
    }

    #[test]
    fn a_machine_needs_no_secret() {
        let account =
            read(r#"{"service_account":" archive@p.iam.gserviceaccount.com ","subject":"a@x"}"#).unwrap();
        assert_eq!(
            account.login,
            Login::Attached {
                service_account: "archive@p.iam.gserviceaccount.com".into(),
                subject: Some("a@x".into()),
            }
        );
        assert_eq!(account.metadata_url.as_str(), "http://metadata.google.internal/");
        assert_eq!(account.iam_url.as_str(), "https://iamcredentials.googleapis.com/");
        assert!(read(r#"{"service_account":"default","metadata_url":"http://169.254.169.254/"}"#).is_ok());
    }

    #[rstest]
    #[case(
        "http://127.0.0.1:8080",
        "http://127.0.0.1:8080/",
        "http://127.0.0.1:8080/batch/drive/v3"
    )]
    #[case(
        "https://g.example/drive/v3/",
        "https://g.example/",
        "https://g.example/batch/drive/v3"
    )]
    #[case(
        "https://g.example/proxy",
        "https://g.example/proxy",
        "https://g.example/proxy/batch/drive/v3"
    )]
    fn batches_follow_the_api(#[case] api: &str, #[case] root: &str, #[case] batch: &str) {
        let account = read(&format!(
            r#"{{"client_id":"c","refresh_token_file":"/t","api_url":"{api}"}}"#
        ))
        .unwrap();
        assert_eq!(
            (account.api_url().as_str(), account.batch_url().as_str()),
            (root, batch)
        );
    }

    #[rstest]
    #[case::nothing("{}", &["service_account_file"])]
    #[case::key_and_machine(
        r#"{"service_account_file":"/k","service_account":"default"}"#,
        &["service_account"]
    )]
    #[case::machine_and_token(
        r#"{"service_account":"default","refresh_token_file":"/t","client_id":"c"}"#,
        &["refresh_token_file"]
    )]
    #[case::all_three(
        r#"{"service_account_file":"/k","service_account":"default","refresh_token_file":"/t"}"#,
        &["service_account", "refresh_token_file"]
    )]
    #[case::machine_acting_for_a_user_without_its_address(
        r#"{"service_account":"default","subject":"a@x"}"#,
        &["service_account"]
    )]
    #[case::machine_of_no_form(r#"{"service_account":"a/../b"}"#, &["service_account"])]
    #[case::metadata_elsewhere(
        r#"{"service_account":"default","metadata_url":"http://metadata.example","iam_url":"http://iam.example"}"#,
        &["metadata_url", "iam_url"]
    )]
    #[case::both(r#"{"service_account_file":"/k","refresh_token_file":"/t"}"#, &["refresh_token_file"])]
    #[case::client_beside_a_key(
        r#"{"service_account_file":"/k","client_id":"c","client_secret_file":"/s"}"#,
        &["client_id", "client_secret_file"]
    )]
    #[case::subject_beside_a_token(
        r#"{"refresh_token_file":"/t","client_id":"c","subject":"a@x"}"#,
        &["subject"]
    )]
    #[case::no_client(r#"{"refresh_token_file":"/t"}"#, &["client_id"])]
    #[case::subject_is_no_address(r#"{"service_account_file":"/k","subject":"ana"}"#, &["subject"])]
    #[case::two_paces(
        r#"{"service_account_file":"/k","quota_units_per_minute":1000,"requests_per_second":1}"#,
        &["requests_per_second"]
    )]
    #[case::no_pace(r#"{"service_account_file":"/k","quota_units_per_minute":1}"#, &["quota_units_per_minute"])]
    #[case::everything(
        r#"{"service_account_file":"","api_url":"http://g.example","batch_url":"b","token_url":"https://a:b@g.example",
            "retry_base_ms":0,"requests_per_second":0}"#,
        &["service_account_file", "api_url", "batch_url", "token_url", "retry_base_ms", "requests_per_second"]
    )]
    fn every_problem_is_told(#[case] json: &str, #[case] expected: &[&str]) {
        assert_eq!(keys(json), expected);
    }

    #[rstest]
    #[case::default("", 295_000.0 / 60.0)]
    #[case::older_quota(r#","quota_units_per_minute":12000"#, 200.0)]
    #[case::in_listings(r#","requests_per_second":2.5"#, 250.0)]
    fn the_pace_is_in_quota_units(#[case] more: &str, #[case] per_second: f64) {
        let account = read(&format!(r#"{{"service_account_file":"/k"{more}}}"#)).unwrap();
        assert!((account.units_per_second() - per_second).abs() < 1e-9);
    }

    #[test]
    fn unknown_keys_are_refused() {
        let error = serde_json::from_str::<AccountFile>(r#"{"private_key":"x"}"#).unwrap_err();
        assert!(
            error.to_string().contains("unknown field `private_key`"),
            "{error}"
        );
    }
}
