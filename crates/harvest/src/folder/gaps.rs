//! What a look could not see, as gaps of its window.

use revtrail_connector::ConnectorError;
use revtrail_model::{
    leaf::{Gap, GapReason},
    record::Count,
};

use super::{FolderRun, chain};

impl FolderRun<'_> {
    /// The folder could not be read at all.
    pub(super) fn fail(&mut self, reason: GapReason, error: &ConnectorError) {
        self.failure = Some(error.kind.clone());
        self.miss(reason, error);
    }

    pub(super) fn miss(&mut self, reason: GapReason, error: &ConnectorError) {
        tracing::error!(folder = %self.plan.name, provider = %self.capabilities.provider, error = %chain(error), hint = error.hint(), "folder could not be read");
        let detail = match error.status {
            Some(status) => format!("{}, HTTP {status}", error.kind.as_str()),
            None => error.kind.as_str().to_owned(),
        };
        let to = self.answered_at();
        self.gaps.push(Gap {
            detail: Some(detail),
            from: self.covers_from,
            items: None,
            reason,
            to,
        });
    }

    /// The cursor was lost: everything is listed again and compared, and what happened meanwhile is known as a net difference only, or by
    /// a feed that nobody promises to be whole.
    pub(super) fn lose_cursor(&mut self) {
        tracing::warn!(folder = %self.plan.name, provider = %self.capabilities.provider, "change cursor lost, listing the folder in full");
        let to = self.answered_at();
        self.gaps.push(Gap {
            detail: None,
            from: self.covers_from,
            items: None,
            reason: GapReason::CursorLost,
            to,
        });
    }

    pub(super) fn revision_gaps(&self) -> Vec<Gap> {
        let to = self
            .frame
            .as_ref()
            .map_or_else(|| self.clock.now(), |frame| frame.seen_at);
        let gap = |reason, items: u64, detail| Gap {
            detail,
            from: self.covers_from,
            items: Some(Count(items)),
            reason,
            to,
        };
        let failed: u64 = self.unavailable.values().sum();
        let waiting = (self.inventory.pending_count() + self.state.pending_places.len()) as u64;
        let mut gaps = Vec::new();
        let told = failed + self.counted.headless;
        if waiting > told {
            gaps.push(gap(GapReason::RevisionsPending, waiting - told, None));
        }
        if self.counted.headless > 0 {
            gaps.push(gap(GapReason::HeadMissing, self.counted.headless, None));
        }
        for (detail, items) in &self.unavailable {
            gaps.push(gap(
                GapReason::RevisionsUnavailable,
                *items,
                Some((*detail).to_owned()),
            ));
        }
        for (detail, items) in &self.contents_failed {
            gaps.push(gap(GapReason::ContentsUnavailable, *items, Some(detail.clone())));
        }
        if let Some(hole) = self.counted.hole {
            gaps.push(Gap {
                detail: Some(format!("removed by the provider: {} revisions", hole.revisions)),
                from: Some(hole.from),
                items: Some(Count(hole.items)),
                reason: GapReason::RevisionsTruncated,
                to: hole.to,
            });
        }
        if self.counted.truncated > 0 {
            gaps.push(gap(GapReason::RevisionsTruncated, self.counted.truncated, None));
        }
        gaps
    }
}
