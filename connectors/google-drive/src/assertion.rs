//! Assertions of a service account: a signed statement that is traded for an access token (RFC 7523), signed with a key in a file or,
//! without any key, by Google's IAM Credentials service.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use revtrail_connector::{
    ConnectorError, ErrorKind,
    http::Http,
    oauth::{
        AssertionSource,
        jwt::{JwtAlgorithm, KeyName, SigningKey},
    },
    request::Request,
};
use revtrail_model::time::Clock;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::Zeroizing;

use crate::error::{failed, operation};

/// Google accepts no longer life.
const LIFE_SECONDS: i64 = 3600;

/// Who asks, for whom, and where.
pub(crate) struct Bearer {
    /// The user to act for; absent for the service account itself.
    pub(crate) subject: Option<String>,
    /// What the token is to open.
    pub(crate) scope: &'static str,
    /// The token endpoint.
    pub(crate) audience: String,
    /// Gives the time of issue.
    pub(crate) clock: Arc<dyn Clock>,
}

/// Makes assertions with the key in a file.
pub(crate) struct ServiceAccount {
    /// JSON key file, read for each assertion.
    pub(crate) key_file: PathBuf,
    pub(crate) bearer: Bearer,
}

/// Has assertions signed by the IAM Credentials service (`signJwt`), which keeps the key. Needs the right to sign as that account,
/// also when it is the caller's own.
pub(crate) struct Keyless {
    /// The way to the service, with the token of whoever runs here.
    pub(crate) http: Http,
    /// `…/serviceAccounts/<email>:signJwt`.
    pub(crate) url: Url,
    /// Address of the service account.
    pub(crate) email: String,
    pub(crate) bearer: Bearer,
}

/// Why no assertion can be made. No variant carries anything of the file but its path.
#[derive(Debug, thiserror::Error)]
enum KeyError {
    #[error("cannot read service account key file {0}")]
    Read(PathBuf, #[source] std::io::Error),
    #[error("{0} is no service account key file; it needs client_email and private_key")]
    Form(PathBuf),
    #[error("the private key in {0} is no RSA key in PEM form")]
    Key(PathBuf),
    #[error("signing with the key in {0} failed")]
    Sign(PathBuf),
}

/// What is needed of the key file. Its own token address is not: secrets go only where the configuration says.
#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: Zeroizing<String>,
    private_key_id: Option<String>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    scope: &'static str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

#[derive(Serialize)]
struct SignJwtRequest {
    /// The claims as JSON text.
    payload: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignJwtAnswer {
    signed_jwt: Zeroizing<String>,
}

impl Bearer {
    fn claims<'a>(&'a self, issuer: &'a str) -> Claims<'a> {
        let now = self.clock.now().as_second();
        Claims {
            iss: issuer,
            sub: self.subject.as_deref(),
            scope: self.scope,
            aud: &self.audience,
            iat: now,
            exp: now + LIFE_SECONDS,
        }
    }
}

#[async_trait]
impl AssertionSource for ServiceAccount {
    async fn assertion(&self) -> Result<SecretString, ConnectorError> {
        self.sign()
            .await
            .map(SecretString::from)
            .map_err(|error| failed(ErrorKind::Config, operation::TOKEN).with_source(error))
    }
}

impl ServiceAccount {
    async fn sign(&self) -> Result<String, KeyError> {
        let text = tokio::fs::read(&self.key_file)
            .await
            .map(Zeroizing::new)
            .map_err(|error| KeyError::Read(self.key_file.clone(), error))?;
        // The parser's own message could quote the file.
        let file: KeyFile =
            serde_json::from_slice(&text).map_err(|_| KeyError::Form(self.key_file.clone()))?;
        let key = SigningKey::from_pem(file.private_key.as_bytes())
            .ok_or_else(|| KeyError::Key(self.key_file.clone()))?;
        let name = file.private_key_id.as_deref().map_or(KeyName::None, KeyName::Id);
        key.statement(JwtAlgorithm::Rs256, name, &self.bearer.claims(&file.client_email))
            .ok_or_else(|| KeyError::Sign(self.key_file.clone()))
    }
}

#[async_trait]
impl AssertionSource for Keyless {
    async fn assertion(&self) -> Result<SecretString, ConnectorError> {
        let bug = |error| failed(ErrorKind::Bug, operation::SIGN).with_source(error);
        let payload = serde_json::to_string(&self.bearer.claims(&self.email)).map_err(bug)?;
        let body = serde_json::to_string(&SignJwtRequest { payload }).map_err(bug)?;
        let request = Request::post_json(operation::SIGN, self.url.clone(), body);
        let (answer, _) = self.http.send_json::<SignJwtAnswer>(&request).await?;
        Ok(SecretString::from(answer.signed_jwt.as_str()))
    }
}

#[cfg(test)]
mod tests;
