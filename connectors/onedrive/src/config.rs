//! The account as the operator writes it, and as the connector uses it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use revtrail_connector::settings::{Problem, Problems, endpoint};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

const API_URL: &str = "https://graph.microsoft.com/v1.0";
const AUTHORITY: &str = "https://login.microsoftonline.com";
/// Microsoft's smallest published tier allows 1,250 units a minute; about four fifths of it leave room for other work of the app.
const UNITS_PER_SECOND: f64 = 16.0;
const RETRY_BASE_MS: u64 = 500;

/// An app registration that may read one Microsoft 365 tenant, as written in the configuration file.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountFile {
    /// Entra tenant id (a GUID). No default. It enters every event id: written differently later (as a domain name, say), the
    /// same facts get other ids.
    pub tenant: String,
    /// Application (client) id of the app registration. No default. If wrong, no token is issued and nothing is read.
    pub client_id: String,
    /// Path of the file that holds the client secret. Read at each token request, so a rotated secret needs no restart. No default.
    /// Whoever can read the file can read everything the app registration can.
    pub client_secret_file: PathBuf,
    /// Root of Microsoft Graph, version included. Default `https://graph.microsoft.com/v1.0`; national clouds have their own.
    /// Access tokens are sent there: a wrong host gets them.
    pub api_url: Option<String>,
    /// Token endpoint. Default `https://login.microsoftonline.com/<tenant>/oauth2/v2.0/token`. The client secret is sent there: a
    /// wrong host gets it.
    pub token_url: Option<String>,
    /// First pause before a repeat when the provider names none, milliseconds; doubled at each further repeat. Default 500, at most
    /// 60000. Too small repeats into a busy service.
    pub retry_base_ms: Option<u64>,
    /// Request rate, resource units per second (a single item costs 1 unit, a list 2). Default 16, about four fifths of what the
    /// smallest tenants are allowed. Too large gets the app throttled, and in the end blocked.
    pub requests_per_second: Option<f64>,
}

/// A checked account.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    tenant: String,
    client_id: String,
    client_secret_file: PathBuf,
    api_url: Url,
    token_url: Url,
    retry_base: Duration,
    units_per_second: f64,
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
        }
        let client_id = file.client_id.trim().to_owned();
        if client_id.is_empty() {
            problem("client_id", "must not be empty");
        }
        if file.client_secret_file.as_os_str().is_empty() {
            problem("client_secret_file", "must name a file");
        }
        let api_url = endpoint(file.api_url.as_deref().unwrap_or(API_URL))
            .map_err(|message| problem("api_url", message));
        let token_url = match &file.token_url {
            Some(text) => endpoint(text),
            // A tenant that cannot stand in a path is reported once, under its own key.
            None => endpoint(&format!("{AUTHORITY}/{tenant}/oauth2/v2.0/token")),
        }
        .map_err(|message| problem("token_url", message));
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
            client_secret_file: file.client_secret_file,
            api_url: api_url.ok()?,
            token_url: token_url.ok()?,
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

    /// Where the secret is.
    pub fn client_secret_file(&self) -> &Path {
        &self.client_secret_file
    }

    /// Root of Graph, without a slash at the end.
    pub fn api_url(&self) -> &Url {
        &self.api_url
    }

    /// Token endpoint.
    pub fn token_url(&self) -> &Url {
        &self.token_url
    }

    /// First pause before a repeat.
    pub const fn retry_base(&self) -> Duration {
        self.retry_base
    }

    /// Resource units per second.
    pub const fn units_per_second(&self) -> f64 {
        self.units_per_second
    }

    /// The scope that asks for every application permission granted at this Graph: its origin with `/.default`.
    pub fn scope(&self) -> String {
        format!("{}/.default", self.api_url.origin().ascii_serialization())
    }
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
    } else if matches!(tenant, "common" | "organizations" | "consumers") {
        Some("must name one tenant; an application cannot sign in to all of them")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn file() -> AccountFile {
        AccountFile {
            tenant: "9F4B7C1E-2d5a-4c8e-8f0b-6a1d3e5c7b90".into(),
            client_id: "app".into(),
            client_secret_file: "/secret".into(),
            api_url: None,
            token_url: None,
            retry_base_ms: None,
            requests_per_second: None,
        }
    }

    #[test]
    fn defaults_point_to_the_global_cloud() {
        let account = Account::try_from(file()).unwrap();
        assert_eq!(account.tenant(), "9f4b7c1e-2d5a-4c8e-8f0b-6a1d3e5c7b90");
        assert_eq!(account.api_url().as_str(), "https://graph.microsoft.com/v1.0");
        assert_eq!(
            account.token_url().as_str(),
            "https://login.microsoftonline.com/9f4b7c1e-2d5a-4c8e-8f0b-6a1d3e5c7b90/oauth2/v2.0/token"
        );
        assert_eq!(account.scope(), "https://graph.microsoft.com/.default");
        assert_eq!(account.retry_base(), Duration::from_millis(500));
    }

    #[test]
    fn a_national_cloud_gets_its_own_scope() {
        let account = Account::try_from(AccountFile {
            api_url: Some("https://graph.microsoft.us/v1.0/".into()),
            ..file()
        })
        .unwrap();
        assert_eq!(account.scope(), "https://graph.microsoft.us/.default");
        assert_eq!(account.api_url().path(), "/v1.0");
    }

    #[test]
    fn every_problem_is_reported() {
        let problems = Account::try_from(AccountFile {
            tenant: "common".into(),
            client_id: " ".into(),
            client_secret_file: PathBuf::new(),
            api_url: Some("http://graph.example/v1.0".into()),
            token_url: Some("token".into()),
            retry_base_ms: Some(0),
            requests_per_second: Some(f64::NAN),
        })
        .unwrap_err();
        let keys: Vec<_> = problems.0.iter().map(|problem| problem.key).collect();
        assert_eq!(
            keys,
            [
                "tenant",
                "client_id",
                "client_secret_file",
                "api_url",
                "token_url",
                "retry_base_ms",
                "requests_per_second"
            ]
        );
        assert!(problems.to_string().starts_with("tenant: must name one tenant"));
    }

    #[rstest]
    #[case::plain_http("http://graph.example", "must use https")]
    #[case::credentials("https://a:b@graph.example", "must not hold a user name or password")]
    #[case::query("https://graph.example?x=1", "must not have a query or fragment")]
    #[case::file("file:///etc", "must name a host")]
    #[case::not_a_url("graph", "is not a URL")]
    fn refuses_an_endpoint(#[case] text: &str, #[case] message: &str) {
        assert_eq!(endpoint(text), Err(message));
    }

    #[rstest]
    #[case("http://127.0.0.1:8080")]
    #[case("http://localhost:8080/v1.0")]
    #[case("http://[::1]:8080")]
    fn this_machine_may_be_reached_without_tls(#[case] text: &str) {
        assert!(endpoint(text).is_ok(), "{text}");
    }

    #[test]
    fn unknown_keys_are_refused() {
        let text = r#"{"tenant":"t","client_id":"c","client_secret_file":"s","secret":"x"}"#;
        let error = serde_json::from_str::<AccountFile>(text).unwrap_err();
        assert!(error.to_string().contains("unknown field `secret`"), "{error}");
    }
}
