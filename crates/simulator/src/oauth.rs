//! The parts of OAuth 2.0 (RFC 6749, 6750, 7523) that the three token endpoints share. Signatures, lives, audiences and repeated use
//! of statements are checked.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::credentials::{ClientKind, RefreshTokens, Statement, thumbprint};
use crate::sim::{Provider, Sim};

/// `grant_type` of RFC 7523.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// `client_assertion_type` of RFC 7523.
const CLIENT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Longest life of a client's statement, and of a service account's, seconds.
const LIVES: (i64, i64) = (600, 3600);

/// The form fields of a token request.
pub(crate) type Form = BTreeMap<String, String>;

/// Why a token request is refused (RFC 6749 §5.2); `word` is the value of `error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
}

impl Refused {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
        }
    }
}

/// What is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) access_token: String,
    /// In place of the one that was used, where the provider does that.
    pub(crate) refresh_token: Option<String>,
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Reads `application/x-www-form-urlencoded`; of a repeated field the last counts.
pub(crate) fn form(body: &[u8]) -> Form {
    url::form_urlencoded::parse(body).into_owned().collect()
}

/// Judges a token request and issues a token: client credentials (secret in form or Basic header, or a client assertion),
/// refresh token, or the signed assertion of a service account. `endpoint` is the path of the token endpoint.
pub(crate) fn grant(
    sim: &Sim,
    provider: Provider,
    endpoint: &str,
    (headers, form): (&HeaderMap, &Form),
) -> Result<Granted, Refused> {
    let audience = format!("{}{endpoint}", sim.base_url(provider));
    let refresh_token = match form.get("grant_type").map(String::as_str) {
        None => return Err(Refused::InvalidRequest),
        Some("client_credentials") => {
            check_client(sim, headers, form, &audience)?;
            None
        }
        Some("refresh_token") => {
            check_client(sim, headers, form, &audience)?;
            let token = form.get("refresh_token").ok_or(Refused::InvalidRequest)?;
            refreshed(sim, provider, token)?
        }
        Some(JWT_BEARER) => {
            let assertion = form.get("assertion").ok_or(Refused::InvalidRequest)?;
            check_service_account(sim, assertion, &audience)?;
            None
        }
        Some(_) => return Err(Refused::UnsupportedGrantType),
    };
    Ok(Granted {
        access_token: sim.issue_token(provider),
        refresh_token,
    })
}

fn refreshed(sim: &Sim, provider: Provider, token: &str) -> Result<Option<String>, Refused> {
    let vault = sim.vault();
    let known = token == sim.options().refresh_token || vault.is_refresh_token(token);
    if !known || vault.is_revoked(token) {
        return Err(Refused::InvalidGrant);
    }
    let replaced =
        provider == Provider::OneDrive && sim.options().credentials.refresh_tokens == RefreshTokens::Replaced;
    Ok(replaced.then(|| vault.next_refresh_token(sim.options().seed)))
}

fn check_client(sim: &Sim, headers: &HeaderMap, form: &Form, audience: &str) -> Result<(), Refused> {
    let options = sim.options();
    let (id, secret) = basic(headers)
        .unwrap_or_else(|| (form.get("client_id").cloned(), form.get("client_secret").cloned()));
    let proven = match form.get("client_assertion") {
        Some(assertion) => {
            form.get("client_assertion_type").map(String::as_str) == Some(CLIENT_ASSERTION)
                && (sim.vault().is_federated(assertion) || is_statement_of_client(sim, assertion, audience))
        }
        None => match options.credentials.client {
            ClientKind::Confidential => secret.as_deref() == Some(&*options.client_secret),
            ClientKind::Public => secret.is_none(),
        },
    };
    if proven && id.as_deref() == Some(&*options.client_id) {
        Ok(())
    } else {
        Err(Refused::InvalidClient)
    }
}

/// A statement by which the client proves that it holds the key of one of its certificates.
fn is_statement_of_client(sim: &Sim, assertion: &str, audience: &str) -> bool {
    let Some(statement) = Statement::read(assertion) else {
        return false;
    };
    let options = sim.options();
    let named = statement.header.get("x5t#S256").and_then(|named| named.as_str());
    let certificate = options
        .credentials
        .certificates
        .iter()
        .find(|certificate| named == Some(&*thumbprint(certificate)));
    let client = Some(&*options.client_id);
    certificate.is_some_and(|certificate| statement.is_signed_by(certificate, &["PS256", "RS256"]))
        && statement.text("aud") == Some(audience)
        && (statement.text("iss"), statement.text("sub")) == (client, client)
        && is_alive(sim, &statement, "nbf", LIVES.0)
        && statement.text("jti").is_some_and(|id| sim.vault().first_use(id))
}

/// A statement of a service account, signed with its key or by the IAM service.
fn check_service_account(sim: &Sim, assertion: &str, audience: &str) -> Result<(), Refused> {
    let account = sim.options().credentials.service_account.as_ref();
    let account = account.ok_or(Refused::InvalidGrant)?;
    let statement = Statement::read(assertion).ok_or(Refused::InvalidGrant)?;
    let signed =
        sim.vault().has_signed(assertion) || statement.is_signed_by(&account.certificate, &["RS256"]);
    let good = signed
        && statement.text("iss") == Some(&*account.email)
        && statement.text("aud") == Some(audience)
        && is_alive(sim, &statement, "iat", LIVES.1);
    if !good {
        return Err(Refused::InvalidGrant);
    }
    let Some(subject) = statement.text("sub") else {
        return Ok(());
    };
    let mut scopes = statement.text("scope").unwrap_or_default().split(' ');
    let delegated = account.subjects.iter().any(|known| known == subject)
        && scopes.all(|scope| account.scopes.iter().any(|known| known == scope));
    if delegated {
        Ok(())
    } else {
        Err(Refused::UnauthorizedClient)
    }
}

/// Whether a statement is of now, and not made to live for ever.
fn is_alive(sim: &Sim, statement: &Statement<'_>, from: &str, life: i64) -> bool {
    let now = sim.now().as_second();
    match (statement.second(from), statement.second("exp")) {
        (Some(from), Some(until)) => from <= now && now < until && until - from <= life,
        _ => false,
    }
}

fn basic(headers: &HeaderMap) -> Option<(Option<String>, Option<String>)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let text = String::from_utf8(STANDARD.decode(value.strip_prefix("Basic ")?).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((Some(id.to_owned()), Some(secret.to_owned())))
}
