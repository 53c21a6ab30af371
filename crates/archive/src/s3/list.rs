//! `ListObjectsV2`.

use super::{
    S3Archive,
    failure::{Call, failure},
};
use crate::{ArchiveError, ArchiveErrorKind, Listing, ObjectKey, PAGE_ENTRIES};

impl S3Archive {
    pub(super) async fn list_page(
        &self,
        most: usize,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Listing, ArchiveError> {
        let mut listing = Listing::default();
        let mut start_after = after.map(|key| self.name(key));
        // Once, unless a page holds foreign names only: the caller needs a key to go on from.
        loop {
            let page = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(self.with_prefix(prefix))
                .set_start_after(start_after.take())
                .max_keys(i32::try_from(most.clamp(1, PAGE_ENTRIES)).unwrap_or(i32::MAX))
                .send()
                .await
                .map_err(|error| failure(error, "list", prefix, Call::Read))?;
            for object in page.contents() {
                self.sort_in(&mut listing, object.key().unwrap_or_default());
            }
            listing.more = page.is_truncated() == Some(true);
            if !listing.more || !listing.keys.is_empty() {
                return Ok(listing);
            }
            start_after = page
                .contents()
                .last()
                .and_then(|last| last.key().map(str::to_owned));
            if start_after.is_none() {
                return Err(ArchiveError::new(ArchiveErrorKind::Corrupt, "list", prefix)
                    .because("the store announces another page after an empty one"));
            }
        }
    }

    /// The key of a name in the bucket; `None` for a name that is none of ours.
    pub(super) fn relative(&self, name: &str) -> Option<ObjectKey> {
        let relative = match &self.prefix {
            Some(prefix) => name
                .strip_prefix(prefix.as_str())
                .and_then(|rest| rest.strip_prefix('/')),
            None => Some(name),
        };
        relative.and_then(|relative| relative.parse::<ObjectKey>().ok())
    }

    fn sort_in(&self, listing: &mut Listing, name: &str) {
        match self.relative(name) {
            Some(key) => listing.keys.push(key),
            None => listing.foreign.push(name.to_owned()),
        }
    }
}
