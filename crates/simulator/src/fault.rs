//! Faults as values, when they fire, and the middleware that applies those of the transport.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::sim::Provider;

mod apply;
mod oddity;

pub(crate) use apply::{Door, apply, http_date};
pub use oddity::Oddity;

/// Something that goes wrong on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// 429 in the provider's form.
    #[serde(rename = "throttle_429")]
    Throttle429 {
        /// Value of `Retry-After`, as is: `"0"`, `"1"`, `"0.5"`; absent: no header.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// 403 with a rate-limit reason, Google Drive's other way to throttle; never where tokens are given out.
    #[serde(rename = "drive_rate_limit_403")]
    DriveRateLimit403,
    /// 503 in the provider's form.
    #[serde(rename = "unavailable_503")]
    Unavailable503 {
        /// As for 429.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// 500 in the provider's form.
    #[serde(rename = "internal_500")]
    Internal500,
    /// 504 in the provider's form: the service took too long.
    #[serde(rename = "timeout_504")]
    Timeout504,
    /// 504 to a page of a feed that is asked for with more entries than it has without being asked (OneDrive).
    #[serde(rename = "large_page_504")]
    LargePage504,
    /// 504 to a feed that goes on where another reading ended, and to no other (OneDrive).
    #[serde(rename = "stale_link_504")]
    StaleLink504,
    /// The connection closes after half of the declared body.
    ResetMidBody,
    /// A complete answer whose JSON stops half way.
    TruncatedJson,
    /// Good JSON that has nothing of what was asked for.
    OtherShape,
    /// The caller's token becomes invalid, and the request is answered with 401.
    ExpiredToken,
    /// One part of a batch is throttled.
    #[serde(rename = "batch_inner_429")]
    BatchInner429,
    /// One part of a batch is not answered because of another (OneDrive).
    #[serde(rename = "batch_inner_424")]
    BatchInner424,
    /// So many edits of the history happen right after the answer.
    Meanwhile {
        /// How many.
        edits: usize,
    },
    /// The token of a listing's next page has run out; the listing begins again (Google Drive).
    ExpiredPageToken,
    /// The link to the next page names another host (OneDrive).
    ForeignNextLink,
    /// The cursor is not accepted any more, in the provider's form.
    LostCursor,
    /// As a lost cursor (OneDrive): the variant as the only code, and a `Location` on another host.
    LostCursorForeign,
    /// As a lost cursor (OneDrive): the other variant as inner code, and a `Location` that is no address.
    LostCursorBroken,
    /// The link to the next page leads to the same page again (OneDrive).
    CircularNextLink,
    /// A listing says that it did not look everywhere, and is short (Google Drive).
    IncompleteSearch,
    /// The user is no member of the shared drive any more (Google Drive).
    MembershipLost,
    /// The account may not look any more: at the drive (OneDrive), at the items of a page (Google Drive), at the folder (Dropbox).
    AccessLost,
    /// An entry of a listing is of a kind nobody knows.
    UnknownKind,
    /// A page without items that is not the last.
    EmptyPage,
    /// Items of a page are listed twice.
    DuplicateItems,
    /// Every JSON object has a field nobody knows.
    UnknownFields,
    /// A revision comes without its author.
    MissingActor,
    /// A revision listed before is missing from the list.
    VanishedRevision,
    /// A revision list lacks the newest revision (Google Drive, Dropbox), or is empty (OneDrive).
    LaggingRevisions,
    /// A revision list is refused.
    RevisionsRefused,
    /// The revision after which a list was to go on was purged meanwhile (Dropbox).
    PurgedMidPaging,
    /// Contents of a file come with their first byte changed.
    WrongBytes,
    /// A page of the change feed leaves out entries, and they never come; a full listing shows everything all the same.
    OmittedChange {
        /// Of items with this name only, letter case aside; absent: every entry of the page.
        #[serde(default)]
        name: Option<String>,
    },
    /// A good answer in a form that readers have stumbled over.
    Oddity {
        /// In which.
        which: Oddity,
    },
    /// A record of an audit log that was to be given now is given only after so many minutes.
    AuditLate {
        /// How many.
        minutes: u32,
    },
    /// The cursor of an audit log is taken for none (Dropbox).
    BadCursor,
    /// A record of an audit log names its item by place alone.
    UnnamedItem,
}

/// [`Fault`] without its values; what code asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is documented at `Fault`")]
pub enum FaultKind {
    #[serde(rename = "throttle_429")]
    Throttle429,
    #[serde(rename = "drive_rate_limit_403")]
    DriveRateLimit403,
    #[serde(rename = "unavailable_503")]
    Unavailable503,
    #[serde(rename = "internal_500")]
    Internal500,
    #[serde(rename = "timeout_504")]
    Timeout504,
    #[serde(rename = "large_page_504")]
    LargePage504,
    #[serde(rename = "stale_link_504")]
    StaleLink504,
    ResetMidBody,
    TruncatedJson,
    OtherShape,
    ExpiredToken,
    #[serde(rename = "batch_inner_429")]
    BatchInner429,
    #[serde(rename = "batch_inner_424")]
    BatchInner424,
    Meanwhile,
    ExpiredPageToken,
    ForeignNextLink,
    LostCursor,
    LostCursorForeign,
    LostCursorBroken,
    CircularNextLink,
    IncompleteSearch,
    MembershipLost,
    AccessLost,
    UnknownKind,
    EmptyPage,
    DuplicateItems,
    UnknownFields,
    MissingActor,
    VanishedRevision,
    LaggingRevisions,
    RevisionsRefused,
    PurgedMidPaging,
    WrongBytes,
    OmittedChange,
    AuditLate,
    BadCursor,
    UnnamedItem,
    #[serde(untagged)]
    Oddity(Oddity),
}

impl Fault {
    /// Its kind.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Throttle429 { .. } => FaultKind::Throttle429,
            Self::DriveRateLimit403 => FaultKind::DriveRateLimit403,
            Self::Unavailable503 { .. } => FaultKind::Unavailable503,
            Self::Internal500 => FaultKind::Internal500,
            Self::Timeout504 => FaultKind::Timeout504,
            Self::LargePage504 => FaultKind::LargePage504,
            Self::StaleLink504 => FaultKind::StaleLink504,
            Self::ResetMidBody => FaultKind::ResetMidBody,
            Self::TruncatedJson => FaultKind::TruncatedJson,
            Self::OtherShape => FaultKind::OtherShape,
            Self::ExpiredToken => FaultKind::ExpiredToken,
            Self::BatchInner429 => FaultKind::BatchInner429,
            Self::BatchInner424 => FaultKind::BatchInner424,
            Self::Meanwhile { .. } => FaultKind::Meanwhile,
            Self::ExpiredPageToken => FaultKind::ExpiredPageToken,
            Self::ForeignNextLink => FaultKind::ForeignNextLink,
            Self::LostCursor => FaultKind::LostCursor,
            Self::LostCursorForeign => FaultKind::LostCursorForeign,
            Self::LostCursorBroken => FaultKind::LostCursorBroken,
            Self::CircularNextLink => FaultKind::CircularNextLink,
            Self::IncompleteSearch => FaultKind::IncompleteSearch,
            Self::MembershipLost => FaultKind::MembershipLost,
            Self::AccessLost => FaultKind::AccessLost,
            Self::UnknownKind => FaultKind::UnknownKind,
            Self::EmptyPage => FaultKind::EmptyPage,
            Self::DuplicateItems => FaultKind::DuplicateItems,
            Self::UnknownFields => FaultKind::UnknownFields,
            Self::MissingActor => FaultKind::MissingActor,
            Self::VanishedRevision => FaultKind::VanishedRevision,
            Self::LaggingRevisions => FaultKind::LaggingRevisions,
            Self::RevisionsRefused => FaultKind::RevisionsRefused,
            Self::PurgedMidPaging => FaultKind::PurgedMidPaging,
            Self::WrongBytes => FaultKind::WrongBytes,
            Self::AuditLate { .. } => FaultKind::AuditLate,
            Self::BadCursor => FaultKind::BadCursor,
            Self::UnnamedItem => FaultKind::UnnamedItem,
            Self::OmittedChange { .. } => FaultKind::OmittedChange,
            Self::Oddity { which } => FaultKind::Oddity(*which),
        }
    }

    /// Whether it leaves out the entry of an item with this name.
    pub fn omits(&self, name: &str) -> bool {
        match self {
            Self::OmittedChange { name: Some(wanted) } => wanted.to_lowercase() == name.to_lowercase(),
            Self::OmittedChange { name: None } => true,
            _ => false,
        }
    }

    /// The `Retry-After` it asks for.
    pub fn retry_after(&self) -> Option<&str> {
        match self {
            Self::Throttle429 { retry_after } | Self::Unavailable503 { retry_after } => {
                retry_after.as_deref()
            }
            _ => None,
        }
    }
}

