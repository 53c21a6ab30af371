//! A drive's feed of changes, and what is left when Graph cannot give a page of it.

use revtrail_connector::{ConnectorError, ErrorKind, FeedPage, FeedPoint, FolderRoot, Next, http::Answer};
use revtrail_model::{
    id::DriveId,
    time::{Timestamp, plus_seconds},
};
use url::Url;

use crate::{
    api::{Api, ITEM_UNITS, LIST_UNITS},
    connector::{OneDrive, entries, failed, with_answer},
    error::operation,
    ids,
    wire::Collection,
};

/// Entries of a page when Graph takes too long over one of the usual size.
const SMALL_PAGE: u32 = 100;

/// How far the clocks of Graph's front and of the drive may differ, seconds.
const SKEW: i64 = 300;

/// How far back SharePoint's log of changes reaches, less a day, seconds. From an earlier moment on, a feed might begin later than asked.
const REACH: i64 = 59 * 86_400;

impl OneDrive {
    /// One page. The feed is always that of the whole drive: a folder's own is refused on business drives, and nowhere documented to
    /// tell what leaves the folder on personal ones.
    pub(crate) async fn feed(&self, root: &FolderRoot, at: &FeedPoint) -> Result<FeedPage, ConnectorError> {
        let drive = &root.drive;
        let (url, units) = match at {
            FeedPoint::Start => (self.api.delta(drive), LIST_UNITS),
            FeedPoint::After(cursor) => (self.link(operation::CHANGES, cursor.as_str())?, ITEM_UNITS),
            FeedPoint::Since(moment) => (self.since(drive, *moment)?, ITEM_UNITS),
            FeedPoint::Page(token) => (self.link(operation::CHANGES, token.as_str())?, LIST_UNITS),
        };
        let found = match self.page(operation::CHANGES, (drive, url.clone()), units).await {
            Err(error) if is_too_much(&error) => {
                let again = self.smaller(drive, (&url, units), error).await;
                self.blame(drive, at, again).await
            }
            found => found,
        };
        let (page, answer) = found?;
        let changes = entries(operation::CHANGES, &page.value, &answer)?;
        // An empty page with a next link is legal; the next link wins, because a round must be read to its end.
        let next = match (page.next_link, page.delta_link) {
            (Some(link), _) => Next::Page(link.into()),
            (None, Some(link)) => Next::CaughtUp(link.into()),
            (None, None) => {
                return Err(
                    with_answer(failed(ErrorKind::Malformed, operation::CHANGES), &answer)
                        .with_code("page without a next link or delta link"),
                );
            }
        };
        Ok(FeedPage {
            changes,
            next,
            with_contents: true,
            answered_at: answer.date,
        })
    }

    /// Where the feed from a moment begins.
    fn since(&self, drive: &DriveId, moment: Timestamp) -> Result<Url, ConnectorError> {
        let refused = |why: &str| Err(failed(ErrorKind::NotSupported, operation::CHANGES).with_code(why));
        if ids::is_personal(drive) {
            return refused("personal drives have no feed from a moment");
        }
        if moment < plus_seconds(self.http.provider_now(), -REACH) {
            return refused("the log of changes does not reach back so far");
        }
        Ok(self.api.delta_since(drive, plus_seconds(moment, -SKEW)))
    }

    /// The same page with fewer entries, if it was not one of few already. Pages that follow have as many.
    async fn smaller(
        &self,
        drive: &DriveId,
        (url, units): (&Url, u32),
        error: ConnectorError,
    ) -> Result<(Collection, Answer), ConnectorError> {
        let smaller = Api::with_page_size(url, SMALL_PAGE);
        if smaller == *url {
            return Err(error);
        }
        tracing::warn!(provider = %error.provider, http.status = error.status, "a page of the change feed took too long; asking for a smaller one");
        self.page(operation::CHANGES, (drive, smaller), units).await
    }

    /// Tells a link that Graph cannot serve any more from a service that cannot be reached: if the feed answers where it stands now, it
    /// is the link, which is as good as lost then.
    async fn blame(
        &self,
        drive: &DriveId,
        at: &FeedPoint,
        found: Result<(Collection, Answer), ConnectorError>,
    ) -> Result<(Collection, Answer), ConnectorError> {
        match found {
            Err(mut error) if is_too_much(&error) && *at != FeedPoint::Start => {
                let latest = (drive, self.api.delta_latest(drive));
                if self.page(operation::CHANGES, latest, ITEM_UNITS).await.is_ok() {
                    error.kind = ErrorKind::CursorExpired;
                }
                Err(error)
            }
            found => found,
        }
    }
}

/// Failures that were reported to stay for one link and after many changes.
fn is_too_much(error: &ConnectorError) -> bool {
    matches!(error.kind, ErrorKind::Unavailable { .. }) && matches!(error.status, Some(500 | 502 | 504))
}
