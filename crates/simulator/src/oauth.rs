//! The parts of OAuth 2.0 (RFC 6749, 6750, 7523) that the three token endpoints share. Signatures of assertions are not
//! checked; everything else a client can get wrong is.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::sim::{Provider, Sim};

/// `grant_type` of RFC 7523.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The form fields of a token request.
pub(crate) type Form = BTreeMap<String, String>;

/// Why a token request is refused (RFC 6749 §5.2); `word` is the value of `error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnsupportedGrantType,
}

impl Refused {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnsupportedGrantType => "unsupported_grant_type",
        }
    }
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
/// refresh token, or a signed assertion.
pub(crate) fn grant(
    sim: &Sim,
    provider: Provider,
    headers: &HeaderMap,
    form: &Form,
) -> Result<String, Refused> {
    match form.get("grant_type").map(String::as_str) {
        None => Err(Refused::InvalidRequest),
        Some("client_credentials") => check_client(sim, headers, form),
        Some("refresh_token") => check_client(sim, headers, form).and_then(|()| {
            let good = form.get("refresh_token") == Some(&sim.options().refresh_token);
            if good { Ok(()) } else { Err(Refused::InvalidGrant) }
        }),
        Some(JWT_BEARER) => form
            .get("assertion")
            .and_then(|jwt| claims(jwt))
            .map(|_| ())
            .ok_or(Refused::InvalidGrant),
        Some(_) => Err(Refused::UnsupportedGrantType),
    }?;
    Ok(sim.issue_token(provider))
}

/// The claims of a JSON Web Token, not verified.
pub(crate) fn claims(jwt: &str) -> Option<Value> {
    let mut parts = jwt.split('.');
    let (_head, body, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = URL_SAFE_NO_PAD.decode(body).ok()?;
    serde_json::from_slice(&bytes).ok().filter(Value::is_object)
}

fn check_client(sim: &Sim, headers: &HeaderMap, form: &Form) -> Result<(), Refused> {
    let options = sim.options();
    let (id, secret) = basic(headers)
        .unwrap_or_else(|| (form.get("client_id").cloned(), form.get("client_secret").cloned()));
    let asserted = form
        .get("client_assertion")
        .is_some_and(|jwt| claims(jwt).is_some());
    let known = id.as_deref() == Some(&*options.client_id);
    if known && (asserted || secret.as_deref() == Some(&*options.client_secret)) {
        Ok(())
    } else {
        Err(Refused::InvalidClient)
    }
}

fn basic(headers: &HeaderMap) -> Option<(Option<String>, Option<String>)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let text = String::from_utf8(STANDARD.decode(value.strip_prefix("Basic ")?).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((Some(id.to_owned()), Some(secret.to_owned())))
}
