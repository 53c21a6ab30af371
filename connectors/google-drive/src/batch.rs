//! Revision lists, up to a hundred per batch.
//!
//! The outer 200 says nothing of the parts: each has its own status, and they come in any order. A part that may succeed later, or
//! that did not come at all, is asked again by itself, where the shared retries, waits and token renewal apply.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use revtrail_connector::{
    ConnectorError, ErrorKind,
    change::{About, AskFailure, Head, Revision, RevisionAnswer, RevisionAsk, RevisionList},
    http::Http,
    pages::PageGuard,
    request::{Body, Method, Request},
    retry::RetryPolicy,
};
use revtrail_model::id::{ItemId, Provider};

use crate::{
    api::{Api, MAX_PARTS, target},
    error::{self, Refusal, classify, concerns_account, failed, operation, unusable},
    map::{self, Source},
    multipart::{self, BOUNDARY, Part},
    wire,
};

type Outcome = Result<RevisionList, AskFailure>;

/// One list to be had.
struct Open<'a> {
    position: usize,
    item: &'a ItemId,
    head: Option<&'a Head>,
}

/// What one part's answer leads to.
enum Verdict {
    Done(Outcome),
    /// The first page; there may be more.
    Page(wire::RevisionList),
    /// Ask singly, after this time.
    Again(Option<Duration>),
}

/// Asks for revision lists.
pub(crate) struct Lists<'a> {
    pub(crate) http: &'a Http,
    pub(crate) api: &'a Api,
}

impl Lists<'_> {
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
                // Drive has no history of places.
                About::Place(_) => drop(outcomes.insert(position, failure(ErrorKind::NotSupported, None))),
            }
        }
        for parts in open.chunks(MAX_PARTS) {
            match parts {
                [single] => drop(outcomes.insert(single.position, self.singly(single).await?)),
                parts => self.batch(parts, &mut outcomes).await?,
            }
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
        let mut verdicts = self.send(parts).await?;
        let mut wait = Duration::ZERO;
        let mut again = Vec::new();
        for part in parts {
            let outcome = match verdicts.remove(&part.position) {
                Some(Verdict::Done(outcome)) => outcome,
                Some(Verdict::Page(page)) => self.list(part, page).await?,
                Some(Verdict::Again(asked)) => {
                    wait = wait.max(asked.unwrap_or_default());
                    again.push(part);
                    continue;
                }
                None => {
                    again.push(part);
                    continue;
                }
            };
            outcomes.insert(part.position, outcome);
        }
        if !wait.is_zero() {
            self.http.pause(wait).await;
        }
        for part in again {
            outcomes.insert(part.position, self.singly(part).await?);
        }
        Ok(())
    }

    /// Sends one batch; verdicts by position.
    async fn send(&self, parts: &[Open<'_>]) -> Result<BTreeMap<usize, Verdict>, ConnectorError> {
        let targets: Vec<(usize, String)> = parts
            .iter()
            .map(|part| (part.position, target(&self.api.revisions(part.item, None))))
            .collect();
        let body = multipart::request(
            targets
                .iter()
                .map(|(position, target)| (*position, target.as_str())),
        );
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        let request = Request {
            operation: operation::BATCH,
            method: Method::Post,
            url: self.api.batch(),
            headers: Vec::new(),
            body: Body::Bytes {
                content_type: format!("multipart/mixed; boundary={BOUNDARY}"),
                bytes: Bytes::from(body),
            },
            units: count,
        };
        let answer = self.http.send(&request).await?;
        self.http.count(operation::REVISIONS, u64::from(count));
        let content_type = answer.headers.get("content-type");
        let boundary = content_type.and_then(|value| multipart::boundary(value.to_str().ok()?));
        let text = std::str::from_utf8(&answer.body).ok();
        let (Some(boundary), Some(text)) = (boundary, text) else {
            return Err(unusable(ErrorKind::Malformed, operation::BATCH, &answer)
                .with_code("no multipart answer to a batch"));
        };
        Ok(multipart::answer(text, boundary)
            .iter()
            .map(|part| (part.number, judge(part)))
            .collect())
    }

    /// Asks for one list outside any batch.
    async fn singly(&self, part: &Open<'_>) -> Result<Outcome, ConnectorError> {
        match self.page(part, None).await {
            Ok(page) => self.list(part, page).await,
            Err(error) => isolated(error),
        }
    }

    /// The whole list from its first page on.
    async fn list(&self, part: &Open<'_>, first: wire::RevisionList) -> Result<Outcome, ConnectorError> {
        let source = Source {
            operation: operation::REVISIONS,
            request_id: None,
        };
        let mut revisions: Vec<Revision> = Vec::new();
        let mut guard = PageGuard::new(Provider::GoogleDrive, operation::REVISIONS);
        let mut page = first;
        loop {
            for record in &page.revisions {
                match map::revision(record, part.item, source) {
                    Ok(revision) => revisions.push(revision),
                    Err(error) => {
                        tracing::warn!(provider = %Provider::GoogleDrive, item.id = %part.item, %error, "revision list left out");
                        return Ok(failure(ErrorKind::Malformed, None));
                    }
                }
            }
            let Some(token) = page.next_page_token else { break };
            let next = async {
                guard.check(&token)?;
                self.page(part, Some(&token)).await
            };
            match next.await {
                Ok(next) => page = next,
                Err(error) => return isolated(error),
            }
        }
        Ok(Ok(map::list(revisions, part.head)))
    }

    async fn page(&self, part: &Open<'_>, token: Option<&str>) -> Result<wire::RevisionList, ConnectorError> {
        let url = self.api.revisions(part.item, token);
        let request = Request::get(operation::REVISIONS, url);
        Ok(self.http.send_json(&request).await?.0)
    }
}

fn judge(part: &Part<'_>) -> Verdict {
    if (200..300).contains(&part.status) {
        // One that cannot be read may have been cut off; asked singly, it is read again or refused for good.
        return serde_json::from_str(part.body).map_or(Verdict::Again(None), Verdict::Page);
    }
    let refusal = Refusal::read(part.body.as_bytes());
    let asked = part.retry_after.and_then(seconds);
    let kind = classify(part.status, &refusal, operation::REVISIONS);
    let mut error = failed(kind, operation::REVISIONS);
    error.code = refusal.code();
    match error.kind {
        ErrorKind::NotFound => Verdict::Done(Ok(map::gone())),
        ErrorKind::RateLimited { .. } | ErrorKind::Unavailable { .. } => match asked {
            // A wait nobody would sit out is not shortened either.
            Some(asked) if asked > RetryPolicy::default().budget => Verdict::Done(failure(
                ErrorKind::RateLimited {
                    retry_after: Some(asked),
                },
                Some(part.status),
            )),
            asked => Verdict::Again(asked),
        },
        // Told once more, with everything an error of the account should say.
        _ if concerns_account(&error) => Verdict::Again(None),
        kind => Verdict::Done(failure(kind, Some(part.status))),
    }
}

/// A failure that concerns this item alone becomes its answer; one that concerns the account ends the call.
fn isolated(error: ConnectorError) -> Result<Outcome, ConnectorError> {
    match error.kind {
        ErrorKind::NotFound => Ok(Ok(map::gone())),
        _ if error::concerns_account(&error) => Err(error),
        kind => Ok(failure(kind, error.status)),
    }
}

/// `Retry-After` of a part, in seconds, rounded up. Drive promises none; a front end may send one all the same.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    Duration::try_from_secs_f64(seconds.ceil()).ok()
}

fn failure(kind: ErrorKind, status: Option<u16>) -> Outcome {
    Err(AskFailure { kind, status })
}
