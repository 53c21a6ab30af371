//! The reconciliation walk: a full listing beside the feed, compared with what is known after it.
//!
//! The order settles races. The feed is read first, then the listing, then the feed once more: what that second reading tells happened
//! while the listing was read, so the listing's word on it counts for nothing. What still differs, the feed has left out. The cursor stays
//! that of the feed.

mod by_id;
mod by_place;

use std::collections::BTreeSet;

use revtrail_connector::ConnectorError;
use revtrail_model::{
    event::Event,
    id::ItemId,
    leaf::{Gap, GapReason, Walk},
    record::Count,
    time::Timestamp,
};

use super::{FolderRun, WalkDue, chain};
use crate::{error::HarvestError, facts::Frame, state::Walked};

impl FolderRun<'_> {
    /// Notes that the folder was listed in full, from `first_at` on.
    pub(super) fn walked(&mut self, first_at: Timestamp) {
        self.state.walked = Some(Walked {
            at: self.clock.now(),
            from: first_at,
        });
    }

    /// Whether a walk is due, and there is a folder to walk through.
    pub(super) fn may_walk(&self) -> bool {
        let gone = [GapReason::FolderUnavailable, GapReason::FolderReplaced];
        self.walk_due == WalkDue::Now && !self.gaps.iter().any(|gap| gone.contains(&gap.reason))
    }

    /// A walk that failed is a gap and takes nothing back of what the feed told.
    fn outcome_of_walk(&mut self, outcome: Result<(), HarvestError>) -> Result<(), HarvestError> {
        match outcome {
            Err(HarvestError::Connector(error)) => {
                self.fail_walk(&error);
                Ok(())
            }
            other => other,
        }
    }

    fn fail_walk(&mut self, error: &ConnectorError) {
        tracing::error!(folder = %self.plan.name, provider = %self.capabilities.provider, error = %chain(error), hint = error.hint(), "folder could not be listed in full to compare");
        let detail = match error.status {
            Some(status) => format!("{}, HTTP {status}", error.kind.as_str()),
            None => error.kind.as_str().to_owned(),
        };
        let to = self.answered_at();
        self.gaps.push(Gap {
            detail: Some(detail),
            from: self.state.walked.map(|walked| walked.from),
            items: None,
            reason: GapReason::WalkFailed,
            to,
        });
    }

    /// Shared fields of what the listing shows: it may have happened at any time since the listing before.
    fn walk_frame(&self, seen_at: Timestamp) -> Result<Frame, HarvestError> {
        Ok(Frame {
            reconciled: true,
            previous: self.state.walked.map(|walked| walked.from),
            ..self.make_frame(seen_at)?
        })
    }

    /// Counts what was found, and says so: what the feed left out once, it may have left out more of in between.
    fn close_walk(&mut self, frame: &Frame, items: usize, found: &Found) {
        let differences = Count(found.0.len() as u64);
        self.walk = Some(Walk {
            differences,
            from: frame.previous,
            items: Count(items as u64),
            to: frame.seen_at,
        });
        if differences.0 > 0 {
            tracing::warn!(folder = %self.plan.name, provider = %self.capabilities.provider, items.count = differences.0, "the change feed had left out changes that a full listing shows");
            self.gaps.push(Gap {
                detail: None,
                from: frame.previous,
                items: Some(differences),
                reason: GapReason::FeedIncomplete,
                to: frame.seen_at,
            });
        }
    }
}

/// Items that a listing shows otherwise than they were known.
#[derive(Default)]
struct Found(BTreeSet<ItemId>);

impl Found {
    fn add(&mut self, events: &[Event], pending: impl Iterator<Item = ItemId>) {
        self.0.extend(events.iter().map(|event| event.item_id.clone()));
        self.0.extend(pending);
    }
}
