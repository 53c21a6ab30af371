//! Version lists, twenty per `$batch`.
//!
//! The outer 200 says nothing of the parts: each has its own status and its own `Retry-After`, and comes in any order. Parts that
//! may succeed later are sent again by themselves, after the largest wait any of them asked for.

use std::{collections::BTreeMap, time::Duration};

use revtrail_connector::{
    ConnectorError, ErrorKind,
    change::{
        About, AskFailure, Completeness, Head, Presence, Revision, RevisionAnswer, RevisionAsk, RevisionList,
    },
    http::Http,
    pages::PageGuard,
    request::Request,
};
use revtrail_model::id::{DriveId, ItemId, Provider};
use serde_json::value::RawValue;
use url::Url;

use crate::{
    api::{Api, LIST_UNITS},
    error::{Refusal, classify, operation, seconds, with_wait},
    map::{self, Source},
    wire::{BatchAnswer, BatchAnswerPart, BatchPart, BatchRequest, Collection, HeaderValue},
};

/// Graph refuses more parts than this.
pub(crate) const MAX_PARTS: u8 = 20;

type Outcome = Result<RevisionList, AskFailure>;

/// One part to be answered.
struct Open<'a> {
    position: usize,
    item: &'a ItemId,
    head: Option<&'a Head>,
}

/// What one part's answer leads to.
enum Verdict {
    Done(Outcome),
    Again(AskFailure),
    /// The token ran out between the parts; asked singly, where tokens are renewed.
    Single,
}

/// Asks for version lists on one drive.
pub(crate) struct Versions<'a> {
    pub(crate) http: &'a Http,
    pub(crate) api: &'a Api,
    pub(crate) drive: &'a DriveId,
    pub(crate) patience: Patience,
}

/// How long throttled parts are tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// First wait when no part names one; doubled each round.
    pub(crate) base: Duration,
    /// Rounds in all.
    pub(crate) rounds: u32,
    /// Longest total wait.
    pub(crate) budget: Duration,
}

