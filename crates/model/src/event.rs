//! One normalised fact: who did what to which item, when, and how we know (event schema, version 1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Digest,
    id::{DriveId, FolderName, ItemId, LedgerName, Provider, RevisionId, TenantId},
    record::canonical_digest,
    time::Timestamp,
};

/// What happened to the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The item came into being.
    Created,
    /// A new state of its content was saved.
    Modified,
    /// Its name changed, its parent did not.
    Renamed,
    /// Its parent changed within the folder (the name may have changed too).
    Moved,
    /// It entered the folder from outside.
    MovedIn,
    /// It left the folder and still exists.
    MovedOut,
    /// It was put into the provider's bin and can still be seen there.
    Trashed,
    /// It was deleted.
    Deleted,
    /// It came back after having been trashed or deleted.
    Restored,
    /// It was made as a copy.
    Copied,
    /// Its sharing changed.
    PermissionChanged,
    /// A revision known before is no longer listed; why is not known.
    RevisionVanished,
    /// The provider no longer shows the item to us: deleted for good, or no longer shared.
    AccessLost,
    /// A file that instructs an agent changed.
    InstructionsChanged,
}

impl Action {
    /// The name in the event schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Modified => "modified",
            Self::Renamed => "renamed",
            Self::Moved => "moved",
            Self::MovedIn => "moved_in",
            Self::MovedOut => "moved_out",
            Self::Trashed => "trashed",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
            Self::Copied => "copied",
            Self::PermissionChanged => "permission_changed",
            Self::RevisionVanished => "revision_vanished",
            Self::AccessLost => "access_lost",
            Self::InstructionsChanged => "instructions_changed",
        }
    }
}

/// Kind of item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// Has content and revisions.
    File,
    /// Holds other items.
    Folder,
    /// The provider did not say, or said something this version does not know (shortcut).
    Other,
}

impl ItemKind {
    /// The name in the event schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "folder",
            Self::Other => "other",
        }
    }
}

/// Where a time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeSource {
    /// The provider's own clock.
    Server,
    /// A time that the uploading program may have chosen.
    Client,
    /// The provider's audit log.
    AuditLog,
    /// Only bounds are known, from two observations.
    Inferred,
}

impl TimeSource {
    /// The name in the event schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::AuditLog => "audit_log",
            Self::Inferred => "inferred",
        }
    }
}

/// What kind of actor the provider named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// An account of a person (software may act through it).
    User,
    /// A program under its own name.
    Application,
    /// The provider itself.
    Service,
    /// Somebody without an account.
    Anonymous,
    /// Not told. Not the same as "nobody" or "a person".
    Unknown,
}

impl ActorKind {
    /// The name in the event schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Application => "application",
            Self::Service => "service",
            Self::Anonymous => "anonymous",
            Self::Unknown => "unknown",
        }
    }
}

/// Where the actor comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorSource {
    /// The revision or item resource.
    Revision,
    /// The provider's audit log.
    AuditLog,
    /// The provider's activity feed.
    Activity,
    /// The provider did not say.
    NotReported,
}

impl ActorSource {
    /// The name in the event schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revision => "revision",
            Self::AuditLog => "audit_log",
            Self::Activity => "activity",
            Self::NotReported => "not_reported",
        }
    }
}

/// Whether the provider said it or we concluded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The provider said it.
    Reported,
    /// Concluded from two states; see `derived_from`.
    Derived,
}

impl Basis {
    /// The name in the event schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Derived => "derived",
        }
    }
}

/// Why contents that the capture policy asks for were not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentMissing {
    /// They exceed the configured size.
    TooLarge,
    /// The provider no longer gives out those of this revision.
    NotKept,
    /// There are none: a document that exists only in the provider's editor.
    NoBytes,
    /// The provider refused them.
    Refused,
    /// They could not be fetched.
    Failed,
    /// What was fetched has not the size or a digest that the provider told.
    Differs,
}

impl ContentMissing {
    /// The name in the event schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::NotKept => "not_kept",
            Self::NoBytes => "no_bytes",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Differs => "differs",
        }
    }
}

/// A program the provider names beside or instead of a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Application {
    /// Provider id of the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name as the provider shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The personal part of an actor; a salted commitment in the leaf. Fields in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct ActorDetails {
    /// Address, as the provider gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Provider id of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Display name, as the provider gave it (often the name of today, not of then).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For whom a program acted, when the provider says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
}

impl ActorDetails {
    /// True when nothing at all is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// From where something was done, as an audit log tells it; a salted commitment in the leaf. Fields in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct ClientDetails {
    /// Network address, as the provider gave it; of a server of the provider's when people work in a browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Kind of access in the provider's word: through a browser, a synchronising program, the API, an administrator's console.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What the program called itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

impl ClientDetails {
    /// True when nothing at all is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Actor {
    /// Kind of actor.
    pub kind: ActorKind,
    /// The personal part.
    pub details: ActorDetails,
    /// The program, when the provider names one.
    pub application: Option<Application>,
}

/// Where the item is, in words; a salted commitment in the leaf. Fields in canonical order, paths relative to the folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct PathDetails {
    /// Last component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Path when observed, or the last one in the folder when the item has left it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Path before a rename or move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_path: Option<String>,
}

impl PathDetails {
    /// True when no path is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// When it happened: a moment, or only bounds. Never both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurred {
    /// At this moment, by this clock.
    At {
        /// The moment.
        at: Timestamp,
        /// Whose clock.
        source: TimeSource,
    },
    /// Between two observations.
    Between {
        /// The item was still in its former state then; absent when there is no earlier observation.
        not_before: Option<Timestamp>,
        /// The change was visible then.
        not_after: Timestamp,
    },
}

