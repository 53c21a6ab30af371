//! The control port: move the world on, plan faults, count requests, ask for the truth. JSON in and out; what cannot be done
//! is answered with `{"error": .., "hint": ..}`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault::{FaultPlan, http_date};
use crate::quota::Quota;
use crate::sim::Sim;

mod problem;
mod truth;

use problem::Problem;

type Answer = Result<Json<Value>, Problem>;

/// Routes of the control port.
pub(crate) fn router(sim: Arc<Sim>) -> Router {
    let routes = Router::new()
        .route("/status", get(status))
        .route("/advance", post(advance))
        .route("/faults", post(plan_faults).delete(clear_faults))
        .route("/quota", post(set_quota))
        .route("/reset-counters", post(reset_counters))
        .route("/truth/could-tell", get(truth::could_tell))
        .route("/truth/happened", get(truth::happened))
        .route("/truth/audit", get(truth::audit_told))
        .fallback(async || Problem::NoRoute)
        .method_not_allowed_fallback(async || Problem::Method)
        .with_state(Arc::clone(&sim));
    // Wrapped whole, so that refusals carry the date, too.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn_with_state(sim, date))
}

/// The virtual present, as the faces answer it.
async fn date(State(sim): State<Arc<Sim>>, request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&http_date(&sim)) {
        answer.headers_mut().insert(header::DATE, value);
    }
    answer
}

async fn status(State(sim): State<Arc<Sim>>) -> Json<Value> {
    Json(state(&sim))
}

fn state(sim: &Sim) -> Value {
    let (now, seq, applied, left) = {
        let world = sim.world();
        (
            world.now(),
            world.seq(),
            world.edits_applied(),
            world.edits_left(),
        )
    };
    json!({
        "now": now,
        "seq": seq,
        "edits_applied": applied,
        "edits_left": left,
        "requests": sim.counts(),
        "faults_fired": sim.faults_fired(),
        "used": sim.used(),
    })
}

/// Body of `POST /advance`: one of the two.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    to: Option<Timestamp>,
    edits: Option<usize>,
}

/// Answers the new status, and how many edits were `applied`.
async fn advance(State(sim): State<Arc<Sim>>, body: Bytes) -> Answer {
    let wanted: Advance = read(&body)?;
    let applied = off_thread(move || {
        let applied = match (wanted.to, wanted.edits) {
            (Some(to), None) => sim.advance(to)?,
            (None, Some(edits)) => sim.advance_edits(edits)?,
            _ => return Err(Problem::Body("give either \"to\" or \"edits\"".to_owned())),
        };
        let mut answer = state(&sim);
        answer["applied"] = json!(applied);
        Ok(answer)
    });
    applied.await.map(Json)
}

async fn plan_faults(State(sim): State<Arc<Sim>>, body: Bytes) -> Answer {
    let plans: Vec<FaultPlan> = read(&body)?;
    let planned = plans.len();
    sim.plan_faults(plans);
    Ok(Json(json!({ "planned": planned })))
}

async fn clear_faults(State(sim): State<Arc<Sim>>) -> Json<Value> {
    sim.clear_faults();
    Json(json!({}))
}

/// Body of `POST /quota`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Times {
    times: u32,
}

async fn set_quota(State(sim): State<Arc<Sim>>, body: Bytes) -> Answer {
    let Times { times } = read(&body)?;
    sim.set_quota(Quota::PUBLISHED.times(u64::from(times)));
    Ok(Json(json!({ "times": times })))
}

async fn reset_counters(State(sim): State<Arc<Sim>>) -> Json<Value> {
    sim.reset_counts();
    Json(json!({}))
}

/// The body, whatever its declared type: a request written by hand in a terminal declares none.
fn read<T: for<'de> Deserialize<'de>>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::Body(error.to_string()))
}

/// Replays and long advances take seconds; the faces go on answering meanwhile, as far as locks allow.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(Problem::Stopped))
}

#[cfg(test)]
mod tests;
