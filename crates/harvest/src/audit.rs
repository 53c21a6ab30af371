//! Audit enrichment: reads an account's log after its folders were looked at, and records what it tells about events without an actor.
//!
//! A reading counts whole or not at all: a log that fails half-way is read again from the same cursor. The cursor, the events that wait
//! and the records that no event fits yet are committed with the annotations, so that a crash reads again and never says a thing twice.

mod bounds;
mod matching;
mod second;
pub mod state;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use revtrail_connector::{
    Activity, ActivityPoint, AuditLog, Connector, ConnectorError, ErrorKind, FolderRoot, Next,
    pages::PageGuard,
};
use revtrail_model::{
    Digest,
    event::{Action, Actor, Basis},
    id::{Cursor, LedgerName, Provider},
    leaf::{Annotation, AuditRead, Finding, RecordFinding, Unexplained, WindowState},
    record::Count,
    time::{Clock, Timestamp, plus_seconds},
};

pub use self::bounds::Found;
use self::{
    matching::{Index, Match},
    second::Asked,
    state::{AuditState, Explained, Named, Record, Waiting},
};
use crate::{
    error::HarvestError,
    folder::chain,
    inventory::Inventory,
    spool::{Source, Spool},
};

/// How long an event may still be explained after records are no longer expected, seconds.
const RETAIN: i64 = 7 * 86_400;

/// How long a record waits for the look that shows its event, beyond the look that should have, seconds.
const MARGIN: i64 = 3_600;

/// Operation under which readings of a log are guarded and logged.
const OPERATION: &str = "activity";

/// What the readings of one account's log led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Annotations that name who did it.
    pub attributed: u64,
    /// Annotations beside others that name somebody else, or that may be of another revision.
    pub ambiguous: u64,
    /// Events given up.
    pub unattributed: u64,
}

impl Counts {
    fn add(&mut self, more: Self) {
        self.attributed += more.attributed;
        self.ambiguous += more.ambiguous;
        self.unattributed += more.unattributed;
    }
}

/// One account's folders, as far as its log is about them.
pub(crate) struct Account<'a> {
    pub(crate) ledger: &'a LedgerName,
    pub(crate) connector: &'a Arc<dyn Connector>,
    /// Folders that were found, with their items and the moment up to which they were seen.
    pub(crate) folders: Vec<Seen<'a>>,
    pub(crate) clock: &'a Arc<dyn Clock>,
}

/// A folder that was looked at.
pub(crate) struct Seen<'a> {
    pub(crate) root: FolderRoot,
    pub(crate) inventory: Option<&'a Inventory>,
    pub(crate) until: Option<Timestamp>,
}

/// What a run does about a log.
pub(crate) struct Enriched {
    pub(crate) annotations: Vec<Annotation>,
    pub(crate) read: AuditRead,
    pub(crate) failure: Option<ErrorKind>,
    pub(crate) counts: Counts,
}

/// Which of an account's logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rank {
    First,
    /// Asked about what the first left open.
    Second,
}

/// A log read to its end.
struct Reading {
    records: Vec<Record>,
    cursor: Cursor,
    /// The provider's clock at its first answer.
    began_at: Timestamp,
    told: u64,
    lost_before: Option<Timestamp>,
}

