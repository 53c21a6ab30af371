//! What the control port refuses, and how it says so.

use std::error::Error;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::error::SimulatorError;

/// Why a request to the control port is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("the body does not say what to do: {0}")]
    Body(String),
    #[error("the query does not say what to tell: {0}")]
    Query(String),
    #[error("no such route")]
    NoRoute,
    #[error("the route does not take this method")]
    Method,
    #[error("the simulator is stopping")]
    Stopped,
    #[error(transparent)]
    Simulator(#[from] SimulatorError),
}

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Stopped => StatusCode::SERVICE_UNAVAILABLE,
            // The journal is wrong, not the request.
            Self::Simulator(SimulatorError::Edit { .. }) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Body(_) | Self::Query(_) | Self::Simulator(_) => StatusCode::BAD_REQUEST,
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Body(_) => {
                "POST /advance takes {\"to\": \"2026-01-02T03:04:05Z\"} or {\"edits\": 10}; POST /faults takes a list of plans; POST /quota takes {\"times\": 1}"
            }
            Self::Query(_) => {
                "give provider, folder and polls=T0,T1,.. (ascending) to /truth/could-tell, folder and until=T to /truth/happened"
            }
            Self::NoRoute | Self::Method => {
                "routes: GET /status, POST /advance, POST and DELETE /faults, POST /quota, POST /reset-counters, GET /truth/could-tell, GET /truth/happened"
            }
            Self::Stopped => "start a new simulator",
            Self::Simulator(error) => error.hint(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut text = self.to_string();
        // A transparent error's source is the inner error's.
        let mut source = self.source();
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        let body = json!({ "error": text, "hint": self.hint() });
        (self.status(), Json(body)).into_response()
    }
}
