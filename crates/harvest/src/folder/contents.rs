//! Fetching the contents that the capture policy asks for, and telling what they change.

use std::{collections::HashMap, sync::Arc};

use futures::future::join_all;
use revtrail_connector::{
    Connector, ConnectorError, Content, ContentRef, ErrorKind, FolderRoot,
    digests::{Agreement, compare},
};
use revtrail_model::{
    Digest,
    event::{Action, ContentMissing, Event, ItemKind},
    id::ItemId,
};

use super::FolderRun;
use crate::{
    capture::{Capture, Policy, Vault},
    conventions::is_instruction,
    error::HarvestError,
    instructions::follow,
    inventory::Inventory,
};

/// Contents fetched at a time.
const AT_ONCE: usize = 4;
/// How often contents are fetched that do not agree with what was told of them: the file may have changed in between.
const ATTEMPTS: u32 = 2;

/// What becomes of one wish, in the event's words, and of those that are gaps, why.
type Outcome = Result<Digest, (ContentMissing, Option<String>)>;

/// Contents to be fetched for an event.
struct Wish {
    /// Place of the event.
    event: usize,
    wanted: ContentRef,
}

impl FolderRun<'_> {
    /// Fetches the contents of events that came since the last call, and adds the events that follow from these.
    pub async fn take_contents(&mut self, vault: &Vault<'_>) -> Result<(), HarvestError> {
        let Some(root) = self.root.clone() else {
            return Ok(());
        };
        let from = self.examined;
        let mut followers: Vec<(usize, Event)> = Vec::new();
        for (index, event) in self.events.iter().enumerate().skip(from) {
            followers.extend(follow(event).map(|follower| (index, follower)));
        }
        let mut wishes = self.wishes(from);
        let plain = wishes.len();
        wishes.extend(self.arrivals(&followers));
        let outcomes = self.fetch_all(&root, &wishes, vault).await?;
        for (place, (wish, outcome)) in wishes.iter().zip(outcomes).enumerate() {
            let event = if place < plain {
                self.events.get_mut(wish.event)
            } else {
                let follower = followers.iter_mut().find(|(index, _)| *index == wish.event);
                follower.map(|(_, follower)| follower)
            };
            if let Some(event) = event {
                match &outcome {
                    Ok(digest) => event.content_sha256 = Some(*digest),
                    Err((missing, _)) => event.content_missing = Some(*missing),
                }
            }
            if let Err((_, Some(why))) = outcome {
                *self.contents_failed.entry(why).or_default() += 1;
            }
        }
        for (index, mut follower) in followers {
            if let Some(event) = self.events.get(index).filter(|event| event.revision_id.is_some()) {
                follower.content_sha256 = event.content_sha256;
                follower.content_missing = event.content_missing;
            }
            self.events.push(follower);
        }
        self.examined = self.events.len();
        Ok(())
    }

    /// Revisions whose contents the policy asks for. Of what a first look finds, only the newest revision of each file is fetched, unless
    /// everything is wanted.
    fn wishes(&self, from: usize) -> Vec<Wish> {
        let policy = self.plan.capture.policy;
        let is_wanted = |event: &Event| match policy {
            Policy::Metadata => false,
            Policy::Conventions => event.path.path.as_deref().is_some_and(is_instruction),
            Policy::All => true,
        };
        let mut wishes = Vec::new();
        let mut newest: HashMap<&ItemId, usize> = HashMap::new();
        for (index, event) in self.events.iter().enumerate().skip(from) {
            let Some(wanted) = revision_of(event).filter(|_| is_wanted(event)) else {
                continue;
            };
            if event.baseline && policy != Policy::All {
                // A later one of the same file takes its place.
                if let Some(earlier) = newest.insert(&event.item_id, index) {
                    wishes.retain(|wish: &Wish| wish.event != earlier);
                }
            }
            wishes.push(Wish { event: index, wanted });
        }
        wishes
    }

    /// Files that were there before and instruct agents from now on, by a name or place of their own that is new: what they hold was not
    /// fetched when it was saved.
    fn arrivals(&self, followers: &[(usize, Event)]) -> Vec<Wish> {
        if self.plan.capture.policy != Policy::Conventions {
            return Vec::new();
        }
        let arrives = |event: &Event| {
            event.revision_id.is_none()
                && event.item_kind == ItemKind::File
                && event.path.path.as_deref().is_some_and(is_instruction)
                && matches!(
                    event.action,
                    Action::Renamed | Action::Moved | Action::MovedIn | Action::Restored
                )
        };
        let wish = |index: usize| {
            let event = self.events.get(index).filter(|event| arrives(event))?;
            Some(Wish {
                event: index,
                wanted: newest_known(&self.inventory, &event.item_id)?,
            })
        };
        followers.iter().filter_map(|(index, _)| wish(*index)).collect()
    }

    async fn fetch_all(
        &self,
        root: &FolderRoot,
        wishes: &[Wish],
        vault: &Vault<'_>,
    ) -> Result<Vec<Outcome>, HarvestError> {
        let mut outcomes = Vec::with_capacity(wishes.len());
        // Credentials that do not open one file's contents open none.
        let mut barred: Option<(ContentMissing, Option<String>)> = None;
        for some in wishes.chunks(AT_ONCE) {
            if let Some(why) = &barred {
                outcomes.extend(some.iter().map(|_| Err(why.clone())));
                continue;
            }
            let fetches = some.iter().filter_map(|wish| {
                Some(Fetch {
                    connector: &self.plan.connector,
                    root,
                    capture: self.plan.capture,
                    told: self.events.get(wish.event)?,
                    wanted: &wish.wanted,
                })
            });
            let fetches: Vec<_> = fetches.map(|fetch| fetch.run(vault)).collect();
            for outcome in join_all(fetches).await {
                let outcome = outcome?;
                if let Fetched::Barred(why) = &outcome {
                    barred = Some(why.clone());
                }
                outcomes.push(outcome.into());
            }
        }
        Ok(outcomes)
    }
}

