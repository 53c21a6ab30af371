//! Small histories with a bit of everything.

use revtrail_simulator::{Edit, Timestamp, WorldSource};

/// Seconds since 2026-01-05T08:00:00Z, a Monday morning.
///
/// # Panics
/// When the moment lies outside the calendar.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_600_000 + second).unwrap_or_else(|error| panic!("{second}: {error}"))
}

/// People who edit.
const PEOPLE: [&str; 3] = ["ada@acme.example", "ben@acme.example", "eve@acme.example"];

/// Rounds of work below the folder `root`, one every 1000 seconds: each creates `files` files, and edits, renames, moves and deletes
/// some of those of the rounds before. No two edits of one round concern the same file, so that a reader who looks after every round
/// misses none.
///
/// # Panics
/// When the moments lie outside the calendar.
pub fn rounds(root: &str, rounds: i64, files: i64) -> WorldSource {
    let mut edits = vec![
        Edit::folder_created(at(0), &format!("{root}/Desk")),
        Edit::folder_created(at(1), &format!("{root}/Shelf")),
    ];
    for round in 0..rounds {
        for file in 0..files {
            edits.extend(step(root, (round, file), at(round * 1000 + 10 + file * 5)));
        }
    }
    edits.sort_by_key(|edit| edit.at);
    WorldSource::from_edits(edits)
}

/// The end of a round of [`rounds`].
///
/// # Panics
/// When the moment lies outside the calendar.
pub fn round_end(round: i64) -> Timestamp {
    at(round * 1000 + 900)
}

/// A new file, and what becomes of its namesake of the round before.
fn step(root: &str, (round, file): (i64, i64), now: Timestamp) -> Vec<Edit> {
    let who = PEOPLE[file.unsigned_abs() as usize % PEOPLE.len()];
    let size = (round + 1).unsigned_abs() * 1000 + file.unsigned_abs();
    let path = format!("{root}/Desk/note-{round}-{file}.md");
    let mut edits = vec![Edit::created(now, &path, size).by(who)];
    if round > 0 {
        let before = format!("{root}/Desk/note-{}-{file}.md", round - 1);
        let edit = match file % 4 {
            0 => Edit::modified(now, &before, size + 7),
            1 => Edit::renamed(now, &before, &format!("{root}/Desk/paper-{round}-{file}.md")),
            2 => Edit::renamed(now, &before, &format!("{root}/Shelf/note-{round}-{file}.md")),
            _ => Edit::deleted(now, &before),
        };
        edits.push(edit.by(who));
    }
    edits
}