impl Versions<'_> {
    /// One answer per ask, in order.
    pub(crate) async fn ask(&self, asks: &[RevisionAsk]) -> Result<Vec<RevisionAnswer>, ConnectorError> {
        let mut outcomes: BTreeMap<usize, Outcome> = BTreeMap::new();
        let mut open = Vec::new();
        for (position, ask) in asks.iter().enumerate() {
            match &ask.about {
                About::Item(item) => open.push(Open {
                    position,
                    item,
                    head: ask.head.as_ref(),
                }),
                // Graph has no history of places.
                About::Place(_) => drop(outcomes.insert(position, failure(ErrorKind::NotSupported, None))),
            }
        }
        for parts in open.chunks(usize::from(MAX_PARTS)) {
            self.batch(parts, &mut outcomes).await?;
        }
        Ok((0..asks.len())
            .map(|position| RevisionAnswer {
                outcome: outcomes
                    .remove(&position)
                    .unwrap_or_else(|| failure(ErrorKind::Bug, None)),
            })
            .collect())
    }

    async fn batch(
        &self,
        parts: &[Open<'_>],
        outcomes: &mut BTreeMap<usize, Outcome>,
    ) -> Result<(), ConnectorError> {
        let mut open: Vec<&Open<'_>> = parts.iter().collect();
        let mut waited = Duration::ZERO;
        for round in 1.. {
            let mut answers = self.send(&open).await?;
            let mut again = Vec::new();
            for part in open {
                match self.judge(part, answers.remove(&part.position)).await? {
                    Verdict::Done(outcome) => drop(outcomes.insert(part.position, outcome)),
                    Verdict::Again(failure) => again.push((part, failure)),
                    Verdict::Single => drop(outcomes.insert(part.position, self.singly(part).await?)),
                }
            }
            if again.is_empty() {
                break;
            }
            let wait = self.wait(round, again.iter().map(|(_, failure)| failure));
            if round >= self.patience.rounds || waited + wait > self.patience.budget {
                outcomes.extend(
                    again
                        .into_iter()
                        .map(|(part, failure)| (part.position, Err(failure))),
                );
                break;
            }
            waited += wait;
            self.http.pause(wait).await;
            open = again.into_iter().map(|(part, _)| part).collect();
        }
        Ok(())
    }

    /// Sends one batch; answers by position, with the outer request id where a part has none of its own.
    async fn send(
        &self,
        open: &[&Open<'_>],
    ) -> Result<BTreeMap<usize, (BatchAnswerPart, Option<String>)>, ConnectorError> {
        let requests = open
            .iter()
            .map(|part| BatchPart {
                id: part.position.to_string(),
                method: "GET",
                url: self.api.within_batch(&self.api.versions(self.drive, part.item)),
            })
            .collect();
        let body = serde_json::to_string(&BatchRequest { requests }).map_err(|error| {
            ConnectorError::new(ErrorKind::Bug, Provider::OneDrive, operation::BATCH).with_source(error)
        })?;
        let units = u32::try_from(open.len()).unwrap_or(u32::MAX);
        let request = Request::post_json(operation::BATCH, self.api.batch(), body)
            .units(units.saturating_mul(LIST_UNITS));
        let (answer, outer) = self.http.send_json::<BatchAnswer>(&request).await?;
        self.http.count(operation::VERSIONS, u64::from(units));
        Ok(answer
            .responses
            .into_iter()
            .filter_map(|part| {
                let position: usize = part.id.parse().ok()?;
                let request_id = header(&part, "request-id").or_else(|| outer.request_id.clone());
                Some((position, (part, request_id)))
            })
            .collect())
    }

    async fn judge(
        &self,
        part: &Open<'_>,
        answer: Option<(BatchAnswerPart, Option<String>)>,
    ) -> Result<Verdict, ConnectorError> {
        let Some((answer, request_id)) = answer else {
            // A part left unanswered is treated like a failed dependency.
            return Ok(Verdict::Again(AskFailure {
                kind: ErrorKind::Unavailable { retry_after: None },
                status: None,
            }));
        };
        let body = answer.body.as_deref().map(RawValue::get).unwrap_or_default();
        let status = answer.status;
        if !(200..300).contains(&status) {
            let refusal = Refusal::read(body.as_bytes());
            let kind = classify(status, &refusal, operation::VERSIONS);
            let retry_after = header(&answer, "retry-after").as_deref().and_then(seconds);
            return Ok(verdict(with_wait(kind, retry_after), status));
        }
        let Ok(page) = serde_json::from_str::<Collection>(body) else {
            return Ok(Verdict::Done(failure(ErrorKind::Malformed, Some(status))));
        };
        self.list(part, page, request_id).await.map(Verdict::Done)
    }

    /// Asks for one list outside any batch.
    async fn singly(&self, part: &Open<'_>) -> Result<Outcome, ConnectorError> {
        let url = self.api.versions(self.drive, part.item);
        match self.page(url).await {
            Ok((page, request_id)) => self.list(part, page, request_id).await,
            Err(error) => isolated(error),
        }
    }

    /// The whole list from its first page on.
    async fn list(
        &self,
        part: &Open<'_>,
        first: Collection,
        request_id: Option<String>,
    ) -> Result<Outcome, ConnectorError> {
        let mut revisions: Vec<Revision> = Vec::new();
        let mut guard = PageGuard::new(Provider::OneDrive, operation::VERSIONS);
        let (mut page, mut request_id) = (first, request_id);
        loop {
            let source = Source {
                operation: operation::VERSIONS,
                request_id: request_id.as_deref(),
            };
            for record in &page.value {
                match map::revision(record, part.item, source) {
                    Ok(revision) => revisions.push(revision),
                    Err(error) => {
                        tracing::warn!(provider = %Provider::OneDrive, item.id = %part.item, %error, "version list skipped");
                        return Ok(failure(ErrorKind::Malformed, None));
                    }
                }
            }
            let Some(link) = page.next_link else { break };
            let next = async {
                guard.check(&link)?;
                self.page(self.http.check_origin(operation::VERSIONS, &link)?)
                    .await
            };
            match next.await {
                Ok(next) => (page, request_id) = next,
                Err(error) => return isolated(error),
            }
        }
        Ok(Ok(RevisionList {
            revisions: map::oldest_first(revisions, part.head),
            completeness: Completeness::AsKept,
            now: Presence::NotTold,
        }))
    }

    async fn page(&self, url: Url) -> Result<(Collection, Option<String>), ConnectorError> {
        let request = Request::get(operation::VERSIONS, url).units(LIST_UNITS);
        let (page, answer) = self.http.send_json(&request).await?;
        Ok((page, answer.request_id))
    }

    fn wait<'f>(&self, round: u32, failures: impl Iterator<Item = &'f AskFailure>) -> Duration {
        failures
            .filter_map(|failure| match failure.kind {
                ErrorKind::RateLimited { retry_after } | ErrorKind::Unavailable { retry_after } => {
                    retry_after
                }
                _ => None,
            })
            .max()
            .unwrap_or_else(|| self.patience.base.saturating_mul(1 << round.min(7)))
    }
}

fn failure(kind: ErrorKind, status: Option<u16>) -> Outcome {
    Err(AskFailure { kind, status })
}

fn verdict(kind: ErrorKind, status: u16) -> Verdict {
    match kind {
        ErrorKind::NotFound => Verdict::Done(Ok(gone())),
        ErrorKind::TokenExpired => Verdict::Single,
        ErrorKind::RateLimited { .. } | ErrorKind::Unavailable { .. } => Verdict::Again(AskFailure {
            kind,
            status: Some(status),
        }),
        kind => Verdict::Done(failure(kind, Some(status))),
    }
}

/// A failure that concerns this item alone becomes its answer; one that concerns the account ends the call.
fn isolated(error: ConnectorError) -> Result<Outcome, ConnectorError> {
    match error.kind {
        ErrorKind::NotFound => Ok(Ok(gone())),
        ErrorKind::TokenExpired
        | ErrorKind::Unauthorized
        | ErrorKind::ForeignHost
        | ErrorKind::Config
        | ErrorKind::Bug => Err(error),
        kind => Ok(failure(kind, error.status)),
    }
}

/// Versions of deleted items are not shown.
fn gone() -> RevisionList {
    RevisionList {
        revisions: Vec::new(),
        completeness: Completeness::AsKept,
        now: Presence::Gone,
    }
}

fn header(part: &BatchAnswerPart, name: &str) -> Option<String> {
    let headers = part.headers.as_ref()?;
    let (_, value) = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    match value {
        HeaderValue::Text(text) => Some(text.clone()),
        HeaderValue::Number(number) => Some(number.to_string()),
        HeaderValue::Other(_) => None,
    }
}
