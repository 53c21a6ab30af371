//! One look at one folder: read the feed, settle it, list revisions.

mod asking;
mod by_id;
mod by_place;
mod contents;
mod gaps;
mod gone;
mod identity;
mod questions;
mod walk;

use std::{collections::BTreeMap, sync::Arc};

use revtrail_connector::{
    Addressing, Capabilities, Connector, ConnectorError, ErrorKind, FeedPoint, FolderRoot, Place, Usage,
};
use revtrail_model::{
    event::{Event, Scope},
    id::{AccountName, Cursor, FolderName, ItemId, LedgerName, PageToken, PlaceKey, TenantId},
    leaf::{Counted, Gap, GapReason, Kept, VERSION, Walk, WindowLeaf, WindowState},
    record::Count,
    sha256,
    time::{Clock, Timestamp},
};

use identity::Reach;
use questions::Questions;

use crate::{
    capture::Capture,
    error::HarvestError,
    facts::Frame,
    inventory::Inventory,
    revisions::Hole,
    snapshot::{Draft, Part},
    spool::{Source, Spool},
    state::FolderState,
};

/// A designated folder, as configured.
pub struct FolderPlan {
    /// Its name.
    pub name: FolderName,
    /// Business function.
    pub function: Option<String>,
    /// Account that reads it.
    pub account: AccountName,
    /// Where it is.
    pub place: Place,
    /// Which contents are kept.
    pub capture: Capture,
    /// The account's connector.
    pub connector: Arc<dyn Connector>,
}

/// Whether a look also lists the folder in full and compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalkDue {
    /// It does.
    Now,
    /// The change feed is all it reads.
    NotYet,
}

/// Most pages one listing may have: a faulty provider must not keep a run going for ever.
const MAX_PAGES: u64 = 1_000_000;

/// One folder being looked at.
pub struct FolderRun<'a> {
    plan: &'a FolderPlan,
    ledger: &'a LedgerName,
    capabilities: Capabilities,
    clock: Arc<dyn Clock>,
    root: Option<FolderRoot>,
    tenant: Option<TenantId>,
    /// What is committed and what becomes of it.
    pub state: FolderState,
    /// Items.
    pub inventory: Inventory,
    frame: Option<Frame>,
    events: Vec<Event>,
    /// Events whose contents were dealt with.
    examined: usize,
    from_cursor: Option<Cursor>,
    counted: Counters,
    gaps: Vec<Gap>,
    usage_before: Usage,
    covers_from: Option<Timestamp>,
    /// Why the folder could not be read at all.
    failure: Option<ErrorKind>,
    last_asked: Option<ItemId>,
    questions: Questions<ItemId>,
    unavailable: BTreeMap<&'static str, u64>,
    /// Contents that could not be kept, by why.
    contents_failed: BTreeMap<String, u64>,
    walk_due: WalkDue,
    /// What a full listing beside the feed gave.
    walk: Option<Walk>,
    /// Places to ask, with the entries that showed them.
    ask_places: BTreeMap<PlaceKey, (Source, Timestamp)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counters {
    changes: u64,
    revisions: u64,
    pages: u64,
    changed: u64,
    vanished: u64,
    truncated: u64,
    oldest: Option<Timestamp>,
    hole: Option<Hole>,
    kept: Option<Kept>,
    headless: u64,
    unknown_before: u64,
}

/// How far a look got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// More revisions are to be listed.
    More,
    /// Everything that could be read was read.
    Done,
}

impl<'a> FolderRun<'a> {
    /// Starts from the committed state.
    pub fn new(
        plan: &'a FolderPlan,
        ledger: &'a LedgerName,
        clock: Arc<dyn Clock>,
        (state, inventory): (FolderState, Inventory),
        walk_due: WalkDue,
    ) -> Self {
        Self {
            plan,
            ledger,
            capabilities: plan.connector.capabilities(),
            clock,
            root: state.root(),
            tenant: state.tenant.clone(),
            from_cursor: state.cursor.clone(),
            covers_from: state.seen_from,
            usage_before: plan.connector.usage(),
            state,
            inventory,
            frame: None,
            events: Vec::new(),
            examined: 0,
            counted: Counters::default(),
            gaps: Vec::new(),
            failure: None,
            last_asked: None,
            questions: Questions::new(&plan.connector),
            unavailable: BTreeMap::new(),
            contents_failed: BTreeMap::new(),
            walk_due,
            walk: None,
            ask_places: BTreeMap::new(),
        }
    }

    /// The folder's name.
    pub fn name(&self) -> &FolderName {
        &self.plan.name
    }

    /// The account that reads it.
    pub fn account(&self) -> &AccountName {
        &self.plan.account
    }

    /// Whether the account's audit log is read.
    pub fn has_audit_log(&self) -> bool {
        self.plan.connector.audit().is_some()
    }

    /// Events waiting for the next snapshot.
    pub fn waiting(&self) -> usize {
        self.events.len()
    }

    /// Finds the folder, reads its feed to the end and settles it. A provider failure becomes a gap of this folder, so that the other
    /// folders go on; nothing of a half-read feed is kept.
    pub async fn read_feed(&mut self, draft: &mut Draft) -> Result<(), HarvestError> {
        self.counted.unknown_before = draft.spool.unknown();
        if let Err(error) = self.find().await {
            self.fail(GapReason::FolderUnavailable, &error);
            return Ok(());
        }
        let outcome = match (self.check_root().await, self.capabilities.addressing) {
            (Err(error), _) => Err(error),
            (Ok(Reach::Gone), _) => Ok(()),
            (Ok(Reach::Readable), Addressing::Id) => self.feed_by_id(draft).await,
            (Ok(Reach::Readable), Addressing::Place) => self.feed_by_place(draft).await,
        };
        match outcome {
            Err(HarvestError::Connector(error)) => {
                let reason = match error.kind {
                    ErrorKind::Malformed => GapReason::Malformed,
                    ErrorKind::NotFound => GapReason::FolderUnavailable,
                    _ => GapReason::FeedFailed,
                };
                self.fail(reason, &error);
                Ok(())
            }
            other => other,
        }
    }

