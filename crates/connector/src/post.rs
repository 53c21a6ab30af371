//! One question with a body to a service that is no provider, such as a time-stamping authority: no token, no retry, no redirect.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Client, header::CONTENT_TYPE, redirect::Policy};
use url::Url;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostError {
    /// The service could not be asked.
    #[error("{host} could not be asked")]
    Send {
        /// Scheme, host and port.
        host: String,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// The service answered with another status than 200.
    #[error("{host} answered HTTP {status}")]
    Status {
        /// Scheme, host and port.
        host: String,
        /// The status.
        status: u16,
    },
    /// The answer is larger than allowed.
    #[error("answer of {host} is larger than {limit} bytes")]
    TooLarge {
        /// Scheme, host and port.
        host: String,
        /// What is allowed.
        limit: usize,
    },
}

/// Sends `body` and reads at most `limit` bytes of the answer.
pub async fn post(
    url: &Url,
    content_type: &str,
    body: Vec<u8>,
    (limit, timeout): (usize, Duration),
) -> Result<Bytes, PostError> {
    let host = || url.origin().ascii_serialization();
    let failed = |source: reqwest::Error| PostError::Send {
        host: host(),
        source: source.without_url(),
    };
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else may install one at the same moment; any will do.
        let _already = rustls::crypto::ring::default_provider().install_default();
    }
    let client = Client::builder()
        .user_agent(concat!("revtrail/", env!("CARGO_PKG_VERSION")))
        .timeout(timeout)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .build()
        .map_err(failed)?;
    let request = client.post(url.clone()).header(CONTENT_TYPE, content_type);
    let mut answer = request.body(body).send().await.map_err(failed)?;
    if answer.status().as_u16() != 200 {
        return Err(PostError::Status {
            host: host(),
            status: answer.status().as_u16(),
        });
    }
    let mut bytes = BytesMut::new();
    while let Some(part) = answer.chunk().await.map_err(failed)? {
        if bytes.len() + part.len() > limit {
            return Err(PostError::TooLarge { host: host(), limit });
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes.freeze())
}