/// The revision whose contents an event tells of.
fn revision_of(event: &Event) -> Option<ContentRef> {
    let tells = event.item_kind == ItemKind::File
        && !matches!(
            event.action,
            Action::RevisionVanished | Action::InstructionsChanged
        );
    Some(ContentRef {
        item: event.item_id.clone(),
        revision: event.revision_id.clone().filter(|_| tells)?,
    })
}

/// The newest revision that was recorded of a file.
fn newest_known(inventory: &Inventory, item: &ItemId) -> Option<ContentRef> {
    Some(ContentRef {
        item: item.clone(),
        revision: inventory.item(item)?.revisions.last()?.id.clone(),
    })
}

/// What became of one fetch.
enum Fetched {
    Kept(Digest),
    Missing(ContentMissing, Option<String>),
    /// As for every other of this account.
    Barred((ContentMissing, Option<String>)),
}

impl From<Fetched> for Outcome {
    fn from(fetched: Fetched) -> Self {
        match fetched {
            Fetched::Kept(digest) => Ok(digest),
            Fetched::Missing(missing, why) => Err((missing, why)),
            Fetched::Barred(why) => Err(why),
        }
    }
}

struct Fetch<'a> {
    connector: &'a Arc<dyn Connector>,
    root: &'a FolderRoot,
    capture: Capture,
    /// Size and digests as the provider told them.
    told: &'a Event,
    wanted: &'a ContentRef,
}

impl Fetch<'_> {
    async fn run(self, vault: &Vault<'_>) -> Result<Fetched, HarvestError> {
        let max = self.capture.max_bytes;
        let told = self.told.size_bytes.filter(|_| self.told.revision_id.is_some());
        if told.is_some_and(|size| size > max as u64) {
            return Ok(Fetched::Missing(ContentMissing::TooLarge, None));
        }
        let mut differs = String::new();
        for _ in 0..ATTEMPTS {
            let bytes = match self.connector.content(self.root, self.wanted, max).await {
                Ok(Content::Bytes(bytes)) => bytes,
                Ok(Content::TooLarge) => return Ok(Fetched::Missing(ContentMissing::TooLarge, None)),
                Ok(Content::NotKept) => return Ok(Fetched::Missing(ContentMissing::NotKept, None)),
                Ok(Content::NoBytes) => return Ok(Fetched::Missing(ContentMissing::NoBytes, None)),
                Err(error) => return Ok(self.failed(&error)),
            };
            if told.is_some_and(|size| size != bytes.len() as u64) {
                "size".clone_into(&mut differs);
            } else if let Agreement::Differs(name) = compare(&bytes, &self.told.hashes) {
                name.clone_into(&mut differs);
            } else {
                return vault.keep(bytes).await.map(Fetched::Kept);
            }
        }
        tracing::warn!(item.id = %self.wanted.item, revision.id = %self.wanted.revision, differs, "contents are not what the provider told");
        let why = format!("contents differ from the {differs} told");
        Ok(Fetched::Missing(ContentMissing::Differs, Some(why)))
    }

    fn failed(&self, error: &ConnectorError) -> Fetched {
        tracing::warn!(item.id = %self.wanted.item, revision.id = %self.wanted.revision, error = %super::chain(error), hint = error.hint(), "contents could not be fetched");
        let why = match error.status {
            Some(status) => format!("{}, HTTP {status}", error.kind.as_str()),
            None => error.kind.as_str().to_owned(),
        };
        match error.kind {
            ErrorKind::Unauthorized | ErrorKind::Config => {
                Fetched::Barred((ContentMissing::Refused, Some(why)))
            }
            ErrorKind::PermissionDenied | ErrorKind::ForeignHost | ErrorKind::NotSupported => {
                Fetched::Missing(ContentMissing::Refused, Some(why))
            }
            _ => Fetched::Missing(ContentMissing::Failed, Some(why)),
        }
    }
}
