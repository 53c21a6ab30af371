//! One attempt: out, through redirects that are allowed, and back.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{
    RequestBuilder, Response,
    header::{AUTHORIZATION, CONTENT_TYPE, LOCATION},
};
use secrecy::SecretString;
use url::Url;

use super::{Answer, Failure, Http};
use crate::{
    error::{ConnectorError, ErrorKind},
    hosts::foreign,
    oauth::authorization,
    pacing::Allowance,
    request::{Body, Method, Request},
    retry::retry_after,
};

const MAX_REDIRECTS: usize = 5;
/// Contents may take this many times as long as an answer.
const DOWNLOAD_TIMEOUTS: u32 = 5;
/// Code of an answer that was given up because it is larger than was asked for.
pub(super) const TOO_LARGE: &str = "content exceeds the limit";

impl Http {
    /// Sends a request once and follows redirects. Every error is one of the request, also of those that could not be sent.
    pub(super) async fn exchange(
        &self,
        request: &Request,
        token: Option<&SecretString>,
    ) -> Result<Answer, ConnectorError> {
        let mut url = request.url.clone();
        let mut token = token;
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.hop(request, &url, token).await?;
            let Some(target) = redirect(&answer, &url) else {
                return self.judge(request, answer);
            };
            let target = target.ok_or_else(|| {
                self.about(request, &answer, ErrorKind::Malformed)
                    .with_code("redirect to no address")
            })?;
            let allowed = match request.download {
                Some(_) => self.shared.settings.hosts.allow_download(&target),
                None => self.origin_allowed(&target),
            };
            if !allowed {
                let error = self.about(request, &answer, ErrorKind::ForeignHost);
                return Err(error.with_code(foreign(&target)));
            }
            let elsewhere = target.origin() != url.origin();
            if request.method == Method::Post && (elsewhere || !matches!(answer.status, 307 | 308)) {
                let error = self.about(request, &answer, ErrorKind::Malformed);
                return Err(error.with_code("redirect of a question with a body"));
            }
            if elsewhere || request.download.is_some() {
                // The token was meant for the first host only, even when the other one is configured, too; and the addresses that
                // contents are fetched from carry their own.
                token = None;
            }
            url = target;
        }
        let error = ConnectorError::new(
            ErrorKind::Malformed,
            self.shared.settings.provider,
            request.operation,
        );
        Err(error.with_code("too many redirects"))
    }

    async fn hop(
        &self,
        request: &Request,
        url: &Url,
        token: Option<&SecretString>,
    ) -> Result<Answer, ConnectorError> {
        self.count(request.operation, 1);
        if request.units > 0 {
            *self.counters().units.entry(request.operation).or_default() += u64::from(request.units);
        }
        let response = self
            .build(request, url, token)?
            .send()
            .await
            .map_err(|error| self.broken(request, error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = self.body(request, response).await?;
        let answer = Answer::new(status, headers, body, self.shared.reader.as_ref());
        // Hosts that serve contents have no say in the pace.
        if self.origin_allowed(url)
            && let Some(allowance) = Allowance::read(&answer.headers)
        {
            self.shared.gate.spread(allowance);
        }
        if let Some(date) = answer.date {
            self.counters().last_answer = Some((date, self.shared.settings.clock.now()));
        }
        Ok(answer)
    }

    fn build(
        &self,
        request: &Request,
        url: &Url,
        token: Option<&SecretString>,
    ) -> Result<RequestBuilder, ConnectorError> {
        let client = &self.shared.client;
        let mut builder = match request.method {
            Method::Get => client.get(url.clone()),
            Method::Post => client.post(url.clone()),
        };
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        builder = match &request.body {
            Body::Empty => builder,
            Body::Json(text) => builder
                .header(CONTENT_TYPE, "application/json")
                .body(text.clone()),
            Body::Bytes { content_type, bytes } => {
                builder.header(CONTENT_TYPE, content_type).body(bytes.clone())
            }
        };
        if request.download.is_some() {
            builder = builder.timeout(self.shared.settings.timeout * DOWNLOAD_TIMEOUTS);
        }
        if let Some(token) = token {
            let value = authorization(token).ok_or_else(|| {
                ConnectorError::new(
                    ErrorKind::Malformed,
                    self.shared.settings.provider,
                    request.operation,
                )
                .with_code("access token is no header value")
            })?;
            builder = builder.header(AUTHORIZATION, value);
        }
        Ok(builder)
    }

    async fn body(&self, request: &Request, mut response: Response) -> Result<Bytes, ConnectorError> {
        let status = response.status().as_u16();
        let wanted = request.download.filter(|_| (200..300).contains(&status));
        let limit = wanted.unwrap_or(self.shared.settings.max_body_bytes);
        let told = response.content_length().unwrap_or(0);
        if let Some(limit) = wanted.filter(|limit| told > *limit as u64) {
            return Err(self.too_large(request, limit));
        }
        let request_id = self.shared.reader.request_id(response.headers());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| {
            let mut error = self.broken(request, error);
            error.status = Some(status);
            error.request_id.clone_from(&request_id);
            error
        })? {
            if wanted.is_some() && body.len() + chunk.len() > limit {
                return Err(self.too_large(request, limit));
            }
            if body.len() + chunk.len() > limit {
                let mut error = ConnectorError::new(
                    ErrorKind::Malformed,
                    self.shared.settings.provider,
                    request.operation,
                )
                .with_code(format!("body exceeds {limit} bytes"));
                error.status = Some(status);
                error.request_id = request_id;
                return Err(error);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    fn too_large(&self, request: &Request, limit: usize) -> ConnectorError {
        tracing::debug!(
            operation = request.operation,
            size.limit = limit,
            "content is not fetched"
        );
        ConnectorError::new(
            ErrorKind::NotSupported,
            self.shared.settings.provider,
            request.operation,
        )
        .with_code(TOO_LARGE)
    }

    fn judge(&self, request: &Request, answer: Answer) -> Result<Answer, ConnectorError> {
        let Some(Failure { kind, code }) = self.shared.reader.read(&answer, request.operation) else {
            return Ok(answer);
        };
        let sent_at = answer.date.unwrap_or_else(|| self.shared.settings.clock.now());
        let kind = with_wait(kind, retry_after(&answer.headers, sent_at));
        let mut error = self.about(request, &answer, kind);
        error.code = code;
        Err(error)
    }

    /// No answer, or not all of one.
    fn broken(&self, request: &Request, error: reqwest::Error) -> ConnectorError {
        let kind = if error.is_builder() {
            ErrorKind::Bug
        } else {
            ErrorKind::Unavailable { retry_after: None }
        };
        // Addresses hold names of files.
        ConnectorError::new(kind, self.shared.settings.provider, request.operation)
            .with_source(error.without_url())
    }
}

/// Where an answer sends us: `None` when it does not, `Some(None)` when it does but not where to.
#[expect(
    clippy::option_option,
    reason = "private, and both levels are told apart at the one call"
)]
fn redirect(answer: &Answer, from: &Url) -> Option<Option<Url>> {
    if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = answer.headers.get(LOCATION);
    Some(location.and_then(|value| from.join(value.to_str().ok()?).ok()))
}

/// `kind` with the longer of what its reader found and what the header asks for.
fn with_wait(kind: ErrorKind, asked: Option<Duration>) -> ErrorKind {
    match kind {
        ErrorKind::RateLimited { retry_after } => ErrorKind::RateLimited {
            retry_after: retry_after.max(asked),
        },
        ErrorKind::Unavailable { retry_after } => ErrorKind::Unavailable {
            retry_after: retry_after.max(asked),
        },
        other => other,
    }
}
