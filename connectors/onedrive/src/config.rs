//! The account as the operator writes it, and as the connector uses it.

use std::{path::PathBuf, time::Duration};

use revtrail_connector::settings::{Problem, Problems, endpoint};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

mod login;

pub(crate) use login::Login;

/// Microsoft's smallest published tier allows 1,250 units a minute; this leaves a seventh of it to other work of the app.
const UNITS_PER_SECOND: f64 = 19.0;
const RETRY_BASE_MS: u64 = 500;
/// Names that stand for many tenants; the last one for all personal accounts.
const MANY_TENANTS: [&str; 2] = ["common", "organizations"];
/// The tenant of personal accounts, by name.
pub(crate) const CONSUMERS: &str = "consumers";

/// An app registration that may read one Microsoft 365 tenant, or one personal OneDrive, as written in the configuration file. Exactly
/// one of four credentials: `client_secret_file`, `certificate_file` with `private_key_file`, `federated_token_file`, or (for personal
/// drives, and for what one user may see) `refresh_token_file`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountFile {
    /// Entra tenant id (a GUID); `consumers` for a personal OneDrive. No default. It enters every event id: written differently later
    /// (as a domain name, say), the same facts get other ids.
    pub tenant: String,
    /// Application (client) id of the app registration. No default. If wrong, no token is issued and nothing is read.
    pub client_id: String,
    /// Path of the file that holds the client secret. Read at each token request, so a rotated secret needs no restart. Whoever can
    /// read the file can read everything the app registration can.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// PEM file with the certificate that is uploaded at the app registration. Read at each token request. Not a secret, but it must
    /// belong to `private_key_file`.
    #[serde(default)]
    pub certificate_file: Option<PathBuf>,
    /// PEM file with the RSA private key of the certificate, not encrypted. Read at each token request. Whoever can read the file can
    /// read everything the app registration can, until the certificate is removed there.
    #[serde(default)]
    pub private_key_file: Option<PathBuf>,
    /// How statements are signed with the private key. Default `PS256`, which Microsoft asks for; `RS256` for older set-ups.
    #[serde(default)]
    pub assertion_algorithm: Option<AssertionAlgorithm>,
    /// File into which the platform writes a token that the app registration trusts (workload identity federation; in Kubernetes the
    /// path in `AZURE_FEDERATED_TOKEN_FILE`). Read at each token request, because it is replaced all the time. No secret of ours.
    #[serde(default)]
    pub federated_token_file: Option<PathBuf>,
    /// File with a user's refresh token, as the device code flow gives it. Read at each token request. Whoever can read the file can
    /// read what the user consented to.
    #[serde(default)]
    pub refresh_token_file: Option<PathBuf>,
    /// File in which the refresh token that replaces the one in `refresh_token_file` is kept; its directory must be writable. Microsoft
    /// replaces refresh tokens at every use and drops unused ones after about 90 days. Default: the new one is kept in memory only, and
    /// `refresh_token_file` must be renewed by hand before it is 90 days old.
    #[serde(default)]
    pub refresh_token_store: Option<PathBuf>,
    /// Which of Microsoft's clouds. Default `global`. Decides where `api_url` and `token_url` are; tokens of one cloud are worth nothing
    /// in another.
    #[serde(default)]
    pub cloud: Option<Cloud>,
    /// Name of your organisation as Microsoft sees it in the traffic (`User-Agent: NONISV|<organization>|revtrail/…`): letters, digits,
    /// spaces, `-`, `.`. Default `revtrail`. Traffic without such a name is throttled first.
    #[serde(default)]
    pub organization: Option<String>,
    /// Root of Microsoft Graph, version included. Default: that of `cloud` (`https://graph.microsoft.com/v1.0`). Access tokens are sent
    /// there: a wrong host gets them.
    #[serde(default)]
    pub api_url: Option<String>,
    /// Token endpoint. Default: that of `cloud` (`https://login.microsoftonline.com/<tenant>/oauth2/v2.0/token`). The credential is sent
    /// there: a wrong host gets it.
    #[serde(default)]
    pub token_url: Option<String>,
    /// Hosts that contents may be fetched from, each with everything below it, where Graph redirects there: `acme-my.sharepoint.com`.
    /// Default: those of the cloud (`sharepoint.com` and Microsoft's hosts for personal drives). No token is sent there, but what comes
    /// from there is recorded as the content of a file, so name your own tenant's hosts to be strict.
    #[serde(default)]
    pub download_hosts: Option<Vec<String>>,
    /// Whether the tenant's audit log is read for who deleted, moved, renamed and restored items, and who saved what names nobody.
    /// Default: false. Takes the permission `ActivityFeed.Read` of the Office 365 Management APIs, and auditing switched on in the
    /// tenant; a subscription is started if none runs. Without it such events have no actor, for Graph tells none. With it, what the
    /// tenant's people do to files outside the designated folders passes through the harvest; nothing of that is kept.
    #[serde(default)]
    pub audit: bool,
    /// Root of the Office 365 Management Activity API, without version. Default: that of `cloud` (`https://manage.office.com`). Access
    /// tokens for it are sent there: a wrong host gets them.
    #[serde(default)]
    pub audit_url: Option<String>,
    /// First pause before a repeat when the provider names none, milliseconds; doubled at each further repeat. Default 500, at most
    /// 60000. Too small repeats into a busy service.
    #[serde(default)]
    pub retry_base_ms: Option<u64>,
    /// Request rate, resource units per second (a single item costs 1 unit, a list 2). Default 19, nine tenths of what the smallest
    /// tenants are allowed. Where Graph says that little of a minute's units is left, the rate is lower by itself. Too large gets the app
    /// throttled, and in the end blocked.
    #[serde(default)]
    pub requests_per_second: Option<f64>,
}

