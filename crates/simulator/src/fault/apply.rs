//! The middleware around every face: counts, refuses, spoils bodies, and puts the virtual date on every answer.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{Fault, FaultKind};
use crate::error::SimulatorError;
use crate::quota;
use crate::sim::{Call, Provider, Sim};

/// What the middleware needs to know about a face.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) sim: Arc<Sim>,
    pub(crate) provider: Provider,
    pub(crate) operation: fn(&Parts) -> &'static str,
    pub(crate) refusal: fn(&Fault, &Call) -> Response,
}

/// Handles one request: handlers find a [`Call`] among the request's extensions.
pub(crate) async fn apply(State(door): State<Door>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let call = door.sim.begin(door.provider, (door.operation)(&parts));
    door.sim.ledger().count(door.provider);
    parts.extensions.insert(call.clone());
    let latency = door.sim.options().latency;
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let beyond = quota::refuse(&door, &call, &parts);
    let mut answer = if let Some(refusal) = beyond.or_else(|| refuse(&door, &call)) {
        refusal
    } else {
        expire(&door, &call, &parts.headers);
        let answer = next.run(Request::from_parts(parts, body)).await;
        spoil(&door.sim, &call, answer).await
    };
    if let Err(impossible) = go_on(&door.sim, &call) {
        answer = (StatusCode::INTERNAL_SERVER_ERROR, impossible.to_string()).into_response();
    }
    let headers = answer.headers_mut();
    quota::announce(&door, headers);
    // The date of the answer is the world's, so that a client can bound what it saw; hyper adds its own only if none is set.
    set(headers, header::DATE, &http_date(&door.sim));
    if let Some(name) = door.provider.request_id_header() {
        set(headers, HeaderName::from_static(name), &call.request_id);
    }
    answer
}

fn refuse(door: &Door, call: &Call) -> Option<Response> {
    let kinds = [
        FaultKind::Throttle429,
        FaultKind::DriveRateLimit403,
        FaultKind::Unavailable503,
        FaultKind::Internal500,
        FaultKind::Timeout504,
    ];
    // Where tokens are given out, nobody counts Drive's units.
    let can = |kind: &FaultKind| *kind != FaultKind::DriveRateLimit403 || call.operation != "token";
    let mut kinds = kinds.into_iter().filter(can);
    let fault = kinds.find_map(|kind| door.sim.fires(call, kind))?;
    let mut answer = (door.refusal)(&fault, call);
    if let Some(wait) = fault.retry_after() {
        set(answer.headers_mut(), header::RETRY_AFTER, wait);
    }
    Some(answer)
}

/// Lets happen what is to happen before the next request.
fn go_on(sim: &Sim, call: &Call) -> Result<(), SimulatorError> {
    if let Some(Fault::Meanwhile { edits }) = sim.fires(call, FaultKind::Meanwhile) {
        sim.advance_edits(edits)?;
    }
    Ok(())
}

fn expire(door: &Door, call: &Call, headers: &HeaderMap) {
    let Some(token) = crate::oauth::bearer(headers) else {
        return;
    };
    if call.operation != "token" && door.sim.fires(call, FaultKind::ExpiredToken).is_some() {
        door.sim.expire_token(token);
    }
}

/// Faults of the body; they need a successful JSON answer.
async fn spoil(sim: &Sim, call: &Call, answer: Response) -> Response {
    // Contents may be JSON, too, and are bytes all the same.
    if call.operation == "content" && answer.status().is_success() {
        return change_byte(sim, call, answer).await;
    }
    let kind = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !answer.status().is_success()
        || !(kind.starts_with("application/json") || kind.starts_with("text/javascript"))
    {
        return answer;
    }
    let fires = |kind| sim.fires(call, kind).is_some();
    let (unknown, other, cut, reset) = (
        fires(FaultKind::UnknownFields),
        fires(FaultKind::OtherShape),
        fires(FaultKind::TruncatedJson),
        fires(FaultKind::ResetMidBody),
    );
    if !(unknown || other || cut || reset) {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let mut bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    if unknown {
        bytes = with_unknown_fields(&bytes);
    }
    if other {
        bytes = Bytes::from_static(br#"{"answer":"of another question"}"#);
    }
    let half = bytes.slice(..bytes.len() / 2);
    if cut {
        bytes = half.clone();
    }
    set(
        &mut parts.headers,
        header::CONTENT_LENGTH,
        &bytes.len().to_string(),
    );
    let body = if reset {
        broken_off(half)
    } else {
        Body::from(bytes)
    };
    Response::from_parts(parts, body)
}

/// The first byte of contents, changed.
async fn change_byte(sim: &Sim, call: &Call, answer: Response) -> Response {
    if sim.fires(call, FaultKind::WrongBytes).is_none() {
        return answer;
    }
    let (parts, body) = answer.into_parts();
    let mut bytes = to_bytes(body, usize::MAX).await.unwrap_or_default().to_vec();
    if let Some(first) = bytes.first_mut() {
        *first ^= 0xff;
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// A body that fails after `half`: the server closes the connection with the declared length not met.
fn broken_off(half: Bytes) -> Body {
    let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    Body::from_stream(futures::stream::iter([Ok(half), Err(reset)]))
}

fn with_unknown_fields(bytes: &Bytes) -> Bytes {
    let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else {
        return bytes.clone();
    };
    add_unknown(&mut value);
    Bytes::from(value.to_string())
}

fn add_unknown(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(add_unknown);
            fields.insert(
                "simulatedNewField".to_owned(),
                json!({"since": 2026, "values": ["a", null]}),
            );
        }
        Value::Array(values) => values.iter_mut().for_each(add_unknown),
        _ => {}
    }
}

/// The world's present as IMF-fixdate (RFC 9110 §5.6.7), whole seconds, cut off.
pub(crate) fn http_date(sim: &Sim) -> String {
    sim.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
