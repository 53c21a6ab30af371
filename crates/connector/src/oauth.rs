//! Access tokens: how they are got, kept and renewed.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::header::HeaderValue;
use revtrail_model::{id::Provider, time::millis_between};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use url::Url;

use crate::{
    error::{ConnectorError, ErrorKind},
    http::{Hosts, Http, HttpSettings},
    pacing::Pacing,
    time::Timestamp,
    usage::Usage,
};

mod endpoint;
mod grant;
pub mod jwt;
mod refresh;
mod store;

use endpoint::OAuthErrors;
pub use grant::{ClientProof, Grant};
use refresh::Rotated;
pub use store::{RefreshTokenStore, StoreError};

pub use crate::secret::{SecretError, SecretFile, SecretSource};

/// Name of token requests in counters, logs and errors.
pub(crate) const OPERATION: &str = "token";
/// No token answer comes near; a wrong address may.
const MAX_BODY_BYTES: usize = 1 << 20;

/// Gives access tokens.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// A token to use now.
    async fn bearer(&self) -> Result<SecretString, ConnectorError>;

    /// A token in place of `used`, which was refused. When another caller has replaced it meanwhile, that one's.
    async fn renew(&self, used: &SecretString) -> Result<SecretString, ConnectorError>;

    /// Token requests so far; part of [`Http::usage`] of whoever uses them.
    fn usage(&self) -> Usage {
        Usage::default()
    }
}

/// Makes signed statements to be traded for an access token (RFC 7523).
#[async_trait]
pub trait AssertionSource: Send + Sync {
    /// A statement that is valid now.
    async fn assertion(&self) -> Result<SecretString, ConnectorError>;
}

/// One grant and the token it gave last.
///
/// A token is renewed when 80 % of its life are over, or when it was refused. Callers that need one at the same time wait for the one
/// request. A refresh token that the provider replaced is kept in memory, and in a [`RefreshTokenStore`] where there is one, and used
/// until the configured file holds another one.
pub struct OAuth {
    http: Http,
    settings: HttpSettings,
    token_url: Url,
    grant: Grant,
    // Held during the request, which makes the others wait for it.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Held>,
    rotated: Option<Rotated>,
}

/// A token and until when to use it; for good when its life was not told.
struct Held {
    token: SecretString,
    renew_at: Option<Timestamp>,
}

/// What the token endpoint gave.
struct Granted {
    token: SecretString,
    life: Option<Duration>,
    refresh_token: Option<SecretString>,
}

impl OAuth {
    /// Takes provider, retry policy, timeout, user agent and clock from the account's settings; hosts and pace are the endpoint's own:
    /// nothing is sent anywhere but to `token_url`. Sends nothing yet.
    pub fn new(settings: HttpSettings, token_url: Url, grant: Grant) -> Result<Self, ConnectorError> {
        let settings = HttpSettings {
            hosts: Hosts::new([&token_url]),
            pacing: Pacing::UNLIMITED,
            max_body_bytes: MAX_BODY_BYTES.min(settings.max_body_bytes),
            ..settings
        };
        Ok(Self {
            http: Http::new(settings.clone(), None, Arc::new(OAuthErrors))?,
            settings,
            token_url,
            grant,
            state: Mutex::default(),
        })
    }

    async fn request(&self, state: &mut State) -> Result<SecretString, ConnectorError> {
        // The life counts from before the request, so that a slow answer makes it shorter, never longer.
        let asked_at = self.settings.clock.now();
        state.token = None;
        let granted = match &self.grant {
            Grant::ClientCredentials {
                client_id,
                proof,
                scopes,
            } => self.client_credentials(client_id, proof, scopes).await?,
            Grant::RefreshToken { .. } => self.refreshed(&mut state.rotated).await?,
            Grant::JwtBearer { assertion } => {
                let assertion = assertion.assertion().await?;
                self.jwt_bearer(&assertion).await?
            }
            Grant::Ambient { headers, query } => self.ambient(headers, query).await?,
        };
        Ok(state.keep(granted, asked_at))
    }

    async fn read(&self, source: &dyn SecretSource) -> Result<SecretString, ConnectorError> {
        source
            .read()
            .await
            .map_err(|error| self.error(ErrorKind::Config).with_source(error))
    }

    fn error(&self, kind: ErrorKind) -> ConnectorError {
        ConnectorError::new(kind, self.settings.provider, OPERATION)
    }
}

#[async_trait]
impl TokenSource for OAuth {
    async fn bearer(&self) -> Result<SecretString, ConnectorError> {
        let mut state = self.state.lock().await;
        match &state.token {
            Some(held) if held.is_fresh(self.settings.clock.now()) => Ok(held.token.clone()),
            _ => self.request(&mut state).await,
        }
    }

    async fn renew(&self, used: &SecretString) -> Result<SecretString, ConnectorError> {
        let mut state = self.state.lock().await;
        match &state.token {
            Some(held) if !same(&held.token, used) => Ok(held.token.clone()),
            _ => self.request(&mut state).await,
        }
    }

    fn usage(&self) -> Usage {
        self.http.usage()
    }
}

impl State {
    fn keep(&mut self, granted: Granted, asked_at: Timestamp) -> SecretString {
        self.token = Some(Held {
            token: granted.token.clone(),
            renew_at: granted.life.map(|life| renewal(asked_at, life)),
        });
        granted.token
    }
}

impl Held {
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.renew_at
            .is_none_or(|renew_at| millis_between(now, renew_at) > 0)
    }
}

/// An assertion that somebody else writes into a file, and replaces before it expires (workload identity federation).
#[derive(Debug, Clone)]
pub struct AssertionFile {
    /// The file, read for each request.
    pub file: crate::secret::SecretFile,
    /// For errors.
    pub provider: Provider,
}

#[async_trait]
impl AssertionSource for AssertionFile {
    async fn assertion(&self) -> Result<SecretString, ConnectorError> {
        self.file.read().await.map_err(|error| {
            ConnectorError::new(ErrorKind::Config, self.provider, OPERATION).with_source(error)
        })
    }
}

/// When 80 % of the life are over.
fn renewal(asked_at: Timestamp, life: Duration) -> Timestamp {
    asked_at
        .saturating_add(life.saturating_mul(4) / 5)
        .unwrap_or(Timestamp::MAX)
}

fn same(a: &SecretString, b: &SecretString) -> bool {
    a.expose_secret() == b.expose_secret()
}

/// The `Authorization` header for a token, marked so that nothing prints it. `None` when the token cannot be one.
pub(crate) fn authorization(token: &SecretString) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).ok()?;
    value.set_sensitive(true);
    Some(value)
}
