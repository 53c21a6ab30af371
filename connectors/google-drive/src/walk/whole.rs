//! A shared drive, whole: a thousand items a page, in no order that is promised, so that children may come before their folders. The
//! tree follows from the parents that each item names.

use revtrail_connector::ConnectorError;
use revtrail_model::id::DriveId;

use super::{Listing, Part, Walk, items};
use crate::connector::GoogleDrive;

impl GoogleDrive {
    /// One page of everything on a shared drive.
    pub(super) async fn walk_drive(
        &self,
        drive: &DriveId,
        mut listing: Listing,
    ) -> Result<Part, ConnectorError> {
        let url = |page: Option<&str>| self.api.whole_drive(drive, page);
        let (page, answer) = self.page(&mut listing, url).await?;
        Ok(Part {
            changes: items(&page, &answer)?,
            rest: listing.go_on(page.next_page_token).map(Walk::Drive),
            answered_at: answer.date,
        })
    }
}
