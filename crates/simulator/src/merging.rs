//! Saves that a provider puts into one revision: co-authoring and automatic saving on OneDrive, files of Google's editors.

use std::borrow::Cow;
use std::ops::Range;

use jiff::SignedDuration;

use crate::world::Save;

/// Saves that share a revision, by their places, oldest first: each revision takes what is saved less than `span` after its first save.
/// Without a span each save stands for itself.
pub(crate) fn groups(saves: &[Save], span: Option<SignedDuration>) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (place, save) in saves.iter().enumerate() {
        let open = groups.last_mut().filter(|group| {
            let first = saves.get(group.start);
            let age = first.map(|first| save.at.duration_since(first.at));
            age.zip(span).is_some_and(|(age, span)| age < span)
        });
        match open {
            Some(group) => group.end = place + 1,
            None => groups.push(place..place + 1),
        }
    }
    groups
}

/// The revisions that are left of `saves`: of those that share one, the last names its author, time and content.
pub(crate) fn merged(saves: &[Save], span: Option<SignedDuration>) -> Cow<'_, [Save]> {
    if span.is_none() {
        return Cow::Borrowed(saves);
    }
    let last = |group: Range<usize>| saves.get(group.end - 1).cloned();
    Cow::Owned(groups(saves, span).into_iter().filter_map(last).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::world::Actor;

    fn saves(minutes: &[i64]) -> Vec<Save> {
        let save = |(seq, minute): (usize, &i64)| Save {
            at: Timestamp::from_second(1_767_225_600 + minute * 60).unwrap(),
            actor: Arc::new(Actor::with_email("ann@example.com")),
            application: None,
            size: seq as u64,
            content_key: "k".into(),
            seq: seq as u64,
        };
        minutes.iter().enumerate().map(save).collect()
    }

    #[test]
    fn a_revision_takes_what_follows_its_first_save_for_a_while() {
        let saves = saves(&[0, 4, 9, 10, 30, 39]);
        let span = Some(SignedDuration::from_mins(10));
        assert_eq!(groups(&saves, span), [0..3, 3..4, 4..6]);
        let sizes: Vec<u64> = merged(&saves, span).iter().map(|save| save.size).collect();
        assert_eq!(sizes, [2, 3, 5]);
        assert_eq!(groups(&saves, None).len(), 6);
        assert_eq!(merged(&saves, None).len(), 6);
    }
}