impl Account<'_> {
    /// Reads the log and explains what it can.
    pub(crate) async fn enrich(
        &self,
        log: AuditLog,
        state: &mut AuditState,
        spool: &mut Spool,
    ) -> Result<Enriched, HarvestError> {
        let covers_from = state.read_to;
        match self.read(log, state).await {
            Ok(reading) => self.take(log, state, (reading, covers_from), spool).await,
            Err(error) => {
                tracing::warn!(provider = %error.provider, error = chain(&error), "the audit log was not read; events wait");
                let done = before(self.now(), log.lateness);
                let Asked {
                    mut annotations,
                    mut counts,
                    ..
                } = self.ask_second(state, done, spool).await?;
                let given_up = self.unreadable(log, state);
                counts.unattributed += given_up.len() as u64;
                annotations.extend(given_up);
                Ok(Enriched {
                    annotations,
                    read: failed(covers_from, &error),
                    failure: Some(error.kind),
                    counts,
                })
            }
        }
    }

    /// Goes on at the cursor; without one, or when it is lost, at a moment.
    async fn read(&self, log: AuditLog, state: &AuditState) -> Result<Reading, ConnectorError> {
        if let Some(cursor) = &state.cursor {
            match self
                .pages((Rank::First, ActivityPoint::After(cursor.clone())), state)
                .await
            {
                Err(error) if error.kind == ErrorKind::CursorExpired => {
                    tracing::warn!(provider = %error.provider, "the cursor of the audit log was lost; reading again");
                }
                other => return other,
            }
        }
        let wanted = self.start(log, state);
        let reach = log.reach.map(|reach| before(self.now(), reach));
        let from = reach.map_or(wanted, |reach| reach.max(wanted));
        let mut reading = self
            .pages((Rank::First, ActivityPoint::From(from)), state)
            .await?;
        // What lies before the last reading was read then, as far as it was not late.
        let needed = state.read_to.unwrap_or(wanted);
        reading.lost_before = Some(from).filter(|from| *from > needed);
        Ok(reading)
    }

    /// Where to begin without a cursor: as far before the last reading as records may be late; the first time at the earliest event
    /// that waits, or where the looks stand. What was before the folders' first looks is not asked for.
    fn start(&self, log: AuditLog, state: &AuditState) -> Timestamp {
        if let Some(read_to) = state.read_to {
            return before(read_to, log.lateness);
        }
        let waiting = state
            .events
            .iter()
            .map(|event| event.not_before.unwrap_or(event.not_after));
        let earliest = waiting
            .chain(self.folders.iter().filter_map(|folder| folder.until))
            .min();
        plus_seconds(earliest.unwrap_or_else(|| self.now()), -MARGIN)
    }

    async fn pages(
        &self,
        (rank, start): (Rank, ActivityPoint),
        state: &AuditState,
    ) -> Result<Reading, ConnectorError> {
        let roots: Vec<FolderRoot> = self.folders.iter().map(|folder| folder.root.clone()).collect();
        let mut guard = PageGuard::new(self.provider(), OPERATION);
        let waiting: BTreeSet<_> = state.events.iter().map(|event| &event.item).collect();
        let (mut at, mut records, mut told, mut began_at) = (start, Vec::new(), 0, None);
        loop {
            let page = match rank {
                Rank::First => self.connector.activity(&roots, at).await?,
                Rank::Second => self.connector.second_activity(&roots, at).await?,
            };
            let answered = page.answered_at.unwrap_or_else(|| self.now());
            let began_at = *began_at.get_or_insert(answered);
            told += page.activities.len() as u64;
            let kept = page.activities.into_iter().filter(|activity| {
                self.concerns(activity)
                    || activity
                        .targets
                        .iter()
                        .any(|target| target.item.as_ref().is_some_and(|item| waiting.contains(item)))
            });
            records.extend(kept.map(Record::from));
            match page.next {
                Next::CaughtUp(cursor) => {
                    return Ok(Reading {
                        records,
                        cursor,
                        began_at,
                        told,
                        lost_before: None,
                    });
                }
                Next::Page(token) => {
                    guard.check(token.as_str())?;
                    at = ActivityPoint::Page(token);
                }
            }
        }
    }

    /// The provider's clock as of its last answer, which events and records go by; ours where it told none.
    fn now(&self) -> Timestamp {
        let theirs = self.connector.usage().last_answer.map(|(theirs, _)| theirs);
        theirs.unwrap_or_else(|| self.clock.now())
    }

    fn provider(&self) -> Provider {
        self.connector.capabilities().provider
    }

    /// Whether a record may be about something in the folders, now or after the next look.
    fn concerns(&self, activity: &Activity) -> bool {
        let enters = [Action::Created, Action::MovedIn]
            .iter()
            .any(|enters| activity.explains.contains(enters));
        activity.targets.iter().any(|target| {
            let target = Named::from(target.clone());
            self.folders.iter().any(|folder| {
                folder.is_named(&target) || (enters && target.drive.as_ref() == Some(&folder.root.drive))
            })
        })
    }

    /// Explains what a reading explains, and says goodbye to what it no longer can.
    async fn take(
        &self,
        log: AuditLog,
        state: &mut AuditState,
        (reading, covers_from): (Reading, Option<Timestamp>),
        spool: &mut Spool,
    ) -> Result<Enriched, HarvestError> {
        let records = united(std::mem::take(&mut state.records), reading.records);
        let done = before(reading.began_at, log.lateness);
        let mut pen = Pen::new(self, log, spool);
        pen.explain(&mut state.events, &records, |_| true)?;
        let (mut annotations, mut counts) = (pen.annotations, pen.counts);
        let second = self.ask_second(state, done, spool).await?;
        counts.add(second.counts);
        annotations.extend(second.annotations);
        let mut pen = Pen::new(self, log, spool);
        pen.give_up(&mut state.events, done, |event| {
            let lost = |lost| event.not_before.is_none_or(|from| from < lost);
            second.failed || reading.lost_before.is_some_and(lost)
        });
        counts.add(pen.counts);
        annotations.extend(pen.annotations);
        state
            .events
            .retain(|event| plus_seconds(event.not_after, RETAIN) >= done);
        let horizon = self.horizon(done);
        state.records = records
            .into_iter()
            .filter(|record| record.at >= horizon)
            .collect();
        state.cursor = Some(reading.cursor);
        state.read_to = Some(reading.began_at);
        Ok(Enriched {
            annotations,
            read: AuditRead {
                covers_from,
                covers_to: Some(reading.began_at),
                detail: None,
                lost_before: reading.lost_before,
                records: Count(reading.told),
                state: if reading.lost_before.is_some() {
                    WindowState::Partial
                } else {
                    WindowState::Complete
                },
            },
            failure: None,
            counts,
        })
    }

    /// Acts before this moment have been shown by every folder, if they ever will be.
    fn horizon(&self, done: Timestamp) -> Timestamp {
        let seen: Option<Vec<Timestamp>> = self.folders.iter().map(|folder| folder.until).collect();
        let seen = seen.and_then(|seen| seen.into_iter().min());
        seen.map_or(done, |seen| plus_seconds(seen, -MARGIN).max(done))
    }

    /// Events that waited in vain for a log that cannot be read.
    fn unreadable(&self, log: AuditLog, state: &mut AuditState) -> Vec<Annotation> {
        let past = plus_seconds(before(self.now(), log.lateness), -RETAIN);
        let (over, waiting): (Vec<Waiting>, Vec<Waiting>) = std::mem::take(&mut state.events)
            .into_iter()
            .partition(|event| event.not_after < past);
        state.events = waiting;
        over.iter()
            .filter(|event| event.explained.is_empty() && !event.given_up)
            .map(|event| self.annotation(log, event, Finding::Nothing(Unexplained::LogUnavailable)))
            .collect()
    }

    fn annotation(&self, log: AuditLog, event: &Waiting, finding: Finding) -> Annotation {
        Annotation {
            event_id: event.id,
            folder: event.folder.clone(),
            ledger: self.ledger.clone(),
            provider: self.provider(),
            source: log.source,
            observed_at: self.clock.now(),
            finding,
        }
    }
}

