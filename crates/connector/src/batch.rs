//! Several revision lists in one request, for providers that take batches.
//!
//! The outer answer says nothing of the parts: each has its own status and its own `Retry-After`, and they come in any order. What is
//! alike everywhere is here: parts that may succeed later are sent again alone, after the largest wait any of them asked for and
//! within the budget of the account's [`crate::retry::RetryPolicy`]; answers are put back in the order asked; a list is read to its
//! last page. How a batch is written and what an answer means is the provider's, behind [`Batch`].

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use async_trait::async_trait;
use revtrail_model::id::{ItemId, Provider};
use tokio::time::Instant;

use crate::{
    change::{
        About, AskFailure, Completeness, Head, Presence, Revision, RevisionAnswer, RevisionAsk, RevisionList,
    },
    error::{ConnectorError, ErrorKind},
    http::Http,
    pages::PageGuard,
    retry::Spent,
};

/// What one part's answer leads to.
#[derive(Debug)]
pub enum Verdict<P> {
    /// The first page of the list.
    Page(P),
    /// There is no such item any more, or not for us.
    Gone,
    /// Failed for good; concerns this part alone.
    Failed(AskFailure),
    /// May succeed later: sent again, with the others of its kind. The kind holds the wait the part asked for.
    Again(AskFailure),
    /// Better asked by itself, where tokens are renewed and errors of the account are told in full.
    Single,
}

/// One page of a revision list, mapped.
#[derive(Debug)]
pub struct ListPage {
    /// In the provider's order.
    pub revisions: Vec<Revision>,
    /// Names the next page; absent on the last.
    pub next: Option<String>,
}

/// One provider's batches of revision lists.
#[async_trait]
pub trait Batch: Send + Sync {
    /// A page as it came, not mapped yet.
    type Page: Send;

    /// The provider.
    fn provider(&self) -> Provider;

    /// Name of one list request, for counters and errors.
    fn operation(&self) -> &'static str;

    /// Fewest parts worth a batch, and most parts the provider takes.
    fn sizes(&self) -> RangeInclusive<usize>;

    /// Sends one batch of items, each with its number. Verdicts by number, in any order; a part left out may succeed later.
    async fn send(
        &self,
        items: &[(usize, &ItemId)],
    ) -> Result<Vec<(usize, Verdict<Self::Page>)>, ConnectorError>;

    /// One page outside any batch: the first, or the one `next` names.
    async fn page(&self, item: &ItemId, next: Option<&str>) -> Result<Self::Page, ConnectorError>;

    /// Maps a page. Fails on a record that cannot be understood; the error names no content.
    fn read(
        &self,
        item: &ItemId,
        page: Self::Page,
    ) -> Result<ListPage, Box<dyn std::error::Error + Send + Sync>>;

    /// The whole list, from all pages in the provider's order.
    fn list(&self, revisions: Vec<Revision>, head: Option<&Head>) -> RevisionList;

    /// Whether a failure would meet every other question just the same.
    fn concerns_account(&self, error: &ConnectorError) -> bool;
}

type Outcome = Result<RevisionList, AskFailure>;

/// One list to be had.
#[derive(Clone, Copy)]
struct Open<'a> {
    position: usize,
    item: &'a ItemId,
    head: Option<&'a Head>,
}

/// One answer per question, in the order asked.
pub async fn revision_lists<B: Batch>(
    http: &Http,
    batch: &B,
    asks: &[RevisionAsk],
) -> Result<Vec<RevisionAnswer>, ConnectorError> {
    let lists = Lists { http, batch };
    let mut outcomes: BTreeMap<usize, Outcome> = BTreeMap::new();
    let mut open = Vec::new();
    for (position, ask) in asks.iter().enumerate() {
        match &ask.about {
            About::Item(item) => open.push(Open {
                position,
                item,
                head: ask.head.as_ref(),
            }),
            // Providers that take batches have no history of places.
            About::Place(_) => drop(outcomes.insert(position, failure(ErrorKind::NotSupported))),
        }
    }
    for parts in open.chunks((*batch.sizes().end()).max(1)) {
        lists.ask(parts.to_vec(), &mut outcomes).await?;
    }
    Ok((0..asks.len())
        .map(|position| RevisionAnswer {
            outcome: outcomes
                .remove(&position)
                .unwrap_or_else(|| failure(ErrorKind::Bug)),
        })
        .collect())
}

/// The answer about an item that is not there, or not for us.
pub fn gone() -> RevisionList {
    RevisionList {
        revisions: Vec::new(),
        completeness: Completeness::AsKept,
        now: Presence::Gone,
    }
}

struct Lists<'a, B> {
    http: &'a Http,
    batch: &'a B,
}

