//! The way to Graph: token, pace and how refusals are read.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use revtrail_connector::{
    ConnectorError, ErrorKind,
    http::{Hosts, HttpSettings},
    oauth::{
        AssertionFile, AssertionSource, ClientProof, Grant, OAuth, RefreshTokenStore, SecretFile,
        jwt::{Certificate, JwtAlgorithm, KeyName, SigningKey, fresh_id},
    },
    pacing::Pacing,
    retry::RetryPolicy,
};
use revtrail_model::{id::Provider, time::Clock};
use secrecy::SecretString;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    api::LIST_UNITS,
    batch::MAX_PARTS,
    config::{Account, AssertionAlgorithm, Login},
    error::operation,
};

const MAX_BODY_BYTES: usize = 64 << 20;
/// Seconds of quiet whose units may be spent at once.
const BURST_SECONDS: f64 = 5.0;
const TIMEOUT: Duration = Duration::from_mins(2);
/// Microsoft asks for statements that live five to ten minutes.
const LIFE_SECONDS: i64 = 600;

/// How to speak to Graph for an account.
pub(crate) fn settings(account: &Account, clock: Arc<dyn Clock>) -> HttpSettings {
    HttpSettings {
        provider: Provider::OneDrive,
        // Not the token endpoint: whatever an answer of Graph says, its links lead back to Graph.
        hosts: Hosts::new([account.api_url()]).with_downloads(account.download_hosts().iter().cloned()),
        retry: RetryPolicy {
            base: account.retry_base(),
            ..RetryPolicy::default()
        },
        pacing: Pacing {
            units_per_second: account.units_per_second(),
            // So that what a commit takes is caught up on; never less than the dearest single request, a full batch. Pace and burst
            // together stay below what a minute allows.
            burst: (account.units_per_second() * BURST_SECONDS)
                .max(f64::from(LIST_UNITS) * f64::from(MAX_PARTS)),
        },
        // Microsoft asks programs of an organisation's own to name themselves in this form, and treats others worse under load.
        user_agent: format!(
            "NONISV|{}|revtrail/{}",
            account.organization(),
            env!("CARGO_PKG_VERSION")
        ),
        max_body_bytes: MAX_BODY_BYTES,
        timeout: TIMEOUT,
        clock,
    }
}

/// Where access tokens with these scopes come from.
pub(crate) fn tokens(
    account: &Account,
    settings: &HttpSettings,
    scopes: &[String],
) -> Result<OAuth, ConnectorError> {
    let secret = |path: &Path| Arc::new(SecretFile(path.to_owned()));
    let program = |proof| Grant::ClientCredentials {
        client_id: account.client_id().to_owned(),
        proof,
        scopes: scopes.to_vec(),
    };
    let grant = match &account.login {
        Login::Secret(file) => program(ClientProof::Secret(secret(file))),
        Login::Certificate {
            certificate,
            key,
            algorithm,
        } => program(ClientProof::Assertion(Arc::new(Statement {
            certificate: certificate.clone(),
            key: key.clone(),
            algorithm: match algorithm {
                AssertionAlgorithm::Ps256 => JwtAlgorithm::Ps256,
                AssertionAlgorithm::Rs256 => JwtAlgorithm::Rs256,
            },
            client_id: account.client_id().to_owned(),
            audience: account.token_url().to_string(),
            clock: Arc::clone(&settings.clock),
        }))),
        Login::Federated(file) => program(ClientProof::Assertion(Arc::new(AssertionFile {
            file: SecretFile(file.clone()),
            provider: Provider::OneDrive,
        }))),
        Login::RefreshToken { file, store } => Grant::RefreshToken {
            client_id: account.client_id().to_owned(),
            // Device code flow is for programs that cannot keep a secret.
            client_secret: None,
            refresh_token: secret(file),
            store: store.clone().map(RefreshTokenStore),
            scopes: scopes.to_vec(),
        },
    };
    OAuth::new(settings.clone(), account.token_url().clone(), grant)
}

/// Signs, with the key of a certificate, that the program is who it says (RFC 7523 §2.2).
struct Statement {
    certificate: PathBuf,
    key: PathBuf,
    algorithm: JwtAlgorithm,
    client_id: String,
    audience: String,
    clock: Arc<dyn Clock>,
}

/// Why no statement can be made. No variant carries anything of the files but their path.
#[derive(Debug, thiserror::Error)]
enum KeyError {
    #[error("cannot read {0}")]
    Read(PathBuf, #[source] std::io::Error),
    #[error("{0} holds no certificate in PEM form")]
    Certificate(PathBuf),
    #[error("{0} holds no RSA private key in PEM form that is not encrypted")]
    Key(PathBuf),
    #[error("the certificate in {0} does not belong to the private key in {1}")]
    Mismatch(PathBuf, PathBuf),
    #[error("signing with the key in {0} failed")]
    Sign(PathBuf),
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: &'a str,
    nbf: i64,
    iat: i64,
    exp: i64,
}

#[async_trait]
impl AssertionSource for Statement {
    async fn assertion(&self) -> Result<SecretString, ConnectorError> {
        self.sign().await.map(SecretString::from).map_err(|error| {
            ConnectorError::new(ErrorKind::Config, Provider::OneDrive, operation::TOKEN).with_source(error)
        })
    }
}

impl Statement {
    async fn sign(&self) -> Result<String, KeyError> {
        let certificate = Certificate::from_pem(&read(&self.certificate).await?)
            .ok_or_else(|| KeyError::Certificate(self.certificate.clone()))?;
        let key =
            SigningKey::from_pem(&read(&self.key).await?).ok_or_else(|| KeyError::Key(self.key.clone()))?;
        if !key.belongs_to(&certificate) {
            // Microsoft would only say that the signature is wrong.
            return Err(KeyError::Mismatch(self.certificate.clone(), self.key.clone()));
        }
        let issued = self.clock.now().as_second();
        let failed = || KeyError::Sign(self.key.clone());
        let claims = Claims {
            aud: &self.audience,
            iss: &self.client_id,
            sub: &self.client_id,
            jti: &fresh_id().ok_or_else(failed)?,
            nbf: issued,
            iat: issued,
            exp: issued + LIFE_SECONDS,
        };
        key.statement(self.algorithm, KeyName::Certificate(&certificate), &claims)
            .ok_or_else(failed)
    }
}

async fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    tokio::fs::read(path)
        .await
        .map(Zeroizing::new)
        .map_err(|error| KeyError::Read(path.to_owned(), error))
}

#[cfg(test)]
mod tests;