    /// Shared fields of this look's facts.
    fn make_frame(&self, seen_at: Timestamp) -> Result<Frame, HarvestError> {
        let (Some(root), Some(tenant)) = (&self.root, &self.tenant) else {
            return Err(HarvestError::Ledger("folder is not resolved".into()));
        };
        Ok(Frame {
            scope: Scope {
                ledger: self.ledger.clone(),
                folder: self.plan.name.clone(),
                function: self.plan.function.clone(),
                provider: self.capabilities.provider,
                tenant: tenant.clone(),
                drive_id: root.drive.clone(),
            },
            baseline: self.covers_from.is_none(),
            reconciled: false,
            previous: self.covers_from,
            seen_at,
            observed_at: self.clock.now(),
        })
    }

    /// Records that the feed was read to its end.
    fn caught_up(&mut self, cursor: Cursor, seen_from: Timestamp) {
        self.state.cursor = Some(cursor);
        self.state.seen_from = Some(seen_from);
        self.state.tenant.clone_from(&self.tenant);
        if let Some(root) = &self.root {
            self.state.drive = Some(root.drive.clone());
            self.state.item = Some(root.item.clone());
            self.state.place.clone_from(&root.place);
            self.state.name.clone_from(&root.name);
            self.state.parent.clone_from(&root.parent);
        }
    }

    /// Where this look starts: after the cursor, or from a full listing.
    fn start(&self) -> FeedPoint {
        self.state
            .cursor
            .clone()
            .map_or(FeedPoint::Start, FeedPoint::After)
    }

    /// Hands over what has been gathered as the folder's part of a snapshot.
    pub fn take_part(&mut self, spool: &Spool) -> Part {
        let window = self.window(spool.unknown() - self.counted.unknown_before);
        // A part is followed by a commit, and the next snapshot has a spool of its own.
        self.counted = Counters::default();
        self.from_cursor.clone_from(&self.state.cursor);
        self.usage_before = self.plan.connector.usage();
        self.gaps.clear();
        self.contents_failed.clear();
        self.examined = 0;
        self.walk = None;
        Part {
            events: std::mem::take(&mut self.events),
            window,
        }
    }

    fn window(&self, unknown: u64) -> WindowLeaf {
        let usage = self.plan.connector.usage();
        let mut gaps = self.gaps.clone();
        gaps.extend(self.revision_gaps());
        let read = self.frame.is_some();
        let state = if gaps.is_empty() {
            WindowState::Complete
        } else if read {
            WindowState::Partial
        } else {
            WindowState::Failed
        };
        let digest =
            |cursor: &Option<Cursor>| cursor.as_ref().map(|cursor| sha256(cursor.as_str().as_bytes()));
        WindowLeaf {
            account: self.plan.account.clone(),
            count: Count(0),
            counted: Counted {
                changes: Count(self.counted.changes),
                revisions: Count(self.counted.revisions),
                unknown: Count(unknown),
            },
            covers_from: self.covers_from,
            covers_to: self.frame.as_ref().map(|frame| frame.seen_at),
            drive_id: self.root.as_ref().map(|root| root.drive.clone()),
            first: Count(0),
            folder: self.plan.name.clone(),
            from_cursor_sha256: digest(&self.from_cursor),
            gaps,
            kept: self.counted.kept,
            ledger: self.ledger.clone(),
            oldest_revision_at: self.counted.oldest,
            pages: Count(self.counted.pages),
            previous_window: self.state.last_window,
            provider: self.capabilities.provider,
            reconciled: Count(self.events.iter().filter(|event| event.reconciled).count() as u64),
            retries: Count(usage.retries - self.usage_before.retries),
            revisions_changed: Count(self.counted.changed),
            revisions_vanished: Count(self.counted.vanished),
            state,
            tenant: self.tenant.clone(),
            throttled_ms: Count(usage.throttled_ms - self.usage_before.throttled_ms),
            to_cursor_sha256: digest(&self.state.cursor),
            kind: "window".into(),
            v: VERSION,
            walk: self.walk,
        }
    }

    /// Why the folder could not be read at all.
    pub fn failure(&self) -> Option<&ErrorKind> {
        self.failure.as_ref()
    }

    /// Requests sent since the connector was made, by operation.
    pub fn usage(&self) -> Usage {
        self.plan.connector.usage()
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Refuses a listing that repeats itself or does not end.
#[derive(Debug, Default)]
struct PageGuard {
    last: Option<PageToken>,
    pages: u64,
}

impl PageGuard {
    fn check(&mut self, capabilities: &Capabilities, token: &PageToken) -> Result<(), ConnectorError> {
        let repeated = self.last.as_ref() == Some(token);
        self.last = Some(token.clone());
        self.pages += 1;
        if repeated || self.pages > MAX_PAGES {
            let error = ConnectorError::new(ErrorKind::Malformed, capabilities.provider, "paging");
            return Err(error.with_code("the listing repeats itself"));
        }
        Ok(())
    }
}