impl Occurred {
    /// The moment to sort by: the moment itself, or the upper bound.
    pub fn sort_key(&self) -> Timestamp {
        match self {
            Self::At { at, .. } => *at,
            Self::Between { not_after, .. } => *not_after,
        }
    }
}

/// One fact in clear, as the harvest makes it and as a reader with the sidecar sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Identity of the fact; see [`EventKey`].
    pub id: Digest,
    /// Ledger, folder and place at the provider.
    pub scope: Scope,
    /// The item.
    pub item_id: ItemId,
    /// Its kind.
    pub item_kind: ItemKind,
    /// What happened.
    pub action: Action,
    /// Revision the fact is about.
    pub revision_id: Option<RevisionId>,
    /// Revision before it, when known.
    pub previous_revision_id: Option<RevisionId>,
    /// Names and paths.
    pub path: PathDetails,
    /// Media type as the provider gave it.
    pub mime_type: Option<String>,
    /// Size of the content, bytes.
    pub size_bytes: Option<u64>,
    /// Digests of the content as the provider gave them: algorithm -> value.
    pub hashes: BTreeMap<String, String>,
    /// Why the content was not kept though the policy asks for it.
    pub content_missing: Option<ContentMissing>,
    /// SHA-256 of the content, only when we read the bytes.
    pub content_sha256: Option<Digest>,
    /// When it happened.
    pub occurred: Occurred,
    /// Time claimed by the uploading program; never trusted.
    pub claimed_at: Option<Timestamp>,
    /// Our clock when we read it.
    pub observed_at: Timestamp,
    /// Who did it; absent when not told.
    pub actor: Option<Actor>,
    /// Where the actor comes from.
    pub actor_source: ActorSource,
    /// Whether reported or derived.
    pub basis: Basis,
    /// What a derived fact was derived from: an ancestor's item id, or a rule named in the event schema.
    pub derived_from: Option<String>,
    /// Found by the first harvest of the folder.
    pub baseline: bool,
    /// Found by comparing a full listing with what was known, not told by the change feed.
    pub reconciled: bool,
    /// Operation that showed it, for example `drive.versions`.
    pub source_api: String,
    /// The provider's id of that request.
    pub source_request_id: Option<String>,
    /// Digest of the raw record line; absent when no single record shows the fact.
    pub raw_sha256: Option<Digest>,
}

/// Operation of facts about the designated folder itself, which is not one of the items in it.
pub const DESIGNATED_FOLDER: &str = "designated_folder";

/// Where a fact belongs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    /// Ledger.
    pub ledger: LedgerName,
    /// Designated folder.
    pub folder: FolderName,
    /// Business function of the folder, from the configuration.
    pub function: Option<String>,
    /// Provider.
    pub provider: Provider,
    /// Customer organisation or account.
    pub tenant: TenantId,
    /// Root of items.
    pub drive_id: DriveId,
}

/// What makes two readings the same fact. The id is SHA-256 over the canonical JSON array of its parts.
///
/// `marker` is the revision id for facts about a revision, and `#<n>` for state changes, where n counts the state changes recorded
/// for the item so far; never a path.
#[derive(Debug, Clone)]
pub struct EventKey<'a> {
    /// Ledger, folder and place; only provider, tenant and drive enter the id.
    pub scope: &'a Scope,
    /// The item.
    pub item_id: &'a ItemId,
    /// Revision id or state-change counter.
    pub marker: &'a str,
    /// What happened.
    pub action: Action,
}

impl EventKey<'_> {
    /// The event id.
    pub fn id(&self) -> Digest {
        canonical_digest(&[
            self.scope.provider.as_str(),
            self.scope.tenant.as_str(),
            self.scope.drive_id.as_str(),
            self.item_id.as_str(),
            self.marker,
            self.action.as_str(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sha256;

    fn scope() -> Scope {
        Scope {
            ledger: "finance".into(),
            folder: "close".into(),
            function: None,
            provider: Provider::OneDrive,
            tenant: "t".into(),
            drive_id: "d".into(),
        }
    }

    #[test]
    fn an_event_id_is_the_digest_of_its_canonical_array() {
        let (scope, item) = (scope(), ItemId::from("01ABC"));
        let key = EventKey {
            scope: &scope,
            item_id: &item,
            marker: "3.0",
            action: Action::Modified,
        };
        assert_eq!(
            key.id(),
            sha256(br#"["onedrive","t","d","01ABC","3.0","modified"]"#)
        );
    }

    #[test]
    fn the_ledger_and_folder_names_do_not_enter_the_id() {
        let (one, item) = (scope(), ItemId::from("x"));
        let other = Scope {
            ledger: "legal".into(),
            folder: "other".into(),
            ..one.clone()
        };
        let id = |scope| {
            EventKey {
                scope,
                item_id: &item,
                marker: "#0",
                action: Action::Deleted,
            }
            .id()
        };
        assert_eq!(id(&one), id(&other));
    }

    #[test]
    fn reasons_agree_with_their_serialised_form() {
        for reason in [
            ContentMissing::TooLarge,
            ContentMissing::NotKept,
            ContentMissing::NoBytes,
            ContentMissing::Refused,
            ContentMissing::Failed,
            ContentMissing::Differs,
        ] {
            assert_eq!(
                serde_json::to_string(&reason).unwrap(),
                format!("\"{}\"", reason.as_str())
            );
        }
    }

    #[test]
    fn action_names_agree_with_their_serialised_form() {
        for action in [
            Action::MovedIn,
            Action::RevisionVanished,
            Action::AccessLost,
            Action::InstructionsChanged,
            Action::PermissionChanged,
        ] {
            assert_eq!(
                serde_json::to_string(&action).unwrap(),
                format!("\"{}\"", action.as_str())
            );
        }
    }
}
