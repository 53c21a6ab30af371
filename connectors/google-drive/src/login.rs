//! The way to the API: token, pace and how refusals are read.

use std::{path::PathBuf, sync::Arc, time::Duration};

use revtrail_connector::{
    ConnectorError,
    http::{Hosts, Http, HttpSettings},
    oauth::{Grant, OAuth, SecretFile, SecretSource, TokenSource},
    pacing::Pacing,
    retry::RetryPolicy,
};
use revtrail_model::{id::Provider, time::Clock};
use url::Url;

use crate::{
    api::{CONTENT_SCOPE, SCOPE},
    assertion::{Bearer, Keyless, ServiceAccount},
    config::{Account, Login, below},
    error::DriveErrors,
};

/// What the IAM Credentials service asks of its callers.
const CLOUD_SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// What a whole batch of lists costs.
const FULL_BATCH_UNITS: f64 = 10_000.0;
/// Seconds of quiet whose units may be spent at once.
const BURST_SECONDS: f64 = 5.0;
/// A page of a thousand changes takes Drive a while.
const TIMEOUT: Duration = Duration::from_secs(100);
/// Google compresses answers only for clients that also say so in their name.
const USER_AGENT: &str = concat!("revtrail/", env!("CARGO_PKG_VERSION"), " (gzip)");

/// How to speak to the API for an account.
pub(crate) fn settings(account: &Account, clock: Arc<dyn Clock>) -> HttpSettings {
    HttpSettings {
        provider: Provider::GoogleDrive,
        hosts: Hosts::new([account.api_url(), account.batch_url()]),
        retry: RetryPolicy {
            base: account.retry_base(),
            ..RetryPolicy::default()
        },
        pacing: Pacing {
            units_per_second: account.units_per_second(),
            // So that what a commit takes is caught up on; a whole batch must fit. Pace and burst together stay below what a minute
            // allows.
            burst: (account.units_per_second() * BURST_SECONDS).max(FULL_BATCH_UNITS),
        },
        user_agent: USER_AGENT.to_owned(),
        max_body_bytes: 64 << 20,
        timeout: TIMEOUT,
        clock,
    }
}

/// Makes the way to the API, and the tokens that open contents.
pub(crate) fn http(
    account: &Account,
    settings: HttpSettings,
) -> Result<(Http, Arc<dyn TokenSource>), ConnectorError> {
    let subject = account.login.subject();
    let auth = tokens(account, &settings, (SCOPE, subject))?;
    let contents = Arc::new(tokens(account, &settings, (CONTENT_SCOPE, subject))?);
    let http = Http::new(settings, Some(Arc::new(auth)), Arc::new(DriveErrors))?;
    Ok((http, contents))
}

/// Where access tokens for a scope come from, and in whose name; a user's lasting grant has its scopes already.
pub(crate) fn tokens(
    account: &Account,
    settings: &HttpSettings,
    (scope, subject): (&'static str, Option<&str>),
) -> Result<OAuth, ConnectorError> {
    let secret = |path: &PathBuf| -> Arc<dyn SecretSource> { Arc::new(SecretFile(path.clone())) };
    let bearer = || Bearer {
        subject: subject.map(str::to_owned),
        scope,
        audience: account.token_url().to_string(),
        clock: Arc::clone(&settings.clock),
    };
    let grant = match &account.login {
        Login::ServiceAccount { key_file, .. } => Grant::JwtBearer {
            assertion: Arc::new(ServiceAccount {
                key_file: key_file.clone(),
                bearer: bearer(),
            }),
        },
        Login::Attached { service_account, .. } if subject.is_none() => {
            return of_machine(account, settings, service_account, scope);
        }
        // A token of the machine cannot carry a subject; a statement that IAM signs can.
        Login::Attached { service_account, .. } => Grant::JwtBearer {
            assertion: Arc::new(keyless(account, settings, service_account, bearer())?),
        },
        Login::RefreshToken {
            client_id,
            client_secret_file,
            refresh_token_file,
        } => Grant::RefreshToken {
            client_id: client_id.clone(),
            client_secret: client_secret_file.as_ref().map(secret),
            refresh_token: secret(refresh_token_file),
            // Google does not replace refresh tokens.
            store: None,
            scopes: Vec::new(),
        },
    };
    OAuth::new(settings.clone(), account.token_url().clone(), grant)
}

/// Tokens of the machine's service account, from the metadata server.
fn of_machine(
    account: &Account,
    settings: &HttpSettings,
    service_account: &str,
    scope: &str,
) -> Result<OAuth, ConnectorError> {
    let path = format!("computeMetadata/v1/instance/service-accounts/{service_account}/token");
    let grant = Grant::Ambient {
        headers: vec![("metadata-flavor", "Google".to_owned())],
        query: vec![("scopes", scope.to_owned())],
    };
    OAuth::new(settings.clone(), below(&account.metadata_url, &path), grant)
}

fn keyless(
    account: &Account,
    settings: &HttpSettings,
    service_account: &str,
    bearer: Bearer,
) -> Result<Keyless, ConnectorError> {
    let machine = of_machine(account, settings, service_account, CLOUD_SCOPE)?;
    let settings = HttpSettings {
        hosts: Hosts::new([&account.iam_url]),
        pacing: Pacing::UNLIMITED,
        ..settings.clone()
    };
    let url: Url = below(
        &account.iam_url,
        &format!("v1/projects/-/serviceAccounts/{service_account}:signJwt"),
    );
    Ok(Keyless {
        http: Http::new(settings, Some(Arc::new(machine)), Arc::new(DriveErrors))?,
        url,
        email: service_account.to_owned(),
        bearer,
    })
}
