//! The token endpoint, and the check of tokens.

use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::Face;
use super::problem::{Answer, Problem};
use crate::audit::Audience;
use crate::oauth::{self, Refused};
use crate::sim::{Call, Provider, TokenProblem};

impl Face {
    /// Answers a token request.
    pub(super) fn login(&self, call: &Call, path: &str, headers: &HeaderMap, body: &[u8]) -> Answer {
        let form = oauth::form(body);
        let app_only = form.get("grant_type").map(String::as_str) == Some("client_credentials");
        let whole = form
            .get("scope")
            .is_some_and(|scope| scope.ends_with("/.default"));
        if app_only && !whole {
            let about = "AADSTS1002012: The provided value for scope is not valid.";
            return self.refused(call, ("invalid_scope", 1_002_012, about));
        }
        match oauth::grant(&self.sim, Provider::OneDrive, path, (headers, &form)) {
            Ok(granted) => {
                let audience = self.audience(form.get("scope").map_or("", String::as_str));
                self.sim
                    .subscription()
                    .note_token(&granted.access_token, audience);
                let mut answer = Answer::ok(json!({
                    "token_type": "Bearer",
                    "expires_in": 3599,
                    "ext_expires_in": 3599,
                    "access_token": granted.access_token,
                }));
                if let Some(token) = granted.refresh_token {
                    answer.body["refresh_token"] = token.into();
                }
                answer
            }
            Err(why) => self.refused(call, (why.word(), number(why), about(why))),
        }
    }

    /// What a token with this scope is for: the audit log has a host of its own in each cloud.
    fn audience(&self, scope: &str) -> Audience {
        if scope.contains("://manage.") || scope.contains("://manage-") {
            Audience::Audit
        } else if scope.starts_with(self.base()) {
            Audience::Both
        } else {
            Audience::Drive
        }
    }

    fn refused(&self, call: &Call, (word, number, about): (&str, u32, &str)) -> Answer {
        let time = self.sim.now().strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let mut answer = Answer::ok(login_error(call, word, about));
        answer.body["error_codes"] = json!([number]);
        answer.body["timestamp"] = time.into();
        answer.status = if word == "invalid_client" {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::BAD_REQUEST
        };
        answer
    }

    /// Lets requests with a good token through.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let checked = self.sim.check_token(Provider::OneDrive, oauth::bearer(headers));
        let audience = oauth::bearer(headers).map(|token| self.sim.subscription().audience(token));
        let message = match checked {
            Ok(()) if audience == Some(Audience::Audit) => {
                "Access token validation failure. Invalid audience."
            }
            Ok(()) => return Ok(()),
            Err(TokenProblem::Missing) => "Access token is empty.",
            Err(TokenProblem::Unknown) => "Access token validation failure.",
            Err(TokenProblem::Expired) => "Lifetime validation failed, the token is expired.",
        };
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message);
        Err(problem.with(header::WWW_AUTHENTICATE, "Bearer realm=\"\""))
    }
}

/// Body of a refusal by the login service.
pub(super) fn login_error(call: &Call, word: &str, about: &str) -> Value {
    json!({
        "error": word,
        "error_description": about,
        "trace_id": call.request_id,
        "correlation_id": call.request_id,
    })
}

fn number(why: Refused) -> u32 {
    match why {
        Refused::InvalidRequest => 900_144,
        Refused::InvalidClient => 7_000_215,
        Refused::InvalidGrant => 70_000,
        Refused::UnauthorizedClient => 700_016,
        Refused::UnsupportedGrantType => 70_003,
    }
}

fn about(why: Refused) -> &'static str {
    match why {
        Refused::InvalidRequest => "AADSTS900144: The request body lacks a required parameter.",
        Refused::InvalidClient => "AADSTS7000215: Invalid client secret provided.",
        Refused::InvalidGrant => "AADSTS70000: The provided grant is not valid.",
        Refused::UnauthorizedClient => "AADSTS700016: The application was not found in the directory.",
        Refused::UnsupportedGrantType => "AADSTS70003: The grant type is not supported.",
    }
}