/// When a fault fires. Requests are counted from 1 per plan, and only those that match provider and operation and on which
/// the fault can happen at all (a lost cursor needs a request with a cursor).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    /// What happens.
    pub fault: Fault,
    /// To whom; absent: any.
    #[serde(default)]
    pub provider: Option<Provider>,
    /// On which operation (`delta`, `versions`, `changes`, `list_folder`, `token`, ...); absent: any.
    #[serde(default)]
    pub operation: Option<String>,
    /// First matching request it fires on, from 1.
    #[serde(default = "one")]
    pub first: u64,
    /// Then every so many requests; 0 is read as 1.
    #[serde(default = "one")]
    pub every: u64,
    /// How often at most.
    #[serde(default = "one")]
    pub times: u64,
}

fn one() -> u64 {
    1
}

impl FaultPlan {
    /// Fires once, on the first request it can.
    pub fn once(fault: Fault) -> Self {
        Self {
            fault,
            provider: None,
            operation: None,
            first: 1,
            every: 1,
            times: 1,
        }
    }

    /// The oddity, on every request it can happen on.
    pub fn always(which: Oddity) -> Self {
        Self {
            times: u64::MAX,
            ..Self::once(Fault::Oddity { which })
        }
    }

    /// The same plan for one operation only.
    #[must_use]
    pub fn on(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }
}

