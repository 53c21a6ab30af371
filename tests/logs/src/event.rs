//! Leaves of usual length.

use std::collections::BTreeMap;

use revtrail_model::{
    Digest,
    event::{
        Action, Actor, ActorDetails, ActorKind, ActorSource, Basis, Event, ItemKind, Occurred, PathDetails,
        Scope, TimeSource,
    },
    id::Provider,
    leaf::{Counted, LeafRef, WindowLeaf, WindowState},
    record::Count,
    sha256,
};

use crate::at;

/// An event as a provider's version list gives it, all of its members of usual length.
pub fn event(n: u64) -> Event {
    let id = sha256(&n.to_be_bytes());
    Event {
        id,
        scope: Scope {
            ledger: "finance".into(),
            folder: "month-end-close".into(),
            function: Some("finance".into()),
            provider: Provider::OneDrive,
            tenant: "6d1c0a4e-9c1f-4a46-8f3e-2b1d7c5a9e10".into(),
            drive_id: "b!KG3Se9kX9u8xhkVYTSwq58NyBKjYW731CTT-IUmFBe4N9LgQVM3qLkorF4C-lnoE".into(),
        },
        item_id: format!("01{}", start(&id, 32)).as_str().into(),
        item_kind: ItemKind::File,
        action: Action::Modified,
        revision_id: Some("3.0".into()),
        previous_revision_id: Some("2.0".into()),
        path: PathDetails {
            name: Some(format!("Statement {n}.xlsx")),
            path: Some(format!("Quarter {}/Statement {n}.xlsx", n % 4 + 1)),
            previous_path: None,
        },
        mime_type: Some("application/octet-stream".into()),
        size_bytes: Some(48_213 + n),
        hashes: BTreeMap::from([("quickxor".into(), start(&id, 28))]),
        content_missing: None,
        content_sha256: None,
        occurred: Occurred::At {
            at: at("2026-11-20T23:14:05Z"),
            source: TimeSource::Server,
        },
        claimed_at: None,
        observed_at: at("2026-11-21T02:00:07.120Z"),
        actor: Some(Actor {
            kind: ActorKind::User,
            details: ActorDetails {
                email: Some(format!("user{}@acme.example", n % 260)),
                id: Some(start(&id, 36)),
                name: Some(format!("User {}", n % 260)),
                on_behalf_of: None,
            },
            application: None,
        }),
        actor_source: ActorSource::Revision,
        basis: Basis::Reported,
        derived_from: None,
        baseline: false,
        reconciled: false,
        source_api: "drive.versions".into(),
        source_request_id: Some("2677f9ee-3f01-4188-8948-2934f7afb9a7".into()),
        raw_sha256: None,
    }
}

/// The window over `count` events from the leaf `first` on.
pub(crate) fn window((first, count): (u64, u64), previous_window: Option<LeafRef>) -> WindowLeaf {
    WindowLeaf {
        account: "contoso".into(),
        count: Count(count),
        counted: Counted::default(),
        covers_from: None,
        covers_to: Some(at("2026-11-21T02:00:00Z")),
        drive_id: None,
        first: Count(first),
        folder: "month-end-close".into(),
        from_cursor_sha256: None,
        gaps: Vec::new(),
        kept: None,
        ledger: "finance".into(),
        oldest_revision_at: None,
        pages: Count(1),
        previous_window,
        provider: Provider::OneDrive,
        reconciled: Count(0),
        retries: Count(0),
        revisions_changed: Count(0),
        revisions_vanished: Count(0),
        state: WindowState::Complete,
        tenant: None,
        throttled_ms: Count(0),
        to_cursor_sha256: None,
        walk: None,
        kind: "window".into(),
        v: 1,
    }
}

fn start(id: &Digest, length: usize) -> String {
    id.to_string().chars().take(length).collect()
}
