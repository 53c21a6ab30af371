//! What comes back.

use bytes::Bytes;
use reqwest::header::{DATE, HeaderMap};

use crate::{error::ErrorKind, retry::http_date, time::Timestamp};

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, decompressed.
    pub body: Bytes,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// The provider's clock when it answered (`Date`, whole seconds).
    pub date: Option<Timestamp>,
}

/// Knows how a provider says no.
pub trait ErrorReader: Send + Sync {
    /// What is wrong with an answer; `None` for a good one, whatever its status. `Retry-After` need not be read: it is added where the
    /// kind has room for it.
    fn read(&self, answer: &Answer, operation: &'static str) -> Option<Failure>;

    /// The provider's id of the request.
    fn request_id(&self, headers: &HeaderMap) -> Option<String>;
}

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Kind of failure.
    pub kind: ErrorKind,
    /// The provider's error code or reason; no names, paths or bodies.
    pub code: Option<String>,
}

impl Answer {
    pub(super) fn new(status: u16, headers: HeaderMap, body: Bytes, reader: &dyn ErrorReader) -> Self {
        Self {
            status,
            request_id: reader.request_id(&headers),
            date: date(&headers),
            headers,
            body,
        }
    }
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(DATE)?.to_str().ok()?)
}
