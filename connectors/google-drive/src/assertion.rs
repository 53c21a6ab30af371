//! Assertions of a service account: a signed statement that is traded for an access token (RFC 7523, signed as in RFC 7515 and
//! RFC 7518 §3.3).

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use revtrail_connector::{ConnectorError, ErrorKind, oauth::AssertionSource};
use revtrail_model::time::Clock;
use ring::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    api::SCOPE,
    error::{failed, operation},
};

/// Google accepts no longer life.
const LIFE_SECONDS: i64 = 3600;
const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";

/// Makes assertions with the key in a file.
pub(crate) struct ServiceAccount {
    /// JSON key file, read for each assertion.
    pub(crate) key_file: PathBuf,
    /// The user to act for.
    pub(crate) subject: Option<String>,
    /// The token endpoint.
    pub(crate) audience: String,
    /// Gives the time of issue.
    pub(crate) clock: Arc<dyn Clock>,
}

/// Why no assertion can be made. No variant carries anything of the file but its path.
#[derive(Debug, thiserror::Error)]
enum KeyError {
    #[error("cannot read service account key file {0}")]
    Read(PathBuf, #[source] std::io::Error),
    #[error("{0} is no service account key file; it needs client_email and private_key")]
    Form(PathBuf),
    #[error("the private key in {0} is no RSA key in PKCS#8 PEM form")]
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
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
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
        let key = rsa_key(&file.private_key).ok_or_else(|| KeyError::Key(self.key_file.clone()))?;
        let issued = self.clock.now().as_second();
        let header = Header {
            alg: "RS256",
            typ: "JWT",
            kid: file.private_key_id.as_deref(),
        };
        let claims = Claims {
            iss: &file.client_email,
            sub: self.subject.as_deref(),
            scope: SCOPE,
            aud: &self.audience,
            iat: issued,
            exp: issued + LIFE_SECONDS,
        };
        signed(&key, &header, &claims).ok_or_else(|| KeyError::Sign(self.key_file.clone()))
    }
}

/// The key in a PEM text; `None` for anything else.
fn rsa_key(pem: &str) -> Option<KeyPair> {
    let (_, rest) = pem.split_once(PEM_BEGIN)?;
    let (body, _) = rest.split_once(PEM_END)?;
    let body: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
    let der = Zeroizing::new(STANDARD.decode(body.as_bytes()).ok()?);
    KeyPair::from_pkcs8(&der).ok()
}

/// Header, claims and signature, each in base64url.
fn signed(key: &KeyPair, header: &Header<'_>, claims: &Claims<'_>) -> Option<String> {
    let part = |json: serde_json::Result<Vec<u8>>| Some(URL_SAFE_NO_PAD.encode(json.ok()?));
    let statement = format!(
        "{}.{}",
        part(serde_json::to_vec(header))?,
        part(serde_json::to_vec(claims))?
    );
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        statement.as_bytes(),
        &mut signature,
    )
    .ok()?;
    Some(format!("{statement}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[cfg(test)]
mod tests;
