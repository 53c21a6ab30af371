//! `$batch`: up to 20 requests at once, answered in any order.

use std::collections::BTreeMap;

use axum::http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::{Answer, Problem};
use super::route::Route;
use super::{Asked, Face};
use crate::fault::FaultKind;
use crate::sim::{Call, Provider};

const LIMIT: usize = 20;

#[derive(Deserialize)]
struct Batch {
    requests: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    depends_on: Vec<String>,
}

impl Face {
    pub(super) fn batch(&self, body: &[u8]) -> Result<Answer, Problem> {
        let refuse = |why: &str| Problem::new(StatusCode::BAD_REQUEST, "BadRequest", why);
        let batch: Batch = serde_json::from_slice(body)
            .map_err(|why| refuse(&format!("Invalid batch payload format: {why}")))?;
        if batch.requests.is_empty() || batch.requests.len() > LIMIT {
            return Err(refuse(
                "Number of batch request steps exceeds the maximum value of 20.",
            ));
        }
        let mut statuses: BTreeMap<&str, StatusCode> = BTreeMap::new();
        let mut answers = Vec::new();
        for part in &batch.requests {
            let failed = |id: &String| statuses.get(&**id).is_none_or(StatusCode::is_client_error);
            let answer = if part.depends_on.iter().any(failed) {
                self.failed_dependency()
            } else {
                self.part(part)
            };
            if statuses.insert(&part.id, answer.status).is_some() {
                return Err(refuse("Request ids of a batch must be unique."));
            }
            answers.push(answer.into_part(&part.id));
        }
        self.shuffle(&mut answers);
        Ok(Answer::ok(json!({ "responses": answers })))
    }

    fn part(&self, part: &Part) -> Answer {
        let url = part.url.trim_start_matches('/');
        let (path, query) = match url.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (url, None),
        };
        let route = Route::of(&format!("/v1.0/{path}"));
        let call = self.sim.begin(Provider::OneDrive, route.operation());
        let fires = || self.sim.fires(&call, FaultKind::BatchInner429).map(|_| 1);
        if let Some(wait) = self.sim.charge(&call, &part.url).or_else(fires) {
            let problem = Problem::throttled().with(header::RETRY_AFTER, wait.to_string());
            return problem.into_answer(&self.sim, &call);
        }
        if self.sim.fires(&call, FaultKind::BatchInner424).is_some() {
            return self.failed_dependency();
        }
        let asked = Asked {
            call: &call,
            query,
            wants_shortcuts: false,
        };
        let answer = match part.method.as_str() {
            "GET" if route == Route::Batch => Err(Problem::segment("$batch")),
            "GET" => self.resource(&asked, route),
            _ => Err(Problem::method()),
        };
        answer.unwrap_or_else(|problem| problem.into_answer(&self.sim, &call))
    }

    fn failed_dependency(&self) -> Answer {
        let call: Call = self.sim.begin(Provider::OneDrive, "other");
        let message = "A request this one depends on failed.";
        Problem::new(StatusCode::FAILED_DEPENDENCY, "FailedDependency", message).into_answer(&self.sim, &call)
    }

    /// Any order, by the seed (Fisher and Yates).
    fn shuffle(&self, answers: &mut [Value]) {
        for last in (1..answers.len()).rev() {
            let other = self.sim.random() % (last as u64 + 1);
            answers.swap(last, other as usize);
        }
    }
}