/// How a statement is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum AssertionAlgorithm {
    /// RSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// RSA PKCS #1 v1.5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
}

/// Microsoft's clouds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cloud {
    /// Everywhere else, GCC included.
    Global,
    /// US Government L4.
    GccHigh,
    /// US Government L5.
    Dod,
    /// China, operated by 21Vianet.
    China,
}

impl Cloud {
    /// Hosts that serve contents, each with everything below it.
    const fn downloads(self) -> &'static [&'static str] {
        match self {
            Self::Global => &[
                "sharepoint.com",
                "1drv.com",
                "microsoftpersonalcontent.com",
                "livefilestore.com",
            ],
            Self::GccHigh => &["sharepoint.us"],
            Self::Dod => &["sharepoint-mil.us", "dps.mil"],
            Self::China => &["sharepoint.cn"],
        }
    }

    const fn authority(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::GccHigh | Self::Dod => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        }
    }

    /// Root of the Management Activity API, where it is documented.
    const fn management(self) -> Option<&'static str> {
        match self {
            Self::Global => Some("https://manage.office.com"),
            Self::GccHigh => Some("https://manage.office365.us"),
            Self::Dod => Some("https://manage.protection.apps.mil"),
            Self::China => None,
        }
    }

    const fn graph(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com/v1.0",
            Self::GccHigh => "https://graph.microsoft.us/v1.0",
            Self::Dod => "https://dod-graph.microsoft.us/v1.0",
            Self::China => "https://microsoftgraph.chinacloudapi.cn/v1.0",
        }
    }
}

/// A checked account.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    tenant: String,
    client_id: String,
    pub(crate) login: Login,
    organization: String,
    api_url: Url,
    token_url: Url,
    download_hosts: Vec<String>,
    /// Absent when the audit log is not read.
    audit_url: Option<Url>,
    retry_base: Duration,
    units_per_second: f64,
}