impl<B: Batch> Lists<'_, B> {
    /// Asks for the lists of one batch until each has an answer.
    async fn ask(
        &self,
        mut open: Vec<Open<'_>>,
        outcomes: &mut BTreeMap<usize, Outcome>,
    ) -> Result<(), ConnectorError> {
        let began = Instant::now();
        for attempts in 1.. {
            let again = self.round(&open, outcomes).await?;
            if again.is_empty() {
                break;
            }
            let spent = Spent {
                attempts,
                time: began.elapsed(),
            };
            let asked = again.iter().filter_map(|(_, failure)| asked(&failure.kind)).max();
            let Some(wait) = self.http.repeat_after(spent, asked) else {
                outcomes.extend(again.into_iter().map(|(part, why)| (part.position, Err(why))));
                break;
            };
            self.http.pause(wait).await;
            open = again.into_iter().map(|(part, _)| part).collect();
        }
        Ok(())
    }

    /// Sends the open parts once; returns those that may succeed later.
    async fn round<'o>(
        &self,
        open: &[Open<'o>],
        outcomes: &mut BTreeMap<usize, Outcome>,
    ) -> Result<Vec<(Open<'o>, AskFailure)>, ConnectorError> {
        let mut again = Vec::new();
        let mut verdicts = self.verdicts(open).await?;
        for part in open {
            let outcome = match verdicts.remove(&part.position) {
                Some(Verdict::Page(page)) => self.list(part, page).await?,
                Some(Verdict::Gone) => Ok(gone()),
                Some(Verdict::Failed(why)) => Err(why),
                Some(Verdict::Single) => self.singly(part).await?,
                Some(Verdict::Again(why)) => {
                    again.push((*part, why));
                    continue;
                }
                // Left unanswered, like a part whose dependency failed.
                None => {
                    let kind = ErrorKind::Unavailable { retry_after: None };
                    again.push((*part, AskFailure { kind, status: None }));
                    continue;
                }
            };
            outcomes.insert(part.position, outcome);
        }
        Ok(again)
    }

    async fn verdicts(&self, open: &[Open<'_>]) -> Result<BTreeMap<usize, Verdict<B::Page>>, ConnectorError> {
        if open.len() < *self.batch.sizes().start() {
            return Ok(open.iter().map(|part| (part.position, Verdict::Single)).collect());
        }
        let items: Vec<(usize, &ItemId)> = open.iter().map(|part| (part.position, part.item)).collect();
        let verdicts = self.batch.send(&items).await?;
        self.http.count(self.batch.operation(), open.len() as u64);
        Ok(verdicts.into_iter().collect())
    }

    /// Asks for one list outside any batch.
    async fn singly(&self, part: &Open<'_>) -> Result<Outcome, ConnectorError> {
        match self.batch.page(part.item, None).await {
            Ok(page) => self.list(part, page).await,
            Err(error) => self.isolated(error),
        }
    }

    /// The whole list from its first page on. Tokens of pages live for a while only; a refused one means to list once more from the
    /// beginning.
    async fn list(&self, part: &Open<'_>, first: B::Page) -> Result<Outcome, ConnectorError> {
        match self.read_on(part, first).await {
            Err(error) if error.kind == ErrorKind::CursorExpired => {
                let again = async {
                    let first = self.batch.page(part.item, None).await?;
                    self.read_on(part, first).await
                };
                again.await.or_else(|error| self.isolated(error))
            }
            Err(error) => self.isolated(error),
            read => read,
        }
    }

    async fn read_on(&self, part: &Open<'_>, first: B::Page) -> Result<Outcome, ConnectorError> {
        let (provider, operation) = (self.batch.provider(), self.batch.operation());
        let mut guard = PageGuard::new(provider, operation);
        let mut revisions: Vec<Revision> = Vec::new();
        let mut page = first;
        loop {
            let read = match self.batch.read(part.item, page) {
                Ok(read) => read,
                Err(error) => {
                    tracing::warn!(provider = %provider, item.id = %part.item, %error, "revision list left out");
                    return Ok(failure(ErrorKind::Malformed));
                }
            };
            revisions.extend(read.revisions);
            let Some(next) = read.next else { break };
            guard.check(&next)?;
            page = self.batch.page(part.item, Some(&next)).await?;
        }
        Ok(Ok(self.batch.list(revisions, part.head)))
    }

    /// A failure that concerns this item alone becomes its answer; one that concerns the account ends the call.
    fn isolated(&self, error: ConnectorError) -> Result<Outcome, ConnectorError> {
        match error.kind {
            ErrorKind::NotFound => Ok(Ok(gone())),
            _ if self.batch.concerns_account(&error) => Err(error),
            kind => Ok(Err(AskFailure {
                kind,
                status: error.status,
            })),
        }
    }
}

fn asked(kind: &ErrorKind) -> Option<Duration> {
    match kind {
        ErrorKind::RateLimited { retry_after } | ErrorKind::Unavailable { retry_after } => *retry_after,
        _ => None,
    }
}

fn failure(kind: ErrorKind) -> Outcome {
    Err(AskFailure { kind, status: None })
}