/// The plans in force and how often each kind fired.
#[derive(Debug, Default)]
pub(crate) struct FaultBox {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    plans: Vec<Armed>,
    fired: BTreeMap<FaultKind, u64>,
}

#[derive(Debug)]
struct Armed {
    plan: FaultPlan,
    matched: u64,
    fired: u64,
}

impl Armed {
    fn step(&mut self) -> bool {
        self.matched += 1;
        let due = self
            .matched
            .checked_sub(self.plan.first.max(1))
            .is_some_and(|since| since.is_multiple_of(self.plan.every.max(1)));
        let fires = due && self.fired < self.plan.times;
        self.fired += u64::from(fires);
        fires
    }
}

impl FaultBox {
    /// Adds plans to those in force.
    pub(crate) fn add(&self, plans: Vec<FaultPlan>) {
        let armed = plans.into_iter().map(|plan| Armed {
            plan,
            matched: 0,
            fired: 0,
        });
        self.lock().plans.extend(armed);
    }

    /// Removes all plans and counts.
    pub(crate) fn clear(&self) {
        *self.lock() = Inner::default();
    }

    /// The fault of this kind that fires here, if one does; each plan that matches counts the request.
    pub(crate) fn fires(&self, provider: Provider, operation: &str, kind: FaultKind) -> Option<Fault> {
        let mut inner = self.lock();
        let mut found = None;
        for armed in &mut inner.plans {
            let plan = &armed.plan;
            let matches = plan.fault.kind() == kind
                && plan.provider.is_none_or(|wanted| wanted == provider)
                && plan.operation.as_deref().is_none_or(|wanted| wanted == operation);
            if matches && found.is_none() && armed.step() {
                found = Some(armed.plan.fault.clone());
            }
        }
        if found.is_some() {
            *inner.fired.entry(kind).or_default() += 1;
        }
        found
    }

    /// How often each kind fired.
    pub(crate) fn fired(&self) -> BTreeMap<FaultKind, u64> {
        self.lock().fired.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_from_the_first_every_so_often_and_so_many_times() {
        let faults = FaultBox::default();
        let plan = FaultPlan {
            first: 2,
            every: 3,
            times: 2,
            ..FaultPlan::once(Fault::EmptyPage).on("delta")
        };
        faults.add(vec![plan]);
        let fires = |operation| {
            faults
                .fires(Provider::OneDrive, operation, FaultKind::EmptyPage)
                .is_some()
        };
        assert!(!fires("versions"));
        let outcomes: Vec<bool> = (0..9).map(|_| fires("delta")).collect();
        assert_eq!(
            outcomes,
            [false, true, false, false, true, false, false, false, false]
        );
        assert_eq!(faults.fired(), BTreeMap::from([(FaultKind::EmptyPage, 2)]));
    }

    #[test]
    fn plans_read_as_written_in_the_documentation() {
        let plan: FaultPlan = serde_json::from_str(
            r#"{"fault":{"kind":"throttle_429","retry_after":"0.5"},"provider":"google_drive","operation":"changes","times":3}"#,
        )
        .unwrap();
        assert_eq!(plan.fault.retry_after(), Some("0.5"));
        assert_eq!(
            (plan.provider, plan.first, plan.times),
            (Some(Provider::GoogleDrive), 1, 3)
        );
    }
}
