use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::world::{Action, Edit};

fn example() -> Incident {
    incident("2026-11-20T12:00:00Z".parse().unwrap())
}

fn at_night(incident: &Incident) -> Vec<&Edit> {
    let (from, until) = incident.night;
    incident
        .source
        .edits()
        .iter()
        .filter(|edit| (from..=until).contains(&edit.at))
        .collect()
}

#[test]
fn it_plays_whatever_the_day_of_the_week() {
    for day in 14..=20 {
        let ends_at: Timestamp = format!("2026-11-{day}T00:00:00Z").parse().unwrap();
        let incident = incident(ends_at);
        let mut world = incident.source.world();
        world.advance(incident.first_poll).unwrap();
        for (_, folder) in &incident.folders {
            let no = world.find(folder).unwrap().no;
            assert!(world.descendants(no).len() > 30, "{folder}");
        }
        let count = incident.source.edits().len();
        assert!((300..500).contains(&count), "{count}");
        world.advance(ends_at).unwrap();
        assert_eq!(world.edits_left(), 0);
    }
}

#[test]
fn its_moments_are_two_nights_before_the_end() {
    let incident = example();
    assert_eq!(incident.first_poll.to_string(), "2026-11-17T18:30:00Z");
    assert_eq!(incident.night.0.to_string(), "2026-11-18T01:10:00Z");
    assert_eq!(incident.night.1.to_string(), "2026-11-18T03:40:00Z");
    let edits = incident.source.edits();
    assert_eq!(edits[0].at.to_string().get(..10), Some("2026-10-09"));
    assert_eq!(edits, example().source.edits());
    assert_ne!(
        edits[0].at,
        super::incident("2027-01-01T00:00:00Z".parse().unwrap())
            .source
            .edits()[0]
            .at
    );
}

#[test]
fn the_night_is_the_agents_through_one_account() {
    let incident = example();
    let night = at_night(&incident);
    for edit in &night {
        assert_eq!(*edit.actor, incident.account);
        assert_eq!(edit.application.as_deref(), Some("Claude Cowork"));
    }
    let mut deleted: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, folder) in &incident.folders {
        let count = night
            .iter()
            .filter(|edit| edit.action == Action::Deleted && edit.path.starts_with(folder.as_str()))
            .count();
        deleted.insert(folder, count);
    }
    let expected = [
        ("Finance/Month-end close", 14),
        ("Legal/Contracts", 16),
        ("Marketing/Launch", 14),
    ];
    assert_eq!(deleted, BTreeMap::from(expected));
    let renamed: Vec<_> = night.iter().filter(|edit| edit.from.is_some()).collect();
    // Ten in finance, six in legal and a folder there, ten in marketing.
    assert_eq!(renamed.len(), 27);
    for edit in renamed {
        let from = edit.from.as_deref().unwrap();
        assert_ne!(from.to_lowercase(), edit.path.to_lowercase(), "case only");
    }
}

#[test]
fn overwritten_spreadsheets_lose_most_of_their_bytes() {
    let incident = example();
    let mut world = incident.source.world();
    world.advance(incident.night.0).unwrap();
    let saved: Vec<&Edit> = at_night(&incident)
        .into_iter()
        .filter(|edit| edit.action == Action::Modified)
        .collect();
    assert_eq!(saved.len(), 10);
    for edit in saved {
        let before = world.find(&edit.path).unwrap().head().unwrap().size;
        assert!(edit.size.unwrap() * 8 < before, "{}", edit.path);
    }
}

#[test]
fn conventions_change_in_the_evening_and_people_repair_in_the_morning() {
    let incident = example();
    let edits = incident.source.edits();
    let evening: BTreeSet<&str> = edits
        .iter()
        .filter(|edit| edit.at > incident.first_poll && edit.at < incident.night.0)
        .map(|edit| &*edit.path)
        .collect();
    let conventions = [
        "Finance/Month-end close/CLAUDE.md",
        "Legal/Contracts/CLAUDE.md",
        "Marketing/Launch/CLAUDE.md",
    ];
    assert_eq!(evening, BTreeSet::from(conventions));
    let restored = edits
        .iter()
        .filter(|edit| edit.action == Action::Restored)
        .inspect(|edit| assert!(edit.at > incident.night.1 && edit.application.is_none()))
        .count();
    assert_eq!(restored, 9);
    let mut world = incident.source.world();
    world.advance("2026-11-20T12:00:00Z".parse().unwrap()).unwrap();
    let saves = &world
        .find("Finance/Month-end close/Trial balance.xlsx")
        .unwrap()
        .saves;
    let overwritten = saves.iter().position(|save| save.application.is_some()).unwrap();
    assert_eq!(
        saves[overwritten - 1].content_key,
        saves[overwritten + 1].content_key
    );
    assert!(
        world
            .find("Legal/Contracts/Signed/Marlow Freight MSA.pdf")
            .is_some()
    );
    assert!(
        world
            .find("Finance/Month-end close/Prior close/IC matrix.xlsx")
            .is_none()
    );
    let agents_ordinary_work = edits
        .iter()
        .filter(|edit| edit.at < incident.first_poll && edit.application.is_some())
        .count();
    assert!(agents_ordinary_work >= 4, "{agents_ordinary_work}");
}