/// Whose traffic it is, as the User-Agent tells it.
fn organization(configured: Option<String>, problem: &mut impl FnMut(&'static str, &str)) -> String {
    let organization = configured.unwrap_or_else(|| "revtrail".to_owned());
    if !is_name(&organization) {
        problem(
            "organization",
            "must have 1 to 60 letters, digits, spaces, '-' or '.'",
        );
    }
    organization
}

/// Hosts that file contents may come from: those configured, or those of the cloud.
fn download_hosts(
    configured: Option<Vec<String>>,
    cloud: Cloud,
    problem: &mut impl FnMut(&'static str, &str),
) -> Vec<String> {
    let hosts = configured.unwrap_or_else(|| {
        let names = cloud.downloads().iter();
        names.map(|name| (*name).to_owned()).collect()
    });
    if !hosts.iter().all(|name| is_host(name)) {
        problem(
            "download_hosts",
            "must be names of hosts, without scheme, port or path",
        );
    }
    hosts
}

impl Account {
    /// Checks `file`; every problem found is added to `problems`, and the answer is `None` when there was one.
    pub fn check(file: AccountFile, problems: &mut Vec<Problem>) -> Option<Self> {
        let known = problems.len();
        let mut problem = |key, message: &str| {
            problems.push(Problem {
                key,
                message: message.to_owned(),
            });
        };
        let tenant = file.tenant.trim().to_lowercase();
        if let Some(message) = tenant_problem(&tenant) {
            problem("tenant", message);
        } else if tenant == CONSUMERS && file.refresh_token_file.is_none() {
            problem(
                "tenant",
                "personal accounts are read with a refresh_token_file; no application has rights of its own there",
            );
        }
        let client_id = file.client_id.trim().to_owned();
        if client_id.is_empty() {
            problem("client_id", "must not be empty");
        }
        let login = login::check(&file, &mut problem);
        let cloud = file.cloud.unwrap_or(Cloud::Global);
        let organization = organization(file.organization, &mut problem);
        let api_url = endpoint(file.api_url.as_deref().unwrap_or(cloud.graph()))
            .map_err(|message| problem("api_url", message));
        let token_url = match &file.token_url {
            Some(text) => endpoint(text),
            // A tenant that cannot stand in a path is reported once, under its own key.
            None => endpoint(&format!("{}/{tenant}/oauth2/v2.0/token", cloud.authority())),
        }
        .map_err(|message| problem("token_url", message));
        let download_hosts = download_hosts(file.download_hosts, cloud, &mut problem);
        let wanted = file.audit.then_some((cloud, tenant.as_str()));
        let audit_url = wanted.and_then(|of| audit_url(file.audit_url.as_deref(), of, &mut problem));
        let retry_base_ms = file.retry_base_ms.unwrap_or(RETRY_BASE_MS);
        if !(1..=60_000).contains(&retry_base_ms) {
            problem("retry_base_ms", "must lie between 1 and 60000");
        }
        let units_per_second = file.requests_per_second.unwrap_or(UNITS_PER_SECOND);
        if !(0.01..=1_000_000.0).contains(&units_per_second) {
            problem("requests_per_second", "must lie between 0.01 and 1000000");
        }
        if problems.len() > known {
            return None;
        }
        Some(Self {
            tenant,
            client_id,
            login: login?,
            organization,
            api_url: api_url.ok()?,
            token_url: token_url.ok()?,
            download_hosts,
            audit_url,
            retry_base: Duration::from_millis(retry_base_ms),
            units_per_second,
        })
    }

    /// Entra tenant id, lower case.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Application id.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Whose traffic it is.
    pub fn organization(&self) -> &str {
        &self.organization
    }

    /// Root of Graph, without a slash at the end.
    pub fn api_url(&self) -> &Url {
        &self.api_url
    }

    /// Token endpoint.
    pub fn token_url(&self) -> &Url {
        &self.token_url
    }

    /// Hosts that contents may be fetched from.
    pub fn download_hosts(&self) -> &[String] {
        &self.download_hosts
    }

    /// Root of the Management Activity API; absent when the audit log is not read.
    pub fn audit_url(&self) -> Option<&Url> {
        self.audit_url.as_ref()
    }

    /// First pause before a repeat.
    pub const fn retry_base(&self) -> Duration {
        self.retry_base
    }

    /// Resource units per second.
    pub const fn units_per_second(&self) -> f64 {
        self.units_per_second
    }

    /// The scopes to ask for. A program asks for every application permission granted at this Graph; a user's consent is asked for
    /// reading files, and for going on with it.
    pub fn scopes(&self) -> Vec<String> {
        let graph = self.api_url.origin().ascii_serialization();
        match &self.login {
            Login::RefreshToken { .. } if self.tenant == CONSUMERS => {
                vec!["Files.Read".to_owned(), "offline_access".to_owned()]
            }
            Login::RefreshToken { .. } => {
                vec![format!("{graph}/Files.Read.All"), "offline_access".to_owned()]
            }
            _ => vec![format!("{graph}/.default")],
        }
    }
}

impl Account {
    /// The scopes to ask for at the audit log.
    pub fn audit_scopes(&self) -> Vec<String> {
        let Some(url) = &self.audit_url else {
            return Vec::new();
        };
        let host = url.origin().ascii_serialization();
        match &self.login {
            Login::RefreshToken { .. } => {
                vec![format!("{host}/ActivityFeed.Read"), "offline_access".to_owned()]
            }
            _ => vec![format!("{host}/.default")],
        }
    }
}

/// Where the audit log is. It names tenants by GUID, and personal accounts have none.
fn audit_url(
    told: Option<&str>,
    (cloud, tenant): (Cloud, &str),
    problem: &mut impl FnMut(&'static str, &str),
) -> Option<Url> {
    if !is_guid(tenant) {
        problem(
            "audit",
            "takes the tenant's GUID as tenant; personal accounts have no audit log",
        );
    }
    let Some(root) = told.or(cloud.management()) else {
        problem(
            "audit_url",
            "must be given: where the log of this cloud is, is not known",
        );
        return None;
    };
    endpoint(root)
        .map_err(|message| problem("audit_url", message))
        .ok()
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

impl TryFrom<AccountFile> for Account {
    type Error = Problems;

    fn try_from(file: AccountFile) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        Self::check(file, &mut problems).ok_or(Problems(problems))
    }
}

fn tenant_problem(tenant: &str) -> Option<&'static str> {
    let well_formed = tenant
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
    if tenant.is_empty() || !well_formed {
        Some("must be the tenant's GUID")
    } else if MANY_TENANTS.contains(&tenant) {
        Some("must name one tenant; an application cannot sign in to all of them")
    } else {
        None
    }
}

fn is_host(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    text.contains('.') && !text.starts_with('.') && !text.ends_with('.') && text.chars().all(plain)
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '.');
    !text.trim().is_empty() && text.len() <= 60 && text.chars().all(plain)
}

#[cfg(test)]
mod tests;
