//! A request to a provider. Every request is a read and may be sent again.

use bytes::Bytes;
use url::Url;

/// A request, as often as it takes to have it answered.
#[derive(Debug, Clone)]
pub struct Request {
    /// What it does, for counters, logs and errors, for example `drive.changes`.
    pub operation: &'static str,
    /// How it is sent.
    pub method: Method,
    /// Where to. Must have one of the configured origins.
    pub url: Url,
    /// Headers besides those [`crate::http::Http`] sets itself (authorization, user agent, content type). No secrets.
    pub headers: Vec<(&'static str, String)>,
    /// What is sent along.
    pub body: Body,
    /// What it costs in the provider's own units, for pacing.
    pub units: u32,
    /// Set for contents of files: a good answer has at most so many bytes and may come from a host that serves downloads.
    pub download: Option<usize>,
}

/// How a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST, for questions that need a body.
    Post,
}

/// What is sent along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    Empty,
    /// JSON text.
    Json(String),
    /// Something else.
    Bytes {
        /// Media type.
        content_type: String,
        /// The bytes.
        bytes: Bytes,
    },
}

impl Request {
    /// A GET of one unit.
    pub fn get(operation: &'static str, url: Url) -> Self {
        Self {
            operation,
            method: Method::Get,
            url,
            headers: Vec::new(),
            body: Body::Empty,
            units: 1,
            download: None,
        }
    }

    /// A POST of JSON text, of one unit.
    pub fn post_json(operation: &'static str, url: Url, json: String) -> Self {
        Self {
            method: Method::Post,
            body: Body::Json(json),
            ..Self::get(operation, url)
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sets the cost.
    #[must_use]
    pub fn units(mut self, units: u32) -> Self {
        self.units = units;
        self
    }
}
