//! Revision lists, up to a hundred per batch: how Drive writes a batch, and what the answer to a part means. What happens to parts that
//! may succeed later is decided in [`revtrail_connector::batch`].

use std::{collections::BTreeMap, ops::RangeInclusive};

use async_trait::async_trait;
use bytes::Bytes;
use revtrail_connector::{
    ConnectorError, ErrorKind,
    batch::{Batch, ListPage, Verdict},
    change::{AskFailure, Head, Revision, RevisionList},
    http::{Answer, Http},
    request::{Body, Method, Request},
    retry::asked_wait,
    time::Timestamp,
};
use revtrail_model::id::{ItemId, Provider};

use crate::{
    api::{Api, LIST_UNITS, MAX_PARTS, target},
    error::{Refusal, classify, concerns_account, failed, operation, unusable},
    map::{self, Source},
    multipart::{self, BOUNDARY, Part},
    wire,
};

/// Revision lists of one account.
pub(crate) struct Lists<'a> {
    pub(crate) http: &'a Http,
    pub(crate) api: &'a Api,
}

#[async_trait]
impl Batch for Lists<'_> {
    type Page = wire::RevisionList;

    fn provider(&self) -> Provider {
        Provider::GoogleDrive
    }

    fn operation(&self) -> &'static str {
        operation::REVISIONS
    }

    fn sizes(&self) -> RangeInclusive<usize> {
        2..=MAX_PARTS
    }

    async fn send(
        &self,
        items: &[(usize, &ItemId)],
    ) -> Result<Vec<(usize, Verdict<wire::RevisionList>)>, ConnectorError> {
        let answer = self.http.send(&self.request(items)).await?;
        let content_type = answer.headers.get("content-type");
        let boundary = content_type.and_then(|value| multipart::boundary(value.to_str().ok()?));
        let text = std::str::from_utf8(&answer.body).ok();
        let (Some(boundary), Some(text)) = (boundary, text) else {
            return Err(unusable(ErrorKind::Malformed, operation::BATCH, &answer)
                .with_code("no multipart answer to a batch"));
        };
        // A part the answer leaves out, or breaks off in, may be beyond what fits into one: asked singly, it has the room.
        let mut verdicts: BTreeMap<usize, Verdict<wire::RevisionList>> = items
            .iter()
            .map(|(number, _)| (*number, Verdict::Single))
            .collect();
        for part in multipart::answer(text, boundary) {
            verdicts.insert(part.number, judge(&part, &answer));
        }
        Ok(verdicts.into_iter().collect())
    }

    async fn page(&self, item: &ItemId, next: Option<&str>) -> Result<wire::RevisionList, ConnectorError> {
        let request = Request::get(operation::REVISIONS, self.api.revisions(item, next)).units(LIST_UNITS);
        Ok(self.http.send_json(&request).await?.0)
    }

    fn read(
        &self,
        item: &ItemId,
        page: wire::RevisionList,
    ) -> Result<ListPage, Box<dyn std::error::Error + Send + Sync>> {
        let source = Source {
            operation: operation::REVISIONS,
            request_id: None,
        };
        let records = page.revisions.iter();
        let revisions = records.map(|record| map::revision(record, item, source));
        Ok(ListPage {
            revisions: revisions.collect::<Result<_, _>>()?,
            next: page.next_page_token,
        })
    }

    fn list(&self, revisions: Vec<Revision>, head: Option<&Head>) -> RevisionList {
        map::list(revisions, head)
    }

    fn concerns_account(&self, error: &ConnectorError) -> bool {
        concerns_account(error)
    }
}

impl Lists<'_> {
    fn request(&self, items: &[(usize, &ItemId)]) -> Request {
        let targets: Vec<(usize, String)> = items
            .iter()
            .map(|(number, item)| (*number, target(&self.api.revisions(item, None))))
            .collect();
        let parts = targets.iter().map(|(number, target)| (*number, target.as_str()));
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        Request {
            operation: operation::BATCH,
            method: Method::Post,
            url: self.api.batch(),
            headers: Vec::new(),
            body: Body::Bytes {
                content_type: format!("multipart/mixed; boundary={BOUNDARY}"),
                bytes: Bytes::from(multipart::request(parts)),
            },
            units: count.saturating_mul(LIST_UNITS),
            download: None,
        }
    }
}

/// What the answer to a part means; the outer answer lends its clock.
fn judge(part: &Part<'_>, outer: &Answer) -> Verdict<wire::RevisionList> {
    if (200..300).contains(&part.status) {
        // One that cannot be read may have been cut off; asked singly, it is read again or refused for good.
        return serde_json::from_str(part.body).map_or(Verdict::Single, Verdict::Page);
    }
    let refusal = Refusal::read(part.body.as_bytes());
    let sent_at = outer.date.unwrap_or(Timestamp::UNIX_EPOCH);
    let retry_after = part.retry_after.and_then(|text| asked_wait(text, sent_at));
    let status = Some(part.status);
    match classify(part.status, &refusal, operation::REVISIONS) {
        ErrorKind::NotFound => Verdict::Gone,
        ErrorKind::RateLimited { .. } => Verdict::Again(AskFailure {
            kind: ErrorKind::RateLimited { retry_after },
            status,
        }),
        ErrorKind::Unavailable { .. } => Verdict::Again(AskFailure {
            kind: ErrorKind::Unavailable { retry_after },
            status,
        }),
        kind => {
            let mut error = failed(kind.clone(), operation::REVISIONS);
            error.code = refusal.code();
            if concerns_account(&error) {
                // Told once more, with everything an error of the account should say.
                Verdict::Single
            } else {
                Verdict::Failed(AskFailure { kind, status })
            }
        }
    }
}
