//! `instructions_changed`: what follows from a fact about a file that instructs an agent.

use revtrail_model::event::{Action, Basis, Event, EventKey, ItemKind};

use crate::conventions::{is_instruction, is_within};

/// The event that follows from `event`, when what happened changes what agents are told. It says the same of time and actor, and names
/// the event it follows from; so it has the same id whenever that one has.
pub fn follow(event: &Event) -> Option<Event> {
    if !changes_instructions(event) {
        return None;
    }
    let cause = event.id.to_string();
    let id = EventKey {
        scope: &event.scope,
        item_id: &event.item_id,
        marker: &cause,
        action: Action::InstructionsChanged,
    }
    .id();
    Some(Event {
        id,
        action: Action::InstructionsChanged,
        basis: Basis::Derived,
        derived_from: Some(cause),
        ..event.clone()
    })
}

fn changes_instructions(event: &Event) -> bool {
    let concerns = |test: fn(&str) -> bool| {
        let paths = [&event.path.path, &event.path.previous_path];
        paths.into_iter().flatten().any(|path| test(path))
    };
    match event.action {
        Action::RevisionVanished
        | Action::PermissionChanged
        | Action::Copied
        | Action::InstructionsChanged => false,
        // What is in a folder gets facts of its own when the folder goes or comes, but none when its name or place changes.
        Action::Renamed | Action::Moved if event.item_kind == ItemKind::Folder => concerns(is_within),
        _ => event.item_kind != ItemKind::Folder && concerns(is_instruction),
    }
}

#[cfg(test)]
mod tests {
    use revtrail_model::{
        event::{Occurred, Scope, TimeSource},
        id::{ItemId, Provider},
        sha256,
    };

    use super::*;
    use crate::{
        facts::{Frame, Subject, set_path},
        spool::Source,
    };

    fn fact(kind: ItemKind, action: Action, path: &str, previous: Option<&str>) -> Event {
        let at = "2026-11-20T10:00:00Z".parse().unwrap();
        let frame = Frame {
            scope: Scope {
                ledger: "l".into(),
                folder: "f".into(),
                function: None,
                provider: Provider::OneDrive,
                tenant: "t".into(),
                drive_id: "d".into(),
            },
            baseline: false,
            reconciled: false,
            previous: None,
            seen_at: at,
            observed_at: at,
        };
        let subject = Subject {
            item: &ItemId::from("01A"),
            kind,
            marker: "3.0",
        };
        let source = Source {
            raw: None,
            operation: "drive.versions".into(),
            request_id: None,
        };
        let occurred = Occurred::At {
            at,
            source: TimeSource::Server,
        };
        let mut event = frame.fact(subject, action, occurred, &source);
        set_path(&mut event, Some(path.into()), previous.map(Into::into));
        event
    }

    #[test]
    fn what_follows_names_its_cause_and_says_the_same() {
        let cause = fact(ItemKind::File, Action::Modified, "a/CLAUDE.md", None);
        let event = follow(&cause).unwrap();
        let id = cause.id.to_string();
        let parts = format!(r#"["onedrive","t","d","01A","{id}","instructions_changed"]"#);
        assert_eq!(event.id, sha256(parts.as_bytes()));
        assert_eq!(event.derived_from.as_deref(), Some(&*id));
        let same = Event {
            id: cause.id,
            action: cause.action,
            basis: cause.basis,
            derived_from: None,
            ..event.clone()
        };
        assert_eq!(same, cause);
        assert_eq!((event.basis, follow(&event)), (Basis::Derived, None));
    }

    #[test]
    fn names_given_up_and_folders_renamed_count() {
        use Action::{Created, Deleted, Modified, Moved, Renamed, RevisionVanished};
        use ItemKind::{File, Folder};
        for (kind, action, path, previous, follows) in [
            (File, Created, "CLAUDE.md", None, true),
            (File, Deleted, "CLAUDE.md", None, true),
            (File, Renamed, "old.md", Some("CLAUDE.md"), true),
            (File, Renamed, "AGENTS.md", Some("a.md"), true),
            (File, Moved, ".claude/a", Some("a"), true),
            (File, Modified, "notes.md", None, false),
            (File, RevisionVanished, "CLAUDE.md", None, false),
            (Folder, Renamed, ".claude", Some("claude"), true),
            (Folder, Moved, "x", Some(".claude/x"), true),
            (Folder, Renamed, "b", Some("a"), false),
            (Folder, Created, ".claude", None, false),
            (Folder, Deleted, ".claude/x", None, false),
        ] {
            let event = fact(kind, action, path, previous);
            assert_eq!(follow(&event).is_some(), follows, "{kind:?} {action:?} {path}");
        }
    }
}
