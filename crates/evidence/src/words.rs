//! What is found, in words that every program of ours uses.

use revtrail_model::event::{Actor, Event, Occurred, TimeSource};

/// Text from outside, made harmless for a terminal: control characters and characters that turn the direction of writing are shown as
/// escapes (Unicode TR36 §3.2, CVE-2021-42574).
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}');
        if c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}') {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// A moment, or the bounds of one.
pub fn when(occurred: &Occurred) -> String {
    match occurred {
        Occurred::At { at, source } => match source {
            TimeSource::Client => format!("{at} (claimed)"),
            _ => at.to_string(),
        },
        Occurred::Between {
            not_before: Some(from),
            not_after,
        } => format!("{from} .. {not_after}"),
        Occurred::Between {
            not_before: None,
            not_after,
        } => format!("before {not_after}"),
    }
}

/// The actor in a few words. What the provider did not say is `unknown`, which is not the same as nobody.
pub fn who(event: &Event) -> String {
    who_is(event.actor.as_ref())
}

/// An actor in a few words.
pub fn who_is(actor: Option<&Actor>) -> String {
    let Some(actor) = actor else {
        return "unknown".into();
    };
    let details = &actor.details;
    let name = details
        .email
        .as_ref()
        .or(details.name.as_ref())
        .or(details.id.as_ref());
    let program = actor
        .application
        .as_ref()
        .and_then(|app| app.name.as_ref().or(app.id.as_ref()));
    match (name, program) {
        (Some(name), Some(program)) => format!("{name} via {program}"),
        (Some(name), None) => name.clone(),
        (None, Some(program)) => program.clone(),
        (None, None) => actor.kind.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_made_visible() {
        assert_eq!(visible("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(visible("invoice\u{202e}fdp.exe"), "invoice\\u{202e}fdp.exe");
        assert_eq!(visible("two\nlines"), "two\\u{a}lines");
        assert_eq!(visible("Ä日本"), "Ä日本");
    }
}
