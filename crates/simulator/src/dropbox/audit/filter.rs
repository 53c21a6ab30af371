//! Which events of the team log are asked for.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::Kind;
use crate::audit::Record;
use crate::dropbox::View;
use crate::dropbox::args::Args;
use crate::dropbox::ids::account_id;
use crate::dropbox::problem::Problem;

/// Characters of an account id.
const ID_LENGTH: usize = 40;
/// The only category with events here.
const FILES: &str = "file_operations";
/// All categories of the specification.
const CATEGORIES: [&str; 26] = [
    "admin_alerting",
    "apps",
    "comments",
    "dash",
    "data_governance",
    "devices",
    "domains",
    "encryption",
    FILES,
    "file_requests",
    "groups",
    "logins",
    "members",
    "paper",
    "passwords",
    "protect",
    "reports",
    "sharing",
    "showcase",
    "signatures",
    "sso",
    "team_folders",
    "team_policies",
    "team_profile",
    "tfa",
    "trusted_teams",
];
/// Types of file operations, those first that happen here.
const TYPES: [&str; 18] = [
    "file_add",
    "file_add_from_automation",
    "file_edit",
    "file_delete",
    "file_rename",
    "file_move",
    "file_restore",
    "file_permanently_delete",
    "file_copy",
    "file_save_copy_reference",
    "file_get_copy_reference",
    "file_revert",
    "file_rollback_changes",
    "rewind_folder",
    "file_locking_lock_status_changed",
    "file_download",
    "file_preview",
    "create_folder",
];

/// The arguments of `get_events` that a cursor keeps.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Filter {
    /// Inclusive.
    pub(super) start: Option<Timestamp>,
    /// Exclusive.
    pub(super) end: Option<Timestamp>,
    account: Option<String>,
    category: Option<String>,
    kind: Option<String>,
}

impl Filter {
    pub(super) fn take(args: &mut Args) -> Result<Self, Problem> {
        let mut filter = Self {
            account: args.text("account_id")?,
            category: args.word("category", &CATEGORIES)?.map(str::to_owned),
            kind: args.word("event_type", &TYPES)?.map(str::to_owned),
            ..Self::default()
        };
        if let Some(mut range) = args.object("time")? {
            filter.start = range.time("start_time")?;
            filter.end = range.time("end_time")?;
            range.finish()?;
        }
        if let Some(id) = &filter.account
            && id.chars().count() != ID_LENGTH
        {
            let why = format!("'{id}' must be {ID_LENGTH} characters");
            return Err(Problem::field("account_id", why));
        }
        Ok(filter)
    }

    /// What is wrong though well formed.
    pub(super) fn check(&self, view: &View<'_>) -> Result<(), Problem> {
        if self.category.is_some() && self.kind.is_some() {
            return Err(Problem::tag("invalid_filters"));
        }
        if let (Some(start), Some(end)) = (self.start, self.end)
            && start >= end
        {
            return Err(Problem::tag("invalid_time_range"));
        }
        let owner = account_id(&view.sim.options().owner.email);
        let is_known = |id: &String| *id == owner || view.index.account(id).is_some();
        if self.account.as_ref().is_none_or(is_known) {
            Ok(())
        } else {
            Err(Problem::tag("account_id_not_found"))
        }
    }

    /// Whether file events are asked for by name.
    pub(super) fn wants_files(&self) -> bool {
        self.category.as_deref() == Some(FILES) || self.kind.is_some()
    }

    pub(super) fn takes(&self, record: &Record<'_>) -> bool {
        let Some(op) = record.first() else {
            return false;
        };
        self.start.is_none_or(|start| start <= op.at)
            && self.end.is_none_or(|end| op.at < end)
            && self.category.as_deref().is_none_or(|category| category == FILES)
            && self
                .kind
                .as_deref()
                .is_none_or(|wanted| wanted == Kind::of(op).word())
            && self
                .account
                .as_ref()
                .is_none_or(|id| *id == account_id(&op.actor.email))
    }
}
