//! Edits: the lines of a journal.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Somebody who edits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Actor {
    /// Address; the faces derive their ids from it.
    pub email: String,
    /// Display name.
    pub name: String,
}

impl Actor {
    /// Somebody with this address; the name is what stands before the `@`.
    pub fn with_email(email: &str) -> Self {
        let name = email.split('@').next().unwrap_or(email);
        Self {
            email: email.to_owned(),
            name: name.to_owned(),
        }
    }
}

/// What a provider can say of somebody, told by the address so that journals can say it, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A person with an account.
    Person,
    /// A person whose account was deleted since: addresses in `removed.invalid`.
    Removed,
    /// A program under its own name: addresses of service accounts, which end in `.gserviceaccount.com`.
    Program,
}

impl Actor {
    /// What a provider can say of this one.
    pub fn standing(&self) -> Standing {
        if self.email.ends_with("@removed.invalid") {
            Standing::Removed
        } else if self.email.ends_with(".gserviceaccount.com") {
            Standing::Program
        } else {
            Standing::Person
        }
    }
}

/// How OneDrive names somebody, told by the address as well; to the other providers these are people with accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// As an account of its directory, or what is left of one.
    Account,
    /// As itself, without id: `service.invalid`.
    Service,
    /// By an address alone: `address-only.invalid`.
    AddressOnly,
    /// As a user of one site: `site-user.invalid`.
    SiteUser,
    /// As a group: `group.invalid`.
    Group,
    /// As a device: `device.invalid`.
    Device,
}

impl Actor {
    /// How OneDrive names this one.
    pub fn identity(&self) -> Identity {
        match self.email.rsplit_once('@').map(|(_, domain)| domain) {
            Some("service.invalid") => Identity::Service,
            Some("address-only.invalid") => Identity::AddressOnly,
            Some("site-user.invalid") => Identity::SiteUser,
            Some("group.invalid") => Identity::Group,
            Some("device.invalid") => Identity::Device,
            _ => Identity::Account,
        }
    }
}

/// What an edit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A new file.
    Created,
    /// New content of a file.
    Modified,
    /// A file or folder gets another name, another folder, or both.
    Renamed,
    /// A file or folder, with all below it, is deleted.
    #[serde(alias = "trashed")]
    Deleted,
    /// The item most recently deleted at this path comes back.
    Restored,
    /// A new folder.
    FolderCreated,
}

impl Action {
    /// The word used in journals.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Modified => "modified",
            Self::Renamed => "renamed",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
            Self::FolderCreated => "folder_created",
        }
    }
}

/// One line of a journal. Paths are `'/'`-joined from the root, without a leading `/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: Arc<Actor>,
    /// What.
    pub action: Action,
    /// Where; the new place of a rename.
    pub path: Arc<str>,
    /// The old place of a rename.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Arc<str>>,
    /// Bytes, of a created or modified file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Equal keys are equal contents; made from path and time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_key: Option<Arc<str>>,
    /// Application that saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<Arc<str>>,
    /// Line of the journal it came from, from 1; set by the source.
    #[serde(skip)]
    pub line: usize,
}

impl Edit {
    /// An edit of this kind by nobody in particular.
    pub fn new(at: Timestamp, action: Action, path: &str) -> Self {
        Self {
            at,
            actor: Arc::new(Actor::with_email("someone@example.com")),
            action,
            path: path.into(),
            from: None,
            size: None,
            content_key: None,
            application: None,
            line: 0,
        }
    }

    /// A new file of `size` bytes.
    pub fn created(at: Timestamp, path: &str, size: u64) -> Self {
        Self {
            size: Some(size),
            ..Self::new(at, Action::Created, path)
        }
    }

    /// New content of `size` bytes.
    pub fn modified(at: Timestamp, path: &str, size: u64) -> Self {
        Self {
            size: Some(size),
            ..Self::new(at, Action::Modified, path)
        }
    }

    /// A file or folder goes from one path to another.
    pub fn renamed(at: Timestamp, from: &str, to: &str) -> Self {
        Self {
            from: Some(from.into()),
            ..Self::new(at, Action::Renamed, to)
        }
    }

    /// A file or folder goes.
    pub fn deleted(at: Timestamp, path: &str) -> Self {
        Self::new(at, Action::Deleted, path)
    }

    /// What was deleted at `path` comes back.
    pub fn restored(at: Timestamp, path: &str) -> Self {
        Self::new(at, Action::Restored, path)
    }

    /// A new folder.
    pub fn folder_created(at: Timestamp, path: &str) -> Self {
        Self::new(at, Action::FolderCreated, path)
    }

    /// The same edit by somebody else.
    #[must_use]
    pub fn by(mut self, email: &str) -> Self {
        self.actor = Arc::new(Actor::with_email(email));
        self
    }

    /// The same edit with this content.
    #[must_use]
    pub fn with_content(mut self, key: &str) -> Self {
        self.content_key = Some(key.into());
        self
    }
}
