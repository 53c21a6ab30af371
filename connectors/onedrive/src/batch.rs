//! Version lists, twenty per `$batch`: how Graph writes a batch, and what the answer to a part means. What happens to parts that may
//! succeed later is decided in [`revtrail_connector::batch`].

use std::ops::RangeInclusive;

use async_trait::async_trait;
use revtrail_connector::{
    ConnectorError, ErrorKind,
    batch::{Batch, ListPage, Verdict},
    change::{AskFailure, Completeness, Head, Presence, Revision, RevisionList},
    http::{Answer, Http},
    request::Request,
    retry::asked_wait,
    time::Timestamp,
};
use revtrail_model::id::{DriveId, ItemId, Provider};
use serde_json::value::RawValue;

use crate::{
    api::{Api, LIST_UNITS},
    error::{Refusal, classify, operation, with_wait},
    map::{self, Source},
    wire::{BatchAnswer, BatchAnswerPart, BatchPart, BatchRequest, Collection, HeaderValue},
};

/// Graph refuses more parts than this.
pub(crate) const MAX_PARTS: u8 = 20;

/// Version lists on one drive.
pub(crate) struct Versions<'a> {
    pub(crate) http: &'a Http,
    pub(crate) api: &'a Api,
    pub(crate) drive: &'a DriveId,
}

/// A page of versions, and the request that gave it.
pub(crate) struct Page {
    collection: Collection,
    request_id: Option<String>,
}

#[async_trait]
impl Batch for Versions<'_> {
    type Page = Page;

    fn provider(&self) -> Provider {
        Provider::OneDrive
    }

    fn operation(&self) -> &'static str {
        operation::VERSIONS
    }

    fn sizes(&self) -> RangeInclusive<usize> {
        1..=usize::from(MAX_PARTS)
    }

    async fn send(&self, items: &[(usize, &ItemId)]) -> Result<Vec<(usize, Verdict<Page>)>, ConnectorError> {
        let part = |(number, item): &(usize, &ItemId)| BatchPart {
            id: number.to_string(),
            method: "GET",
            url: self.api.within_batch(&self.api.versions(self.drive, item)),
        };
        let requests = items.iter().map(part).collect();
        let body = serde_json::to_string(&BatchRequest { requests }).map_err(|error| {
            ConnectorError::new(ErrorKind::Bug, Provider::OneDrive, operation::BATCH).with_source(error)
        })?;
        let units = u32::try_from(items.len())
            .unwrap_or(u32::MAX)
            .saturating_mul(LIST_UNITS);
        let request = Request::post_json(operation::BATCH, self.api.batch(), body).units(units);
        let (answer, outer) = self.http.send_json::<BatchAnswer>(&request).await?;
        let parts = answer.responses.into_iter();
        // A part under a name we did not give answers nothing.
        Ok(parts
            .filter_map(|part| Some((part.id.parse().ok()?, judge(&part, &outer))))
            .collect())
    }

    async fn page(&self, item: &ItemId, next: Option<&str>) -> Result<Page, ConnectorError> {
        let url = match next {
            Some(link) => self.http.check_origin(operation::VERSIONS, link)?,
            None => self.api.versions(self.drive, item),
        };
        let request = Request::get(operation::VERSIONS, url).units(LIST_UNITS);
        let (collection, answer) = self.http.send_json(&request).await?;
        Ok(Page {
            collection,
            request_id: answer.request_id,
        })
    }

    fn read(&self, item: &ItemId, page: Page) -> Result<ListPage, Box<dyn std::error::Error + Send + Sync>> {
        let source = Source {
            operation: operation::VERSIONS,
            request_id: page.request_id.as_deref(),
        };
        let records = page.collection.value.iter();
        let revisions = records.map(|record| map::revision(record, item, source));
        Ok(ListPage {
            revisions: revisions.collect::<Result<_, _>>()?,
            next: page.collection.next_link,
        })
    }

    fn list(&self, revisions: Vec<Revision>, head: Option<&Head>) -> RevisionList {
        RevisionList {
            revisions: map::oldest_first(revisions, head),
            completeness: Completeness::AsKept,
            now: Presence::NotTold,
        }
    }

    fn concerns_account(&self, error: &ConnectorError) -> bool {
        matches!(
            error.kind,
            ErrorKind::TokenExpired
                | ErrorKind::Unauthorized
                | ErrorKind::ForeignHost
                | ErrorKind::Config
                | ErrorKind::Bug
        )
    }
}

/// What the answer to a part means; the outer answer lends its request id and its clock.
fn judge(part: &BatchAnswerPart, outer: &Answer) -> Verdict<Page> {
    let status = part.status;
    let failed = |kind| {
        Verdict::Failed(AskFailure {
            kind,
            status: Some(status),
        })
    };
    let body = part.body.as_deref().map(RawValue::get).unwrap_or_default();
    if (200..300).contains(&status) {
        return match serde_json::from_str(body) {
            Ok(collection) => Verdict::Page(Page {
                collection,
                request_id: header(part, "request-id").or_else(|| outer.request_id.clone()),
            }),
            Err(_) => failed(ErrorKind::Malformed),
        };
    }
    let kind = classify(status, &Refusal::read(body.as_bytes()), operation::VERSIONS);
    let sent_at = outer.date.unwrap_or(Timestamp::UNIX_EPOCH);
    let wait = header(part, "retry-after").and_then(|text| asked_wait(&text, sent_at));
    match with_wait(kind, wait) {
        ErrorKind::NotFound => Verdict::Gone,
        // The token ran out between the parts.
        ErrorKind::TokenExpired => Verdict::Single,
        kind @ (ErrorKind::RateLimited { .. } | ErrorKind::Unavailable { .. }) => {
            Verdict::Again(AskFailure {
                kind,
                status: Some(status),
            })
        }
        kind => failed(kind),
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
