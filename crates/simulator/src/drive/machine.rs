//! What a program on Google Cloud finds beside the API: the metadata server, and the service that signs for service accounts.

use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::problem::{Answer, Problem};
use crate::oauth;
use crate::sim::{Provider, Sim};

const METADATA: &str = "/computeMetadata/v1/instance/service-accounts/";
const SIGN: &str = "/v1/projects/-/serviceAccounts/";
const CLOUD_SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

pub(super) fn is_metadata(path: &str) -> bool {
    path.starts_with(METADATA)
}

pub(super) fn is_sign(path: &str) -> bool {
    path.starts_with(SIGN)
}

/// The answer, when the request is for one of the two.
pub(super) fn answer(sim: &Sim, parts: &Parts, body: &[u8]) -> Option<Answer> {
    let path = parts.uri.path();
    let named = |name: &str| {
        let account = sim.options().credentials.service_account.as_ref()?;
        (name == account.email || name == "default").then(|| account.email.clone())
    };
    if let Some(rest) = path.strip_prefix(METADATA) {
        let email = rest.strip_suffix("/token").and_then(named);
        return Some(metadata(sim, parts, email.as_deref()));
    }
    let email = path.strip_prefix(SIGN)?.strip_suffix(":signJwt").and_then(named);
    Some(sign(sim, parts, body, email.as_deref()))
}

fn metadata(sim: &Sim, parts: &Parts, email: Option<&str>) -> Answer {
    let flavored = parts
        .headers
        .get("metadata-flavor")
        .is_some_and(|flavor| flavor == "Google");
    if parts.method != Method::GET || !flavored {
        return text(StatusCode::FORBIDDEN, "Missing Metadata-Flavor:Google header.");
    }
    if email.is_none() {
        return text(StatusCode::NOT_FOUND, "Not Found");
    }
    let query = oauth::form(parts.uri.query().unwrap_or_default().as_bytes());
    let scopes = query.get("scopes").map(String::as_str).unwrap_or_default();
    // A token is for what was asked: one for the cloud opens no files.
    let token = if scopes == CLOUD_SCOPE {
        sim.vault().cloud_token(sim.options().seed)
    } else {
        sim.issue_token(Provider::GoogleDrive)
    };
    let body = json!({ "access_token": token, "expires_in": 3599, "token_type": "Bearer" });
    Answer::json(StatusCode::OK, &body)
}

fn sign(sim: &Sim, parts: &Parts, body: &[u8], email: Option<&str>) -> Answer {
    let may = oauth::bearer(&parts.headers).is_some_and(|token| sim.vault().is_cloud_token(token));
    if !may {
        return Problem::credentials().into();
    }
    let refused = |status: StatusCode, code: &str, message: &str| {
        let error = json!({ "code": status.as_u16(), "message": message, "status": code });
        Answer::json(status, &json!({ "error": error }))
    };
    if email.is_none() {
        let message = "Permission 'iam.serviceAccounts.signJwt' denied on resource (or it may not exist).";
        return refused(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message);
    }
    let asked: Option<Value> = serde_json::from_slice(body).ok();
    let payload = asked.as_ref().and_then(|asked| asked.get("payload")?.as_str());
    let claims = payload
        .filter(|payload| serde_json::from_str::<Value>(payload).is_ok_and(|claims| claims.is_object()));
    match claims {
        Some(claims) => {
            let body = json!({ "keyId": "iam", "signedJwt": sim.vault().sign(claims) });
            Answer::json(StatusCode::OK, &body)
        }
        None => refused(
            StatusCode::BAD_REQUEST,
            "INVALID_ARGUMENT",
            "Payload is not a JSON object.",
        ),
    }
}

fn text(status: StatusCode, body: &str) -> Answer {
    Answer {
        status,
        kind: "text/html".to_owned(),
        body: body.as_bytes().to_vec(),
    }
}
