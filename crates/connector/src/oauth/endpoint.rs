//! The token endpoint: what is sent there and what its answers mean.

use std::{future::Future, pin::Pin};

use bytes::Bytes;
use oauth2::{
    AsyncHttpClient, HttpRequest, HttpResponse, RequestTokenError, TokenResponse,
    basic::{BasicErrorResponse, BasicErrorResponseType, BasicTokenResponse},
};
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use super::{Granted, OAuth, OPERATION};
use crate::{
    error::{ConnectorError, ErrorKind},
    http::{Answer, ErrorReader, Failure, HeaderMap},
    request::{Body, Method, Request},
};

const FORM: &str = "application/x-www-form-urlencoded";
const MAX_CODE_CHARS: usize = 60;

/// Lets the `oauth2` crate send over our own way.
pub(super) struct Endpoint<'o>(pub(super) &'o OAuth);

impl<'c> AsyncHttpClient<'c> for Endpoint<'_> {
    type Error = ConnectorError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, ConnectorError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let request = self.0.form(request.into_body());
            // Read as JSON here, so that an answer that was cut off is asked for again.
            let (_, answer) = self.0.http.send_json::<serde::de::IgnoredAny>(&request).await?;
            // A bare response: the crate refuses JSON that is not called so, which Dropbox's (`text/javascript`) is not.
            Ok(HttpResponse::new(answer.body.to_vec()))
        })
    }
}

impl OAuth {
    /// Posts a form and reads the answer.
    pub(super) async fn post<T: DeserializeOwned>(&self, form: Vec<u8>) -> Result<T, ConnectorError> {
        let (value, _) = self.http.send_json(&self.form(form)).await?;
        Ok(value)
    }

    pub(super) fn granted(
        &self,
        answer: Result<BasicTokenResponse, RequestTokenError<ConnectorError, BasicErrorResponse>>,
    ) -> Result<Granted, ConnectorError> {
        match answer {
            Ok(answer) => Ok(Granted::from(&answer)),
            Err(RequestTokenError::Request(error)) => Err(error),
            // The crate's own messages may quote the answer, and with it the token.
            Err(_) => Err(self
                .error(ErrorKind::Malformed)
                .with_code("no access token in the answer")),
        }
    }

    fn form(&self, form: Vec<u8>) -> Request {
        Request {
            operation: OPERATION,
            method: Method::Post,
            url: self.token_url.clone(),
            headers: vec![("accept", "application/json".to_owned())],
            body: Body::Bytes {
                content_type: FORM.to_owned(),
                bytes: Bytes::from(form),
            },
            units: 0,
            download: None,
        }
    }
}

impl From<&BasicTokenResponse> for Granted {
    fn from(answer: &BasicTokenResponse) -> Self {
        let secret = |text: &str| SecretString::from(text);
        Self {
            token: secret(answer.access_token().secret()),
            life: answer.expires_in(),
            refresh_token: answer.refresh_token().map(|token| secret(token.secret())),
        }
    }
}

/// Reads refusals of a token endpoint (RFC 6749 §5.2).
pub(super) struct OAuthErrors;

impl ErrorReader for OAuthErrors {
    fn read(&self, answer: &Answer, _operation: &'static str) -> Option<Failure> {
        if (200..300).contains(&answer.status) {
            return None;
        }
        let refusal: Option<BasicErrorResponse> = serde_json::from_slice(&answer.body).ok();
        let kind = classify(answer.status, refusal.as_ref().map(BasicErrorResponse::error));
        Some(Failure {
            kind,
            code: refusal.as_ref().and_then(code),
        })
    }

    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        ["x-ms-request-id", "x-dropbox-request-id", "x-request-id"]
            .iter()
            .find_map(|name| headers.get(*name)?.to_str().ok())
            .map(str::to_owned)
    }
}

fn classify(status: u16, error: Option<&BasicErrorResponseType>) -> ErrorKind {
    let unavailable = ErrorKind::Unavailable { retry_after: None };
    match (status, error) {
        (429, _) => ErrorKind::RateLimited { retry_after: None },
        (408 | 500.., _) => unavailable,
        (_, Some(BasicErrorResponseType::Extension(name)))
            if matches!(name.as_str(), "temporarily_unavailable" | "server_error") =>
        {
            unavailable
        }
        (
            _,
            Some(
                BasicErrorResponseType::InvalidGrant
                | BasicErrorResponseType::InvalidClient
                | BasicErrorResponseType::UnauthorizedClient,
            ),
        )
        | (401, _) => ErrorKind::Unauthorized,
        (403, _) => ErrorKind::PermissionDenied,
        // The rest (unknown scope, unknown tenant, wrong address) only a change of the configuration can mend.
        _ => ErrorKind::Config,
    }
}

/// The error, and the provider's own number for it where the description begins with one, as in `AADSTS7000222: The provided …`.
fn code(refusal: &BasicErrorResponse) -> Option<String> {
    let number = refusal
        .error_description()
        .and_then(|text| text.split_once(':'))
        .map(|(head, _)| head)
        .filter(|head| head.ends_with(|last: char| last.is_ascii_digit()))
        .filter(|head| head.len() <= 20 && head.chars().all(|c| c.is_ascii_alphanumeric()));
    let error = refusal.error().as_ref();
    // Only what is a code; a proxy may write anything there.
    if !error.chars().all(|c| c.is_ascii_graphic()) {
        return None;
    }
    let error: String = error.chars().take(MAX_CODE_CHARS).collect();
    Some(match number {
        Some(number) => format!("{error} {number}"),
        None => error,
    })
}