impl Seen<'_> {
    fn is_named(&self, target: &Named) -> bool {
        if target
            .drive
            .as_ref()
            .is_some_and(|drive| *drive != self.root.drive)
        {
            return false;
        }
        let item = target.item.as_ref();
        let known = item.is_some_and(|item| {
            *item == self.root.item
                || self
                    .inventory
                    .is_some_and(|inventory| inventory.item(item).is_some())
        });
        let place = target.place.as_ref().zip(self.root.place.as_ref());
        known
            || place.is_some_and(|(place, root)| {
                place == root || place.is_below(root) || (target.contents && root.is_below(place))
            })
    }
}

/// Writes annotations.
struct Pen<'a> {
    account: &'a Account<'a>,
    log: AuditLog,
    spool: &'a mut Spool,
    /// Where the raw records of this snapshot are, by record.
    sources: BTreeMap<usize, Source>,
    annotations: Vec<Annotation>,
    counts: Counts,
}

impl<'a> Pen<'a> {
    fn new(account: &'a Account<'a>, log: AuditLog, spool: &'a mut Spool) -> Self {
        Self {
            account,
            log,
            spool,
            sources: BTreeMap::new(),
            annotations: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Explains those of the events that are `open`.
    fn explain(
        &mut self,
        events: &mut [Waiting],
        records: &[Record],
        open: impl Fn(&Waiting) -> bool,
    ) -> Result<(), HarvestError> {
        let mut matches = Index::new(events).matches(records);
        matches.retain(|found| open(&events[found.event]));
        for group in matches.chunk_by(|a, b| a.event == b.event) {
            let Some(event) = group.first().and_then(|first| events.get_mut(first.event)) else {
                continue;
            };
            let news = news(event, group, records);
            event
                .explained
                .extend(news.iter().map(|(_, explained)| explained.clone()));
            for (found, explained) in news {
                self.record(event, &explained, (found, &records[found.record]))?;
            }
        }
        Ok(())
    }

    fn record(
        &mut self,
        event: &Waiting,
        explained: &Explained,
        (found, record): (Match, &Record),
    ) -> Result<(), HarvestError> {
        let source = self.source(found.record, record)?;
        let disputed = event
            .explained
            .iter()
            .any(|other| other.derived == explained.derived && other.actor != explained.actor);
        // Of several revisions that a record may be about, it names the author of one, and not which.
        let contested = disputed || event.shared;
        if contested {
            self.counts.ambiguous += 1;
        } else {
            self.counts.attributed += 1;
        }
        let finding = RecordFinding {
            contested,
            basis: if found.derived {
                Basis::Derived
            } else {
                Basis::Reported
            },
            occurred_at: record.at,
            actor: record.actor.as_ref().map(Actor::from),
            client: record.client.clone(),
            source_api: source.operation.to_string(),
            source_request_id: source.request_id.as_deref().map(str::to_owned),
            raw_sha256: source.raw,
        };
        let finding = Finding::Record(Box::new(finding));
        self.annotations
            .push(self.account.annotation(self.log, event, finding));
        Ok(())
    }

    /// Puts the raw record beside the snapshot, once.
    fn source(&mut self, place: usize, record: &Record) -> Result<Source, HarvestError> {
        if let Some(source) = self.sources.get(&place) {
            return Ok(source.clone());
        }
        let source = self.spool.put_record(
            (&record.body, record.unknown),
            (&record.operation, record.request_id.as_deref()),
        )?;
        self.sources.insert(place, source.clone());
        Ok(source)
    }

    /// Events whose records would be there by now. Of those that are `unread`, they may be where nobody could look.
    fn give_up(&mut self, events: &mut [Waiting], done: Timestamp, unread: impl Fn(&Waiting) -> bool) {
        for event in events.iter_mut().filter(|event| event.is_overdue(done)) {
            event.given_up = true;
            self.counts.unattributed += 1;
            let reason = if unread(event) {
                Unexplained::LogUnavailable
            } else {
                Unexplained::NoRecord
            };
            self.annotations
                .push(self.account.annotation(self.log, event, Finding::Nothing(reason)));
        }
    }
}

/// Matches of one event that nobody was told of yet. A record about the item itself goes before one about a folder above it.
fn news(event: &Waiting, group: &[Match], records: &[Record]) -> Vec<(Match, Explained)> {
    let is_itself = group.iter().any(|found| !found.derived)
        || event.explained.iter().any(|explained| !explained.derived);
    let fresh = group.iter().filter(|found| {
        let id = records[found.record].id;
        (!found.derived || !is_itself) && event.explained.iter().all(|explained| explained.record != id)
    });
    fresh
        .map(|found| {
            let record = &records[found.record];
            let explained = Explained {
                actor: record.actor_key(),
                derived: found.derived,
                record: record.id,
            };
            (*found, explained)
        })
        .collect()
}

/// Records of both lists, each once, oldest first.
fn united(kept: Vec<Record>, read: Vec<Record>) -> Vec<Record> {
    let mut known: BTreeSet<Digest> = BTreeSet::new();
    let mut records: Vec<Record> = kept
        .into_iter()
        .chain(read)
        .filter(|record| known.insert(record.id))
        .collect();
    records.sort_by_key(|record| (record.at, record.id));
    records
}

fn failed(covers_from: Option<Timestamp>, error: &ConnectorError) -> AuditRead {
    let detail = match error.status {
        Some(status) => format!("{} (HTTP {status})", error.kind.as_str()),
        None => error.kind.as_str().to_owned(),
    };
    AuditRead {
        covers_from,
        covers_to: None,
        detail: Some(detail),
        lost_before: None,
        records: Count(0),
        state: WindowState::Failed,
    }
}

fn before(at: Timestamp, duration: Duration) -> Timestamp {
    plus_seconds(at, -i64::try_from(duration.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
